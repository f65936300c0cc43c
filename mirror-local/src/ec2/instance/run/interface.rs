//! The network interfaces of instances being launched.

use super::Launch;
use crate::ec2::address;
use crate::ec2::instance_type::InstanceType;
use crate::ec2::network_interface::{NewInterface, Socket, attach, create, groups_in};
use crate::ec2::subnet::{Subnet, SubnetAttribute};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::world::{Call, by_id};
use std::net::Ipv4Addr;

/// One interface of each instance of a launch.
#[derive(Debug)]
pub(super) struct InterfacePlan {
    device_index: u32,
    delete_on_termination: bool,
    source: Source,
}

/// Where an interface comes from.
#[derive(Debug)]
enum Source {
    Existing(String),
    New { plan: NewInterface, public: Public },
}

/// Whether a new interface gets a public address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Public {
    No,
    Yes,
}

impl InterfacePlan {
    /// Returns whether the interface gets a public address.
    pub(super) fn is_public(&self) -> bool {
        matches!(self.source, Source::New { public: Public::Yes, .. })
    }
}

/// Reads the interfaces that a call asks for, and the subnet of the first of them.
pub(super) fn plan_interfaces(
    call: &Call<'_>,
    (instance_type, count): (&InstanceType, usize),
) -> Outcome<(Subnet, Vec<InterfacePlan>)> {
    let asked = call.parameters.list("NetworkInterface");
    if asked.is_empty() {
        return plan_usual(call, count);
    }
    let top = call.parameters;
    if top.text("SubnetId").is_some() {
        return Err(not_together("an instance-level subnet ID"));
    }
    if !top.texts("SecurityGroupId").is_empty() || !top.texts("SecurityGroup").is_empty() {
        return Err(not_together("instance-level security groups"));
    }
    if top.text("PrivateIpAddress").is_some() {
        return Err(not_together("an instance-level private address"));
    }
    if asked.len() > usize::try_from(instance_type.interfaces).unwrap_or(usize::MAX) {
        let message =
            format!("Interface count {} exceeds the limit for {}", asked.len(), instance_type.name);
        return Err(Failure::new("AttachmentLimitExceeded", message));
    }
    let mut plans = Vec::new();
    for item in &asked {
        plans.push(plan_one(call, item, (asked.len(), count))?);
    }
    plans.sort_by_key(|(plan, _)| plan.device_index);
    let indexes: Vec<u32> = plans.iter().map(|(plan, _)| plan.device_index).collect();
    if indexes.first() != Some(&0) || indexes.windows(2).any(|pair| pair.first() == pair.last()) {
        let message =
            "Each network interface requires a device index of its own, and one must have index 0.";
        return Err(Failure::new("InvalidParameterValue", message));
    }
    let first = plans.first().map(|(_, subnet)| subnet.clone());
    let subnet = first.ok_or_else(|| Failure::missing("networkInterface"))?;
    if plans.iter().any(|(_, other)| other.zone != subnet.zone) {
        let message = "All interfaces must be in the same Availability Zone.";
        return Err(Failure::combination(message));
    }
    Ok((subnet, plans.into_iter().map(|(plan, _)| plan).collect()))
}

fn not_together(what: &str) -> Failure {
    let message = format!("Network interfaces and {what} may not be specified on the same request");
    Failure::combination(message)
}

/// Plans the one interface of a launch that names none.
fn plan_usual(call: &Call<'_>, count: usize) -> Outcome<(Subnet, Vec<InterfacePlan>)> {
    let parameters = call.parameters;
    let subnet = subnet(call, parameters.text("SubnetId"))?;
    let mut groups = parameters.texts("SecurityGroupId");
    for name in parameters.texts("SecurityGroup") {
        groups.push(group_by_name(call, &subnet, name)?);
    }
    let private_ip = private_ip(parameters, count)?;
    let groups = groups_in(call.region, &call.settings.quotas, (&subnet.vpc_id, &groups))?;
    let plan = NewInterface { private_ip, ..NewInterface::in_subnet(&subnet.id, groups) };
    let public = public(&subnet, None);
    let source = Source::New { plan, public };
    Ok((subnet, vec![InterfacePlan { device_index: 0, delete_on_termination: true, source }]))
}

fn group_by_name<'a>(call: &'a Call<'_>, subnet: &Subnet, name: &str) -> Outcome<&'a str> {
    let mut groups = call.region.security_groups.values();
    let group = groups.find(|group| group.vpc_id == subnet.vpc_id && group.name == name);
    group.map(|group| group.id.as_str()).ok_or_else(|| {
        let message =
            format!("The security group '{name}' does not exist in VPC '{}'", subnet.vpc_id);
        Failure::new("InvalidGroup.NotFound", message)
    })
}

