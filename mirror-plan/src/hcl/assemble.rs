//! Assembly: the evaluated blocks become a [`Stack`].

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::{Expression, ObjectKey};

use super::convert::to_bool;
use super::declare::{Declaration, no_such_attribute, stack_attributes};
use super::program::{Instances, Program};
use super::taught;
use super::text::{Written, written_at};
use super::{account, moved, names};
use crate::address::{Address, Key, Kind, Name};
use crate::attribute::{AttributeType, ObjectType, Problem, Problems, Type};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::resource::{Resource, Tags, id_of, object_type};
use crate::scalar::{AccountId, AccountName, Allowance, Coordination, Region};
use crate::stack::{
    Declared, Existing, FanOut, Output, Place, Placed, Selector, Sources, Stack, StackBuilder,
};
use crate::value::{Origin, Path, Segment, Unknown, Value};

/// Returns the stack that a program describes.
///
/// `before` is what has already been found to be wrong.
pub(super) fn stack(
    program: &Program<'_>,
    before: Diagnostics,
) -> Result<(Stack, Diagnostics), Diagnostics> {
    let (stack, found) = in_part(program, before);
    match stack {
        // A stack that was read only in part has an error to show for it.
        Some(stack) => found.unless_errors(stack),
        None => Err(found),
    }
}

/// Returns the stack that a program describes as far as it can be read, and what is wrong with the rest.
///
/// Whatever is in the catalogue of findings is treated as if it were corrected. A session may be missing: nothing
/// refers to one, so nothing else looks wrong without it. If anything else is missing, there is no stack.
pub(super) fn in_part(program: &Program<'_>, before: Diagnostics) -> (Option<Stack>, Diagnostics) {
    let mut assembly = Assembly { program, diagnostics: before, left_out: BTreeSet::new() };
    let builder = assembly.builder();
    // Without a name there is no stack, but its resources may have more to say.
    let mut builder = builder.unwrap_or_else(|| Stack::builder(placeholder()));
    for (name, declaration) in readable(&program.declared.accounts) {
        let account = account::read(&mut assembly, declaration);
        let name = AccountName::from(name.clone());
        account.into_iter().for_each(|account| builder.declare_account(name.clone(), account));
    }
    for ((kind, name), declaration) in &program.declared.existing {
        assembly.existing(&mut builder, Address::new(*kind, name.clone()), declaration);
    }
    for (name, declaration) in &program.declared.sources {
        assembly.sources(&mut builder, name, declaration);
    }
    for (kind, name) in program.declared.resources.keys() {
        assembly.block(&mut builder, *kind, name);
    }
    let moves = program.declared.moved.iter().filter(|moved| !moved.is_unreadable);
    for declaration in moves {
        let place = assembly.place(declaration);
        let moved = moved::read(program.text, declaration, &mut assembly.diagnostics);
        moved
            .into_iter()
            .for_each(|of| builder.declare_moved(Placed { of, place: Some(place.clone()) }));
    }
    for (name, value) in outputs(program, &mut assembly.diagnostics) {
        builder.output(name, value);
    }
    let undeclared = names::undeclared(program, &assembly.diagnostics);
    assembly.diagnostics.extend(undeclared);
    for (name, value) in &program.variables {
        if let Ok(value) = value {
            builder.variable(name.as_str(), (**value).clone());
        }
    }
    let (stack, diagnostics) = assembly.finish(builder);
    // Without what the `stack` block says, even what is right could look wrong.
    (stack.filter(|_| !program.declared.unreadable.stack), diagnostics)
}

/// The blocks of which more is known than that they exist.
fn readable<'d, 'b, K: Ord>(
    declared: &'d BTreeMap<K, Declaration<'b>>,
) -> impl Iterator<Item = (&'d K, &'d Declaration<'b>)> {
    declared.iter().filter(|(_, declaration)| !declaration.is_unreadable)
}

/// Returns the values of all outputs that can be evaluated, and reports what is wrong with the
/// others.
pub(super) fn outputs(
    program: &Program<'_>,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, Output> {
    let mut outputs = BTreeMap::new();
    for (name, declaration) in readable(&program.declared.outputs) {
        match output(program, name, declaration) {
            Ok(output) => {
                outputs.insert((*name).to_owned(), output);
            }
            Err(mistakes) => diagnostics.extend(mistakes),
        }
    }
    outputs
}

