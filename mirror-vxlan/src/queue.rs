//! The bounded queues between receiving threads and sinks, and the batches that circulate in them.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::batch::Batch;
use crate::session::Sessions;

/// Makes a queue that holds at most `depth` batches; `depth` is at least one.
pub(crate) fn queue(depth: usize) -> (Entrance, Exit) {
    let (sender, receiver) = mpsc::sync_channel(depth);
    let waiting = Arc::new(AtomicUsize::new(0));
    (Entrance { sender, waiting: Arc::clone(&waiting) }, Exit { receiver, waiting })
}

/// The end of a queue where receiving threads put batches in.
#[derive(Clone, Debug)]
pub(crate) struct Entrance {
    sender: SyncSender<Arc<Batch>>,
    waiting: Arc<AtomicUsize>,
}

/// The queue has no room, so the batch is lost to its sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueFull;

impl Entrance {
    /// Puts a batch in if there is room, and never waits for room.
    pub(crate) fn offer(&self, batch: &Arc<Batch>) -> Result<(), QueueFull> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.sender.try_send(Arc::clone(batch)).map_err(|_| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            QueueFull
        })
    }
}

/// The end of a queue where a sink's thread takes batches out.
#[derive(Debug)]
pub(crate) struct Exit {
    receiver: Receiver<Arc<Batch>>,
    waiting: Arc<AtomicUsize>,
}

impl Exit {
    /// Takes the next batch out, waiting at most `timeout` for it.
    pub(crate) fn next(&self, timeout: Duration) -> Result<Arc<Batch>, RecvTimeoutError> {
        let batch = self.receiver.recv_timeout(timeout)?;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Ok(batch)
    }

    /// Returns the counter of batches that wait, for others to read.
    pub(crate) fn waiting(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.waiting)
    }
}

/// The batches of all receiving threads: each is filled, sent to every sink, and used again when
/// the last sink is done with it.
///
/// There are as many batches as all queues hold, one more that every sink is working on, and two for
/// every thread: the one that was filled and the next. So there is always one to fill, whatever the
/// sinks do, and never one too many. If each thread had its own pool, every thread would end up with
/// that many.
#[derive(Clone, Debug)]
pub(crate) struct Pool(Arc<Mutex<Shelf>>);

#[derive(Debug)]
struct Shelf {
    sent: Vec<Arc<Batch>>,
    free: Vec<Batch>,
    made: usize,
    limit: usize,
    capacity: usize,
    sessions: Arc<Sessions>,
}

/// The numbers of threads, sinks and queue places that batches go through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traffic {
    /// Receiving threads.
    pub(crate) threads: usize,
    /// Sinks.
    pub(crate) sinks: usize,
    /// Batches in the queue of each sink.
    pub(crate) depth: usize,
}

impl Pool {
    /// Makes a pool of batches of `capacity` bytes.
    pub(crate) fn new(capacity: usize, traffic: Traffic, sessions: Arc<Sessions>) -> Self {
        let Traffic { threads, sinks, depth } = traffic;
        let limit = 2 * threads + sinks * (depth + 1);
        let (sent, free) = (Vec::new(), Vec::new());
        Self(Arc::new(Mutex::new(Shelf { sent, free, made: 0, limit, capacity, sessions })))
    }

    /// Returns an empty batch: the one used last if it is free, because it is still in the cache.
    pub(crate) fn take(&self) -> Batch {
        let mut shelf = self.shelf();
        shelf.collect();
        shelf.free.pop().unwrap_or_else(|| {
            debug_assert!(shelf.made < shelf.limit, "a batch is neither sent nor free");
            shelf.made += 1;
            Batch::with_capacity(shelf.capacity, Arc::clone(&shelf.sessions))
        })
    }

    /// Remembers a batch that was sent to the sinks.
    pub(crate) fn sent(&self, batch: Arc<Batch>) {
        self.shelf().sent.push(batch);
    }

    /// Returns the locked shelf. No thread panics while it holds the lock, and if one did, the shelf
    /// would still be consistent.
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    /// Moves the batches that every sink is done with to the free ones.
    fn collect(&mut self) {
        for batch in std::mem::take(&mut self.sent) {
            match Arc::try_unwrap(batch) {
                Ok(mut batch) => {
                    batch.clear();
                    self.free.push(batch);
                }
                Err(batch) => self.sent.push(batch),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(sinks: usize, depth: usize) -> Pool {
        Pool::new(1024, Traffic { threads: 1, sinks, depth }, Arc::default())
    }

    #[test]
    fn a_batch_comes_back_when_the_last_sink_is_done_with_it() {
        let pool = pool(2, 1);
        let batch = Arc::new(pool.take());
        let sinks = [Arc::clone(&batch), Arc::clone(&batch)];
        pool.sent(batch);
        let [one, other] = sinks;
        drop(one);
        drop(pool.take());
        assert_eq!(pool.shelf().made, 2, "one sink still reads the first");
        drop(other);
        drop(pool.take());
        assert_eq!(pool.shelf().made, 2);
    }

    #[test]
    fn sinks_that_take_nothing_out_never_need_more_batches_than_the_limit() {
        let pool = pool(2, 3);
        let queues = [queue(3), queue(3)];
        let mut in_hand = Vec::new();
        for _ in 0..100 {
            let batch = Arc::new(pool.take());
            for (entrance, exit) in &queues {
                let _full = entrance.offer(&batch);
                if in_hand.len() < queues.len() {
                    in_hand.push(exit.next(Duration::ZERO).expect("a batch was offered"));
                }
            }
            pool.sent(batch);
        }
        let shelf = pool.shelf();
        assert!(shelf.made <= shelf.limit, "{} of {}", shelf.made, shelf.limit);
        assert!(shelf.sent.len() >= 4, "one in hand and three in the queue");
        assert_eq!(queues[0].1.waiting().load(Ordering::Relaxed), 3);
    }

    #[test]
    fn threads_that_are_busy_in_turn_share_the_batches() {
        let traffic = Traffic { threads: 2, sinks: 1, depth: 8 };
        let pool = Pool::new(1024, traffic, Arc::default());
        for thread in [pool.clone(), pool.clone()] {
            let (entrance, exit) = queue(8);
            for _ in 0..20 {
                let batch = Arc::new(thread.take());
                let _full = entrance.offer(&batch);
                thread.sent(batch);
            }
            drop(exit); // all that waited is done with
        }
        assert!(pool.shelf().made <= 2 * 2 + 9, "{}", pool.shelf().made);
    }

    #[test]
    fn a_full_queue_refuses_at_once_and_counts_what_waits() {
        let (entrance, exit) = queue(1);
        let batch = Arc::new(pool(1, 1).take());
        assert_eq!(entrance.offer(&batch), Ok(()));
        assert_eq!(entrance.offer(&batch), Err(QueueFull));
        assert_eq!(exit.waiting().load(Ordering::Relaxed), 1);
        drop(exit.next(Duration::ZERO).unwrap());
        assert_eq!(exit.waiting().load(Ordering::Relaxed), 0);
        drop(exit);
        assert_eq!(entrance.offer(&batch), Err(QueueFull), "nobody takes batches out any more");
    }
}
