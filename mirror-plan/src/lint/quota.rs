//! What AWS allows at most: some quotas are fixed, others can be raised on request.
//!
//! Sources: AWS Traffic Mirroring guide, "Quotas"; VPC user guide, "Quotas"; Network Load Balancer guide,
//! "Quotas".

use std::collections::{BTreeMap, BTreeSet};

use super::view::{View, attribute};
use crate::address::{Address, Kind};
use crate::attribute::Ref;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::id::NetworkInterface;
use crate::resource::instance::mirroring::takes_100_sources;
use crate::resource::mirror_target::Destination;
use crate::resource::{Resource, SecurityGroup, Vpc};

/// Rules in a filter.
const RULES: usize = 10;
/// Sessions on an interface.
const SESSIONS: usize = 3;
/// Sources of a target that is an interface.
const SOURCES: usize = 10;
/// The same if the target is an instance of one of the largest sizes.
const SOURCES_OF_THE_LARGEST: usize = 100;
/// Sessions, targets and filters, each, in a Region.
const IN_REGION: usize = 10_000;

/// Rules in one direction of a security group.
const GROUP_RULES: usize = 60;
/// Security groups on an interface, and on a load balancer.
const GROUPS: usize = 5;
/// Routes in a table.
const ROUTES: usize = 50;
/// Subnets in a VPC.
const SUBNETS: usize = 200;
/// VPCs, and internet gateways, in a Region.
const VPCS: usize = 5;
/// Listeners on a load balancer.
const LISTENERS: usize = 50;
/// Target groups of an Auto Scaling group.
///
/// Source: Amazon EC2 Auto Scaling user guide, "Quotas for Auto Scaling resources and groups".
const GROUP_TARGETS: usize = 50;
/// Targets in a target group that a load balancer uses.
const TARGETS: usize = 500;

/// MP1011.
pub(super) fn quota(view: &View<'_>) -> Vec<Diagnostic> {
    [rules(view), sessions(view), sources(view), in_region(view)].concat()
}

fn rules(view: &View<'_>) -> Vec<Diagnostic> {
    let filters = view.resources().filter_map(|(address, resource)| match resource {
        Resource::MirrorFilter(filter) => Some((address, filter)),
        _ => None,
    });
    let over = filters.filter(|(_, filter)| filter.rules.0.len() > RULES);
    over.map(|(address, filter)| {
        let count = filter.rules.0.len();
        let title = format!("`{address}` has {count} rules, and AWS allows {RULES} in a filter");
        Diagnostic::error(code::QUOTA, title)
            .of(address)
            .at(view.at(address, &attribute("rules")), "")
            .note("a rule without a direction counts as two, one for each direction")
            .help("merge ranges, or mirror through two sessions with a filter each")
    })
    .collect()
}

fn sessions(view: &View<'_>) -> Vec<Diagnostic> {
    let over = view.by_source.iter().filter_map(|(source, sessions)| {
        let others: Vec<String> =
            view.strangers_on(source).iter().map(ToString::to_string).collect();
        let count = sessions.len() + others.len();
        let (address, _) = sessions.last().filter(|_| count > SESSIONS)?;
        let title = format!(
            "`{address}` is one of {count} sessions of an interface, and AWS allows {SESSIONS}"
        );
        let found = Diagnostic::error(code::QUOTA, title)
            .of(address)
            .at(view.at(address, &attribute("source")), "")
            .help("use one session with a filter that accepts all of it");
        Some(others.into_iter().fold(found, Diagnostic::note))
    });
    over.collect()
}

fn sources(view: &View<'_>) -> Vec<Diagnostic> {
    let mut all: BTreeMap<&Address, BTreeSet<&Ref<NetworkInterface>>> = BTreeMap::new();
    for (_, session) in &view.sessions {
        if let Some((target, _)) = view.target(&session.target) {
            all.entry(target).or_default().insert(&session.source);
        }
    }
    let over = all.into_iter().filter_map(|(address, sources)| {
        let target = view.target_at(address)?;
        let Some(Destination::NetworkInterface(_)) = target.destination() else { return None };
        let to = view.instance(target.network_interface.as_ref()?);
        // If the type of the target is not known, the larger quota counts.
        let is_large = to.and_then(|(_, to)| takes_100_sources(&to.instance_type)).unwrap_or(true);
        let most = if is_large { SOURCES_OF_THE_LARGEST } else { SOURCES };
        let others = view.others_mirror_to(address, &sources);
        let count = sources.len() + others;
        (count > most).then(|| {
            let title =
                format!("`{address}` has {count} sources, and its interface accepts {most}");
            let found = Diagnostic::error(code::QUOTA, title)
                .of(address)
                .at(view.at(address, &attribute("network_interface")), "")
                .help(
                    "use a Network Load Balancer as the target: it accepts any number of sources",
                );
            if others == 0 {
                found
            } else {
                found.note(format!(
                    "{others} of them are mirrored by sessions that are not part of the stack"
                ))
            }
        })
    });
    over.collect()
}

