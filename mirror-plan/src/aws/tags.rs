//! Tags: as the four services write and read them, and whose object they say it is.

use aws_sdk_autoscaling::types as autoscaling;
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use aws_sdk_elasticloadbalancingv2::types as elb;
use aws_sdk_ram::types as ram;

use crate::address::{Address, AddressError, Kind};
use crate::resource::{Tags, tag};

/// The tags of an object that a create call makes.
pub(super) fn specification(of: ResourceType, tags: &Tags) -> TagSpecification {
    TagSpecification::builder().resource_type(of).set_tags(Some(to_ec2(tags))).build()
}

/// Tags as EC2 takes them.
pub(super) fn to_ec2(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Tags as EC2 gives them.
pub(super) fn from_ec2(tags: &[Tag]) -> Tags {
    read(tags.iter().map(|tag| (tag.key(), tag.value())))
}

/// Tags as Elastic Load Balancing takes them.
pub(super) fn to_elb(tags: &Tags) -> Vec<elb::Tag> {
    tags.iter().map(|(key, value)| elb::Tag::builder().key(key).value(value).build()).collect()
}

/// Tags as Elastic Load Balancing gives them.
pub(super) fn from_elb(tags: &[elb::Tag]) -> Tags {
    read(tags.iter().map(|tag| (tag.key(), tag.value())))
}

/// Tags as Resource Access Manager takes them.
pub(super) fn to_ram(tags: &Tags) -> Vec<ram::Tag> {
    tags.iter().map(|(key, value)| ram::Tag::builder().key(key).value(value).build()).collect()
}

/// Tags as Resource Access Manager gives them.
pub(super) fn from_ram(tags: &[ram::Tag]) -> Tags {
    read(tags.iter().filter_map(|tag| Some((tag.key()?, tag.value()))))
}

/// What Auto Scaling says of a group that a tag is on.
const GROUP: &str = "auto-scaling-group";

/// Tags of a group as Auto Scaling takes them. Its instances get those that are the user's: what they would get of
/// the others would make them objects of the stack.
pub(super) fn to_autoscaling(group: &str, tags: &Tags) -> Vec<autoscaling::Tag> {
    let tag = |(key, value): (&String, &String)| {
        let propagates = !tag::is_reserved(key);
        of_group(group, key).value(value).propagate_at_launch(propagates).build()
    };
    tags.iter().map(tag).collect()
}

/// A tag of a group by its key.
pub(super) fn of_group(group: &str, key: &str) -> autoscaling::builders::TagBuilder {
    autoscaling::Tag::builder().resource_type(GROUP).resource_id(group).key(key)
}

/// Tags as Auto Scaling gives them.
pub(super) fn from_autoscaling(tags: &[autoscaling::TagDescription]) -> Tags {
    read(tags.iter().filter_map(|tag| Some((tag.key()?, tag.value()))))
}

/// An empty value may come as no value at all.
fn read<'a>(tags: impl Iterator<Item = (impl Into<Option<&'a str>>, Option<&'a str>)>) -> Tags {
    tags.filter_map(|(key, value)| Some((key.into()?.to_owned(), value.unwrap_or("").to_owned())))
        .collect()
}

/// Whose an object is.
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
    /// A tag is not there.
    #[error("it has no tag `{0}`")]
    Absent(&'static str),
    /// The address is none.
    #[error("its tag `{key}` is wrong: {0}", key = tag::ADDRESS)]
    Address(AddressError),
    /// The address is of another kind than the object.
    #[error("its tag `{key}` says that it is the {} `{address}`", .address.kind.title(), key = tag::ADDRESS)]
    Kind {
        /// What it says.
        address: Address,
    },
    /// The generation is no number.
    #[error("its tag `{key}` is not a number: `{0}`", key = tag::GENERATION)]
    Generation(String),
}

/// Tells whose an object of `kind` is; `None` if it is not of `stack`.
pub(super) fn owner(tags: &Tags, stack: &str, kind: Kind) -> Option<Result<Owner, OwnerError>> {
    is_of(tags, stack).then(|| parse(tags, kind))
}

/// Whether the tags of an object say that it is of `stack`.
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

/// Without the tags that are no business of the user's.
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
