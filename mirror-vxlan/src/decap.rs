//! From a packet to the mirrored frame in it: outer headers off, VXLAN off, nothing copied.
//!
//! [`Decapsulator`] takes packets as a packet socket or a capture file has them, and payloads as a
//! UDP socket has them. It performs no I/O, does not allocate and does not panic, whatever the
//! bytes are.

#![forbid(unsafe_code)]

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::frame::Session;
use crate::reason::{DropReason, Note, Notes};
use crate::wire;

/// What the first byte of a packet belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Link {
    /// Ethernet, with any number of VLAN tags.
    Ethernet,
    /// IPv4 or IPv6 without a link layer.
    Ip,
    /// The 16-byte header of Linux's `any` device.
    LinuxCooked,
    /// The 20-byte header of Linux's `any` device, version 2.
    LinuxCooked2,
    /// The 4-byte address family of a BSD loopback device, in either byte order.
    Loopback,
    /// Anything else, of which no frame is taken.
    Other,
}

/// Whether headers that RFC 7348 tells a sender not to send are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strictness {
    /// They are accepted and noted, as the RFC asks of a receiver.
    #[default]
    Lenient,
    /// They are refused.
    Strict,
}

/// Takes frames out of packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decapsulator {
    /// The UDP port that VXLAN is received on.
    pub vxlan_port: u16,
    /// The UDP port that GENEVE is received on, behind a Gateway Load Balancer.
    pub geneve_port: Option<u16>,
    /// Whether reserved bits are refused.
    pub strictness: Strictness,
}

impl Default for Decapsulator {
    fn default() -> Self {
        Self { vxlan_port: wire::UDP_PORT, geneve_port: None, strictness: Strictness::Lenient }
    }
}

/// A mirrored frame and what its wrapping said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decapsulated<'a> {
    /// The session that mirrored it.
    pub session: Session,
    /// The outer UDP source port: a hash of the frame's flow.
    pub source_port: u16,
    /// The frame, as far as it came; at least one byte.
    pub frame: &'a [u8],
    /// How long the frame was before a packet length cut it, by the IP packet in it.
    pub original_len: u32,
    /// What was odd about it.
    pub notes: Notes,
}

impl Decapsulator {
    /// Takes the frame out of a packet with its outer headers.
    ///
    /// # Errors
    ///
    /// The packet has none, for the reason returned.
    pub fn packet<'a>(&self, link: Link, packet: &'a [u8]) -> Result<Decapsulated<'a>, DropReason> {
        if link == Link::Other {
            return Err(DropReason::OuterNotIp);
        }
        let ip = packet.get(14..).ok_or(DropReason::OuterTruncated)?;
        let (source, udp) = match ip.first().map(|byte| byte >> 4) {
            Some(4) => {
                let source: [u8; 4] = ip
                    .get(12..16)
                    .and_then(|b| b.try_into().ok())
                    .ok_or(DropReason::OuterTruncated)?;
                (
                    IpAddr::V4(Ipv4Addr::from(source)),
                    ip.get(20..).ok_or(DropReason::OuterTruncated)?,
                )
            }
            Some(6) => {
                let source: [u8; 16] = ip
                    .get(8..24)
                    .and_then(|b| b.try_into().ok())
                    .ok_or(DropReason::OuterTruncated)?;
                (
                    IpAddr::V6(Ipv6Addr::from(source)),
                    ip.get(40..).ok_or(DropReason::OuterTruncated)?,
                )
            }
            _ => return Err(DropReason::OuterNotIp),
        };
        let (header, payload) = udp.split_first_chunk::<8>().ok_or(DropReason::OuterTruncated)?;
        let ports = [
            u16::from_be_bytes([header[0], header[1]]),
            u16::from_be_bytes([header[2], header[3]]),
        ];
        self.datagram(source, ports[0], ports[1], payload)
    }

    /// Takes the frame out of a datagram whose outer headers the kernel took off.
    ///
    /// # Errors
    ///
    /// The datagram has none, for the reason returned.
    pub fn datagram<'a>(
        &self,
        source: IpAddr,
        source_port: u16,
        destination_port: u16,
        payload: &'a [u8],
    ) -> Result<Decapsulated<'a>, DropReason> {
        if destination_port != self.vxlan_port {
            return Err(DropReason::WrongPort);
        }
        let datagram = wire::parse(payload).map_err(|_| DropReason::VxlanHeader)?;
        let mut notes = Notes::NONE;
        if !datagram.header.reserved.is_zero() {
            notes = notes.with(Note::ReservedBits);
        }
        Ok(Decapsulated {
            session: Session { vni: datagram.header.vni, source },
            source_port,
            frame: datagram.frame,
            original_len: u32::try_from(datagram.frame.len()).unwrap_or(u32::MAX),
            notes,
        })
    }
}
