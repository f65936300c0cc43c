//! Markup: texts in the form that XML and HTML accept.

use std::fmt;

use crate::value::is_invisible;

/// A text between tags or in the quotes of an attribute. It cannot end either, and invisible characters in it are
/// shown as their numbers.
pub(super) struct Escaped<'t>(pub(super) &'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut plain = 0;
        for (at, c) in self.0.char_indices() {
            let name = match c {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\'' => "&#39;",
                '\n' => continue,
                // XML cannot express most of these.
                c if c.is_control() || is_invisible(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                    ""
                }
                _ => continue,
            };
            f.write_str(&self.0[plain..at])?;
            match name {
                "" => write!(f, "{}", c.escape_unicode())?,
                name => f.write_str(name)?,
            }
            plain = at + c.len_utf8();
        }
        f.write_str(&self.0[plain..])
    }
}
