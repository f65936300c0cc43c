//! The stack: what the user declared, in HCL or in Rust.
//!
//! The HCL front end and Rust callers both go through [`StackBuilder`], so every finished stack has
//! been checked: its resources are in order, and its references lead to something that it declares.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::{Address, Key, Kind, Name};
use crate::attribute::{
    AttributeType as _, Problem, ProblemSort, Problems, Ref, Referable, nearest,
};
use crate::code;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::resource::{Resource, ResourceType, Tags, tag};
use crate::scalar::{AccountId, AccountName, Allowance, Ami, Coordination, Region};
use crate::value::{Path, Segment, Value};

pub(crate) mod account;
pub(crate) mod existing;
mod moved;
pub(crate) mod sources;

pub use account::Account;
pub use existing::{Existing, Selector};
pub use moved::Moved;
pub use sources::{FanOut, Placed, SessionTarget, SourceNames, Sources};

/// What the user declared.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Its name, unique within an account and Region; objects carry it as a tag.
    pub name: Name,
    /// The account it must be in; any account if left out.
    pub account: Option<AccountId>,
    /// The Region it must be in; if left out, the Region of the caller's configuration.
    pub region: Option<Region>,
    /// Where the runs of a team coordinate; if left out, only the runs on one machine do.
    pub coordination: Option<Coordination>,
    /// Other accounts, and how each is reached.
    pub accounts: BTreeMap<AccountName, Placed<Account>>,
    /// The objects that it uses but did not create.
    pub existing: BTreeMap<Address, Existing>,
    /// Its resources whose address has changed, in the order of the file.
    pub moved: Vec<Placed<Moved>>,
    /// The lints whose findings are accepted, with the reasons.
    pub allow: BTreeSet<Allowance>,
    /// The interfaces that it mirrors as they come and go.
    pub sources: BTreeMap<Name, Placed<Sources>>,
    /// Its sessions over sources.
    pub fan_outs: BTreeMap<Address, Placed<FanOut>>,
    /// Its resources.
    pub resources: BTreeMap<Address, Declared>,
    /// Its outputs.
    pub outputs: BTreeMap<String, Output>,
    /// The values that its variables have.
    pub variables: BTreeMap<String, Value>,
}

/// A declared resource and where it was declared.
#[derive(Clone, Debug)]
pub struct Declared {
    /// The resource.
    pub resource: Resource,
    /// Its place in the stack file; `None` for a stack built in Rust.
    pub place: Option<Place>,
}

/// Where a resource stands in a stack file.
#[derive(Clone, Debug)]
pub struct Place {
    /// The head of its block: `vpc "lab"`.
    pub head: Span,
    /// The spans of the values that it gives, by path; a path that is missing here lies in its nearest parent.
    pub values: BTreeMap<Path, Span>,
}

impl Place {
    /// The span of the value at `path`, or of the nearest value that encloses it.
    #[must_use]
    pub fn of(&self, path: &Path) -> &Span {
        let lengths = (1..=path.0.len()).rev();
        let mut prefixes = lengths.map(|length| Path(path.0[..length].to_vec()));
        prefixes.find_map(|prefix| self.values.get(&prefix)).unwrap_or(&self.head)
    }

    /// The blank end of its file, where more blocks can stand.
    pub(crate) fn end_of_file(&self) -> Span {
        let source = self.head.source.clone();
        let bytes = source.text.trim_end().len()..source.text.len();
        Span { source, bytes }
    }
}

/// A value for people and other programs.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The value, as far as it is known without the cloud.
    pub value: Value,
    /// What it is.
    pub description: Option<String>,
}

impl Stack {
    /// Returns the public Systems Manager parameters that name the images of its instances and launch templates,
    /// which an observation must look up.
    #[must_use]
    pub fn images(&self) -> BTreeSet<String> {
        let images = self.resources.values().filter_map(|declared| declared.resource.image());
        images
            .filter_map(|image| match image {
                None => Some(Ami::AMAZON_LINUX.to_owned()),
                Some(Ami::Parameter(name)) => Some(name.clone()),
                Some(Ami::Id(_)) => None,
            })
            .collect()
    }

