//! The receiver's core, checked against literal bytes, laws, real captures and other tools.

mod captures;
mod decap;
mod flow;
mod generated;
mod laws;
mod literal;
mod mutation;
mod traffic;
mod tshark;
