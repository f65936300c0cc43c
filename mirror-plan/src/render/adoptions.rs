//! Adoptions as text: what is set on which object.

use std::fmt;

use crate::plan::Adoption;
use crate::value::Value;

/// What adoptions set, by object, to be printed.
#[derive(Clone, Copy, Debug)]
pub struct Adoptions<'a> {
    /// The stack.
    pub stack: &'a str,
    /// What is adopted.
    pub adoptions: &'a [Adoption],
}

impl fmt::Display for Adoptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stack, adoptions } = self;
        let what = if adoptions.len() == 1 { "this object" } else { "these objects" };
        writeln!(f, "Adopting sets tags on {what}, and does nothing else:\n")?;
        for adoption in *adoptions {
            writeln!(f, "  {} = {}", adoption.address, adoption.found.id)?;
            for (key, value) in adoption.tags(stack) {
                writeln!(f, "      {key} = {}", Value::String(value))?;
            }
        }
        Ok(())
    }
}
