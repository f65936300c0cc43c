//! The core of the local AWS from outside: form bodies in, XML out.

mod accounts;
mod authorization;
mod client;
mod faults;
mod instance;
mod laws;
mod metrics;
mod network;
mod network_acls;
mod server;
mod store;
