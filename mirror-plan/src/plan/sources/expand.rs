//! Expanding: sessions over sources become a session for each interface, with its numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::allot::{Claim, Numbers, allot};
use super::{Selection, named};
use crate::address::{Address, Key, Name};
use crate::attribute::Ref;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::id::NetworkInterfaceId;
use crate::observed::Observed;
use crate::resource::{MirrorSession, Resource, tag};
use crate::scalar::{Allotment, AvailabilityZone, SessionNumber, Vni};
use crate::stack::{Declared, FanOut, Placed, Stack, shown_name};
use crate::value::Path;

/// A session that is to exist: one interface of one block.
struct Member<'s> {
    block: &'s Address,
    address: Address,
    fan_out: &'s Placed<FanOut>,
    interface: NetworkInterfaceId,
    /// The zone that the interface is in, if it was seen.
    zone: Option<AvailabilityZone>,
}

/// The sessions over the sources of a stack.
pub(super) fn sessions(
    stack: &Stack,
    observed: &Observed,
    selections: &BTreeMap<&Name, Selection>,
) -> Result<BTreeMap<Address, Declared>, Diagnostics> {
    let members = members(stack, selections);
    let mut diagnostics = clashes(stack, &members);
    diagnostics.extend(without_target(stack, &members));
    let numbers = numbers(stack, observed, &members);
    let vnis = vnis(stack, observed, &members);
    let mut sessions = BTreeMap::new();
    let mut short: BTreeMap<(&Address, &str), usize> = BTreeMap::new();
    for ((member, number), vni) in members.iter().zip(numbers).zip(vnis) {
        let number = number.and_then(|number| SessionNumber::try_from(number).ok());
        let vni = vni.map(|vni| vni.and_then(|vni| Vni::try_from(vni).ok()));
        match (number, vni) {
            (Some(number), None) => sessions.extend(member.session(number, None)),
            (Some(number), Some(Some(vni))) => sessions.extend(member.session(number, Some(vni))),
            (None, _) => *short.entry((member.block, "number")).or_default() += 1,
            (Some(_), Some(None)) => *short.entry((member.block, "vni")).or_default() += 1,
        }
    }
    diagnostics.extend(short.into_iter().map(|((block, name), count)| {
        let place = stack.fan_outs[block].place.as_ref();
        let at = place.map(|place| place.of(&Path::default().member(name)).clone());
        let title = format!("the range `{name}` of `{block}` is too small by {count}");
        Diagnostic::error(code::NUMBERS, title).of(block).at(at, "").help("give a larger range")
    }));
    diagnostics.unless_errors(sessions).map(|(sessions, _)| sessions)
}

/// The addresses of these sessions.
pub(super) fn addresses(stack: &Stack, selections: &BTreeMap<&Name, Selection>) -> Vec<Address> {
    members(stack, selections).into_iter().map(|member| member.address).collect()
}

fn members<'s>(stack: &'s Stack, selections: &BTreeMap<&Name, Selection>) -> Vec<Member<'s>> {
    let all = stack.fan_outs.iter().flat_map(|(block, fan_out)| {
        let selected = fan_out.of.source.0.iter().filter_map(|name| selections.get(name));
        let interfaces: BTreeMap<&NetworkInterfaceId, &Option<AvailabilityZone>> =
            selected.flat_map(|selection| &selection.mirrored).collect();
        interfaces.into_iter().map(move |(interface, zone)| Member {
            block,
            address: block.clone().with_key(Key::Name(interface.to_string())),
            fan_out,
            interface: interface.clone(),
            zone: zone.clone(),
        })
    });
    all.collect()
}

impl Member<'_> {
    /// The session; `None` if there is no target for its zone.
    fn session(&self, number: SessionNumber, vni: Option<Vni>) -> Option<(Address, Declared)> {
        let Self { block: _, address, fan_out: Placed { of, place }, interface, zone } = self;
        let target = of.target.in_zone(zone.as_ref())?.clone();
        let mut session = of.session((Ref::Id(interface.clone()), target), number, vni);
        session.tags.entry(tag::NAME.to_owned()).or_insert_with(|| shown_name(address));
        let declared =
            Declared { resource: Resource::MirrorSession(session), place: place.clone() };
        Some((address.clone(), declared))
    }

    /// The existing session.
    fn observed<'o>(&self, observed: &'o Observed) -> Option<&'o MirrorSession> {
        session(&observed.current(&self.address)?.resource)
    }
}

fn session(resource: &Resource) -> Option<&MirrorSession> {
    match resource {
        Resource::MirrorSession(session) => Some(session),
        _ => None,
    }
}

/// The sessions that the stack declares one by one.
fn single(stack: &Stack) -> impl Iterator<Item = (&Address, &MirrorSession)> {
    let declared = stack.resources.iter();
    declared.filter_map(|(address, declared)| Some((address, session(&declared.resource)?)))
}

fn range<T: Copy + Into<i64>>(allotment: Allotment<T>) -> RangeInclusive<i64> {
    match allotment {
        Allotment::Same(number) => number.into()..=number.into(),
        Allotment::Each { first, last } => first.into()..=last.into(),
    }
}

