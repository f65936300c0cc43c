//! The programs that give each mirrored flow, in both directions, to one worker.
//!
//! The outer ports cannot serve for this: AWS uses some 128 of them, and not always the same one for
//! the two directions of a flow. So the program in the kernel reads the mirrored frame. It combines
//! the addresses and the ports so that their order does not matter. For a frame without IP it uses
//! the MAC addresses; for a fragment, or a protocol without ports, the IP addresses alone. A frame
//! that ends within these fields goes to the first worker.

#![forbid(unsafe_code)]

use std::num::NonZeroU16;

use crate::input::bpf::{
    Assemble as _, Assembler, Label,
    Operand::{Constant, X},
    Operation::{Add, And, Multiply, Remainder, ShiftLeft, ShiftRight, Xor},
    Place::AtX,
    Size::{self, Byte, Half, Word},
    Test::{Equals, HasAny},
};
use crate::socket::filter::Instruction;

/// What the kernel shows to a steering program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The payload of a datagram that carries VXLAN: on sockets that share the port.
    Vxlan,
    /// The payload of a datagram that carries GENEVE with VXLAN in it, likewise.
    Geneve,
    /// An IPv4 packet: on packet sockets.
    Ipv4 {
        /// The port of GENEVE, if it is received.
        geneve_port: Option<u16>,
    },
    /// An IPv6 packet, likewise.
    Ipv6 {
        /// The port of GENEVE, if it is received.
        geneve_port: Option<u16>,
    },
}

/// Where the mirrored frame begins, seen from the VXLAN header.
const FRAME: u32 = 8;

/// Where its MAC addresses are.
const MAC: [u32; 2] = [FRAME, FRAME + 6];

/// Where its type is, if no tag comes before it.
const ETHER_TYPE: u32 = FRAME + 12;

/// Where its IP header is, likewise.
const IP: u32 = FRAME + 14;

/// The types of VLAN tags, customer and service.
const TAGS: [u32; 2] = [0x8100, 0x88a8];

/// The type of frames that carry IPv4.
const IPV4: u32 = 0x0800;

/// The type of frames that carry IPv6.
const IPV6: u32 = 0x86dd;

/// The protocols whose header begins with the two ports: TCP, UDP, SCTP.
const WITH_PORTS: [u32; 3] = [6, 17, 132];

/// The bits of an IPv4 header that only fragments have: more to come, and the offset.
const IS_FRAGMENT: u32 = 0x3fff;

/// The word of memory that holds the hash so far.
const HASH: u32 = 0;

/// The word of memory that holds where the VXLAN header is.
const VXLAN: u32 = 1;

/// The word of memory that holds the same place, moved by the VLAN tags of the frame.
const MOVED: u32 = 2;

/// Odd numbers without pattern, as Knuth and MurmurHash3 use them to spread bits.
const SPREAD: [u32; 2] = [0x9e37_79b1, 0x85eb_ca6b];

/// Returns the program that chooses among `workers` workers.
pub fn among(workers: NonZeroU16, view: View) -> Vec<Instruction> {
    let mut assembler = Assembler::new();
    find_vxlan(&mut assembler, view);
    let finish = assembler.label();
    hash_frame(&mut assembler, finish);
    assembler.place(finish);
    assembler.recall(HASH);
    assembler.calculate(Multiply, Constant(SPREAD[0]));
    assembler.move_to_x();
    assembler.calculate(ShiftRight, Constant(16));
    assembler.calculate(Xor, X);
    assembler.calculate(Multiply, Constant(SPREAD[1]));
    assembler.calculate(ShiftRight, Constant(16));
    assembler.calculate(Remainder, Constant(u32::from(workers.get())));
    assembler.give_a();
    assembler.finish()
}

/// Points `X` to the VXLAN header.
fn find_vxlan(assembler: &mut Assembler, view: View) {
    match view {
        View::Vxlan => assembler.set_x(0),
        View::Geneve => {
            assembler.set_x(0);
            skip_geneve(assembler);
        }
        View::Ipv4 { geneve_port } => {
            assembler.set_x_to_header_length(0);
            skip_udp(assembler, geneve_port);
        }
        View::Ipv6 { geneve_port } => {
            assembler.set_x(40);
            skip_udp(assembler, geneve_port);
        }
    }
}

/// Moves `X` from a UDP header to the VXLAN header, behind GENEVE if that is there.
fn skip_udp(assembler: &mut Assembler, geneve_port: Option<u16>) {
    let Some(port) = geneve_port else { return advance(assembler, 8) };
    let [geneve, found] = [assembler.label(), assembler.label()];
    assembler.load(Half, AtX(2));
    assembler.jump_if(Equals(u32::from(port)), geneve);
    advance(assembler, 8);
    assembler.go_to(found);
    assembler.place(geneve);
    advance(assembler, 8);
    skip_geneve(assembler);
    assembler.place(found);
}

