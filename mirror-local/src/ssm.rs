//! Systems Manager: the public parameters that name the latest images.

use crate::action::Action;
use crate::ec2::image::{IMAGES, Image};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::world::View;
use crate::xml::Xml;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Every action, by group.
pub(crate) const ACTIONS: &[&[Action]] = &[&[
    Action::read("GetParameter", get_one).without_dry_run(),
    Action::read("GetParameters", get_several).without_dry_run(),
]];

/// Names that one `GetParameters` accepts.
const NAMES_MAX: usize = 10;

fn get_one(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let name = parameters.required("Name")?;
    let found = describe(view, name).ok_or_else(|| {
        Failure::new("ParameterNotFound", format_args!("The parameter {name} does not exist"))
    })?;
    xml.raw(&json!({ "Parameter": found }).to_string());
    Ok(())
}

fn get_several(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let names = parameters.required_texts("Names")?;
    if names.len() > NAMES_MAX {
        let message = format!("At most {NAMES_MAX} names may be given");
        return Err(Failure::new("ValidationException", message));
    }
    let found: Vec<Value> = names.iter().filter_map(|name| describe(view, name)).collect();
    let absent: Vec<&str> =
        names.into_iter().filter(|name| describe(view, name).is_none()).collect();
    xml.raw(&json!({ "InvalidParameters": absent, "Parameters": found }).to_string());
    Ok(())
}

/// Describes the parameter of a name, with or without the version after a colon.
fn describe(view: View<'_>, name: &str) -> Option<Value> {
    let (bare, version) = name.split_once(':').map_or((name, None), |(n, v)| (n, Some(v)));
    if version.is_some_and(|version| version != "1") {
        return None;
    }
    let image = IMAGES.iter().find(|image| image.parameters.contains(&bare))?;
    let region = &*view.region.name;
    let mut parameter = json!({
        "ARN": format!("arn:aws:ssm:{region}::parameter{bare}"),
        "DataType": "aws:ec2:image",
        "LastModifiedDate": modified(image),
        "Name": bare,
        "Type": "String",
        "Value": image.id(region),
        "Version": 1,
    });
    if let Some(version) = version {
        parameter["Selector"] = json!(format!(":{version}"));
    }
    Some(parameter)
}

/// Returns when the parameter last changed: when its image was made, in seconds.
fn modified(image: &Image) -> i64 {
    image.created.parse::<Timestamp>().map_or(0, Timestamp::as_second)
}
