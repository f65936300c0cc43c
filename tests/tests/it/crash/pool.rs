//! Many trials on all cores.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// How many jobs wait for a core: few, because each may hold a copy of a cloud.
const WAITING: usize = 4;

/// How trials have ended.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// How many there were.
    pub(crate) trials: usize,
    /// How many calls they made.
    pub(crate) calls: usize,
    /// What was wrong with those that failed.
    pub(crate) bad: Vec<String>,
}

impl Tally {
    /// Prints the figures, and panics with the first failures, if any.
    pub(crate) fn expect_none_bad(mut self, of: &str) {
        let Self { trials, calls, bad } = &self;
        println!(
            "{of}: {trials} trials, {} bad; {} calls a trial",
            bad.len(),
            calls / (*trials).max(1)
        );
        self.bad.truncate(10);
        assert!(self.bad.is_empty(), "{of}:\n{}", self.bad.join("\n"));
    }
}

/// How many calls a trial made, or what was wrong.
pub(crate) type Trial = Result<usize, String>;

/// Tries every job that `feed` sends. A panic is a failed trial like any other.
pub(crate) fn try_all<J: Send>(
    feed: impl FnOnce(&SyncSender<J>),
    trial: impl Fn(J) -> Trial + Sync,
) -> Tally {
    let (give, jobs) = sync_channel(WAITING);
    let (jobs, tally) = (Mutex::new(jobs), Mutex::new(Tally::default()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZeroUsize::get) {
            scope.spawn(|| {
                while let Some(job) = next(&jobs) {
                    let end = catch_unwind(AssertUnwindSafe(|| trial(job)));
                    let mut tally = tally.lock().unwrap();
                    tally.trials += 1;
                    match end {
                        Ok(Ok(calls)) => tally.calls += calls,
                        Ok(Err(why)) => tally.bad.push(why),
                        Err(_) => tally.bad.push("it panicked, see above".to_owned()),
                    }
                }
            });
        }
        feed(&give);
        drop(give);
    });
    tally.into_inner().unwrap()
}

fn next<J>(jobs: &Mutex<Receiver<J>>) -> Option<J> {
    jobs.lock().unwrap().recv().ok()
}
