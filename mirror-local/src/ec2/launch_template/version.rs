//! The versions of launch templates.

use super::data::Data;
use super::{LaunchTemplate, named};
use crate::authorization;
use crate::catalogue::Catalogue;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::parameters::Parameters;
use crate::table::{Kind, Row};
use crate::world::{Call, Region, View};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A version of a launch template. It never changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LaunchTemplateVersion {
    template_id: String,
    number: u64,
    description: Option<String>,
    created: Timestamp,
    data: Data,
}

impl Row for LaunchTemplateVersion {
    const KIND: Kind = Kind { describe: "DescribeLaunchTemplateVersions", ..Kind::INTERNAL };
}

const DESCRIPTION_LENGTH_MAX: usize = 255;

/// Versions that one call may name.
const VERSIONS_MAX: usize = 200;

/// Which version is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reference {
    Default,
    Latest,
    Number(u64),
}

impl Reference {
    /// Reads `$Default`, `$Latest` or a number.
    pub(super) fn read(text: &str, parameter: &str) -> Outcome<Self> {
        match text {
            "$Default" => Ok(Self::Default),
            "$Latest" => Ok(Self::Latest),
            text => number(text, parameter).map(Self::Number),
        }
    }

    /// Returns the number that it refers to in a template.
    pub(super) fn of(self, template: &LaunchTemplate) -> u64 {
        match self {
            Self::Default => template.default_version,
            Self::Latest => template.latest_version,
            Self::Number(number) => number,
        }
    }
}

impl LaunchTemplateVersion {
    /// The parameters of a launch from this version, overlaid with those of a call.
    pub(super) fn launch(&self, over: &Parameters) -> Parameters {
        self.data.parameters().overlaid(over)
    }
}

/// Reads the number of a version.
pub(super) fn number(text: &str, parameter: &str) -> Outcome<u64> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| {
        Failure::invalid(text, parameter, "The version of a launch template is a whole number.")
    })
}

/// Reads the description that a call gives the version that it makes.
pub(super) fn description(parameters: &Parameters) -> Outcome<Option<String>> {
    let text = parameters.given("VersionDescription");
    if let Some(text) = text.filter(|text| text.chars().count() > DESCRIPTION_LENGTH_MAX) {
        let why = "A version description has at most 255 characters.";
        return Err(Failure::invalid(text, "versionDescription", why));
    }
    Ok(text.map(str::to_owned))
}

/// The key of a version: the versions of a template are adjacent, the oldest first.
fn key(template_id: &str, number: u64) -> String {
    format!("{template_id} {number:020}")
}

/// Returns the keys of the versions of a template.
pub(super) fn keys(region: &Region, template_id: &str) -> Vec<String> {
    let versions = region.launch_template_versions.starting_with(template_id);
    versions.map(|(key, _)| key.to_owned()).collect()
}

/// Returns a version of a template.
pub(super) fn get<'a>(
    region: &'a Region,
    template: &LaunchTemplate,
    number: u64,
) -> Outcome<&'a LaunchTemplateVersion> {
    region.launch_template_versions.get(&key(&template.id, number)).ok_or_else(|| {
        let id = &template.id;
        let message = format!(
            "Could not find the specified version {number} for the launch template with ID {id}."
        );
        Failure::new("InvalidLaunchTemplateId.VersionNotFound", message)
    })
}

/// Adds a version to an existing template; returns its key.
pub(super) fn add(
    call: &mut Call<'_>,
    template_id: &str,
    (description, data): (Option<String>, Data),
) -> String {
    let mut number = 1;
    if let Some(template) = call.region.launch_templates.get_mut(template_id) {
        template.latest_version += 1;
        number = template.latest_version;
    }
    let template_id = template_id.to_owned();
    let key = key(&template_id, number);
    let version =
        LaunchTemplateVersion { template_id, number, description, created: call.now, data };
    call.region.launch_template_versions.insert(&*key, version);
    key
}

