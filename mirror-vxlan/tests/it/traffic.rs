//! Mirrored traffic made from a seed: packets, and what is known about them because they were made here.
//!
//! The headers from Ethernet to UDP are written by etherparse, so that reader and writer share no code.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{
    EtherType, Ethernet2Header, IpNumber, Ipv4Header, Ipv6Header, Ipv6RawExtHeader, PacketBuilder,
    SingleVlanHeader, UdpHeader, VlanId,
};
use fastrand::Rng;
use mirror_vxlan::Vni;
use mirror_vxlan::decap::{Decapsulated, Link};
use mirror_vxlan::frame::Session;
use mirror_vxlan::reason::{Note, Notes};
use mirror_vxlan::wire;

/// A packet with a mirrored frame in it, and what must come out of it.
#[derive(Clone, Debug)]
pub(crate) struct Mirrored {
    pub(crate) link: Link,
    pub(crate) packet: Vec<u8>,
    /// How many bytes of the packet a snap length cut off.
    pub(crate) cut: usize,
    pub(crate) session: Session,
    pub(crate) source_port: u16,
    pub(crate) frame: Vec<u8>,
    pub(crate) original_len: u32,
    pub(crate) notes: Notes,
}

impl Mirrored {
    pub(crate) fn expected(&self) -> Decapsulated<'_> {
        Decapsulated {
            session: self.session,
            source_port: self.source_port,
            frame: &self.frame,
            original_len: self.original_len,
            notes: self.notes,
        }
    }
}

/// Returns traffic such as a busy receiver sees: frames of 60, 590 and 1514 bytes in the ratio 7:4:1 from 16
/// sessions and 4096 flows of TCP and UDP, a quarter of them IPv6, 9 % with a VLAN tag.
pub(crate) fn imix(seed: u64) -> impl Iterator<Item = Mirrored> {
    let mut random = Rng::with_seed(seed);
    std::iter::repeat_with(move || {
        let flow = random.u16(..4096);
        let length = match random.u8(..12) {
            0..7 => 60,
            7..11 => 590,
            _ => 1514,
        };
        // The flow determines its addresses, protocol and tag; the packet, its direction.
        let mut of_flow = Rng::with_seed(seed ^ u64::from(flow) << 32);
        let vlan = (of_flow.u8(..100) < 9).then(|| VlanId::try_new(7).expect("12 bits"));
        let frame =
            Conversation::new(&mut of_flow).frame(vlan, length, Direction::any(&mut random));
        let vni = Vni::try_from(1 + u32::from(flow % 16)).expect("24 bits");
        let source = Ipv4Addr::new(10, 0, 1, (flow % 16) as u8);
        let source_port = 65_408 + flow % 128;
        let udp = Udp { source: IpAddr::V4(source), source_port, checksum: Sum::None };
        let mut packet = ethernet(EtherType::IPV4);
        packet.extend(udp.over_ip(wire::UDP_PORT, &vxlan(vni, &frame), &mut Plain));
        let session = Session { vni, source: IpAddr::V4(source) };
        let original_len = u32::try_from(frame.len()).expect("at most 1514");
        let link = Link::Ethernet;
        let notes = Notes::NONE;
        Mirrored { link, packet, cut: 0, session, source_port, frame, original_len, notes }
    })
}

/// Returns traffic such as no receiver sees all at once: every link, both IP versions with options
/// and extension headers, VLAN tags outside and inside, padding, GENEVE, checksums or none, and
/// frames that were cut by a packet length or a snap length.
pub(crate) fn wild(seed: u64) -> impl Iterator<Item = Mirrored> {
    let mut random = Rng::with_seed(seed);
    std::iter::repeat_with(move || wild_packet(&mut random))
}

