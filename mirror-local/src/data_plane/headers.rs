//! What a mirrored frame tells of its flow: the fields that the outer source port is a hash of.

/// The flow of a frame, in the direction of the frame.
///
/// Source: AWS Traffic Mirroring guide, "Packet format": the port is a hash of five fields for TCP, UDP and
/// ICMP, and of addresses and protocol for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    protocol: u8,
    /// Source and destination: an address, IPv4 in its lowest bytes, and a port where there is one.
    ends: [(u128, u16); 2],
}

/// The versions of IP, as their headers begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V4,
    V6,
}

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP_V6: u8 = 58;

/// Finds the IP packet in an Ethernet frame, behind any VLAN tags.
pub(super) fn internet(frame: &[u8]) -> Option<(Version, &[u8])> {
    let mut rest = frame.get(12..)?;
    loop {
        let (ether_type, behind) = rest.split_first_chunk::<2>()?;
        match u16::from_be_bytes(*ether_type) {
            0x8100 | 0x88a8 => rest = behind.get(2..)?,
            0x0800 => return Some((Version::V4, behind)),
            0x86dd => return Some((Version::V6, behind)),
            _ => return None,
        }
    }
}

impl Flow {
    /// The flow of an IP packet, if its header is whole.
    pub(super) fn of((version, packet): (Version, &[u8])) -> Option<Self> {
        let Internet { protocol, addresses: [source, destination], segment } = match version {
            Version::V4 => v4(packet)?,
            Version::V6 => v6(packet)?,
        };
        let ports = segment.and_then(|segment| ports(protocol, segment)).unwrap_or_default();
        Some(Self { protocol, ends: [(source, ports[0]), (destination, ports[1])] })
    }

    /// A number that is the same for both directions.
    ///
    /// AWS does not say what its hash is; any that spreads flows evenly stands for it.
    pub(super) fn hash(&self) -> u64 {
        let [a, b] = self.ends.map(|(address, port)| {
            let [high, low] = halves(address);
            mixed(mixed(high) ^ low ^ u64::from(port).rotate_left(48))
        });
        mixed(a.wrapping_add(b) ^ u64::from(self.protocol))
    }
}

/// What an IP header says.
struct Internet<'a> {
    protocol: u8,
    /// Source and destination.
    addresses: [u128; 2],
    /// What is behind it, unless it is a fragment.
    segment: Option<&'a [u8]>,
}

fn v4(packet: &[u8]) -> Option<Internet<'_>> {
    let header = packet.first_chunk::<20>()?;
    let address = |at: usize| {
        u128::from(u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]))
    };
    let is_fragment = u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0;
    let segment = packet.get(4 * usize::from(header[0] & 0x0f)..).filter(|_| !is_fragment);
    Some(Internet { protocol: header[9], addresses: [address(12), address(16)], segment })
}

fn v6(packet: &[u8]) -> Option<Internet<'_>> {
    let (header, segment) = packet.split_first_chunk::<40>()?;
    let (addresses, _) = header[8..].as_chunks::<16>();
    let [source, destination] = *addresses else { return None };
    let addresses = [source, destination].map(u128::from_be_bytes);
    Some(Internet { protocol: header[6], addresses, segment: Some(segment) })
}

/// What stands for ports: of ICMP the identifier of an echo, which its answer carries too.
fn ports(protocol: u8, segment: &[u8]) -> Option<[u16; 2]> {
    match protocol {
        TCP | UDP => {
            let &[a, b, c, d] = segment.first_chunk()?;
            Some([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])])
        }
        ICMP | ICMP_V6 => {
            let &[kind, _, _, _, a, b] = segment.first_chunk()?;
            let is_echo = matches!((protocol, kind), (ICMP, 0 | 8) | (ICMP_V6, 128 | 129));
            is_echo.then(|| [u16::from_be_bytes([a, b]); 2])
        }
        _ => None,
    }
}

/// The finalizer of SplitMix64: each bit of the result depends on all bits.
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn halves(number: u128) -> [u64; 2] {
    let [high, low] = [number >> 64, number & u128::from(u64::MAX)];
    [high, low].map(|half| u64::try_from(half).expect("half of 128 bits"))
}