    /// Returns a builder for a stack declared in Rust.
    #[must_use]
    pub fn builder(name: Name) -> StackBuilder {
        StackBuilder {
            stack: Self {
                name,
                account: None,
                region: None,
                coordination: None,
                accounts: BTreeMap::new(),
                existing: BTreeMap::new(),
                moved: Vec::new(),
                allow: BTreeSet::new(),
                sources: BTreeMap::new(),
                fan_outs: BTreeMap::new(),
                resources: BTreeMap::new(),
                outputs: BTreeMap::new(),
                variables: BTreeMap::new(),
            },
            tags: Tags::new(),
            of_none: BTreeSet::new(),
            diagnostics: Diagnostics::new(),
        }
    }
}

/// Collects a [`Stack`]; [`build`](Self::build) reports everything that is wrong with it at once.
///
/// ```
/// use mirror_plan::resource::{Subnet, Vpc};
/// use mirror_plan::stack::Stack;
///
/// let mut stack = Stack::builder("lab".parse()?);
/// let vpc = stack.add(
///     "lab".parse()?,
///     Vpc {
///         cidr: "10.0.0.0/16".parse()?,
///         dns_support: true,
///         dns_hostnames: true,
///         tags: Default::default(),
///     },
/// );
/// stack.add(
///     "source".parse()?,
///     Subnet {
///         vpc,
///         cidr: "10.0.1.0/24".parse()?,
///         availability_zone: None,
///         public_ip_on_launch: false,
///         tags: Default::default(),
///     },
/// );
/// let (stack, _warnings) = stack.build()?;
/// assert_eq!(stack.resources.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct StackBuilder {
    stack: Stack,
    tags: Tags,
    /// Blocks that currently stand for no resource.
    of_none: BTreeSet<Address>,
    diagnostics: Diagnostics,
}

impl StackBuilder {
    /// Sets the account that the stack must be in.
    #[must_use]
    pub fn account(mut self, account: AccountId) -> Self {
        self.stack.account = Some(account);
        self
    }

    /// Sets the Region that the stack must be in.
    #[must_use]
    pub fn region(mut self, region: Region) -> Self {
        self.stack.region = Some(region);
        self
    }

    /// Sets where the runs of a team coordinate.
    #[must_use]
    pub fn coordination(mut self, coordination: Coordination) -> Self {
        self.stack.coordination = Some(coordination);
        self
    }

    /// Accepts the findings of a lint, with a reason.
    #[must_use]
    pub fn allow(mut self, allowance: Allowance) -> Self {
        self.stack.allow.insert(allowance);
        self
    }

    /// Adds these tags to every resource; the resource's own tags take precedence.
    #[must_use]
    pub fn tags(mut self, tags: Tags) -> Self {
        self.tags = tags;
        self
    }

    /// Declares a resource and returns a reference to it.
    pub fn add<R: ResourceType + Into<Resource>>(&mut self, name: Name, resource: R) -> Ref<R> {
        let address = Address::new(<R as Referable>::KIND, name);
        let mut problems = Problems::default();
        resource.check(&mut problems);
        self.refuse(&address, None, problems);
        self.declare(address.clone(), Declared { resource: resource.into(), place: None });
        Ref::To(address)
    }

    /// Declares a resource that has been read and checked.
    pub fn declare(&mut self, address: Address, mut declared: Declared) {
        let tags = declared.resource.tags_mut();
        self.complete_tags(&address, tags, declared.place.as_ref());
        tags.entry(tag::NAME.to_owned()).or_insert_with(|| shown_name(&address));
        match self.stack.resources.get(&address) {
            None => {
                self.stack.resources.insert(address, declared);
            }
            Some(first) => {
                let head = |d: &Declared| d.place.as_ref().map(|place| place.head.clone());
                self.diagnostics.push(
                    Diagnostic::error(code::DUPLICATE, format!("`{address}` is declared twice"))
                        .of(&address)
                        .at(head(&declared), "declared again here")
                        .at(head(first), "first declared here"),
                );
            }
        }
    }

    /// Adds the tags of the stack to those of a resource, and refuses tags that the user must not set.
    fn complete_tags(&mut self, address: &Address, tags: &mut Tags, place: Option<&Place>) {
        for (key, value) in &self.tags {
            tags.entry(key.clone()).or_insert_with(|| value.clone());
        }
        if let Some(key) = tags.keys().find(|key| tag::is_reserved(key)) {
            let title = format!("the tag `{key}` is reserved");
            self.diagnostics.push(
                Diagnostic::error(code::WRONG_VALUE, title)
                    .of(address)
                    .at(place.map(|place| place.head.clone()), "")
                    .note("tags with the prefix `aws:` belong to AWS, those with `mirror-plan:` to this tool"),
            );
        }
    }

