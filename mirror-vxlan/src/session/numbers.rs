//! The session numbers that one thread has learnt, found without a lock.

#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::{SessionId, Sessions};
use crate::frame::Session;

/// The number of places for sessions that are found without hashing: 8 KiB, a quarter of the
/// first-level cache.
const RECENT: usize = 256;

/// Gives sessions their numbers and asks the shared table only for new ones.
#[derive(Debug)]
pub(crate) struct Numbers {
    recent: Box<[Option<(Session, SessionId)>; RECENT]>,
    known: HashMap<Session, SessionId>,
    sessions: Arc<Sessions>,
}

impl Numbers {
    pub(crate) fn new(sessions: Arc<Sessions>) -> Self {
        Self { recent: Box::new([None; RECENT]), known: HashMap::new(), sessions }
    }

    /// Returns the number of `session`, or `None` if there are too many sessions.
    #[inline]
    pub(crate) fn number(&mut self, session: Session) -> Option<SessionId> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Vni;

    #[test]
    fn numbers_are_those_of_the_shared_table_and_stop_at_its_limit() {
        let sessions = Arc::new(Sessions::with_limit(1000));
        let mut threads = [Numbers::new(Arc::clone(&sessions)), Numbers::new(sessions)];
        let session = |n: u32| Session {
            vni: Vni::try_from(n % 50).unwrap(),
            source: IpAddr::from((n / 50).to_be_bytes()),
        };
        for n in 0..1000 {
            let number = threads[n as usize % 2].number(session(n));
            assert_eq!(number, Some(SessionId::new(n)));
        }
        for thread in &mut threads {
            for n in (0..1000).rev() {
                assert_eq!(thread.number(session(n)), Some(SessionId::new(n)));
            }
            assert_eq!(thread.number(session(1000)), None);
        }
    }
}
