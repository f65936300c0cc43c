//! Health checks: whether a load balancer counts a receiver as healthy, as far as the network decides that.
//!
//! A check comes from every node, and its answer must get back. Security groups let the answers to a request
//! through by themselves; network ACLs do not.

use super::Condition;
use super::admission::{Flow, Gate};
use super::delivery::{Balanced, Node};
use super::end::End;
use super::hop::{Hop, Outcome, Sort, Stretch};
use super::network::{Mention, Network};
use super::network_acl;
use crate::resource::TargetGroup;
use crate::scalar::{HealthPort, Protocol};

/// Whether the load balancer counts a receiver as healthy.
#[derive(Debug)]
pub(crate) struct Health {
    /// The TCP port of the checks.
    pub(crate) port: u16,
    /// What the load balancer reported about it, if it was asked; the other hops do not matter then.
    told: Option<Hop>,
    /// The hop out of the load balancer's own groups.
    pub(crate) out: Hop,
    /// The hop into the receiver's groups.
    pub(crate) into: Hop,
    /// The hop through the network ACLs between them and back, if there are any.
    pub(crate) acls: Option<Hop>,
}

/// What becomes of the checks of one node.
struct FromNode {
    into: Hop,
    acls: Option<Hop>,
}

impl Health {
    pub(super) fn hops(&self) -> impl Iterator<Item = &Hop> {
        let worked_out = [Some(&self.out), Some(&self.into), self.acls.as_ref()];
        let worked_out = worked_out.into_iter().flatten().filter(|_| self.told.is_none());
        self.told.iter().chain(worked_out)
    }

    pub(super) fn outcome(&self) -> Outcome {
        Outcome::worst(self.hops().map(|hop| hop.outcome))
    }
}

impl FromNode {
    fn is_lost(&self) -> bool {
        let acls = self.acls.as_ref().map(|hop| hop.outcome);
        [Some(self.into.outcome), acls].contains(&Some(Outcome::Stops))
    }
}

impl<'s> Balanced<'s> {
    pub(super) fn health(
        &self,
        network: &Network<'s>,
        (group_name, group): (Mention<'s>, &'s TargetGroup),
        (name, end): (Mention<'s>, &End<'s>),
    ) -> Health {
        let port = health_port(group);
        let told = network.health_of(group_name, name).map(|condition| match condition {
            Condition::Healthy => passes(format!("{name} is healthy in {group_name}")),
            Condition::Ill(why) => stops(format!("{name} is not healthy in {group_name}: {why}")),
        });
        let out = Flow::egress(Protocol::TCP, port);
        let out = self.gate(Sort::HealthCheck).hop(network, out, end);
        let checks = self.nodes.iter().map(|node| self.check(network, (name, end), node, port));
        let (into, acls) = self.together(name, port, checks.collect());
        Health { port, told, out, into, acls }
    }

    /// Whether the checks of a node get into the groups of a receiver, and through network ACLs there and back.
    fn check(
        &self,
        network: &Network<'s>,
        (name, end): (Mention<'s>, &End<'s>),
        node: &Node<'s>,
        port: u16,
    ) -> FromNode {
        let (sort, stretch) = (Sort::HealthCheck, Stretch::Receiver);
        let vpc = end.place.map(|place| place.vpc);
        let gate = Gate { groups: &end.groups, balancer: None, vpc, sort, stretch };
        let from = End { place: node.place, address: None, groups: self.groups.clone() };
        let into = gate.hop(network, Flow::ingress(Protocol::TCP, port), &from);
        let is_known = node.place.is_some() && end.place.is_some();
        let acls = if is_known {
            network_acl::checks(network, (&from, end), port)
        } else {
            let subnet = node.subnet;
            let words = format!("which network ACLs are between {subnet} and {name} is not known");
            // If the groups are not known either, that has been reported already.
            (into.outcome == Outcome::Passes).then(|| unknown(words))
        };
        FromNode { into, acls }
    }

    /// What becomes of the checks of all nodes. If the checks of only some nodes get through, AWS does not document
    /// how the receiver counts.
    fn together(&self, name: Mention<'s>, port: u16, checks: Vec<FromNode>) -> (Hop, Option<Hop>) {
        let balancer = self.name;
        if checks.is_empty() {
            return (unknown(format!("the subnets of {balancer} are not known")), None);
        }
        let all_lost = checks.iter().all(FromNode::is_lost);
        let none_in_the_way = checks.iter().all(|check| check.acls.is_none());
        let (into, acls): (Vec<Hop>, Vec<Hop>) = checks
            .into_iter()
            .map(|FromNode { into, acls }| {
                (into, acls.unwrap_or_else(|| passes("no network ACL is in the way".to_owned())))
            })
            .unzip();
        let in_part = |hops: &[Hop], through: &str| {
            let all = format!("all nodes of {balancer} get their health checks (tcp {port})");
            unknown(if hops.iter().any(|hop| hop.outcome == Outcome::Stops) {
                format!("not {all} through {through}")
            } else {
                format!("whether {all} through {through} is not known")
            })
        };
        let groups = format!("the security groups of {name}");
        let into = alike(&into).unwrap_or_else(|| in_part(&into, &groups));
        let acls = (!none_in_the_way).then(|| {
            alike(&acls).unwrap_or_else(|| {
                if all_lost {
                    stops(format!(
                        "no node of {balancer} gets a health check to {name} and its answer back"
                    ))
                } else {
                    in_part(&acls, "network ACLs")
                }
            })
        });
        (into, acls)
    }
}

/// The first of several hops, if they all end alike.
fn alike(hops: &[Hop]) -> Option<Hop> {
    let (first, others) = hops.split_first()?;
    others.iter().all(|hop| hop.outcome == first.outcome).then(|| first.clone())
}

fn passes(words: String) -> Hop {
    Hop::passes(Sort::HealthCheck, Stretch::Receiver, words)
}

fn unknown(words: String) -> Hop {
    Hop::unknown(Sort::HealthCheck, Stretch::Receiver, words)
}

fn stops(words: String) -> Hop {
    Hop::stops(Sort::HealthCheck, Stretch::Receiver, words)
}

/// The port of a group's health check.
pub(crate) const fn health_port(group: &TargetGroup) -> u16 {
    match group.health_check.port {
        HealthPort::Traffic => group.port.get(),
        HealthPort::Port(port) => port.get(),
    }
}
