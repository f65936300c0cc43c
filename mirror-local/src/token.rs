//! The client tokens of past creates: a repeated create returns the object that the first one made.
//!
//! A token is remembered for a day. If the object has been deleted meanwhile, the token counts as
//! unused, except for instances, which can be described for an hour after termination.

use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::table::{Kind, Row};
use crate::world::Region;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);
const LENGTH_MAX: usize = 64;

/// What a client token once made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Token {
    fingerprint: String,
    id: String,
    at: Timestamp,
}

impl Row for Token {
    const KIND: Kind = Kind::INTERNAL;
}

/// The parameters in which a repeated call may differ.
const IGNORED: &[&str] = &["ClientToken", "DryRun"];

/// Reads the token of a create call as a key of the token table.
pub(crate) fn key(action: &str, parameters: &Parameters) -> Outcome<Option<String>> {
    let Some(token) = parameters.text("ClientToken").filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    named(action, token).map(Some)
}

/// Makes a key of the token table out of a token and what it is for.
pub(crate) fn named(action: &str, token: &str) -> Outcome<String> {
    if token.len() > LENGTH_MAX || !token.is_ascii() {
        let why = "A client token has at most 64 ASCII characters";
        return Err(Failure::invalid(token, "clientToken", why));
    }
    Ok(format!("{action} {token}"))
}

impl Region {
    /// Returns the id that this token made before, if any.
    pub(crate) fn made_before(
        &self,
        key: &str,
        parameters: &Parameters,
        now: Timestamp,
    ) -> Outcome<Option<String>> {
        let Some(token) = self.tokens.get(key) else { return Ok(None) };
        if now.duration_since(token.at) > REMEMBERED {
            return Ok(None);
        }
        if token.fingerprint != parameters.fingerprint(IGNORED) {
            return Err(Failure::new(
                "IdempotentParameterMismatch",
                "The client token has already been used with different parameters.",
            ));
        }
        Ok(Some(token.id.clone()))
    }

    /// Remembers what a token made.
    pub(crate) fn remember(
        &mut self,
        key: String,
        parameters: &Parameters,
        (id, at): (&str, Timestamp),
    ) {
        let fingerprint = parameters.fingerprint(IGNORED);
        self.tokens.insert(key, Token { fingerprint, id: id.to_owned(), at });
    }
}
