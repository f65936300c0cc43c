//! Network ACLs: what they are, and how they are made, described and deleted.

mod association;
mod entry;

pub(crate) use association::{Association, subnet_added, subnet_removed};
pub(crate) use entry::{Direction, Entry, RuleAction};

use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, Region, View, find};
use crate::xml::Xml;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeNetworkAcls", |view, p, xml| LISTING.answer(view, p, xml)),
    Action::create("CreateNetworkAcl", create, answer_created),
    Action::write("DeleteNetworkAcl", delete),
    Action::write("CreateNetworkAclEntry", entry::create),
    Action::write("ReplaceNetworkAclEntry", entry::replace),
    Action::write("DeleteNetworkAclEntry", entry::delete),
    Action::write("ReplaceNetworkAclAssociation", association::replace),
];

/// A network ACL.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NetworkAcl {
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    /// Whether AWS made it with its VPC.
    pub(crate) is_default: bool,
    /// The numbered entries, in the order in which they are tried. Those that close every ACL
    /// follow.
    pub(crate) entries: Vec<Entry>,
    pub(crate) associations: Vec<Association>,
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

impl NetworkAcl {
    /// The ACL that AWS makes with a VPC: it lets everything through both ways.
    ///
    /// Source: VPC user guide, "Default network ACL".
    pub(crate) fn default_of(vpc: &str, id: &str) -> Self {
        Self {
            id: id.to_owned(),
            vpc_id: vpc.to_owned(),
            is_default: true,
            entries: Direction::ALL.map(Entry::all).into(),
            associations: Vec::new(),
            tags: Tags::default(),
        }
    }

    /// Returns the numbered entries of a direction, in the order in which they are tried.
    pub(crate) fn looking(&self, direction: Direction) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.direction == direction)
    }

    /// Returns whether it lets everything through in a direction because nobody has changed that.
    pub(crate) fn is_as_made(&self, direction: Direction) -> bool {
        self.is_default && self.looking(direction).eq([&Entry::all(direction)])
    }

    /// Returns whether TCP packets with a peer get through, whichever of these ports they go to.
    ///
    /// The lowest number that matches a packet decides: VPC user guide, "Network ACL rules".
    pub(crate) fn lets_tcp(
        &self,
        direction: Direction,
        (peer, ports): (Ipv4Addr, &RangeInclusive<u16>),
    ) -> bool {
        const TCP: u8 = 6;
        let meets = |entry: &&Entry| {
            entry.protocol.is_none_or(|protocol| protocol == TCP)
                && matches!(entry.block, IpNet::V4(block) if block.contains(&peer))
        };
        let mut undecided = vec![(i32::from(*ports.start()), i32::from(*ports.end()))];
        for entry in self.looking(direction).filter(meets) {
            let (from, to) = entry.ports.unwrap_or((0, 65_535));
            let rest = undecided.iter().flat_map(|(first, last)| {
                [(*first, (*last).min(from - 1)), ((*first).max(to + 1), *last)]
            });
            let rest: Vec<(i32, i32)> = rest.filter(|(first, last)| first <= last).collect();
            if entry.action == RuleAction::Deny && rest != undecided {
                return false;
            }
            undecided = rest;
        }
        undecided.is_empty()
    }

    /// All entries as they are described, including those that close it.
    fn described(&self) -> Vec<Entry> {
        let side = |direction| self.looking(direction).cloned().chain([Entry::last(direction)]);
        Direction::ALL.into_iter().flat_map(side).collect()
    }
}

/// Returns the ACL of a subnet.
pub(crate) fn of_subnet<'a>(region: &'a Region, subnet: &str) -> Option<&'a NetworkAcl> {
    let has = |acl: &&NetworkAcl| acl.associations.iter().any(|it| it.subnet_id == subnet);
    region.network_acls.values().find(has)
}

const LISTING: Listing<NetworkAcl> = Listing {
    table: |region| &region.network_acls,
    ids: "NetworkAclId",
    filters: &[
        ("association.association-id", |_, acl| texts(acl.associations.iter().map(|it| &it.id))),
        ("association.network-acl-id", |_, acl| texts(acl.associations.iter().map(|_| &acl.id))),
        ("association.subnet-id", |_, acl| texts(acl.associations.iter().map(|it| &it.subnet_id))),
        ("default", |_, acl| texts([acl.is_default])),
        ("entry.cidr", |_, acl| {
            let blocks = acl.described().into_iter().map(|entry| entry.block);
            texts(blocks.filter(|block| matches!(block, IpNet::V4(_))))
        }),
        ("entry.egress", |_, acl| {
            texts(acl.described().iter().map(|entry| entry.direction == Direction::Egress))
        }),
        ("entry.icmp.code", |_, acl| texts(acl.entries.iter().filter_map(|it| Some(it.icmp()?.1)))),
        ("entry.icmp.type", |_, acl| texts(acl.entries.iter().filter_map(|it| Some(it.icmp()?.0)))),
        ("entry.ipv6-cidr", |_, acl| {
            let blocks = acl.entries.iter().map(|entry| entry.block);
            texts(blocks.filter(|block| matches!(block, IpNet::V6(_))))
        }),
        ("entry.port-range.from", |_, acl| {
            texts(acl.entries.iter().filter_map(|entry| Some(entry.port_range()?.0)))
        }),
        ("entry.port-range.to", |_, acl| {
            texts(acl.entries.iter().filter_map(|entry| Some(entry.port_range()?.1)))
        }),
        ("entry.protocol", |_, acl| acl.described().iter().flat_map(Entry::protocols).collect()),
        ("entry.rule-action", |_, acl| {
            texts(acl.described().iter().map(|entry| entry.action.word()))
        }),
        ("entry.rule-number", |_, acl| texts(acl.described().iter().map(|entry| entry.number))),
        ("network-acl-id", |_, acl| texts([&acl.id])),
        ("owner-id", |view, _| texts([&view.region.account])),
        ("vpc-id", |_, acl| texts([&acl.vpc_id])),
    ],
    set: "networkAclSet",
    write,
    page: 5..=1000,
};

