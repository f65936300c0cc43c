//! A journal in S3, for runs on several machines.
//!
//! Lease and journal are one object, and every write is conditional on the object being what the writer last saw. So a
//! run that has lost its lease cannot write a record any more, and a call that could not be recorded is not sent. See
//! [`lease`](super::super::lease) for the contents of the object.

use std::error::Error;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::super::lease::{
    CERTAIN, LASTS, Lease, Page, RENEWED_EVERY, State, Verdict, WATCHED_EVERY,
};
use super::{Clock, Held, Holder, Journal, JournalError, Ledger, Record, Scope, Store};
use crate::aws::s3::{Condition, Found, Object, Version, Written};
use crate::aws::{Aws, BoxFuture, CallError, Fence, Standing};
use crate::scalar::Coordination;

/// How many times a write is made at most: it is repeated if it was refused although its condition holds, because another
/// write was in progress, and if it took longer than the lease lasts.
const WRITES: u32 = 10;

/// The object of a journal, held by one run.
pub(super) struct Kept {
    object: Object,
    owner: String,
    holder: Holder,
    clock: Clock,
    /// How long AWS may take to show what it has made.
    window: Duration,
    chain: tokio::sync::Mutex<Chain>,
    /// When the last write that was done began.
    held_at: Mutex<(Timestamp, Instant)>,
    lost: OnceLock<Held>,
}

/// The chain of versions that this run has written, each conditional on the one before.
struct Chain {
    /// The condition of the next write.
    condition: Condition,
    /// How many writes were started.
    number: u64,
    /// When the last write was done.
    renewed: Instant,
    state: State,
}

impl Journal {
    /// Takes the journal of a stack in a place that the runs of a team share.
    ///
    /// If the lease of a run that was killed has not run out, this waits for it and reports that to `on_wait`. A run
    /// that is still alive renews its lease; as soon as it does, this returns an error.
    ///
    /// # Errors
    /// If another run holds the journal, the object cannot be used, or the store does not honour conditions.
    pub fn open_shared<'a>(
        (aws, place): (&'a Aws, &'a Coordination),
        scope: &'a Scope,
        holder: &'a Holder,
        clock: Clock,
        on_wait: &'a mut (dyn FnMut(&str) + Send),
    ) -> BoxFuture<'a, Result<Arc<Self>, JournalError>> {
        Box::pin(async move {
            let object = aws.object(place, &scope.file("journal")).at_home().await;
            let (condition, ledger) = until_free(&object, &clock, on_wait).await?;
            let chain = Chain { condition, number: 0, renewed: Instant::now(), state: State::Held };
            let kept = Kept {
                object,
                owner: format!("{:032x}", fastrand::u128(..)),
                holder: holder.clone(),
                clock: clock.clone(),
                window: aws.settle_window(),
                chain: tokio::sync::Mutex::new(chain),
                held_at: Mutex::new((clock(), Instant::now())),
                lost: OnceLock::new(),
            };
            kept.write(&ledger).await.map_err(|error| match error {
                // Two runs started at the same time, and this one came second.
                JournalError::Lost(held) => JournalError::Held(held),
                error => error,
            })?;
            kept.probe(&ledger).await?;
            let journal = Arc::new(Self::with(Store::Bucket(Box::new(kept)), ledger, clock));
            tokio::spawn(renew(Arc::downgrade(&journal)));
            Ok(journal)
        })
    }

    /// Returns what the journal of a stack leaves open, without taking it; see [`look`](Self::look).
    ///
    /// # Errors
    /// If another run holds it, or the object cannot be read.
    pub fn look_shared<'a>(
        (aws, place): (&'a Aws, &'a Coordination),
        scope: &'a Scope,
        clock: &'a Clock,
    ) -> BoxFuture<'a, Result<Ledger, JournalError>> {
        Box::pin(async move {
            let object = aws.object(place, &scope.file("journal")).at_home().await;
            let Some(found) = read(&object).await? else { return Ok(Ledger::default()) };
            let page = page(&found, clock);
            if page.left(found.age).is_zero() {
                Ok(page.ledger)
            } else {
                Err(JournalError::Held(page.held()))
            }
        })
    }

    /// Writes what is open once more, which renews the lease.
    ///
    /// # Errors
    /// If another run has taken over the journal, or if that cannot be found out.
    pub(super) async fn write_again(&self) -> Result<(), JournalError> {
        let number = {
            let mut state = self.lock();
            state.written += 1;
            state.written
        };
        self.flush(number).await
    }
}

