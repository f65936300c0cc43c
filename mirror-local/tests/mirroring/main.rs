//! Traffic mirroring and load balancing of the local AWS, from outside: calls in, XML out.

mod auto_scaling;
mod client;
mod gateway;
mod launch_templates;
mod laws;
mod load_balancing;
mod network_acls;
mod parameters;
mod scale;
mod sessions;
mod sharing;
mod target_groups;
mod targets_and_filters;
mod wild_input;
