//! Addresses: what the stack file calls a resource, such as `mirror_session.detect["eni-0ab"]`.
//!
//! [`Kind`] holds the only table between a kind of resource and its text.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A kind of resource: one block word of the stack file, one kind of AWS object.
///
/// The variants are in the order in which a reader meets them: network, machines, load balancer, mirror,
/// others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A virtual private cloud.
    Vpc,
    /// A subnet of a VPC.
    Subnet,
    /// An internet gateway and its attachment to a VPC.
    InternetGateway,
    /// A route table with its routes and subnet associations.
    RouteTable,
    /// A VPC peering connection.
    VpcPeering,
    /// An attachment of a VPC to a transit gateway.
    TransitGatewayAttachment,
    /// A security group with its rules.
    SecurityGroup,
    /// An EC2 instance with its primary network interface.
    Instance,
    /// A launch template with its default version.
    LaunchTemplate,
    /// An ELBv2 target group with its registered targets.
    TargetGroup,
    /// An Auto Scaling group, whose instances are its own.
    AutoscalingGroup,
    /// A Network Load Balancer with its listeners.
    LoadBalancer,
    /// A Gateway Load Balancer with its listener.
    GatewayLoadBalancer,
    /// An endpoint service of Gateway Load Balancers.
    EndpointService,
    /// A Gateway Load Balancer endpoint.
    GatewayLoadBalancerEndpoint,
    /// A traffic mirror target.
    MirrorTarget,
    /// A traffic mirror filter with its rules and network services.
    MirrorFilter,
    /// A traffic mirror session.
    MirrorSession,
    /// A resource share of mirror targets with other accounts.
    ResourceShare,
}

/// The names of a [`Kind`]; a row of the only such table.
struct KindRow {
    kind: Kind,
    /// The block word of the stack file.
    word: &'static str,
    /// What AWS's documents call it.
    title: &'static str,
    /// What `TagSpecification.ResourceType` and `DescribeTags` call it.
    tag_type: &'static str,
}

const KINDS: &[KindRow] = &[
    row(Kind::Vpc, "vpc", "VPC", "vpc"),
    row(Kind::Subnet, "subnet", "subnet", "subnet"),
    row(Kind::InternetGateway, "internet_gateway", "internet gateway", "internet-gateway"),
    row(Kind::RouteTable, "route_table", "route table", "route-table"),
    row(Kind::VpcPeering, "vpc_peering", "VPC peering connection", "vpc-peering-connection"),
    row(
        Kind::TransitGatewayAttachment,
        "transit_gateway_attachment",
        "transit gateway attachment",
        "transit-gateway-attachment",
    ),
    row(Kind::SecurityGroup, "security_group", "security group", "security-group"),
    row(Kind::Instance, "instance", "instance", "instance"),
    row(Kind::LaunchTemplate, "launch_template", "launch template", "launch-template"),
    row(Kind::TargetGroup, "target_group", "target group", "elasticloadbalancing:targetgroup"),
    row(
        Kind::AutoscalingGroup,
        "autoscaling_group",
        "Auto Scaling group",
        "autoscaling:auto-scaling-group",
    ),
    row(
        Kind::LoadBalancer,
        "load_balancer",
        "Network Load Balancer",
        "elasticloadbalancing:loadbalancer",
    ),
    row(
        Kind::GatewayLoadBalancer,
        "gateway_load_balancer",
        "Gateway Load Balancer",
        "elasticloadbalancing:loadbalancer",
    ),
    row(Kind::EndpointService, "endpoint_service", "endpoint service", "vpc-endpoint-service"),
    row(
        Kind::GatewayLoadBalancerEndpoint,
        "gateway_load_balancer_endpoint",
        "Gateway Load Balancer endpoint",
        "vpc-endpoint",
    ),
    row(Kind::MirrorTarget, "mirror_target", "traffic mirror target", "traffic-mirror-target"),
    row(Kind::MirrorFilter, "mirror_filter", "traffic mirror filter", "traffic-mirror-filter"),
    row(Kind::MirrorSession, "mirror_session", "traffic mirror session", "traffic-mirror-session"),
    // EC2 does not manage its tags.
    row(Kind::ResourceShare, "resource_share", "resource share", "ram:resource-share"),
];

const fn row(
    kind: Kind,
    word: &'static str,
    title: &'static str,
    tag_type: &'static str,
) -> KindRow {
    KindRow { kind, word, title, tag_type }
}

impl Kind {
    /// Every kind, in declaration order.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        KINDS.iter().map(|row| row.kind)
    }

    /// The block word in the stack file: `mirror_session`.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// The name in AWS's documents: `traffic mirror session`.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// The resource type in tag calls: `traffic-mirror-session`.
    #[must_use]
    pub fn tag_type(self) -> &'static str {
        self.row().tag_type
    }

    fn row(self) -> &'static KindRow {
        &KINDS[self as usize]
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Kind {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        KINDS
            .iter()
            .find(|row| row.word == text)
            .map(|row| row.kind)
            .ok_or_else(|| AddressError::Kind(text.to_owned()))
    }
}

