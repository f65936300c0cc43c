//! The session numbers that were given, found without a lock.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::frame::Session;
use crate::session::{SessionId, Sessions};

/// Places for sessions that are found without hashing: 8 KiB, a quarter of the first-level cache.
const RECENT: usize = 256;

/// Gives sessions their numbers and asks the shared table only for new ones.
#[derive(Debug)]
pub(super) struct Numbers {
    recent: Box<[Option<(Session, SessionId)>; RECENT]>,
    known: HashMap<Session, SessionId>,
    sessions: Arc<Sessions>,
}

impl Numbers {
    pub(super) fn new(sessions: Arc<Sessions>) -> Self {
        Self { recent: Box::new([None; RECENT]), known: HashMap::new(), sessions }
    }

    /// Returns the number of `session`, or `None` if it is one too many.
    #[inline]
    pub(super) fn number(&mut self, session: Session) -> Option<SessionId> {
        let place = place(session);
        match self.recent[place] {
            Some((other, id)) if other == session => Some(id),
            _ => self.look_up(place, session),
        }
    }

    #[cold]
    fn look_up(&mut self, place: usize, session: Session) -> Option<SessionId> {
        let id = match self.known.get(&session) {
            Some(id) => *id,
            None => self.sessions.number(session)?,
        };
        self.known.insert(session, id);
        self.recent[place] = Some((session, id));
        Some(id)
    }
}

/// Returns the place of a session among the recent ones.
fn place(session: Session) -> usize {
    let address = match session.source {
        IpAddr::V4(address) => address.to_bits(),
        IpAddr::V6(address) => {
            let [.., a, b, c, d] = address.octets();
            u32::from_be_bytes([a, b, c, d])
        }
    };
    let mixed = (u32::from(session.vni) ^ address.rotate_left(16)).wrapping_mul(0x9e37_79b1);
    mixed as usize >> 24
}
