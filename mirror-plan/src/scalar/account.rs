//! Other accounts: how values refer to an `aws` block, and the role through which an account is
//! reached.

use std::fmt;
use std::str::FromStr;

use super::AccountId;
use super::text::{ScalarError, shown_as_inner, text_attributes};
use crate::address::{Name, serde_as_text};

text_attributes! {
    AccountName: "an `aws` block, such as aws.sensors";
    RoleArn: "the ARN of a role";
}
shown_as_inner!(RoleArn);
serde_as_text!(AccountName, RoleArn);

/// An `aws` block, as values refer to it: `aws.sensors`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountName(Name);

impl AccountName {
    /// The word of the block, and the prefix of its name in values.
    pub const WORD: &'static str = "aws";

    /// The label of the block.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.0
    }
}

impl From<Name> for AccountName {
    fn from(name: Name) -> Self {
        Self(name)
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", Self::WORD, self.0)
    }
}

impl FromStr for AccountName {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let name = text.strip_prefix(Self::WORD).and_then(|rest| rest.strip_prefix('.'));
        name.and_then(|name| name.parse().ok()).map(Self).ok_or_else(|| {
            ScalarError(format!("`{text}` is not an `aws` block: write `aws.NAME`, without quotes"))
        })
    }
}

/// The ARN of an IAM role, of any partition: `arn:aws:iam::444455556666:role/mirror-accepter`.
///
/// Source: IAM user guide, "IAM identifiers", ARNs of roles.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoleArn(String);

impl RoleArn {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The account that the role belongs to.
    ///
    /// # Panics
    /// Never: a text without an account is not accepted as such an ARN.
    #[must_use]
    pub fn account(&self) -> AccountId {
        let account = self.0.split(':').nth(4).and_then(|account| account.parse().ok());
        account.expect("it was there when the ARN was read")
    }
}

impl FromStr for RoleArn {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        if is_role(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(ScalarError(format!(
            "`{text}` is not the ARN of a role, such as arn:aws:iam::444455556666:role/mirror"
        )))
    }
}

fn is_role(text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    let [arn, partition, service, region, account, resource] = [(); 6].map(|()| parts.next());
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c);
    (arn, service, region) == (Some("arn"), Some("iam"), Some(""))
        && partition.is_some_and(|partition| partition == "aws" || partition.starts_with("aws-"))
        && account.is_some_and(|account| account.parse::<AccountId>().is_ok())
        && resource.and_then(|it| it.strip_prefix("role/")).is_some_and(|name| {
            !name.is_empty() && !name.ends_with('/') && name.chars().all(is_of_name)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_of_an_account_in_any_partition() {
        for partition in ["aws", "aws-cn", "aws-us-gov"] {
            let text = format!("arn:{partition}:iam::444455556666:role/network/mirror");
            let role: RoleArn = text.parse().unwrap();
            assert_eq!(
                (role.to_string(), role.account().to_string()),
                (text, "444455556666".into())
            );
        }
        for text in [
            "",
            "mirror",
            "arn:aws:iam::444455556666:user/mirror",
            "arn:aws:iam::444455556666:role/",
            "arn:aws:iam::444455556666:role/*",
            "arn:aws:iam::4444:role/mirror",
            "arn:aws:sts::444455556666:role/mirror",
            "arn:other:iam::444455556666:role/mirror",
        ] {
            assert!(text.parse::<RoleArn>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_block_is_named_by_its_word_and_its_label() {
        let name: AccountName = "aws.sensors".parse().unwrap();
        assert_eq!((name.to_string(), name.name().as_str()), ("aws.sensors".into(), "sensors"));
        for text in ["sensors", "aws", "aws.", "aws.1", "awssensors", "aws.a.b"] {
            assert!(text.parse::<AccountName>().is_err(), "{text}");
        }
    }
}
