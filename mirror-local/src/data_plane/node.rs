//! Nodes of load balancers: they spread flows over targets, and keep each flow on its target.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use super::fate::{Carried, Direction, Loss};
use super::guard::{self, Permits};
use super::headers::{Headers, UDP, Upper, Version, mixed, number};
use super::receiver::{Port, Receivers, Referred, Wrapping};
use super::subnet::{Subnet, Subnets};
use crate::elbv2::{self, LoadBalancer, Sort, Standing, TargetGroup};
use crate::world::View;

/// How long an idle UDP flow keeps its target, in nanoseconds.
///
/// Source: Network Load Balancer user guide, "Connection idle timeout": 120 seconds, which cannot be changed.
const IDLE: u64 = 120_000_000_000;

/// How many flows are remembered before some are looked for to forget.
const FLOWS_MIN: usize = 1024;

/// A node: a load balancer in one zone.
#[derive(Debug, Clone)]
pub(super) struct Node {
    sort: Sort,
    pub(super) interface: String,
    pub(super) address: Ipv4Addr,
    subnet: Subnet,
    /// The load balancer's security groups; `None` if it was made without any.
    groups: Option<Permits>,
    /// Whether it accepts VXLAN: a node of a Gateway Load Balancer accepts everything.
    listens: bool,
    /// The targets that take new flows.
    candidates: Vec<Candidate>,
    /// The targets that keep the flows that they have: the candidates, and those that are draining, failing or not
    /// running.
    holders: Vec<Candidate>,
    flows: HashMap<Flow, Assigned>,
    /// How many flows there may be before some are looked for to forget.
    limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Candidate {
    receiver: usize,
    referred: Referred,
}

/// A flow, as a UDP listener distinguishes flows; the node's own end is always the same. Behind a Gateway Load
/// Balancer a flow is the endpoint's, and there is one for each source.
///
/// Source: Network Load Balancer user guide, "Network Load Balancer overview"; Gateway Load Balancer guide,
/// "Target group attributes", flow stickiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Flow {
    source: Ipv4Addr,
    port: u16,
}

#[derive(Debug, Clone, Copy)]
struct Assigned {
    to: Candidate,
    /// When the last packet of the flow came.
    last: u64,
}

/// All nodes, by their interfaces. A node that existed before keeps its flows.
#[derive(Debug, Clone, Default)]
pub(super) struct Nodes {
    all: Vec<Node>,
    /// What nodes knew before the world was last read.
    before: BTreeMap<String, HashMap<Flow, Assigned>>,
}

impl Nodes {
    /// Forgets everything but where each flow goes.
    pub(super) fn renew(&mut self) {
        let flows = self.all.drain(..).map(|node| (node.interface, node.flows));
        self.before = flows.collect();
    }

    pub(super) fn at(&self, place: usize) -> &Node {
        &self.all[place]
    }

    /// Sends a copy on from a node.
    #[inline]
    pub(super) fn carry(
        &mut self,
        place: usize,
        sent: Outer,
        time: u64,
        receivers: &Receivers,
    ) -> Carried {
        self.all[place].carry(sent, time, receivers)
    }

    /// The index of the load balancer's node that a source in a zone sends to: the one in its own zone, or else the
    /// first. AWS does not say which one it is. `None` if there is no such load balancer.
    pub(super) fn of(
        &mut self,
        view: View<'_>,
        (arn, zone): (&str, &str),
        (receivers, subnets): (&mut Receivers, &Subnets<'_>),
    ) -> Option<usize> {
        let balancer = view.region.load_balancers.get(arn)?;
        let own = balancer.zones.iter().find(|it| it.name == zone);
        let node = own.or_else(|| balancer.zones.iter().min_by_key(|it| &it.name))?;
        if let Some(known) = self.all.iter().position(|it| it.interface == node.interface_id) {
            return Some(known);
        }
        let interface = view.region.network_interfaces.get(&node.interface_id)?;
        let flows = self.before.remove(&node.interface_id).unwrap_or_default();
        let groups = &balancer.security_groups;
        let sort = balancer.sort();
        let mut made = Node {
            sort,
            interface: interface.id.clone(),
            address: interface.private_ip,
            subnet: subnets.around(interface),
            groups: (!groups.is_empty()).then(|| Permits::of(view.region, groups)),
            listens: sort == Sort::Gateway,
            candidates: Vec::new(),
            holders: Vec::new(),
            limit: FLOWS_MIN.max(flows.len()),
            flows,
        };
        let group = match sort {
            Sort::Network => elbv2::behind(view.region, balancer, super::VXLAN_PORT),
            Sort::Gateway => elbv2::behind_gateway(view.region, balancer),
        };
        if let Some(group) = group {
            made.listens = true;
            made.find_targets(view, (balancer, &node.name), group, (receivers, subnets));
        }
        self.all.push(made);
        Some(self.all.len() - 1)
    }
}

/// The outer ends of a copy on its way to a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outer {
    pub(super) source: Ipv4Addr,
    pub(super) port: u16,
}

