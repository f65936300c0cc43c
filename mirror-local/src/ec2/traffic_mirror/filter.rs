//! Mirror filters. A new one has no rules and mirrors nothing.

use super::{description, filter_rule, limit, link};
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, Region, View, find};
use crate::xml::Xml;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A mirror filter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MirrorFilter {
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    /// Services of AWS whose traffic is mirrored too.
    pub(crate) services: BTreeSet<String>,
    pub(crate) tags: Tags,
}

/// The services that a filter can name.
const SERVICES: [&str; 1] = ["amazon-dns"];

tagged_row!(
    MirrorFilter,
    Kind {
        prefix: "tmf-",
        noun: "traffic mirror filter ID",
        resource_type: "traffic-mirror-filter",
        not_found: "InvalidTrafficMirrorFilterId.NotFound",
        malformed: "InvalidTrafficMirrorFilterId.Malformed",
        describe: "DescribeTrafficMirrorFilters",
    }
);

pub(super) const LISTING: Listing<MirrorFilter> = Listing {
    table: |region| &region.mirror_filters,
    ids: "TrafficMirrorFilterId",
    filters: &[
        ("description", |_, f| texts(f.description.as_ref())),
        ("traffic-mirror-filter-id", |_, f| texts([&f.id])),
    ],
    set: "trafficMirrorFilterSet",
    write: |view, filter, xml| write(view.region, filter, xml),
    page: 5..=1000,
};

pub(super) fn create(call: &mut Call<'_>) -> Outcome<String> {
    let quota = call.settings.quotas.mirror_filters;
    if call.region.mirror_filters.len() >= quota {
        return Err(limit("TrafficMirrorFilterLimitExceeded", "Traffic Mirror filters", quota));
    }
    let tags = Tags::specified(call.parameters, "traffic-mirror-filter")?;
    let id = call.region.draw_id("tmf-");
    let description = description(call.parameters);
    let filter = MirrorFilter { id: id.clone(), description, services: BTreeSet::new(), tags };
    call.region.mirror_filters.insert(&*id, filter);
    Ok(id)
}

pub(super) fn answer(view: View<'_>, id: &str, xml: &mut Xml) -> Option<()> {
    let filter = view.region.mirror_filters.get(id)?;
    xml.element("trafficMirrorFilter", |xml| write(view.region, filter, xml));
    Some(())
}

/// Handles `DeleteTrafficMirrorFilter`; the rules are deleted with the filter.
pub(super) fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let filter = find(&call.region.mirror_filters, call.parameters, "TrafficMirrorFilterId")?;
    let id = filter.id.clone();
    if let Some(session) = link::first(call.region, &id, "tms-") {
        let message = format!("Cannot delete {id} . Filter is in use by {session}");
        return Err(Failure::new("TrafficMirrorFilterInUse", message));
    }
    for rule in link::all(call.region, &id, "tmfr-") {
        filter_rule::remove(call.region, &rule);
    }
    call.region.mirror_filters.remove(&id);
    xml.text("trafficMirrorFilterId", id);
    Ok(())
}

/// Handles `ModifyTrafficMirrorFilterNetworkServices`.
pub(super) fn modify_services(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    let id = find(&call.region.mirror_filters, parameters, "TrafficMirrorFilterId")?.id.clone();
    let add = parameters.texts("AddNetworkService");
    let remove = parameters.texts("RemoveNetworkService");
    if add.is_empty() && remove.is_empty() {
        return Err(Failure::missing("AddNetworkService"));
    }
    for service in add.iter().chain(&remove) {
        if !SERVICES.contains(service) {
            let why = format!("Valid values are: {}", SERVICES.join(", "));
            return Err(Failure::invalid(service, "NetworkService", why));
        }
    }
    if let Some(service) = add.iter().find(|service| remove.contains(service)) {
        let message = format!("The network service {service} cannot be added and removed at once.");
        return Err(Failure::combination(message));
    }
    if let Some(filter) = call.region.mirror_filters.get_mut(&id) {
        filter.services.extend(add.into_iter().map(str::to_owned));
        filter.services.retain(|service| !remove.contains(&&**service));
    }
    answer(call.view(), &id, xml).ok_or_else(|| Failure::internal("the filter is gone"))
}

fn write(region: &Region, filter: &MirrorFilter, xml: &mut Xml) {
    let rules = filter_rule::of(region, &filter.id);
    let looking = |direction| rules.iter().filter(move |rule| rule.direction == direction);
    xml.text("trafficMirrorFilterId", &filter.id);
    for (set, direction) in [
        ("ingressFilterRuleSet", filter_rule::Direction::Ingress),
        ("egressFilterRuleSet", filter_rule::Direction::Egress),
    ] {
        xml.items(set, looking(direction), |xml, rule| {
            filter_rule::write(rule, xml);
            rule.tags.write(xml);
        });
    }
    xml.element("networkServiceSet", |xml| {
        for service in &filter.services {
            xml.text("item", service);
        }
    });
    xml.optional("description", filter.description.as_ref());
    filter.tags.write(xml);
}
