//! A sink that remembers which frames came, and keeps them in files if asked to.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use mirror_vxlan::Timestamp;
use mirror_vxlan::batch::Batch;
use mirror_vxlan::sink::file::Files;
use mirror_vxlan::sink::{Ahead, Delivery, LossReason, Sink, Trouble};

use super::digest::Digest;

/// What a witness has seen, for whoever asks.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Frames>);

/// Frames that came.
#[derive(Debug, Clone, Default)]
pub(super) struct Frames {
    pub(super) digest: Digest,
    /// How many, by their source address and VNI.
    pub(super) sessions: BTreeMap<(IpAddr, u32), u64>,
}

impl Seen {
    pub(super) fn frames(&self) -> Frames {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Sees every frame that a receiver delivers, and keeps it if there are files.
#[derive(Debug)]
pub(super) struct Witness {
    seen: Arc<Seen>,
    files: Option<Files>,
}

impl Witness {
    pub(super) fn new(seen: Arc<Seen>, files: Option<Files>) -> Self {
        Self { seen, files }
    }
}

impl Sink for Witness {
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        let delivery = match &mut self.files {
            Some(files) => files.deliver(batch),
            None => Delivery::whole(batch),
        };
        // Files take a batch or leave it.
        if delivery != Delivery::whole(batch) {
            return delivery;
        }
        let mut seen = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, frame) in batch.frames() {
            let vni = u32::from(frame.session.vni);
            seen.digest.add(vni, frame.bytes);
            *seen.sessions.entry((frame.session.source, vni)).or_default() += 1;
        }
        delivery
    }

    fn tick(&mut self, now: Timestamp, ahead: Ahead) {
        if let Some(files) = &mut self.files {
            files.tick(now, ahead);
        }
    }

    fn trouble(&self) -> Option<&Trouble> {
        self.files.as_ref().and_then(Files::trouble)
    }

    fn close(self: Box<Self>) -> [u64; LossReason::COUNT] {
        match self.files {
            Some(files) => Box::new(files).close(),
            None => [0; LossReason::COUNT],
        }
    }
}
