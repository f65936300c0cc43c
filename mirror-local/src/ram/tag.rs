//! The tags of resource shares.

use super::{invalid, share};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::tags::Tags;
use crate::world::Call;
use crate::xml::Xml;
use serde_json::{Value, json};

/// Reads the tags of a call.
pub(super) fn read(parameters: &Parameters) -> Outcome<Tags> {
    let tags = parameters.list("tags");
    let mut keys = tags.iter().filter_map(|tag| tag.text("key"));
    if let Some(key) = keys.find(|key| key.to_ascii_lowercase().starts_with("aws:")) {
        let message = format!("The specified tag key is a reserved word and cannot be used: {key}");
        return Err(Failure::new("TagPolicyViolationException", message));
    }
    Tags::spelt(parameters, "tags", ["key", "value"])
}

/// Writes the tags of a share.
pub(super) fn written(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

/// Whether tags meet all filters of a call. A filter without values asks only for the key.
pub(super) fn meet(tags: &Tags, parameters: &Parameters) -> bool {
    parameters.list("tagFilters").into_iter().all(|filter| {
        let values = filter.texts("tagValues");
        let value = filter.text("tagKey").and_then(|key| tags.value(key));
        value.is_some_and(|value| values.is_empty() || values.contains(&value))
    })
}

/// Handles `TagResource`.
pub(super) fn add(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let tags = read(call.parameters)?;
    if tags.is_empty() {
        return Err(Failure::missing("tags"));
    }
    share::standing(call.region, named(call.parameters)?)?.tags.add(&tags)?;
    xml.raw("{}");
    Ok(())
}

/// Handles `UntagResource`.
pub(super) fn remove(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let keys = call.parameters.required_texts("tagKeys")?;
    let share = share::standing(call.region, named(call.parameters)?)?;
    for key in keys {
        share.tags.remove(key, None);
    }
    xml.raw("{}");
    Ok(())
}

/// The share that a call names. A call could otherwise name a customer managed permission; there are none here.
fn named(parameters: &Parameters) -> Outcome<&str> {
    if parameters.given("resourceArn").is_some() {
        return Err(invalid("mirror-local has no managed permissions to tag"));
    }
    parameters.required("resourceShareArn")
}
