//! Where the runs of a team coordinate: an S3 bucket and a key prefix in it.

use std::fmt;
use std::str::FromStr;

use super::text::{ScalarError, text_attributes};
use crate::address::serde_as_text;

text_attributes! {
    Coordination: "a place in S3, such as s3://bucket/prefix";
}
serde_as_text!(Coordination);

/// A bucket and a key prefix: `s3://bucket/prefix`.
///
/// Source: Amazon S3 user guide, "General purpose bucket naming rules": 3 to 63 lower-case letters,
/// digits, hyphens and dots, beginning and ending with a letter or digit, and not an IPv4 address;
/// "Naming Amazon S3 objects": at most 1,024 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Coordination {
    bucket: String,
    prefix: String,
}

impl Coordination {
    /// The longest prefix, in bytes: with what is added to it, the key stays below S3's limit.
    pub const PREFIX_LONGEST: usize = 512;

    /// The bucket.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The key of `file` under this prefix.
    #[must_use]
    pub fn key(&self, file: &str) -> String {
        if self.prefix.is_empty() { file.to_owned() } else { format!("{}/{file}", self.prefix) }
    }
}

impl fmt::Display for Coordination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.key_in_bucket())
    }
}

impl Coordination {
    fn key_in_bucket(&self) -> String {
        let Self { bucket, prefix } = self;
        if prefix.is_empty() { bucket.clone() } else { format!("{bucket}/{prefix}") }
    }
}

impl FromStr for Coordination {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let wrong = |why: &str| ScalarError(format!("`{text}`: {why}"));
        let place = text
            .strip_prefix("s3://")
            .ok_or_else(|| wrong("a place in S3 is written s3://bucket/prefix"))?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if !is_bucket(bucket) {
            return Err(wrong(
                "the name of a bucket has 3 to 63 lower-case letters, digits, - and ., and begins \
                 and ends with a letter or digit",
            ));
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let plain = |part: &str| {
            let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!-_.*'()".contains(&b);
            !part.is_empty() && part != "." && part != ".." && part.bytes().all(allowed)
        };
        if !prefix.is_empty() && !prefix.split('/').all(plain) {
            return Err(wrong("the parts of a prefix may have only letters, digits and !-_.*'()"));
        }
        if prefix.len() > Self::PREFIX_LONGEST {
            return Err(wrong("a prefix has at most 512 characters"));
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

fn is_bucket(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = [name.bytes().next(), name.bytes().next_back()];
    (3..=63).contains(&name.len())
        && name.bytes().all(|b| plain(b) || b == b'-' || b == b'.')
        && ends.into_iter().flatten().all(plain)
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Coordination, ScalarError> {
        text.parse()
    }

    #[test]
    fn a_place_is_a_bucket_and_a_prefix() {
        for (text, shown, key) in [
            ("s3://team-journals/mirror/prod", "s3://team-journals/mirror/prod", "mirror/prod/x"),
            ("s3://team-journals/mirror/", "s3://team-journals/mirror", "mirror/x"),
            ("s3://team.journals", "s3://team.journals", "x"),
        ] {
            let place = parse(text).unwrap();
            assert_eq!((place.to_string().as_str(), place.key("x").as_str()), (shown, key));
            assert_eq!(parse(shown), Ok(place), "what is shown reads back");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "team-journals",
            "https://team-journals/x",
            "s3://",
            "s3://ab/x",
            "s3://Team/x",
            "s3://-team/x",
            "s3://te..am/x",
            "s3://10.0.0.1/x",
            "s3://team//x",
            "s3://team/../x",
            "s3://team/a b",
            "s3://team/x?y",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&format!("s3://team/{}", "x".repeat(513))).is_err());
    }
}
