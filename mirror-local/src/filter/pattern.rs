//! What the values of a filter look like.

use crate::failure::{Failure, Outcome};

/// Values that AWS accepts in one filter.
const VALUES_MAX: usize = 200;

/// Texts, one of which a value must match.
#[derive(Debug)]
pub(crate) struct Patterns(Vec<Pattern>);

impl Patterns {
    /// Reads the values of a filter: at least one, and no more than AWS accepts.
    pub(crate) fn parse(name: &str, values: &[&str]) -> Outcome<Self> {
        if values.is_empty() {
            let message = format!("The filter '{name}' must have at least one value");
            return Err(Failure::new("InvalidParameterValue", message));
        }
        if values.len() > VALUES_MAX {
            let message = format!("The filter '{name}' has more than {VALUES_MAX} values");
            return Err(Failure::new("FilterLimitExceeded", message));
        }
        Ok(Self(values.iter().map(|value| Pattern::parse(value)).collect()))
    }

    /// Returns whether a value matches one of them.
    pub(crate) fn match_with(&self, value: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(value))
    }
}

#[derive(Debug)]
enum Pattern {
    /// Just this text.
    Exact(String),
    /// `*` is any text and `?` any character; a backslash takes the next one literally.
    Wild(Vec<char>),
}

impl Pattern {
    fn parse(text: &str) -> Self {
        if text.contains(['*', '?', '\\']) {
            Self::Wild(text.chars().collect())
        } else {
            Self::Exact(text.to_owned())
        }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == text,
            Self::Wild(pattern) => wildcard(pattern, text),
        }
    }
}

fn wildcard(pattern: &[char], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some('?') => {
                (p, t) = (p + 1, t + 1);
                continue;
            }
            Some('\\') if pattern.get(p + 1) == Some(&text[t]) => {
                (p, t) = (p + 2, t + 1);
                continue;
            }
            Some(c) if *c == text[t] => {
                (p, t) = (p + 1, t + 1);
                continue;
            }
            _ => {}
        }
        let Some((after, from)) = star else { return false };
        star = Some((after, from + 1));
        (p, t) = (after, from + 1);
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_documented() {
        let cases = [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("a*c", "abbbc", true),
            ("a*c*", "abcd", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("*a*b", "xaxaxb", true),
            ("", "", true),
            ("?", "é", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Pattern::parse(pattern).matches(text), expected, "{pattern} on {text}");
        }
    }
}
