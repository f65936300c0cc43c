//! Approach: how the packets of sources that are alike reach what is behind a mirror target.

use std::collections::BTreeMap;

use super::admission::{Flow, Gate};
use super::delivery::{Balanced, Delivery, Gates, Receiver, Zone};
use super::end::{End, Place};
use super::endpoint::Entrance;
use super::hop::{Hop, Outcome, Sort, Stretch};
use super::network::Network;
use super::network_acl::{Packets, Post};
use super::routing::{self, Goal};
use super::way::{Extent, Verdict};
use crate::resource::target_group::VXLAN;
use crate::scalar::Protocol;

/// The part of the way that depends on the source.
#[derive(Debug)]
pub(crate) struct Approach {
    /// The hops to each node of the load balancer, or to the one interface.
    to_node: Vec<Vec<Hop>>,
    /// The hop through the load balancer's own groups.
    pub(crate) into_balancer: Option<Hop>,
    /// The hops through the groups of the receivers, which are the same for many receivers.
    into_receiver: Vec<Hop>,
    /// For each receiver, the position of its hop in `into_receiver`.
    at: Vec<usize>,
    /// The hops into the subnets of the receivers behind a load balancer; many receivers are in one subnet.
    entries: Vec<Hop>,
    /// For each receiver, the position of its hop in `entries`; `None` if its subnet is not known, or is that of
    /// all nodes.
    entry: Vec<Option<usize>>,
    /// What becomes of the packets, whatever the filter accepts.
    pub(super) verdict: Verdict,
}

/// One of the ways that packets may take onwards from a node of a load balancer, or from the source to an
/// interface.
#[derive(Clone, Copy, Debug)]
pub(super) struct Branch {
    pub(super) node: usize,
    pub(super) leads: Leads,
    taken: Taken,
}

/// Where a branch leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leads {
    /// To a receiver, by position.
    To(usize),
    /// Into a target group, by position, if nothing more is known of it or it leads nowhere.
    Into(usize),
    /// To nobody, because no receiver is in the zone of the node, or perhaps none is.
    Nowhere,
    MaybeNowhere,
    /// Nothing is known from the start.
    Unseen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Surely,
    Maybe,
}

