//! The blocks of a pcapng file.

use crate::Timestamp;
use crate::capture::pcapng::{BYTE_ORDER_MAGIC, END_OF_OPTIONS, block};
use crate::decap::Link;

use super::clock::Clock;
use super::order::ByteOrder;
use super::{Damage, PIECE_MAX, Parse, Record, Step, Stop, link};

/// The most interfaces of one section: six times the mirror sessions of an account.
pub(super) const INTERFACES_MAX: usize = 1 << 16;

/// Bytes before the body of a block: its type and its length.
const HEAD: usize = 8;

/// Bytes behind the body: the length again.
const TAIL: usize = 4;

/// An interface that was described.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: Link,
    clock: Clock,
    /// The most bytes of a packet in a simple packet block; zero for no limit.
    snap_length: u32,
    /// Packets that it has dropped, according to its newest statistics.
    dropped: u64,
}

/// The section that is being read.
#[derive(Debug)]
pub(super) struct Blocks {
    order: ByteOrder,
    interfaces: Vec<Interface>,
    /// Packets that the interfaces of earlier sections have dropped.
    dropped_before: u64,
}

impl Parse for Blocks {
    #[inline]
    fn parse<'a>(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, Damage> {
        let Some((head, behind)) = bytes.split_first_chunk::<HEAD>() else {
            return Ok(Step::Stop(Stop::Short { needed: HEAD }));
        };
        let [kind, length] = self.order.words(head);
        if kind == block::SECTION_HEADER {
            return self.section(bytes);
        }
        let whole = length as usize;
        if !whole.is_multiple_of(4) || whole < HEAD + TAIL {
            return Err(Damage::BlockLength { kind, length });
        }
        if whole > PIECE_MAX {
            return too_long(kind, length);
        }
        let Some((body, tail)) =
            behind.get(..whole - HEAD).and_then(|rest| rest.split_last_chunk::<TAIL>())
        else {
            return Ok(Step::Stop(Stop::Short { needed: whole }));
        };
        let trailer = self.order.u32(*tail);
        if trailer != length {
            return Err(Damage::BlockTrailer { length, trailer });
        }
        let record = match kind {
            block::ENHANCED_PACKET => Some(self.enhanced_packet(body)),
            block::SIMPLE_PACKET => Some(self.simple_packet(body)),
            block::PACKET => Some(self.packet(body)),
            _ => None,
        };
        if let Some(record) = record {
            let record = record.unwrap_or(Err(Damage::BlockLength { kind, length }))?;
            return Ok(Step::Packet { length: whole, record });
        }
        let described = match kind {
            block::INTERFACE_DESCRIPTION => self.describe(body),
            block::INTERFACE_STATISTICS => self.statistics(body),
            _ => Some(Ok(())),
        };
        described.unwrap_or(Err(Damage::BlockLength { kind, length }))?;
        Ok(Step::Other { length: whole })
    }
}

/// What to do about a block that is too long to be kept in memory.
fn too_long(kind: u32, length: u32) -> Result<Step<'static>, Damage> {
    match kind {
        block::INTERFACE_DESCRIPTION
        | block::PACKET
        | block::SIMPLE_PACKET
        | block::ENHANCED_PACKET => Err(Damage::TooLong { length }),
        _ => Ok(Step::Stop(Stop::Skip { length: length.into() })),
    }
}

/// Below, `None` stands for a body that is too short for a block of its type.
impl Blocks {
    pub(super) const fn new() -> Self {
        Self { order: ByteOrder::Native, interfaces: Vec::new(), dropped_before: 0 }
    }

