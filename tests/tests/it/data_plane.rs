//! The data plane of the local AWS against the planner's trace. They share no code, and the trace must foretell
//! what the data plane does.

mod captures;
mod foretold;
mod generated;
mod lab;
mod scenes;
mod stacks;
mod wire;
