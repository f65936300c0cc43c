//! Connections between VPCs that something else waits for.

use std::collections::BTreeMap;

use petgraph::graph::NodeIndex;

use super::{Builder, Chain};
use crate::address::{Address, Kind};
use crate::attribute::Ref;
use crate::plan::decide::Decisions;
use crate::plan::{Call, Phase};
use crate::resource::security_group::{Operation, Peer};
use crate::resource::{self, Resource, SecurityGroup, Vpc};

impl Builder {
    /// AWS accepts a rule that names a group of another VPC only once the connection between them is
    /// active.
    ///
    /// Source: VPC peering guide, "Update your security groups to reference peer security groups".
    pub(super) fn connect_before_rules(&mut self, decisions: &Decisions<'_>) {
        let peerings = decisions.all.iter().filter(|it| it.address.kind == Kind::VpcPeering);
        let chains: Vec<Chain> = peerings
            .filter_map(|peering| {
                let made = self.chain(&peering.address, Phase::Create);
                made.or_else(|| self.chain(&peering.address, Phase::Update))
            })
            .collect();
        if chains.is_empty() {
            return;
        }
        let groups = Groups::of(decisions);
        let across: Vec<NodeIndex> = self
            .graph
            .node_indices()
            .filter(|node| match &self.graph[*node].call {
                Call::Operation(resource::Operation::SecurityGroup(Operation::Authorize {
                    security_group,
                    direction: _,
                    rule,
                })) => match &rule.peer {
                    Peer::Group(peer) => groups.are_apart(security_group, peer),
                    Peer::Range(_) => false,
                },
                _ => false,
            })
            .collect();
        for node in across {
            chains.iter().for_each(|chain| self.edge(chain.last, node));
        }
    }
}

/// The VPCs of security groups.
struct Groups<'d> {
    by_address: BTreeMap<&'d Address, &'d Ref<Vpc>>,
    by_id: BTreeMap<&'d str, &'d Ref<Vpc>>,
}

impl<'d> Groups<'d> {
    fn of(decisions: &'d Decisions<'_>) -> Self {
        let (mut by_address, mut by_id) = (BTreeMap::new(), BTreeMap::new());
        for decision in &decisions.all {
            if let Some(Resource::SecurityGroup(group)) = &decision.desired {
                by_address.insert(&decision.address, &group.vpc);
                by_id.extend(decision.found.map(|found| (found.id.as_str(), &group.vpc)));
            }
        }
        Self { by_address, by_id }
    }

    fn vpc(&self, to: &Ref<SecurityGroup>) -> Option<&'d Ref<Vpc>> {
        match to {
            Ref::To(address) => self.by_address.get(address).copied(),
            Ref::Id(id) => self.by_id.get(id.as_str()).copied(),
        }
    }

    /// Whether two are in different VPCs, as far as that is known.
    fn are_apart(&self, one: &Ref<SecurityGroup>, other: &Ref<SecurityGroup>) -> bool {
        self.vpc(one).zip(self.vpc(other)).is_some_and(|(one, other)| one != other)
    }
}