fn output(
    program: &Program<'_>,
    name: &str,
    declaration: &Declaration<'_>,
) -> Result<Output, Diagnostics> {
    let Some(written) = declaration.get("value") else {
        let title = format!("the output `{name}` needs a `value`");
        let head = declaration.head.clone();
        return Err(Diagnostic::error(code::MISSING_ATTRIBUTE, title).at(head, "").into());
    };
    let value = program.evaluate(written)?;
    if let Some(address) = whole_resource(&value) {
        let at = program.text.span(written);
        let title = format!("`{address}` is a whole resource, but an output must be a value");
        let diagnostic = Diagnostic::error(code::RESOURCE_AS_TEXT, title).at(at.clone(), "");
        return Err(match value {
            Value::Resource(_) => {
                let by = format!("{}.id", at.text());
                diagnostic.help_patch("name the attribute you mean", at, by)
            }
            _ => diagnostic.help("name the attribute you mean, such as `.id`"),
        }
        .into());
    }
    let value = with_secrecy(program, (name, value), declaration)?;
    let description = match declaration.get("description") {
        None => None,
        Some(written) => {
            let value = program.planned(written)?;
            let mut problems = Problems::default();
            let text = Option::<String>::read(&value, &Path::default(), &mut problems);
            let at = program.text.span(written);
            let wrong = problems.into_inner().into_iter().map(|problem| {
                Diagnostic::error(problem.sort.code(), problem.title).at(at.clone(), "")
            });
            text.ok_or_else(|| wrong.collect::<Diagnostics>())?
        }
    };
    Ok(Output { value, description })
}

/// Returns the value of an output as it is to be shown: hidden if the output is declared sensitive,
/// and refused if it is sensitive but not declared so.
fn with_secrecy(
    program: &Program<'_>,
    (name, value): (&str, Value),
    declaration: &Declaration<'_>,
) -> Result<Value, Diagnostics> {
    let wanted = match declaration.get("sensitive") {
        None => false,
        Some(written) => {
            let value = program.planned(written)?;
            to_bool(&value).ok_or_else(|| {
                Diagnostic::error(code::WRONG_TYPE, "`sensitive` must be true or false")
                    .at(program.text.span(written), format!("this is {}", value.type_name()))
            })?
        }
    };
    if wanted {
        return Ok(value.sensitive());
    }
    if value.is_sensitive() {
        let title = format!("the output `{name}` is derived from a sensitive value");
        return Err(Diagnostic::error(code::SENSITIVE, title)
            .at(declaration.get("value").map(|written| program.text.span(written)), "")
            .help("add `sensitive = true`: the output is then shown as its hash")
            .help("or allow it to be shown: `nonsensitive(...)`")
            .into());
    }
    Ok(value)
}

/// Returns the address of a whole resource in a value, if there is one.
fn whole_resource(value: &Value) -> Option<&Address> {
    match value {
        Value::Resource(address) => Some(address),
        Value::List(items) => items.iter().find_map(whole_resource),
        Value::Object(members) => members.values().find_map(whole_resource),
        Value::Secret(secret) => secret.reveal().and_then(whole_resource),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Unknown(_) => {
            None
        }
    }
}

fn placeholder() -> Name {
    "unnamed".parse().expect("a word is a name")
}

pub(super) struct Assembly<'a, 'p> {
    pub(super) program: &'a Program<'p>,
    pub(super) diagnostics: Diagnostics,
    /// The kinds of resources that could not be read.
    left_out: BTreeSet<Kind>,
}

