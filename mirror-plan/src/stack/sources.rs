//! Sources: interfaces that come and go, and the sessions over them.
//!
//! A `sources` block states which interfaces are meant; observing finds them. A [`FanOut`] is a session for each of
//! them, with the interface as its key: `mirror_session.detect["eni-0ab"]`. It is expanded into sessions when the
//! stack is planned ([`Stack::expanded`]), using only what was observed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Place, Stack, StackBuilder};
use crate::address::{Address, Kind, Name};
use crate::attribute::{AttributeType, Input, ProblemSort, Problems, Ref, Type, nearest, object};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::id::NetworkInterface;
use crate::resource::access::{ArnType, Named};
use crate::resource::{
    Instance, MirrorFilter, MirrorSession, MirrorTarget, SecurityGroup, Subnet, Tags, Vpc,
};
use crate::scalar::{
    Allotment, CountRange, Interfaces, PacketLength, Reviewed, SessionNumber, Vni,
};
use crate::value::{Path, Value};

mod target;

pub use target::SessionTarget;

/// The tag that keeps an interface from being mirrored, unless the block names other tags.
const EXCEPT: (&str, &str) = ("mirror", "false");

/// How many values of one attribute can be looked up at once.
///
/// Source: EC2 user guide, "Filtering": 200 filter values.
const LISTED_MAX: usize = 200;

object! {
    /// Interfaces to be mirrored. All that is given must hold.
    pub struct Sources("sources") {
        /// Tags with exactly these values, all of them on the interface itself or all on its instance.
        tags: Tags => default(Tags::new()), Update;
        /// The VPC that they are in.
        vpc: Option<Ref<Vpc>> => optional, Update;
        /// The subnets; each interface is in one of them.
        subnets: Vec<Ref<Subnet>> => default(Vec::new()), Update;
        /// The security groups; each interface has one of them.
        security_groups: Vec<Ref<SecurityGroup>> => default(Vec::new()), Update;
        /// The Auto Scaling groups; the instance of each interface is in one of them.
        autoscaling_groups: Vec<String> => default(Vec::new()), Update;
        /// The instances; each interface is attached to one of them.
        instances: Vec<Ref<Instance>> => default(Vec::new()), Update;
        /// The interfaces themselves; an instance stands for its primary interface.
        network_interfaces: Vec<Ref<NetworkInterface>> => default(Vec::new()), Update;
        /// Whether only the primary interface of an instance is meant, or all. An interface that is
        /// selected by its own tags or its id need not be the primary one.
        interfaces: Interfaces => default(Interfaces::Primary), Update;
        /// Tags with these values; an interface is excluded if it or its instance has any of them.
        except: Tags => default(Tags::from([(EXCEPT.0.to_owned(), EXCEPT.1.to_owned())])), Update;
        /// How many interfaces are expected. With fewer or more, nothing is planned.
        expect: CountRange => default(CountRange::ANY), Update;
        /// What a reviewed plan says about their sessions: each of them, or only that there are as many
        /// as expected.
        review: Reviewed => default(Reviewed::Exact), Update;
    }
}

object! {
    /// A session for each interface of some sources.
    pub struct FanOut("traffic mirror session") {
        /// The sources.
        source: SourceNames => required, Replace;
        /// Where the packets go, or where those of each Availability Zone go.
        target: SessionTarget => required, Update;
        /// Which packets go.
        filter: Ref<MirrorFilter> => required, Update;
        /// The order among the sessions of an interface, or a range of which each session has the lowest that
        /// no other of the stack has on its interface.
        number: Allotment<SessionNumber> => required, Update;
        /// How many bytes of each packet go.
        packet_length: Option<PacketLength> => optional, Update;
        /// The VXLAN network identifier of all, or a range of which each session has its own.
        vni: Option<Allotment<Vni>> => optional, Update;
        /// A note.
        description: Option<Input<String>> => optional, Update;
        /// Tags.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The names of `sources` blocks, at least one: in a stack file, `sources.web` or a list of such names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct SourceNames(pub BTreeSet<Name>);

impl SourceNames {
    /// The word before a name.
    pub const WORD: &'static str = "sources";

    /// Returns the text that represents a block in values.
    #[must_use]
    pub fn text_of(name: &Name) -> String {
        format!("{}.{name}", Self::WORD)
    }