impl Outer {
    /// Its headers when it arrives at a port of `destination`.
    #[inline]
    pub(super) fn headers(self, (destination, port): (Ipv4Addr, u16)) -> Headers {
        let addresses = [self.source, destination].map(|it| number(IpAddr::V4(it)));
        let upper = Upper::Ports { ports: [self.port, port], opens: false };
        Headers { version: Version::V4, protocol: UDP, addresses, upper }
    }
}

impl Node {
    /// Finds the targets that take flows.
    ///
    /// Without cross-zone load balancing, only targets in the node's own zone do. If no target of any zone is healthy,
    /// all are treated as healthy: Network Load Balancer user guide, "Target group health".
    fn find_targets(
        &mut self,
        view: View<'_>,
        (balancer, zone): (&LoadBalancer, &str),
        group: &TargetGroup,
        (receivers, subnets): (&mut Receivers, &Subnets<'_>),
    ) {
        let crosses = elbv2::crosses_zones(balancer, group);
        let (mut healthy, mut failing) = (Vec::new(), Vec::new());
        let mut is_any_healthy = false;
        for (target, standing) in elbv2::standings(view, group) {
            let Some(interface) = elbv2::interface(view.region, group, target) else { continue };
            is_any_healthy |= standing == Standing::Healthy;
            if !crosses && interface.zone != zone {
                continue;
            }
            let referred = guard::refers(
                view.region,
                &interface.groups,
                &balancer.security_groups,
                target.port,
            );
            let wrapping = match balancer.sort() {
                Sort::Network => Wrapping::Vxlan,
                Sort::Gateway => Wrapping::Geneve,
            };
            let at = Port { number: target.port, wrapping };
            let receiver = receivers.of_interface(view, (interface, at), subnets);
            let referred = if referred { Referred::Yes } else { Referred::No };
            let candidate = Candidate { receiver, referred };
            match standing {
                Standing::Healthy => healthy.push(candidate),
                Standing::Failing => failing.push(candidate),
                Standing::Draining | Standing::Down => {}
                Standing::Starting | Standing::Unused => continue,
            }
            self.holders.push(candidate);
        }
        self.candidates = if is_any_healthy { healthy } else { failing };
    }

    #[inline]
    fn carry(&mut self, sent: Outer, time: u64, receivers: &Receivers) -> Carried {
        if !self.listens {
            return Carried::Lost(Loss::NoListener);
        }
        let comes = sent.headers((self.address, super::VXLAN_PORT));
        if self.groups.as_ref().is_some_and(|own| !own.permit(Direction::Ingress, &comes)) {
            return Carried::Lost(Loss::RefusedByLoadBalancer);
        }
        let Some(to) = self.assign(sent, time) else { return Carried::Lost(Loss::NoTarget) };
        let receiver = &receivers.all()[to.receiver];
        let leaves = match self.sort {
            Sort::Network => sent,
            // It wraps what it sends on, and sends it from its own address.
            Sort::Gateway => Outer { source: self.address, port: sent.port },
        };
        let goes = leaves.headers((receiver.address(), receiver.port()));
        if self.groups.as_ref().is_some_and(|own| !own.permit(Direction::Egress, &goes)) {
            return Carried::Lost(Loss::RefusedByLoadBalancer);
        }
        if !self.subnet.leads_to(receiver.subnet(), &goes) {
            return Carried::Lost(Loss::RefusedBehindLoadBalancer);
        }
        receivers.take(to.receiver, &goes, to.referred)
    }

    /// Who gets a packet of a flow: the target that got the previous one, unless that was too long ago or it is no
    /// longer a target; otherwise the one that the hash picks.
    #[inline]
    fn assign(&mut self, sent: Outer, time: u64) -> Option<Candidate> {
        let flow = Flow { source: sent.source, port: sent.port };
        if let Some(assigned) = self.flows.get_mut(&flow)
            && time.saturating_sub(assigned.last) <= IDLE
            && let Some(to) = self.holders.iter().find(|it| it.receiver == assigned.to.receiver)
        {
            assigned.last = assigned.last.max(time);
            return Some(*to);
        }
        self.choose(flow, time)
    }

    #[cold]
    fn choose(&mut self, flow: Flow, time: u64) -> Option<Candidate> {
        let count = u64::try_from(self.candidates.len()).ok().filter(|count| *count > 0)?;
        let place = usize::try_from(flow.hash() % count).ok()?;
        let to = self.candidates[place];
        if self.flows.len() >= self.limit {
            self.flows.retain(|_, assigned| time.saturating_sub(assigned.last) <= IDLE);
            self.limit = FLOWS_MIN.max(2 * self.flows.len());
        }
        self.flows.insert(flow, Assigned { to, last: time });
        Some(to)
    }
}

impl Flow {
    /// AWS does not say which hash it uses; any that spreads flows evenly stands for it.
    fn hash(self) -> u64 {
        let Self { source, port } = self;
        mixed(mixed(u64::from(source.to_bits())) ^ u64::from(port))
    }
}
