//! Delivery: what is behind a mirror target, as far as it is the same for every source.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::admission::{Flow, Gate};
use super::check::Health;
use super::end::{End, Groups, Place};
use super::endpoint::{self, Entrance};
use super::hop::{Hop, Outcome, Sort, Stretch};
use super::network::{Mention, Network};
use super::network_acl::{Packets, Post};
use crate::attribute::Ref;
use crate::resource::load_balancer::Listener;
use crate::resource::mirror_target::Destination;
use crate::resource::target_group::VXLAN;
use crate::resource::{AutoscalingGroup, LoadBalancer, MirrorTarget, TargetGroup};
use crate::scalar::{AvailabilityZone, ElbProtocol, Protocol};

/// What is behind a mirror target.
#[derive(Debug)]
pub(crate) enum Delivery<'s> {
    Balanced(Balanced<'s>),
    /// An interface, which gets the packets itself.
    Interface(Receiver<'s>),
    /// Nothing is known of it; the hop explains why.
    Unseen(Hop),
}

/// A load balancer and the receivers behind it.
#[derive(Debug)]
pub(crate) struct Balanced<'s> {
    pub(crate) name: Mention<'s>,
    pub(crate) nodes: Vec<Node<'s>>,
    pub(super) groups: Groups<'s>,
    pub(super) vpc: Option<Mention<'s>>,
    /// Where packets enter, if that is not at the nodes.
    pub(crate) entrance: Option<Entrance<'s>>,
    pub(super) spread: Spread,
    /// The listener for mirrored packets.
    pub(crate) listener: Hop,
    /// The target groups behind the listener. If no listener accepts mirrored packets, these are the groups behind
    /// the other listeners, one of which should.
    pub(crate) parts: Vec<Part<'s>>,
    pub(crate) receivers: Vec<Receiver<'s>>,
    /// The hops through the network ACLs of the nodes' subnets, on the way out; many receivers share one.
    pub(crate) exits: Vec<Hop>,
}

/// What decides about packets that leave the subnet of a node: the places of the node and of the receiver, and the
/// address and port of the receiver.
type Exit<'s> = (Place<'s>, Place<'s>, Option<Ipv4Addr>, u16);

/// Where a node sends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    /// To receivers in its own zone.
    OwnZone,
    /// To all.
    EveryZone,
}

/// The node of a load balancer in one of its subnets.
#[derive(Debug)]
pub(crate) struct Node<'s> {
    pub(crate) subnet: Mention<'s>,
    pub(super) place: Option<Place<'s>>,
    pub(crate) zone: Option<&'s AvailabilityZone>,
    /// The hop for a node that has no receiver in its zone, or perhaps none.
    pub(super) nobody: Hop,
    pub(super) maybe_nobody: Hop,
}

/// A target group behind a listener.
#[derive(Debug)]
pub(crate) struct Part<'s> {
    pub(crate) name: Mention<'s>,
    /// Whether packets are forwarded to it.
    pub(super) hop: Hop,
    /// How many targets it has at least, if that is known.
    pub(crate) targets: Option<usize>,
}

/// What gets mirrored packets.
#[derive(Debug)]
pub(crate) struct Receiver<'s> {
    /// The instance, or the Auto Scaling group that starts instances: that has one receiver for each of its
    /// subnets.
    pub(crate) name: Mention<'s>,
    /// The subnet that it is in, if that is known.
    pub(crate) subnet: Option<Mention<'s>>,
    /// Its target group, by position; without meaning if there is no load balancer.
    pub(super) part: usize,
    pub(super) end: End<'s>,
    /// The UDP port on which it gets mirrored packets.
    pub(crate) port: u16,
    /// Whether it is in the VPC that the load balancer can send to.
    pub(crate) vpc: Option<Hop>,
    /// The way out of the load balancer's own groups.
    pub(crate) out: Option<Hop>,
    /// For each node, which of the exits its packets take; `None` if they stay in a subnet, or if that is not
    /// known.
    exits: Vec<Option<usize>>,
    pub(crate) health: Option<Health>,
    zones: Vec<Zone>,
}

/// What may get packets behind a target group.
struct Candidate<'s> {
    name: Mention<'s>,
    subnet: Option<Mention<'s>>,
    end: End<'s>,
    presence: Presence,
}

