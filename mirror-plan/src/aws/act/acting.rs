//! One call under way: filling in what it refers to, sending it, and bearing with AWS.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::super::Aws;
use super::super::errors::{CallError, ErrorKind};
use super::super::wait::{Patience, limit};
use super::blocker::{self, InTheWay, Place};
use super::{Act, ActError, Note, Sent};
use crate::attribute::{Input, Ref, Referable};
use crate::id::{Id, ObjectId};
use crate::value::{Origin, Part, Secret, Template};

/// What one call has to work with.
pub(super) struct Acting<'a> {
    pub(super) aws: &'a Aws,
    act: Act<'a>,
}

impl<'a> Acting<'a> {
    pub(super) fn new(aws: &'a Aws, act: Act<'a>) -> Self {
        Self { aws, act }
    }

    /// The same call through the clients of another account.
    pub(super) fn through<'b>(&self, aws: &'b Aws) -> Acting<'b>
    where
        'a: 'b,
    {
        Acting { aws, act: self.act }
    }

    /// Writes down what happens to the call.
    pub(super) async fn record(&self, note: Note) -> Result<(), ActError> {
        (self.act.record)(note).await.map_err(ActError::NotRecorded)
    }

    /// Writes down what the call has made.
    pub(super) async fn record_made(&self, id: ObjectId) -> Result<(), ActError> {
        let recorded = (self.act.record)(Note::Made(id.clone())).await;
        recorded.map_err(|source| ActError::MadeUnrecorded { id, source })
    }

    /// Whether an earlier run may have sent the call.
    pub(super) fn sent(&self) -> Sent {
        self.act.sent
    }

    /// Whether the call names what is there, so that a NotFound means that AWS cannot see it yet.
    pub(super) fn names_what_is_there(&self) -> bool {
        self.act.known.is_named_by(self.act.operation)
    }

    /// The client token of this call.
    pub(super) fn token(&self) -> &str {
        self.act.token.as_str()
    }

    /// The id that a reference stands for.
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

    /// The ids that references stand for, as AWS's lists take them: in an order that does not depend
    /// on which of them were known before, since a repeat with a client token must ask for the same.
    pub(super) fn ids<T: Referable>(&self, references: &[Ref<T>]) -> Result<Vec<String>, ActError> {
        let ids = references.iter().map(|reference| Ok(self.id(reference)?.to_string()));
        let mut ids = ids.collect::<Result<Vec<String>, ActError>>()?;
        ids.sort_unstable();
        Ok(ids)
    }

    /// A text with what it waited for filled in.
    pub(super) fn text(&self, input: &Input<String>) -> Result<String, ActError> {
        let template = match input {
            Input::Known(text) => return Ok(text.clone()),
            Input::Later(template) => template,
        };
        self.fill(template)
    }

    /// A secret text with what it waited for filled in.
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

    /// The same for a text that may be absent.
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

    /// The pauses of a wait.
    pub(super) fn patience(&self, until: &'static str, limit: Duration) -> Patience<'a> {
        Patience::new(self.aws.shared.pace, self.act.on_wait, until, limit)
    }

    /// Asks about a call instead of sending it, where that is all that is to be done.
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

    /// Sends what makes or changes something, again while AWS does not see what it refers to.
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
        let mut patience = self.patience("AWS accepts the call", limit::SEEN);
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

    /// Sends what removes something, again while something else uses that; what is gone already
    /// counts as removed.
    ///
    /// It gives up when nothing moves for as long as its place allows, however long the whole takes.
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

    /// The same for a call whose answer says whether it is done.
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
                // It was there when the plan was made, and was read once more before its removal began.
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

    /// Sends what removes a part that nothing else can use.
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

/// The answer, or `None` if AWS does not see what was asked for.
pub(super) fn unless_absent<T>(result: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match result {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The error of a call whose result, or something in its place, is there already; `None` if the
/// call did it.
pub(super) fn conflict<T>(result: Result<T, ActError>) -> Result<Option<CallError>, ActError> {
    match result {
        Ok(_) => Ok(None),
        Err(ActError::Call(error)) if error.kind == ErrorKind::AlreadyThere => Ok(Some(error)),
        Err(error) => Err(error),
    }
}
