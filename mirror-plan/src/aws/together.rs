//! Doing several things at once within one task.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// How many calls of one kind are under way at once.
const AT_ONCE: usize = 10;

/// Does all of `work`, some at once, and returns the results in its order; the first error ends it.
pub(super) async fn together<T, E, F>(work: impl IntoIterator<Item = F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut work = work.into_iter();
    let mut all = Vec::new();
    loop {
        let batch: Vec<F> = work.by_ref().take(AT_ONCE).collect();
        if batch.is_empty() {
            return Ok(all);
        }
        for result in batch_of(batch).await {
            all.push(result?);
        }
    }
}

/// What one of a batch has come to.
enum Slot<F: Future> {
    Running(Pin<Box<F>>),
    Done(Option<F::Output>),
}

async fn batch_of<F: Future>(batch: Vec<F>) -> Vec<F::Output> {
    let mut slots: Vec<Option<Slot<F>>> =
        batch.into_iter().map(|future| Some(Slot::Running(Box::pin(future)))).collect();
    poll_fn(move |task| {
        let mut pending = false;
        for slot in &mut slots {
            if let Some(Slot::Running(future)) = slot {
                match future.as_mut().poll(task) {
                    Poll::Ready(output) => *slot = Some(Slot::Done(Some(output))),
                    Poll::Pending => pending = true,
                }
            }
        }
        if pending {
            return Poll::Pending;
        }
        let outputs = slots.iter_mut().filter_map(|slot| match slot {
            Some(Slot::Done(output)) => output.take(),
            _ => None,
        });
        Poll::Ready(outputs.collect())
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn results_keep_their_order_and_time_runs_once() {
        let begin = Instant::now();
        let work = (0..10u64).map(|number| async move {
            tokio::time::sleep(Duration::from_millis(30 - 2 * number)).await;
            Ok::<u64, ()>(number)
        });
        assert_eq!(together(work).await, Ok((0..10).collect()));
        assert!(begin.elapsed() < Duration::from_millis(150));
    }
}