/// The label of a block: a letter or `_`, then letters, digits, `_` and `-`; at most 64 bytes.
///
/// Clones share the text: ten thousand addresses of one block hold its name once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// The longest name, in bytes; it keeps an [`Address`] within the 256 characters of a tag value.
    pub const LONGEST: usize = 64;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Name {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let mut bytes = text.bytes();
        let starts = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        let goes_on = bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if starts && goes_on && text.len() <= Self::LONGEST {
            Ok(Self(text.into()))
        } else {
            Err(AddressError::Name(text.to_owned()))
        }
    }
}

/// Identifies one of the resources that a block stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// From `count`: `instance.sensor[0]`.
    Index(u32),
    /// From a named fan-out: `mirror_session.detect["eni-0ab"]`. Holds no `"`, `\` or control character.
    Name(String),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Name(name) => write!(f, "[\"{name}\"]"),
        }
    }
}

impl FromStr for Key {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError::Key(text.to_owned());
        let inner =
            text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or_else(wrong)?;
        match inner.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(name) if !name.contains(['"', '\\']) && !name.contains(char::is_control) => {
                Ok(Self::Name(name.to_owned()))
            }
            Some(_) => Err(wrong()),
            None if inner.starts_with('0') && inner != "0" => Err(wrong()),
            None => inner.parse().map(Self::Index).map_err(|_| wrong()),
        }
    }
}

/// The stack file's name of one resource: kind, block label and, for a block that fans out, a key.
///
/// Written `kind.name` or `kind.name[key]`, which [`FromStr`] reads back. It is unique in a stack,
/// and is kept on the AWS object as the tag `mirror-plan:address`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// The kind of resource.
    pub kind: Kind,
    /// The label of the block.
    pub name: Name,
    /// Which one, where the block stands for several.
    pub key: Option<Key>,
}

impl Address {
    /// The address of a block that stands for one resource.
    #[must_use]
    pub const fn new(kind: Kind, name: Name) -> Self {
        Self { kind, name, key: None }
    }

    /// The address of the same block's resource with `key`.
    #[must_use]
    pub fn with_key(self, key: Key) -> Self {
        Self { key: Some(key), ..self }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, key } = self;
        match key {
            None => write!(f, "{kind}.{name}"),
            Some(key) => write!(f, "{kind}.{name}{key}"),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (kind, rest) =
            text.split_once('.').ok_or_else(|| AddressError::Shape(text.to_owned()))?;
        let (name, key) = match rest.find('[') {
            Some(at) => (&rest[..at], Some(rest[at..].parse()?)),
            None => (rest, None),
        };
        Ok(Self { kind: kind.parse()?, name: name.parse()?, key })
    }
}

/// Why a text is not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No `.` between kind and name.
    #[error("`{0}` is not an address: write it as kind.name, such as vpc.lab")]
    Shape(String),
    /// The part before the `.` is not a [`Kind`].
    #[error("`{0}` is not a kind of resource")]
    Kind(String),
    /// The label is not a [`Name`].
    #[error(
        "`{0}` is not a name: a letter or _ first, then letters, digits, _ and -, at most 64 characters"
    )]
    Name(String),
    /// The part in brackets is not a [`Key`].
    #[error("`{0}` is not a key: write [0] or [\"name\"]")]
    Key(String),
}

/// Serialises through [`Display`](fmt::Display) and [`FromStr`]: one text form everywhere.
macro_rules! serde_as_text {
    ($($type:ty),+ $(,)?) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use serde_as_text;

serde_as_text!(Kind, Name, Address);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_kind_table_is_in_declaration_order() {
        for (position, kind) in Kind::all().enumerate() {
            assert_eq!(kind as usize, position);
            assert_eq!(kind.word().parse(), Ok(kind));
        }
    }

    #[test]
    fn what_is_not_an_address_says_why() {
        for (text, error) in [
            ("vpc", "`vpc` is not an address: write it as kind.name, such as vpc.lab"),
            ("vcp.lab", "`vcp` is not a kind of resource"),
            ("vpc.lab[01]", "`[01]` is not a key: write [0] or [\"name\"]"),
            ("vpc.lab[\"a\"b\"]", "`[\"a\"b\"]` is not a key: write [0] or [\"name\"]"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap_err().to_string(), error);
        }
        assert!(matches!("vpc.1lab".parse::<Address>(), Err(AddressError::Name(_))));
    }

    proptest! {
        #[test]
        fn an_address_reads_back(
            kind in 0..KINDS.len(),
            name in "[a-z_][a-z0-9_-]{0,20}",
            key in proptest::option::of(prop_oneof![
                any::<u32>().prop_map(Key::Index),
                "[a-z0-9-]{0,20}".prop_map(Key::Name),
            ]),
        ) {
            let address = Address { kind: KINDS[kind].kind, name: name.parse().unwrap(), key };
            prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address));
        }

        #[test]
        fn no_text_panics(text in ".{0,60}") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert_eq!(address.to_string(), text);
            }
        }
    }
}
