//! Observed: what the cloud holds, as far as it concerns a stack.
//!
//! A plain value that can be written to a file and read back: such an inventory may stand in for a cloud.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::address::{Address, Name};
use crate::id::{ImageId, NetworkAclId, ObjectId};
use crate::resource::Resource;
use crate::resource::mirror_target::MirrorTargetId;
use crate::scalar::{AccountId, AccountName, Region};
use crate::value::{Origin, Value};

mod bystander;
mod interface;
mod inventory;
mod network_acl;
mod occupant;
mod remade;
mod stand_in;
mod strangers;

pub use bystander::{Bystanders, givable};
pub use occupant::{Occupant, Occupation};
pub use remade::{Remade, Seen, remade, without_ingredients};
pub use strangers::{Shared, StrangeSubnet, StrangeTarget, Stranger, Strangers};
pub(crate) use strangers::{Sort, looked_for};

pub use interface::{Attached, Interface, Sighting};
pub use network_acl::{AclAction, AclRule, NetworkAcl};

/// What was seen of the cloud.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// The account that was queried.
    pub account: AccountId,
    /// The Region that was queried.
    pub region: Region,
    /// The objects that the stack owns, by address. An address has more than one if a replacement
    /// was not finished; their generations then differ.
    #[serde(with = "crate::observed::by_address")]
    pub owned: BTreeMap<Address, Vec<Found>>,
    /// The objects that the stack uses but did not create, by address.
    #[serde(
        default,
        with = "crate::observed::by_address",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub existing: BTreeMap<Address, Found>,
    /// The interfaces that its sources may select.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<Name, Sighting>,
    /// The owners of the mirror targets that the stack names and that belong to other accounts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub foreign_targets: BTreeMap<MirrorTargetId, AccountId>,
    /// The network ACLs of the VPCs that mirrored packets may pass through; empty if they were not looked up.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub network_acls: BTreeMap<NetworkAclId, NetworkAcl>,
    /// The other accounts in which the stack looks up objects or accepts peerings, as AWS
    /// identifies them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<AccountName, AccountId>,
    /// The images that public Systems Manager parameters named at the time.
    pub images: BTreeMap<String, ImageId>,
}

/// One object as it was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Its id, or its ARN if it has no id.
    pub id: ObjectId,
    /// The tag `mirror-plan:gen`.
    pub generation: u32,
    /// Its attributes. All references are ids; reserved tags are left out.
    pub resource: Resource,
    /// The values that only AWS knows, by attribute; see [`crate::resource::computed`].
    pub computed: BTreeMap<String, ComputedValue>,
    /// The ids of those parts that have one (rules, listeners, associations), by key.
    pub parts: BTreeMap<String, ObjectId>,
}

/// The value of an attribute that only AWS knows; `None` if it has no value.
pub type ComputedValue = Option<String>;

impl Observed {
    /// An empty cloud.
    #[must_use]
    pub const fn nothing(account: AccountId, region: Region) -> Self {
        Self {
            account,
            region,
            owned: BTreeMap::new(),
            existing: BTreeMap::new(),
            sources: BTreeMap::new(),
            foreign_targets: BTreeMap::new(),
            network_acls: BTreeMap::new(),
            accounts: BTreeMap::new(),
            images: BTreeMap::new(),
        }
    }

    /// Returns the object that an address currently stands for: the one with the highest
    /// generation.
    #[must_use]
    pub fn current(&self, address: &Address) -> Option<&Found> {
        self.owned.get(address)?.iter().max_by_key(|found| found.generation)
    }

    /// The value of an attribute of an owned or used object; `None` if there is no such object or
    /// attribute.
    #[must_use]
    pub fn attribute(&self, origin: &Origin) -> Option<Value> {
        let Origin { address, attribute } = origin;
        self.current(address).or_else(|| self.existing.get(address))?.attribute(attribute)
    }
}

impl Found {
    /// The value of one of its attributes, configured or computed; `None` if there is no such
    /// attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Value> {
        if let Some(computed) = self.computed.get(name) {
            return Some(computed.clone().map_or(Value::Null, Value::String));
        }
        match self.resource.to_value() {
            Value::Object(mut members) => members.remove(name),
            _ => None,
        }
    }
}

/// A map with addresses as keys, which JSON needs as strings.
pub(crate) mod by_address {
    use serde::{Deserializer, Serializer};

    use super::{Address, BTreeMap, Deserialize, Serialize};

    pub(crate) fn serialize<T: Serialize, S: Serializer>(
        by_address: &BTreeMap<Address, T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(by_address.iter().map(|(address, of)| (address.to_string(), of)))
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Address, T>, D::Error> {
        BTreeMap::<String, T>::deserialize(deserializer)?
            .into_iter()
            .map(|(address, of)| Ok((address.parse().map_err(serde::de::Error::custom)?, of)))
            .collect()
    }
}
