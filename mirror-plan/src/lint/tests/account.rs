//! Accounts in which the subnets of a stack exist, and one of them has the network ACL that a comment in the text of
//! the stack describes by its only ingress rule: `# network ACL of subnet.target: 100 allow udp 4789 10.0.0.0/8`. And
//! accounts in which no key pair has a certain name: `# there is no key pair gone`.

use std::collections::BTreeSet;

use crate::address::{Address, Kind};
use crate::diagnostic::Diagnostics;
use crate::observed::{AclAction, AclRule, NetworkAcl, Observed, Strangers};
use crate::plan::Request;
use crate::plan::tests::{applied, nothing};
use crate::resource::Resource;
use crate::resource::access::{ArnType, Named};
use crate::scalar::{Direction, IpRange, Protocol};
use crate::stack::Stack;

const COMMENT: &str = "# network ACL of ";
const NO_KEY_PAIR: &str = "# there is no key pair ";

/// What is found in a stack: with a plan if the text describes the account, and without one otherwise.
pub(super) fn check(stack: &Stack) -> Diagnostics {
    let key_pair = comment(stack, NO_KEY_PAIR).map(|name| Named::one(name, ArnType::KeyPair));
    let strangers = Strangers { absent: key_pair.into_iter().collect(), ..Strangers::default() };
    let observed = seen(stack).or_else(|| (!strangers.absent.is_empty()).then(nothing));
    match observed {
        None => super::super::check(stack),
        Some(observed) => {
            let around = super::Around { observed: &observed, strangers: &strangers };
            super::check_planned(stack, around, &Request::default())
        }
    }
}

/// What follows `beginning` in the first comment of a stack's text that begins with it.
fn comment<'s>(stack: &'s Stack, beginning: &str) -> Option<&'s str> {
    let place = stack.resources.values().find_map(|declared| declared.place.as_ref())?;
    place.head.source.text.lines().find_map(|line| line.strip_prefix(beginning))
}

/// What is in the account, if the text of the stack describes it.
pub(super) fn seen(stack: &Stack) -> Option<Observed> {
    let line = comment(stack, COMMENT)?;
    let (subnet, rule) = line.split_once(':').expect("a subnet and a rule");
    let subnet: Address = subnet.parse().expect("the address of a subnet");
    let mut observed = applied(stack);
    observed.owned.retain(|address, _| matches!(address.kind, Kind::Vpc | Kind::Subnet));
    let found = observed.current(&subnet).expect("the subnet");
    let Resource::Subnet(it) = &found.resource else { unreachable!("it is a subnet") };
    let acl = NetworkAcl {
        vpc: observed.vpc(&it.vpc).expect("its VPC"),
        is_default: false,
        rules: [open(Direction::Egress)].into_iter().chain(read(rule)).collect(),
        subnets: BTreeSet::from([found.id.of().expect("the id of a subnet")]),
    };
    let others = observed.owned.iter().filter(|(address, _)| **address != subnet);
    let others = others.filter(|(address, _)| address.kind == Kind::Subnet);
    let default = NetworkAcl {
        is_default: true,
        rules: [Direction::Ingress, Direction::Egress].map(open).to_vec(),
        subnets: others.filter_map(|(_, all)| all[0].id.of().ok()).collect(),
        ..acl.clone()
    };
    let ids = ["acl-0a1b2c3d4e5f67890", "acl-0a1b2c3d4e5f67891"];
    let ids = ids.map(|id| id.parse().expect("the id of a network ACL"));
    observed.network_acls = ids.into_iter().zip([acl, default]).collect();
    Some(observed)
}

fn open(direction: Direction) -> AclRule {
    AclRule {
        number: 100,
        direction,
        action: AclAction::Allow,
        protocol: Protocol::All,
        range: IpRange::any_v4(),
        port: None,
    }
}

/// An ingress rule, if there is one.
fn read(text: &str) -> Option<AclRule> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [number, action, protocol, port, range] = words.try_into().ok()?;
    Some(AclRule {
        number: number.parse().expect("a number"),
        direction: Direction::Ingress,
        action: if action == "allow" { AclAction::Allow } else { AclAction::Deny },
        protocol: protocol.parse().expect("a protocol"),
        range: range.parse().expect("a range"),
        port: Some(port.parse().expect("a port")),
    })
}
