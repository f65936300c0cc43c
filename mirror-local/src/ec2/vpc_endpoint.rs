//! VPC endpoints of Gateway Load Balancers: an interface in a subnet, with another VPC's load balancer behind it.
//!
//! Only endpoints of type `GatewayLoadBalancer` exist here; the other types are refused by name. Source: AWS
//! PrivateLink guide, "Gateway Load Balancer endpoints", and EC2 API reference, `CreateVpcEndpoint`.

use crate::action::Action;
use crate::ec2::network_interface::{NewInterface, create_for_service};
use crate::ec2::traffic_mirror::link;
use crate::ec2::vpc_endpoint_service::{Unsuccessful, list, named};
use crate::elbv2::LoadBalancer;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::parameters::Parameters;
use crate::schedule::{Event, later};
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, Region, View, by_id, by_id_mut, find};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::create("CreateVpcEndpoint", create, answer),
    Action::read("DescribeVpcEndpoints", |view, parameters, xml| {
        LISTING.answer(view, parameters, xml)
    }),
    Action::write("DeleteVpcEndpoints", delete),
    Action::write("AcceptVpcEndpointConnections", |call, xml| decide(call, Decision::Accept, xml)),
    Action::write("RejectVpcEndpointConnections", |call, xml| decide(call, Decision::Reject, xml)),
];

/// The only type of endpoint that exists here.
const TYPE: &str = "GatewayLoadBalancer";

/// An endpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    pub(crate) id: String,
    vpc_id: String,
    subnet_id: String,
    zone: String,
    service_id: String,
    service_name: String,
    pub(crate) interface_id: String,
    created: Timestamp,
    stage: Stage,
    pub(crate) tags: Tags,
}

/// How far it has progressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// The owner of the service has not answered.
    Asked,
    Accepted(Timestamp),
    Rejected,
    Deleted,
}

/// What the owner of a service decides about an endpoint.
#[derive(Debug, Clone, Copy)]
enum Decision {
    Accept,
    Reject,
}

tagged_row!(
    Endpoint,
    Kind {
        prefix: "vpce-",
        noun: "Vpc Endpoint Id",
        resource_type: "vpc-endpoint",
        not_found: "InvalidVpcEndpointId.NotFound",
        malformed: "InvalidVpcEndpointId.Malformed",
        describe: "DescribeVpcEndpoints",
    }
);

impl Endpoint {
    fn state(&self, view: View<'_>) -> &'static str {
        let changes = view.settings.durations.endpoint_changing;
        match self.stage {
            Stage::Asked => "pendingAcceptance",
            Stage::Accepted(when) if view.now < later(when, changes) => "pending",
            Stage::Accepted(_) => "available",
            Stage::Rejected => "rejected",
            Stage::Deleted => "deleting",
        }
    }

    /// Whether it accepts packets.
    pub(crate) fn is_available(&self, view: View<'_>) -> bool {
        self.state(view) == "available"
    }

    /// The load balancer that it sends to in its zone.
    pub(crate) fn balancer<'r>(&self, region: &'r Region) -> Option<&'r LoadBalancer> {
        let service = region.vpc_endpoint_services.get(&self.service_id)?;
        service.balancers(region).find(|lb| lb.zones.iter().any(|zone| zone.name == self.zone))
    }
}

const LISTING: Listing<Endpoint> = Listing {
    table: |region| &region.vpc_endpoints,
    ids: "VpcEndpointId",
    filters: &[
        ("ip-address-type", |_, _| texts(["ipv4"])),
        ("service-name", |_, endpoint| texts([&endpoint.service_name])),
        ("service-region", |view, _| texts([&view.region.name])),
        ("vpc-endpoint-id", |_, endpoint| texts([&endpoint.id])),
        ("vpc-endpoint-state", |view, endpoint| texts([endpoint.state(view)])),
        ("vpc-endpoint-type", |_, _| texts([TYPE])),
        ("vpc-id", |_, endpoint| texts([&endpoint.vpc_id])),
    ],
    set: "vpcEndpointSet",
    write,
    page: 5..=1000,
};

