//! Saved plans: the text of a plan file, which is read back whole and unchanged, or not at all.
//!
//! A plan has only one text: the digest in it covers what it contains, and what is read must be,
//! byte for byte, what would be written. So no edit is small enough to pass.

use serde::Serialize;
use serde_json::Value as Json;

use super::{Digest, DigestError, Plan};

/// The member that holds the digest.
const DIGEST: &str = "digest";

/// A plan as it is written to its file.
#[derive(Serialize)]
struct Saved<'a> {
    digest: Digest,
    #[serde(flatten)]
    plan: &'a Plan,
}

/// Why a text is not a saved plan.
#[derive(Debug, thiserror::Error)]
pub enum SavedPlanError {
    /// It is not JSON, or it is the JSON of something else.
    #[error("it cannot be read")]
    Unreadable(#[from] serde_json::Error),
    /// Another version of this library wrote it.
    #[error("it was written by another version of mirror, in format {0}")]
    OtherFormat(u64),
    /// It contains no digest.
    #[error("it has no digest")]
    NoDigest,
    /// The digest in it is not a valid one.
    #[error("its digest is wrong")]
    WrongDigest(#[from] DigestError),
    /// It is not what was saved.
    #[error("it is not, byte for byte, the plan {said}")]
    Changed {
        /// The digest in it.
        said: Digest,
    },
}

impl Plan {
    /// The text of a plan file: JSON, with the [digest](Self::digest) first; the same bytes for the
    /// same plan.
    ///
    /// # Panics
    /// Never: everything in a plan can be written as JSON.
    #[must_use]
    pub fn to_saved(&self) -> String {
        let saved = Saved { digest: self.digest(), plan: self };
        let text = serde_json::to_string_pretty(&saved).expect("a plan has texts for keys");
        text + "\n"
    }

    /// Reads the text of a plan file.
    ///
    /// # Errors
    /// If it is not a plan, or any byte of it is not what [`to_saved`](Self::to_saved) wrote.
    pub fn from_saved(text: &[u8]) -> Result<Self, SavedPlanError> {
        let mut json: Json = serde_json::from_slice(text)?;
        match json.get("format").and_then(Json::as_u64) {
            Some(format) if format != u64::from(Self::FORMAT) => {
                return Err(SavedPlanError::OtherFormat(format));
            }
            Some(_) | None => {}
        }
        let said = json.as_object_mut().and_then(|members| members.remove(DIGEST));
        let plan: Self = serde_json::from_value(json)?;
        let said = said.as_ref().and_then(Json::as_str).ok_or(SavedPlanError::NoDigest)?;
        let said: Digest = said.parse()?;
        if plan.to_saved().as_bytes() == text {
            Ok(plan)
        } else {
            Err(SavedPlanError::Changed { said })
        }
    }
}
