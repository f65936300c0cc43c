//! The configuration: what the stack states for each block, with references.
//!
//! A plan holds no expressions, so they are inferred from the resources: what is the same for all
//! resources of a block is a constant or a reference, and what differs depends on `count.index`.

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::json;

use super::entry::{Entry, Index};
use super::node::{Known, Node};
use super::object::element;
use super::reference::{Ids, Reference};
use super::table::{Row, Source};
use super::{MANAGED, PROVIDER, PROVIDER_NAME};
use crate::attribute::ObjectType;
use crate::plan::{OutputChange, Plan};
use crate::value::Value;

/// The member `configuration`.
pub(super) struct Configuration<'n, 'p> {
    pub(super) plan: &'p Plan,
    pub(super) entries: &'n [Entry<'p>],
    pub(super) ids: &'n Ids<'p>,
}

impl Serialize for Configuration<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let provider = json!({ PROVIDER: {
            "name": PROVIDER,
            "full_name": PROVIDER_NAME,
            "expressions": {
                "allowed_account_ids": { "constant_value": [self.plan.account.as_str()] },
                "region": { "constant_value": self.plan.region.as_str() },
            },
        }});
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("provider_config", &provider)?;
        map.serialize_entry("root_module", &RootModule(self))?;
        map.end()
    }
}

struct RootModule<'c, 'n, 'p>(&'c Configuration<'n, 'p>);

impl Serialize for RootModule<'_, '_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Configuration { plan, entries, ids } = self.0;
        let mut map = serializer.serialize_map(None)?;
        let outputs = plan.outputs.iter().filter(|(_, output)| output.after.is_some());
        let outputs: Vec<_> =
            outputs.map(|(name, change)| (name, Output { change, ids })).collect();
        if !outputs.is_empty() {
            map.serialize_entry("outputs", &Map(&outputs))?;
        }
        let stays = |entry: &&Entry<'_>| entry.after.is_some() && entry.deposed.is_none();
        let staying: Vec<&Entry<'_>> = entries.iter().filter(stays).collect();
        let same =
            |a: &&Entry<'_>, b: &&Entry<'_>| a.table.name == b.table.name && a.name() == b.name();
        let blocks: Vec<Block<'_, '_>> =
            staying.chunk_by(same).map(|entries| Block { entries, ids }).collect();
        if !blocks.is_empty() {
            map.serialize_entry("resources", &blocks)?;
        }
        if !plan.variables.is_empty() {
            let declared = plan.variables.iter().map(|(name, value)| (name, Declared(value)));
            let variables: Vec<_> = declared.collect();
            map.serialize_entry("variables", &Map(&variables))?;
        }
        map.end()
    }
}

/// Members in order.
struct Map<'m, K, V>(&'m [(K, V)]);

impl<K: Serialize, V: Serialize> Serialize for Map<'_, K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The declaration of an output.
struct Output<'n, 'p> {
    change: &'n OutputChange,
    ids: &'n Ids<'p>,
}

impl Serialize for Output<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.change.after.as_ref().unwrap_or(&Value::Null);
        let expression = match self.ids.expression(value) {
            Some(expression) => expression,
            None => Expression::Value(value),
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("expression", &expression)?;
        if value.is_sensitive() {
            map.serialize_entry("sensitive", &true)?;
        }
        map.end()
    }
}

/// The declaration of a variable, of which only one thing is known: that it is secret.
struct Declared<'v>(&'v Value);

impl Serialize for Declared<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.is_sensitive().then_some(("sensitive", true)))
    }
}

/// A block and all resources that it stands for.
struct Block<'n, 'p> {
    entries: &'n [&'n Entry<'p>],
    ids: &'n Ids<'p>,
}

impl Serialize for Block<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { entries, ids } = *self;
        let [first, ..] = entries else { return serializer.serialize_unit() };
        let all = entries.iter().filter_map(|entry| Some((*entry, entry.after.as_ref()?)));
        let of = |entry: &Entry<'_>| (entry.table.rows, entry.schema());
        let all = all.map(|(entry, node)| ids.expressions(entry, node, of(entry)));
        let each = match first.index() {
            Some(Index::Text(_)) => Each::Value,
            Some(Index::Number(_)) | None => Each::Count,
        };
        let expressions = all.reduce(|all, one| merged(all, one, each)).unwrap_or_default();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("address", &first.block())?;
        map.serialize_entry("mode", MANAGED)?;
        map.serialize_entry("type", first.table.name)?;
        map.serialize_entry("name", first.name())?;
        map.serialize_entry("provider_config_key", PROVIDER)?;
        map.serialize_entry("expressions", &Map(&expressions))?;
        map.serialize_entry("schema_version", &first.table.schema_version)?;
        match first.index() {
            None => {}
            Some(Index::Number(_)) => {
                map.serialize_entry(
                    "count_expression",
                    &json!({ "constant_value": entries.len() }),
                )?;
            }
            Some(Index::Text(_)) => map.serialize_entry("for_each_expression", &json!({}))?,
        }
        map.end()
    }
}

/// Expressions by attribute.
type Expressions<'n> = Vec<(&'n str, Expression<'n>)>;

