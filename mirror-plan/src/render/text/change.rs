//! One change: the comment lines above its block, and the block.

use std::fmt;

use super::entry::{Entry, Mark, Side};
use super::layout::{write_entries, write_hidden};
use super::{Text, UserData};
use crate::address::Address;
use crate::attribute::{Presence, Type};
use crate::packet::{Mirrored, TrafficChange};
use crate::plan::{Action, Capture, CaptureGap, Change, EachOf, Plan, Reason};
use crate::render::estimate::about;
use crate::render::{Palette, Wording, fan_out, sharing};
use crate::resource::{ReplaceOrder, computed, object_type};
use crate::value::{Cause, Origin, Unknown, Value};

/// Attributes that are shown even if they are unchanged, so that a reader knows what the block is.
const ALWAYS: [&str; 3] = ["id", "name", "tags"];

/// How many lines of packets are shown above one block: a change is to be read, not scrolled through.
const PACKET_LINES_MAX: usize = 10;

/// Writes all changes, each followed by a blank line; changes of sessions over sources take one line each.
pub(super) fn write_all(f: &mut fmt::Formatter<'_>, text: &Text<'_>) -> fmt::Result {
    let Text { plan, palette, wording, user_data: _ } = text;
    let mut under: Option<&Address> = None;
    for change in plan.changes.iter().filter(|change| change.action != Action::NoOp) {
        // Programs that read Terraform's text look for a comment above each resource.
        let block = match wording {
            Wording::Mirror => fan_out::block_of(plan, change),
            Wording::Terraform => None,
        };
        let address = block.map(|(address, _)| address);
        if under.is_some() && under != address {
            writeln!(f)?;
        }
        match block {
            None => {
                write(f, text, change)?;
                writeln!(f)?;
            }
            Some((address, each)) => {
                if under != Some(address) {
                    write_head(f, (plan, palette), (address, each))?;
                }
                write_line(f, (change, each), palette)?;
            }
        }
        under = address;
    }
    if under.is_some() { writeln!(f) } else { Ok(()) }
}

/// Writes what all sessions of a block over sources have in common.
fn write_head(
    f: &mut fmt::Formatter<'_>,
    (plan, palette): (&Plan, &Palette),
    (block, each): (&Address, &EachOf),
) -> fmt::Result {
    let strong = palette.strong;
    writeln!(
        f,
        "  {strong}# {block}{strong:#} is a session for each interface of {}",
        each.sources
    )?;
    for line in fan_out::attributes(plan, block, each) {
        writeln!(f, "  #   {line}")?;
    }
    Ok(())
}

/// Writes the change of a session over sources.
pub(super) fn write_line(
    f: &mut fmt::Formatter<'_>,
    (change, each): (&Change, &EachOf),
    palette: &Palette,
) -> fmt::Result {
    write_symbol(f, change.action, palette)?;
    let moved = change.moved_from.iter().map(|from| format!("moved from {from}"));
    let particulars = Some(fan_out::particulars(change, each)).filter(|text| !text.is_empty());
    match moved.chain(particulars).collect::<Vec<_>>().join(", ") {
        text if text.is_empty() => writeln!(f, " {}", change.address),
        text => writeln!(f, " {}: {text}", change.address),
    }
}

/// Writes the change, without the blank line after it.
pub(super) fn write(f: &mut fmt::Formatter<'_>, text: &Text<'_>, change: &Change) -> fmt::Result {
    let Text { plan, palette, wording, user_data } = text;
    write_comment(f, change, palette)?;
    if let Some(capture) = change.capture {
        write_capture(f, capture, plan.capture_gap(change))?;
    }
    if let Some(line) = fan_out::leaves(plan, change.after.as_ref()) {
        writeln!(f, "  # {line}")?;
    }
    for line in sharing::lines(plan, change) {
        writeln!(f, "  # {line}")?;
    }
    if let Some(TrafficChange { begins, ends }) = TrafficChange::of(plan, change) {
        write_packets(f, "mirrored from now on", &begins)?;
        write_packets(f, "no longer mirrored", &ends)?;
    }
    write_symbol(f, change.action, palette)?;
    let (keyword, kind) = match wording {
        Wording::Mirror => ("", change.kind().to_string()),
        Wording::Terraform => ("resource ", format!("\"{}\"", change.kind())),
    };
    writeln!(f, " {keyword}{kind} \"{}\" {{", change.address.name)?;
    let id = change.id.as_ref().map(|id| Value::String(id.to_string()));
    let entries = entries(change, id.as_ref(), *user_data);
    let shown =
        |entry: &Entry| entry.mark != Mark::Same || ALWAYS.iter().any(|name| entry.is_named(name));
    let (shown, hidden): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(shown);
    write_entries(f, &shown, 1, palette)?;
    write_hidden(f, hidden.len(), "attribute", 1, palette)?;
    writeln!(f, "    }}")
}

