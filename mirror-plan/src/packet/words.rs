//! Sets of packets in words: `ingress tcp from 10.0.0.0/8 to any port 443`.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::set::{
    Block, DESTINATION, DESTINATION_PORT, Family, PROTOCOL, SOURCE, SOURCE_PORT, Span,
};
use super::{Mirrored, PacketSet};
use crate::scalar::Protocol;

impl PacketSet {
    /// A line for each block of packets, in order.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.blocks().iter().map(ToString::to_string).collect()
    }
}

impl Mirrored {
    /// A line for each block of packets, in order, and one for Amazon's DNS.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let dns = self.amazon_dns.then(|| "traffic with Amazon's DNS server".to_owned());
        self.packets.lines().into_iter().chain(dns).collect()
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { direction, family, axes } = self;
        write!(f, "{direction} {} from ", protocols(axes[PROTOCOL]))?;
        write_side(f, *family, axes[SOURCE], axes[SOURCE_PORT])?;
        write!(f, " to ")?;
        write_side(f, *family, axes[DESTINATION], axes[DESTINATION_PORT])
    }
}

fn protocols(span: Span) -> String {
    let name = |number: u128| {
        let number = u8::try_from(number).expect("a protocol is a byte");
        if number == 0 { "0".to_owned() } else { Protocol::Number(number).to_string() }
    };
    match (span.first, span.last) {
        (0, 255) => "any protocol".to_owned(),
        (first, last) if first == last => name(first),
        (first, last) => format!("protocols {first}-{last}"),
    }
}

fn write_side(
    f: &mut fmt::Formatter<'_>,
    family: Family,
    addresses: Span,
    ports: Span,
) -> fmt::Result {
    match family {
        _ if addresses != family.span() => write!(f, "{}", range(family, addresses))?,
        Family::V4 => write!(f, "any")?,
        Family::V6 => write!(f, "any IPv6 address")?,
    }
    match (ports.first, ports.last) {
        (0, 65535) => Ok(()),
        (first, last) if first == last => write!(f, " port {first}"),
        (first, last) => write!(f, " port {first}-{last}"),
    }
}

/// The prefix if the range is one, otherwise its ends.
fn range(family: Family, Span { first, last }: Span) -> String {
    let bits: u32 = match family {
        Family::V4 => 32,
        Family::V6 => 128,
    };
    let address = |number: u128| match family {
        Family::V4 => Ipv4Addr::from(u32::try_from(number).expect("IPv4 has 32 bits")).to_string(),
        Family::V6 => Ipv6Addr::from(number).to_string(),
    };
    let free = (last - first).trailing_ones();
    let is_prefix = (last - first).checked_add(1).is_none_or(u128::is_power_of_two)
        && (first.trailing_zeros() >= free);
    if is_prefix {
        format!("{}/{}", address(first), bits - free.min(bits))
    } else {
        format!("{}-{}", address(first), address(last))
    }
}
