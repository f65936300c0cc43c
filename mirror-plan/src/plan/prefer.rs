//! Orders that no reference expresses: what should or must be done before something else.
//!
//! An instance starts once its routes exist, because its downloads at the first start use them; this includes
//! the instances of a group. AWS refuses a load balancer that faces the internet in a VPC without a gateway.
//! A receiver that is stopped for a moment cannot be registered. Mirroring begins once receivers are
//! registered.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::Decisions;
use super::{Action, Phase};
use crate::address::Address;
use crate::attribute::{Ref, Referable};
use crate::id::Identified;
use crate::resource::{
    AutoscalingGroup, GatewayLoadBalancerEndpoint, Instance, InternetGateway, LoadBalancer,
    MirrorSession, Resource, RouteTable, Subnet, TargetGroup, Vpc,
};
use crate::scalar::Scheme;

/// Two resources, one of which should be created or changed before the other.
pub(super) struct Order {
    pub(super) earlier: Address,
    /// The phases of the earlier one that the later one waits for.
    pub(super) phases: &'static [Phase],
    pub(super) later: Address,
}

/// All such orders.
pub(super) fn orders(decisions: &Decisions<'_>) -> Vec<Order> {
    const BOTH: &[Phase] = &[Phase::Create, Phase::Update];
    let stack = Desired::of(decisions);
    let mut orders = Vec::new();
    for (later, resource) in &stack.resources {
        let (earlier, phases): (Vec<&Address>, _) = match resource {
            Resource::Instance(instance) => (stack.tables_of(&instance.subnet).collect(), BOTH),
            Resource::AutoscalingGroup(group) => (stack.before_instances_of(group), BOTH),
            Resource::LoadBalancer(balancer) => (stack.gateways_of(balancer), BOTH),
            // The reference itself ensures that a new instance exists before it is registered.
            Resource::TargetGroup(group) => (stack.targets(group), &[Phase::Update]),
            Resource::MirrorSession(session) => (stack.receivers_behind(session), BOTH),
            _ => continue,
        };
        orders.extend(earlier.into_iter().map(|earlier| Order {
            earlier: earlier.clone(),
            phases,
            later: (*later).clone(),
        }));
    }
    orders
}

/// The resources as they will be, and how to find them. There may be tens of thousands of sessions and
/// instances, so nothing searches all resources for each of them.
struct Desired<'d> {
    resources: BTreeMap<&'d Address, &'d Resource>,
    /// By the id of the object that stands for it and stays.
    addresses: BTreeMap<&'d str, &'d Address>,
    /// The route tables of each subnet.
    tables: BTreeMap<&'d Ref<Subnet>, Vec<&'d Address>>,
    /// The internet gateways of each VPC.
    gateways: BTreeMap<&'d Ref<Vpc>, Vec<&'d Address>>,
    /// The Auto Scaling groups that register in each target group.
    members: BTreeMap<&'d Address, Vec<&'d Address>>,
}

impl<'d> Desired<'d> {
    fn of(decisions: &'d Decisions<'_>) -> Self {
        let there = decisions.all.iter().filter(|d| d.desired.is_some());
        let stays = |action: Action| matches!(action, Action::NoOp | Action::Move | Action::Update);
        let mut desired = Self {
            resources: there
                .clone()
                .filter_map(|decision| Some((&decision.address, decision.desired.as_ref()?)))
                .collect(),
            addresses: there
                .filter(|decision| stays(decision.action))
                .filter_map(|decision| Some((decision.found?.id.as_str(), &decision.address)))
                .collect(),
            tables: BTreeMap::new(),
            gateways: BTreeMap::new(),
            members: BTreeMap::new(),
        };
        desired.sort_in();
        desired
    }

