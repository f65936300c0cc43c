//! The data plane: what AWS does with packets, as pure functions of bytes.
//!
//! [`Encapsulation`] wraps a mirrored frame as a session sends it.

mod encapsulation;
mod headers;

pub use encapsulation::{Encapsulation, MirrorTarget, SOURCE_PORTS, Wrapped};
