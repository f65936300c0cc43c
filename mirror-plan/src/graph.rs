//! The graph of a stack: which resource refers to which.
//!
//! petgraph is an implementation detail: the interface knows only addresses.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Dfs, Reversed};

use crate::address::Address;
use crate::stack::Stack;

/// The resources of a stack and their references to each other.
#[derive(Clone, Debug)]
pub struct ResourceGraph {
    /// An edge leads from a resource to one that it refers to.
    graph: DiGraph<Address, ()>,
    nodes: BTreeMap<Address, NodeIndex>,
}

impl ResourceGraph {
    /// The graph of `stack`.
    #[must_use]
    pub fn of(stack: &Stack) -> Self {
        let mut graph = DiGraph::with_capacity(stack.resources.len(), stack.resources.len());
        let nodes: BTreeMap<Address, NodeIndex> = stack
            .resources
            .keys()
            .map(|address| (address.clone(), graph.add_node(address.clone())))
            .collect();
        for (address, declared) in &stack.resources {
            let targets: BTreeSet<Address> =
                declared.resource.origins().into_iter().map(|origin| origin.address).collect();
            // A security group may refer to itself, which imposes no order.
            for target in targets.iter().filter(|target| *target != address) {
                // What the stack does not create is not ordered relative to what it creates.
                if let Some(target) = nodes.get(target) {
                    graph.add_edge(nodes[address], *target, ());
                }
            }
        }
        Self { graph, nodes }
    }

    /// Every resource, by address.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.nodes.keys()
    }

    /// Every reference as (from, to), in the order of the addresses.
    #[must_use]
    pub fn references(&self) -> BTreeSet<(&Address, &Address)> {
        self.graph
            .edge_indices()
            .filter_map(|edge| self.graph.edge_endpoints(edge))
            .map(|(from, to)| (&self.graph[from], &self.graph[to]))
            .collect()
    }

    /// What `address` refers to directly.
    pub fn dependencies(&self, address: &Address) -> impl Iterator<Item = &Address> {
        self.neighbors(address, petgraph::Direction::Outgoing)
    }

    /// What refers to `address` directly.
    pub fn dependents(&self, address: &Address) -> impl Iterator<Item = &Address> {
        self.neighbors(address, petgraph::Direction::Incoming)
    }

    fn neighbors(
        &self,
        address: &Address,
        direction: petgraph::Direction,
    ) -> impl Iterator<Item = &Address> {
        let node = self.nodes.get(address).copied();
        node.into_iter()
            .flat_map(move |node| self.graph.neighbors_directed(node, direction))
            .map(|node| &self.graph[node])
    }

    /// `roots` and everything they depend on, directly or indirectly.
    #[must_use]
    pub fn with_dependencies(&self, roots: &BTreeSet<Address>) -> BTreeSet<Address> {
        let mut found = BTreeSet::new();
        for root in roots.iter().filter_map(|root| self.nodes.get(root)) {
            let mut walk = Dfs::new(&self.graph, *root);
            while let Some(node) = walk.next(&self.graph) {
                found.insert(self.graph[node].clone());
            }
        }
        found
    }

    /// `roots` and everything that depends on them, directly or indirectly.
    #[must_use]
    pub fn with_dependents(&self, roots: &BTreeSet<Address>) -> BTreeSet<Address> {
        let reversed = Reversed(&self.graph);
        let mut found = BTreeSet::new();
        for root in roots.iter().filter_map(|root| self.nodes.get(root)) {
            let mut walk = Dfs::new(reversed, *root);
            while let Some(node) = walk.next(reversed) {
                found.insert(self.graph[node].clone());
            }
        }
        found
    }

    /// The circles of references. Some are legal, such as two security groups that admit each other.
    #[must_use]
    pub fn circles(&self) -> Vec<BTreeSet<Address>> {
        let mut circles: Vec<BTreeSet<Address>> = tarjan_scc(&self.graph)
            .into_iter()
            .filter(|component| component.len() > 1)
            .map(|component| component.into_iter().map(|node| self.graph[node].clone()).collect())
            .collect();
        circles.sort();
        circles
    }
}
