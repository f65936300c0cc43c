//! Names: what each resource is called in a configuration, and the expressions that refer to it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::entry::bare;
use super::super::reference::{Ids, name_of};
use super::super::table;
use super::data_source;
use crate::address::{Address, Kind, Name};
use crate::import::free;
use crate::observed::Observed;
use crate::render::stack_file::{key_text, quoted};
use crate::scalar::Ami;
use crate::value::{Cause, Origin, Part, Secret, Unknown, Value};

/// What resources and secrets are called.
pub(super) struct Names<'e> {
    ids: &'e Ids<'e>,
    observed: &'e Observed,
    /// The labels of the resources of the stack.
    labels: BTreeMap<&'e Address, Name>,
    /// The objects that it uses and that have a data source.
    found: BTreeSet<&'e Address>,
    /// The secrets of a stack, with the names of the variables that hold them, in order.
    pub(super) secrets: Vec<(String, Secret)>,
    /// The parameters that name images, with the labels of what looks them up.
    images: BTreeMap<String, Name>,
}

/// A value as an expression, or the reason why there is none.
pub(super) type Expression = Result<String, String>;

impl<'e> Names<'e> {
    /// `made` are the resources of the stack, `used` the objects that it did not make, `variables` what holds
    /// secrets.
    pub(super) fn new(
        (ids, observed): (&'e Ids<'e>, &'e Observed),
        made: impl IntoIterator<Item = &'e Address> + Clone,
        used: impl IntoIterator<Item = &'e Address>,
        variables: &BTreeMap<String, Value>,
    ) -> Self {
        let secrets = variables.iter().filter_map(|(name, value)| match value {
            Value::Secret(secret) => Some((name.clone(), secret.clone())),
            _ => None,
        });
        let found = used.into_iter().filter(|address| data_source::finds(address.kind));
        Self {
            ids,
            observed,
            labels: labels(made),
            found: found.collect(),
            secrets: secrets.collect(),
            images: BTreeMap::new(),
        }
    }

    /// The label of a resource of the stack.
    pub(super) fn label(&self, address: &Address) -> Option<&Name> {
        self.labels.get(address)
    }

    /// The block of a resource: `aws_vpc.lab`, `data.aws_vpc.main`.
    pub(super) fn block(&self, address: &Address) -> Option<String> {
        let name = table::of(address.kind).whole.name;
        match self.labels.get(address) {
            Some(label) => Some(format!("{name}.{label}")),
            None if self.found.contains(address) => Some(format!("data.{name}.{}", address.name)),
            None => None,
        }
    }

    /// The resource that has this id.
    pub(super) fn owner(&self, id: &str) -> Option<&Address> {
        self.ids.owner(id)
    }

    /// The expression of a value. `wish` is the preferred name of a variable, if the value must be kept in one.
    pub(super) fn expression(&mut self, value: &Value, wish: &str) -> Expression {
        Ok(match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::String(text) => match self.ids.attribute(text) {
                Some((address, attribute)) => {
                    self.reference(address, attribute).unwrap_or_else(|_| quoted(text))
                }
                None => quoted(text),
            },
            Value::List(items) => {
                let items = items.iter().map(|item| self.expression(item, wish));
                format!("[{}]", items.collect::<Result<Vec<_>, _>>()?.join(", "))
            }
            Value::Object(members) if members.is_empty() => "{}".to_owned(),
            Value::Object(members) => {
                let members = members.iter().map(|(key, member)| {
                    Ok(format!("{} = {}", key_text(key), self.expression(member, wish)?))
                });
                format!("{{ {} }}", members.collect::<Result<Vec<_>, String>>()?.join(", "))
            }
            Value::Resource(address) => self.reference(address, "id")?,
            Value::Secret(secret) => match secret.reveal() {
                Some(Value::Unknown(unknown)) => self.later(&hidden(unknown), wish)?,
                _ => format!("var.{}", self.variable(secret, wish)),
            },
            Value::Unknown(unknown) => self.later(unknown, wish)?,
        })
    }

    /// A reference to an attribute of a resource; for an object without a data source, its value.
    fn reference(&self, address: &Address, attribute: &str) -> Expression {
        let untold = || format!("Terraform has no `{attribute}` of `{address}`");
        let Some(block) = self.block(address) else {
            let origin = Origin { address: address.clone(), attribute: attribute.to_owned() };
            return match self.observed.attribute(&origin) {
                Some(Value::String(text)) => Ok(quoted(&text)),
                Some(value @ (Value::Bool(_) | Value::Number(_))) => Ok(value.to_string()),
                _ => Err(untold()),
            };
        };
        let attribute = match (address.kind, attribute) {
            // The two are the same, and `arn` states what it is.
            (Kind::LoadBalancer | Kind::GatewayLoadBalancer | Kind::TargetGroup, "id") => "arn",
            (_, attribute) => attribute,
        };
        let name = if self.found.contains(address) {
            data_source::attribute(address.kind, attribute)
        } else {
            name_of(address, attribute)
        };
        Ok(format!("{block}.{}", name.ok_or_else(untold)?))
    }