    /// Returns how many packets all interfaces have dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.interfaces
            .iter()
            .fold(self.dropped_before, |sum, interface| sum.saturating_add(interface.dropped))
    }

    /// Begins a section, which may have another byte order.
    fn section<'a>(&mut self, bytes: &[u8]) -> Result<Step<'a>, Damage> {
        /// Head, magic, version, length of the section, tail.
        const SHORTEST: usize = 28;
        const MAJOR: u16 = 1;
        let Some(header) = bytes.first_chunk::<SHORTEST>() else {
            return Ok(Step::Stop(Stop::Short { needed: SHORTEST }));
        };
        let [kind, length, magic, _] = ByteOrder::Native.words(header);
        let (order, length) = match magic {
            BYTE_ORDER_MAGIC => (ByteOrder::Native, length),
            magic if magic.swap_bytes() == BYTE_ORDER_MAGIC => {
                (ByteOrder::Swapped, length.swap_bytes())
            }
            magic => return Err(Damage::ByteOrder { magic }),
        };
        let [major, minor] =
            [[header[12], header[13]], [header[14], header[15]]].map(|b| order.u16(b));
        if major != MAJOR {
            return Err(Damage::Version { major, minor });
        }
        let whole = length as usize;
        if !whole.is_multiple_of(4) || whole < SHORTEST {
            return Err(Damage::BlockLength { kind, length });
        }
        if whole > PIECE_MAX {
            return Err(Damage::TooLong { length });
        }
        let Some((_, tail)) = bytes.get(..whole).and_then(|block| block.split_last_chunk::<TAIL>())
        else {
            return Ok(Step::Stop(Stop::Short { needed: whole }));
        };
        let trailer = order.u32(*tail);
        if trailer != length {
            return Err(Damage::BlockTrailer { length, trailer });
        }
        *self = Self { order, interfaces: Vec::new(), dropped_before: self.dropped() };
        Ok(Step::Other { length: whole })
    }

    fn describe(&mut self, body: &[u8]) -> Option<Result<(), Damage>> {
        const TIME_RESOLUTION: u16 = 9;
        const TIME_OFFSET: u16 = 14;
        const MICROSECONDS: u8 = 6;
        let (&[a, b, _, _, c, d, e, f], options) = body.split_first_chunk()?;
        let number = self.interfaces.len();
        if number >= INTERFACES_MAX {
            return Some(Err(Damage::TooManyInterfaces { number }));
        }
        let (mut resolution, mut offset) = (MICROSECONDS, [0; 8]);
        for (code, value) in self.options(options) {
            match (code, value) {
                (TIME_RESOLUTION, &[value]) => resolution = value,
                (TIME_OFFSET, value) => offset = value.try_into().unwrap_or(offset),
                _ => {}
            }
        }
        let Some(clock) = Clock::new(resolution, self.order.u64(offset).cast_signed()) else {
            return Some(Err(Damage::Resolution { resolution }));
        };
        let link = link(self.order.u16([a, b]));
        let snap_length = self.order.u32([c, d, e, f]);
        self.interfaces.push(Interface { link, clock, snap_length, dropped: 0 });
        Some(Ok(()))
    }

    /// Notes how many packets an interface has dropped, whichever options the writer put that in.
    fn statistics(&mut self, body: &[u8]) -> Option<Result<(), Damage>> {
        const DROPPED_BY_INTERFACE: u16 = 5;
        const DROPPED_BY_SYSTEM: u16 = 7;
        let (head, options) = body.split_first_chunk::<12>()?;
        let [number] = self.order.words(head);
        let mut dropped = 0_u64;
        for (code, value) in self.options(options) {
            if let (DROPPED_BY_INTERFACE | DROPPED_BY_SYSTEM, Ok(value)) = (code, value.try_into())
            {
                dropped = dropped.saturating_add(self.order.u64(value));
            }
        }
        let described = self.interfaces.len();
        Some(match self.interfaces.get_mut(number as usize) {
            Some(interface) => {
                interface.dropped = dropped;
                Ok(())
            }
            None => Err(Damage::UnknownInterface { interface: number, described }),
        })
    }

    #[inline]
    fn enhanced_packet<'a>(&self, body: &'a [u8]) -> Option<Result<Record<'a>, Damage>> {
        let (head, data) = body.split_first_chunk::<20>()?;
        let [number, high, low, captured, original] = self.order.words(head);
        let interface = self.interface(number);
        Some(
            interface
                .and_then(|interface| interface.record([high, low], [captured, original], data)),
        )
    }

    /// The original packet block of pcapng, which programs from before 2012 write.
    fn packet<'a>(&self, body: &'a [u8]) -> Option<Result<Record<'a>, Damage>> {
        let (head, data) = body.split_first_chunk::<20>()?;
        let number = self.order.u16([head[0], head[1]]);
        let [_, high, low, captured, original] = self.order.words(head);
        let interface = self.interface(number.into());
        Some(
            interface
                .and_then(|interface| interface.record([high, low], [captured, original], data)),
        )
    }

    /// A packet of interface 0 without a time: it is dated to the start of 1970.
    fn simple_packet<'a>(&self, body: &'a [u8]) -> Option<Result<Record<'a>, Damage>> {
        let (head, data) = body.split_first_chunk::<4>()?;
        let [original] = self.order.words(head);
        Some(self.interface(0).and_then(|interface| {
            let captured = match interface.snap_length {
                0 => original,
                limit => original.min(limit),
            };
            interface
                .record([0, 0], [captured, original], data)
                .map(|record| Record { time: Timestamp::default(), ..record })
        }))
    }

    #[inline]
    fn interface(&self, number: u32) -> Result<&Interface, Damage> {
        let described = self.interfaces.len();
        self.interfaces
            .get(number as usize)
            .ok_or(Damage::UnknownInterface { interface: number, described })
    }

    /// Returns the options of a block, up to the first one that is cut short.
    fn options<'a>(&self, mut rest: &'a [u8]) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let order = self.order;
        std::iter::from_fn(move || {
            let (&[a, b, c, d], behind) = rest.split_first_chunk()?;
            let [code, length] = [[a, b], [c, d]].map(|bytes| order.u16(bytes));
            if code == END_OF_OPTIONS {
                return None;
            }
            let value = behind.get(..length.into())?;
            rest = behind.get(usize::from(length).next_multiple_of(4)..).unwrap_or_default();
            Some((code, value))
        })
    }
}

impl Interface {
    #[inline]
    fn record<'a>(
        &self,
        [high, low]: [u32; 2],
        [captured, original]: [u32; 2],
        data: &'a [u8],
    ) -> Result<Record<'a>, Damage> {
        let bytes = data
            .get(..captured as usize)
            .ok_or(Damage::PacketLength { captured, room: data.len() })?;
        let time = self.clock.time(u64::from(high) << 32 | u64::from(low));
        Ok(Record::new(time, self.link, bytes, original))
    }
}
