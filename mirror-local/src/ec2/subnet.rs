//! Subnets: blocks of a VPC's addresses, each in one zone.

use super::vpc::{Vpc, cidr};
use super::{address, availability_zone, network_acl, route_table};
use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::schedule::later;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, View, by_id_mut, find};
use crate::xml::Xml;
use ipnet::Ipv4Net;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeSubnets", |view, parameters, xml| LISTING.answer(view, parameters, xml)),
    Action::write("CreateSubnet", create),
    Action::write("DeleteSubnet", delete),
    Action::write("ModifySubnetAttribute", modify).without_dry_run(),
];

/// A subnet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Subnet {
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    pub(crate) cidr: Ipv4Net,
    pub(crate) zone: String,
    pub(crate) is_default: bool,
    pub(crate) enabled: BTreeSet<SubnetAttribute>,
    pub(crate) created: Timestamp,
    pub(crate) tags: Tags,
}

/// What can be turned on for a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum SubnetAttribute {
    Dns64,
    MapPublicIp,
    ResourceNameDnsA,
    ResourceNameDnsAaaa,
    /// Hostnames are made from resource ids instead of addresses.
    ResourceNames,
}

tagged_row!(
    Subnet,
    Kind {
        prefix: "subnet-",
        noun: "subnet ID",
        resource_type: "subnet",
        not_found: "InvalidSubnetID.NotFound",
        malformed: "InvalidSubnetID.Malformed",
        describe: "DescribeSubnets",
    }
);

/// The boolean attributes, by their names in a call.
const SWITCHES: [(&str, SubnetAttribute); 4] = [
    ("EnableDns64", SubnetAttribute::Dns64),
    ("EnableResourceNameDnsAAAARecordOnLaunch", SubnetAttribute::ResourceNameDnsAaaa),
    ("EnableResourceNameDnsARecordOnLaunch", SubnetAttribute::ResourceNameDnsA),
    ("MapPublicIpOnLaunch", SubnetAttribute::MapPublicIp),
];

const LISTING: Listing<Subnet> = Listing {
    table: |region| &region.subnets,
    ids: "SubnetId",
    filters: &[
        ("availability-zone", |_, s| texts([&s.zone])),
        ("availabilityZone", |_, s| texts([&s.zone])),
        ("availability-zone-id", |_, s| texts([availability_zone::id(&s.zone)])),
        ("availabilityZoneId", |_, s| texts([availability_zone::id(&s.zone)])),
        ("available-ip-address-count", |view, s| texts([address::free(view.region, s)])),
        ("cidr", |_, s| texts([s.cidr])),
        ("cidr-block", |_, s| texts([s.cidr])),
        ("cidrBlock", |_, s| texts([s.cidr])),
        ("customer-owned-ipv4-pool", |_, _| Vec::new()),
        ("default-for-az", |_, s| texts([s.is_default])),
        ("defaultForAz", |_, s| texts([s.is_default])),
        ("enable-dns64", |_, s| texts([s.has(SubnetAttribute::Dns64)])),
        ("enable-lni-at-device-index", |_, _| Vec::new()),
        ("ipv6-cidr-block-association.association-id", |_, _| Vec::new()),
        ("ipv6-cidr-block-association.ipv6-cidr-block", |_, _| Vec::new()),
        ("ipv6-cidr-block-association.state", |_, _| Vec::new()),
        ("ipv6-native", |_, _| texts([false])),
        ("map-customer-owned-ip-on-launch", |_, _| texts([false])),
        ("map-public-ip-on-launch", |_, s| texts([s.has(SubnetAttribute::MapPublicIp)])),
        ("outpost-arn", |_, _| Vec::new()),
        ("owner-id", |view, _| texts([&view.region.account])),
        ("private-dns-name-options-on-launch.enable-resource-name-dns-a-record", |_, s| {
            texts([s.has(SubnetAttribute::ResourceNameDnsA)])
        }),
        ("private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record", |_, s| {
            texts([s.has(SubnetAttribute::ResourceNameDnsAaaa)])
        }),
        ("private-dns-name-options-on-launch.hostname-type", |_, s| {
            let named = s.has(SubnetAttribute::ResourceNames);
            texts([if named { "resource-name" } else { "ip-name" }])
        }),
        ("state", |view, s| texts([s.state(view)])),
        ("subnet-arn", |view, s| texts([s.arn(view)])),
        ("subnet-id", |_, s| texts([&s.id])),
        ("vpc-id", |_, s| texts([&s.vpc_id])),
    ],
    set: "subnetSet",
    write,
    page: 5..=1000,
};

