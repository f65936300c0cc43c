//! What crosses the crates.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod aws_act;
mod aws_bench;
mod aws_faults;
mod aws_observe;
mod aws_samples;
mod converge;
mod generate;
mod peers;
mod tidy;