impl Fence for Journal {
    fn confirm(&self) -> BoxFuture<'_, Result<(), Box<dyn Error + Send + Sync>>> {
        Box::pin(async { self.write_again().await.map_err(Into::into) })
    }

    fn standing(&self) -> Standing {
        match &self.store {
            Store::File(_) | Store::Memory => Standing::Certain,
            Store::Bucket(kept) => kept.standing(),
        }
    }
}

/// Waits until nobody holds the object; returns the condition for taking it, and what is open.
async fn until_free(
    object: &Object,
    clock: &Clock,
    on_wait: &mut (dyn FnMut(&str) + Send),
) -> Result<(Condition, Ledger), JournalError> {
    let Some(first) = read(object).await? else {
        return Ok((Condition::Absent, Ledger::default()));
    };
    let watched = Instant::now();
    let page = page(&first, clock);
    loop {
        let left = page.left(first.age + watched.elapsed());
        if left.is_zero() {
            return Ok((Condition::Unchanged(first.version), page.ledger));
        }
        on_wait(&format!(
            "its lease expires in {} s unless it is renewed: {}",
            left.as_secs() + 1,
            page.held()
        ));
        sleep(left.min(WATCHED_EVERY)).await;
        // Any change shows that the run is alive, even if the change is that it ended.
        if read(object).await?.is_none_or(|found| found.version != first.version) {
            return Err(JournalError::Held(page.held()));
        }
    }
}

/// Renews the lease of a journal for as long as the journal is in use.
async fn renew(journal: Weak<Journal>) {
    loop {
        sleep(RENEWED_EVERY / 2).await;
        let Some(journal) = journal.upgrade() else { return };
        let Store::Bucket(kept) = &journal.store else { return };
        match kept.is_due().await {
            None => return,
            Some(Due::Later) => {}
            Some(Due::Now) => {
                if let Err(error) = journal.write_again().await {
                    tracing::warn!(%error, "the lease was not renewed");
                }
            }
        }
    }
}

/// Whether a lease is to be renewed.
enum Due {
    Now,
    Later,
}

impl Kept {
    /// Writes what is open, unless another run has written since.
    pub(super) async fn write(&self, ledger: &Ledger) -> Result<(), JournalError> {
        let mut chain = self.chain.lock().await;
        self.write_in(&mut chain, ledger).await
    }

    /// Returns who has written since, if another run has.
    pub(super) fn lost(&self) -> Option<Held> {
        self.lost.get().cloned()
    }