/// Whether a candidate is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Sure,
    /// An Auto Scaling group has fewer instances than subnets, and AWS picks the subnets.
    Maybe,
}

/// The security groups of a receiver. The VPC is part of it, since each VPC has its own default group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Gates<'r, 's> {
    vpc: Option<Mention<'s>>,
    groups: &'r Groups<'s>,
    port: u16,
}

/// Whether a receiver gets packets of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    Same,
    Other,
    Unknown,
}

impl<'s> Delivery<'s> {
    /// What is behind a mirror target.
    pub(super) fn of(network: &Network<'s>, target: Mention<'s>) -> Self {
        let unseen = |sort, of: &dyn std::fmt::Display| {
            Self::Unseen(Hop::unknown(
                sort,
                Stretch::Target,
                format!("what is behind {of} is not known"),
            ))
        };
        let Some(target_known) = network.target(target) else {
            return unseen(Sort::Unseen, &target);
        };
        let MirrorTarget { load_balancer, network_interface, .. } = target_known.it;
        match (target_known.it.destination(), load_balancer, network_interface) {
            (Some(Destination::LoadBalancer(_)), Some(to), _) => {
                let name = network.mention(to);
                match network.load_balancer(name) {
                    Some(balancer) => Self::Balanced(Balanced::of(network, name, balancer.it)),
                    None => unseen(Sort::Unseen, &name),
                }
            }
            (Some(Destination::NetworkInterface(_)), _, Some(to)) => {
                let name = network.mention(to);
                match network.instance(name) {
                    Some(_) => Self::Interface(Receiver::alone(network, name, to)),
                    None => unseen(Sort::Unseen, &name),
                }
            }
            (Some(Destination::GatewayLoadBalancerEndpoint(_)), ..) => {
                match &target_known.it.gateway_load_balancer_endpoint {
                    Some(to) => endpoint::behind(network, network.mention(to)),
                    None => unseen(Sort::Endpoint, &target),
                }
            }
            _ => unseen(Sort::Unseen, &target),
        }
    }
}

impl<'s> Balanced<'s> {
    fn of(network: &Network<'s>, name: Mention<'s>, balancer: &'s LoadBalancer) -> Self {
        let nodes: Vec<Node<'s>> =
            balancer.subnets.iter().map(|to| Node::of(network, network.mention(to))).collect();
        let vpc = nodes.iter().find_map(|node| Some(node.place?.vpc));
        let groups = Groups::of_balancer(network, &balancer.security_groups);
        let listener = balancer.listeners.iter().find(|listener| listener.takes_mirrored());
        let listener = match listener {
            Some(listener) => Hop::passes(
                Sort::Listener,
                Stretch::Target,
                format!("{name} listens on {} {}", listener.protocol, listener.port),
            ),
            None => Hop::stops(
                Sort::Listener,
                Stretch::Target,
                format!("{name} has no listener on udp {VXLAN}"),
            ),
        };
        let mut balanced = Self {
            name,
            nodes,
            groups,
            vpc,
            entrance: None,
            spread: if balancer.cross_zone { Spread::EveryZone } else { Spread::OwnZone },
            listener,
            parts: Vec::new(),
            receivers: Vec::new(),
            exits: Vec::new(),
        };
        for listener in behind(balancer) {
            let group = network.mention(&listener.target_group);
            balanced.add(network, group, |to, group| forwards((name, listener), to, group));
        }
        balanced
    }

