//! TAP devices: network interfaces of this host with a program at the other end. [`Tap`] writes
//! frames into one, [`TapInput`] reads frames from one.
//!
//! [`Tap`]: crate::sink::tap::Tap
//! [`TapInput`]: crate::input::tap::TapInput

#![forbid(unsafe_code)]

use std::fs::File;
use std::io;

pub use crate::socket::device::{DeviceName, DeviceNameError};
use crate::socket::tap;

/// The default MTU of a device: that of a network interface in a VPC.
pub const MTU: u16 = 9001;

/// Why a TAP device could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// It could not be opened or created.
    #[error(
        "cannot open TAP device `{name}`; this needs /dev/net/tun and CAP_NET_ADMIN, and the device \
         must not be in use"
    )]
    Open {
        /// Its name.
        name: DeviceName,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It could not be set up.
    #[error("cannot bring up TAP device `{name}` with an MTU of {mtu}")]
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

/// Opens or creates the device with this name, and sets it up.
pub(crate) fn open(name: &DeviceName, mtu: u16) -> Result<File, TapError> {
    let device = tap::open(name).map_err(|source| TapError::Open { name: name.clone(), source })?;
    tap::set_up(name, mtu).map_err(|source| TapError::SetUp { name: name.clone(), mtu, source })?;
    Ok(device)
}
