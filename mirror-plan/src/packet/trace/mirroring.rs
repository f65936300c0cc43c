//! Who mirrors what: the interfaces of a stack with their sessions, at one moment.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use ipnet::Ipv4Net;

use super::moment::{Moment, Object, Objects};
use super::never;
use crate::address::{Address, Kind};
use crate::id::NetworkInterfaceId;
use crate::observed::Observed;
use crate::plan::Plan;
use crate::resource::load_balancer::Listener;
use crate::resource::mirror_filter::{Rule, Rules};
use crate::resource::target_group::VXLAN;
use crate::scalar::{Cidr, ElbProtocol, InstanceType, IpAddress, PacketLength, SessionNumber, Vni};
use crate::value::Value;

/// The interfaces that a stack makes or mirrors, sorted by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mirroring {
    /// The interfaces.
    pub interfaces: Vec<Interface>,
}

/// A network interface: the primary one of an instance, or one that is known by its id alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Interface {
    /// The instance whose primary interface it is, if the stack has that instance; otherwise its id.
    pub name: String,
    /// Its id; `None` before it is created.
    pub id: Option<String>,
    /// Its addresses, as far as they are known.
    pub addresses: Vec<IpAddr>,
    /// The range that its address is from, or will be from; `None` if the stack does not give it.
    pub subnet: Option<Ipv4Net>,
    /// The addresses of Amazon's DNS server, as seen from the interface.
    pub resolvers: Vec<IpAddr>,
    /// The type of its instance.
    pub instance_type: Option<InstanceType>,
    /// Its sessions, in the order of their numbers.
    pub sessions: Vec<Session>,
}

/// A mirror session, with everything it uses.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Its address in the stack.
    pub address: Address,
    /// Its number, which orders the sessions of its interface.
    pub number: SessionNumber,
    /// Its VXLAN network identifier; `None` before AWS has picked one.
    pub vni: Option<Vni>,
    /// How many bytes of each frame are sent at most, if the session limits them.
    pub packet_length: Option<PacketLength>,
    /// Which packets are sent.
    pub filter: Filter,
    /// Where they are sent.
    pub target: Target,
}

/// A mirror filter.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// Its address in the stack.
    pub address: Address,
    /// Its rules, in the order in which they are tried: ingress before egress, then by number.
    pub rules: Vec<Rule>,
    /// Whether it has the network service `amazon-dns`.
    pub amazon_dns: bool,
}

/// A mirror target.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The target.
    pub name: Named,
    /// Where it sends to.
    pub destination: Destination,
}

/// Something that the stack knows by its address, or only by its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// An object of the stack, or one that it declares to use.
    Address(Address),
    /// An object that it only names.
    Id(String),
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Id(id) => f.write_str(id),
        }
    }
}

/// Where a mirror target sends to.
#[derive(Clone, Debug, PartialEq)]
pub enum Destination {
    /// A Network Load Balancer.
    LoadBalancer {
        /// The load balancer.
        name: Named,
        /// Whether it accepts VXLAN.
        listening: Listening,
    },
    /// A network interface.
    NetworkInterface(Named),
    /// A Gateway Load Balancer endpoint, by its address or id.
    GatewayLoadBalancerEndpoint(String),
    /// A destination that the stack does not know, because it does not know the target.
    Unseen,
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoadBalancer { name, listening: _ } | Self::NetworkInterface(name) => {
                write!(f, "{name}")
            }
            Self::GatewayLoadBalancerEndpoint(id) => f.write_str(id),
            Self::Unseen => f.write_str("unknown"),
        }
    }
}

/// Whether a load balancer listens on UDP port 4789. AWS accepts one that does not as a mirror target, and all
/// packets are lost without an error.
///
/// Source: AWS Traffic Mirroring guide, "Targets".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listening {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// The stack only names it.
    Unseen,
}