    /// Adds a target group with its receivers. `forwards` says whether packets go to it.
    pub(super) fn add(
        &mut self,
        network: &Network<'s>,
        name: Mention<'s>,
        forwards: impl FnOnce(Mention<'s>, &TargetGroup) -> Hop,
    ) {
        let part = self.parts.len();
        let Some(group) = network.target_group(name) else {
            let hop = Hop::unknown(
                Sort::TargetGroup,
                Stretch::Group,
                format!("the targets of {name} are not known"),
            );
            self.parts.push(Part { name, hop, targets: None });
            return;
        };
        let group = group.it;
        let hop = forwards(name, group);
        let targets = targets(network, (name, group));
        let hop = if targets == 0 && hop.outcome == Outcome::Passes {
            Hop::stops(Sort::TargetGroup, Stretch::Group, format!("{name} has no targets"))
        } else {
            hop
        };
        self.parts.push(Part { name, hop, targets: Some(targets) });
        let mut known = BTreeMap::new();
        for candidate in candidates(network, (name, group)) {
            let zones = self.zones(network, &candidate);
            let mut receiver = self.receiver(network, (name, group), candidate);
            receiver.part = part;
            receiver.zones = zones;
            receiver.exits = self.exits_to(network, &receiver, &mut known);
            self.receivers.push(receiver);
        }
    }

    /// Which exit packets take from each node to a receiver.
    fn exits_to(
        &mut self,
        network: &Network<'s>,
        receiver: &Receiver<'s>,
        known: &mut BTreeMap<Exit<'s>, usize>,
    ) -> Vec<Option<usize>> {
        let Receiver { end, port, .. } = receiver;
        let Some(there) = end.place else { return Vec::new() };
        let exits = &mut self.exits;
        let exit = |node: &Node<'s>| {
            let here = node.place.filter(|here| here.subnet != there.subnet)?;
            let exit = known.entry((here, there, end.address, *port)).or_insert_with(|| {
                let packets = Packets::leaving(Protocol::UDP, *port);
                exits.push(Post::of(here, Stretch::Receiver).hop(network, packets, end));
                exits.len() - 1
            });
            Some(*exit)
        };
        self.nodes.iter().map(exit).collect()
    }

    fn receiver(
        &self,
        network: &Network<'s>,
        (group_name, group): (Mention<'s>, &'s TargetGroup),
        Candidate { name, subnet, end, presence: _ }: Candidate<'s>,
    ) -> Receiver<'s> {
        let port = vxlan_port(group);
        let out = Flow::egress(Protocol::UDP, port);
        Receiver {
            name,
            subnet,
            part: 0,
            port,
            vpc: Some(self.same_vpc(name, &end)),
            out: Some(self.gate(Sort::SecurityGroup).hop(network, out, &end)),
            exits: Vec::new(),
            health: Some(self.health(network, (group_name, group), (name, &end))),
            zones: Vec::new(),
            end,
        }
    }

    /// The load balancer's own groups, on the way out.
    pub(super) const fn gate(&self, sort: Sort) -> Gate<'_, 's> {
        let balancer = Some(self.name);
        Gate { groups: &self.groups, balancer, vpc: self.vpc, sort, stretch: Stretch::Receiver }
    }

    /// Whether a receiver is in the VPC of the load balancer: since the source address is kept, only such receivers
    /// get the packets.
    fn same_vpc(&self, name: Mention<'s>, end: &End<'s>) -> Hop {
        let balancer = self.name;
        match (end.place, self.vpc) {
            (Some(place), Some(vpc)) if place.vpc == vpc => {
                Hop::passes(Sort::Vpc, Stretch::Receiver, format!("{name} is in {vpc} too"))
            }
            (Some(place), Some(_)) => Hop::stops(
                Sort::Vpc,
                Stretch::Receiver,
                format!("{name} is in {} and not in the VPC of {balancer}", place.vpc),
            ),
            (None, _) => Hop::unknown(
                Sort::Unseen,
                Stretch::Receiver,
                format!("nothing is known about {name}"),
            ),
            (_, None) => Hop::unknown(
                Sort::Vpc,
                Stretch::Receiver,
                format!("the subnets of {balancer} are not known"),
            ),
        }
    }

    /// Whether a receiver gets the packets of each node.
    fn zones(&self, network: &Network<'s>, candidate: &Candidate<'s>) -> Vec<Zone> {
        let Candidate { subnet, presence, .. } = *candidate;
        let zone = subnet.and_then(|subnet| zone(network, subnet));
        let is_at =
            |node: &Node<'s>| Some(node.subnet) == subnet || (zone.is_some() && node.zone == zone);
        // The nodes of a load balancer are in different zones: a receiver in the zone of one is not in that of
        // another.
        let is_at_a_node = self.nodes.iter().any(is_at);
        let relation = |node: &Node<'s>| match (node.zone, zone) {
            _ if self.spread == Spread::EveryZone => Zone::Same,
            _ if is_at(node) && presence == Presence::Maybe => Zone::Unknown,
            _ if is_at(node) => Zone::Same,
            _ if is_at_a_node => Zone::Other,
            (Some(_), Some(_)) => Zone::Other,
            (None, _) | (_, None) => Zone::Unknown,
        };
        self.nodes.iter().map(relation).collect()
    }

    /// Whether there are receivers, all of them are known, and none gets the packets of a node.
    pub(crate) fn serves_nobody(&self, node: usize) -> bool {
        let mut receivers = self.receivers.iter();
        !self.receivers.is_empty()
            && self.parts.iter().all(|part| part.targets.is_some())
            && receivers.all(|receiver| receiver.zone(node) == Zone::Other)
    }

    /// Whether the zones of all nodes and of a receiver are known, and it gets the packets of no node.
    pub(crate) fn is_left_out(&self, receiver: &Receiver<'s>) -> bool {
        let mut nodes = 0..self.nodes.len();
        !self.nodes.is_empty() && nodes.all(|node| receiver.zone(node) == Zone::Other)
    }

    /// The network ACL that packets of a node to a receiver pass as they leave.
    pub(super) fn exit(&self, node: usize, receiver: &Receiver<'s>) -> Option<&Hop> {
        self.exits.get((*receiver.exits.get(node)?)?)
    }
}

