//! Takes the mirrored frames out of captures: `decap IN... OUT`, where `-` is a standard stream.
//!
//! What `mirror-vxlan decap` does, without its options.

use std::error::Error;
use std::io::{Write as _, stderr};

use mirror_vxlan::offline::{Place, Task, decap};
use mirror_vxlan::reason::DropReason;

fn main() -> Result<(), Box<dyn Error>> {
    let mut inputs: Vec<Place> = std::env::args_os().skip(1).map(Place::from).collect();
    let output = inputs.pop().filter(|_| !inputs.is_empty()).ok_or("usage: decap IN... OUT")?;
    let report = decap(&Task::new(inputs, output), |frame| Ok(frame.bytes.len()), |_| None)?;
    let counts = &report.counts;
    let mut out = stderr().lock();
    writeln!(out, "{} packets, {} frames", counts.received.count, counts.accepted.count)?;
    for reason in DropReason::ALL.iter().filter(|reason| counts.dropped[reason.index()] > 0) {
        writeln!(out, "{} without a frame: {reason}", counts.dropped[reason.index()])?;
    }
    match report.damaged.into_iter().next() {
        Some((_, error)) => Err(error.into()),
        None => Ok(()),
    }
}
