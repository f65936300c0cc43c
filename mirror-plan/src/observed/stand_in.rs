//! What observed objects refer to though nobody has seen it, and what can stand for it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::Found;
use crate::address::{Address, Kind};
use crate::value::Value;

/// Something that stands for an object of which only the id is known.
#[derive(Clone, Debug)]
pub(super) struct StandIn {
    pub(super) address: Address,
    pub(super) attributes: Value,
    /// The id; `None` for one that nobody refers to by its id.
    pub(super) id: Option<String>,
}

/// Finds what stands for what instances and subnets refer to and `names` does not know: a VPC, a subnet that
/// holds the addresses, and a security group that lets everything through.
pub(super) fn stand_ins(
    objects: &BTreeMap<&Address, &Found>,
    names: &BTreeMap<String, Address>,
) -> Vec<StandIn> {
    let mut needs = Needs::of(objects, names);
    let mut made = Vec::new();
    let needed: Vec<Ipv4Addr> = needs.addresses().collect();
    for (id, within) in std::mem::take(&mut needs.vpcs) {
        made.extend(needs.add_vpc(Some(id), within));
    }
    for address in needed {
        if needs.vpc_of(address).is_none() {
            made.extend(needs.add_vpc(None, address));
        }
    }
    let subnets = needs.subnets.iter().filter_map(|(id, addresses)| {
        let vpc = needs.vpc_of(*addresses.first()?)?;
        let block = around(addresses);
        let attributes =
            [("vpc", Value::Resource(vpc)), ("cidr", Value::String(block.to_string()))];
        stand_in(Kind::Subnet, id, attributes)
    });
    let groups = needs.groups.iter().filter_map(|(id, address)| {
        let all = object([
            ("protocol", Value::String("all".to_owned())),
            ("cidrs", Value::List(vec![Value::String("0.0.0.0/0".to_owned())])),
        ]);
        let attributes = [
            ("vpc", Value::Resource(needs.vpc_of(*address)?)),
            ("open_to_world", Value::Bool(true)),
            ("ingress", Value::List(vec![all])),
        ];
        stand_in(Kind::SecurityGroup, id, attributes)
    });
    let rest: Vec<StandIn> = subnets.chain(groups).collect();
    made.extend(rest);
    made
}

/// What is referred to and not known, with an address that is in it.
#[derive(Debug, Default)]
struct Needs {
    vpcs: BTreeMap<String, Ipv4Addr>,
    subnets: BTreeMap<String, BTreeSet<Ipv4Addr>>,
    groups: BTreeMap<String, Ipv4Addr>,
    /// The VPCs that are known or stand for others, with their ranges.
    known: Vec<(Address, Ipv4Net)>,
}

impl Needs {
    fn of(objects: &BTreeMap<&Address, &Found>, names: &BTreeMap<String, Address>) -> Self {
        let mut needs = Self::default();
        let unknown = |value: &Value| match value {
            Value::String(id) if !names.contains_key(id) => Some(id.clone()),
            _ => None,
        };
        for (address, found) in objects {
            let Value::Object(members) = found.resource.to_value() else { continue };
            let member = |name: &str| members.get(name).unwrap_or(&Value::Null);
            let range = || text(member("cidr"))?.parse::<Ipv4Net>().ok();
            match address.kind {
                Kind::Vpc => needs.known.extend(range().map(|it| ((*address).clone(), it))),
                Kind::Subnet => {
                    let vpc = unknown(member("vpc")).zip(range());
                    needs.vpcs.extend(vpc.map(|(id, range)| (id, range.network())));
                }
                Kind::Instance => {
                    let own = text(member("private_ip")).and_then(|it| it.parse().ok());
                    let Some(own) = own else { continue };
                    if let Some(id) = unknown(member("subnet")) {
                        needs.subnets.entry(id).or_default().insert(own);
                    }
                    if let Value::List(groups) = member("security_groups") {
                        let groups = groups.iter().filter_map(unknown);
                        needs.groups.extend(groups.map(|id| (id, own)));
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
                | Kind::MirrorSession => {}
            }
        }
        needs
    }

    /// An address of each subnet and group.
    fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> {
        let subnets = self.subnets.values().flat_map(|addresses| addresses.first().copied());
        subnets.chain(self.groups.values().copied())
    }

    fn vpc_of(&self, address: Ipv4Addr) -> Option<Address> {
        let mut known = self.known.iter();
        known.find(|(_, range)| range.contains(&address)).map(|(vpc, _)| vpc.clone())
    }

    fn add_vpc(&mut self, id: Option<String>, within: Ipv4Addr) -> Option<StandIn> {
        let range = Ipv4Net::new(within, 16).ok()?.trunc();
        let name = id.clone().unwrap_or_else(|| format!("unseen-{}", self.known.len()));
        let cidr = [("cidr", Value::String(range.to_string()))];
        let made = StandIn { id, ..stand_in(Kind::Vpc, &name, cidr)? };
        self.known.push((made.address.clone(), range));
        Some(made)
    }
}

/// The smallest range of a subnet that holds all of these: of each range AWS keeps four addresses at the beginning and
/// one at the end.
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
