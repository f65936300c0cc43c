//! Listeners: a port of a load balancer and the target group behind it. A listener of a Gateway Load Balancer has no
//! port: it accepts everything.

mod action;

use super::attribute::Attributes;
use super::load_balancer::{self, LoadBalancer, Sort};
use super::page::Page;
use super::{arn, invalid, tag, target, target_group};
use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::table::{Kind, Row};
use crate::tags::Tags;
use crate::world::{Call, Region, View};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Every action.
pub(super) const ACTIONS: &[Action] = &[
    Action::write("CreateListener", create).without_dry_run(),
    Action::write("DeleteListener", delete).without_dry_run(),
    Action::read("DescribeListeners", describe).without_dry_run(),
    Action::write("ModifyListener", modify).without_dry_run(),
];

/// A listener, keyed by its ARN, which contains the path of its load balancer's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Listener {
    pub(crate) arn: String,
    pub(crate) load_balancer_arn: String,
    /// Port and protocol: `None` for a Gateway Load Balancer.
    pub(crate) port: Option<u16>,
    pub(crate) protocol: Option<String>,
    pub(crate) target_group_arn: String,
    /// Since when it forwards to its target group.
    pub(crate) forwards_since: Timestamp,
    pub(crate) attributes: Attributes,
    pub(crate) tags: Tags,
}

impl Row for Listener {
    const KIND: Kind = Kind {
        noun: "listener",
        not_found: "ListenerNotFound",
        malformed: "ValidationError",
        describe: "DescribeListeners",
        ..Kind::INTERNAL
    };
}

/// Returns the listeners of a load balancer.
pub(super) fn of<'a>(region: &'a Region, lb: &LoadBalancer) -> Vec<&'a Listener> {
    let prefix = arn_prefix(region, lb);
    region.listeners.starting_with(&prefix).map(|(_, listener)| listener).collect()
}

/// Removes a listener.
pub(super) fn remove(region: &mut Region, arn: &str) {
    region.listeners.remove(arn);
}

/// Returns the listener that a parameter names.
pub(super) fn named<'a>(region: &'a Region, parameters: &Parameters) -> Outcome<&'a Listener> {
    let arn = arn::required(parameters, "ListenerArn", arn::LISTENER)?;
    region.listeners.get(arn).ok_or_else(not_found)
}

fn not_found() -> Failure {
    Failure::new("ListenerNotFound", "One or more listeners not found")
}

fn arn_prefix(region: &Region, lb: &LoadBalancer) -> String {
    region.arn("elasticloadbalancing", format_args!("listener/{}/", lb.path()))
}

/// Handles `CreateListener`; a repeated call with the same settings returns the existing listener.
fn create(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    let lb = load_balancer::named(call.region, parameters)?.clone();
    let (port, protocol) = match lb.sort() {
        Sort::Gateway => {
            refuse_port(parameters)?;
            (None, None)
        }
        Sort::Network => {
            let port = port(parameters)?.ok_or_else(|| Failure::missing("Port"))?;
            let protocol = action::protocol(parameters)?;
            (Some(port), Some(protocol.ok_or_else(|| Failure::missing("Protocol"))?))
        }
    };
    let listener = Listener {
        arn: String::new(),
        load_balancer_arn: lb.arn.clone(),
        port,
        protocol,
        target_group_arn: action::target_group(parameters)?
            .ok_or_else(|| Failure::missing("DefaultActions"))?,
        forwards_since: call.now,
        attributes: Attributes::default(),
        tags: tag::listed(parameters)?,
    };
    let on_port = of(call.region, &lb).into_iter().find(|other| other.port == listener.port);
    let arn = match on_port {
        Some(other) if has_settings(other, &listener) => other.arn.clone(),
        Some(_) => return Err(duplicate()),
        None => {
            check(call.view(), &listener, &lb)?;
            make(call, listener, &lb)?
        }
    };
    xml.members("Listeners", call.region.listeners.get(&arn), write);
    Ok(())
}

fn make(call: &mut Call<'_>, listener: Listener, lb: &LoadBalancer) -> Outcome<String> {
    let max = call.settings.quotas.listeners_per_load_balancer;
    if of(call.region, lb).len() >= max {
        let message = format!("The maximum number of listeners has been reached ({max})");
        return Err(Failure::new("TooManyListeners", message));
    }
    let suffix = arn::draw_suffix(call.region, "listener");
    let arn = format!("{}{suffix}", arn_prefix(call.region, lb));
    call.region.listeners.insert(&*arn, Listener { arn: arn.clone(), ..listener });
    Ok(arn)
}