fn wild_packet(random: &mut Rng) -> Mirrored {
    let mut notes = Notes::NONE;
    let vni = Vni::from_bytes([0, random.u8(..3), random.u8(..3)]);
    if vni == Vni::MIN {
        notes = notes.with(Note::VniZero);
    }
    let (mut frame, knows_its_length) = wild_frame(random);
    let mut original = frame.len();
    if random.u8(..4) == 0 {
        frame.truncate(random.usize(1..=frame.len()));
        if frame.len() < knows_its_length {
            original = frame.len();
        }
    }

    let source = address(random);
    let source_port = random.u16(49_152..);
    let checksum = if random.bool() { Sum::None } else { Sum::Right };
    let mut udp = Udp { source, source_port, checksum };
    let mut payload = vxlan(vni, &frame);
    let mut port = wire::UDP_PORT;
    if random.u8(..5) == 0 {
        let inside = udp.over_ip(port, &payload, random);
        payload = geneve(random, &inside, source);
        udp.source = address(random);
        udp.source_port = random.u16(49_152..);
        port = GENEVE_PORT;
        notes = notes.with(Note::Geneve);
    }
    let (link, mut packet) = wild_link(random, udp.source);
    packet.extend(udp.over_ip(port, &payload, random));

    let mut cut = 0;
    if random.u8(..6) == 0 {
        let sent = frame.len();
        cut = random.usize(..frame.len());
        packet.truncate(packet.len() - cut);
        frame.truncate(frame.len() - cut);
        // The frame's own length field counts only if it was not cut off as well.
        original = if frame.len() < knows_its_length { sent } else { original.max(sent) };
    } else {
        packet.extend(std::iter::repeat_n(0xee, random.usize(..3)));
    }
    if frame.len() < 14 {
        notes = notes.with(Note::FrameRunt);
    }
    if original > frame.len() {
        notes = notes.with(Note::FrameTruncated);
    }
    let session = Session { vni, source };
    let original_len = u32::try_from(original).expect("a frame fits a datagram");
    Mirrored { link, packet, cut, session, source_port, frame, original_len, notes }
}

pub(crate) const GENEVE_PORT: u16 = 6081;

/// Returns a frame, and how many of its bytes are needed to know its length.
fn wild_frame(random: &mut Rng) -> (Vec<u8>, usize) {
    if random.u8(..10) == 0 {
        let mut frame = ethernet(EtherType(0x88cc));
        let length = random.usize(..64);
        frame.extend(std::iter::repeat_with(|| random.u8(..)).take(length));
        return (frame, usize::MAX);
    }
    let vlan = (random.u8(..4) == 0).then(|| VlanId::try_new(random.u16(..4096)).expect("12 bits"));
    let conversation = Conversation::new(random);
    let length = random.usize(..1600);
    let frame = conversation.frame(vlan, length, Direction::any(random));
    let length_field = if conversation.source.is_ipv4() { 4 } else { 6 };
    (frame, 14 + vlan.map_or(0, |_| 4) + length_field)
}

fn wild_link(random: &mut Rng, source: IpAddr) -> (Link, Vec<u8>) {
    let ether_type = if source.is_ipv4() { EtherType::IPV4 } else { EtherType::IPV6 };
    let EtherType(number) = ether_type;
    let [high, low] = number.to_be_bytes();
    match random.u8(..8) {
        0 => (Link::Ip, Vec::new()),
        1 => (Link::LinuxCooked, [&[0; 14][..], &[high, low]].concat()),
        2 => (Link::LinuxCooked2, [&[high, low][..], &[0; 18]].concat()),
        3 => {
            let family = if source.is_ipv4() {
                2_u32
            } else {
                *random.choice(&[24, 28, 30]).expect("three")
            };
            let bytes = if random.bool() { family.to_be_bytes() } else { family.to_le_bytes() };
            (Link::Loopback, bytes.to_vec())
        }
        4 => (Link::Ethernet, tagged(&[EtherType::VLAN_TAGGED_FRAME], ether_type)),
        5 => {
            let tags = [EtherType::PROVIDER_BRIDGING, EtherType::VLAN_TAGGED_FRAME];
            (Link::Ethernet, tagged(&tags, ether_type))
        }
        _ => (Link::Ethernet, ethernet(ether_type)),
    }
}

fn ethernet(ether_type: EtherType) -> Vec<u8> {
    let [source, destination] = [[2, 0, 0, 0, 0, 2], [2, 0, 0, 0, 0, 1]];
    Ethernet2Header { source, destination, ether_type }.to_bytes().to_vec()
}

