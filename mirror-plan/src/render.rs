//! Rendering: plans, reports, events and stacks as text, JSON, pictures and pages.
//!
//! Rendering is pure: equal input gives byte-identical output, whatever the terminal. The content comes from the
//! cloud and from files, so anything that could break out of its line or its quotes is escaped.

pub mod adoptions;
mod compared;
pub mod diagnostic;
pub mod drift;
pub mod estimate;
mod fan_out;
pub mod graph;
pub mod instance_types;
pub mod json;
pub mod markdown;
mod markup;
pub mod page;
pub mod palette;
pub mod permission;
pub mod progress;
pub mod reach;
pub mod report;
#[cfg(test)]
mod samples;
mod scene;
mod sharing;
pub mod snapshot;
pub mod stack_file;
pub mod terraform;
pub mod text;
pub mod trace;
pub mod verify;
mod wording;

pub use palette::Palette;
pub use wording::Wording;
