//! Objects: the attributes of one resource, put into the provider's words by its table.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::node::Node;
use super::reference::ARN;
use super::table::{Row, Shape, Source, This};
use crate::address::Kind;
use crate::attribute::{ObjectType, Presence, Type};
use crate::iam::arn;
use crate::id::ObjectId;
use crate::resource::access::ArnType;
use crate::resource::endpoint_service::service_name;
use crate::scalar::{AccountId, Region};
use crate::value::{Origin, Unknown, Value};

/// The account and Region that a plan is for.
#[derive(Clone, Copy)]
pub(super) struct Location<'p> {
    pub(super) account: &'p AccountId,
    pub(super) region: &'p Region,
}

/// A resource with its attributes.
#[derive(Clone, Copy)]
pub(super) struct Object<'p> {
    pub(super) this: This<'p>,
    pub(super) location: Location<'p>,
    /// Its attributes, including those that only AWS reports.
    pub(super) members: &'p BTreeMap<String, Value>,
    pub(super) schema: &'static ObjectType,
}

/// A part of a resource.
#[derive(Clone, Copy)]
pub(super) struct PartOf<'p> {
    pub(super) whole: &'p BTreeMap<String, Value>,
    pub(super) part: &'p Value,
    pub(super) id: Option<&'p ObjectId>,
}

/// What the rows of a table read.
#[derive(Clone, Copy)]
struct Scope<'p> {
    object: Object<'p>,
    part: Option<PartOf<'p>>,
    /// The value whose attributes are read: the resource, a part or a block of it.
    value: &'p Value,
    /// The schema of its attributes; `None` for a part that is a reference.
    schema: Option<&'static ObjectType>,
}

impl<'p> Object<'p> {
    /// The attributes of a resource.
    pub(super) fn node(self, value: &'p Value, rows: &'static [Row]) -> Node<'p> {
        Scope { object: self, part: None, value, schema: Some(self.schema) }.block(rows)
    }

    /// The attributes of a part of it.
    pub(super) fn part_node(self, part: PartOf<'p>, of: &str, rows: &'static [Row]) -> Node<'p> {
        let schema = element(self.schema, of);
        Scope { object: self, part: Some(part), value: part.part, schema }.block(rows)
    }
}

/// The type of the objects that an attribute holds.
pub(super) fn element(schema: &ObjectType, attribute: &str) -> Option<&'static ObjectType> {
    match &schema.attribute(attribute)?.holds {
        Type::Object(object) | Type::Set(Type::Object(object)) => Some(*object),
        _ => None,
    }
}

