//! Sources in a plan: which interfaces are mirrored, and the session that each of them gets.
//!
//! Everything follows from the stack and from what was observed. An existing session keeps its numbers,
//! whatever comes or goes beside it. AWS removes a session together with its interface, so a deleted
//! interface leaves nothing to do.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::{Address, Kind, Name};
use crate::attribute::{AttributeType as _, Ref};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::id::{NetworkInterfaceId, ObjectId};
use crate::observed::{Interface, Observed, Sighting};
use crate::resource::instance::mirroring::Mirroring;
use crate::resource::{Resource, Tags, tag};
use crate::scalar::{AvailabilityZone, CountRange, InstanceType, Interfaces, Reviewed};
use crate::stack::{FanOut, Placed, SourceNames, Sources, Stack};
use crate::value::Value;

mod allot;
mod expand;
#[cfg(test)]
mod tests;

/// How many interfaces a message names at most.
const NAMED_MAX: usize = 3;

/// What a plan mirrors of one `sources` block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mirrored {
    /// How many interfaces.
    pub count: usize,
    /// How many are expected.
    pub expect: CountRange,
    /// What a reviewed plan states about them.
    pub review: Reviewed,
    /// The interfaces that match the block but are left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<NetworkInterfaceId, LeftOut>,
}

/// Why an interface that matches is left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// It or its instance carries a tag that excludes it.
    Tagged {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// AWS does not mirror instances of this type.
    Type(InstanceType),
    /// It is a mirror target, which AWS does not mirror.
    Target,
    /// Its instance receives mirrored packets: it would mirror its own mirrored packets.
    Receiver,
    /// Its instance belongs to the stack, and has a session of its own if any.
    Own,
}

/// A clause that follows a number: `2 of type t2.micro, which AWS does not mirror`.
impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tagged { key, value } => {
                write!(f, "tagged {key} = {}", Value::String(value.clone()))
            }
            Self::Type(instance_type) => {
                write!(f, "of type {instance_type}, which AWS does not mirror")
            }
            Self::Target => f.write_str("that a mirror target sends to"),
            Self::Receiver => f.write_str("of a receiver of mirrored packets"),
            Self::Own => f.write_str("of an instance of this stack"),
        }
    }
}

/// What a plan does for each interface of one or more `sources` blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EachOf {
    /// The sources.
    pub sources: SourceNames,
    /// What a reviewed plan states about the sessions; exact as soon as one of the sources asks for
    /// that.
    pub review: Reviewed,
    /// The attributes that all of the sessions share, and the ranges of those that differ for each.
    pub attributes: Value,
}

/// The interfaces that a `sources` block selects.
#[derive(Debug, Default)]
struct Selection {
    /// Those that are mirrored, each with its zone if that was seen.
    mirrored: BTreeMap<NetworkInterfaceId, Option<AvailabilityZone>>,
    left_out: BTreeMap<NetworkInterfaceId, LeftOut>,
}

/// A stack with a session for each interface, and what the plan records about them.
#[derive(Debug)]
pub(super) struct Expanded<'s> {
    pub(super) stack: Cow<'s, Stack>,
    pub(super) sources: BTreeMap<Name, Mirrored>,
    pub(super) fan_outs: BTreeMap<Address, EachOf>,
}

impl<'s> Expanded<'s> {
    /// The stack as it is: removing it requires no knowledge of sources.
    pub(super) const fn not(stack: Cow<'s, Stack>) -> Self {
        Self { stack, sources: BTreeMap::new(), fan_outs: BTreeMap::new() }
    }

    /// The stack with a session for each interface that was observed. References of `stack` to existing
    /// objects must be ids already.
    ///
    /// # Errors
    /// For sources that have not been observed or are not as many as expected, and for numbers that do
    /// not suffice or clash.
    pub(super) fn of(stack: Cow<'s, Stack>, observed: &Observed) -> Result<Self, Diagnostics> {
        if stack.sources.is_empty() {
            return Ok(Self::not(stack));
        }
        let avoided = Avoided::of(&stack, observed);
        let mut diagnostics = Diagnostics::new();
        let mut selections = BTreeMap::new();
        for (name, sources) in &stack.sources {
            match sighting(name, sources, observed) {
                Ok(sighting) => {
                    let selection = selection(&sources.of, sighting, &avoided);
                    diagnostics.extend(unexpected(name, sources, &selection));
                    selections.insert(name, selection);
                }
                Err(found) => diagnostics.extend(found),
            }
        }
        diagnostics.unless_errors(())?;
        let sessions = expand::sessions(&stack, observed, &selections)?;
        let sources = stack.sources.iter().filter_map(|(name, Placed { of, place: _ })| {
            let Selection { mirrored, left_out } = selections.remove(name)?;
            let (count, left_out) = (mirrored.len(), left_out);
            let Sources { expect, review, .. } = *of;
            Some((name.clone(), Mirrored { count, expect, review, left_out }))
        });
        let sources = sources.collect();
        let fan_outs = stack.fan_outs.iter();
        let fan_outs = fan_outs.map(|(a, of)| (a.clone(), each_of(&stack, &of.of))).collect();
        let mut stack = stack.into_owned();
        stack.resources.extend(sessions);
        Ok(Self { stack: Cow::Owned(stack), sources, fan_outs })
    }
}

