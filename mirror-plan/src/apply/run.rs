//! The run: one loop that owns all state; each task sends one call and returns its result.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::journal::Journal;
use super::recheck::{self, Changed, Removal};
use super::report::{Failure, Report};
use super::schedule::{Schedule, Taken};
use super::sending::Sending;
use crate::address::Address;
use crate::aws::act::{ActError, Known, Made, Waiting, retag};
use crate::aws::errors::ErrorKind;
use crate::aws::{Aws, BoxFuture, CallError, ObserveError};
use crate::diagnostic::with_causes;
use crate::event::{Event, Reporter, Work};
use crate::id::ObjectId;
use crate::observed::Found;
use crate::plan::{Call, Plan, Step, Wait};
use crate::value::Origin;

/// How a run is carried out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// How many calls are in flight at once. The default is 10, as users of Terraform expect.
    pub parallelism: NonZeroUsize,
    /// How often progress of a change that is under way is reported. The default is ten seconds.
    pub progress_every: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            parallelism: NonZeroUsize::new(10).expect("ten is not zero"),
            progress_every: Duration::from_secs(10),
        }
    }
}

impl Options {
    /// Returns the options with another number of calls in flight at once.
    #[must_use]
    pub fn with_parallelism(self, parallelism: NonZeroUsize) -> Self {
        Self { parallelism, ..self }
    }
}

/// A way to stop a run: no further step is started, and calls in flight are waited for.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// Returns a handle that is not stopped.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Stops the runs that were given this handle, now or later.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

/// Carries out `plan`, and reports how each change ended.
///
/// Steps that are ready run concurrently, up to [`Options::parallelism`]. After a failure, everything that does not
/// depend on the failed step continues. Each object is read once more just before it is removed, and is kept if it is
/// not as the plan saw it. Dropping the future abandons calls in flight, whose answers are then lost: use [`Stop`]
/// instead.
pub fn apply<'a>(
    plan: &'a Plan,
    (aws, journal): (&'a Aws, &'a Arc<Journal>),
    options: &'a Options,
    stop: &'a Stop,
    reporter: &'a mut dyn Reporter,
) -> BoxFuture<'a, Report> {
    Box::pin(async move {
        let (waits, waiting) = mpsc::unbounded_channel();
        let aws = &journal.fence(aws);
        let run = Run {
            plan,
            aws,
            journal,
            options,
            schedule: Schedule::new(plan),
            going: Arc::new(recheck::going(plan)),
            seen: Arc::new(seen(plan)),
            made: BTreeMap::new(),
            running: JoinSet::new(),
            begun: BTreeMap::new(),
            began: BTreeMap::new(),
            done: 0,
            took: BTreeMap::new(),
            waits,
            reporter,
        };
        run.finish(waiting, stop.0.subscribe()).await
    })
}