impl<'p> Scope<'p> {
    fn block(self, rows: &'static [Row]) -> Node<'p> {
        let members = rows.iter().filter_map(|row| Some((row.name, self.attribute(&row.from)?)));
        Node::Block(members.collect())
    }

    /// The value of an attribute; `None` if it exists but AWS was not asked for it.
    fn attribute(self, from: &'static Source) -> Option<Node<'p>> {
        let exists = self.object.this.id.is_some();
        Some(match from {
            // A secret is not shown, in whatever form.
            Source::Own(name) | Source::Again(name) | Source::Encoded(name) => self.own(name),
            Source::Turned(name, turned) => match self.own(name) {
                Node::Of(value) => known(turned(&value)),
                later => later,
            },
            Source::ServiceName(name) => match self.own(name) {
                Node::Of(service) => self.service_name(&service),
                later => later,
            },
            Source::Made(made) => known(made(self.value, self.object.this)),
            Source::Whole(name) => Node::Of(Cow::Borrowed(self.part?.whole.get(*name)?)),
            Source::Itself => Node::Of(Cow::Borrowed(self.value)),
            Source::ItsArn(of) => self.its_arn(*of),
            Source::PartId => match self.part?.id {
                Some(id) => known(id.as_str().into()),
                None if exists => return None,
                None => Node::Later(Shape::Scalar),
            },
            Source::One(name, rows) => {
                let inner = self.inside(name, self.member(name)).block(rows);
                Node::List(vec![inner])
            }
            Source::Each(name, rows) => match self.member(name) {
                Value::List(items) => Node::List(
                    items.iter().map(|item| self.inside(name, item).block(rows)).collect(),
                ),
                other => Node::Of(Cow::Borrowed(other)),
            },
            Source::Group(rows) => Node::List(vec![self.block(rows)]),
            Source::Always(fixed) => known(fixed.value()),
            Source::Unset => known(Value::Null),
            Source::Arn(of) => match self.id() {
                Some(id) => known(self.arn(*of, id)),
                None if exists => return None,
                None => Node::Later(Shape::Scalar),
            },
            Source::Owner(name) if *self.member(name) != Value::Null => self.own(name),
            Source::Unless(_, name) if *self.member(name) != Value::Null => {
                known(Value::Bool(false))
            }
            Source::Unless(name, _) => self.own(name),
            Source::Account | Source::Owner(_) if exists => {
                known(self.object.location.account.as_str().into())
            }
            Source::Account | Source::Owner(_) => Node::Later(Shape::Scalar),
            Source::Later(_) if exists => return None,
            Source::Later(shape) => Node::Later(*shape),
        })
    }

    /// An attribute as it is. A value that AWS will choose for an object that does not exist yet is
    /// not known.
    fn own(self, name: &str) -> Node<'p> {
        let value = self.member(name);
        let attribute = self.schema.and_then(|schema| schema.attribute(name));
        let chosen = attribute.is_some_and(|a| matches!(a.presence, Presence::Chosen));
        if chosen && *value == Value::Null && self.object.this.id.is_none() {
            return Node::Later(Shape::Scalar);
        }
        Node::Of(Cow::Borrowed(value))
    }

    fn member(self, name: &str) -> &'p Value {
        let members = match (self.value, self.part) {
            (Value::Object(members), _) => members,
            (_, Some(_)) => return &Value::Null,
            (_, None) => self.object.members,
        };
        members.get(name).unwrap_or(&Value::Null)
    }

    /// The name of a service that is given by its id, or that has no id yet.
    fn service_name(self, service: &Value) -> Node<'p> {
        match service {
            Value::String(id) => {
                known(Value::String(service_name(self.object.location.region, id)))
            }
            Value::Unknown(unknown) => {
                let mut services = unknown.origins.iter();
                let services = services.find(|it| it.address.kind == Kind::EndpointService);
                let attribute = "service_name".to_owned();
                match services {
                    Some(Origin { address, .. }) => {
                        let address = address.clone();
                        known(Value::Unknown(Unknown::attribute(Origin { address, attribute })))
                    }
                    None => Node::Later(Shape::Scalar),
                }
            }
            other => known(other.clone()),
        }
    }

    /// The ARN of an object that is referred to by its id, or that has no id yet.
    fn its_arn(self, of: ArnType) -> Node<'p> {
        match self.value {
            Value::String(id) => known(self.arn(of, id)),
            Value::Unknown(unknown) => match unknown.origins.first() {
                Some(Origin { address, .. }) => {
                    let (address, attribute) = (address.clone(), ARN.to_owned());
                    known(Value::Unknown(Unknown::attribute(Origin { address, attribute })))
                }
                None => Node::Later(Shape::Scalar),
            },
            other => known(other.clone()),
        }
    }

    fn inside(self, name: &str, value: &'p Value) -> Self {
        Self { value, schema: self.schema.and_then(|schema| element(schema, name)), ..self }
    }

    fn id(self) -> Option<&'p str> {
        match self.part {
            Some(part) => part.id.map(ObjectId::as_str),
            None => self.object.this.id,
        }
    }

    fn arn(self, of: ArnType, id: &str) -> Value {
        let Location { account, region } = self.object.location;
        Value::String(arn(of, id, account, region))
    }
}

fn known<'p>(value: Value) -> Node<'p> {
    Node::Of(Cow::Owned(value))
}