/// Where the value of an attribute comes from.
#[derive(Debug, PartialEq)]
enum Expression<'n> {
    /// A constant.
    Value(&'n Value),
    /// Other resources.
    References(BTreeSet<Reference<'n>>),
    /// A different value for each resource of the block, which refers to these other blocks.
    Varies(BTreeSet<String>, Each),
    /// Blocks of expressions.
    Blocks(Vec<Expressions<'n>>),
}

/// What distinguishes the resources of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Each {
    Count,
    Value,
}

impl Each {
    const fn word(self) -> &'static str {
        match self {
            Self::Count => "count.index",
            Self::Value => "each.value",
        }
    }
}

impl Serialize for Expression<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = match self {
            Self::Blocks(blocks) => {
                return serializer.collect_seq(blocks.iter().map(|block| Map(block)));
            }
            Self::Value(_) | Self::References(_) | Self::Varies(..) => {
                serializer.serialize_map(None)?
            }
        };
        match self {
            // Terraform writes the same for an expression that it cannot show.
            Self::Value(value) if value.is_sensitive() => {}
            Self::Value(value) => map.serialize_entry("constant_value", &Known(*value))?,
            Self::References(found) => {
                let mut steps: Vec<String> = Vec::new();
                for step in found.iter().flat_map(Reference::steps) {
                    if !steps.contains(&step) {
                        steps.push(step);
                    }
                }
                map.serialize_entry("references", &steps)?;
            }
            Self::Varies(blocks, each) => {
                let steps: Vec<&str> =
                    blocks.iter().map(String::as_str).chain([each.word()]).collect();
                map.serialize_entry("references", &steps)?;
            }
            Self::Blocks(_) => {}
        }
        map.end()
    }
}

impl Expression<'_> {
    /// Adds the blocks that the expression refers to.
    fn collect_blocks(self, found: &mut BTreeSet<String>) {
        match self {
            Self::Value(_) => {}
            Self::References(references) => found.extend(references.iter().map(Reference::block)),
            Self::Varies(blocks, _) => found.extend(blocks),
            Self::Blocks(blocks) => {
                let inner = blocks.into_iter().flatten();
                inner.for_each(|(_, expression)| expression.collect_blocks(found));
            }
        }
    }
}

/// The expressions of a block, merged from those of two of its resources.
fn merged<'n>(a: Expressions<'n>, b: Expressions<'n>, each: Each) -> Expressions<'n> {
    let mut both: BTreeMap<&str, Vec<Expression<'n>>> = BTreeMap::new();
    for (name, expression) in a.into_iter().chain(b) {
        both.entry(name).or_default().push(expression);
    }
    let merged = both.into_iter().map(|(name, mut expressions)| {
        let is_same = expressions.len() == 2 && expressions[0] == expressions[1];
        let expression = match expressions.pop() {
            Some(expression) if is_same => expression,
            last => {
                let mut blocks = BTreeSet::new();
                let all = expressions.into_iter().chain(last);
                all.for_each(|expression| expression.collect_blocks(&mut blocks));
                Expression::Varies(blocks, each)
            }
        };
        (name, expression)
    });
    merged.collect()
}

impl Ids<'_> {
    /// The expressions of those attributes of a resource that a stack states.
    fn expressions<'n>(
        &'n self,
        entry: &'n Entry<'_>,
        node: &'n Node<'_>,
        (rows, schema): (&'static [Row], Option<&'static ObjectType>),
    ) -> Expressions<'n> {
        let configured = rows.iter().filter(|row| row.from.is_configured(schema));
        let written = configured.filter_map(|row| {
            let inner = match &row.from {
                Source::Group(rows) => Some((*rows, schema)),
                Source::One(name, rows) | Source::Each(name, rows) => {
                    Some((*rows, schema.and_then(|schema| element(schema, name))))
                }
                _ => None,
            };
            let expression = match (node.get(row.name)?, inner) {
                (Node::Of(value), _) => self.expression(value)?,
                (Node::List(items), Some(inner)) if !items.is_empty() => {
                    let blocks = items.iter().map(|item| self.expressions(entry, item, inner));
                    Expression::Blocks(blocks.collect())
                }
                (Node::Later(_) | Node::Block(_) | Node::List(_), _) => return None,
            };
            match &expression {
                // What AWS reports about a resource is not a reference of the resource to itself.
                Expression::References(found)
                    if !entry.is_part() && found.iter().all(|to| to.address == entry.of) =>
                {
                    None
                }
                _ => Some((row.name, expression)),
            }
        });
        written.collect()
    }

    /// The expression of a value; `None` if nothing is written.
    fn expression<'n>(&'n self, value: &'n Value) -> Option<Expression<'n>> {
        match value {
            Value::Null => return None,
            Value::String(text) if text.is_empty() => return None,
            Value::List(items) if items.is_empty() => return None,
            Value::Object(members) if members.is_empty() => return None,
            Value::List(items) if items.iter().all(|item| matches!(item, Value::Object(_))) => {
                return Some(Expression::Blocks(
                    items.iter().map(|item| self.members(item)).collect(),
                ));
            }
            _ => {}
        }
        let mut found = BTreeSet::new();
        self.collect(value, &mut found);
        Some(if found.is_empty() {
            Expression::Value(value)
        } else {
            Expression::References(found)
        })
    }

    fn members<'n>(&'n self, value: &'n Value) -> Expressions<'n> {
        let Value::Object(members) = value else { return Vec::new() };
        let written = members
            .iter()
            .filter_map(|(name, member)| Some((name.as_str(), self.expression(member)?)));
        written.collect()
    }
}
