//! The headers of a frame, as far as rules, security groups and hashes look at them.

use std::net::IpAddr;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// An IP packet whose header is whole.
    Internet(Headers),
    /// An ARP packet.
    Arp,
    /// Anything else.
    Other,
}

/// The headers of an IP packet, in its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Headers {
    pub(super) version: Version,
    pub(super) protocol: u8,
    /// Source and destination, as [`number`] returns them.
    pub(super) addresses: [u128; 2],
    pub(super) upper: Upper,
}

/// The versions of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V4,
    V6,
}

/// The header of the protocol above IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upper {
    /// TCP or UDP.
    Ports {
        /// Source and destination.
        ports: [u16; 2],
        /// Whether it is the first packet of a TCP connection.
        opens: bool,
    },
    /// ICMP of either version.
    Icmp {
        kind: u8,
        code: u8,
        /// The identifier of an echo, which its answer carries too.
        echo: Option<u16>,
    },
    /// Another protocol, a fragment, or a packet that was cut too short to tell.
    Nothing,
}

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const ICMP: u8 = 1;
pub(super) const ICMP_V6: u8 = 58;

/// How many IPv6 extension headers are skipped at most. RFC 8200, section 4.1, has four kinds of them.
const EXTENSIONS_MAX: usize = 8;

/// The number of an address: IPv4 is mapped into IPv6 as in RFC 4291, section 2.5.5.2.
pub(super) const fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl Version {
    /// The version of an address, given as [`number`] returns it.
    pub(super) const fn of(address: u128) -> Self {
        if address >> 32 == 0xffff { Self::V4 } else { Self::V6 }
    }
}

impl Content {
    /// Reads a frame, behind any VLAN tags.
    #[inline]
    pub(super) fn of(frame: &[u8]) -> Self {
        let Some(mut rest) = frame.get(12..) else { return Self::Other };
        loop {
            let Some((ether_type, behind)) = rest.split_first_chunk::<2>() else {
                return Self::Other;
            };
            let headers = match u16::from_be_bytes(*ether_type) {
                0x0800 => v4(behind),
                0x86dd => v6(behind),
                0x0806 => return Self::Arp,
                0x8100 | 0x88a8 | 0x9100 => match behind.get(2..) {
                    Some(tagged) => {
                        rest = tagged;
                        continue;
                    }
                    None => None,
                },
                _ => None,
            };
            return headers.map_or(Self::Other, Self::Internet);
        }
    }

    /// The headers, if it is an IP packet.
    pub(super) const fn headers(&self) -> Option<&Headers> {
        match self {
            Self::Internet(headers) => Some(headers),
            Self::Arp | Self::Other => None,
        }
    }
}

impl Headers {
    /// A number that is the same for both directions of a flow.
    ///
    /// It is a hash of five fields for TCP, UDP and ICMP, and of addresses and protocol for others: AWS Traffic
    /// Mirroring guide, "Packet format". AWS does not say which hash it uses; any that spreads flows evenly stands for
    /// it.
    #[inline]
    pub(super) fn hash(&self) -> u64 {
        let ports = match self.upper {
            Upper::Ports { ports, opens: _ } => ports,
            Upper::Icmp { echo, .. } => [echo.unwrap_or_default(); 2],
            Upper::Nothing => [0; 2],
        };
        let end = |side: usize| {
            let [high, low] = halves(self.addresses[side]);
            mixed(mixed(high) ^ low ^ u64::from(ports[side]).rotate_left(48))
        };
        mixed(end(0).wrapping_add(end(1)) ^ u64::from(self.protocol))
    }
}

#[inline]
fn v4(packet: &[u8]) -> Option<Headers> {
    let header = packet.first_chunk::<20>()?;
    let address = |at: usize| {
        let bytes = [header[at], header[at + 1], header[at + 2], header[at + 3]];
        number(IpAddr::V4(bytes.into()))
    };
    let is_fragment = u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0;
    let segment = packet.get(4 * usize::from(header[0] & 0x0f)..).filter(|_| !is_fragment);
    let protocol = header[9];
    let upper = segment.map_or(Upper::Nothing, |segment| upper(protocol, segment));
    Some(Headers { version: Version::V4, protocol, addresses: [address(12), address(16)], upper })
}

fn v6(packet: &[u8]) -> Option<Headers> {
    let (header, segment) = packet.split_first_chunk::<40>()?;
    let (addresses, _) = header[8..].as_chunks::<16>();
    let [source, destination] = *addresses else { return None };
    let (protocol, segment) = behind_extensions(header[6], segment);
    let upper = segment.map_or(Upper::Nothing, |segment| upper(protocol, segment));
    let addresses = [source, destination].map(u128::from_be_bytes);
    Some(Headers { version: Version::V6, protocol, addresses, upper })
}

/// The protocol after the IPv6 extension headers, and its bytes unless the packet is a fragment.
///
/// Source: RFC 8200, section 4, and RFC 4302, section 2.2, which counts in words of four bytes.
fn behind_extensions(mut next: u8, mut rest: &[u8]) -> (u8, Option<&[u8]>) {
    const OPTIONS: [u8; 3] = [0, 43, 60];
    const FRAGMENT: u8 = 44;
    const AUTHENTICATION: u8 = 51;
    for _ in 0..EXTENSIONS_MAX {
        let Some(&[following, length]) = rest.first_chunk() else { break };
        let length = match next {
            FRAGMENT => return (following, None),
            AUTHENTICATION => 4 * (usize::from(length) + 2),
            _ if OPTIONS.contains(&next) => 8 * (usize::from(length) + 1),
            _ => break,
        };
        next = following;
        rest = rest.get(length..).unwrap_or_default();
    }
    (next, Some(rest))
}

#[inline]
fn upper(protocol: u8, segment: &[u8]) -> Upper {
    match protocol {
        TCP | UDP => match segment.first_chunk() {
            Some(&[a, b, c, d]) => Upper::Ports {
                ports: [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])],
                opens: protocol == TCP && segment.get(13).is_some_and(is_first),
            },
            None => Upper::Nothing,
        },
        ICMP | ICMP_V6 => match segment.first_chunk() {
            Some(&[kind, code, _, _, a, b]) => {
                let is_echo = matches!((protocol, kind), (ICMP, 0 | 8) | (ICMP_V6, 128 | 129));
                let echo = is_echo.then_some(u16::from_be_bytes([a, b]));
                Upper::Icmp { kind, code, echo }
            }
            None => Upper::Nothing,
        },
        _ => Upper::Nothing,
    }
}

/// Whether the TCP flags are those of a first packet: SYN without ACK. RFC 9293, section 3.1.
const fn is_first(flags: &u8) -> bool {
    const SYN: u8 = 0x02;
    const ACK: u8 = 0x10;
    *flags & (SYN | ACK) == SYN
}

/// The finalizer of SplitMix64: each bit of the result depends on all bits.
#[inline]
pub(super) const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn halves(number: u128) -> [u64; 2] {
    let [high, low] = [number >> 64, number & u128::from(u64::MAX)];
    [high, low].map(|half| u64::try_from(half).expect("half of 128 bits"))
}
