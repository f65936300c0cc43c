//! Making network interfaces, for a client or for a service.

use super::{Attachment, NetworkInterface};
use crate::ec2::address;
use crate::ec2::security_group::default_of;
use crate::failure::{Failure, Outcome};
use crate::settings::Quotas;
use crate::tags::Tags;
use crate::world::{Call, Region, by_id, find};
use jiff::Timestamp;
use std::net::Ipv4Addr;

/// The specification of a new interface.
#[derive(Debug, Clone)]
pub(crate) struct NewInterface {
    pub(crate) subnet_id: String,
    pub(crate) description: String,
    pub(crate) interface_type: &'static str,
    /// The primary address; `None` for any free one.
    pub(crate) private_ip: Option<Ipv4Addr>,
    pub(crate) secondary_ips: Vec<Ipv4Addr>,
    /// Further addresses, whichever are free.
    pub(crate) secondary_count: usize,
    pub(crate) groups: Vec<String>,
    /// The service that makes it, if that is not the account.
    pub(crate) requester_id: Option<String>,
    pub(crate) tags: Tags,
}

impl NewInterface {
    /// An ordinary interface in a subnet.
    pub(crate) fn in_subnet(subnet_id: &str, groups: Vec<String>) -> Self {
        Self {
            subnet_id: subnet_id.to_owned(),
            description: String::new(),
            interface_type: "interface",
            private_ip: None,
            secondary_ips: Vec::new(),
            secondary_count: 0,
            groups,
            requester_id: None,
            tags: Tags::default(),
        }
    }
}

/// Makes an interface in a subnet that exists; returns its id.
pub(crate) fn create(region: &mut Region, new: NewInterface) -> Outcome<String> {
    let subnet = by_id(&region.subnets, &new.subnet_id, "subnetId")?.clone();
    let id = region.draw_id("eni-");
    let private_ip = address::take(region, &subnet, new.private_ip, &id)?;
    let mut secondary_ips = Vec::new();
    let any = std::iter::repeat_n(None, new.secondary_count);
    for wanted in new.secondary_ips.into_iter().map(Some).chain(any) {
        secondary_ips.push(address::take(region, &subnet, wanted, &id)?);
    }
    let mac = draw_mac(region);
    let interface = NetworkInterface {
        id: id.clone(),
        vpc_id: subnet.vpc_id,
        subnet_id: subnet.id,
        zone: subnet.zone,
        description: new.description,
        interface_type: new.interface_type.to_owned(),
        mac,
        private_ip,
        secondary_ips,
        public_ip: None,
        groups: new.groups,
        source_dest_check: true,
        requester_id: new.requester_id,
        attachment: None,
        tags: new.tags,
    };
    region.network_interfaces.insert(&*id, interface);
    Ok(id)
}

/// Makes an interface that a service of AWS attaches to something of its own; returns its id.
///
/// The account can neither detach nor delete such an interface.
pub(crate) fn create_for_service(
    region: &mut Region,
    new: NewInterface,
    now: Timestamp,
) -> Outcome<String> {
    let id = create(region, new)?;
    let attachment = Attachment {
        id: region.draw_id("ela-attach-"),
        instance_id: None,
        owner: "amazon-aws".to_owned(),
        device_index: 1,
        delete_on_termination: false,
        since: now,
    };
    if let Some(interface) = region.network_interfaces.get_mut(&id) {
        interface.attachment = Some(attachment);
        interface.source_dest_check = false;
    }
    Ok(id)
}

/// Handles `CreateNetworkInterface`.
pub(super) fn requested(call: &mut Call<'_>) -> Outcome<String> {
    let parameters = call.parameters;
    let subnet = find(&call.region.subnets, parameters, "SubnetId")?.clone();
    let asked = parameters.texts("SecurityGroupId");
    let groups = groups_in(call.region, &call.settings.quotas, (&subnet.vpc_id, &asked))?;
    let (private_ip, secondary_ips) = wanted_addresses(call)?;
    let secondary_count = parameters.parsed("SecondaryPrivateIpAddressCount")?.unwrap_or(0);
    if secondary_count > usize::from(u8::MAX) {
        return Err(Failure::new("PrivateIpAddressLimitExceeded", "Too many private addresses"));
    }
    let interface_type =
        parameters.one_of("InterfaceType", &["efa", "branch", "trunk", "interface"])?;
    let new = NewInterface {
        description: parameters.text("Description").unwrap_or_default().to_owned(),
        interface_type: interface_type.unwrap_or("interface"),
        private_ip,
        secondary_ips,
        secondary_count,
        tags: Tags::specified(parameters, "network-interface")?,
        ..NewInterface::in_subnet(&subnet.id, groups)
    };
    create(call.region, new)
}

/// Reads the addresses asked for: the primary one and the others.
fn wanted_addresses(call: &Call<'_>) -> Outcome<(Option<Ipv4Addr>, Vec<Ipv4Addr>)> {
    let mut primary = call.parameters.parsed("PrivateIpAddress")?;
    let mut others = Vec::new();
    for item in call.parameters.list("PrivateIpAddresses") {
        let address = item.required_parsed("PrivateIpAddress")?;
        if item.boolean("Primary")?.unwrap_or(false) {
            if primary.is_some_and(|primary| primary != address) {
                return Err(Failure::combination(
                    "Only one primary private IP address can be specified.",
                ));
            }
            primary = Some(address);
        } else {
            others.push(address);
        }
    }
    Ok((primary, others))
}

/// Checks the groups asked for in a VPC; the default group if there are none.
pub(crate) fn groups_in(
    region: &Region,
    quotas: &Quotas,
    (vpc, asked): (&str, &[&str]),
) -> Outcome<Vec<String>> {
    if asked.is_empty() {
        return Ok(default_of(region, vpc).map(|group| group.id.clone()).into_iter().collect());
    }
    let mut groups: Vec<String> = Vec::new();
    for id in asked {
        let group = by_id(&region.security_groups, id, "groupId")?;
        if group.vpc_id != vpc {
            let message =
                format!("Security group {id} and the subnet belong to different networks.");
            return Err(Failure::new("InvalidParameter", message));
        }
        if !groups.contains(&group.id) {
            groups.push(group.id.clone());
        }
    }
    if groups.len() > quotas.security_groups_per_interface {
        let message = "The maximum number of security groups per interface has been reached.";
        return Err(Failure::new("SecurityGroupsPerInterfaceLimitExceeded", message));
    }
    Ok(groups)
}

/// Draws a locally administered address.
fn draw_mac(region: &mut Region) -> String {
    let drawn = region.draw("mac").to_be_bytes();
    format!(
        "0a:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}",
        drawn[0], drawn[1], drawn[2], drawn[3], drawn[4]
    )
}