impl Assembly<'_, '_> {
    /// The builder with what the `stack` block says.
    fn builder(&mut self) -> Option<StackBuilder> {
        let block = self.program.declared.stack?;
        let text = self.program.text;
        let attributes = stack_attributes(text, block, &mut self.diagnostics);
        let name = match block.labels.as_slice() {
            [label] => label.as_str().parse::<Name>().map_err(|error| {
                Diagnostic::error(code::BLOCK_LABELS, error.to_string()).at(text.span(label), "")
            }),
            _ => Err(Diagnostic::error(code::BLOCK_LABELS, "`stack` needs exactly one name")
                .at(text.head(block), "")
                .help("write `stack \"NAME\" {`")),
        };
        let get = |name: &str| attributes.get(name).map(|attribute| &attribute.value);
        let region = self.scalar::<Option<Region>>(get("region")).flatten();
        let account = self.scalar::<Option<AccountId>>(get("account")).flatten();
        let tags = self.scalar::<Option<Tags>>(get("tags")).flatten();
        let coordination = self.scalar::<Option<Coordination>>(get("coordination")).flatten();
        let allow = self.scalar::<Option<Vec<Allowance>>>(get("allow")).flatten();
        let name = name.map_err(|diagnostic| self.diagnostics.push(diagnostic)).ok()?;
        let builder = Stack::builder(name).tags(tags.unwrap_or_default());
        let mut builder = allow.into_iter().flatten().fold(builder, StackBuilder::allow);
        if let Some(region) = region {
            builder = builder.region(region);
        }
        if let Some(account) = account {
            builder = builder.account(account);
        }
        if let Some(coordination) = coordination {
            builder = builder.coordination(coordination);
        }
        Some(builder)
    }

    pub(super) fn scalar<T: AttributeType>(&mut self, written: Option<&Expression>) -> Option<T> {
        let written = written?;
        let value = match self.program.planned(written) {
            Ok(value) => value,
            Err(mistakes) => {
                self.diagnostics.extend(mistakes);
                return None;
            }
        };
        let mut problems = Problems::default();
        let read = T::read(&value, &Path::default(), &mut problems);
        self.diagnostics.extend(problems.into_inner().into_iter().map(|problem| {
            let diagnostic = Diagnostic::error(problem.sort.code(), problem.title)
                .at(self.program.text.span(written_at(written, &problem.path.0).0), "");
            match problem.help {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            }
        }));
        read
    }

    /// Reads how an existing object is recognized.
    fn existing(
        &mut self,
        builder: &mut StackBuilder,
        address: Address,
        declaration: &Declaration<'_>,
    ) {
        if declaration.is_unreadable {
            self.left_out.insert(address.kind);
            return;
        }
        let before = self.diagnostics.iter().len();
        let id = self.scalar::<Option<String>>(declaration.get("id")).flatten();
        let id = id.and_then(|text| {
            let at = declaration.get("id").map(|id| self.program.text.span(id));
            id_of(address.kind, &text)
                .map_err(|error| {
                    let wrong = Diagnostic::error(code::WRONG_VALUE, error.to_string());
                    self.diagnostics.push(wrong.of(&address).at(at, ""));
                })
                .ok()
        });
        let name = self.scalar::<Option<String>>(declaration.get("name")).flatten();
        let tags = self.scalar::<Option<Tags>>(declaration.get("tags")).flatten();
        let owner = self.scalar::<Option<AccountId>>(declaration.get("owner")).flatten();
        let account = self.scalar::<Option<AccountName>>(declaration.get("aws")).flatten();
        if self.diagnostics.iter().len() > before {
            self.left_out.insert(address.kind);
            return;
        }
        let selector = Selector { id, name, tags: tags.unwrap_or_default(), owner, account };
        let place = Some(self.place(declaration));
        builder.declare_existing(address, Existing { selector, place });
    }

    /// Reads every resource that a block stands for.
    fn block(&mut self, builder: &mut StackBuilder, kind: Kind, name: &Name) {
        let address = Address::new(kind, name.clone());
        let instances = match self.program.instances(kind, name) {
            Ok(instances) => instances,
            Err(mistakes) => {
                self.diagnostics.extend(mistakes);
                self.left_out.insert(kind);
                return;
            }
        };
        let declaration = &self.program.declared.resources[&(kind, name.clone())];
        let place = self.place(declaration);
        let addresses: Vec<Address> = match instances {
            Instances::FannedOut => return self.fan_out(builder, address, (declaration, place)),
            Instances::Off | Instances::Counted(0) => return builder.declare_none(address),
            Instances::One => vec![address],
            Instances::Counted(count) => {
                (0..count).map(|index| address.clone().with_key(Key::Index(index))).collect()
            }
        };
        let mut reported = false;
        for address in addresses {
            let read = |value: &Value, problems: &mut Problems| {
                Resource::read(address.kind, value, problems)
            };
            let mended =
                |value: Value, problems: &[Problem]| taught::mended(address.kind, value, problems);
            let read = self.read(&address, (declaration, &place), (read, mended));
            let (resource, mistakes) = read;
            // The other resources of the block have the same mistakes.
            if !reported {
                reported = !mistakes.is_empty();
                self.diagnostics.extend(mistakes);
            }
            match resource {
                Some(resource) => {
                    let place = Some(place.clone());
                    builder.declare(address, Declared { resource, place });
                }
                None => {
                    self.left_out.insert(kind);
                    break;
                }
            }
        }
    }

