//! The oracle: sends one packet at a time through a world in which everything is settled.
//!
//! Written from what AWS says about routes, security groups and load balancers, and independent of the code that it
//! judges: it knows addresses but no ranges, and everything is either open or shut, never "not known".

use super::acl::{Acl, Verdict, Way};
use super::world::{Peer, Range, Rule, Via, World};

/// How everything that a world leaves open is settled.
#[derive(Clone, Debug)]
pub(super) struct Fate {
    /// Whether what is only named lets packets through, and contains whatever is asked about.
    pub(super) is_open: bool,
    /// The same for health checks.
    pub(super) is_well: bool,
    /// The quarters of the subnets from which addresses are picked: for the source, each node, the receiver.
    pub(super) source: u32,
    pub(super) nodes: [u32; 2],
    pub(super) receiver: u32,
    /// The prefix length of a VPC that is only named: the shortest or the longest that is possible.
    pub(super) prefix: u8,
    /// The port from which nodes check health.
    pub(super) back: u16,
    /// The zone of each subnet.
    pub(super) zones: Vec<u8>,
}

/// Where a packet is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lost {
    OnTheRoute,
    AcrossThePeering,
    BehindTheRoute,
    AtANetworkAcl,
    IntoTheBalancer,
    AtTheListener,
    AtTheGroup,
    InTheZone,
    InAnotherVpc,
    OutOfTheBalancer,
    AtAnotherNetworkAcl,
    IntoTheReceiver,
    ByItsHealth,
}

/// One side of a packet. The fate settles what is not known about it.
#[derive(Clone, Debug)]
struct Side {
    address: Option<u32>,
    vpc: Option<usize>,
    subnet: Option<usize>,
    /// The groups that it is in for sure.
    groups: Vec<usize>,
    is_in_default: bool,
    /// Whether it may be in any other group.
    may_be_in_any: bool,
}

/// The question to the groups of one side: whether they let a flow in from the other side, or out to it.
#[derive(Clone, Copy, Debug)]
struct Asked<'o> {
    direction: Towards,
    flow: (&'static str, u16),
    other: &'o Side,
    fate: Settled,
}

#[derive(Clone, Copy, Debug)]
enum Towards {
    In,
    Out,
}

/// How the unknown parts of groups are settled.
#[derive(Clone, Copy, Debug)]
enum Settled {
    Open,
    Shut,
}

impl Settled {
    const fn is_open(self) -> bool {
        matches!(self, Self::Open)
    }
}

/// What happens to the packets of a source at one node of the load balancer, for each receiver that is served.
pub(super) type AtNode = Vec<(Option<usize>, Result<(), Lost>)>;

impl Fate {
    const fn groups(&self) -> Settled {
        if self.is_open { Settled::Open } else { Settled::Shut }
    }

    const fn checks(&self) -> Settled {
        if self.is_well { Settled::Open } else { Settled::Shut }
    }

    /// Fates of many kinds: open and shut, well and ill, with addresses from all quarters and zones of all kinds.
    pub(super) fn some(world: &World) -> Vec<Self> {
        let zones = assignments(world);
        let mut fates = Vec::new();
        for (is_open, is_well) in [(true, true), (true, false), (false, true), (false, false)] {
            for part in 0..16_u32 {
                for zones in &zones {
                    let nodes = [part / 4 % 4, (part / 4 + part % 2) % 4];
                    let (source, receiver) = (part % 4, (part / 2 + part / 8) % 4);
                    let (zones, prefix) = (zones.clone(), if part < 8 { 16 } else { 28 });
                    let back = [1024, 40_000, u16::MAX][part as usize % 3];
                    let fate =
                        Self { is_open, is_well, source, nodes, receiver, prefix, back, zones };
                    fates.push(fate);
                }
            }
        }
        fates
    }
}

