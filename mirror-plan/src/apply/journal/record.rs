//! Records: the entries of a journal, and how they are written in a file.
//!
//! One record is one line: eight hexadecimal digits of CRC-32, a space, JSON, a line feed. A record that was being
//! written when the power failed is a tail without a line feed, and is ignored; anything else that does not match its
//! checksum is damage.

use std::fmt;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::hash::hash;
use crate::id::ObjectId;

/// Something that happened, or was about to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// A call that makes an object is about to be sent, for the first time or again.
    Intent {
        /// The resource that it is for.
        address: Address,
        /// Which object of that resource.
        generation: u32,
        /// The client token of the call.
        token: String,
        /// What the call asks for.
        request: RequestHash,
        /// When.
        at: Timestamp,
    },
    /// AWS has answered with what the call made.
    Made {
        /// The resource.
        address: Address,
        /// Which object of it.
        generation: u32,
        /// The object.
        id: ObjectId,
        /// When.
        at: Timestamp,
    },
    /// AWS has refused the call every time it was sent: nothing was created.
    Refused {
        /// The resource.
        address: Address,
        /// Which object of it.
        generation: u32,
    },
    /// A part of what was written can no longer be read; until the window from this time is over, any object may still
    /// become visible.
    Damaged {
        /// The latest time at which that part can have been written.
        at: Timestamp,
    },
    /// The object has been seen among those of the stack, or the time in which it could have become visible is over:
    /// there is nothing left to wait for.
    Settled {
        /// The resource.
        address: Address,
        /// Which object of it.
        generation: u32,
    },
}

/// The hash of everything that a call asks for: `sha256:` and 64 hexadecimal digits. Two calls with the same token must
/// have the same hash.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestHash(String);

impl RequestHash {
    /// Returns the hash of `request`, whose serialization must be the same each time.
    #[must_use]
    pub fn of(request: &impl Serialize) -> Self {
        Self(hash(request))
    }
}

/// A value that is displayed as its line in a journal.
#[derive(Clone, Copy, Debug)]
pub(in crate::apply) struct Line<'r, T>(pub(in crate::apply) &'r T);

impl<T: Serialize> fmt::Display for Line<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(self.0).map_err(|_| fmt::Error)?;
        writeln!(f, "{:08x} {json}", crc32fast::hash(json.as_bytes()))
    }
}

/// What was read from a journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::apply) struct Reading {
    /// The records that are whole, in order.
    pub(in crate::apply) records: Vec<Record>,
    /// The number of the first damaged line, counted from 1.
    pub(in crate::apply) damaged: Option<usize>,
}

/// Reads the bytes of a journal; any sequence of bytes can be read.
pub(in crate::apply) fn read(bytes: &[u8]) -> Reading {
    let mut reading = Reading::default();
    let mut lines = bytes.split(|byte| *byte == b'\n').peekable();
    let mut number = 0;
    while let Some(line) = lines.next() {
        number += 1;
        let is_tail = lines.peek().is_none();
        match parse(line) {
            Some(record) => reading.records.push(record),
            // After the last line feed there is nothing, a record that was not written completely, or a whole line
            // whose line feed has become something else.
            None if is_tail => {
                let whole = line.split_last().and_then(|(_, whole)| parse(whole));
                reading.records.extend(whole);
            }
            None => {
                reading.damaged.get_or_insert(number);
            }
        }
    }
    reading
}

/// Parses a line; `None` if it does not match its checksum or its form.
pub(in crate::apply) fn parse<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    let (sum, json) = line.split_at_checked(9)?;
    let sum = std::str::from_utf8(sum).ok()?.strip_suffix(' ')?;
    let written = u32::from_str_radix(sum, 16).ok()?;
    (written == crc32fast::hash(json)).then(|| serde_json::from_slice(json).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::vpc::VpcId;

    fn records() -> Vec<Record> {
        let address: Address = "vpc.lab".parse().unwrap();
        let at: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        vec![
            Record::Intent {
                address: address.clone(),
                generation: 1,
                token: "7c9e".to_owned(),
                request: RequestHash::of(&"10.0.0.0/16"),
                at,
            },
            Record::Made {
                address: address.clone(),
                generation: 1,
                id: "vpc-0a1b2c3d4e5f67890".parse::<VpcId>().unwrap().erase(),
                at,
            },
            Record::Settled { address, generation: 1 },
        ]
    }

    fn text(records: &[Record]) -> String {
        records.iter().map(|record| Line(record).to_string()).collect()
    }

    #[test]
    fn a_journal_is_lines_of_checked_json() {
        insta::assert_snapshot!(text(&records()), @r#"
        0c6d9f90 {"record":"intent","address":"vpc.lab","generation":1,"token":"7c9e","request":"sha256:bb550a8a72fa9f675164b7815febb65e5c72291fbc43dd458afd6392242553cd","at":"2026-11-22T10:00:00Z"}
        06666a64 {"record":"made","address":"vpc.lab","generation":1,"id":"vpc-0a1b2c3d4e5f67890","at":"2026-11-22T10:00:00Z"}
        bc39093d {"record":"settled","address":"vpc.lab","generation":1}
        "#);
    }

    #[test]
    fn what_is_written_is_read() {
        let records = records();
        assert_eq!(read(text(&records).as_bytes()), Reading { records, damaged: None });
    }

    #[test]
    fn a_journal_cut_anywhere_holds_what_was_whole() {
        let (records, text) = (records(), text(&records()));
        for cut in 0..=text.len() {
            let reading = read(&text.as_bytes()[..cut]);
            assert_eq!(reading.damaged, None, "cut at {cut}");
            assert_eq!(reading.records, records[..reading.records.len()], "cut at {cut}");
            let whole = text[..cut].matches('\n').count();
            assert!([whole, whole + 1].contains(&reading.records.len()), "cut at {cut}");
        }
        println!("{} cuts", text.len() + 1);
    }

    #[test]
    fn a_flipped_bit_is_never_taken_for_what_was_written() {
        let (records, text) = (records(), text(&records()));
        for place in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[place] ^= 1 << bit;
                let reading = read(&bytes);
                let is_detected = reading.damaged.is_some();
                // Hexadecimal digits have two cases, and the last line feed is not needed.
                let is_same = reading.records == records;
                assert!(is_detected || is_same, "bit {bit} of byte {place}");
            }
        }
        println!("{} flipped bits", 8 * text.len());
    }
}
