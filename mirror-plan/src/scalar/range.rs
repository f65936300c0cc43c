//! Ranges of addresses and ports, and protocols.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

use super::text::{ScalarError, shown_as_inner, text_attributes};
use crate::address::serde_as_text;

text_attributes! {
    Cidr: "an IPv4 range, /16 to /28";
    IpAddress: "an IPv4 address";
    IpRange: "an IPv4 or IPv6 range";
    PortRange: "a port or a range of ports, such as 443 or 1024-65535";
    Protocol: "all, tcp, udp, icmp, icmpv6 or a protocol number";
}
shown_as_inner!(Cidr, IpAddress, IpRange);
serde_as_text!(Cidr, IpAddress, IpRange, PortRange, Protocol);

///
/// Source: VPC user guide, "VPC CIDR blocks" and "Subnet CIDR blocks".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cidr(Ipv4Net);

impl Cidr {
    /// The range.
    #[must_use]
    pub const fn net(self) -> Ipv4Net {
        self.0
    }
}

impl FromStr for Cidr {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let net: Ipv4Net = text.parse().map_err(|_| {
            ScalarError(format!("`{text}` is not an IPv4 range such as 10.0.0.0/16"))
        })?;
        if (16..=28).contains(&net.prefix_len()) {
            Ok(Self(net.trunc()))
        } else {
            Err(ScalarError(format!("`{text}`: a VPC or subnet is between /16 and /28")))
        }
    }
}

/// An IPv4 or IPv6 range in canonical form, of any size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IpRange(IpNet);

impl IpRange {
    /// The range.
    #[must_use]
    pub const fn net(self) -> IpNet {
        self.0
    }

    /// Every IPv4 address.
    #[must_use]
    pub const fn any_v4() -> Self {
        Self(IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0)))
    }
}

impl FromStr for IpRange {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        text.parse::<IpNet>()
            .map(|net| Self(net.trunc()))
            .map_err(|_| ScalarError(format!("`{text}` is not a range such as 10.0.0.0/8 or ::/0")))
    }
}

/// A range of TCP or UDP ports, both ends included. A single port is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortRange {
    from: u16,
    to: u16,
}

impl PortRange {
    /// The range, unless it is upside down.
    #[must_use]
    pub const fn new(from: u16, to: u16) -> Option<Self> {
        if from <= to { Some(Self { from, to }) } else { None }
    }

    /// The first port.
    #[must_use]
    pub const fn from(self) -> u16 {
        self.from
    }

    /// The last port.
    #[must_use]
    pub const fn to(self) -> u16 {
        self.to
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        if from == to { write!(f, "{from}") } else { write!(f, "{from}-{to}") }
    }
}

impl FromStr for PortRange {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let port = |part: &str| part.trim().parse::<u16>().ok();
        port(from)
            .zip(port(to))
            .and_then(|(from, to)| Self::new(from, to))
            .ok_or_else(|| ScalarError(format!("`{text}` is not a port or a range such as 80-90")))
    }
}

/// An IP protocol by its IANA number, or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// Every protocol.
    All,
    /// The one with this number, 1 to 255. AWS cannot tell 0 (HOPOPT) from all.
    Number(u8),
}

impl Protocol {
    /// TCP.
    pub const TCP: Self = Self::Number(6);
    /// UDP.
    pub const UDP: Self = Self::Number(17);
    /// The protocols with a name; the only table of it.
    const NAMES: &[(&str, Self)] = &[
        ("all", Self::All),
        ("icmp", Self::Number(1)),
        ("tcp", Self::TCP),
        ("udp", Self::UDP),
        ("icmpv6", Self::Number(58)),
    ];

    /// Whether it has ports.
    #[must_use]
    pub fn has_ports(self) -> bool {
        matches!(self, Self::TCP | Self::UDP)
    }

    /// Its number, unless it is all of them.
    #[must_use]
    pub const fn number(self) -> Option<u8> {
        match self {
            Self::All => None,
            Self::Number(number) => Some(number),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (Self::NAMES.iter().find(|(_, protocol)| protocol == self), self) {
            (Some((name, _)), _) => f.pad(name),
            (None, Self::Number(number)) => write!(f, "{number}"),
            (None, Self::All) => unreachable!("the table has a name for all"),
        }
    }
}

impl FromStr for Protocol {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let named = Self::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        match (named, text.parse()) {
            (Some((_, protocol)), _) => Ok(*protocol),
            (None, Ok(number @ 1..=255)) => Ok(Self::Number(number)),
            _ => Err(ScalarError(format!(
                "`{text}` is not a protocol: all, tcp, udp, icmp, icmpv6 or a number from 1 to 255"
            ))),
        }
    }
}

/// An IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IpAddress(pub Ipv4Addr);

impl FromStr for IpAddress {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let address = text.parse().map_err(|_| {
            ScalarError(format!("`{text}` is not an IPv4 address such as 10.0.1.10"))
        })?;
        Ok(Self(address))
    }
}
