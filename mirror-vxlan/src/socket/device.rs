//! Network devices: their names, and queries about them.

use std::ffi::c_char;
use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd as _};

use libc::{Ioctl, ifreq};

/// `SIOCETHTOOL` of `linux/sockios.h`.
const SIOCETHTOOL: Ioctl = 0x8946;

/// `ETHTOOL_GCHANNELS` of `linux/ethtool.h`.
const GET_CHANNELS: u32 = 0x3c;

/// The name of a network device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceName(String);

/// A text that is not a valid name of a network device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a device name has 1 to 15 characters without white space, `/`, `:` or `%`, and is not `.` or `..`"
)]
pub struct DeviceNameError;

impl std::str::FromStr for DeviceName {
    type Err = DeviceNameError;

    fn from_str(text: &str) -> Result<Self, DeviceNameError> {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"/:%".contains(&byte);
        let fits = (1..libc::IFNAMSIZ).contains(&text.len()) && text.bytes().all(plain);
        if fits && text != "." && text != ".." {
            Ok(Self(text.to_owned()))
        } else {
            Err(DeviceNameError)
        }
    }
}

impl std::fmt::Display for DeviceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

impl DeviceName {
    pub(super) fn request(&self) -> ifreq {
        // SAFETY: an ifreq consists of numbers, bytes and pointers, for all of which zero is valid.
        let mut request: ifreq = unsafe { std::mem::zeroed() };
        for (place, byte) in request.ifr_name.iter_mut().zip(self.0.bytes()) {
            *place = byte.cast_signed();
        }
        request
    }
}

/// Returns the MTU of a device: bytes of the longest packet that it accepts, without the link header.
///
/// # Errors
///
/// There is no such device.
pub fn mtu(name: &DeviceName) -> io::Result<u32> {
    let mut request = name.request();
    ioctl(&any_socket()?, libc::SIOCGIFMTU as Ioctl, &mut request)?;
    // SAFETY: the call wrote it.
    let mtu = unsafe { request.ifr_ifru.ifru_mtu };
    Ok(u32::try_from(mtu).unwrap_or(0))
}

/// Numbers of queues (`struct ethtool_channels`).
#[derive(Default)]
#[repr(C)]
struct Channels {
    command: u32,
    /// Maximums: receiving, sending, other, and combined queues.
    most: [u32; 4],
    receiving: u32,
    sending: u32,
    other: u32,
    combined: u32,
}

/// Returns how many receiving queues a device has.
///
/// # Errors
///
/// There is no such device.
pub fn receive_queues(name: &DeviceName) -> io::Result<u32> {
    let mut channels = Channels { command: GET_CHANNELS, ..Channels::default() };
    let mut request = name.request();
    request.ifr_ifru.ifru_data = (&raw mut channels).cast::<c_char>();
    match ioctl(&any_socket()?, SIOCETHTOOL, &mut request) {
        Ok(()) => Ok((channels.receiving + channels.combined).max(1)),
        // A driver that does not report the number has one queue.
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(1),
        Err(error) => Err(error),
    }
}

/// Returns a socket for queries about devices; any socket serves.
pub(super) fn any_socket() -> io::Result<UdpSocket> {
    UdpSocket::bind("0.0.0.0:0")
}

pub(super) fn ioctl(file: &impl AsFd, call: Ioctl, request: &mut ifreq) -> io::Result<()> {
    let file = file.as_fd().as_raw_fd();
    // SAFETY: the calls made here read and write one ifreq, and at most what it points to; both
    // outlive the call.
    match unsafe { libc::ioctl(file, call, std::ptr::from_mut(request)) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_name_is_one_that_the_kernel_takes() {
        for bad in ["", "a b", "a/b", "a:b", "tap%d", ".", "..", "sixteencharacter"] {
            assert_eq!(bad.parse::<DeviceName>(), Err(DeviceNameError), "{bad}");
        }
        assert_eq!("fifteencharacte".parse::<DeviceName>().unwrap().to_string(), "fifteencharacte");
    }
}