    /// Reads which interfaces are meant.
    fn sources(&mut self, builder: &mut StackBuilder, name: &Name, declaration: &Declaration<'_>) {
        if declaration.is_unreadable {
            self.left_out.insert(Kind::MirrorSession);
            return;
        }
        let (mut members, mut mistakes) = (BTreeMap::new(), Diagnostics::new());
        for (name, attribute) in &declaration.attributes {
            match self.program.evaluate(&attribute.value) {
                Ok(value) => drop(members.insert((*name).to_owned(), value)),
                Err(found) => mistakes.extend(found),
            }
        }
        let place = self.place(declaration);
        let mut problems = Problems::default();
        let sources = Sources::read(&Value::Object(members), &Path::default(), &mut problems);
        if let Some(sources) = sources.as_ref().filter(|_| mistakes.is_empty()) {
            sources.check(&mut problems);
        }
        let problems = problems.into_inner().into_iter();
        mistakes.extend(problems.map(|problem| problem.of_no_resource(Some(&place))));
        match sources {
            Some(of) if mistakes.is_empty() => {
                builder.declare_sources(name.clone(), Placed { of, place: Some(place) });
            }
            _ => {
                self.diagnostics.extend(mistakes);
                self.left_out.insert(Kind::MirrorSession);
            }
        }
    }

