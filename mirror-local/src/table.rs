//! A table of rows keyed by id that knows what one call has changed.
//!
//! Every change keeps the previous row, so that a refused call or a dry run can be undone and an accepted one can be
//! written at the cost of the change. Copies of a table share their rows until one of them changes a row, so that
//! copying a whole cloud costs little, and so does finding what has changed since.

use crate::tags::Tags;
use serde::Serialize;
use serde::de::DeserializeOwned;
use slab::Slab;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::sync::Arc;

/// What distinguishes one kind of row on the wire.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// What ids start with: `vpc-`. Empty if ids have no such prefix.
    pub prefix: &'static str,
    /// The kind in a message: "The **vpc** ID '…' does not exist".
    pub noun: &'static str,
    /// The resource type of its tags; empty if it has none.
    pub resource_type: &'static str,
    /// The error code for an id that does not exist.
    pub not_found: &'static str,
    /// The error code for an id that could not exist.
    pub malformed: &'static str,
    /// The action that lists this kind.
    pub describe: &'static str,
}

impl Kind {
    /// A kind of row that no client sees.
    pub(crate) const INTERNAL: Self = Self {
        prefix: "",
        noun: "",
        resource_type: "",
        not_found: "InternalError",
        malformed: "InternalError",
        describe: "",
    };
}

/// A row of a [`Table`].
pub(crate) trait Row:
    Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// What the row is.
    const KIND: Kind;

    /// Returns the row's tags, if its kind has any.
    fn tags(&self) -> Option<&Tags> {
        None
    }

    /// Returns the row's tags to change them.
    fn tags_mut(&mut self) -> Option<&mut Tags> {
        None
    }
}

/// Makes a type with a field `tags` a row whose tags clients read and write.
macro_rules! tagged_row {
    ($row:ty, $kind:expr) => {
        impl crate::table::Row for $row {
            const KIND: crate::table::Kind = $kind;

            fn tags(&self) -> Option<&crate::tags::Tags> {
                Some(&self.tags)
            }

            fn tags_mut(&mut self) -> Option<&mut crate::tags::Tags> {
                Some(&mut self.tags)
            }
        }
    };
}
pub(crate) use tagged_row;

/// Rows by id.
///
/// The maps hold the place of a row, not the row itself, so they have the same type for every kind of row and are not
/// compiled again for each of forty.
#[derive(Debug, Clone)]
pub(crate) struct Table<T> {
    /// Every row that [`Table::places`], [`Table::before`] and [`Table::unseen`] refer to.
    rows: Slab<Arc<T>>,
    places: BTreeMap<String, usize>,
    /// Rows changed since the last seal, as they were before (`None`: did not exist).
    before: BTreeMap<String, Option<usize>>,
    /// Rows changed before the last seal and not yet written.
    sealed: BTreeSet<String>,
    /// Rows that exist but cannot be seen yet.
    unseen: BTreeMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: Slab::new(),
            places: BTreeMap::new(),
            before: BTreeMap::new(),
            sealed: BTreeSet::new(),
            unseen: BTreeMap::new(),
        }
    }
}

impl<T: Row> Table<T> {
    /// Returns the row of an id.
    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.places.get(id).map(|place| &*self.rows[*place])
    }

    /// Returns the row of an id together with the id as the table holds it.
    pub(crate) fn entry(&self, id: &str) -> Option<(&str, &T)> {
        self.places.get_key_value(id).map(|entry| self.row(entry))
    }

    /// Returns the row of an id, to change it.
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let place = *self.places.get(id)?;
        if !self.before.contains_key(id) {
            let old = self.rows.insert(Arc::clone(&self.rows[place]));
            self.before.insert(id.to_owned(), Some(old));
        }
        Some(Arc::make_mut(&mut self.rows[place]))
    }

    /// Adds a row, or replaces the one of the same id.
    pub(crate) fn insert(&mut self, id: impl Into<String>, row: T) {
        let id = id.into();
        let old = self.places.insert(id.clone(), self.rows.insert(Arc::new(row)));
        match self.before.entry(id) {
            Entry::Vacant(before) => {
                before.insert(old);
            }
            Entry::Occupied(_) => self.discard(old),
        }
    }

    /// Removes a row.
    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        let place = self.places.remove(id)?;
        if self.before.contains_key(id) {
            return Some(Arc::unwrap_or_clone(self.rows.remove(place)));
        }
        self.before.insert(id.to_owned(), Some(place));
        Some(T::clone(&self.rows[place]))
    }

    /// Returns whether there is a row of this id.
    pub(crate) fn contains(&self, id: &str) -> bool {
        self.places.contains_key(id)
    }

    /// Iterates over the rows in the order of their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.places.iter().map(|entry| self.row(entry))
    }

    /// Iterates over the rows without their ids.
    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.places.values().map(|place| &*self.rows[*place])
    }

    /// Iterates over the rows whose ids follow `id`.
    pub(crate) fn after(&self, id: &str) -> impl Iterator<Item = (&str, &T)> {
        let rest = self.places.range::<str, _>((Excluded(id), Unbounded));
        rest.map(|entry| self.row(entry))
    }

    /// Iterates over the rows whose ids start with `prefix`.
    pub(crate) fn starting_with<'a>(
        &'a self,
        prefix: &str,
    ) -> impl Iterator<Item = (&'a str, &'a T)> {
        let rest = self.places.range::<str, _>((Included(prefix), Unbounded));
        rest.map(|entry| self.row(entry)).take_while(move |(id, _)| id.starts_with(prefix))
    }

    /// Returns the first row.
    pub(crate) fn first(&self) -> Option<(&str, &T)> {
        self.places.first_key_value().map(|entry| self.row(entry))
    }

    /// Returns the number of rows.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Forgets a row that no map refers to any more.
    fn discard(&mut self, place: Option<usize>) {
        if let Some(place) = place {
            self.rows.remove(place);
        }
    }

    fn row<'a>(&'a self, (id, place): (&'a String, &usize)) -> (&'a str, &'a T) {
        (id, &*self.rows[*place])
    }
}

