//! Policies: JSON documents in the language of IAM.
//!
//! What is read but not implemented is refused; no part of a policy is ignored.

use super::condition::Condition;
use super::pattern::{Pattern, Variable};
use super::{Check, Decision};
use serde_json::{Map, Value};
use std::str::FromStr;

/// The maximum length of a managed policy, not counting white space.
const LENGTH_MAX: usize = 6_144;

/// What a caller may do, in the language of IAM.
///
/// ```
/// use mirror_local::Policy;
///
/// let text = r#"{
///   "Version": "2012-10-17",
///   "Statement": { "Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*" }
/// }"#;
/// assert!(text.parse::<Policy>().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy(Vec<Statement>);

/// Why a text is not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(String);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Statement {
    /// Its name; empty where it has none.
    sid: String,
    effect: Decision,
    actions: Selection,
    resources: Selection,
    conditions: Vec<Condition>,
}

/// Which actions or resources a statement covers.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Selection {
    These(Vec<Pattern>),
    AllBut(Vec<Pattern>),
}

impl Selection {
    fn has(&self, text: &str) -> bool {
        let matched = |patterns: &[Pattern]| patterns.iter().any(|p| p.matches(text));
        match self {
            Self::These(patterns) => matched(patterns),
            Self::AllBut(patterns) => !matched(patterns),
        }
    }
}

impl Policy {
    /// The decision of the policy on a check, if any.
    pub(super) fn says(&self, check: &Check) -> Option<Decision> {
        let effects: Vec<Decision> = self.about(check).map(|statement| statement.effect).collect();
        if effects.contains(&Decision::Denied) {
            Some(Decision::Denied)
        } else {
            effects.first().copied()
        }
    }

    /// The names of the statements that deny a check.
    pub(super) fn denials<'p>(&'p self, check: &Check) -> Vec<&'p str> {
        let denials = self.about(check).filter(|statement| statement.effect == Decision::Denied);
        denials.map(|statement| &*statement.sid).collect()
    }

    /// The statements that apply to a check.
    fn about<'p>(&'p self, check: &Check) -> impl Iterator<Item = &'p Statement> {
        let action = check.action.to_ascii_lowercase();
        self.0.iter().filter(move |statement| {
            statement.actions.has(&action)
                && statement.resources.has(&check.resource)
                && statement.conditions.iter().all(|condition| condition.holds(&check.facts))
        })
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let length = text.chars().filter(|c| !c.is_whitespace()).count();
        if length > LENGTH_MAX {
            let message = format!("it has {length} characters, at most {LENGTH_MAX} are allowed");
            return Err(PolicyError(message));
        }
        let value: Value = serde_json::from_str(text).map_err(|e| PolicyError(e.to_string()))?;
        let mut members = object(value, "the policy")?;
        members.remove("Id");
        match members.remove("Version").as_ref().and_then(Value::as_str) {
            Some("2012-10-17") => {}
            other => return Err(PolicyError(format!("the Version {other:?} is not 2012-10-17"))),
        }
        let statements = match members.remove("Statement") {
            Some(Value::Array(statements)) => statements,
            Some(one) => vec![one],
            None => return Err(PolicyError("it has no Statement".to_owned())),
        };
        nothing_left(&members)?;
        statements.into_iter().map(statement).collect::<Result<_, _>>().map(Self)
    }
}

fn statement(value: Value) -> Result<Statement, PolicyError> {
    let mut members = object(value, "a statement")?;
    let sid = match members.remove("Sid") {
        None => String::new(),
        Some(Value::String(sid)) if sid.bytes().all(|b| b.is_ascii_alphanumeric()) => sid,
        Some(sid) => {
            return Err(PolicyError(format!("the Sid {sid} must have only letters and digits")));
        }
    };
    let effect = match members.remove("Effect").as_ref().and_then(Value::as_str) {
        Some("Allow") => Decision::Allowed,
        Some("Deny") => Decision::Denied,
        other => {
            return Err(PolicyError(format!("the Effect {other:?} is neither Allow nor Deny")));
        }
    };
    let actions = match selection(&mut members, "Action", "NotAction")? {
        Selection::These(p) => Selection::These(p.into_iter().map(Pattern::lowercase).collect()),
        Selection::AllBut(p) => Selection::AllBut(p.into_iter().map(Pattern::lowercase).collect()),
    };
    let resources = selection(&mut members, "Resource", "NotResource")?;
    let conditions = match members.remove("Condition") {
        Some(value) => conditions(object(value, "a Condition")?)?,
        None => Vec::new(),
    };
    nothing_left(&members)?;
    Ok(Statement { sid, effect, actions, resources, conditions })
}

fn selection(
    members: &mut Map<String, Value>,
    these: &str,
    all_but: &str,
) -> Result<Selection, PolicyError> {
    match (members.remove(these), members.remove(all_but)) {
        (Some(value), None) => patterns(value, these).map(Selection::These),
        (None, Some(value)) => patterns(value, all_but).map(Selection::AllBut),
        _ => Err(PolicyError(format!("a statement must have either {these} or {all_but}"))),
    }
}