    /// Whether a value is meant as sources, even if it is not valid.
    #[must_use]
    pub fn is_meant_by(value: &Value) -> bool {
        match value {
            Value::String(text) => Self::name_in(text).is_some(),
            Value::List(items) => items.iter().any(Self::is_meant_by),
            _ => false,
        }
    }

    fn name_in(text: &str) -> Option<&str> {
        text.strip_prefix(Self::WORD)?.strip_prefix('.')
    }
}

impl fmt::Display for SourceNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(Self::text_of).collect();
        f.write_str(&names.join(", "))
    }
}

impl AttributeType for SourceNames {
    const TYPE: Type = Type::Text("sources");

    fn read(value: &Value, at: &Path, problems: &mut Problems) -> Option<Self> {
        let mut one = |value: &Value, at: &Path| match value {
            Value::String(text) => {
                let name = Self::name_in(text).and_then(|name| name.parse::<Name>().ok());
                if name.is_none() {
                    let title = format!("`{text}` is not a `sources` block");
                    problems.add(ProblemSort::Value, at, title);
                }
                name
            }
            _ => {
                problems.expected(at, "sources, or a list of them", value);
                None
            }
        };
        match value {
            Value::List(items) if !items.is_empty() => {
                let names = items.iter().enumerate().map(|(i, item)| one(item, &at.index(i)));
                let names: Vec<Option<Name>> = names.collect();
                names.into_iter().collect::<Option<BTreeSet<Name>>>().map(Self)
            }
            one_value => one(one_value, at).map(|name| Self(BTreeSet::from([name]))),
        }
    }

    fn to_value(&self) -> Value {
        Value::List(self.0.iter().map(|name| Value::String(Self::text_of(name))).collect())
    }
}

/// Something that was declared, and where.
#[derive(Clone, Debug)]
pub struct Placed<T> {
    /// What was declared.
    pub of: T,
    /// Its place in the stack file; `None` for a stack built in Rust.
    pub place: Option<Place>,
}

impl Sources {
    /// Reports what is wrong with attributes that are each valid on their own.
    pub(crate) fn check(&self, problems: &mut Problems) {
        let Self {
            tags,
            vpc,
            subnets,
            security_groups,
            autoscaling_groups,
            instances,
            network_interfaces,
            interfaces: _, // of what is found
            except: _,
            expect: _,
            review: _,
        } = self;
        let lists = [
            ("subnets", subnets.len()),
            ("security_groups", security_groups.len()),
            ("autoscaling_groups", autoscaling_groups.len()),
            ("instances", instances.len()),
            ("network_interfaces", network_interfaces.len()),
        ];
        for (name, _) in lists.iter().filter(|(_, count)| *count > LISTED_MAX) {
            let title = format!("at most {LISTED_MAX} can be looked up at once");
            problems.add(ProblemSort::Value, &Path::default().member(name), title);
        }
        if tags.is_empty() && vpc.is_none() && lists.iter().all(|(_, count)| *count == 0) {
            problems.add_with_help(
                ProblemSort::Missing,
                &Path::default(),
                "it does not say which interfaces are meant",
                "give `tags`, `vpc`, `subnets`, `security_groups`, `autoscaling_groups`, `instances` or \
                 `network_interfaces`",
            );
        }
    }

    /// The keys of the tags that must be read.
    #[cfg(feature = "aws")]
    pub(crate) fn tag_keys(&self) -> BTreeSet<&str> {
        let Self { tags, except, .. } = self;
        // This one identifies instances of the stack's own groups.
        tags.keys()
            .chain(except.keys())
            .map(String::as_str)
            .chain([crate::resource::tag::GROUP])
            .collect()
    }
}

/// Shows what it looks up: `tag mirror = "true", VPC vpc-0a1b, all interfaces`.
impl fmt::Display for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tags,
            vpc,
            subnets,
            security_groups,
            autoscaling_groups,
            instances,
            network_interfaces,
            interfaces,
            except,
            expect: _,
            review: _,
        } = self;
        let tag = |what: &str, (key, value): (&String, &String)| {
            format!("{what} {key} = {}", Value::String(value.clone()))
        };
        let mut parts: Vec<String> = tags.iter().map(|pair| tag("tag", pair)).collect();
        parts.extend(vpc.iter().map(|vpc| format!("VPC {}", shown(vpc))));
        parts.extend(any_of("subnet", subnets.iter().map(shown)));
        parts.extend(any_of("security group", security_groups.iter().map(shown)));
        parts.extend(any_of("Auto Scaling group", autoscaling_groups.iter().cloned()));
        parts.extend(any_of("instance", instances.iter().map(shown)));
        parts.extend(any_of("interface", network_interfaces.iter().map(shown)));
        parts.extend(except.iter().map(|pair| tag("not tag", pair)));
        match interfaces {
            Interfaces::Primary => {}
            Interfaces::All => parts.push("all interfaces".to_owned()),
        }
        f.write_str(&parts.join(", "))
    }
}

