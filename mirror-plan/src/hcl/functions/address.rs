//! `cidrsubnet` and `cidrhost`: arithmetic on ranges of addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::{Wrong, text_at};
use crate::hcl::convert::to_whole;
use crate::value::Value;

/// A range as a number and its bits, so that both address families are handled alike.
struct Range {
    net: IpNet,
    /// The first address.
    first: u128,
    /// How many bits an address has.
    width: u8,
}

impl Range {
    fn read(arguments: &[Value]) -> Result<Self, Wrong> {
        let text = text_at(arguments, 0)?;
        let net: IpNet = text
            .parse()
            .map_err(|_| Wrong::at(0, format!("`{text}` is not a range such as 10.0.0.0/16")))?;
        let net = net.trunc();
        let (first, width) = match net.addr() {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        };
        Ok(Self { net, first, width })
    }

    /// Returns the address at this offset in the range.
    fn address(&self, offset: u128) -> IpAddr {
        let bits = self.first | offset;
        match u32::try_from(bits) {
            Ok(bits) if self.width == 32 => Ipv4Addr::from_bits(bits).into(),
            _ => Ipv6Addr::from_bits(bits).into(),
        }
    }
}

/// The greatest number with `bits` bits.
fn greatest(bits: u8) -> u128 {
    u128::MAX.checked_shr(128 - u32::from(bits)).unwrap_or(0)
}

pub(super) fn cidrsubnet(arguments: &[Value]) -> Result<Value, Wrong> {
    let range = Range::read(arguments)?;
    let prefix = range.net.prefix_len();
    let room = range.width - prefix;
    let bits = whole(arguments, 1)?;
    let bits = u8::try_from(bits).ok().filter(|bits| *bits <= room).ok_or_else(|| {
        Wrong::at(1, format!("{} has {room} bits left, but {bits} more are requested", range.net))
    })?;
    let number = whole(arguments, 2)?;
    let fitting = u128::try_from(number).ok().filter(|number| *number <= greatest(bits));
    let number = fitting.ok_or_else(|| {
        Wrong::at(
            2,
            format!("with `newbits` {bits}, the subnets are 0 to {}, not {number}", greatest(bits)),
        )
    })?;
    let offset = number.checked_shl(u32::from(room - bits)).unwrap_or(0);
    let address = range.address(offset);
    Ok(Value::String(format!("{address}/{}", prefix + bits)))
}

pub(super) fn cidrhost(arguments: &[Value]) -> Result<Value, Wrong> {
    let range = Range::read(arguments)?;
    let last = greatest(range.width - range.net.prefix_len());
    let number = whole(arguments, 1)?;
    let distance = u128::from(number.unsigned_abs());
    let offset = if number < 0 {
        distance.checked_sub(1).and_then(|back| last.checked_sub(back))
    } else {
        Some(distance).filter(|distance| *distance <= last)
    };
    let offset = offset
        .ok_or_else(|| Wrong::at(1, format!("{} has no address number {number}", range.net)))?;
    Ok(Value::String(range.address(offset).to_string()))
}

fn whole(arguments: &[Value], index: usize) -> Result<i64, Wrong> {
    let value = &arguments[index];
    to_whole(value).ok_or_else(|| Wrong::expected(index, "a whole number", value))
}