/// Writes the three columns before a block.
pub(super) fn write_symbol(
    f: &mut fmt::Formatter<'_>,
    action: Action,
    palette: &Palette,
) -> fmt::Result {
    let Palette { create, update, delete, .. } = palette;
    match action {
        Action::NoOp | Action::Move => write!(f, "   "),
        Action::Create => write!(f, "  {create}+{create:#}"),
        Action::Update => write!(f, "  {update}~{update:#}"),
        Action::Delete => write!(f, "  {delete}-{delete:#}"),
        Action::Replace(ReplaceOrder::DeleteThenCreate) => {
            write!(f, "{delete}-{delete:#}/{create}+{create:#}")
        }
        Action::Replace(ReplaceOrder::CreateThenDelete) => {
            write!(f, "{create}+{create:#}/{delete}-{delete:#}")
        }
    }
}

fn write_comment(f: &mut fmt::Formatter<'_>, change: &Change, palette: &Palette) -> fmt::Result {
    let Palette { strong, destroyed, .. } = palette;
    if let (Action::Move, Some(from)) = (change.action, &change.moved_from) {
        return writeln!(
            f,
            "  {strong}# {from}{strong:#} has moved to {strong}{}{strong:#}",
            change.address
        );
    }
    write!(f, "  {strong}# {}{strong:#}", change.address)?;
    if let Some(generation) = change.deposed {
        write!(f, " (deposed object {generation})")?;
    }
    match change.action {
        Action::NoOp | Action::Move => write!(f, " is as it should be"),
        Action::Create => write!(f, " will be created"),
        Action::Update => write!(f, " will be updated in-place"),
        Action::Delete => write!(f, " will be {destroyed}destroyed{destroyed:#}"),
        Action::Replace(_) if change.reasons.contains(&Reason::Requested) => {
            write!(f, " will be {destroyed}replaced{destroyed:#}, as requested")
        }
        Action::Replace(_) => write!(f, " must be {destroyed}replaced{destroyed:#}"),
    }?;
    writeln!(f)?;
    if let Some(from) = &change.moved_from {
        writeln!(f, "  # (moved from {from})")?;
    }
    for reason in &change.reasons {
        if let Some(text) = explanation(change, reason) {
            writeln!(f, "  # ({text})")?;
        }
    }
    Ok(())
}

/// Writes the packets that begin or cease to be mirrored, one line for each set block.
fn write_packets(f: &mut fmt::Formatter<'_>, what: &str, packets: &Mirrored) -> fmt::Result {
    let lines = packets.lines();
    for line in lines.iter().take(PACKET_LINES_MAX) {
        writeln!(f, "  # {what}: {line}")?;
    }
    match lines.len().saturating_sub(PACKET_LINES_MAX) {
        0 => Ok(()),
        more => writeln!(f, "  # {what}: {more} more, see the JSON of the plan"),
    }
}

/// The explanation of a reason, if the attributes below do not show it.
fn explanation(change: &Change, reason: &Reason) -> Option<String> {
    match reason {
        Reason::Absent
        | Reason::Destroy
        | Reason::Requested
        | Reason::Changed { attribute: _ }
        | Reason::Forced { attribute: _ } => None,
        Reason::NotInStack => Some(format!("because {} is not in the stack", change.address)),
        Reason::LeftOver => Some("left over from an unfinished replacement".to_owned()),
        Reason::Occupied { .. }
        | Reason::ServesReplaced { .. }
        | Reason::HoldsGroup { .. }
        | Reason::GoesWith { .. }
        | Reason::DestinationTaken => Some(format!("because {reason}")),
    }
}

