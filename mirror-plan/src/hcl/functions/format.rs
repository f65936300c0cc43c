//! `format`: texts with verbs, which Terraform takes over from Go.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use dashu_int::{IBig, Sign};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Wrong, text_at};
use crate::hcl::convert::{to_bool, to_number, to_text};
use crate::value::{Number, Value};

/// The greatest width and precision; more would only fill the memory.
const WIDEST: usize = 1000;

/// One `%...` of the text.
#[derive(Debug, Default)]
struct Verb {
    /// As it is written.
    text: String,
    /// Which of the flags `+`, `-`, `0`, blank and `#` it has.
    flags: String,
    width: usize,
    precision: Option<usize>,
    /// The argument that it names, counted from 1: `%[2]s`.
    argument: Option<usize>,
    mode: char,
}

pub(super) fn format(arguments: &[Value]) -> Result<Value, Wrong> {
    let spec = text_at(arguments, 0)?;
    let values = &arguments[1..];
    let (mut text, mut next, mut most) = (String::new(), 0, 0);
    let mut chars = spec.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        let verb = Verb::read(&mut chars)?;
        if verb.mode == '%' {
            text.push('%');
            continue;
        }
        let place = verb.argument.map_or(next, |number| number - 1);
        next = place + 1;
        most = most.max(next);
        let value = values.get(place).ok_or_else(|| {
            Wrong::at(
                0,
                format!("`{}` needs value {}; values given: {}", verb.text, next, values.len()),
            )
        })?;
        text.push_str(&verb.format(value).map_err(|title| Wrong::at(place + 1, title))?);
    }
    if most < values.len() {
        return Err(Wrong::at(most + 1, "no verb uses this value"));
    }
    Ok(Value::String(text))
}

impl Verb {
    /// Reads what follows a `%`.
    fn read(chars: &mut Peekable<Chars<'_>>) -> Result<Self, Wrong> {
        let mut verb = Self { text: "%".to_owned(), ..Self::default() };
        while let Some(flag) = verb.take(chars, |c| "+-0 #".contains(c)) {
            verb.flags.push(flag);
        }
        verb.read_argument(chars)?;
        verb.width = verb.digits(chars)?.unwrap_or(0);
        if verb.take(chars, |c| c == '.').is_some() {
            verb.precision = Some(verb.digits(chars)?.unwrap_or(0));
        }
        verb.read_argument(chars)?;
        verb.mode = verb.take(chars, |_| true).ok_or_else(|| verb.wrong("has no letter"))?;
        if "%vtbdoxXeEfgGsq".contains(verb.mode) {
            Ok(verb)
        } else {
            Err(verb.wrong("is not a verb"))
        }
    }

    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    fn read_argument(&mut self, chars: &mut Peekable<Chars<'_>>) -> Result<(), Wrong> {
        if self.take(chars, |c| c == '[').is_none() {
            return Ok(());
        }
        let number = self.digits(chars)?.filter(|number| *number > 0);
        let closed = self.take(chars, |c| c == ']');
        self.argument = number.filter(|_| closed.is_some());
        match self.argument {
            Some(_) => Ok(()),
            None => Err(self.wrong("needs a number of 1 or more in its brackets")),
        }
    }

    fn digits(&mut self, chars: &mut Peekable<Chars<'_>>) -> Result<Option<usize>, Wrong> {
        let mut digits = String::new();
        while let Some(digit) = self.take(chars, |c| c.is_ascii_digit()) {
            digits.push(digit);
        }
        if digits.is_empty() {
            return Ok(None);
        }
        match digits.parse() {
            Ok(number) if number <= WIDEST => Ok(Some(number)),
            _ => Err(self.wrong(&format!("has a number over {WIDEST}"))),
        }
    }

    fn take(
        &mut self,
        chars: &mut Peekable<Chars<'_>>,
        wanted: impl FnOnce(char) -> bool,
    ) -> Option<char> {
        let c = chars.next_if(|c| wanted(*c))?;
        self.text.push(c);
        Some(c)
    }

    fn wrong(&self, what: &str) -> Wrong {
        Wrong::at(0, format!("`{}` {what}", self.text))
    }

    /// Returns the text for `value`, or why there is none.
    fn format(&self, value: &Value) -> Result<String, String> {
        let mismatch = |wanted: &str| {
            format!("`{}` needs {wanted}, but this is {}", self.text, value.type_name())
        };
        match self.mode {
            'v' => Ok(self.padded(&self.as_it_is(value))),
            't' => {
                // Terraform ignores the width here.
                let bool = to_bool(value).ok_or_else(|| mismatch("a boolean"))?;
                Ok(bool.to_string())
            }
            'b' | 'd' | 'o' | 'x' | 'X' => {
                let whole = to_number(value).and_then(|number| number.to_integer());
                Ok(self.whole(whole.ok_or_else(|| mismatch("a whole number"))?))
            }
            's' | 'q' => {
                let text = to_text(value).ok_or_else(|| mismatch("a string"))?;
                let text = match self.precision {
                    Some(most @ 1..) => text.graphemes(true).take(most).collect(),
                    Some(0) | None => text,
                };
                let text = if self.mode == 'q' { json(&text.into()) } else { text };
                Ok(self.padded(&text))
            }
            _ => {
                let number = to_number(value).ok_or_else(|| mismatch("a number"))?;
                let minus = if number.is_negative() { "-" } else { "" };
                Ok(self.signed(minus, &self.float(&number)))
            }
        }
    }

