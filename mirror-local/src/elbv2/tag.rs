//! Tags of Elastic Load Balancing, which are separate from EC2's.

use super::{arn, invalid};
use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::tags::{Tags, check_key};
use crate::world::{Call, Region, View};
use crate::xml::Xml;

/// Every action.
pub(super) const ACTIONS: &[Action] = &[
    Action::write("AddTags", add).without_dry_run(),
    Action::write("RemoveTags", remove).without_dry_run(),
    Action::read("DescribeTags", describe).without_dry_run(),
];

/// Resources that one call may name.
const RESOURCES_MAX: usize = 20;

/// Reads the tags of a create call or of `AddTags`.
pub(super) fn listed(parameters: &Parameters) -> Outcome<Tags> {
    let tags = parameters.list("Tags");
    let mut keys: Vec<&str> = tags.iter().filter_map(|tag| tag.text("Key")).collect();
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Failure::new("DuplicateTagKeys", "A tag key was specified more than once"));
    }
    Tags::listed(parameters, "Tags").map_err(respelled)
}

fn respelled(failure: Failure) -> Failure {
    if failure.code == "TagLimitExceeded" {
        Failure { code: "TooManyTags".to_owned(), ..failure }
    } else {
        failure
    }
}

fn add(call: &mut Call<'_>, _: &mut Xml) -> Outcome {
    let tags = listed(call.parameters)?;
    if tags.is_empty() {
        return Err(Failure::missing("Tags"));
    }
    for arn in resources(call.parameters)? {
        of_mut(call.region, arn)?.add(&tags).map_err(respelled)?;
    }
    Ok(())
}

fn remove(call: &mut Call<'_>, _: &mut Xml) -> Outcome {
    let keys = call.parameters.required_texts("TagKeys")?;
    for key in &keys {
        check_key(key)?;
    }
    for arn in resources(call.parameters)? {
        let tags = of_mut(call.region, arn)?;
        for key in &keys {
            tags.remove(key, None);
        }
    }
    Ok(())
}

fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let mut described = Vec::new();
    for arn in resources(parameters)? {
        described.push((arn, of(view.region, arn)?));
    }
    xml.members("TagDescriptions", described, |xml, (arn, tags)| {
        xml.text("ResourceArn", arn);
        xml.members("Tags", tags.iter(), |xml, (key, value)| {
            xml.text("Key", key);
            xml.text("Value", value);
        });
    });
    Ok(())
}

fn resources(parameters: &Parameters) -> Outcome<Vec<&str>> {
    let arns = parameters.required_texts("ResourceArns")?;
    if arns.len() > RESOURCES_MAX {
        return Err(invalid(format!("At most {RESOURCES_MAX} resources may be specified")));
    }
    Ok(arns)
}

fn of<'a>(region: &'a Region, arn: &str) -> Outcome<&'a Tags> {
    let tags = match kind(arn)? {
        arn::LOAD_BALANCER => region.load_balancers.get(arn).map(|row| &row.tags),
        arn::LISTENER => region.listeners.get(arn).map(|row| &row.tags),
        _ => region.target_groups.get(arn).map(|row| &row.tags),
    };
    tags.ok_or_else(|| not_found(arn))
}

fn of_mut<'a>(region: &'a mut Region, arn: &str) -> Outcome<&'a mut Tags> {
    let tags = match kind(arn)? {
        arn::LOAD_BALANCER => region.load_balancers.get_mut(arn).map(|row| &mut row.tags),
        arn::LISTENER => region.listeners.get_mut(arn).map(|row| &mut row.tags),
        _ => region.target_groups.get_mut(arn).map(|row| &mut row.tags),
    };
    tags.ok_or_else(|| not_found(arn))
}

fn kind(arn: &str) -> Outcome<(&'static str, &'static str)> {
    let kinds = [arn::LOAD_BALANCER, arn::LISTENER, arn::TARGET_GROUP];
    let known = kinds.into_iter().find(|kind| arn::check(arn, *kind).is_ok());
    known.ok_or_else(|| invalid(format!("'{arn}' is not a valid ARN")))
}

fn not_found(arn: &str) -> Failure {
    let code = match kind(arn) {
        Ok(arn::LOAD_BALANCER) => "LoadBalancerNotFound",
        Ok(arn::LISTENER) => "ListenerNotFound",
        _ => "TargetGroupNotFound",
    };
    Failure::new(code, format_args!("'{arn}' not found"))
}