/// Writes what a change means for the packets that are being mirrored.
fn write_capture(
    f: &mut fmt::Formatter<'_>,
    capture: Capture,
    gap: Option<CaptureGap>,
) -> fmt::Result {
    match (capture, gap) {
        (Capture::Begins, _) => writeln!(f, "  # capture begins"),
        (Capture::Continues, _) => writeln!(f, "  # capture gap: none"),
        (Capture::Gap, Some(gap)) => {
            let waits = gap.waits().iter();
            let waits: Vec<String> =
                waits.map(|(wait, time)| format!("{wait} {}", about(*time))).collect();
            let (gap, waits) = (about(gap.estimate()), waits.join(", "));
            writeln!(f, "  # capture gap: about {gap}, until the new session exists ({waits})")
        }
        (Capture::Gap, None) => {
            writeln!(f, "  # capture gap: until the new session exists")
        }
        (Capture::Ends, _) => writeln!(f, "  # capture ends"),
    }
}

/// The attributes of a change: `id`, those of the stack file, and those that only AWS reports.
fn entries(change: &Change, id: Option<&Value>, user_data: UserData) -> Vec<Entry> {
    let made = matches!(change.action, Action::Create | Action::Replace(_));
    let after_id = match change.action {
        Action::Create | Action::Replace(_) => Side::Later,
        Action::NoOp | Action::Move | Action::Update => Side::of(id),
        Action::Delete => Side::Nothing,
    };
    let id = Entry::between(Side::of(id), after_id, None).map(|entry| entry.named("id"));

    let member = |object: &Option<Value>, name: &str| match object {
        Some(Value::Object(members)) => members.get(name).cloned(),
        _ => None,
    };
    let object = object_type(change.kind());
    let configured = object.attributes.iter().filter_map(|attribute| {
        let before = member(&change.before, attribute.name);
        let after = member(&change.after, attribute.name);
        let (before, after) = match user_data {
            UserData::Hidden => (before, after),
            UserData::Shown => uncovered(before, after),
        };
        let before = filled(before.as_ref());
        let after = match filled(after.as_ref()) {
            Side::Nothing if made && matches!(attribute.presence, Presence::Chosen) => Side::Later,
            Side::Is(Value::Unknown(unknown)) if is_own(unknown, change, attribute.name) => {
                Side::Later
            }
            side => side,
        };
        let mut entry =
            Entry::between(before, after, Some(&attribute.holds))?.named(attribute.name);
        entry.forces_replacement = change.differences.iter().any(|difference| {
            difference.attribute == attribute.name && difference.forces_replacement
        });
        Some(entry)
    });

    let told_by_aws = computed(change.kind()).iter().filter(|computed| {
        change.action == Action::Create
            && computed.name != "id"
            && object.attribute(computed.name).is_none()
    });
    let told_by_aws = told_by_aws.filter_map(|computed| {
        Entry::between(Side::Nothing, Side::Later, Some(&Type::Bool))
            .map(|entry| entry.named(computed.name))
    });
    id.into_iter().chain(configured).chain(told_by_aws).collect()
}

/// A value before and after, with user data revealed where it may be shown: the value after decides.
fn uncovered(before: Option<Value>, after: Option<Value>) -> (Option<Value>, Option<Value>) {
    let shown = |value: &Value| match value {
        Value::Secret(secret) if secret.cause() == Cause::UserData => {
            secret.reveal_text().map(|text| Value::String(text.to_owned()))
        }
        _ => None,
    };
    let Some(wanted) = after.as_ref().and_then(shown) else { return (before, after) };
    let now = before.as_ref().and_then(shown);
    (now.or(before), Some(wanted))
}

/// Whether a value waits for nothing but itself.
fn is_own(unknown: &Unknown, change: &Change, attribute: &str) -> bool {
    let is_own =
        |origin: &Origin| origin.address == change.address && origin.attribute == attribute;
    unknown.origins.iter().all(is_own)
}

/// A value. To a reader of attributes, an empty list is no value.
fn filled(value: Option<&Value>) -> Side<'_> {
    match value {
        Some(Value::List(items)) if items.is_empty() => Side::Nothing,
        Some(Value::Object(members)) if members.is_empty() => Side::Nothing,
        value => Side::of(value),
    }
}
