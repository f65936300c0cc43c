//! An assembler for classic BPF, the language of programs that tell the kernel which packet goes
//! where.
//!
//! The machine has an accumulator `A`, an index register `X` and sixteen words of memory. It has
//! no loops: every jump goes forward. A load from beyond the end of the packet ends the program
//! with the result zero.

#![forbid(unsafe_code)]

use crate::socket::filter::Instruction;

/// How many bytes are loaded; always in network byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Four bytes.
    Word,
    /// Two bytes.
    Half,
    /// One byte.
    Byte,
}

/// The place in the packet that is loaded from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// This many bytes from the start.
    At(u32),
    /// This many bytes from where `X` points.
    AtX(u32),
}

/// An operation on `A` and an operand, with the result in `A`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Adds, modulo 2³².
    Add,
    /// Multiplies, modulo 2³².
    Multiply,
    /// Keeps the remainder of a division.
    Remainder,
    /// Keeps the bits that are set in both.
    And,
    /// Keeps the bits in which the two differ.
    Xor,
    /// Shifts to the left.
    ShiftLeft,
    /// Shifts to the right.
    ShiftRight,
}

impl Operation {
    /// Returns the bits that encode it in an instruction, the same on every machine.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Add => 0x00,
            Self::Multiply => 0x20,
            Self::Remainder => 0x90,
            Self::And => 0x50,
            Self::Xor => 0xa0,
            Self::ShiftLeft => 0x60,
            Self::ShiftRight => 0x70,
        }
    }
}

/// The second operand of an operation on `A`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A constant.
    Constant(u32),
    /// The register `X`.
    X,
}

/// A test of `A`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Whether it equals this number.
    Equals(u32),
    /// Whether any of these bits is set.
    HasAny(u32),
}

/// A place in the program that can be jumped to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(pub(super) usize);

/// The interface for writing programs that run on more than one machine: on this one, or as
/// [extended BPF](super::ebpf).
pub trait Assemble {
    /// Loads from the packet into `A`.
    fn load(&mut self, size: Size, place: Place);

    /// Sets `X` to a constant.
    fn set_x(&mut self, value: u32);

    /// Sets `X` to the length of the IPv4 header that starts at `offset`.
    fn set_x_to_header_length(&mut self, offset: u32);

    /// Calculates `A` from `A` and an operand.
    fn calculate(&mut self, operation: Operation, operand: Operand);

    /// Sets `X` to `A`.
    fn move_to_x(&mut self);

    /// Jumps to `to` if the test holds.
    fn jump_if(&mut self, test: Test, to: Label);

    /// Jumps to `to` if the test does not hold.
    fn jump_unless(&mut self, test: Test, to: Label);

    /// Jumps to `to`.
    fn go_to(&mut self, to: Label);

    /// Ends the program with a constant as the result.
    fn give(&mut self, result: u32);

    /// Makes a label, to be [placed](Self::place) further on.
    fn label(&mut self) -> Label;

    /// Places a label before the next instruction.
    fn place(&mut self, label: Label);
}

/// A program being written.
#[derive(Clone, Debug, Default)]
pub struct Assembler {
    instructions: Vec<Instruction>,
    /// For each label, the instruction that it precedes.
    labels: Vec<Option<usize>>,
    jumps: Vec<Jump>,
}

/// A jump whose distance is filled in when the program is complete.
#[derive(Clone, Copy, Debug)]
struct Jump {
    from: usize,
    when: When,
    to: Label,
}

#[derive(Clone, Copy, Debug)]
enum When {
    Holds,
    HoldsNot,
    Always,
}

const CLASS_LOAD: u16 = 0x00;
const CLASS_LOAD_X: u16 = 0x01;
const CLASS_STORE: u16 = 0x02;
const CLASS_STORE_X: u16 = 0x03;
const CLASS_CALCULATE: u16 = 0x04;
const CLASS_JUMP: u16 = 0x05;
const CLASS_RETURN: u16 = 0x06;
const CLASS_MOVE: u16 = 0x07;
const MODE_CONSTANT: u16 = 0x00;
const MODE_AT: u16 = 0x20;
const MODE_AT_X: u16 = 0x40;
const MODE_MEMORY: u16 = 0x60;
const MODE_HEADER_LENGTH: u16 = 0xa0;
const SOURCE_X: u16 = 0x08;
const RETURN_A: u16 = 0x10;
const MOVE_X_TO_A: u16 = 0x80;
const SIZE_BYTE: u16 = 0x10;

