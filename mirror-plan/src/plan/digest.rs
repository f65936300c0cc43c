//! Hashes of what an object looked like, and of what a plan contains.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Action, Plan};
use crate::address::{Address, Kind};
use crate::attribute::Ref;
use crate::hash::hash;
use crate::id::ObjectId;
use crate::observed::{Found, Observed};
use crate::resource::Resource;
use crate::resource::part::Part;
use crate::value::Value;

/// The hash of one observed object or of one of its values, `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    pub(crate) fn of(value: &Value) -> Self {
        Self(hash(value))
    }

    pub(crate) fn of_part(part: &Part<'_>) -> Self {
        Self(hash(part))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The hash of a plan, `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    pub(super) fn of(plan: &Plan) -> Self {
        Self(hash(plan))
    }

    /// The text, as it is printed and compared.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is `sha256:` and 64 hexadecimal digits, as `mirror plan` prints it")]
pub struct DigestError;

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let digits = text.strip_prefix("sha256:").ok_or(DigestError)?;
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if digits.len() == 64 && digits.bytes().all(is_digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(DigestError)
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The fingerprint of every owned object, by `ADDRESS#GENERATION`.
pub(crate) fn fingerprints(observed: &Observed) -> BTreeMap<String, Fingerprint> {
    let owned = observed.owned.iter();
    owned
        .flat_map(|(address, all)| {
            all.iter().map(move |found| {
                let Found { id: _, generation, resource: _, computed: _, parts: _ } = found;
                (format!("{address}#{generation}"), Fingerprint(hash(found)))
            })
        })
        .collect()
}

/// The fingerprint of what must still hold for an object when its removal begins.
///
/// Left out is what only AWS determines: the DNS name of an instance goes away with a setting of its VPC. So
/// are the targets of a target group that are `going` as well, because AWS removes them from the group by
/// itself. So is whether the root volume of an instance is encrypted and whether the instance was created with
/// a public address: nobody can change these, but AWS shows a new volume late, and an address only once the
/// instance runs. The number of instances in a group is left to what scales it.
pub(crate) fn expectation(found: &Found, going: &BTreeSet<ObjectId>) -> Fingerprint {
    let Found { id, generation, resource, computed: _, parts } = found;
    let mut resource = resource.clone();
    match &mut resource {
        Resource::TargetGroup(group) => group.targets.retain(|target| match target {
            Ref::Id(id) => !going.contains(&id.erase()),
            Ref::To(_) => true,
        }),
        Resource::Instance(instance) => (instance.root_encrypted, instance.public) = (None, None),
        Resource::AutoscalingGroup(group) => group.desired = None,
        _ => {}
    }
    Fingerprint(hash(&(id, generation, resource, parts)))
}

/// The instances that a plan removes, given what happens to each existing object.
pub(crate) fn going<'c>(
    all: impl IntoIterator<Item = (&'c Address, Action, Option<&'c ObjectId>)>,
) -> BTreeSet<ObjectId> {
    let removed = |action| matches!(action, Action::Delete | Action::Replace(_));
    all.into_iter()
        .filter(|(address, action, _)| address.kind == Kind::Instance && removed(*action))
        .filter_map(|(_, _, id)| id.cloned())
        .collect()
}
