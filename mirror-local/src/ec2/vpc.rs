//! VPCs: what they are, and how they are made, described and deleted.

mod attribute;
pub(crate) mod cidr;

pub(crate) use cidr::CidrAssociation;

use super::default_network::{VpcPlan, create_vpc};
use super::{security_group, transit_gateway, vpc_endpoint, vpc_peering};
use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::schedule::later;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, View, find};
use crate::xml::Xml;
use ipnet::Ipv4Net;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeVpcs", |view, parameters, xml| LISTING.answer(view, parameters, xml)),
    Action::write("CreateVpc", create),
    Action::write("DeleteVpc", delete),
    Action::read("DescribeVpcAttribute", attribute::describe),
    Action::write("ModifyVpcAttribute", attribute::modify).without_dry_run(),
    Action::write("AssociateVpcCidrBlock", cidr::associate).without_dry_run(),
    Action::write("DisassociateVpcCidrBlock", cidr::disassociate).without_dry_run(),
];

/// A VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Vpc {
    pub(crate) id: String,
    /// The blocks of addresses; the first is the primary one.
    pub(crate) cidrs: Vec<CidrAssociation>,
    pub(crate) dhcp_options_id: String,
    pub(crate) is_default: bool,
    pub(crate) tenancy: String,
    pub(crate) enabled: BTreeSet<VpcAttribute>,
    pub(crate) created: Timestamp,
    pub(crate) tags: Tags,
}

/// What can be turned on for a VPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum VpcAttribute {
    DnsHostnames,
    DnsSupport,
    NetworkAddressUsageMetrics,
}

tagged_row!(
    Vpc,
    Kind {
        prefix: "vpc-",
        noun: "vpc ID",
        resource_type: "vpc",
        not_found: "InvalidVpcID.NotFound",
        malformed: "InvalidVpcID.Malformed",
        describe: "DescribeVpcs",
    }
);

impl Vpc {
    /// Returns the primary block of addresses.
    pub(crate) fn cidr(&self) -> Ipv4Net {
        self.cidrs.first().map(|association| association.cidr).unwrap_or_default()
    }