fn write(view: View<'_>, endpoint: &Endpoint, xml: &mut Xml) {
    let Endpoint { id, vpc_id, subnet_id, service_name, interface_id, created, tags, .. } =
        endpoint;
    xml.text("vpcEndpointId", id);
    xml.text("vpcEndpointType", TYPE);
    xml.text("vpcId", vpc_id);
    xml.text("serviceName", service_name);
    xml.text("state", endpoint.state(view));
    list(xml, "routeTableIdSet", [""; 0]);
    list(xml, "subnetIdSet", [subnet_id]);
    list(xml, "groupSet", [""; 0]);
    xml.text("ipAddressType", "ipv4");
    xml.text("privateDnsEnabled", false);
    xml.text("requesterManaged", false);
    list(xml, "networkInterfaceIdSet", [interface_id]);
    list(xml, "dnsEntrySet", [""; 0]);
    xml.text("creationTimestamp", created);
    tags.write(xml);
    xml.text("ownerId", &view.region.account);
    xml.text("serviceRegion", &view.region.name);
}

fn answer(view: View<'_>, id: &str, xml: &mut Xml) -> Option<()> {
    let endpoint = view.region.vpc_endpoints.get(id)?;
    xml.element("vpcEndpoint", |xml| write(view, endpoint, xml));
    Some(())
}

fn create(call: &mut Call<'_>) -> Outcome<String> {
    let parameters = call.parameters;
    check_type(parameters)?;
    let vpc = find(&call.region.vpcs, parameters, "VpcId")?.id.clone();
    let name = parameters.required("ServiceName")?;
    let subnet = one_subnet(call, &vpc)?;
    let subnet = by_id(&call.region.subnets, &subnet, "subnetId")?.clone();
    let service = named(call.view(), name)?.clone();
    if !service.zones(call.region).contains(&subnet.zone) {
        let message = format!(
            "The VPC endpoint service {name} does not support the availability zone of the subnet: {}.",
            subnet.id
        );
        return Err(Failure::new("InvalidParameter", message));
    }
    let max = call.settings.quotas.endpoints_per_vpc;
    if call.region.vpc_endpoints.values().filter(|it| it.vpc_id == vpc).count() >= max {
        let message = format!("The maximum number of VPC endpoints per VPC is {max}.");
        return Err(Failure::new("VpcEndpointLimitExceeded", message));
    }
    let tags = Tags::specified(parameters, "vpc-endpoint")?;
    let id = call.region.draw_id("vpce-");
    let new = NewInterface {
        description: format!("VPC Endpoint Interface {id}"),
        interface_type: "gateway_load_balancer_endpoint",
        requester_id: Some("amazon-aws".to_owned()),
        ..NewInterface::in_subnet(&subnet.id, Vec::new())
    };
    let interface_id = create_for_service(call.region, new, call.now)?;
    let stage = if service.acceptance_required { Stage::Asked } else { Stage::Accepted(call.now) };
    let endpoint = Endpoint {
        id: id.clone(),
        vpc_id: vpc,
        subnet_id: subnet.id,
        zone: subnet.zone,
        service_id: service.id,
        service_name: name.to_owned(),
        interface_id,
        created: call.now,
        stage,
        tags,
    };
    call.region.vpc_endpoints.insert(&*id, endpoint);
    Ok(id)
}

/// Refuses the types of endpoints that a local AWS does not have, and what this type does not accept.
fn check_type(parameters: &Parameters) -> Outcome {
    const TYPES: [&str; 5] = [TYPE, "Gateway", "Interface", "Resource", "ServiceNetwork"];
    match parameters.one_of("VpcEndpointType", &TYPES)?.unwrap_or("Gateway") {
        TYPE => {}
        word => {
            let message = format!("mirror-local does not implement endpoints of the type {word}");
            return Err(Failure::new("UnsupportedOperation", message));
        }
    }
    parameters.refuse(&["DnsOptions", "ServiceRegion", "SubnetConfiguration"])?;
    if parameters.given("IpAddressType").is_some_and(|word| word != "ipv4") {
        let message = "mirror-local implements only endpoints of IPv4";
        return Err(Failure::new("UnsupportedOperation", message));
    }
    for name in ["RouteTableId", "SecurityGroupId"] {
        if !parameters.texts(name).is_empty() {
            let message = format!("{name} is not supported for endpoints of type {TYPE}");
            return Err(Failure::new("InvalidParameter", message));
        }
    }
    for name in ["PolicyDocument", "PrivateDnsEnabled"] {
        if parameters.given(name).is_some_and(|value| value != "false") {
            let message = format!("{name} is not supported for endpoints of type {TYPE}");
            return Err(Failure::new("InvalidParameter", message));
        }
    }
    Ok(())
}

