//! Creating an object exactly once: every call that creates something is sent from here.
//!
//! If an answer is lost, it is not known whether the object exists. What to do next depends on how a repeat of the call
//! would end, which AWS determines for each kind; see [`Repeat`].

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::errors::{AnswerError, CallError, ErrorKind};
use super::super::wait::{TimeUp, limit};
use super::acting::Acting;
use super::{ActError, Note, Sent, find};
use crate::attribute::Referable;
use crate::id::Id;
use crate::resource::{Repeat, Tags};

/// A call that creates an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Making<'a> {
    /// Its name in AWS's API.
    pub(super) call: &'static str,
    /// The tags of the object.
    pub(super) tags: &'a Tags,
}

/// What an answer reports about the object that the call has created.
enum Told<O> {
    Id(Id<O>),
    /// Only that it exists.
    Nothing,
}

/// Why one attempt created no object that is known of.
enum Setback {
    Call(CallError),
    Answer(AnswerError),
}

impl Setback {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Call(error) => error.kind,
            // The call was carried out; what it created cannot be read.
            Self::Answer(_) => ErrorKind::Unknown,
        }
    }

    /// Returns whether a different call has used the client token: that call did not create what this one would.
    fn is_mismatch(&self) -> bool {
        let code = match self {
            Self::Call(error) => error.code.as_deref(),
            Self::Answer(_) => None,
        };
        // Resource Access Manager appends `Exception`.
        code.is_some_and(|code| code.starts_with("IdempotentParameterMismatch"))
    }
}

impl From<Setback> for ActError {
    fn from(setback: Setback) -> Self {
        match setback {
            Setback::Call(error) => error.into(),
            Setback::Answer(error) => error.into(),
        }
    }
}

/// What to do after an attempt that created no object that is known of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Send the call again.
    Again,
    /// Look for the object, for at most `window`; if there is none, do what `then` states.
    Look { window: Duration, then: Then },
    /// Give up.
    End,
}

/// What to do after looking for an object in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Again,
    End,
}

impl Acting<'_> {
    /// Sends a call that creates an object until exactly one exists. Returns its id and the answer; no answer if the
    /// object was found by its tags.
    ///
    /// Each attempt is recorded before it is sent, and its outcome afterwards.
    pub(super) async fn make<O, T, E, F>(
        &self,
        making: Making<'_>,
        request: impl FnMut() -> F,
        id: impl Fn(&T) -> Result<Id<O>, AnswerError>,
    ) -> Result<(Id<O>, Option<T>), ActError>
    where
        O: Referable,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    {
        self.make_told(making, request, |answer| id(answer).map(Told::Id)).await
    }

    /// Does the same for a call whose answer does not contain the id: the object is looked up by its tags.
    pub(super) async fn make_untold<O, T, E, F>(
        &self,
        making: Making<'_>,
        request: impl FnMut() -> F,
    ) -> Result<Id<O>, ActError>
    where
        O: Referable,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    {
        let (id, _) = self.make_told(making, request, |_: &T| Ok(Told::Nothing)).await?;
        Ok(id)
    }

    async fn make_told<O, T, E, F>(
        &self,
        making: Making<'_>,
        mut request: impl FnMut() -> F,
        told: impl Fn(&T) -> Result<Told<O>, AnswerError>,
    ) -> Result<(Id<O>, Option<T>), ActError>
    where
        O: Referable,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    {
        self.ask(making.call, &mut request).await?;
        let mut patience = self.patience("AWS accepts the call", limit::TAKEN.max(self.aws.seen()));
        let mut sent = self.sent();
        let mut has_looked = false;
        loop {
            // In this order: the record states when the call was sent, and its turn may be a while off.
            self.aws.admit(making.call).await;
            self.record(Note::Sending).await?;
            let setback = match self.aws.send_now(making.call, request()).await {
                Ok(answer) => match told(&answer) {
                    Ok(Told::Id(id)) => {
                        self.record_made(id.erase()).await?;
                        return Ok((id, Some(answer)));
                    }
                    Ok(Told::Nothing) => {
                        let id = self.made(making).await?;
                        self.record_made(id.erase()).await?;
                        return Ok((id, Some(answer)));
                    }
                    Err(error) => Setback::Answer(error),
                },
                Err(error) => Setback::Call(error),
            };
            let next = self.after(&setback, Repeat::of(O::KIND), &mut sent);
            if let Next::Look { window, .. } = next {
                if let Some(found) = self.find::<O>(making, window).await? {
                    self.record_made(found.erase()).await?;
                    return Ok((found, None));
                }
                // Looking used up the time that AWS has to accept the call. It gets that time again, but only once.
                if !std::mem::replace(&mut has_looked, true) {
                    patience.renew();
                }
            }
            let error = ActError::from(setback);
            let is_over = match next {
                Next::End | Next::Look { then: Then::End, .. } => true,
                Next::Again | Next::Look { then: Then::Again, .. } => {
                    patience.pause(error.to_string()).await.is_err()
                }
            };
            if is_over {
                // The reason for the refusal is more useful than the failure to record it.
                if sent == Sent::Never
                    && let Err(unrecorded) = self.record(Note::Refused).await
                {
                    tracing::warn!(error = %unrecorded, "a refusal was not recorded");
                }
                return Err(error);
            }
        }
    }

    /// Returns what to do after an attempt that created no object that is known of.
    fn after(&self, setback: &Setback, repeat: Repeat, sent: &mut Sent) -> Next {
        match setback.kind() {
            ErrorKind::Busy | ErrorKind::Throttled => Next::Again,
            ErrorKind::NotFound if self.names_what_is_there() => Next::Again,
            ErrorKind::AlreadyThere if !setback.is_mismatch() => {
                let window = match sent {
                    Sent::Never => Duration::ZERO,
                    Sent::Perhaps => self.aws.seen(),
                };
                Next::Look { window, then: Then::End }
            }
            ErrorKind::Unknown => {
                *sent = Sent::Perhaps;
                match repeat {
                    Repeat::SameAnswer | Repeat::Taken => Next::Again,
                    Repeat::Second => {
                        Next::Look { window: self.aws.settle_window, then: Then::Again }
                    }
                }
            }
            _ => Next::End,
        }
    }

    /// Looks up what the call has created, until it is visible.
    async fn made<O: Referable>(&self, making: Making<'_>) -> Result<Id<O>, ActError> {
        match self.find(making, self.aws.seen()).await? {
            Some(id) => Ok(id),
            None => {
                let now = format!("{} succeeded, but no object has the tags yet", making.call);
                Err(TimeUp { until: "it is visible", limit: self.aws.seen(), now }.into())
            }
        }
    }

    /// Looks for the object by its tags until it is visible, or `window` is over.
    async fn find<O: Referable>(
        &self,
        making: Making<'_>,
        window: Duration,
    ) -> Result<Option<Id<O>>, ActError> {
        let mut patience = self.patience("it is known whether one exists", window);
        loop {
            let found = find::created(self.aws, O::KIND, making.tags).await?;
            if let Some(found) = found {
                let of_its_kind = found.of().expect("what is looked for was parsed by its kind");
                return Ok(Some(of_its_kind));
            }
            if patience.pause(format!("{} may have taken effect", making.call)).await.is_err() {
                return Ok(None);
            }
        }
    }
}
