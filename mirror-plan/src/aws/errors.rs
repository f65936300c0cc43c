//! Call errors: what AWS answered to a call that failed, and what to do about it.
//!
//! [`ErrorKind`] follows from the only table of AWS's error codes, in `codes`. The SDK's own error
//! types are not exposed.

use std::error::Error;
use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use aws_types::request_id::RequestId as _;

use super::transmission::{HeldBack, Transmission};
use crate::id::IdError;
use crate::scalar::ScalarError;

mod codes;

use codes::Refusal;

/// A call to AWS that did not succeed.
pub struct CallError {
    /// The name of the call in AWS's API.
    pub call: &'static str,
    /// AWS's error code, if there was an answer with one.
    pub code: Option<String>,
    /// AWS's own words.
    pub message: Option<String>,
    /// The request id, for AWS support.
    pub request_id: Option<String>,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// What to do about it.
    pub kind: ErrorKind,
    /// Why there was no answer with a code.
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Shown as its text: the SDK's own errors contain the whole answer, and an answer may contain
/// secrets.
impl fmt::Debug for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallError({:?}, {self})", self.kind)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

/// What the caller of a failed call should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Something that the call names does not exist, or does not exist yet.
    NotFound,
    /// What the call would create already exists, or its name or place is taken.
    AlreadyThere,
    /// Something still uses what the call would remove.
    InUse,
    /// AWS is busy with the object: the same call will succeed a little later.
    Busy,
    /// There were too many calls, even after all retries.
    Throttled,
    /// AWS has no such machine available at the moment.
    Capacity,
    /// A quota of the account is used up.
    Limit,
    /// The credentials do not allow it.
    Denied,
    /// The call was sent and the answer was lost: look before sending it again.
    Unknown,
    /// The call was never sent: no credentials, no endpoint.
    Unsent,
    /// The call was never sent: another run has taken over the stack, or it is not certain that
    /// none has.
    Fenced,
    /// AWS does not accept the call as it is.
    Refused,
}

impl CallError {
    pub(super) fn new<E>(
        call: &'static str,
        error: SdkError<E, HttpResponse>,
        transmission: Transmission,
    ) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        // From here on there is only one type, so that what follows is compiled once and not for
        // each call of AWS.
        let said = |error: E| Said { metadata: error.meta().clone(), error: error.into() };
        Self::of(call, error.map_service_error(said), transmission)
    }

    fn of(
        call: &'static str,
        error: SdkError<Said, HttpResponse>,
        transmission: Transmission,
    ) -> Self {
        let code = error.code().map(str::to_owned);
        let status = error.raw_response().map(|answer| answer.status().as_u16());
        let message = error.message().map(str::to_owned);
        let kind = match (&code, transmission) {
            (Some(code), _) => {
                Refusal { call, code, message: message.as_deref().unwrap_or_default(), status }
                    .kind()
            }
            (None, Transmission::Never) if cause::<HeldBack>(&error).is_some() => ErrorKind::Fenced,
            (None, Transmission::Never) => ErrorKind::Unsent,
            (None, Transmission::Begun) => match status {
                Some(400..500) => ErrorKind::Refused,
                _ => ErrorKind::Unknown,
            },
        };
        let request_id = error.request_id().map(str::to_owned);
        // If there is a code, the fields contain everything that is in the source.
        let source = if code.is_some() { None } else { Some(error.into()) };
        Self { call, code, message, request_id, status, kind, source }
    }
}

/// Returns the first of an error and its causes that has a type.
pub(super) fn cause<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(it) = error.downcast_ref() {
            return Some(it);
        }
        next = error.source();
    }
    None
}

/// What AWS answered, whatever the call was.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
struct Said {
    metadata: ErrorMetadata,
    error: Box<dyn Error + Send + Sync>,
}

impl ProvideErrorMetadata for Said {
    fn meta(&self) -> &ErrorMetadata {
        &self.metadata
    }
}