    fn state(&self, view: View<'_>) -> &'static str {
        let ready = later(self.created, view.settings.durations.network_pending);
        if view.now < ready { "pending" } else { "available" }
    }
}

const LISTING: Listing<Vpc> = Listing {
    table: |region| &region.vpcs,
    ids: "VpcId",
    filters: &[
        ("cidr", |_, vpc| texts([vpc.cidr()])),
        ("cidr-block", |_, vpc| texts([vpc.cidr()])),
        ("cidrBlock", |_, vpc| texts([vpc.cidr()])),
        ("cidr-block-association.association-id", |_, vpc| texts(vpc.cidrs.iter().map(|c| &c.id))),
        ("cidr-block-association.cidr-block", |_, vpc| texts(vpc.cidrs.iter().map(|c| c.cidr))),
        ("cidr-block-association.state", |_, vpc| texts(vpc.cidrs.iter().map(|_| "associated"))),
        ("dhcp-options-id", |_, vpc| texts([&vpc.dhcp_options_id])),
        ("dhcpOptionsId", |_, vpc| texts([&vpc.dhcp_options_id])),
        ("ipv6-cidr-block-association.association-id", |_, _| Vec::new()),
        ("ipv6-cidr-block-association.ipv6-cidr-block", |_, _| Vec::new()),
        ("ipv6-cidr-block-association.ipv6-pool", |_, _| Vec::new()),
        ("ipv6-cidr-block-association.state", |_, _| Vec::new()),
        ("is-default", |_, vpc| texts([vpc.is_default])),
        ("isDefault", |_, vpc| texts([vpc.is_default])),
        ("owner-id", |view, _| texts([&view.region.account])),
        ("state", |view, vpc| texts([vpc.state(view)])),
        ("vpc-id", |_, vpc| texts([&vpc.id])),
    ],
    set: "vpcSet",
    write,
    page: 5..=1000,
};

fn write(view: View<'_>, vpc: &Vpc, xml: &mut Xml) {
    xml.text("cidrBlock", vpc.cidr());
    xml.items("cidrBlockAssociationSet", &vpc.cidrs, |xml, association| association.write(xml));
    xml.text("dhcpOptionsId", &vpc.dhcp_options_id);
    xml.text("instanceTenancy", &vpc.tenancy);
    xml.text("isDefault", vpc.is_default);
    xml.text("ownerId", &view.region.account);
    xml.text("state", vpc.state(view));
    vpc.tags.write(xml);
    xml.text("vpcId", &vpc.id);
}

fn create(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    parameters.refuse(&[
        "AmazonProvidedIpv6CidrBlock",
        "Ipv4IpamPoolId",
        "Ipv6CidrBlock",
        "Ipv6IpamPoolId",
        "Ipv6Pool",
        "VpcEncryptionControl",
    ])?;
    let text = parameters.required("CidrBlock")?;
    let cidr = cidr::canonical(text, "cidrBlock")?;
    if !(16..=28).contains(&cidr.prefix_len()) {
        let message = format!("The CIDR '{text}' is invalid.");
        return Err(Failure::new("InvalidVpc.Range", message));
    }
    let tenancy = parameters.one_of("InstanceTenancy", &["default", "dedicated"])?;
    if call.region.vpcs.len() >= call.settings.quotas.vpcs {
        let message = "The maximum number of VPCs has been reached.";
        return Err(Failure::new("VpcLimitExceeded", message));
    }
    let plan = VpcPlan {
        cidr,
        tenancy: tenancy.unwrap_or("default").to_owned(),
        is_default: false,
        tags: Tags::specified(parameters, "vpc")?,
    };
    let id = create_vpc(call.region, plan, call.now);
    let view = call.view();
    if let Some(vpc) = view.region.vpcs.get(&id) {
        xml.element("vpc", |xml| write(view, vpc, xml));
    }
    Ok(())
}

/// Deletes a VPC with its default group, ACL and main route table; everything else must have been
/// deleted.
fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let id = find(&call.region.vpcs, call.parameters, "VpcId")?.id.clone();
    if let Some(needed_by) = dependent(call.view(), &id) {
        let message = format!("The vpc '{id}' has dependencies and cannot be deleted.");
        debug_assert!(!needed_by.is_empty(), "a dependent object has an id");
        return Err(Failure::dependency(message));
    }
    let region = &mut *call.region;
    let groups: Vec<String> = ids(&region.security_groups, |group| group.vpc_id == id);
    for group in groups {
        security_group::remove(region, &group);
    }
    for acl in ids(&region.network_acls, |acl| acl.vpc_id == id) {
        region.network_acls.remove(&acl);
    }
    for table in ids(&region.route_tables, |table| table.vpc_id == id) {
        region.route_tables.remove(&table);
    }
    region.vpcs.remove(&id);
    xml.text("return", true);
    Ok(())
}

/// Returns the id of something that keeps a VPC from being deleted.
fn dependent(view: View<'_>, vpc: &str) -> Option<String> {
    let region = view.region;
    let subnet = region.subnets.values().find(|s| s.vpc_id == vpc).map(|s| &s.id);
    let gateway = || {
        let mut gateways = region.internet_gateways.values();
        gateways.find(|g| g.vpc_id.as_deref() == Some(vpc)).map(|g| &g.id)
    };
    let table = || {
        let mut tables = region.route_tables.values();
        tables.find(|t| t.vpc_id == vpc && !t.is_main()).map(|t| &t.id)
    };
    let group = || {
        let mut groups = region.security_groups.values();
        groups.find(|g| g.vpc_id == vpc && g.name != "default").map(|g| &g.id)
    };
    let peering = || vpc_peering::of_vpc(view, vpc);
    let attachment = || transit_gateway::attachment::of_vpc(region, vpc);
    let acl = || {
        let mut acls = region.network_acls.values();
        acls.find(|acl| acl.vpc_id == vpc && !acl.is_default).map(|acl| &acl.id)
    };
    let network = subnet.or_else(gateway).or_else(table).or_else(group).or_else(acl);
    let endpoint = || vpc_endpoint::of_vpc(region, vpc);
    network.or_else(peering).or_else(attachment).or_else(endpoint).cloned()
}

fn ids<T: crate::table::Row>(
    table: &crate::table::Table<T>,
    belongs: impl Fn(&T) -> bool,
) -> Vec<String> {
    table.iter().filter(|(_, row)| belongs(row)).map(|(id, _)| id.to_owned()).collect()
}
