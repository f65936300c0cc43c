//! The data plane of the local AWS against the planner's trace, which share no code: what the one does, the
//! other had foretold.

mod captures;
mod foretold;
mod generated;
mod lab;
mod scenes;
mod stacks;
mod wire;
