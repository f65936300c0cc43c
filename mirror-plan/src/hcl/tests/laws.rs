//! Laws that hold for every text.

use proptest::prelude::*;

use super::{Diagnostics, Inputs, StackFile, evaluate, source};
use crate::render::{Palette, diagnostic};
use crate::value::Value;

const LAB: &str = include_str!("../../../../examples/lab.mirror.hcl");

/// Reads a text to the end, and prints what is wrong with it in every format.
fn read(text: &str) -> Result<(), TestCaseError> {
    let result = StackFile::parse_in_part(source(text)).stack(&Inputs::new());
    let found = match result {
        Ok((_, warnings)) => warnings,
        Err(mistakes) => {
            prop_assert!(!mistakes.is_empty(), "it fails without a reason");
            mistakes
        }
    };
    whole_characters(&found)?;
    for palette in [Palette::plain(), Palette::colored()] {
        prop_assert_eq!(diagnostic::human(&found, palette).is_empty(), found.is_empty());
    }
    for line in diagnostic::json(&found).lines() {
        prop_assert!(serde_json::from_str::<serde_json::Value>(line).is_ok());
    }
    prop_assert_eq!(diagnostic::github(&found).lines().count(), found.iter().count());
    Ok(())
}

fn whole_characters(diagnostics: &Diagnostics) -> Result<(), TestCaseError> {
    for diagnostic in diagnostics {
        let patches = diagnostic.help.iter().filter_map(|help| help.patch.as_ref());
        let spans = diagnostic.labels.iter().map(|label| &label.span);
        for span in spans.chain(patches.map(|patch| &patch.span)) {
            prop_assert!(span.source.text.get(span.bytes.clone()).is_some(), "{:?}", span);
        }
    }
    Ok(())
}

/// An edit of a text: where, as a fraction of its length, and what.
#[derive(Clone, Debug)]
enum Edit {
    Delete(f64, usize),
    Duplicate(f64, usize),
    Insert(f64, String),
}

fn edit() -> impl Strategy<Value = Edit> {
    let pieces = prop_oneof![
        "[\\PC\n\r\t]{1,3}",
        "[\\[\\]{}(),=:.\"'$%*!?<>&|~#/-]{1,3}",
        Just("${".to_owned()),
        Just("<<EOF\n".to_owned()),
        Just("vpc.lab".to_owned()),
        Just("null".to_owned()),
        Just("\u{feff}".to_owned()),
    ];
    prop_oneof![
        (0.0..1.0, 1..40_usize).prop_map(|(at, length)| Edit::Delete(at, length)),
        (0.0..1.0, 1..40_usize).prop_map(|(at, length)| Edit::Duplicate(at, length)),
        (0.0..1.0, pieces).prop_map(|(at, text)| Edit::Insert(at, text)),
    ]
}

fn edited(text: &str, edits: &[Edit]) -> String {
    let mut text = text.to_owned();
    for edit in edits {
        let (Edit::Delete(share, _) | Edit::Duplicate(share, _) | Edit::Insert(share, _)) = edit;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "any position in the text"
        )]
        let at = text.floor_char_boundary((text.len() as f64 * share) as usize);
        let end = |length: &usize| text.ceil_char_boundary((at + length).min(text.len()));
        match edit {
            Edit::Delete(_, length) => text.replace_range(at..end(length), ""),
            Edit::Duplicate(_, length) => {
                let piece = text[at..end(length)].to_owned();
                text.insert_str(at, &piece);
            }
            Edit::Insert(_, piece) => text.insert_str(at, piece),
        }
    }
    text
}

/// Arithmetic with its own way of computing the result.
#[derive(Clone, Debug)]
enum Sum {
    Number(i16),
    Negative(Box<Self>),
    Operation(Box<Self>, char, Box<Self>),
    Choice(Box<Self>, Box<Self>, Box<Self>, Box<Self>),
}

