//! The writer of answers: XML elements, escaped, straight into one string.

use std::fmt::{self, Display, Write as _};

/// An XML document being written.
#[derive(Debug, Default)]
pub(crate) struct Xml {
    text: String,
}

impl Xml {
    /// Starts an empty document.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Writes `<name>value</name>`.
    pub(crate) fn text(&mut self, name: &str, value: impl Display) {
        self.open(name);
        self.content(value);
        self.close(name);
    }

    /// Writes a value between the tags of an element.
    pub(crate) fn content(&mut self, value: impl Display) {
        let written = write!(Escaped(&mut self.text), "{value}");
        debug_assert!(written.is_ok(), "writing to a string does not fail");
    }

    /// Writes the element only if there is a value.
    pub(crate) fn optional(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// Writes an element, with the closure writing what is inside it.
    pub(crate) fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.open(name);
        inside(self);
        self.close(name);
    }

    /// Writes `<name>` with one `<item>` for each value (EC2's lists).
    pub(crate) fn items<T>(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = T>,
        mut item: impl FnMut(&mut Self, T),
    ) {
        self.element(name, |xml| {
            for value in values {
                xml.element("item", |xml| item(xml, value));
            }
        });
    }

    /// Writes `<name>` with one `<member>` for each value (ELBv2's lists).
    pub(crate) fn members<T>(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = T>,
        mut member: impl FnMut(&mut Self, T),
    ) {
        self.element(name, |xml| {
            for value in values {
                xml.element("member", |xml| member(xml, value));
            }
        });
    }

    /// Writes an opening tag with an XML namespace.
    pub(crate) fn open_in(&mut self, name: &str, namespace: &str) {
        self.raw("<");
        self.raw(name);
        self.raw(" xmlns=\"");
        self.raw(namespace);
        self.raw("\">");
    }

    pub(crate) fn open(&mut self, name: &str) {
        self.raw("<");
        self.raw(name);
        self.raw(">");
    }

    pub(crate) fn close(&mut self, name: &str) {
        self.raw("</");
        self.raw(name);
        self.raw(">");
    }

    /// Appends text that is already XML (or another format).
    pub(crate) fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(crate) fn into_string(self) -> String {
        self.text
    }
}

/// Escapes while writing into a string, without an intermediate copy.
struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(is_special) {
            let (plain, tail) = rest.split_at(at);
            self.0.push_str(plain);
            let mut characters = tail.chars();
            if let Some(special) = characters.next() {
                self.0.push_str(replacement(special));
            }
            rest = characters.as_str();
        }
        self.0.push_str(rest);
        Ok(())
    }
}

fn is_special(c: char) -> bool {
    matches!(c, '&' | '<' | '>' | '"' | '\'' | '\r' | '\u{fffe}' | '\u{ffff}')
        || (c < ' ' && c != '\t' && c != '\n')
}

fn replacement(c: char) -> &'static str {
    match c {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        '\'' => "&apos;",
        '\r' => "&#xD;",
        _ => "\u{fffd}", // not allowed in XML 1.0 in any spelling
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_character_is_escaped() {
        let mut xml = Xml::new();
        xml.text("value", "a<b>&\"c'\r\u{0}\t\né");
        assert_eq!(
            xml.into_string(),
            "<value>a&lt;b&gt;&amp;&quot;c&apos;&#xD;\u{fffd}\t\né</value>"
        );
    }

    #[test]
    fn lists_use_the_word_of_their_protocol() {
        let mut xml = Xml::new();
        xml.items("set", [1, 2], |xml, n| xml.text("n", n));
        xml.members("Names", ["a"], |xml, n| xml.text("Name", n));
        xml.items("empty", [(); 0], |_, ()| {});
        assert_eq!(
            xml.into_string(),
            "<set><item><n>1</n></item><item><n>2</n></item></set>\
             <Names><member><Name>a</Name></member></Names><empty></empty>"
        );
    }
}