impl Approach {
    pub(super) fn of<'s>(network: &Network<'s>, from: &End<'s>, to: &Delivery<'s>) -> Self {
        let mut approach = Self {
            to_node: Vec::new(),
            into_balancer: None,
            into_receiver: Vec::new(),
            at: Vec::new(),
            entries: Vec::new(),
            entry: Vec::new(),
            verdict: Verdict::Unknown,
        };
        match to {
            Delivery::Balanced(balanced) => approach.balanced(network, from, balanced),
            Delivery::Interface(receiver) => approach.interface(network, from, receiver),
            Delivery::Unseen(_) => {}
        }
        approach.verdict = approach.decided(to);
        approach
    }

    fn balanced<'s>(&mut self, network: &Network<'s>, from: &End<'s>, to: &Balanced<'s>) {
        if let Some(entrance) = &to.entrance {
            return self.through(network, (from, to), entrance);
        }
        for node in &to.nodes {
            let goal = node.place.map(|place| Goal { place, range: place.range });
            self.to_node.push(routing::arrival(network, from, goal));
        }
        let gate = Gate {
            groups: &to.groups,
            balancer: Some(to.name),
            vpc: to.vpc,
            sort: Sort::SecurityGroup,
            stretch: Stretch::Target,
        };
        let flow = Flow::ingress(Protocol::UDP, VXLAN.get());
        self.into_balancer = Some(gate.hop(network, flow, from));
        // Behind a load balancer, packets count as coming from the source and from the load balancer.
        let from = End { groups: from.groups.and(&to.groups), ..from.clone() };
        self.receivers_of(network, &from, to);
    }

    /// Through an endpoint to the one node that it leads to, which sends them on as itself.
    fn through<'s>(
        &mut self,
        network: &Network<'s>,
        (from, to): (&End<'s>, &Balanced<'s>),
        entrance: &Entrance<'s>,
    ) {
        let goal = entrance.place.map(|place| Goal { place, range: place.range });
        let mut hops = routing::arrival(network, from, goal);
        hops.push(entrance.hop.clone());
        self.to_node.push(hops);
        let place = to.nodes.first().and_then(|node| node.place);
        let node = End { place, address: None, groups: to.groups.clone() };
        self.receivers_of(network, &node, to);
    }

    fn receivers_of<'s>(&mut self, network: &Network<'s>, from: &End<'s>, to: &Balanced<'s>) {
        let mut known: BTreeMap<Gates<'_, 's>, usize> = BTreeMap::new();
        let mut subnets: BTreeMap<(Place<'s>, u16), usize> = BTreeMap::new();
        for receiver in &to.receivers {
            let at = *known.entry(receiver.gates()).or_insert_with(|| {
                self.into_receiver.push(receiver.admits(network, from, Stretch::Receiver));
                self.into_receiver.len() - 1
            });
            self.at.push(at);
            let crosses = to.nodes.iter().any(|node| !receiver.is_beside(node.subnet));
            let entry = receiver.end.place.filter(|_| crosses).map(|at| {
                *subnets.entry((at, receiver.port)).or_insert_with(|| {
                    let packets = Packets::entering(Protocol::UDP, receiver.port);
                    self.entries.push(Post::of(at, Stretch::Receiver).hop(network, packets, from));
                    self.entries.len() - 1
                })
            });
            self.entry.push(entry);
        }
    }

    fn interface<'s>(&mut self, network: &Network<'s>, from: &End<'s>, to: &Receiver<'s>) {
        let goal = to.end.place.map(|place| {
            let own = to.end.address.map(ipnet::Ipv4Net::from);
            Goal { place, range: own.unwrap_or(place.range) }
        });
        self.to_node.push(routing::arrival(network, from, goal));
        self.into_receiver.push(to.admits(network, from, Stretch::Target));
        self.at.push(0);
    }

    /// The hops to a node, or to the one interface.
    fn to_node(&self, node: usize) -> &[Hop] {
        self.to_node.get(node).map_or(&[], Vec::as_slice)
    }

    /// The hops to all nodes.
    pub(crate) fn to_nodes(&self) -> impl Iterator<Item = &Hop> {
        self.to_node.iter().flatten()
    }

    /// The hop into a receiver.
    pub(crate) fn at_receiver(&self, receiver: usize) -> Option<&Hop> {
        self.into_receiver.get(*self.at.get(receiver)?)
    }

    /// The hops into the subnets of receivers behind a load balancer.
    pub(crate) fn entries(&self) -> &[Hop] {
        &self.entries
    }

    /// The network ACL that packets of a node pass as they enter the subnet of a receiver.
    fn entry(&self, receiver: usize) -> Option<&Hop> {
        self.entries.get((*self.entry.get(receiver)?)?)
    }

    /// Every branch that packets may take.
    pub(super) fn branches(&self, to: &Delivery<'_>) -> Vec<Branch> {
        let only = |leads| vec![Branch { node: 0, leads, taken: Taken::Surely }];
        match to {
            Delivery::Balanced(to) => {
                (0..to.nodes.len()).flat_map(|node| branches_at(to, node)).collect()
            }
            Delivery::Interface(_) => only(Leads::To(0)),
            Delivery::Unseen(_) => only(Leads::Unseen),
        }
    }

    /// The hops of a branch, in the order of the way.
    pub(super) fn hops<'a>(&'a self, to: &'a Delivery<'_>, branch: Branch) -> Vec<&'a Hop> {
        let Branch { node, leads, taken: _ } = branch;
        let mut hops: Vec<&Hop> = self.to_node(node).iter().collect();
        let to = match to {
            Delivery::Balanced(to) => to,
            Delivery::Interface(_) => {
                hops.extend(self.at_receiver(0));
                return hops;
            }
            Delivery::Unseen(hop) => return vec![hop],
        };
        hops.extend(&self.into_balancer);
        hops.push(&to.listener);
        match leads {
            Leads::To(at) => {
                let receiver = &to.receivers[at];
                hops.push(&to.parts[receiver.part].hop);
                let is_beside = receiver.is_beside(to.nodes[node].subnet);
                let entry = self.entry(at).filter(|_| !is_beside);
                hops.extend(
                    receiver.hops_of([to.exit(node, receiver), entry], self.at_receiver(at)),
                );
            }
            Leads::Into(part) => hops.push(&to.parts[part].hop),
            Leads::Nowhere => hops.push(&to.nodes[node].nobody),
            Leads::MaybeNowhere => hops.push(&to.nodes[node].maybe_nobody),
            Leads::Unseen => {}
        }
        hops
    }

    /// What becomes of packets that take a branch, whether the receiver counts as healthy or not.
    fn outcome(&self, to: &Delivery<'_>, branch: Branch) -> Outcome {
        Outcome::worst(self.hops(to, branch).into_iter().map(|hop| hop.outcome))
    }

    /// The same for packets that are actually sent to the receiver: then it is healthy, or there is no other.
    fn outcome_if_sent(&self, to: &Delivery<'_>, branch: Branch) -> Outcome {
        let is_ill = match (to, branch.leads) {
            (Delivery::Balanced(to), Leads::To(at)) => to.receivers[at].is_ill(),
            // If the node has no receiver, they are lost.
            (_, Leads::MaybeNowhere) => return Outcome::Stops,
            (_, Leads::To(_) | Leads::Into(_) | Leads::Nowhere | Leads::Unseen) => {
                return self.outcome(to, branch);
            }
        };
        let hops = self.hops(to, branch).into_iter();
        let counts = |hop: &&Hop| is_ill || hop.sort != Sort::HealthCheck;
        Outcome::worst(hops.filter(counts).map(|hop| hop.outcome))
    }

    /// What becomes of all packets together.
    fn decided(&self, to: &Delivery<'_>) -> Verdict {
        let branches = self.branches(to);
        let mut outcomes: Vec<(Outcome, Taken)> = branches
            .iter()
            .map(|branch| (self.outcome_if_sent(to, *branch), branch.taken))
            .collect();
        // The packets of a node are lost if it turns out that it serves nobody.
        let is_served = |node: usize| {
            let mut at_node = branches.iter().filter(|branch| branch.node == node);
            at_node.any(|branch| branch.taken == Taken::Surely)
        };
        if !branches.iter().all(|branch| is_served(branch.node)) {
            outcomes.push((Outcome::Stops, Taken::Maybe));
        }
        let all = |wanted| outcomes.iter().all(|(outcome, _)| *outcome == wanted);
        if outcomes.is_empty() {
            Verdict::Unknown
        } else if all(Outcome::Passes) {
            Verdict::Carries
        } else if all(Outcome::Stops) {
            Verdict::Stopped(Extent::Whole)
        } else if outcomes.contains(&(Outcome::Stops, Taken::Surely)) {
            Verdict::Stopped(Extent::Part)
        } else {
            Verdict::Unknown
        }
    }

    /// The branch that explains the verdict: the first that is certain to be as bad.
    pub(super) fn decisive(&self, to: &Delivery<'_>) -> Option<Branch> {
        let branches = self.branches(to);
        let find = |wanted: Outcome, surely: bool| {
            let mut all = branches.iter().copied();
            all.find(|branch| {
                let taken = !surely || branch.taken == Taken::Surely;
                taken && self.outcome(to, *branch) == wanted
            })
        };
        match self.verdict {
            Verdict::Carries => find(Outcome::Passes, false),
            Verdict::Stopped(_) => {
                find(Outcome::Stops, true).or_else(|| find(Outcome::Stops, false))
            }
            // If no branch is unknown, there is one that stops packets but may not be taken.
            Verdict::Unknown => {
                find(Outcome::Unknown, false).or_else(|| find(Outcome::Stops, false))
            }
        }
    }
}