/// How many targets a group has at least.
fn targets<'s>(network: &Network<'s>, (name, group): (Mention<'s>, &TargetGroup)) -> usize {
    let members = network.members(name).iter().map(|(_, group)| instances(group));
    group.targets.len() + members.sum::<usize>()
}

/// How many instances an Auto Scaling group has at least.
fn instances(group: &AutoscalingGroup) -> usize {
    group.desired.unwrap_or(group.min).get() as usize
}

/// What may get packets behind a target group: its targets and, for each Auto Scaling group that registers
/// instances in it, one instance in each of its subnets.
fn candidates<'s>(
    network: &Network<'s>,
    (name, group): (Mention<'s>, &'s TargetGroup),
) -> Vec<Candidate<'s>> {
    let targets = group.targets.iter().map(|to| {
        let name = network.mention(to);
        let instance = network.instance(name).map(|known| known.it);
        Candidate {
            name,
            subnet: instance.map(|instance| network.mention(&instance.subnet)),
            end: instance.map_or(End::UNKNOWN, |instance| End::instance(network, instance)),
            presence: Presence::Sure,
        }
    });
    let members = network.members(name).iter().flat_map(|(name, group)| {
        let count = instances(group);
        // AWS spreads the instances evenly over the zones.
        let presence = if count < group.subnets.len() { Presence::Maybe } else { Presence::Sure };
        let template = network.mention(&group.launch_template);
        let subnets = group.subnets.iter().filter(move |_| count > 0);
        subnets.map(move |subnet| {
            let subnet = network.mention(subnet);
            let end = End::launched(network, template, subnet);
            Candidate { name: *name, subnet: Some(subnet), end, presence }
        })
    });
    targets.chain(members).collect()
}

