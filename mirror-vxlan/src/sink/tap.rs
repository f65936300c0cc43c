//! A TAP device: frames as if they came in on a network interface, for Zeek, Suricata, tcpdump.

use std::fs::File;
use std::io::{self, Write as _};

use crate::Timestamp;
use crate::batch::Batch;
use crate::sink::{Ahead, Delivery, LossReason, Sink, Trouble};
pub use crate::socket::device::{DeviceName, DeviceNameError};
use crate::socket::tap;

/// The MTU of a device unless another is asked for: that of a network interface in a VPC.
pub const MTU: u16 = 9001;

/// Why a TAP device could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// It could not be opened or made.
    #[error("open TAP device `{name}`; it needs /dev/net/tun, CAP_NET_ADMIN and no other program")]
    Open {
        /// Its name.
        name: DeviceName,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It could not be set up.
    #[error("set TAP device `{name}` up with an MTU of {mtu}")]
    SetUp {
        /// Its name.
        name: DeviceName,
        /// The MTU.
        mtu: u16,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Writes frames into a TAP device, which is there until the sink is closed.
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
    /// Opens the device with this name, or makes it, and sets it up.
    ///
    /// # Errors
    ///
    /// The device cannot be used.
    pub fn open(name: DeviceName, mtu: u16) -> Result<Self, TapError> {
        let device = open(&name, mtu)?;
        Ok(Self { name, mtu, device, trouble: None })
    }

    /// Writes the frames; returns what became of them, and the last error that was not about one
    /// frame but the device.
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
                    // A frame without a whole Ethernet header is an invalid argument.
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
            message: format!("write to TAP device `{}`: {error}", self.name),
        });
        delivery
    }

    fn tick(&mut self, _now: Timestamp, _ahead: Ahead) {
        if self.trouble.is_none() {
            return;
        }
        let revived = match tap::set_up(&self.name, self.mtu) {
            Ok(()) => Ok(()),
            // Somebody deleted it.
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

fn open(name: &DeviceName, mtu: u16) -> Result<File, TapError> {
    let device = tap::open(name).map_err(|source| TapError::Open { name: name.clone(), source })?;
    tap::set_up(name, mtu).map_err(|source| TapError::SetUp { name: name.clone(), mtu, source })?;
    Ok(device)
}
