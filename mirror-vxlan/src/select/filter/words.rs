//! The names that the language has for protocols, fields and bits.

use super::generate::{ethertype, protocol};

/// A protocol that a primitive can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Ethernet,
    Ipv4,
    Ipv6,
    Arp,
    Rarp,
    OverIp(Ip),
}

/// A protocol carried by IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ip {
    pub(super) number: u32,
    pub(super) version: Version,
    pub(super) fields: Fields,
}

/// The version of IP that carries a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Either,
    Ipv4,
    Ipv6,
}

/// Whether bytes of a protocol can be named, as in `tcp[13]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fields {
    Named,
    Nameless,
}

const OVER_IP: [(&str, u32, Version, Fields); 12] = [
    ("ah", 51, Version::Either, Fields::Nameless),
    ("carp", 112, Version::Ipv4, Fields::Named),
    ("esp", 50, Version::Either, Fields::Nameless),
    ("icmp", 1, Version::Ipv4, Fields::Named),
    ("icmp6", protocol::ICMPV6, Version::Ipv6, Fields::Named),
    ("igmp", 2, Version::Ipv4, Fields::Named),
    ("igrp", 9, Version::Ipv4, Fields::Named),
    ("pim", 103, Version::Either, Fields::Named),
    ("sctp", protocol::SCTP, Version::Either, Fields::Named),
    ("tcp", protocol::TCP, Version::Either, Fields::Named),
    ("udp", protocol::UDP, Version::Either, Fields::Named),
    ("vrrp", 112, Version::Ipv4, Fields::Named),
];

impl Protocol {
    pub(super) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "ether" | "link" => Self::Ethernet,
            "ip" => Self::Ipv4,
            "ip6" => Self::Ipv6,
            "arp" => Self::Arp,
            "rarp" => Self::Rarp,
            _ => {
                let (_, number, version, fields) =
                    *OVER_IP.iter().find(|(name, ..)| *name == word)?;
                Self::OverIp(Ip { number, version, fields })
            }
        })
    }

    pub(super) const fn ethertype(self) -> Option<u32> {
        match self {
            Self::Ipv4 => Some(ethertype::IPV4),
            Self::Ipv6 => Some(ethertype::IPV6),
            Self::Arp => Some(ethertype::ARP),
            Self::Rarp => Some(ethertype::RARP),
            Self::Ethernet | Self::OverIp(_) => None,
        }
    }

    pub(super) const fn ip(self) -> Option<Ip> {
        match self {
            Self::OverIp(ip) => Some(ip),
            Self::Ethernet | Self::Ipv4 | Self::Ipv6 | Self::Arp | Self::Rarp => None,
        }
    }

    pub(super) fn is_link(self) -> bool {
        self == Self::Ethernet
    }

    pub(super) const fn has_hosts(self) -> bool {
        self.ip().is_none()
    }

    pub(super) fn has_ports(self) -> bool {
        self.ip().is_some_and(|ip| PORTS.contains(&ip.number))
    }
}

/// The protocols that have ports.
const PORTS: [u32; 3] = [protocol::TCP, protocol::UDP, protocol::SCTP];

/// The protocols in which a port is compared.
pub(super) fn port_protocols(of: Option<Protocol>) -> &'static [u32] {
    match of.and_then(Protocol::ip).and_then(|ip| PORTS.iter().position(|n| *n == ip.number)) {
        Some(place) => &PORTS[place..=place],
        None => &PORTS,
    }
}

/// Returns the number that a name stands for in arithmetic.
pub(super) fn constant(name: &str) -> Option<u32> {
    CONSTANTS.iter().find(|(constant, _)| *constant == name).map(|(_, number)| *number)
}

/// Offsets of fields, types of ICMP messages and flags of TCP, by pcap-filter(7).
const CONSTANTS: [(&str, u32); 57] = [
    ("icmp-echo", 8),
    ("icmp-echoreply", 0),
    ("icmp-ireq", 15),
    ("icmp-ireqreply", 16),
    ("icmp-maskreply", 18),
    ("icmp-maskreq", 17),
    ("icmp-paramprob", 12),
    ("icmp-redirect", 5),
    ("icmp-routeradvert", 9),
    ("icmp-routersolicit", 10),
    ("icmp-sourcequench", 4),
    ("icmp-timxceed", 11),
    ("icmp-tstamp", 13),
    ("icmp-tstampreply", 14),
    ("icmp-unreach", 3),
    ("icmp6-certpathadvert", 149),
    ("icmp6-certpathsolicit", 148),
    ("icmp6-destinationunreach", 1),
    ("icmp6-echo", 128),
    ("icmp6-echoreply", 129),
    ("icmp6-homeagentdiscoveryreply", 145),
    ("icmp6-homeagentdiscoveryrequest", 144),
    ("icmp6-ineighbordiscoveryadvert", 142),
    ("icmp6-ineighbordiscoverysolicit", 141),
    ("icmp6-mobileprefixadvert", 147),
    ("icmp6-mobileprefixsolicit", 146),
    ("icmp6-multicastlistenerdone", 132),
    ("icmp6-multicastlistenerquery", 130),
    ("icmp6-multicastlistenerreportv1", 131),
    ("icmp6-multicastlistenerreportv2", 143),
    ("icmp6-multicastrouteradvert", 151),
    ("icmp6-multicastroutersolicit", 152),
    ("icmp6-multicastroutertermination", 153),
    ("icmp6-neighboradvert", 136),
    ("icmp6-neighborsolicit", 135),
    ("icmp6-nodeinformationquery", 139),
    ("icmp6-nodeinformationresponse", 140),
    ("icmp6-packettoobig", 2),
    ("icmp6-parameterproblem", 4),
    ("icmp6-redirect", 137),
    ("icmp6-routeradvert", 134),
    ("icmp6-routerrenum", 138),
    ("icmp6-routersolicit", 133),
    ("icmp6-timeexceeded", 3),
    ("icmp6code", 1),
    ("icmp6type", 0),
    ("icmpcode", 1),
    ("icmptype", 0),
    ("tcp-ack", 0x10),
    ("tcp-cwr", 0x80),
    ("tcp-ece", 0x40),
    ("tcp-fin", 0x01),
    ("tcp-push", 0x08),
    ("tcp-rst", 0x04),
    ("tcp-syn", 0x02),
    ("tcp-urg", 0x20),
    ("tcpflags", 13),
];
