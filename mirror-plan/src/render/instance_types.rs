//! The table of instance types as text.

use std::fmt;

use crate::resource::instance::mirroring::{DATE, Family, Mirroring, SOURCE, families};

/// Every known family, one per line, with the date of the list.
#[derive(Clone, Copy, Debug, Default)]
pub struct InstanceTypes;

impl fmt::Display for InstanceTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "What can be mirrored, according to AWS's list of {DATE}\n({SOURCE}).\n\n\
             AWS has no call that reports this, and adds types: for a family that is not here, a plan only warns.\n\
             A target can be of any type; most accept 10 sources, the largest sizes 100.\n"
        )?;
        let [name, machines, metal] = ["Family", "Mirrored", "Bare metal"];
        writeln!(f, "{name:<13} {machines:<8} {metal:<10} 100 sources")?;
        for family in families() {
            let Family { name, mirroring, metal, largest } = &family;
            let sizes: Vec<String> = largest.iter().map(|size| format!("{size}xlarge")).collect();
            let (mirroring, metal) = (word(*mirroring), word(*metal));
            let line = format!("{name:<13} {mirroring:<8} {metal:<10} {}", sizes.join(", "));
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

const fn word(mirroring: Mirroring) -> &'static str {
    match mirroring {
        Mirroring::Supported => "yes",
        Mirroring::Refused => "no",
        Mirroring::Unknown => "?",
    }
}
