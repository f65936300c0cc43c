//! Whether AWS can mirror the instances that are mirrored, by their types.

use super::view::{Of, View, attribute};
use crate::code;
use crate::diagnostic::{Diagnostic, Span};
use crate::resource::Instance;
use crate::resource::instance::mirroring::{DATE, Mirroring};

/// MP1015.
pub(super) fn source_type(view: &View<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for sessions in view.by_source.values() {
        let Some((session, declared)) = sessions.first() else { continue };
        let Some((address, instance)) = view.instance(&declared.source) else { continue };
        let text = &instance.instance_type;
        let finding = match Mirroring::of(text) {
            Mirroring::Supported => continue,
            Mirroring::Refused => Diagnostic::error(
                code::SOURCE_TYPE,
                format!("AWS does not mirror {text}, the type of `{address}`"),
            ),
            Mirroring::Unknown => Diagnostic::warning(
                code::SOURCE_TYPE,
                format!(
                    "{text}, the type of `{address}`, is not in the list of types that AWS mirrors"
                ),
            ),
        };
        let finding = finding
            .of(address)
            .at(view.at(address, &attribute("instance_type")), "")
            .at(view.at(session, &attribute("source")), "mirrored here")
            .note(format!("the list is as of {DATE}"));
        found.push(with_other_type(finding, literal_type(view, (address, instance)), instance));
    }
    found
}

/// Where the type of an instance is written as a literal.
fn literal_type(view: &View<'_>, (address, _): Of<'_, Instance>) -> Option<Span> {
    let written = view.written(address, &attribute("instance_type"));
    written.filter(|span| span.text().starts_with('"'))
}

/// Proposes a similar type that AWS mirrors, if there certainly is one.
fn with_other_type(found: Diagnostic, at: Option<Span>, instance: &Instance) -> Diagnostic {
    let text = instance.instance_type.to_string();
    let other = text.strip_prefix("t2.").map(|size| format!("t3.{size}"));
    match (at, other) {
        (Some(span), Some(other)) => found.help_patch(
            "use the same size of a newer family, which AWS mirrors",
            span,
            format!("\"{other}\""),
        ),
        _ => found.help("use a type from the list, such as t3, m5 or c6i: `mirror instance-types`"),
    }
}
