//! The names of sessions, for people.

use std::collections::HashMap;
use std::hash::BuildHasher;

use crate::frame::Session;

/// Provides names of sessions; the names may change while it is in use.
pub trait SessionNames: Send + Sync {
    /// Returns the name of `session`, or `None` if it has none.
    fn name(&self, session: Session) -> Option<String>;
}

impl<H: BuildHasher + Send + Sync> SessionNames for HashMap<Session, String, H> {
    fn name(&self, session: Session) -> Option<String> {
        self.get(&session).cloned()
    }
}

/// Names no session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unnamed;

impl SessionNames for Unnamed {
    fn name(&self, _session: Session) -> Option<String> {
        None
    }
}
