//! Claims in a plan: what only one object can have is given up before another takes it.
//!
//! An object that claims a thing comes after its holder is deleted or gives it up. If the holder is in a part
//! of the stack that is not planned, the plan is refused. It is also refused if waiting would close a circle,
//! since AWS would reject a call half-way. The usual case is a block that was renamed, which a `moved` block
//! declares.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::has_path_connecting;
use petgraph::graph::NodeIndex;

use super::{Builder, Chain, ChainKey};
use crate::address::Address;
use crate::attribute::Ref;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics, Patch};
use crate::observed::Found;
use crate::plan::decide::{Decision, Decisions};
use crate::plan::{Action, Call, Phase};
use crate::resource::claim::{Claim, Thing};
use crate::resource::route_table::Operation;
use crate::resource::{self, Resource};
use crate::stack::Stack;

impl Builder {
    /// Lets an object that claims a thing wait for the holder of it.
    pub(super) fn give_way(
        &mut self,
        stack: &Stack,
        decisions: &Decisions<'_>,
    ) -> Result<(), Diagnostics> {
        let mut given_up: BTreeMap<Claim<'_>, Vec<(&Decision<'_>, Chain)>> = BTreeMap::new();
        for decision in &decisions.all {
            let Some((claims, phase)) = gives_up(decision) else { continue };
            let Some(chain) = self.chain_of(decision, phase) else { continue };
            for claim in claims {
                given_up.entry(claim).or_default().push((decision, chain));
            }
        }
        let mut kept: BTreeMap<Claim<'_>, Vec<(&Address, &Found)>> = BTreeMap::new();
        for (address, found) in decisions.left_out() {
            for claim in found.resource.claims() {
                kept.entry(claim).or_default().push((address, found));
            }
        }
        if given_up.is_empty() && kept.is_empty() {
            return Ok(());
        }
        let mut circles: BTreeMap<(&Address, &Address), Diagnostic> = BTreeMap::new();
        for coming in &decisions.all {
            let Some((claims, phase)) = takes(coming) else { continue };
            let Some(comes) = self.chain_of(coming, phase) else { continue };
            for claim in claims {
                for (other, found) in kept.get(&claim).into_iter().flatten() {
                    if excludes(claim, Some(&found.resource), coming) {
                        let pair = (&coming.address, *other);
                        circles.entry(pair).or_insert_with(|| left(stack, claim, coming, other));
                    }
                }
                for (going, goes) in given_up.get(&claim).into_iter().flatten() {
                    if std::ptr::eq(*going, coming)
                        || !excludes(claim, going.observed.as_ref(), coming)
                    {
                        continue;
                    }
                    let gone = self.giving_up(claim, going, *goes);
                    let come = self.taking(claim, comes);
                    if has_path_connecting(&self.graph, come, gone, None) {
                        let pair = (&coming.address, &going.address);
                        circles.entry(pair).or_insert_with(|| circle(stack, claim, coming, going));
                    } else {
                        self.edge(gone, come);
                    }
                }
            }
        }
        let diagnostics: Diagnostics = circles.into_values().collect();
        diagnostics.unless_errors(()).map(|((), _)| ())
    }

    /// The step after which nobody has it; for an association the step that removes just that one, so that
    /// route tables can exchange subnets.
    fn giving_up(&self, claim: Claim<'_>, going: &Decision<'_>, chain: Chain) -> NodeIndex {
        let Claim::Association { subnet: Thing::Id(subnet) } = claim else { return chain.last };
        let association = going.found.and_then(|found| found.parts.get(subnet));
        let node = self.route_table_step(chain, |operation| match operation {
            Operation::Disassociate { association: gone } => Some(gone) == association,
            _ => false,
        });
        node.unwrap_or(chain.last)
    }

    /// The step that takes it.
    fn taking(&self, claim: Claim<'_>, chain: Chain) -> NodeIndex {
        let Claim::Association { subnet: Thing::Id(id) } = claim else { return chain.first };
        let node = self.route_table_step(chain, |operation| match operation {
            Operation::Associate { route_table: _, subnet: Ref::Id(subnet) } => {
                subnet.as_str() == id
            }
            _ => false,
        });
        node.unwrap_or(chain.first)
    }

    /// The step of a chain whose call is the one that `is_it` selects.
    fn route_table_step(
        &self,
        chain: Chain,
        is_it: impl Fn(&Operation) -> bool,
    ) -> Option<NodeIndex> {
        // The nodes of a chain are added one after the other.
        let mut nodes = (chain.first.index()..=chain.last.index()).map(NodeIndex::new);
        nodes.find(|node| match &self.graph[*node].call {
            Call::Operation(resource::Operation::RouteTable(operation)) => is_it(operation),
            _ => false,
        })
    }

    fn chain_of(&self, decision: &Decision<'_>, phase: Phase) -> Option<Chain> {
        let there = decision.found.map_or(0, |found| found.generation);
        let generation = match phase {
            Phase::Create => there + 1,
            Phase::Update | Phase::Delete => there,
        };
        let address = decision.address.clone();
        self.chains.get(&ChainKey { address, phase, generation }).copied()
    }
}

