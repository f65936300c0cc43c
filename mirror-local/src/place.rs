//! Where a call happens: in an account, in one of its Regions.

use std::fmt;

/// The account of callers that do not name another.
pub const ACCOUNT: &str = "123456789012";

/// An account and a Region.
///
/// Each account has its own Regions. The access key decides which account a call belongs to: twelve digits are an
/// account number, and every other key belongs to [`ACCOUNT`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    account: String,
    region: String,
}

impl Place {
    /// Returns the place of a Region in an account.
    pub fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        Self { account: account.into(), region: region.into() }
    }

    /// Returns the account.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Returns the Region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Returns the account that an access key belongs to.
    pub(crate) fn account_of(access_key: &str) -> &str {
        if is_account(access_key) { access_key } else { ACCOUNT }
    }
}

/// Returns whether a text is the number of an account: twelve digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// `eu-west-1` is a Region of [`ACCOUNT`], `222233334444/eu-west-1` is one of another account.
impl From<&str> for Place {
    fn from(text: &str) -> Self {
        let (account, region) = text.split_once('/').unwrap_or((ACCOUNT, text));
        Self::new(account, region)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, region } = self;
        if account != ACCOUNT {
            write!(f, "{account}/")?;
        }
        f.write_str(region)
    }
}

/// Partitions other than `aws`, by the prefix of their Regions' names.
///
/// Source: AWS General Reference, "Amazon Resource Names (ARNs)"; botocore, `data/partitions.json`.
const PARTITIONS: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
];

/// Returns the partition of a Region, as it appears in ARNs.
pub(crate) fn partition(region: &str) -> &'static str {
    let known = PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix));
    known.map_or("aws", |(_, partition)| partition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_what_it_is_written_as() {
        for text in ["eu-west-1", "222233334444/eu-west-1"] {
            assert_eq!(Place::from(text).to_string(), text);
        }
        assert_eq!(Place::from("eu-west-1"), Place::new(ACCOUNT, "eu-west-1"));
    }

    #[test]
    fn twelve_digits_are_an_account_and_nothing_else_is() {
        assert_eq!(Place::account_of("222233334444"), "222233334444");
        for key in ["", "AKIDEXAMPLE", "22223333444", "2222333344445", "22223333444x"] {
            assert_eq!(Place::account_of(key), ACCOUNT, "{key}");
        }
    }
}
