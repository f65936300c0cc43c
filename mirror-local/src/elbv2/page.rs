//! Pages of Elastic Load Balancing: `PageSize`, `Marker`, `NextMarker`.

use super::invalid;
use crate::failure::Outcome;
use crate::listing::{token, untoken};
use crate::parameters::Parameters;
use crate::xml::Xml;

const SIZE_MAX: usize = 400;

/// Where a page starts and how long it may be.
#[derive(Debug)]
pub(super) struct Page {
    size: usize,
    /// The key after which the page starts; empty for the first one.
    after: String,
}

impl Page {
    /// Reads the page that a call asks for, of the named set.
    pub(super) fn parse(parameters: &Parameters, set: &str) -> Outcome<Self> {
        let size = match parameters.text("PageSize") {
            None => SIZE_MAX,
            Some(text) => {
                text.parse().ok().filter(|size| (1..=SIZE_MAX).contains(size)).ok_or_else(|| {
                    invalid(format!("The page size '{text}' must be between 1 and {SIZE_MAX}"))
                })?
            }
        };
        let marker = parameters.text("Marker").filter(|marker| !marker.is_empty());
        let after = match marker {
            None => String::new(),
            Some(text) => untoken(set, text)
                .ok_or_else(|| invalid(format!("The marker '{text}' is not valid")))?,
        };
        Ok(Self { size, after })
    }

    /// Writes one page of rows that come in the order of their keys.
    pub(super) fn write<'a, T: 'a>(
        &self,
        xml: &mut Xml,
        set: &str,
        rows: impl Iterator<Item = (&'a str, T)>,
        mut member: impl FnMut(&mut Xml, T),
    ) {
        let mut rows = rows.skip_while(|(key, _)| *key <= self.after.as_str()).peekable();
        let mut last = "";
        xml.members(set, rows.by_ref().take(self.size), |xml, (key, row)| {
            member(xml, row);
            last = key;
        });
        xml.optional("NextMarker", rows.peek().map(|_| token(set, last)));
    }
}
