//! `Filters`: what must hold of a group or of a tag for it to be described.

use super::group::AutoScalingGroup;
use super::{invalid, required};
use crate::failure::Outcome;
use crate::parameters::Parameters;

/// One condition; any one of its values may match.
#[derive(Debug)]
pub(super) struct Filter<'a> {
    subject: Subject<'a>,
    values: Vec<&'a str>,
}

/// What a filter looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject<'a> {
    Group,
    Key,
    Propagation,
    /// The value of the tag of a key.
    Tag(&'a str),
    Value,
}

/// The names that one action knows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    names: &'static [(&'static str, Subject<'static>)],
    /// Whether `tag:KEY` is among them.
    tag: Option<&'static str>,
}

/// The filters of `DescribeAutoScalingGroups`.
pub(super) const ON_GROUPS: Known =
    Known { names: &[("tag-key", Subject::Key), ("tag-value", Subject::Value)], tag: Some("tag:") };

/// The filters of `DescribeTags`.
pub(super) const ON_TAGS: Known = Known {
    names: &[
        ("auto-scaling-group", Subject::Group),
        ("key", Subject::Key),
        ("propagate-at-launch", Subject::Propagation),
        ("value", Subject::Value),
    ],
    tag: None,
};

/// Reads the filters of a call.
pub(super) fn read(parameters: &Parameters, known: Known) -> Outcome<Vec<Filter<'_>>> {
    let read = |filter| {
        let (name, values) = (required(filter, "Name")?, filter.texts("Values"));
        Ok(Filter { subject: subject(name, known)?, values })
    };
    parameters.list("Filters").into_iter().map(read).collect()
}

fn subject(name: &str, known: Known) -> Outcome<Subject<'_>> {
    if let Some((_, subject)) = known.names.iter().find(|(known, _)| *known == name) {
        return Ok(*subject);
    }
    let key = known.tag.and_then(|prefix| name.strip_prefix(prefix));
    key.map(Subject::Tag).ok_or_else(|| {
        let mut names: Vec<&str> = known.names.iter().map(|(name, _)| *name).collect();
        names.extend(known.tag.map(|_| "tag:<key>"));
        let names = names.join(" ");
        invalid(format!("Filter type {name} is not correct. Allowed Filter types are: {names}"))
    })
}

impl Filter<'_> {
    /// Whether a group has a tag that meets the condition.
    pub(super) fn accepts_group(&self, group: &AutoScalingGroup) -> bool {
        group.tags.iter().any(|tag| self.accepts_tag(group, tag))
    }

    /// Whether a tag of a group meets the condition.
    pub(super) fn accepts_tag(&self, group: &AutoScalingGroup, (key, value): (&str, &str)) -> bool {
        let meets = |text: &str| self.values.contains(&text);
        match self.subject {
            Subject::Group => meets(&group.name),
            Subject::Key => meets(key),
            Subject::Propagation => meets(&group.propagated.contains(key).to_string()),
            Subject::Tag(named) => named == key && meets(value),
            Subject::Value => meets(value),
        }
    }
}
