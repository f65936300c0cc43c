//! What a test sees of a cloud from outside: calls as they arrive and complete, copies of the cloud at those moments,
//! and everything in it.

use super::{Cloud, Shared};
use crate::action::mutates;
use crate::call_log::CallLog;
use crate::clock::Clock;
use crate::place::Place;
use crate::request::Request;
use crate::response::Response;
use crate::store::StoreError;
use crate::table::Record;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

/// Everything in one Region that clients can see, by table and id.
pub type Inventory = BTreeMap<(&'static str, String), Record>;

/// A moment in the life of a cloud: a call has arrived, or is done.
#[derive(Debug)]
pub struct Moment<'c> {
    /// The request of the call.
    pub request: &'c Request,
    /// How far the call has progressed.
    pub stage: Stage,
    shared: &'c Shared,
}

/// How far a call has progressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It has arrived, and nothing has happened yet.
    Come,
    /// It has changed something, and its answer has not been sent yet.
    Done,
}

impl Moment<'_> {
    /// Returns whether the call can change something.
    pub fn mutates(&self) -> bool {
        mutates(self.request)
    }

    /// Returns an independent copy of the cloud as it is, with the same faults, an empty log, and the machine's clock
    /// until it is given another.
    pub fn fork(&self) -> Cloud {
        Cloud { shared: Arc::new(Mutex::new(self.shared.fork())), clock: Clock::System }
    }
}

/// The function that calls are reported to.
pub(super) struct Witness(Arc<dyn Fn(&Moment<'_>) + Send + Sync>);

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Witness")
    }
}

impl Cloud {
    /// Reports every call to `witness` from now on: when it arrives and, if it has changed something, when it is done.
    /// The cloud stands still meanwhile.
    pub fn witness(&self, witness: impl Fn(&Moment<'_>) + Send + Sync + 'static) {
        self.shared().witness = Some(Witness(Arc::new(witness)));
    }

    /// Stops reporting calls.
    pub fn dismiss_witness(&self) {
        self.shared().witness = None;
    }

    /// Returns an independent copy in memory, with the same faults, the same clock and an empty log.
    #[must_use]
    pub fn fork(&self) -> Self {
        let shared = Arc::new(Mutex::new(self.shared().fork()));
        Self { shared, clock: self.clock.clone() }
    }

    /// Returns what clients can see in a Region now.
    ///
    /// # Errors
    ///
    /// Fails if the cloud's directory cannot be used.
    pub fn inventory(&self, place: impl Into<Place>) -> Result<Inventory, StoreError> {
        let now = self.clock.now();
        self.shared().exclusively(|shared| {
            let settings = shared.world.settings.clone();
            let region = shared.world.region(&place.into(), now);
            region.settle(&settings, now);
            let mut inventory = Inventory::new();
            let tables = region.tables();
            let visible = tables.iter().filter(|(_, rows)| !rows.kind().describe.is_empty());
            for (table, rows) in visible {
                rows.everything(&mut |id, row| {
                    inventory.insert((*table, id.to_owned()), row);
                });
            }
            Ok(inventory)
        })
    }
}

impl Shared {
    fn fork(&self) -> Self {
        Self {
            world: self.world.clone(),
            store: None,
            log: CallLog::Memory(Vec::new()),
            faults: self.faults.clone(),
            witness: None,
        }
    }

    /// Reports that a call has arrived.
    pub(super) fn tell_come(&self, request: &Request) {
        self.tell(request, Stage::Come);
    }

    /// Reports that a call is done, if it has changed something.
    pub(super) fn tell_done(&self, request: &Request, response: Option<&Response>) {
        let is_refused = response.is_some_and(|response| response.error.is_some());
        if !is_refused && mutates(request) {
            self.tell(request, Stage::Done);
        }
    }

    fn tell(&self, request: &Request, stage: Stage) {
        if let Some(Witness(witness)) = &self.witness {
            witness(&Moment { request, stage, shared: self });
        }
    }
}
