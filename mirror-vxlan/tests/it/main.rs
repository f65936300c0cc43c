//! The receiver's parts, checked against literal bytes, laws, real captures and other programs.
//! The receiver's core, checked against literal bytes, laws, real captures and other tools.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "a test says that it was skipped")]

mod capture_read;
mod capture_write;
mod captures;
mod files;
mod files_killed;
mod filter;
mod frames;
mod laws;
mod literal;
#[cfg(target_os = "linux")]
mod live;
mod peer;
#[cfg(target_os = "linux")]
mod program;
mod receive;
mod select;
mod streams;
mod tap;
mod traffic;
mod decap;
mod flow;
mod generated;
mod mutation;
mod laws;
mod literal;
mod offline;
mod peer;
mod traffic;
mod tshark;
#[cfg(feature = "upload")]
mod upload;