/// Shows a reference: its id, or its address as long as the id is not known.
fn shown(reference: &impl AttributeType) -> String {
    match reference.to_value() {
        Value::String(id) => id,
        other => other.to_string(),
    }
}

fn any_of(what: &str, which: impl Iterator<Item = String>) -> Option<String> {
    let which: Vec<String> = which.collect();
    (!which.is_empty()).then(|| format!("{what} {}", which.join(" or ")))
}

impl StackBuilder {
    /// Declares sources, and returns the names by which a [`FanOut`] refers to them.
    ///
    /// ```
    /// use mirror_plan::attribute::Ref;
    /// use mirror_plan::scalar::{Allotment, SessionNumber};
    /// use mirror_plan::stack::{FanOut, Sources, Stack};
    /// use mirror_plan::resource::Tags;
    ///
    /// let mut stack = Stack::builder("sensors".parse()?);
    /// let tagged = Tags::from([("mirror".to_owned(), "true".to_owned())]);
    /// let source = stack.sources("web".parse()?, Sources { expect: "4..200".parse()?, ..Sources::tagged(tagged) });
    /// stack.fan_out(
    ///     "detect".parse()?,
    ///     FanOut {
    ///         source,
    ///         target: Ref::Id("tmt-0a1b2c3d4e5f67890".parse()?).into(),
    ///         filter: Ref::Id("tmf-0a1b2c3d4e5f67890".parse()?),
    ///         number: Allotment::Same(SessionNumber::MIN),
    ///         packet_length: None,
    ///         vni: None,
    ///         description: None,
    ///         tags: Tags::new(),
    ///     },
    /// );
    /// assert!(stack.build().is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sources(&mut self, name: Name, sources: Sources) -> SourceNames {
        let mut problems = Problems::default();
        sources.check(&mut problems);
        let problems = problems.into_inner().into_iter();
        self.report(problems.map(|problem| {
            let title = format!("{}: {}", SourceNames::text_of(&name), problem.title);
            Diagnostic::error(problem.sort.code(), title)
        }));
        self.declare_sources(name.clone(), Placed { of: sources, place: None });
        SourceNames(BTreeSet::from([name]))
    }

    /// Declares sources that have been read and checked.
    pub fn declare_sources(&mut self, name: Name, sources: Placed<Sources>) {
        self.stack.sources.insert(name, sources);
    }

    /// Declares a session for each interface of some sources.
    pub fn fan_out(&mut self, name: Name, fan_out: FanOut) {
        let address = Address::new(Kind::MirrorSession, name);
        self.declare_fan_out(address, Placed { of: fan_out, place: None });
    }

    /// Declares sessions over sources, as they were read.
    pub fn declare_fan_out(&mut self, address: Address, mut fan_out: Placed<FanOut>) {
        self.complete_tags(&address, &mut fan_out.of.tags, fan_out.place.as_ref());
        self.stack.fan_outs.insert(address, fan_out);
    }
}

impl Stack {
    /// Whether a resource is one of the sessions of a [`FanOut`].
    #[must_use]
    pub fn is_fanned_out(&self, address: &Address) -> bool {
        let block = Address::new(address.kind, address.name.clone());
        address.key.is_some() && self.fan_outs.contains_key(&block)
    }
}

impl Sources {
    /// Returns sources with these tags, on the interfaces or on their instances, and the defaults for everything
    /// else.
    #[must_use]
    pub fn tagged(tags: Tags) -> Self {
        let mut problems = Problems::default();
        let given = Value::Object(BTreeMap::from([("tags".to_owned(), tags.to_value())]));
        Self::read(&given, &Path::default(), &mut problems).expect("tags are tags")
    }
}

