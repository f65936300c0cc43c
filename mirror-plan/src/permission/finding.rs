//! Denials as findings: each with AWS's message, the details that it encodes, and the statement that would allow the
//! call.

use crate::address::Address;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::iam::{self, Location};
use crate::stack::Stack;

use super::{Checked, Denial, Detail, Permissions};

/// How many denials of one call are reported in full: a stack may have ten thousand sessions.
const IN_FULL: usize = 5;

/// How many resources of one denial are named.
const NAMED: usize = 5;

/// Returns an error for each denial among the answers; equal denials are reported once.
#[must_use]
pub fn findings(permissions: &Permissions, stack: &Stack, location: &Location) -> Diagnostics {
    let mut found: Vec<Alike<'_>> = Vec::new();
    for (checked, denial) in permissions.denied() {
        match found.iter_mut().find(|alike| alike.is_of(checked, denial)) {
            Some(alike) => alike.addresses.push(&checked.address),
            None => found.push(Alike { checked, denial, addresses: vec![&checked.address] }),
        }
    }
    let mut all = Vec::new();
    let mut told: Vec<(&str, usize)> = Vec::new();
    for alike in &found {
        let action = alike.checked.access.action;
        let place = told.iter().position(|(known, _)| *known == action).unwrap_or_else(|| {
            told.push((action, 0));
            told.len() - 1
        });
        told[place].1 += 1;
        if told[place].1 <= IN_FULL {
            all.push(alike.finding(stack, location));
        }
    }
    let rest = told.iter().filter(|(_, count)| *count > IN_FULL);
    all.extend(rest.map(|(action, count)| {
        let title = format!("{} more denials of {action}", count - IN_FULL);
        Diagnostic::error(code::DENIED, title).help("`mirror plan --json` lists all of them")
    }));
    all.into_iter().collect()
}

/// Refuses a plan with calls that are denied.
///
/// # Errors
/// If any call is denied; the error states how many.
pub fn refuse(permissions: &Permissions) -> Result<(), Diagnostics> {
    let title = match permissions.counts().denied {
        0 => return Ok(()),
        1 => "a call of this plan is denied".to_owned(),
        count => format!("{count} calls of this plan are denied"),
    };
    Err(Diagnostic::error(code::DENIED, title)
        .note("an apply with these credentials would stop half-way")
        .help("grant what is missing: `mirror iam --apply` prints all that the stack needs")
        .help("or ask with the credentials that the apply will use")
        .into())
}

/// Denials that differ only in the resource that they are about.
struct Alike<'p> {
    checked: &'p Checked,
    denial: &'p Denial,
    addresses: Vec<&'p Address>,
}

impl Alike<'_> {
    fn is_of(&self, checked: &Checked, denial: &Denial) -> bool {
        let Denial { message, encoded: _, detail } = denial;
        // The same details may be encoded in many ways.
        self.checked.access == checked.access
            && self.denial.message == *message
            && self.denial.detail == *detail
    }

    fn finding(&self, stack: &Stack, location: &Location) -> Diagnostic {
        let Self { checked, denial, addresses } = self;
        let call = format!("{}:{}", checked.access.service.prefix(), checked.access.action);
        let lacking = denial.lacking().filter(|lacking| *lacking != call);
        let title = match lacking {
            Some(lacking) => format!("{call} is denied: it needs {lacking}"),
            None => format!("{call} is denied"),
        };
        let mut finding = Diagnostic::error(code::DENIED, title);
        if let [address] = addresses.as_slice() {
            let declared = stack.resources.get(*address);
            let head = declared.and_then(|declared| Some(declared.place.as_ref()?.head.clone()));
            finding = finding.of(address).at(head, "for this");
        } else {
            finding = finding.note(listed(addresses));
        }
        finding = finding.note(format!("AWS: {}", denial.message));
        finding = detailed(finding, denial);
        let action = lacking.unwrap_or(&call);
        let kind = checked.address.kind;
        if denial.is_explicit() {
            return finding.help(
                "no other policy can allow what one denies: look for the statement in the policies of the \
                 caller, its permissions boundary and its organization",
            );
        }
        let statements = iam::allowing(stack, location, (kind, checked.access), action);
        statements.into_iter().fold(finding, |finding, statement| {
            finding.help(format!("allow it, as `mirror iam --apply` does: {statement}"))
        })
    }
}

/// Returns `for 12 resources: a, b, c, d, e and 7 more`.
fn listed(addresses: &[&Address]) -> String {
    let named =
        addresses.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let more = match addresses.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("for {} resources: {named}{more}", addresses.len())
}

/// Adds what the encoded part states, or why that is not known.
fn detailed(finding: Diagnostic, denial: &Denial) -> Diagnostic {
    match (&denial.detail, &denial.encoded) {
        (Detail::Decoded(decision), _) => {
            let conditions = decision.conditions.iter();
            let known = conditions.map(|(key, values)| format!("{key} = {}", values.join(", ")));
            let known: Vec<String> = known.collect();
            let finding = finding.note(format!("decoded: {decision}"));
            if known.is_empty() {
                finding
            } else {
                finding.note(format!("the request had: {}", known.join("; ")))
            }
        }
        (Detail::Undecoded(why), Some(encoded)) => finding
            .note(format!("AWS says more, but it could not be decoded: {why}"))
            .help(format!(
                "whoever has sts:DecodeAuthorizationMessage can read it: aws sts \
                 decode-authorization-message --encoded-message {encoded}"
            )),
        (Detail::Undecoded(_) | Detail::None, _) => finding.note("AWS gives no details"),
    }
}
