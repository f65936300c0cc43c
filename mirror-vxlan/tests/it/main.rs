//! The wire format, checked against literal bytes, laws and real captures.

mod captures;
mod laws;
mod literal;
mod receive;
mod traffic;
