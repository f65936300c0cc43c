//! Typed access to the flattened parameters of a Query request.
//!
//! `TagSpecification.1.Tag.2.Key=a` becomes a tree, so that a structure or a list item is again a
//! set of parameters. Lists may be numbered directly (EC2) or under `member` (ELBv2).

use crate::failure::{Failure, Outcome};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::str::FromStr;

/// A parameter's name has no more segments than this; the rest stays one segment, because no AWS
/// call nests so deep.
const DEPTH_MAX: usize = 12;

/// The parameters of a request, or of one structure or list item inside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    path: String,
    value: Option<String>,
    children: BTreeMap<String, Self>,
}

impl Parameters {
    /// Builds the tree from flattened names and values.
    pub fn from_pairs<N: AsRef<str>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut root = Self::default();
        for (name, value) in pairs {
            root.insert(name.as_ref(), value.into());
        }
        root
    }

    fn insert(&mut self, name: &str, value: String) {
        let mut node = self;
        for segment in name.splitn(DEPTH_MAX, '.') {
            let parent = &node.path;
            let path =
                if parent.is_empty() { segment.to_owned() } else { format!("{parent}.{segment}") };
            node = node
                .children
                .entry(segment.to_owned())
                .or_insert_with(|| Self { path, ..Self::default() });
        }
        node.value = Some(value);
    }

    /// Returns a nested structure, if any part of it was sent.
    pub fn structure(&self, name: &str) -> Option<&Self> {
        self.children.get(name)
    }

    /// Returns a scalar as it was sent.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.children.get(name)?.value.as_deref()
    }

    /// Returns a scalar that is not empty: some clients send an empty text for "any".
    pub fn given(&self, name: &str) -> Option<&str> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// Returns a scalar that must be present and not empty.
    pub fn required(&self, name: &str) -> Outcome<&str> {
        self.given(name).ok_or_else(|| Failure::missing(&self.full_name(name)))
    }

    /// Returns the value of a list item that is a scalar.
    pub fn value(&self) -> &str {
        self.value.as_deref().unwrap_or_default()
    }

    /// Reads a number, an address or whatever else has a textual form.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Outcome<Option<T>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let wrong = || Failure::invalid(text, &self.full_name(name), "The value is malformed");
        text.parse().map(Some).map_err(|_| wrong())
    }

    /// Reads a number that must be present.
    pub fn required_parsed<T: FromStr>(&self, name: &str) -> Outcome<T> {
        self.parsed(name)?.ok_or_else(|| Failure::missing(&self.full_name(name)))
    }

    /// Reads `true` or `false`.
    pub fn boolean(&self, name: &str) -> Outcome<Option<bool>> {
        match self.text(name) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(text) => Err(Failure::invalid(
                text,
                &self.full_name(name),
                "The value must be true or false",
            )),
        }
    }

    /// Reads one of a fixed set of words.
    pub fn one_of(&self, name: &str, words: &[&'static str]) -> Outcome<Option<&'static str>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let known = words.iter().copied().find(|word| *word == text);
        known.map(Some).ok_or_else(|| {
            let words = words.join(", ");
            let why = format_args!("Valid values are: {words}").to_string();
            Failure::invalid(text, &self.full_name(name), why)
        })
    }

    /// Returns the items of a list in the order of their numbers.
    pub fn list(&self, name: &str) -> Vec<&Self> {
        let Some(node) = self.children.get(name) else { return Vec::new() };
        let node = node.children.get("member").unwrap_or(node);
        let mut items: Vec<(u32, &Self)> = node
            .children
            .iter()
            .filter_map(|(number, item)| Some((number.parse().ok()?, item)))
            .collect();
        items.sort_by_key(|(number, _)| *number);
        items.into_iter().map(|(_, item)| item).collect()
    }

    /// Returns the items of a list of scalars.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        self.list(name).into_iter().map(Self::value).collect()
    }

    /// Returns a list of scalars that must have at least one item.
    pub fn required_texts(&self, name: &str) -> Outcome<Vec<&str>> {
        let texts = self.texts(name);
        if texts.is_empty() { Err(Failure::missing(&self.full_name(name))) } else { Ok(texts) }
    }

    /// Refuses parameters that AWS has but this local AWS does not implement.
    ///
    /// Reporting them is better than acting as if they had not been sent. `false` and an empty
    /// value ask for nothing.
    pub(crate) fn refuse(&self, names: &[&str]) -> Outcome {
        let asks = |node: &&&str| {
            self.children.get(**node).is_some_and(|node| {
                !node.children.is_empty()
                    || node.value.as_deref().is_some_and(|value| !matches!(value, "" | "false"))
            })
        };
        match names.iter().find(asks) {
            None => Ok(()),
            Some(name) => {
                let name = self.full_name(name);
                let message = format!("mirror-local does not implement the parameter {name}");
                Err(Failure::new("UnsupportedOperation", message))
            }
        }
    }

    /// Returns the scalars below this level, with their names relative to it.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for (name, child) in &self.children {
            pairs.extend(child.value.iter().map(|value| (name.clone(), value.clone())));
            let below = child.pairs().into_iter();
            pairs.extend(below.map(|(rest, value)| (format!("{name}.{rest}"), value)));
        }
        pairs
    }

    /// Returns these parameters overlaid with others. Each parameter at this level is replaced as a
    /// whole.
    pub(crate) fn overlaid(&self, over: &Self) -> Self {
        let kept = self.children.iter().filter(|(name, _)| !over.children.contains_key(*name));
        let kept = kept.map(|(name, child)| (name.clone(), child.clone()));
        let over = over.children.iter().map(|(name, child)| (name.clone(), child.clone()));
        Self { children: kept.chain(over).collect(), ..Self::default() }
    }

    /// Returns whether any parameter has exactly this value.
    pub(crate) fn mention(&self, value: &str) -> bool {
        self.value.as_deref() == Some(value) || self.children.values().any(|c| c.mention(value))
    }

    /// Returns the names of the parameters and structures at this level.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.children.keys().map(String::as_str)
    }

    /// Returns the name under which a client sent a parameter of this level.
    pub fn full_name(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Returns a digest of everything but the named top-level parameters.
    pub(crate) fn fingerprint(&self, except: &[&str]) -> String {
        let mut digest = Sha256::new();
        for (name, child) in &self.children {
            if !except.contains(&name.as_str()) {
                child.digest_into(&mut digest);
            }
        }
        let digest = digest.finalize();
        digest.iter().take(16).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    fn digest_into(&self, digest: &mut Sha256) {
        if let Some(value) = &self.value {
            digest.update(self.path.as_bytes());
            digest.update([0]);
            digest.update(value.as_bytes());
            digest.update([0]);
        }
        for child in self.children.values() {
            child.digest_into(digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        Parameters::from_pairs(pairs.iter().copied())
    }

    #[test]
    fn lists_are_ordered_by_number_not_by_text() {
        let p = parameters(&[("Id.10", "c"), ("Id.2", "b"), ("Id.1", "a")]);
        assert_eq!(p.texts("Id"), ["a", "b", "c"]);
    }

    #[test]
    fn both_list_spellings_are_read() {
        let p = parameters(&[("Names.member.1", "a"), ("Names.member.2", "b")]);
        assert_eq!(p.texts("Names"), ["a", "b"]);
    }

    #[test]
    fn a_failure_names_the_parameter_in_full() {
        let p = parameters(&[("Tags.1.Key", "k"), ("Tags.2.Value", "v")]);
        let second = p.list("Tags")[1];
        assert_eq!(
            second.required("Key").unwrap_err().message,
            "The request must contain the parameter Tags.2.Key"
        );
    }

    #[test]
    fn a_name_of_a_million_segments_is_harmless() {
        let name = "a.".repeat(1_000_000);
        let p = parameters(&[(&name, "v")]);
        assert!(p.mention("v"));
    }

    #[test]
    fn the_fingerprint_ignores_only_what_it_is_told_to() {
        let a = parameters(&[("A", "1"), ("ClientToken", "x")]);
        let b = parameters(&[("A", "1"), ("ClientToken", "y")]);
        let c = parameters(&[("A", "2"), ("ClientToken", "x")]);
        assert_eq!(a.fingerprint(&["ClientToken"]), b.fingerprint(&["ClientToken"]));
        assert_ne!(a.fingerprint(&["ClientToken"]), c.fingerprint(&["ClientToken"]));
    }
}
