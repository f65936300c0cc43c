//! The path of a mirrored packet through a stack.

use std::collections::BTreeMap;

use super::{Diagram, Drawing, Node, Sort};
use crate::address::Address;
use crate::attribute::{Ref, Referable};
use crate::id::NetworkInterface;
use crate::render::scene::Scene;
use crate::resource::mirror_target::Destination;
use crate::resource::{
    GatewayLoadBalancer, GatewayLoadBalancerEndpoint, LoadBalancer, MirrorFilter, MirrorSession,
    MirrorTarget, Resource, TargetGroup,
};
use crate::scalar::{AvailabilityZone, RuleAction};
use crate::stack::{FanOut, SourceNames};

/// The frames, in the order in which a packet passes them.
const GROUPS: [&str; 3] = ["Sources", "Mirror", "Receivers"];
const SOURCES: usize = 0;
const MIRROR: usize = 1;
const RECEIVERS: usize = 2;

/// What a box stands for: the same object may be both a source and a receiver.
type Key = (usize, String);

mod traffic;

pub(super) fn packet_path(scene: &Scene<'_>) -> Diagram {
    let mut path = Path { scene, drawing: Drawing::default() };
    path.drawing.diagram.groups = GROUPS.to_vec();
    for (address, resource) in scene.resources() {
        if let Resource::MirrorSession(session) = resource {
            path.session(address, session);
        }
    }
    for (address, fan_out) in scene.fan_outs() {
        path.fan_out(address, fan_out);
    }
    traffic::draw(scene, &mut path.drawing);
    path.drawing.diagram
}

struct Path<'s> {
    scene: &'s Scene<'s>,
    drawing: Drawing<Key>,
}