/// A row of any table, as it was when it was asked for. Two are equal if their JSON is, which is written only if they
/// are not the same row.
#[derive(Clone)]
pub struct Record(Arc<dyn Recorded>);

/// A row that can be written.
trait Recorded: Send + Sync {
    fn json(&self) -> String;
}

impl<T: Row> Recorded for T {
    fn json(&self) -> String {
        json(self)
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.json() == other.0.json()
    }
}

impl Eq for Record {}

/// Its JSON.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.json())
    }
}

impl Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A table of any kind: what storing, tagging and fault injection need of it.
pub(crate) trait Rows {
    /// What the rows are.
    fn kind(&self) -> &'static Kind;
    /// Writes the changed rows as JSON (`None`: removed).
    fn changes(&self, write: &mut dyn FnMut(&str, Option<String>));
    /// Visits every row.
    fn everything(&self, visit: &mut dyn FnMut(&str, Record));
    /// Lists the ids that did not exist at the last seal.
    fn created(&self) -> Vec<String>;
    /// Accepts the changes so far: they are still to be written, but will not be undone.
    fn seal(&mut self);
    /// Forgets the changes, because they have been written.
    fn commit(&mut self);
    /// Undoes the changes since the last seal.
    fn rollback(&mut self);
    /// Puts a stored row in place, without counting it as a change.
    fn load(&mut self, id: &str, row: Option<&str>) -> Result<(), serde_json::Error>;
    /// Makes a row invisible until [`Rows::reveal`].
    fn hide(&mut self, id: &str);
    /// Makes every row visible again.
    fn reveal(&mut self);
    /// Returns the tags of a row.
    fn tags(&self, id: &str) -> Option<&Tags>;
    /// Returns the tags of a row, to change them.
    fn tags_mut(&mut self, id: &str) -> Option<&mut Tags>;
    /// Visits the tags of the rows whose ids follow `after`, until the visitor returns `false`.
    fn visit_tags(&self, after: &str, visit: &mut dyn FnMut(&str, &Tags) -> bool);
}

