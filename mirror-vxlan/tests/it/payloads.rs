//! Mirrored traffic that tests make up: an input that hands on packets from memory.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mirror_vxlan::batch::Batch;
use mirror_vxlan::frame::{Frame, Session};
use mirror_vxlan::input::{Content, Input, Packet, Received};
use mirror_vxlan::session::Sessions;
use mirror_vxlan::wire::{Header, UDP_PORT};
use mirror_vxlan::{Timestamp, Vni};

/// A time in 2026, for traffic that needs one.
pub(crate) const NOW: Timestamp = Timestamp::from_parts(1_795_384_277, 123_456_789);

/// Hands on the payloads of datagrams from memory, some at a time, and then ends.
#[derive(Debug)]
pub(crate) struct Payloads {
    pub(crate) payloads: Vec<Vec<u8>>,
    pub(crate) at_a_time: usize,
    pub(crate) position: usize,
    /// What follows the last payload.
    pub(crate) then: Then,
}

/// What an input does when it has no more packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    End,
    Fail,
    /// As a socket does that nobody sends to.
    Wait,
}

impl Payloads {
    pub(crate) fn new(payloads: Vec<Vec<u8>>) -> Self {
        Self { payloads, at_a_time: 64, position: 0, then: Then::End }
    }
}

impl Input for Payloads {
    fn receive(
        &mut self,
        timeout: Duration,
        mut each: impl FnMut(Packet<'_>),
    ) -> io::Result<Received> {
        let source = SocketAddr::from(([10, 0, 0, 7], 65_408));
        let rest = &self.payloads[self.position..];
        let now = &rest[..rest.len().min(self.at_a_time)];
        self.position += now.len();
        for payload in now {
            let content = Content::Datagram { source, port: UDP_PORT, payload, truncated: false };
            each(Packet { time: NOW, content });
        }
        match self.then {
            _ if !now.is_empty() => Ok(Received::Packets(now.len())),
            Then::End => Ok(Received::End),
            Then::Fail => Err(io::Error::other("the cable was pulled")),
            Then::Wait => {
                std::thread::sleep(timeout);
                Ok(Received::Nothing)
            }
        }
    }

    fn dropped(&mut self) -> io::Result<u64> {
        Ok(3)
    }
}

/// Wraps a frame in VXLAN.
pub(crate) fn payload(vni: u32, frame: &[u8]) -> Vec<u8> {
    let header = Header::new(Vni::try_from(vni).expect("a VNI of a test"));
    [&header.to_bytes(), frame].concat()
}

/// Makes an Ethernet frame of `length` bytes, of an EtherType for experiments.
pub(crate) fn frame(number: u64, length: usize) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5];
    frame.extend(number.to_be_bytes());
    frame.resize(length, 0x5a);
    frame
}

/// Makes a batch of `count` frames of `length` bytes, the first with number `first`, of sessions
/// with the VNIs 0 to 3 in turn.
pub(crate) fn batch(sessions: &Arc<Sessions>, first: u64, count: u64, length: usize) -> Batch {
    let room = usize::try_from(count).expect("a count of a test") * (length + 40);
    let mut batch = Batch::with_capacity(room, Arc::clone(sessions));
    for number in first..first + count {
        let vni = Vni::from_bytes([0, 0, (number % 4) as u8]);
        let session = Session { vni, source: [10, 0, 0, 7].into() };
        let id = sessions.number(session).expect("room for four sessions");
        let bytes = &frame(number, length);
        let original_len = u32::try_from(length).expect("a length of a test");
        let time = Timestamp::from_nanos(NOW.as_nanos() + number);
        batch.push(id, &Frame { time, session, bytes, original_len }).expect("a batch with room");
    }
    batch
}

/// Returns the number that [`frame`] put into a frame.
pub(crate) fn number(frame: &[u8]) -> u64 {
    u64::from_be_bytes(frame[14..22].try_into().expect("a frame that `frame` made"))
}
