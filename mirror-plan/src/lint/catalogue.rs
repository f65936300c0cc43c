//! The catalogue: every mistake that is checked for, and why others are not.

use crate::code::{self, Entry, Finding};

/// One row of the catalogue.
#[derive(Clone, Copy, Debug)]
pub enum Row {
    /// It is checked for.
    Finding(&'static Entry, Finding),
    /// Something else prevents it, or it cannot be detected.
    Elsewhere {
        /// Its number.
        number: &'static str,
        /// The mistake.
        title: &'static str,
        /// Why it is not checked for.
        how: &'static str,
    },
}

/// The rows that are not checked for.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "MP1022",
        "mirrored load beyond the bandwidth of the source",
        "cannot be known: a stack file does not say how much load there is; `mirror trace --pcap` shows the load of a capture beside what the type of the source carries",
    ),
    (
        "MP1025",
        "source in an IPv6-only subnet",
        "cannot be written: every `subnet` has an IPv4 range",
    ),
    (
        "MP1027",
        "cost",
        "not a finding: every plan ends with the cost, see the guide, \"Cost and time\"",
    ),
    (
        "MP1030",
        "a target created for the load balancer or interface of the one that it replaces",
        "cannot happen: such a plan deletes the old target first, and says that the capture is interrupted",
    ),
];

/// Every row, in the order of the numbers.
#[must_use]
pub fn catalogue() -> Vec<Row> {
    let findings = code::all().filter_map(|entry| Some(Row::Finding(entry, entry.finding?)));
    let others =
        ELSEWHERE.iter().map(|&(number, title, how)| Row::Elsewhere { number, title, how });
    let mut rows: Vec<Row> = findings.chain(others).collect();
    rows.sort_by_key(Row::number);
    rows
}

impl Row {
    /// Its number: `MP1003`.
    #[must_use]
    pub const fn number(&self) -> &'static str {
        match self {
            Self::Finding(entry, _) => entry.code.0,
            Self::Elsewhere { number, title: _, how: _ } => number,
        }
    }

    /// Whether it can be accepted with `allow`.
    #[must_use]
    pub fn is_allowable(&self) -> bool {
        match self {
            Self::Finding(_, finding) => finding.found_by.is_allowable(),
            Self::Elsewhere { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::FoundBy;
    use crate::lint::ALL;

    #[test]
    fn no_row_is_missing() {
        let numbers: Vec<&str> = catalogue().iter().map(Row::number).collect();
        let all: Vec<String> = (1001..=1041).map(|number| format!("MP{number}")).collect();
        assert_eq!(numbers, all);
    }

    #[test]
    fn every_row_that_a_lint_looks_for_has_its_lint_and_no_other_has() {
        let of_lints =
            |row: &Row| matches!(row, Row::Finding(_, it) if it.found_by == FoundBy::Lint);
        let rows = catalogue().into_iter().filter(of_lints);
        let rows: Vec<&str> = rows.map(|row| row.number()).collect();
        assert_eq!(rows, ALL.iter().map(|lint| lint.code.0).collect::<Vec<_>>());
    }
}
