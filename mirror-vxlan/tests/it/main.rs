//! The wire format, checked against literal bytes, laws and real captures.

mod captures;
mod filter;
mod frames;
mod laws;
mod literal;
