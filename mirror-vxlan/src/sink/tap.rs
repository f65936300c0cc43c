//! A TAP device: frames as if they arrived on a network interface, for Zeek, Suricata, tcpdump.

use std::fs::File;
use std::io::{self, Write as _};

use crate::Timestamp;
use crate::batch::Batch;
use crate::sink::{Ahead, Delivery, LossReason, Sink, Trouble};
use crate::socket::tap::set_up;
use crate::tap::{DeviceName, TapError, open};

/// Writes frames into a TAP device, which exists until the sink is closed.
///
/// A reader that is too slow loses frames in its own buffer, and counts them there.
#[derive(Debug)]
pub struct Tap {
    name: DeviceName,
    mtu: u16,
    device: File,
    trouble: Option<Trouble>,
}

impl Tap {
    /// Opens or creates the device with this name, and sets it up.
    ///
    /// # Errors
    ///
    /// The device cannot be used.
    pub fn open(name: DeviceName, mtu: u16) -> Result<Self, TapError> {
        let device = open(&name, mtu)?;
        Ok(Self { name, mtu, device, trouble: None })
    }

    /// Writes the frames; returns what became of them, and the last error that concerned the device
    /// rather than one frame.
    fn write(&mut self, batch: &Batch) -> (Delivery, Option<io::Error>) {
        let mut delivery = Delivery::default();
        let mut failure = None;
        for (_, frame) in batch.frames() {
            match self.device.write(frame.bytes) {
                Ok(written) => {
                    delivery.frames += 1;
                    delivery.bytes += written as u64; // all: a device takes frames, not bytes
                }
                Err(error) => {
                    delivery.lost[LossReason::Refused.index()] += 1;
                    // A frame without a whole Ethernet header fails as an invalid argument.
                    if error.kind() != io::ErrorKind::InvalidInput {
                        failure = Some(error);
                    }
                }
            }
        }
        (delivery, failure)
    }
}

impl Sink for Tap {
    fn deliver(&mut self, batch: &Batch) -> Delivery {
        let (delivery, failure) = self.write(batch);
        self.trouble = failure.map(|error| Trouble {
            reason: LossReason::Refused,
            message: format!("cannot write to TAP device `{}`: {error}", self.name),
        });
        delivery
    }

    fn tick(&mut self, _now: Timestamp, _ahead: Ahead) {
        if self.trouble.is_none() {
            return;
        }
        let revived = match set_up(&self.name, self.mtu) {
            Ok(()) => Ok(()),
            // Someone deleted the device.
            Err(_) => open(&self.name, self.mtu).map(|device| self.device = device),
        };
        if revived.is_ok() {
            self.trouble = None;
        }
    }

    fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }
}
