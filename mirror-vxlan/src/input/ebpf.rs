//! An assembler for extended BPF, for the program that an interface runs on each packet (XDP).
//!
//! It emulates the machine of [classic BPF](super::bpf) for a borrowed program written for that: `A`
//! and `X` are registers, and a load from beyond the end of the packet ends the program as if it gave
//! zero. The kernel follows every path through a program before it accepts it, so each load is
//! preceded by a comparison with the end. Giving a result ends only the borrowed program; the code
//! behind it decides what becomes of the packet.

#![forbid(unsafe_code)]

use super::bpf::{Assemble, Label, Operand, Operation, Place, Size, Test};
use crate::socket::ebpf::{Instruction, SocketMap};

/// The result of a call, and `A`.
const A: u8 = 0;

/// Two registers to calculate with, which a call overwrites.
const SCRATCH: u8 = 1;
const OTHER: u8 = 2;

/// The first three arguments of a call.
const ARGUMENTS: [u8; 3] = [1, 2, 3];

/// The address of the header that the borrowed program reads.
const HEADER: u8 = 6;

/// Where the packet ends.
const END: u8 = 7;

/// `X`.
const X: u8 = 8;

/// What the kernel reports about the packet.
const CONTEXT: u8 = 9;

/// Places in the context (`struct xdp_md`).
mod context {
    pub(super) const START: i16 = 0;
    pub(super) const END: i16 = 4;
    pub(super) const MARK: i16 = 8;
    pub(super) const QUEUE: i16 = 16;
}

// From `linux/bpf.h`, here and below.
const LOAD_MAP: u8 = 0x18;
const STORE_DOUBLE: u8 = 0x7b;
const LOAD: u8 = 0x61;
const TO_NETWORK_ORDER: u8 = 0xdc;
const MOVE_CONSTANT: u8 = 0xb7;
const MOVE: u8 = 0xbf;
const ADD_CONSTANT: u8 = 0x07;
const ADD: u8 = 0x0f;
const JUMP: u8 = 0x05;
const JUMP_IF_GREATER: u8 = 0x2d;
const JUMP_UNLESS_ZERO: u8 = 0x55;
const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;
const CLASS_CALCULATE: u8 = 0x04;
const SOURCE_REGISTER: u8 = 0x08;
const IF_EQUAL: u8 = 0x16;
const UNLESS_EQUAL: u8 = 0x56;
const IF_ANY: u8 = 0x46;
const MAP_BY_NUMBER: u8 = 1;

/// Functions of the kernel.
mod function {
    pub(super) const REDIRECT: i32 = 51;
    pub(super) const MOVE_MARK: i32 = 54;
    /// Since Linux 6.1.
    pub(super) const ATOMIC_TIME: i32 = 208;
}

/// The verdict that lets a packet go on as if there were no program.
const PASS: i32 = 2;

/// A program being written.
#[derive(Clone, Debug)]
pub struct Assembler {
    instructions: Vec<Instruction>,
    /// For each label, the instruction that it precedes.
    labels: Vec<Option<usize>>,
    jumps: Vec<(usize, Label)>,
    given_zero: Label,
    given_more: Label,
}

impl Assembler {
    /// Starts a program that reads the packet from its first byte on.
    pub fn new() -> Self {
        let mut assembler = Self {
            instructions: Vec::new(),
            labels: Vec::new(),
            jumps: Vec::new(),
            given_zero: Label(0),
            given_more: Label(0),
        };
        assembler.given_zero = assembler.label();
        assembler.given_more = assembler.label();
        assembler.push(register(MOVE, CONTEXT, ARGUMENTS[0]));
        assembler.push(memory(LOAD, HEADER, CONTEXT, context::START));
        assembler.push(memory(LOAD, END, CONTEXT, context::END));
        assembler
    }

    /// Moves the place that is read as the start of the packet forward.
    pub fn advance(&mut self, bytes: i32) {
        self.push(constant(ADD_CONSTANT, HEADER, bytes));
    }

    /// Completes the program: a packet for which it gave more than zero is redirected to the socket
    /// of its queue, with the time right in front of it, in nanoseconds of International Atomic Time;
    /// any other packet goes on.
    ///
    /// If the time cannot be added, as when the driver has no room for it, the packet is redirected
    /// without it. If there is no socket for the queue, the packet goes on too.
    ///
    /// # Panics
    ///
    /// A label that is jumped to was not placed, or is too far away.
    pub fn finish(mut self, sockets: &SocketMap) -> Vec<Instruction> {
        let redirect = self.label();
        self.place(self.given_more);
        self.mark_with_time(redirect);
        self.place(redirect);
        self.push(Instruction::new(LOAD_MAP, ARGUMENTS[0], MAP_BY_NUMBER, 0, sockets.number()));
        self.push(constant(0, 0, 0)); // the upper half of the number
        self.push(memory(LOAD, ARGUMENTS[1], CONTEXT, context::QUEUE));
        self.push(constant(MOVE_CONSTANT, ARGUMENTS[2], PASS));
        self.push(constant(CALL, 0, function::REDIRECT));
        self.push(constant(EXIT, 0, 0));
        self.place(self.given_zero);
        self.push(constant(MOVE_CONSTANT, A, PASS));
        self.push(constant(EXIT, 0, 0));
        let Self { mut instructions, labels, jumps, .. } = self;
        for (from, to) in jumps {
            let to = labels[to.0].expect("every label that is jumped to is placed");
            let distance = to.checked_sub(from + 1).expect("jumps go forward");
            instructions[from].offset = i16::try_from(distance).expect("the program is short");
        }
        instructions
    }

