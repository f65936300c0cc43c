//! Conditions: what a statement requires of the facts of a check.

use super::pattern::Pattern;
use std::collections::BTreeMap;

/// What is known about a call, by condition key. Keys are compared without regard to case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Facts(BTreeMap<String, Fact>);

/// The values of a key, and how that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fact {
    key: String,
    values: Vec<String>,
}

impl Facts {
    /// Adds a fact.
    pub(super) fn add(&mut self, key: &str, value: impl Into<String>) {
        let new = || Fact { key: key.to_owned(), values: Vec::new() };
        let fact = self.0.entry(key.to_ascii_lowercase()).or_insert_with(new);
        fact.values.push(value.into());
    }

    fn of(&self, key: &str) -> Option<&[String]> {
        self.0.get(key).map(|fact| &*fact.values)
    }

    /// Every key with its values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.values().map(|Fact { key, values }| (&**key, &**values))
    }
}

/// One line of a condition: an operator, a key, and values of which one must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    quantifier: Quantifier,
    operator: Operator,
    absence: Absence,
    key: String,
    values: Vec<Pattern>,
}

/// How many of several values of a key must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    /// Unspecified: the key has one value.
    One,
    All,
    Any,
}

/// What holds where the key is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Absence {
    /// The condition holds, with the suffix `IfExists` or for all of no values.
    Fits,
    /// What the operator decides.
    AsUsual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    /// The value is one of those given.
    Is,
    /// The value is none of those given.
    IsNot,
    /// The value is one of those given, without regard to case.
    IsInAnyCase,
    /// The value is none of those given, without regard to case.
    IsNotInAnyCase,
    /// The key is absent, if the value given is `true`.
    Null,
}

/// How the values of an operator are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Literal,
    Wildcards,
}

/// Operators by name; IAM's other operators are refused.
const OPERATORS: [(&str, Operator, Reading); 12] = [
    ("StringEquals", Operator::Is, Reading::Literal),
    ("StringNotEquals", Operator::IsNot, Reading::Literal),
    ("StringEqualsIgnoreCase", Operator::IsInAnyCase, Reading::Literal),
    ("StringNotEqualsIgnoreCase", Operator::IsNotInAnyCase, Reading::Literal),
    ("StringLike", Operator::Is, Reading::Wildcards),
    ("StringNotLike", Operator::IsNot, Reading::Wildcards),
    ("ArnEquals", Operator::Is, Reading::Wildcards),
    ("ArnLike", Operator::Is, Reading::Wildcards),
    ("ArnNotEquals", Operator::IsNot, Reading::Wildcards),
    ("ArnNotLike", Operator::IsNot, Reading::Wildcards),
    ("Bool", Operator::IsInAnyCase, Reading::Literal),
    ("Null", Operator::Null, Reading::Literal),
];

