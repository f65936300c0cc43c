//! Packets to and from AWS services at link-local addresses, which rules do not decide about.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::Ipv4Net;

use super::headers::{Headers, TCP, UDP, Upper, number};

/// A class of packets that is never mirrored, whatever the rules say.
///
/// Source: AWS Traffic Mirroring guide, "Considerations"; the addresses are those of the EC2 user guide, "Link-local
/// addresses". The guide says NTP, but AWS's own sample capture holds NTP with public servers: what is meant is the
/// time service at its link-local address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reserved {
    /// DHCP of either version.
    Dhcp,
    /// The instance metadata service.
    InstanceMetadata,
    /// The Amazon Time Sync Service.
    TimeSync,
    /// Windows activation.
    WindowsActivation,
}

/// The service at each address.
const SERVICES: [(u128, Reserved); 7] = [
    (link_local(254), Reserved::InstanceMetadata),
    (link_local(123), Reserved::TimeSync),
    (link_local(250), Reserved::WindowsActivation),
    (link_local(251), Reserved::WindowsActivation),
    (unique_local(0x254), Reserved::InstanceMetadata),
    (unique_local(0x123), Reserved::TimeSync),
    (unique_local(0x250), Reserved::WindowsActivation),
];

/// Amazon's DNS server at the addresses that it has in every VPC.
///
/// Source: Amazon VPC user guide, "Amazon DNS server".
const RESOLVERS: [u128; 2] = [link_local(253), unique_local(0x253)];

const fn link_local(last: u8) -> u128 {
    number(IpAddr::V4(Ipv4Addr::new(169, 254, 169, last)))
}

const fn unique_local(last: u16) -> u128 {
    number(IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, last)))
}

/// Whether an address is close enough to those above to be worth looking up.
const fn may_be_service(address: u128) -> bool {
    address >> 16 == link_local(0) >> 16 || address >> 16 == unique_local(0) >> 16
}

impl Reserved {
    /// The class of a packet.
    #[inline]
    pub(super) fn of(headers: &Headers) -> Option<Self> {
        if headers.protocol == UDP
            && let Upper::Ports { ports, .. } = headers.upper
            && is_dhcp(ports)
        {
            return Some(Self::Dhcp);
        }
        let at = |address: u128| {
            let of = || SERVICES.iter().find(|(at, _)| *at == address).map(|(_, class)| *class);
            if may_be_service(address) { of() } else { None }
        };
        at(headers.addresses[0]).or_else(|| at(headers.addresses[1]))
    }
}

/// Source: RFC 2131, section 4.1, and RFC 8415, section 7.2.
const fn is_dhcp([from, to]: [u16; 2]) -> bool {
    (matches!(from, 67 | 68) && matches!(to, 67 | 68))
        || (matches!(from, 546 | 547) && matches!(to, 546 | 547))
}

/// The address of Amazon's DNS server in a VPC with this primary block: the third one in it.
pub(super) fn resolver(vpc: Ipv4Net) -> Ipv4Addr {
    u32::from(vpc.network()).saturating_add(2).into()
}

/// All addresses of the server in such a VPC.
pub(super) fn resolvers(vpc: Option<Ipv4Net>) -> Vec<u128> {
    let third = vpc.map(|block| number(IpAddr::V4(resolver(block))));
    third.into_iter().chain(RESOLVERS).collect()
}

/// Whether a packet is traffic with one of these DNS servers; a fragment to or from one counts too.
#[inline]
pub(super) fn is_amazon_dns(headers: &Headers, resolvers: &[u128]) -> bool {
    const DNS: u16 = 53;
    let [source, destination] = headers.addresses;
    let is_server = |address: u128| resolvers.contains(&address);
    match (headers.protocol, headers.upper) {
        (TCP | UDP, Upper::Ports { ports: [from, to], .. }) => {
            to == DNS && is_server(destination) || from == DNS && is_server(source)
        }
        (TCP | UDP, Upper::Nothing) => is_server(destination) || is_server(source),
        _ => false,
    }
}
