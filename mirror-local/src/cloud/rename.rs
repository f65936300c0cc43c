//! Renaming of existing objects: a cloud that stands for another one uses the other's ids.

use std::collections::BTreeMap;

use super::Cloud;
use crate::table::Rows;

impl Cloud {
    /// Gives objects other ids, wherever they are named: `names` maps each old id to the new one. The last part of an
    /// ARN counts as an id of its own.
    ///
    /// Use it only for clouds in memory: a cloud in a directory forgets the new ids as soon as it is read again.
    pub fn rename(&self, names: &BTreeMap<String, String>) {
        for region in self.shared().world.regions_mut() {
            region.tables_mut().into_iter().for_each(|(_, rows)| rename(rows, names));
        }
    }
}

fn rename(table: &mut dyn Rows, names: &BTreeMap<String, String>) {
    let mut rows = Vec::new();
    table.everything(&mut |id, row| rows.push((id.to_owned(), row.to_string())));
    // All rows are removed before any is inserted, because one may get the id that another had.
    let rows = rows.into_iter().map(|(id, row)| {
        let loaded = table.load(&id, None);
        loaded.expect("nothing is read where a row goes");
        (renamed(&id, names), renamed(&row, names))
    });
    for (id, row) in rows.collect::<Vec<_>>() {
        let loaded = table.load(&id, Some(&row));
        loaded.expect("an id for an id leaves the row what it was");
    }
}

/// Returns a text with every word that has another name replaced by that name; ids are words with hyphens in them.
fn renamed(text: &str, names: &BTreeMap<String, String>) -> String {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '-';
    let mut renamed = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word_len = rest.find(|character| !is_part(character)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(word_len);
        renamed.push_str(names.get(word).map_or(word, String::as_str));
        let gap_len = behind.find(is_part).unwrap_or(behind.len());
        let (gap, behind) = behind.split_at(gap_len);
        renamed.push_str(gap);
        rest = behind;
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_renamed_at_once() {
        let names = [("vpc-1", "vpc-2"), ("vpc-2", "vpc-1"), ("ab", "cd")];
        let names = names.map(|(old, new)| (old.to_owned(), new.to_owned())).into();
        assert_eq!(renamed("vpc-1 \"vpc-2\",vpc-12", &names), "vpc-2 \"vpc-1\",vpc-12");
        assert_eq!(renamed("arn:aws:x:net/lab/ab", &names), "arn:aws:x:net/lab/cd");
        assert_eq!(renamed("", &names), "");
    }
}
