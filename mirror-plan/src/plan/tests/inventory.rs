//! Inventories: what an account holds after a stack was applied.

use serde_json::json;

use super::*;
use crate::plan::resolve::{self, Known};
use crate::resource::{computed, gateway_load_balancer};

/// The cloud after `stack` was applied, as AWS would show it.
pub(crate) fn applied(stack: &Stack) -> Observed {
    struct Ids;
    impl Known for Ids {
        fn look_up(&self, origin: &Origin) -> Option<Value> {
            Some(Value::String(id(&origin.address, &origin.attribute, 1)))
        }
    }
    let mut observed = nothing();
    for (address, declared) in &stack.resources {
        let resource = resolve::resolve(&declared.resource, &Ids);
        observed.owned.insert(address.clone(), vec![found(address, 1, as_aws_has_it(resource))]);
    }
    observed
}

pub(super) fn found(address: &Address, generation: u32, resource: Resource) -> Found {
    let computed = computed(address.kind)
        .iter()
        .map(|c| (c.name.to_owned(), Some(id(address, c.name, generation))))
        .collect();
    let id = serde_json::from_value(json!(id(address, "id", generation))).unwrap();
    Found { id, generation, parts: parts(&resource), resource, computed }
}

/// Fills in what AWS chooses where the choice was left to it.
fn as_aws_has_it(resource: Resource) -> Resource {
    let mut value = resource.to_value();
    let Value::Object(members) = &mut value else { unreachable!() };
    let mut fill = |name: &str, chosen: Json| {
        if members.get(name) == Some(&Value::Null) {
            members.insert(name.to_owned(), Value::from(chosen));
        }
    };
    match resource.kind() {
        Kind::Subnet => fill("availability_zone", json!("eu-west-1a")),
        Kind::SecurityGroup | Kind::LoadBalancer | Kind::TargetGroup | Kind::ResourceShare => {
            fill("name", json!("picked"));
        }
        Kind::LaunchTemplate => {
            fill("name", json!("picked"));
            fill("ami", json!("ami-00000000000000001"));
        }
        Kind::AutoscalingGroup => {
            fill("name", json!("picked"));
            fill("desired", json!(4));
            fill("health_check", json!("elb"));
        }
        Kind::MirrorSession => {
            fill("vni", json!(4242));
            fill("packet_length", json!(8500));
        }
        Kind::Instance => {
            fill("ami", json!("ami-00000000000000001"));
            fill("private_ip", json!("10.0.1.10"));
            fill("public", json!(false));
        }
        _ => {}
    }
    Resource::read(resource.kind(), &value, &mut Problems::default()).unwrap()
}

/// An id that identifies its object: the hash of the address, in the format of the kind.
pub(super) fn id(address: &Address, attribute: &str, generation: u32) -> String {
    use sha2::Digest as _;
    let hash = sha2::Sha256::digest(format!("{address}#{generation}"));
    let digits: String =
        hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>()[..17].into();
    let arn = |kind| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:{kind}/{digits}");
    match (address.kind, attribute) {
        (_, "network_interface") => format!("eni-{digits}"),
        (_, "public_ip") => "198.51.100.7".to_owned(),
        (_, "private_ip") => "10.0.1.10".to_owned(),
        (_, "dns_name" | "public_dns") => "name.example".to_owned(),
        (_, "availability_zone") => "eu-west-1a".to_owned(),
        (Kind::Vpc, _) => format!("vpc-{digits}"),
        (Kind::Subnet, _) => format!("subnet-{digits}"),
        (Kind::InternetGateway, _) => format!("igw-{digits}"),
        (Kind::RouteTable, _) => format!("rtb-{digits}"),
        (Kind::VpcPeering, _) => format!("pcx-{digits}"),
        (Kind::TransitGatewayAttachment, _) => format!("tgw-attach-{digits}"),
        (Kind::SecurityGroup, _) => format!("sg-{digits}"),
        (Kind::Instance, _) => format!("i-{digits}"),
        (Kind::LaunchTemplate, _) => format!("lt-{digits}"),
        (Kind::AutoscalingGroup, _) => scaling::arn(&digits),
        (Kind::TargetGroup, _) => arn("targetgroup/picked"),
        (Kind::LoadBalancer, _) => arn("loadbalancer/net/picked"),
        (Kind::GatewayLoadBalancer, _) => arn("loadbalancer/gwy/picked"),
        (Kind::EndpointService, _) => format!("vpce-svc-{digits}"),
        (Kind::GatewayLoadBalancerEndpoint, _) => format!("vpce-{digits}"),
        (Kind::MirrorTarget, _) => format!("tmt-{digits}"),
        (Kind::MirrorFilter, _) => format!("tmf-{digits}"),
        (Kind::MirrorSession, _) => format!("tms-{digits}"),
        (Kind::ResourceShare, _) => sharing::arn(&digits),
    }
}

/// Ids for the parts that have them.
fn parts(resource: &Resource) -> BTreeMap<String, ObjectId> {
    let keys: Vec<String> = match resource {
        Resource::RouteTable(table) => table
            .subnets
            .iter()
            .map(|s| s.origin().map_or_else(|| text(s), |_| unreachable!()))
            .collect(),
        Resource::LoadBalancer(lb) => lb.listeners.iter().map(|l| l.port.to_string()).collect(),
        Resource::GatewayLoadBalancer(balancer) => balancer
            .target_group
            .iter()
            .map(|_| gateway_load_balancer::LISTENER.to_owned())
            .collect(),
        Resource::MirrorFilter(filter) => {
            filter.rules.0.iter().map(|rule| rule.key().to_string()).collect()
        }
        _ => Vec::new(),
    };
    let id = |key: &str| serde_json::from_value(json!(format!("part {key}"))).unwrap();
    keys.into_iter().map(|key| (key.clone(), id(&key))).collect()
}

fn text(reference: &impl crate::attribute::AttributeType) -> String {
    match reference.to_value() {
        Value::String(text) => text,
        other => panic!("{other} is not an id"),
    }
}
