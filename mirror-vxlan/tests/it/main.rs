//! The receiver's parts, checked against literal bytes, laws, real captures and other programs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "a test says that it was skipped")]

mod capture_read;
mod capture_write;
mod captures;
mod decap;
mod flow;
mod generated;
mod laws;
mod literal;
mod mutation;
mod offline;
mod peer;
mod traffic;
mod tshark;
