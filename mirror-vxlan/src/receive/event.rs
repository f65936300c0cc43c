//! Events of a receiver that somebody should know about: changes, never single packets.

use std::fmt;

use crate::sink::Trouble;

/// A change in the state of a receiving thread or a sink; its text is a line for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An input failed and its thread ended.
    InputFailed {
        /// The name of the input.
        input: String,
        /// Why, in words.
        error: String,
    },
    /// A receiving thread panicked and ended.
    InputPanicked {
        /// The name of the input.
        input: String,
        /// What the panic said.
        message: String,
    },
    /// A receiving thread could not be pinned to a processor; it runs on any.
    NotPinned {
        /// The name of the input.
        input: String,
        /// The number of the processor.
        processor: usize,
        /// Why, in words.
        error: String,
    },
    /// A sink starts to lose frames, or now loses them for another reason.
    SinkTrouble {
        /// The name of the sink.
        sink: String,
        /// Why it loses frames.
        trouble: Trouble,
    },
    /// A sink delivers again.
    SinkRecovered {
        /// The name of the sink.
        sink: String,
    },
    /// A sink panicked; it is not called again and loses every frame.
    SinkPanicked {
        /// The name of the sink.
        sink: String,
        /// What the panic said.
        message: String,
    },
    /// A sink did not end in time and was abandoned.
    SinkHung {
        /// The name of the sink.
        sink: String,
        /// The frames that it had not accounted for, now counted as lost.
        abandoned: u64,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InputFailed { input, error } => {
                write!(f, "input `{input}` failed and is no longer read: {error}")
            }
            Self::InputPanicked { input, message } => {
                write!(f, "the thread of input `{input}` panicked and ended: {message}")
            }
            Self::NotPinned { input, processor, error } => {
                write!(f, "input `{input}` is not pinned to processor {processor}: {error}")
            }
            Self::SinkTrouble { sink, trouble: Trouble { reason, message } } => {
                write!(f, "sink `{sink}` loses frames ({reason}): {message}")
            }
            Self::SinkRecovered { sink } => write!(f, "sink `{sink}` delivers again"),
            Self::SinkPanicked { sink, message } => {
                write!(f, "sink `{sink}` panicked and loses every frame from now on: {message}")
            }
            Self::SinkHung { sink, abandoned } => {
                write!(f, "sink `{sink}` did not end in time; {abandoned} frames are lost with it")
            }
        }
    }
}

/// Returns the message of a panic.
pub(super) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
        .to_owned()
}
