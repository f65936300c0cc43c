//! Problems: what is wrong with a value, and where in it; and the wording of suggestions.

use std::collections::BTreeMap;

use super::{AttributeType, ObjectType};
use crate::value::{Path, Value};

/// Something wrong with a value, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The place within the block or the Rust value.
    pub path: Path,
    /// What is wrong: one line, without a full stop.
    pub title: String,
    /// What to do.
    pub help: Option<String>,
    /// Which sort of problem.
    pub sort: ProblemSort,
}

/// Which sort of problem; each has its code in [`crate::code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemSort {
    /// There is no such attribute.
    NoSuchAttribute,
    /// A required attribute is missing.
    Missing,
    /// The type is wrong.
    Type,
    /// The type is right, the value is not.
    Value,
    /// The value is not known when planning, but must be.
    Unknown,
    /// The value is sensitive, and would be shown.
    Sensitive,
    /// It would let the whole world in, and nothing states that this is intended.
    OpenToWorld,
    /// AWS does not accept such a rule of a mirror filter.
    FilterRule,
}

/// Collects what [`AttributeType::read`] finds wrong.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a problem.
    pub fn add(&mut self, sort: ProblemSort, path: &Path, title: impl Into<String>) {
        self.0.push(Problem { path: path.clone(), title: title.into(), help: None, sort });
    }

    /// Adds a problem with a suggested fix.
    pub fn add_with_help(
        &mut self,
        sort: ProblemSort,
        path: &Path,
        title: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.0.push(Problem {
            path: path.clone(),
            title: title.into(),
            help: Some(help.into()),
            sort,
        });
    }

    /// Reports that a sensitive value is used where everybody would see it.
    pub fn sensitive(&mut self, path: &Path) {
        self.add_with_help(
            ProblemSort::Sensitive,
            path,
            "a sensitive value is used where plans, and AWS itself, show it",
            "only `user_data` and outputs with `sensitive = true` may hold it; `nonsensitive(...)` \
             allows it to be shown",
        );
    }

    /// Reports that `value` is not what was expected.
    pub fn expected(&mut self, path: &Path, expected: &str, value: &Value) {
        if value.is_sensitive() {
            self.sensitive(path);
        } else if value.is_known() {
            let found = value.type_name();
            self.add(ProblemSort::Type, path, format!("expected {expected}, found {found}"));
        } else {
            self.add_with_help(
                ProblemSort::Unknown,
                path,
                format!("this must be known when planning, but is {value}"),
                "use a value that does not depend on what apply creates",
            );
        }
    }

    /// The problems that were found.
    #[must_use]
    pub fn into_inner(self) -> Vec<Problem> {
        self.0
    }

    /// The members of `value`. Reports a value that is not an object, and names that are not
    /// attributes.
    pub(crate) fn members<'v>(
        &mut self,
        value: &'v Value,
        at: &Path,
        of: &ObjectType,
    ) -> Option<&'v BTreeMap<String, Value>> {
        let Value::Object(members) = value else {
            self.expected(at, &format!("an object ({})", of.title), value);
            return None;
        };
        for name in members.keys().filter(|name| of.attribute(name).is_none()) {
            let names = of.attributes.iter().map(|attribute| attribute.name);
            let help = match nearest(name, names.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it has {}", listed(names)),
            };
            let title = format!("the {} has no attribute `{name}`", of.title);
            self.add_with_help(ProblemSort::NoSuchAttribute, &at.member(name), title, help);
        }
        Some(members)
    }

    /// Reads a required member.
    pub(crate) fn required<T: AttributeType>(
        &mut self,
        name: &str,
        value: &Value,
        at: &Path,
    ) -> Option<T> {
        if *value == Value::Null {
            self.add(ProblemSort::Missing, at, format!("`{name}` is required"));
            return None;
        }
        T::read(value, &at.member(name), self)
    }
}

/// The name in `names` that `word` was probably meant to be.
pub(crate) fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let limit = word.chars().count().max(3) / 3;
    names
        .into_iter()
        .map(|name| (edit_distance(word, name), name))
        // Words with nothing in common are not suggested for each other, however short.
        .filter(|(distance, name)| *distance <= limit && *distance < name.chars().count())
        .min()
        .map(|(_, name)| name)
}

/// How many insertions, removals, changes and swaps of neighbours lead from `a` to `b`.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut best = changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
