//! Steps: the calls of a plan, each after those it needs.
//!
//! Some edges are requirements: a call needs what it refers to; an object is deleted after what uses
//! it; the two halves of a replacement have an order; what only one object can have is given up
//! before another takes it. Other edges are preferences, such as starting an instance only when its
//! route to the internet is there; these are dropped where they would close a circle.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::Direction::Incoming;
use petgraph::algo::{has_path_connecting, tarjan_scc};
use petgraph::graph::{DiGraph, NodeIndex};

use super::decide::{Decision, Decisions};
use super::prefer::{self, Order};
use super::uses::ObjectKey;
use super::{Action, Call, Fingerprint, Phase, Step, digest};
use crate::address::{Address, Kind};
use crate::attribute::{Ref, listed};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::observed::Found;
use crate::resource::mirror_target::{self, MirrorTargetId};
use crate::resource::{
    Creation, Operation, Readiness, ReplaceOrder, Resource, Retag, internet_gateway, security_group,
};
use crate::scalar::TransitGatewayId;
use crate::stack::Stack;

mod claims;
mod connections;
mod receivers;

/// The steps of `decisions`, in an order in which they could be done one by one.
pub(super) fn steps(stack: &Stack, decisions: &Decisions<'_>) -> Result<Vec<Step>, Diagnostics> {
    let mut builder = Builder { graph: DiGraph::new(), chains: BTreeMap::new() };
    for decision in &decisions.all {
        builder.add_chains(stack, decision);
    }
    builder.need_what_is_referred_to();
    builder.attach_gateways_before_routes(decisions);
    builder.attach_vpcs_before_routes(decisions);
    builder.connect_before_rules(decisions);
    builder.go_after_users(decisions);
    builder.go_after_members(decisions);
    builder.leave_shares();
    builder.order_replacements(decisions);
    builder.detach_gateways_last();
    builder.refuse_circles()?;
    builder.give_way(stack, decisions)?;
    builder.prefer(decisions);
    builder.keep_receivers_behind_listeners(decisions);
    builder.route_elsewhere_before_detaching(decisions);
    builder.expect_what_was_seen(decisions);
    Ok(builder.finish())
}

/// The key of the calls that create, change or remove one object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ChainKey {
    address: Address,
    phase: Phase,
    generation: u32,
}

/// The first and the last step of a chain.
#[derive(Clone, Copy, Debug)]
struct Chain {
    first: NodeIndex,
    last: NodeIndex,
}

/// A step whose needs are still edges.
#[derive(Debug)]
struct Node {
    key: ChainKey,
    call: Call,
    expects: Option<Fingerprint>,
}

struct Builder {
    /// An edge leads from a step to one that comes after it.
    graph: DiGraph<Node, ()>,
    chains: BTreeMap<ChainKey, Chain>,
}

impl Builder {
    /// Adds the calls of a decision, each after the one before.
    fn add_chains(&mut self, stack: &Stack, decision: &Decision<'_>) {
        let Decision { address, deposed: _, action, reasons: _, found, observed, desired, .. } =
            decision;
        let generation = found.map_or(0, |found| found.generation);
        let creation = Creation { address, stack: stack.name.as_str(), generation: generation + 1 };
        let create = || desired.iter().flat_map(|resource| resource.create(&creation));
        let delete = || {
            let there = observed.iter().zip(*found);
            there.flat_map(|(resource, found)| resource.delete(found))
        };
        match action {
            Action::NoOp => {}
            Action::Create => self.add_chain(address, Phase::Create, generation + 1, create()),
            Action::Move | Action::Update => {
                self.add_update(decision, &Creation { generation, ..creation.clone() });
            }
            Action::Delete => self.add_chain(address, Phase::Delete, generation, delete()),
            Action::Replace(_) => {
                self.add_move(decision, generation);
                self.add_chain(address, Phase::Create, generation + 1, create());
                self.add_chain(address, Phase::Delete, generation, delete());
            }
        }
    }

    fn add_chain(
        &mut self,
        address: &Address,
        phase: Phase,
        generation: u32,
        operations: impl IntoIterator<Item = Operation>,
    ) {
        let calls = operations.into_iter().map(Call::Operation);
        self.add_calls(ChainKey { address: address.clone(), phase, generation }, calls);
    }

