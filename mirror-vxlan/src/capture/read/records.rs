//! The records of a pcap file.

use crate::Timestamp;
use crate::capture::pcap::{FILE_HEADER_LEN, MAGIC_NANOSECONDS, RECORD_HEADER_LEN, VERSION};
use crate::decap::Link;

use super::order::ByteOrder;
use super::{Damage, PIECE_MAX, Parse, Record, Step, Stop, link};

/// The number that begins a file with times in microseconds.
const MAGIC_MICROSECONDS: u32 = 0xa1b2_c3d4;

/// What the header of a pcap file says about its records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Records {
    order: ByteOrder,
    /// Nanoseconds in each unit of the field behind the seconds.
    unit: u32,
    link: Link,
}

impl Records {
    /// Returns the byte order and the unit of time if `magic` begins a pcap file.
    pub(super) fn recognize(magic: [u8; 4]) -> Option<(ByteOrder, u32)> {
        [ByteOrder::Native, ByteOrder::Swapped].into_iter().find_map(|order| {
            match order.u32(magic) {
                MAGIC_MICROSECONDS => Some((order, 1000)),
                MAGIC_NANOSECONDS => Some((order, 1)),
                _ => None,
            }
        })
    }

    pub(super) fn parse_header(
        (order, unit): (ByteOrder, u32),
        header: &[u8; FILE_HEADER_LEN],
    ) -> Result<Self, Damage> {
        let [_, _, _, _, a, b, c, d, .., e, f, g, h] = *header;
        let [major, minor] = [[a, b], [c, d]].map(|bytes| order.u16(bytes));
        if [major, minor] != VERSION {
            return Err(Damage::Version { major, minor });
        }
        // The upper half says whether frames end with a check sequence. The outer IP header gives
        // the packet's length, so what follows it does not matter.
        let [_, _, high, low] = order.u32([e, f, g, h]).to_be_bytes();
        let link_type = u16::from_be_bytes([high, low]);
        match link(link_type) {
            Link::Other => Err(Damage::LinkType { link_type }),
            link => Ok(Self { order, unit, link }),
        }
    }
}

impl Parse for Records {
    #[inline]
    fn parse<'a>(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, Damage> {
        let Self { order, unit, link } = *self;
        let Some((header, behind)) = bytes.split_first_chunk::<RECORD_HEADER_LEN>() else {
            return Ok(Step::Stop(Stop::Short { needed: RECORD_HEADER_LEN }));
        };
        let [seconds, fraction, captured, original] = order.words(header);
        let length = captured as usize;
        if length > PIECE_MAX {
            return Err(Damage::TooLong { length: captured });
        }
        let Some(packet) = behind.get(..length) else {
            return Ok(Step::Stop(Stop::Short { needed: RECORD_HEADER_LEN + length }));
        };
        let time = u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * u64::from(unit);
        let record = Record::new(Timestamp::from_nanos(time), link, packet, original);
        Ok(Step::Packet { length: RECORD_HEADER_LEN + length, record })
    }
}