fn tagged(tags: &[EtherType], ether_type: EtherType) -> Vec<u8> {
    let mut header = ethernet(tags[0]);
    for next in tags[1..].iter().chain([&ether_type]) {
        let tag = SingleVlanHeader {
            vlan_id: VlanId::try_new(100).expect("12 bits"),
            ether_type: *next,
            ..SingleVlanHeader::default()
        };
        header.extend(tag.to_bytes());
    }
    header
}

/// Returns a VXLAN payload with a frame in it, as AWS sends it.
pub(crate) fn vxlan(vni: Vni, frame: &[u8]) -> Vec<u8> {
    let [a, b, c] = vni.to_bytes();
    [&[8, 0, 0, 0, a, b, c, 0], frame].concat()
}

/// Returns a GENEVE datagram with options of any length, around an IP packet as a Gateway Load Balancer sends it, or
/// around Ethernet.
fn geneve(random: &mut Rng, packet: &[u8], source: IpAddr) -> Vec<u8> {
    let ether_type = if source.is_ipv4() { EtherType::IPV4 } else { EtherType::IPV6 };
    let words = random.u8(..64);
    let link = if random.bool() { ethernet(ether_type) } else { Vec::new() };
    let EtherType(protocol) = if link.is_empty() { ether_type } else { EtherType(0x6558) };
    let [high, low] = protocol.to_be_bytes();
    let options = vec![0xaa; usize::from(words) * 4];
    [&[words, 0, high, low, 0, 0, 0, 0], &options[..], &link, packet].concat()
}

/// Two ends that talk.
struct Conversation {
    source: IpAddr,
    destination: IpAddr,
    ports: [u16; 2],
    is_tcp: bool,
}

/// Which of the two speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Question,
    Answer,
}

impl Direction {
    fn any(random: &mut Rng) -> Self {
        if random.bool() { Self::Question } else { Self::Answer }
    }
}

impl Conversation {
    fn new(random: &mut Rng) -> Self {
        let source = address(random);
        let destination = match source {
            IpAddr::V4(_) => IpAddr::V4(random.u32(..).into()),
            IpAddr::V6(_) => IpAddr::V6(random.u128(..).into()),
        };
        Self {
            source,
            destination,
            ports: [random.u16(1..), random.u16(1..)],
            is_tcp: random.bool(),
        }
    }

    /// Returns a frame of `length` bytes, or of its headers alone if they are longer.
    fn frame(&self, vlan: Option<VlanId>, length: usize, direction: Direction) -> Vec<u8> {
        let mut ends = [(self.source, self.ports[0]), (self.destination, self.ports[1])];
        if direction == Direction::Answer {
            ends.reverse();
        }
        let [(source, from), (destination, to)] = ends;
        let start = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 3], [2, 0, 0, 0, 0, 4]);
        let ip = match (source, destination) {
            (IpAddr::V4(a), IpAddr::V4(b)) => etherparse::IpHeaders::Ipv4(
                Ipv4Header::new(0, 64, IpNumber::TCP, a.octets(), b.octets()).expect("no payload"),
                etherparse::Ipv4Extensions::default(),
            ),
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                let [source, destination] = [a.octets(), b.octets()];
                let header =
                    Ipv6Header { source, destination, hop_limit: 64, ..Ipv6Header::default() };
                etherparse::IpHeaders::Ipv6(header, etherparse::Ipv6Extensions::default())
            }
            _ => unreachable!("both ends have one version"),
        };
        let start = match vlan {
            Some(vlan) => start.single_vlan(vlan).ip(ip),
            None => start.ip(ip),
        };
        let mut frame = Vec::with_capacity(length.max(100));
        let payload = |headers: usize| vec![0x5a; length.saturating_sub(headers)];
        if self.is_tcp {
            let builder = start.tcp(from, to, 7, 1024);
            let payload = payload(builder.size(0));
            builder.write(&mut frame, &payload).expect("a vector takes it");
        } else {
            let builder = start.udp(from, to);
            let payload = payload(builder.size(0));
            builder.write(&mut frame, &payload).expect("a vector takes it");
        }
        frame
    }
}