    fn add_update(&mut self, decision: &Decision<'_>, creation: &Creation<'_>) {
        let (Some(desired), Some(found), Some(observed)) =
            (&decision.desired, decision.found, &decision.observed)
        else {
            return;
        };
        // The object as found, but with its attributes in the same canonical form as the desired ones.
        let found = Found { resource: observed.clone(), ..found.clone() };
        let operations = desired.update(&found, creation).into_iter().map(Call::Operation);
        let retag = Retag::between(desired.tags(), observed.tags());
        let call = |retag| Call::Retag { id: found.id.clone(), retag };
        let (address, generation) = (decision.address.clone(), creation.generation);
        let key = ChainKey { address, phase: Phase::Update, generation };
        match &decision.moved_from {
            // Whatever becomes of the rest, the object is known by its new address.
            Some(_) => {
                let first = retag.unwrap_or_default().with_address(&decision.address);
                self.add_calls(key, [call(first)].into_iter().chain(operations));
            }
            None => self.add_calls(key, operations.chain(retag.map(call))),
        }
    }

    /// Retags an object that moves and is to be replaced: the old and the new object then have one
    /// address.
    fn add_move(&mut self, decision: &Decision<'_>, generation: u32) {
        if let (Some(_), Some(found)) = (&decision.moved_from, decision.found) {
            let address = decision.address.clone();
            let retag = Retag::default().with_address(&address);
            let key = ChainKey { address, phase: Phase::Update, generation };
            self.add_calls(key, [Call::Retag { id: found.id.clone(), retag }]);
        }
    }

    fn add_calls(&mut self, key: ChainKey, calls: impl IntoIterator<Item = Call>) {
        let mut chain: Option<Chain> = None;
        for call in calls {
            let node = self.graph.add_node(Node { key: key.clone(), call, expects: None });
            chain = Some(match chain {
                None => Chain { first: node, last: node },
                Some(Chain { first, last }) => {
                    self.graph.add_edge(last, node, ());
                    Chain { first, last: node }
                }
            });
        }
        if let Some(chain) = chain {
            self.chains.insert(key, chain);
        }
    }

    /// The chain of an address in a phase; that of the newest object if there are several.
    fn chain(&self, address: &Address, phase: Phase) -> Option<Chain> {
        let from = ChainKey { address: address.clone(), phase, generation: 0 };
        let to = ChainKey { address: address.clone(), phase, generation: u32::MAX };
        self.chains.range(from..=to).next_back().map(|(_, chain)| *chain)
    }

    /// Makes `after` wait for `before`. The same edge may be added twice: searching for an existing one
    /// would take time proportional to the dependents of `before`, of which a filter may have
    /// thousands.
    fn edge(&mut self, before: NodeIndex, after: NodeIndex) {
        if before != after {
            self.graph.add_edge(before, after, ());
        }
    }

    /// Lets a call that refers to something created in this plan wait until that is far enough along.
    fn need_what_is_referred_to(&mut self) {
        for node in self.graph.node_indices() {
            let Call::Operation(operation) = &self.graph[node].call else { continue };
            let own = self.graph[node].key.address.clone();
            for need in operation.needs() {
                // Within one chain the order exists already.
                if need.address == own {
                    continue;
                }
                let made = self.chain(&need.address, Phase::Create);
                match need.readiness {
                    Readiness::Made => made.map(|chain| chain.first),
                    // An earlier run may have created it without finishing: an existing gateway may
                    // still have to be attached.
                    Readiness::Finished => {
                        let changed = self.chain(&need.address, Phase::Update);
                        made.or(changed).map(|chain| chain.last)
                    }
                }
                .into_iter()
                .for_each(|before| self.edge(before, node));
            }
        }
    }

    /// A route to a gateway that an earlier run created but did not attach refers to it by id, and
    /// still has to wait for the attachment.
    fn attach_gateways_before_routes(&mut self, decisions: &Decisions<'_>) {
        let attached: BTreeMap<&str, Chain> = decisions
            .all
            .iter()
            .filter(|decision| decision.address.kind == Kind::InternetGateway)
            .filter_map(|decision| {
                let chain = self.chain(&decision.address, Phase::Update)?;
                Some((decision.found?.id.as_str(), chain))
            })
            .collect();
        for node in self.graph.node_indices() {
            let Call::Operation(Operation::RouteTable(operation)) = &self.graph[node].call else {
                continue;
            };
            let chain = operation.gateway().and_then(|gateway| attached.get(gateway.as_str()));
            if let Some(chain) = chain {
                self.edge(chain.last, node);
            }
        }
    }

