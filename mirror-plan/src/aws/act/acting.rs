//! One call in progress: filling in what it refers to, sending it, and handling AWS's delays.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::Aws;
use super::super::errors::{CallError, ErrorKind};
use super::super::wait::Patience;
use super::blocker::{self, InTheWay, Place};
use super::{Act, ActError, Note, Sent};
use crate::attribute::{Input, Ref, Referable};
use crate::id::{Id, ObjectId};
use crate::value::{Origin, Part, Secret, Template};

/// What one call works with.
pub(super) struct Acting<'a> {
    pub(super) aws: &'a Aws,
    act: Act<'a>,
}

impl<'a> Acting<'a> {
    pub(super) fn new(aws: &'a Aws, act: Act<'a>) -> Self {
        Self { aws, act }
    }

    /// Returns the same call through the clients of another account.
    pub(super) fn through<'b>(&self, aws: &'b Aws) -> Acting<'b>
    where
        'a: 'b,
    {
        Acting { aws, act: self.act }
    }

    /// Records what happens to the call.
    pub(super) async fn record(&self, note: Note) -> Result<(), ActError> {
        (self.act.record)(note).await.map_err(ActError::NotRecorded)
    }

    /// Records what the call has created.
    pub(super) async fn record_made(&self, id: ObjectId) -> Result<(), ActError> {
        let recorded = (self.act.record)(Note::Made(id.clone())).await;
        recorded.map_err(|source| ActError::MadeUnrecorded { id, source })
    }

    /// Whether an earlier run may have sent the call.
    pub(super) fn sent(&self) -> Sent {
        self.act.sent
    }

    /// Returns whether the call names existing objects, so that a NotFound means that AWS cannot see them yet.
    pub(super) fn names_what_is_there(&self) -> bool {
        self.act.known.is_named_by(self.act.operation)
    }

    /// The client token of this call.
    pub(super) fn token(&self) -> &str {
        self.act.token.as_str()
    }

    /// Returns the id that a reference stands for.
    pub(super) fn id<T: Referable>(&self, reference: &Ref<T>) -> Result<Id<T>, ActError> {
        let origin = match (reference, reference.origin()) {
            (Ref::Id(id), _) => return Ok(id.clone()),
            (Ref::To(_), Some(origin)) => origin,
            (Ref::To(_), None) => {
                return Err(ActError::Operation("a reference by address has an origin"));
            }
        };
        self.known(&origin)?
            .parse()
            .map_err(|source| ActError::KnownWrong { origin: Box::new(origin), source })
    }

    /// Returns the ids that references stand for, in the form of AWS's lists. Their order does not depend on which of
    /// them were known beforehand, since a repeat with the same client token must ask for the same.
    pub(super) fn ids<T: Referable>(&self, references: &[Ref<T>]) -> Result<Vec<String>, ActError> {
        let ids = references.iter().map(|reference| Ok(self.id(reference)?.to_string()));
        let mut ids = ids.collect::<Result<Vec<String>, ActError>>()?;
        ids.sort_unstable();
        Ok(ids)
    }

    /// Returns a text, with the values that it waited for filled in.
    pub(super) fn text(&self, input: &Input<String>) -> Result<String, ActError> {
        let template = match input {
            Input::Known(text) => return Ok(text.clone()),
            Input::Later(template) => template,
        };
        self.fill(template)
    }

    /// Returns a secret text, with the values that it waited for filled in.
    pub(super) fn secret(&self, input: &Input<Secret>) -> Result<String, ActError> {
        let secret = match input {
            Input::Later(template) => return self.fill(template),
            Input::Known(secret) => secret,
        };
        let text = secret.reveal_text().ok_or_else(|| ActError::Hidden(secret.clone()))?;
        Ok(text.to_owned())
    }

    fn fill(&self, template: &Template) -> Result<String, ActError> {
        for origin in template.origins() {
            self.known(origin)?;
        }
        template.fill(|origin| self.known(origin).ok().map(str::to_owned)).map_err(
            |part| match part {
                Part::Attribute(origin) => ActError::NotKnown(origin.clone()),
                Part::Secret(secret) => ActError::Hidden(secret.clone()),
                Part::Text(_) => ActError::Operation("a text is known"),
            },
        )
    }

    /// Returns a text that may be absent, with the values that it waited for filled in.
    pub(super) fn optional_text(
        &self,
        input: Option<&Input<String>>,
    ) -> Result<Option<String>, ActError> {
        input.map(|input| self.text(input)).transpose()
    }

    fn known(&self, origin: &Origin) -> Result<&str, ActError> {
        match self.act.known.get(origin) {
            Some(Some(value)) => Ok(value),
            Some(None) => Err(ActError::NoValue(origin.clone())),
            None => Err(ActError::NotKnown(origin.clone())),
        }
    }

    /// Returns the pauses of a wait.
    pub(super) fn patience(&self, until: &'static str, limit: Duration) -> Patience<'a> {
        Patience::new(self.aws.shared.pace, self.act.on_wait, until, limit)
    }

    /// In a dry run, asks about a call, and returns the answer as an error; otherwise does nothing.
    pub(super) async fn ask<T, E, F>(
        &self,
        call: &'static str,
        request: impl FnOnce() -> F,
    ) -> Result<(), ActError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    {
        if !self.aws.is_dry() {
            return Ok(());
        }
        match self.aws.send(call, request()).await {
            Ok(_) => Err(ActError::Done(call)),
            Err(answer) => Err(answer.into()),
        }
    }

    /// Sends a call that creates or changes something, again for as long as AWS does not see what it refers to.
    pub(super) async fn call<T, E, F>(
        &self,
        call: &'static str,
        mut request: impl FnMut() -> F,
    ) -> Result<T, ActError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    {
        self.ask(call, &mut request).await?;
        let mut patience = self.patience("AWS accepts the call", self.aws.seen());
        loop {
            let error = match self.aws.send(call, request()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let again = match error.kind {
                ErrorKind::NotFound => self.names_what_is_there(),
                ErrorKind::Busy => true,
                _ => false,
            };
            if !again || patience.pause(error.to_string()).await.is_err() {
                return Err(error.into());
            }
        }
    }

    /// Sends a call that removes something, again for as long as something else uses it. What no longer exists counts
    /// as removed.
    ///
    /// It gives up when nothing has changed for as long as its place allows, however long the whole removal takes.
    pub(super) async fn remove<T, E, F>(
        &self,
        call: &'static str,
        place: Place<'_>,
        request: impl FnMut() -> F,
    ) -> Result<(), ActError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    {
        self.remove_if_done(call, place, request, |_| Ok(())).await
    }

    /// Does the same for a call whose answer reports whether it is done.
    pub(super) async fn remove_if_done<T, E, F>(
        &self,
        call: &'static str,
        place: Place<'_>,
        mut request: impl FnMut() -> F,
        done: impl Fn(T) -> Result<(), CallError>,
    ) -> Result<(), ActError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    {
        self.ask(call, &mut request).await?;
        let mut patience = self.patience("nothing uses it", place.limit());
        let mut in_the_way = InTheWay::default();
        loop {
            let answer = self.aws.send(call, request()).await;
            let Err(error) = answer.and_then(&done) else { return Ok(()) };
            match error.kind {
                // It existed when the plan was made, and was read once more before its removal began.
                ErrorKind::NotFound => return Ok(()),
                ErrorKind::InUse | ErrorKind::Busy => {}
                _ => return Err(error.into()),
            }
            let blockers = blocker::blockers(self.aws, place).await;
            if in_the_way.has_shrunk_to(&blockers) {
                patience.renew();
            }
            let now = format!("{error}{}", blocker::listed(&blockers));
            if patience.pause(now).await.is_err() {
                return Err(ActError::Blocked { error: Box::new(error), blockers });
            }
        }
    }

    /// Sends a call that removes a part that nothing else can use.
    pub(super) async fn withdraw<T, E, F>(
        &self,
        call: &'static str,
        request: impl FnMut() -> F,
    ) -> Result<(), ActError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    {
        self.remove(call, Place::Elsewhere, request).await
    }
}

/// Returns the answer, or `None` if AWS does not see what was asked for.
pub(super) fn unless_absent<T>(result: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match result {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the error of a call whose result, or something in its place, already exists; `None` if the call succeeded.
pub(super) fn conflict<T>(result: Result<T, ActError>) -> Result<Option<CallError>, ActError> {
    match result {
        Ok(_) => Ok(None),
        Err(ActError::Call(error)) if error.kind == ErrorKind::AlreadyThere => Ok(Some(error)),
        Err(error) => Err(error),
    }
}
