//! Finding the interfaces that sources can select.
//!
//! AWS filters by the conditions of the blocks, on instances and on interfaces, so the number of calls grows with the
//! pages of matching objects and not with what else is in the account. Which of these interfaces are mirrored is
//! decided when planning, from the facts that are gathered here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use aws_sdk_ec2::types::{
    Filter, Instance as SeenInstance, InstanceNetworkInterface, NetworkInterface as SeenInterface,
};

use super::super::Aws;
use super::super::answer::Answer;
use super::super::errors::AnswerError;
use super::super::page::{self, Ids, filter, pages};
use super::super::tags::from_ec2;
use super::super::together::together;
use super::ObserveError;
use super::existing::literal;
use crate::address::{Address, Name};
use crate::attribute::{AttributeType as _, Ref, Referable};
use crate::id::{NetworkInterfaceId, ObjectId};
use crate::observed::{Attached, Found, Interface, Sighting};
use crate::plan::existing::use_in;
use crate::resource::instance::InstanceId;
use crate::resource::mirror_target::MirrorTargetId;
use crate::resource::{Tags, tag};
use crate::scalar::{AvailabilityZone, InstanceType};
use crate::stack::{Placed, Sources};

const INSTANCES: Answer = Answer("DescribeInstances");
const INTERFACES: Answer = Answer("DescribeNetworkInterfaces");
const TARGETS: Answer = Answer("DescribeTrafficMirrorTargets");

/// The states of an instance that exists. A stopped instance keeps its sessions, so that nothing is missed when it
/// starts.
const THERE: [&str; 4] = ["pending", "running", "stopping", "stopped"];

/// The only type of interface that is mirrored.
///
/// Source: AWS Traffic Mirroring guide, "Traffic mirror sources".
const MIRRORED: &str = "interface";

/// Looks up the interfaces of each block. `existing` are the objects that the blocks may refer to; a block that refers
/// to any other object is left out, which is reported elsewhere.
pub(super) async fn observe(
    aws: &Aws,
    sources: &BTreeMap<Name, Placed<Sources>>,
    existing: &BTreeMap<Address, Found>,
) -> Result<BTreeMap<Name, Sighting>, ObserveError> {
    let known = sources.iter().filter_map(|(name, Placed { of, place: _ })| {
        let mut sources = of.clone();
        let problems = use_in(&mut sources, existing).into_inner();
        (problems.is_empty() && is_by_id(&sources)).then_some((name, sources))
    });
    let known: Vec<(&Name, Sources)> = known.collect();
    if known.is_empty() {
        return Ok(BTreeMap::new());
    }
    let hosts = known.iter().map(|(_, sources)| instances(aws, host_filters(sources)));
    let owns = known.iter().map(|(_, sources)| interfaces(aws, interface_filters(sources)));
    let (hosts, owns, targets, excepted) = tokio::try_join!(
        Box::pin(together(hosts.collect())),
        Box::pin(together(owns.collect())),
        Box::pin(targets(aws)),
        Box::pin(excepted(aws, known.iter().map(|(_, sources)| sources))),
    )?;
    let mut looks: Vec<Look<'_>> = Vec::new();
    for ((name, sources), (hosts, own)) in known.iter().zip(hosts.into_iter().zip(owns)) {
        looks.push(Look::of((name, sources), &hosts, own)?);
    }
    let rest = missing_hosts(aws, &looks).await?;
    let facts = Facts { rest, targets, excepted };
    looks.into_iter().map(|look| Ok((look.name.clone(), look.sighting(&facts)?))).collect()
}

/// Returns whether everything that it refers to is known.
fn is_by_id(sources: &Sources) -> bool {
    sources.to_value().is_known()
}

fn ids<T: Referable>(references: &[Ref<T>]) -> Vec<String> {
    let ids = references.iter().filter_map(|reference| match reference {
        Ref::Id(id) => Some(id.to_string()),
        Ref::To(_) => None,
    });
    ids.collect()
}

/// Returns a filter for each of these fields that has values.
fn filters<'a>(fields: impl IntoIterator<Item = (&'a str, Vec<String>)>) -> Vec<Filter> {
    let given = fields.into_iter().filter(|(_, values)| !values.is_empty());
    given.map(|(name, values)| filter(name, values)).collect()
}