impl Sum {
    fn text(&self) -> String {
        match self {
            Self::Number(number) => format!("({number})"),
            Self::Negative(inner) => format!("(-{})", inner.text()),
            Self::Operation(a, operator, b) => format!("({} {operator} {})", a.text(), b.text()),
            Self::Choice(a, b, c, d) => {
                format!("({} < {} ? {} : {})", a.text(), b.text(), c.text(), d.text())
            }
        }
    }

    /// The result; `None` if there is a division by zero on the way.
    fn result(&self) -> Option<f64> {
        let result = match self {
            Self::Number(number) => f64::from(*number),
            Self::Negative(inner) => -inner.result()?,
            Self::Operation(a, operator, b) => match (a.result()?, operator, b.result()?) {
                (a, '+', b) => a + b,
                (a, '-', b) => a - b,
                (a, '*', b) => a * b,
                (_, _, 0.0) => return None,
                (a, '/', b) => a / b,
                (a, _, b) => a % b,
            },
            Self::Choice(a, b, c, d) => {
                if a.result()? < b.result()? {
                    c.result()?
                } else {
                    d.result()?
                }
            }
        };
        Some(result + 0.0)
    }
}

fn sum() -> impl Strategy<Value = Sum> {
    let leaf = any::<i16>().prop_map(Sum::Number);
    leaf.prop_recursive(4, 24, 4, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        let operator = prop_oneof![Just('+'), Just('-'), Just('*'), Just('/'), Just('%')];
        prop_oneof![
            boxed().prop_map(Sum::Negative),
            (boxed(), operator, boxed()).prop_map(|(a, o, b)| Sum::Operation(a, o, b)),
            (boxed(), boxed(), boxed(), boxed()).prop_map(|(a, b, c, d)| Sum::Choice(a, b, c, d)),
        ]
    })
}

#[test]
fn a_large_stack_is_no_work_beyond_its_size() {
    let count = 10_000;
    let interfaces: Vec<String> = (0..count).map(|n| format!("\"eni-{n:08x}\"")).collect();
    let text = format!(
        "stack \"s\" {{}}
locals {{ interfaces = [{}] }}
mirror_target \"t\" {{ network_interface = \"eni-00000000\" }}
mirror_filter \"f\" {{}}
mirror_session \"s\" {{
  count  = length(local.interfaces)
  source = local.interfaces[count.index]
  target = mirror_target.t
  filter = mirror_filter.f
  number = 1
}}",
        interfaces.join(", ")
    );
    let file = StackFile::parse(source(&text)).unwrap();
    let (stack, _) = file.stack(&Inputs::new()).unwrap();
    assert_eq!(stack.resources.len(), count + 2);
}

proptest! {
    #[test]
    fn no_text_panics(text in "[\\PC\n\r\t]{0,200}") {
        read(&text)?;
    }

    #[test]
    fn no_edit_of_the_lab_panics(edits in proptest::collection::vec(edit(), 1..4)) {
        read(&edited(LAB, &edits))?;
    }

    #[test]
    fn no_expression_panics(expression in "[a-z0-9 .,:?+*/%!<>=&|(){}\\[\\]\"$\n-]{0,60}") {
        read(&format!("stack \"s\" {{}}\nvpc \"a\" {{ cidr = \"10.0.0.0/16\" }}\noutput \"x\" {{ value = {expression} }}\n"))?;
    }

    #[test]
    fn no_format_panics(spec in "[%a-zA-Z0-9.+# \\[\\]-]{0,20}", number in any::<f64>(), text in "\\PC{0,10}") {
        let spec = Value::String(spec);
        let number = if number.is_finite() { number } else { 0.0 };
        let text = Value::String(text);
        evaluate(&format!("format({spec}, {number}, {text})"));
    }

    #[test]
    fn arithmetic_is_right(sum in sum()) {
        let shown = evaluate(&sum.text());
        match sum.result() {
            Some(result) => prop_assert_eq!(shown, result.to_string()),
            None => prop_assert!(shown.contains("division by zero"), "{}", shown),
        }
    }
}
