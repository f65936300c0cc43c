//! What observed objects refer to but nobody has seen, and what can stand in for it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use super::{Found, Interface};
use crate::address::{Address, Kind};
use crate::attribute::AttributeType as _;
use crate::resource::Resource;
use crate::scalar::AvailabilityZone;
use crate::value::Value;

/// Something that stands in for an object of which only the id is known.
#[derive(Clone, Debug)]
pub(super) struct StandIn {
    pub(super) address: Address,
    pub(super) attributes: Value,
    /// The id; `None` for an object that nothing refers to by id.
    pub(super) id: Option<String>,
}

/// What already exists when something is recreated.
#[derive(Debug)]
pub(super) struct There<'n> {
    /// The address that each id belongs to, among what is recreated and what stands in for
    /// something.
    pub(super) names: &'n BTreeMap<String, Address>,
    /// The objects that were created before; they are referred to by their ids.
    pub(super) before: &'n BTreeMap<&'n Address, &'n Found>,
}

impl There<'_> {
    fn has(&self, id: &str) -> bool {
        self.names.contains_key(id) || self.before.values().any(|found| found.id.as_str() == id)
    }
}

/// Returns stand-ins for what instances, subnets and interfaces refer to but does not exist: a VPC, a subnet that
/// holds the addresses, and a security group that lets everything through.
pub(super) fn stand_ins(
    objects: &BTreeMap<&Address, &Found>,
    interfaces: &[&Interface],
    there: &There<'_>,
) -> Vec<StandIn> {
    let mut needs = Needs::default();
    interfaces.iter().for_each(|interface| needs.add_interface(interface, there));
    objects.iter().for_each(|(address, found)| needs.add_object((address, found), there));
    for found in there.before.values() {
        needs.add_range(found, Value::String(found.id.to_string()));
    }
    let mut made = Vec::new();
    for (id, within) in std::mem::take(&mut needs.vpcs) {
        made.extend(needs.add_vpc(Some(id), within));
    }
    let homeless: Vec<Ipv4Addr> = needs.homeless().collect();
    for address in homeless {
        if needs.vpc_around(address).is_none() {
            made.extend(needs.add_vpc(None, address));
        }
    }
    let subnets = needs.subnets.iter().filter_map(|(id, within)| {
        let attributes = [
            ("vpc", needs.vpc_of(within)?),
            ("cidr", Value::String(around(&within.addresses).to_string())),
            ("availability_zone", within.zone.to_value()),
        ];
        stand_in(Kind::Subnet, id, attributes)
    });
    let groups = needs.groups.iter().filter_map(|(id, within)| {
        let all = object([
            ("protocol", Value::String("all".to_owned())),
            ("cidrs", Value::List(vec![Value::String("0.0.0.0/0".to_owned())])),
        ]);
        let attributes = [
            ("vpc", needs.vpc_of(within)?),
            ("open_to_world", Value::Bool(true)),
            ("ingress", Value::List(vec![all])),
        ];
        stand_in(Kind::SecurityGroup, id, attributes)
    });
    let rest: Vec<StandIn> = subnets.chain(groups).collect();
    made.extend(rest);
    made
}

/// What is referred to but does not exist.
#[derive(Debug, Default)]
struct Needs {
    /// VPCs, with an address in each.
    vpcs: BTreeMap<String, Ipv4Addr>,
    subnets: BTreeMap<String, Within>,
    groups: BTreeMap<String, Within>,
    /// The VPCs that are known or stand in for others.
    known: Vec<Known>,
}

/// Where something that is referred to is located.
#[derive(Debug, Default)]
struct Within {
    /// The VPC, if it is known.
    vpc: Option<String>,
    /// Its zone, if it is known.
    zone: Option<AvailabilityZone>,
    /// Addresses that are in it.
    addresses: BTreeSet<Ipv4Addr>,
}

/// A VPC that exists when its contents are created.
#[derive(Debug)]
struct Known {
    id: Option<String>,
    /// How it is referred to.
    reference: Value,
    range: Ipv4Net,
}

impl Needs {
    /// Adds what an interface of others refers to; all of it is in the interface's VPC.
    fn add_interface(&mut self, interface: &Interface, there: &There<'_>) {
        let Interface { vpc, subnet, zone, addresses, security_groups, .. } = interface;
        let Some(own) = primary(addresses) else { return };
        let vpc = vpc.to_string();
        let add = |all: &mut BTreeMap<String, Within>, id: &str| {
            if !there.has(id) {
                let within = all.entry(id.to_owned()).or_default();
                within.vpc = Some(vpc.clone());
                within.zone.clone_from(zone);
                within.addresses.insert(own);
            }
        };
        add(&mut self.subnets, subnet.as_str());
        security_groups.iter().for_each(|group| add(&mut self.groups, group.as_str()));
        if !there.has(&vpc) {
            self.vpcs.entry(vpc).or_insert(own);
        }
    }

