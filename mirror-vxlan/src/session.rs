//! The sessions that a receiver has seen, each with a small number.
//!
//! A number is what batches, counters and the interfaces of a pcapng file call a session. Numbers
//! are given in the order of first sight, from zero, and never change while the receiver runs.

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
    /// Makes the number of a session, which need not be in any table.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Returns the number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Returns the number as a place in a slice.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Every session seen so far; it only grows, and reading it never waits.
#[derive(Debug)]
pub struct Sessions {
    limit: u32,
    numbered: boxcar::Vec<Session>,
    /// Held only while a session is seen for the first time by some thread.
    numbers: Mutex<HashMap<Session, SessionId>>,
}

impl Sessions {
    /// How many sessions are told apart unless more are asked for: what AWS allows an account in
    /// one Region (AWS Traffic Mirroring guide, "Quotas").
    pub const LIMIT: u32 = 10_000;

    /// Makes an empty table for at most `limit` sessions.
    ///
    /// The limit keeps senders who make sessions up from filling the memory.
    pub fn with_limit(limit: u32) -> Self {
        Self { limit, numbered: boxcar::Vec::new(), numbers: Mutex::default() }
    }

    /// Returns the number of `session`, giving it one if it has none; `None` if the table is full.
    ///
    /// It takes a lock: a receiving thread keeps the numbers that it has learnt.
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

    /// Returns the session of a number, or `None` if it has not been given yet.
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
