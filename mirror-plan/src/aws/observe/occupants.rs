//! What others have in the objects that a plan removes: AWS would report it only after the rest has been removed.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{NetworkInterface, RouteTable, Tag, TrafficMirrorSession};

use super::super::tags::{from_ec2, is_of};
use super::super::{Aws, BoxFuture, listing};
use super::ObserveError;
use crate::address::Kind;
use crate::id::ObjectId;
use crate::observed::{Occupant, Occupation};
use crate::plan::{Action, Change, Plan};
use crate::resource::autoscaling_group::name_in;
use crate::value::Value;

mod interfaces;

/// Finds what others have in the objects that a plan removes.
///
/// This takes a few calls for the networks that are removed, two for security groups, and one each for mirror filters
/// and for mirror targets; none if none of these is removed.
///
/// # Errors
/// If a call fails or an answer cannot be read.
pub fn occupants<'a>(
    aws: &'a Aws,
    plan: &'a Plan,
) -> BoxFuture<'a, Result<Vec<Occupant>, ObserveError>> {
    Box::pin(async move {
        let ground = Ground::of(plan);
        let (interfaces, networks, rules, sessions) = tokio::try_join!(
            Box::pin(interfaces::find(aws, &ground)),
            Box::pin(networks(aws, &ground)),
            Box::pin(rules(aws, &ground)),
            Box::pin(sessions(aws, &ground)),
        )?;
        let all = [interfaces, networks, rules, sessions].into_iter().flatten();
        let all: BTreeSet<Occupant> = all.collect();
        Ok(all.into_iter().collect())
    })
}

/// What is removed, and what belongs to the stack.
#[derive(Debug, Default)]
struct Ground<'p> {
    stack: &'p str,
    account: &'p str,
    /// What is removed, by the id that connects others to it: for an internet gateway, the id of its VPC.
    vpcs: BTreeMap<&'p str, &'p ObjectId>,
    gateways: BTreeMap<&'p str, &'p ObjectId>,
    subnets: BTreeMap<&'p str, &'p ObjectId>,
    groups: BTreeMap<&'p str, &'p ObjectId>,
    filters: BTreeMap<&'p str, &'p ObjectId>,
    targets: BTreeMap<&'p str, &'p ObjectId>,
    /// The subnets and security groups in VPCs that stay.
    alone: BTreeSet<&'p str>,
    /// The ids of all objects in the plan.
    own: BTreeSet<&'p str>,
    /// The instances that are removed, whose sessions AWS removes with them.
    instances: BTreeSet<&'p str>,
    /// The names of the Auto Scaling groups that stay.
    scaling: BTreeSet<&'p str>,
    /// The names of the Auto Scaling groups that are removed.
    ending: BTreeSet<&'p str>,
}

