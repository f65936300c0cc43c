//! The grammar of arithmetic, and of stepping through tokens.

use super::super::Fault;
use super::super::arithmetic::{Number, Operator, Relation};
use super::super::generate::{ethertype, protocol};
use super::super::predicate::{Comparison, Place, Predicate, Size};
use super::super::token::Kind;
use super::super::words::{Fields, Protocol, constant};
use super::{Connective, DEPTH_MAX, Parser};

/// The precedence of the operators that have one.
///
/// `%` and `^` have none in libpcap's grammar, so they apply to everything that follows.
const RANKS: [(&str, Operator, u8); 8] = [
    ("|", Operator::Or, 1),
    ("&", Operator::And, 2),
    ("<<", Operator::ShiftLeft, 3),
    (">>", Operator::ShiftRight, 3),
    ("+", Operator::Add, 4),
    ("-", Operator::Subtract, 4),
    ("*", Operator::Multiply, 5),
    ("/", Operator::Divide, 5),
];

/// The predicate that compares the length of a frame with `length`.
pub(super) fn length(comparison: Comparison, length: u32) -> Predicate {
    Predicate::Relation(Box::new(Relation {
        guards: Vec::new(),
        left: Number::Length,
        comparison,
        right: Number::Constant(length),
    }))
}

impl<'e> Parser<'_, 'e> {
    /// Two numbers and how they compare, if that is what comes next.
    pub(super) fn relation(&mut self) -> Result<Option<Predicate>, Fault> {
        let mut ahead = self.clone();
        let mut guards = Vec::new();
        // Even if something is wrong before the comparison, a primitive may start here.
        let left = match ahead.number(&mut guards, 0) {
            Ok(left) => left,
            Err(fault) if ahead.is_surely_arithmetic(self.next) => return Err(fault),
            Err(_) => return Ok(None),
        };
        let Some(comparison) = ahead.comparison() else {
            return if ahead.is_surely_arithmetic(self.next) {
                ahead.fault("a comparison such as `= 1` is expected")
            } else {
                Ok(None)
            };
        };
        *self = ahead;
        self.qualifiers = None;
        let right = self.number(&mut guards, 0)?;
        let relation = Relation { guards, left, comparison, right };
        Ok(Some(Predicate::Relation(Box::new(relation))))
    }

    /// Whether the tokens read since `start` cannot be the start of a primitive.
    ///
    /// A parenthesis may always enclose a whole expression, whose faults are reported as well.
    fn is_surely_arithmetic(&self, start: usize) -> bool {
        let read = &self.tokens[start..self.next.min(self.tokens.len())];
        !read.first().is_some_and(|token| token.kind == Kind::Sign("("))
            && read.iter().any(|token| matches!(token.kind, Kind::Sign("[") | Kind::Word("len")))
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let Some(Kind::Sign(sign)) = self.peek() else { return None };
        let comparison = match sign {
            "=" | "==" => Comparison::Equal,
            "!=" => Comparison::NotEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            _ => return None,
        };
        self.next += 1;
        Some(comparison)
    }

    /// A number whose operators bind at least as strongly as `rank`.
    fn number(&mut self, guards: &mut Vec<Predicate>, rank: u8) -> Result<Number, Fault> {
        let mut left = self.operand(guards)?;
        while let Some(Kind::Sign(sign)) = self.peek() {
            let place = self.clone();
            let (operator, next) = match RANKS.iter().find(|(name, ..)| *name == sign) {
                Some((_, operator, own)) if *own >= rank => (*operator, own + 1),
                None if sign == "%" => (Operator::Modulo, 0),
                None if sign == "^" => (Operator::Xor, 0),
                _ => break,
            };
            self.next += 1;
            let right = self.nested(|parser| parser.number(guards, next))?;
            left = place.combined(operator, left, right)?;
        }
        Ok(left)
    }

    /// Computes constant operations, and refuses those that have no result for any frame.
    fn combined(&self, operator: Operator, left: Number, right: Number) -> Result<Number, Fault> {
        match (&left, &right) {
            (_, Number::Constant(0)) if matches!(operator, Operator::Divide | Operator::Modulo) => {
                self.fault("this divides by zero")
            }
            (_, Number::Constant(32..))
                if matches!(operator, Operator::ShiftLeft | Operator::ShiftRight) =>
            {
                self.fault("this shifts by more than 31 bits")
            }
            (Number::Constant(left), Number::Constant(right)) => {
                Ok(Number::Constant(operator.apply(*left, *right).unwrap_or(0)))
            }
            _ => Ok(Number::Binary(operator, Box::new([left, right]))),
        }
    }

    fn operand(&mut self, guards: &mut Vec<Predicate>) -> Result<Number, Fault> {
        if self.take("-") {
            let number = self.nested(|parser| parser.operand(guards))?;
            return self.combined(Operator::Subtract, Number::Constant(0), number);
        }
        if self.take("(") {
            let number = self.nested(|parser| parser.number(guards, 0))?;
            self.expect(")")?;
            return Ok(number);
        }
        match self.peek() {
            Some(Kind::Number(number)) => {
                self.next += 1;
                Ok(Number::Constant(number))
            }
            Some(Kind::Word("len")) => {
                self.next += 1;
                Ok(Number::Length)
            }
            Some(Kind::Word(word)) => {
                if let Some(number) = constant(word) {
                    self.next += 1;
                    return Ok(Number::Constant(number));
                }
                match Protocol::named(word) {
                    Some(protocol) => self.load(protocol, guards),
                    None => self.fault("a number is expected"),
                }
            }
            _ => self.fault("a number is expected"),
        }
    }

    /// Bytes of a header: `tcp[13]`, `ip[2:2]`.
    fn load(&mut self, of: Protocol, guards: &mut Vec<Predicate>) -> Result<Number, Fault> {
        let place = self.clone();
        self.next += 1;
        self.expect("[")?;
        let index = self.nested(|parser| parser.number(guards, 0))?;
        let size = if self.take(":") {
            let size = match self.peek() {
                Some(Kind::Number(1)) => Size::Byte,
                Some(Kind::Number(2)) => Size::Half,
                Some(Kind::Number(4)) => Size::Word,
                _ => return self.fault("a size of 1, 2 or 4 bytes is expected"),
            };
            self.next += 1;
            size
        } else {
            Size::Byte
        };
        self.expect("]")?;
        let base = place.header(of, guards)?;
        Ok(Number::Load { base, index: Box::new(index), size })
    }

    /// Where the header of a protocol starts; the conditions for that are added to `guards`.
    fn header(&self, of: Protocol, guards: &mut Vec<Predicate>) -> Result<Place, Fault> {
        let layout = self.layout;
        if of.is_link() {
            return Ok(Place::At(0));
        }
        if let Some(number) = of.ethertype() {
            guards.push(layout.link_type(number));
            return Ok(Place::At(layout.payload));
        }
        match of.ip() {
            Some(ip) if ip.fields == Fields::Nameless => {
                self.fault("the bytes of this protocol cannot be accessed")
            }
            Some(ip) if ip.number == protocol::ICMPV6 => {
                guards.push(layout.link_type(ethertype::IPV6));
                guards.push(layout.number(6, Size::Byte, protocol::ICMPV6));
                Ok(layout.behind_ipv6())
            }
            _ => {
                // As in libpcap, over IPv4 only: the place of the header in IPv6 is not computed.
                guards.push(layout.link_type(ethertype::IPV4));
                guards.extend(of.ip().map(|ip| layout.number(9, Size::Byte, ip.number)));
                guards.push(layout.first_fragment());
                Ok(layout.behind_ipv4(0))
            }
        }
    }

    /// A number below `bound`, if a number comes next.
    pub(super) fn number_below(&mut self, bound: u32, what: &str) -> Result<Option<u32>, Fault> {
        match self.peek() {
            Some(Kind::Number(number)) if number < bound => {
                self.next += 1;
                Ok(Some(number))
            }
            Some(Kind::Number(_)) => self.fault(format!("{what} is a number below {bound}")),
            _ => Ok(None),
        }
    }

    pub(super) fn connective(&mut self) -> Option<Connective> {
        let connective = match self.peek()? {
            Kind::Word("and") | Kind::Sign("&&") => Connective::And,
            Kind::Word("or") | Kind::Sign("||") => Connective::Or,
            _ => return None,
        };
        self.next += 1;
        Some(connective)
    }

    /// Whether an address or number comes next where a term is expected, with nothing before it.
    pub(super) fn lone_value_follows(&self) -> bool {
        let mut ahead = self.clone();
        while ahead.take_negation() {}
        let is_value = match ahead.peek() {
            Some(Kind::Number(_) | Kind::Ipv4 { .. } | Kind::Ipv6(_) | Kind::Mac(_)) => true,
            Some(Kind::Word(word)) => word.starts_with(|first: char| first.is_ascii_digit()),
            _ => false,
        };
        is_value && !matches!(ahead.relation(), Ok(Some(_)))
    }

    pub(super) fn take_negation(&mut self) -> bool {
        self.take("!") || self.take_word("not")
    }

    /// Parses a nested part, down to a depth that the stack has room for.
    pub(super) fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.depth == DEPTH_MAX {
            return self.fault(format!("this is nested more than {DEPTH_MAX} levels deep"));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<(), Fault> {
        if self.take(sign) { Ok(()) } else { self.fault(format!("`{sign}` is expected")) }
    }

    pub(super) fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Kind::Sign(there)) if there == sign);
        self.next += usize::from(found);
        found
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek_word() == Some(word);
        self.next += usize::from(found);
        found
    }

    pub(super) fn peek_word(&self) -> Option<&'e str> {
        match self.peek()? {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    pub(super) fn peek(&self) -> Option<Kind<'e>> {
        self.tokens.get(self.next).map(|token| token.kind)
    }

    /// Returns the fault that something is wrong with the next token.
    pub(super) fn fault<T>(&self, message: impl Into<String>) -> Result<T, Fault> {
        let offset = self.tokens.get(self.next).map_or(self.end, |token| token.offset);
        Fault::new(offset, message)
    }
}
