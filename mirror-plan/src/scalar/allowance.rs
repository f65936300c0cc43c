//! Allowances: findings of a lint that a stack accepts, by code and with a reason.

use std::fmt;
use std::str::FromStr;

use super::text::{ScalarError, text_attributes};
use crate::code;
use crate::diagnostic::Code;

text_attributes! {
    Allowance: "a code and the reason, such as MP1018: one zone is enough for a laboratory";
}

/// A lint's code and the reason why its findings are accepted: `MP1018: REASON`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Allowance {
    code: Code,
    reason: String,
}

impl Allowance {
    /// The code whose findings are left out.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// Why they are accepted.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.reason)
    }
}

impl FromStr for Allowance {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let (word, reason) = text.split_once(':').unwrap_or((text, ""));
        let (word, reason) = (word.trim(), reason.trim());
        let is_lint = |entry: &&code::Entry| {
            entry.finding.is_some_and(|finding| finding.found_by.is_allowable())
        };
        let entry = code::explain(word).filter(is_lint).ok_or_else(|| {
            ScalarError(format!("`{word}` is not the code of a finding that can be accepted"))
        })?;
        if reason.is_empty() {
            return Err(ScalarError(format!(
                "`{word}` is allowed without a reason: write \"{word}: why it is acceptable here\""
            )));
        }
        Ok(Self { code: entry.code, reason: reason.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_is_the_code_of_a_finding_and_a_reason() {
        let allowance: Allowance = "mp1018 : one zone: enough".parse().unwrap();
        assert_eq!(allowance.to_string(), "MP1018: one zone: enough");
        assert_eq!(allowance.to_string().parse(), Ok(allowance));
        for text in [
            "",
            "MP1018",
            "MP1003: UDP is fine",
            "MP1018: ",
            "MP0001: it is HCL",
            "MP1999: x",
            "one zone",
        ] {
            assert!(text.parse::<Allowance>().is_err(), "{text}");
        }
    }
}
