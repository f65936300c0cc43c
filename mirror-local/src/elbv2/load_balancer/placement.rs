//! Where a load balancer is: in one subnet in each of its zones, with an interface in it.

use super::{LoadBalancer, Scheme, Zone, leave};
use crate::ec2::address;
use crate::ec2::network_interface::{NewInterface, create_for_service};
use crate::ec2::subnet::Subnet;
use crate::elbv2::{invalid, unconfigurable};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::world::{Call, Region};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Free addresses that a subnet must have if AWS picks the load balancer's.
const FREE_ADDRESSES_MIN: u32 = 8;

/// A subnet that a load balancer is to be in, and the address that it is to have there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) subnet: String,
    pub(super) zone: String,
    pub(super) address: Option<Ipv4Addr>,
}

/// Reads and checks the subnets of a call; returns them with their VPC.
pub(super) fn read(region: &Region, parameters: &Parameters) -> Outcome<(Vec<Place>, String)> {
    let mut places: Vec<Place> = Vec::new();
    let mut vpc: Option<String> = None;
    for (id, address) in asked(parameters)? {
        let subnet = region.subnets.get(id).ok_or_else(|| {
            let message = format!("The subnet ID '{id}' does not exist");
            Failure::new("SubnetNotFound", message)
        })?;
        if vpc.get_or_insert_with(|| subnet.vpc_id.clone()) != &subnet.vpc_id {
            return Err(unconfigurable("All subnets must belong to the same VPC"));
        }
        if places.iter().any(|place| place.zone == subnet.zone) {
            let message = "A load balancer cannot be attached to multiple subnets in the same Availability Zone";
            return Err(unconfigurable(message));
        }
        places.push(Place { subnet: id.to_owned(), zone: subnet.zone.clone(), address });
    }
    let vpc = vpc.ok_or_else(|| invalid("At least one subnet must be specified"))?;
    Ok((places, vpc))
}

/// Reads the subnets that were asked for, in either of the two forms.
fn asked(parameters: &Parameters) -> Outcome<Vec<(&str, Option<Ipv4Addr>)>> {
    let subnets = parameters.texts("Subnets");
    let mappings = parameters.list("SubnetMappings");
    if !subnets.is_empty() && !mappings.is_empty() {
        return Err(invalid("You can specify either subnets or subnet mappings, not both"));
    }
    let mut asked: Vec<_> = subnets.into_iter().map(|id| (id, None)).collect();
    for mapping in mappings {
        if let Some(id) = mapping.text("AllocationId") {
            let message = format!("The allocation ID '{id}' does not exist");
            return Err(Failure::new("AllocationIdNotFound", message));
        }
        if mapping.text("IPv6Address").is_some() {
            return Err(unconfigurable("The subnet has no IPv6 addresses"));
        }
        asked.push((mapping.required("SubnetId")?, mapping.parsed("PrivateIPv4Address")?));
    }
    Ok(asked)
}

/// Puts a load balancer in these places and in no others.
pub(super) fn occupy(call: &mut Call<'_>, lb: &mut LoadBalancer, places: Vec<Place>) -> Outcome {
    let stays = |zone: &Zone| places.iter().any(|place| place.subnet == zone.subnet_id);
    for zone in lb.zones.iter().filter(|zone| !stays(zone)) {
        leave(call, zone, Duration::ZERO);
    }
    let mut zones = Vec::new();
    for place in places {
        match lb.zones.iter().find(|zone| zone.subnet_id == place.subnet) {
            Some(zone) => zones.push(zone.clone()),
            None => zones.push(enter(call, lb, place)?),
        }
    }
    lb.zones = zones;
    Ok(())
}

/// Makes the interface of a load balancer in one more subnet.
fn enter(call: &mut Call<'_>, lb: &LoadBalancer, place: Place) -> Outcome<Zone> {
    let Some(subnet) = call.region.subnets.get(&place.subnet).cloned() else {
        return Err(Failure::new("SubnetNotFound", "A subnet does not exist"));
    };
    check_room(call.region, &subnet, &place)?;
    let new = NewInterface {
        description: format!("ELB {}", lb.path()),
        interface_type: lb.sort().interface_type(),
        private_ip: place.address,
        requester_id: Some("amazon-elb".to_owned()),
        ..NewInterface::in_subnet(&subnet.id, lb.security_groups.clone())
    };
    let interface_id = create_for_service(call.region, new, call.now)
        .map_err(|failure| Failure::new("InvalidSubnet", failure.message))?;
    if lb.scheme == Scheme::InternetFacing {
        let public = address::public(call.region);
        if let Some(interface) = call.region.network_interfaces.get_mut(&interface_id) {
            interface.public_ip = Some(public);
        }
    }
    let Place { subnet, zone, address } = place;
    Ok(Zone { name: zone, subnet_id: subnet, interface_id, address, since: call.now })
}

fn check_room(region: &Region, subnet: &Subnet, place: &Place) -> Outcome {
    if place.address.is_none() && address::free(region, subnet) < FREE_ADDRESSES_MIN {
        let message = format!(
            "Not enough IP space available in {}. ELB requires at least {FREE_ADDRESSES_MIN} free \
             IP addresses in each subnet.",
            subnet.id
        );
        return Err(Failure::new("InvalidSubnet", message));
    }
    Ok(())
}