fn tag_filters(tags: &Tags) -> impl Iterator<Item = Filter> {
    tags.iter().map(|(key, value)| filter(&format!("tag:{key}"), [literal(value)]))
}

/// Returns the filters that find the instances whose interfaces may be selected.
fn host_filters(sources: &Sources) -> Option<Vec<Filter>> {
    let groups = sources.autoscaling_groups.iter().map(|group| literal(group)).collect();
    let group_tag = format!("tag:{}", tag::GROUP);
    let mut all = filters([
        ("instance-state-name", THERE.map(str::to_owned).to_vec()),
        ("vpc-id", ids(sources.vpc.as_slice())),
        ("network-interface.subnet-id", ids(&sources.subnets)),
        ("network-interface.group-id", ids(&sources.security_groups)),
        ("network-interface.network-interface-id", ids(&sources.network_interfaces)),
        ("instance-id", ids(&sources.instances)),
        (&group_tag, groups),
    ]);
    all.extend(tag_filters(&sources.tags));
    Some(all)
}

/// Returns the filters that find the interfaces that are selected by their own tags or ids; `None` if there are none.
fn interface_filters(sources: &Sources) -> Option<Vec<Filter>> {
    if sources.tags.is_empty() && sources.network_interfaces.is_empty() {
        return None;
    }
    let mut all = filters([
        ("interface-type", vec![MIRRORED.to_owned()]),
        ("status", vec!["in-use".to_owned()]),
        ("vpc-id", ids(sources.vpc.as_slice())),
        ("subnet-id", ids(&sources.subnets)),
        ("group-id", ids(&sources.security_groups)),
        ("network-interface-id", ids(&sources.network_interfaces)),
        ("attachment.instance-id", ids(&sources.instances)),
    ]);
    all.extend(tag_filters(&sources.tags));
    Some(all)
}

async fn instances(
    aws: &Aws,
    filters: Option<Vec<Filter>>,
) -> Result<Vec<SeenInstance>, ObserveError> {
    let request = aws.ec2().describe_instances().set_filters(filters).max_results(page::PAGE);
    let reservations = pages!(aws, "DescribeInstances", request, reservations);
    Ok(reservations.into_iter().filter_map(|of| of.instances).flatten().collect())
}

/// Returns the interfaces that filters find; none if there are no filters.
async fn interfaces(
    aws: &Aws,
    filters: Option<Vec<Filter>>,
) -> Result<Vec<SeenInterface>, ObserveError> {
    if filters.is_none() {
        return Ok(Vec::new());
    }
    let request =
        aws.ec2().describe_network_interfaces().set_filters(filters).max_results(page::PAGE);
    Ok(pages!(aws, "DescribeNetworkInterfaces", request, network_interfaces))
}

/// Returns the mirror targets of the account, by the interface that they send to.
async fn targets(aws: &Aws) -> Result<BTreeMap<NetworkInterfaceId, ObjectId>, ObserveError> {
    let request = aws.ec2().describe_traffic_mirror_targets().max_results(page::PAGE);
    let all = pages!(aws, "DescribeTrafficMirrorTargets", request, traffic_mirror_targets);
    let mut targets = BTreeMap::new();
    for target in all {
        let to = TARGETS.optional("networkInterfaceId", target.network_interface_id())?;
        let id = target.traffic_mirror_target_id();
        let id: MirrorTargetId = TARGETS.id("trafficMirrorTargetId", id)?;
        targets.extend(to.map(|to| (to, id.erase())));
    }
    Ok(targets)
}

/// Returns, by interface, those of its own tags that exclude interfaces from being mirrored.
async fn excepted(
    aws: &Aws,
    sources: impl Iterator<Item = &Sources>,
) -> Result<BTreeMap<NetworkInterfaceId, Tags>, ObserveError> {
    let pairs: BTreeSet<(String, String)> = sources.flat_map(|of| of.except.clone()).collect();
    let lists = pairs.iter().map(|(key, value)| {
        let tag = Tags::from([(key.clone(), value.clone())]);
        let mut all = filters([("interface-type", vec![MIRRORED.to_owned()])]);
        all.extend(tag_filters(&tag));
        interfaces(aws, Some(all))
    });
    let mut excepted: BTreeMap<NetworkInterfaceId, Tags> = BTreeMap::new();
    for (pair, found) in pairs.iter().zip(together(lists.collect()).await?) {
        for interface in found {
            let id = INTERFACES.id("networkInterfaceId", interface.network_interface_id())?;
            excepted.entry(id).or_default().extend([pair.clone()]);
        }
    }
    Ok(excepted)
}

