//! Doing several things at once within one task.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::task::Poll;

/// How many calls of one kind are in flight at once.
const AT_ONCE: usize = 10;

/// Does all of `work`, some of it concurrently, and returns the results in order; stops at the
/// first error.
pub(super) async fn together<T, E, F>(work: Vec<F>) -> Result<Vec<T>, E>
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

/// Returns the outputs of a batch, in order, once all of it is done.
async fn batch_of<F: Future>(batch: Vec<F>) -> Vec<F::Output> {
    let mut running: Vec<(usize, Pin<Box<F>>)> =
        batch.into_iter().map(Box::pin).enumerate().collect();
    let mut outputs = BTreeMap::new();
    poll_fn(move |task| {
        running.retain_mut(|(place, future)| match future.as_mut().poll(task) {
            Poll::Ready(output) => {
                outputs.insert(*place, output);
                false
            }
            Poll::Pending => true,
        });
        if running.is_empty() {
            Poll::Ready(mem::take(&mut outputs).into_values().collect())
        } else {
            Poll::Pending
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use tokio::sync::Barrier;
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn a_batch_is_under_way_at_once_and_keeps_its_order() {
        // No one gets past the barrier before all have come to it.
        let barrier = Barrier::new(AT_ONCE);
        let work = (0..2 * AT_ONCE).map(|number| {
            let barrier = &barrier;
            async move {
                barrier.wait().await;
                for _ in number..AT_ONCE {
                    yield_now().await;
                }
                Ok::<usize, ()>(number)
            }
        });
        assert_eq!(together(work.collect()).await, Ok((0..2 * AT_ONCE).collect()));
    }

    #[tokio::test]
    async fn an_error_ends_it() {
        let work = [Ok(1), Err("two"), Ok(3)].into_iter().map(|result| async move { result });
        assert_eq!(together(work.collect()).await, Err("two"));
    }
}
