//! Receivers: what waits for them, and what they wait for.
//!
//! When they are moved from one target group to another, no packet finds either of them empty: instances are registered
//! in the new target group, by themselves or by their Auto Scaling group, then the listener forwards there, and then the
//! Auto Scaling group deregisters them from the old one.

use std::collections::BTreeMap;

use petgraph::algo::has_path_connecting;
use petgraph::graph::NodeIndex;

use super::{Builder, Decisions, Phase};
use crate::attribute::Ref;
use crate::plan::Call;
use crate::plan::uses::ObjectKey;
use crate::resource::autoscaling_group::Operation as Scaling;
use crate::resource::gateway_load_balancer::Operation as Gateway;
use crate::resource::load_balancer::Operation as Balancer;
use crate::resource::target_group::Operation as Targets;
use crate::resource::{Operation, TargetGroup};

impl Builder {
    /// Adds these orders where they close no circle.
    pub(super) fn keep_receivers_behind_listeners(&mut self, decisions: &Decisions<'_>) {
        let objects = target_groups(decisions);
        let mut edges: Vec<(NodeIndex, NodeIndex)> = Vec::new();
        for node in self.graph.node_indices() {
            match &self.graph[node].call {
                Call::Operation(Operation::AutoscalingGroup(Scaling::Attach {
                    target_groups,
                    ..
                })) => {
                    let forwards = self.listeners().filter(|(_, to)| target_groups.contains(to));
                    edges.extend(forwards.map(|(listener, _)| (node, listener)));
                }
                Call::Operation(Operation::TargetGroup(Targets::Register {
                    target_group, ..
                })) => {
                    let forwards = self.listeners().filter(|(listener, to)| {
                        *to == target_group && self.graph[*listener].key.phase == Phase::Update
                    });
                    edges.extend(forwards.map(|(listener, _)| (node, listener)));
                }
                Call::Operation(Operation::AutoscalingGroup(Scaling::Detach {
                    target_groups,
                    ..
                })) => {
                    let left = target_groups.iter().filter_map(|group| objects.get(&text(group)));
                    let users = left.flat_map(|object| decisions.fates.uses.users(object));
                    let changed =
                        users.filter(|(user, _)| user.address != self.graph[node].key.address);
                    let changed =
                        changed.filter_map(|(user, _)| self.object_chain(user, Phase::Update));
                    edges.extend(changed.map(|chain| (chain.last, node)));
                }
                _ => {}
            }
        }
        for (before, after) in edges {
            if !has_path_connecting(&self.graph, after, before, None) {
                self.edge(before, after);
            }
        }
    }

    /// Deletes a security group after the instances that are in it.
    pub(super) fn go_after_members(&mut self, decisions: &Decisions<'_>) {
        for (key, chain) in self.of_phase(Phase::Delete) {
            for group in decisions.fates.uses.members_in(&key.address) {
                if let Some(gone) = self.chain(group, Phase::Delete) {
                    self.edge(gone.last, chain.first);
                }
            }
        }
    }

    /// The calls after which a listener forwards to a target group.
    fn listeners(&self) -> impl Iterator<Item = (NodeIndex, &Ref<TargetGroup>)> {
        self.graph.node_indices().filter_map(|node| {
            let Call::Operation(operation) = &self.graph[node].call else { return None };
            Some((node, forwards_to(operation)?))
        })
    }
}

fn forwards_to(operation: &Operation) -> Option<&Ref<TargetGroup>> {
    match operation {
        Operation::LoadBalancer(
            Balancer::CreateListener { listener, .. } | Balancer::ModifyListener { listener, .. },
        ) => Some(&listener.target_group),
        Operation::GatewayLoadBalancer(
            Gateway::CreateListener { target_group, .. }
            | Gateway::ModifyListener { target_group, .. },
        ) => Some(target_group),
        _ => None,
    }
}

/// The existing objects, by id.
fn target_groups(decisions: &Decisions<'_>) -> BTreeMap<String, ObjectKey> {
    let there = decisions.all.iter().filter_map(|decision| Some((decision, decision.found?)));
    let objects = there.map(|(decision, found)| {
        let (address, generation) = (decision.address.clone(), found.generation);
        (found.id.to_string(), ObjectKey { address, generation })
    });
    objects.collect()
}

fn text(group: &Ref<TargetGroup>) -> String {
    match group {
        Ref::Id(id) => id.to_string(),
        Ref::To(address) => address.to_string(),
    }
}
