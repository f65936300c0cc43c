//! Endpoint services: Gateway Load Balancers that endpoints in any VPC may send to.
//!
//! Services of Network Load Balancers, of other accounts or of AWS itself do not exist here. Source: AWS PrivateLink
//! guide, "Create a Gateway Load Balancer endpoint service", and EC2 API reference, `ServiceConfiguration`.

mod principal;

use crate::action::Action;
use crate::ec2::vpc_endpoint;
use crate::elbv2::{LoadBalancer, Sort};
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::schedule::{Event, later};
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, Region, View, by_id, by_id_mut, find};
use crate::xml::Xml;
use jiff::Timestamp;
use principal::Principals;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::create("CreateVpcEndpointServiceConfiguration", create, answer),
    Action::read("DescribeVpcEndpointServiceConfigurations", |view, parameters, xml| {
        LISTING.answer(view, parameters, xml)
    }),
    Action::write("ModifyVpcEndpointServiceConfiguration", modify),
    Action::write("DeleteVpcEndpointServiceConfigurations", delete),
    Action::read("DescribeVpcEndpointServicePermissions", principal::describe),
    Action::write("ModifyVpcEndpointServicePermissions", principal::modify),
];

/// An endpoint service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EndpointService {
    pub(crate) id: String,
    /// The ARNs of its load balancers.
    load_balancers: BTreeSet<String>,
    /// Whether its owner has to accept each endpoint.
    pub(crate) acceptance_required: bool,
    principals: Principals,
    created: Timestamp,
    deleted: Option<Timestamp>,
    pub(crate) tags: Tags,
}

tagged_row!(
    EndpointService,
    Kind {
        prefix: "vpce-svc-",
        noun: "VpcEndpointService Id",
        resource_type: "vpc-endpoint-service",
        not_found: "InvalidVpcEndpointServiceId.NotFound",
        malformed: "InvalidVpcEndpointServiceId.Malformed",
        describe: "DescribeVpcEndpointServiceConfigurations",
    }
);

impl EndpointService {
    /// The name by which endpoints ask for it.
    pub(crate) fn name(&self, region: &Region) -> String {
        format!("com.amazonaws.vpce.{}.{}", region.name, self.id)
    }

    /// Its load balancers, as they are now.
    pub(crate) fn balancers<'r>(
        &'r self,
        region: &'r Region,
    ) -> impl Iterator<Item = &'r LoadBalancer> {
        self.load_balancers.iter().filter_map(|arn| region.load_balancers.get(arn))
    }

    /// The zones in which an endpoint may be: those of its load balancers.
    pub(crate) fn zones(&self, region: &Region) -> BTreeSet<String> {
        self.balancers(region)
            .flat_map(|lb| lb.zones.iter().map(|zone| zone.name.clone()))
            .collect()
    }

    fn state(&self, view: View<'_>) -> &'static str {
        let changes = view.settings.durations.endpoint_changing;
        match self.deleted {
            Some(_) => "Deleting",
            None if view.now < later(self.created, changes) => "Pending",
            None => "Available",
        }
    }

    /// Whether endpoints can be made for it.
    pub(crate) fn is_available(&self, view: View<'_>) -> bool {
        self.state(view) == "Available"
    }
}

const LISTING: Listing<EndpointService> = Listing {
    table: |region| &region.vpc_endpoint_services,
    ids: "ServiceId",
    filters: &[
        ("service-id", |_, service| texts([&service.id])),
        ("service-name", |view, service| texts([service.name(view.region)])),
        ("service-state", |view, service| texts([service.state(view)])),
        ("supported-ip-address-types", |_, _| texts(["ipv4"])),
    ],
    set: "serviceConfigurationSet",
    write,
    page: 5..=1000,
};

fn write(view: View<'_>, service: &EndpointService, xml: &mut Xml) {
    let EndpointService { id, load_balancers, acceptance_required, tags, .. } = service;
    let region = &view.region.name;
    xml.items("serviceType", ["GatewayLoadBalancer"], |xml, word| xml.text("serviceType", word));
    xml.text("serviceId", id);
    xml.text("serviceName", service.name(view.region));
    xml.text("serviceState", service.state(view));
    list(xml, "availabilityZoneSet", service.zones(view.region));
    xml.text("acceptanceRequired", acceptance_required);
    xml.text("managesVpcEndpoints", false);
    list(xml, "gatewayLoadBalancerArnSet", load_balancers);
    list(xml, "supportedIpAddressTypeSet", ["ipv4"]);
    list(xml, "baseEndpointDnsNameSet", [format!("{id}.{region}.vpce.amazonaws.com")]);
    tags.write(xml);
}

/// Writes a list of plain values.
pub(crate) fn list<T: std::fmt::Display>(
    xml: &mut Xml,
    name: &str,
    values: impl IntoIterator<Item = T>,
) {
    xml.element(name, |xml| values.into_iter().for_each(|value| xml.text("item", value)));
}

fn answer(view: View<'_>, id: &str, xml: &mut Xml) -> Option<()> {
    let service = view.region.vpc_endpoint_services.get(id)?;
    xml.element("serviceConfiguration", |xml| write(view, service, xml));
    Some(())
}

