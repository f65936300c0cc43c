//! Describe calls over what is in no table, or not listed in the table's order: what AWS offers, such as images, types
//! and zones, and versions.

use crate::failure::Outcome;
use crate::filter::{Conditions, FilterTable, TagsOf};
use crate::listing::{Page, token};
use crate::parameters::Parameters;
use crate::world::View;
use crate::xml::Xml;
use std::ops::RangeInclusive;

/// How one kind of offer is described.
#[derive(Debug)]
pub(crate) struct Catalogue<T: 'static> {
    /// What identifies an offer; offers are listed in the order of their keys.
    pub(crate) key: fn(View<'_>, &T) -> String,
    /// The filters the action knows.
    pub(crate) filters: FilterTable<T>,
    /// The tags of an offer, if offers can have some.
    pub(crate) tags: Option<TagsOf<T>>,
    /// The element that holds the items of the answer.
    pub(crate) set: &'static str,
    /// Writes one item.
    pub(crate) write: fn(View<'_>, &T, &mut Xml),
    /// What `MaxResults` may be.
    pub(crate) page: RangeInclusive<usize>,
}

impl<T> Catalogue<T> {
    /// Answers a call about these offers.
    pub(crate) fn answer<'a>(
        &self,
        view: View<'_>,
        parameters: &Parameters,
        offers: impl IntoIterator<Item = &'a T>,
        xml: &mut Xml,
    ) -> Outcome {
        let conditions = Conditions::parse(parameters, self.filters, self.tags)?;
        let page = Page::parse(parameters, self.set, &self.page)?;
        let mut offers: Vec<(String, &T)> = offers
            .into_iter()
            .filter(|offer| conditions.accept(view, offer))
            .map(|offer| ((self.key)(view, offer), offer))
            .filter(|(key, _)| *key > page.after)
            .collect();
        offers.sort_by(|(one, _), (other, _)| one.cmp(other));
        let rows = offers.iter().map(|(key, offer)| (key.as_str(), *offer));
        let (rows, last) = page.fill(rows);
        xml.items(self.set, rows, |xml, offer| (self.write)(view, offer, xml));
        xml.optional("nextToken", last.map(|key| token(self.set, key)));
        Ok(())
    }
}
