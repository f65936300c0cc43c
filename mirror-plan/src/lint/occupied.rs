//! Objects that are to be deleted although others have something in them.

use crate::address::Kind;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::observed::{Occupant, Occupation};
use crate::plan::{Change, Plan, Reason};
use crate::stack::Stack;
use crate::value::Value;

/// How many occupants of one object are listed.
const LISTED: usize = 10;

/// Returns what others have in the objects that a plan removes, in the order of its changes; nothing if the stack
/// allows it.
///
/// `aws::occupants` finds these occupants, also for a plan that destroys the stack.
#[must_use]
pub fn check_removal(stack: &Stack, plan: &Plan, occupants: &[Occupant]) -> Diagnostics {
    if stack.allow.iter().any(|allowance| allowance.code() == code::OCCUPIED) {
        return Diagnostics::new();
    }
    plan.changes.iter().filter_map(|change| occupied(stack, change, occupants)).collect()
}

fn occupied(stack: &Stack, change: &Change, occupants: &[Occupant]) -> Option<Diagnostic> {
    let id = change.id.as_ref()?;
    let all: Vec<&Occupant> = occupants.iter().filter(|occupant| occupant.of == *id).collect();
    let (first, rest) = all.split_first()?;
    let address = &change.address;
    let more = match rest.len() {
        0 => String::new(),
        1 => ", and one more".to_owned(),
        more => format!(", and {more} more"),
    };
    let place = stack.resources.get(address).and_then(|declared| declared.place.as_ref());
    let title = format!("`{address}` would be deleted, but {}{more}", told(change.kind(), first));
    let mut finding = Diagnostic::error(code::OCCUPIED, title)
        .of(address)
        .at(place.map(|place| place.head.clone()), "");
    for occupant in rest.iter().take(LISTED) {
        finding = finding.note(format!("{}, too", told(change.kind(), occupant)));
    }
    if rest.len() > LISTED {
        finding = finding.note(format!("{} more are not listed", rest.len() - LISTED));
    }
    let why = change.reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join("; ");
    let help = match first.sort {
        Occupation::Member => format!(
            "keep `{address}` until the Auto Scaling group's instances are replaced: changing its launch template does not replace them"
        ),
        _ => format!("remove or move it first, or keep `{address}`"),
    };
    Some(finding.note(format!("why `{address}` would be deleted: {why}")).help(help))
}

/// `instance i-... "web" is in it`.
fn told(ground: Kind, Occupant { of: _, sort, id, name }: &Occupant) -> String {
    let name = name.as_ref().map(|name| format!(" {}", Value::String(name.clone())));
    let does = match (ground, sort) {
        (_, Occupation::MirrorSession) => "uses it",
        (Kind::SecurityGroup, Occupation::SecurityGroup) => "names it in a rule",
        (Kind::InternetGateway, _) => "has a public address behind it",
        _ => "is in it",
    };
    format!("{} {id}{} {does}", sort.word(), name.unwrap_or_default())
}
