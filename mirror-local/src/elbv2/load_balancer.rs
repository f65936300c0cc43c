//! Network and Gateway Load Balancers.

mod change;
mod create;
mod placement;

use super::attribute::Attributes;
use super::page::Page;
use super::{arn, listener, unconfigurable};
use crate::action::Action;
use crate::ec2::vpc_endpoint_service;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::schedule::{Event, later};
use crate::settings::Durations;
use crate::table::{Kind, Row};
use crate::tags::Tags;
use crate::world::{Call, Region, View};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Every action.
pub(super) const ACTIONS: &[Action] = &[
    Action::write("CreateLoadBalancer", create::create).without_dry_run(),
    Action::write("DeleteLoadBalancer", delete).without_dry_run(),
    Action::read("DescribeLoadBalancers", describe).without_dry_run(),
    Action::read("DescribeCapacityReservation", describe_capacity).without_dry_run(),
    Action::write("SetIpAddressType", change::set_ip_address_type).without_dry_run(),
    Action::write("SetSecurityGroups", change::set_security_groups).without_dry_run(),
    Action::write("SetSubnets", change::set_subnets).without_dry_run(),
];

/// The name of [`LoadBalancer::private_link_rules`] on the wire.
const PRIVATE_LINK_RULES: &str = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic";

/// A load balancer, keyed by ARN.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LoadBalancer {
    pub(crate) arn: String,
    pub(crate) name: String,
    /// `Internal` for a Gateway Load Balancer, which has no scheme.
    pub(crate) scheme: Scheme,
    pub(crate) vpc_id: String,
    pub(crate) ip_address_type: String,
    /// Empty for one created without any, to which none can be added.
    pub(crate) security_groups: Vec<String>,
    /// Whether the groups' inbound rules apply to PrivateLink traffic: `on` or `off`.
    pub(crate) private_link_rules: String,
    pub(crate) zones: Vec<Zone>,
    pub(crate) created: Timestamp,
    pub(crate) attributes: Attributes,
    pub(crate) tags: Tags,
}

/// The type of a load balancer, which follows from its ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Network,
    Gateway,
}

/// From where a load balancer can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Scheme {
    InternetFacing,
    Internal,
}

/// The presence of a load balancer in one zone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) subnet_id: String,
    pub(crate) interface_id: String,
    /// The address that was asked for, if one was.
    pub(crate) address: Option<Ipv4Addr>,
    pub(crate) since: Timestamp,
}

impl Row for LoadBalancer {
    const KIND: Kind = Kind {
        noun: "load balancer",
        not_found: "LoadBalancerNotFound",
        malformed: "ValidationError",
        describe: "DescribeLoadBalancers",
        ..Kind::INTERNAL
    };
}

impl Scheme {
    fn word(self) -> &'static str {
        match self {
            Self::InternetFacing => "internet-facing",
            Self::Internal => "internal",
        }
    }
}

impl Sort {
    /// Its word in calls and answers.
    const fn word(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Gateway => "gateway",
        }
    }

    /// What precedes the name in ARNs.
    const fn path(self) -> &'static str {
        match self {
            Self::Network => "net",
            Self::Gateway => "gwy",
        }
    }

    /// The type of its network interfaces.
    const fn interface_type(self) -> &'static str {
        match self {
            Self::Network => "network_load_balancer",
            Self::Gateway => "gateway_load_balancer",
        }
    }
}

impl LoadBalancer {
    /// Returns what type it is.
    pub(crate) fn sort(&self) -> Sort {
        if self.path().starts_with("gwy/") { Sort::Gateway } else { Sort::Network }
    }

    /// Returns when the load balancer begins to serve.
    pub(super) fn active_from(&self, durations: &Durations) -> Timestamp {
        later(self.created, durations.load_balancer_provisioning)
    }

    /// Returns what follows `loadbalancer/` in the ARN: `net/NAME/ID` or `gwy/NAME/ID`.
    pub(crate) fn path(&self) -> &str {
        self.arn.split_once(":loadbalancer/").map_or("", |(_, path)| path)
    }
}

/// Returns the load balancer that a parameter names.
pub(super) fn named<'a>(region: &'a Region, parameters: &Parameters) -> Outcome<&'a LoadBalancer> {
    let arn = arn::required(parameters, "LoadBalancerArn", arn::LOAD_BALANCER)?;
    region.load_balancers.get(arn).ok_or_else(|| not_found(&[arn]))
}

/// The failure for load balancers that do not exist.
pub(super) fn not_found(missing: &[&str]) -> Failure {
    let missing = missing.join(", ");
    Failure::new("LoadBalancerNotFound", format_args!("Load balancers '[{missing}]' not found"))
}

fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let (arns, names) = (parameters.texts("LoadBalancerArns"), parameters.texts("Names"));
    if !arns.is_empty() && !names.is_empty() {
        let message =
            "Load balancer names and load balancer ARNs cannot be specified at the same time";
        return Err(super::invalid(message));
    }
    let page = Page::parse(parameters, "LoadBalancers")?;
    for arn in &arns {
        arn::check(arn, arn::LOAD_BALANCER)?;
    }
    let table = &view.region.load_balancers;
    let absent_arns = arns.iter().filter(|arn| !table.contains(arn));
    let absent_names = names.iter().filter(|name| !table.values().any(|lb| lb.name == **name));
    let absent: Vec<&str> = absent_arns.chain(absent_names).copied().collect();
    if !absent.is_empty() {
        return Err(not_found(&absent));
    }
    let asked = |lb: &LoadBalancer| {
        (arns.is_empty() && names.is_empty())
            || arns.contains(&&*lb.arn)
            || names.contains(&&*lb.name)
    };
    let rows = table.iter().filter(|(_, lb)| asked(lb));
    page.write(xml, "LoadBalancers", rows, |xml, lb| write(view, lb, xml));
    Ok(())
}

