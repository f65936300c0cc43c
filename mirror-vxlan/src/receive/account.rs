//! The account of a receiver: what every input received and every sink delivered.

use std::fmt;
use std::time::Duration;

use crate::Timestamp;
use crate::count::{Counts, SinkCounts};
use crate::sink::Trouble;

/// Everything a receiver has counted, copied out while it runs or when it has ended.
///
/// While the receiver runs, the parts are from slightly different moments; when it has ended, they
/// balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// When it was copied.
    pub time: Timestamp,
    /// The inputs, in the order in which they were added.
    pub inputs: Vec<InputAccount>,
    /// The sinks, in the order in which they were added.
    pub sinks: Vec<SinkAccount>,
}

/// What one receiving thread has counted, and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputAccount {
    /// The name of its input.
    pub name: String,
    /// What it does.
    pub state: InputState,
    /// When the thread last reported that it runs, which it does ten times a second.
    pub heartbeat: Timestamp,
    /// What it has counted.
    pub counts: Counts,
}

/// The state of a receiving thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputState {
    /// It receives.
    Receiving,
    /// The input ended, or the receiver was stopped.
    Ended,
    /// The input failed; the text says why.
    Failed(String),
    /// The thread panicked with this message.
    Panicked(String),
}

/// What became of the frames accepted, in one sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkAccount {
    /// The name of the sink.
    pub name: String,
    /// What it does.
    pub state: SinkState,
    /// Frames that the receiving threads wanted delivered.
    pub accepted: u64,
    /// What became of them.
    pub counts: SinkCounts,
    /// Batches that wait in its queue.
    pub queued: usize,
    /// How many batches its queue holds.
    pub queue_depth: usize,
    /// Since when it has been delivering its current batch, if it has one.
    pub busy_since: Option<Timestamp>,
    /// Why it loses frames at present.
    pub trouble: Option<Trouble>,
}

/// The state of a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkState {
    /// It accepts batches.
    Running,
    /// It was closed after its last batch.
    Ended,
    /// It panicked with this message.
    Panicked(String),
    /// It did not end in time.
    Hung,
}

impl Account {
    /// Returns the sum of what all receiving threads have counted.
    pub fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        for input in &self.inputs {
            sum.merge(&input.counts);
        }
        sum
    }

    /// Returns whether every packet and every frame is accounted for.
    pub fn balances(&self) -> bool {
        let accepted = self.counts().accepted.count;
        self.inputs.iter().all(|input| input.counts.balances())
            && self.sinks.iter().all(|sink| {
                let SinkCounts { delivered, .. } = &sink.counts;
                sink.accepted == accepted && accepted == delivered.count + sink.counts.losses()
            })
    }

    /// Returns the reasons why the receiver cannot receive packets or deliver frames.
    ///
    /// It is healthy if there are none. A thread counts as hanging if it has not reported for
    /// `silence_max`, or has been delivering one batch for that long.
    pub fn ailments(&self, silence_max: Duration) -> Vec<Ailment<'_>> {
        let silent = |since: Timestamp| self.time.since(since) > silence_max;
        let inputs = self.inputs.iter().filter_map(|input| match &input.state {
            InputState::Receiving if silent(input.heartbeat) => Some(Ailment::InputSilent(input)),
            InputState::Receiving => None,
            InputState::Ended | InputState::Failed(_) | InputState::Panicked(_) => {
                Some(Ailment::InputEnded(input))
            }
        });
        let sinks = self.sinks.iter().filter_map(|sink| match &sink.state {
            SinkState::Running if sink.trouble.is_some() => Some(Ailment::SinkTrouble(sink)),
            SinkState::Running if sink.busy_since.is_some_and(silent) => {
                Some(Ailment::SinkSilent(sink))
            }
            SinkState::Running => None,
            SinkState::Ended | SinkState::Panicked(_) | SinkState::Hung => {
                Some(Ailment::SinkEnded(sink))
            }
        });
        inputs.chain(sinks).collect()
    }
}

impl SinkAccount {
    /// Returns how many frames are neither delivered nor lost yet.
    pub fn outstanding(&self) -> u64 {
        self.accepted.saturating_sub(self.counts.delivered.count + self.counts.losses())
    }
}

/// One thing that keeps a receiver from doing its work; its text is a line for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ailment<'a> {
    /// The input is no longer read.
    InputEnded(&'a InputAccount),
    /// The thread that reads the input hangs.
    InputSilent(&'a InputAccount),
    /// The sink accepts no more frames.
    SinkEnded(&'a SinkAccount),
    /// The sink hangs in a batch.
    SinkSilent(&'a SinkAccount),
    /// The sink loses frames.
    SinkTrouble(&'a SinkAccount),
}

impl fmt::Display for Ailment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InputEnded(input) => write!(f, "input `{}` is no longer read", input.name),
            Self::InputSilent(input) => write!(f, "the thread of input `{}` hangs", input.name),
            Self::SinkEnded(sink) => write!(f, "sink `{}` accepts no more frames", sink.name),
            Self::SinkSilent(sink) => write!(f, "sink `{}` hangs", sink.name),
            Self::SinkTrouble(sink) => {
                let message = sink.trouble.as_ref().map_or("", |trouble| &trouble.message);
                write!(f, "sink `{}` loses frames: {message}", sink.name)
            }
        }
    }
}