/// The number of each session. Numbers are unique on an interface.
fn numbers(stack: &Stack, observed: &Observed, members: &[Member<'_>]) -> Vec<Option<i64>> {
    let mut taken = Numbers::new();
    let fixed = members.iter().filter_map(|member| match member.fan_out.of.number {
        Allotment::Same(number) => Some((member.interface.clone(), i64::from(number))),
        Allotment::Each { .. } => None,
    });
    let others = single(stack).filter_map(|(_, session)| match &session.source {
        Ref::Id(interface) => Some((interface.clone(), i64::from(session.number))),
        Ref::To(_) => None, // What the stack creates itself is in no sources.
    });
    for (interface, number) in fixed.chain(others) {
        taken.entry(interface).or_insert_with(BTreeSet::new).insert(number);
    }
    let open = |member: &&Member<'_>| matches!(member.fan_out.of.number, Allotment::Each { .. });
    let claims: Vec<Claim<NetworkInterfaceId>> = members
        .iter()
        .filter(open)
        .map(|member| Claim {
            scope: member.interface.clone(),
            range: range(member.fan_out.of.number),
            in_place: member.observed(observed).map(|session| session.number.into()),
        })
        .collect();
    let mut given = allot(&claims, taken, &BTreeSet::new()).into_iter();
    let numbers = members.iter().map(|member| match member.fan_out.of.number {
        Allotment::Same(number) => Some(number.into()),
        Allotment::Each { .. } => given.next().flatten(),
    });
    numbers.collect()
}

/// The VNI of each session. Those from a range are unique in the stack; the outer option is `None` if
/// the stack file gives none.
fn vnis(stack: &Stack, observed: &Observed, members: &[Member<'_>]) -> Vec<Option<Option<i64>>> {
    let fixed = members.iter().filter_map(|member| match member.fan_out.of.vni {
        Some(Allotment::Same(vni)) => Some(i64::from(vni)),
        Some(Allotment::Each { .. }) | None => None,
    });
    let others = single(stack).filter_map(|(address, declared)| {
        let there = || session(&observed.current(address)?.resource)?.vni;
        declared.vni.or_else(there).map(i64::from)
    });
    let taken: BTreeSet<i64> = fixed.chain(others).collect();
    let held = observed.owned.values().flatten();
    let held: BTreeSet<i64> =
        held.filter_map(|found| session(&found.resource)?.vni).map(i64::from).collect();
    let claims: Vec<Claim<()>> = members
        .iter()
        .filter_map(|member| {
            let Some(allotment @ Allotment::Each { .. }) = member.fan_out.of.vni else {
                return None;
            };
            let in_place = member.observed(observed).and_then(|session| session.vni);
            let in_place = in_place.map(i64::from);
            Some(Claim { scope: (), range: range(allotment), in_place })
        })
        .collect();
    let mut given = allot(&claims, Numbers::from([((), taken)]), &held).into_iter();
    let vnis = members.iter().map(|member| {
        member.fan_out.of.vni.map(|allotment| match allotment {
            Allotment::Same(vni) => Some(vni.into()),
            Allotment::Each { .. } => given.next().flatten(),
        })
    });
    vnis.collect()
}

/// Reports interfaces in zones for which their block has no target.
fn without_target(stack: &Stack, members: &[Member<'_>]) -> Diagnostics {
    type Zone<'m> = Option<&'m AvailabilityZone>;
    let mut missing: BTreeMap<(&Address, Zone<'_>), Vec<&NetworkInterfaceId>> = BTreeMap::new();
    for Member { block, fan_out, interface, zone, address: _ } in members {
        let zone = zone.as_ref();
        if fan_out.of.target.in_zone(zone).is_none() {
            missing.entry((*block, zone)).or_default().push(interface);
        }
    }
    let told = missing.into_iter().map(|((block, zone), interfaces)| {
        let place = stack.fan_outs[block].place.as_ref();
        let at = place.map(|place| place.of(&Path::default().member("target")).clone());
        let (count, are) = (interfaces.len(), if interfaces.len() == 1 { "is" } else { "are" });
        let (title, help) = match zone {
            Some(zone) => (
                format!("`{block}` has no target in {zone}, where {count} of its sources {are}"),
                format!("give {zone} a target, or exclude it from the sources by their `subnets`"),
            ),
            None => (
                format!("`{block}` has targets by zone, but the zone of {count} of its sources is unknown"),
                "plan against the account, or write the inventory again".to_owned(),
            ),
        };
        Diagnostic::error(code::NO_TARGET_IN_ZONE, title)
            .of(block)
            .at(at, "")
            .note(named(&interfaces))
            .help(help)
    });
    told.collect()
}

/// Reports sessions that have the same number on one interface, by what declares them.
fn clashes(stack: &Stack, members: &[Member<'_>]) -> Diagnostics {
    let mut first: BTreeMap<(&NetworkInterfaceId, SessionNumber), &Address> = BTreeMap::new();
    for (address, session) in single(stack) {
        if let Ref::Id(interface) = &session.source {
            first.insert((interface, session.number), address);
        }
    }
    let mut clashes: BTreeMap<(&Address, &Address), Vec<&NetworkInterfaceId>> = BTreeMap::new();
    for Member { block, fan_out, interface, address: _, zone: _ } in members {
        let Allotment::Same(number) = fan_out.of.number else { continue };
        match first.get(&(interface, number)) {
            Some(other) => clashes.entry((*other, *block)).or_default().push(interface),
            None => drop(first.insert((interface, number), block)),
        }
    }
    let told = clashes.into_iter().filter_map(|((other, block), interfaces)| {
        let (interface, more) = interfaces.split_first()?;
        let more =
            if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        let title = format!("`{block}` and `{other}` have the same `number` on {interface}{more}");
        let place = stack.fan_outs[block].place.as_ref();
        let at = place.map(|place| place.of(&Path::default().member("number")).clone());
        Some(
            Diagnostic::error(code::NUMBERS, title)
                .of(block)
                .at(at, "")
                .note("the sessions of an interface are tried in the order of their numbers")
                .help("give another number, or a range such as \"1..10\""),
        )
    });
    told.collect()
}
