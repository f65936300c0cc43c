//! Where finished files are uploaded to: the value of `--upload`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// An object store, and the prefix of the keys of objects in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A bucket of S3, or of a store that is compatible with it: `s3://BUCKET/PREFIX`.
    S3 {
        /// The name of the bucket.
        bucket: String,
        /// The prefix of keys; it may be empty.
        prefix: String,
    },
    /// A folder, such as one on a network file system: `file:///FOLDER`.
    Folder(PathBuf),
}

/// Why a text does not name an object store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an upload goes to s3://BUCKET or s3://BUCKET/PREFIX, where a bucket name has 3 to 63 characters \
     from a-z 0-9 . and -, or to file:///FOLDER"
)]
pub struct ParseDestinationError;

impl FromStr for Destination {
    type Err = ParseDestinationError;

    fn from_str(text: &str) -> Result<Self, ParseDestinationError> {
        if let Some(folder) = text.strip_prefix("file://") {
            let is_whole = folder.starts_with('/') && folder.len() > 1;
            return is_whole.then(|| Self::Folder(folder.into())).ok_or(ParseDestinationError);
        }
        let rest = text.strip_prefix("s3://").ok_or(ParseDestinationError)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let may_be_named = (3..=63).contains(&bucket.len())
            && bucket.bytes().all(|byte| is_plain(byte) || b".-".contains(&byte));
        let is_path = !prefix.starts_with('/') && !prefix.contains("//");
        if !may_be_named || !is_path || prefix.chars().any(char::is_control) {
            return Err(ParseDestinationError);
        }
        Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.trim_end_matches('/').to_owned() })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
            Self::Folder(folder) => write!(f, "file://{}", folder.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_shown_as_it_is_read() {
        for text in ["s3://captures", "s3://captures.eu-1/a/b", "file:///mnt/captures"] {
            assert_eq!(text.parse::<Destination>().unwrap().to_string(), text);
        }
        assert_eq!(
            "s3://captures/a/".parse::<Destination>().unwrap().to_string(),
            "s3://captures/a"
        );
    }

    #[test]
    fn what_is_no_object_store_is_refused() {
        for text in [
            "",
            "captures",
            "s3:captures",
            "s3://",
            "s3://Captures",
            "s3://ab",
            "s3:///a",
            "s3://captures//a",
            "s3://captures/a\n",
            "gs://captures",
            "file://",
            "file://a/b",
            "/a",
        ] {
            assert_eq!(text.parse::<Destination>(), Err(ParseDestinationError), "{text:?}");
        }
    }
}
