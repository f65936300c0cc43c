//! Tests that span several crates.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]
#![expect(clippy::print_stdout, reason = "a test prints what it has tried and what it has not")]

mod accounts;
mod adopt;
mod aws_act;
mod aws_bench;
mod aws_cut;
mod aws_faults;
mod aws_gateway;
mod aws_observe;
mod aws_peering;
mod aws_samples;
mod aws_scaling;
mod aws_transit;
mod converge;
mod crash;
mod data_plane;
mod drift;
mod edits;
mod encapsulation;
mod endurance;
mod estate;
mod findings;
mod generate;
mod iam;
mod import;
mod lease;
mod metrics;
mod moved;
mod order;
mod packages;
mod peers;
mod second_look;
mod session_names;
mod sharing;
mod sources;
mod tidy;
mod verify;
