//! Tests of the library from outside.

#[cfg(feature = "hcl")]
mod reference;