    /// Writes that this run has ended.
    pub(super) fn release<'a>(&'a self, ledger: &'a Ledger) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let mut chain = self.chain.lock().await;
            if chain.state == State::Free {
                return;
            }
            chain.state = State::Free;
            if let Err(error) = self.write_in(&mut chain, ledger).await {
                tracing::warn!(%error, "the lease was not released, so it has to expire");
            }
        })
    }

    async fn write_in(&self, chain: &mut Chain, ledger: &Ledger) -> Result<(), JournalError> {
        if let Some(held) = self.lost() {
            return Err(JournalError::Lost(held));
        }
        chain.number += 1; // also if nobody hears how this one ends
        for _ in 0..WRITES {
            let (began, at) = (Instant::now(), (self.clock)());
            let written = self.object.write(self.text(chain, ledger), &chain.condition).await;
            let is_done = match written.map_err(|error| self.failed("written", error))? {
                Written::Done(version) => {
                    chain.condition = Condition::Unchanged(version);
                    true
                }
                Written::Refused => self.is_done_after_all(chain).await?,
            };
            if !is_done {
                sleep(WATCHED_EVERY / 4).await;
                continue;
            }
            chain.renewed = began;
            *self.held_at.lock().unwrap_or_else(PoisonError::into_inner) = (at, began);
            // A machine that was asleep hears late that it had the lease; another run may have it by now.
            if self.standing() == Standing::Certain {
                return Ok(());
            }
        }
        Err(JournalError::Lost(Held { holder: None, until: None }))
    }

    /// Whether another run can have taken the lease since the last write.
    ///
    /// Two clocks are asked: one is set back at times, and the other does not count the time that a machine sleeps.
    fn standing(&self) -> Standing {
        if self.lost.get().is_some() {
            return Standing::Lost;
        }
        let (at, began) = *self.held_at.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.clock)();
        let is_recent = at <= now && now.duration_since(at).unsigned_abs() < CERTAIN;
        if is_recent && began.elapsed() < CERTAIN { Standing::Certain } else { Standing::Uncertain }
    }

    /// Finds out why a write was refused; returns whether it was done all the same.
    async fn is_done_after_all(&self, chain: &mut Chain) -> Result<bool, JournalError> {
        let found = read(&self.object).await?;
        let (verdict, version) = match found {
            None if chain.condition == Condition::Absent => return Ok(false),
            None => (Verdict::Lost(Held { holder: None, until: None }), None),
            Some(found) if chain.condition == Condition::Unchanged(found.version.clone()) => {
                return Ok(false);
            }
            Some(found) => {
                let page = page(&found, &self.clock);
                (page.verdict((&self.owner, chain.number)), Some(found.version))
            }
        };
        if let Some(version) = version.filter(|_| !matches!(verdict, Verdict::Lost(_))) {
            chain.condition = Condition::Unchanged(version);
        }
        match verdict {
            Verdict::Done => Ok(true),
            Verdict::Earlier => Ok(false),
            Verdict::Lost(held) => {
                let held = self.lost.get_or_init(|| held);
                Err(JournalError::Lost(held.clone()))
            }
        }
    }

    fn text(&self, chain: &Chain, ledger: &Ledger) -> String {
        let now = (self.clock)();
        let lease = Lease {
            owner: self.owner.clone(),
            write: chain.number,
            holder: self.holder.clone(),
            state: chain.state,
            seconds: LASTS.as_secs(),
            until: now.saturating_add(LASTS).unwrap_or(now),
        };
        // A reader counts entries older than the window as settled.
        let is_open = |record: &Record| match record {
            // One from the future was written before the clock was set back.
            Record::Made { at, .. } => {
                now < *at || now.duration_since(*at).unsigned_abs() < self.window
            }
            _ => true,
        };
        let records: Vec<Record> = ledger.records().into_iter().filter(is_open).collect();
        Page::write(&lease, &records)
    }

    /// Makes certain that the store refuses a write whose condition does not hold.
    async fn probe(&self, ledger: &Ledger) -> Result<(), JournalError> {
        let mut chain = self.chain.lock().await;
        let text = self.text(&chain, ledger);
        for (name, condition) in [
            ("the condition If-None-Match", Condition::Absent),
            ("the condition If-Match", Condition::Unchanged(Version::none())),
        ] {
            let written = self.object.write(text.clone(), &condition).await;
            match written.map_err(|error| self.failed("written", error))? {
                Written::Refused => {}
                Written::Done(version) => {
                    chain.condition = Condition::Unchanged(version);
                    chain.state = State::Free;
                    self.write_in(&mut chain, ledger).await?;
                    let object = self.object.to_string();
                    return Err(JournalError::Unconditional { object, condition: name });
                }
            }
        }
        Ok(())
    }

    /// Returns whether the lease must be renewed; `None` if the run has released or lost it.
    async fn is_due(&self) -> Option<Due> {
        let chain = self.chain.lock().await;
        if chain.state == State::Free || self.lost.get().is_some() {
            None
        } else if chain.renewed.elapsed() < RENEWED_EVERY / 2 {
            Some(Due::Later)
        } else {
            Some(Due::Now)
        }
    }

    fn failed(&self, what: &'static str, error: CallError) -> JournalError {
        failed(&self.object, what, error)
    }
}

async fn read(object: &Object) -> Result<Option<Found>, JournalError> {
    object.read().await.map_err(|error| failed(object, "read", error))
}

fn failed(object: &Object, what: &'static str, error: CallError) -> JournalError {
    JournalError::Object { object: object.to_string(), what, error: Box::new(error) }
}

/// Returns what was found, dated by the reader's clock.
fn page(found: &Found, clock: &Clock) -> Page {
    let now: Timestamp = clock();
    Page::read(&found.bytes, now.saturating_sub(found.age).unwrap_or(now))
}
