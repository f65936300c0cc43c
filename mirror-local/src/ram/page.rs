//! Pages of Resource Access Manager: `maxResults`, `nextToken`.

use super::invalid;
use crate::failure::{Failure, Outcome};
use crate::listing::{token, untoken};
use crate::parameters::Parameters;
use crate::xml::Xml;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// What `maxResults` may be: AWS RAM API reference.
const SIZES: RangeInclusive<usize> = 1..=500;

/// Writes the page of a set that a call asks for, in the order of the keys.
pub(super) fn write(
    parameters: &Parameters,
    set: &str,
    rows: BTreeMap<String, Value>,
    xml: &mut Xml,
) -> Outcome {
    let size = match parameters.text("maxResults") {
        None => *SIZES.end(),
        Some(text) => text.parse().ok().filter(|size| SIZES.contains(size)).ok_or_else(|| {
            let (least, most) = (SIZES.start(), SIZES.end());
            invalid(format_args!("maxResults must be between {least} and {most}: {text}"))
        })?,
    };
    let after = match parameters.given("nextToken") {
        None => String::new(),
        Some(text) => untoken(set, text).ok_or_else(|| {
            Failure::new("InvalidNextToken", "The specified value for NextToken is not valid.")
        })?,
    };
    let mut rest = rows.into_iter().filter(|(key, _)| *key > after).peekable();
    let (mut page, mut last) = (Vec::new(), String::new());
    for (key, row) in rest.by_ref().take(size) {
        last = key;
        page.push(row);
    }
    let mut answer = json!({ set: page });
    if rest.peek().is_some() {
        answer["nextToken"] = json!(token(set, &last));
    }
    xml.raw(&answer.to_string());
    Ok(())
}