    /// Declares an object that exists without the stack, and returns a reference to it.
    ///
    /// ```
    /// use mirror_plan::resource::{Subnet, Vpc};
    /// use mirror_plan::stack::{Selector, Stack};
    ///
    /// let mut stack = Stack::builder("sensors".parse()?);
    /// let selector = Selector { name: Some("production".to_owned()), ..Selector::default() };
    /// let vpc = stack.existing::<Vpc>("main".parse()?, selector);
    /// let subnet = Subnet {
    ///     vpc,
    ///     cidr: "10.0.9.0/24".parse()?,
    ///     availability_zone: None,
    ///     public_ip_on_launch: false,
    ///     tags: Default::default(),
    /// };
    /// stack.add("sensors".parse()?, subnet);
    /// assert!(stack.build().is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn existing<R: ResourceType>(&mut self, name: Name, selector: Selector) -> Ref<R> {
        let address = Address::new(<R as Referable>::KIND, name);
        self.declare_existing(address.clone(), Existing { selector, place: None });
        Ref::To(address)
    }

    /// Declares an object that exists without the stack, as it was read.
    pub fn declare_existing(&mut self, address: Address, existing: Existing) {
        if let Some((path, title)) = existing::check(address.kind, &existing.selector) {
            let problem = Problem { path, title, help: None, sort: ProblemSort::Value };
            self.diagnostics.push(problem.at_place(&address, existing.place.as_ref()));
        }
        self.stack.existing.insert(address, existing);
    }

    /// Declares an output.
    pub fn output(&mut self, name: impl Into<String>, output: Output) {
        self.stack.outputs.insert(name.into(), output);
    }

    /// Records the value of a variable for readers of the plan; the stack already uses it.
    pub fn variable(&mut self, name: impl Into<String>, value: Value) {
        self.stack.variables.insert(name.into(), value);
    }

    /// Adds the problems of a resource that could not be read or is not valid.
    pub fn refuse(&mut self, address: &Address, place: Option<&Place>, problems: Problems) {
        let problems = problems.into_inner().into_iter();
        self.diagnostics.extend(problems.map(|problem| problem.at_place(address, place)));
    }

    /// Adds the diagnostics of a front end.
    pub fn report(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.diagnostics.extend(diagnostics);
    }

    /// Returns the stack, with warnings.
    ///
    /// # Errors
    /// Everything that is wrong with it: attributes that contradict each other, names declared
    /// twice, references that lead nowhere.
    pub fn build(mut self) -> Result<(Stack, Diagnostics), Diagnostics> {
        account::complete_all(&mut self.stack);
        let twice = self.stack.existing.iter().filter_map(|(address, existing)| {
            let declared = self.stack.resources.get(address)?;
            let head = |place: &Option<Place>| place.as_ref().map(|place| place.head.clone());
            let title = format!("`{address}` is declared both as a resource and as `existing`");
            Some(
                Diagnostic::error(code::DUPLICATE, title)
                    .of(address)
                    .at(head(&existing.place), "as `existing` here")
                    .at(head(&declared.place), "as a resource here"),
            )
        });
        self.diagnostics.extend(twice);
        self.diagnostics.extend(account::check(&self.stack));
        self.diagnostics.extend(sources::check(&self.stack));
        self.diagnostics.extend(moved::check(&self.stack, &self.of_none));
        let resources = self.stack.resources.iter();
        let resources = resources.map(|(a, of)| (a, of.resource.to_value(), of.place.as_ref()));
        let fan_outs = self.stack.fan_outs.iter();
        let fan_outs = fan_outs.map(|(a, of)| (a, of.of.to_value(), of.place.as_ref()));
        for (address, value, place) in resources.chain(fan_outs) {
            let dangling = dangling(&self.stack, &value, &Path::default());
            self.diagnostics.extend(dangling.into_iter().map(|(path, to)| {
                let span = place.map(|place| place.of(&path).clone());
                let diagnostic = Diagnostic::error(
                    code::NO_SUCH_RESOURCE,
                    format!("the stack declares no `{to}`"),
                )
                .of(address)
                .at(span, "referred to here");
                let names: Vec<String> =
                    self.stack.resources.keys().map(Address::to_string).collect();
                match nearest(&to.to_string(), names.iter().map(String::as_str)) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic,
                }
            }));
        }
        self.diagnostics.sort();
        self.diagnostics.unless_errors(self.stack)
    }
}