fn create(call: &mut Call<'_>) -> Outcome<String> {
    let parameters = call.parameters;
    parameters.refuse(&["PrivateDnsName", "NetworkLoadBalancerArn", "SupportedRegion"])?;
    if parameters.texts("SupportedIpAddressType").iter().any(|word| *word != "ipv4") {
        let message = "mirror-local implements only endpoint services of IPv4";
        return Err(Failure::new("UnsupportedOperation", message));
    }
    let arns = parameters.texts("GatewayLoadBalancerArn");
    if arns.is_empty() {
        let message = "Must specify at least one NetworkLoadBalancerArn or GatewayLoadBalancerArn";
        return Err(Failure::new("MissingParameter", message));
    }
    let load_balancers = check(call.region, None, &arns)?;
    let acceptance_required = parameters.boolean("AcceptanceRequired")?.unwrap_or(true);
    let tags = Tags::specified(parameters, "vpc-endpoint-service")?;
    let id = call.region.draw_id("vpce-svc-");
    let service = EndpointService {
        id: id.clone(),
        load_balancers,
        acceptance_required,
        principals: Principals::default(),
        created: call.now,
        deleted: None,
        tags,
    };
    call.region.vpc_endpoint_services.insert(&*id, service);
    Ok(id)
}

/// Refuses what is not a Gateway Load Balancer, or belongs to another service.
fn check(region: &Region, own: Option<&str>, arns: &[&str]) -> Outcome<BTreeSet<String>> {
    for arn in arns {
        match region.load_balancers.get(arn) {
            Some(lb) if lb.sort() == Sort::Gateway => {}
            _ => {
                let message = format!("Gateway Load Balancer {arn} does not exist.");
                return Err(Failure::new("InvalidParameter", message));
            }
        }
        let mut services = region.vpc_endpoint_services.values();
        let other = services.find(|it| Some(&*it.id) != own && it.load_balancers.contains(*arn));
        if let Some(other) = other {
            let message = format!("{arn} is already associated with {}.", other.id);
            return Err(Failure::new("InvalidParameter", message));
        }
    }
    Ok(arns.iter().map(|arn| (*arn).to_owned()).collect())
}

/// The service that a call names, unless it is being deleted.
fn standing<'a>(call: &'a Call<'_>) -> Outcome<&'a EndpointService> {
    let service = find(&call.region.vpc_endpoint_services, call.parameters, "ServiceId")?;
    match service.deleted {
        None => Ok(service),
        Some(_) => {
            let message = format!("The VPC endpoint service {} is being deleted.", service.id);
            Err(Failure::new("IncorrectState", message))
        }
    }
}

/// Handles `ModifyVpcEndpointServiceConfiguration`.
fn modify(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    call.parameters.refuse(&[
        "AddNetworkLoadBalancerArn",
        "AddSupportedIpAddressType",
        "AddSupportedRegion",
        "PrivateDnsName",
        "RemoveNetworkLoadBalancerArn",
        "RemovePrivateDnsName",
        "RemoveSupportedIpAddressType",
        "RemoveSupportedRegion",
    ])?;
    let mut service = standing(call)?.clone();
    if let Some(required) = call.parameters.boolean("AcceptanceRequired")? {
        service.acceptance_required = required;
    }
    let added = call.parameters.texts("AddGatewayLoadBalancerArn");
    service.load_balancers.extend(check(call.region, Some(&service.id), &added)?);
    for arn in call.parameters.texts("RemoveGatewayLoadBalancerArn") {
        if !service.load_balancers.remove(arn) {
            let message = format!("{arn} is not associated with {}.", service.id);
            return Err(Failure::new("InvalidParameter", message));
        }
    }
    if service.load_balancers.is_empty() {
        let message = "A VPC endpoint service must have at least one load balancer.";
        return Err(Failure::new("InvalidParameter", message));
    }
    call.region.vpc_endpoint_services.insert(service.id.clone(), service);
    xml.text("return", true);
    Ok(())
}

/// Handles `DeleteVpcEndpointServiceConfigurations`: a service with endpoints is reported as unsuccessful.
fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let ids = texts(call.parameters.required_texts("ServiceId")?);
    for id in &ids {
        by_id(&call.region.vpc_endpoint_services, id, "serviceId")?;
    }
    let mut unsuccessful = Vec::new();
    for id in ids {
        if vpc_endpoint::is_connected(call.view(), &id) {
            unsuccessful.push(Unsuccessful {
                id,
                code: "ExistingVpcEndpointConnections",
                message: "Service has existing active VPC Endpoint connections!".to_owned(),
            });
            continue;
        }
        let all = &mut call.region.vpc_endpoint_services;
        by_id_mut(all, &id, "serviceId")?.deleted.get_or_insert(call.now);
        let gone = later(call.now, call.settings.durations.endpoint_changing);
        call.region.arrange(gone, Event::ForgetEndpointService, &id);
    }
    Unsuccessful::write(&unsuccessful, xml);
    Ok(())
}

/// One of several objects for which a call could not do what was asked.
pub(super) struct Unsuccessful {
    pub(super) id: String,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Unsuccessful {
    pub(super) fn write(all: &[Self], xml: &mut Xml) {
        xml.items("unsuccessful", all, |xml, Self { id, code, message }| {
            xml.element("error", |xml| {
                xml.text("code", code);
                xml.text("message", message);
            });
            xml.text("resourceId", id);
        });
    }
}

/// Stops describing a deleted service.
pub(crate) fn forget(region: &mut Region, id: &str) {
    region.vpc_endpoint_services.remove(id);
}

/// The service of a name.
pub(super) fn named<'a>(view: View<'a>, name: &str) -> Outcome<&'a EndpointService> {
    let (_, id) = name.rsplit_once('.').unwrap_or_default();
    let service = view.region.vpc_endpoint_services.get(id);
    service.filter(|it| it.is_available(view) && it.name(view.region) == name).ok_or_else(|| {
        let message = format!("The Vpc Endpoint Service '{name}' does not exist");
        Failure::new("InvalidServiceName", message)
    })
}

/// Whether a load balancer belongs to a service.
pub(crate) fn is_behind_any(region: &Region, arn: &str) -> bool {
    region.vpc_endpoint_services.values().any(|service| service.load_balancers.contains(arn))
}
