//! Tables: what Terraform's AWS provider calls a kind of resource, attribute by attribute.
//!
//! A kind is one resource of the provider, and one more for each of its parts that the provider has as a resource
//! of its own, such as the rules of a filter. A row states where the value of one attribute of the provider comes
//! from. Nothing else in this module is specific to a kind.
//!
//! Source: documentation of `hashicorp/aws`, the page of each resource; and what version 3.39.0 puts into a plan.
//! Attributes that later versions removed are left out.

use crate::address::{Address, Kind};
use crate::attribute::ObjectType;
use crate::resource::access::ArnType;
use crate::value::Value;

mod compute;
mod gateway;
mod group;
mod mirror;
mod network;
mod share;
mod words;

/// What a kind is to Terraform.
pub(super) struct KindTable {
    /// The resource itself.
    pub(super) whole: Table,
    /// Its parts that are resources of their own, by sort.
    pub(super) parts: &'static [PartTable],
}

/// A type of resource of the provider.
pub(super) struct Table {
    /// Its name: `aws_vpc`.
    pub(super) name: &'static str,
    /// The version of its schema, which is written with the state.
    pub(super) schema_version: u8,
    /// Its attributes, by name.
    pub(super) rows: &'static [Row],
}

/// Parts that the provider has as resources of their own.
pub(super) struct PartTable {
    /// The attribute that holds them.
    pub(super) of: &'static str,
    /// The key of the part, if there is at most one: the attribute itself is then the part.
    pub(super) only: Option<&'static str>,
    /// What one of them is.
    pub(super) table: Table,
    /// The attributes of the provider whose change requires a new part.
    pub(super) fixed: &'static [&'static str],
    /// The form of the id by which Terraform imports one.
    pub(super) import: PartImport,
}

