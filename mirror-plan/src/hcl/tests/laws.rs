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
}