/// Handles `DescribeCapacityReservation`: a local load balancer never has one.
fn describe_capacity(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    named(view.region, parameters)?;
    xml.text("DecreaseRequestsRemaining", 2);
    xml.members("CapacityReservationState", [(); 0], |_, ()| {});
    Ok(())
}

/// Handles `DeleteLoadBalancer`, which succeeds if there is no such load balancer.
///
/// The listeners are deleted at once; the interfaces linger, and keep what they are in from being
/// deleted.
fn delete(call: &mut Call<'_>, _: &mut Xml) -> Outcome {
    let arn = arn::required(call.parameters, "LoadBalancerArn", arn::LOAD_BALANCER)?;
    let Some(lb) = call.region.load_balancers.get(arn).cloned() else { return Ok(()) };
    if lb.attributes.is_on("deletion_protection.enabled") {
        let message = format!(
            "Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        );
        return Err(Failure::new("OperationNotPermitted", message));
    }
    if vpc_endpoint_service::is_behind_any(call.region, arn) {
        let message = format!(
            "Load balancer '{arn}' cannot be deleted because it is currently associated with another service"
        );
        return Err(Failure::new("ResourceInUse", message));
    }
    let listeners: Vec<String> =
        listener::of(call.region, &lb).into_iter().map(|listener| listener.arn.clone()).collect();
    for listener in listeners {
        listener::remove(call.region, &listener);
    }
    let mut longer = Duration::ZERO;
    for zone in &lb.zones {
        leave(call, zone, longer);
        longer += call.settings.durations.load_balancer_staggering;
    }
    call.region.load_balancers.remove(arn);
    Ok(())
}

/// Leaves a zone: the interface there is deleted, but not at once, and `longer` after the usual time.
fn leave(call: &mut Call<'_>, zone: &Zone, longer: Duration) {
    let at = later(call.now, call.settings.durations.load_balancer_lingering + longer);
    call.region.arrange(at, Event::RemoveInterface, &zone.interface_id);
}

/// Refuses what needs IPv6, which a local AWS does not have; returns the type of addresses.
fn ip_address_type(parameters: &Parameters) -> Outcome<&str> {
    if parameters.text("EnablePrefixForIpv6SourceNat").is_some_and(|word| word != "off") {
        return Err(unconfigurable("Source NAT by IPv6 prefix needs subnets with IPv6 addresses"));
    }
    match parameters.text("IpAddressType").unwrap_or("ipv4") {
        "ipv4" => Ok("ipv4"),
        "dualstack" => {
            let message = "The IP address type dualstack needs subnets with IPv6 addresses";
            Err(unconfigurable(message))
        }
        word => Err(super::invalid(format!("'{word}' is not a valid IP address type"))),
    }
}

fn write(view: View<'_>, lb: &LoadBalancer, xml: &mut Xml) {
    let region = &*view.region.name;
    let is_network = lb.sort() == Sort::Network;
    xml.text("LoadBalancerArn", &lb.arn);
    // Only endpoints send to a Gateway Load Balancer: it has neither name nor scheme.
    if is_network {
        xml.text("DNSName", dns_name(region, lb));
        xml.optional("CanonicalHostedZoneId", hosted_zone(region));
    }
    xml.text("CreatedTime", lb.created);
    xml.text("LoadBalancerName", &lb.name);
    if is_network {
        xml.text("Scheme", lb.scheme.word());
    }
    xml.text("VpcId", &lb.vpc_id);
    let active = lb.active_from(&view.settings.durations) <= view.now;
    xml.element("State", |xml| xml.text("Code", if active { "active" } else { "provisioning" }));
    xml.text("Type", lb.sort().word());
    xml.members("AvailabilityZones", &lb.zones, |xml, zone| {
        xml.text("ZoneName", &zone.name);
        xml.text("SubnetId", &zone.subnet_id);
        xml.members("LoadBalancerAddresses", zone.address, |xml, address| {
            xml.text("PrivateIPv4Address", address);
        });
    });
    if !lb.security_groups.is_empty() {
        xml.element("SecurityGroups", |xml| {
            for group in &lb.security_groups {
                xml.text("member", group);
            }
        });
        xml.text(PRIVATE_LINK_RULES, &lb.private_link_rules);
    }
    xml.text("IpAddressType", &lb.ip_address_type);
    if is_network {
        xml.text("EnablePrefixForIpv6SourceNat", "off");
    }
}

fn dns_name(region: &str, lb: &LoadBalancer) -> String {
    let suffix = lb.path().rsplit('/').next().unwrap_or_default();
    format!("{}-{suffix}.elb.{region}.amazonaws.com", lb.name)
}

/// Returns the DNS zone of the Network Load Balancers of a Region, if it is known.
fn hosted_zone(region: &str) -> Option<&'static str> {
    const ZONES: &[(&str, &str)] = &[
        ("us-east-1", "Z26RNL4JYFTOTI"),
        ("us-east-2", "ZLMOA37VPKANP"),
        ("us-west-1", "Z24FKFUX50B4VW"),
        ("us-west-2", "Z18D5FSROUN65G"),
        ("eu-central-1", "Z3F0SRJ5LGBH90"),
        ("eu-west-1", "Z2IFOLAFXWLO4F"),
    ];
    ZONES.iter().find(|(name, _)| *name == region).map(|(_, zone)| *zone)
}