/// The zones that subnets may be in: the declared one, or any if none is declared; those of two nodes differ.
fn assignments(world: &World) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = vec![Vec::new()];
    let nodes = &world.balancer.nodes;
    let targets = world.balancer.targets.iter().map(|at| world.instances[*at].subnet);
    let matter: Vec<usize> = targets.chain(nodes.iter().copied()).collect();
    for (at, subnet) in world.subnets.iter().enumerate() {
        let choices: Vec<u8> = match subnet.zone.filter(|_| subnet.is_known) {
            Some(zone) => vec![zone],
            None if world.balancer.cross_zone || !matter.contains(&at) => vec![0],
            None => vec![0, 1, 2, 3],
        };
        all = all
            .iter()
            .flat_map(|zones| choices.iter().map(move |zone| [&zones[..], &[*zone]].concat()))
            .collect();
    }
    all.retain(|zones| match nodes.as_slice() {
        [a, b] => world.balancer.cross_zone || zones[*a] != zones[*b],
        _ => true,
    });
    // A few of many are enough.
    let step = all.len().div_ceil(16);
    all.into_iter().step_by(step.max(1)).collect()
}

impl World {
    fn side(&self, instance: usize, part: u32) -> Side {
        let it = &self.instances[instance];
        if !it.is_known {
            let groups = Vec::new();
            return Side {
                address: None,
                vpc: None,
                subnet: None,
                groups,
                is_in_default: false,
                may_be_in_any: true,
            };
        }
        let is_known = self.subnets[it.subnet].is_known;
        let first = self.subnet_range(it.subnet).first;
        let picked = is_known.then_some(first + 4 * part + 1);
        Side {
            address: it.address.map(|at| first + at).or(picked),
            vpc: is_known.then(|| self.subnets[it.subnet].vpc),
            subnet: is_known.then_some(it.subnet),
            groups: it.groups.clone(),
            is_in_default: it.groups.is_empty(),
            may_be_in_any: false,
        }
    }

    fn node(&self, node: usize, fate: &Fate) -> Side {
        let subnet = self.balancer.nodes[node];
        let is_known = self.subnets[subnet].is_known;
        Side {
            address: is_known.then(|| self.subnet_range(subnet).first + 4 * fate.nodes[node] + 2),
            vpc: self.vpc_of_balancer(),
            subnet: is_known.then_some(subnet),
            groups: self.balancer.groups.clone(),
            is_in_default: false,
            may_be_in_any: false,
        }
    }

    /// The VPC of the load balancer, which is that of any of its known subnets.
    fn vpc_of_balancer(&self) -> Option<usize> {
        let known = self.balancer.nodes.iter().find(|at| self.subnets[**at].is_known)?;
        Some(self.subnets[*known].vpc)
    }

    /// Routes a packet by the narrowest route; inside its VPC, the VPC's own route comes before any of equal length.
    fn route(&self, from: &Side, to: &Side, fate: &Fate) -> Result<(), Lost> {
        let open = |lost| if fate.is_open { Ok(()) } else { Err(lost) };
        let (Some(subnet), Some(vpc)) = (from.subnet, from.vpc) else {
            return open(Lost::OnTheRoute);
        };
        let (Some(address), Some(goal)) = (to.address, to.subnet.and(to.vpc)) else {
            return open(Lost::OnTheRoute);
        };
        let table = self.tables.iter().find(|table| table.subnets.contains(&subnet));
        if table.is_none() && !self.vpcs[vpc].is_made && vpc != goal {
            return open(Lost::OnTheRoute);
        }
        let inside = match to.subnet.filter(|_| vpc == goal && fate.prefix != 16) {
            _ if self.vpcs[vpc].is_made => self.vpc_range(vpc),
            Some(subnet) => self.subnet_range(subnet),
            None if vpc == goal => Range { length: 16, ..self.vpc_range(vpc) },
            // Whatever else is in its range, nothing of another VPC is: AWS does not connect VPCs that overlap.
            None => self.subnet_range(subnet),
        };
        let told = table.into_iter().flat_map(|table| &table.routes);
        let mut best: Option<(u8, Option<Via>)> =
            inside.contains(address).then_some((inside.length, None));
        for (range, via) in told.filter(|(range, _)| range.contains(address)) {
            if best.is_none_or(|(length, _)| range.length > length) {
                best = Some((range.length, Some(*via)));
            }
        }
        match best {
            Some((_, None)) if vpc == goal => Ok(()),
            Some((_, None | Some(Via::InternetGateway))) | None => Err(Lost::OnTheRoute),
            Some((_, Some(Via::Peering))) if vpc != goal => Ok(()),
            Some((_, Some(Via::Peering))) => Err(Lost::AcrossThePeering),
            Some((_, Some(Via::Unseen(_)))) => open(Lost::BehindTheRoute),
        }
    }

