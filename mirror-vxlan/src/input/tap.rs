//! Frames that this host's bridges, virtual machines and programs send into a TAP device. They are as
//! an interface sees them, not wrapped in VXLAN.

#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::{Content, Input, Packet, Received};
use crate::clock::{Clock as _, SystemClock};
use crate::decap::Link;
use crate::socket::tap::set_queue;
use crate::tap::{DeviceName, TapError, open};

/// The most frames that wait in the device to be read: eight times the kernel's default.
pub const QUEUE: u16 = 8192;

/// Bytes of the longest frame: an IP packet, behind an Ethernet header with a VLAN tag.
const FRAME_MAX: usize = 65_535 + 18;

/// The most frames handed on by one call.
const BATCH: usize = 128;

/// A TAP device, which exists until this value is dropped, and the frames that are sent into it.
#[derive(Debug)]
pub struct TapInput {
    name: DeviceName,
    device: File,
    frame: Box<[u8]>,
}

impl TapInput {
    /// Opens or creates the device with this name, and sets it up.
    ///
    /// # Errors
    ///
    /// The device cannot be used.
    pub fn open(name: DeviceName, mtu: u16) -> Result<Self, TapError> {
        let device = open(&name, mtu)?;
        if let Err(source) = set_queue(&name, QUEUE) {
            return Err(TapError::SetUp { name, mtu, source });
        }
        Ok(Self { name, device, frame: vec![0; FRAME_MAX].into() })
    }

    /// Hands on what is waiting.
    fn take(&mut self, each: &mut impl FnMut(Packet<'_>)) -> io::Result<usize> {
        for count in 0..BATCH {
            match self.device.read(&mut self.frame) {
                Ok(length) => {
                    let bytes = &self.frame[..length];
                    let content = Content::Packet { link: Link::Ethernet, bytes };
                    each(Packet { time: SystemClock.now(), content });
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(count),
                Err(error) => return Err(error),
            }
        }
        Ok(BATCH)
    }

    /// Waits until something comes, and returns whether it did.
    fn wait(&self, timeout: Duration) -> io::Result<bool> {
        let timeout = Timespec::try_from(timeout).ok();
        match poll(&mut [PollFd::new(&self.device, PollFlags::IN)], timeout.as_ref()) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl Input for TapInput {
    fn receive(
        &mut self,
        timeout: Duration,
        mut each: impl FnMut(Packet<'_>),
    ) -> io::Result<Received> {
        let mut count = self.take(&mut each)?;
        if count == 0 && self.wait(timeout)? {
            count = self.take(&mut each)?;
        }
        Ok(if count == 0 { Received::Nothing } else { Received::Packets(count) })
    }

    /// Returns how many of the frames sent into the device its queue had no room for.
    fn dropped(&mut self) -> io::Result<u64> {
        // The thread's, not the process's: a thread may be in a network namespace of its own.
        let devices = fs::read_to_string("/proc/thread-self/net/dev")?;
        transmit_drops(&devices, &self.name).ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, format!("there is no device `{}`", self.name))
        })
    }
}

/// Finds in `/proc/net/dev` how many frames a device dropped instead of sending them.
fn transmit_drops(devices: &str, name: &DeviceName) -> Option<u64> {
    /// The columns are bytes, packets, errors, dropped and four more for receiving, then the same
    /// for sending.
    const DROPPED: usize = 8 + 3;
    let name = name.to_string();
    let mut lines = devices.lines().filter_map(|line| line.split_once(':'));
    let (_, counts) = lines.find(|(device, _)| device.trim() == name)?;
    counts.split_ascii_whitespace().nth(DROPPED)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_device_dropped_of_what_it_was_sent_stands_in_the_twelfth_column() {
        let devices = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:       1       2    3    4    5     6          7         8        9      10   11   12   13    14      15         16
mirror0:      1       2    3    4    5     6          7         8        9      10   11   42   13    14      15         16
";
        let dropped = |name: &str| transmit_drops(devices, &name.parse().unwrap());
        assert_eq!(
            [dropped("lo"), dropped("mirror0"), dropped("mirror")],
            [Some(12), Some(42), None]
        );
    }
}