impl Subnet {
    /// Returns whether an attribute is turned on.
    pub(crate) fn has(&self, attribute: SubnetAttribute) -> bool {
        self.enabled.contains(&attribute)
    }

    fn state(&self, view: View<'_>) -> &'static str {
        let ready = later(self.created, view.settings.durations.network_pending);
        if view.now < ready { "pending" } else { "available" }
    }

    fn arn(&self, view: View<'_>) -> String {
        view.region.arn("ec2", format_args!("subnet/{}", self.id))
    }
}

fn write(view: View<'_>, subnet: &Subnet, xml: &mut Xml) {
    xml.text("assignIpv6AddressOnCreation", false);
    xml.text("availabilityZone", &subnet.zone);
    xml.text("availabilityZoneId", availability_zone::id(&subnet.zone));
    xml.text("availableIpAddressCount", address::free(view.region, subnet));
    xml.text("cidrBlock", subnet.cidr);
    xml.text("defaultForAz", subnet.is_default);
    xml.text("enableDns64", subnet.has(SubnetAttribute::Dns64));
    xml.items("ipv6CidrBlockAssociationSet", [(); 0], |_, ()| {});
    xml.text("ipv6Native", false);
    xml.text("mapCustomerOwnedIpOnLaunch", false);
    xml.text("mapPublicIpOnLaunch", subnet.has(SubnetAttribute::MapPublicIp));
    xml.text("ownerId", &view.region.account);
    xml.element("privateDnsNameOptionsOnLaunch", |xml| {
        let named = subnet.has(SubnetAttribute::ResourceNames);
        xml.text("hostnameType", if named { "resource-name" } else { "ip-name" });
        let aaaa = subnet.has(SubnetAttribute::ResourceNameDnsAaaa);
        xml.text("enableResourceNameDnsARecord", subnet.has(SubnetAttribute::ResourceNameDnsA));
        xml.text("enableResourceNameDnsAAAARecord", aaaa);
    });
    xml.text("state", subnet.state(view));
    xml.text("subnetArn", subnet.arn(view));
    xml.text("subnetId", &subnet.id);
    subnet.tags.write(xml);
    xml.text("vpcId", &subnet.vpc_id);
}

fn create(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    let unknown = ["Ipv6CidrBlock", "Ipv6Native", "OutpostArn", "Ipv4IpamPoolId", "Ipv6IpamPoolId"];
    parameters.refuse(&unknown)?;
    let vpc = find(&call.region.vpcs, parameters, "VpcId")?;
    let cidr = free_block(call, vpc)?;
    let zone = zone(call)?;
    let siblings = call.region.subnets.values().filter(|subnet| subnet.vpc_id == vpc.id);
    if siblings.count() >= call.settings.quotas.subnets_per_vpc {
        let message = "The maximum number of subnets has been reached.";
        return Err(Failure::new("SubnetLimitExceeded", message));
    }
    let subnet = Subnet {
        id: String::new(),
        vpc_id: vpc.id.clone(),
        cidr,
        zone,
        is_default: false,
        enabled: BTreeSet::new(),
        created: call.now,
        tags: Tags::specified(parameters, "subnet")?,
    };
    let id = call.region.draw_id("subnet-");
    let subnet = Subnet { id: id.clone(), ..subnet };
    xml.element("subnet", |xml| write(call.view(), &subnet, xml));
    let vpc = subnet.vpc_id.clone();
    call.region.subnets.insert(&*id, subnet);
    network_acl::subnet_added(call.region, (&vpc, &id));
    Ok(())
}

/// Reads the block asked for, which must be inside the VPC and overlap no other subnet.
fn free_block(call: &Call<'_>, vpc: &Vpc) -> Outcome<Ipv4Net> {
    let text = call.parameters.required("CidrBlock")?;
    let block = cidr::canonical(text, "cidrBlock")?;
    let inside = vpc.cidrs.iter().any(|association| association.cidr.contains(&block));
    if !inside || !(16..=28).contains(&block.prefix_len()) {
        let message = format!("The CIDR '{text}' is invalid.");
        return Err(Failure::new("InvalidSubnet.Range", message));
    }
    let conflict = |subnet: &Subnet| {
        subnet.vpc_id == vpc.id && (subnet.cidr.contains(&block) || block.contains(&subnet.cidr))
    };
    if call.region.subnets.values().any(conflict) {
        let message = format!("The CIDR '{text}' conflicts with another subnet");
        return Err(Failure::new("InvalidSubnet.Conflict", message));
    }
    Ok(block)
}

/// Reads the zone asked for by name or id; the first one if none is.
fn zone(call: &Call<'_>) -> Outcome<String> {
    let zones = call.region.zones();
    let by_name = call.parameters.given("AvailabilityZone");
    let by_id = call.parameters.given("AvailabilityZoneId");
    let found = match (by_name, by_id) {
        (Some(name), _) => zones.iter().find(|zone| *zone == name),
        (None, Some(id)) => zones.iter().find(|zone| availability_zone::id(zone) == id),
        (None, None) => zones.first(),
    };
    found.cloned().ok_or_else(|| {
        let asked = by_name.or(by_id).unwrap_or_default();
        let known = zones.join(", ");
        let why = format!(
            "Subnets can currently only be created in the following availability zones: {known}."
        );
        Failure::invalid(asked, "availabilityZone", why)
    })
}

fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let region = &mut *call.region;
    let id = find(&region.subnets, call.parameters, "SubnetId")?.id.clone();
    if region.network_interfaces.values().any(|interface| interface.subnet_id == id) {
        let message = format!("The subnet '{id}' has dependencies and cannot be deleted.");
        return Err(Failure::dependency(message));
    }
    route_table::subnet_removed(region, &id);
    network_acl::subnet_removed(region, &id);
    region.subnets.remove(&id);
    xml.text("return", true);
    Ok(())
}

