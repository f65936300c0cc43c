//! The wire format of S3: where a request states what it is about, and how times are written.

use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::place::Place;
use crate::request::{Request, Service, Wire};
use http::request::Parts;
use http::{HeaderName, Method};
use jiff::Timestamp;
use std::borrow::Cow;

/// Query parameters that state how a call is made rather than what it asks for.
const QUERY_IGNORED: [&str; 2] = ["x-id", "list-type"];

/// Query parameters that an action accepts, by their names in the API.
const QUERY: [(&str, &str); 5] = [
    ("prefix", "Prefix"),
    ("max-keys", "MaxKeys"),
    ("continuation-token", "ContinuationToken"),
    ("start-after", "StartAfter"),
    ("encoding-type", "EncodingType"),
];

/// Headers that ask for something that does not exist here, by the beginning of their names.
const HEADERS_REFUSED: [&str; 7] = [
    "range",
    "if-modified-since",
    "if-unmodified-since",
    "x-amz-copy-source",
    "x-amz-server-side-encryption-customer",
    "x-amz-object-lock",
    "x-amz-write-offset",
];

/// Reads a request that was signed for S3.
pub(crate) fn request(head: &Parts, body: &[u8], at: &Place) -> Outcome<Request> {
    let (bucket, key) = place(head)?;
    let action = action(head, &bucket, &key)?;
    let mut pairs: Vec<(&'static str, String)> = vec![("Bucket", bucket)];
    if !key.is_empty() {
        pairs.push(("Key", key));
    }
    for (name, parameter) in [("if-match", "IfMatch"), ("if-none-match", "IfNoneMatch")] {
        pairs.extend(header(head, name).map(|value| (parameter, value.to_owned())));
    }
    for (name, value) in query(head) {
        match QUERY.iter().find(|(known, _)| *known == name) {
            Some((_, parameter)) => pairs.push((parameter, value.into_owned())),
            None if QUERY_IGNORED.contains(&&*name) => {}
            None => return Err(not_implemented(&name)),
        }
    }
    // The request is logged without the content that it puts.
    let logged = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
    let text = text(head, body)?;
    match action {
        "PutObject" => pairs.push(("Body", text)),
        "CreateBucket" => {
            let constraint = between(&text, "<LocationConstraint>", "</LocationConstraint>");
            pairs.extend(constraint.map(|name| ("LocationConstraint", name.to_owned())));
        }
        _ => {}
    }
    let parameters = Parameters::from_pairs(pairs);
    let action = action.to_owned();
    let (service, wire) = (Service::Storage, Wire::Xml);
    let (account, region) = (at.account().to_owned(), at.region().to_owned());
    Ok(Request { service, wire, action, account, region, parameters, body: logged })
}

/// The bucket and the key that a request names, in its path or in its host.
fn place(head: &Parts) -> Outcome<(String, String)> {
    let path = head.uri.path().trim_start_matches('/');
    let host = head.uri.host().or_else(|| header(head, "host")).unwrap_or_default();
    let of_host = host
        .split_once(".s3.")
        .filter(|(_, rest)| rest.contains("amazonaws.com"))
        .map(|(bucket, _)| bucket);
    let (bucket, key) = match of_host {
        Some(bucket) => (bucket, path),
        None => path.split_once('/').unwrap_or((path, "")),
    };
    if bucket.is_empty() {
        return Err(not_implemented("ListBuckets"));
    }
    let decoded = percent_decoded(key)
        .ok_or_else(|| Failure::new("InvalidURI", "Couldn't parse the specified URI."))?;
    Ok((bucket.to_owned(), decoded))
}

fn action(head: &Parts, bucket: &str, key: &str) -> Outcome<&'static str> {
    let refused = head.headers.keys().map(HeaderName::as_str).find(|name| {
        let asks = |refused: &&str| name.starts_with(*refused);
        HEADERS_REFUSED.iter().any(asks)
    });
    if let Some(name) = refused {
        return Err(not_implemented(name));
    }
    let is_listing = query(head).any(|(name, value)| name == "list-type" && value == "2");
    match (head.method.as_str(), key.is_empty()) {
        ("PUT", true) => Ok("CreateBucket"),
        ("HEAD", true) => Ok("HeadBucket"),
        ("GET", true) if is_listing => Ok("ListObjectsV2"),
        ("PUT", false) => Ok("PutObject"),
        ("GET", false) => Ok("GetObject"),
        ("HEAD", false) => Ok("HeadObject"),
        ("DELETE", false) => Ok("DeleteObject"),
        (method, _) => Err(not_implemented(&format!("{method} of {bucket}/{key}"))),
    }
}