/// The form of the id by which Terraform imports a part.
#[derive(Clone, Copy)]
pub(super) enum PartImport {
    /// Its id.
    Id,
    /// The id of the whole, this text, and its own id.
    WholeThenId(&'static str),
    /// The id of what it refers to, this text, and the id of the whole.
    ReferredThenWhole(&'static str),
    /// The id of the whole, this text, and the attribute of the provider of this name.
    WholeThenAttribute(&'static str, &'static str),
    /// The provider cannot import it.
    Never,
}

/// An attribute of the provider.
pub(super) struct Row {
    /// Its name.
    pub(super) name: &'static str,
    /// Where its value comes from.
    pub(super) from: Source,
}

/// Where the value of an attribute of the provider comes from.
pub(super) enum Source {
    /// The attribute of this name, as it is.
    Own(&'static str),
    /// The same attribute once more, under a name that nobody configures.
    Again(&'static str),
    /// The attribute of this name, in the provider's words.
    Turned(&'static str, fn(&Value) -> Value),
    /// The attribute of this name, a text, in base64.
    Encoded(&'static str),
    /// Several attributes of the object.
    Made(fn(&Value, This<'_>) -> Value),
    /// For a part: the attribute of this name of the whole.
    Whole(&'static str),
    /// For a part that is a reference: the part.
    Itself,
    /// For a part that is a reference to a resource of EC2: the ARN of that resource, which follows from its id.
    ItsArn(ArnType),
    /// For a part: its id.
    PartId,
    /// A block, with the attributes of the object of this name.
    One(&'static str, &'static [Row]),
    /// A block for each object in the attribute of this name.
    Each(&'static str, &'static [Row]),
    /// A block, with attributes of the same object.
    Group(&'static [Row]),
    /// A constant, the same for every resource that this tool makes.
    Always(Fixed),
    /// The name of the endpoint service that the attribute of this name refers to.
    ServiceName(&'static str),
    /// What a stack never sets.
    Unset,
    /// The ARN of a resource of EC2, which follows from its id.
    Arn(ArnType),
    /// The account.
    Account,
    /// The account in the attribute of this name, or the stack's own account.
    Owner(&'static str),
    /// The attribute of the first name, or `false` if the attribute of the second name is set.
    Unless(&'static str, &'static str),
    /// A value that only AWS reports, and that this tool does not ask for.
    Later(Shape),
}

/// A constant.
#[derive(Clone, Copy)]
pub(super) enum Fixed {
    Bool(bool),
    Number(u8),
    Text(&'static str),
    Nothing,
}

/// The shape of an attribute that is not known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    Scalar,
    List,
}

/// The resource that an attribute belongs to.
#[derive(Clone, Copy)]
pub(super) struct This<'p> {
    pub(super) address: &'p Address,
    /// Its id; `None` while it does not exist.
    pub(super) id: Option<&'p str>,
}

impl Fixed {
    pub(super) fn value(self) -> Value {
        match self {
            Self::Bool(bool) => Value::Bool(bool),
            Self::Number(number) => Value::integer(number),
            Self::Text(text) => Value::String(text.to_owned()),
            Self::Nothing => Value::List(Vec::new()),
        }
    }
}

/// What a kind is to Terraform.
pub(super) const fn of(kind: Kind) -> &'static KindTable {
    match kind {
        Kind::Vpc => &network::VPC,
        Kind::Subnet => &network::SUBNET,
        Kind::InternetGateway => &network::INTERNET_GATEWAY,
        Kind::VpcPeering => &network::VPC_PEERING,
        Kind::TransitGatewayAttachment => &network::TRANSIT_GATEWAY_ATTACHMENT,
        Kind::RouteTable => &network::ROUTE_TABLE,
        Kind::SecurityGroup => &network::SECURITY_GROUP,
        Kind::Instance => &compute::INSTANCE,
        Kind::LaunchTemplate => &group::TEMPLATE,
        Kind::TargetGroup => &compute::TARGET_GROUP,
        Kind::AutoscalingGroup => &group::GROUP,
        Kind::LoadBalancer => &compute::LOAD_BALANCER,
        Kind::GatewayLoadBalancer => &gateway::LOAD_BALANCER,
        Kind::EndpointService => &gateway::SERVICE,
        Kind::GatewayLoadBalancerEndpoint => &gateway::ENDPOINT,
        Kind::MirrorTarget => &mirror::TARGET,
        Kind::MirrorFilter => &mirror::FILTER,
        Kind::MirrorSession => &mirror::SESSION,
        Kind::ResourceShare => &share::SHARE,
    }
}

impl KindTable {
    /// The parts that a table of the provider describes; `None` for the table of the whole.
    pub(super) fn part_of(&self, table: &Table) -> Option<&'static PartTable> {
        self.parts.iter().find(|part| part.table.name == table.name)
    }
}

impl Table {
    /// The provider's name for an attribute; `None` if it has none.
    pub(super) fn name_of(&self, attribute: &str) -> Option<&'static str> {
        let row = self.rows.iter().find(|row| row.from.reads(attribute))?;
        Some(row.name)
    }

    /// The provider's name for the ARN of a resource of EC2, which is not an attribute here.
    pub(super) fn arn(&self) -> Option<&'static str> {
        let row = self.rows.iter().find(|row| matches!(row.from, Source::Arn(_)))?;
        Some(row.name)
    }
}

impl Source {
    /// Whether a stack can state it, for a resource or a block with these attributes.
    pub(super) fn is_configured(&self, schema: Option<&ObjectType>) -> bool {
        match self {
            Self::Own(name)
            | Self::Turned(name, _)
            | Self::One(name, _)
            | Self::Each(name, _)
            | Self::Encoded(name)
            | Self::ServiceName(name)
            | Self::Unless(name, _) => {
                schema.is_some_and(|schema| schema.attribute(name).is_some())
            }
            Self::Made(_)
            | Self::Whole(_)
            | Self::Itself
            | Self::ItsArn(_)
            | Self::Group(_)
            | Self::Always(_) => true,
            Self::Again(_)
            | Self::PartId
            | Self::Unset
            | Self::Arn(_)
            | Self::Account
            | Self::Owner(_)
            | Self::Later(_) => false,
        }
    }

    /// Whether the value is made from this attribute alone.
    fn reads(&self, attribute: &str) -> bool {
        match self {
            Self::Own(name)
            | Self::Turned(name, _)
            | Self::One(name, _)
            | Self::Each(name, _)
            | Self::Encoded(name)
            | Self::ServiceName(name)
            | Self::Owner(name)
            | Self::Unless(name, _) => *name == attribute,
            Self::Group(rows) => rows.iter().any(|row| row.from.reads(attribute)),
            Self::Again(_)
            | Self::Made(_)
            | Self::Whole(_)
            | Self::Itself
            | Self::ItsArn(_)
            | Self::PartId
            | Self::Always(_)
            | Self::Unset
            | Self::Arn(_)
            | Self::Account
            | Self::Later(_) => false,
        }
    }
}

const fn row(name: &'static str, from: Source) -> Row {
    Row { name, from }
}

const fn tags_all() -> Row {
    row("tags_all", Source::Again("tags"))
}

const fn own(name: &'static str) -> Row {
    row(name, Source::Own(name))
}

const fn unset(name: &'static str) -> Row {
    row(name, Source::Unset)
}

const fn later(name: &'static str) -> Row {
    row(name, Source::Later(Shape::Scalar))
}

const fn later_list(name: &'static str) -> Row {
    row(name, Source::Later(Shape::List))
}

const fn nothing(name: &'static str) -> Row {
    row(name, Source::Always(Fixed::Nothing))
}

const fn text(name: &'static str, text: &'static str) -> Row {
    row(name, Source::Always(Fixed::Text(text)))
}

const fn no(name: &'static str) -> Row {
    row(name, Source::Always(Fixed::Bool(false)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::Type;
    use crate::resource::{computed, object_type};

    fn rows(rows: &'static [Row]) -> Vec<&'static Row> {
        let inner = rows.iter().flat_map(|row| match row.from {
            Source::One(_, inner) | Source::Each(_, inner) | Source::Group(inner) => {
                self::rows(inner)
            }
            _ => Vec::new(),
        });
        rows.iter().chain(inner).collect()
    }

    fn is_sorted(rows: &'static [Row]) -> bool {
        let inner = rows.iter().all(|row| match row.from {
            Source::One(_, inner) | Source::Each(_, inner) | Source::Group(inner) => {
                is_sorted(inner)
            }
            _ => true,
        });
        inner && rows.is_sorted_by(|a, b| a.name < b.name)
    }

    #[test]
    fn every_attribute_of_every_kind_has_its_place() {
        for kind in Kind::all() {
            let table = of(kind);
            let told = object_type(kind).attributes.iter().map(|a| a.name);
            for attribute in told.chain(computed(kind).iter().map(|c| c.name)) {
                let is_part = table.parts.iter().any(|part| part.of == attribute);
                let has_row = table.whole.name_of(attribute).is_some();
                // A word to this tool, of which AWS hears nothing.
                let is_word = ["open_to_world", "accept_as"].contains(&attribute);
                assert!(
                    is_part || has_row || is_word,
                    "{kind}.{attribute} is nowhere in {}",
                    table.whole.name
                );
            }
        }
    }

    #[test]
    fn a_row_reads_what_there_is() {
        for kind in Kind::all() {
            let KindTable { whole, parts } = of(kind);
            assert!(is_sorted(whole.rows), "{}", whole.name);
            let names = |attribute: &str| {
                object_type(kind).attribute(attribute).is_some()
                    || computed(kind).iter().any(|computed| computed.name == attribute)
            };
            for row in whole.rows {
                if let Source::Own(name) | Source::Turned(name, _) = row.from {
                    assert!(names(name), "{} reads {kind}.{name}", whole.name);
                }
            }
            parts.iter().for_each(|part| reads_what_there_is(kind, part, &names));
        }
    }

    fn reads_what_there_is(kind: Kind, part: &PartTable, names: &impl Fn(&str) -> bool) {
        let PartTable { of, only, table, fixed, import } = part;
        assert!(is_sorted(table.rows), "{}", table.name);
        let has = |name: &str| table.rows.iter().any(|row| row.name == name);
        assert!(fixed.iter().all(|name| has(name)));
        if let PartImport::WholeThenAttribute(_, name) = import {
            assert!(has(name), "{} is imported by {name}", table.name);
        }
        let element = match (&object_type(kind).attribute(of).unwrap().holds, only) {
            (Type::Set(element), None) => *element,
            (one, Some(_)) => one,
            (_, None) => panic!("{kind}.{of} is no set"),
        };
        for row in rows(table.rows) {
            match (&row.from, element) {
                (Source::Whole(name), _) => assert!(names(name), "{}", row.name),
                (Source::Own(name) | Source::Turned(name, _), Type::Object(object)) => {
                    assert!(object.attribute(name).is_some(), "{} reads {name}", table.name);
                }
                (Source::Own(_) | Source::Turned(..), _) => panic!("{}", row.name),
                _ => {}
            }
        }
    }
}
