//! Objects of others that a stack names and that do not exist.

use super::view::View;
use crate::address::Address;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::observed::{Sort, looked_for};
use crate::resource::Resource;
use crate::resource::access::{ArnType, Named, Which};
use crate::value::{Path, Value};

/// MP1039.
pub(super) fn named(view: &View<'_>) -> Vec<Diagnostic> {
    let Some(around) = view.around else { return Vec::new() };
    let absent = &around.strangers.absent;
    if absent.is_empty() {
        return Vec::new();
    }
    let found = view.resources().flat_map(|(address, resource)| {
        let named = looked_for(resource).into_iter().filter(|named| absent.contains(named));
        named
            .filter_map(move |named| not_there(view, (address, resource), &named))
            .collect::<Vec<_>>()
    });
    found.collect()
}

fn not_there(
    view: &View<'_>,
    (address, resource): (&Address, &Resource),
    Named { of, which }: &Named,
) -> Option<Diagnostic> {
    let Which::One(name) = which else { return None };
    let what = Sort::of(*of)?.word;
    let goes_first = "a replaced instance is deleted before AWS reports this";
    let (note, help) = match of {
        ArnType::Image => (
            goes_first,
            "name an image of this Region that this account may launch, or leave `ami` out",
        ),
        ArnType::KeyPair => {
            (goes_first, "name a key pair of this Region, or create one with this name")
        }
        _ => (
            "AWS reports this only after the rest is created",
            "give the id of one that exists in this account and Region",
        ),
    };
    Some(
        Diagnostic::error(code::NOT_THERE, format!("there is no {what} `{name}` for `{address}`"))
            .of(address)
            .at(view.at(address, &path_of(resource, name)), "")
            .note(note)
            .help(help),
    )
}

/// Where a resource names something.
fn path_of(resource: &Resource, name: &str) -> Path {
    path_in(&resource.to_value(), &Path::default(), name).unwrap_or_default()
}

fn path_in(value: &Value, at: &Path, name: &str) -> Option<Path> {
    match value {
        Value::String(text) => (text == name).then(|| at.clone()),
        Value::List(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, item)| path_in(item, &at.index(index), name))
        }
        Value::Object(members) => {
            let mut members = members.iter();
            members.find_map(|(member, value)| path_in(value, &at.member(member), name))
        }
        _ => None,
    }
}
