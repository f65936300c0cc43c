//! Pages of EC2 Auto Scaling: `MaxRecords`, `NextToken`.

use super::number;
use crate::failure::{Failure, Outcome};
use crate::listing::{token, untoken};
use crate::parameters::Parameters;
use crate::xml::Xml;

/// How many records a page has, and how many it may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) usual: u32,
    pub(super) most: u32,
}

/// Where a page starts and how long it may be.
#[derive(Debug)]
pub(super) struct Page {
    size: usize,
    /// The key after which the page starts; empty for the first one.
    after: String,
}

impl Page {
    /// Reads the page that a call asks for, of the named set.
    pub(super) fn parse(parameters: &Parameters, set: &str, size: Size) -> Outcome<Self> {
        let asked = number(parameters, "MaxRecords", 1..=size.most)?.unwrap_or(size.usual);
        let after = match parameters.given("NextToken") {
            None => String::new(),
            Some(text) => untoken(set, text).ok_or_else(|| {
                Failure::new("InvalidNextToken", "The token is not valid for this request")
            })?,
        };
        Ok(Self { size: usize::try_from(asked).unwrap_or(usize::MAX), after })
    }

    /// Writes one page of rows that come in the order of their keys.
    pub(super) fn write<K: AsRef<str>, T>(
        &self,
        xml: &mut Xml,
        set: &str,
        rows: impl IntoIterator<Item = (K, T)>,
        mut member: impl FnMut(&mut Xml, T),
    ) {
        let rows = rows.into_iter().skip_while(|(key, _)| key.as_ref() <= self.after.as_str());
        let mut rows = rows.peekable();
        let mut last = String::new();
        xml.members(set, rows.by_ref().take(self.size), |xml, (key, row)| {
            member(xml, row);
            key.as_ref().clone_into(&mut last);
        });
        xml.optional("NextToken", rows.peek().map(|_| token(set, &last)));
    }
}
