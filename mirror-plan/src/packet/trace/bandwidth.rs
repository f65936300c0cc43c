//! What the network card of an instance carries, by instance type.

use crate::scalar::InstanceType;

/// What an instance may send and receive together: its own traffic and the copies of it.
///
/// Source: AWS Traffic Mirroring guide, "Considerations": mirrored traffic counts towards the bandwidth of the
/// instance, and mirroring 1 Gbit/s in and 1 Gbit/s out uses 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bandwidth {
    /// Without a time limit, in Mbit/s.
    pub baseline: u32,
    /// For a limited time, in Mbit/s.
    pub peak: u32,
}

/// A table of the instance types, sorted by type.
const TABLE: &str = include_str!("../bandwidth.txt");

impl Bandwidth {
    /// The bandwidth of an instance type, if the table has it.
    ///
    /// Source: EC2 API, `DescribeInstanceTypes`, as of the date in the table.
    #[must_use]
    pub fn of(instance_type: &InstanceType) -> Option<Self> {
        let wanted = instance_type.to_string();
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        lines.map(row).find(|(name, _)| *name == wanted).map(|(_, found)| found)
    }
}

fn row(line: &'static str) -> (&'static str, Bandwidth) {
    let mut words = line.split(' ');
    let name = words.next().unwrap_or_default();
    let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
    (name, Bandwidth { baseline: number(), peak: number() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_type_with_two_numbers() {
        let lines: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.is_sorted_by(|a, b| row(a).0 < row(b).0));
        for line in &lines {
            let (name, Bandwidth { baseline, peak }) = row(line);
            assert!(name.parse::<InstanceType>().is_ok(), "{line}");
            assert!(0 < baseline && baseline <= peak, "{line}");
            assert_eq!(*line, format!("{name} {baseline} {peak}"));
        }
        assert!(lines.len() > 1000);
    }

    #[test]
    fn a_small_instance_has_little_for_long_and_much_for_a_while() {
        let of = |name: &str| Bandwidth::of(&name.parse().unwrap());
        assert_eq!(of("t3.micro"), Some(Bandwidth { baseline: 64, peak: 5000 }));
        assert_eq!(of("c5n.18xlarge"), Some(Bandwidth { baseline: 100_000, peak: 100_000 }));
        assert_eq!(of("x99.large"), None);
    }
}