    /// A route through a transit gateway refers to it by id, and AWS accepts the route only once the
    /// VPC is attached: it waits for every attachment to that gateway.
    fn attach_vpcs_before_routes(&mut self, decisions: &Decisions<'_>) {
        let mut attached: BTreeMap<&TransitGatewayId, Vec<Chain>> = BTreeMap::new();
        for decision in &decisions.all {
            if let Some(Resource::TransitGatewayAttachment(attachment)) = &decision.desired {
                let made = self.chain(&decision.address, Phase::Create);
                let chain = made.or_else(|| self.chain(&decision.address, Phase::Update));
                attached.entry(&attachment.transit_gateway).or_default().extend(chain);
            }
        }
        for node in self.graph.node_indices() {
            let Call::Operation(Operation::RouteTable(operation)) = &self.graph[node].call else {
                continue;
            };
            let gateway = operation.transit_gateway();
            for chain in gateway.and_then(|gateway| attached.get(gateway)).into_iter().flatten() {
                self.edge(chain.last, node);
            }
        }
    }

    /// Keeps a VPC attached until its routes lead elsewhere, where that closes no circle.
    fn route_elsewhere_before_detaching(&mut self, decisions: &Decisions<'_>) {
        // If several have one address, the first counts.
        let all = decisions.all.iter().rev();
        let observed: BTreeMap<&Address, &Resource> =
            all.filter_map(|it| Some((&it.address, it.observed.as_ref()?))).collect();
        let mut detached: BTreeMap<&TransitGatewayId, Vec<Chain>> = BTreeMap::new();
        for (key, chain) in self.of_phase(Phase::Delete) {
            if let Some(Resource::TransitGatewayAttachment(attachment)) = observed.get(&key.address)
            {
                detached.entry(&attachment.transit_gateway).or_default().push(chain);
            }
        }
        if detached.is_empty() {
            return;
        }
        for node in self.graph.node_indices() {
            let Node { key, call, expects: _ } = &self.graph[node];
            let (
                Call::Operation(Operation::RouteTable(operation)),
                Some(Resource::RouteTable(table)),
            ) = (call, observed.get(&key.address))
            else {
                continue;
            };
            let left = operation.leaves();
            let mut routes = table.routes.iter().filter(|route| Some(route.destination) == left);
            let gateway = routes.find_map(|route| route.transit_gateway.as_ref());
            for chain in gateway.and_then(|gateway| detached.get(gateway)).into_iter().flatten() {
                if !has_path_connecting(&self.graph, chain.first, node, None) {
                    self.edge(node, chain.first);
                }
            }
        }
    }

    /// Deletes an object after everything that uses it is deleted or uses something else.
    fn go_after_users(&mut self, decisions: &Decisions<'_>) {
        let first: BTreeSet<&Address> = decisions
            .all
            .iter()
            .filter(|d| d.action == Action::Replace(ReplaceOrder::DeleteThenCreate))
            .map(|decision| &decision.address)
            .collect();
        let going: Vec<(ChainKey, Chain)> = self.of_phase(Phase::Delete);
        for (key, chain) in going {
            let object = ObjectKey { address: key.address.clone(), generation: key.generation };
            for (user, _) in decisions.fates.uses.users(&object) {
                if let Some(gone) = self.object_chain(user, Phase::Delete) {
                    // A target group that is deleted as well is no obstacle: both may be deleted at
                    // once.
                    if user.address.kind != Kind::TargetGroup {
                        self.go_after(&object, chain, user, gone);
                    }
                } else if let Some(changed) = self.object_chain(user, Phase::Update)
                    && !first.contains(&key.address)
                    // Leaving a share is only one of its calls; another may wait for what replaces the
                    // target.
                    && user.address.kind != Kind::ResourceShare
                {
                    self.edge(changed.last, chain.first);
                }
            }
        }
    }

