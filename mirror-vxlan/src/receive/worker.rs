//! A receiving thread: packets in, batches of wanted frames out to every sink.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::event::panic_message;
use super::{Event, InputState, Select, Setup};
use crate::Timestamp;
use crate::batch::{Batch, Full};
use crate::clock::passed;
use crate::count::{Counts, Exclusion};
use crate::decap::{Decapsulated, Decapsulator};
use crate::frame::Frame;
use crate::input::{Content, Input, Packet, Received};
use crate::queue::{Entrance, Pool, QueueFull};
use crate::reason::DropReason;
use crate::session::Numbers;

/// How often a thread publishes its counts, and the longest time that it waits for a packet, so that
/// it soon notices that it is stopped.
const BEAT: Duration = Duration::from_millis(100);

/// The state of a receiving thread that others can see.
#[derive(Debug)]
pub(super) struct InputPost {
    pub(super) name: String,
    progress: Mutex<InputProgress>,
}

/// What a receiving thread has published.
#[derive(Clone, Debug)]
pub(super) struct InputProgress {
    pub(super) state: InputState,
    pub(super) heartbeat: Timestamp,
    pub(super) counts: Counts,
    /// Frames that found no room in the queue, by sink.
    pub(super) queue_lost: Vec<u64>,
}

impl InputPost {
    pub(super) fn new(name: &str, sinks: usize, now: Timestamp) -> Self {
        let progress = InputProgress {
            state: InputState::Receiving,
            heartbeat: now,
            counts: Counts::default(),
            queue_lost: vec![0; sinks],
        };
        Self { name: name.to_owned(), progress: Mutex::new(progress) }
    }

    pub(super) fn progress(&self) -> MutexGuard<'_, InputProgress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the frames of a receiving thread go, and the batches that carry them.
#[derive(Clone, Debug)]
pub(super) struct WayOut {
    pub(super) sinks: Vec<Entrance>,
    pub(super) pool: Pool,
}

/// The state of a receiving thread: it shares only what it publishes, and empty batches.
pub(super) struct Worker<S> {
    decapsulator: Decapsulator,
    select: S,
    numbers: Numbers,
    pool: Pool,
    batch: Batch,
    sinks: Vec<Entrance>,
    counts: Counts,
    queue_lost: Vec<u64>,
    flushed: Timestamp,
    published: Timestamp,
    setup: Setup,
    post: Arc<InputPost>,
}

impl<S: Select> Worker<S> {
    pub(super) fn new(setup: Setup, select: S, way_out: WayOut, post: Arc<InputPost>) -> Self {
        let WayOut { sinks, pool } = way_out;
        let now = setup.clock.now();
        Self {
            decapsulator: setup.decapsulator.clone(),
            select,
            numbers: Numbers::new(Arc::clone(&setup.sessions)),
            batch: pool.take(),
            pool,
            counts: Counts::default(),
            queue_lost: vec![0; sinks.len()],
            sinks,
            flushed: now,
            published: now,
            setup,
            post,
        }
    }

    /// Receives until the input ends, fails or panics, or the receiver is stopped.
    ///
    /// It is pinned to `processor` if there is one.
    pub(super) fn run<I: Input>(mut self, processor: Option<usize>, input: &mut I) {
        if let Some(processor) = processor {
            self.pin(processor);
        }
        let input_name = self.post.name.clone();
        let state = match catch_unwind(AssertUnwindSafe(|| self.receive(input))) {
            Ok(Ok(())) => InputState::Ended,
            Ok(Err(error)) => {
                let error = error.to_string();
                (self.setup.report)(&Event::InputFailed {
                    input: input_name,
                    error: error.clone(),
                });
                InputState::Failed(error)
            }
            Err(panic) => {
                let message = panic_message(&*panic);
                (self.setup.report)(&Event::InputPanicked {
                    input: input_name,
                    message: message.clone(),
                });
                InputState::Panicked(message)
            }
        };
        if !self.counts.balances() {
            self.counts.exclude(Exclusion::Failed); // the packet in hand when it panicked
        }
        if state == InputState::Ended {
            // If it does not answer now, its answer from a tenth of a second ago is used.
            self.counts.kernel_dropped = input.dropped().unwrap_or(self.counts.kernel_dropped);
        }
        self.flush();
        self.publish(self.setup.clock.now(), state);
    }

