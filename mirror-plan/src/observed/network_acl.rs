//! Network ACLs of the subnets that mirrored packets leave and enter, as they were seen.
//!
//! A stack creates none. Whoever has changed the ACL that AWS creates with a VPC, or has given a subnet another one,
//! decides about every packet that leaves or enters the subnet.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Observed;
use crate::address::Kind;
use crate::attribute::Ref;
use crate::id::NetworkAclId;
use crate::resource::Resource;
use crate::resource::subnet::SubnetId;
use crate::resource::vpc::VpcId;
use crate::scalar::{Direction, IpRange, PortRange, Protocol};
use crate::stack::Stack;

/// A network ACL.
///
/// Source: VPC user guide, "Network ACL basics".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkAcl {
    /// Its VPC.
    pub vpc: VpcId,
    /// Whether it is the default ACL of its VPC, which every subnet created there gets.
    pub is_default: bool,
    /// Its rules, in no particular order: their numbers give the order.
    pub rules: Vec<AclRule>,
    /// The subnets that have it.
    pub subnets: BTreeSet<SubnetId>,
}

/// A rule of a network ACL, which may be the final one that closes every ACL.
///
/// Source: VPC user guide, "Network ACL rules".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AclRule {
    /// Its number: of the rules that match a packet, the one with the lowest number decides.
    pub number: u16,
    /// Whether it applies to packets that enter the subnet or to those that leave it.
    pub direction: Direction,
    /// What happens to the packets.
    pub action: AclAction,
    /// Their protocol. Nothing more is kept of rules for ICMP, since no mirrored packet is ICMP.
    pub protocol: Protocol,
    /// Where they come from, or where they go.
    pub range: IpRange,
    /// The ports that they go to; all ports if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<PortRange>,
}

/// What a network ACL does with packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AclAction {
    /// They pass.
    Allow,
    /// They are dropped, without an error.
    Deny,
}

impl AclRule {
    /// The number of the rule that closes every ACL and denies what no other rule decides about. Consoles show it as
    /// `*`.
    ///
    /// Source: EC2 API reference, `CreateNetworkAclEntry`: the numbers of one's own rules end at 32766.
    pub const LAST: u16 = 32767;
}

impl NetworkAcl {
    /// Whether the first rule of a direction lets all IPv4 traffic through, as in the ACL that AWS creates with a
    /// VPC.
    ///
    /// Source: VPC user guide, "Default network ACL".
    #[must_use]
    pub fn is_open(&self, direction: Direction) -> bool {
        let of_v4 = |rule: &&AclRule| rule.range.net().addr().is_ipv4();
        let rules = self.rules.iter().filter(|rule| rule.direction == direction).filter(of_v4);
        let first = rules.min_by_key(|rule| rule.number);
        first.is_some_and(|rule| {
            let AclRule { number: _, direction: _, action, protocol, range, port } = rule;
            *action == AclAction::Allow
                && *protocol == Protocol::All
                && *range == IpRange::any_v4()
                && port.is_none()
        })
    }
}

impl Stack {
    /// Whether network ACLs may block what it mirrors, as far as that can be known: a subnet that is named only by
    /// its id is unknown, and so is its ACL.
    pub(crate) fn has_sessions_and_subnets(&self) -> bool {
        let has = |kind: Kind| self.resources.keys().any(|address| address.kind == kind);
        let mirrors = has(Kind::MirrorSession) || !self.fan_outs.is_empty();
        let mut existing = self.existing.keys();
        mirrors && (has(Kind::Subnet) || existing.any(|address| address.kind == Kind::Subnet))
    }
}

impl Observed {
    /// Returns the VPCs whose network ACLs may block what `stack` mirrors: those with a subnet that the stack has or
    /// uses, and those of others in which it creates a subnet. Its references to existing objects are already ids.
    #[must_use]
    pub fn vpcs_on_the_way(&self, stack: &Stack) -> BTreeSet<VpcId> {
        if !stack.has_sessions_and_subnets() {
            return BTreeSet::new();
        }
        let declared = stack.resources.iter().filter_map(|(address, declared)| {
            let found = self.current(address).map(|found| &found.resource);
            vpc_of(found.unwrap_or(&declared.resource))
        });
        let used = self.existing.values().filter_map(|found| vpc_of(&found.resource));
        declared.chain(used).cloned().collect()
    }

    /// Returns what a plan keeps of the network ACLs: for each VPC in which not all of them let everything through,
    /// the default one and those of the stack's subnets. What others have there is left out, so that a plan is the
    /// same whatever they do.
    pub(crate) fn closed_network_acls(&self) -> BTreeMap<NetworkAclId, NetworkAcl> {
        let owned = self.owned.values().flatten();
        let own: BTreeSet<SubnetId> = owned
            .filter(|found| matches!(found.resource, Resource::Subnet(_)))
            .filter_map(|found| found.id.of().ok())
            .collect();
        let of_own = self.network_acls.iter().map(|(id, acl)| {
            let subnets = acl.subnets.intersection(&own).cloned().collect();
            (id.clone(), NetworkAcl { subnets, ..acl.clone() })
        });
        let mut kept: BTreeMap<NetworkAclId, NetworkAcl> =
            of_own.filter(|(_, acl)| acl.is_default || !acl.subnets.is_empty()).collect();
        let is_closed = |acl: &&NetworkAcl| {
            !(acl.is_open(Direction::Ingress) && acl.is_open(Direction::Egress))
        };
        let closed = kept.values().filter(is_closed).map(|acl| acl.vpc.clone());
        let closed: BTreeSet<VpcId> = closed.collect();
        kept.retain(|_, acl| closed.contains(&acl.vpc));
        kept
    }
}

/// Returns the VPC of a subnet, if the VPC exists.
const fn vpc_of(resource: &Resource) -> Option<&VpcId> {
    match resource {
        Resource::Subnet(subnet) => match &subnet.vpc {
            Ref::Id(id) => Some(id),
            Ref::To(_) => None,
        },
        Resource::Vpc(_)
        | Resource::InternetGateway(_)
        | Resource::RouteTable(_)
        | Resource::VpcPeering(_)
        | Resource::TransitGatewayAttachment(_)
        | Resource::SecurityGroup(_)
        | Resource::Instance(_)
        | Resource::LaunchTemplate(_)
        | Resource::TargetGroup(_)
        | Resource::AutoscalingGroup(_)
        | Resource::LoadBalancer(_)
        | Resource::GatewayLoadBalancer(_)
        | Resource::EndpointService(_)
        | Resource::GatewayLoadBalancerEndpoint(_)
        | Resource::MirrorTarget(_)
        | Resource::MirrorFilter(_)
        | Resource::MirrorSession(_)
        | Resource::ResourceShare(_) => None,
    }
}