    /// Indexes what is looked up from the other end of its references.
    fn sort_in(&mut self) {
        for (address, resource) in self.resources.clone() {
            match resource {
                Resource::RouteTable(RouteTable { subnets, .. }) => {
                    for subnet in subnets {
                        self.tables.entry(subnet).or_default().push(address);
                    }
                }
                Resource::InternetGateway(InternetGateway { vpc: Some(vpc), .. }) => {
                    self.gateways.entry(vpc).or_default().push(address);
                }
                Resource::AutoscalingGroup(AutoscalingGroup { target_groups, .. }) => {
                    for group in target_groups {
                        if let Some(group) = self.address(group) {
                            self.members.entry(group).or_default().push(address);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// The address that a reference leads to, if it is one of the stack.
    fn address<T: Referable + Identified>(&self, reference: &Ref<T>) -> Option<&'d Address> {
        match reference {
            Ref::To(address) => self.resources.get_key_value(address).map(|(address, _)| *address),
            Ref::Id(id) => self.addresses.get(id.as_str()).copied(),
        }
    }

    fn get<T: Referable + Identified>(&self, reference: &Ref<T>) -> Option<&'d Resource> {
        self.resources.get(self.address(reference)?).copied()
    }

    fn tables_of(&self, subnet: &Ref<Subnet>) -> impl Iterator<Item = &'d Address> {
        self.tables.get(subnet).into_iter().flatten().copied()
    }

    /// What comes before the instances of a group: they start with the launch template version that is the
    /// default then, and use the routes that exist then.
    fn before_instances_of(&self, group: &AutoscalingGroup) -> Vec<&'d Address> {
        let tables = group.subnets.iter().flat_map(|subnet| self.tables_of(subnet));
        tables.chain(self.address(&group.launch_template)).collect()
    }

    /// Source: ELBv2 API reference, `CreateLoadBalancer`: `InvalidSubnet` where the VPC of an
    /// internet-facing load balancer has no internet gateway.
    fn gateways_of(&self, balancer: &LoadBalancer) -> Vec<&'d Address> {
        if balancer.scheme == Scheme::Internal {
            return Vec::new();
        }
        let subnets = balancer.subnets.iter().filter_map(|subnet| self.get(subnet));
        let vpcs: BTreeSet<&Ref<Vpc>> = subnets
            .filter_map(|resource| match resource {
                Resource::Subnet(subnet) => Some(&subnet.vpc),
                _ => None,
            })
            .collect();
        vpcs.into_iter().filter_map(|vpc| self.gateways.get(vpc)).flatten().copied().collect()
    }

    /// The targets of a group: one that is stopped for a change is registered when it runs again.
    fn targets(&self, group: &TargetGroup) -> Vec<&'d Address> {
        group.targets.iter().filter_map(|target: &Ref<Instance>| self.address(target)).collect()
    }

    /// The target groups behind a session, and the Auto Scaling groups that register in them.
    fn receivers_behind(&self, session: &MirrorSession) -> Vec<&'d Address> {
        let behind = self.groups_behind(session);
        let members = behind.iter().filter_map(|group| self.members.get(group)).flatten();
        behind.iter().chain(members).copied().collect()
    }

    fn groups_behind(&self, session: &MirrorSession) -> Vec<&'d Address> {
        let Some(Resource::MirrorTarget(target)) = self.get(&session.target) else {
            return Vec::new();
        };
        if let Some(endpoint) = &target.gateway_load_balancer_endpoint {
            return self.groups_behind_endpoint(endpoint);
        }
        let balancer = target.load_balancer.as_ref().and_then(|balancer| self.get(balancer));
        let Some(Resource::LoadBalancer(balancer)) = balancer else {
            return Vec::new();
        };
        balancer.listeners.iter().filter_map(|l| self.address(&l.target_group)).collect()
    }

    fn groups_behind_endpoint(
        &self,
        endpoint: &Ref<GatewayLoadBalancerEndpoint>,
    ) -> Vec<&'d Address> {
        let service = match self.get(endpoint) {
            Some(Resource::GatewayLoadBalancerEndpoint(endpoint)) => self.get(&endpoint.service),
            _ => None,
        };
        let Some(Resource::EndpointService(service)) = service else { return Vec::new() };
        let balancers = service.gateway_load_balancers.iter().filter_map(|to| self.get(to));
        let groups = balancers.filter_map(|balancer| match balancer {
            Resource::GatewayLoadBalancer(balancer) => balancer.target_group.as_ref(),
            _ => None,
        });
        groups.filter_map(|group| self.address(group)).collect()
    }
}