impl Condition {
    /// Reads one line; the error states what is wrong with it.
    pub(super) fn parse(operator: &str, key: &str, values: &[String]) -> Result<Self, String> {
        let (quantifier, name) = match operator.split_once(':') {
            Some(("ForAllValues", name)) => (Quantifier::All, name),
            Some(("ForAnyValue", name)) => (Quantifier::Any, name),
            _ => (Quantifier::One, operator),
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) if name != "Null" => (name, Absence::Fits),
            _ => (name, Absence::AsUsual),
        };
        let known = OPERATORS.iter().find(|(known, ..)| *known == name);
        let Some((_, operator, reading)) = known.copied() else {
            return Err(format!("mirror-local does not implement the operator {operator}"));
        };
        let any_case = matches!(operator, Operator::IsInAnyCase | Operator::IsNotInAnyCase);
        let values = values.iter().map(|value| {
            let pattern = match reading {
                Reading::Literal if !value.contains("${") => Pattern::literal(value),
                Reading::Literal | Reading::Wildcards => Pattern::parse(value)
                    .map_err(|_| format!("mirror-local has no value for a variable: {value}"))?,
            };
            Ok(if any_case { pattern.lowercase() } else { pattern })
        });
        let values = values.collect::<Result<_, String>>()?;
        let absence = if quantifier == Quantifier::All { Absence::Fits } else { if_exists };
        Ok(Self { quantifier, operator, absence, key: key.to_ascii_lowercase(), values })
    }

    /// Returns whether the facts satisfy the condition.
    pub(super) fn holds(&self, facts: &Facts) -> bool {
        let found = facts.of(&self.key);
        match (self.operator, found) {
            (Operator::Null, found) => self.one_of(if found.is_none() { "true" } else { "false" }),
            (Operator::IsNot | Operator::IsNotInAnyCase, None) => {
                // An absent value is not the one given; if there are no values, none can be
                // different.
                self.quantifier == Quantifier::One || self.absence == Absence::Fits
            }
            (Operator::Is | Operator::IsInAnyCase, None) => self.absence == Absence::Fits,
            (_, Some(values)) => match self.quantifier {
                Quantifier::All => values.iter().all(|value| self.fits(value)),
                Quantifier::One | Quantifier::Any => values.iter().any(|value| self.fits(value)),
            },
        }
    }

    fn fits(&self, value: &str) -> bool {
        match self.operator {
            Operator::Is | Operator::Null => self.one_of(value),
            Operator::IsNot => !self.one_of(value),
            Operator::IsInAnyCase => self.one_of(&value.to_ascii_lowercase()),
            Operator::IsNotInAnyCase => !self.one_of(&value.to_ascii_lowercase()),
        }
    }

    fn one_of(&self, value: &str) -> bool {
        self.values.iter().any(|pattern| pattern.matches(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(operator: &str, (key, values): (&str, &[&str]), facts: &[(&str, &str)]) -> bool {
        let values: Vec<String> = values.iter().map(|&value| value.to_owned()).collect();
        let mut known = Facts::default();
        facts.iter().for_each(|(key, value)| known.add(key, *value));
        Condition::parse(operator, key, &values).unwrap().holds(&known)
    }

    #[test]
    fn a_value_is_one_of_those_given() {
        let stack = ("aws:ResourceTag/Stack", &["lab", "l?b*"][..]);
        let lab = [("AWS:resourcetag/stack", "lab")];
        let other = [("aws:ResourceTag/stack", "l*b1")];
        assert!(holds("StringEquals", stack, &lab));
        assert!(!holds("StringEquals", stack, &other));
        assert!(holds("StringLike", stack, &other));
        assert!(!holds("StringNotLike", stack, &other));
        assert!(holds("StringNotEquals", stack, &other));
        assert!(holds("StringEqualsIgnoreCase", stack, &[("aws:ResourceTag/stack", "LAB")]));
    }

    #[test]
    fn an_absent_key_fits_where_it_is_said_so_and_where_the_value_must_be_another() {
        let stack = ("aws:ResourceTag/stack", &["lab"][..]);
        let fits = |operator: &str| holds(operator, stack, &[]);
        assert!(!fits("StringEquals"));
        assert!(fits("StringEqualsIfExists"));
        assert!(fits("StringNotEquals"));
        assert!(fits("ForAllValues:StringEquals"));
        assert!(!fits("ForAnyValue:StringEquals"));
        assert!(!fits("ForAnyValue:StringNotEquals"));
        let null = |value, facts: &[(&str, &str)]| {
            holds("Null", ("aws:ResourceTag/stack", &[value]), facts)
        };
        assert_eq!((null("true", &[]), null("false", &[])), (true, false));
        let there = [("aws:ResourceTag/stack", "x")];
        assert_eq!((null("true", &there), null("false", &there)), (false, true));
    }

    #[test]
    fn several_values_are_counted() {
        let keys = ("aws:TagKeys", &["mirror-plan:*"][..]);
        let both = [("aws:TagKeys", "mirror-plan:stack"), ("aws:TagKeys", "team")];
        assert!(holds("ForAnyValue:StringLike", keys, &both));
        assert!(!holds("ForAllValues:StringLike", keys, &both));
        assert!(holds("ForAllValues:StringLike", keys, &both[..1]));
        assert!(!holds("ForAllValues:StringNotLike", keys, &both));
        assert!(holds("ForAnyValue:StringNotLike", keys, &both));
    }

    #[test]
    fn what_is_not_implemented_is_refused_by_name() {
        let refused = |operator: &str, value: &str| {
            Condition::parse(operator, "aws:CurrentTime", &[value.to_owned()]).unwrap_err()
        };
        assert!(refused("DateGreaterThan", "x").contains("DateGreaterThan"));
        assert!(refused("StringEquals", "${aws:username}").contains("${aws:username}"));
    }
}
