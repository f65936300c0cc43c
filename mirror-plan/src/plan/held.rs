//! Objects that are to be removed while something that stays holds them: AWS would refuse a call half-way, or
//! the last one.
//!
//! This happens if a block no longer sets an attribute, which AWS then keeps as it is, or if the plan covers
//! only a part of the stack and what holds the object is in another. An internet gateway is held by every
//! public address in its VPC.

use std::collections::BTreeMap;

use super::decide::{Decision, Decisions};
use super::uses::{ObjectKey, each_text};
use super::{Action, Reason};
use crate::address::{Address, Kind};
use crate::attribute::Ref;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::observed::Found;
use crate::resource::{AutoscalingGroup, Resource, Subnet, Vpc};
use crate::scalar::{GroupSize, Scheme};
use crate::stack::Stack;

/// Refuses a plan in which something that stays holds an object that is to be removed.
pub(super) fn refuse(stack: &Stack, decisions: &Decisions<'_>) -> Result<(), Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    diagnostics.extend(held_objects(stack, decisions));
    diagnostics.extend(held_gateways(stack, decisions));
    diagnostics.unless_errors(()).map(|((), _)| ())
}

/// The findings about what stays and refers to an object that is to be removed.
fn held_objects(stack: &Stack, decisions: &Decisions<'_>) -> Vec<Diagnostic> {
    let going: Vec<(&Decision<'_>, &Found)> = decisions
        .all
        .iter()
        .filter(|decision| goes(decision))
        .filter_map(|decision| Some((decision, decision.found?)))
        .collect();
    if going.is_empty() {
        return Vec::new();
    }
    let planned = decisions.all.iter();
    let planned: BTreeMap<ObjectKey, &Decision<'_>> = planned
        .filter_map(|decision| Some((key(&decision.address, decision.found?), decision)))
        .collect();
    let mut diagnostics = Vec::new();
    for (going, found) in going {
        let object = key(&going.address, found);
        let users = decisions.fates.uses.users(&object);
        for (object, _) in users.filter(|(_, how)| how.holds) {
            let user = &object.address;
            match planned.get(object) {
                None => diagnostics.push(held(stack, going, user).help(into_the_plan(user))),
                Some(decision) if stays(decision) => {
                    let attribute = attribute_with(decision, found.id.as_str());
                    diagnostics.extend(attribute.map(|attribute| {
                        let kept = format!("it does not set `{attribute}`, so that stays as it is");
                        let help = format!("set `{attribute}` in `{user}`");
                        held(stack, going, user).note(kept).help(help)
                    }));
                }
                Some(_) => {}
            }
        }
    }
    diagnostics
}

fn key(address: &Address, found: &Found) -> ObjectKey {
    ObjectKey { address: address.clone(), generation: found.generation }
}

fn goes(decision: &Decision<'_>) -> bool {
    match decision.action {
        Action::Delete | Action::Replace(_) => true,
        Action::NoOp | Action::Move | Action::Create | Action::Update => false,
    }
}

fn stays(decision: &Decision<'_>) -> bool {
    match decision.action {
        Action::NoOp | Action::Move | Action::Update => true,
        Action::Create | Action::Delete | Action::Replace(_) => false,
    }
}

/// The attribute in which the desired resource has an id.
fn attribute_with(decision: &Decision<'_>, id: &str) -> Option<String> {
    let attributes = decision.desired.as_ref()?.attributes();
    let mut has_it = attributes.into_iter().filter(|(_, value)| {
        let mut is_there = false;
        each_text(value, &mut |text| is_there |= text == id);
        is_there
    });
    has_it.next().map(|(name, _)| name)
}

fn held(stack: &Stack, going: &Decision<'_>, user: &Address) -> Diagnostic {
    let goes = &going.address;
    let place = stack.resources.get(user).and_then(|declared| declared.place.as_ref());
    let why = going.reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join("; ");
    Diagnostic::error(
        code::STILL_HELD,
        format!("`{goes}` would be removed, but `{user}` stays and holds it"),
    )
    .of(user)
    .at(place.map(|place| place.head.clone()), "")
    .note(format!("why `{goes}` would be removed: {why}"))
}

fn into_the_plan(user: &Address) -> String {
    format!("the plan covers only a part of the stack: include `{user}` with `--target={user}`")
}

/// The findings about gateways that are to leave a VPC in which public addresses stay.
///
/// Source: EC2 API reference, `DetachInternetGateway`.
fn held_gateways(stack: &Stack, decisions: &Decisions<'_>) -> Vec<Diagnostic> {
    let gateways = decisions.all.iter().filter_map(|decision| {
        let (Some(Resource::InternetGateway(observed)), desired) =
            (&decision.observed, &decision.desired)
        else {
            return None;
        };
        let keeps_it = matches!(desired, Some(Resource::InternetGateway(desired)) if desired.vpc == observed.vpc);
        let vpc = observed.vpc.as_ref().filter(|_| goes(decision) || !keeps_it)?;
        Some((decision, vpc))
    });
    let gateways: Vec<(&Decision<'_>, &Ref<Vpc>)> = gateways.collect();
    if gateways.is_empty() {
        return Vec::new();
    }
    let staying = decisions.all.iter().filter(|decision| stays(decision));
    let staying = staying.filter_map(|decision| Some((&decision.address, decision.found?)));
    let left_out = decisions.left_out();
    let staying: Vec<(&Address, &Found, bool)> = staying
        .map(|(address, found)| (address, found, true))
        .chain(left_out.into_iter().map(|(address, found)| (address, found, false)))
        .collect();
    let mut diagnostics = Vec::new();
    for (gateway, vpc) in gateways {
        for (user, found, is_planned) in &staying {
            if public_in(decisions, found).is_none_or(|its| its != vpc) {
                continue;
            }
            let finding = held(stack, gateway, user)
                .note("AWS does not detach a gateway from a VPC that has public addresses");
            diagnostics.push(if *is_planned {
                finding.help(
                    "keep the gateway, or first recreate what has a public address without one",
                )
            } else {
                finding.help(into_the_plan(user))
            });
        }
    }
    diagnostics
}

/// The VPC in which something has a public address.
fn public_in<'p>(decisions: &Decisions<'p>, found: &'p Found) -> Option<&'p Ref<Vpc>> {
    let subnet = |to: &Ref<Subnet>| {
        let Ref::Id(id) = to else { return None };
        let owned = decisions.fates.observed().owned.iter();
        let mut subnets = owned.filter(|(address, _)| address.kind == Kind::Subnet);
        subnets.find_map(|(_, all)| {
            all.iter().find_map(|found| match &found.resource {
                Resource::Subnet(subnet) if found.id.as_str() == id.as_str() => Some(subnet),
                _ => None,
            })
        })
    };
    match &found.resource {
        Resource::Instance(instance) => {
            let address = found.computed.get("public_ip").and_then(Option::as_deref);
            address.and_then(|_| subnet(&instance.subnet)).map(|subnet| &subnet.vpc)
        }
        Resource::LoadBalancer(balancer) if balancer.scheme == Scheme::InternetFacing => {
            balancer.subnets.iter().find_map(subnet).map(|subnet| &subnet.vpc)
        }
        Resource::AutoscalingGroup(AutoscalingGroup { subnets, desired, .. })
            if *desired != Some(GroupSize::MIN) =>
        {
            let mut public = subnets.iter().filter_map(subnet).filter(|it| it.public_ip_on_launch);
            public.next().map(|subnet| &subnet.vpc)
        }
        _ => None,
    }
}
