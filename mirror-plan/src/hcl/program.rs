//! The program: what the names of a stack file lead to, evaluated when first asked for.
//!
//! A configured attribute is its value; an attribute that AWS chooses is unknown until the look-up
//! knows it. Each value is evaluated once, and values that wait for each other in a circle are
//! reported.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::rc::Rc;

use hcl_edit::expr::Expression;

use super::convert::{to_bool, to_whole};
use super::declare::{Declaration, Declarations, is_meta};
use super::evaluate::{Binding, Evaluated, Evaluator, Scope};
use super::text::Text;
use super::{LookUp, ReadFile};
use crate::address::{Address, Key, Kind, Name};
use crate::attribute::{Presence, Type, listed, nearest};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::resource::{computed, object_type};
use crate::scalar::AccountName;
use crate::stack::SourceNames;
use crate::value::{Origin, Unknown, Value};

/// The most that `count` can be.
const MOST: i64 = 100_000;

/// How many resources a block stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instances {
    /// One, without a key.
    One,
    /// None: its `when` is false.
    Off,
    /// This many, with the keys `[0]`, `[1]`, ...
    Counted(u32),
    /// One for each interface of some sources, as many as there are.
    FannedOut,
}

/// Something that is evaluated once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Node {
    Attribute(Address, String),
    Instances(Kind, Name),
    Local(String),
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(address, name) => write!(f, "{address}.{name}"),
            Self::Instances(kind, name) => write!(f, "the count of {kind}.{name}"),
            Self::Local(name) => write!(f, "local.{name}"),
        }
    }
}

/// Something declared that a path begins with.
#[derive(Debug)]
pub(super) enum Reference<'r> {
    /// A variable, by its value.
    Variable(&'r Evaluated<Rc<Value>>),
    /// A local, by its name and what is written for it.
    Local(&'r str, &'r Expression),
    /// An `aws` or a `sources` block, by the text that stands for it.
    Text(String),
    Resource(Kind, Name),
}

/// Names and their values.
pub(super) struct Program<'p> {
    pub(super) text: &'p Text,
    pub(super) declared: &'p Declarations<'p>,
    /// The values of the variables; an empty error if what is wrong has been reported.
    pub(super) variables: BTreeMap<String, Evaluated<Rc<Value>>>,
    pub(super) look_up: &'p LookUp<'p>,
    pub(super) files: &'p ReadFile<'p>,
    state: State,
}

#[derive(Default)]
struct State {
    /// Only looked up, never iterated: their order affects nothing.
    values: RefCell<HashMap<Node, Evaluated<Rc<Value>>>>,
    instances: RefCell<BTreeMap<(Kind, Name), Evaluated<Instances>>>,
    /// Whole blocks with `count`, as lists.
    lists: RefCell<BTreeMap<(Kind, Name), Rc<Value>>>,
    under_way: RefCell<Vec<Node>>,
    depth: Cell<usize>,
}

impl<'p> Program<'p> {
    pub(super) fn new(
        text: &'p Text,
        declared: &'p Declarations<'p>,
        variables: BTreeMap<String, Evaluated<Rc<Value>>>,
        look_up: &'p LookUp<'p>,
        files: &'p ReadFile<'p>,
    ) -> Self {
        Self { text, declared, variables, look_up, files, state: State::default() }
    }

    /// The value of an expression that belongs to no resource.
    pub(super) fn evaluate(&self, expression: &Expression) -> Evaluated {
        self.evaluator().evaluate(expression, Scope::default())
    }

