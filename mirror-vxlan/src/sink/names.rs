//! What sessions are called, for people.

use std::collections::HashMap;
use std::hash::BuildHasher;

use crate::frame::Session;

/// Knows names of sessions; the names may change while it is in use.
pub trait SessionNames: Send + Sync {
    /// Returns what `session` is called, or `None` if it has no name.
    fn name(&self, session: Session) -> Option<String>;
}

impl<H: BuildHasher + Send + Sync> SessionNames for HashMap<Session, String, H> {
    fn name(&self, session: Session) -> Option<String> {
        self.get(&session).cloned()
    }
}

/// No session has a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unnamed;

impl SessionNames for Unnamed {
    fn name(&self, _session: Session) -> Option<String> {
        None
    }
}