fn query(head: &Parts) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
}

fn header<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    head.headers.get(name).and_then(|value| value.to_str().ok())
}

/// The content of a request, extracted from the chunks in which some clients send it.
fn text(head: &Parts, body: &[u8]) -> Outcome<String> {
    let is_chunked = header(head, "content-encoding").is_some_and(|it| it.contains("aws-chunked"));
    let whole = if is_chunked && head.method == Method::PUT {
        Cow::Owned(unchunked(body).ok_or_else(|| {
            Failure::new("IncompleteBody", "The request body is not in whole chunks")
        })?)
    } else {
        Cow::Borrowed(body)
    };
    String::from_utf8(whole.into_owned()).map_err(|_| not_implemented("an object that is not text"))
}

/// `SIZE[;EXTENSION]\r\nDATA\r\n`, repeated up to a chunk of size 0.
fn unchunked(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|pair| pair == b"\r\n")?;
        let line = std::str::from_utf8(&body[..end]).ok()?;
        let size = usize::from_str_radix(line.split(';').next()?, 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        let data = body.get(end + 2..)?;
        whole.extend(data.get(..size)?);
        body = data.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

/// A key as it appears in a listing with encoded keys.
pub(super) fn percent_encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            decoded.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(open)?;
    Some(rest.split_once(close)?.0)
}

fn not_implemented(what: &str) -> Failure {
    let message = format!("mirror-local does not implement this of S3: {what}");
    Failure::new("NotImplemented", message).with_status(501)
}

/// `Thu, 26 Nov 2026 12:06:25 GMT`.
pub(super) fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// `2026-11-26T12:06:25.000Z`.
pub(super) fn whole_second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: &str, uri: &str, headers: &[(&str, &str)]) -> Outcome<Request> {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        super::request(&head, b"text", &Place::from("eu-west-1"))
    }

    #[test]
    fn a_bucket_stands_in_the_path_or_in_the_host() {
        for uri in [
            "http://127.0.0.1:4566/team/a%20b/c?x-id=PutObject",
            "https://team.s3.eu-west-1.amazonaws.com/a%20b/c",
            "https://s3.eu-west-1.amazonaws.com/team/a%20b/c",
        ] {
            let request = read("PUT", uri, &[("if-none-match", "*")]).unwrap();
            assert_eq!(request.action, "PutObject", "{uri}");
            assert_eq!(request.body, "Bucket=team&Key=a+b%2Fc&IfNoneMatch=*", "{uri}");
            assert_eq!(request.parameters.text("Body"), Some("text"), "{uri}");
        }
    }

    #[test]
    fn what_is_not_there_is_refused_by_name() {
        for (method, uri, headers, named) in [
            ("GET", "/", &[][..], "ListBuckets"),
            ("GET", "/team/x?versionId=1", &[], "versionId"),
            ("GET", "/team/x", &[("range", "bytes=0-1")], "range"),
            ("PUT", "/team/x", &[("x-amz-copy-source", "a/b")], "x-amz-copy-source"),
            ("POST", "/team/x", &[], "POST of team/x"),
        ] {
            let failure = read(method, uri, headers).unwrap_err();
            assert_eq!((failure.code.as_str(), failure.status), ("NotImplemented", 501));
            assert!(failure.message.ends_with(named), "{}", failure.message);
        }
    }

    #[test]
    fn chunks_are_put_together() {
        let body =
            b"3;chunk-signature=00\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:xx\r\n\r\n";
        assert_eq!(unchunked(body).as_deref(), Some(&b"abcde"[..]));
        for cut in 0..body.len() - 30 {
            assert_eq!(unchunked(&body[..cut]), None, "cut at {cut}");
        }
    }
}