    fn receive<I: Input>(&mut self, input: &mut I) -> io::Result<()> {
        while !self.setup.stop.load(Ordering::Relaxed) {
            let received = input.receive(self.patience(), |packet| self.take(&packet))?;
            self.keep_up(self.setup.clock.now(), input)?;
            if received == Received::End {
                return Ok(());
            }
        }
        let stopped = self.setup.clock.now();
        while !passed(self.setup.options.drain_limit, stopped, self.setup.clock.now()) {
            // Longer than any input holds packets back: if none comes, none are left.
            match input.receive(BEAT, |packet| self.take(&packet))? {
                Received::Packets(_) => (),
                Received::Nothing | Received::End => break,
            }
        }
        Ok(())
    }

    /// Returns how long to wait for a packet.
    fn patience(&self) -> Duration {
        if self.batch.is_empty() { BEAT } else { BEAT.min(self.setup.options.flush_interval) }
    }

    /// Does the periodic work if it is due: flushes and publishes.
    fn keep_up<I: Input>(&mut self, now: Timestamp, input: &mut I) -> io::Result<()> {
        if !self.batch.is_empty() && passed(self.setup.options.flush_interval, self.flushed, now) {
            self.flush();
            self.flushed = now;
        }
        if passed(BEAT, self.published, now) {
            self.counts.kernel_dropped = input.dropped()?;
            self.publish(now, InputState::Receiving);
        }
        Ok(())
    }

    fn take(&mut self, packet: &Packet<'_>) {
        self.counts.receive(packet);
        match self.decapsulate(&packet.content) {
            Ok(decapsulated) => {
                self.counts.note(decapsulated.notes);
                self.accept(packet.time, &decapsulated);
            }
            Err(reason) => self.counts.drop(reason),
        }
    }

    fn decapsulate<'a>(&self, content: &Content<'a>) -> Result<Decapsulated<'a>, DropReason> {
        match *content {
            Content::Packet { link, bytes } => self.decapsulator.packet(link, bytes),
            Content::Datagram { truncated: true, .. } => Err(DropReason::ReceiveTruncated),
            Content::Datagram { source, port, payload, truncated: false } => {
                self.decapsulator.datagram(source.ip(), source.port(), port, payload)
            }
        }
    }

    fn accept(&mut self, time: Timestamp, decapsulated: &Decapsulated<'_>) {
        let Decapsulated { session, frame: bytes, original_len, .. } = *decapsulated;
        let mut frame = Frame { time, session, bytes, original_len };
        let keep = match self.select.select(&frame) {
            Ok(keep) => keep,
            Err(exclusion) => return self.counts.exclude(exclusion),
        };
        let Some(id) = self.numbers.number(session) else {
            return self.counts.exclude(Exclusion::SessionLimit);
        };
        frame.bytes = &bytes[..keep.min(bytes.len())];
        if self.batch.push(id, &frame) == Err(Full) {
            self.flush();
            self.batch.push(id, &frame).expect("an empty batch takes any frame");
        }
        self.counts.accept(id, frame.bytes.len());
    }

    /// Sends the batch to every sink and begins another.
    fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let next = self.pool.take();
        let full = Arc::new(std::mem::replace(&mut self.batch, next));
        for (sink, lost) in self.sinks.iter().zip(&mut self.queue_lost) {
            if sink.offer(&full) == Err(QueueFull) {
                *lost += full.len();
            }
        }
        self.pool.sent(full);
        // A sink on the same processor finds the batch in its cache if it runs now.
        std::thread::yield_now();
    }

    fn publish(&mut self, now: Timestamp, state: InputState) {
        self.published = now;
        let mut progress = self.post.progress();
        progress.state = state;
        progress.heartbeat = now;
        progress.counts.clone_from(&self.counts);
        progress.queue_lost.clone_from(&self.queue_lost);
    }

    fn pin(&self, processor: usize) {
        #[cfg(target_os = "linux")]
        let pinned = crate::input::processor::pin(processor);
        #[cfg(not(target_os = "linux"))]
        let pinned: io::Result<()> = Err(io::ErrorKind::Unsupported.into());
        if let Err(error) = pinned {
            (self.setup.report)(&Event::NotPinned {
                input: self.post.name.clone(),
                processor,
                error: error.to_string(),
            });
        }
    }
}
