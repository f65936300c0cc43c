//! The network, as far as it is known: what a stack declares, what was seen, and what is only named.

use std::collections::BTreeMap;
use std::fmt;

use super::end::Place;
use super::health::Health;
use super::network_acl::Acl;
use crate::address::Address;
use crate::attribute::{Ref, Referable};
use crate::id::{NetworkAclId, ObjectId};
use crate::observed::{Found, Interface, NetworkAcl, Observed};
use crate::resource::instance::InstanceId;
use crate::resource::target_group::TargetGroupArn;
use crate::resource::{
    AutoscalingGroup, EndpointService, GatewayLoadBalancer, GatewayLoadBalancerEndpoint, Instance,
    LaunchTemplate, LoadBalancer, MirrorFilter, MirrorSession, MirrorTarget, Resource, RouteTable,
    SecurityGroup, Subnet, TargetGroup, TransitGatewayAttachment, Vpc, VpcPeering,
};
use crate::scalar::TransitGatewayId;
use crate::stack::{FanOut, Stack};

/// The network that mirrored packets cross.
///
/// The objects in it are known. Of any other object, only the id is known by which an object in the network names
/// it.
#[derive(Debug, Default)]
pub struct Network<'s> {
    /// What the stack makes.
    own: BTreeMap<&'s Address, &'s Resource>,
    /// The objects that it uses and did not make, as they were seen.
    used: BTreeMap<&'s Address, &'s Resource>,
    /// The object that has an id; an instance also has the id of its primary interface.
    addresses: BTreeMap<&'s str, &'s Address>,
    /// The ids of those of the stack's objects that exist.
    ids: BTreeMap<&'s Address, &'s ObjectId>,
    /// Interfaces that may be selected as sources.
    interfaces: BTreeMap<&'s str, &'s Interface>,
    /// Sessions over sources that have not been counted yet.
    fan_outs: BTreeMap<&'s Address, &'s FanOut>,
    /// The route tables of each subnet.
    tables: BTreeMap<Mention<'s>, Vec<(Mention<'s>, &'s RouteTable)>>,
    /// The Auto Scaling groups that register their instances in each target group.
    members: BTreeMap<Mention<'s>, Vec<(Mention<'s>, &'s AutoscalingGroup)>>,
    /// The attachments to transit gateways, by gateway and VPC.
    attachments: BTreeMap<(&'s TransitGatewayId, Mention<'s>), Attached<'s>>,
    /// The network ACLs that were seen.
    acls: Acls<'s>,
    health: Health,
}

/// Network ACLs that were seen, each with its id.
#[derive(Debug, Default)]
struct Acls<'s> {
    /// By the subnet that has it.
    of_subnets: BTreeMap<&'s str, (&'s NetworkAclId, &'s NetworkAcl)>,
    /// The default network ACL of each VPC in which any network ACL was seen.
    of_vpcs: BTreeMap<&'s str, Option<(&'s NetworkAclId, &'s NetworkAcl)>>,
}

/// An attachment to a transit gateway, and how it is named.
type Attached<'s> = (Mention<'s>, &'s TransitGatewayAttachment);

/// How one object names another: by its address if it is known, otherwise by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mention<'s> {
    Of(&'s Address),
    Id(&'s str),
}

/// Whether a stack makes an object. The rules and routes of an object that belongs to others may be incomplete: a
/// stack file cannot express some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Own,
    Others,
}

/// An object that is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'s, T> {
    pub(crate) it: &'s T,
    pub(crate) whose: Whose,
}