    fn add_object(&mut self, (address, found): (&Address, &Found), there: &There<'_>) {
        let members = found.resource.attributes();
        let member = |name: &str| members.get(name).unwrap_or(&Value::Null);
        let unknown = |value: &Value| text(value).filter(|id| !there.has(id)).map(str::to_owned);
        match address.kind {
            Kind::Vpc => self.add_range(found, Value::Resource(address.clone())),
            Kind::Subnet => {
                let range = text(member("cidr")).and_then(|it| it.parse::<Ipv4Net>().ok());
                let vpc = unknown(member("vpc")).zip(range);
                self.vpcs.extend(vpc.map(|(id, range)| (id, range.network())));
            }
            Kind::Instance => {
                let own = text(member("private_ip")).and_then(|it| it.parse().ok());
                let Some(own) = own else { return };
                if let Some(id) = unknown(member("subnet")) {
                    self.subnets.entry(id).or_default().addresses.insert(own);
                }
                if let Value::List(groups) = member("security_groups") {
                    for id in groups.iter().filter_map(unknown) {
                        self.groups.entry(id).or_default().addresses.insert(own);
                    }
                }
            }
            Kind::InternetGateway
            | Kind::RouteTable
            | Kind::VpcPeering
            | Kind::TransitGatewayAttachment
            | Kind::SecurityGroup
            | Kind::LaunchTemplate
            | Kind::TargetGroup
            | Kind::AutoscalingGroup
            | Kind::LoadBalancer
            | Kind::GatewayLoadBalancer
            | Kind::EndpointService
            | Kind::GatewayLoadBalancerEndpoint
            | Kind::MirrorTarget
            | Kind::MirrorFilter
            | Kind::MirrorSession
            | Kind::ResourceShare => {}
        }
    }

    /// Adds `found` with how it is referred to, if it is a VPC.
    fn add_range(&mut self, found: &Found, reference: Value) {
        if let Resource::Vpc(vpc) = &found.resource {
            let id = Some(found.id.to_string());
            self.known.push(Known { id, reference, range: vpc.cidr.net() });
        }
    }

    /// Returns an address of each subnet and group whose VPC is not known.
    fn homeless(&self) -> impl Iterator<Item = Ipv4Addr> {
        let all = self.subnets.values().chain(self.groups.values());
        let homeless = all.filter(|within| within.vpc.is_none());
        homeless.filter_map(|within| within.addresses.first().copied())
    }

    fn vpc_of(&self, within: &Within) -> Option<Value> {
        match &within.vpc {
            Some(id) => {
                let known = self.known.iter().find(|known| known.id.as_ref() == Some(id))?;
                Some(known.reference.clone())
            }
            None => self.vpc_around(*within.addresses.first()?),
        }
    }

    fn vpc_around(&self, address: Ipv4Addr) -> Option<Value> {
        let known = self.known.iter().find(|known| known.range.contains(&address))?;
        Some(known.reference.clone())
    }

    fn add_vpc(&mut self, id: Option<String>, within: Ipv4Addr) -> Option<StandIn> {
        let range = Ipv4Net::new(within, 16).ok()?.trunc();
        let name = id.clone().unwrap_or_else(|| format!("unseen-{}", self.known.len()));
        let cidr = [("cidr", Value::String(range.to_string()))];
        let made = StandIn { id: id.clone(), ..stand_in(Kind::Vpc, &name, cidr)? };
        let reference = Value::Resource(made.address.clone());
        self.known.push(Known { id, reference, range });
        Some(made)
    }
}

/// The primary private address of an interface.
pub(super) fn primary(addresses: &[IpAddr]) -> Option<Ipv4Addr> {
    match addresses.first()? {
        IpAddr::V4(address) => Some(*address),
        IpAddr::V6(_) => None,
    }
}

/// The smallest subnet range that holds all of these addresses: AWS reserves four addresses at the beginning of each
/// range and one at the end.
///
/// Source: Amazon VPC user guide, "Subnet sizing".
fn around(addresses: &BTreeSet<Ipv4Addr>) -> Ipv4Net {
    let first = addresses.first().copied().unwrap_or(Ipv4Addr::UNSPECIFIED);
    let holds = |range: &Ipv4Net| {
        let (low, high) = (u32::from(range.network()), u32::from(range.broadcast()));
        addresses.iter().all(|it| (low + 4..high).contains(&u32::from(*it)))
    };
    let ranges = (16..=28).rev().filter_map(|length| Ipv4Net::new(first, length).ok());
    let mut ranges = ranges.map(|range| range.trunc());
    ranges.find(holds).unwrap_or_default()
}

fn stand_in<const N: usize>(
    kind: Kind,
    id: &str,
    attributes: [(&str, Value); N],
) -> Option<StandIn> {
    let address = Address::new(kind, id.parse().ok()?);
    Some(StandIn { address, attributes: object(attributes), id: Some(id.to_owned()) })
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}
