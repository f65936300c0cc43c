//! The sessions that a receiver has seen, each with a small number.
//!
//! Batches, counters and the interfaces of a pcapng file identify a session by its number. Numbers
//! are assigned in the order of first sight, from zero, and never change while the receiver runs.

#![forbid(unsafe_code)]

mod numbers;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::frame::Session;

pub(crate) use numbers::Numbers;

/// The number of a session in its [`Sessions`]; in pcapng files, the number of its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u32);

impl SessionId {
    /// Makes a session number, which need not be in any table.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Returns the number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Returns the number as an index into a slice.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The table of all sessions seen so far; it only grows, and reading it never waits.
#[derive(Debug)]
pub struct Sessions {
    limit: u32,
    numbered: boxcar::Vec<Session>,
    /// Held only while a session is seen for the first time by some thread.
    numbers: Mutex<HashMap<Session, SessionId>>,
}

impl Sessions {
    /// The default limit of sessions that are told apart: as many as AWS allows an account in one
    /// Region (AWS Traffic Mirroring guide, "Quotas").
    pub const LIMIT: u32 = 10_000;

    /// Makes an empty table for at most `limit` sessions.
    ///
    /// The limit keeps senders that invent sessions from filling the memory.
    pub fn with_limit(limit: u32) -> Self {
        Self { limit, numbered: boxcar::Vec::new(), numbers: Mutex::default() }
    }

    /// Returns the number of `session`, assigning one if it has none; `None` if the table is full.
    ///
    /// This takes a lock, so a receiving thread keeps the numbers that it has learnt.
    pub fn number(&self, session: Session) -> Option<SessionId> {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = numbers.get(&session) {
            return Some(*known);
        }
        let id = SessionId(u32::try_from(self.numbered.count()).ok()?);
        if id.0 >= self.limit {
            return None;
        }
        self.numbered.push(session);
        numbers.insert(session, id);
        Some(id)
    }

    /// Returns the session with a number, or `None` if the number is not assigned yet.
    pub fn get(&self, id: SessionId) -> Option<Session> {
        self.numbered.get(id.index()).copied()
    }

    /// Returns how many sessions there are.
    pub fn len(&self) -> usize {
        self.numbered.count()
    }

    /// Returns whether no session has been seen.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self::with_limit(Self::LIMIT)
    }
}