/// Makes the methods that look up an object of one kind.
macro_rules! known {
    ($($name:ident: $kind:ident;)+) => {$(
        pub(crate) fn $name(&self, mention: Mention<'s>) -> Option<Known<'s, $kind>> {
            match self.known(mention)? {
                Known { it: Resource::$kind(it), whose } => Some(Known { it, whose }),
                _ => None,
            }
        }
    )+};
}

impl<'s> Network<'s> {
    /// The network as a stack declares it.
    #[must_use]
    pub fn of_stack(stack: &'s Stack) -> Self {
        let own = stack.resources.iter().map(|(address, declared)| (address, &declared.resource));
        let fan_outs = stack.fan_outs.iter().map(|(address, fan_out)| (address, &fan_out.of));
        Self::declared(own, fan_outs)
    }

    /// The same for resources from anywhere.
    pub(crate) fn declared(
        own: impl IntoIterator<Item = (&'s Address, &'s Resource)>,
        fan_outs: impl IntoIterator<Item = (&'s Address, &'s FanOut)>,
    ) -> Self {
        let own = own.into_iter().collect();
        let fan_outs = fan_outs.into_iter().collect();
        Self { own, fan_outs, ..Self::default() }.with_tables()
    }

    /// The network as it was seen in the account, whatever the stack file contains by now.
    #[must_use]
    pub fn of_observed(observed: &'s Observed) -> Self {
        let mut network = Self::default();
        for (address, all) in &observed.owned {
            for found in all {
                network.name(address, found);
            }
            if let Some(found) = all.iter().max_by_key(|found| found.generation) {
                network.own.insert(address, &found.resource);
                network.ids.insert(address, &found.id);
            }
        }
        network.using(observed)
    }

    /// Adds what was seen of the sources of a stack, and of the objects that it uses and did not make. The stack
    /// names these by their ids, as [`Stack::using`] returns it.
    #[must_use]
    pub fn using(mut self, observed: &'s Observed) -> Self {
        for (address, found) in &observed.existing {
            self.name(address, found);
            self.used.insert(address, &found.resource);
            self.ids.insert(address, &found.id);
        }
        let seen = observed.sources.values().flat_map(|sighting| &sighting.interfaces);
        self.interfaces.extend(seen.map(|(id, interface)| (id.as_str(), interface)));
        for (address, all) in &observed.owned {
            if let Some(found) = all.iter().max_by_key(|found| found.generation) {
                self.ids.entry(address).or_insert(&found.id);
            }
        }
        self.acls = Acls::of(&observed.network_acls);
        self.with_tables()
    }

    /// Adds what a plan holds: the ids of existing objects, and network ACLs.
    pub(crate) fn with_acls(
        mut self,
        ids: impl IntoIterator<Item = (&'s Address, &'s ObjectId)>,
        acls: &'s BTreeMap<NetworkAclId, NetworkAcl>,
    ) -> Self {
        self.ids.extend(ids);
        self.acls = Acls::of(acls);
        self
    }

    /// Adds what the load balancers report about the health of their targets.
    #[must_use]
    pub fn with_health(self, health: Health) -> Self {
        Self { health, ..self }
    }

    /// Remembers which object has an id.
    fn name(&mut self, address: &'s Address, found: &'s Found) {
        let interface = found.computed.get("network_interface").and_then(Option::as_deref);
        let ids = [Some(found.id.as_str()), interface].into_iter().flatten();
        self.addresses.extend(ids.map(|id| (id, address)));
    }

    /// Indexes the route tables by their subnets, the Auto Scaling groups by their target groups, and the
    /// attachments by gateway and VPC.
    fn with_tables(mut self) -> Self {
        self.tables.clear();
        self.members.clear();
        self.attachments.clear();
        for (address, resource) in self.own.iter().chain(&self.used) {
            if let Resource::TransitGatewayAttachment(it) = resource {
                let key = (&it.transit_gateway, self.mention(&it.vpc));
                self.attachments.insert(key, (Mention::Of(address), it));
            }
            if let Resource::AutoscalingGroup(group) = resource {
                for to in &group.target_groups {
                    let to = self.mention(to);
                    self.members.entry(to).or_default().push((Mention::Of(address), group));
                }
            }
            let Resource::RouteTable(table) = resource else { continue };
            for subnet in &table.subnets {
                let subnet = self.mention(subnet);
                self.tables.entry(subnet).or_default().push((Mention::Of(address), table));
            }
        }
        self
    }

    /// How a reference names the object that it leads to.
    pub(crate) fn mention<T: Referable>(&self, to: &'s Ref<T>) -> Mention<'s> {
        match to {
            Ref::To(address) => Mention::Of(address),
            Ref::Id(id) => self.mention_of_id(id.as_str()),
        }
    }

    pub(super) fn mention_of_id(&self, id: &'s str) -> Mention<'s> {
        self.addresses.get(id).map_or(Mention::Id(id), |address| Mention::Of(address))
    }

    fn known(&self, mention: Mention<'s>) -> Option<Known<'s, Resource>> {
        let Mention::Of(address) = mention else { return None };
        let own = self.own.get(address).map(|it| Known { it: *it, whose: Whose::Own });
        own.or_else(|| {
            let used = self.used.get(address)?;
            Some(Known { it: *used, whose: Whose::Others })
        })
    }

    /// What is behind a reference, with its address, if it is known.
    pub(crate) fn behind<T: Referable>(
        &self,
        to: &Ref<T>,
    ) -> Option<(&'s Address, Known<'s, Resource>)> {
        let named = match to {
            Ref::To(address) => address,
            Ref::Id(id) => *self.addresses.get(id.as_str())?,
        };
        let find = |all: &BTreeMap<&'s Address, &'s Resource>, whose| {
            let (address, it) = all.get_key_value(named)?;
            Some((*address, Known { it: *it, whose }))
        };
        find(&self.own, Whose::Own).or_else(|| find(&self.used, Whose::Others))
    }

    known! {
        vpc: Vpc;
        vpc_peering: VpcPeering;
        subnet: Subnet;
        security_group: SecurityGroup;
        instance: Instance;
        launch_template: LaunchTemplate;
        autoscaling_group: AutoscalingGroup;
        target_group: TargetGroup;
        load_balancer: LoadBalancer;
        gateway_load_balancer: GatewayLoadBalancer;
        endpoint_service: EndpointService;
        endpoint: GatewayLoadBalancerEndpoint;
        target: MirrorTarget;
        filter: MirrorFilter;
    }

    /// The interface that an id names, if it was seen as a source.
    pub(super) fn interface(&self, mention: Mention<'s>) -> Option<&'s Interface> {
        match mention {
            Mention::Of(_) => None,
            Mention::Id(id) => self.interfaces.get(id).copied(),
        }
    }

    /// The route tables that name a subnet.
    pub(super) fn tables(&self, subnet: Mention<'s>) -> &[(Mention<'s>, &'s RouteTable)] {
        self.tables.get(&subnet).map_or(&[], Vec::as_slice)
    }

    /// The Auto Scaling groups that register their instances in a target group.
    pub(crate) fn members(&self, group: Mention<'s>) -> &[(Mention<'s>, &'s AutoscalingGroup)] {
        self.members.get(&group).map_or(&[], Vec::as_slice)
    }

    /// The attachment of a VPC to a transit gateway, if it is known.
    pub(super) fn attachment(
        &self,
        gateway: &TransitGatewayId,
        vpc: Mention<'s>,
    ) -> Option<Attached<'s>> {
        self.attachments.get(&(gateway, vpc)).copied()
    }

    /// The network ACL of a subnet. A subnet that does not exist yet gets the default one of its VPC.
    ///
    /// Source: VPC user guide, "Network ACL basics".
    pub(super) fn acl(&self, at: Place<'s>) -> Acl<'s> {
        let Acls { of_subnets, of_vpcs } = &self.acls;
        let in_vpc = self.id(at.vpc).and_then(|vpc| of_vpcs.get(vpc));
        let seen = match self.id(at.subnet) {
            Some(subnet) => of_subnets.get(subnet).copied(),
            None => in_vpc.copied().flatten(),
        };
        match seen {
            Some((id, acl)) => Acl::Seen(id, acl),
            // The network ACLs were not looked up.
            None if in_vpc.is_none() && self.whose(at.vpc) == Whose::Own => Acl::Made,
            None => Acl::Unseen,
        }
    }

    pub(crate) fn whose(&self, mention: Mention<'s>) -> Whose {
        self.known(mention).map_or(Whose::Others, |known| known.whose)
    }

    /// The sessions, each with its address.
    pub(super) fn sessions(&self) -> impl Iterator<Item = (&'s Address, &'s MirrorSession)> {
        self.own.iter().filter_map(|(address, resource)| match resource {
            Resource::MirrorSession(session) => Some((*address, session)),
            _ => None,
        })
    }

    /// The mirror targets that the stack makes.
    pub(super) fn targets(&self) -> impl Iterator<Item = &'s Address> {
        let own = self.own.iter();
        own.filter(|(_, it)| matches!(it, Resource::MirrorTarget(_))).map(|(address, _)| *address)
    }

    pub(super) fn fan_outs(&self) -> impl Iterator<Item = (&'s Address, &'s FanOut)> {
        self.fan_outs.iter().map(|(address, fan_out)| (*address, *fan_out))
    }

    /// What a load balancer reports about the health of one of its targets.
    pub(super) fn health_of(
        &self,
        group: Mention<'s>,
        receiver: Mention<'s>,
    ) -> Option<&super::Condition> {
        if self.health.0.is_empty() {
            return None;
        }
        let group: TargetGroupArn = self.id(group)?.parse().ok()?;
        let receiver: InstanceId = self.id(receiver)?.parse().ok()?;
        self.health.0.get(&(group, receiver))
    }

    /// The id of an object, if it exists.
    pub(crate) fn id(&self, mention: Mention<'s>) -> Option<&'s str> {
        match mention {
            Mention::Id(id) => Some(id),
            Mention::Of(address) => self.ids.get(address).map(|id| id.as_str()),
        }
    }
}

impl<'s> Acls<'s> {
    fn of(seen: &'s BTreeMap<NetworkAclId, NetworkAcl>) -> Self {
        let mut acls = Self::default();
        for (id, acl) in seen {
            let of_vpc = acls.of_vpcs.entry(acl.vpc.as_str()).or_default();
            if acl.is_default {
                *of_vpc = Some((id, acl));
            }
            acls.of_subnets.extend(acl.subnets.iter().map(|subnet| (subnet.as_str(), (id, acl))));
        }
        acls
    }
}

impl fmt::Display for Mention<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(address) => write!(f, "{address}"),
            Self::Id(id) => f.write_str(id),
        }
    }
}
