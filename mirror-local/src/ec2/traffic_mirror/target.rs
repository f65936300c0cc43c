//! Mirror targets: where mirrored packets go. A target cannot be modified, only deleted.

use super::{description, limit, link, refuse_tag_filters};
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::parameters::Parameters;
use crate::ram;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, Region, View, by_id, find};
use crate::xml::Xml;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A mirror target.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MirrorTarget {
    pub(crate) id: String,
    pub(crate) destination: Destination,
    pub(crate) description: Option<String>,
    pub(crate) tags: Tags,
}

/// What is behind a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Destination {
    Interface(String),
    LoadBalancer(String),
    Endpoint(String),
}

tagged_row!(
    MirrorTarget,
    Kind {
        prefix: "tmt-",
        noun: "traffic mirror target ID",
        resource_type: "traffic-mirror-target",
        not_found: "InvalidTrafficMirrorTargetId.NotFound",
        malformed: "InvalidTrafficMirrorTargetId.Malformed",
        describe: "DescribeTrafficMirrorTargets",
    }
);

impl Destination {
    fn id(&self) -> &str {
        match self {
            Self::Interface(id) | Self::LoadBalancer(id) | Self::Endpoint(id) => id,
        }
    }

    fn interface(&self) -> Option<&str> {
        match self {
            Self::Interface(id) => Some(id),
            Self::LoadBalancer(_) | Self::Endpoint(_) => None,
        }
    }

    fn load_balancer(&self) -> Option<&str> {
        match self {
            Self::LoadBalancer(arn) => Some(arn),
            Self::Interface(_) | Self::Endpoint(_) => None,
        }
    }

    fn endpoint(&self) -> Option<&str> {
        match self {
            Self::Endpoint(id) => Some(id),
            Self::Interface(_) | Self::LoadBalancer(_) => None,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Interface(_) => "network-interface",
            Self::LoadBalancer(_) => "network-load-balancer",
            Self::Endpoint(_) => "gateway-load-balancer-endpoint",
        }
    }
}

pub(super) const LISTING: Listing<MirrorTarget> = Listing {
    table: |region| &region.mirror_targets,
    ids: "TrafficMirrorTargetId",
    filters: &[
        ("description", |_, t| texts(t.description.as_ref())),
        ("network-interface-id", |_, t| texts(t.destination.interface())),
        ("network-load-balancer-arn", |_, t| texts(t.destination.load_balancer())),
        ("owner-id", |view, _| texts([&view.region.account])),
        ("traffic-mirror-target-id", |_, t| texts([&t.id])),
    ],
    set: "trafficMirrorTargetSet",
    write,
    page: 5..=1000,
};

/// The parameter that names a target.
const TARGET: &str = "TrafficMirrorTargetId";

/// Returns a target, and the Region of the account that owns it, whether or not the caller may use it.
pub(crate) fn of_anyone<'a>(view: View<'a>, id: &str) -> Option<(&'a Region, &'a MirrorTarget)> {
    view.everyones().find_map(|owner| Some((owner, owner.mirror_targets.get(id)?)))
}

/// Returns a target of another account that is shared with the caller.
pub(crate) fn shared<'a>(view: View<'a>, id: &str) -> Option<(&'a Region, &'a MirrorTarget)> {
    let (owner, id) = ram::shared_with(view).find(|(_, shared)| *shared == id)?;
    Some((owner, owner.mirror_targets.get(id)?))
}

/// Returns the target that a call is to use: one of the caller's, or one that is shared with it.
pub(super) fn usable<'a>(
    view: View<'a>,
    parameters: &Parameters,
) -> Outcome<(&'a Region, &'a MirrorTarget)> {
    let own = find(&view.region.mirror_targets, parameters, TARGET);
    own.map(|target| (view.region, target)).or_else(|missing| {
        let shared = parameters.given(TARGET).and_then(|id| shared(view, id));
        shared.ok_or(missing)
    })
}

/// Refuses to change a target that is shared with the caller: only its owner can.
///
/// Source: AWS Traffic Mirroring guide, "Accept or delete a shared traffic mirror target". It is not verified that the
/// error is the one for a call that no permission of the share allows.
pub(crate) fn refuse_shared(view: View<'_>, id: &str) -> Outcome {
    match shared(view, id) {
        None => Ok(()),
        Some((owner, _)) => {
            let account = &owner.account;
            let message = format!(
                "You are not authorized to perform this operation. {id} is owned by {account}"
            );
            Err(Failure::new("UnauthorizedOperation", message).with_status(403))
        }
    }
}

/// Describes the targets of the caller, and those that are shared with it, without the tags that these have for their
/// owner.
pub(super) fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    refuse_tag_filters(parameters)?;
    let shared: BTreeMap<&str, (&Region, MirrorTarget)> = ram::shared_with(view)
        .filter_map(|(owner, id)| {
            let target = owner.mirror_targets.get(id)?.clone();
            Some((id, (owner, MirrorTarget { tags: Tags::default(), ..target })))
        })
        .collect();
    let foreign =
        shared.iter().map(|(id, (region, target))| (*id, (View { region, ..view }, target)));
    LISTING.answer_with(view, parameters, (foreign.collect(), |_: &MirrorTarget| true), xml)
}

