//! `moved` blocks: two addresses, of which the first no longer leads anywhere.
//!
//! They are therefore read as written, and never looked up.

use hcl_edit::expr::{Expression, TraversalOperator};

use super::declare::Declaration;
use super::text::Text;
use crate::address::{Address, Key};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::stack::Moved;

/// The two addresses of a block; what is wrong with them is reported.
pub(super) fn read(
    text: &Text,
    declaration: &Declaration<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Moved> {
    let mut one = |name: &str| {
        let Some(written) = declaration.get(name) else {
            let head = declaration.head.clone();
            let missing = format!("a `moved` block needs `{name}`");
            diagnostics.push(Diagnostic::error(code::MISSING_ATTRIBUTE, missing).at(head, ""));
            return None;
        };
        let read = address(written).and_then(|text| text.parse().map_err(|e| Some(format!("{e}"))));
        let refuse = |why: Option<String>| {
            let title = format!("`{name}` must be an address");
            let wrong = Diagnostic::error(code::WRONG_TYPE, title).at(text.span(written), "");
            let wrong = wrong.help("write it as in a reference, without quotes: `vpc.lab`");
            diagnostics.push(match why {
                Some(why) => wrong.note(why),
                None => wrong,
            });
        };
        read.map_err(refuse).ok()
    };
    let (from, to): (Option<Address>, Option<Address>) = (one("from"), one("to"));
    Some(Moved { from: from?, to: to? })
}

/// Returns the text of an address; if `written` is not one, the error may hold a more specific
/// reason.
fn address(written: &Expression) -> Result<String, Option<String>> {
    let Expression::Traversal(traversal) = written else { return Err(None) };
    let Expression::Variable(kind) = &traversal.expr else { return Err(None) };
    let mut operators = traversal.operators.iter().map(|operator| operator.value());
    let Some(TraversalOperator::GetAttr(name)) = operators.next() else { return Err(None) };
    let key = match operators.next() {
        None => String::new(),
        Some(TraversalOperator::Index(index)) => key(index).ok_or(None)?.to_string(),
        Some(TraversalOperator::LegacyIndex(index)) => format!("[{}]", index.value()),
        Some(_) => {
            return Err(Some("it names an attribute, but only a whole resource can move".into()));
        }
    };
    match operators.next() {
        None => Ok(format!("{}.{}{key}", kind.as_str(), name.as_str())),
        Some(_) => Err(Some("it names an attribute, but only a whole resource can move".into())),
    }
}

/// Returns a key that is written out.
fn key(index: &Expression) -> Option<Key> {
    match index {
        Expression::Number(number) => {
            number.value().as_u64().and_then(|index| u32::try_from(index).ok()).map(Key::Index)
        }
        Expression::String(name) => Some(Key::Name(name.value().clone())),
        _ => None,
    }
}