/// The `Name` tag of a resource that has none: `sensor`, `sensor-0`.
pub(crate) fn shown_name(address: &Address) -> String {
    match &address.key {
        None => address.name.to_string(),
        Some(Key::Index(index)) => format!("{}-{index}", address.name),
        Some(Key::Name(key)) => format!("{}-{key}", address.name),
    }
}

/// The references in `value` that lead to no declared resource, with their places.
fn dangling(stack: &Stack, value: &Value, at: &Path) -> Vec<(Path, Address)> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        Value::List(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, item)| dangling(stack, item, &at.index(index)))
            .collect(),
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, member)| dangling(stack, member, &at.member(name)))
            .collect(),
        Value::Resource(address) => absent(stack, address, at).into_iter().collect(),
        Value::Secret(secret) => {
            secret.reveal().map(|value| dangling(stack, value, at)).unwrap_or_default()
        }
        Value::Unknown(unknown) => {
            unknown.origins.iter().filter_map(|origin| absent(stack, &origin.address, at)).collect()
        }
    }
}

fn absent(stack: &Stack, address: &Address, at: &Path) -> Option<(Path, Address)> {
    let is_there = stack.resources.contains_key(address) || stack.existing.contains_key(address);
    (!is_there).then(|| (at.clone(), address.clone()))
}

impl ProblemSort {
    /// The code of its diagnostic.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::NoSuchAttribute => code::UNKNOWN_ATTRIBUTE,
            Self::Missing => code::MISSING_ATTRIBUTE,
            Self::Type => code::WRONG_TYPE,
            Self::Value => code::WRONG_VALUE,
            Self::Unknown => code::UNKNOWN_VALUE,
            Self::Sensitive => code::SENSITIVE,
            Self::OpenToWorld => code::OPEN_TO_WORLD,
            Self::FilterRule => code::FILTER_RULE,
        }
    }
}

/// Whether an attribute of a filter rule is a range of ports; one that ends before it begins is not valid.
fn is_port(name: &str) -> bool {
    ["port", "peer_port", "source_port", "destination_port"].contains(&name)
}

/// Returns the code of a value that AWS does not accept, if the catalogue of findings has one.
fn catalogued(kind: Kind, path: &Path) -> Option<Code> {
    let member = |at: usize| match path.0.get(at) {
        Some(Segment::Member(name)) => Some(name.as_str()),
        Some(Segment::Index(_)) | None => None,
    };
    match (kind, member(0)?, member(1)) {
        (Kind::MirrorSession, "number", ..) => Some(code::SESSION_NUMBER),
        (Kind::MirrorSession, "packet_length", ..) => Some(code::PACKET_LENGTH),
        (Kind::MirrorSession, "vni", ..) => Some(code::VNI),
        (Kind::TargetGroup, "health_check", Some("protocol")) => Some(code::HEALTH_CHECK_PROTOCOL),
        (Kind::LoadBalancer | Kind::GatewayLoadBalancer, "name", ..) => {
            Some(code::LOAD_BALANCER_REFUSED)
        }
        // A problem of the list as a whole: a number appears twice.
        (Kind::MirrorFilter, "rules", ..) if path.0.len() == 1 => Some(code::FILTER_RULE),
        (Kind::MirrorFilter, "rules", ..) if is_port(member(2)?) => Some(code::FILTER_RULE),
        _ => None,
    }
}

impl Problem {
    /// Its code where it is a problem with a resource of `kind`.
    #[must_use]
    pub fn code(&self, kind: Kind) -> Code {
        let catalogued = (self.sort == ProblemSort::Value).then(|| catalogued(kind, &self.path));
        catalogued.flatten().unwrap_or_else(|| self.sort.code())
    }

    /// The diagnostic of a problem with the resource at `address`.
    #[must_use]
    pub fn at_place(self, address: &Address, place: Option<&Place>) -> Diagnostic {
        let code = self.code(address.kind);
        let Self { path, title, help, sort: _ } = self;
        // Without a file, the path is the only location.
        let title = match place {
            None if !path.0.is_empty() => format!("{path}: {title}"),
            _ => title,
        };
        let diagnostic = Diagnostic::error(code, title)
            .of(address)
            .at(place.map(|place| place.of(&path).clone()), "");
        match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }

    /// The diagnostic of a problem with something that is not a resource.
    #[must_use]
    pub fn of_no_resource(self, place: Option<&Place>) -> Diagnostic {
        let Self { path, title, help, sort } = self;
        let at = place.map(|place| place.of(&path).clone());
        let diagnostic = Diagnostic::error(sort.code(), title).at(at, "");
        match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}
