//! Regions and their Availability Zones.

use crate::action::Action;
use crate::catalogue::Catalogue;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::parameters::Parameters;
use crate::world::View;
use crate::xml::Xml;

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeAvailabilityZones", describe_zones),
    Action::read("DescribeRegions", describe_regions),
];

/// Zones in each Region.
const LETTERS: [char; 3] = ['a', 'b', 'c'];

/// The Regions that every account can use.
const REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Returns the names of a Region's zones.
pub(crate) fn names(region: &str) -> Vec<String> {
    LETTERS.iter().map(|letter| format!("{region}{letter}")).collect()
}

/// Returns the id of a zone: `use1-az1` for `us-east-1a`.
pub(crate) fn id(zone: &str) -> String {
    let number = zone.bytes().last().map_or(1, |letter| letter.saturating_sub(b'a') + 1);
    let region = zone.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let mut short = String::new();
    for (index, part) in region.split('-').enumerate() {
        match part {
            _ if index == 0 => short.push_str(part),
            "northeast" => short.push_str("ne"),
            "northwest" => short.push_str("nw"),
            "southeast" => short.push_str("se"),
            "southwest" => short.push_str("sw"),
            _ => short.extend(part.chars().next()),
        }
    }
    format!("{short}-az{number}")
}

const ZONES: Catalogue<String> = Catalogue {
    key: |_, zone| zone.clone(),
    filters: &[
        ("group-long-name", |_, _| Vec::new()),
        ("group-name", |view, _| texts([&view.region.name])),
        ("message", |_, _| Vec::new()),
        ("opt-in-status", |_, _| texts(["opt-in-not-required"])),
        ("parent-zone-id", |_, _| Vec::new()),
        ("parent-zone-name", |_, _| Vec::new()),
        ("region-name", |view, _| texts([&view.region.name])),
        ("state", |_, _| texts(["available"])),
        ("zone-id", |_, zone| texts([id(zone)])),
        ("zone-name", |_, zone| texts([zone])),
        ("zone-type", |_, _| texts(["availability-zone"])),
    ],
    tags: None,
    set: "availabilityZoneInfo",
    write: |view, zone, xml| {
        xml.text("groupName", &view.region.name);
        xml.items("messageSet", [(); 0], |_, ()| {});
        xml.text("networkBorderGroup", &view.region.name);
        xml.text("optInStatus", "opt-in-not-required");
        xml.text("regionName", &view.region.name);
        xml.text("zoneId", id(zone));
        xml.text("zoneName", zone);
        xml.text("zoneState", "available");
        xml.text("zoneType", "availability-zone");
    },
    page: 5..=1000,
};

fn describe_zones(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let mut zones = view.region.zones();
    let (names, ids) = (parameters.texts("ZoneName"), parameters.texts("ZoneId"));
    let strange = names.iter().find(|name| !zones.iter().any(|zone| zone == *name));
    let strange =
        strange.or_else(|| ids.iter().find(|i| !zones.iter().any(|zone| id(zone) == **i)));
    if let Some(name) = strange {
        return Err(Failure::new(
            "InvalidParameterValue",
            format_args!("Invalid availability zone: [{name}]"),
        ));
    }
    zones.retain(|zone| {
        (names.is_empty() || names.contains(&zone.as_str()))
            && (ids.is_empty() || ids.contains(&id(zone).as_str()))
    });
    ZONES.answer(view, parameters, &zones, xml)
}

const REGION_CATALOGUE: Catalogue<&str> = Catalogue {
    key: |_, name| (*name).to_owned(),
    filters: &[
        ("endpoint", |_, name| texts([endpoint(name)])),
        ("opt-in-status", |_, _| texts(["opt-in-not-required"])),
        ("region-name", |_, name| texts([name])),
    ],
    tags: None,
    set: "regionInfo",
    write: |_, name, xml| {
        xml.text("optInStatus", "opt-in-not-required");
        xml.text("regionEndpoint", endpoint(name));
        xml.text("regionName", name);
    },
    page: 5..=1000,
};

fn endpoint(region: &str) -> String {
    format!("ec2.{region}.amazonaws.com")
}

fn describe_regions(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let names = parameters.texts("RegionName");
    if let Some(name) = names.iter().find(|name| !REGIONS.contains(name)) {
        return Err(Failure::new(
            "InvalidParameterValue",
            format_args!("Invalid region provided: {name}"),
        ));
    }
    let wanted = REGIONS.iter().filter(|name| names.is_empty() || names.contains(name));
    REGION_CATALOGUE.answer(view, parameters, wanted, xml)
}

#[cfg(test)]
mod tests {
    #[test]
    fn zone_ids_are_abbreviated() {
        assert_eq!(super::id("us-east-1a"), "use1-az1");
        assert_eq!(super::id("ap-southeast-2c"), "apse2-az3");
        assert_eq!(super::id("us-gov-west-1b"), "usgw1-az2");
    }
}