    /// A value that is not known before something is created.
    fn later(&mut self, unknown: &Unknown, wish: &str) -> Expression {
        let Some(template) = &unknown.template else {
            return Err(format!("it is computed from a value that is {unknown}"));
        };
        if let Some(Origin { address, attribute }) = template.as_attribute() {
            return self.reference(address, attribute);
        }
        let text = |part: &Part| -> Expression {
            Ok(match part {
                Part::Text(literal) => inside(&quoted(literal)).to_owned(),
                Part::Attribute(Origin { address, attribute }) => {
                    format!("${{{}}}", self.reference(address, attribute)?)
                }
                Part::Secret(secret) => format!("${{var.{}}}", self.variable(secret, wish)),
            })
        };
        let text: String = template.0.iter().map(text).collect::<Result<_, _>>()?;
        Ok(format!("\"{text}\""))
    }

    /// The image that a public parameter names; if no image is given, that of the current Amazon Linux.
    pub(super) fn image(&mut self, ami: &Value) -> String {
        let parameter = match ami {
            Value::String(parameter) => parameter,
            _ => Ami::AMAZON_LINUX,
        };
        let taken = self.images.values().map(|name| Address::new(Kind::Instance, name.clone()));
        let last = parameter.rsplit('/').next().unwrap_or(parameter);
        let label = match self.images.get(parameter) {
            Some(label) => label.clone(),
            None => free(Kind::Instance, last, &taken.collect()).name,
        };
        self.images.insert(parameter.to_owned(), label.clone());
        format!("data.aws_ssm_parameter.{label}.value")
    }

    /// The parameters that name images, each with the label of what looks it up.
    pub(super) fn images(&self) -> impl Iterator<Item = (&Name, &str)> {
        self.images.iter().map(|(parameter, label)| (label, parameter.as_str()))
    }

    /// The variable that holds a secret: the stack's own, or a new one.
    fn variable(&mut self, secret: &Secret, wish: &str) -> String {
        if let Some((name, _)) = self.secrets.iter().find(|(_, other)| other == secret) {
            return name.clone();
        }
        let wish = wish.replace('-', "_");
        let names = (1_usize..).map(|number| match number {
            1 => wish.clone(),
            number => format!("{wish}_{number}"),
        });
        let is_free = |name: &String| self.secrets.iter().all(|(other, _)| other != name);
        let mut names = names;
        let name = names.find(is_free).expect("numbers do not end");
        self.secrets.push((name.clone(), secret.clone()));
        name
    }
}

/// The same with every text in it as a secret.
fn hidden(Unknown { origins, template }: &Unknown) -> Unknown {
    let template = template.as_ref().map(|template| template.hidden(Cause::Sensitive));
    Unknown { origins: origins.clone(), template }
}

/// A quoted text without its quotes.
fn inside(quoted: &str) -> &str {
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted)
}

/// The labels of resources: the label of the block, followed by the key. A label that another resource has gets a
/// number.
fn labels<'e>(
    resources: impl IntoIterator<Item = &'e Address> + Clone,
) -> BTreeMap<&'e Address, Name> {
    let mut taken: BTreeSet<Address> = BTreeSet::new();
    let mut labels = BTreeMap::new();
    // A resource without a key keeps its name.
    for address in resources.clone().into_iter().filter(|address| address.key.is_none()) {
        // Both kinds of load balancers have the same type of the provider.
        let label = match address.kind {
            Kind::GatewayLoadBalancer => free(Kind::LoadBalancer, address.name.as_str(), &taken),
            _ => address.clone(),
        };
        labels.insert(address, label.name.clone());
        taken.insert(label);
    }
    for address in resources {
        let Some(key) = &address.key else { continue };
        let kind = match address.kind {
            Kind::GatewayLoadBalancer => Kind::LoadBalancer,
            kind => kind,
        };
        let label = free(kind, &format!("{}_{}", address.name, bare(key)), &taken);
        labels.insert(address, label.name.clone());
        taken.insert(label);
    }
    labels
}

/// The label of a part of a resource that has this label, different from all in `taken`.
pub(super) fn label_of_part(
    (kind, whole): (Kind, &Name),
    part: &str,
    taken: &mut BTreeSet<Address>,
) -> Name {
    let label = free(kind, &format!("{whole}_{part}"), taken);
    let name = label.name.clone();
    taken.insert(label);
    name
}
