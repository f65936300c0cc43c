//! Fates: which objects stay, which are replaced, and which must be deleted before their replacement is
//! created.
//!
//! A replaced object gets a new id, which may force what refers to it to be replaced too. So the fates are
//! computed as a fixed point: they start at "everything stays" and only ever get worse, until nothing changes
//! any more. Circles of references need no special care, and the order of evaluation does not matter.

use std::collections::{BTreeMap, BTreeSet};

use super::diff::{self, Difference};
use super::resolve::{self, Known};
use super::uses::Uses;
use super::{Part, Reason, Request};
use crate::address::{Address, Kind};
use crate::attribute::{OnChange, Ref};
use crate::graph::ResourceGraph;
use crate::observed::Observed;
use crate::resource::{ReplaceOrder, Resource, Subnet, Vpc, object_type};
use crate::scalar::GroupSize;
use crate::stack::Stack;
use crate::value::{Origin, Value};

mod defaults;

/// Why and how an object is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Replacement {
    pub(super) order: ReplaceOrder,
    pub(super) reasons: BTreeSet<Reason>,
}

/// A declared resource compared with the object that stands for it.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    /// The object's attributes, in canonical form.
    pub(super) observed: Resource,
    /// The attributes it should have, with what is left to AWS as it is.
    pub(super) desired: Resource,
    /// Where they differ.
    pub(super) differences: Vec<Difference>,
}

/// The fates of the objects of a stack.
#[derive(Debug)]
pub(super) struct Fates<'p> {
    stack: &'p Stack,
    observed: &'p Observed,
    request: &'p Request,
    /// What is planned; the rest of the stack is left as it is.
    scope: BTreeSet<Address>,
    pub(super) graph: ResourceGraph,
    pub(super) uses: Uses,
    replaced: BTreeMap<Address, Replacement>,
    restarted: BTreeSet<Address>,
    comparisons: BTreeMap<Address, Comparison>,
}

impl Known for Fates<'_> {
    fn look_up(&self, origin: &Origin) -> Option<Value> {
        if self.replaced.contains_key(&origin.address) {
            return None;
        }
        // A stopped instance loses its public address.
        let public = matches!(origin.attribute.as_str(), "public_ip" | "public_dns");
        if public && self.restarted.contains(&origin.address) {
            return None;
        }
        self.observed.attribute(origin)
    }
}

impl<'p> Fates<'p> {
    /// The fates of everything that is declared and in `scope`.
    pub(super) fn find(
        stack: &'p Stack,
        observed: &'p Observed,
        request: &'p Request,
        scope: BTreeSet<Address>,
    ) -> Self {
        let mut fates = Self {
            stack,
            observed,
            request,
            graph: ResourceGraph::of(stack),
            uses: Uses::of(observed),
            replaced: BTreeMap::new(),
            restarted: BTreeSet::new(),
            comparisons: BTreeMap::new(),
            scope,
        };
        let mut open: BTreeSet<Address> = fates.scope.clone();
        while !open.is_empty() {
            while let Some(address) = open.pop_first() {
                open.extend(fates.compare(&address));
            }
            open.extend(fates.apply_rules());
        }
        fates
    }

    /// The replacement of an address, if its object is replaced.
    pub(super) fn replacement(&self, address: &Address) -> Option<&Replacement> {
        self.replaced.get(address)
    }

    /// The comparison of an address with its object, if it has one.
    pub(super) fn comparison(&self, address: &Address) -> Option<&Comparison> {
        self.comparisons.get(address)
    }

    pub(super) fn scope(&self) -> &BTreeSet<Address> {
        &self.scope
    }