fn modify(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    parameters.refuse(&[
        "AssignIpv6AddressOnCreation",
        "CustomerOwnedIpv4Pool",
        "EnableLniAtDeviceIndex",
        "MapCustomerOwnedIpOnLaunch",
    ])?;
    let id = parameters.required("SubnetId")?;
    let subnet = by_id_mut(&mut call.region.subnets, id, "subnetId")?;
    let mut changes = 0;
    for (name, attribute) in SWITCHES {
        let Some(change) = parameters.structure(name) else { continue };
        changes += 1;
        let value = change.boolean("Value")?.ok_or_else(|| Failure::missing("Value"))?;
        if value {
            subnet.enabled.insert(attribute)
        } else {
            subnet.enabled.remove(&attribute)
        };
    }
    let naming = parameters.one_of("PrivateDnsHostnameTypeOnLaunch", &["ip-name", "resource-name"]);
    if let Some(naming) = naming? {
        changes += 1;
        let attribute = SubnetAttribute::ResourceNames;
        if naming == "ip-name" {
            subnet.enabled.remove(&attribute);
        } else {
            subnet.enabled.insert(attribute);
        }
    }
    if changes != 1 {
        return Err(Failure::combination("Exactly one attribute can be modified in a call."));
    }
    xml.text("return", true);
    Ok(())
}
