//! Patterns: texts of a policy in which `*` and `?` stand for other characters.

/// A text with wildcards; `${*}`, `${?}` and `${$}` are the characters themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// Any characters, or none.
    Some,
    /// Any one character.
    One,
    /// This one.
    Char(char),
}

/// The error for a pattern with a variable, whose value nobody here knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable(pub(super) String);

impl Pattern {
    /// Reads a pattern.
    pub(super) fn parse(text: &str) -> Result<Self, Variable> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some(first) = rest.chars().next() {
            let (piece, length) = match first {
                '$' if rest.starts_with("${") => match rest.get(..4) {
                    Some(escaped @ ("${*}" | "${?}" | "${$}")) => {
                        (Piece::Char(char::from(escaped.as_bytes()[2])), 4)
                    }
                    _ => return Err(Variable(text.to_owned())),
                },
                '*' => (Piece::Some, 1),
                '?' => (Piece::One, 1),
                other => (Piece::Char(other), other.len_utf8()),
            };
            pieces.push(piece);
            rest = rest.get(length..).unwrap_or_default();
        }
        Ok(Self(pieces))
    }

    /// The text itself, in which nothing is a wildcard.
    pub(super) fn literal(text: &str) -> Self {
        Self(text.chars().map(Piece::Char).collect())
    }

    /// The same pattern for texts in lower case.
    pub(super) fn lowercase(self) -> Self {
        let lower = |piece| match piece {
            Piece::Char(c) => Piece::Char(c.to_ascii_lowercase()),
            other => other,
        };
        Self(self.0.into_iter().map(lower).collect())
    }

    /// Returns whether the text matches the pattern.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut piece, mut at) = (0, 0);
        // Where to resume if what follows the last `*` does not match: the `*` then takes one more
        // character.
        let mut again: Option<(usize, usize)> = None;
        while at < text.len() {
            match self.0.get(piece) {
                Some(Piece::Some) => {
                    again = Some((piece + 1, at));
                    piece += 1;
                }
                Some(Piece::One) => (piece, at) = (piece + 1, at + 1),
                Some(Piece::Char(c)) if *c == text[at] => (piece, at) = (piece + 1, at + 1),
                _ => match again {
                    Some((after, taken)) => {
                        again = Some((after, taken + 1));
                        (piece, at) = (after, taken + 1);
                    }
                    None => return false,
                },
            }
        }
        self.0.get(piece..).unwrap_or_default().iter().all(|piece| *piece == Piece::Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_others_unless_they_are_escaped() {
        for (pattern, text, matches) in [
            ("ec2:Describe*", "ec2:DescribeVpcs", true),
            ("ec2:Describe*", "ec2:CreateVpc", false),
            ("*/net/*/x", "a/net/b/c/x", true),
            ("*/net/*/x", "a/net/b/c/y", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a*", "a", true),
            ("*a*a*", "banana", true),
            ("*a*a*a*a", "banana", false),
            ("a${*}", "a*", true),
            ("a${*}", "ab", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn a_variable_is_refused() {
        assert!(Pattern::parse("arn:aws:ec2:*:${aws:PrincipalAccount}:vpc/*").is_err());
    }
}