fn write(view: View<'_>, acl: &NetworkAcl, xml: &mut Xml) {
    xml.items("associationSet", &acl.associations, |xml, association| {
        xml.text("networkAclAssociationId", &association.id);
        xml.text("networkAclId", &acl.id);
        xml.text("subnetId", &association.subnet_id);
    });
    xml.text("default", acl.is_default);
    xml.items("entrySet", acl.described(), |xml, entry| entry.write(xml));
    xml.text("networkAclId", &acl.id);
    xml.text("ownerId", &view.region.account);
    acl.tags.write(xml);
    xml.text("vpcId", &acl.vpc_id);
}

/// Makes an ACL that lets nothing through.
///
/// Source: VPC user guide, "Custom network ACLs for your VPC".
fn create(call: &mut Call<'_>) -> Outcome<String> {
    let vpc_id = find(&call.region.vpcs, call.parameters, "VpcId")?.id.clone();
    let siblings = call.region.network_acls.values().filter(|acl| acl.vpc_id == vpc_id).count();
    if siblings >= call.settings.quotas.network_acls_per_vpc {
        let message = "The maximum number of network ACLs has been reached.";
        return Err(Failure::new("NetworkAclLimitExceeded", message));
    }
    let tags = Tags::specified(call.parameters, "network-acl")?;
    let id = call.region.draw_id("acl-");
    let acl = NetworkAcl {
        id: id.clone(),
        vpc_id,
        is_default: false,
        entries: Vec::new(),
        associations: Vec::new(),
        tags,
    };
    call.region.network_acls.insert(&*id, acl);
    Ok(id)
}

fn answer_created(view: View<'_>, id: &str, xml: &mut Xml) -> Option<()> {
    let acl = view.region.network_acls.get(id)?;
    xml.element("networkAcl", |xml| write(view, acl, xml));
    Some(())
}

fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let acl = find(&call.region.network_acls, call.parameters, "NetworkAclId")?;
    let id = acl.id.clone();
    if acl.is_default {
        let message = format!("cannot delete default network ACL {id}");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    if !acl.associations.is_empty() {
        let message = format!("The networkAcl '{id}' has dependencies and cannot be deleted.");
        return Err(Failure::dependency(message));
    }
    call.region.network_acls.remove(&id);
    xml.text("return", true);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use RuleAction::{Allow, Deny};
    use proptest::prelude::*;

    const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);

    /// What is done with TCP to which ports and from which block.
    type Words<'w> = (RuleAction, (i32, i32), &'w str);

    fn lets(rules: &[Words<'_>], ports: RangeInclusive<u16>) -> bool {
        let mut acl = NetworkAcl::default_of("vpc-1", "acl-1");
        let rules = (1..).zip(rules).map(|(number, (action, ports, block))| Entry {
            number,
            action: *action,
            protocol: Some(6),
            ports: Some(*ports),
            block: block.parse().expect("it is a block"),
            ..Entry::all(Direction::Ingress)
        });
        acl.entries = rules.collect();
        acl.lets_tcp(Direction::Ingress, (PEER, &ports))
    }

    #[test]
    fn tcp_gets_through_on_a_range_if_no_port_of_it_is_denied_first() {
        const ANY: &str = "0.0.0.0/0";
        let lets = |rules: &[Words<'_>]| lets(rules, 1024..=65535);
        assert!(lets(&[(Allow, (0, 65535), ANY)]));
        assert!(lets(&[(Allow, (32768, 65535), ANY), (Allow, (1000, 32767), "10.0.0.0/24")]));
        assert!(!lets(&[]));
        assert!(!lets(&[(Allow, (1025, 65535), ANY)]));
        assert!(!lets(&[(Allow, (0, 65535), "10.0.1.0/24")]));
    }

    proptest! {
        #[test]
        fn a_range_gets_through_if_each_of_its_ports_does(
            rules in prop::collection::vec(
                (
                    prop_oneof![Just(Allow), Just(Allow), Just(Deny)],
                    (0..20_i32, 0..20_i32).prop_map(|(a, b)| (a.min(b), a.max(b))),
                    prop_oneof![Just("0.0.0.0/0"), Just("10.0.0.0/24"), Just("10.0.1.0/24")],
                ),
                0..6,
            ),
            (first, more) in (0..20_u16, 0..8_u16),
        ) {
            let ports = first..=first + more;
            let decides = |port: u16| rules.iter().find(|(_, (from, to), block)| {
                (*from..=*to).contains(&i32::from(port)) && *block != "10.0.1.0/24"
            });
            let each = ports.clone().all(|port| decides(port).is_some_and(|rule| rule.0 == Allow));
            prop_assert_eq!(lets(&rules, ports), each);
        }
    }
}