    /// Whether the network ACL of a subnet lets a packet in or out, to or from an address.
    fn acl_lets(
        &self,
        subnet: usize,
        way: Way,
        (protocol, port): (&str, u16),
        (address, fate): (Option<u32>, Settled),
    ) -> bool {
        let vpc = &self.vpcs[self.subnets[subnet].vpc];
        let Some(default) = &vpc.acl else { return vpc.is_made || fate.is_open() };
        let acl = self.subnets[subnet].acl.as_ref().unwrap_or(default);
        let lets = |address: u32| decides(acl, way, (protocol, port), address);
        match address {
            Some(address) => lets(address),
            None if fate.is_open() => anywhere().any(lets),
            None => anywhere().all(lets),
        }
    }

    /// Whether the network ACLs of two subnets let a flow through. A side that is only named may be in the subnet of
    /// the other.
    fn between(&self, (from, to): (&Side, &Side), flow: (&str, u16), fate: Settled) -> bool {
        match (from.subnet, to.subnet) {
            (Some(a), Some(b)) if a != b => {
                self.acl_lets(a, Way::Out, flow, (to.address, fate))
                    && self.acl_lets(b, Way::In, flow, (from.address, fate))
            }
            (Some(_), Some(_)) => true,
            (None, _) | (_, None) => fate.is_open(),
        }
    }

    /// The same from a node on to a receiver: the packet still has the address of its source.
    fn onward(
        &self,
        (node, here): (usize, &Side),
        (to, source): (&Side, &Side),
        fate: &Fate,
    ) -> bool {
        let (flow, fate) = (("udp", self.receiving_port()), fate.groups());
        let Some(goal) = to.subnet else { return fate.is_open() };
        if goal == self.balancer.nodes[node] {
            return true;
        }
        let leaves = here.subnet.map_or_else(
            || fate.is_open(),
            |at| self.acl_lets(at, Way::Out, flow, (to.address, fate)),
        );
        leaves && self.acl_lets(goal, Way::In, flow, (source.address, fate))
    }

    /// Whether the groups of one side admit the other.
    fn admits(&self, own: &Side, asked: &Asked<'_>) -> bool {
        let Asked { direction, fate, other, .. } = asked;
        if own.may_be_in_any {
            return fate.is_open();
        }
        if own.is_in_default {
            let Some(vpc) = own.vpc.filter(|vpc| self.vpcs[*vpc].is_made) else {
                return fate.is_open();
            };
            let is_member = other.is_in_default && other.vpc == Some(vpc);
            let named = other.groups.iter().any(|group| !self.groups[*group].is_known);
            let is_lost = other.is_in_default && other.vpc.is_none();
            return is_member || (fate.is_open() && (other.may_be_in_any || named || is_lost));
        }
        own.groups.iter().any(|at| {
            let group = &self.groups[*at];
            let rules = match direction {
                Towards::In => &group.ingress,
                Towards::Out => &group.egress,
            };
            let mut rules = rules.iter();
            if group.is_known {
                rules.any(|rule| self.matches(own, rule, asked))
            } else {
                fate.is_open()
            }
        })
    }

    fn matches(&self, own: &Side, rule: &Rule, asked: &Asked<'_>) -> bool {
        let Asked { flow, fate, other, .. } = asked;
        let protocol = rule.protocol == "all" || rule.protocol == flow.0;
        let port = rule.ports.is_none_or(|(from, to)| from <= flow.1 && flow.1 <= to);
        let peer = match &rule.peer {
            Peer::Range(range) => {
                other.address.map_or_else(|| fate.is_open(), |address| range.contains(address))
            }
            Peer::Group(group) if other.groups.contains(group) => {
                let it = &self.groups[*group];
                let vpc = it.is_known.then_some(it.vpc).or(other.vpc);
                let is_here = own.groups.contains(group) || (vpc.is_some() && vpc == own.vpc);
                is_here || fate.is_open()
            }
            Peer::Group(group) => {
                let unseen = !self.groups[*group].is_known;
                fate.is_open() && (other.may_be_in_any || (other.is_in_default && unseen))
            }
        };
        protocol && port && peer
    }

