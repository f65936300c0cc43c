//! Selects the frames that are wanted: from whom, which, and how much of each.
//!
//! A frame passes, in this order, the [list of those allowed](AllowList) to send, the
//! [filter](filter::Filter), the sample and the search for duplicates, and is then cut to the snap
//! length. A step that is not configured costs nothing. [`Rules`] configure the steps; a
//! [`Selection`] applies them for one receiving thread, and [`Control`] replaces the rules of all
//! selections while they run.

#![forbid(unsafe_code)]

mod allow;
mod duplicates;
pub mod filter;
#[cfg(feature = "program")]
mod names;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use allow::{Allow, AllowList, ParseAllowError};
#[cfg(feature = "program")]
pub use names::{CurrentNames, NameTable, NamesError};

use crate::count::Exclusion;
use crate::flow::{self, Flow};
use crate::frame::Frame;
use crate::receive::Select;
use duplicates::Duplicates;
use filter::Filter;

/// The rules for the frames that are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The senders that are allowed; all if the list is empty.
    pub allow: AllowList,
    /// The filter that a frame has to match.
    pub filter: Option<Filter>,
    /// Keeps one of this many flows, with both its directions; `None` keeps every flow.
    pub sample: Option<NonZeroU32>,
    /// The most bytes of a frame that are kept; `None` keeps all.
    pub snap: Option<NonZeroU32>,
    /// How long after a packet a copy of it from another session counts as a duplicate.
    ///
    /// Packets between two mirrored interfaces arrive twice. The copies are found only if they reach
    /// the same receiving thread.
    pub duplicates: Option<Duration>,
}

/// Gives all [`Selection`]s made from it the same rules, and can replace them while they are in use.
#[derive(Debug)]
pub struct Control {
    /// A secret, so that nobody can make a packet look like a copy of another.
    key: u64,
    /// How often the rules were replaced; a selection checks this before every frame.
    generation: AtomicU64,
    rules: Mutex<Arc<Rules>>,
}

impl Control {
    /// Makes a control with the first rules.
    pub fn new(rules: Rules) -> Arc<Self> {
        let key = RandomState::new().build_hasher().finish();
        let rules = Mutex::new(Arc::new(rules));
        Arc::new(Self { key, generation: AtomicU64::new(0), rules })
    }

    /// Makes a selection with these rules.
    pub fn selection(self: &Arc<Self>) -> Selection {
        let generation = self.generation.load(Ordering::Acquire);
        Selection::new(Arc::clone(self), generation)
    }

    /// Replaces the rules of every selection, from its next frame on.
    pub fn replace(&self, rules: Rules) {
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Returns the rules in force.
    pub fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Selects frames for one receiving thread.
#[derive(Debug)]
pub struct Selection {
    control: Arc<Control>,
    generation: u64,
    rules: Arc<Rules>,
    /// The packets seen recently, if duplicates are searched for.
    duplicates: Option<Duplicates>,
}

impl Selection {
    fn new(control: Arc<Control>, generation: u64) -> Self {
        let rules = control.rules();
        let duplicates = rules.duplicates.map(Duplicates::within);
        Self { control, generation, rules, duplicates }
    }

    fn keep_up(&mut self) {
        let generation = self.control.generation.load(Ordering::Acquire);
        if generation != self.generation {
            *self = Self::new(Arc::clone(&self.control), generation);
        }
    }
}

/// A clone has seen no frame yet.
impl Clone for Selection {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.control), self.generation)
    }
}

impl Select for Selection {
    fn select(&mut self, frame: &Frame<'_>) -> Result<usize, Exclusion> {
        self.keep_up();
        let Rules { allow, filter, sample, snap, duplicates: _ } = &*self.rules;
        allow.check(frame.session)?;
        if filter.as_ref().is_some_and(|f| !f.matches(frame.bytes, frame.original_len)) {
            return Err(Exclusion::Filter);
        }
        if sample.is_some_and(|flows| !is_in_sample(frame.bytes, flows)) {
            return Err(Exclusion::Sample);
        }
        if let Some(seen) = &mut self.duplicates
            && let Some(identity) = flow::identity(frame.bytes, self.control.key)
            && seen.has_seen(identity, frame.session, frame.time)
        {
            return Err(Exclusion::Duplicate);
        }
        Ok(snap.map_or(usize::MAX, |snap| snap.get() as usize))
    }
}

/// Whether the flow of a frame is the one in `flows` that is kept.
fn is_in_sample(bytes: &[u8], flows: NonZeroU32) -> bool {
    // Threads are chosen by the hash itself. Its bits are spread once more here (Knuth, The Art of
    // Computer Programming 3, 6.4), so that the sample is not all on one thread.
    let spread = Flow::of(bytes).hash().wrapping_mul(0x9e37_79b1);
    (u64::from(spread) * u64::from(flows.get())) >> u32::BITS == 0
}
