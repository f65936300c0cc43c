//! The tags of Auto Scaling groups, which are separate from EC2's: instances get them when they are launched.

use super::filter;
use super::group::AutoScalingGroup;
use super::page::{Page, Size};
use super::{constraint, invalid, required};
use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::tags::{Tags, check_key};
use crate::world::{Call, View};
use crate::xml::Xml;
use std::collections::{BTreeMap, BTreeSet};

/// Every action.
pub(super) const ACTIONS: &[Action] = &[
    Action::write("CreateOrUpdateTags", create).without_dry_run().without_result(),
    Action::write("DeleteTags", delete).without_dry_run().without_result(),
    Action::read("DescribeTags", describe).without_dry_run(),
];

/// The only type of resource that has tags here.
const RESOURCE_TYPE: &str = "auto-scaling-group";

/// Reads tags, and the keys of those that instances get too.
pub(super) fn listed(parameters: &Parameters) -> Outcome<(Tags, BTreeSet<String>)> {
    let tags = Tags::listed(parameters, "Tags").map_err(respelled)?;
    let mut propagated = BTreeSet::new();
    for tag in parameters.list("Tags") {
        if tag.boolean("PropagateAtLaunch")?.unwrap_or(false) {
            propagated.insert(required(tag, "Key")?.to_owned());
        }
    }
    Ok((tags, propagated))
}

fn respelled(failure: Failure) -> Failure {
    if failure.code == "TagLimitExceeded" {
        Failure { code: "LimitExceeded".to_owned(), ..failure }
    } else {
        failure
    }
}

/// The tags of a call by the name of their group; every group must exist.
fn by_group<'a>(call: &'a Call<'_>) -> Outcome<BTreeMap<&'a str, Vec<&'a Parameters>>> {
    let tags = call.parameters.list("Tags");
    if tags.is_empty() {
        return Err(constraint(("null", "Tags"), "Member must not be null"));
    }
    let mut by_group: BTreeMap<&str, Vec<&Parameters>> = BTreeMap::new();
    for tag in tags {
        match tag.given("ResourceType") {
            Some(RESOURCE_TYPE) => {}
            _ => {
                let message = "Missing or invalid resource type in one or more tags; it must be auto-scaling-group";
                return Err(invalid(message));
            }
        }
        let name = required(tag, "ResourceId")?;
        if !call.region.auto_scaling_groups.contains(name) {
            let message =
                format!("AutoScalingGroup not found - AutoScaling Group {name} not found");
            return Err(invalid(message));
        }
        by_group.entry(name).or_default().push(tag);
    }
    Ok(by_group)
}

fn create(call: &mut Call<'_>, _: &mut Xml) -> Outcome {
    listed(call.parameters)?;
    let mut changed = Vec::new();
    for (name, tags) in by_group(call)? {
        let Some(group) = call.region.auto_scaling_groups.get(name) else { continue };
        let mut group = group.clone();
        for tag in tags {
            let key = required(tag, "Key")?;
            group.tags.set(key, tag.text("Value").unwrap_or_default());
            if tag.boolean("PropagateAtLaunch")?.unwrap_or(false) {
                group.propagated.insert(key.to_owned());
            } else {
                group.propagated.remove(key);
            }
        }
        group.tags.add(&Tags::default()).map_err(respelled)?;
        changed.push(group);
    }
    for group in changed {
        call.region.auto_scaling_groups.insert(group.name.clone(), group);
    }
    Ok(())
}

/// Handles `DeleteTags`: deletes a key, whatever its value, unless a value is given that it does not have.
fn delete(call: &mut Call<'_>, _: &mut Xml) -> Outcome {
    let mut changed = Vec::new();
    for (name, tags) in by_group(call)? {
        let Some(group) = call.region.auto_scaling_groups.get(name) else { continue };
        let mut group = group.clone();
        for tag in tags {
            let key = required(tag, "Key")?;
            check_key(key)?;
            group.tags.remove(key, tag.text("Value"));
            if group.tags.value(key).is_none() {
                group.propagated.remove(key);
            }
        }
        changed.push(group);
    }
    for group in changed {
        call.region.auto_scaling_groups.insert(group.name.clone(), group);
    }
    Ok(())
}

fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    const SET: &str = "Tags";
    let page = Page::parse(parameters, SET, Size { usual: 50, most: 100 })?;
    let filters = filter::read(parameters, filter::ON_TAGS)?;
    let groups = view.region.auto_scaling_groups.values();
    let all = groups.flat_map(|group| group.tags.iter().map(move |tag| (group, tag)));
    let accepted =
        all.filter(|(group, tag)| filters.iter().all(|filter| filter.accepts_tag(group, *tag)));
    // No group has a colon in its name.
    let rows = accepted.map(|(group, tag)| (format!("{}:{}", group.name, tag.0), (group, tag)));
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    page.write(xml, SET, rows, |xml, (group, tag)| write(group, tag, xml));
    Ok(())
}

/// Writes a tag of a group.
pub(super) fn write(group: &AutoScalingGroup, (key, value): (&str, &str), xml: &mut Xml) {
    xml.text("ResourceId", &group.name);
    xml.text("ResourceType", RESOURCE_TYPE);
    xml.text("Key", key);
    xml.text("Value", value);
    xml.text("PropagateAtLaunch", group.propagated.contains(key));
}
