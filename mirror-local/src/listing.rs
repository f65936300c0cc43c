//! A Describe call over one table: ids, filters and pages, the same for every kind.

use crate::failure::{Failure, Outcome};
use crate::filter::{Conditions, FilterTable};
use crate::parameters::Parameters;
use crate::table::{Kind, Row, Table};
use crate::world::{Region, View};
use crate::xml::Xml;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// Rows in a page if the client does not say.
const PAGE_DEFAULT: usize = 1000;

/// The first character of the keys of other accounts' rows: no id begins with it, and every id sorts before it.
const BEYOND: char = '~';

/// A row, with the view of the account that owns it.
type Seen<'a, T> = (View<'a>, &'a T);

/// How one kind is described.
#[derive(Debug)]
pub(crate) struct Listing<T: 'static> {
    /// Where its rows are.
    pub table: fn(&Region) -> &Table<T>,
    /// The parameter that lists ids.
    pub ids: &'static str,
    /// The filters the action knows.
    pub filters: FilterTable<T>,
    /// The element that holds the items of the answer.
    pub set: &'static str,
    /// Writes one item.
    pub write: fn(View<'_>, &T, &mut Xml),
    /// What `MaxResults` may be.
    pub page: RangeInclusive<usize>,
}

impl<T: Row> Listing<T> {
    /// Answers the call.
    pub(crate) fn answer(&self, view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
        self.answer_where(view, parameters, xml, |_| true)
    }

    /// Answers the call for the rows that also meet a condition of the action's own.
    pub(crate) fn answer_where(
        &self,
        view: View<'_>,
        parameters: &Parameters,
        xml: &mut Xml,
        also: impl Fn(&T) -> bool,
    ) -> Outcome {
        let (rows, next) = self.select(view, parameters, also)?;
        xml.items(self.set, rows, |xml, row| (self.write)(view, row, xml));
        xml.optional("nextToken", next);
        Ok(())
    }

    /// Answers the call for rows of other accounts, too, each with what its owner sees, if they meet a condition of
    /// the action's own. They follow all of the account's own rows.
    pub(crate) fn answer_with<'a>(
        &self,
        view: View<'a>,
        parameters: &Parameters,
        (foreign, also): (BTreeMap<&'a str, Seen<'a, T>>, impl Fn(&T) -> bool),
        xml: &mut Xml,
    ) -> Outcome {
        let foreign = foreign.into_iter().collect();
        let (rows, next) = self.page(view, parameters, foreign, also)?;
        xml.items(self.set, rows, |xml, (view, row)| (self.write)(view, row, xml));
        xml.optional("nextToken", next);
        Ok(())
    }

    /// Selects the rows of the page that a call asks for, and the token of the next one.
    pub(crate) fn select<'a>(
        &self,
        view: View<'a>,
        parameters: &Parameters,
        also: impl Fn(&T) -> bool,
    ) -> Outcome<(Vec<&'a T>, Option<String>)> {
        let (rows, next) = self.page(view, parameters, Vec::new(), also)?;
        Ok((rows.into_iter().map(|(_, row)| row).collect(), next))
    }

    /// Selects what [`Listing::select`] does, and rows of other accounts. Those are given in the order of their ids,
    /// not as a map, which would be compiled for every kind.
    fn page<'a>(
        &self,
        view: View<'a>,
        parameters: &Parameters,
        foreign: Vec<(&'a str, Seen<'a, T>)>,
        also: impl Fn(&T) -> bool,
    ) -> Outcome<(Vec<Seen<'a, T>>, Option<String>)> {
        let table = (self.table)(view.region);
        let conditions = Conditions::of_rows(parameters, self.filters)?;
        let page = Page::parse(parameters, self.set, &self.page)?;
        let is_there =
            |id: &str| table.contains(id) || foreign.iter().any(|(other, _)| *other == id);
        let wanted = requested::<T>(is_there, &parameters.texts(self.ids), self.ids)?;
        let accept =
            |(_, (view, row)): &(&str, Seen<'_, T>)| also(row) && conditions.accept(*view, row);
        let beyond: Vec<(String, Seen<'a, T>)> = foreign
            .into_iter()
            .filter(|(id, _)| wanted.as_ref().is_none_or(|ids| ids.contains(id)))
            .map(|(id, seen)| (format!("{BEYOND}{id}"), seen))
            .filter(|(key, _)| *key > page.after)
            .collect();
        let beyond = beyond.iter().map(|(key, seen)| (key.as_str(), *seen));
        let own = |(id, row)| (id, (view, row));
        let (rows, last) = match &wanted {
            Some(ids) => {
                let ids = ids.iter().filter(|id| **id > page.after.as_str());
                let rows = ids.filter_map(|id| table.entry(id)).map(own);
                page.fill(rows.chain(beyond).filter(accept))
            }
            None => page.fill(table.after(&page.after).map(own).chain(beyond).filter(accept)),
        };
        Ok((rows, last.map(|id| token(self.set, id))))
    }
}

/// Where a page starts and how long it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// The most items it may hold.
    pub(crate) limit: usize,
    /// The key after which it starts; empty for the first page.
    pub(crate) after: String,
}