fn address(random: &mut Rng) -> IpAddr {
    match random.u8(..4) {
        0 => Ipv6Addr::from(random.u128(..)).into(),
        _ => Ipv4Addr::from(random.u32(..)).into(),
    }
}

/// Whether a UDP datagram has a checksum.
#[derive(Clone, Copy)]
enum Sum {
    None,
    Right,
}

/// The sender of a UDP datagram.
struct Udp {
    source: IpAddr,
    source_port: u16,
    checksum: Sum,
}

/// Chooses what an IP header has beyond its fixed part.
trait Extra {
    /// Bytes of IPv4 options.
    fn options(&mut self) -> usize;
    /// Extension headers of IPv6, each with the length of its content.
    fn extensions(&mut self) -> Vec<(IpNumber, usize)>;
}

struct Plain;

impl Extra for Plain {
    fn options(&mut self) -> usize {
        0
    }
    fn extensions(&mut self) -> Vec<(IpNumber, usize)> {
        Vec::new()
    }
}

impl Extra for Rng {
    fn options(&mut self) -> usize {
        if self.u8(..4) == 0 { self.usize(..=10) * 4 } else { 0 }
    }
    fn extensions(&mut self) -> Vec<(IpNumber, usize)> {
        let order = [
            IpNumber::IPV6_HEADER_HOP_BY_HOP,
            IpNumber::IPV6_DESTINATION_OPTIONS,
            IpNumber::IPV6_ROUTE_HEADER,
        ];
        let wanted: Vec<_> = order.into_iter().filter(|_| self.u8(..4) == 0).collect();
        wanted.into_iter().map(|kind| (kind, 6 + 8 * self.usize(..4))).collect()
    }
}

impl Udp {
    /// An IP packet with a datagram to `port`.
    fn over_ip(&self, port: u16, payload: &[u8], extra: &mut impl Extra) -> Vec<u8> {
        match self.source {
            IpAddr::V4(source) => self.over_ipv4(source, port, payload, extra.options()),
            IpAddr::V6(source) => self.over_ipv6(source, port, payload, &extra.extensions()),
        }
    }

    fn over_ipv4(&self, source: Ipv4Addr, port: u16, payload: &[u8], options: usize) -> Vec<u8> {
        let length = u16::try_from(UdpHeader::LEN + payload.len()).expect("fits a datagram");
        let mut ip =
            Ipv4Header::new(0, 255, IpNumber::UDP, source.octets(), [10, 0, 0, 9]).expect("empty");
        let options = &vec![1; options][..];
        ip.options = options.try_into().expect("whole words, ten at most");
        ip.set_payload_len(usize::from(length)).expect("fits a packet");
        ip.header_checksum = ip.calc_header_checksum();
        let udp = match self.checksum {
            Sum::None => UdpHeader::without_ipv4_checksum(self.source_port, port, payload.len()),
            Sum::Right => UdpHeader::with_ipv4_checksum(self.source_port, port, &ip, payload),
        };
        [&ip.to_bytes()[..], &udp.expect("fits a datagram").to_bytes(), payload].concat()
    }

    fn over_ipv6(
        &self,
        source: Ipv6Addr,
        port: u16,
        payload: &[u8],
        extensions: &[(IpNumber, usize)],
    ) -> Vec<u8> {
        let mut next = IpNumber::UDP;
        let mut between = Vec::new();
        for (kind, length) in extensions.iter().rev() {
            let header = Ipv6RawExtHeader::new_raw(next, &vec![0; *length]).expect("whole units");
            between = [&header.to_bytes()[..], &between].concat();
            next = *kind;
        }
        let mut ip = Ipv6Header {
            next_header: next,
            hop_limit: 255,
            source: source.octets(),
            destination: [9; 16],
            ..Ipv6Header::default()
        };
        ip.set_payload_length(between.len() + UdpHeader::LEN + payload.len())
            .expect("fits a packet");
        let udp = match self.checksum {
            Sum::None => UdpHeader::without_ipv4_checksum(self.source_port, port, payload.len()),
            Sum::Right => UdpHeader::with_ipv6_checksum(self.source_port, port, &ip, payload),
        };
        [&ip.to_bytes()[..], &between, &udp.expect("fits a datagram").to_bytes(), payload].concat()
    }
}
