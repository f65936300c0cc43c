//! Network ACLs: the default one that every VPC has.

use crate::action::Action;
use crate::filter::texts;
use crate::listing::Listing;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{ACCOUNT, View};
use crate::xml::Xml;
use serde::{Deserialize, Serialize};

/// Every action.
pub(crate) const ACTIONS: &[Action] =
    &[Action::read("DescribeNetworkAcls", |view, p, xml| LISTING.answer(view, p, xml))];

/// The default network ACL of a VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NetworkAcl {
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    pub(crate) tags: Tags,
}

tagged_row!(
    NetworkAcl,
    Kind {
        prefix: "acl-",
        noun: "networkAcl ID",
        resource_type: "network-acl",
        not_found: "InvalidNetworkAclID.NotFound",
        malformed: "InvalidNetworkAclId.Malformed",
        describe: "DescribeNetworkAcls",
    }
);

/// The entries of a default ACL: everything both ways, then the rule that closes every ACL.
const ENTRIES: [(&str, u32, &str); 4] = [
    ("true", 100, "allow"),
    ("true", 32767, "deny"),
    ("false", 100, "allow"),
    ("false", 32767, "deny"),
];

const LISTING: Listing<NetworkAcl> = Listing {
    table: |region| &region.network_acls,
    ids: "NetworkAclId",
    filters: &[
        ("association.association-id", |view, acl| subnets(view, acl).map(association).collect()),
        ("association.network-acl-id", |_, acl| texts([&acl.id])),
        ("association.subnet-id", |view, acl| texts(subnets(view, acl))),
        ("default", |_, _| texts([true])),
        ("entry.cidr", |_, _| texts(["0.0.0.0/0"])),
        ("entry.egress", |_, _| texts([true, false])),
        ("entry.icmp.code", |_, _| Vec::new()),
        ("entry.icmp.type", |_, _| Vec::new()),
        ("entry.ipv6-cidr", |_, _| Vec::new()),
        ("entry.port-range.from", |_, _| Vec::new()),
        ("entry.port-range.to", |_, _| Vec::new()),
        ("entry.protocol", |_, _| texts(["-1"])),
        ("entry.rule-action", |_, _| texts(["allow", "deny"])),
        ("entry.rule-number", |_, _| texts([100, 32767])),
        ("network-acl-id", |_, acl| texts([&acl.id])),
        ("owner-id", |_, _| texts([ACCOUNT])),
        ("vpc-id", |_, acl| texts([&acl.vpc_id])),
    ],
    set: "networkAclSet",
    write,
    page: 5..=1000,
};

fn subnets<'a>(view: View<'a>, acl: &'a NetworkAcl) -> impl Iterator<Item = &'a str> {
    let all = view.region.subnets.values();
    all.filter(|subnet| subnet.vpc_id == acl.vpc_id).map(|subnet| subnet.id.as_str())
}

/// A subnet has one association for life, for there is no other ACL to go to.
fn association(subnet: &str) -> String {
    subnet.replacen("subnet-", "aclassoc-", 1)
}

fn write(view: View<'_>, acl: &NetworkAcl, xml: &mut Xml) {
    xml.items("associationSet", subnets(view, acl), |xml, subnet| {
        xml.text("networkAclAssociationId", association(subnet));
        xml.text("networkAclId", &acl.id);
        xml.text("subnetId", subnet);
    });
    xml.text("default", true);
    xml.items("entrySet", ENTRIES, |xml, (egress, number, action)| {
        xml.text("cidrBlock", "0.0.0.0/0");
        xml.text("egress", egress);
        xml.text("protocol", "-1");
        xml.text("ruleAction", action);
        xml.text("ruleNumber", number);
    });
    xml.text("networkAclId", &acl.id);
    xml.text("ownerId", ACCOUNT);
    acl.tags.write(xml);
    xml.text("vpcId", &acl.vpc_id);
}
