//! What AWS answered about the calls of a plan, as text and as JSON: a line for each call, with how often it is
//! sent. The denials themselves are findings ([`crate::permission::findings`]).

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Value as Json, json};

use crate::address::Address;
use crate::permission::{
    Checked, Counts, Decision, Denial, Detail, Permissions, Unchecked, Verdict,
};

/// How many of the resources that must exist first are named at most.
const NAMED: usize = 4;

/// What AWS answered about the calls of a plan, to be printed.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'p>(pub &'p Permissions);

/// `Permissions: 3 calls are allowed, 1 is denied, 18 are not checked.`
#[must_use]
pub fn title(permissions: &Permissions) -> String {
    let Counts { allowed, denied, not_checked } = permissions.counts();
    let number = |count: usize| if count == 1 { "is" } else { "are" };
    let plural = if allowed == 1 { "" } else { "s" };
    format!(
        "Permissions: {allowed} call{plural} {} allowed, {denied} {} denied, {not_checked} {} not checked.",
        number(allowed),
        number(denied),
        number(not_checked),
    )
}

/// The title, then a line for each call: the answer, how often it is sent, its name, and why the answer is not
/// known.
impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", title(self.0))?;
        let lines = Line::all(self.0);
        let widest =
            lines.iter().map(|line| line.count.to_string().len()).max().unwrap_or_default();
        for Line { said, call, count, why } in lines {
            write!(f, "  {:<11}  {count:>widest$}  {call}", said.word())?;
            match why {
                Some(why) => writeln!(f, ": {why}")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

/// An answer without its details; what needs attention comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Denied,
    Allowed,
    NotChecked,
}

impl Said {
    const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Allowed => Self::Allowed,
            Verdict::Denied(_) => Self::Denied,
            Verdict::NotChecked(_) => Self::NotChecked,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Allowed => "allowed",
            Self::NotChecked => "not checked",
        }
    }
}

/// Calls with the same name and the same answer for the same reason.
struct Line {
    said: Said,
    call: String,
    count: usize,
    why: Option<String>,
}

impl Line {
    /// The lines in order: by answer, then in the order of the calls in the plan.
    fn all(permissions: &Permissions) -> Vec<Self> {
        let mut groups: Vec<(Said, String, Option<Reason>, usize)> = Vec::new();
        for checked in &permissions.calls {
            let (said, call) = (Said::of(&checked.verdict), name(checked));
            let reason = Reason::of(&checked.verdict);
            let like = |group: &&mut (Said, String, Option<Reason>, usize)| {
                let (of, other, why, _) = group;
                *of == said && *other == call && Reason::are_alike(why.as_ref(), reason.as_ref())
            };
            match groups.iter_mut().find(like) {
                Some((_, _, why, count)) => {
                    *count += 1;
                    if let (Some(Reason::After(all)), Some(Reason::After(more))) = (why, reason) {
                        all.extend(more);
                    }
                }
                None => groups.push((said, call, reason, 1)),
            }
        }
        groups.sort_by_key(|(said, ..)| *said);
        let line = |(said, call, reason, count): (Said, String, Option<Reason>, usize)| Self {
            said,
            call,
            count,
            why: reason.map(|reason| reason.to_string()),
        };
        groups.into_iter().map(line).collect()
    }
}

/// Why a call is not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    After(BTreeSet<Address>),
    Other(Unchecked),
}

impl Reason {
    fn of(verdict: &Verdict) -> Option<Self> {
        match verdict {
            Verdict::Allowed | Verdict::Denied(_) => None,
            Verdict::NotChecked(Unchecked::AfterApply(needs)) => Some(Self::After(needs.clone())),
            Verdict::NotChecked(why) => Some(Self::Other(why.clone())),
        }
    }

    /// Whether two reasons share a line: all calls that wait for something do.
    fn are_alike(one: Option<&Self>, other: Option<&Self>) -> bool {
        match (one, other) {
            (Some(Self::After(_)), Some(Self::After(_))) => true,
            (one, other) => one == other,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needs = match self {
            Self::Other(why) => return write!(f, "{why}"),
            Self::After(needs) => needs,
        };
        let named: Vec<String> = needs.iter().take(NAMED).map(ToString::to_string).collect();
        write!(f, "known after apply: {}", named.join(", "))?;
        match needs.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl fmt::Display for Unchecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDryRun => f.write_str("AWS has no dry run for it"),
            Self::OtherAccount(name) => write!(f, "{name} sends it, and that account is not asked"),
            Self::AfterApply(needs) => Reason::After(needs.clone()).fmt(f),
            Self::Unread(why) | Self::NoAnswer(why) => f.write_str(why),
            Self::OtherAnswer { code, message } => write!(f, "AWS answered {code}: {message}"),
            Self::DryRunIgnored => {
                f.write_str("the endpoint does not support dry runs, so nothing was asked")
            }
        }
    }
}

/// `ec2:CreateVpc`.
fn name(checked: &Checked) -> String {
    format!("{}:{}", checked.access.service.prefix(), checked.access.action)
}

/// Returns the same as JSON, for programs: the counts, and every call.
#[must_use]
pub fn json(permissions: &Permissions) -> Json {
    let Counts { allowed, denied, not_checked } = permissions.counts();
    let calls: Vec<Json> = permissions.calls.iter().map(call).collect();
    json!({ "allowed": allowed, "denied": denied, "not_checked": not_checked, "calls": calls })
}

fn call(checked: &Checked) -> Json {
    let said = match Said::of(&checked.verdict) {
        Said::Denied => "denied",
        Said::Allowed => "allowed",
        Said::NotChecked => "not_checked",
    };
    let mut call = json!({
        "resource": checked.address.to_string(), "action": name(checked), "verdict": said,
    });
    match &checked.verdict {
        Verdict::Allowed => {}
        Verdict::Denied(denial) => call["denial"] = denial_json(denial),
        Verdict::NotChecked(why) => call["not_checked"] = unchecked(why),
    }
    call
}

fn denial_json(denial: &Denial) -> Json {
    let Denial { message, encoded, detail } = denial;
    let (decoded, why) = match detail {
        Detail::Decoded(decision) => {
            let Decision { document, .. } = &**decision;
            (document.clone(), None)
        }
        Detail::Undecoded(why) => (Json::Null, Some(why)),
        Detail::None => (Json::Null, None),
    };
    json!({
        "message": message,
        "lacking": denial.lacking(),
        "explicit": denial.is_explicit(),
        "encoded": encoded,
        "decoded": decoded,
        "not_decoded_because": why,
    })
}

fn unchecked(why: &Unchecked) -> Json {
    let mut members = json!({ "why": why.to_string() });
    let (sort, detail) = match why {
        Unchecked::NoDryRun => ("no_dry_run", None),
        Unchecked::OtherAccount(name) => ("other_account", Some(("aws", json!(name.name())))),
        Unchecked::AfterApply(needs) => {
            let needs: Vec<String> = needs.iter().map(ToString::to_string).collect();
            ("known_after_apply", Some(("resources", json!(needs))))
        }
        Unchecked::Unread(_) => ("not_read", None),
        Unchecked::OtherAnswer { code, message: _ } => {
            ("other_answer", Some(("code", json!(code))))
        }
        Unchecked::NoAnswer(_) => ("no_answer", None),
        Unchecked::DryRunIgnored => ("dry_run_ignored", None),
    };
    members["sort"] = sort.into();
    if let Some((name, value)) = detail {
        members[name] = value;
    }
    members
}
