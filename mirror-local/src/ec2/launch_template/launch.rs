//! Launching from a template: its parameters, overlaid with those of the call.

use super::version::{self, Reference};
use super::{LaunchTemplateVersion, named};
use crate::failure::Outcome;
use crate::parameters::Parameters;
use crate::tags::Tags;
use crate::world::Region;
use serde::{Deserialize, Serialize};

/// The template and the version that something is launched from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) template_id: String,
    pub(crate) template_name: String,
    pub(crate) version: u64,
}

impl Source {
    /// Finds what a `LaunchTemplateSpecification` refers to now; the default version if it names none.
    pub(crate) fn of(region: &Region, specification: &Parameters) -> Outcome<Self> {
        find(region, specification).map(|(source, _)| source)
    }

    /// Gives an instance that was launched from it the tags that AWS gives it.
    ///
    /// Source: EC2 user guide, "Launch EC2 instances using a launch template".
    pub(crate) fn mark(&self, tags: &mut Tags) {
        tags.set("aws:ec2launchtemplate:id", &*self.template_id);
        tags.set("aws:ec2launchtemplate:version", self.version.to_string());
    }
}

fn find<'a>(
    region: &'a Region,
    specification: &Parameters,
) -> Outcome<(Source, &'a LaunchTemplateVersion)> {
    let template = named(region, specification)?;
    let version = specification.given("Version").unwrap_or("$Default");
    let version = Reference::read(version, "version")?.of(template);
    let (template_id, template_name) = (template.id.clone(), template.name.clone());
    let found = version::get(region, template, version)?;
    Ok((Source { template_id, template_name, version }, found))
}

/// Returns the parameters of a launch from a template, overlaid with those of a call, and which template that is.
pub(crate) fn filled(
    region: &Region,
    specification: &Parameters,
    call: &Parameters,
) -> Outcome<(Source, Parameters)> {
    let (source, version) = find(region, specification)?;
    Ok((source, version.launch(call)))
}