impl Page {
    /// Reads `MaxResults` and `NextToken`.
    pub(crate) fn parse(
        parameters: &Parameters,
        set: &str,
        sizes: &RangeInclusive<usize>,
    ) -> Outcome<Self> {
        let limit = match parameters.text("MaxResults") {
            None => PAGE_DEFAULT,
            Some(text) => text.parse().ok().filter(|n| sizes.contains(n)).ok_or_else(|| {
                let (low, high) = (sizes.start(), sizes.end());
                let why = format!("Expecting a value between {low} and {high}.");
                Failure::invalid(text, "maxResults", why)
            })?,
        };
        let after = match parameters.text("NextToken").filter(|text| !text.is_empty()) {
            None => String::new(),
            Some(text) => untoken(set, text).ok_or_else(|| {
                Failure::new("InvalidNextToken", "The specified NextToken is not valid.")
            })?,
        };
        Ok(Self { limit, after })
    }

    /// Takes what fits on the page, and the last key if there is more.
    pub(crate) fn fill<'k, T>(
        &self,
        rows: impl Iterator<Item = (&'k str, T)>,
    ) -> (Vec<T>, Option<&'k str>) {
        let mut rows = rows.peekable();
        let mut last = None;
        let mut taken = Vec::new();
        for (key, row) in rows.by_ref().take(self.limit) {
            last = Some(key);
            taken.push(row);
        }
        (taken, last.filter(|_| rows.peek().is_some()))
    }
}

/// Makes an opaque token from the key that the next page follows.
pub(crate) fn token(set: &str, after: &str) -> String {
    let mut text = format!("{:08x}", checksum(set, after));
    for byte in after.bytes() {
        let _ = write!(text, "{:02x}", byte ^ 0x5a);
    }
    text
}

/// Reads a token made for the same set.
pub(crate) fn untoken(set: &str, token: &str) -> Option<String> {
    if !token.is_ascii() {
        return None;
    }
    let (sum, rest) = token.split_at_checked(8)?;
    let bytes: Option<Vec<u8>> = (0..rest.len())
        .step_by(2)
        .map(|at| Some(u8::from_str_radix(rest.get(at..at + 2)?, 16).ok()? ^ 0x5a))
        .collect();
    let after = String::from_utf8(bytes?).ok()?;
    (u32::from_str_radix(sum, 16).ok()? == checksum(set, &after)).then_some(after)
}

/// FNV-1a: enough to tell a token from one of another set, or from a damaged one.
fn checksum(set: &str, after: &str) -> u32 {
    let bytes = set.bytes().chain([0]).chain(after.bytes());
    bytes.fold(0x811c_9dc5, |sum: u32, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Checks the ids a call asks for; `None` if it asks for none in particular.
fn requested<'a, T: Row>(
    is_there: impl Fn(&str) -> bool,
    ids: &[&'a str],
    parameter: &str,
) -> Outcome<Option<BTreeSet<&'a str>>> {
    if ids.is_empty() {
        return Ok(None);
    }
    for id in ids {
        check_shape(&T::KIND, id, parameter)?;
    }
    let ids: BTreeSet<&str> = ids.iter().copied().collect();
    let missing: Vec<&str> = ids.iter().copied().filter(|id| !is_there(id)).collect();
    if missing.is_empty() { Ok(Some(ids)) } else { Err(not_found(&T::KIND, &missing)) }
}

/// Refuses an id that no resource of this kind could have.
pub(crate) fn check_shape(kind: &Kind, id: &str, parameter: &str) -> Outcome {
    if kind.prefix.is_empty() {
        return Ok(());
    }
    let shaped = id.strip_prefix(kind.prefix).is_some_and(|rest| {
        matches!(rest.len(), 8 | 17)
            && rest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    });
    if shaped {
        return Ok(());
    }
    let prefix = kind.prefix;
    Err(Failure::new(
        kind.malformed,
        format_args!("Invalid id: \"{id}\" for {parameter} (expecting \"{prefix}...\")"),
    ))
}

/// The failure for ids that do not exist.
pub(crate) fn not_found(kind: &Kind, ids: &[&str]) -> Failure {
    let noun = kind.noun;
    let message = match ids {
        [id] => format!("The {noun} '{id}' does not exist"),
        ids => format!("The {noun}s '{}' do not exist", ids.join(", ")),
    };
    Failure::new(kind.not_found, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_for_one_set_only() {
        let made = token("vpcSet", "vpc-0é");
        assert_eq!(untoken("vpcSet", &made).as_deref(), Some("vpc-0é"));
        assert_eq!(untoken("subnetSet", &made), None);
    }

    #[test]
    fn damaged_tokens_are_refused_quietly() {
        for text in ["", "x", "éééééééééé", "0123456", "01234567f", "zzzzzzzz", "01234567zz"]
        {
            assert_eq!(untoken("vpcSet", text), None, "{text}");
        }
    }
}
