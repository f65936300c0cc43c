//! The selection.

#![forbid(unsafe_code)]
pub mod filter;
