//! Importing: what another tool knows about an account becomes a stack.
//!
//! Only names and ids are taken from that tool. The objects themselves are read from the account, so the stack states
//! what is true now, and not what somebody once wrote down.

use std::collections::BTreeSet;

use crate::address::{Address, Kind, Name};
use crate::id::ObjectId;
use crate::plan::Adoption;
use crate::resource::tag;
use crate::value::Value;

pub mod terraform;

/// Returns a provisional address for each object, until its name is known.
#[must_use]
pub fn unnamed(objects: &BTreeSet<(Kind, ObjectId)>) -> Vec<(Address, ObjectId)> {
    let mut addresses = BTreeSet::new();
    let unnamed = objects.iter().map(|(kind, id)| {
        let address = free(*kind, kind.word(), &addresses);
        addresses.insert(address.clone());
        (address, id.clone())
    });
    unnamed.collect()
}

/// Returns the same objects under their own names: the `Name` tag, else the Elastic Load Balancing name, else the
/// word for their kind.
#[must_use]
pub fn named(adoptions: Vec<Adoption>) -> Vec<Adoption> {
    let mut addresses = BTreeSet::new();
    let named = adoptions.into_iter().map(|Adoption { address, found }| {
        let own = match found.resource.to_value() {
            Value::Object(mut members) => members.remove("name"),
            _ => None,
        };
        let wish = match (found.resource.tags().get(tag::NAME), own) {
            (Some(name), _) if !name.is_empty() => name.clone(),
            (_, Some(Value::String(name))) => name,
            _ => address.kind.word().to_owned(),
        };
        let address = free(address.kind, &wish, &addresses);
        addresses.insert(address.clone());
        Adoption { address, found }
    });
    named.collect()
}

/// Returns an unused address of this kind, with a name as close to `wish` as possible.
pub(crate) fn free(kind: Kind, wish: &str, taken: &BTreeSet<Address>) -> Address {
    /// Room for a number after the name.
    const NUMBER: usize = 8;
    let is_of_names = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut text: String = wish.chars().map(|c| if is_of_names(c) { c } else { '_' }).collect();
    if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        text.insert(0, '_');
    }
    text.truncate(Name::LONGEST - NUMBER);
    let numbered = (1_usize..).map(|number| match number {
        1 => text.clone(),
        number => format!("{text}_{number}"),
    });
    let mut addresses = numbered
        .map(|name| Address::new(kind, name.parse().expect("it has only what names are made of")));
    addresses.find(|address| !taken.contains(address)).expect("numbers do not end")
}
