//! TAP devices: created or opened by name, given an MTU, and brought up.

use std::ffi::c_short;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;

use libc::Ioctl;

use super::device::{DeviceName, any_socket, ioctl};

/// Opens or creates the TAP device with this name; a created device is deleted when it is closed.
///
/// A frame is written by one call of `write`, and is in the device before the call returns. A frame
/// that the host sends into the device is read by one call of `read`.
///
/// # Errors
///
/// CAP_NET_ADMIN is missing, which is needed to create a device, or another process has it open.
pub fn open(name: &DeviceName) -> io::Result<File> {
    let device = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open("/dev/net/tun")?;
    let mut request = name.request();
    let flags = libc::IFF_TAP | libc::IFF_NO_PI;
    request.ifr_ifru.ifru_flags = c_short::try_from(flags).expect("both flags are low bits");
    ioctl(&device, libc::TUNSETIFF, &mut request)?;
    Ok(device)
}

/// Sets the largest packet that a device accepts, and brings the device up, without ARP: nothing on
/// the host answers mirrored traffic.
///
/// # Errors
///
/// The device no longer exists, or CAP_NET_ADMIN is missing.
pub fn set_up(name: &DeviceName, mtu: u16) -> io::Result<()> {
    let socket = any_socket()?;
    let mut request = name.request();
    request.ifr_ifru.ifru_mtu = mtu.into();
    ioctl(&socket, libc::SIOCSIFMTU as Ioctl, &mut request)?;
    let mut request = name.request();
    ioctl(&socket, libc::SIOCGIFFLAGS as Ioctl, &mut request)?;
    let up = libc::IFF_UP | libc::IFF_NOARP;
    // SAFETY: the call before wrote the flags.
    let flags = unsafe { request.ifr_ifru.ifru_flags };
    request.ifr_ifru.ifru_flags = flags | c_short::try_from(up).expect("both flags are low bits");
    ioctl(&socket, libc::SIOCSIFFLAGS as Ioctl, &mut request)
}

/// Sets how many frames that the host sends into a device can wait there to be read.
///
/// # Errors
///
/// The device no longer exists, or CAP_NET_ADMIN is missing.
pub fn set_queue(name: &DeviceName, frames: u16) -> io::Result<()> {
    let mut request = name.request();
    request.ifr_ifru.ifru_metric = frames.into(); // as `ifr_qlen`, the same number of the union
    ioctl(&any_socket()?, libc::SIOCSIFTXQLEN as Ioctl, &mut request)
}
