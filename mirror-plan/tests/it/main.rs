//! Tests of the library from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(feature = "hcl")]
mod receiver;
#[cfg(feature = "hcl")]
mod reference;
