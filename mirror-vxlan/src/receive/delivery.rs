//! A sink's thread: batches out of its queue, into the sink, and an account of each frame.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::event::panic_message;
use super::worker::InputPost;
use super::{Event, Setup, SinkAccount, SinkState};
use crate::Timestamp;
use crate::batch::Batch;
use crate::clock::passed;
use crate::count::SinkCounts;
use crate::queue::Exit;
use crate::sink::{Ahead, Delivery, LossReason, Sink, Trouble};

/// How often a sink is told the time.
const TICK: Duration = Duration::from_secs(1);

/// The state of a sink that others can see.
#[derive(Debug)]
pub(super) struct SinkPost {
    pub(super) name: String,
    queue_depth: usize,
    waiting: Arc<AtomicUsize>,
    progress: Mutex<SinkProgress>,
}

#[derive(Debug)]
struct SinkProgress {
    state: SinkState,
    /// Without frames that the queue had no room for: the receiving threads count those.
    counts: SinkCounts,
    busy_since: Option<Timestamp>,
    trouble: Option<Trouble>,
}

impl SinkPost {
    pub(super) fn new(name: &str, queue_depth: usize, exit: &Exit) -> Self {
        let progress = SinkProgress {
            state: SinkState::Running,
            counts: SinkCounts::default(),
            busy_since: None,
            trouble: None,
        };
        let (name, waiting) = (name.to_owned(), exit.waiting());
        Self { name, queue_depth, waiting, progress: Mutex::new(progress) }
    }

    /// Copies the account out; `accepted` and `queue_lost` are what the receiving threads counted.
    pub(super) fn account(&self, accepted: u64, queue_lost: u64) -> SinkAccount {
        let progress = self.progress();
        let mut counts = progress.counts;
        counts.lost[LossReason::Queue.index()] += queue_lost;
        SinkAccount {
            name: self.name.clone(),
            state: progress.state.clone(),
            accepted,
            counts,
            queued: self.waiting.load(Ordering::Relaxed),
            queue_depth: self.queue_depth,
            busy_since: progress.busy_since,
            trouble: progress.trouble.clone(),
        }
    }

    /// Abandons the sink if it has not ended: frames that it has not accounted for are lost, and its
    /// counts do not change any more.
    ///
    /// Returns how many frames are lost this way, or `None` if the sink has ended.
    pub(super) fn abandon(&self, accepted: u64, queue_lost: u64) -> Option<u64> {
        let mut progress = self.progress();
        let SinkCounts { delivered, .. } = progress.counts;
        let accounted = delivered.count + progress.counts.losses() + queue_lost;
        let abandoned = accepted.saturating_sub(accounted);
        if progress.state != SinkState::Running && abandoned == 0 {
            return None;
        }
        progress.state = SinkState::Hung;
        progress.counts.lost[LossReason::Abandoned.index()] += abandoned;
        Some(abandoned)
    }

    fn progress(&self) -> MutexGuard<'_, SinkProgress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the account, unless the sink was abandoned, which closes its account.
    fn update(&self, change: impl FnOnce(&mut SinkProgress)) {
        let mut progress = self.progress();
        if progress.state != SinkState::Hung {
            change(&mut progress);
        }
    }
}

/// One sink's thread.
pub(super) struct Deliverer {
    /// `None` once it panicked.
    pub(super) sink: Option<Box<dyn Sink>>,
    /// Its place among the sinks.
    pub(super) place: usize,
    pub(super) exit: Exit,
    pub(super) post: Arc<SinkPost>,
    pub(super) inputs: Arc<[Arc<InputPost>]>,
    pub(super) setup: Setup,
}

impl Deliverer {
    /// Delivers until every receiving thread has ended and the queue is empty, then closes the
    /// sink.
    pub(super) fn run(mut self) {
        let mut ticked = self.setup.clock.now();
        self.tick(ticked);
        loop {
            match self.exit.next(TICK) {
                Ok(batch) => self.deliver(&batch),
                Err(RecvTimeoutError::Timeout) => (),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = self.setup.clock.now();
            if passed(TICK, ticked, now) {
                ticked = now;
                self.tick(now);
            }
        }
        self.tick(self.setup.clock.now());
        self.close();
    }

    fn deliver(&mut self, batch: &Batch) {
        let now = self.setup.clock.now();
        self.post.update(|progress| progress.busy_since = Some(now));
        let delivery = self.call(|sink| sink.deliver(batch));
        let delivery = delivery.unwrap_or_else(|| Delivery::none(batch, LossReason::Failed));
        self.post.update(|progress| {
            progress.busy_since = None;
            progress.counts.deliver(complete(batch, delivery));
        });
    }

    fn tick(&mut self, now: Timestamp) {
        let mut ahead = Ahead::default();
        for input in &*self.inputs {
            let progress = input.progress();
            ahead.kernel += progress.counts.kernel_dropped;
            ahead.queue += progress.queue_lost[self.place];
        }
        self.call(|sink| sink.tick(now, ahead));
    }

    fn close(mut self) {
        let Some(sink) = self.sink.take() else { return };
        match catch_unwind(AssertUnwindSafe(|| sink.close())) {
            Ok(lost) => self.post.update(|progress| {
                progress.counts.withdraw(lost);
                progress.state = SinkState::Ended;
            }),
            Err(panic) => self.panicked(&panic_message(&*panic)),
        }
    }

    /// Calls the sink, unless it has panicked before, and reports a change in its trouble.
    fn call<R>(&mut self, call: impl FnOnce(&mut dyn Sink) -> R) -> Option<R> {
        let sink = self.sink.as_deref_mut()?;
        let called = catch_unwind(AssertUnwindSafe(|| (call(sink), sink.trouble().cloned())));
        match called {
            Ok((result, trouble)) => {
                self.tell(trouble);
                Some(result)
            }
            Err(panic) => {
                let sink = self.sink.take();
                // A second panic while it is dropped adds nothing to the first.
                let _second = catch_unwind(AssertUnwindSafe(|| drop(sink)));
                self.panicked(&panic_message(&*panic));
                None
            }
        }
    }

    fn tell(&self, trouble: Option<Trouble>) {
        if self.post.progress().trouble == trouble {
            return;
        }
        let sink = self.post.name.clone();
        let event = match trouble.clone() {
            Some(trouble) => Event::SinkTrouble { sink, trouble },
            None => Event::SinkRecovered { sink },
        };
        self.post.update(|progress| progress.trouble = trouble);
        (self.setup.report)(&event);
    }

    fn panicked(&self, message: &str) {
        self.post.update(|progress| progress.state = SinkState::Panicked(message.to_owned()));
        let sink = self.post.name.clone();
        (self.setup.report)(&Event::SinkPanicked { sink, message: message.to_owned() });
    }
}

/// Returns the delivery with every frame of the batch counted exactly once, whatever the sink counted.
fn complete(batch: &Batch, mut delivery: Delivery) -> Delivery {
    let counted = delivery.lost.iter().fold(delivery.frames, |sum, n| sum.saturating_add(*n));
    match batch.len().checked_sub(counted) {
        Some(forgotten) => {
            delivery.lost[LossReason::Failed.index()] += forgotten;
            delivery
        }
        None => Delivery::none(batch, LossReason::Failed),
    }
}
