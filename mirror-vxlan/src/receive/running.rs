//! A receiver while it runs: watched, stopped and joined.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::delivery::{Deliverer, SinkPost};
use super::worker::{InputPost, InputProgress, WayOut, Worker};
use super::{Account, Event, InputAccount, Receiver, Select, Setup, Start};
use crate::queue::{Entrance, Exit, Pool, Traffic, queue};
use crate::sink::Sink;

/// How long to wait for the end of the sinks at a time.
///
/// The limit is counted in these slices, so that setting the clock meanwhile does not move it.
const SLICE: Duration = Duration::from_millis(10);

/// A receiver that runs; dropping it stops it without waiting.
pub struct Running {
    observer: Observer,
    receiving: Vec<JoinHandle<()>>,
    /// Each sink's thread has a sender, so that the channel closes when the last one has ended.
    delivering: mpsc::Receiver<()>,
}

/// A handle that copies out the account of a receiver, from any thread, while it runs and after.
#[derive(Clone)]
pub struct Observer {
    inputs: Arc<[Arc<InputPost>]>,
    sinks: Arc<[Arc<SinkPost>]>,
    setup: Setup,
}

impl Running {
    pub(super) fn start<S>(receiver: Receiver<S>) -> io::Result<Self>
    where
        S: Select + Clone + 'static,
    {
        let Receiver { inputs, sinks, setup, select } = receiver;
        let depth = setup.options.queue_depth.get();
        let now = setup.clock.now();
        let (entrances, exits): (Vec<Entrance>, Vec<Exit>) =
            sinks.iter().map(|_| queue(depth)).unzip();
        let traffic = Traffic { threads: inputs.len(), sinks: sinks.len(), depth };
        let (capacity, sessions) = (setup.options.batch_capacity, Arc::clone(&setup.sessions));
        let way_out = WayOut { sinks: entrances, pool: Pool::new(capacity, traffic, sessions) };
        let input_posts = inputs.iter().map(|(name, _)| InputPost::new(name, sinks.len(), now));
        let sink_posts = sinks.iter().zip(&exits);
        let sink_posts = sink_posts.map(|((name, _), exit)| SinkPost::new(name, depth, exit));
        let observer = Observer {
            inputs: input_posts.map(Arc::new).collect(),
            sinks: sink_posts.map(Arc::new).collect(),
            setup,
        };
        let delivering =
            observer.start_sinks(sinks.into_iter().map(|(_, sink)| sink).zip(exits))?;
        let mut running = Self { observer, receiving: Vec::new(), delivering };
        for (place, (_, start)) in inputs.into_iter().enumerate() {
            let thread = running.observer.start_input(place, start, &select, &way_out)?;
            running.receiving.push(thread);
        }
        Ok(running)
    }

    /// Tells the receiver to stop; [`join`](Self::join) waits until it has.
    pub fn stop(&self) {
        self.observer.setup.stop.store(true, Ordering::Relaxed);
    }

    /// Returns whether every receiving thread has ended; sinks may still have batches to deliver.
    pub fn is_finished(&self) -> bool {
        self.receiving.iter().all(JoinHandle::is_finished)
    }

    /// Returns a handle that copies out the account.
    pub fn observer(&self) -> Observer {
        self.observer.clone()
    }

    /// Copies the account out.
    pub fn snapshot(&self) -> Account {
        self.observer.snapshot()
    }

    /// Waits until every input has ended or the receiver was stopped, and every sink has delivered
    /// what was in its queue and is closed; returns the final account.
    ///
    /// A sink that does not end within the limit is abandoned: what it has not accounted for is
    /// counted as lost, its state is [`SinkState::Hung`](super::SinkState::Hung), and its thread is
    /// left behind.
    pub fn join(mut self) -> Account {
        for thread in self.receiving.drain(..) {
            // A panic in the thread was contained, counted and reported; one while dropping its
            // input no longer matters.
            let _contained = thread.join();
        }
        let limit = self.observer.setup.options.close_limit;
        let mut waited = Duration::ZERO;
        while waited < limit {
            match self.delivering.recv_timeout(SLICE) {
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) | Ok(()) => waited += SLICE,
            }
        }
        self.observer.abandon_what_runs();
        self.observer.snapshot()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Observer {
    /// Copies the account out.
    pub fn snapshot(&self) -> Account {
        let Intake { inputs, accepted, queue_lost } = self.intake();
        let sinks = self.sinks.iter().zip(queue_lost);
        let sinks = sinks.map(|(post, lost)| post.account(accepted, lost)).collect();
        Account { time: self.setup.clock.now(), inputs, sinks }
    }

    fn intake(&self) -> Intake {
        let (mut accepted, mut queue_lost) = (0, vec![0; self.sinks.len()]);
        let mut inputs = Vec::new();
        for post in &*self.inputs {
            let InputProgress { state, heartbeat, counts, queue_lost: lost } =
                post.progress().clone();
            accepted += counts.accepted.count;
            for (sum, lost) in queue_lost.iter_mut().zip(lost) {
                *sum += lost;
            }
            inputs.push(InputAccount { name: post.name.clone(), state, heartbeat, counts });
        }
        Intake { inputs, accepted, queue_lost }
    }

    fn abandon_what_runs(&self) {
        let Intake { accepted, queue_lost, .. } = self.intake();
        for (post, queue_lost) in self.sinks.iter().zip(queue_lost) {
            if let Some(abandoned) = post.abandon(accepted, queue_lost) {
                (self.setup.report)(&Event::SinkHung { sink: post.name.clone(), abandoned });
            }
        }
    }

    fn start_sinks(
        &self,
        sinks: impl Iterator<Item = (Box<dyn Sink>, Exit)>,
    ) -> io::Result<mpsc::Receiver<()>> {
        let (alive, delivering) = mpsc::channel();
        for (place, (sink, exit)) in sinks.enumerate() {
            let post = Arc::clone(&self.sinks[place]);
            let thread = named(&post.name);
            let inputs = Arc::clone(&self.inputs);
            let setup = self.setup.clone();
            let deliverer = Deliverer { sink: Some(sink), place, exit, post, inputs, setup };
            let alive = alive.clone();
            thread.spawn(move || {
                deliverer.run();
                drop(alive);
            })?;
        }
        Ok(delivering)
    }

    fn start_input<S: Select + Clone + 'static>(
        &self,
        place: usize,
        start: Start<S>,
        select: &S,
        way_out: &WayOut,
    ) -> io::Result<JoinHandle<()>> {
        let post = Arc::clone(&self.inputs[place]);
        let thread = named(&post.name);
        let processors = &self.setup.options.processors;
        let processor = processors.get(place % processors.len().max(1)).copied();
        let worker = Worker::new(self.setup.clone(), select.clone(), way_out.clone(), post);
        thread.spawn(move || start(worker, processor))
    }
}

/// What the receiving threads have published.
struct Intake {
    inputs: Vec<InputAccount>,
    /// Frames accepted by all of them.
    accepted: u64,
    /// Frames that found no room in the queue, by sink.
    queue_lost: Vec<u64>,
}

/// Returns a builder for a thread, with a name that the system accepts.
fn named(name: &str) -> thread::Builder {
    thread::Builder::new().name(name.replace('\0', " "))
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("account", &self.snapshot()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").field("account", &self.snapshot()).finish_non_exhaustive()
    }
}
