//! What crosses the crates.

mod aws_act;
mod aws_bench;
mod aws_observe;
mod converge;
mod generate;
mod tidy;
