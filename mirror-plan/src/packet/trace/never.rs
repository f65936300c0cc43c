//! The classes of packets that AWS never mirrors, and traffic with Amazon's DNS server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Headers;

/// A class of packets that is never mirrored.
///
/// Source: AWS Traffic Mirroring guide, "Limitations". The guide lists NTP without an address; AWS's own sample
/// capture holds NTP with public servers, so only the time service at the link-local address is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Never {
    /// DHCP, of either version.
    Dhcp,
    /// The instance metadata service.
    InstanceMetadata,
    /// The Amazon Time Sync Service.
    TimeSync,
    /// Windows activation.
    WindowsActivation,
}

impl Never {
    /// All of them, in order.
    pub const ALL: [Self; 4] =
        [Self::Dhcp, Self::InstanceMetadata, Self::TimeSync, Self::WindowsActivation];

    /// Its name, for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Dhcp => "DHCP",
            Self::InstanceMetadata => "instance metadata",
            Self::TimeSync => "Amazon Time Sync",
            Self::WindowsActivation => "Windows activation",
        }
    }

    /// The class that a packet belongs to, if it is never mirrored.
    #[inline]
    pub(super) fn of(headers: &Headers) -> Option<Self> {
        if headers.protocol == UDP && headers.ports.is_some_and(is_dhcp) {
            return Some(Self::Dhcp);
        }
        match (headers.source, headers.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => v4(source).or_else(|| v4(destination)),
            (IpAddr::V6(source), IpAddr::V6(destination)) => v6(source).or_else(|| v6(destination)),
            _ => None,
        }
    }
}

const TCP: u8 = 6;
const UDP: u8 = 17;
const DNS: u16 = 53;

/// Source: RFC 2131, section 4.1, and RFC 8415, section 7.2.
const fn is_dhcp(ports: [u16; 2]) -> bool {
    matches!(ports, [67 | 68, 67 | 68] | [546 | 547, 546 | 547])
}

/// Source: EC2 user guide, "Link-local addresses".
#[inline]
fn v4(address: Ipv4Addr) -> Option<Never> {
    match address.octets() {
        [169, 254, 169, 254] => Some(Never::InstanceMetadata),
        [169, 254, 169, 123] => Some(Never::TimeSync),
        [169, 254, 169, 250 | 251] => Some(Never::WindowsActivation),
        _ => None,
    }
}

/// Source: EC2 user guide, "Link-local addresses": the same in `fd00:ec2::/32`.
#[inline]
fn v6(address: Ipv6Addr) -> Option<Never> {
    match address.segments() {
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => Some(Never::InstanceMetadata),
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x123] => Some(Never::TimeSync),
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x250] => Some(Never::WindowsActivation),
        _ => None,
    }
}

/// The addresses of Amazon's DNS server that are the same in every VPC.
///
/// Source: Amazon VPC user guide, "Amazon DNS server".
pub(super) const RESOLVERS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 253)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x253)),
];

/// The address of Amazon's DNS server in a VPC: the third of its range.
///
/// Source: Amazon VPC user guide, "Amazon DNS server".
pub(super) fn resolver(vpc: ipnet::Ipv4Net) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(u32::from(vpc.network()).saturating_add(2)))
}

/// Whether a packet is traffic with one of these DNS servers. A fragment to or from one counts too.
#[inline]
pub(super) fn is_amazon_dns(headers: &Headers, resolvers: &[IpAddr]) -> bool {
    let Headers { protocol, source, destination, ports } = headers;
    if !matches!(*protocol, TCP | UDP) {
        return false;
    }
    match ports {
        Some([from, to]) => {
            (*to == DNS && resolvers.contains(destination))
                || (*from == DNS && resolvers.contains(source))
        }
        None => resolvers.contains(destination) || resolvers.contains(source),
    }
}
