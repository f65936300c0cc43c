//! Importing: what another tool knows of an account becomes a stack.
//!
//! Only names and ids are taken from there. What the objects are is read from the account, so the stack
//! says what is so, and not what somebody wrote down once.

use std::collections::BTreeSet;

use crate::address::{Address, Kind, Name};

pub mod terraform;

/// An address of this kind that nothing has, with a name as near to `wish` as may be.
pub(crate) fn free(kind: Kind, wish: &str, taken: &BTreeSet<Address>) -> Address {
    /// Room for a number behind the name.
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
