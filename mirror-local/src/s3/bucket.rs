//! Buckets: made, found, and listed.

use super::{Answer, Call, wire};
use crate::failure::{Failure, Outcome};
use crate::table::{Kind, Row};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The most keys that one answer lists.
const KEYS_MAX: usize = 1000;

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bucket {
    made: Timestamp,
}

impl Row for Bucket {
    const KIND: Kind = Kind::INTERNAL;
}

pub(super) fn create(call: &mut Call<'_>) -> Outcome<Answer> {
    let name = call.parameters.required("Bucket")?.to_owned();
    if !is_name(&name) {
        return Err(Failure::new("InvalidBucketName", "The specified bucket is not valid."));
    }
    let region = call.region.name.clone();
    let constraint = call.parameters.text("LocationConstraint");
    // The oldest Region takes no location constraint, and every other Region takes its own name.
    let is_right = match constraint {
        None => region == "us-east-1",
        Some(constraint) => constraint == region && region != "us-east-1",
    };
    if !is_right {
        let constraint = constraint.unwrap_or("unspecified");
        let message = format!(
            "The {constraint} location constraint is incompatible for the region specific endpoint \
             this request was sent to."
        );
        return Err(Failure::new("IllegalLocationConstraintException", message));
    }
    if call.region.buckets.contains(&name) {
        if region == "us-east-1" {
            return Ok(Answer::empty(200).with("location", format!("/{name}")));
        }
        let message = "Your previous request to create the named bucket succeeded and you already \
                       own it.";
        return Err(Failure::new("BucketAlreadyOwnedByYou", message).with_status(409));
    }
    call.region.buckets.insert(name.clone(), Bucket { made: call.now });
    Ok(Answer::empty(200).with("location", format!("/{name}")))
}

pub(super) fn head(call: &mut Call<'_>) -> Outcome<Answer> {
    find(call)?;
    Ok(Answer::empty(200))
}

/// The name of the bucket that a call is about.
pub(super) fn find<'a>(call: &Call<'a>) -> Outcome<&'a str> {
    let name = call.parameters.required("Bucket")?;
    if call.region.buckets.contains(name) {
        Ok(name)
    } else {
        let message = "The specified bucket does not exist";
        Err(Failure::new("NoSuchBucket", message).with_status(404))
    }
}

pub(super) fn list(call: &mut Call<'_>) -> Outcome<Answer> {
    let bucket = find(call)?;
    let parameters = call.parameters;
    let text = |name| parameters.text(name).unwrap_or_default();
    let most = match text("MaxKeys") {
        "" => KEYS_MAX,
        number => number.parse::<usize>().map_err(|_| {
            Failure::new("InvalidArgument", "Provided max-keys not an integer or within range")
        })?,
    };
    let most = most.min(KEYS_MAX);
    let (prefix, after) = (text("Prefix"), text("ContinuationToken").max(text("StartAfter")));
    let place = format!("{bucket}/");
    let of_bucket = call.region.objects.starting_with(&place);
    let mut keys = of_bucket
        .filter_map(|(id, object)| Some((id.strip_prefix(&place)?, object)))
        .filter(|(key, _)| key.starts_with(prefix) && *key > after);
    let listed: Vec<_> = keys.by_ref().take(most).collect();
    let is_cut = keys.next().is_some();
    let is_encoded = text("EncodingType") == "url";
    let shown = |key: &str| {
        if is_encoded { wire::percent_encoded(key) } else { key.to_owned() }
    };
    let mut xml = Xml::new();
    xml.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.open_in("ListBucketResult", "http://s3.amazonaws.com/doc/2006-03-01/");
    xml.text("Name", bucket);
    xml.text("Prefix", shown(prefix));
    xml.optional("EncodingType", is_encoded.then_some("url"));
    xml.text("KeyCount", listed.len());
    xml.text("MaxKeys", most);
    xml.text("IsTruncated", is_cut);
    if let Some((key, _)) = listed.last().filter(|_| is_cut) {
        xml.text("NextContinuationToken", key);
    }
    for (key, object) in listed {
        xml.element("Contents", |xml| {
            xml.text("Key", shown(key));
            xml.text("LastModified", wire::whole_second(object.written));
            xml.text("ETag", object.etag());
            xml.text("Size", object.text.len());
            xml.text("StorageClass", "STANDARD");
        });
    }
    xml.close("ListBucketResult");
    Ok(Answer::xml(xml))
}

/// Source: Amazon S3 user guide, "General purpose bucket naming rules".
fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = [name.bytes().next(), name.bytes().next_back()];
    (3..=63).contains(&name.len())
        && name.bytes().all(|b| plain(b) || b == b'-' || b == b'.')
        && ends.into_iter().flatten().all(plain)
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
}