pub(super) fn create(call: &mut Call<'_>) -> Outcome<String> {
    let destination = destination(call.region, call.parameters)?;
    refuse_taken(call.region, &destination)?;
    let quota = call.settings.quotas.mirror_targets;
    if call.region.mirror_targets.len() >= quota {
        return Err(limit("TrafficMirrorTargetLimitExceeded", "Traffic Mirror targets", quota));
    }
    let tags = Tags::specified(call.parameters, "traffic-mirror-target")?;
    let id = call.region.draw_id("tmt-");
    link::join(call.region, destination.id(), &id);
    let description = description(call.parameters);
    let target = MirrorTarget { id: id.clone(), destination, description, tags };
    call.region.mirror_targets.insert(&*id, target);
    Ok(id)
}

pub(super) fn answer(view: View<'_>, id: &str, xml: &mut Xml) -> Option<()> {
    let target = view.region.mirror_targets.get(id)?;
    xml.element("trafficMirrorTarget", |xml| write(view, target, xml));
    Some(())
}

pub(super) fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    if let Some(id) = call.parameters.given(TARGET) {
        refuse_shared(call.view(), id)?;
    }
    let target = find(&call.region.mirror_targets, call.parameters, TARGET)?.clone();
    let first = |region| link::first(region, &target.id, "tms-");
    if let Some(session) = call.view().everyones().find_map(first) {
        let id = &target.id;
        let message = format!("Cannot delete {id} . Target is in use by {session}");
        return Err(Failure::new("TrafficMirrorTargetInUse", message));
    }
    call.region.mirror_targets.remove(&target.id);
    link::part(call.region, target.destination.id(), &target.id);
    ram::withdraw(call.region, &target.id, call.now);
    xml.text("trafficMirrorTargetId", target.id);
    Ok(())
}

/// Reads the one thing that is to be the target.
fn destination(region: &Region, parameters: &Parameters) -> Outcome<Destination> {
    const PARAMETERS: [&str; 3] =
        ["NetworkInterfaceId", "NetworkLoadBalancerArn", "GatewayLoadBalancerEndpointId"];
    let given = |name: &&str| parameters.text(name).is_some_and(|value| !value.is_empty());
    let mut given = PARAMETERS.into_iter().filter(given);
    let only = match (given.next(), given.next()) {
        (Some(name), None) => name,
        (None, _) => {
            let message = format!("The request must contain one of: {}", PARAMETERS.join(", "));
            return Err(Failure::new("MissingParameter", message));
        }
        (Some(_), Some(_)) => {
            let message = format!("Only one of {} may be specified", PARAMETERS.join(", "));
            return Err(Failure::combination(message));
        }
    };
    let value = parameters.required(only)?;
    match only {
        "NetworkInterfaceId" => {
            let interface = by_id(&region.network_interfaces, value, only)?;
            Ok(Destination::Interface(interface.id.clone()))
        }
        "NetworkLoadBalancerArn" => load_balancer(region, value),
        _ => {
            let endpoint = by_id(&region.vpc_endpoints, value, only)?;
            Ok(Destination::Endpoint(endpoint.id.clone()))
        }
    }
}

/// Checks that an ARN is a Network Load Balancer's. AWS does not check its listeners.
fn load_balancer(region: &Region, arn: &str) -> Outcome<Destination> {
    if !arn.starts_with("arn:") || !arn.contains(":loadbalancer/net/") {
        let message = format!("The Network Load Balancer ARN '{arn}' is malformed");
        return Err(Failure::new("InvalidNetworkLoadBalancerArn.Malformed", message));
    }
    if !region.load_balancers.contains(arn) {
        let message = format!("The Network Load Balancer '{arn}' does not exist");
        return Err(Failure::new("NetworkLoadBalancerNotFoundException", message));
    }
    Ok(Destination::LoadBalancer(arn.to_owned()))
}

/// Refuses what is already a target or a source.
fn refuse_taken(region: &Region, destination: &Destination) -> Outcome {
    let id = destination.id();
    if let Some(target) = link::first(region, id, "tmt-") {
        let code = match destination {
            Destination::Interface(_) => "InterfaceInUseByTrafficMirrorTarget",
            Destination::LoadBalancer(_) => "NlbInUseByTrafficMirrorTargetException",
            // No document states that AWS refuses this, or with which error: a client that can handle this one can
            // handle either.
            Destination::Endpoint(_) => "InvalidParameterValue",
        };
        let message = format!("{id} is already in use by Traffic Mirror target {target}");
        return Err(Failure::new(code, message));
    }
    if let Some(session) = link::first(region, id, "tms-") {
        let message = format!("{id} is already in use by Traffic Mirror session {session}");
        return Err(Failure::new("InterfaceInUseByTrafficMirrorSession", message));
    }
    Ok(())
}

fn write(view: View<'_>, target: &MirrorTarget, xml: &mut Xml) {
    let destination = &target.destination;
    xml.text("trafficMirrorTargetId", &target.id);
    xml.optional("networkInterfaceId", destination.interface());
    xml.optional("networkLoadBalancerArn", destination.load_balancer());
    xml.optional("gatewayLoadBalancerEndpointId", destination.endpoint());
    xml.text("type", destination.kind());
    xml.optional("description", target.description.as_ref());
    xml.text("ownerId", &view.region.account);
    target.tags.write(xml);
}
