//! How fast AWS accepts calls: the table of its token buckets, by which calls are paced and runs estimated.

use std::sync::LazyLock;
use std::time::Duration;

/// A line of the table: calls that share a bucket.
#[derive(Debug)]
pub(crate) struct Category {
    /// The calls: exact names, or the beginnings of names if they end in `*`.
    calls: Vec<&'static str>,
    /// How many calls are accepted at once.
    pub(crate) size: f64,
    /// How many more calls are accepted each second.
    pub(crate) refill: f64,
}

/// The numbers, each with its source.
const TABLE: &str = include_str!("rate.txt");

/// The categories of the table. For each call, the first one that names it applies.
pub(crate) static CATEGORIES: LazyLock<Vec<Category>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| category(line).expect("a test reads every line of the table")).collect()
});

/// Reads `calls | how many at once | how many more each second | source`.
fn category(line: &'static str) -> Option<Category> {
    let mut parts = line.split(" | ");
    let calls = parts.next()?.split(", ").collect();
    let mut number = || parts.next()?.parse().ok().filter(|number: &f64| *number > 0.0);
    let (size, refill) = (number()?, number()?);
    let source = parts.next()?;
    (matches!(source, "EC2" | "ELB" | "custom" | "assumed") && parts.next().is_none())
        .then_some(Category { calls, size, refill })
}

impl Category {
    /// Returns the place of a call's category in the table.
    pub(crate) fn place(call: &str) -> Option<usize> {
        CATEGORIES.iter().position(|category| category.holds(call))
    }

    fn holds(&self, call: &str) -> bool {
        self.calls.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(beginning) => call.starts_with(beginning),
            None => call == *pattern,
        })
    }

    /// Returns the shortest time until this many calls have been accepted, starting from a full bucket.
    pub(crate) fn time_for(&self, calls: u32) -> Duration {
        Duration::from_secs_f64((f64::from(calls) - self.size).max(0.0) / self.refill)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_has_a_bucket() {
        let buckets = |call| {
            let found = Category::place(call).map(|place| &CATEGORIES[place]);
            found.map(|category| (category.size, category.refill))
        };
        assert_eq!(buckets("DescribeVpcs"), Some((100.0, 20.0)));
        assert_eq!(buckets("DescribeListeners"), Some((40.0, 10.0)));
        assert_eq!(buckets("UpdateAutoScalingGroup"), Some((40.0, 5.0)));
        assert_eq!(buckets("GetResourceShareAssociations"), Some((40.0, 10.0)));
        assert_eq!(buckets("CreateVpc"), Some((200.0, 5.0)));
    }

    #[test]
    fn what_is_more_than_a_bucket_takes_time() {
        let create = &CATEGORIES[Category::place("CreateTrafficMirrorSession").unwrap()];
        assert_eq!(create.time_for(200), Duration::ZERO);
        assert_eq!(create.time_for(1_000), Duration::from_secs(160));
    }

    #[test]
    fn a_line_that_says_less_or_more_is_no_line() {
        assert!(category("Describe*, Get* | 100 | 20 | EC2").is_some());
        for line in [
            "",
            "Get*",
            "Get* | 100",
            "Get* | 0 | 20 | EC2",
            "Get* | 100 | x | EC2",
            "Get* | 100 | 20",
            "Get* | 100 | 20 | hearsay",
            "Get* | 100 | 20 | EC2 | ELB",
        ] {
            assert!(category(line).is_none(), "{line}");
        }
    }
}
