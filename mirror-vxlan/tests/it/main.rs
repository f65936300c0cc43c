//! The wire format, checked against literal bytes, laws and real captures.

mod captures;
mod laws;
mod literal;
#[cfg(target_os = "linux")]
mod live;