/// What a decision gives up, and in which phase.
fn gives_up<'d>(decision: &'d Decision<'_>) -> Option<(BTreeSet<Claim<'d>>, Phase)> {
    let Decision { action, observed, desired, .. } = decision;
    match action {
        Action::Delete | Action::Replace(_) => Some((claims_of(observed), Phase::Delete)),
        Action::Update => Some((&claims_of(observed) - &claims_of(desired), Phase::Update)),
        Action::NoOp | Action::Move | Action::Create => None,
    }
}

/// What a decision takes, and in which phase.
fn takes<'d>(decision: &'d Decision<'_>) -> Option<(BTreeSet<Claim<'d>>, Phase)> {
    let Decision { action, observed, desired, .. } = decision;
    match action {
        Action::Create | Action::Replace(_) => Some((claims_of(desired), Phase::Create)),
        Action::Update => Some((&claims_of(desired) - &claims_of(observed), Phase::Update)),
        Action::NoOp | Action::Move | Action::Delete => None,
    }
}

fn claims_of(resource: &Option<Resource>) -> BTreeSet<Claim<'_>> {
    resource.as_ref().map(Resource::claims).unwrap_or_default()
}

/// Whether two that claim one thing cannot both have it.
fn excludes(claim: Claim<'_>, there: Option<&Resource>, coming: &Decision<'_>) -> bool {
    let (Some(there), Some(coming)) = (there, &coming.desired) else { return true };
    match (claim, there, coming) {
        (Claim::Subnet { .. }, Resource::Subnet(there), Resource::Subnet(coming)) => {
            let (there, coming) = (there.cidr.net(), coming.cidr.net());
            there.contains(&coming) || coming.contains(&there)
        }
        (Claim::Interface { .. }, there, coming) => there.kind() != coming.kind(),
        _ => true,
    }
}

/// The finding that something outside the plan has it.
fn left(stack: &Stack, claim: Claim<'_>, coming: &Decision<'_>, has: &Address) -> Diagnostic {
    let comes = &coming.address;
    let title = format!("`{has}` holds what `{comes}` needs: AWS allows {claim}");
    let place = stack.resources.get(comes).and_then(|declared| declared.place.as_ref());
    Diagnostic::error(code::GIVE_WAY, title)
        .of(comes)
        .at(place.map(|place| place.head.clone()), "")
        .help(format!(
            "the plan covers only a part of the stack: include `{has}` with `--target={has}`"
        ))
}

/// The finding that neither can be first.
fn circle(
    stack: &Stack,
    claim: Claim<'_>,
    coming: &Decision<'_>,
    going: &Decision<'_>,
) -> Diagnostic {
    let (comes, goes) = (&coming.address, &going.address);
    let title = format!("`{comes}` and `{goes}` wait for each other: AWS allows {claim}");
    let place = stack.resources.get(comes).and_then(|declared| declared.place.as_ref());
    let found = Diagnostic::error(code::GIVE_WAY, title)
        .of(comes)
        .at(place.map(|place| place.head.clone()), "")
        .note(format!("`{goes}` gives it up only after `{comes}` is created"));
    if going.action == Action::Delete && !going.deposed && comes.kind == goes.kind {
        let moved = format!("\n\nmoved {{\n  from = {goes}\n  to   = {comes}\n}}\n");
        let patch = place.map(|place| Patch { span: place.end_of_file(), text: moved });
        let help = "if it is the same one under another name, declare a `moved` block";
        found.help_edit(format!("{help} from `{goes}` to `{comes}`"), patch)
    } else if let Claim::Name { .. } = claim {
        found.help(format!("give `{comes}` another `name`"))
    } else {
        found.help("change one of them, apply, and then change the other")
    }
}
