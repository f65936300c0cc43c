//! The tags of a resource, and the `TagSpecification` of a create call.

use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::xml::Xml;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name of the list of tags in a create call: most calls use the first, some of the newer ones the second.
pub(crate) const SPECIFICATIONS: [&str; 2] = ["TagSpecification", "TagSpecifications"];

/// Tags a resource may have.
const TAGS_MAX: usize = 50;
const KEY_LENGTH_MAX: usize = 128;
const VALUE_LENGTH_MAX: usize = 256;

/// Keys and values of one resource, ordered by key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Tags(BTreeMap<String, String>);

impl Tags {
    /// Reads the tags that a create call gives to the one kind of resource it makes.
    pub(crate) fn specified(parameters: &Parameters, resource_type: &str) -> Outcome<Self> {
        let mut tags = Self::specified_among(parameters, &[resource_type])?;
        Ok(tags.remove(resource_type).unwrap_or_default())
    }

    /// Reads the tags of a create call that makes several kinds of resources, by kind.
    pub(crate) fn specified_among(
        parameters: &Parameters,
        resource_types: &[&str],
    ) -> Outcome<BTreeMap<String, Self>> {
        let mut by_type = BTreeMap::new();
        for specification in SPECIFICATIONS.into_iter().flat_map(|list| parameters.list(list)) {
            let resource_type = specification.required("ResourceType")?;
            if !resource_types.contains(&resource_type) {
                let message = format!(
                    "'{resource_type}' is not a valid taggable resource type for this operation."
                );
                return Err(Failure::new("InvalidParameterValue", message));
            }
            let tags = Self::listed(specification, "Tag")?;
            if by_type.insert(resource_type.to_owned(), tags).is_some() {
                let message =
                    format!("Duplicate resource type '{resource_type}' in tag specifications.");
                return Err(Failure::new("InvalidParameterValue", message));
            }
        }
        Ok(by_type)
    }

    /// Reads a list of keys and values, refusing what AWS refuses.
    pub(crate) fn listed(parameters: &Parameters, list: &str) -> Outcome<Self> {
        Self::spelt(parameters, list, ["Key", "Value"])
    }

    /// Reads such a list from a service that has its own names for keys and values.
    pub(crate) fn spelt(
        parameters: &Parameters,
        list: &str,
        [key, value]: [&str; 2],
    ) -> Outcome<Self> {
        let mut tags = BTreeMap::new();
        for tag in parameters.list(list) {
            let (key, value) = (tag.required(key)?, tag.text(value).unwrap_or_default());
            check_key(key)?;
            if value.chars().count() > VALUE_LENGTH_MAX {
                let message = format!(
                    "Tag value exceeds the maximum length of {VALUE_LENGTH_MAX} characters"
                );
                return Err(Failure::new("InvalidParameterValue", message));
            }
            if tags.insert(key.to_owned(), value.to_owned()).is_some() {
                let message = format!("Duplicate tag key '{key}' specified.");
                return Err(Failure::new("InvalidParameterValue", message));
            }
        }
        let tags = Self(tags);
        tags.check_count()?;
        Ok(tags)
    }

    /// Adds tags, replacing the values of keys already there.
    pub(crate) fn add(&mut self, more: &Self) -> Outcome {
        self.0.extend(more.0.iter().map(|(key, value)| (key.clone(), value.clone())));
        self.check_count()
    }

    /// Sets one tag without the checks that apply to clients.
    pub(crate) fn set(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.insert(key.into(), value.into());
    }

    /// Removes a key, if its value is the one given or none is given.
    pub(crate) fn remove(&mut self, key: &str, value: Option<&str>) {
        if value.is_none() || self.value(key) == value {
            self.0.remove(key);
        }
    }

    /// Removes every tag that a client may remove.
    pub(crate) fn clear(&mut self) {
        self.0.retain(|key, _| key.starts_with("aws:"));
    }

    /// Returns the value of a key.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Iterates over keys and values in the order of the keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Returns whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes EC2's `tagSet`.
    pub(crate) fn write(&self, xml: &mut Xml) {
        xml.items("tagSet", self.iter(), |xml, (key, value)| {
            xml.text("key", key);
            xml.text("value", value);
        });
    }

    fn check_count(&self) -> Outcome {
        if self.0.keys().filter(|key| !key.starts_with("aws:")).count() > TAGS_MAX {
            let message = format!("The maximum number of tags for a resource is {TAGS_MAX}.");
            return Err(Failure::new("TagLimitExceeded", message));
        }
        Ok(())
    }
}

/// Refuses a tag key that only AWS may use or that is too long.
pub(crate) fn check_key(key: &str) -> Outcome {
    if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
        let message =
            format!("Tag keys starting with 'aws:' are reserved for internal use: '{key}'");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    if key.chars().count() > KEY_LENGTH_MAX {
        let message = format!("Tag key exceeds the maximum length of {KEY_LENGTH_MAX} characters");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn specified(pairs: &[(&str, &str)]) -> Outcome<Tags> {
        Tags::specified(&Parameters::from_pairs(pairs.iter().copied()), "vpc")
    }

    #[test]
    fn a_specification_for_another_kind_is_refused() {
        let failure = specified(&[("TagSpecification.1.ResourceType", "subnet")]).unwrap_err();
        assert_eq!(failure.code, "InvalidParameterValue");
    }

    #[test]
    fn duplicate_and_reserved_keys_are_refused() {
        let with = |first, second| {
            specified(&[
                ("TagSpecification.1.ResourceType", "vpc"),
                ("TagSpecification.1.Tag.1.Key", first),
                ("TagSpecification.1.Tag.2.Key", second),
            ])
        };
        assert!(with("a", "b").is_ok());
        assert!(with("a", "a").unwrap_err().message.contains("Duplicate"));
        assert!(with("a", "AWS:x").unwrap_err().message.contains("reserved"));
    }

    #[test]
    fn the_fifty_first_tag_is_refused() {
        let mut tags = Tags::default();
        for n in 0..50 {
            tags.set(format!("k{n}"), "");
        }
        let mut more = Tags::default();
        more.set("k0", "again");
        assert_eq!(tags.add(&more), Ok(()));
        more.set("one-more", "");
        assert_eq!(tags.add(&more).unwrap_err().code, "TagLimitExceeded");
    }
}
