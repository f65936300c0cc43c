//! Ranges of addresses and ports, and protocols.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

use super::text::{ScalarError, serde_as_attribute, shown_as_inner, text_attributes};
use crate::address::serde_as_text;

text_attributes! {
    Cidr: "an IPv4 range, /16 to /28";
    IpAddress: "an IPv4 address";
    IpRange: "an IPv4 or IPv6 range";
    PortRange: "a port or a range of ports, such as 443 or 1024-65535" or PortRange::single;
    Protocol: "all, tcp, udp, icmp, icmpv6 or a protocol number";
}
shown_as_inner!(Cidr, IpAddress, IpRange);
serde_as_text!(Cidr, IpAddress, IpRange, Protocol);
serde_as_attribute!(PortRange);

/// The IPv4 range of a VPC or subnet in canonical form, /16 to /28.
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
            Err(ScalarError(format!("`{text}`: a VPC or subnet must be between /16 and /28")))
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
    /// The range, unless `from` is greater than `to`.
    #[must_use]
    pub const fn new(from: u16, to: u16) -> Option<Self> {
        if from <= to { Some(Self { from, to }) } else { None }
    }

    /// One port.
    #[must_use]
    pub const fn only(port: u16) -> Self {
        Self { from: port, to: port }
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

    /// The port, if it is only one.
    #[must_use]
    pub const fn single(self) -> Option<u16> {
        if self.from == self.to { Some(self.from) } else { None }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.single() {
            Some(port) => write!(f, "{port}"),
            None => write!(f, "{}-{}", self.from, self.to),
        }
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
    /// The protocols that have a name; the only table of these names.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::attribute::{AttributeType as _, Problems};
    use crate::scalar::{HealthPort, Port};
    use crate::value::{Path, Value};

    fn read(value: &Value) -> Option<PortRange> {
        PortRange::read(value, &Path::default(), &mut Problems::default())
    }

    #[test]
    fn one_port_is_a_number_however_it_is_written() {
        for written in [json!(22), json!("22"), json!("22-22")] {
            let port = read(&Value::from(written.clone())).unwrap();
            assert_eq!(port.to_value(), Value::integer(22), "{written}");
            assert_eq!(serde_json::from_value::<PortRange>(written).unwrap(), port);
        }
        assert_eq!(read(&Value::from(json!(22.5))), None);
        let health = [HealthPort::Traffic, HealthPort::Port(Port::new(80).unwrap())];
        assert_eq!(json!(health), json!(["traffic-port", 80]));
        assert_eq!(serde_json::from_value::<[HealthPort; 2]>(json!(health)).unwrap(), health);
        assert_eq!(serde_json::from_value::<HealthPort>(json!("80")).unwrap(), health[1]);
    }

    proptest! {
        #[test]
        fn a_range_of_ports_reads_back(ends in any::<(u16, u16)>()) {
            let range = PortRange::new(ends.0.min(ends.1), ends.0.max(ends.1)).unwrap();
            prop_assert_eq!(read(&range.to_value()), Some(range));
            prop_assert_eq!(serde_json::from_value::<PortRange>(json!(range)).unwrap(), range);
            prop_assert_eq!(range.to_string().parse::<PortRange>().unwrap(), range);
        }
    }
}