/// A session for which it is not known what it mirrors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{session} uses a mirror filter that the stack does not know: `{filter}`")]
pub struct Untraceable {
    /// The session.
    pub session: Address,
    /// The filter, as the session names it.
    pub filter: String,
}

/// An interface that was named but does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stack has no interface `{name}`")]
pub struct InterfaceError {
    /// The name.
    pub name: String,
}

impl Mirroring {
    /// Returns who mirrors what before or after `plan`, which was made from `observed`.
    ///
    /// # Errors
    /// Each session whose filter the stack neither makes nor declares to use.
    pub fn at(moment: Moment, plan: &Plan, observed: &Observed) -> Result<Self, Vec<Untraceable>> {
        let objects = Objects::at(moment, plan, observed);
        let mut interfaces: BTreeMap<String, Interface> = BTreeMap::new();
        for instance in objects.of(Kind::Instance) {
            let interface = Interface::of(instance, &objects);
            interfaces.insert(interface.name.clone(), interface);
        }
        let mut untraceable = Vec::new();
        for session in objects.of(Kind::MirrorSession) {
            let source = session.value("source");
            let interface = match objects.find(Kind::Instance, source) {
                Some(instance) => interfaces.entry(instance.address.to_string()),
                None => interfaces.entry(text(source)),
            };
            let interface = interface.or_insert_with_key(|id| Interface::of_others(id, observed));
            match Session::of(session, &objects) {
                Ok(session) => interface.sessions.extend(session),
                Err(error) => untraceable.push(error),
            }
        }
        if !untraceable.is_empty() {
            return Err(untraceable);
        }
        let mut interfaces: Vec<Interface> = interfaces.into_values().collect();
        for interface in &mut interfaces {
            interface.sessions.sort_by_key(|session| session.number);
        }
        Ok(Self { interfaces })
    }

    /// Returns the position of the interface of this name: an instance of the stack, or the id of an interface.
    #[must_use]
    pub fn interface(&self, name: &str) -> Option<usize> {
        self.interfaces.iter().position(|interface| interface.is(name))
    }

    /// Keeps only the interfaces with these names.
    pub fn keep(&mut self, names: &[&str]) {
        self.interfaces.retain(|interface| names.iter().any(|name| interface.is(name)));
    }

    /// Gives an interface an address that the stack does not know.
    ///
    /// # Errors
    /// If there is no interface of this name.
    pub fn give_address(&mut self, name: &str, address: IpAddr) -> Result<(), InterfaceError> {
        match self.interfaces.iter_mut().find(|interface| interface.is(name)) {
            Some(interface) => {
                interface.addresses.push(address);
                Ok(())
            }
            None => Err(InterfaceError { name: name.to_owned() }),
        }
    }

    /// Adds an address of one of Amazon's DNS servers that the stack does not know.
    pub fn add_resolver(&mut self, address: IpAddr) {
        self.interfaces.iter_mut().for_each(|interface| interface.resolvers.push(address));
    }
}

impl Interface {
    /// The primary interface of an instance.
    fn of(instance: &Object<'_>, objects: &Objects<'_>) -> Self {
        let subnet = objects.find(Kind::Subnet, instance.value("subnet"));
        let vpc = subnet.and_then(|subnet| objects.find(Kind::Vpc, subnet.value("vpc")));
        let range = |object: Option<&Object<'_>>| object?.read::<Cidr>("cidr").map(Cidr::net);
        let resolver = range(vpc).map(never::resolver);
        let address = instance.read::<IpAddress>("private_ip");
        Self {
            name: instance.address.to_string(),
            id: instance.read::<String>("network_interface"),
            addresses: address.into_iter().map(|IpAddress(address)| address.into()).collect(),
            subnet: range(subnet),
            resolvers: resolver.into_iter().chain(never::RESOLVERS).collect(),
            instance_type: instance.read("instance_type"),
            sessions: Vec::new(),
        }
    }