fn plan_one(
    call: &Call<'_>,
    item: &Parameters,
    (interfaces, instances): (usize, usize),
) -> Outcome<(InterfacePlan, Subnet)> {
    item.refuse(&["Ipv6AddressCount", "Ipv6Addresses", "Ipv4Prefix", "Ipv6Prefix"])?;
    let device_index = item.required_parsed("DeviceIndex")?;
    let delete = item.boolean("DeleteOnTermination")?;
    let public_asked = item.boolean("AssociatePublicIpAddress")?;
    if public_asked == Some(true) && (interfaces > 1 || device_index != 0) {
        let message = "The associatePublicIPAddress parameter cannot be specified when launching with multiple network interfaces.";
        return Err(Failure::combination(message));
    }
    if let Some(id) = item.text("NetworkInterfaceId") {
        return plan_existing(call, (id, device_index), (item, instances));
    }
    let subnet = subnet(call, item.text("SubnetId"))?;
    let asked = item.texts("SecurityGroupId");
    let groups = groups_in(call.region, &call.settings.quotas, (&subnet.vpc_id, &asked))?;
    let plan = NewInterface {
        description: item.text("Description").unwrap_or_default().to_owned(),
        private_ip: private_ip(item, instances)?,
        secondary_count: item.parsed::<u8>("SecondaryPrivateIpAddressCount")?.unwrap_or(0).into(),
        ..NewInterface::in_subnet(&subnet.id, groups)
    };
    let public = if interfaces > 1 { Public::No } else { public(&subnet, public_asked) };
    let source = Source::New { plan, public };
    let delete_on_termination = delete.unwrap_or(true);
    Ok((InterfacePlan { device_index, delete_on_termination, source }, subnet))
}

fn plan_existing(
    call: &Call<'_>,
    (id, device_index): (&str, u32),
    (item, instances): (&Parameters, usize),
) -> Outcome<(InterfacePlan, Subnet)> {
    let interface = by_id(&call.region.network_interfaces, id, "networkInterfaceId")?;
    if item.text("SubnetId").is_some() || !item.texts("SecurityGroupId").is_empty() {
        let message = "A network interface may not specify both a network interface ID and a subnet or security groups";
        return Err(Failure::combination(message));
    }
    if instances > 1 {
        let message = "Cannot launch more than 1 instance with an existing network interface";
        return Err(Failure::combination(message));
    }
    if interface.attachment.is_some() {
        let message = format!("Network interface '{id}' is currently in use.");
        return Err(Failure::new("InvalidNetworkInterface.InUse", message));
    }
    let subnet = by_id(&call.region.subnets, &interface.subnet_id, "subnetId")?.clone();
    let delete_on_termination = item.boolean("DeleteOnTermination")?.unwrap_or(false);
    let source = Source::Existing(id.to_owned());
    Ok((InterfacePlan { device_index, delete_on_termination, source }, subnet))
}

fn private_ip(parameters: &Parameters, instances: usize) -> Outcome<Option<Ipv4Addr>> {
    let mut address = parameters.parsed("PrivateIpAddress")?;
    for item in parameters.list("PrivateIpAddresses") {
        if item.boolean("Primary")?.unwrap_or(false) {
            address = Some(item.required_parsed("PrivateIpAddress")?);
        }
    }
    if address.is_some() && instances > 1 {
        let message = "A private IP address can only be specified when launching one instance.";
        return Err(Failure::combination(message));
    }
    Ok(address)
}

fn public(subnet: &Subnet, asked: Option<bool>) -> Public {
    if asked.unwrap_or_else(|| subnet.has(SubnetAttribute::MapPublicIp)) {
        Public::Yes
    } else {
        Public::No
    }
}

/// Returns the subnet asked for, or else a default one in the zone asked for.
fn subnet(call: &Call<'_>, asked: Option<&str>) -> Outcome<Subnet> {
    if let Some(id) = asked {
        return by_id(&call.region.subnets, id, "subnetId").cloned();
    }
    let vpc = call.region.default_vpc()?;
    let placement = call.parameters.structure("Placement");
    let zone = placement.and_then(|placement| placement.given("AvailabilityZone"));
    if let Some(zone) = zone.filter(|zone| !call.region.zones().iter().any(|z| z == zone)) {
        let message = format!("Invalid availability zone: [{zone}]");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    let mut defaults: Vec<&Subnet> = call
        .region
        .subnets
        .values()
        .filter(|subnet| subnet.vpc_id == vpc && subnet.is_default)
        .filter(|subnet| zone.is_none_or(|zone| subnet.zone == zone))
        .collect();
    defaults.sort_by(|one, other| one.zone.cmp(&other.zone));
    defaults.first().map(|subnet| (*subnet).clone()).ok_or_else(|| {
        let message =
            format!("No subnets found for the default VPC '{vpc}'. Please specify a subnet.");
        Failure::new("MissingInput", message)
    })
}

/// Gives an instance its interfaces.
pub(super) fn attach_all(call: &mut Call<'_>, launch: &Launch, instance: &str) -> Outcome {
    for plan in &launch.interfaces {
        let interface = match &plan.source {
            Source::Existing(id) => id.clone(),
            Source::New { plan, public } => {
                let tags = launch.tags.get("network-interface").cloned().unwrap_or_default();
                let id = create(call.region, NewInterface { tags, ..plan.clone() })?;
                if *public == Public::Yes {
                    let address = address::public(call.region);
                    if let Some(interface) = call.region.network_interfaces.get_mut(&id) {
                        interface.public_ip = Some(address);
                    }
                }
                id
            }
        };
        let socket = Socket {
            instance,
            device_index: plan.device_index,
            delete_on_termination: plan.delete_on_termination,
        };
        attach(call.region, &interface, socket, call.now);
    }
    Ok(())
}