impl CallError {
    /// Returns the error for one of the objects that a call names, where the call was answered but
    /// could not process that object.
    pub(super) fn of_object(
        call: &'static str,
        (code, message): (Option<&str>, Option<&str>),
    ) -> Self {
        let refusal = Refusal {
            call,
            code: code.unwrap_or_default(),
            message: message.unwrap_or_default(),
            status: None,
        };
        Self {
            call,
            kind: refusal.kind(),
            code: code.map(str::to_owned),
            message: message.map(str::to_owned),
            request_id: None,
            status: None,
            source: None,
        }
    }

    /// Returns the error for a call that was held back.
    pub(super) fn fenced(call: &'static str, source: Box<dyn Error + Send + Sync>) -> Self {
        Self::without_answer(call, ErrorKind::Fenced, source)
    }

    /// Returns the error for a call whose answer cannot be read.
    #[cfg(feature = "s3")]
    pub(super) fn unreadable(error: AnswerError) -> Self {
        Self::without_answer(error.call, ErrorKind::Unknown, error.into())
    }

    fn without_answer(
        call: &'static str,
        kind: ErrorKind,
        source: Box<dyn Error + Send + Sync>,
    ) -> Self {
        let (code, message, request_id, status) = (None, None, None, None);
        Self { call, code, message, request_id, status, kind, source: Some(source) }
    }
}

/// `CreateVpc was refused: VpcLimitExceeded: The maximum ... (request 1b2c...)`.
impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, code, message, request_id, status, kind, source: _ } = self;
        let outcome = match kind {
            ErrorKind::Unsent => "could not be sent",
            ErrorKind::Fenced => "was not sent",
            ErrorKind::Unknown => "was sent, but it is not known whether it took effect",
            ErrorKind::Throttled => "was throttled",
            _ => "was refused",
        };
        write!(f, "{call} {outcome}")?;
        match (code, message) {
            (Some(code), Some(message)) => write!(f, ": {code}: {message}")?,
            (Some(code), None) => write!(f, ": {code}")?,
            (None, _) => {
                if let Some(status) = status {
                    write!(f, ": HTTP status {status}")?;
                }
            }
        }
        match request_id {
            Some(request_id) => write!(f, " (request {request_id})"),
            None => Ok(()),
        }
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| -> &(dyn Error + 'static) { source })
    }
}

/// An answer that lacks a required element, or has it in an invalid form: the answer was cut off on
/// the way, or AWS has introduced something new.
#[derive(Debug, thiserror::Error)]
#[error("{call} answered without a usable `{field}`")]
pub struct AnswerError {
    /// The name of the call in AWS's API.
    pub call: &'static str,
    /// The element of the answer.
    pub field: &'static str,
    /// What is wrong with the element, if it is present.
    #[source]
    pub source: Option<FieldError>,
}

/// What is wrong with an element of an answer.
#[derive(Debug, thiserror::Error)]
pub enum FieldError {
    /// It is not an id of the required kind.
    #[error(transparent)]
    Id(#[from] IdError),
    /// It is not the required number, range or word.
    #[error(transparent)]
    Scalar(#[from] ScalarError),
    /// It is not a valid address.
    #[error(transparent)]
    Address(#[from] std::net::AddrParseError),
    /// It is a number outside its range.
    #[error(transparent)]
    Range(#[from] crate::scalar::RangeError),
    /// It is something that this library does not know.
    #[error("unexpected value: `{0}`")]
    Unknown(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_one_line() {
        let error = CallError {
            call: "CreateVpc",
            code: Some("VpcLimitExceeded".to_owned()),
            message: Some("The maximum number of VPCs has been reached.".to_owned()),
            request_id: Some("1-2-3".to_owned()),
            status: Some(400),
            kind: ErrorKind::Limit,
            source: None,
        };
        assert_eq!(
            error.to_string(),
            "CreateVpc was refused: VpcLimitExceeded: The maximum number of VPCs has been reached. \
             (request 1-2-3)"
        );
    }
}
