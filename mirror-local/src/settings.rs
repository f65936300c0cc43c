//! What can be changed about a local AWS: durations of transitions, quotas, and what callers may do.

use crate::authorization::Policy;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long each transition takes: each field is the time for which what it describes holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Durations {
    /// A new VPC or subnet is `pending`.
    pub network_pending: Duration,
    /// A new instance, or one being started, is `pending`.
    pub instance_pending: Duration,
    /// An instance is `stopping`.
    pub instance_stopping: Duration,
    /// An instance is `shutting-down`; its interfaces and volumes are deleted at the end.
    pub instance_shutting_down: Duration,
    /// A terminated instance can still be described.
    pub instance_remembered: Duration,
    /// An Auto Scaling group has not yet noticed that one of its instances runs, fails its health checks or is
    /// terminated.
    pub auto_scaling_noticing: Duration,
    /// A new load balancer is `provisioning`.
    pub load_balancer_provisioning: Duration,
    /// Interfaces of a deleted load balancer linger and keep what they are in from being deleted.
    pub load_balancer_lingering: Duration,
    /// The interface of each further zone of a deleted load balancer lingers this much longer.
    pub load_balancer_staggering: Duration,
    /// A transit gateway or an attachment to one is `pending`, `modifying` or `deleting`; the interfaces of an
    /// attachment are deleted at the end of its deletion.
    pub transit_gateway_changing: Duration,
    /// An endpoint service or an endpoint is `pending` or `deleting`; the interface of an endpoint is deleted at the
    /// end of its deletion.
    pub endpoint_changing: Duration,
    /// What is added to a resource share is `ASSOCIATING`, what is removed from it is `DISASSOCIATING`, and a deleted
    /// share is `DELETING`.
    pub resource_share_changing: Duration,
    /// A registered target is `initial`.
    pub target_initial: Duration,
    /// A deregistered target is `draining` for no longer than this, whatever its target group specifies.
    pub target_draining: Duration,
}

impl Default for Durations {
    /// Short enough that a whole lab is up in seconds, long enough that nothing is immediate.
    fn default() -> Self {
        Self {
            network_pending: Duration::from_millis(100),
            instance_pending: Duration::from_secs(1),
            instance_stopping: Duration::from_secs(1),
            instance_shutting_down: Duration::from_secs(1),
            instance_remembered: Duration::from_secs(3600),
            auto_scaling_noticing: Duration::from_secs(1),
            load_balancer_provisioning: Duration::from_secs(2),
            load_balancer_lingering: Duration::from_secs(1),
            load_balancer_staggering: Duration::ZERO,
            transit_gateway_changing: Duration::from_secs(1),
            endpoint_changing: Duration::from_secs(1),
            resource_share_changing: Duration::from_secs(1),
            target_initial: Duration::from_secs(1),
            target_draining: Duration::from_secs(1),
        }
    }
}

impl Durations {
    /// Makes every transition immediate, except that a terminated instance is remembered.
    pub fn instant() -> Self {
        Self {
            network_pending: Duration::ZERO,
            instance_pending: Duration::ZERO,
            instance_stopping: Duration::ZERO,
            instance_shutting_down: Duration::ZERO,
            auto_scaling_noticing: Duration::ZERO,
            load_balancer_provisioning: Duration::ZERO,
            load_balancer_lingering: Duration::ZERO,
            load_balancer_staggering: Duration::ZERO,
            transit_gateway_changing: Duration::ZERO,
            endpoint_changing: Duration::ZERO,
            resource_share_changing: Duration::ZERO,
            target_initial: Duration::ZERO,
            target_draining: Duration::ZERO,
            ..Self::default()
        }
    }
}