/// Reports where the sources of a stack and the rest of it do not fit together.
pub(super) fn check(stack: &Stack) -> Diagnostics {
    let fan_outs = stack.fan_outs.iter().flat_map(|(address, fan_out)| {
        undeclared(stack, address, fan_out).into_iter().chain(twice(stack, address, fan_out))
    });
    let sources = stack.sources.iter().flat_map(|(name, sources)| made_here(stack, name, sources));
    fan_outs.chain(sources).collect()
}

/// Reports sources that are not declared anywhere.
fn undeclared(stack: &Stack, address: &Address, fan_out: &Placed<FanOut>) -> Vec<Diagnostic> {
    let Placed { of, place } = fan_out;
    let at = place.as_ref().map(|place| place.of(&Path::default().member("source")).clone());
    let absent = of.source.0.iter().filter(|name| !stack.sources.contains_key(*name));
    let told = absent.map(|name| {
        let title = format!("the stack declares no `{}`", SourceNames::text_of(name));
        let diagnostic =
            Diagnostic::error(code::NO_SUCH_RESOURCE, title).of(address).at(at.clone(), "");
        match nearest(name.as_str(), stack.sources.keys().map(Name::as_str)) {
            Some(near) => diagnostic.help(format!("did you mean `{}.{near}`?", SourceNames::WORD)),
            None => diagnostic,
        }
    });
    told.collect()
}

/// Reports a name that a single session has, too.
fn twice(stack: &Stack, address: &Address, fan_out: &Placed<FanOut>) -> Option<Diagnostic> {
    let declared = stack.resources.get(address)?;
    let head = |place: Option<&Place>| place.map(|place| place.head.clone());
    let title = format!("`{address}` is declared twice");
    let diagnostic = Diagnostic::error(code::DUPLICATE, title).of(address);
    Some(
        diagnostic
            .at(head(fan_out.place.as_ref()), "over sources here")
            .at(head(declared.place.as_ref()), "as one session here"),
    )
}

/// Reports references to what does not exist before the stack is applied, or at all.
fn made_here(stack: &Stack, name: &Name, sources: &Placed<Sources>) -> Vec<Diagnostic> {
    let value = sources.of.to_value();
    let mut origins = BTreeSet::new();
    value.collect_origins(&mut origins);
    let addresses: BTreeSet<Address> = origins.into_iter().map(|origin| origin.address).collect();
    let wrong = addresses.into_iter().filter(|address| !stack.existing.contains_key(address));
    let head = sources.place.as_ref().map(|place| place.head.clone());
    let told = wrong.map(|address| {
        let named = SourceNames::text_of(name);
        let is_made = stack.resources.contains_key(&address);
        let (code, title) = if is_made {
            (
                code::UNKNOWN_VALUE,
                format!("`{named}` refers to `{address}`, which this stack creates"),
            )
        } else {
            (code::NO_SUCH_RESOURCE, format!("the stack declares no `{address}`"))
        };
        let diagnostic = Diagnostic::error(code, title).at(head.clone(), "");
        if is_made {
            diagnostic.note("sources are looked up before anything is created").help(
                "name an `existing` object; what this stack creates needs a session of its own",
            )
        } else {
            diagnostic
        }
    });
    told.collect()
}

impl FanOut {
    /// Whether one of its attributes refers to a resource.
    pub(crate) fn refers_to(&self, address: &Address) -> bool {
        let mut origins = BTreeSet::new();
        self.to_value().collect_origins(&mut origins);
        origins.iter().any(|origin| origin.address == *address)
    }

    /// Returns what its sessions name that does not belong to the stack. Which interfaces they name is known only
    /// when they are created.
    pub(crate) fn named(&self) -> Vec<Named> {
        let targets = self.target.all();
        let targets =
            targets.filter_map(|(_, target)| Named::by(target, ArnType::TrafficMirrorTarget));
        let filter = Named::by(&self.filter, ArnType::TrafficMirrorFilter);
        let any = Named::any(ArnType::NetworkInterface);
        targets.chain(filter).chain([any]).collect()
    }

    /// The session for one interface, which sends to one of the targets.
    pub(crate) fn session(
        &self,
        (source, target): (Ref<NetworkInterface>, Ref<MirrorTarget>),
        number: SessionNumber,
        vni: Option<Vni>,
    ) -> MirrorSession {
        let Self {
            source: _,
            target: _,
            filter,
            number: _,
            packet_length,
            vni: _,
            description,
            tags,
        } = self.clone();
        MirrorSession { source, target, filter, number, packet_length, vni, description, tags }
    }
}