/// The one subnet that an endpoint is in.
fn one_subnet(call: &Call<'_>, vpc: &str) -> Outcome<String> {
    let subnets = call.parameters.texts("SubnetId");
    let [id] = subnets.as_slice() else {
        let message = format!("Exactly one subnet must be specified for endpoints of type {TYPE}");
        return Err(Failure::new("InvalidParameter", message));
    };
    let subnet = by_id(&call.region.subnets, id, "subnetId")?;
    if subnet.vpc_id != vpc {
        let message = format!("The subnet '{id}' does not belong to the VPC '{vpc}'");
        return Err(Failure::new("InvalidParameter", message));
    }
    Ok((*id).to_owned())
}

/// Handles `DeleteVpcEndpoints`: what cannot be deleted is reported as unsuccessful.
fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let ids = texts(call.parameters.required_texts("VpcEndpointId")?);
    let mut unsuccessful = Vec::new();
    for id in ids {
        match call.region.vpc_endpoints.get(&id) {
            None => {
                let message = format!("The Vpc Endpoint Id '{id}' does not exist");
                let code = "InvalidVpcEndpoint.NotFound";
                unsuccessful.push(Unsuccessful { id, code, message });
            }
            // AWS's answer to this is not documented: of what it may do, this is the strictest.
            Some(endpoint) if link::first(call.region, &endpoint.id, "tmt-").is_some() => {
                let message = "Endpoint must be removed from traffic mirror target before deletion";
                let code = "InvalidParameter";
                unsuccessful.push(Unsuccessful { id, code, message: message.to_owned() });
            }
            Some(endpoint) if endpoint.stage == Stage::Deleted => {}
            Some(endpoint) => {
                let interface = endpoint.interface_id.clone();
                by_id_mut(&mut call.region.vpc_endpoints, &id, "vpcEndpointId")?.stage =
                    Stage::Deleted;
                let gone = later(call.now, call.settings.durations.endpoint_changing);
                call.region.arrange(gone, Event::RemoveInterface, &interface);
                call.region.arrange(gone, Event::ForgetEndpoint, &id);
            }
        }
    }
    Unsuccessful::write(&unsuccessful, xml);
    Ok(())
}

/// Handles what the owner of a service decides about the endpoints that ask for it.
fn decide(call: &mut Call<'_>, decision: Decision, xml: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    let service = find(&call.region.vpc_endpoint_services, parameters, "ServiceId")?.id.clone();
    let ids = texts(parameters.required_texts("VpcEndpointId")?);
    let mut unsuccessful = Vec::new();
    for id in ids {
        let known = call.region.vpc_endpoints.get_mut(&id).filter(|it| it.service_id == service);
        let Some(endpoint) = known else {
            let message = format!("The Vpc Endpoint Id '{id}' does not exist");
            unsuccessful.push(Unsuccessful { id, code: "InvalidVpcEndpointId.NotFound", message });
            continue;
        };
        match (decision, endpoint.stage) {
            (Decision::Accept, Stage::Asked) => endpoint.stage = Stage::Accepted(call.now),
            (Decision::Reject, Stage::Asked | Stage::Accepted(_)) => {
                endpoint.stage = Stage::Rejected;
            }
            _ => {
                let message = format!("The endpoint {id} is not in a state in which it can be so");
                unsuccessful.push(Unsuccessful { id, code: "InvalidState", message });
            }
        }
    }
    Unsuccessful::write(&unsuccessful, xml);
    Ok(())
}

/// Stops describing a deleted endpoint.
pub(crate) fn forget(region: &mut Region, id: &str) {
    region.vpc_endpoints.remove(id);
}

/// Whether endpoints keep a service from being deleted.
///
/// Source: AWS PrivateLink guide, "Delete an endpoint service".
pub(crate) fn is_connected(view: View<'_>, service: &str) -> bool {
    let mut all = view.region.vpc_endpoints.values();
    all.any(|it| it.service_id == service && it.stage != Stage::Rejected)
}

/// An endpoint that keeps a VPC from being deleted.
pub(crate) fn of_vpc<'a>(region: &'a Region, vpc: &str) -> Option<&'a String> {
    let mut all = region.vpc_endpoints.values();
    all.find(|endpoint| endpoint.vpc_id == vpc).map(|endpoint| &endpoint.id)
}

/// An endpoint that a load balancer serves in one of these zones.
pub(crate) fn in_zones<'a>(region: &'a Region, arn: &str, zones: &[&str]) -> Option<&'a String> {
    let mut all = region.vpc_endpoints.values();
    let serves = |endpoint: &&Endpoint| {
        zones.contains(&&*endpoint.zone)
            && endpoint.balancer(region).is_some_and(|balancer| balancer.arn == arn)
    };
    all.find(serves).map(|endpoint| &endpoint.id)
}
