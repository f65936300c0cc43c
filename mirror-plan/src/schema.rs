//! The schema: what a stack file can contain, as JSON for programs and as pages for people.
//!
//! Both are written from the tables that stack files are checked against, so they cannot differ
//! from what the tool does.

use serde_json::{Value as Json, json};

use crate::address::Kind;
use crate::attribute::{Attribute, ObjectType, OnChange, Presence, Type};
use crate::hcl::block::{BLOCKS, BlockAttribute, META_ATTRIBUTES};
use crate::hcl::functions::FUNCTIONS;
use crate::resource::{computed, object_type};

mod page;

pub use page::{
    blocks_markdown, errors_markdown, findings_markdown, functions_markdown, reference_markdown,
};

/// The version of the schema's format; it changes when programs that read the schema would have to.
pub const VERSION: u32 = 1;

/// Returns everything that a stack file can contain.
///
/// ```
/// let schema = mirror_plan::schema::schema();
/// assert_eq!(schema["kinds"]["vpc"]["attributes"][0]["name"], "cidr");
/// ```
#[must_use]
pub fn schema() -> Json {
    let kinds = Kind::all().map(|kind| (kind.word().to_owned(), kind_json(kind)));
    let blocks = BLOCKS.iter().map(|block| {
        let attributes: Json = block.attributes.iter().map(block_attribute_json).collect();
        let labels = usize::from(!block.label.is_empty());
        let block_json = json!({
            "labels": labels,
            "doc": block.doc,
            "attributes": attributes,
        });
        (block.word.to_owned(), block_json)
    });
    let functions = FUNCTIONS.iter().map(|function| {
        let shown = json!({ "signature": function.signature, "doc": function.doc });
        (function.name.to_owned(), shown)
    });
    json!({
        "version": VERSION,
        "blocks": blocks.collect::<serde_json::Map<_, _>>(),
        "kinds": kinds.collect::<serde_json::Map<_, _>>(),
        "meta_attributes": META_ATTRIBUTES.iter().map(block_attribute_json).collect::<Json>(),
        "functions": functions.collect::<serde_json::Map<_, _>>(),
    })
}

fn kind_json(kind: Kind) -> Json {
    let computed = computed(kind)
        .iter()
        .map(|computed| json!({ "name": computed.name, "doc": in_lines(computed.doc) }));
    let mut shown = object_json(object_type(kind));
    shown["computed"] = computed.collect();
    shown
}

fn object_json(object: &ObjectType) -> Json {
    let ObjectType { title, doc, attributes, key } = object;
    json!({
        "title": title,
        "doc": in_lines(doc),
        "key": key,
        "attributes": attributes.iter().map(attribute_json).collect::<Json>(),
    })
}

fn attribute_json(attribute: &Attribute) -> Json {
    let Attribute { name, doc, holds, presence, on_change } = attribute;
    let (presence, default) = match presence {
        Presence::Required => ("required", None),
        Presence::Optional => ("optional", None),
        Presence::Chosen => ("chosen", None),
        Presence::Default(default) => ("default", Some(default().to_json())),
    };
    let on_change = match on_change {
        OnChange::Update => "update",
        OnChange::Restart => "restart",
        OnChange::Replace => "replace",
    };
    let mut shown = json!({
        "name": name,
        "doc": in_lines(doc),
        "type": type_json(holds),
        "presence": presence,
        "on_change": on_change,
    });
    if let Some(default) = default {
        shown["default"] = default;
    }
    shown
}

fn type_json(holds: &Type) -> Json {
    match holds {
        Type::Bool => json!({ "is": "bool" }),
        Type::Integer { min, max } => json!({ "is": "integer", "min": min, "max": max }),
        Type::Secret => json!({ "is": "text", "form": "text", "sensitive": true }),
        Type::Text(form) => json!({ "is": "text", "form": form }),
        Type::Choice(words) => json!({ "is": "choice", "of": words }),
        Type::Reference(kind) => json!({ "is": "reference", "to": kind }),
        Type::Set(of) => json!({ "is": "set", "of": type_json(of) }),
        Type::Map => json!({ "is": "map" }),
        Type::Object(object) => {
            let mut shown = object_json(object);
            shown["is"] = "object".into();
            shown
        }
    }
}

fn block_attribute_json(attribute: &BlockAttribute) -> Json {
    let BlockAttribute { name, holds, doc } = attribute;
    json!({ "name": name, "type": holds, "doc": in_lines(doc) })
}

/// Returns a doc comment as one paragraph: its lines begin with a blank and end where the source
/// lines did.
fn in_lines(doc: &str) -> String {
    doc.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
}
