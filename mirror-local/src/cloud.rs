//! A cloud: the world with its store, clock, faults and log, shared by all its callers.

use crate::action::{handle, mutates, next_request_id};
use crate::authorization::Policy;
use crate::call_log::{CallLog, LoggedCall};
use crate::clock::Clock;
use crate::failure::Failure;
use crate::faults::{Effect, Fault, FaultState, Faults, Subject, Symptom};
use crate::parameters::Parameters;
use crate::place::Place;
use crate::request::{Request, Service, Wire};
use crate::response::Response;
use crate::settings::Settings;
use crate::store::{Store, StoreError};
use crate::world::{Call, View, World};
use http::request::Parts;
use jiff::Timestamp;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

mod rename;
mod witness;

use witness::Witness;
pub use witness::{Inventory, Moment, Stage};

/// A local AWS. Clones refer to the same cloud; it may be called from any thread.
#[derive(Debug, Clone)]
pub struct Cloud {
    shared: Arc<Mutex<Shared>>,
    clock: Clock,
}

#[derive(Debug)]
struct Shared {
    world: World,
    store: Option<Store>,
    log: CallLog,
    faults: FaultState,
    witness: Option<Witness>,
}

/// What a client gets, and after how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// How long the client waits for the response.
    pub delay: Duration,
    /// The response; `None` if the connection breaks.
    pub response: Option<Response>,
}

/// The seed from which a cloud draws its ids, unless its directory holds another.
const SEED: u64 = 0x006d_6972_726f_7221;

impl Cloud {
    /// Creates a cloud that is discarded when the last clone is dropped.
    pub fn in_memory() -> Self {
        Self::new(None, CallLog::Memory(Vec::new()))
    }

