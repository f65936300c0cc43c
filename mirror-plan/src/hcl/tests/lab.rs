//! The reference stack.

use insta::assert_snapshot;

use super::*;

/// The reference stack, which the documents show and `mirror init` writes.
const LAB: &str = include_str!("../../../../examples/lab.mirror.hcl");

#[test]
fn the_lab_is_the_set_up_of_the_guide() {
    let file = StackFile::parse(source(LAB)).unwrap();
    let (stack, warnings) = file.stack(&Inputs::new()).unwrap();
    assert!(warnings.is_empty(), "{warnings}");
    let resources = stack.resources.iter().map(|(address, declared)| {
        let Value::Object(members) = declared.resource.to_value() else { unreachable!() };
        let given = members.iter().filter(|(_, value)| **value != Value::Null);
        let given: String = given.map(|(name, value)| format!("    {name} = {value}\n")).collect();
        format!("{address}\n{given}")
    });
    let outputs = stack.outputs.iter();
    let outputs = outputs.map(|(name, output)| format!("output.{name} = {}\n", output.value));
    assert_snapshot!(resources.chain(outputs).collect::<String>(), @r#"
    vpc.my-traffic-mirroring-vpc
        cidr = "10.0.0.0/16"
        dns_hostnames = true
        dns_support = true
        tags = { Name = "my-traffic-mirroring-vpc" }
    subnet.source-subnet
        cidr = "10.0.1.0/24"
        public_ip_on_launch = false
        tags = { Name = "source-subnet" }
        vpc = (known after apply: vpc.my-traffic-mirroring-vpc.id)
    subnet.target-subnet
        cidr = "10.0.2.0/24"
        public_ip_on_launch = false
        tags = { Name = "target-subnet" }
        vpc = (known after apply: vpc.my-traffic-mirroring-vpc.id)
    internet_gateway.internet
        tags = { Name = "internet" }
        vpc = (known after apply: vpc.my-traffic-mirroring-vpc.id)
    route_table.public
        routes = [{ destination = "0.0.0.0/0", internet_gateway = (known after apply: internet_gateway.internet.id), target = null, transit_gateway = null, vpc_peering = null }]
        subnets = [(known after apply: subnet.source-subnet.id), (known after apply: subnet.target-subnet.id)]
        tags = { Name = "public" }
        vpc = (known after apply: vpc.my-traffic-mirroring-vpc.id)
    security_group.source
        egress = [{ cidrs = ["0.0.0.0/0"], description = null, port = null, protocol = "all", security_groups = [] }]
        ingress = [{ cidrs = ["10.0.0.0/16"], description = null, port = 22, protocol = "tcp", security_groups = [] }]
        tags = { Name = "source" }
        vpc = (known after apply: vpc.my-traffic-mirroring-vpc.id)
    security_group.target
        egress = [{ cidrs = ["0.0.0.0/0"], description = null, port = null, protocol = "all", security_groups = [] }]
        ingress = [{ cidrs = ["10.0.0.0/16"], description = null, port = 22, protocol = "tcp", security_groups = [] }, { cidrs = ["10.0.2.0/24"], description = null, port = 80, protocol = "tcp", security_groups = [] }, { cidrs = ["10.0.1.0/24"], description = null, port = 4789, protocol = "udp", security_groups = [] }]
        tags = { Name = "target" }
        vpc = (known after apply: vpc.my-traffic-mirroring-vpc.id)
    instance.source-instance
        imds_hop_limit = 1
        imdsv2_required = true
        instance_type = "t3.micro"
        public = true
        root_encrypted = true
        security_groups = [(known after apply: security_group.source.id)]
        source_dest_check = true
        subnet = (known after apply: subnet.source-subnet.id)
        tags = { Name = "source-instance" }
    instance.target-instance-1
        imds_hop_limit = 1
        imdsv2_required = true
        instance_type = "t3.micro"
        root_encrypted = true
        security_groups = [(known after apply: security_group.target.id)]
        source_dest_check = true
        subnet = (known after apply: subnet.target-subnet.id)
        tags = { Name = "target-instance-1" }
        user_data = (sensitive, sha256:143df538...)
    instance.target-instance-2
        imds_hop_limit = 1
        imdsv2_required = true
        instance_type = "t3.micro"
        root_encrypted = true
        security_groups = [(known after apply: security_group.target.id)]
        source_dest_check = true
        subnet = (known after apply: subnet.target-subnet.id)
        tags = { Name = "target-instance-2" }
        user_data = (sensitive, sha256:143df538...)
    target_group.targets
        deregistration_delay = 300
        health_check = { healthy_threshold = 5, interval = 30, path = null, port = 80, protocol = "tcp", timeout = null, unhealthy_threshold = 2 }
        port = 4789
        protocol = "udp"
        stickiness = false
        tags = { Name = "targets" }
        targets = [(known after apply: instance.target-instance-1.id), (known after apply: instance.target-instance-2.id)]
        vpc = (known after apply: vpc.my-traffic-mirroring-vpc.id)
    load_balancer.my-traffic-mirroring-nlb
        cross_zone = false
        deletion_protection = false
        listeners = [{ port = 4789, protocol = "udp", target_group = (known after apply: target_group.targets.id) }]
        scheme = "internal"
        security_groups = []
        subnets = [(known after apply: subnet.target-subnet.id)]
        tags = { Name = "my-traffic-mirroring-nlb" }
    mirror_target.nlb-mirror-target
        load_balancer = (known after apply: load_balancer.my-traffic-mirroring-nlb.id)
        tags = { Name = "nlb-mirror-target" }
    mirror_filter.traffic-mirror-filter
        amazon_dns = false
        rules = [{ action = "reject", description = null, destination = "0.0.0.0/0", destination_port = 22, direction = "ingress", number = 10, protocol = "tcp", source = "0.0.0.0/0", source_port = null }, { action = "reject", description = null, destination = "0.0.0.0/0", destination_port = null, direction = "egress", number = 10, protocol = "tcp", source = "0.0.0.0/0", source_port = 22 }, { action = "accept", description = null, destination = "0.0.0.0/0", destination_port = null, direction = "ingress", number = 100, protocol = "tcp", source = "0.0.0.0/0", source_port = null }, { action = "accept", description = null, destination = "0.0.0.0/0", destination_port = null, direction = "egress", number = 100, protocol = "tcp", source = "0.0.0.0/0", source_port = null }]
        tags = { Name = "traffic-mirror-filter" }
    mirror_session.my-traffic-mirror-session
        filter = (known after apply: mirror_filter.traffic-mirror-filter.id)
        number = 1
        source = (known after apply: instance.source-instance.network_interface)
        tags = { Name = "my-traffic-mirror-session" }
        target = (known after apply: mirror_target.nlb-mirror-target.id)
    output.load_balancer = (known after apply: load_balancer.my-traffic-mirroring-nlb.dns_name)
    output.ssh = (known after apply: instance.source-instance.public_ip)
    output.vni = (known after apply: mirror_session.my-traffic-mirror-session.vni)
    "#);
}

#[test]
fn the_lab_is_short() {
    assert!(LAB.lines().count() <= 110, "{}", LAB.lines().count());
}

#[test]
fn the_lab_lets_ssh_in_from_where_it_is_told() {
    let file = StackFile::parse(source(LAB)).unwrap();
    let (stack, _) = file.stack(&Inputs::new().assignment("ssh_cidr=203.0.113.7/32")).unwrap();
    let group = &stack.resources[&"security_group.source".parse().unwrap()];
    assert_snapshot!(crate::value::value_at(
        &group.resource.to_value(),
        &crate::value::Path::default().member("ingress").index(0).member("cidrs"),
    ).unwrap(), @r#"["203.0.113.7/32"]"#);
}
