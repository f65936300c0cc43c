//! Making a load balancer. A repeated call with the same settings returns the existing one.

use super::placement::{self, Place};
use super::{LoadBalancer, Scheme, Sort, ip_address_type, write};
use crate::elbv2::attribute::Attributes;
use crate::elbv2::{arn, check_name, invalid, tag, unconfigurable};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::tags::Tags;
use crate::world::{Call, Region};
use crate::xml::Xml;

/// What a new load balancer is to be.
struct Wanted {
    sort: Sort,
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
    let sort = sort(parameters)?;
    if sort == Sort::Gateway {
        check_gateway(parameters)?;
    }
    let name = parameters.required("Name")?;
    check_name("load balancer", name)?;
    let ip_address_type = ip_address_type(parameters)?;
    let scheme = match parameters.one_of("Scheme", &["internet-facing", "internal"])? {
        Some("internal") => Scheme::Internal,
        None if sort == Sort::Gateway => Scheme::Internal,
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
        sort,
        name: name.to_owned(),
        scheme,
        vpc_id,
        ip_address_type: ip_address_type.to_owned(),
        security_groups: groups.into_iter().map(str::to_owned).collect(),
        places,
        tags: tag::listed(parameters)?,
    })
}

/// Reads the type; refuses the one that a local AWS does not have.
fn sort(parameters: &Parameters) -> Outcome<Sort> {
    match parameters.text("Type").unwrap_or("application") {
        "network" => Ok(Sort::Network),
        "gateway" => Ok(Sort::Gateway),
        "application" => Err(unconfigurable(
            "mirror-local does not implement load balancers of the type application, only of the \
             types network and gateway",
        )),
        word => Err(invalid(format!("'{word}' is not a valid load balancer type"))),
    }
}

/// Refuses what a Gateway Load Balancer does not have.
///
/// Source: Elastic Load Balancing API reference, `CreateLoadBalancer`.
fn check_gateway(parameters: &Parameters) -> Outcome {
    if parameters.text("Scheme").is_some() {
        return Err(invalid("A scheme cannot be specified for gateway load balancers"));
    }
    if !parameters.texts("SecurityGroups").is_empty() {
        return Err(unconfigurable("Security groups are not supported for gateway load balancers"));
    }
    let mut mappings = parameters.list("SubnetMappings").into_iter();
    if mappings.any(|mapping| mapping.text("PrivateIPv4Address").is_some()) {
        let message = "Private IPv4 addresses are not supported for gateway load balancers";
        return Err(unconfigurable(message));
    }
    Ok(())
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

/// Compares all but the tags, for which AWS documents no role here.
fn has_settings(lb: &LoadBalancer, wanted: &Wanted) -> bool {
    let Wanted { sort, name: _, scheme, vpc_id, ip_address_type, security_groups, places, tags: _ } =
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
    lb.sort() == *sort
        && (lb.scheme, &lb.vpc_id, &lb.ip_address_type) == (*scheme, vpc_id, ip_address_type)
        && stands == wanted
        && groups.0 == groups.1
}

fn make(call: &mut Call<'_>, wanted: Wanted) -> Outcome<String> {
    let max = match wanted.sort {
        Sort::Network => call.settings.quotas.load_balancers,
        Sort::Gateway => call.settings.quotas.gateway_load_balancers,
    };
    let of_sort = call.region.load_balancers.values().filter(|lb| lb.sort() == wanted.sort);
    if of_sort.count() >= max {
        let message = format!("The maximum number of load balancers has been reached ({max})");
        return Err(Failure::new("TooManyLoadBalancers", message));
    }
    let suffix = arn::draw_suffix(call.region, "load balancer");
    let resource = format!("loadbalancer/{}/{}/{suffix}", wanted.sort.path(), wanted.name);
    let mut lb = LoadBalancer {
        arn: call.region.arn("elasticloadbalancing", resource),
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