/// Returns the instances of interfaces that were found by themselves.
async fn missing_hosts(
    aws: &Aws,
    looks: &[Look<'_>],
) -> Result<BTreeMap<InstanceId, Host>, ObserveError> {
    let open = || looks.iter().flat_map(|look| look.open.values());
    let ids: Ids = open().map(|(_, instance, _)| instance.to_string()).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    // There may be thousands of them: then listing all instances of their VPCs takes fewer calls.
    let vpcs: Ids = open().map(|(interface, _, _)| interface.vpc.to_string()).collect();
    let narrow = page::only("instance-id", &ids).or_else(|| page::only("vpc-id", &vpcs));
    let mut all = filters([("instance-state-name", THERE.map(str::to_owned).to_vec())]);
    all.extend(narrow.unwrap_or_default());
    let mut hosts = BTreeMap::new();
    for instance in instances(aws, Some(all)).await? {
        let host = Host::of(&instance)?;
        hosts.insert(host.id.clone(), host);
    }
    Ok(hosts)
}

/// An instance, with all of its tags.
struct Host {
    id: InstanceId,
    instance_type: InstanceType,
    zone: Option<AvailabilityZone>,
    tags: Tags,
}

impl Host {
    fn of(instance: &SeenInstance) -> Result<Self, AnswerError> {
        let instance_type = instance.instance_type().map(|of| of.as_str());
        let zone = instance.placement().and_then(|placement| placement.availability_zone());
        Ok(Self {
            id: INSTANCES.id("instanceId", instance.instance_id())?,
            instance_type: INSTANCES.parsed("instanceType", instance_type)?,
            zone: INSTANCES.optional("availabilityZone", zone)?,
            tags: from_ec2(instance.tags()),
        })
    }

    fn attached(&self, device: u32, keys: &BTreeSet<&str>) -> Attached {
        let Self { id, instance_type, zone: _, tags } = self;
        let (id, instance_type) = (id.clone(), instance_type.clone());
        Attached { id, instance_type, device, tags: only(tags.clone(), keys) }
    }
}

/// Keeps the tags with these keys.
fn only(tags: Tags, keys: &BTreeSet<&str>) -> Tags {
    tags.into_iter().filter(|(key, _)| keys.contains(key.as_str())).collect()
}

/// What has been found for one block.
struct Look<'s> {
    name: &'s Name,
    sources: &'s Sources,
    /// The interfaces that are known in full, except for the tags of the interface itself.
    found: BTreeMap<NetworkInterfaceId, Interface>,
    /// The interfaces that are attached to an instance that has not been seen yet, with their place on it.
    open: BTreeMap<NetworkInterfaceId, (Interface, InstanceId, u32)>,
}

/// What all blocks have in common.
struct Facts {
    rest: BTreeMap<InstanceId, Host>,
    targets: BTreeMap<NetworkInterfaceId, ObjectId>,
    excepted: BTreeMap<NetworkInterfaceId, Tags>,
}

impl<'s> Look<'s> {
    fn of(
        (name, sources): (&'s Name, &'s Sources),
        hosts: &[SeenInstance],
        own: Vec<SeenInterface>,
    ) -> Result<Self, AnswerError> {
        let mut look = Self { name, sources, found: BTreeMap::new(), open: BTreeMap::new() };
        let keys = sources.tag_keys();
        for instance in hosts {
            let host = Host::of(instance)?;
            let all = instance.network_interfaces().iter();
            for seen in all.filter(|seen| seen.interface_type() == Some(MIRRORED)) {
                let (id, interface) = on_instance(seen, &host, &keys)?;
                look.found.insert(id, interface);
            }
        }
        for seen in own {
            look.add(&seen, &keys)?;
        }
        Ok(look)
    }

