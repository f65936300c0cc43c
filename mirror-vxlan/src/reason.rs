//! Why a packet gave no frame, and what was odd about one that did.
//!
//! Each of these is a counter. Together with the frames delivered they account for every packet
//! received.

#![forbid(unsafe_code)]

use crate::label::labels;

labels! {
    /// Why a received packet gave no frame.
    DropReason {
        OuterTruncated "outer_truncated" "The packet ends within its outer headers.",
        OuterNotIp "outer_not_ip" "The packet is neither IPv4 nor IPv6.",
        OuterIpHeader "outer_ip_header" "The outer IP header has a wrong version, length or total length.",
        OuterExtension "outer_extension" "The outer IPv6 packet has an extension header that is not supported, or too many of them.",
        OuterFragment "outer_fragment" "The outer IP packet is a fragment.",
        OuterNotUdp "outer_not_udp" "The outer IP packet carries something other than UDP.",
        WrongPort "wrong_port" "The datagram was sent to a port that is not received on.",
        UdpLength "udp_length" "The length in the UDP header does not fit the packet.",
        UdpChecksum "udp_checksum" "The outer UDP checksum is wrong, and verification was requested.",
        ReceiveTruncated "receive_truncated" "The datagram was longer than the buffer that received it.",
        GeneveHeader "geneve_header" "The GENEVE header has a wrong version or ends within its options.",
        GeneveCritical "geneve_critical" "GENEVE has a critical option that is not understood, and strictness was requested.",
        GeneveProtocol "geneve_protocol" "GENEVE carries something other than an IP packet or an Ethernet frame.",
        VxlanHeader "vxlan_header" "The payload is shorter than a VXLAN header.",
        VniFlagUnset "vni_flag_unset" "The I flag of the VXLAN header is not set.",
        ReservedBits "reserved_bits" "A reserved bit of the VXLAN header is set, and strictness was requested.",
        Gpe "gpe" "The header is VXLAN-GPE, and strictness was requested.",
        FrameEmpty "frame_empty" "Nothing follows the VXLAN header.",
    }
}

labels! {
    /// What was odd about a packet whose frame was delivered all the same.
    Note {
        ReservedBits "reserved_bits" "A reserved bit of the VXLAN header is set.",
        Gpe "gpe" "The P flag of VXLAN-GPE is set.",
        VniZero "vni_zero" "The VNI is zero.",
        FrameRunt "frame_runt" "The frame is shorter than an Ethernet header.",
        FrameTruncated "frame_truncated" "The frame is shorter than the lengths in the packet indicate.",
        Geneve "geneve" "The packet arrived inside GENEVE.",
    }
}

/// The set of what was odd about one packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Notes(u8);

const _: () = assert!(Note::COUNT <= u8::BITS as usize, "each note has a bit");

impl Notes {
    /// Nothing odd.
    pub const NONE: Self = Self(0);

    /// Returns the set with `note` in it.
    #[must_use]
    pub const fn with(self, note: Note) -> Self {
        Self(self.0 | 1 << note.index())
    }

    /// Returns whether `note` is in the set.
    pub const fn contains(self, note: Note) -> bool {
        self.0 & 1 << note.index() != 0
    }

    /// Returns whether nothing is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the notes in the set.
    pub fn iter(self) -> impl Iterator<Item = Note> {
        Note::ALL.iter().copied().filter(move |note| self.contains(*note))
    }
}