/// Whether a listener forwards packets to a group.
fn forwards(
    (balancer, listener): (Mention<'_>, &Listener),
    name: Mention<'_>,
    group: &TargetGroup,
) -> Hop {
    // A listener that does not accept mirrored packets should become a UDP listener.
    let meant = if listener.takes_mirrored() { listener.protocol } else { ElbProtocol::Udp };
    if !meant.forwards_to(group.protocol) {
        let words = format!("{balancer} forwards {meant} to {name}, which is {}", group.protocol);
        return Hop::stops(Sort::TargetGroup, Stretch::Group, words);
    }
    let words = format!("{balancer} forwards to {name}");
    Hop::passes(Sort::TargetGroup, Stretch::Group, words)
}

impl<'s> Receiver<'s> {
    /// An interface that a mirror target leads to by itself.
    fn alone(
        network: &Network<'s>,
        name: Mention<'s>,
        to: &'s Ref<crate::id::NetworkInterface>,
    ) -> Self {
        let end = End::interface(network, to);
        Self {
            name,
            subnet: end.place.map(|place| place.subnet),
            part: 0,
            port: VXLAN.get(),
            vpc: None,
            out: None,
            exits: Vec::new(),
            health: None,
            zones: Vec::new(),
            end,
        }
    }

    pub(super) fn zone(&self, node: usize) -> Zone {
        self.zones.get(node).copied().unwrap_or(Zone::Same)
    }

    /// Whether its own groups admit mirrored packets. The groups of a load balancer count as much as those of the
    /// source.
    pub(super) fn admits(&self, network: &Network<'s>, from: &End<'s>, stretch: Stretch) -> Hop {
        let vpc = self.end.place.map(|place| place.vpc);
        let (groups, sort) = (&self.end.groups, Sort::SecurityGroup);
        let gate = Gate { groups, balancer: None, vpc, sort, stretch };
        gate.hop(network, Flow::ingress(Protocol::UDP, self.port), from)
    }

    /// Whether the load balancer counts it as ill, even if not everything is known.
    pub(crate) fn is_ill(&self) -> bool {
        self.health.as_ref().is_some_and(|health| health.outcome() == Outcome::Stops)
    }

    /// Whether the load balancer may count it as ill.
    pub(super) fn may_be_ill(&self) -> bool {
        self.health.as_ref().is_some_and(|health| health.outcome() != Outcome::Passes)
    }

    /// Whether a node is in its subnet: no network ACL is between them then.
    pub(super) fn is_beside(&self, node: Mention<'_>) -> bool {
        self.end.place.is_some_and(|place| place.subnet == node)
    }

    /// The hops from the target group to it, for packets that pass these network ACLs.
    pub(super) fn hops_of<'a>(
        &'a self,
        acls: [Option<&'a Hop>; 2],
        admission: Option<&'a Hop>,
    ) -> impl Iterator<Item = &'a Hop> {
        let [exit, entry] = acls;
        let health = self.health.iter().flat_map(Health::hops);
        let hops = [self.vpc.as_ref(), self.out.as_ref(), exit, entry, admission];
        hops.into_iter().flatten().chain(health)
    }

    /// What decides which packets it admits: receivers that are alike in this admit the same.
    pub(crate) fn gates(&self) -> Gates<'_, 's> {
        Gates {
            vpc: self.end.place.map(|place| place.vpc),
            groups: &self.end.groups,
            port: self.port,
        }
    }
}

impl<'s> Node<'s> {
    pub(super) fn of(network: &Network<'s>, subnet: Mention<'s>) -> Self {
        let zone = zone(network, subnet);
        let at = match zone {
            Some(zone) => format!("the node in {zone} ({subnet})"),
            None => format!("the node in {subnet}"),
        };
        let nobody = format!("{at} has no receiver in its zone, and sends to no other zone");
        let maybe_nobody = format!("whether {at} has a receiver in its zone is not known");
        Self {
            subnet,
            place: Place::of(network, subnet),
            zone,
            nobody: Hop::stops(Sort::Zone, Stretch::Group, nobody),
            maybe_nobody: Hop::unknown(Sort::Zone, Stretch::Group, maybe_nobody),
        }
    }
}

/// The zone of a subnet, if it is known.
pub(super) fn zone<'s>(network: &Network<'s>, subnet: Mention<'s>) -> Option<&'s AvailabilityZone> {
    network.subnet(subnet)?.it.availability_zone.as_ref()
}

/// The listeners for mirrored packets. If there are none, all listeners, one of which should become one.
pub(crate) fn behind(balancer: &LoadBalancer) -> impl Iterator<Item = &Listener> {
    let none = !balancer.listeners.iter().any(Listener::takes_mirrored);
    balancer.listeners.iter().filter(move |listener| none || listener.takes_mirrored())
}

/// The port on which a group's receivers get mirrored packets; for a group that does not accept them, the port that
/// it should have.
pub(crate) const fn vxlan_port(group: &TargetGroup) -> u16 {
    match group.protocol {
        ElbProtocol::Udp | ElbProtocol::TcpUdp | ElbProtocol::Geneve => group.port.get(),
        ElbProtocol::Tcp | ElbProtocol::Tls => VXLAN.get(),
    }
}
