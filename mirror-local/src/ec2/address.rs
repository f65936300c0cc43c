//! Addresses: private ones inside subnets, public ones from AWS's pool, and their names.

use super::subnet::Subnet;
use crate::failure::{Failure, Outcome};
use crate::request::DEFAULT_REGION;
use crate::table::{Kind, Row};
use crate::world::Region;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// Addresses of a subnet that AWS reserves: the network's, router, DNS, future use, and broadcast.
const RESERVED: u32 = 5;

/// A private address in use, keyed by subnet and address.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Address(String);

impl Row for Address {
    const KIND: Kind = Kind::INTERNAL;
}

/// Returns how many addresses of a subnet are free.
pub(crate) fn free(region: &Region, subnet: &Subnet) -> u32 {
    let used = region.addresses.starting_with(&subnet.id).count();
    usable(subnet.cidr).saturating_sub(u32::try_from(used).unwrap_or(u32::MAX))
}

/// Takes an address of a subnet for an interface: the one asked for, or any that is free.
pub(crate) fn take(
    region: &mut Region,
    subnet: &Subnet,
    wanted: Option<Ipv4Addr>,
    interface: &str,
) -> Outcome<Ipv4Addr> {
    let address = match wanted {
        Some(address) => check(region, subnet, address)?,
        None => any(region, subnet)?,
    };
    region.addresses.insert(key(&subnet.id, address), Address(interface.to_owned()));
    Ok(address)
}

/// Gives an address back.
pub(crate) fn give_back(region: &mut Region, subnet: &str, address: Ipv4Addr) {
    region.addresses.remove(&key(subnet, address));
}

/// Draws a public address.
pub(crate) fn public(region: &mut Region) -> Ipv4Addr {
    let drawn = region.draw("public address").to_be_bytes();
    Ipv4Addr::new(54, 144 | (drawn[0] & 0x3f), drawn[1], drawn[2])
}

/// Returns the name that AWS's DNS gives to a private address.
pub(crate) fn private_name(region: &str, address: Ipv4Addr) -> String {
    let dashed = address.to_string().replace('.', "-");
    if region == DEFAULT_REGION {
        format!("ip-{dashed}.ec2.internal")
    } else {
        format!("ip-{dashed}.{region}.compute.internal")
    }
}

/// Returns the name that AWS's DNS gives to a public address.
pub(crate) fn public_name(region: &str, address: Ipv4Addr) -> String {
    let dashed = address.to_string().replace('.', "-");
    if region == DEFAULT_REGION {
        format!("ec2-{dashed}.compute-1.amazonaws.com")
    } else {
        format!("ec2-{dashed}.{region}.compute.amazonaws.com")
    }
}

fn usable(cidr: Ipv4Net) -> u32 {
    let size = 1_u64 << (32 - u32::from(cidr.prefix_len()));
    u32::try_from(size).unwrap_or(u32::MAX).saturating_sub(RESERVED)
}

fn check(region: &Region, subnet: &Subnet, address: Ipv4Addr) -> Outcome<Ipv4Addr> {
    if !subnet.cidr.contains(&address) {
        let message = "Address does not fall within the subnet's address range";
        return Err(Failure::new("InvalidParameterValue", message));
    }
    let offset = u32::from(address) - u32::from(subnet.cidr.network());
    if offset < RESERVED - 1 || address == subnet.cidr.broadcast() {
        let message = "Address is in subnet's reserved address range";
        return Err(Failure::new("InvalidParameterValue", message));
    }
    if region.addresses.contains(&key(&subnet.id, address)) {
        let message = format!("Address {address} is in use.");
        return Err(Failure::new("InvalidIPAddress.InUse", message));
    }
    Ok(address)
}

/// Picks a free address: a drawn one, or the next free one after it.
fn any(region: &mut Region, subnet: &Subnet) -> Outcome<Ipv4Addr> {
    let usable = usable(subnet.cidr);
    let first = u32::from(subnet.cidr.network()) + RESERVED - 1;
    let drawn = region.draw("private address") % u64::from(usable.max(1));
    let start = u32::try_from(drawn).unwrap_or(0);
    let mut candidates =
        (start..usable).chain(0..start).map(|offset| Ipv4Addr::from(first + offset));
    let free = candidates.find(|address| !region.addresses.contains(&key(&subnet.id, *address)));
    free.ok_or_else(|| {
        let message = format!("There are not enough free addresses in subnet '{}'.", subnet.id);
        Failure::new("InsufficientFreeAddressesInSubnet", message)
    })
}

fn key(subnet: &str, address: Ipv4Addr) -> String {
    format!("{subnet} {address}")
}
