//! A sink for benchmarks, which delivers frames nowhere.

use crate::batch::Batch;
use crate::sink::{Delivery, Sink};

/// Counts every frame as delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Null;

impl Sink for Null {
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        Delivery::whole(batch)
    }
}