fn patterns(value: Value, name: &str) -> Result<Vec<Pattern>, PolicyError> {
    let parse = |text: &String| {
        Pattern::parse(text).map_err(|Variable(text)| {
            PolicyError(format!("mirror-local has no value for the variable in {text}"))
        })
    };
    texts(value, name)?.iter().map(parse).collect()
}

fn conditions(operators: Map<String, Value>) -> Result<Vec<Condition>, PolicyError> {
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        for (key, values) in object(keys, &operator)? {
            let values = texts(values, &key)?;
            conditions.push(Condition::parse(&operator, &key, &values).map_err(PolicyError)?);
        }
    }
    Ok(conditions)
}

/// Reads one text or a list of texts.
fn texts(value: Value, name: &str) -> Result<Vec<String>, PolicyError> {
    let one = |value: Value| match value {
        Value::String(text) => Ok(text),
        Value::Bool(value) => Ok(value.to_string()),
        other => Err(PolicyError(format!("{name} is not a string: {other}"))),
    };
    match value {
        Value::Array(values) if values.is_empty() => {
            Err(PolicyError(format!("{name} has no values")))
        }
        Value::Array(values) => values.into_iter().map(one).collect(),
        value => one(value).map(|text| vec![text]),
    }
}

fn object(value: Value, name: &str) -> Result<Map<String, Value>, PolicyError> {
    match value {
        Value::Object(members) => Ok(members),
        other => Err(PolicyError(format!("{name} is not an object: {other}"))),
    }
}

fn nothing_left(members: &Map<String, Value>) -> Result<(), PolicyError> {
    match members.keys().next() {
        None => Ok(()),
        Some(name) => {
            Err(PolicyError(format!("mirror-local does not implement the element {name}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Facts, decide};
    use super::*;

    fn policy(statements: &str) -> Result<Policy, PolicyError> {
        format!(r#"{{ "Version": "2012-10-17", "Statement": [{statements}] }}"#).parse()
    }

    fn decided(statements: &str, action: &str, resource: &str) -> Decision {
        let (action, resource) = (action.to_owned(), resource.to_owned());
        let check = Check { action, resource, facts: Facts::default() };
        decide(&[policy(statements).unwrap()], &check)
    }

    #[test]
    fn a_denial_wins_and_silence_is_none() {
        let statements = r#"
            { "Effect": "Allow", "Action": ["EC2:*vpc"], "Resource": "arn:aws:ec2:*:*:vpc/*" },
            { "Effect": "Deny", "Action": "ec2:DeleteVpc", "Resource": "*/vpc-1" }"#;
        let decided = |action, resource| decided(statements, action, resource);
        assert_eq!(decided("ec2:DeleteVpc", "arn:aws:ec2:r:a:vpc/vpc-2"), Decision::Allowed);
        assert_eq!(decided("ec2:DeleteVpc", "arn:aws:ec2:r:a:vpc/vpc-1"), Decision::Denied);
        assert_eq!(decided("ec2:DeleteVpc", "arn:aws:ec2:r:a:subnet/s"), Decision::NotAllowed);
        assert_eq!(decided("ec2:CreateSubnet", "arn:aws:ec2:r:a:vpc/v"), Decision::NotAllowed);
    }

    #[test]
    fn all_but_some_is_every_other() {
        let statements = r#"{ "Effect": "Allow", "NotAction": "iam:*", "NotResource": "*:vpc/*" }"#;
        assert_eq!(decided(statements, "ec2:RunInstances", "a:subnet/b"), Decision::Allowed);
        assert_eq!(decided(statements, "iam:PassRole", "a:subnet/b"), Decision::NotAllowed);
        assert_eq!(decided(statements, "ec2:RunInstances", "a:vpc/b"), Decision::NotAllowed);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let fine = r#"{ "Effect": "Allow", "Action": "*", "Resource": "*" }"#;
        assert!(policy(fine).is_ok());
        for (from, to, word) in [
            ("\"Allow\"", "\"allow\"", "Effect"),
            ("\"Action\"", "\"Actions\"", "Action"),
            ("\"Action\"", "\"Principal\": \"*\", \"Action\"", "Principal"),
            ("\"Action\": \"*\"", "\"Action\": []", "Action"),
            ("\"Action\"", "\"Sid\": \"a b\", \"Action\"", "Sid"),
            ("\"Resource\": \"*\"", "\"Resource\": \"${aws:username}\"", "${aws:username}"),
        ] {
            let error = policy(&fine.replace(from, to)).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
        let long = format!("[\"{}\"]", "x".repeat(LENGTH_MAX));
        let error = policy(&fine.replace("\"Resource\": \"*\"", &format!("\"Resource\": {long}")));
        assert!(error.unwrap_err().to_string().contains("at most 6144"));
    }
}