/// Every branch onwards from one node. A receiver that is ill gets nothing while another may be healthy.
fn branches_at(to: &Balanced<'_>, node: usize) -> Vec<Branch> {
    let near = |at: &usize| to.receivers[*at].zone(node) != Zone::Other;
    let (ill, well): (Vec<usize>, Vec<usize>) =
        (0..to.receivers.len()).filter(near).partition(|at| to.receivers[*at].is_ill());
    let served = if well.is_empty() { ill } else { well };
    let branch = |leads, taken| Branch { node, leads, taken };
    let mut branches: Vec<Branch> = served
        .iter()
        .map(|at| {
            let receiver = &to.receivers[*at];
            let is_sure = receiver.zone(node) == Zone::Same && !receiver.may_be_ill();
            branch(Leads::To(*at), if is_sure { Taken::Surely } else { Taken::Maybe })
        })
        .collect();
    let unseen = (0..to.parts.len()).filter(|part| to.parts[*part].targets.is_none());
    branches.extend(unseen.map(|part| branch(Leads::Into(part), Taken::Maybe)));
    if branches.is_empty() {
        let dead = to.parts.iter().position(|part| part.hop.outcome == Outcome::Stops);
        let leads = dead.map_or(Leads::Nowhere, Leads::Into);
        branches.push(branch(leads, Taken::Surely));
    } else if served.iter().all(|at| to.receivers[*at].zone(node) == Zone::Unknown)
        && !served.is_empty()
    {
        branches.push(branch(Leads::MaybeNowhere, Taken::Maybe));
    }
    branches
}