    /// Adds an interface that was found by itself.
    fn add(&mut self, seen: &SeenInterface, keys: &BTreeSet<&str>) -> Result<(), AnswerError> {
        let id: NetworkInterfaceId =
            INTERFACES.id("networkInterfaceId", seen.network_interface_id())?;
        let tags = only(from_ec2(seen.tag_set()), keys);
        if let Some(known) = self.found.get_mut(&id) {
            known.tags = tags;
            return Ok(());
        }
        let groups = seen.groups().iter().map(|group| group.group_id());
        let interface = Interface {
            vpc: INTERFACES.id("vpcId", seen.vpc_id())?,
            subnet: INTERFACES.id("subnetId", seen.subnet_id())?,
            zone: INTERFACES.optional("availabilityZone", seen.availability_zone())?,
            addresses: addresses(
                INTERFACES,
                seen.private_ip_address(),
                seen.private_ip_addresses().iter().map(|it| it.private_ip_address()),
                seen.ipv6_addresses().iter().map(|it| it.ipv6_address()),
            )?,
            security_groups: groups
                .map(|id| INTERFACES.id("groupId", id))
                .collect::<Result<_, _>>()?,
            tags,
            instance: None,
            mirror_target: None,
        };
        let attachment = seen.attachment();
        let instance = attachment.and_then(|attachment| attachment.instance_id());
        match INTERFACES.optional("instanceId", instance)? {
            Some(instance) => {
                let device = attachment.and_then(|attachment| attachment.device_index());
                let device = device_index(INTERFACES, device)?;
                self.open.insert(id, (interface, instance, device));
            }
            None => drop(self.found.insert(id, interface)),
        }
        Ok(())
    }

    /// Returns what was seen, combined with what all blocks have in common.
    fn sighting(self, facts: &Facts) -> Result<Sighting, ObserveError> {
        let Self { name: _, sources, found: mut interfaces, open } = self;
        let Facts { rest, targets, excepted } = facts;
        let keys = sources.tag_keys();
        for (id, (mut interface, instance, device)) in open {
            // If the instance no longer exists, neither does its interface.
            if let Some(host) = rest.get(&instance) {
                interface.instance = Some(host.attached(device, &keys));
                interfaces.insert(id, interface);
            }
        }
        for (id, interface) in &mut interfaces {
            interface.mirror_target = targets.get(id).cloned();
            let tags = excepted.get(id).cloned().unwrap_or_default();
            interface.tags.extend(only(tags, &keys));
        }
        Ok(Sighting { looked_for: sources.to_string(), interfaces })
    }
}

/// Returns an interface as its instance describes it, which does not include the interface's own tags.
fn on_instance(
    seen: &InstanceNetworkInterface,
    host: &Host,
    keys: &BTreeSet<&str>,
) -> Result<(NetworkInterfaceId, Interface), AnswerError> {
    let device = seen.attachment().and_then(|attachment| attachment.device_index());
    let groups = seen.groups().iter().map(|group| group.group_id());
    let interface = Interface {
        vpc: INSTANCES.id("vpcId", seen.vpc_id())?,
        subnet: INSTANCES.id("subnetId", seen.subnet_id())?,
        // All interfaces of an instance are in its own zone.
        zone: host.zone.clone(),
        addresses: addresses(
            INSTANCES,
            seen.private_ip_address(),
            seen.private_ip_addresses().iter().map(|it| it.private_ip_address()),
            seen.ipv6_addresses().iter().map(|it| it.ipv6_address()),
        )?,
        security_groups: groups.map(|id| INSTANCES.id("groupId", id)).collect::<Result<_, _>>()?,
        tags: Tags::new(),
        instance: Some(host.attached(device_index(INSTANCES, device)?, keys)),
        mirror_target: None,
    };
    Ok((INSTANCES.id("networkInterfaceId", seen.network_interface_id())?, interface))
}

/// Returns the addresses of an interface, the primary one first.
fn addresses<'a>(
    answer: Answer,
    primary: Option<&'a str>,
    private: impl Iterator<Item = Option<&'a str>>,
    version_6: impl Iterator<Item = Option<&'a str>>,
) -> Result<Vec<IpAddr>, AnswerError> {
    let mut rest: Vec<&str> = private.chain(version_6).flatten().collect();
    rest.sort_unstable();
    let rest = rest.into_iter().filter(|address| Some(*address) != primary);
    let parsed = |address| answer.parsed("ipAddress", Some(address));
    primary.into_iter().chain(rest).map(parsed).collect()
}

fn device_index(answer: Answer, seen: Option<i32>) -> Result<u32, AnswerError> {
    let seen = answer.present("deviceIndex", seen)?;
    u32::try_from(seen).map_err(|_| answer.broken("deviceIndex"))
}