    /// An interface that the stack does not have: its id is known, and more if it may be selected as a source.
    fn of_others(id: &str, observed: &Observed) -> Self {
        let seen = id.parse::<NetworkInterfaceId>().ok().and_then(|id| {
            observed.sources.values().find_map(|sighting| sighting.interfaces.get(&id))
        });
        let host = seen.and_then(|seen| seen.instance.as_ref());
        Self {
            name: id.to_owned(),
            id: Some(id.to_owned()),
            addresses: seen.map(|seen| seen.addresses.clone()).unwrap_or_default(),
            subnet: None,
            resolvers: never::RESOLVERS.to_vec(),
            instance_type: host.map(|host| host.instance_type.clone()),
            sessions: Vec::new(),
        }
    }

    /// Whether this is its name or its id.
    fn is(&self, name: &str) -> bool {
        self.name == name || self.id.as_deref() == Some(name)
    }
}

impl Session {
    /// Returns `None` for a session without the attributes that every session has, which a plan never holds.
    fn of(session: &Object<'_>, objects: &Objects<'_>) -> Result<Option<Self>, Untraceable> {
        let reference = session.value("filter");
        let Some(filter) = objects.find(Kind::MirrorFilter, reference) else {
            return Err(Untraceable { session: session.address.clone(), filter: text(reference) });
        };
        Ok(session.read("number").map(|number| Self {
            address: session.address.clone(),
            number,
            vni: session.read("vni"),
            packet_length: session.read("packet_length"),
            filter: Filter::of(filter),
            target: Target::of(session.value("target"), objects),
        }))
    }
}

impl Filter {
    fn of(filter: &Object<'_>) -> Self {
        let Rules(mut rules) = filter.read("rules").unwrap_or_default();
        rules.sort_by_key(Rule::key);
        let amazon_dns = filter.read("amazon_dns").unwrap_or_default();
        Self { address: filter.address.clone(), rules, amazon_dns }
    }
}

impl Target {
    fn of(reference: &Value, objects: &Objects<'_>) -> Self {
        let Some(target) = objects.find(Kind::MirrorTarget, reference) else {
            let name = Named::Id(text(reference));
            return Self { name, destination: Destination::Unseen };
        };
        let named = |kind, reference: &Value| match objects.find(kind, reference) {
            Some(object) => Named::Address(object.address.clone()),
            None => Named::Id(text(reference)),
        };
        let [balancer, interface, endpoint] =
            ["load_balancer", "network_interface", "gateway_load_balancer_endpoint"]
                .map(|name| target.value(name));
        let destination = match (balancer, interface, endpoint) {
            (Value::Null, Value::Null, endpoint) => {
                let name = named(Kind::GatewayLoadBalancerEndpoint, endpoint);
                Destination::GatewayLoadBalancerEndpoint(name.to_string())
            }
            (Value::Null, interface, _) => {
                Destination::NetworkInterface(named(Kind::Instance, interface))
            }
            (balancer, _, _) => Destination::LoadBalancer {
                name: named(Kind::LoadBalancer, balancer),
                listening: Listening::of(objects.find(Kind::LoadBalancer, balancer)),
            },
        };
        Self { name: Named::Address(target.address.clone()), destination }
    }
}

impl Listening {
    fn of(balancer: Option<&Object<'_>>) -> Self {
        let Some(balancer) = balancer else { return Self::Unseen };
        let listeners: Vec<Listener> = balancer.read("listeners").unwrap_or_default();
        let takes_vxlan = listeners.iter().any(|listener| {
            listener.port == VXLAN
                && matches!(listener.protocol, ElbProtocol::Udp | ElbProtocol::TcpUdp)
        });
        if takes_vxlan { Self::Yes } else { Self::No }
    }
}

/// A reference as a person would read it.
fn text(reference: &Value) -> String {
    match reference {
        Value::String(text) => text.clone(),
        Value::Unknown(unknown) => {
            let mut addresses = unknown.origins.iter().map(|origin| origin.address.to_string());
            addresses.next().unwrap_or_default()
        }
        other => other.to_string(),
    }
}
