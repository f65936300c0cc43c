//! Bystanders: the interfaces that sources select, with their instances, as a rehearsal recreates them.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;

use super::stand_in::primary;
use super::{Found, Interface, Observed};
use crate::address::{Address, Kind};
use crate::attribute::Problems;
use crate::id::{NetworkInterfaceId, ObjectId};
use crate::resource::{Resource, Tags};
use crate::value::Value;

/// The prefix of the keys of AWS's own tags, which nobody else can set.
///
/// Source: EC2 user guide, "Tag restrictions".
const OF_AWS: &str = "aws:";

/// The interfaces that sources select, and the instances that they are attached to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bystanders {
    /// The instances, each under an address that no stack has.
    pub hosts: BTreeMap<Address, Found>,
    /// The interfaces, including the primary ones of the instances.
    pub interfaces: BTreeMap<NetworkInterfaceId, Interface>,
    /// The interfaces that cannot be recreated: their address is unknown, or it lies in another range of their VPC
    /// than that of the first.
    pub left_out: Vec<NetworkInterfaceId>,
}

impl Bystanders {
    /// The word that stands for `aws` in the keys of AWS's own tags, which can only be set from inside an account.
    pub const AWS: &str = "made-again-for-aws";
}

impl Observed {
    /// Returns the interfaces that sources select and that the stack does not have itself. Interfaces to which others
    /// mirror are not included, nor are those that an AWS service created: no source mirrors them unless it names
    /// them.
    #[must_use]
    pub fn bystanders(&self) -> Bystanders {
        let mut ranges = self.ranges();
        let mut all = Bystanders::default();
        for (id, interface) in self.sources.values().flat_map(|sighting| &sighting.interfaces) {
            let Some(host) = &interface.instance else { continue };
            if interface.mirror_target.is_some() || self.has(&host.id.erase()) {
                continue;
            }
            let vpc = interface.vpc.erase();
            let within = primary(&interface.addresses).filter(|address| {
                let around = || Ipv4Net::new(*address, VPC_LEN_MIN).expect("it is at most 32");
                ranges.entry(vpc).or_insert_with(around).contains(address)
            });
            if within.is_none() {
                all.left_out.push(id.clone());
                continue;
            }
            all.add(id, interface);
        }
        all.left_out.sort();
        all.left_out.dedup();
        all
    }

    /// Whether the stack has or uses this object.
    fn has(&self, id: &ObjectId) -> bool {
        let used = self.existing.values();
        self.owned.values().flatten().chain(used).any(|found| found.id == *id)
    }

    /// The ranges of the VPCs that the stack has or uses.
    fn ranges(&self) -> BTreeMap<ObjectId, Ipv4Net> {
        let all = self.owned.values().flatten().chain(self.existing.values());
        let vpcs = all.filter_map(|found| match &found.resource {
            Resource::Vpc(vpc) => Some((found.id.clone(), vpc.cidr.net())),
            _ => None,
        });
        vpcs.collect()
    }
}

/// The largest range of a VPC.
///
/// Source: VPC user guide, "VPC CIDR blocks".
const VPC_LEN_MIN: u8 = 16;

impl Bystanders {
    fn add(&mut self, id: &NetworkInterfaceId, interface: &Interface) {
        let seen = self.interfaces.entry(id.clone()).or_insert_with(|| interface.clone());
        // Blocks that select the same interface may ask for different tags.
        seen.tags.extend(interface.tags.clone());
        if let (Some(seen), Some(host)) = (&mut seen.instance, &interface.instance) {
            seen.tags.extend(host.tags.clone());
        }
        if let Some((address, found)) = host(id, seen) {
            self.hosts.insert(address, found);
        }
    }
}

/// Returns the instance of an interface, if the interface is its primary one.
fn host(id: &NetworkInterfaceId, interface: &Interface) -> Option<(Address, Found)> {
    let Interface {
        vpc: _,
        subnet,
        zone: _,
        addresses,
        security_groups,
        tags: _,
        instance,
        mirror_target: _,
    } = interface;
    let host = instance.as_ref().filter(|host| host.device == 0)?;
    let address = Address::new(Kind::Instance, host.id.as_str().parse().ok()?);
    let text = |text: &dyn ToString| Value::String(text.to_string());
    let groups = security_groups.iter().map(|group| text(group)).collect();
    let tags = givable(&host.tags).into_iter().map(|(key, value)| (key, Value::String(value)));
    let attributes = [
        ("instance_type", text(&host.instance_type)),
        ("subnet", text(subnet)),
        ("security_groups", Value::List(groups)),
        ("private_ip", text(&primary(addresses)?)),
        ("tags", Value::Object(tags.collect())),
    ];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value)).into();
    let mut problems = Problems::default();
    let resource = Resource::read(Kind::Instance, &Value::Object(attributes), &mut problems)?;
    let interface = ("network_interface".to_owned(), Some(id.to_string()));
    let found = Found {
        id: host.id.erase(),
        generation: 1,
        resource,
        computed: BTreeMap::from([interface]),
        parts: BTreeMap::new(),
    };
    Some((address, found))
}

/// Returns the tags with AWS's own prefix replaced, so that they can be set.
#[must_use]
pub fn givable(tags: &Tags) -> Tags {
    let given = tags.iter().map(|(key, value)| {
        let key = match key.strip_prefix(OF_AWS) {
            Some(rest) => format!("{}:{rest}", Bystanders::AWS),
            None => key.clone(),
        };
        (key, value.clone())
    });
    given.collect()
}
