//! How the uploading process reports its counts: as one JSON object per line.

use mirror_vxlan::count::{Tally, UploadCounts};
use serde_json::Value;

/// Returns the line that reports the counts.
#[cfg(any(feature = "upload", test))]
pub(crate) fn line(counts: &UploadCounts) -> String {
    let UploadCounts { stored, failures, waiting, trouble } = counts;
    serde_json::json!({
        "stored": [stored.count, stored.bytes],
        "failures": failures,
        "waiting": [waiting.count, waiting.bytes],
        "trouble": trouble,
    })
    .to_string()
}

/// Returns the counts that a line reports; `None` if it is not such a line.
pub(crate) fn counts(line: &str) -> Option<UploadCounts> {
    let value: Value = serde_json::from_str(line).ok()?;
    let tally = |name: &str| {
        let pair = value.get(name)?;
        Some(Tally { count: pair.get(0)?.as_u64()?, bytes: pair.get(1)?.as_u64()? })
    };
    Some(UploadCounts {
        stored: tally("stored")?,
        failures: value.get("failures")?.as_u64()?,
        waiting: tally("waiting")?,
        trouble: value.get("trouble")?.as_str().map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_was_counted() {
        let told = UploadCounts {
            stored: Tally { count: 1, bytes: 2 },
            failures: 3,
            waiting: Tally { count: 4, bytes: u64::MAX },
            trouble: Some("store `a\n\"b`".to_owned()),
        };
        assert!(!line(&told).contains('\n'));
        assert_eq!(counts(&line(&told)), Some(told));
        assert_eq!(counts(&line(&UploadCounts::default())), Some(UploadCounts::default()));
        assert_eq!(counts("a panic"), None);
    }
}