impl Assembler {
    /// Starts an empty program.
    pub fn new() -> Self {
        Self::default()
    }

    /// Loads a word of memory into `A`.
    pub fn recall(&mut self, word: u32) {
        self.push(CLASS_LOAD | MODE_MEMORY, word);
    }

    /// Loads a word of memory into `X`.
    pub fn recall_x(&mut self, word: u32) {
        self.push(CLASS_LOAD_X | MODE_MEMORY, word);
    }

    /// Stores `A` in a word of memory.
    pub fn store(&mut self, word: u32) {
        self.push(CLASS_STORE, word);
    }

    /// Stores `X` in a word of memory.
    pub fn store_x(&mut self, word: u32) {
        self.push(CLASS_STORE_X, word);
    }

    /// Sets `A` to `X`.
    pub fn move_from_x(&mut self) {
        self.push(CLASS_MOVE | MOVE_X_TO_A, 0);
    }

    /// Ends the program with `A` as the result.
    pub fn give_a(&mut self) {
        self.push(CLASS_RETURN | RETURN_A, 0);
    }

    /// Completes the program.
    ///
    /// # Panics
    ///
    /// A label that is jumped to was not placed, or lies behind or too far ahead of the jump.
    pub fn finish(self) -> Vec<Instruction> {
        let Self { mut instructions, labels, jumps } = self;
        for Jump { from, when, to } in jumps {
            let to = labels[to.0].expect("every label that is jumped to is placed");
            let distance = to.checked_sub(from + 1).expect("jumps go forward");
            let near = || u8::try_from(distance).expect("a test jumps over at most 255");
            match when {
                When::Holds => instructions[from].then_skip = near(),
                When::HoldsNot => instructions[from].else_skip = near(),
                When::Always => {
                    instructions[from].operand =
                        u32::try_from(distance).expect("programs have at most 4096 instructions");
                }
            }
        }
        instructions
    }

    fn jump(&mut self, test: Test, when: When, to: Label) {
        self.jumps.push(Jump { from: self.instructions.len(), when, to });
        let (code, operand) = match test {
            Test::Equals(number) => (0x10, number),
            Test::HasAny(bits) => (0x40, bits),
        };
        self.push(CLASS_JUMP | code, operand);
    }

    fn push(&mut self, code: u16, operand: u32) {
        self.instructions.push(Instruction { code, then_skip: 0, else_skip: 0, operand });
    }
}

impl Assemble for Assembler {
    fn load(&mut self, size: Size, place: Place) {
        let size = match size {
            Size::Word => 0x00,
            Size::Half => 0x08,
            Size::Byte => SIZE_BYTE,
        };
        let (mode, offset) = match place {
            Place::At(offset) => (MODE_AT, offset),
            Place::AtX(offset) => (MODE_AT_X, offset),
        };
        self.push(CLASS_LOAD | mode | size, offset);
    }

    fn set_x(&mut self, value: u32) {
        self.push(CLASS_LOAD_X | MODE_CONSTANT, value);
    }

    fn set_x_to_header_length(&mut self, offset: u32) {
        self.push(CLASS_LOAD_X | MODE_HEADER_LENGTH | SIZE_BYTE, offset);
    }

    fn calculate(&mut self, operation: Operation, operand: Operand) {
        let (source, constant) = match operand {
            Operand::Constant(constant) => (0, constant),
            Operand::X => (SOURCE_X, 0),
        };
        self.push(CLASS_CALCULATE | u16::from(operation.code()) | source, constant);
    }

    fn move_to_x(&mut self) {
        self.push(CLASS_MOVE, 0);
    }

    fn jump_if(&mut self, test: Test, to: Label) {
        self.jump(test, When::Holds, to);
    }

    fn jump_unless(&mut self, test: Test, to: Label) {
        self.jump(test, When::HoldsNot, to);
    }

    fn go_to(&mut self, to: Label) {
        self.jumps.push(Jump { from: self.instructions.len(), when: When::Always, to });
        self.push(CLASS_JUMP, 0);
    }

    fn give(&mut self, result: u32) {
        self.push(CLASS_RETURN, result);
    }

    fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    fn place(&mut self, label: Label) {
        self.labels[label.0] = Some(self.instructions.len());
    }
}