/// Handles `CreateLaunchTemplateVersion`.
pub(super) fn create(call: &mut Call<'_>) -> Outcome<String> {
    let parameters = call.parameters;
    parameters.refuse(&["ResolveAlias"])?;
    let template = named(call.region, parameters)?;
    let mut data = Data::read(parameters)?;
    if let Some(source) = parameters.given("SourceVersion") {
        let source = Reference::read(source, "sourceVersion")?.of(template);
        data = get(call.region, template, source)?.data.with(&data.parameters());
    }
    let max = call.settings.quotas.versions_per_launch_template;
    let id = template.id.clone();
    if keys(call.region, &id).len() >= max {
        let message = format!(
            "The maximum number of versions of a launch template has been reached ({max})."
        );
        return Err(Failure::new("VersionLimitExceeded", message));
    }
    let description = description(parameters)?;
    Ok(add(call, &id, (description, data)))
}

/// Writes the answer to `CreateLaunchTemplateVersion`.
pub(super) fn answer(view: View<'_>, key: &str, xml: &mut Xml) -> Option<()> {
    let version = view.region.launch_template_versions.get(key)?;
    xml.element("launchTemplateVersion", |xml| write(view, version, xml));
    Some(())
}

fn write(view: View<'_>, version: &LaunchTemplateVersion, xml: &mut Xml) {
    let LaunchTemplateVersion { template_id, number, description, created, data } = version;
    let template = view.region.launch_templates.get(template_id);
    xml.text("createTime", created);
    xml.text("createdBy", authorization::caller(view.region));
    xml.text("defaultVersion", is_default(view, version));
    xml.element("launchTemplateData", |xml| data.write(xml));
    xml.text("launchTemplateId", template_id);
    xml.optional("launchTemplateName", template.map(|template| &template.name));
    xml.element("operator", |xml| xml.text("managed", false));
    xml.optional("versionDescription", description.as_ref());
    xml.text("versionNumber", number);
}

fn is_default(view: View<'_>, version: &LaunchTemplateVersion) -> bool {
    let template = view.region.launch_templates.get(&version.template_id);
    template.is_some_and(|template| template.default_version == version.number)
}

/// The newest version of a template comes first.
const CATALOGUE: Catalogue<LaunchTemplateVersion> = Catalogue {
    key: |_, version| key(&version.template_id, u64::MAX - version.number),
    filters: &[
        ("create-time", |_, version| texts([version.created])),
        ("ebs-optimized", |_, version| said(version, &["EbsOptimized"])),
        ("host-resource-group-arn", |_, _| Vec::new()),
        ("http-endpoint", |_, version| said(version, &["MetadataOptions", "HttpEndpoint"])),
        ("http-protocol-ipv4", |_, version| said(version, &["MetadataOptions", "HttpEndpoint"])),
        ("http-tokens", |_, version| said(version, &["MetadataOptions", "HttpTokens"])),
        ("iam-instance-profile", |_, version| said(version, &["IamInstanceProfile", "Arn"])),
        ("image-id", |_, version| said(version, &["ImageId"])),
        ("instance-type", |_, version| said(version, &["InstanceType"])),
        ("is-default-version", |view, version| texts([is_default(view, version)])),
        ("kernel-id", |_, _| Vec::new()),
        ("license-configuration-arn", |_, _| Vec::new()),
        ("network-card-index", |_, _| Vec::new()),
        ("ram-disk-id", |_, _| Vec::new()),
    ],
    tags: None,
    set: "launchTemplateVersionSet",
    write,
    page: 1..=200,
};

/// What a version contains under a name, or under a name in a structure.
fn said(version: &LaunchTemplateVersion, path: &[&str]) -> Vec<String> {
    let data = version.data.parameters();
    let Some((last, structures)) = path.split_last() else { return Vec::new() };
    let inside = structures.iter().try_fold(&data, |at, name| at.structure(name));
    texts(inside.and_then(|at| at.text(last)))
}

