//! Traffic mirroring: targets, filters with their rules, and sessions.
//!
//! Nothing here is found by scanning all rows: `link` knows what refers to what.

mod eligibility;
pub(crate) mod filter;
pub(crate) mod filter_rule;
pub(crate) mod link;
pub(crate) mod session;
pub(crate) mod target;

use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::filter::unknown;
use crate::listing::Listing;
use crate::parameters::Parameters;
use crate::table::Row;
use crate::world::{Region, View};
use crate::xml::Xml;
use std::ops::RangeInclusive;

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::create("CreateTrafficMirrorFilter", filter::create, filter::answer),
    Action::create("CreateTrafficMirrorFilterRule", filter_rule::create, filter_rule::answer),
    Action::create("CreateTrafficMirrorSession", session::create, session::answer),
    Action::create("CreateTrafficMirrorTarget", target::create, target::answer),
    Action::write("DeleteTrafficMirrorFilter", filter::delete),
    Action::write("DeleteTrafficMirrorFilterRule", filter_rule::delete),
    Action::write("DeleteTrafficMirrorSession", session::delete),
    Action::write("DeleteTrafficMirrorTarget", target::delete),
    Action::read("DescribeTrafficMirrorFilterRules", filter_rule::describe),
    Action::read("DescribeTrafficMirrorFilters", |view, parameters, xml| {
        describe(&filter::LISTING, view, parameters, xml)
    }),
    Action::read("DescribeTrafficMirrorSessions", session::describe),
    Action::read("DescribeTrafficMirrorTargets", target::describe),
    Action::write("ModifyTrafficMirrorFilterNetworkServices", filter::modify_services),
    Action::write("ModifyTrafficMirrorFilterRule", filter_rule::modify),
    Action::write("ModifyTrafficMirrorSession", session::modify),
];

/// Removes what depends on an interface that is being deleted: the sessions of which it is the
/// source.
///
/// A target on the interface stays, with its sessions: they merely stop mirroring.
pub(crate) fn interface_removed(region: &mut Region, interface: &str) {
    for session in link::all(region, interface, "tms-") {
        session::remove(region, &session);
    }
}

fn describe<T: Row>(
    listing: &Listing<T>,
    view: View<'_>,
    parameters: &Parameters,
    xml: &mut Xml,
) -> Outcome {
    refuse_tag_filters(parameters)?;
    listing.answer(view, parameters, xml)
}

/// Refuses the filters by tag: AWS defines them for almost every kind, but for none of these.
fn refuse_tag_filters(parameters: &Parameters) -> Outcome {
    let filters = parameters.list("Filter");
    let mut names = filters.iter().filter_map(|filter| filter.text("Name"));
    match names.find(|name| name.starts_with("tag:") || *name == "tag-key") {
        Some(name) => Err(unknown(name)),
        None => Ok(()),
    }
}

/// Reads a number that must lie in a range.
fn bounded(
    parameters: &Parameters,
    name: &str,
    range: RangeInclusive<u32>,
) -> Outcome<Option<u32>> {
    let Some(text) = parameters.text(name) else { return Ok(None) };
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.map(Some).ok_or_else(|| {
        let why = format!("Expecting a value between {} and {}.", range.start(), range.end());
        Failure::invalid(text, &parameters.full_name(name), why)
    })
}

/// Reads the names of optional attributes that a call removes.
fn removed_fields<'a>(parameters: &'a Parameters, known: &[(&str, &str)]) -> Outcome<Vec<&'a str>> {
    let removed = parameters.texts("RemoveField");
    for field in &removed {
        let Some((_, parameter)) = known.iter().find(|(name, _)| name == field) else {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            let why = format!("Valid values are: {}", names.join(", "));
            return Err(Failure::invalid(field, "RemoveField", why));
        };
        if parameters.structure(parameter).is_some() {
            let message = format!("The parameter {parameter} cannot be set and removed at once.");
            return Err(Failure::combination(message));
        }
    }
    Ok(removed)
}

/// Reads a description; an empty one counts as none.
fn description(parameters: &Parameters) -> Option<String> {
    parameters.text("Description").filter(|text| !text.is_empty()).map(str::to_owned)
}

fn limit(code: &str, what: &str, limit: usize) -> Failure {
    Failure::new(code, format_args!("The maximum number of {what} has been reached ({limit})."))
}
