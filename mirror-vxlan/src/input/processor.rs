//! The processors that receiving threads run on.
//!
//! A thread that stays on one processor keeps its ring or buffers in that processor's cache. It gains
//! most if a neighboring processor handles the interface's interrupts for its queue.

#![forbid(unsafe_code)]

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Returns the processors that the calling thread may run on, by their numbers.
///
/// # Errors
///
/// The kernel could not be asked.
pub fn allowed() -> io::Result<Vec<usize>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|processor| set.is_set(*processor)).collect())
}

/// Pins the calling thread to one processor.
///
/// # Errors
///
/// There is no such processor, or the thread may not run on it.
pub fn pin(processor: usize) -> io::Result<()> {
    if processor >= CpuSet::MAX_CPU {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut set = CpuSet::new();
    set.set(processor);
    Ok(sched_setaffinity(None, &set)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_is_pinned_may_run_nowhere_else() {
        // On a thread of its own: the test runner's may serve other tests.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let last = *allowed().unwrap().last().unwrap();
                pin(last).unwrap();
                assert_eq!(allowed().unwrap(), [last]);
                assert!(pin(CpuSet::MAX_CPU).is_err());
                assert_eq!(allowed().unwrap(), [last]);
            });
        });
    }
}
