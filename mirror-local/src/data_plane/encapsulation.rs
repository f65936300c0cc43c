//! The encapsulation of a mirrored frame: IPv4, UDP and VXLAN, as in AWS's own sample capture.

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use super::headers::{Content, Headers, Version};

/// The UDP source ports of copies: 65408 plus a hash of seven bits.
///
/// AWS documents the hash but not the range; these are the ports in its sample capture.
pub const SOURCE_PORTS: RangeInclusive<u16> = 65_408..=65_535;

/// The port of VXLAN. Source: RFC 7348, section 5.
const VXLAN_PORT: u16 = 4789;

/// Bytes of the IPv4, UDP and VXLAN headers.
const HEADERS_LEN: usize = 20 + 8 + 8;

/// Bytes of an Ethernet header.
const ETHERNET_LEN: usize = 14;

/// The packet length behind a load balancer if the session sets none.
///
/// Source: EC2 API reference, `CreateTrafficMirrorSession`.
const LOAD_BALANCER_LEN: usize = 8500;

/// The largest packet that a Gateway Load Balancer endpoint accepts.
///
/// Source: AWS Traffic Mirroring guide, "Quotas".
const ENDPOINT_MTU: u16 = 8500;

/// How the copies of one mirror session are wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encapsulation {
    /// The primary address of the mirrored interface.
    pub source: Ipv4Addr,
    /// The address of the target: an interface, a node of a load balancer, an endpoint.
    pub destination: Ipv4Addr,
    /// The VXLAN network identifier; its lower 24 bits are sent.
    pub vni: u32,
    /// The most bytes of a frame that are sent, if the session sets a limit.
    pub packet_length: Option<u16>,
    /// What the target is.
    pub target: MirrorTarget,
}

/// The kind of a mirror target, as far as it decides what is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MirrorTarget {
    /// An interface with this MTU.
    NetworkInterface {
        /// The largest IP packet that it accepts, in bytes.
        mtu: u16,
    },
    /// A Network Load Balancer.
    LoadBalancer,
    /// A Gateway Load Balancer endpoint.
    GatewayLoadBalancerEndpoint,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// The UDP source port.
    pub source_port: u16,
    /// Bytes of the frame that are sent.
    pub frame_len: usize,
}

impl Encapsulation {
    /// Wraps a frame: `packet` becomes the IPv4 packet that leaves the mirrored interface.
    ///
    /// TTL 255, identification 0, no flag and no type of service; no UDP checksum; a VXLAN header without reserved
    /// bits. A frame that is longer than the session or its target allows is cut, and nothing in it is changed: its
    /// own lengths and checksums remain those of the whole frame.
    ///
    /// Source: AWS Traffic Mirroring guide, "Packet format", and AWS's sample capture for the values.
    pub fn wrap(&self, frame: &[u8], packet: &mut Vec<u8>) -> Wrapped {
        self.wrap_read(frame, Content::of(frame).headers(), packet)
    }

    /// Wraps a frame whose headers have been read.
    #[inline]
    pub(super) fn wrap_read(
        &self,
        frame: &[u8],
        headers: Option<&Headers>,
        packet: &mut Vec<u8>,
    ) -> Wrapped {
        let frame_len = frame.len().min(self.longest(headers.map(|headers| headers.version)));
        let hash = headers.map_or(0, Headers::hash);
        let [.., seven_bits] = (hash & 0x7f).to_be_bytes();
        let source_port = SOURCE_PORTS.start() + u16::from(seven_bits);
        packet.clear();
        packet.reserve(HEADERS_LEN + frame_len);
        packet.extend(self.headers(source_port, frame_len));
        packet.extend(&frame[..frame_len]);
        Wrapped { source_port, frame_len }
    }

    /// The longest frame of an IP version that is sent whole.
    ///
    /// Source: AWS Traffic Mirroring guide, "MTU": mirroring adds 54 bytes for IPv4 and 74 for IPv6.
    fn longest(&self, version: Option<Version>) -> usize {
        let overhead = match version {
            Some(Version::V6) => 74,
            Some(Version::V4) | None => 54,
        };
        let by_mtu = |mtu: u16| usize::from(mtu).saturating_sub(overhead) + ETHERNET_LEN;
        let own = self.packet_length.map(usize::from);
        let of_target = match self.target {
            MirrorTarget::NetworkInterface { mtu } => by_mtu(mtu),
            MirrorTarget::GatewayLoadBalancerEndpoint => by_mtu(ENDPOINT_MTU),
            MirrorTarget::LoadBalancer => LOAD_BALANCER_LEN,
        };
        own.unwrap_or(of_target).min(of_target)
    }

    fn headers(&self, source_port: u16, frame_len: usize) -> [u8; HEADERS_LEN] {
        let length = |behind: usize| {
            let length = u16::try_from(behind + frame_len);
            length
                .expect("an MTU has 16 bits, and the headers are less than what it leaves")
                .to_be_bytes()
        };
        let mut headers = [0; HEADERS_LEN];
        let (internet, rest) = headers.split_at_mut(20);
        let (datagram, vxlan) = rest.split_at_mut(8);
        internet[0] = 0x45;
        internet[2..4].copy_from_slice(&length(HEADERS_LEN));
        internet[8] = 255;
        internet[9] = 17;
        internet[12..16].copy_from_slice(&self.source.octets());
        internet[16..20].copy_from_slice(&self.destination.octets());
        let sum = checksum(internet);
        internet[10..12].copy_from_slice(&sum.to_be_bytes());
        datagram[0..2].copy_from_slice(&source_port.to_be_bytes());
        datagram[2..4].copy_from_slice(&VXLAN_PORT.to_be_bytes());
        datagram[4..6].copy_from_slice(&length(HEADERS_LEN - 20));
        vxlan[0] = 0x08;
        let [_, vni @ ..] = self.vni.to_be_bytes();
        vxlan[4..7].copy_from_slice(&vni);
        headers
    }
}

/// The checksum of an IPv4 header whose checksum field is zero. Source: RFC 1071.
fn checksum(header: &[u8]) -> u16 {
    let (words, _) = header.as_chunks::<2>();
    let sum: u32 = words.iter().map(|word| u32::from(u16::from_be_bytes(*word))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let [_, _, high, low] = ((folded & 0xffff) + (folded >> 16)).to_be_bytes();
    !u16::from_be_bytes([high, low])
}
