//! Recovery: what became of the calls of an earlier run that did not finish.

use std::time::Duration;

use jiff::Timestamp;

use super::journal::{Journal, JournalError, Ledger};
use crate::address::{Address, Name};
use crate::aws::observe::has_moved;
use crate::aws::{Aws, BoxFuture, ObserveError, Sight, Wanted, observe};
use crate::observed::Observed;
use crate::plan::Mode;
use crate::stack::Stack;

/// The first pause before looking again; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause before looking again: an object that has not become visible within a minute hardly ever does.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why the outcome of an earlier run could not be found out.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The cloud cannot be observed.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// The journal cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Observes the cloud, repeatedly while an object may exist that is not visible yet, and settles the journal.
///
/// Without an interrupted run there is nothing to wait for. After one, it takes as long as AWS needs to show what was
/// created, and at most [`Aws::settle_window`] from the last call. `on_wait` is called with what is being waited for.
///
/// # Errors
/// If the cloud cannot be observed or the journal cannot be written.
pub fn recover<'a>(
    aws: &'a Aws,
    wanted: Wanted<'a>,
    journal: &'a Journal,
    mode: Mode,
    on_wait: &'a mut (dyn FnMut(&str) + Send),
) -> BoxFuture<'a, Result<Sight, RecoverError>> {
    Box::pin(async move {
        let mut pause = FIRST_PAUSE;
        loop {
            match observe(aws, wanted).await {
                Ok(sight) => {
                    journal.settle(&sight.observed, aws.settle_window()).await?;
                    let is_planned = |address: &_| is_planned(wanted, mode, address);
                    let Some(pending) = journal.pending(is_planned) else { return Ok(sight) };
                    let still =
                        Standstill { pending, observed: sight.observed, ledger: journal.ledger() };
                    still.end((aws, wanted.stack), &|| journal.now(), &mut pause, on_wait).await?;
                }
                // An object that was just created may be visible only in part: an instance without its interface.
                Err(error @ ObserveError::Answer(_)) => {
                    let account = aws.account().await?;
                    let nothing = Observed::nothing(account, aws.region().clone());
                    journal.settle(&nothing, aws.settle_window()).await?;
                    if journal.ledger().is_settled() {
                        return Err(error.into());
                    }
                    wait(&error.to_string(), &mut pause, Duration::MAX, on_wait).await;
                }
                Err(error @ ObserveError::Call(_)) => return Err(error.into()),
            }
        }
    })
}

/// What follows on a [`look`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A plan: a call that it repeats with the same result need not be waited for.
    Plan(Mode),
    /// Nothing that repeats a call.
    Nothing,
}

/// Does the same with what a journal left open when it was [looked at](Journal::look); nothing is written.
///
/// # Errors
/// If the cloud cannot be observed.
pub fn look<'a>(
    aws: &'a Aws,
    (wanted, next): (Wanted<'a>, Next),
    mut ledger: Ledger,
    clock: &'a super::journal::Clock,
    on_wait: &'a mut (dyn FnMut(&str) + Send),
) -> BoxFuture<'a, Result<Sight, ObserveError>> {
    Box::pin(async move {
        let mut pause = FIRST_PAUSE;
        loop {
            let sight = observe(aws, wanted).await?;
            ledger.settle(&sight.observed, clock(), aws.settle_window());
            let is_planned = |address: &_| match next {
                Next::Plan(mode) => is_planned(wanted, mode, address),
                Next::Nothing => false,
            };
            let Some(pending) = ledger.pending(is_planned) else { return Ok(sight) };
            let still = Standstill { pending, observed: sight.observed, ledger: ledger.clone() };
            still.end((aws, wanted.stack), &**clock, &mut pause, on_wait).await?;
        }
    })
}

/// Returns whether a plan creates what has this address if it is not there.
///
/// If the stack is not wanted for a plan, it is not known; then an earlier plan or another stack file decides.
fn is_planned(wanted: Wanted<'_>, mode: Mode, address: &Address) -> bool {
    match (mode, wanted.planned) {
        (Mode::Destroy, _) => false,
        (Mode::Apply, None) => true,
        (Mode::Apply, Some(Stack { resources, fan_outs, .. })) => {
            let block = Address::new(address.kind, address.name.clone());
            resources.contains_key(address) || fan_outs.contains_key(&block)
        }
    }
}

/// Settles what can be settled at the end of a run, so that the next one need not wait for it.
///
/// If this fails, nothing is lost: the next run does it.
pub(super) async fn settle(aws: &Aws, journal: &Journal, stack: &Name) {
    if journal.ledger().is_settled() || journal.lost().is_some() {
        return;
    }
    let wanted = Wanted::owned_by(stack);
    match observe(aws, wanted).await {
        Ok(sight) => {
            let settled = journal.settle(&sight.observed, aws.settle_window()).await;
            if let Err(error) = settled {
                tracing::warn!(%error, "the journal is left as it is");
            }
        }
        Err(error) => tracing::warn!(%error, "what was created was not looked up"),
    }
}

/// What was observed, and what it leaves unsettled.
struct Standstill {
    pending: String,
    observed: Observed,
    ledger: Ledger,
}

impl Standstill {
    /// Waits until another look can reveal more: an object has appeared or disappeared, or a window is over.
    ///
    /// In the meantime only the tags are queried, and only where something may appear, which takes one call or a few
    /// instead of dozens.
    async fn end(
        &self,
        (aws, stack): (&Aws, &str),
        now: &(dyn Fn() -> Timestamp + Sync),
        pause: &mut Duration,
        on_wait: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), ObserveError> {
        let Self { pending, observed, ledger } = self;
        let nothing = Observed::nothing(observed.account.clone(), observed.region.clone());
        loop {
            let left =
                ledger.lapses_at(aws.settle_window()).map(|lapse| lapse.duration_since(now()));
            let left = left.and_then(|left| Duration::try_from(left).ok());
            wait(pending, pause, left.unwrap_or(Duration::MAX), on_wait).await;
            let mut later = ledger.clone();
            later.settle(&nothing, now(), aws.settle_window());
            if later != *ledger || has_moved(aws, stack, observed, &ledger.kinds()).await? {
                return Ok(());
            }
        }
    }
}

/// Pauses, but not much longer than the time that is `left`.
async fn wait(
    pending: &str,
    pause: &mut Duration,
    left: Duration,
    on_wait: &mut (dyn FnMut(&str) + Send),
) {
    on_wait(pending);
    tokio::time::sleep((*pause).min(left.max(FIRST_PAUSE))).await;
    *pause = (*pause * 2).min(LONGEST_PAUSE);
}
