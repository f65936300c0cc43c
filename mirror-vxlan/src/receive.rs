//! The receiver: threads that receive, threads that deliver, and an account of every packet.
//!
//! ```
//! use mirror_vxlan::decap::Decapsulator;
//! use mirror_vxlan::receive::{Everything, Receiver};
//! # use mirror_vxlan::batch::Batch;
//! # use mirror_vxlan::input::{Input, Packet, Received};
//! # use mirror_vxlan::sink::{Delivery, Sink};
//! # struct Nothing;
//! # impl Input for Nothing {
//! #     fn receive(&mut self, _: std::time::Duration, _: impl FnMut(Packet<'_>))
//! #         -> std::io::Result<Received> { Ok(Received::End) }
//! #     fn dropped(&mut self) -> std::io::Result<u64> { Ok(0) }
//! # }
//! # struct Print;
//! # impl Sink for Print {
//! #     fn deliver(&mut self, batch: &Batch) -> Delivery { Delivery::whole(batch) }
//! # }
//! # let (input, sink) = (Nothing, Print);
//!
//! let receiver = Receiver::new(Decapsulator::default(), Everything)
//!     .input("eth0", input) // anything that is an `Input`
//!     .sink("screen", sink); // anything that is a `Sink`
//! let account = receiver.start()?.join(); // until the inputs end or it is stopped
//! assert!(account.balances());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Every input is read by a thread of its own, which takes the frames out of the packets, asks the
//! [selection](Select), and copies what is wanted into a [batch](crate::batch). Every sink runs on
//! a thread of its own behind a bounded queue of batches. Even a sink that is slow, fails, panics or
//! hangs never makes a receiving thread or another sink wait: what its queue has no room for is
//! counted as its loss.
//!
//! When a receiver has ended, the packets received by each input equal those dropped, excluded and
//! accepted, and the frames accepted for each sink equal those delivered and lost: always, to the
//! packet.

#![forbid(unsafe_code)]

mod account;
mod delivery;
mod event;
mod running;
mod select;
mod worker;

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use account::{Account, Ailment, InputAccount, InputState, SinkAccount, SinkState};
pub use event::Event;
pub use running::{Observer, Running};
pub use select::{Everything, Select};

use crate::batch::Batch;
use crate::clock::{Clock, SystemClock};
use crate::decap::Decapsulator;
use crate::input::Input;
use crate::session::Sessions;
use crate::sink::Sink;
use worker::Worker;

/// How a receiver buffers, and how long it waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The capacity of a batch, in bytes.
    pub batch_capacity: usize,
    /// How many batches the queue of each sink holds before frames are lost to it.
    pub queue_depth: NonZeroUsize,
    /// The longest that a frame waits for its batch to fill.
    pub flush_interval: Duration,
    /// The longest time for reading the remaining packets after the receiver was stopped.
    pub drain_limit: Duration,
    /// The longest time that sinks have to end after the last input; then they are abandoned.
    pub close_limit: Duration,
    /// The processors that receiving threads are pinned to, in turn; if empty, none is pinned.
    pub processors: Vec<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch_capacity: Batch::CAPACITY,
            queue_depth: Self::QUEUE_DEPTH,
            flush_interval: Duration::from_millis(100),
            drain_limit: Duration::from_secs(1),
            close_limit: Duration::from_secs(10),
            processors: Vec::new(),
        }
    }
}

impl Options {
    /// The default queue depth of a sink, in batches: 16 MiB of them, which holds 40 ms of a million
    /// packets a second and keeps the program within its 64 MiB.
    pub const QUEUE_DEPTH: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not zero");
}

/// A receiver that has not started yet: its inputs, its selection and its sinks.
pub struct Receiver<S> {
    select: S,
    inputs: Vec<(String, Start<S>)>,
    sinks: Vec<(String, Box<dyn Sink>)>,
    setup: Setup,
}

/// What every thread of a receiver is given.
#[derive(Clone)]
struct Setup {
    decapsulator: Decapsulator,
    options: Options,
    sessions: Arc<Sessions>,
    stop: Arc<AtomicBool>,
    clock: Arc<dyn Clock>,
    report: Arc<dyn Fn(&Event) + Send + Sync>,
}

/// Runs a receiving thread on the given processor, or on any, with the input that it captures.
type Start<S> = Box<dyn FnOnce(Worker<S>, Option<usize>) + Send>;

impl<S: Select + Clone + 'static> Receiver<S> {
    /// Makes a receiver without inputs and sinks; each receiving thread gets a clone of `select`.
    pub fn new(decapsulator: Decapsulator, select: S) -> Self {
        let setup = Setup {
            decapsulator,
            options: Options::default(),
            sessions: Arc::default(),
            stop: Arc::default(),
            clock: Arc::new(SystemClock),
            report: Arc::new(|_| ()),
        };
        Self { select, inputs: Vec::new(), sinks: Vec::new(), setup }
    }

    /// Adds an input, to be read by a thread of its own.
    #[must_use]
    pub fn input<I: Input + Send + 'static>(
        mut self,
        name: impl Into<String>,
        mut input: I,
    ) -> Self {
        let start = Box::new(move |worker: Worker<S>, processor| worker.run(processor, &mut input));
        self.inputs.push((name.into(), start));
        self
    }

    /// Adds a sink, to be run by a thread of its own; metrics and reports call it `name`.
    #[must_use]
    pub fn sink(mut self, name: impl Into<String>, sink: impl Sink + 'static) -> Self {
        self.sinks.push((name.into(), Box::new(sink)));
        self
    }

    /// Sets how the receiver buffers and waits.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.setup.options = options;
        self
    }

    /// Sets the table of sessions, to share it with other readers or to give it another limit.
    #[must_use]
    pub fn sessions(mut self, sessions: Arc<Sessions>) -> Self {
        self.setup.sessions = sessions;
        self
    }

    /// Sets the flag that stops the receiver once it is true; a signal handler can set it.
    #[must_use]
    pub fn stop_when(mut self, flag: Arc<AtomicBool>) -> Self {
        self.setup.stop = flag;
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.setup.clock = Arc::new(clock);
        self
    }

    /// Sets the callback for events: it is called once for each change, never for each packet.
    ///
    /// The receiver's threads call it, so it must not block.
    #[must_use]
    pub fn on_event(mut self, report: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.setup.report = Arc::new(report);
        self
    }

    /// Starts every thread.
    ///
    /// # Errors
    ///
    /// The system cannot start another thread; those already started are stopped again.
    pub fn start(self) -> io::Result<Running> {
        Running::start(self)
    }
}

impl<S: fmt::Debug> fmt::Debug for Receiver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |names: &mut dyn Iterator<Item = &String>| names.cloned().collect::<Vec<_>>();
        f.debug_struct("Receiver")
            .field("decapsulator", &self.setup.decapsulator)
            .field("select", &self.select)
            .field("inputs", &names(&mut self.inputs.iter().map(|(name, _)| name)))
            .field("sinks", &names(&mut self.sinks.iter().map(|(name, _)| name)))
            .field("options", &self.setup.options)
            .finish_non_exhaustive()
    }
}
