//! Sending one operation: with the token of an earlier attempt if there was one, and recorded in the journal.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::journal::{Entry, Journal, Record, RequestHash};
use crate::aws::Aws;
use crate::aws::act::{Act, ActError, Known, Made, Note, Sent, Token, Waiting, act, find_created};
use crate::plan::Step;
use crate::resource::{Operation, Tags};

/// An operation, its step, and what it may refer to.
pub(super) struct Sending<'a> {
    pub(super) step: &'a Step,
    pub(super) operation: &'a Operation,
    pub(super) known: &'a Known,
}

impl Sending<'_> {
    /// Sends the operation, and waits until it has taken effect.
    pub(super) async fn send(
        &self,
        aws: &Aws,
        journal: &Arc<Journal>,
        on_wait: &(dyn Fn(Waiting) + Send + Sync),
    ) -> Result<Made, ActError> {
        let Self { step, operation, known } = self;
        let request = RequestHash::of(&known.fill(operation));
        let (token, sent) = match operation.makes() {
            Some(tags) => self.token(&request, tags, (aws, journal), on_wait).await?,
            None => (Token::random(), Sent::Never),
        };
        let record = |note: Note| {
            let record = record(step, &token, &request, (note, journal));
            let journal = journal.clone();
            let write = async move { journal.append(record).await.map_err(Into::into) };
            Box::pin(write) as crate::aws::act::Recording
        };
        act(aws, Act { operation, known, token: &token, sent, record: &record, on_wait }).await
    }

    /// Returns the token of an earlier attempt that asked for the same. If an earlier attempt asked for something else,
    /// returns a new token once it is certain that the attempt created nothing.
    async fn token(
        &self,
        request: &RequestHash,
        tags: &Tags,
        (aws, journal): (&Aws, &Journal),
        on_wait: &(dyn Fn(Waiting) + Send + Sync),
    ) -> Result<(Token, Sent), ActError> {
        let Step { address, generation, .. } = self.step;
        let Some(Entry::Sent { token, request: earlier, at }) = journal.entry(address, *generation)
        else {
            return Ok((Token::random(), Sent::Never));
        };
        if earlier == *request
            && let Some(token) = Token::new(token)
        {
            return Ok((token, Sent::Perhaps));
        }
        let ago = Duration::try_from(journal.now().duration_since(at)).unwrap_or_default();
        let end = Instant::now() + aws.settle_window().saturating_sub(ago);
        let mut pause = Duration::from_millis(250);
        loop {
            if let Some(found) = find_created(aws, address.kind, tags).await? {
                return Err(ActError::Appeared(found));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok((Token::random(), Sent::Never));
            }
            let now = "an earlier run requested it in another form".to_owned();
            on_wait(Waiting { until: "it is certain that none exists", now });
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(Duration::from_secs(10));
        }
    }
}

/// Returns the journal record of what happens to a call.
fn record(
    step: &Step,
    token: &Token,
    request: &RequestHash,
    (note, journal): (Note, &Journal),
) -> Record {
    let (address, generation, at) = (step.address.clone(), step.generation, journal.now());
    match note {
        Note::Sending => {
            let (token, request) = (token.as_str().to_owned(), request.clone());
            Record::Intent { address, generation, token, request, at }
        }
        Note::Made(id) => Record::Made { address, generation, id, at },
        Note::Refused => Record::Refused { address, generation },
    }
}