/// Handles `DescribeLaunchTemplateVersions`: versions of one template, or the default or latest ones of all.
pub(super) fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let asked: Vec<Reference> = parameters
        .texts("LaunchTemplateVersion")
        .into_iter()
        .map(|text| Reference::read(text, "launchTemplateVersion"))
        .collect::<Outcome<_>>()?;
    let is_one = ["LaunchTemplateId", "LaunchTemplateName"]
        .into_iter()
        .any(|name| parameters.given(name).is_some());
    let versions = if is_one {
        of_one(view.region, parameters, &asked)?
    } else {
        of_all(view.region, &asked)?
    };
    CATALOGUE.answer(view, parameters, versions, xml)
}

fn of_one<'a>(
    region: &'a Region,
    parameters: &Parameters,
    asked: &[Reference],
) -> Outcome<Vec<&'a LaunchTemplateVersion>> {
    let template = named(region, parameters)?;
    let bounds = [("MinVersion", 0), ("MaxVersion", u64::MAX)].map(|(name, otherwise)| {
        let text = parameters.given(name);
        let read = |text| Ok(Reference::read(text, name)?.of(template));
        text.map_or(Ok(otherwise), read)
    });
    let [least, most] = bounds;
    let range = least?..=most?;
    if asked.is_empty() {
        let all = region.launch_template_versions.starting_with(&template.id);
        return Ok(all.map(|(_, it)| it).filter(|it| range.contains(&it.number)).collect());
    }
    if parameters.given("MinVersion").or_else(|| parameters.given("MaxVersion")).is_some() {
        let message = "Versions can be listed or bounded, and not both.";
        return Err(Failure::combination(message));
    }
    let mut numbers: Vec<u64> = asked.iter().map(|reference| reference.of(template)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.into_iter().map(|number| get(region, template, number)).collect()
}

fn of_all<'a>(region: &'a Region, asked: &[Reference]) -> Outcome<Vec<&'a LaunchTemplateVersion>> {
    let is_number = |reference: &Reference| matches!(reference, Reference::Number(_));
    if asked.is_empty() || asked.iter().any(is_number) {
        return Err(Failure::missing("launch template ID or launch template name"));
    }
    let mut found = Vec::new();
    for template in region.launch_templates.values() {
        let mut numbers: Vec<u64> = asked.iter().map(|reference| reference.of(template)).collect();
        numbers.dedup();
        found.extend(numbers.into_iter().filter_map(|n| get(region, template, n).ok()));
    }
    Ok(found)
}

/// Handles `DeleteLaunchTemplateVersions`, which deletes what it can and reports what it could not delete.
///
/// The default version stays: EC2 API reference, `DeleteLaunchTemplateVersions`.
pub(super) fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let template = named(call.region, call.parameters)?.clone();
    let asked = call.parameters.required_texts("LaunchTemplateVersion")?;
    if asked.len() > VERSIONS_MAX {
        let message = format!("At most {VERSIONS_MAX} versions can be deleted in one request.");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    let (mut deleted, mut kept) = (Vec::new(), Vec::new());
    for text in asked {
        let number = number(text, "launchTemplateVersion")?;
        if number == template.default_version {
            let message = "The default version of a launch template cannot be deleted.";
            kept.push((number, "unexpectedError", message));
        } else if call.region.launch_template_versions.remove(&key(&template.id, number)).is_some()
        {
            deleted.push(number);
        } else {
            let message = "The launch template version does not exist.";
            kept.push((number, "launchTemplateVersionDoesNotExist", message));
        }
    }
    let write_name = |xml: &mut Xml, number: u64| {
        xml.text("launchTemplateId", &template.id);
        xml.text("launchTemplateName", &template.name);
        xml.text("versionNumber", number);
    };
    xml.items("successfullyDeletedLaunchTemplateVersionSet", deleted, write_name);
    xml.items("unsuccessfullyDeletedLaunchTemplateVersionSet", kept, |xml, kept| {
        let (number, code, message) = kept;
        write_name(xml, number);
        xml.element("responseError", |xml| {
            xml.text("code", code);
            xml.text("message", message);
        });
    });
    Ok(())
}