/// The addresses of the sessions that result from the sources of a stack; none for sources that were
/// not seen.
///
/// References of `stack` to existing objects must be ids already.
pub(crate) fn sessions_of_sources(stack: &Stack, observed: &Observed) -> Vec<Address> {
    if stack.sources.is_empty() {
        return Vec::new();
    }
    let avoided = Avoided::of(stack, observed);
    let seen = stack.sources.iter().filter_map(|(name, sources)| {
        let sighting = sighting(name, sources, observed).ok()?;
        Some((name, selection(&sources.of, sighting, &avoided)))
    });
    expand::addresses(stack, &seen.collect())
}

fn each_of(stack: &Stack, fan_out: &FanOut) -> EachOf {
    let of = fan_out.source.0.iter().filter_map(|name| stack.sources.get(name));
    let mut reviews = of.map(|sources| sources.of.review);
    let review = if reviews.all(|review| review == Reviewed::Count) {
        Reviewed::Count
    } else {
        Reviewed::Exact
    };
    let mut attributes = fan_out.to_value();
    if let Value::Object(members) = &mut attributes {
        members.remove("source");
    }
    EachOf { sources: fan_out.source.clone(), review, attributes }
}

/// What was seen of `sources`, if the lookup was for what they look for now.
fn sighting<'o>(
    name: &Name,
    sources: &Placed<Sources>,
    observed: &'o Observed,
) -> Result<&'o Sighting, Diagnostics> {
    let text = SourceNames::text_of(name);
    let head = sources.place.as_ref().map(|place| place.head.clone());
    let looked_for = sources.of.to_string();
    let refuse = |title: String| {
        Diagnostic::error(code::SOURCES_UNSEEN, title)
            .at(head, "declared here")
            .note(format!("it looks for: {looked_for}"))
            .help("plan against the account, or with an inventory of this stack as it is now")
    };
    match observed.sources.get(name) {
        None => Err(refuse(format!("nothing was looked up for `{text}`")).into()),
        Some(sighting) if sighting.looked_for != looked_for => {
            let seen = &sighting.looked_for;
            let title = format!("what was looked up is not what `{text}` looks for");
            Err(refuse(title).note(format!("the lookup was for: {seen}")).into())
        }
        Some(sighting) => Ok(sighting),
    }
}

/// What must not be mirrored, whatever the sources select.
struct Avoided {
    /// The instances of the stack.
    own: BTreeSet<ObjectId>,
    /// The interfaces that its mirror targets send to.
    targets: BTreeSet<NetworkInterfaceId>,
    /// The instances behind its load balancers.
    receivers: BTreeSet<ObjectId>,
    /// The names of its Auto Scaling groups, whose instances are receivers too.
    groups: BTreeSet<String>,
}

impl Avoided {
    fn of(stack: &Stack, observed: &Observed) -> Self {
        let own = observed.owned.iter().filter(|(address, _)| address.kind == Kind::Instance);
        let own = own.flat_map(|(_, all)| all.iter().map(|found| found.id.clone())).collect();
        let (mut targets, mut receivers) = (BTreeSet::new(), BTreeSet::new());
        for declared in stack.resources.values() {
            match &declared.resource {
                Resource::MirrorTarget(target) => {
                    if let Some(Ref::Id(id)) = &target.network_interface {
                        targets.insert(id.clone());
                    }
                }
                Resource::TargetGroup(group) => {
                    let ids = group.targets.iter().filter_map(|target| match target {
                        Ref::Id(id) => Some(id.erase()),
                        Ref::To(_) => None,
                    });
                    receivers.extend(ids);
                }
                _ => {}
            }
        }
        let owned = observed.owned.values().flatten();
        let groups = owned.filter_map(|found| match &found.resource {
            Resource::AutoscalingGroup(group) => Some(group.name.as_ref()?.to_string()),
            _ => None,
        });
        Self { own, targets, receivers, groups: groups.collect() }
    }
}

fn selection(sources: &Sources, sighting: &Sighting, avoided: &Avoided) -> Selection {
    let mut selection = Selection::default();
    let meant = sighting.interfaces.iter().filter(|(id, it)| sources.means(id, it));
    for (id, interface) in meant {
        match left_out(sources, (id, interface), avoided) {
            None => drop(selection.mirrored.insert(id.clone(), interface.zone.clone())),
            Some(why) => drop(selection.left_out.insert(id.clone(), why)),
        }
    }
    selection
}