    pub(super) fn evaluator(&self) -> Evaluator<'_> {
        Evaluator {
            text: self.text,
            program: Some(self),
            files: self.files,
            depth: &self.state.depth,
        }
    }

    /// What `root.name` refers to, or why it refers to nothing; `None` if there is no such `root`.
    ///
    /// `at` is the place of the name, and `whole` that of both.
    pub(super) fn reference<'r>(
        &'r self,
        root: &str,
        name: &'r str,
        (whole, at): (Span, Span),
    ) -> Option<Evaluated<Reference<'r>>> {
        Some(match root {
            "var" => self.variables.get(name).map(Reference::Variable).ok_or_else(|| {
                let names = self.variables.keys().map(String::as_str);
                unknown(format!("there is no variable `{name}`"), name, names, at).into()
            }),
            "local" => match self.declared.locals.get(name) {
                Some(attribute) => Ok(Reference::Local(name, &attribute.value)),
                None if self.declared.unreadable.locals => Err(Diagnostics::new()),
                None => {
                    let names = self.declared.locals.keys().copied();
                    Err(unknown(format!("there is no local `{name}`"), name, names, at).into())
                }
            },
            AccountName::WORD | SourceNames::WORD => self.stand_in(root, name, at),
            word => self.declared_resource(word.parse().ok()?, name, whole),
        })
    }

    /// The value of what is referred to at `at`.
    pub(super) fn value(&self, reference: Reference<'_>, at: Span) -> Evaluated<Rc<Value>> {
        match reference {
            Reference::Variable(value) => value.clone(),
            Reference::Local(name, written) => {
                self.once(Node::Local(name.to_owned()), || self.evaluate(written))
            }
            Reference::Text(text) => Ok(Rc::new(Value::String(text))),
            Reference::Resource(kind, name) => self.resource(kind, name, at),
        }
    }

    /// The text that stands for an `aws` or a `sources` block.
    fn stand_in(&self, word: &str, name: &str, at: Span) -> Evaluated<Reference<'_>> {
        let Declarations { accounts, sources, .. } = self.declared;
        let names = if word == AccountName::WORD { accounts } else { sources }.keys();
        let names = names.map(Name::as_str);
        if names.clone().any(|declared| declared == name) {
            return Ok(Reference::Text(format!("{word}.{name}")));
        }
        Err(unknown(format!("there is no `{word}` block `{name}`"), name, names, at).into())
    }

    fn declared_resource(&self, kind: Kind, name: &str, at: Span) -> Evaluated<Reference<'_>> {
        let declared = name.parse::<Name>().ok().filter(|name| self.is_declared(kind, name));
        let missing = || self.no_such_resource(kind, name, at).into();
        declared.map(|name| Reference::Resource(kind, name)).ok_or_else(missing)
    }

    /// What a resource is: itself, or a list for a block with `count`.
    fn resource(&self, kind: Kind, name: Name, at: Span) -> Evaluated<Rc<Value>> {
        let address = Address::new(kind, name.clone());
        if self.is_existing(kind, &name) {
            return Ok(Rc::new(Value::Resource(address)));
        }
        match self.instances(kind, &name)? {
            Instances::One => Ok(Rc::new(Value::Resource(address))),
            Instances::Off => {
                let off = self.declaration(kind, &name).attributes.get("when");
                Err(Diagnostic::error(
                    code::NO_SUCH_RESOURCE,
                    format!("`{address}` does not exist: its `when` is false"),
                )
                .at(at, "referred to here")
                .at(off.map(|when| self.text.span(*when)), "switched off here")
                .help("refer to it only where the same condition holds")
                .into())
            }
            Instances::FannedOut => {
                let title = format!("`{address}` is a session for each of its sources");
                Err(Diagnostic::error(code::UNKNOWN_VALUE, title)
                    .at(at, "referred to here")
                    .note("the sources are found only when the stack is planned")
                    .into())
            }
            Instances::Counted(count) => {
                let mut lists = self.state.lists.borrow_mut();
                let list = lists.entry((kind, name)).or_insert_with(|| {
                    let keys = (0..count).map(Key::Index);
                    let all = keys.map(|key| Value::Resource(address.clone().with_key(key)));
                    Rc::new(Value::List(all.collect()))
                });
                Ok(Rc::clone(list))
            }
        }
    }

    fn no_such_resource(&self, kind: Kind, name: &str, at: Span) -> Diagnostic {
        let title = format!("the stack declares no `{kind}.{name}`");
        let diagnostic = Diagnostic::error(code::NO_SUCH_RESOURCE, title).at(at.clone(), "");
        let declared = || self.declared.resources.keys().chain(self.declared.existing.keys());
        let all: Vec<String> = declared().map(|(kind, name)| format!("{kind}.{name}")).collect();
        let of_kind = declared().filter(|(other, _)| *other == kind);
        let of_kind: Vec<String> = of_kind.map(|(kind, name)| format!("{kind}.{name}")).collect();
        let wanted = format!("{kind}.{name}");
        let near = nearest(
            name,
            of_kind.iter().filter_map(|address| address.split_once('.').map(|(_, name)| name)),
        )
        .map(|name| format!("{kind}.{name}"))
        .or_else(|| nearest(&wanted, all.iter().map(String::as_str)).map(str::to_owned));
        match near {
            Some(near) => diagnostic.help_patch(format!("did you mean `{near}`?"), at, near),
            None if of_kind.is_empty() => {
                diagnostic.help(format!("declare it: `{kind} \"{name}\" {{ ... }}`"))
            }
            None => diagnostic
                .help(format!("it declares {}", listed(of_kind.iter().map(String::as_str)))),
        }
    }

    fn is_existing(&self, kind: Kind, name: &Name) -> bool {
        self.declared.existing.contains_key(&(kind, name.clone()))
    }

    fn is_declared(&self, kind: Kind, name: &Name) -> bool {
        self.declared.resources.contains_key(&(kind, name.clone())) || self.is_existing(kind, name)
    }

    /// Whether a name is that of a block with `count`, which stands for a list.
    pub(super) fn is_counted(&self, kind: Kind, name: &Name) -> bool {
        !self.is_existing(kind, name) && self.declaration(kind, name).get("count").is_some()
    }

    fn declaration(&self, kind: Kind, name: &Name) -> &Declaration<'p> {
        &self.declared.resources[&(kind, name.clone())]
    }

    /// How many resources a declared block stands for.
    pub(super) fn instances(&self, kind: Kind, name: &Name) -> Evaluated<Instances> {
        let key = (kind, name.clone());
        if let Some(known) = self.state.instances.borrow().get(&key) {
            return known.clone();
        }
        let node = Node::Instances(kind, name.clone());
        let counted = self.under_way(node, || self.count(kind, name));
        self.state.instances.borrow_mut().insert(key, counted.clone());
        counted
    }

    fn count(&self, kind: Kind, name: &Name) -> Evaluated<Instances> {
        let declaration = self.declaration(kind, name);
        if declaration.is_unreadable {
            return Err(Diagnostics::new());
        }
        let on = match declaration.get("when") {
            None => true,
            Some(expression) => {
                let value = self.planned(expression)?;
                to_bool(&value)
                    .ok_or_else(|| self.wrong(expression, "`when` must be true or false", &value))?
            }
        };
        match declaration.get("count") {
            None if on && self.is_fanned_out(kind, name) => Ok(Instances::FannedOut),
            None if on => Ok(Instances::One),
            None => Ok(Instances::Off),
            Some(expression) => {
                let value = self.planned(expression)?;
                let count = to_whole(&value).filter(|count| (0..=MOST).contains(count));
                let count = count.and_then(|count| u32::try_from(count).ok()).ok_or_else(|| {
                    let title = format!("`count` must be a whole number from 0 to {MOST}");
                    self.wrong(expression, &title, &value)
                })?;
                Ok(Instances::Counted(if on { count } else { 0 }))
            }
        }
    }

    /// Whether a block is a session over sources. Mistakes in it are reported where it is read.
    fn is_fanned_out(&self, kind: Kind, name: &Name) -> bool {
        let address = Address::new(kind, name.clone());
        let source = || self.given(&address, "source")?.ok();
        kind == Kind::MirrorSession
            && source().is_some_and(|source| SourceNames::is_meant_by(&source))
    }

    /// A value that must be known when planning.
    pub(super) fn planned(&self, expression: &Expression) -> Evaluated {
        let value = self.evaluate(expression)?;
        if value.is_known() {
            return Ok(value);
        }
        let at = self.text.span(expression);
        let title = "this must be known when planning";
        Err(Diagnostic::error(code::UNKNOWN_VALUE, title)
            .at(at, format!("it is {value}"))
            .help("use a value that does not depend on what apply creates")
            .into())
    }

    fn wrong(&self, expression: &Expression, title: &str, value: &Value) -> Diagnostics {
        let at = self.text.span(expression);
        let label = match value {
            Value::Number(_) => format!("this is {value}"),
            _ => format!("this is {}", value.type_name()),
        };
        Diagnostic::error(code::WRONG_TYPE, title).at(at, label).into()
    }

    /// The value of an attribute of a resource, where something refers to it from `at`.
    pub(super) fn attribute(
        &self,
        address: &Address,
        name: &str,
        at: Span,
    ) -> Evaluated<Rc<Value>> {
        check_attribute(address.kind, name, at)?;
        let schema = object_type(address.kind).attribute(name);
        let is_computed = is_computed(address.kind, name);
        if self.is_existing(address.kind, &address.name) {
            // Its value comes from looking the object up.
            let origin = Origin { address: address.clone(), attribute: name.to_owned() };
            let known = (self.look_up)(&origin);
            return Ok(Rc::new(
                known.unwrap_or_else(|| Value::Unknown(Unknown::attribute(origin))),
            ));
        }
        if let Some(value) = self.given(address, name).transpose()?
            && *value != Value::Null
        {
            return Ok(match schema.map(|attribute| attribute.holds) {
                Some(Type::Secret) => Rc::new((*value).clone().sensitive()),
                _ => value,
            });
        }
        let value = match schema.map(|attribute| attribute.presence) {
            Some(Presence::Default(default)) => default(),
            Some(Presence::Optional) if !is_computed => Value::Null,
            // A missing attribute is reported where the block is read.
            Some(Presence::Required) => return Err(Diagnostics::new()),
            Some(Presence::Chosen | Presence::Optional) | None => {
                let attribute = name.to_owned();
                let origin = Origin { address: address.clone(), attribute };
                let known = (self.look_up)(&origin);
                known.unwrap_or_else(|| Value::Unknown(Unknown::attribute(origin)))
            }
        };
        Ok(Rc::new(value))
    }

    /// The value that a resource's block gives an attribute, if it gives one.
    pub(super) fn given(&self, address: &Address, name: &str) -> Option<Evaluated<Rc<Value>>> {
        if is_meta(name) {
            return None;
        }
        let expression = self.declaration(address.kind, &address.name).get(name)?;
        let node = Node::Attribute(address.clone(), name.to_owned());
        let value = self.once(node, || match address.key {
            Some(Key::Index(index)) => {
                let index = BTreeMap::from([("index".to_owned(), Value::integer(index))]);
                let value = Rc::new(Value::Object(index));
                let count = Binding { name: "count", value, outer: Scope::default() };
                self.evaluator().evaluate(expression, Scope::of(&count))
            }
            Some(Key::Name(_)) | None => self.evaluate(expression),
        });
        Some(value.map_err(|diagnostics| {
            let own = |diagnostic: Diagnostic| match diagnostic.address {
                None => diagnostic.of(address),
                Some(_) => diagnostic,
            };
            diagnostics.into_iter().map(own).collect()
        }))
    }

    fn once(&self, node: Node, evaluate: impl FnOnce() -> Evaluated) -> Evaluated<Rc<Value>> {
        if let Some(known) = self.state.values.borrow().get(&node) {
            return known.clone();
        }
        let value = self.under_way(node.clone(), evaluate).map(Rc::new);
        self.state.values.borrow_mut().insert(node, value.clone());
        value
    }

    /// Evaluates `node`, unless its evaluation is already under way.
    fn under_way<T>(&self, node: Node, evaluate: impl FnOnce() -> Evaluated<T>) -> Evaluated<T> {
        let begun = self.state.under_way.borrow().iter().position(|other| *other == node);
        if let Some(begun) = begun {
            let circle = self.state.under_way.borrow()[begun..].to_vec();
            return Err(self.cycle(circle).into());
        }
        self.state.under_way.borrow_mut().push(node);
        let evaluated = evaluate();
        self.state.under_way.borrow_mut().pop();
        evaluated
    }

    /// Reports a circle, starting at its least member so that it is always the same.
    fn cycle(&self, mut circle: Vec<Node>) -> Diagnostic {
        let least = circle.iter().enumerate().min_by_key(|(_, node)| *node);
        let least = least.map_or(0, |(place, _)| place);
        circle.rotate_left(least);
        let names: Vec<String> = circle.iter().chain(circle.first()).map(Node::to_string).collect();
        let title = match circle.as_slice() {
            [one] => format!("{one} depends on itself"),
            _ => "these values depend on each other in a circle".to_owned(),
        };
        let diagnostic = Diagnostic::error(code::CYCLE, title);
        let labelled = circle
            .iter()
            .fold(diagnostic, |diagnostic, node| diagnostic.at(self.place(node), node.to_string()));
        labelled.note(names.join(" -> "))
    }

    fn place(&self, node: &Node) -> Option<Span> {
        let attribute = match node {
            Node::Local(name) => self.declared.locals.get(name.as_str()),
            Node::Attribute(address, name) => {
                self.declaration(address.kind, &address.name).attributes.get(name.as_str())
            }
            Node::Instances(kind, name) => {
                let attributes = &self.declaration(*kind, name).attributes;
                attributes.get("count").or_else(|| attributes.get("when"))
            }
        };
        attribute.map(|attribute| self.text.span(&attribute.key))
    }
}

fn unknown<'n>(
    title: String,
    name: &str,
    names: impl Iterator<Item = &'n str> + Clone,
    at: Span,
) -> Diagnostic {
    let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, title).at(at.clone(), "");
    match nearest(name, names.clone()) {
        Some(near) => diagnostic.help_patch(format!("did you mean `{near}`?"), at, near),
        None => diagnostic.note(format!("available: {}", listed(names))),
    }
}

fn is_computed(kind: Kind, name: &str) -> bool {
    computed(kind).iter().any(|computed| computed.name == name)
}

/// Refuses a name that no attribute of the kind has.
pub(super) fn check_attribute(kind: Kind, name: &str, at: Span) -> Evaluated<()> {
    if object_type(kind).attribute(name).is_some() || is_computed(kind, name) {
        return Ok(());
    }
    let configured = object_type(kind).attributes.iter().map(|attribute| attribute.name);
    let computed = computed(kind).iter().map(|computed| computed.name);
    let mut names: Vec<&str> = configured.chain(computed).collect();
    names.sort_unstable();
    names.dedup();
    let title = format!("the {} has no attribute `{name}`", object_type(kind).title);
    Err(unknown(title, name, names.into_iter(), at).into())
}