/// What a task returns.
struct Answer {
    step: usize,
    result: Result<Made, StepError>,
    took: Duration,
    /// The object whose removal begins with the step, as it was.
    began: Option<Found>,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
enum StepError {
    /// The call failed.
    #[error(transparent)]
    Act(#[from] ActError),
    /// The object to remove is not as it was planned.
    #[error(transparent)]
    Changed(#[from] Changed),
}

struct Run<'r> {
    plan: &'r Plan,
    aws: &'r Aws,
    journal: &'r Arc<Journal>,
    options: &'r Options,
    schedule: Schedule<'r>,
    /// The instances that the plan removes.
    going: Arc<BTreeSet<ObjectId>>,
    /// The ids of the objects that the plan saw.
    seen: Arc<BTreeSet<String>>,
    /// What was learned about the objects that were created, by address.
    made: BTreeMap<Address, Made>,
    running: JoinSet<Answer>,
    /// When each work in flight began, by its position in the schedule.
    begun: BTreeMap<usize, Instant>,
    /// How objects looked when their removal began, by the position of the removal in the schedule.
    began: BTreeMap<usize, Found>,
    done: usize,
    took: BTreeMap<Wait, Vec<Duration>>,
    waits: mpsc::UnboundedSender<(usize, Waiting)>,
    reporter: &'r mut dyn Reporter,
}

impl Run<'_> {
    async fn finish(
        mut self,
        mut waiting: mpsc::UnboundedReceiver<(usize, Waiting)>,
        mut stop: watch::Receiver<bool>,
    ) -> Report {
        self.reporter.report(&Event::Begun { total: self.schedule.total() });
        let mut progress = tokio::time::interval(self.options.progress_every);
        progress.tick().await; // the first tick is at once
        let mut stopped = *stop.borrow_and_update();
        loop {
            if !stopped && self.journal.lost().is_none() {
                self.start_ready();
            }
            if self.running.is_empty() {
                break;
            }
            tokio::select! {
                Some(answer) = self.running.join_next() => self.take_answer(answer),
                Some((step, wait)) = waiting.recv() => {
                    let work = self.schedule.work(step).clone();
                    self.reporter.report(&Event::Waiting { work, wait: wait.to_string() });
                }
                Ok(()) = stop.changed(), if !stopped => {
                    stopped = true;
                    let in_flight = self.running.len();
                    self.reporter.report(&Event::Stopping { in_flight });
                }
                _ = progress.tick() => self.report_progress(),
            }
        }
        super::recover::settle(self.aws, self.journal, &self.plan.stack).await;
        let report = Report {
            outcomes: self.schedule.outcomes(),
            stopped,
            learned: self.learned(),
            took: self.took,
        };
        self.reporter.report(&Event::Ended { report: report.clone() });
        report
    }

    /// Sends every step that is ready, as far as the parallelism allows.
    fn start_ready(&mut self) {
        while self.running.len() < self.options.parallelism.get() {
            let Some(taken) = self.schedule.take() else { return };
            let Taken { step, begins, ends: _ } = taken;
            if begins {
                self.begun.insert(self.schedule.position(step), Instant::now());
                let work = self.schedule.work(step).clone();
                self.reporter.report(&Event::Started { work });
            }
            self.send(taken);
        }
    }

    fn send(&mut self, taken: Taken) {
        let index = taken.step;
        let step = self.plan.steps[index].clone();
        let id = self.schedule.work(index).id.as_ref();
        let began = self.began.get(&self.schedule.position(index));
        let removal = Removal::by((&step, taken), id, (&self.plan.stack, &self.going), began);
        let known = self.known_to(&step);
        let (aws, waits) = (self.aws.clone(), self.waits.clone());
        let journal = self.journal.clone();
        self.running.spawn(async move {
            let at = Instant::now();
            let on_wait = move |wait: Waiting| {
                // The loop outlives its tasks; the receiver is closed only while the loop is being torn down.
                drop(waits.send((index, wait)));
            };
            let mut began = None;
            let done = async {
                if let Some(removal) = removal {
                    began = removal.check(&aws, &on_wait).await?;
                }
                Ok(match &step.call {
                    Call::Operation(operation) => {
                        let sending = Sending { step: &step, operation, known: &known };
                        sending.send(&aws, &journal, &on_wait).await?
                    }
                    Call::Retag { id, retag: change } => {
                        retag(&aws, step.address.kind, id, change).await?;
                        Made::default()
                    }
                })
            };
            let result = done.await;
            Answer { step: index, result, took: at.elapsed(), began }
        });
    }

    /// Returns what a step may refer to.
    fn known_to(&self, step: &Step) -> Known {
        let mut known = Known::seen(Arc::clone(&self.seen));
        let Call::Operation(operation) = &step.call else { return known };
        for need in operation.needs() {
            if let Some(made) = self.made.get(&need.address) {
                known.add_made(&need.address, made);
            }
        }
        known
    }

