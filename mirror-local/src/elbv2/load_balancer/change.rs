//! Changing the subnets of a load balancer, its security groups, and its address type.

use super::Zone;
use super::create::check_groups;
use super::{LoadBalancer, PRIVATE_LINK_RULES, Sort, ip_address_type, named, placement};
use crate::ec2::vpc_endpoint;
use crate::elbv2::unconfigurable;
use crate::failure::{Failure, Outcome};
use crate::world::Call;
use crate::xml::Xml;

/// Handles `SetSubnets`: the load balancer is then in the zones of the call, and leaves all others.
pub(super) fn set_subnets(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let mut lb = named(call.region, call.parameters)?.clone();
    let (places, vpc) = placement::read(call.region, call.parameters)?;
    if vpc != lb.vpc_id {
        return Err(unconfigurable("All subnets must belong to the VPC of the load balancer"));
    }
    ip_address_type(call.parameters)?;
    let stays = |zone: &Zone| places.iter().any(|place| place.zone == zone.name);
    let left: Vec<&str> =
        lb.zones.iter().filter(|zone| !stays(zone)).map(|zone| &*zone.name).collect();
    if let Some(endpoint) = vpc_endpoint::in_zones(call.region, &lb.arn, &left) {
        let message = format!("The load balancer serves the VPC endpoint {endpoint} in this zone");
        return Err(unconfigurable(message));
    }
    placement::occupy(call, &mut lb, places)?;
    xml.members("AvailabilityZones", &lb.zones, |xml, zone| {
        xml.text("ZoneName", &zone.name);
        xml.text("SubnetId", &zone.subnet_id);
        xml.members("LoadBalancerAddresses", zone.address, |xml, address| {
            xml.text("PrivateIPv4Address", address);
        });
    });
    xml.text("IpAddressType", &lb.ip_address_type);
    call.region.load_balancers.insert(lb.arn.clone(), lb);
    Ok(())
}

/// Handles `SetSecurityGroups`, which can neither add the first group nor remove the last.
pub(super) fn set_security_groups(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let lb = named(call.region, call.parameters)?.clone();
    let groups = call.parameters.texts("SecurityGroups");
    if groups.is_empty() {
        return Err(Failure::missing("SecurityGroups"));
    }
    if lb.sort() == Sort::Gateway {
        return Err(unconfigurable("Security groups are not supported for gateway load balancers"));
    }
    if lb.security_groups.is_empty() {
        let message =
            "Security groups cannot be set on a Network Load Balancer that was created without any";
        return Err(unconfigurable(message));
    }
    check_groups(call, &groups, &lb.vpc_id)?;
    let rules = call.parameters.one_of(PRIVATE_LINK_RULES, &["on", "off"])?;
    let private_link_rules = rules.unwrap_or(&lb.private_link_rules).to_owned();
    let groups: Vec<String> = groups.into_iter().map(str::to_owned).collect();
    for zone in &lb.zones {
        if let Some(interface) = call.region.network_interfaces.get_mut(&zone.interface_id) {
            interface.groups.clone_from(&groups);
        }
    }
    xml.element("SecurityGroupIds", |xml| {
        for group in &groups {
            xml.text("member", group);
        }
    });
    xml.text(PRIVATE_LINK_RULES, &private_link_rules);
    let lb = LoadBalancer { security_groups: groups, private_link_rules, ..lb };
    call.region.load_balancers.insert(lb.arn.clone(), lb);
    Ok(())
}

/// Handles `SetIpAddressType`.
pub(super) fn set_ip_address_type(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let arn = named(call.region, call.parameters)?.arn.clone();
    call.parameters.required("IpAddressType")?;
    let word = ip_address_type(call.parameters)?;
    if let Some(lb) = call.region.load_balancers.get_mut(&arn) {
        word.clone_into(&mut lb.ip_address_type);
    }
    xml.text("IpAddressType", word);
    Ok(())
}