    /// Reads a session over sources.
    fn fan_out(
        &mut self,
        builder: &mut StackBuilder,
        address: Address,
        (declaration, place): (&Declaration<'_>, Place),
    ) {
        let read = |value: &Value, problems: &mut Problems| {
            FanOut::read(value, &Path::default(), problems)
        };
        let (of, mistakes) = self.read(&address, (declaration, &place), (read, |_, _| None));
        self.diagnostics.extend(mistakes);
        match of {
            Some(of) => builder.declare_fan_out(address, Placed { of, place: Some(place) }),
            None => drop(self.left_out.insert(Kind::MirrorSession)),
        }
    }

    pub(super) fn place(&self, declaration: &Declaration<'_>) -> Place {
        let mut written = Written::default();
        for (name, attribute) in &declaration.attributes {
            let path = Path::default().member(name);
            written.add(self.program.text, &attribute.value, &path);
        }
        Place { head: declaration.head.clone(), values: written.values }
    }

    /// Returns what `read` makes of a block, and what is wrong with it. If all of that is in the catalogue of
    /// findings, `mended` reads the block without it, so that more mistakes can be found.
    fn read<T>(
        &self,
        address: &Address,
        (declaration, place): (&Declaration<'_>, &Place),
        (read, mended): (
            impl FnOnce(&Value, &mut Problems) -> Option<T>,
            impl FnOnce(Value, &[Problem]) -> Option<T>,
        ),
    ) -> (Option<T>, Diagnostics) {
        let (mut members, mut failed) = (BTreeMap::new(), BTreeSet::new());
        let mut mistakes = Diagnostics::new();
        for name in declaration.own() {
            let value = match self.program.given(address, name) {
                Some(Ok(value)) => (*value).clone(),
                Some(Err(found)) => {
                    mistakes.extend(found);
                    failed.insert(name);
                    stand_in(address, name)
                }
                None => continue,
            };
            members.insert(name.to_owned(), value);
        }
        let mut problems = Problems::default();
        let value = Value::Object(members);
        let read = read(&value, &mut problems);
        let problems = problems.into_inner();
        let mended = mended(value, &problems);
        let problems = problems.into_iter();
        // Problems with a stand-in are consequences; their cause has been reported.
        let own = problems.filter(|problem| match problem.path.0.first() {
            Some(Segment::Member(name)) => !failed.contains(name.as_str()),
            _ => true,
        });
        let text = self.program.text;
        mistakes.extend(own.map(|problem| {
            let code = problem.sort.code();
            match problem_place(&problem, declaration) {
                None => problem.at_place(address, Some(place)),
                Some((_, Some(key))) if code == code::UNKNOWN_ATTRIBUTE => {
                    no_such_member(problem, address, text.span(key))
                }
                Some((value, _)) => marked(problem, address, text.span(value)),
            }
        }));
        let whole = failed.is_empty() && mistakes.is_empty();
        let mended = mended.filter(|_| failed.is_empty());
        (if whole { read } else { mended }, mistakes)
    }

    /// Returns everything together. A resource that could not be read is not in the builder, so
    /// what the builder reports about references counts only if everything else is right.
    fn finish(self, builder: StackBuilder) -> (Option<Stack>, Diagnostics) {
        let Self { program: _, mut diagnostics, left_out } = self;
        let had_errors = diagnostics.has_errors();
        // A plan for less than the file declares would delete the rest.
        assert!(had_errors || left_out.is_empty(), "BUG: a resource was left out without a reason");
        match builder.build() {
            Ok((stack, warnings)) => {
                diagnostics.extend(warnings);
                let all_but_sessions = left_out.iter().all(|kind| *kind == Kind::MirrorSession);
                (all_but_sessions.then_some(stack), sorted(diagnostics))
            }
            Err(found) => {
                let consequence = |d: &Diagnostic| had_errors && d.code == code::NO_SUCH_RESOURCE;
                diagnostics.extend(found.into_iter().filter(|d| !consequence(d)));
                (None, sorted(diagnostics))
            }
        }
    }
}

/// Returns the diagnostics in the order of the text, each once.
pub(super) fn sorted(mut diagnostics: Diagnostics) -> Diagnostics {
    diagnostics.sort();
    let mut kept: Vec<Diagnostic> = Vec::new();
    for diagnostic in diagnostics {
        // A mistake in a local is found by everything that uses it.
        let place = |d: &Diagnostic| d.labels.first().map(|label| label.span.bytes.start);
        let here = place(&diagnostic);
        let known = kept.iter().rev().take_while(|other| place(other) == here).any(|other| {
            other.code == diagnostic.code
                && other.title == diagnostic.title
                && other.labels == diagnostic.labels
        });
        if !known {
            kept.push(diagnostic);
        }
    }
    kept.into_iter().collect()
}

/// Stands in for a value that could not be evaluated: no type accepts it.
fn stand_in(address: &Address, attribute: &str) -> Value {
    let origin = Origin { address: address.clone(), attribute: attribute.to_owned() };
    Value::Unknown(Unknown { origins: BTreeSet::from([origin]), template: None })
}

/// What a problem is about, if it is inside a written attribute.
fn problem_place<'b>(
    problem: &Problem,
    declaration: &Declaration<'b>,
) -> Option<(&'b Expression, Option<&'b ObjectKey>)> {
    match problem.path.0.split_first() {
        Some((Segment::Member(name), rest)) => Some(written_at(declaration.get(name)?, rest)),
        _ => None,
    }
}

/// Reports a name that a part of a resource does not have, with what is probably meant.
fn no_such_member(problem: Problem, address: &Address, at: Span) -> Diagnostic {
    let part = part_type(address.kind, &problem.path);
    match (part, problem.path.0.last()) {
        (Some(part), Some(Segment::Member(name))) => {
            let names: Vec<&str> = part.attributes.iter().map(|a| a.name).collect();
            no_such_attribute(part.title, name, &names, at).of(address)
        }
        _ => marked(problem, address, at),
    }
}

/// A problem at a place.
fn marked(problem: Problem, address: &Address, at: Span) -> Diagnostic {
    let code = problem.code(address.kind);
    let Problem { path: _, title, help, sort: _ } = problem;
    let diagnostic = Diagnostic::error(code, title).of(address).at(at.clone(), "");
    let diagnostic = taught::with_edit(diagnostic, at);
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// The type of the object whose member stands at `path`.
fn part_type(kind: Kind, path: &Path) -> Option<&'static ObjectType> {
    let (_, parents) = path.0.split_last()?;
    let mut object = object_type(kind);
    let mut holds: Option<&'static Type> = None;
    for segment in parents {
        let next = match (segment, holds) {
            (Segment::Member(name), None) => &object.attribute(name)?.holds,
            (Segment::Index(_), Some(Type::Set(element))) => element,
            _ => return None,
        };
        (object, holds) = match next {
            Type::Object(inner) => (*inner, None),
            other => (object, Some(other)),
        };
    }
    if holds.is_none() { Some(object) } else { None }
}
