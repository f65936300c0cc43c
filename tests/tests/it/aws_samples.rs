//! Samples: one resource of each kind, for tests that look at single resources.

use mirror_plan::address::Address;
use mirror_plan::attribute::{Input, Ref, Referable};
use mirror_plan::resource::load_balancer::Listener;
use mirror_plan::resource::mirror_filter::{Rule as FilterRule, Rules as FilterRules};
use mirror_plan::resource::security_group::{Peer, Rule, Rules};
use mirror_plan::resource::target_group::HealthCheck;
use mirror_plan::resource::{
    Instance, LoadBalancer, MirrorFilter, SecurityGroup, Subnet, Tags, TargetGroup, Vpc,
};
use mirror_plan::scalar::{
    Ami, DeregistrationDelay, Direction, ElbProtocol, HealthPort, HopLimit, Port, PortRange,
    Protocol, RuleAction, RuleNumber, Scheme,
};
use mirror_plan::value::Origin;

use crate::aws_bench::Bench;

pub(crate) fn to<T: Referable>(address: &Address) -> Ref<T> {
    Ref::To(address.clone())
}

pub(crate) fn named(name: &str) -> Tags {
    Tags::from([("Name".to_owned(), name.to_owned()), ("team".to_owned(), String::new())])
}

pub(crate) fn vpc() -> Vpc {
    Vpc {
        cidr: "10.0.0.0/16".parse().unwrap(),
        dns_support: true,
        dns_hostnames: true,
        tags: named("lab"),
    }
}

pub(crate) fn subnet(vpc: &Address, cidr: &str) -> Subnet {
    Subnet {
        vpc: to(vpc),
        cidr: cidr.parse().unwrap(),
        availability_zone: None,
        public_ip_on_launch: true,
        tags: named("subnet"),
    }
}

pub(crate) fn group(vpc: &Address, ingress: Vec<Rule>) -> SecurityGroup {
    SecurityGroup {
        vpc: to(vpc),
        name: None,
        description: None,
        open_to_world: None,
        ingress: Rules(ingress),
        egress: Rules(vec![Rule::allow_all_egress()]),
        tags: named("group"),
    }
}

pub(crate) fn udp_4789(peer: Peer, description: Option<&str>) -> Rule {
    Rule {
        protocol: Protocol::UDP,
        port: PortRange::new(4789, 4789),
        peer,
        description: description.map(str::to_owned),
    }
}

pub(crate) fn instance(subnet: &Address, group: &Address) -> Instance {
    Instance {
        ami: Some(Ami::Parameter(Ami::AMAZON_LINUX.to_owned())),
        instance_type: "t3.micro".parse().unwrap(),
        subnet: to(subnet),
        security_groups: vec![to(group)],
        public: Some(true),
        private_ip: Some("10.0.1.20".parse().unwrap()),
        key_name: None,
        user_data: Some(Input::Known("#!/bin/sh\necho grüße\n".into())),
        source_dest_check: false,
        imdsv2_required: true,
        imds_hop_limit: HopLimit::MIN,
        root_encrypted: Some(true),
        tags: named("web"),
    }
}

/// A VPC with a subnet and a security group.
pub(crate) async fn network(bench: &mut Bench) -> (Address, Address, Address) {
    let vpc = bench.make("vpc.lab", vpc()).await;
    let subnet = bench.make("subnet.a", subnet(&vpc, "10.0.1.0/24")).await;
    let group = bench.make("security_group.in", group(&vpc, Vec::new())).await;
    (vpc, subnet, group)
}

pub(crate) fn id_of(address: &Address) -> Origin {
    Origin { address: address.clone(), attribute: "id".to_owned() }
}

pub(crate) fn health(port: HealthPort) -> HealthCheck {
    HealthCheck { port, ..HealthCheck::aws_default() }
}

pub(crate) fn target_group(vpc: &Address, targets: Vec<Ref<Instance>>) -> TargetGroup {
    TargetGroup {
        name: None,
        vpc: to(vpc),
        protocol: ElbProtocol::Udp,
        port: Port::new(4789).unwrap(),
        health_check: health(HealthPort::Port(Port::new(22).unwrap())),
        targets,
        deregistration_delay: DeregistrationDelay::new(0).unwrap(),
        stickiness: true,
        tags: named("sensors"),
    }
}

pub(crate) fn load_balancer(
    subnet: &Address,
    group: &Address,
    listeners: Vec<Listener>,
) -> LoadBalancer {
    LoadBalancer {
        name: None,
        scheme: Scheme::Internal,
        subnets: vec![to(subnet)],
        security_groups: vec![to(group)],
        cross_zone: true,
        deletion_protection: false,
        listeners,
        tags: named("sensors"),
    }
}

pub(crate) fn listener(port: u16, target_group: &Address) -> Listener {
    Listener {
        port: Port::new(port).unwrap(),
        protocol: ElbProtocol::Udp,
        target_group: to(target_group),
    }
}

pub(crate) fn filter_rule(direction: Direction, number: u16) -> FilterRule {
    FilterRule {
        direction,
        number: RuleNumber::new(number).unwrap(),
        action: RuleAction::Accept,
        protocol: Protocol::TCP,
        source: "0.0.0.0/0".parse().unwrap(),
        destination: "10.0.0.0/8".parse().unwrap(),
        source_port: None,
        destination_port: PortRange::new(80, 443),
        description: Some("web".to_owned()),
    }
}

pub(crate) fn filter(rules: Vec<FilterRule>) -> MirrorFilter {
    MirrorFilter {
        description: Some(Input::Known("Web traffic".to_owned())),
        amazon_dns: true,
        rules: FilterRules(rules),
        tags: named("web"),
    }
}