    pub(super) fn observed(&self) -> &'p Observed {
        self.observed
    }

    /// Whether the whole stack is planned.
    pub(super) fn is_of_all(&self) -> bool {
        self.request.targets.is_empty() && self.request.part == Part::Whole
    }

    /// Compares a resource with its object, and returns what must be compared again because of it.
    fn compare(&mut self, address: &Address) -> Vec<Address> {
        let (Some(declared), Some(found)) =
            (self.stack.resources.get(address), self.observed.current(address))
        else {
            return Vec::new();
        };
        let observed = resolve::canonical(&found.resource);
        let declared = resolve::resolve(&declared.resource, self);
        let order = declared.replace_order(&observed);
        let desired = resolve::keep_chosen(declared, &observed).settled(&observed);
        let mut replaces_also = desired.replaces_also(&observed);
        if self.is_elsewhere(&desired, &observed) {
            replaces_also.push("subnets");
        }
        let differences = diff::differences(&observed, &desired, &replaces_also);
        let mut reasons: Vec<Reason> = differences
            .iter()
            .filter(|difference| difference.forces_replacement)
            .map(|difference| Reason::Forced { attribute: difference.attribute.clone() })
            .collect();
        if self.request.replace.contains(address) {
            reasons.push(Reason::Requested);
        }
        let restarts = differences.iter().any(|difference| {
            object_type(address.kind)
                .attribute(&difference.attribute)
                .is_some_and(|attribute| attribute.on_change == OnChange::Restart)
        });
        self.comparisons.insert(address.clone(), Comparison { observed, desired, differences });
        let mut changed = reasons
            .into_iter()
            .filter(|reason| self.replace(address, order, reason.clone()))
            .count()
            > 0;
        changed |= restarts && self.restarted.insert(address.clone());
        if changed { self.dependents(address) } else { Vec::new() }
    }

    /// Whether a load balancer is to get subnets in another VPC, to which it cannot move.
    ///
    /// Source: ELBv2 API reference, `SetSubnets`: `InvalidSubnet`.
    fn is_elsewhere(&self, desired: &Resource, observed: &Resource) -> bool {
        let vpc = |of: &Resource| {
            let subnets = match of {
                Resource::LoadBalancer(it) => it.subnets.as_slice(),
                Resource::GatewayLoadBalancer(it) => it.subnets.as_slice(),
                _ => &[],
            };
            subnets.iter().find_map(|subnet| self.vpc_of(subnet))
        };
        vpc(desired).zip(vpc(observed)).is_some_and(|(desired, observed)| desired != observed)
    }

    /// The VPC of a subnet: as it will be for a subnet of the stack, as it is for one that is named by its id.
    fn vpc_of(&self, subnet: &Ref<Subnet>) -> Option<Ref<Vpc>> {
        let subnet = match subnet {
            Ref::To(address) => {
                resolve::resolve(&self.stack.resources.get(address)?.resource, self)
            }
            Ref::Id(id) => {
                let objects = self.observed.owned.values().flatten();
                let found = objects.chain(self.observed.existing.values());
                found.clone().find(|found| found.id.as_str() == id.as_str())?.resource.clone()
            }
        };
        match subnet {
            Resource::Subnet(subnet) => Some(subnet.vpc),
            _ => None,
        }
    }

    /// Replaces an object, or adds a reason or the stricter order. Returns whether anything changed.
    fn replace(&mut self, address: &Address, order: ReplaceOrder, reason: Reason) -> bool {
        if !self.scope.contains(address) || self.observed.current(address).is_none() {
            return false;
        }
        let replacement = self
            .replaced
            .entry(address.clone())
            .or_insert_with(|| Replacement { order, reasons: BTreeSet::new() });
        let stricter = order == ReplaceOrder::DeleteThenCreate && replacement.order != order;
        if stricter {
            replacement.order = order;
        }
        replacement.reasons.insert(reason) || stricter
    }

    fn dependents(&self, address: &Address) -> Vec<Address> {
        let dependents = self.graph.dependents(address);
        dependents.filter(|dependent| self.scope.contains(dependent)).cloned().collect()
    }

    /// Applies the rules of AWS that no attribute expresses, and returns what must be compared again.
    fn apply_rules(&mut self) -> Vec<Address> {
        let mut news = self.force(self.serve_a_left_over_load_balancer());
        news.extend(self.force(self.hold_groups_that_go()));
        for (address, replacement) in self.replaced.clone() {
            let forced = match (address.kind, replacement.order) {
                (_, ReplaceOrder::DeleteThenCreate) => self.cannot_outlive(&address),
                (
                    Kind::LoadBalancer | Kind::GatewayLoadBalancer,
                    ReplaceOrder::CreateThenDelete,
                ) => self.serve_one_load_balancer(&address),
                (Kind::MirrorTarget, ReplaceOrder::CreateThenDelete) => self.same_place(&address),
                _ => Vec::new(),
            };
            news.extend(self.force(forced));
        }
        news
    }

    /// Adds the replacements, and returns what must be compared again because of those that are new.
    fn force(&mut self, forced: Vec<Forced>) -> Vec<Address> {
        let mut news = Vec::new();
        for (address, order, reason) in forced {
            if self.replace(&address, order, reason) {
                news.extend(self.dependents(&address));
                news.push(address);
            }
        }
        news
    }

    /// If `gone` is deleted before its replacement is created, so must be every object that cannot do without
    /// it.
    fn cannot_outlive(&self, gone: &Address) -> Vec<Forced> {
        let Some(object) = self.uses.current(gone) else { return Vec::new() };
        let users = self.uses.users(object).filter(|(_, attribute)| !attribute.can_do_without);
        users
            .filter(|(user, _)| self.uses.current(&user.address) == Some(*user))
            .filter(|(user, _)| self.stack.resources.contains_key(&user.address))
            .map(|(user, _)| {
                let reason = Reason::GoesWith { address: gone.clone() };
                (user.address.clone(), ReplaceOrder::DeleteThenCreate, reason)
            })
            .collect()
    }

    /// A target group serves only one load balancer, so a replaced load balancer needs a new target group.
    ///
    /// Source: Network Load Balancer guide, "Target groups": each can be used with one load balancer.
    fn serve_one_load_balancer(&self, load_balancer: &Address) -> Vec<Forced> {
        let desired = self.stack.resources.get(load_balancer).map(|declared| &declared.resource);
        let groups: Vec<_> = match desired {
            Some(Resource::LoadBalancer(desired)) => {
                desired.listeners.iter().map(|listener| &listener.target_group).collect()
            }
            Some(Resource::GatewayLoadBalancer(desired)) => desired.target_group.iter().collect(),
            _ => Vec::new(),
        };
        let origins = groups.into_iter().filter_map(|group| group.origin());
        origins
            .filter(|origin| self.uses.uses(load_balancer, &origin.address))
            .map(|origin| {
                let reason = Reason::ServesReplaced { load_balancer: load_balancer.clone() };
                (origin.address, ReplaceOrder::CreateThenDelete, reason)
            })
            .collect()
    }

    /// The same for a load balancer whose replacement an earlier run created before it stopped: the existing
    /// target group serves the old one.
    fn serve_a_left_over_load_balancer(&self) -> Vec<Forced> {
        let groups = self.scope.iter().filter(|address| address.kind == Kind::TargetGroup);
        let objects = groups.filter_map(|group| Some((group, self.uses.current(group)?)));
        let forced = objects.filter_map(|(group, object)| {
            let mut users = self.uses.users(object).map(|(user, _)| user);
            let old = users.find(|user| {
                matches!(user.address.kind, Kind::LoadBalancer | Kind::GatewayLoadBalancer)
                    && self.stack.resources.contains_key(&user.address)
                    && self.uses.current(&user.address) != Some(*user)
            })?;
            let reason = Reason::ServesReplaced { load_balancer: old.address.clone() };
            Some((group.clone(), ReplaceOrder::CreateThenDelete, reason))
        });
        forced.collect()
    }

    /// A launch template that gets other security groups does not change running instances, and AWS removes no
    /// group that one of them is in: new instances must take over.
    ///
    /// Source: Amazon EC2 Auto Scaling user guide, "Launch templates"; VPC user guide, "Delete a security group".
    fn hold_groups_that_go(&self) -> Vec<Forced> {
        let groups = self.observed.owned.keys().filter(|it| it.kind == Kind::SecurityGroup);
        let going = groups.filter(|group| {
            let is_removed =
                !self.stack.resources.contains_key(group) && self.request.targets.is_empty();
            is_removed || self.replaced.contains_key(group)
        });
        let members = going.flat_map(|group| {
            let members = self.uses.members_in(group).into_iter();
            let members = members.filter(|member| self.has_instances(member));
            members.map(move |member| {
                let reason = Reason::HoldsGroup { security_group: group.clone() };
                (member.clone(), ReplaceOrder::CreateThenDelete, reason)
            })
        });
        members.collect()
    }

    fn has_instances(&self, group: &Address) -> bool {
        match self.observed.current(group).map(|found| &found.resource) {
            Some(Resource::AutoscalingGroup(group)) => group.desired != Some(GroupSize::MIN),
            _ => false,
        }
    }

    /// AWS allows one mirror target for each load balancer or interface: if the old and the new one send to the
    /// same destination, the old one is deleted first. For endpoints AWS does not state this.
    ///
    /// Source: EC2 API reference, "Error codes": `NlbInUseByTrafficMirrorTargetException`.
    fn same_place(&self, target: &Address) -> Vec<Forced> {
        let destination = |resource: &Resource| match resource {
            Resource::MirrorTarget(target) => target.destination(),
            _ => None,
        };
        let same = self.comparisons.get(target).is_some_and(|comparison| {
            destination(&comparison.desired) == destination(&comparison.observed)
        });
        same.then(|| (target.clone(), ReplaceOrder::DeleteThenCreate, Reason::DestinationTaken))
            .into_iter()
            .collect()
    }
}

/// A replacement that a rule forces.
type Forced = (Address, ReplaceOrder, Reason);