impl<'p> Ground<'p> {
    fn of(plan: &'p Plan) -> Self {
        let mut ground =
            Self { stack: plan.stack.as_str(), account: plan.account.as_str(), ..Self::default() };
        for change in &plan.changes {
            let Some(id) = &change.id else { continue };
            ground.own.insert(id.as_str());
            match change.action {
                Action::Delete | Action::Replace(_) => ground.add(change, id),
                Action::NoOp | Action::Move | Action::Create | Action::Update => {
                    if change.kind() == Kind::AutoscalingGroup {
                        ground.scaling.insert(name_in(id.as_str()));
                    }
                }
            }
        }
        let of_vpc = |change: &'p Change| {
            let id = change.id.as_ref()?.as_str();
            Some((id, vpc_of(change)?))
        };
        let alone = plan.changes.iter().filter_map(of_vpc);
        let alone = alone.filter(|(_, vpc)| !ground.vpcs.contains_key(vpc)).map(|(id, _)| id);
        ground.alone = alone.collect();
        // What blocks a VPC also blocks its gateway, and is reported only once.
        let Self { vpcs, gateways, .. } = &mut ground;
        gateways.retain(|vpc, _| !vpcs.contains_key(vpc));
        ground
    }

    fn add(&mut self, change: &'p Change, id: &'p ObjectId) {
        let (by, all) = match change.kind() {
            Kind::Vpc => (Some(id.as_str()), &mut self.vpcs),
            Kind::InternetGateway => (vpc_of(change), &mut self.gateways),
            Kind::Subnet => (Some(id.as_str()), &mut self.subnets),
            Kind::SecurityGroup => (Some(id.as_str()), &mut self.groups),
            Kind::MirrorFilter => (Some(id.as_str()), &mut self.filters),
            Kind::MirrorTarget => (Some(id.as_str()), &mut self.targets),
            Kind::AutoscalingGroup => {
                self.ending.insert(name_in(id.as_str()));
                return;
            }
            Kind::Instance => {
                self.instances.insert(id.as_str());
                return;
            }
            // AWS names their users, or nobody else can use them.
            Kind::RouteTable
            | Kind::VpcPeering
            | Kind::TransitGatewayAttachment
            | Kind::LaunchTemplate
            | Kind::TargetGroup
            | Kind::LoadBalancer
            | Kind::GatewayLoadBalancer
            | Kind::EndpointService
            | Kind::GatewayLoadBalancerEndpoint
            | Kind::MirrorSession
            | Kind::ResourceShare => return,
        };
        all.extend(by.map(|by| (by, id)));
    }

    /// Returns the objects that are removed from VPCs that stay.
    fn going_alone(&self, all: &BTreeMap<&'p str, &ObjectId>) -> impl Iterator<Item = &'p str> {
        all.keys().copied().filter(|id| self.alone.contains(id))
    }

    /// Returns whether an object is the stack's: in the plan, or in a part of the stack that is not planned.
    fn is_own(&self, id: &str, tags: &[Tag]) -> bool {
        self.own.contains(id) || is_of(&from_ec2(tags), self.stack)
    }
}

/// Returns the VPC of an object.
fn vpc_of(change: &Change) -> Option<&str> {
    let Value::Object(before) = change.before.as_ref()? else { return None };
    match before.get("vpc")? {
        Value::String(vpc) => Some(vpc),
        _ => None,
    }
}

fn name_of(tags: &[Tag]) -> Option<String> {
    from_ec2(tags).get("Name").cloned()
}

/// Returns what else is in the VPCs that are removed.
///
/// Source: EC2 API reference, `DeleteVpc`.
async fn networks(aws: &Aws, ground: &Ground<'_>) -> Result<Vec<Occupant>, ObserveError> {
    let vpcs: Vec<&str> = ground.vpcs.keys().copied().collect();
    let (subnets, groups, tables, gateways) = tokio::try_join!(
        Box::pin(listing::subnets(aws, "vpc-id", &vpcs)),
        Box::pin(listing::security_groups(aws, "vpc-id", &vpcs)),
        Box::pin(listing::route_tables(aws, "vpc-id", &vpcs)),
        Box::pin(listing::internet_gateways(aws, "attachment.vpc-id", &vpcs)),
    )?;
    let in_vpc = |sort, vpc: Option<&str>, id: Option<&str>, tags: &[Tag]| {
        let (of, id) = (ground.vpcs.get(vpc?)?, id?);
        let is_strange = !ground.is_own(id, tags);
        is_strange.then(|| Occupant {
            of: (*of).clone(),
            sort,
            id: id.to_owned(),
            name: name_of(tags),
        })
    };
    let subnets = subnets
        .iter()
        .filter_map(|it| in_vpc(Occupation::Subnet, it.vpc_id(), it.subnet_id(), it.tags()));
    let groups = groups
        .iter()
        .filter(|it| it.group_name() != Some("default"))
        .filter_map(|it| in_vpc(Occupation::SecurityGroup, it.vpc_id(), it.group_id(), it.tags()));
    let is_main =
        |table: &&RouteTable| table.associations().iter().any(|it| it.main() == Some(true));
    let tables = tables.iter().filter(|it| !is_main(it)).filter_map(|it| {
        in_vpc(Occupation::RouteTable, it.vpc_id(), it.route_table_id(), it.tags())
    });
    let gateways = gateways.iter().filter_map(|it| {
        let vpc = it.attachments().iter().find_map(|attachment| attachment.vpc_id());
        in_vpc(Occupation::InternetGateway, vpc, it.internet_gateway_id(), it.tags())
    });
    Ok(subnets.chain(groups).chain(tables).chain(gateways).collect())
}

