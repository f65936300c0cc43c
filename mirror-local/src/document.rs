//! Documents: answers of a service that speaks two protocols, written in the protocol of the request.

use crate::request::Wire;
use crate::xml::Xml;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A value of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Document {
    Text(String),
    Number(f64),
    Time(Timestamp),
    List(Vec<Self>),
    Structure(Vec<(&'static str, Self)>),
}

impl Document {
    /// A text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Writes the content of an answer.
    pub(crate) fn write(&self, wire: Wire, xml: &mut Xml) {
        match wire {
            Wire::Json => xml.raw(&self.json().to_string()),
            Wire::Xml => self.write_xml(xml),
        }
    }

    fn write_xml(&self, xml: &mut Xml) {
        match self {
            Self::Text(text) => xml.content(text),
            // As Java writes a double.
            Self::Number(number) => xml.content(format_args!("{number:?}")),
            Self::Time(time) => xml.content(time),
            Self::List(items) => {
                for item in items {
                    xml.element("member", |xml| item.write_xml(xml));
                }
            }
            Self::Structure(members) => {
                for (name, value) in members {
                    xml.element(name, |xml| value.write_xml(xml));
                }
            }
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Number(number) => json!(number),
            // Seconds, as times are written in AWS's JSON protocols.
            Self::Time(time) => json!(time.as_second()),
            Self::List(items) => items.iter().map(Self::json).collect(),
            Self::Structure(members) => {
                members.iter().map(|(name, value)| ((*name).to_owned(), value.json())).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_document_is_written_in_both_protocols() {
        let at = "2026-11-27T12:00:00Z".parse().unwrap();
        let document = Document::Structure(vec![
            ("Id", Document::text("a<b")),
            ("Timestamps", Document::List(vec![Document::Time(at)])),
            ("Values", Document::List(vec![Document::Number(1e7), Document::Number(0.5)])),
            ("Empty", Document::List(Vec::new())),
        ]);
        let written = |wire| {
            let mut xml = Xml::new();
            document.write(wire, &mut xml);
            xml.into_string()
        };
        insta::assert_snapshot!(written(Wire::Xml), @"<Id>a&lt;b</Id><Timestamps><member>2026-11-27T12:00:00Z</member></Timestamps><Values><member>10000000.0</member><member>0.5</member></Values><Empty></Empty>");
        insta::assert_snapshot!(written(Wire::Json), @r#"{"Empty":[],"Id":"a<b","Timestamps":[1795780800],"Values":[10000000.0,0.5]}"#);
    }
}
