//! A filter in the language of tcpdump, applied to the mirrored frame.
//!
//! The language is pcap-filter(7) for Ethernet: what libpcap compiles to a program for a virtual
//! machine becomes a tree of comparisons here, with the same meaning for every frame. What is not
//! supported is refused with its position, never guessed at: names of hosts and services, `gateway`,
//! `protochain`, and link layers that a network interface of AWS cannot have.
//!
//! As in libpcap, `and` and `or` have the same precedence and associate to the left, `vlan` moves
//! everything to the right of it behind the tag, and reading past the end of a frame rejects the
//! frame, even under a `not`. (For a frame that ends within a header, libpcap's optimizer may read in
//! another order; the meaning here is that of `tcpdump -O`.)

mod arithmetic;
mod generate;
mod parse;
mod predicate;
mod token;
mod words;

use std::fmt;
use std::str::FromStr;

use predicate::{Bytes, Predicate};

/// The longest expression, in bytes; it bounds the depth of the tree.
const LENGTH_MAX: usize = 8 * 1024;

/// A compiled filter expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    expression: String,
    predicate: Predicate,
}

impl Filter {
    /// Returns whether a frame matches.
    ///
    /// `bytes` are the available bytes of a frame that was `original_len` bytes long; `len`, `less`
    /// and `greater` refer to the latter.
    pub fn matches(&self, bytes: &[u8], original_len: u32) -> bool {
        self.predicate.holds(&Bytes { bytes, original_len }).unwrap_or(false)
    }

    /// Returns the expression as it was written.
    pub fn expression(&self) -> &str {
        &self.expression
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.expression)
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    /// Compiles an expression; an empty expression matches every frame.
    fn from_str(expression: &str) -> Result<Self, FilterError> {
        let compile = || {
            if expression.len() > LENGTH_MAX {
                let message = format!("the expression is longer than {LENGTH_MAX} bytes");
                return Err(Fault { offset: LENGTH_MAX, message });
            }
            parse::parse(&token::tokens(expression)?, expression.len())
        };
        match compile() {
            Ok(predicate) => Ok(Self { expression: expression.to_owned(), predicate }),
            Err(Fault { offset, message }) => {
                Err(FilterError { expression: expression.to_owned(), offset, message })
            }
        }
    }
}

/// Why an expression is not a filter, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}, at offset {offset} of the filter: {}", self.place())]
pub struct FilterError {
    /// The expression.
    pub expression: String,
    /// The offset of the fault, in bytes.
    pub offset: usize,
    /// What is wrong there.
    pub message: String,
}

impl FilterError {
    /// The expression from the fault on, so that the place is seen without counting.
    fn place(&self) -> String {
        /// The most characters shown; a long expression would hide the message about it.
        const SHOWN: usize = 40;
        match self.expression.get(self.offset..) {
            None | Some("") => "at its end".to_owned(),
            Some(rest) => {
                let shown: String = rest.chars().take(SHOWN).collect();
                let more = if shown.len() < rest.len() { "…" } else { "" };
                format!("`{shown}{more}`")
            }
        }
    }
}

/// What is wrong with an expression, and at which byte of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fault {
    offset: usize,
    message: String,
}

impl Fault {
    fn new<T>(offset: usize, message: impl Into<String>) -> Result<T, Self> {
        Err(Self { offset, message: message.into() })
    }
}
