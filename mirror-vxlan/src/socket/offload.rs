//! What a network device does with incoming packets: how many wait in its ring, and which are merged
//! (`ethtool -g` and `ethtool -k`).

use std::ffi::c_char;
use std::io;

use libc::Ioctl;

use super::device::{DeviceName, any_socket, ioctl};

/// `SIOCETHTOOL` of `linux/sockios.h`.
const SIOCETHTOOL: Ioctl = 0x8946;

// Commands from `linux/ethtool.h`.
const GET_RING: u32 = 0x10;
const GET_STRINGS: u32 = 0x1b;
const GET_STRING_COUNTS: u32 = 0x37;
const GET_FEATURES: u32 = 0x3a;

/// The set of strings that name features (`ETH_SS_FEATURES`).
const FEATURE_NAMES: u32 = 4;

/// The number of 32-bit words in the name of a feature (`ETH_GSTRING_LEN`).
const NAME_WORDS: usize = 32 / 4;

/// Words for each 32 features: those that can be changed, are requested, are on, never change.
const BLOCK_WORDS: usize = 4;

/// The number of packets that can wait in a device's ring until the host takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiveRing {
    /// How many packets fit at its current size.
    pub packets: u32,
    /// How many packets fit at its largest size.
    pub packets_max: u32,
}

/// Returns the receive ring of a device; `None` if its driver has none.
///
/// # Errors
///
/// There is no such device.
pub fn receive_ring(name: &DeviceName) -> io::Result<Option<ReceiveRing>> {
    // A `struct ethtool_ringparam`: the command, four limits and four values, for receiving first.
    let mut ring = [GET_RING, 0, 0, 0, 0, 0, 0, 0, 0];
    match ask(name, &mut ring) {
        Ok(()) => Ok(Some(ReceiveRing { packets: ring[5], packets_max: ring[1] })),
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the features of a device that are on, by the names that `ethtool -k` also knows.
///
/// # Errors
///
/// There is no such device.
pub fn features(name: &DeviceName) -> io::Result<Vec<String>> {
    let count = feature_count(name)?;
    let mut names = vec![0; 3 + count * NAME_WORDS];
    names[..2].copy_from_slice(&[GET_STRINGS, FEATURE_NAMES]);
    ask(name, &mut names)?;
    let blocks = count.div_ceil(32);
    let mut states = vec![0; 2 + blocks * BLOCK_WORDS];
    states[..2].copy_from_slice(&[GET_FEATURES, u32::try_from(blocks).unwrap_or(0)]);
    ask(name, &mut states)?;
    let is_on = |number: usize| {
        let active = states[2 + number / 32 * BLOCK_WORDS + 2];
        active >> (number % 32) & 1 == 1
    };
    let names = names[3..].chunks_exact(NAME_WORDS).map(text);
    Ok(names.enumerate().filter(|(number, _)| is_on(*number)).map(|(_, name)| name).collect())
}

/// How many features this kernel knows.
fn feature_count(name: &DeviceName) -> io::Result<usize> {
    // A `struct ethtool_sset_info`: the command, nothing, a mask of 64 bits, the count of each set.
    let mut counts = [0_u32; 5];
    counts[0] = GET_STRING_COUNTS;
    let mask = (1_u64 << FEATURE_NAMES).to_ne_bytes();
    for (word, bytes) in counts[2..4].iter_mut().zip(mask.chunks_exact(4)) {
        *word = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    ask(name, &mut counts)?;
    Ok(usize::try_from(counts[4]).unwrap_or(0))
}

/// The text before the first zero byte.
fn text(words: &[u32]) -> String {
    let bytes = words.iter().flat_map(|word| word.to_ne_bytes());
    bytes.take_while(|byte| *byte != 0).map(char::from).collect()
}

/// Lets the kernel overwrite the question with the answer.
///
/// The answer is as long as the question states, or as long as the set of strings that it asks for,
/// which stays the same for as long as this kernel runs.
fn ask(name: &DeviceName, question: &mut [u32]) -> io::Result<()> {
    let mut request = name.request();
    request.ifr_ifru.ifru_data = question.as_mut_ptr().cast::<c_char>();
    ioctl(&any_socket()?, SIOCETHTOOL, &mut request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_device_has_features_and_no_ring() {
        let name = "lo".parse().unwrap();
        assert_eq!(receive_ring(&name).unwrap(), None);
        let on = features(&name).unwrap();
        assert!(on.contains(&"loopback".to_owned()), "{on:?}");
        assert!(!on.contains(&"rx-lro".to_owned()) && !on.contains(&String::new()), "{on:?}");
    }
}