/// How many of each thing an account may have, with AWS's defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quotas {
    /// VPCs in a Region, including the default one.
    pub vpcs: usize,
    /// Internet gateways in a Region.
    pub internet_gateways: usize,
    /// Subnets in a VPC.
    pub subnets_per_vpc: usize,
    /// Route tables in a VPC.
    pub route_tables_per_vpc: usize,
    /// Routes in a table, not counting the local one.
    pub routes_per_table: usize,
    /// Network ACLs in a VPC, including the default one.
    pub network_acls_per_vpc: usize,
    /// Entries of a network ACL in one direction for one address family, including the one that closes it.
    pub rules_per_network_acl: usize,
    /// Active peering connections of a VPC.
    pub peerings_per_vpc: usize,
    /// Transit gateways in a Region.
    pub transit_gateways: usize,
    /// Transit gateways that a VPC is attached to.
    pub transit_gateways_per_vpc: usize,
    /// Gateway Load Balancer endpoints in a VPC.
    pub endpoints_per_vpc: usize,
    /// Security groups in a Region.
    pub security_groups: usize,
    /// Rules of a security group in one direction.
    pub rules_per_security_group: usize,
    /// Security groups of a network interface.
    pub security_groups_per_interface: usize,
    /// Launch templates in a Region.
    pub launch_templates: usize,
    /// Versions of a launch template.
    pub versions_per_launch_template: usize,
    /// Auto Scaling groups in a Region.
    pub auto_scaling_groups: usize,
    /// Target groups that an Auto Scaling group is attached to.
    pub target_groups_per_auto_scaling_group: usize,
    /// Instances in a Region that are not terminated.
    pub instances: usize,
    /// Network Load Balancers in a Region.
    pub load_balancers: usize,
    /// Gateway Load Balancers in a Region.
    pub gateway_load_balancers: usize,
    /// Listeners of a Network Load Balancer.
    pub listeners_per_load_balancer: usize,
    /// Target groups in a Region.
    pub target_groups: usize,
    /// Targets in a target group.
    pub targets_per_group: usize,
    /// Targets of a Network Load Balancer.
    pub targets_per_load_balancer: usize,
    /// Targets of a Network Load Balancer that balances across zones.
    pub targets_per_load_balancer_across_zones: usize,
    /// Targets of a Network Load Balancer in an Availability Zone.
    pub targets_per_zone: usize,
    /// Mirror sessions in a Region.
    pub mirror_sessions: usize,
    /// Mirror sessions on one source interface.
    pub mirror_sessions_per_source: usize,
    /// Sources of a mirror target that is an interface.
    pub mirror_sources_per_target: usize,
    /// Sources of a mirror target that is an interface of one of the largest instances.
    pub mirror_sources_per_large_target: usize,
    /// Mirror targets in a Region.
    pub mirror_targets: usize,
    /// Mirror filters in a Region.
    pub mirror_filters: usize,
    /// Rules of a mirror filter.
    pub mirror_rules_per_filter: usize,
    /// Resource shares in a Region.
    pub resource_shares: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            vpcs: 5,
            internet_gateways: 5,
            subnets_per_vpc: 200,
            route_tables_per_vpc: 200,
            routes_per_table: 50,
            network_acls_per_vpc: 200,
            rules_per_network_acl: 20,
            peerings_per_vpc: 50,
            transit_gateways: 5,
            transit_gateways_per_vpc: 5,
            endpoints_per_vpc: 50,
            security_groups: 2500,
            rules_per_security_group: 60,
            security_groups_per_interface: 5,
            launch_templates: 5000,
            versions_per_launch_template: 10_000,
            auto_scaling_groups: 500,
            target_groups_per_auto_scaling_group: 50,
            instances: 1000,
            load_balancers: 50,
            gateway_load_balancers: 100,
            listeners_per_load_balancer: 50,
            target_groups: 3000,
            targets_per_group: 1000,
            targets_per_load_balancer: 3000,
            targets_per_load_balancer_across_zones: 500,
            targets_per_zone: 500,
            mirror_sessions: 10_000,
            mirror_sessions_per_source: 3,
            mirror_sources_per_target: 10,
            mirror_sources_per_large_target: 100,
            mirror_targets: 10_000,
            mirror_filters: 10_000,
            mirror_rules_per_filter: 10,
            resource_shares: 5000,
        }
    }
}

/// Durations, quotas and policies together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// How long each transition takes.
    pub durations: Durations,
    /// How many of each thing an account may have.
    pub quotas: Quotas,
    /// What all callers may do, all policies taken together; everything if there are none.
    pub policies: Vec<Policy>,
    /// The same for the callers of some accounts, in place of `policies`.
    pub policies_by_account: BTreeMap<String, Vec<Policy>>,
    /// How S3 treats the condition of a write.
    pub conditional_writes: ConditionalWrites,
    /// How many data points an answer of CloudWatch has unless the call asks for fewer. The rest are on the next page.
    pub metric_data_points: usize,
}

impl Settings {
    /// Returns what the callers of an account may do; everything if there are no policies.
    pub(crate) fn policies_of(&self, account: &str) -> &[Policy] {
        self.policies_by_account.get(account).unwrap_or(&self.policies)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            durations: Durations::default(),
            quotas: Quotas::default(),
            policies: Vec::new(),
            policies_by_account: BTreeMap::new(),
            conditional_writes: ConditionalWrites::default(),
            metric_data_points: 100_800,
        }
    }
}

/// How S3 treats the condition of a write: a store that is not AWS's may not know conditions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConditionalWrites {
    /// It honours `If-None-Match` and `If-Match`.
    #[default]
    Honoured,
    /// It honours `If-None-Match` and ignores `If-Match`.
    OnlyIfAbsent,
    /// It ignores both.
    Ignored,
}
