//! Diagnostics: what is wrong, where, why, and what to do, as plain data.
//!
//! Functions that read text or make a plan return all their [`Diagnostics`] at once; renderers turn
//! them into a picture of the file, JSON or annotations of a pull request.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use crate::address::Address;

/// A diagnostic's stable code: `MP0102`. The table of all codes is [`crate::code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is done until it is fixed.
    Error,
    /// It works, though perhaps not as meant.
    Warning,
    /// Worth knowing.
    Information,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
        })
    }
}

/// A text that was read, with the name to show for it.
#[derive(PartialEq, Eq)]
pub struct Source {
    /// Where it came from: a path as the user gave it, or `<command line>`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// Shows only the name: the text may hold secrets.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Source {
    /// The line and column, both from 1, of byte `offset`; columns count characters.
    #[must_use]
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(offset.min(self.text.len()))];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        (line, column)
    }
}

/// A piece of a [`Source`].
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    /// The text it is a piece of.
    pub source: Arc<Source>,
    /// The bytes, on character boundaries.
    pub bytes: Range<usize>,
}

impl Span {
    /// The text it covers.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.source.text[self.bytes.clone()]
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:?}", self.source.name, self.bytes)
    }
}

/// `FILE:LINE:COLUMN` of where it begins.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.source.position(self.bytes.start);
        write!(f, "{}:{line}:{column}", self.source.name)
    }
}

/// A marked place with a short text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The text to show there; may be empty for the place that the title is about.
    pub text: String,
}

/// A suggested fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Help {
    /// What to do, as a sentence without a full stop.
    pub text: String,
    /// The edit that does it, if there is one.
    pub patch: Option<Patch>,
}

/// An edit that replaces what a span covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// What to replace; empty to insert.
    pub span: Span,
    /// The replacement.
    pub text: String,
}

/// One message to the person who runs the tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable code.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: one line, without a full stop.
    pub title: String,
    /// The resource it is about, if it is about one.
    pub address: Option<Address>,
    /// The places it is about; the first is the main one. Empty for a stack built in Rust.
    pub labels: Vec<Label>,
    /// Why it is so; further facts.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Vec<Help>,
}

impl Diagnostic {
    /// An error with a title and nothing else yet.
    #[must_use]
    pub fn error(code: Code, title: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, title)
    }

    /// A warning with a title and nothing else yet.
    #[must_use]
    pub fn warning(code: Code, title: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, title)
    }

    fn new(code: Code, severity: Severity, title: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            title: title.into(),
            address: None,
            labels: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
        }
    }

    /// Adds a place; the first one given is the main one.
    #[must_use]
    pub fn at(mut self, span: impl Into<Option<Span>>, text: impl Into<String>) -> Self {
        if let Some(span) = span.into() {
            self.labels.push(Label { span, text: text.into() });
        }
        self
    }

    /// Sets the resource it is about.
    #[must_use]
    pub fn of(self, address: &Address) -> Self {
        Self { address: Some(address.clone()), ..self }
    }

    /// Adds a reason or a fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds a suggested fix.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(Help { text: text.into(), patch: None });
        self
    }

    /// Adds a suggested fix with the edit that does it.
    #[must_use]
    pub fn help_patch(self, text: impl Into<String>, span: Span, by: impl Into<String>) -> Self {
        self.help_edit(text, Some(Patch { span, text: by.into() }))
    }

    /// Adds a suggested fix, and the edit that does it if there is one.
    #[must_use]
    pub fn help_edit(mut self, text: impl Into<String>, patch: Option<Patch>) -> Self {
        self.help.push(Help { text: text.into(), patch });
        self
    }
}

/// One line: place, severity, code, title.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(label) = self.labels.first() {
            write!(f, "{}: ", label.span)?;
        } else if let Some(address) = &self.address {
            write!(f, "{address}: ")?;
        }
        write!(f, "{} {}: {}", self.severity, self.code, self.title)
    }
}

/// The diagnostics that were found, in the order in which they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Returns an empty collection.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Whether any of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether there are none at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Sorts them in the order of the text: by file, place and code; those without a place last.
    pub fn sort(&mut self) {
        self.0.sort_by_cached_key(|diagnostic| {
            let place = diagnostic
                .labels
                .first()
                .map(|label| (label.span.source.name.clone(), label.span.bytes.start));
            (place.is_none(), place, diagnostic.code, diagnostic.address.clone())
        });
    }

    /// Returns `value` and the diagnostics, unless one of them is an error.
    ///
    /// # Errors
    /// All diagnostics, including warnings, if one of them is an error.
    pub fn unless_errors<T>(self, value: T) -> Result<(T, Self), Self> {
        if self.has_errors() { Err(self) } else { Ok((value, self)) }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Self {
        Self(diagnostics.into_iter().collect())
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        self.0.extend(diagnostics);
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'d> IntoIterator for &'d Diagnostics {
    type Item = &'d Diagnostic;
    type IntoIter = std::slice::Iter<'d, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// One line each.
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|diagnostic| writeln!(f, "{diagnostic}"))
    }
}

impl std::error::Error for Diagnostics {}

/// Returns an error and its causes on one line; an error that only repeats its cause is shown once.
///
/// ```
/// let error = std::io::Error::other("connection reset by peer");
/// assert_eq!(mirror_plan::diagnostic::with_causes(&error), "connection reset by peer");
/// ```
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts.dedup();
    texts.join(": ")
}