    /// Takes a mirror target out of its shares before it is deleted, even if it is deleted before its
    /// replacement is created.
    fn leave_shares(&mut self) {
        let operations = self.graph.node_indices().filter_map(|node| {
            let Call::Operation(operation) = &self.graph[node].call else { return None };
            Some((node, operation))
        });
        let mut going: BTreeMap<&MirrorTargetId, NodeIndex> = BTreeMap::new();
        let mut leaving: Vec<(NodeIndex, &MirrorTargetId)> = Vec::new();
        for (node, operation) in operations {
            match operation {
                Operation::MirrorTarget(mirror_target::Operation::Delete {
                    mirror_target: Ref::Id(target),
                }) => drop(going.insert(target, node)),
                Operation::ResourceShare(operation) => {
                    leaving.extend(operation.leaves().iter().filter_map(|target| match target {
                        Ref::Id(target) => Some((node, target)),
                        Ref::To(_) => None,
                    }));
                }
                _ => {}
            }
        }
        let edges: Vec<(NodeIndex, NodeIndex)> = leaving
            .into_iter()
            .filter_map(|(leave, target)| Some((leave, *going.get(target)?)))
            .collect();
        edges.into_iter().for_each(|(leave, go)| self.edge(leave, go));
    }

    /// Deletes `used` after its user is deleted. Of two security groups that refer to each other
    /// neither could be first: there it is the user's rule that must be revoked first.
    fn go_after(&mut self, used: &ObjectKey, chain: Chain, user: &ObjectKey, gone: Chain) {
        let groups = (used.address.kind, user.address.kind);
        if groups != (Kind::SecurityGroup, Kind::SecurityGroup) {
            self.edge(gone.last, chain.first);
            return;
        }
        let user = (&user.address, user.generation);
        let revokes: Vec<NodeIndex> = self
            .graph
            .node_indices()
            .filter(|node| {
                let Node { key, call, expects: _ } = &self.graph[*node];
                (&key.address, key.generation) == user
                    && matches!(
                        call,
                        Call::Operation(Operation::SecurityGroup(
                            security_group::Operation::Revoke { .. }
                        ))
                    )
            })
            .collect();
        for revoke in revokes {
            self.edge(revoke, chain.last);
        }
    }

    /// Orders the two halves of a replacement.
    fn order_replacements(&mut self, decisions: &Decisions<'_>) {
        for decision in &decisions.all {
            let Action::Replace(order) = decision.action else { continue };
            let generation = decision.found.map_or(0, |found| found.generation);
            let key = |phase, generation| ChainKey {
                address: decision.address.clone(),
                phase,
                generation,
            };
            let create = self.chains.get(&key(Phase::Create, generation + 1)).copied();
            let delete = self.chains.get(&key(Phase::Delete, generation)).copied();
            let moved = self.chains.get(&key(Phase::Update, generation)).copied();
            for half in create.iter().chain(&delete) {
                moved.iter().for_each(|moved| self.edge(moved.last, half.first));
            }
            if let (Some(create), Some(delete)) = (create, delete) {
                match order {
                    ReplaceOrder::CreateThenDelete => self.edge(create.last, delete.first),
                    ReplaceOrder::DeleteThenCreate => self.edge(delete.last, create.first),
                }
            }
        }
    }

    /// Detaches an internet gateway after everything with a public address is deleted.
    ///
    /// Source: EC2 API reference, `DetachInternetGateway`: the VPC must not contain any running
    /// instances with Elastic IP addresses or public IPv4 addresses.
    fn detach_gateways_last(&mut self) {
        let addressed: Vec<Chain> = self
            .of_phase(Phase::Delete)
            .into_iter()
            .filter(|(key, _)| is_addressed(key.address.kind))
            .map(|(_, chain)| chain)
            .collect();
        for node in self.graph.node_indices() {
            let detaches = matches!(
                &self.graph[node].call,
                Call::Operation(Operation::InternetGateway(
                    internet_gateway::Operation::Detach { .. }
                ))
            );
            if detaches {
                addressed.iter().for_each(|gone| self.edge(gone.last, node));
            }
        }
    }

    fn of_phase(&self, phase: Phase) -> Vec<(ChainKey, Chain)> {
        let of_phase = self.chains.iter().filter(|(key, _)| key.phase == phase);
        of_phase.map(|(key, chain)| (key.clone(), *chain)).collect()
    }

    fn object_chain(&self, object: &ObjectKey, phase: Phase) -> Option<Chain> {
        let ObjectKey { address, generation } = object.clone();
        self.chains.get(&ChainKey { address, phase, generation }).copied()
    }