    /// Opens the cloud kept in a directory, which is created if needed.
    ///
    /// # Errors
    ///
    /// Fails if the directory cannot be used or holds something that only [`Cloud::open_afresh`] would discard.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let cloud = Self::unread(directory)?;
        cloud.shared().exclusively(|_| Ok(()))?;
        Ok(cloud)
    }

    /// Opens the cloud kept in a directory, which is created if needed, and discards everything in it, even a world
    /// that is damaged or was written by another version.
    ///
    /// # Errors
    ///
    /// Fails if the directory cannot be used.
    pub fn open_afresh(directory: &Path) -> Result<Self, StoreError> {
        let cloud = Self::unread(directory)?;
        cloud.reset()?;
        Ok(cloud)
    }

    fn unread(directory: &Path) -> Result<Self, StoreError> {
        let store = Store::open(directory)?;
        let path = store.calls_path();
        let log = CallLog::open(&path).map_err(|source| StoreError::Access { path, source })?;
        Ok(Self::new(Some(store), log))
    }

    fn new(store: Option<Store>, log: CallLog) -> Self {
        let (world, faults) = (World::new(SEED), FaultState::default());
        let shared = Shared { world, store, log, faults, witness: None };
        Self { shared: Arc::new(Mutex::new(shared)), clock: Clock::System }
    }

    /// Takes the time from this clock instead of the machine's. Affects this clone and the clones made from it.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Draws ids, addresses and VXLAN network identifiers from another seed from now on: two clouds with the same seed
    /// that get the same calls give the same values.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        self.shared().world.reseed(seed);
        self
    }

    /// Changes durations, quotas and policies.
    #[must_use]
    pub fn with_settings(self, settings: Settings) -> Self {
        self.shared().world.settings = settings;
        self
    }

    /// Injects these faults from now on, in place of any set before.
    pub fn set_faults(&self, faults: Faults) {
        self.shared().faults.change(faults);
    }

    /// Limits callers from now on to what these policies allow; they may do everything if there are none.
    pub fn set_policies(&self, policies: Vec<Policy>) {
        self.shared().world.settings.policies = policies;
    }

    /// Limits the callers of one account from now on to what these policies allow, in place of those for all callers.
    pub fn set_policies_of(&self, account: impl Into<String>, policies: Vec<Policy>) {
        self.shared().world.settings.policies_by_account.insert(account.into(), policies);
    }

    /// Returns the clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Makes one call.
    pub fn call(&self, head: &Parts, body: &[u8]) -> Reply {
        let now = self.clock.now();
        let mut shared = self.shared();
        match Request::parse(head, body) {
            Ok(request) => shared.call(&request, now),
            Err(failure) => {
                let id = next_request_id(&mut shared.world);
                let service = Service::of(head).unwrap_or(Service::Ec2);
                let speech = (service, Wire::of(head, service));
                let response = Some(Response::failure(speech, id, &failure));
                Reply { delay: Duration::ZERO, response }
            }
        }
    }

    /// Looks at a Region as it is now.
    pub(crate) fn look<T>(
        &self,
        place: &Place,
        look: impl FnOnce(View<'_>) -> T,
    ) -> Result<T, StoreError> {
        let now = self.clock.now();
        self.shared().exclusively(|shared| {
            let settings = shared.world.settings.clone();
            let (region, neighbours) = shared.world.around(place, (&settings, now));
            Ok(look(View { region, neighbours: &neighbours, settings: &settings, now }))
        })
    }

    /// Changes a Region directly rather than by a call.
    pub(crate) fn change(
        &self,
        place: &Place,
        change: impl FnOnce(&mut Call<'_>),
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.shared().exclusively(|shared| {
            let settings = shared.world.settings.clone();
            let (region, neighbours) = shared.world.around(place, (&settings, now));
            let (neighbours, parameters) = (&*neighbours, &Parameters::default());
            change(&mut Call { region, neighbours, parameters, settings: &settings, now });
            Ok(())
        })
    }

    /// Returns every call made so far, in order.
    ///
    /// # Errors
    ///
    /// Fails if the log cannot be read from the cloud's directory.
    pub fn log(&self) -> io::Result<Vec<LoggedCall>> {
        self.shared().log.read()
    }

    /// Forgets everything: the world, the log of calls, and the faults.
    ///
    /// # Errors
    ///
    /// Fails if the cloud's directory cannot be written.
    pub fn reset(&self) -> Result<(), StoreError> {
        let mut shared = self.shared();
        shared.faults = FaultState::default();
        shared.world = shared.world.afresh();
        let Shared { world, store, log, .. } = &mut *shared;
        if let Some(store) = store {
            store.acquire()?;
            let written = store.rewrite(world);
            store.release();
            written?;
        }
        let cleared = log.clear();
        let path = store.as_ref().map(Store::calls_path).unwrap_or_default();
        cleared.map_err(|source| StoreError::Access { path, source })
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        // A call that panicked has at worst left changes that the next commit writes down.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn call(&mut self, request: &Request, now: Timestamp) -> Reply {
        self.tell_come(request);
        let subject = Subject { request, mutating: mutates(request) };
        let mut delay = self.faults.delay(subject);
        let handled = self.exclusively(|shared| {
            let Answered { response, id, silence } = shared.call_with_faults(subject, now);
            delay += silence;
            let call = LoggedCall::new(now, request, response.as_ref(), id);
            // A log that cannot be written, on a full disk, does not make the call fail.
            shared.log.append(call).ok();
            Ok(response)
        });
        let response = handled.unwrap_or_else(|error| {
            let id = next_request_id(&mut self.world);
            Some(Response::failure(request.speech(), id, &store_failure(&error)))
        });
        self.tell_done(request, response.as_ref());
        Reply { delay, response }
    }

    /// Runs something with exclusive use of the directory and an up-to-date world.
    fn exclusively<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Some(store) = &self.store {
            store.acquire()?;
        }
        let done = self.up_to_date(work);
        if let Some(store) = &self.store {
            store.release();
        }
        done
    }

    fn up_to_date<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Some(store) = &mut self.store {
            store.catch_up(&mut self.world)?;
        }
        let done = work(self)?;
        match &mut self.store {
            Some(store) => store.append(&mut self.world)?,
            None => self.world.commit(),
        }
        Ok(done)
    }

    /// Handles the call, or makes it fail as planned.
    fn call_with_faults(&mut self, subject: Subject<'_>, now: Timestamp) -> Answered {
        let request = subject.request;
        if let Err(failure) = self.faults.admit(subject, now) {
            return self.refuse(request, &failure);
        }
        match self.faults.strike(subject) {
            Some(Fault { effect: Effect::None, symptom: Symptom::Error { code, status } }) => {
                self.refuse(request, &injected(&code, status))
            }
            Some(Fault { effect: Effect::None, symptom }) => Answered {
                response: None,
                id: next_request_id(&mut self.world),
                silence: silence(&symptom),
            },
            Some(Fault { effect: Effect::Done, symptom }) => {
                let response = self.call_world(subject, now);
                let (id, silence) = (response.request_id.clone(), silence(&symptom));
                Answered { response: spoil(request, response, symptom), id, silence }
            }
            None => {
                let response = self.call_world(subject, now);
                let id = response.request_id.clone();
                Answered { response: Some(response), id, silence: Duration::ZERO }
            }
        }
    }

    fn refuse(&mut self, request: &Request, failure: &Failure) -> Answered {
        let id = next_request_id(&mut self.world);
        let response = Some(Response::failure(request.speech(), id.clone(), failure));
        Answered { response, id, silence: Duration::ZERO }
    }

    /// Handles the call, hiding objects that it cannot see yet.
    fn call_world(&mut self, subject: Subject<'_>, now: Timestamp) -> Response {
        let request = subject.request;
        // S3 shows at once what was written: Amazon S3 user guide, "Data consistency model".
        if !self.faults.hides() || request.service == Service::Storage {
            return handle(&mut self.world, request, now);
        }
        let settings = self.world.settings.clone();
        let region = self.world.region(&request.place(), now);
        // What is due for deletion is deleted even while unseen, such as the volume of a terminated instance.
        region.settle(&settings, now);
        for (name, id) in self.faults.unseen_by(subject, now) {
            if let Some(rows) = region.table_mut(name) {
                rows.hide(&id);
            }
        }
        let response = handle(&mut self.world, request, now);
        let region = self.world.region(&request.place(), now);
        for (name, rows) in region.tables_mut() {
            for id in rows.created() {
                self.faults.born((request, now), (name, rows.kind().describe), id);
            }
            rows.reveal();
        }
        response
    }
}