    fn mark_with_time(&mut self, otherwise: Label) {
        const LEN: i32 = 8;
        self.push(register(MOVE, ARGUMENTS[0], CONTEXT));
        self.push(constant(MOVE_CONSTANT, ARGUMENTS[1], -LEN));
        self.push(constant(CALL, 0, function::MOVE_MARK));
        self.jump(constant(JUMP_UNLESS_ZERO, A, 0), otherwise);
        self.push(constant(CALL, 0, function::ATOMIC_TIME));
        let [packet, mark, behind] = ARGUMENTS;
        self.push(memory(LOAD, packet, CONTEXT, context::START));
        self.push(memory(LOAD, mark, CONTEXT, context::MARK));
        self.push(register(MOVE, behind, mark));
        self.push(constant(ADD_CONSTANT, behind, LEN));
        self.jump(register(JUMP_IF_GREATER, behind, packet), otherwise);
        self.push(register(STORE_DOUBLE, mark, A));
    }

    /// Loads into a register from `offset` behind the address in another.
    ///
    /// The address that is compared and the one that is loaded from are derived from the same value,
    /// so the comparison holds for both.
    fn load_to(&mut self, to: u8, size: Size, from: u8, offset: u32) {
        let (code, len) = match size {
            Size::Word => (LOAD, 4),
            Size::Half => (LOAD | 0x08, 2),
            Size::Byte => (LOAD | 0x10, 1),
        };
        self.push(register(MOVE, OTHER, from));
        self.push(constant(ADD_CONSTANT, OTHER, (offset + len).cast_signed()));
        self.jump(register(JUMP_IF_GREATER, OTHER, END), self.given_zero);
        let near = i16::try_from(offset).expect("headers are short");
        self.push(memory(code, to, from, near));
        match size {
            Size::Word => self.push(constant(TO_NETWORK_ORDER, to, 32)),
            Size::Half => self.push(constant(TO_NETWORK_ORDER, to, 16)),
            Size::Byte => {}
        }
    }

    fn jump(&mut self, instruction: Instruction, to: Label) {
        self.jumps.push((self.instructions.len(), to));
        self.push(instruction);
    }

    fn push(&mut self, instruction: Instruction) {
        self.instructions.push(instruction);
    }
}

/// Works with two registers.
const fn register(code: u8, to: u8, from: u8) -> Instruction {
    Instruction::new(code, to, from, 0, 0)
}

/// Works with a register and a constant.
const fn constant(code: u8, to: u8, constant: i32) -> Instruction {
    Instruction::new(code, to, 0, 0, constant)
}

/// Works with a register and memory at an offset from what another one holds.
const fn memory(code: u8, to: u8, from: u8, offset: i16) -> Instruction {
    Instruction::new(code, to, from, offset, 0)
}

impl Default for Assembler {
    fn default() -> Self {
        Self::new()
    }
}

impl Assemble for Assembler {
    fn load(&mut self, size: Size, place: Place) {
        match place {
            Place::At(offset) => self.load_to(A, size, HEADER, offset),
            Place::AtX(offset) => {
                self.push(register(MOVE, SCRATCH, HEADER));
                self.push(register(ADD, SCRATCH, X));
                self.load_to(A, size, SCRATCH, offset);
            }
        }
    }

    fn set_x(&mut self, value: u32) {
        self.push(constant(MOVE_CONSTANT, X, value.cast_signed()));
    }

    fn set_x_to_header_length(&mut self, offset: u32) {
        self.load_to(X, Size::Byte, HEADER, offset);
        for (operation, number) in [(Operation::And, 0x0f), (Operation::ShiftLeft, 2)] {
            self.push(constant(CLASS_CALCULATE | operation.code(), X, number));
        }
    }

    fn calculate(&mut self, operation: Operation, operand: Operand) {
        let code = CLASS_CALCULATE | operation.code();
        match operand {
            Operand::Constant(number) => self.push(constant(code, A, number.cast_signed())),
            Operand::X => self.push(register(code | SOURCE_REGISTER, A, X)),
        }
    }

    fn move_to_x(&mut self) {
        self.push(register(MOVE, X, A));
    }

    fn jump_if(&mut self, test: Test, to: Label) {
        match test {
            Test::Equals(number) => self.jump(constant(IF_EQUAL, A, number.cast_signed()), to),
            Test::HasAny(bits) => self.jump(constant(IF_ANY, A, bits.cast_signed()), to),
        }
    }

    fn jump_unless(&mut self, test: Test, to: Label) {
        match test {
            Test::Equals(number) => self.jump(constant(UNLESS_EQUAL, A, number.cast_signed()), to),
            Test::HasAny(bits) => {
                let holds = self.label();
                self.jump(constant(IF_ANY, A, bits.cast_signed()), holds);
                self.go_to(to);
                self.place(holds);
            }
        }
    }

    fn go_to(&mut self, to: Label) {
        self.jump(constant(JUMP, 0, 0), to);
    }

    fn give(&mut self, result: u32) {
        self.go_to(if result == 0 { self.given_zero } else { self.given_more });
    }

    fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    fn place(&mut self, label: Label) {
        self.labels[label.0] = Some(self.instructions.len());
    }
}