impl<T: Row> Rows for Table<T> {
    fn kind(&self) -> &'static Kind {
        &T::KIND
    }

    fn changes(&self, write: &mut dyn FnMut(&str, Option<String>)) {
        for id in self.sealed.union(&self.before.keys().cloned().collect()) {
            write(id, self.get(id).map(json));
        }
    }

    fn everything(&self, visit: &mut dyn FnMut(&str, Record)) {
        for (id, place) in &self.places {
            let row: Arc<T> = Arc::clone(&self.rows[*place]);
            visit(id, Record(row));
        }
    }

    fn created(&self) -> Vec<String> {
        let new = |(id, old): (&String, &Option<usize>)| {
            (old.is_none() && self.contains(id)).then(|| id.clone())
        };
        self.before.iter().filter_map(new).collect()
    }

    fn seal(&mut self) {
        if self.before.is_empty() {
            return; // as most tables have it in every call
        }
        for (id, old) in std::mem::take(&mut self.before) {
            self.discard(old);
            self.sealed.insert(id);
        }
    }

    fn commit(&mut self) {
        self.seal();
        self.sealed.clear();
    }

    fn rollback(&mut self) {
        for (id, old) in std::mem::take(&mut self.before) {
            let new = match old {
                Some(place) => self.places.insert(id, place),
                None => self.places.remove(&id),
            };
            self.discard(new);
        }
    }

    fn load(&mut self, id: &str, row: Option<&str>) -> Result<(), serde_json::Error> {
        let old = match row {
            Some(text) => {
                let place = self.rows.insert(Arc::new(serde_json::from_str(text)?));
                self.places.insert(id.to_owned(), place)
            }
            None => self.places.remove(id),
        };
        self.discard(old);
        Ok(())
    }

    fn hide(&mut self, id: &str) {
        if let Some(place) = self.places.remove(id) {
            self.unseen.insert(id.to_owned(), place);
        }
    }

    fn reveal(&mut self) {
        if self.unseen.is_empty() {
            return;
        }
        // `append` would rebuild the whole map for a few rows.
        self.places.extend(std::mem::take(&mut self.unseen));
    }

    fn tags(&self, id: &str) -> Option<&Tags> {
        self.get(id)?.tags()
    }

    fn tags_mut(&mut self, id: &str) -> Option<&mut Tags> {
        self.get_mut(id)?.tags_mut()
    }

    fn visit_tags(&self, after: &str, visit: &mut dyn FnMut(&str, &Tags) -> bool) {
        for (id, row) in self.after(after) {
            if row.tags().is_some_and(|tags| !visit(id, tags)) {
                return;
            }
        }
    }
}

fn json<T: Serialize>(row: &T) -> String {
    serde_json::to_string(row).expect("rows have text keys and no fallible serialisers")
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Row for u32 {
        const KIND: Kind = Kind::INTERNAL;
    }

    fn table() -> Table<u32> {
        let mut table = Table::default();
        table.insert("a", 1);
        table.insert("b", 2);
        table.commit();
        table
    }

    fn contents(table: &Table<u32>) -> Vec<(String, u32)> {
        table.iter().map(|(id, row)| (id.to_owned(), *row)).collect()
    }

    #[test]
    fn rollback_undoes_inserts_changes_and_removals() {
        let mut table = table();
        let before = contents(&table);
        table.insert("c", 3);
        *table.get_mut("c").unwrap() = 4;
        *table.get_mut("a").unwrap() = 5;
        table.remove("b");
        table.insert("b", 6);
        table.rollback();
        assert_eq!(contents(&table), before);
        assert_eq!(table.rows.len(), table.len(), "nothing is kept that no map speaks of");
    }

    #[test]
    fn what_was_before_is_forgotten_once_it_is_written_down() {
        let mut table = table();
        *table.get_mut("a").unwrap() = 5;
        table.insert("a", 6);
        table.remove("b");
        table.insert("c", 7);
        table.remove("c");
        table.seal();
        *table.get_mut("a").unwrap() = 8;
        table.commit();
        assert_eq!(contents(&table), [("a".to_owned(), 8)]);
        assert_eq!(table.rows.len(), table.len());
    }

    #[test]
    fn changes_are_the_rows_as_they_are_now() {
        let mut table = table();
        *table.get_mut("a").unwrap() = 5;
        table.remove("b");
        table.insert("c", 3);
        let mut changes = Vec::new();
        table.changes(&mut |id, row| changes.push(format!("{id}={row:?}")));
        assert_eq!(changes, ["a=Some(\"5\")", "b=None", "c=Some(\"3\")"]);
        assert_eq!(table.created(), ["c"]);
    }

    #[test]
    fn a_copy_shares_its_rows_until_one_of_both_changes_them() {
        let mut table = table();
        let copy = table.clone();
        let row = |table: &Table<u32>, id: &str| Arc::clone(&table.rows[table.places[id]]);
        let record = |table: &Table<u32>| Record(row(table, "a"));
        assert!(Arc::ptr_eq(&row(&table, "a"), &row(&copy, "a")));
        *table.get_mut("a").unwrap() = 5;
        table.commit();
        assert_eq!(contents(&copy), [("a".to_owned(), 1), ("b".to_owned(), 2)]);
        assert!(Arc::ptr_eq(&row(&table, "b"), &row(&copy, "b")));
        assert_ne!(record(&table), record(&copy));
        *table.get_mut("a").unwrap() = 1;
        assert!(!Arc::ptr_eq(&row(&table, "a"), &row(&copy, "a")));
        assert_eq!(record(&table), record(&copy), "both are written the same");
    }

    #[test]
    fn a_hidden_row_comes_back_unchanged() {
        let mut table = table();
        table.hide("a");
        assert_eq!(table.get("a"), None);
        table.reveal();
        assert_eq!(table.get("a"), Some(&1));
        assert_eq!(table.created(), Vec::<String>::new());
    }
}