/// The response to a call, if one is sent, with its request id.
struct Answered {
    response: Option<Response>,
    id: String,
    /// How long the client waits in vain.
    silence: Duration,
}

/// How long a client waits in vain.
fn silence(symptom: &Symptom) -> Duration {
    match symptom {
        Symptom::Silent => Duration::from_secs(24 * 60 * 60),
        Symptom::Dropped | Symptom::Error { .. } | Symptom::Truncated { .. } => Duration::ZERO,
    }
}

fn injected(code: &str, status: u16) -> Failure {
    Failure::new(code, "A fault was injected.").with_status(status)
}

fn spoil(request: &Request, mut response: Response, symptom: Symptom) -> Option<Response> {
    match symptom {
        Symptom::Dropped | Symptom::Silent => None,
        Symptom::Error { code, status } => {
            let failure = injected(&code, status);
            Some(Response::failure(request.speech(), response.request_id, &failure))
        }
        Symptom::Truncated { bytes } => {
            let end = response.body.floor_char_boundary(bytes);
            response.body.truncate(end);
            Some(response)
        }
    }
}

fn store_failure(error: &StoreError) -> Failure {
    let source = std::error::Error::source(error);
    let cause = source.map(|source| format!(": {source}")).unwrap_or_default();
    Failure::internal(format_args!("The local cloud cannot use its directory: {error}{cause}"))
}
