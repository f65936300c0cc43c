//! TAP devices: made or opened by name, given an MTU, and set up.

use std::ffi::c_short;
use std::fs::{File, OpenOptions};
use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd as _};
use std::os::unix::fs::OpenOptionsExt as _;

use libc::{Ioctl, ifreq};

/// The name of a network device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceName(String);

/// A text is no name of a network device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a device name has 1 to 15 characters without white space, `/`, `:` and `%`, and is not `.` or `..`"
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
    fn request(&self) -> ifreq {
        // SAFETY: an ifreq is numbers, bytes and pointers, of all of which zero is a value.
        let mut request: ifreq = unsafe { std::mem::zeroed() };
        for (place, byte) in request.ifr_name.iter_mut().zip(self.0.bytes()) {
            *place = byte.cast_signed();
        }
        request
    }
}

/// Opens the TAP device with this name, or makes it; one that was made goes when it is closed.
///
/// A frame is written by one call of `write`, and put into the device before the call returns.
///
/// # Errors
///
/// It needs CAP_NET_ADMIN to make one, and nobody else may have it open.
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

/// Sets the largest packet that a device takes, and sets the device up, without ARP: nothing on
/// the host answers what is mirrored.
///
/// # Errors
///
/// There is no such device any more, or CAP_NET_ADMIN is missing.
pub fn set_up(name: &DeviceName, mtu: u16) -> io::Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:0")?; // any socket speaks of devices
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

fn ioctl(file: &impl AsFd, call: Ioctl, request: &mut ifreq) -> io::Result<()> {
    let file = file.as_fd().as_raw_fd();
    // SAFETY: the calls of this module read and write one ifreq, which `request` is for as long.
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
