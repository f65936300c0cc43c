//! A sink that remembers which frames came, without keeping them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use mirror_vxlan::batch::Batch;
use mirror_vxlan::sink::{Delivery, Sink};

use super::digest::Digest;

/// What a witness has seen, for whoever asks.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Frames>);

/// Frames that came.
#[derive(Debug, Clone, Default)]
pub(super) struct Frames {
    pub(super) digest: Digest,
    /// How many, by where they came from and VNI.
    pub(super) sessions: BTreeMap<(IpAddr, u32), u64>,
}

impl Seen {
    pub(super) fn frames(&self) -> Frames {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Sees every frame that a receiver delivers.
#[derive(Debug)]
pub(super) struct Witness(Arc<Seen>);

impl Witness {
    pub(super) fn new(seen: Arc<Seen>) -> Self {
        Self(seen)
    }
}

impl Sink for Witness {
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        let mut seen = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, frame) in batch.frames() {
            let vni = u32::from(frame.session.vni);
            seen.digest.add(vni, frame.bytes);
            *seen.sessions.entry((frame.session.source, vni)).or_default() += 1;
        }
        Delivery::whole(batch)
    }
}
