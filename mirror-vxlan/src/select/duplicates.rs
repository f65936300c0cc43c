//! Packets that were mirrored both where they were sent and where they were received.

use std::time::Duration;

use crate::Timestamp;
use crate::frame::Session;

/// How many packets are remembered.
///
/// At a million packets a second these are the packets of 65 ms: 2 MiB for each receiving thread.
const REMEMBERED: usize = 64 * 1024;

/// The number of places that one identity can be stored at; the oldest is replaced.
const WAYS: usize = 4;

/// Recent packets, each until its copy has arrived.
///
/// The memory is fixed: if too many packets arrive within the window, copies are not recognized
/// and both are kept.
#[derive(Debug)]
pub(super) struct Duplicates {
    window: Duration,
    seen: Box<[[Option<Seen>; WAYS]]>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    identity: u64,
    time: Timestamp,
    session: Session,
}

impl Duplicates {
    pub(super) fn within(window: Duration) -> Self {
        Self { window, seen: vec![[None; WAYS]; REMEMBERED / WAYS].into_boxed_slice() }
    }

    /// Returns whether this is the copy of a packet that another session sent within the window;
    /// if it is not, its own copy may follow.
    ///
    /// Two equal packets from the same session are never copies: the packet was sent twice. A packet
    /// is forgotten once its copy was found, so that of a packet sent twice and mirrored at both ends,
    /// two are kept.
    pub(super) fn has_seen(&mut self, identity: u64, session: Session, time: Timestamp) -> bool {
        let window = self.window;
        let recent = |seen: &Seen| distance(seen.time, time) <= window;
        let place = usize::try_from(identity % self.seen.len() as u64).unwrap_or(0);
        let ways = &mut self.seen[place];
        let copy = ways.iter_mut().find(|way| {
            way.is_some_and(|s| s.identity == identity && s.session != session && recent(&s))
        });
        if let Some(way) = copy {
            *way = None;
            return true;
        }
        let oldest = ways.iter_mut().min_by_key(|way| way.map(|seen| seen.time));
        *oldest.expect("there is more than one way") = Some(Seen { identity, time, session });
        false
    }
}

/// The distance between two times, in either order, since packets may arrive out of order.
fn distance(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}