/// Returns the security groups with rules that name a group that is removed from a VPC that stays.
///
/// Source: EC2 API reference, `DeleteSecurityGroup`.
async fn rules(aws: &Aws, ground: &Ground<'_>) -> Result<Vec<Occupant>, ObserveError> {
    let going: Vec<&str> = ground.going_alone(&ground.groups).collect();
    let (ingress, egress) = tokio::try_join!(
        Box::pin(listing::security_groups(aws, "ip-permission.group-id", &going)),
        Box::pin(listing::security_groups(aws, "egress.ip-permission.group-id", &going)),
    )?;
    let mut all = Vec::new();
    for group in ingress.iter().chain(&egress) {
        let Some(id) = group.group_id().filter(|id| !ground.is_own(id, group.tags())) else {
            continue;
        };
        let rules = group.ip_permissions().iter().chain(group.ip_permissions_egress());
        let named = rules.flat_map(|rule| rule.user_id_group_pairs());
        let named = named.filter_map(|pair| ground.groups.get(pair.group_id()?));
        all.extend(named.map(|of| Occupant {
            of: (*of).clone(),
            sort: Occupation::SecurityGroup,
            id: id.to_owned(),
            name: group.group_name().map(str::to_owned),
        }));
    }
    Ok(all)
}

/// Returns the mirror sessions that use a filter or a target that is removed, except for those that are removed with
/// their sources.
///
/// Source: EC2 API reference, `DeleteTrafficMirrorFilter`, `DeleteTrafficMirrorTarget`.
async fn sessions(aws: &Aws, ground: &Ground<'_>) -> Result<Vec<Occupant>, ObserveError> {
    let [filters, targets] = [&ground.filters, &ground.targets]
        .map(|going| going.keys().copied().collect::<Vec<&str>>());
    let (of_filters, of_targets) = tokio::try_join!(
        Box::pin(listing::mirror_sessions(aws, "traffic-mirror-filter-id", &filters)),
        Box::pin(listing::mirror_sessions(aws, "traffic-mirror-target-id", &targets)),
    )?;
    let all = of_filters.iter().chain(&of_targets).filter_map(|session| {
        let (id, source) =
            session.traffic_mirror_session_id().zip(session.network_interface_id())?;
        (!ground.is_own(id, session.tags())).then_some((id, source, session))
    });
    let strange: Vec<(&str, &str, &TrafficMirrorSession)> = all.collect();
    let sources: BTreeSet<&str> = strange.iter().map(|(_, source, _)| *source).collect();
    let sources: Vec<&str> = sources.into_iter().collect();
    let interfaces = listing::network_interfaces(aws, "network-interface-id", &sources).await?;
    let goes = |interface: &&NetworkInterface| {
        let instance = interface.attachment().and_then(|attachment| attachment.instance_id());
        instance.is_some_and(|instance| ground.instances.contains(instance))
    };
    let going = interfaces.iter().filter(goes).filter_map(|it| it.network_interface_id());
    let going: BTreeSet<&str> = going.collect();
    let mut occupants = Vec::new();
    for (id, _, session) in strange.into_iter().filter(|(_, source, _)| !going.contains(source)) {
        let filter = session.traffic_mirror_filter_id().and_then(|id| ground.filters.get(id));
        let target = session.traffic_mirror_target_id().and_then(|id| ground.targets.get(id));
        occupants.extend([filter, target].into_iter().flatten().map(|of| Occupant {
            of: (*of).clone(),
            sort: Occupation::MirrorSession,
            id: id.to_owned(),
            name: name_of(session.tags()),
        }));
    }
    Ok(occupants)
}
