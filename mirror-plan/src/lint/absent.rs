//! What instances are to be made of, and nobody has.

use super::view::{View, attribute};
use crate::address::Address;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::observed::ingredients;
use crate::resource::access::{ArnType, Named, Which};

/// MP1039.
pub(super) fn ingredient(view: &View<'_>) -> Vec<Diagnostic> {
    let Some(around) = view.around else { return Vec::new() };
    let absent = &around.strangers.absent;
    if absent.is_empty() {
        return Vec::new();
    }
    let found = view.resources().flat_map(|(address, resource)| {
        let named = ingredients(resource).into_iter().filter(|named| absent.contains(named));
        named.filter_map(move |named| not_there(view, address, &named)).collect::<Vec<_>>()
    });
    found.collect()
}

fn not_there(
    view: &View<'_>,
    address: &Address,
    Named { of, which }: &Named,
) -> Option<Diagnostic> {
    let Which::One(name) = which else { return None };
    let (what, at, help) = match of {
        ArnType::Image => (
            "image",
            "ami",
            "give an image of this Region that this account may launch, or leave `ami` out",
        ),
        _ => (
            "key pair",
            "key_name",
            "give the name of a key pair of this Region, or make one of this name",
        ),
    };
    Some(
        Diagnostic::error(code::NOT_THERE, format!("there is no {what} `{name}` for `{address}`"))
            .of(address)
            .at(view.at(address, &attribute(at)), "")
            .note("an instance that is replaced has gone before AWS says so")
            .help(help),
    )
}
