//! Tags: how the four services write and read them, and who owns an object according to them.

use aws_sdk_autoscaling::types as autoscaling;
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use aws_sdk_elasticloadbalancingv2::types as elb;
use aws_sdk_ram::types as ram;

use crate::address::{Address, AddressError, Kind};
use crate::resource::{Tags, tag};

/// Returns the tags for a create call to give to its object.
pub(super) fn specification(of: ResourceType, tags: &Tags) -> TagSpecification {
    TagSpecification::builder().resource_type(of).set_tags(Some(to_ec2(tags))).build()
}

/// Converts tags to the type of EC2.
pub(super) fn to_ec2(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Converts tags from the type of EC2.
pub(super) fn from_ec2(tags: &[Tag]) -> Tags {
    read(tags.iter().map(|tag| (tag.key(), tag.value())))
}

/// Converts tags to the type of Elastic Load Balancing.
pub(super) fn to_elb(tags: &Tags) -> Vec<elb::Tag> {
    tags.iter().map(|(key, value)| elb::Tag::builder().key(key).value(value).build()).collect()
}

/// Converts tags from the type of Elastic Load Balancing.
pub(super) fn from_elb(tags: &[elb::Tag]) -> Tags {
    read(tags.iter().map(|tag| (tag.key(), tag.value())))
}

/// Converts tags to the type of Resource Access Manager.
pub(super) fn to_ram(tags: &Tags) -> Vec<ram::Tag> {
    tags.iter().map(|(key, value)| ram::Tag::builder().key(key).value(value).build()).collect()
}

/// Converts tags from the type of Resource Access Manager.
pub(super) fn from_ram(tags: &[ram::Tag]) -> Tags {
    read(tags.iter().filter_map(|tag| Some((tag.key()?, tag.value()))))
}

/// The resource type of a group in Auto Scaling's tags.
const GROUP: &str = "auto-scaling-group";

/// Converts the tags of a group to the type of Auto Scaling. Its instances get only the user's tags: with the others
/// they would be objects of the stack.
pub(super) fn to_autoscaling(group: &str, tags: &Tags) -> Vec<autoscaling::Tag> {
    let tag = |(key, value): (&String, &String)| {
        let propagates = !tag::is_reserved(key);
        of_group(group, key).value(value).propagate_at_launch(propagates).build()
    };
    tags.iter().map(tag).collect()
}

/// Returns a tag of a group by its key.
pub(super) fn of_group(group: &str, key: &str) -> autoscaling::builders::TagBuilder {
    autoscaling::Tag::builder().resource_type(GROUP).resource_id(group).key(key)
}

/// Converts tags from the type of Auto Scaling.
pub(super) fn from_autoscaling(tags: &[autoscaling::TagDescription]) -> Tags {
    read(tags.iter().filter_map(|tag| Some((tag.key()?, tag.value()))))
}

/// AWS may return an empty value as no value at all.
fn read<'a>(tags: impl Iterator<Item = (impl Into<Option<&'a str>>, Option<&'a str>)>) -> Tags {
    tags.filter_map(|(key, value)| Some((key.into()?.to_owned(), value.unwrap_or("").to_owned())))
        .collect()
}

/// Who owns an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// Which resource of the stack it is.
    pub(super) address: Address,
    /// Which object of that resource, counted from 1.
    pub(super) generation: u32,
}

/// Why the ownership tags of an object cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum OwnerError {
    /// A tag is missing.
    #[error("it has no tag `{0}`")]
    Absent(&'static str),
    /// The address is not valid.
    #[error("its tag `{key}` is wrong: {0}", key = tag::ADDRESS)]
    Address(AddressError),
    /// The address is of another kind than the object.
    #[error("its tag `{key}` says that it is the {} `{address}`", .address.kind.title(), key = tag::ADDRESS)]
    Kind {
        /// The address in the tag.
        address: Address,
    },
    /// The generation is not a number.
    #[error("its tag `{key}` is not a number: `{0}`", key = tag::GENERATION)]
    Generation(String),
}

/// Returns who owns an object of `kind`; `None` if it does not belong to `stack`.
pub(super) fn owner(tags: &Tags, stack: &str, kind: Kind) -> Option<Result<Owner, OwnerError>> {
    is_of(tags, stack).then(|| parse(tags, kind))
}

/// Returns whether the tags of an object state that it belongs to `stack`.
pub(super) fn is_of(tags: &Tags, stack: &str) -> bool {
    tags.get(tag::STACK).map(String::as_str) == Some(stack)
}

fn parse(tags: &Tags, kind: Kind) -> Result<Owner, OwnerError> {
    let value = |key| tags.get(key).ok_or(OwnerError::Absent(key));
    let address: Address = value(tag::ADDRESS)?.parse().map_err(OwnerError::Address)?;
    if address.kind != kind {
        return Err(OwnerError::Kind { address });
    }
    let generation = value(tag::GENERATION)?;
    let generation = generation.parse().map_err(|_| OwnerError::Generation(generation.clone()))?;
    Ok(Owner { address, generation })
}

/// Removes the tags that do not concern the user.
pub(super) fn own(tags: Tags) -> Tags {
    tags.into_iter().filter(|(key, _)| !tag::is_reserved(key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn ownership_is_read_or_the_reason_is_given() {
        let lab = |address, generation| {
            tags(&[
                ("mirror-plan:stack", "lab"),
                ("mirror-plan:address", address),
                ("mirror-plan:gen", generation),
            ])
        };
        let read = |tags: Tags| owner(&tags, "lab", Kind::Vpc);
        let address = "vpc.main".parse().unwrap();
        assert_eq!(read(lab("vpc.main", "2")), Some(Ok(Owner { address, generation: 2 })));
        assert_eq!(owner(&lab("vpc.main", "2"), "other", Kind::Vpc), None);
        for (tags, why) in [
            (tags(&[("mirror-plan:stack", "lab")]), "it has no tag `mirror-plan:address`"),
            (
                lab("subnet.a", "1"),
                "its tag `mirror-plan:address` says that it is the subnet `subnet.a`",
            ),
            (lab("vpc.main", "first"), "its tag `mirror-plan:gen` is not a number: `first`"),
        ] {
            let error = read(tags).unwrap().unwrap_err();
            assert_eq!(error.to_string(), why);
        }
    }
}
