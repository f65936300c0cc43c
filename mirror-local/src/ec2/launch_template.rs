//! Launch templates: what instances are to be, in numbered versions of which one is the default.
//!
//! The contents of a version are checked when something is launched from it, and hardly before.
//! Source: EC2 user guide, "Store instance launch parameters in Amazon EC2 launch templates".

mod data;
mod launch;
mod version;

pub(crate) use launch::{Source, filled};
pub(crate) use version::LaunchTemplateVersion;

use crate::action::Action;
use crate::authorization;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::{Listing, check_shape};
use crate::parameters::Parameters;
use crate::table::{Kind, Row as _, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, Region, View};
use crate::xml::Xml;
use data::Data;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::create("CreateLaunchTemplate", create, answer).without_token_echo(),
    Action::read("DescribeLaunchTemplates", describe),
    Action::create("ModifyLaunchTemplate", modify, answer).without_token_echo(),
    Action::write("DeleteLaunchTemplate", delete),
    Action::create("CreateLaunchTemplateVersion", version::create, version::answer)
        .without_token_echo(),
    Action::read("DescribeLaunchTemplateVersions", version::describe),
    Action::write("DeleteLaunchTemplateVersions", version::delete),
];

/// A launch template; its versions are rows of their own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LaunchTemplate {
    pub(crate) id: String,
    pub(crate) name: String,
    created: Timestamp,
    default_version: u64,
    latest_version: u64,
    pub(crate) tags: Tags,
}

tagged_row!(
    LaunchTemplate,
    Kind {
        prefix: "lt-",
        noun: "launch template ID",
        resource_type: "launch-template",
        not_found: "InvalidLaunchTemplateId.NotFound",
        malformed: "InvalidLaunchTemplateId.Malformed",
        describe: "DescribeLaunchTemplates",
    }
);

const LISTING: Listing<LaunchTemplate> = Listing {
    table: |region| &region.launch_templates,
    ids: "LaunchTemplateId",
    filters: &[
        ("create-time", |_, template| texts([template.created])),
        ("launch-template-name", |_, template| texts([&template.name])),
    ],
    set: "launchTemplates",
    write,
    page: 1..=200,
};

fn write(view: View<'_>, template: &LaunchTemplate, xml: &mut Xml) {
    let LaunchTemplate { id, name, created, default_version, latest_version, tags } = template;
    xml.text("createTime", created);
    xml.text("createdBy", authorization::caller(view.region));
    xml.text("defaultVersionNumber", default_version);
    xml.text("latestVersionNumber", latest_version);
    xml.text("launchTemplateId", id);
    xml.text("launchTemplateName", name);
    xml.element("operator", |xml| xml.text("managed", false));
    tags.write(xml);
}

fn answer(view: View<'_>, id: &str, xml: &mut Xml) -> Option<()> {
    let template = view.region.launch_templates.get(id)?;
    xml.element("launchTemplate", |xml| write(view, template, xml));
    Some(())
}

/// Returns the template that is named by id or by name, exactly one of which must be given.
fn named<'a>(region: &'a Region, parameters: &Parameters) -> Outcome<&'a LaunchTemplate> {
    const ID: &str = "LaunchTemplateId";
    match (parameters.given(ID), parameters.given("LaunchTemplateName")) {
        (Some(id), None) => {
            check_shape(&LaunchTemplate::KIND, id, "launchTemplateId")?;
            region.launch_templates.get(id).ok_or_else(|| absent(("ID", id)))
        }
        (None, Some(name)) => by_name(region, name),
        (Some(_), Some(_)) => Err(Failure::combination(
            "A launch template can be named by its ID or by its name, and not by both.",
        )),
        (None, None) => Err(Failure::missing("launch template ID or launch template name")),
    }
}

fn by_name<'a>(region: &'a Region, name: &str) -> Outcome<&'a LaunchTemplate> {
    let found = region.launch_templates.values().find(|template| template.name == name);
    found.ok_or_else(|| absent(("name", name)))
}

/// The failure for a template that does not exist, by what it was named.
fn absent((by, what): (&str, &str)) -> Failure {
    let code = match by {
        "name" => "InvalidLaunchTemplateName.NotFoundException",
        _ => LaunchTemplate::KIND.not_found,
    };
    let message =
        format!("The specified launch template, with template {by} {what}, does not exist.");
    Failure::new(code, message)
}

fn create(call: &mut Call<'_>) -> Outcome<String> {
    let parameters = call.parameters;
    parameters.refuse(&["Operator"])?;
    let name = parameters.required("LaunchTemplateName")?;
    check_name(name)?;
    let data = Data::read(parameters)?;
    let description = version::description(parameters)?;
    let tags = Tags::specified(parameters, "launch-template")?;
    if by_name(call.region, name).is_ok() {
        let message = "Launch template name already in use.";
        return Err(Failure::new("InvalidLaunchTemplateName.AlreadyExistsException", message));
    }
    let max = call.settings.quotas.launch_templates;
    if call.region.launch_templates.len() >= max {
        let message = format!("The maximum number of launch templates has been reached ({max}).");
        return Err(Failure::new("LaunchTemplateLimitExceeded", message));
    }
    let id = call.region.draw_id("lt-");
    let template = LaunchTemplate {
        id: id.clone(),
        name: name.to_owned(),
        created: call.now,
        default_version: 1,
        latest_version: 0,
        tags,
    };
    call.region.launch_templates.insert(&*id, template);
    version::add(call, &id, (description, data));
    Ok(id)
}

/// Refuses what cannot be the name of a launch template.
fn check_name(name: &str) -> Outcome {
    const LENGTHS: std::ops::RangeInclusive<usize> = 3..=128;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"()./-_".contains(&byte);
    if LENGTHS.contains(&name.len()) && name.bytes().all(is_allowed) {
        return Ok(());
    }
    let message = "The specified launch template name is invalid. A launch template name must be \
                   between 3 and 128 characters, and may contain letters, numbers, and the \
                   following characters: - ( ) . / _";
    Err(Failure::new("InvalidLaunchTemplateName.MalformedException", message))
}

fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let names = parameters.texts("LaunchTemplateName");
    for name in &names {
        by_name(view.region, name)?;
    }
    LISTING.answer_where(view, parameters, xml, |template| {
        names.is_empty() || names.contains(&&*template.name)
    })
}

/// Handles `ModifyLaunchTemplate`, which makes another version the default.
fn modify(call: &mut Call<'_>) -> Outcome<String> {
    let template = named(call.region, call.parameters)?;
    let id = template.id.clone();
    if let Some(text) = call.parameters.given("SetDefaultVersion") {
        let number = version::number(text, "defaultVersion")?;
        version::get(call.region, template, number)?;
        if let Some(template) = call.region.launch_templates.get_mut(&id) {
            template.default_version = number;
        }
    }
    Ok(id)
}

/// Handles `DeleteLaunchTemplate`, which does not check whether an Auto Scaling group uses it.
fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let template = named(call.region, call.parameters)?.clone();
    for key in version::keys(call.region, &template.id) {
        call.region.launch_template_versions.remove(&key);
    }
    call.region.launch_templates.remove(&template.id);
    xml.element("launchTemplate", |xml| write(call.view(), &template, xml));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_as_documented() {
        let accepted = |name: &str| check_name(name).is_ok();
        assert_eq!(["abc", "a(1)./-_b", &"x".repeat(128)].map(accepted), [true; 3]);
        assert_eq!(["ab", "a b", "a:b", "äbc", &"x".repeat(129)].map(accepted), [false; 5]);
    }
}