fn in_region(view: &View<'_>) -> Vec<Diagnostic> {
    let kinds = [
        (Kind::MirrorSession, "mirror session"),
        (Kind::MirrorTarget, "mirror target"),
        (Kind::MirrorFilter, "mirror filter"),
    ];
    let over = kinds.into_iter().filter_map(|(kind, what)| {
        let (count, words) = with_others(view, kind, what);
        (count > IN_REGION).then(|| {
            let title = format!("{words}, and AWS allows {IN_REGION} in an account and Region");
            Diagnostic::error(code::QUOTA, title)
                .help("divide what is mirrored between accounts or Regions")
        })
    });
    over.collect()
}

/// How many objects of a kind there will be in the account and Region, with those of others if they were counted;
/// and the same in words.
fn with_others(view: &View<'_>, kind: Kind, what: &str) -> (usize, String) {
    let own = view.count(kind);
    let others = view.around.and_then(|around| around.strangers.counts.get(&kind).copied());
    let others = others.unwrap_or_default();
    let of_others = match others {
        0 => String::new(),
        1 => " and there is 1 other".to_owned(),
        others => format!(" and there are {others} others"),
    };
    let plural = if own == 1 { "" } else { "s" };
    (own + others, format!("the stack has {own} {what}{plural}{of_others}"))
}

/// MP1034.
pub(super) fn default_quota(view: &View<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (address, resource) in view.resources() {
        let mut most = |count: usize, most: usize, what: &str, path: &str| {
            if count > most {
                let title = format!(
                    "`{address}` has {count} {what}, and AWS allows {most} unless the quota was raised"
                );
                found.push(raisable(title).of(address).at(view.at(address, &attribute(path)), ""));
            }
        };
        match resource {
            Resource::SecurityGroup(SecurityGroup { ingress, egress, .. }) => {
                most(ingress.0.len(), GROUP_RULES, "ingress rules", "ingress");
                most(egress.0.len(), GROUP_RULES, "egress rules", "egress");
            }
            Resource::Instance(instance) => {
                most(instance.security_groups.len(), GROUPS, "security groups", "security_groups");
            }
            Resource::LaunchTemplate(template) => {
                most(template.security_groups.len(), GROUPS, "security groups", "security_groups");
            }
            Resource::AutoscalingGroup(group) => {
                most(group.target_groups.len(), GROUP_TARGETS, "target groups", "target_groups");
            }
            Resource::LoadBalancer(balancer) => {
                most(balancer.security_groups.len(), GROUPS, "security groups", "security_groups");
                most(balancer.listeners.len(), LISTENERS, "listeners", "listeners");
            }
            Resource::TargetGroup(group) => {
                let members = view.members(address).map(|group| group.max.get() as usize);
                let targets = group.targets.len() + members.sum::<usize>();
                most(targets, TARGETS, "targets", "targets");
            }
            Resource::RouteTable(table) => most(table.routes.len(), ROUTES, "routes", "routes"),
            Resource::Vpc(_)
            | Resource::Subnet(_)
            | Resource::InternetGateway(_)
            | Resource::VpcPeering(_)
            | Resource::TransitGatewayAttachment(_)
            | Resource::GatewayLoadBalancer(_)
            | Resource::EndpointService(_)
            | Resource::GatewayLoadBalancerEndpoint(_)
            | Resource::MirrorTarget(_)
            | Resource::MirrorFilter(_)
            | Resource::MirrorSession(_)
            | Resource::ResourceShare(_) => {}
        }
    }
    found.extend(subnets(view));
    found.extend(networks(view));
    found
}

fn raisable(title: String) -> Diagnostic {
    Diagnostic::warning(code::DEFAULT_QUOTA, title)
        .help("ask AWS for more in Service Quotas, then accept this with `allow`")
}

fn subnets(view: &View<'_>) -> Vec<Diagnostic> {
    let mut of_vpc: BTreeMap<&Ref<Vpc>, Vec<&Address>> = BTreeMap::new();
    for (address, subnet) in &view.subnets {
        of_vpc.entry(&subnet.vpc).or_default().push(address);
    }
    let over = of_vpc.values().filter_map(|subnets| {
        let (first, count) = (subnets.get(SUBNETS)?, subnets.len());
        let title = format!(
            "`{first}` is one of {count} subnets of a VPC, and AWS allows {SUBNETS} unless the quota was raised"
        );
        Some(raisable(title).of(first).at(view.at(first, &attribute("vpc")), ""))
    });
    over.collect()
}

fn networks(view: &View<'_>) -> Vec<Diagnostic> {
    let kinds = [(Kind::Vpc, "VPC"), (Kind::InternetGateway, "internet gateway")];
    let over = kinds.into_iter().filter_map(|(kind, what)| {
        let has_some = view.resources().any(|(address, _)| address.kind == kind);
        let (count, words) = with_others(view, kind, what);
        (has_some && count > VPCS).then(|| {
            raisable(format!(
                "{words}, and AWS allows {VPCS} in a Region unless the quota was raised"
            ))
        })
    });
    over.collect()
}
