//! The words, numbers, addresses and signs of a filter expression.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Fault;

/// A piece of an expression and where it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'e> {
    pub(super) offset: usize,
    pub(super) kind: Kind<'e>,
}

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'e> {
    /// A keyword, or a name, which is refused where it would have to be looked up.
    Word(&'e str),
    /// A word behind a backslash: a name even if it is a keyword.
    Name(&'e str),
    Number(u32),
    /// An IPv4 address, whose last parts may be missing, and how many bits were given.
    Ipv4 {
        address: Ipv4Addr,
        bits: u8,
    },
    Ipv6(Ipv6Addr),
    Mac([u8; 6]),
    Sign(&'static str),
}

/// Longer signs first.
const SIGNS: [&str; 24] = [
    "&&", "||", "<<", ">>", "<=", ">=", "!=", "==", "(", ")", "[", "]", ":", "&", "|", "!", "=",
    "<", ">", "+", "-", "*", "/", "%",
];

/// Splits an expression.
pub(super) fn tokens(expression: &str) -> Result<Vec<Token<'_>>, Fault> {
    let mut tokens = Vec::new();
    let mut offset = 0;
    while let Some(rest) = expression.get(offset..).filter(|rest| !rest.is_empty()) {
        let length = if rest.starts_with([' ', '\t', '\r', '\n']) {
            1
        } else {
            let (kind, length) = token(rest, offset)?;
            tokens.push(Token { offset, kind });
            length
        };
        offset += length;
    }
    Ok(tokens)
}

/// The token that `rest` starts with, and its length.
fn token(rest: &str, offset: usize) -> Result<(Kind<'_>, usize), Fault> {
    let address = run(rest, |byte| byte.is_ascii_alphanumeric() || b"_.-:".contains(&byte));
    if let Some(mac) = mac(address) {
        return Ok((Kind::Mac(mac), address.len()));
    }
    if address.contains("::") || address.matches(':').count() == 7 {
        return match address.parse() {
            Ok(ipv6) => Ok((Kind::Ipv6(ipv6), address.len())),
            Err(_) => Fault::new(offset, format!("`{address}` is not an IPv6 address")),
        };
    }
    if let Some(name) = rest.strip_prefix('\\') {
        let name = run(name, is_word);
        return if name.is_empty() {
            Fault::new(offset, "a name must follow the backslash")
        } else {
            Ok((Kind::Name(name), 1 + name.len()))
        };
    }
    if rest.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_') {
        let word = run(rest, is_word);
        return Ok((number_or_word(word, offset)?, word.len()));
    }
    if rest.starts_with('^') {
        return Ok((Kind::Sign("^"), 1));
    }
    match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        Some(sign) => Ok((Kind::Sign(sign), sign.len())),
        None => {
            let character = rest.chars().next().unwrap_or_default();
            Fault::new(offset, format!("{character:?} has no meaning in a filter"))
        }
    }
}

/// The longest prefix of `text` in which every byte is wanted.
fn run(text: &str, wanted: impl Fn(u8) -> bool) -> &str {
    let length = text.bytes().position(|byte| !wanted(byte)).unwrap_or(text.len());
    &text[..length]
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)
}

fn number_or_word(word: &str, offset: usize) -> Result<Kind<'_>, Fault> {
    if !word.starts_with(|first: char| first.is_ascii_digit()) {
        return Ok(Kind::Word(word));
    }
    if word.contains('.') && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return match ipv4(word) {
            Some((address, bits)) => Ok(Kind::Ipv4 { address, bits }),
            None => Fault::new(offset, format!("`{word}` is not an IPv4 address")),
        };
    }
    let (digits, radix) = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if word.len() > 1 && word.starts_with('0') => (&word[1..], 8),
        None => (word, 10),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) || digits.is_empty() {
        return Ok(Kind::Word(word)); // such as the range 80-90
    }
    match u32::from_str_radix(digits, radix) {
        Ok(number) => Ok(Kind::Number(number)),
        Err(_) => Fault::new(offset, format!("`{word}` is not a 32-bit number")),
    }
}

/// An address of two to four parts and how many bits they are.
fn ipv4(text: &str) -> Option<(Ipv4Addr, u8)> {
    let mut octets = [0; 4];
    let mut bits = 0;
    for (place, part) in text.split('.').enumerate() {
        // The standard library's rule: no leading zero, which some read as octal and others do not.
        if part.len() > 1 && part.starts_with('0') {
            return None;
        }
        *octets.get_mut(place)? = part.parse().ok()?;
        bits += 8;
    }
    Some((octets.into(), bits))
}

/// An Ethernet address as `02:00:5e:10:00:01`, with `-` instead of `:`, or as `0200.5e10.0001`.
fn mac(text: &str) -> Option<[u8; 6]> {
    let (separator, digits) = match text.bytes().find(|byte| !byte.is_ascii_hexdigit())? {
        b':' => (':', 1..=2),
        b'-' => ('-', 1..=2),
        b'.' => ('.', 4..=4),
        _ => return None,
    };
    let mut bytes = Vec::with_capacity(6);
    for part in text.split(separator) {
        if !digits.contains(&part.len()) {
            return None;
        }
        let [high, low] = u16::from_str_radix(part, 16).ok()?.to_be_bytes();
        if separator == '.' {
            bytes.push(high);
        }
        bytes.push(low);
    }
    bytes.try_into().ok()
}
