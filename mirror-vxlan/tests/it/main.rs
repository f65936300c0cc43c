//! The receiver's parts, checked against literal bytes, laws, real captures and other programs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "a test says that it was skipped")]

mod capture_write;
mod captures;
mod files;
mod files_killed;
mod laws;
mod literal;
mod peer;
mod receive;
mod streams;
mod tap;
mod traffic;
#[cfg(feature = "upload")]
mod upload;