    /// A mirrored packet from an instance to the interface of the first instance.
    pub(super) fn to_interface(&self, source: usize, fate: &Fate) -> Result<(), Lost> {
        let (from, to) = (self.side(source, fate.source), self.side(0, fate.receiver));
        if !self.instances[0].is_known {
            return if fate.is_open { Ok(()) } else { Err(Lost::OnTheRoute) };
        }
        self.route(&from, &to, fate)?;
        if !self.between((&from, &to), ("udp", 4789), fate.groups()) {
            return Err(Lost::AtANetworkAcl);
        }
        let admitted = self.admits(
            &to,
            &Asked {
                direction: Towards::In,
                flow: ("udp", 4789),
                other: &from,
                fate: fate.groups(),
            },
        );
        if admitted { Ok(()) } else { Err(Lost::IntoTheReceiver) }
    }

    /// The packets of an instance that arrive at a node: they go on to each receiver that is near and well.
    pub(super) fn at_node(&self, source: usize, node: usize, fate: &Fate) -> AtNode {
        let near = self.balancer.targets.iter().copied().filter(|at| {
            let it = &self.instances[*at];
            let zone = fate.zones[it.subnet];
            let is_near = zone == fate.zones[self.balancer.nodes[node]];
            self.balancer.cross_zone || !it.is_known || is_near
        });
        let near: Vec<usize> = near.collect();
        let well: Vec<usize> = near.iter().copied().filter(|at| self.is_well(*at, fate)).collect();
        if !well.is_empty() {
            let walk = |at| (Some(at), self.to_receiver(source, node, at, fate));
            return well.into_iter().map(walk).collect();
        }
        // No receiver is served: the result states where the packet is lost, for each that is ill.
        let ill =
            |at| (Some(at), self.to_receiver(source, node, at, fate).and(Err(Lost::ByItsHealth)));
        let lost: AtNode = near.into_iter().map(ill).collect();
        if !lost.is_empty() {
            return lost;
        }
        let before = self.to_listener(source, node, fate);
        let none = if self.balancer.targets.is_empty() || !self.group_fits() {
            Lost::AtTheGroup
        } else {
            Lost::InTheZone
        };
        vec![(None, before.and(Err(none)))]
    }

    /// The packets of an instance that arrive at a node and are meant for a receiver, or for none.
    pub(super) fn on_path(
        &self,
        source: usize,
        node: usize,
        receiver: Option<usize>,
        fate: &Fate,
    ) -> Result<(), Lost> {
        let Some(receiver) = receiver else { return self.at_node(source, node, fate)[0].1 };
        self.to_receiver(source, node, receiver, fate)?;
        if self.is_well(receiver, fate) { Ok(()) } else { Err(Lost::ByItsHealth) }
    }

    fn group_fits(&self) -> bool {
        let (listener, group) = (self.balancer.listener, self.balancer.group);
        let meant = if takes_mirrored(listener) { listener.0 } else { "udp" };
        group.0 == "tcp_udp" || (meant == "udp" && group.0 == "udp")
    }

    fn to_listener(&self, source: usize, node: usize, fate: &Fate) -> Result<(), Lost> {
        let (from, to) = (self.side(source, fate.source), self.node(node, fate));
        self.route(&from, &to, fate)?;
        if !self.between((&from, &to), ("udp", 4789), fate.groups()) {
            return Err(Lost::AtANetworkAcl);
        }
        let has_none = to.groups.is_empty();
        if !has_none
            && !self.admits(
                &to,
                &Asked {
                    direction: Towards::In,
                    flow: ("udp", 4789),
                    other: &from,
                    fate: fate.groups(),
                },
            )
        {
            return Err(Lost::IntoTheBalancer);
        }
        if takes_mirrored(self.balancer.listener) { Ok(()) } else { Err(Lost::AtTheListener) }
    }