impl Path<'_> {
    fn session(&mut self, address: &Address, session: &MirrorSession) {
        let MirrorSession { source, target, filter, number, vni, .. } = session;
        let source = self.source(address, source);
        let mut lines = vec![address.to_string(), format!("number {number}")];
        lines.extend(vni.map(|vni| format!("VNI {vni}")));
        let node = Node { lines, group: Some(MIRROR), ..self.box_of(address) };
        let session = self.drawing.node((MIRROR, address.to_string()), node);
        self.drawing.arrow(source, session, "");
        self.onward(session, filter, [(None, target)]);
    }

    /// Draws sessions over sources that have not been counted yet.
    fn fan_out(&mut self, address: &Address, fan_out: &FanOut) {
        let FanOut { source, target, filter, number, vni, .. } = fan_out;
        let mut lines = vec![format!("{address}[*]"), format!("number {number}")];
        lines.extend(vni.map(|vni| format!("VNI {vni}")));
        let node = Node { lines, group: Some(MIRROR), ..self.box_of(address) };
        let session = self.drawing.node((MIRROR, address.to_string()), node);
        for name in &source.0 {
            let text = SourceNames::text_of(name);
            let sort = Sort { kind: SourceNames::WORD.to_owned(), block: text.clone() };
            let node = Node { lines: vec![text.clone()], mark: None, group: Some(SOURCES), sort };
            let source = self.drawing.node((SOURCES, text), node);
            self.drawing.arrow(source, session, "");
        }
        self.onward(session, filter, target.all());
    }

    /// The interface that a session mirrors. Those of one block over sources are of one sort.
    fn source(&mut self, session: &Address, source: &Ref<NetworkInterface>) -> usize {
        let node = self.thing(SOURCES, source);
        if let Some(sources) = self.scene.sources_of(session) {
            let sort = &mut self.drawing.diagram.nodes[node].sort;
            sort.block = sources.to_string();
        }
        node
    }

    /// Draws the way from a session to its target, for each zone if the zone of the packets
    /// decides.
    fn onward<'t>(
        &mut self,
        session: usize,
        filter: &Ref<MirrorFilter>,
        targets: impl IntoIterator<Item = (Option<&'t AvailabilityZone>, &'t Ref<MirrorTarget>)>,
    ) {
        let filter = self.filter(filter);
        self.drawing.arrow(session, filter, "");
        let mut zones: BTreeMap<&Ref<MirrorTarget>, Vec<String>> = BTreeMap::new();
        for (zone, target) in targets {
            zones.entry(target).or_default().extend(zone.map(ToString::to_string));
        }
        for (target, zones) in zones {
            let target = self.target(target);
            self.drawing.arrow(filter, target, &zones.join(", "));
        }
    }

    fn filter(&mut self, filter: &Ref<MirrorFilter>) -> usize {
        let node = self.thing(MIRROR, filter);
        if let Some(Resource::MirrorFilter(filter)) = self.declared(filter) {
            let count = |action| filter.rules.0.iter().filter(|r| r.action == action).count();
            let (accepts, rejects) = (count(RuleAction::Accept), count(RuleAction::Reject));
            let dns = if filter.amazon_dns { ", Amazon DNS" } else { "" };
            self.write_below(node, format!("{accepts} accept, {rejects} reject{dns}"));
        }
        node
    }

    fn target(&mut self, target: &Ref<MirrorTarget>) -> usize {
        let node = self.thing(MIRROR, target);
        let destination = match self.declared(target) {
            Some(Resource::MirrorTarget(target)) => target.destination(),
            _ => None,
        };
        match destination {
            Some(Destination::LoadBalancer(to)) => {
                let to = self.load_balancer(&to);
                self.drawing.arrow(node, to, "VXLAN");
            }
            Some(Destination::NetworkInterface(to)) => {
                let to = self.thing(RECEIVERS, &to);
                self.drawing.arrow(node, to, "VXLAN");
            }
            Some(Destination::GatewayLoadBalancerEndpoint(to)) => {
                let to = self.endpoint(&to);
                self.drawing.arrow(node, to, "VXLAN");
            }
            None => {}
        }
        node
    }

    /// An endpoint, and what is behind it; the service is left out, since packets do not pass it.
    fn endpoint(&mut self, reference: &Ref<GatewayLoadBalancerEndpoint>) -> usize {
        let node = self.thing(RECEIVERS, reference);
        let service = match self.declared(reference) {
            Some(Resource::GatewayLoadBalancerEndpoint(declared)) => declared.service.clone(),
            _ => return node,
        };
        let balancers = match self.declared(&service) {
            Some(Resource::EndpointService(declared)) => declared.gateway_load_balancers.clone(),
            _ => return node,
        };
        for balancer in &balancers {
            let to = self.gateway_load_balancer(balancer);
            self.drawing.arrow(node, to, "VXLAN");
        }
        node
    }

    fn gateway_load_balancer(&mut self, reference: &Ref<GatewayLoadBalancer>) -> usize {
        let node = self.thing(RECEIVERS, reference);
        let group = match self.declared(reference) {
            Some(Resource::GatewayLoadBalancer(declared)) => declared.target_group.clone(),
            _ => None,
        };
        if let Some(group) = group {
            let group = self.target_group(&group);
            self.drawing.arrow(node, group, "VXLAN in GENEVE");
        }
        node
    }

    fn load_balancer(&mut self, reference: &Ref<LoadBalancer>) -> usize {
        let node = self.thing(RECEIVERS, reference);
        let mut listeners = match self.declared(reference) {
            Some(Resource::LoadBalancer(declared)) => declared.listeners.clone(),
            _ => Vec::new(),
        };
        listeners.sort_by_key(|listener| (listener.protocol, listener.port));
        for listener in &listeners {
            let group = self.target_group(&listener.target_group);
            let label = format!("{} {}", listener.protocol, listener.port);
            self.drawing.arrow(node, group, &label);
        }
        node
    }

    fn target_group(&mut self, reference: &Ref<TargetGroup>) -> usize {
        let node = self.thing(RECEIVERS, reference);
        let (mut targets, label) = match self.declared(reference) {
            Some(Resource::TargetGroup(group)) => {
                (group.targets.clone(), format!("{} {}", group.protocol, group.port))
            }
            _ => (Vec::new(), String::new()),
        };
        // Sorted by address; a plan has them by id.
        targets.sort_by_key(|target| target.origin());
        for target in &targets {
            let target = self.thing(RECEIVERS, target);
            self.drawing.arrow(node, target, &label);
        }
        for group in self.members(reference) {
            let below = Node { group: Some(RECEIVERS), ..self.box_of(&group) };
            let group = self.drawing.node((RECEIVERS, group.to_string()), below);
            self.drawing.arrow(node, group, &label);
        }
        node
    }

    /// The Auto Scaling groups that register their instances in a target group.
    fn members(&self, target_group: &Ref<TargetGroup>) -> Vec<Address> {
        let registers = |resource: &Resource| match resource {
            Resource::AutoscalingGroup(group) => group.target_groups.contains(target_group),
            _ => false,
        };
        let all = self.scene.resources().filter(|(_, resource)| registers(resource));
        all.map(|(address, _)| address.clone()).collect()
    }

    /// The box for what a reference leads to.
    fn thing<T: Referable>(&mut self, group: usize, reference: &Ref<T>) -> usize {
        match reference {
            Ref::To(address) => {
                let node = Node { group: Some(group), ..self.box_of(address) };
                self.drawing.node((group, address.to_string()), node)
            }
            Ref::Id(id) => self.existing(group, T::TITLE, id.as_str()),
        }
    }

    /// A box for a resource, with what happens to the resource.
    fn box_of(&self, address: &Address) -> Node {
        Node { mark: self.scene.mark(address), ..Node::of(address) }
    }

    /// The box for something that the stack does not declare.
    fn existing(&mut self, group: usize, title: &str, id: &str) -> usize {
        let sort = Sort { kind: title.to_owned(), block: title.to_owned() };
        let lines = vec![title.to_owned(), id.to_owned()];
        let node = Node { lines, mark: None, group: Some(group), sort };
        self.drawing.node((group, id.to_owned()), node)
    }

    fn declared<T: Referable>(&self, reference: &Ref<T>) -> Option<&Resource> {
        match reference {
            Ref::To(address) => self.scene.resource(address),
            Ref::Id(_) => None,
        }
    }

    /// Writes a second line into a box that has one.
    fn write_below(&mut self, node: usize, line: String) {
        let lines = &mut self.drawing.diagram.nodes[node].lines;
        if lines.len() == 1 {
            lines.push(line);
        }
    }
}
