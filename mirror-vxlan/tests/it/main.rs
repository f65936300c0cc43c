//! The receiver's parts, checked against literal bytes, laws, real captures and other programs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "a test says that it was skipped")]

mod capture_read;
mod capture_write;
mod captures;
#[cfg(target_os = "linux")]
mod check;
mod decap;
#[cfg(target_os = "linux")]
mod docs;
mod files;
mod files_killed;
mod filter;
mod flow;
mod frames;
mod generated;
mod laws;
mod literal;
#[cfg(target_os = "linux")]
mod live;
mod mutation;
mod offline;
#[cfg(target_os = "linux")]
mod operations;
#[cfg(target_os = "linux")]
mod packaging;
mod payloads;
mod peer;
#[cfg(target_os = "linux")]
mod program;
mod receive;
mod select;
mod streams;
#[cfg(target_os = "linux")]
mod suricata;
mod tap;
mod traffic;
mod tshark;
#[cfg(feature = "upload")]
mod upload;