/// Handles `ModifyListener`.
fn modify(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    let old = named(call.region, parameters)?.clone();
    let Some(lb) = call.region.load_balancers.get(&old.load_balancer_arn).cloned() else {
        return Err(load_balancer::not_found(&[&old.load_balancer_arn]));
    };
    if lb.sort() == Sort::Gateway {
        refuse_port(parameters)?;
    }
    let target_group_arn = action::target_group(parameters)?;
    let moves = target_group_arn.as_ref().is_some_and(|arn| *arn != old.target_group_arn);
    let listener = Listener {
        port: port(parameters)?.or(old.port),
        protocol: action::protocol(parameters)?.or_else(|| old.protocol.clone()),
        target_group_arn: target_group_arn.unwrap_or_else(|| old.target_group_arn.clone()),
        forwards_since: if moves { call.now } else { old.forwards_since },
        ..old
    };
    let taken = |other: &Listener| other.arn != listener.arn && other.port == listener.port;
    if of(call.region, &lb).into_iter().any(taken) {
        return Err(duplicate());
    }
    check(call.view(), &listener, &lb)?;
    xml.members("Listeners", [&listener], write);
    call.region.listeners.insert(listener.arn.clone(), listener);
    Ok(())
}

fn delete(call: &mut Call<'_>, _: &mut Xml) -> Outcome {
    let arn = named(call.region, call.parameters)?.arn.clone();
    remove(call.region, &arn);
    Ok(())
}

fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let arns = parameters.texts("ListenerArns");
    let of_one = parameters.text("LoadBalancerArn").is_some();
    if of_one != arns.is_empty() {
        return Err(invalid("You must specify either listener ARNs or a load balancer ARN"));
    }
    let page = Page::parse(parameters, "Listeners")?;
    let mut listeners: Vec<&Listener> = Vec::new();
    if of_one {
        listeners.extend(of(view.region, load_balancer::named(view.region, parameters)?));
    }
    for arn in arns {
        arn::check(arn, arn::LISTENER)?;
        listeners.push(view.region.listeners.get(arn).ok_or_else(not_found)?);
    }
    listeners.sort_by_key(|listener| &*listener.arn);
    listeners.dedup_by_key(|listener| &*listener.arn);
    let rows = listeners.into_iter().map(|listener| (&*listener.arn, listener));
    page.write(xml, "Listeners", rows, write);
    Ok(())
}

/// Refuses what a listener of a Gateway Load Balancer does not have.
///
/// Source: Elastic Load Balancing API reference, `CreateListener`.
fn refuse_port(parameters: &Parameters) -> Outcome {
    for name in ["Port", "Protocol"] {
        if parameters.text(name).is_some() {
            let message = format!("{name} cannot be specified for gateway load balancers");
            return Err(invalid(message));
        }
    }
    Ok(())
}

fn port(parameters: &Parameters) -> Outcome<Option<u16>> {
    let Some(text) = parameters.text("Port") else { return Ok(None) };
    let port = text.parse().ok().filter(|port| *port > 0);
    port.map(Some).ok_or_else(|| invalid(format!("'{text}' is not a valid port")))
}

/// Compares all but the tags.
fn has_settings(listener: &Listener, wanted: &Listener) -> bool {
    (&listener.protocol, &listener.target_group_arn) == (&wanted.protocol, &wanted.target_group_arn)
}

fn duplicate() -> Failure {
    let message = "A listener already exists on this port for this load balancer";
    Failure::new("DuplicateListener", message)
}

/// Checks that the listener's target group can serve this load balancer by this protocol.
fn check(view: View<'_>, listener: &Listener, lb: &LoadBalancer) -> Outcome {
    let region = view.region;
    let Some(group) = region.target_groups.get(&listener.target_group_arn) else {
        return Err(target_group::not_found(&[&listener.target_group_arn]));
    };
    action::check_protocols(listener.protocol.as_deref(), &group.protocol)?;
    if group.vpc_id != lb.vpc_id {
        let message = format!("The target group '{}' is not in the VPC '{}'", group.arn, lb.vpc_id);
        return Err(super::unconfigurable(message));
    }
    let mut users = target_group::listeners(region, &group.arn);
    if users.any(|user| user.load_balancer_arn != lb.arn) {
        let message = format!(
            "The following target groups cannot be associated with more than one load balancer: {}",
            group.arn
        );
        return Err(Failure::new("TargetGroupAssociationLimit", message));
    }
    target::check_behind(view, lb, listener)
}

fn write(xml: &mut Xml, listener: &Listener) {
    xml.text("ListenerArn", &listener.arn);
    xml.text("LoadBalancerArn", &listener.load_balancer_arn);
    xml.optional("Port", listener.port);
    xml.optional("Protocol", listener.protocol.as_ref());
    action::write(xml, &listener.target_group_arn);
}
