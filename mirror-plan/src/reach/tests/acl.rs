//! Network ACLs of worlds: those of VPCs and of some of their subnets, and what is seen of them.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::world::{Range, World};
use crate::address::{Address, Kind};
use crate::observed::{AclAction, AclRule, NetworkAcl, Observed};
use crate::plan::tests::applied;
use crate::scalar::{Direction, PortRange};
use crate::stack::Stack;

/// A network ACL, with its entries in no particular order.
#[derive(Clone, Debug)]
pub(super) struct Acl {
    pub(super) entries: Vec<Entry>,
}

/// An entry of a network ACL.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) number: u16,
    pub(super) way: Way,
    pub(super) verdict: Verdict,
    pub(super) protocol: &'static str,
    pub(super) ports: Option<(u16, u16)>,
    pub(super) range: Range,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Allow,
    Deny,
}

/// Every address.
const ANY: Range = Range { first: 0, length: 0 };

impl Entry {
    /// The entry of a default ACL, after all others.
    const fn open(way: Way) -> Self {
        let (protocol, ports) = ("all", None);
        Self { number: 9, way, verdict: Verdict::Allow, protocol, ports, range: ANY }
    }

    fn rule(&self) -> AclRule {
        AclRule {
            number: self.number,
            direction: match self.way {
                Way::In => Direction::Ingress,
                Way::Out => Direction::Egress,
            },
            action: match self.verdict {
                Verdict::Allow => AclAction::Allow,
                Verdict::Deny => AclAction::Deny,
            },
            protocol: self.protocol.parse().unwrap(),
            range: self.range.text().parse().unwrap(),
            port: self.ports.map(|(from, to)| PortRange::new(from, to).unwrap()),
        }
    }
}

impl Acl {
    /// Lets through everything that no other entry covers.
    pub(super) fn eased(&mut self) {
        self.entries.extend([Way::In, Way::Out].map(Entry::open));
        self.settle();
    }

    /// Keeps one entry for each number and direction.
    fn settle(&mut self) {
        let mut seen = BTreeSet::new();
        self.entries.retain(|entry| seen.insert((entry.number, entry.way == Way::In)));
    }
}

impl World {
    /// What was seen of the world: which of its VPCs and subnets already exist, and the network ACLs of some VPCs.
    pub(super) fn seen(&self, stack: &Stack) -> Observed {
        let mut observed = applied(stack);
        observed.owned.retain(|address, _| match address.kind {
            Kind::Vpc => true,
            Kind::Subnet => self.subnets[at(address)].is_there,
            _ => false,
        });
        let id = |name: String| observed.current(&name.parse().unwrap()).unwrap().id.to_string();
        let mut acls = Vec::new();
        for (vpc, it) in self.vpcs.iter().enumerate() {
            let Some(default) = &it.acl else { continue };
            let name =
                if it.is_made { id(format!("vpc.v{vpc}")) } else { format!("vpc-{vpc:017x}") };
            let own = self.subnets.iter().enumerate();
            let own = own.filter(|(_, it)| it.vpc == vpc && it.is_known && it.is_there);
            let acl = |acl: &Acl, is_default, subnets: Vec<usize>| NetworkAcl {
                vpc: name.parse().unwrap(),
                is_default,
                rules: acl.entries.iter().map(Entry::rule).collect(),
                subnets: subnets
                    .into_iter()
                    .map(|at| id(format!("subnet.s{at}")).parse().unwrap())
                    .collect(),
            };
            let (special, others): (Vec<_>, Vec<_>) = own.partition(|(_, it)| it.acl.is_some());
            acls.push(acl(default, true, others.into_iter().map(|(at, _)| at).collect()));
            let special = special.into_iter();
            acls.extend(special.map(|(at, it)| acl(it.acl.as_ref().unwrap(), false, vec![at])));
        }
        let acls = acls.into_iter().enumerate();
        observed.network_acls =
            acls.map(|(at, acl)| (format!("acl-{at:017x}").parse().unwrap(), acl)).collect();
        observed
    }
}

/// The position in an address such as `subnet.s3`.
fn at(address: &Address) -> usize {
    address.name.as_str()[1..].parse().unwrap()
}

pub(super) fn acl() -> impl Strategy<Value = Acl> {
    (vec(entry(), 0..=3), prop::bool::weighted(0.75)).prop_map(|(entries, is_eased)| {
        let mut acl = Acl { entries };
        acl.settle();
        if is_eased {
            acl.eased();
        }
        acl
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    let what = prop_oneof![
        4 => Just(("udp", Some((4789, 4789)))),
        1 => Just(("udp", Some((4790, 4790)))),
        1 => Just(("udp", None)),
        3 => Just(("tcp", Some((80, 80)))),
        3 => Just(("tcp", Some((1024, u16::MAX)))),
        1 => Just(("tcp", Some((32768, 60999)))),
        1 => Just(("icmp", None)),
        4 => Just(("all", None)),
    ];
    let subnet = (0..2_u32, 0..5_u32, select(vec![28_u8, 28, 28, 28, 29, 30]), 0..4_u32);
    let subnet = subnet.prop_map(|(vpc, subnet, length, part)| {
        let first = 10 << 24 | vpc << 16 | subnet << 4 | part << 2;
        Range { first: first & (u32::MAX << (32 - length)), length }
    });
    let vpc = (0..2_u32).prop_map(|vpc| Range { first: 10 << 24 | vpc << 16, length: 24 });
    let ten = Range { first: 10 << 24, length: 8 };
    let range = prop_oneof![4 => Just(ANY), 2 => Just(ten), 2 => vpc, 4 => subnet];
    let verdict = prop_oneof![1 => Just(Verdict::Allow), 1 => Just(Verdict::Deny)];
    let way = prop_oneof![1 => Just(Way::In), 1 => Just(Way::Out)];
    (1..=5_u16, way, verdict, what, range).prop_map(
        |(number, way, verdict, (protocol, ports), range)| Entry {
            number,
            way,
            verdict,
            protocol,
            ports,
            range,
        },
    )
}