/// Moves `X` from a GENEVE header behind the IP and UDP headers that it carries.
fn skip_geneve(assembler: &mut Assembler) {
    let [ipv6, found] = [assembler.label(), assembler.label()];
    // The length of the options is in units of four bytes, in the lower six bits.
    assembler.load(Byte, AtX(0));
    assembler.calculate(And, Constant(0x3f));
    assembler.calculate(ShiftLeft, Constant(2));
    assembler.calculate(Add, Constant(8));
    assembler.calculate(Add, X);
    assembler.move_to_x();
    assembler.load(Byte, AtX(0));
    assembler.jump_if(HasAny(0x20), ipv6);
    add_header_length(assembler, 0);
    advance(assembler, 8);
    assembler.go_to(found);
    assembler.place(ipv6);
    advance(assembler, 40 + 8);
    assembler.place(found);
}

/// Hashes the frame into `HASH`; jumps to `finish` when nothing more of the frame counts.
fn hash_frame(assembler: &mut Assembler, finish: Label) {
    let [untagged, ipv4, ipv6, ports] = [(); 4].map(|()| assembler.label());
    assembler.store_x(VXLAN);
    skip_tags(assembler, untagged);
    assembler.place(untagged);
    assembler.store_x(MOVED);
    assembler.jump_if(Equals(IPV4), ipv4);
    assembler.jump_if(Equals(IPV6), ipv6);

    assembler.recall_x(VXLAN);
    hash_field(assembler, Word, MAC[0]);
    for (size, offset) in [(Half, MAC[0] + 4), (Word, MAC[1]), (Half, MAC[1] + 4)] {
        combine_field(assembler, size, offset, VXLAN);
    }
    assembler.go_to(finish);

    assembler.place(ipv4);
    hash_field(assembler, Word, IP + 12);
    combine_field(assembler, Word, IP + 16, MOVED);
    assembler.load(Half, AtX(IP + 6));
    assembler.jump_if(HasAny(IS_FRAGMENT), finish);
    let with_ports = assembler.label();
    go_if_ports(assembler, IP + 9, with_ports, finish);
    assembler.place(with_ports);
    add_header_length(assembler, IP);
    assembler.go_to(ports);

    assembler.place(ipv6);
    hash_field(assembler, Word, IP + 8);
    for offset in (IP + 12..IP + 40).step_by(4) {
        combine_field(assembler, Word, offset, MOVED);
    }
    let with_ports = assembler.label();
    go_if_ports(assembler, IP + 6, with_ports, finish);
    assembler.place(with_ports);
    advance(assembler, 40);

    assembler.place(ports);
    combine_ports(assembler);
}

/// Moves `X` behind up to two VLAN tags and sets `A` to the type that follows.
fn skip_tags(assembler: &mut Assembler, untagged: Label) {
    for _ in 0..2 {
        let tagged = assembler.label();
        assembler.load(Half, AtX(ETHER_TYPE));
        for tag in TAGS {
            assembler.jump_if(Equals(tag), tagged);
        }
        assembler.go_to(untagged);
        assembler.place(tagged);
        advance(assembler, 4);
    }
    assembler.load(Half, AtX(ETHER_TYPE));
}

/// Starts the hash with a field.
fn hash_field(assembler: &mut Assembler, size: Size, offset: u32) {
    assembler.load(size, AtX(offset));
    assembler.store(HASH);
}

/// Adds a field to the hash; `X` keeps the value that the memory at `base` holds.
fn combine_field(assembler: &mut Assembler, size: Size, offset: u32, base: u32) {
    assembler.load(size, AtX(offset));
    assembler.recall_x(HASH);
    assembler.calculate(Xor, X);
    assembler.store(HASH);
    assembler.recall_x(base);
}

/// Jumps to `with_ports` if the protocol at `offset` has ports, else to `finish`.
fn go_if_ports(assembler: &mut Assembler, offset: u32, with_ports: Label, finish: Label) {
    assembler.load(Byte, AtX(offset));
    for protocol in WITH_PORTS {
        assembler.jump_if(Equals(protocol), with_ports);
    }
    assembler.go_to(finish);
}

/// Adds both ports to the hash. `X` was moved by the length of the IP header, so the ports are where
/// that header would otherwise begin.
fn combine_ports(assembler: &mut Assembler) {
    assembler.load(Word, AtX(IP));
    assembler.move_to_x();
    assembler.calculate(ShiftRight, Constant(16));
    assembler.calculate(Xor, X);
    assembler.calculate(And, Constant(0xffff));
    assembler.calculate(Multiply, Constant(SPREAD[0]));
    assembler.recall_x(HASH);
    assembler.calculate(Xor, X);
    assembler.store(HASH);
}

/// Adds to `X` the length of the IPv4 header at `offset` from it.
fn add_header_length(assembler: &mut Assembler, offset: u32) {
    assembler.load(Byte, AtX(offset));
    assembler.calculate(And, Constant(0x0f));
    assembler.calculate(ShiftLeft, Constant(2));
    assembler.calculate(Add, X);
    assembler.move_to_x();
}

/// Adds a constant to `X`.
fn advance(assembler: &mut Assembler, bytes: u32) {
    assembler.move_from_x();
    assembler.calculate(Add, Constant(bytes));
    assembler.move_to_x();
}