    /// `%v`: texts as they are, numbers as short as can be, all else as JSON.
    fn as_it_is(&self, value: &Value) -> String {
        match value {
            Value::String(text) if !self.has('#') => text.clone(),
            Value::Number(number) if !self.has('#') => {
                let sign = if number.is_negative() { "-" } else { "" };
                format!("{sign}{}", shortest(number, None))
            }
            other => json(&other.to_json()),
        }
    }

    fn whole(&self, number: IBig) -> String {
        let (sign, magnitude) = number.into_parts();
        let (prefix, digits) = match self.mode {
            'b' => ("0b", format!("{magnitude:b}")),
            'o' => ("0", format!("{magnitude:o}")),
            'x' => ("0x", format!("{magnitude:x}")),
            'X' => ("0X", format!("{magnitude:X}")),
            _ => ("", magnitude.to_string()),
        };
        if magnitude.is_zero() && self.precision == Some(0) {
            return String::new();
        }
        let sign = self.sign(if sign == Sign::Negative { "-" } else { "" });
        let head = if self.has('#') { format!("{sign}{prefix}") } else { sign.to_owned() };
        // Zeros fill a width only if there is no least number of digits.
        let zeros = match self.precision {
            Some(least) => least,
            None if self.has('0') && !self.has('-') => self.width.saturating_sub(head.len()),
            None => 0,
        };
        self.blanks(&format!("{head}{digits:0>zeros$}"))
    }

    fn float(&self, number: &Number) -> String {
        let precision = self.precision.unwrap_or(6);
        match self.mode {
            'f' => number.fixed(precision),
            'e' | 'E' => {
                let text = exponent(&number.scientific(Some(precision + 1)));
                if self.mode == 'E' { text.to_uppercase() } else { text }
            }
            _ => {
                let text = shortest(number, self.precision);
                if self.mode == 'G' { text.to_uppercase() } else { text }
            }
        }
    }

    /// What stands before a number, given its minus, if it has one.
    fn sign(&self, minus: &'static str) -> &'static str {
        match minus {
            "" if self.has('+') => "+",
            "" if self.has(' ') => " ",
            minus => minus,
        }
    }

    /// With its sign, and zeros between sign and digits where they are asked for.
    fn signed(&self, minus: &'static str, digits: &str) -> String {
        let sign = self.sign(minus);
        if self.has('0') && !self.has('-') {
            let width = self.width.saturating_sub(sign.len());
            format!("{sign}{digits:0>width$}")
        } else {
            self.blanks(&format!("{sign}{digits}"))
        }
    }

    /// Filled up to the width with blanks.
    fn blanks(&self, text: &str) -> String {
        self.filled(text, ' ')
    }

    /// Filled up to the width, with zeros where they are asked for, even behind the text.
    fn padded(&self, text: &str) -> String {
        self.filled(text, if self.has('0') { '0' } else { ' ' })
    }

    /// Filled up to the width; a reader counts the characters.
    fn filled(&self, text: &str, with: char) -> String {
        let missing = self.width.saturating_sub(text.graphemes(true).count());
        let fill = String::from(with).repeat(missing);
        if self.has('-') { format!("{text}{fill}") } else { format!("{fill}{text}") }
    }
}

/// JSON as Go writes it: what could begin a tag, or a line of JavaScript, is escaped.
fn json(value: &serde_json::Value) -> String {
    let mut text = String::new();
    // Outside of strings, JSON has none of these.
    for c in value.to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text
}

/// `%g`: the shortest text that reads back as the number, or so many digits; with an exponent if
/// that is below -4 or not below the precision, which counts as 6 if none is given.
fn shortest(number: &Number, precision: Option<usize>) -> String {
    let scientific = number.scientific(precision);
    let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let mantissa = match mantissa.contains('.') {
        true => mantissa.trim_end_matches('0').trim_end_matches('.'),
        false => mantissa,
    };
    let power: i64 = power.parse().unwrap_or(0);
    let digits = mantissa.len() - usize::from(mantissa.contains('.'));
    let limit = precision.map_or(6, |digits| digits.max(1));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    if power < -4 || power >= limit {
        return exponent(&format!("{mantissa}e{power}"));
    }
    let places = i64::try_from(digits).unwrap_or(0) - 1 - power;
    number.fixed(usize::try_from(places).unwrap_or(0))
}

/// `1e21` as `1e+21`, `1e-7` as `1e-07`.
fn exponent(text: &str) -> String {
    let (mantissa, power) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, digits) = match power.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', power),
    };
    let mut written = String::new();
    // Writing to a string cannot fail.
    let _ = write!(written, "{mantissa}e{sign}{digits:0>2}");
    written
}
