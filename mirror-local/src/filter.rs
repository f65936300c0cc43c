//! `Filter.N`: the conditions of a Describe call.
//!
//! Each action declares the filters it knows as a table of names and functions that read the
//! filtered values from a row. `tag:KEY` and `tag-key` are added automatically for what can have
//! tags.

mod pattern;

pub(crate) use pattern::Patterns;

use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::table::Row;
use crate::tags::Tags;
use crate::world::View;

/// Reads the values that one filter compares from a row.
pub(crate) type Extract<T> = fn(View<'_>, &T) -> Vec<String>;

/// Reads the tags from a row.
pub(crate) type TagsOf<T> = fn(&T) -> Option<&Tags>;

/// The filters of an action: names and what they look at.
pub(crate) type FilterTable<T> = &'static [(&'static str, Extract<T>)];

/// The conditions of one call; all must hold.
#[derive(Debug)]
pub(crate) struct Conditions<T: 'static>(Vec<Condition<T>>);

#[derive(Debug)]
struct Condition<T: 'static> {
    subject: Subject<T>,
    patterns: Patterns,
}

#[derive(Debug)]
enum Subject<T: 'static> {
    Attribute(Extract<T>),
    TagKey(TagsOf<T>),
    TagValue(TagsOf<T>, String),
}

impl<T: Row> Conditions<T> {
    /// Reads the filters of a call on rows that may have tags.
    pub(crate) fn of_rows(parameters: &Parameters, known: FilterTable<T>) -> Outcome<Self> {
        let tagged = !T::KIND.resource_type.is_empty();
        Self::parse(parameters, known, if tagged { Some(T::tags) } else { None })
    }
}

impl<T> Conditions<T> {
    /// Reads the filters of a call on whatever has these tags, if any.
    pub(crate) fn parse(
        parameters: &Parameters,
        known: FilterTable<T>,
        tags: Option<TagsOf<T>>,
    ) -> Outcome<Self> {
        let mut conditions = Vec::new();
        for filter in parameters.list("Filter") {
            let name = filter.required("Name")?;
            let patterns = Patterns::parse(name, &filter.texts("Value"))?;
            conditions.push(Condition { subject: subject(name, known, tags)?, patterns });
        }
        Ok(Self(conditions))
    }

    /// Returns whether a row meets all conditions.
    pub(crate) fn accept(&self, view: View<'_>, row: &T) -> bool {
        self.0.iter().all(|condition| condition.accept(view, row))
    }
}

impl<T> Condition<T> {
    fn accept(&self, view: View<'_>, row: &T) -> bool {
        let matches = |value: &str| self.patterns.match_with(value);
        match &self.subject {
            Subject::Attribute(extract) => extract(view, row).iter().any(|value| matches(value)),
            Subject::TagKey(tags) => {
                tags(row).is_some_and(|tags| tags.iter().any(|(key, _)| matches(key)))
            }
            Subject::TagValue(tags, key) => {
                tags(row).and_then(|tags| tags.value(key)).is_some_and(matches)
            }
        }
    }
}

fn subject<T>(name: &str, known: FilterTable<T>, tags: Option<TagsOf<T>>) -> Outcome<Subject<T>> {
    if let Some((_, extract)) = known.iter().find(|(known, _)| *known == name) {
        return Ok(Subject::Attribute(*extract));
    }
    if let Some(tags) = tags {
        if name == "tag-key" {
            return Ok(Subject::TagKey(tags));
        }
        if let Some(key) = name.strip_prefix("tag:") {
            return Ok(Subject::TagValue(tags, key.to_owned()));
        }
    }
    Err(unknown(name))
}

/// Turns the values that a filter looks at into text.
pub(crate) fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

/// The failure for a filter that an action does not know.
pub(crate) fn unknown(name: &str) -> Failure {
    Failure::new("InvalidParameterValue", format_args!("The filter '{name}' is invalid"))
}
