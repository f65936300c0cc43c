//! Attributes: what a configuration contains for a resource.
//!
//! It contains what the stack states or has chosen, and constants for which the provider has another default. It
//! does not contain what only AWS reports, nor what nobody has set.

use super::super::entry::Entry;
use super::super::node::Node;
use super::super::object::element;
use super::super::table::{Fixed, Row, Source};
use super::Writer;
use super::document::{Block, Item};
use super::rules;
use crate::address::{Address, Kind};
use crate::attribute::ObjectType;
use crate::render::stack_file::key_text;
use crate::value::Value;

/// Values that AWS picked and that are not kept: a new instance may get another address, and what scales a group
/// may set another number.
const NOT_KEPT: [(Kind, &str); 3] = [
    (Kind::Instance, "public"),
    (Kind::Instance, "private_ip"),
    (Kind::AutoscalingGroup, "desired"),
];

/// The provider's names for the image of an instance, and of a launch template.
const IMAGES: [(Kind, &str); 2] = [(Kind::Instance, "ami"), (Kind::LaunchTemplate, "image_id")];

/// The block of the volume that an instance starts from.
const ROOT_VOLUME: &str = "root_block_device";

/// What is written for something, and what cannot be.
type Written = (Vec<Item>, Vec<String>);

impl Writer<'_> {
    /// The attributes and blocks of a resource, and what about it cannot be expressed.
    pub(super) fn items(&mut self, entry: &Entry<'_>, block: &str) -> Written {
        let Some(after) = &entry.after else { return Written::default() };
        let mut written = Written::default();
        self.add_items((after, entry.table.rows, entry.schema()), (entry.of, block), &mut written);
        written
    }

    fn add_items(
        &mut self,
        (whole, rows, schema): (&Node<'_>, &'static [Row], Option<&'static ObjectType>),
        of: (&Address, &str),
        written: &mut Written,
    ) {
        for row in rows.iter().filter(|row| is_said(row, schema)) {
            let Some(node) = whole.get(row.name) else { continue };
            if self.is_not_kept(of.0, row) {
                continue;
            }
            match (node, &row.from) {
                (Node::List(blocks), Source::Each(name, rows)) => {
                    let schema = schema.and_then(|schema| element(schema, name));
                    let merged = rules::merged(blocks);
                    // An empty list differs from no attribute.
                    if merged.is_empty() {
                        written.0.push(Item::attribute(row.name, "[]".to_owned()));
                    }
                    self.add_blocks(row.name, (&merged, *rows, schema), of, written);
                }
                (Node::List(blocks), Source::One(name, rows)) => {
                    let schema = schema.and_then(|schema| element(schema, name));
                    self.add_blocks(row.name, (blocks, *rows, schema), of, written);
                }
                (Node::List(blocks), Source::Group(rows)) => {
                    self.add_blocks(row.name, (blocks, *rows, schema), of, written);
                    if let (ROOT_VOLUME, Some(Node::Of(tags))) = (row.name, whole.get("tags")) {
                        self.add_to_block(tags, of, written);
                    }
                }
                (Node::Of(value), Source::Encoded(_)) => {
                    self.add_encoded(row.name, value, of.1, written);
                }
                (Node::Of(value), _) => self.add_value(row.name, value, of, written),
                (Node::List(_) | Node::Block(_) | Node::Later(_), _) => {
                    if IMAGES.contains(&(of.0.kind, row.name)) {
                        self.add_value(row.name, &Value::Null, of, written);
                    }
                }
            }
        }
    }

    fn add_blocks(
        &mut self,
        name: &'static str,
        (blocks, rows, schema): (&[Node<'_>], &'static [Row], Option<&'static ObjectType>),
        of: (&Address, &str),
        written: &mut Written,
    ) {
        for node in blocks {
            let mut inner = Written::default();
            self.add_items((node, rows, schema), of, &mut inner);
            let (items, untold) = inner;
            if !items.is_empty() {
                written.0.push(Item::Block(Block::new(name).with(items)));
            }
            written.1.extend(untold);
        }
    }

    /// Adds the tags of an instance to the block of its volume, if there is one: a new volume gets the same tags.
    fn add_to_block(&mut self, tags: &Value, of: (&Address, &str), written: &mut Written) {
        let Some(Item::Block(block)) = written.0.last_mut().filter(|item| item.is(ROOT_VOLUME))
        else {
            return;
        };
        let volume = std::mem::replace(block, Block::new(ROOT_VOLUME));
        let mut inner = Written::default();
        self.add_value("tags", tags, of, &mut inner);
        written.0.pop();
        written.0.push(Item::Block(volume.with(inner.0)));
    }

    /// Adds a text that the provider expects in base64.
    fn add_encoded(
        &mut self,
        name: &'static str,
        value: &Value,
        block: &str,
        written: &mut Written,
    ) {
        if is_empty(value) {
            return;
        }
        match self.names.expression(value, &wish(block, name)) {
            Ok(text) => written.0.push(Item::attribute(name, format!("base64encode({text})"))),
            Err(why) => written.1.push(format!("`{name}`: {why}")),
        }
    }

    fn add_value(
        &mut self,
        name: &'static str,
        value: &Value,
        (of, block): (&Address, &str),
        written: &mut Written,
    ) {
        if IMAGES.contains(&(of.kind, name)) && !is_image(value) {
            written.0.push(Item::attribute(name, self.names.image(value)));
            return;
        }
        // That a rule is not for its own group need not be written.
        if is_empty(value) || (name, value) == (rules::ITSELF, &Value::Bool(false)) {
            return;
        }
        let wish = wish(block, name);
        match value {
            Value::List(items) if items.iter().all(|item| matches!(item, Value::Object(_))) => {
                for item in items {
                    let Value::Object(members) = item else { continue };
                    let members = members
                        .iter()
                        .map(|(name, value)| Item::attribute(name.as_str(), value.to_string()));
                    written.0.push(Item::Block(Block::new(name).with(members)));
                }
            }
            Value::Object(members) => {
                let members = members
                    .iter()
                    .map(|(key, value)| Ok((key_text(key), self.names.expression(value, &wish)?)));
                match members.collect::<Result<Vec<_>, String>>() {
                    Ok(members) => written.0.push(Item::map(name, members)),
                    Err(why) => written.1.push(format!("`{name}`: {why}")),
                }
            }
            _ => match self.names.expression(value, &wish) {
                Ok(text) => written.0.push(Item::attribute(name, text)),
                Err(why) => written.1.push(format!("`{name}`: {why}")),
            },
        }
    }

    /// Whether AWS picked the value and the stack did not ask for it.
    fn is_not_kept(&self, of: &Address, row: &Row) -> bool {
        let Source::Own(name) = row.from else { return false };
        let declared = self.stack.resources.get(of).map(|declared| declared.resource.to_value());
        let is_declared = match &declared {
            Some(Value::Object(members)) => members.get(name).is_some_and(|of| *of != Value::Null),
            _ => false,
        };
        NOT_KEPT.contains(&(of.kind, name)) && !is_declared
    }
}

/// The name that a variable for an attribute of a block should have.
fn wish(block: &str, name: &str) -> String {
    let label = block.split_once('.').map_or(block, |(_, label)| label);
    format!("{label}_{name}")
}

/// Whether a configuration states an attribute.
fn is_said(row: &Row, schema: Option<&ObjectType>) -> bool {
    match row.from {
        // Constants that are not texts are the provider's own defaults.
        Source::Always(Fixed::Text(text)) => !text.is_empty(),
        Source::Always(Fixed::Bool(_) | Fixed::Number(_) | Fixed::Nothing) => false,
        _ => row.from.is_configured(schema),
    }
}

/// Whether a value need not be written.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_)
        | Value::Number(_)
        | Value::Resource(_)
        | Value::Secret(_)
        | Value::Unknown(_) => false,
    }
}

/// Whether an attribute need not be written.
pub(super) fn is_nothing(node: &Node<'_>) -> bool {
    match node {
        Node::Of(value) => is_empty(value),
        Node::Later(_) => true,
        Node::Block(_) | Node::List(_) => false,
    }
}

/// Whether a value is the id of an image, rather than a parameter that names one.
fn is_image(value: &Value) -> bool {
    matches!(value, Value::String(text) if text.starts_with("ami-"))
}
