//! The launch template of a group, as it was named: its version may be the default one, whichever that is.

use super::super::invalid;
use crate::ec2::launch_template::Source;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::world::Region;
use crate::xml::Xml;
use serde::{Deserialize, Serialize};

/// The launch template of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::autoscaling) struct Template {
    id: String,
    name: String,
    /// A number, `$Default` or `$Latest`.
    version: String,
}

impl Template {
    /// Reads a `LaunchTemplateSpecification`, whose template must exist.
    pub(super) fn read(region: &Region, specification: &Parameters) -> Outcome<Self> {
        let Source { template_id: id, template_name: name, .. } =
            Source::of(region, specification).map_err(unusable)?;
        let version = specification.given("Version").unwrap_or("$Default").to_owned();
        Ok(Self { id, name, version })
    }

    /// The specification that names it in a call.
    pub(in crate::autoscaling) fn specification(&self) -> Parameters {
        let Self { id, name: _, version } = self;
        Parameters::from_pairs([("LaunchTemplateId", &**id), ("Version", version)])
    }

    /// The number of the version that it refers to now, if that exists.
    pub(in crate::autoscaling) fn current(&self, region: &Region) -> Option<u64> {
        Source::of(region, &self.specification()).ok().map(|source| source.version)
    }

    /// Writes the inside of `LaunchTemplate`.
    pub(super) fn write(&self, xml: &mut Xml) {
        let Self { id, name, version } = self;
        xml.text("LaunchTemplateId", id);
        xml.text("LaunchTemplateName", name);
        xml.text("Version", version);
    }
}

/// The failure if nothing could be launched from a template, in EC2's words.
pub(super) fn unusable(failure: Failure) -> Failure {
    let said = failure.message;
    invalid(format!("You must use a valid fully-formed launch template. {said}"))
}
