//! The programs that keep irrelevant packets out of the rings.

#![forbid(unsafe_code)]

use crate::input::bpf::{
    Assemble, Assembler, Label,
    Operand::{Constant, X},
    Operation::{Add, ShiftLeft},
    Place::{At, AtX},
    Size::{Byte, Half},
    Test::{Equals, HasAny},
};
use crate::socket::filter::Instruction;
use crate::socket::packet::Protocol;

/// The protocol number of UDP.
const UDP: u32 = 17;

/// The protocol number of the fragment header of IPv6.
const FRAGMENT: u32 = 44;

/// The IPv6 extension headers with a length field: hop-by-hop, routing, destination options.
const OPTIONS: [u32; 3] = [0, 43, 60];

/// The bits of the fragment offset in IPv4, and in IPv6.
const OFFSET: [u32; 2] = [0x1fff, 0xfff8];

/// Returns the program that drops everything.
pub fn nothing() -> Vec<Instruction> {
    let mut assembler = Assembler::new();
    assembler.give(0);
    assembler.finish()
}

/// Returns the program that passes the datagrams to `ports` whole, from their IP header on.
///
/// Of a fragmented datagram the first fragment passes, so that it is seen once and can be refused.
/// In IPv6 one extension header is skipped; a datagram behind more of them is not found.
pub fn datagrams_to(ports: &[u16], protocol: Protocol) -> Vec<Instruction> {
    let mut assembler = Assembler::new();
    let_through(&mut assembler, ports, protocol);
    assembler.finish()
}

/// Writes the same program for any machine: it gives zero for what is dropped.
pub(super) fn let_through(assembler: &mut impl Assemble, ports: &[u16], protocol: Protocol) {
    let [dropped, accepted] = [assembler.label(), assembler.label()];
    match protocol {
        Protocol::Ipv4 => udp_in_ipv4(assembler, dropped),
        Protocol::Ipv6 => udp_in_ipv6(assembler, dropped),
    }
    assembler.load(Half, AtX(2));
    for port in ports {
        assembler.jump_if(Equals(u32::from(*port)), accepted);
    }
    assembler.place(dropped);
    assembler.give(0);
    assembler.place(accepted);
    assembler.give(u32::MAX);
}

/// Points `X` to the UDP header of an IPv4 packet.
fn udp_in_ipv4(assembler: &mut impl Assemble, dropped: Label) {
    assembler.load(Byte, At(9));
    assembler.jump_unless(Equals(UDP), dropped);
    assembler.load(Half, At(6));
    assembler.jump_if(HasAny(OFFSET[0]), dropped);
    assembler.set_x_to_header_length(0);
}

/// Points `X` to the UDP header of an IPv6 packet.
fn udp_in_ipv6(assembler: &mut impl Assemble, dropped: Label) {
    let [fragment, options, found] = [assembler.label(), assembler.label(), assembler.label()];
    assembler.set_x(40);
    assembler.load(Byte, At(6));
    assembler.jump_if(Equals(UDP), found);
    assembler.jump_if(Equals(FRAGMENT), fragment);
    for option in OPTIONS {
        assembler.jump_if(Equals(option), options);
    }
    assembler.go_to(dropped);

    assembler.place(fragment);
    assembler.set_x(48);
    assembler.load(Half, At(42));
    assembler.jump_if(HasAny(OFFSET[1]), dropped);
    assembler.load(Byte, At(40));
    assembler.jump_unless(Equals(UDP), dropped);
    assembler.go_to(found);

    // The length is in units of eight bytes and does not count the first unit.
    assembler.place(options);
    assembler.load(Byte, At(41));
    assembler.calculate(ShiftLeft, Constant(3));
    assembler.calculate(Add, Constant(8));
    assembler.calculate(Add, X);
    assembler.move_to_x();
    assembler.load(Byte, At(40));
    assembler.jump_unless(Equals(UDP), dropped);
    assembler.place(found);
}