    fn to_receiver(&self, source: usize, node: usize, at: usize, fate: &Fate) -> Result<(), Lost> {
        self.to_listener(source, node, fate)?;
        if !self.group_fits() {
            return Err(Lost::AtTheGroup);
        }
        let (here, to) = (self.node(node, fate), self.side(at, fate.receiver));
        let is_open = fate.is_open;
        match (here.vpc, to.vpc) {
            (Some(a), Some(b)) if a != b => return Err(Lost::InAnotherVpc),
            (Some(_), Some(_)) => {}
            (None, _) | (_, None) if is_open => {}
            (None, _) | (_, None) => return Err(Lost::InAnotherVpc),
        }
        let port = self.receiving_port();
        let without = here.groups.is_empty();
        if !without
            && !self.admits(
                &here,
                &Asked {
                    direction: Towards::Out,
                    flow: ("udp", port),
                    other: &to,
                    fate: fate.groups(),
                },
            )
        {
            return Err(Lost::OutOfTheBalancer);
        }
        // The address of the source is kept, and the packet counts as from the groups of both.
        let source = self.side(source, fate.source);
        if !self.onward((node, &here), (&to, &source), fate) {
            return Err(Lost::AtAnotherNetworkAcl);
        }
        let groups = [&source.groups[..], &here.groups].concat();
        let from = Side { groups, ..source };
        let admitted = self.admits(
            &to,
            &Asked {
                direction: Towards::In,
                flow: ("udp", port),
                other: &from,
                fate: fate.groups(),
            },
        );
        if admitted { Ok(()) } else { Err(Lost::IntoTheReceiver) }
    }

    const fn receiving_port(&self) -> u16 {
        match self.balancer.group.0.as_bytes() {
            b"tcp" => 4789,
            _ => self.balancer.group.1,
        }
    }

    /// Whether the health checks of the load balancer get in. If only those of one node do, the fate decides.
    fn is_well(&self, at: usize, fate: &Fate) -> bool {
        let to = self.side(at, fate.receiver);
        let flow = ("tcp", self.balancer.health.unwrap_or(self.balancer.group.1));
        let gets_in = |node: usize| {
            let from = self.node(node, fate);
            self.admits(
                &to,
                &Asked { direction: Towards::In, flow, other: &from, fate: fate.checks() },
            ) && self.between((&from, &to), flow, fate.checks())
                && self.between((&to, &from), ("tcp", fate.back), fate.checks())
        };
        let nodes: Vec<bool> = (0..self.balancer.nodes.len()).map(gets_in).collect();
        let all = nodes.iter().all(|in_| *in_);
        let some = nodes.iter().any(|in_| *in_);
        let here = self.node(0, fate);
        let gets_out = here.groups.is_empty()
            || self.admits(
                &here,
                &Asked { direction: Towards::Out, flow, other: &to, fate: fate.checks() },
            );
        gets_out && (all || (some && fate.is_well))
    }
}

/// Whether the entry that decides about a packet, the first matching one by number, lets it through.
fn decides(acl: &Acl, way: Way, (protocol, port): (&str, u16), address: u32) -> bool {
    let entries = acl.entries.iter().filter(|entry| {
        let here = entry.way == way && entry.range.contains(address);
        let kind = entry.protocol == "all" || entry.protocol == protocol;
        here && kind && entry.ports.is_none_or(|(from, to)| from <= port && port <= to)
    });
    let first = entries.min_by_key(|entry| entry.number);
    first.is_some_and(|entry| entry.verdict == Verdict::Allow)
}

/// Addresses from every range that a world can name, and from outside.
fn anywhere() -> impl Iterator<Item = u32> {
    let inside =
        (0..2_u32).flat_map(|vpc| (0..64).map(move |part| 10 << 24 | vpc << 16 | part << 2));
    inside.chain([10 << 24 | 9 << 16, 192 << 24])
}

fn takes_mirrored((protocol, port): (&str, u16)) -> bool {
    protocol != "tcp" && port == 4789
}

/// Ranges are checked by hand, because everything else depends on them.
#[test]
fn a_range_has_its_addresses_and_no_other() {
    let range = Range { first: 10 << 24 | 16, length: 28 };
    let inside: Vec<u32> = (0..64).filter(|at| range.contains(10 << 24 | at)).collect();
    assert_eq!(inside, (16..32).collect::<Vec<_>>());
    assert!(Range { first: 0, length: 0 }.contains(u32::MAX));
}
