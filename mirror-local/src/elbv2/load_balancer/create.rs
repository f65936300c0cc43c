//! Making a load balancer. A repeated call with the same settings returns the first one's.

use super::placement::{self, Place};
use super::{LoadBalancer, Scheme, ip_address_type, write};
use crate::elbv2::attribute::Attributes;
use crate::elbv2::{arn, check_name, invalid, tag, unconfigurable};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::tags::Tags;
use crate::world::{Call, Region};
use crate::xml::Xml;

/// What a new load balancer is to be.
struct Wanted {
    name: String,
    scheme: Scheme,
    vpc_id: String,
    ip_address_type: String,
    security_groups: Vec<String>,
    places: Vec<Place>,
    tags: Tags,
}

/// Handles `CreateLoadBalancer`.
pub(super) fn create(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let wanted = read(call)?;
    let existing = call.region.load_balancers.values().find(|lb| lb.name == wanted.name);
    let arn = match existing {
        Some(existing) if has_settings(existing, &wanted) => existing.arn.clone(),
        Some(existing) => {
            let name = &existing.name;
            let message = format!(
                "A load balancer with the same name '{name}' exists, but with different settings"
            );
            return Err(Failure::new("DuplicateLoadBalancerName", message));
        }
        None => make(call, wanted)?,
    };
    let view = call.view();
    xml.members("LoadBalancers", view.region.load_balancers.get(&arn), |xml, lb| {
        write(view, lb, xml);
    });
    Ok(())
}

fn read(call: &Call<'_>) -> Outcome<Wanted> {
    let parameters = call.parameters;
    check_kind(parameters)?;
    let name = parameters.required("Name")?;
    check_name("load balancer", name)?;
    let ip_address_type = ip_address_type(parameters)?;
    let scheme = match parameters.one_of("Scheme", &["internet-facing", "internal"])? {
        Some("internal") => Scheme::Internal,
        _ => Scheme::InternetFacing,
    };
    let (places, vpc_id) = placement::read(call.region, parameters)?;
    let groups = parameters.texts("SecurityGroups");
    check_groups(call, &groups, &vpc_id)?;
    if scheme == Scheme::InternetFacing && !has_internet_gateway(call.region, &vpc_id) {
        let message = format!("VPC {vpc_id} has no internet gateway");
        return Err(Failure::new("InvalidSubnet", message));
    }
    Ok(Wanted {
        name: name.to_owned(),
        scheme,
        vpc_id,
        ip_address_type: ip_address_type.to_owned(),
        security_groups: groups.into_iter().map(str::to_owned).collect(),
        places,
        tags: tag::listed(parameters)?,
    })
}

/// Refuses the kinds of load balancers that a local AWS does not have.
fn check_kind(parameters: &Parameters) -> Outcome {
    match parameters.text("Type").unwrap_or("application") {
        "network" => Ok(()),
        kind @ ("application" | "gateway") => Err(unconfigurable(format!(
            "mirror-local does not implement load balancers of the type {kind}, only of the type \
             network"
        ))),
        kind => Err(invalid(format!("'{kind}' is not a valid load balancer type"))),
    }
}

/// Checks the security groups of a load balancer in a VPC.
pub(super) fn check_groups(call: &Call<'_>, groups: &[&str], vpc: &str) -> Outcome {
    let wrong = |message: String| Err(Failure::new("InvalidSecurityGroup", message));
    for id in groups {
        match call.region.security_groups.get(id) {
            None => return wrong(format!("The security group '{id}' does not exist")),
            Some(group) if group.vpc_id != vpc => {
                return wrong(format!("The security group '{id}' is not in the VPC '{vpc}'"));
            }
            Some(_) => {}
        }
    }
    let max = call.settings.quotas.security_groups_per_interface;
    if groups.len() > max {
        return Err(unconfigurable(format!("At most {max} security groups may be specified")));
    }
    Ok(())
}

fn has_internet_gateway(region: &Region, vpc: &str) -> bool {
    region.internet_gateways.values().any(|gateway| gateway.vpc_id.as_deref() == Some(vpc))
}

/// Compares all but the tags, of which AWS documents no part in this.
fn has_settings(lb: &LoadBalancer, wanted: &Wanted) -> bool {
    let Wanted { name: _, scheme, vpc_id, ip_address_type, security_groups, places, tags: _ } =
        wanted;
    let mut stands: Vec<(&str, _)> =
        lb.zones.iter().map(|zone| (&*zone.subnet_id, zone.address)).collect();
    let mut wanted: Vec<(&str, _)> =
        places.iter().map(|place| (&*place.subnet, place.address)).collect();
    let mut groups = (lb.security_groups.clone(), security_groups.clone());
    stands.sort_unstable();
    wanted.sort_unstable();
    groups.0.sort_unstable();
    groups.1.sort_unstable();
    (lb.scheme, &lb.vpc_id, &lb.ip_address_type) == (*scheme, vpc_id, ip_address_type)
        && stands == wanted
        && groups.0 == groups.1
}

fn make(call: &mut Call<'_>, wanted: Wanted) -> Outcome<String> {
    let max = call.settings.quotas.load_balancers;
    if call.region.load_balancers.len() >= max {
        let message = format!("The maximum number of load balancers has been reached ({max})");
        return Err(Failure::new("TooManyLoadBalancers", message));
    }
    let suffix = arn::draw_suffix(call.region, "load balancer");
    let resource = format!("loadbalancer/net/{}/{suffix}", wanted.name);
    let mut lb = LoadBalancer {
        arn: arn::arn(&call.region.name, &resource),
        name: wanted.name,
        scheme: wanted.scheme,
        vpc_id: wanted.vpc_id,
        ip_address_type: wanted.ip_address_type,
        security_groups: wanted.security_groups,
        private_link_rules: "on".to_owned(),
        zones: Vec::new(),
        created: call.now,
        attributes: Attributes::default(),
        tags: wanted.tags,
    };
    placement::occupy(call, &mut lb, wanted.places)?;
    let arn = lb.arn.clone();
    call.region.load_balancers.insert(&*arn, lb);
    Ok(arn)
}
