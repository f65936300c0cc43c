//! Objects: written on a condition, read, removed.

use super::{Answer, Call, bucket, wire};
use crate::failure::{Failure, Outcome};
use crate::settings::ConditionalWrites;
use crate::table::{Kind, Row};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// An object. Its content is text; S3 accepts any bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(super) text: String,
    pub(super) written: Timestamp,
}

impl Row for Object {
    const KIND: Kind = Kind::INTERNAL;
}

impl Object {
    /// The ETag: like AWS's, it is the same for the same content, and promises nothing beyond that.
    pub(super) fn etag(&self) -> String {
        let mut etag = String::from("\"");
        for byte in Sha256::digest(self.text.as_bytes()).iter().take(16) {
            let _ = write!(etag, "{byte:02x}");
        }
        etag.push('"');
        etag
    }
}

pub(super) fn put(call: &mut Call<'_>) -> Outcome<Answer> {
    let id = id(call)?;
    check_conditions(call, call.region.objects.get(&id))?;
    let text = call.parameters.text("Body").unwrap_or_default().to_owned();
    let object = Object { text, written: call.now };
    let etag = object.etag();
    call.region.objects.insert(id, object);
    Ok(Answer::empty(200).with("etag", etag))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome<Answer> {
    let id = id(call)?;
    let object = call.region.objects.get(&id).ok_or_else(no_such_key)?;
    let answer = Answer {
        status: 200,
        content_type: "binary/octet-stream",
        body: object.text.clone(),
        headers: Vec::new(),
    };
    Ok(answer
        .with("etag", object.etag())
        .with("last-modified", wire::http_date(object.written))
        .with("accept-ranges", "bytes"))
}

pub(super) fn delete(call: &mut Call<'_>) -> Outcome<Answer> {
    let id = id(call)?;
    check_conditions(call, call.region.objects.get(&id))?;
    call.region.objects.remove(&id);
    Ok(Answer::empty(204))
}

/// The key of a call's object in the table of all objects.
fn id(call: &Call<'_>) -> Outcome<String> {
    let bucket = bucket::find(call)?;
    let key = call.parameters.required("Key")?;
    if key.len() > 1024 {
        return Err(Failure::new("KeyTooLongError", "Your key is too long"));
    }
    Ok(format!("{bucket}/{key}"))
}

/// Refuses a write whose condition does not hold, as far as this store honours conditions.
fn check_conditions(call: &Call<'_>, found: Option<&Object>) -> Outcome {
    let absent = call.parameters.text("IfNoneMatch");
    let unchanged = call.parameters.text("IfMatch");
    match (absent, unchanged) {
        (Some("*") | None, None) | (None, Some(_)) => {}
        _ => {
            let message = "A header you provided implies functionality that is not implemented";
            return Err(Failure::new("NotImplemented", message).with_status(501));
        }
    }
    let (honours_absent, honours_unchanged) = match call.conditions {
        ConditionalWrites::Honoured => (true, true),
        ConditionalWrites::OnlyIfAbsent => (true, false),
        ConditionalWrites::Ignored => (false, false),
    };
    match found {
        Some(_) if absent.is_some() && honours_absent => Err(precondition_failed()),
        None if unchanged.is_some() && honours_unchanged => Err(no_such_key()),
        Some(object) if honours_unchanged => match unchanged {
            Some(etag) if etag.trim_matches('"') != object.etag().trim_matches('"') => {
                Err(precondition_failed())
            }
            Some(_) | None => Ok(()),
        },
        Some(_) | None => Ok(()),
    }
}

fn precondition_failed() -> Failure {
    let message = "At least one of the pre-conditions you specified did not hold";
    Failure::new("PreconditionFailed", message).with_status(412)
}

fn no_such_key() -> Failure {
    Failure::new("NoSuchKey", "The specified key does not exist.").with_status(404)
}