impl Sources {
    /// Whether an interface matches. The references of `self` must be ids already.
    pub(crate) fn means(&self, id: &NetworkInterfaceId, interface: &Interface) -> bool {
        let Self {
            tags,
            vpc,
            subnets,
            security_groups,
            autoscaling_groups,
            instances,
            network_interfaces,
            interfaces,
            except: _,
            expect: _,
            review: _,
        } = self;
        let Interface { vpc: its_vpc, subnet, security_groups: its_groups, .. } = interface;
        let host = interface.instance.as_ref();
        let is_named = network_interfaces.contains(&Ref::Id(id.clone()));
        let is_tagged = !tags.is_empty() && carries(&interface.tags, tags);
        let its_group = host.and_then(|host| host.tags.get(tag::GROUP));
        let admits = |wanted: bool, holds: bool| !wanted || holds;
        vpc.as_ref().is_none_or(|vpc| *vpc == Ref::Id(its_vpc.clone()))
            && admits(!subnets.is_empty(), subnets.contains(&Ref::Id(subnet.clone())))
            && admits(
                !security_groups.is_empty(),
                its_groups.iter().any(|of| security_groups.contains(&Ref::Id(of.clone()))),
            )
            && admits(
                !autoscaling_groups.is_empty(),
                its_group.is_some_and(|group| autoscaling_groups.contains(group)),
            )
            && admits(
                !instances.is_empty(),
                host.is_some_and(|host| instances.contains(&Ref::Id(host.id.clone()))),
            )
            && admits(!network_interfaces.is_empty(), is_named)
            && (is_tagged || host.map_or(tags.is_empty(), |host| carries(&host.tags, tags)))
            // An interface created by an AWS service matches only if it is itself named or tagged.
            && (is_named
                || is_tagged
                || host.is_some_and(|host| *interfaces == Interfaces::All || host.device == 0))
    }
}

/// Whether all of `wanted` are among `tags`.
fn carries(tags: &Tags, wanted: &Tags) -> bool {
    wanted.iter().all(|(key, value)| tags.get(key) == Some(value))
}

fn left_out(
    sources: &Sources,
    (id, interface): (&NetworkInterfaceId, &Interface),
    avoided: &Avoided,
) -> Option<LeftOut> {
    let host = interface.instance.as_ref();
    let has = |(key, value): &(&String, &String)| {
        let mut all = [Some(&interface.tags), host.map(|host| &host.tags)].into_iter().flatten();
        all.any(|tags| tags.get(*key) == Some(*value))
    };
    let is_one_of = |ids: &BTreeSet<ObjectId>| host.is_some_and(|h| ids.contains(&h.id.erase()));
    let its_group = host.and_then(|host| host.tags.get(tag::GROUP));
    let is_member = its_group.is_some_and(|group| avoided.groups.contains(group));
    let refused = host
        .map(|host| &host.instance_type)
        .filter(|instance_type| Mirroring::of(instance_type) == Mirroring::Refused);
    if let Some((key, value)) = sources.except.iter().find(has) {
        Some(LeftOut::Tagged { key: key.clone(), value: value.clone() })
    } else if is_one_of(&avoided.own) {
        Some(LeftOut::Own)
    } else if interface.mirror_target.is_some() || avoided.targets.contains(id) {
        Some(LeftOut::Target)
    } else if is_member || is_one_of(&avoided.receivers) {
        Some(LeftOut::Receiver)
    } else {
        refused.cloned().map(LeftOut::Type)
    }
}

/// Reports sources that are not as many as expected.
fn unexpected(name: &Name, sources: &Placed<Sources>, selection: &Selection) -> Option<Diagnostic> {
    let Placed { of, place } = sources;
    let Selection { mirrored, left_out } = selection;
    let count = mirrored.len();
    if of.expect.holds(count) {
        return None;
    }
    let text = SourceNames::text_of(name);
    let are = if count == 1 {
        "1 interface matches".to_owned()
    } else {
        format!("{count} interfaces match")
    };
    let title = format!("{are} `{text}`, but {} are expected", of.expect);
    let at = crate::value::Path::default().member("expect");
    let diagnostic = Diagnostic::error(code::SOURCES_COUNT, title)
        .at(place.as_ref().map(|place| place.of(&at).clone()), "")
        .note(format!("looked for: {of}"));
    let diagnostic = summary(left_out)
        .into_iter()
        .fold(diagnostic, |diagnostic, line| diagnostic.note(format!("left out: {line}")));
    Some(
        diagnostic
            .help("if this is right, change `expect` so that it includes this count")
            .help("if not, check what has changed in the account, or what the block looks for"),
    )
}

/// What was left out, a line for each reason.
pub(crate) fn summary(left_out: &BTreeMap<NetworkInterfaceId, LeftOut>) -> Vec<String> {
    let mut by_reason: BTreeMap<&LeftOut, Vec<&NetworkInterfaceId>> = BTreeMap::new();
    for (id, why) in left_out {
        by_reason.entry(why).or_default().push(id);
    }
    let lines = by_reason.into_iter();
    lines.map(|(why, ids)| format!("{} {why} ({})", ids.len(), named(&ids))).collect()
}

/// Some interfaces by their ids, or the first of many.
fn named(ids: &[&NetworkInterfaceId]) -> String {
    let named: Vec<String> = ids.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    let more = if ids.len() > NAMED_MAX { ", ..." } else { "" };
    format!("{}{more}", named.join(", "))
}
