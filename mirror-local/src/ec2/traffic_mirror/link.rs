//! Links: what refers to what among mirror objects.
//!
//! A link is keyed by the two things it joins. `tmt-1 tms-2` states that target 1 is used by
//! session 2; `eni-3 tmt-1` states that target 1 is on interface 3. Finding what uses something
//! takes a look at a few neighbouring keys, however many sessions there are.

use crate::table::{Kind, Row};
use crate::world::Region;
use serde::{Deserialize, Serialize};

/// States that two things are joined; the key names them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Link {}

impl Row for Link {
    const KIND: Kind = Kind::INTERNAL;
}

/// Joins two things.
pub(super) fn join(region: &mut Region, from: &str, to: &str) {
    region.mirror_links.insert(format!("{from} {to}"), Link {});
}

/// Separates two things.
pub(super) fn part(region: &mut Region, from: &str, to: &str) {
    region.mirror_links.remove(&format!("{from} {to}"));
}

/// Returns everything of a kind (a prefix of ids) that refers to something.
pub(super) fn all(region: &Region, from: &str, kind: &str) -> Vec<String> {
    let start = format!("{from} {kind}");
    let links = region.mirror_links.starting_with(&start);
    links.map(|(key, _)| key[from.len() + 1..].to_owned()).collect()
}

/// Returns the first thing of a kind that refers to something.
pub(crate) fn first(region: &Region, from: &str, kind: &str) -> Option<String> {
    let start = format!("{from} {kind}");
    let link = region.mirror_links.starting_with(&start).next();
    link.map(|(key, _)| key[from.len() + 1..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_one_thing_are_not_those_of_its_neighbours() {
        let mut region = Region::default();
        for (from, to) in [("a", "tms-1"), ("a", "tms-2"), ("a", "tmt-1"), ("aa", "tms-3")] {
            join(&mut region, from, to);
        }
        assert_eq!(all(&region, "a", "tms-"), ["tms-1", "tms-2"]);
        part(&mut region, "a", "tms-1");
        assert_eq!(first(&region, "a", "tms-").as_deref(), Some("tms-2"));
        assert_eq!(first(&region, "b", "tms-"), None);
    }
}