    fn take_answer(&mut self, answer: Result<Answer, tokio::task::JoinError>) {
        let Answer { step, result, took, began } = match answer {
            Ok(answer) => answer,
            // Tasks are never aborted, so this one panicked: a bug, which should surface with its own message.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        let position = self.schedule.position(step);
        self.began.extend(began.map(|found| (position, found)));
        match result {
            Ok(made) => {
                self.took.entry(Wait::of(&self.plan.steps[step])).or_default().push(took);
                self.succeeded(step, made);
            }
            Err(error) => {
                let failure = failure(&self.plan.steps[step].call, &error);
                self.schedule.failed(step, failure.clone());
                let (work, elapsed) = self.end(step);
                self.reporter.report(&Event::Failed { work, elapsed, failure });
            }
        }
    }

    fn succeeded(&mut self, step: usize, made: Made) {
        let id = made.id.clone();
        let address = self.plan.steps[step].address.clone();
        self.made.entry(address).or_default().absorb(made);
        if self.schedule.done(step, id) {
            let (work, elapsed) = self.end(step);
            self.done += 1;
            self.reporter.report(&Event::Done { work, elapsed, done: self.done });
        }
    }

    /// Returns the work of a step that has ended, and how long it took.
    fn end(&mut self, step: usize) -> (Work, Duration) {
        let position = self.schedule.position(step);
        self.began.remove(&position);
        let begun = self.begun.remove(&position);
        let elapsed = begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        (self.schedule.work(step).clone(), elapsed)
    }

    fn report_progress(&mut self) {
        for (position, begun) in &self.begun {
            let work = self.schedule.work_at(*position).clone();
            self.reporter.report(&Event::Progress { work, elapsed: begun.elapsed() });
        }
    }

    fn learned(&self) -> BTreeMap<Origin, Option<String>> {
        let of_all = self.made.iter().flat_map(|(address, made)| {
            made.computed.iter().map(move |(attribute, value)| {
                let origin = Origin { address: address.clone(), attribute: attribute.clone() };
                (origin, value.clone())
            })
        });
        of_all.collect()
    }
}

/// Returns the objects that existed when the plan was made: those that the stack owns and those that it uses.
fn seen(plan: &Plan) -> BTreeSet<String> {
    let owned = plan.changes.iter().filter_map(|change| change.id.as_ref());
    owned.chain(plan.existing.values()).map(ToString::to_string).collect()
}

/// Returns a failed step in words for the person who must fix it.
fn failure(call: &Call, error: &StepError) -> Failure {
    let planned = match call {
        Call::Operation(operation) => operation.call(),
        Call::Retag { .. } => "CreateTags",
    };
    let refused = error.call_error();
    let message = match (refused.and_then(|refused| refused.message.clone()), error) {
        (Some(message), StepError::Act(ActError::Call(_))) => message,
        _ => with_causes(error),
    };
    Failure {
        call: refused.map_or(planned, |refused| refused.call).to_owned(),
        code: refused.and_then(|refused| refused.code.clone()),
        message,
        request_id: refused.and_then(|refused| refused.request_id.clone()),
        help: error.help().map(str::to_owned),
    }
}

impl StepError {
    /// Returns the call that AWS refused, if that is what happened.
    fn call_error(&self) -> Option<&CallError> {
        match self {
            Self::Act(error) => error.call_error(),
            Self::Changed(Changed::Unseen(ObserveError::Call(error))) => Some(error),
            Self::Changed(_) => None,
        }
    }

    /// Returns what to do about it, if that is known.
    fn help(&self) -> Option<&'static str> {
        match self {
            Self::Changed(
                Changed::Otherwise { .. } | Changed::Part { .. } | Changed::NotOurs { .. },
            ) => Some("plan again and review what is new"),
            Self::Act(_) | Self::Changed(Changed::Unseen(_)) => {
                self.call_error().and_then(|refused| help(refused.kind))
            }
        }
    }
}

/// Returns what to do about a failed call, if its kind tells.
fn help(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::Denied => Some(
            "allow this call for the credentials, as the policy of `mirror iam` does, or use others",
        ),
        ErrorKind::Limit => Some("ask AWS for a higher quota, or remove what is not needed"),
        ErrorKind::Capacity => Some("try another instance type or Availability Zone"),
        ErrorKind::Throttled => {
            Some("something else uses up the account's call rate: try again later")
        }
        ErrorKind::Unknown => Some("plan again: it shows whether the call took effect"),
        ErrorKind::Unsent => Some("check the credentials, the Region and the network"),
        ErrorKind::Fenced
        | ErrorKind::NotFound
        | ErrorKind::AlreadyThere
        | ErrorKind::InUse
        | ErrorKind::Busy
        | ErrorKind::Refused => None,
    }
}
