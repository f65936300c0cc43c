//! The names of capture files, which identify our files and give their order in time.

use std::fmt;
use std::path::Path;

use crate::Timestamp;

/// The ending of a file that is not finished.
pub(super) const PARTIAL: &str = ".partial";

/// The ending of a file that was compressed.
pub(super) const ZSTANDARD: &str = ".zst";

/// The prefix of all file names of one sink; several sinks may share one directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

/// A text that cannot be the prefix of a file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a file name prefix has 1 to 100 characters from A-Z a-z 0-9 . _ and -")]
pub struct PrefixError;

impl Default for Prefix {
    fn default() -> Self {
        Self("mirror".to_owned())
    }
}

impl std::str::FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let fits = (1..=100).contains(&text.len()) && text.bytes().all(plain);
        if fits { Ok(Self(text.to_owned())) } else { Err(PrefixError) }
    }
}

/// The stage of one of our files, according to its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It is whole and will not change.
    Finished,
    /// It is being written, or was when its writer died.
    Partial,
    /// It is being compressed, or was when its writer died; the original file still exists.
    Compressing,
}

impl Prefix {
    /// Returns the name, without an ending, of the file with this number that was begun at this time.
    pub(super) fn stem(&self, begun: Timestamp, sequence: u32) -> String {
        format!("{}-{}-{sequence:04}", self.0, Compact(begun))
    }

    /// Returns the stage of the file at `path`, or `None` if it is not of a sink with this prefix.
    pub(crate) fn stage(&self, path: &Path) -> Option<Stage> {
        let name = path.file_name()?.to_str()?;
        let rest = name.strip_prefix(&self.0)?.strip_prefix('-')?;
        let (time, rest) = rest.split_at_checked("20261122T215107Z".len())?;
        let digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (day, clock) = time.strip_suffix('Z')?.split_once('T')?;
        let (sequence, ending) = rest.strip_prefix('-')?.split_once('.')?;
        if !(digits(day) && digits(clock) && digits(sequence)) {
            return None;
        }
        match ending {
            "pcap" | "pcapng" | "pcap.zst" | "pcapng.zst" => Some(Stage::Finished),
            "pcap.partial" | "pcapng.partial" => Some(Stage::Partial),
            "pcap.zst.partial" | "pcapng.zst.partial" => Some(Stage::Compressing),
            _ => None,
        }
    }
}

/// A time in the format of file names, in UTC: `20261122T215107Z`.
struct Compact(Timestamp);

impl fmt::Display for Compact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_nanos() / 1_000_000_000;
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
    }
}

/// Returns the year, month and day in the Gregorian calendar of a day counted from 1970-01-01.
///
/// The calculation lets years begin in March, so that a leap day is the last day of its year.
const fn civil(days: u64) -> (u64, u64, u64) {
    const DAYS_FROM_YEAR_0: u64 = 719_468;
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let days = days + DAYS_FROM_YEAR_0;
    let (era, day_of_era) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let leap_days = day_of_era / 1460 + day_of_era / 146_096 - day_of_era / 36_524;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_follows_the_day_before_from_1970_to_2554() {
        let mut expected = (1970, 1, 1);
        for days in 0..213_503 {
            assert_eq!(civil(days), expected);
            let (year, month, day) = expected;
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 if leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            expected = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                (_, day) if day == last => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
        }
    }

    #[test]
    fn a_name_has_its_time_in_utc_and_its_number() {
        let time = Timestamp::from_parts(1_795_384_267, 999_999_999);
        assert_eq!(Prefix::default().stem(time, 1), "mirror-20261122T215107Z-0001");
        assert_eq!(Prefix::default().stem(time, 12_345), "mirror-20261122T215107Z-12345");
    }

    #[test]
    fn only_names_of_the_same_prefix_are_ours() {
        let stage = |name: &str| Prefix::default().stage(Path::new(name));
        let stem = "mirror-20261122T215107Z-0001";
        assert_eq!(stage(&format!("/a/{stem}.pcapng")), Some(Stage::Finished));
        assert_eq!(stage(&format!("{stem}.pcap.zst")), Some(Stage::Finished));
        assert_eq!(stage(&format!("{stem}.pcapng.partial")), Some(Stage::Partial));
        assert_eq!(stage(&format!("{stem}.pcapng.zst.partial")), Some(Stage::Compressing));
        for other in [
            "mirror-20261122T215107Z-0001.txt",
            "mirror-20261122T215107Z-0001",
            "mirror-20261122T215107Z-.pcap",
            "mirror-20261122t215107z-0001.pcap",
            "mirror-b-20261122T215107Z-0001.pcap",
            "mirro-20261122T215107Z-0001.pcap",
            "mirror-2026112éT215107Z-0001.pcap",
            "notes.pcap",
        ] {
            assert_eq!(stage(other), None, "{other}");
        }
    }

    #[test]
    fn a_prefix_cannot_lead_out_of_the_directory() {
        for bad in ["", "a/b", "..\\", "a b", "é", &"a".repeat(101)] {
            assert_eq!(bad.parse::<Prefix>(), Err(PrefixError), "{bad}");
        }
        assert!("eu-west-1.web_2".parse::<Prefix>().is_ok());
    }
}