    /// Reports resources that wait for each other.
    fn refuse_circles(&self) -> Result<(), Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        for circle in tarjan_scc(&self.graph).into_iter().filter(|circle| circle.len() > 1) {
            let addresses: BTreeSet<String> =
                circle.iter().map(|node| self.graph[*node].key.address.to_string()).collect();
            let names = listed(addresses.iter().map(String::as_str));
            diagnostics.push(
                Diagnostic::error(code::CYCLE, format!("{names} wait for each other"))
                    .note("each needs another of them to be created, changed or deleted first")
                    .help("break the circle: remove one of the references, apply, put it back"),
            );
        }
        diagnostics.unless_errors(()).map(|((), _)| ())
    }

    /// Adds the orders that are better but not necessary, where they close no circle.
    fn prefer(&mut self, decisions: &Decisions<'_>) {
        for Order { earlier, phases, later } in prefer::orders(decisions) {
            let chains = |address: &Address, phases: &[Phase]| -> Vec<Chain> {
                phases.iter().filter_map(|phase| self.chain(address, *phase)).collect()
            };
            let (before, after) =
                (chains(&earlier, phases), chains(&later, &[Phase::Create, Phase::Update]));
            for before in before {
                for after in &after {
                    if !has_path_connecting(&self.graph, after.first, before.last, None) {
                        self.edge(before.last, after.first);
                    }
                }
            }
        }
    }

    /// Makes each removal expect that the object still looks as it was seen now.
    fn expect_what_was_seen(&mut self, decisions: &Decisions<'_>) {
        let all = decisions.all.iter();
        let going = digest::going(all.map(|decision| {
            (&decision.address, decision.action, decision.found.map(|found| &found.id))
        }));
        for decision in &decisions.all {
            let Some(found) = decision.found else { continue };
            if !decision.deposed && decisions.unlike.contains(&decision.address) {
                continue;
            }
            let (address, generation) = (decision.address.clone(), found.generation);
            if let Some(chain) =
                self.object_chain(&ObjectKey { address, generation }, Phase::Delete)
            {
                self.graph[chain.first].expects = Some(digest::expectation(found, &going));
            }
        }
        self.expect_parts_as_they_were_seen(decisions);
    }

    /// Makes each removal of a part of an object that stays expect that the part still looks as it was seen now.
    fn expect_parts_as_they_were_seen(&mut self, decisions: &Decisions<'_>) {
        let found: BTreeMap<(&Address, u32), &Found> = decisions
            .all
            .iter()
            .filter_map(|decision| Some((&decision.address, decision.found?)))
            .map(|(address, found)| ((address, found.generation), found))
            .collect();
        for node in self.graph.node_weights_mut() {
            let Node { key: ChainKey { address, phase, generation }, call, expects } = node;
            if let (Phase::Update, Call::Operation(operation)) = (phase, &*call)
                && let Some(removed) = operation.removed_part()
                && let Some(found) = found.get(&(&*address, *generation))
            {
                *expects = removed.of(found).map(|part| Fingerprint::of_part(&part));
            }
        }
    }

    /// The steps, each after those it needs; of those that could be next, the one that was added first.
    fn finish(self) -> Vec<Step> {
        let mut open: Vec<usize> = self
            .graph
            .node_indices()
            .map(|node| self.graph.neighbors_directed(node, Incoming).count())
            .collect();
        let mut ready: BTreeSet<NodeIndex> =
            self.graph.node_indices().filter(|node| open[node.index()] == 0).collect();
        let mut position: Vec<usize> = vec![0; self.graph.node_count()];
        let mut steps = Vec::with_capacity(self.graph.node_count());
        while let Some(node) = ready.pop_first() {
            position[node.index()] = steps.len();
            let mut needs: Vec<usize> = self
                .graph
                .neighbors_directed(node, Incoming)
                .map(|before| position[before.index()])
                .collect();
            needs.sort_unstable();
            needs.dedup();
            let Node { key, call, expects } = &self.graph[node];
            let ChainKey { address, phase, generation } = key.clone();
            let (call, expects) = (call.clone(), expects.clone());
            steps.push(Step { address, phase, generation, call, expects, needs });
            for after in self.graph.neighbors(node) {
                open[after.index()] -= 1;
                if open[after.index()] == 0 {
                    ready.insert(after);
                }
            }
        }
        steps
    }
}

/// Whether objects of a kind may have public addresses.
const fn is_addressed(kind: Kind) -> bool {
    matches!(kind, Kind::Instance | Kind::AutoscalingGroup | Kind::LoadBalancer)
}
