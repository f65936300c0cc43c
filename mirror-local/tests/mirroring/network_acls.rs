//! What network ACLs keep from arriving: frames at a source, copies on their way, health checks.

use crate::client::Client;
use mirror_local::data_plane::{Carried, DataPlane, Direction, Fate, Loss, Unmirrored};
use mirror_local::{Cloud, DEFAULT_REGION, Durations, Settings};
use proptest::prelude::*;
use std::net::Ipv4Addr;

const TCP: u8 = 6;
const UDP: u8 = 17;
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);

/// Two subnets in one zone of the default VPC, and a source in the first.
///
/// The security groups let everything through.
struct Stage {
    client: Client,
    near: String,
    far: String,
    source: Host,
}

/// An instance: its id, its interface, and the address of the interface.
struct Host {
    instance: String,
    interface: String,
    address: Ipv4Addr,
}

impl Stage {
    fn new() -> Self {
        let mut settings = Settings::default();
        settings.durations = Durations::instant();
        let client = Client::of(Cloud::in_memory().with_settings(settings));
        let (vpc, near) = (client.vpc(), client.subnets().remove(0));
        let described = client.ec2(format!("DescribeSubnets&SubnetId.1={near}"));
        let zone = described.text("availabilityZone");
        let far = client.ec2(format!(
            "CreateSubnet&VpcId={vpc}&CidrBlock=172.31.64.0/20&AvailabilityZone={zone}"
        ));
        let group = client.ec2("DescribeSecurityGroups").text("groupId");
        client.ec2(format!(
            "AuthorizeSecurityGroupIngress&GroupId={group}&IpPermissions.1.IpProtocol=-1\
             &IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0"
        ));
        let source = host(&client, &near);
        Self { far: far.text("subnetId"), client, near, source }
    }

    /// Mirrors all packets of the source to a mirror target.
    fn mirror_to(&self, target: &str) {
        let filter = self.client.filter();
        for direction in ["ingress", "egress"] {
            self.client.ec2(format!(
                "CreateTrafficMirrorFilterRule&TrafficMirrorFilterId={filter}&RuleNumber=1\
                 &TrafficDirection={direction}&RuleAction=accept&SourceCidrBlock=0.0.0.0/0\
                 &DestinationCidrBlock=0.0.0.0/0"
            ));
        }
        let rest = format!("TrafficMirrorFilterId={filter}&SessionNumber=1");
        self.client.session(&self.source.interface, target, &rest);
    }

    /// Gives a subnet an ACL that lets nothing through.
    fn close(&self, subnet: &str) -> String {
        let acl = self.client.ec2(format!("CreateNetworkAcl&VpcId={}", self.client.vpc()));
        let acl = acl.text("networkAclId");
        let told = self.client.ec2(format!(
            "DescribeNetworkAcls&Filter.1.Name=association.subnet-id&Filter.1.Value.1={subnet}"
        ));
        let place = told.texts("subnetId").iter().position(|it| it == subnet);
        let place = place.expect("it is asked for");
        let association = told.texts("networkAclAssociationId").swap_remove(place);
        self.client.ec2(format!(
            "ReplaceNetworkAclAssociation&AssociationId={association}&NetworkAclId={acl}"
        ));
        acl
    }

    /// Adds an entry such as `allow in 17 4789 172.31.0.0/20`.
    fn rule(&self, acl: &str, number: u16, words: &str) {
        let words: Vec<&str> = words.split(' ').collect();
        let [action, way, protocol, ports, block] = words[..] else { panic!("{words:?}") };
        let (from, to) = ports.split_once('-').unwrap_or((ports, ports));
        let egress = way == "out";
        self.client.ec2(format!(
            "CreateNetworkAclEntry&NetworkAclId={acl}&RuleNumber={number}&Egress={egress}\
             &Protocol={protocol}&RuleAction={action}&CidrBlock={block}\
             &PortRange.From={from}&PortRange.To={to}"
        ));
    }

    /// What currently becomes of a frame at the source.
    fn fate(&self, frame: &[u8]) -> String {
        self.fates([frame]).remove(0)
    }

    /// What becomes of frames at the source, one after another.
    fn fates<'f>(&self, frames: impl IntoIterator<Item = &'f [u8]>) -> Vec<String> {
        let mut plane = self.plane();
        frames.into_iter().map(|frame| told(&mut plane, &self.source, frame)).collect()
    }

    fn plane(&self) -> DataPlane {
        DataPlane::of(&self.client.cloud, DEFAULT_REGION, 9001).expect("it is in memory")
    }
}

/// Reports what a data plane does with a frame at a host.
fn told(plane: &mut DataPlane, at: &Host, frame: &[u8]) -> String {
    let place = plane.interfaces().iter().position(|it| it.id() == at.interface);
    let mut told = None;
    plane.offer(0, frame, |sighting| {
        if Some(sighting.interface) == place {
            told = Some(match sighting.fate {
                Fate::Unmirrored(why) => format!("{why:?}"),
                Fate::Mirrored(copy) => match copy.carried {
                    Carried::To(_) => "carried".to_owned(),
                    Carried::Lost(loss) => format!("lost: {}", loss.words()),
                },
            });
        }
    });
    told.expect("the host sees it")
}

fn host(client: &Client, subnet: &str) -> Host {
    let image = client.ec2("DescribeImages").text("imageId");
    let run = client.ec2(format!(
        "RunInstances&ImageId={image}&InstanceType=t3.micro&MinCount=1&MaxCount=1&SubnetId={subnet}"
    ));
    let address = run.text("privateIpAddress").parse().expect("it is an address");
    Host { instance: run.text("instanceId"), interface: run.text("networkInterfaceId"), address }
}

/// A frame with an IPv4 packet from one address and port to another.
///
/// If the protocol is TCP, the first packet opens a connection.
fn frame(
    protocol: u8,
    (from, from_port): (Ipv4Addr, u16),
    (to, to_port): (Ipv4Addr, u16),
    order: Order,
) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0, 0, 40, 0, 0];
    frame.extend([0, 0, 64, protocol, 0, 0]);
    frame.extend([from.octets(), to.octets()].concat());
    frame.extend([from_port.to_be_bytes(), to_port.to_be_bytes()].concat());
    frame.extend([0; 8]);
    let flags = match order {
        Order::First => 0x02,
        Order::Later => 0x10,
    };
    frame.extend([0x50, flags, 0, 0, 0, 0, 0, 0]);
    frame
}

#[derive(Clone, Copy)]
enum Order {
    First,
    Later,
}

/// A UDP frame from the source to an address.
fn sent(source: &Host, to: Ipv4Addr) -> Vec<u8> {
    frame(UDP, (source.address, 40_000), (to, 9), Order::First)
}

#[test]
fn copies_leave_one_subnet_and_come_into_another() {
    let stage = Stage::new();
    let receiver = host(&stage.client, &stage.far);
    stage.mirror_to(&stage.client.target_on(&receiver.interface));
    // The destination is in the subnet of the source, so that the ACL does not apply to the frame itself.
    let beside = Ipv4Addr::from_bits(stage.source.address.to_bits() ^ 1);
    let neighbour = sent(&stage.source, beside);
    let mut fates = vec![stage.fate(&neighbour)];
    let look = || stage.fate(&neighbour);
    let out = stage.close(&stage.near);
    fates.push(look());
    stage.rule(&out, 10, "allow out 17 4789 172.31.64.0/20");
    fates.push(look());
    let into = stage.close(&stage.far);
    fates.push(look());
    stage.rule(&into, 10, "allow in 17 4790-65535 0.0.0.0/0");
    fates.push(look());
    stage.rule(&into, 20, &format!("allow in 17 4789 {}/32", stage.source.address));
    fates.push(look());
    stage.rule(&into, 15, "deny in 17 0-65535 172.31.0.0/16");
    fates.push(look());
    insta::assert_snapshot!(fates.join("\n"), @"
    carried
    lost: refused by a network ACL
    carried
    lost: refused by a network ACL
    lost: refused by a network ACL
    carried
    lost: refused by a network ACL
    ");
}

#[test]
fn inside_a_subnet_no_acl_is_asked() {
    let stage = Stage::new();
    let receiver = host(&stage.client, &stage.near);
    stage.mirror_to(&stage.client.target_on(&receiver.interface));
    stage.close(&stage.near);
    let inside = sent(&stage.source, receiver.address);
    let outside = sent(&stage.source, OUTSIDE);
    let fates = stage.fates([&*inside, &outside]);
    assert_eq!(fates, ["carried", "RefusedByNetworkAcl"]);
}

#[test]
fn an_acl_at_the_source_remembers_nothing() {
    let stage = Stage::new();
    let receiver = host(&stage.client, &stage.near);
    stage.mirror_to(&stage.client.target_on(&receiver.interface));
    let acl = stage.close(&stage.near);
    stage.rule(&acl, 10, "allow in 6 443 0.0.0.0/0");
    let (own, peer) = (stage.source.address, OUTSIDE);
    let to = |port, order| frame(TCP, (peer, 50_000), (own, port), order);
    let from = |port| frame(TCP, (own, port), (peer, 50_000), Order::Later);
    let frames = [to(443, Order::First), from(443), to(443, Order::Later), to(22, Order::First)];
    let fates = stage.fates(frames.iter().map(Vec::as_slice));
    assert_eq!(fates, ["carried", "RefusedByNetworkAcl", "carried", "RefusedByNetworkAcl"]);
    stage.rule(&acl, 10, "allow out 6 1024-65535 0.0.0.0/0");
    // A connection whose first packet did not arrive carries nothing later.
    let frames = [to(443, Order::First), from(443), to(22, Order::First), from(22)];
    let fates = stage.fates(frames.iter().map(Vec::as_slice));
    assert_eq!(fates, ["carried", "carried", "RefusedByNetworkAcl", "Refused"]);
}

#[test]
fn services_of_aws_are_of_no_matter_to_an_acl() {
    let stage = Stage::new();
    let receiver = host(&stage.client, &stage.near);
    stage.mirror_to(&stage.client.target_on(&receiver.interface));
    stage.close(&stage.near);
    let metadata = sent(&stage.source, Ipv4Addr::new(169, 254, 169, 254));
    let resolver = (Ipv4Addr::new(172, 31, 0, 2), 53);
    let dns = frame(UDP, (stage.source.address, 40_000), resolver, Order::First);
    let fates = stage.fates([&*metadata, &dns]);
    assert_eq!(fates, ["Reserved(InstanceMetadata)", "AmazonDnsUnasked"]);
}

/// Puts a receiver in the far subnet behind a load balancer in the near one; returns its target group.
fn behind(stage: &Stage) -> String {
    let client = &stage.client;
    let (balancer, group) = (client.load_balancer("sensors"), client.target_group("sensors"));
    let receiver = host(client, &stage.far).instance;
    client.elb(format!("RegisterTargets&TargetGroupArn={group}&Targets.member.1.Id={receiver}"));
    client.elb(format!(
        "CreateListener&LoadBalancerArn={balancer}&Protocol=UDP&Port=4789\
         &DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={group}"
    ));
    let target = client.ec2(format!("CreateTrafficMirrorTarget&NetworkLoadBalancerArn={balancer}"));
    stage.mirror_to(&target.text("trafficMirrorTargetId"));
    group
}

#[test]
fn health_checks_and_copies_go_from_the_load_balancer_to_its_targets() {
    let stage = Stage::new();
    let group = behind(&stage);
    let frame = sent(&stage.source, OUTSIDE);
    let mut told = Vec::new();
    let mut look = |what: &str| {
        let health = stage.client.elb(format!("DescribeTargetHealth&TargetGroupArn={group}"));
        told.push(format!("{what}: {}, {}", health.text("State"), stage.fate(&frame)));
    };
    look("default ACLs");
    let acl = stage.close(&stage.far);
    look("nothing at the target");
    stage.rule(&acl, 10, "allow in 17 4789 172.31.0.0/16");
    look("copies");
    stage.rule(&acl, 20, "allow in 6 80 172.31.0.0/16");
    look("copies and checks");
    stage.rule(&acl, 10, "allow out 6 1025-65535 172.31.0.0/16");
    look("copies, checks and most of their answers");
    stage.rule(&acl, 20, "allow out 6 1024 172.31.0.0/16");
    look("copies, checks and their answers");
    let acl = stage.close(&stage.near);
    stage.rule(&acl, 10, "allow out 17 0-65535 0.0.0.0/0");
    look("no checks out of the node's subnet");
    stage.rule(&acl, 20, "allow out 6 80 0.0.0.0/0");
    look("no answers into it");
    stage.rule(&acl, 10, "allow in 6 1024-65535 172.31.64.0/20");
    look("all of them");
    stage.rule(&acl, 5, "deny out 17 4789 172.31.64.0/20");
    look("no copies out of it");
    insta::assert_snapshot!(told.join("\n"), @"
    default ACLs: healthy, carried
    nothing at the target: unhealthy, lost: refused by a network ACL behind the load balancer
    copies: unhealthy, carried
    copies and checks: unhealthy, carried
    copies, checks and most of their answers: unhealthy, carried
    copies, checks and their answers: healthy, carried
    no checks out of the node's subnet: unhealthy, carried
    no answers into it: unhealthy, carried
    all of them: healthy, carried
    no copies out of it: healthy, lost: refused by a network ACL behind the load balancer
    ");
}

/// An endpoint of a Gateway Load Balancer in the second subnet of the default VPC, and its target group.
fn endpoint(stage: &Stage) -> (String, String) {
    let client = &stage.client;
    let vpc = client.vpc();
    let balancer = client
        .elb(format!("CreateLoadBalancer&Name=g&Type=gateway&Subnets.member.1={}", stage.near));
    let balancer = balancer.text("LoadBalancerArn");
    let group = client
        .elb(format!("CreateTargetGroup&Name=g&Protocol=GENEVE&Port=6081&VpcId={vpc}"))
        .text("TargetGroupArn");
    client.elb(format!(
        "CreateListener&LoadBalancerArn={balancer}&DefaultActions.member.1.Type=forward\
         &DefaultActions.member.1.TargetGroupArn={group}"
    ));
    let service = client.ec2(format!(
        "CreateVpcEndpointServiceConfiguration&AcceptanceRequired=false\
         &GatewayLoadBalancerArn.1={balancer}"
    ));
    let service = service.text("serviceId");
    let endpoint = client.ec2(format!(
        "CreateVpcEndpoint&VpcEndpointType=GatewayLoadBalancer&VpcId={vpc}&SubnetId.1={}\
         &ServiceName=com.amazonaws.vpce.us-east-1.{service}",
        stage.near
    ));
    (endpoint.text("vpcEndpointId"), group)
}

#[test]
fn copies_go_over_an_endpoint_to_targets_in_geneve() {
    let mut stage = Stage::new();
    let (endpoint, group) = endpoint(&stage);
    // The source is in a third subnet, the receiver in a fourth.
    stage.source = host(&stage.client, &stage.client.subnets()[1]);
    let receiver = host(&stage.client, &stage.far).instance;
    let register = format!("RegisterTargets&TargetGroupArn={group}&Targets.member.1.Id={receiver}");
    stage.client.elb(register);
    let target = format!("CreateTrafficMirrorTarget&GatewayLoadBalancerEndpointId={endpoint}");
    stage.mirror_to(&stage.client.ec2(target).text("trafficMirrorTargetId"));
    let frame = sent(&stage.source, OUTSIDE);
    let mut fates = vec![stage.fate(&frame)];
    let near = stage.close(&stage.near);
    fates.push(stage.fate(&frame));
    stage.rule(&near, 10, &format!("allow in 17 4789 {}/32", stage.source.address));
    fates.push(stage.fate(&frame));
    stage.rule(&near, 10, "allow out 17 6081 172.31.64.0/20");
    fates.push(stage.fate(&frame));
    let far = stage.close(&stage.far);
    fates.push(stage.fate(&frame));
    // The copy comes from the node, not from the source.
    stage.rule(&far, 10, &format!("allow in 17 6081 {}/32", stage.source.address));
    fates.push(stage.fate(&frame));
    stage.rule(&far, 20, "allow in 17 6081 172.31.0.0/16");
    fates.push(stage.fate(&frame));
    insta::assert_snapshot!(fates.join("\n"), @"
    carried
    lost: refused by a network ACL
    lost: refused by a network ACL behind the load balancer
    carried
    lost: refused by a network ACL behind the load balancer
    lost: refused by a network ACL behind the load balancer
    carried
    ");
}

#[test]
fn every_loss_is_told_in_words_of_its_own() {
    let mut words = Loss::ALL.map(Loss::words).to_vec();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Loss::ALL.len());
    assert!(Loss::ALL.is_sorted());
}

/// A rule as the test models it.
#[derive(Debug, Clone)]
struct Rule {
    number: u16,
    direction: Direction,
    allows: bool,
    protocol: Option<u8>,
    ports: (u16, u16),
    block: (Ipv4Addr, u8),
}

/// A packet to or from a peer.
#[derive(Debug, Clone)]
struct Packet {
    direction: Direction,
    protocol: u8,
    peer: Ipv4Addr,
    port: u16,
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Ingress), Just(Direction::Egress)]
}

fn peer() -> impl Strategy<Value = Ipv4Addr> {
    (0..4_u8).prop_map(|last| Ipv4Addr::new(198, 51, 100, last))
}

fn rule() -> impl Strategy<Value = Rule> {
    let protocol = prop_oneof![Just(None), Just(Some(TCP)), Just(Some(UDP)), Just(Some(47))];
    let block = (peer(), prop_oneof![Just(0), Just(24), Just(31), Just(32)]);
    (1..9_u16, direction(), any::<bool>(), protocol, (1..6_u16, 0..3_u16), block).prop_map(
        |(number, direction, allows, protocol, (from, more), block)| Rule {
            number,
            direction,
            allows,
            protocol,
            ports: (from, from + more),
            block,
        },
    )
}

fn packet() -> impl Strategy<Value = Packet> {
    let protocol = prop_oneof![Just(TCP), Just(UDP), Just(47)];
    (direction(), protocol, peer(), 1..9_u16).prop_map(|(direction, protocol, peer, port)| Packet {
        direction,
        protocol,
        peer,
        port,
    })
}

impl Rule {
    fn matches(&self, packet: &Packet) -> bool {
        let (block, length) = self.block;
        let shift = 32 - u32::from(length);
        let start = |address: Ipv4Addr| u64::from(address.to_bits()) >> shift;
        let has_ports = matches!(self.protocol, Some(TCP | UDP));
        self.direction == packet.direction
            && self.protocol.is_none_or(|protocol| protocol == packet.protocol)
            && start(block) == start(packet.peer)
            && (!has_ports || (self.ports.0..=self.ports.1).contains(&packet.port))
    }

    fn words(&self) -> String {
        let Self { direction, allows, protocol, ports, block, .. } = self;
        let action = if *allows { "allow" } else { "deny" };
        let way = if *direction == Direction::Egress { "out" } else { "in" };
        let protocol = protocol.map_or(-1, i32::from);
        format!("{action} {way} {protocol} {}-{} {}/{}", ports.0, ports.1, block.0, block.1)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_lowest_number_that_matches_decides(
        rules in prop::collection::vec(rule(), 0..8),
        packets in prop::collection::vec(packet(), 1..12),
    ) {
        let stage = Stage::new();
        let acl = stage.close(&stage.near);
        let mut there: Vec<Rule> = Vec::new();
        for rule in rules {
            if there.iter().all(|it| (it.direction, it.number) != (rule.direction, rule.number)) {
                stage.rule(&acl, rule.number, &rule.words());
                there.push(rule);
            }
        }
        there.sort_by_key(|rule| rule.number);
        let mut plane = stage.plane();
        for packet in packets {
            let (own, peer) = ((stage.source.address, 1), (packet.peer, packet.port));
            let frame = match packet.direction {
                Direction::Egress => frame(packet.protocol, own, peer, Order::Later),
                Direction::Ingress => {
                    let own = (stage.source.address, packet.port);
                    frame(packet.protocol, (packet.peer, 1), own, Order::Later)
                }
            };
            let first = there.iter().find(|rule| rule.matches(&packet));
            let is_allowed = first.is_some_and(|rule| rule.allows);
            let told = told(&mut plane, &stage.source, &frame);
            let refused = format!("{:?}", Unmirrored::RefusedByNetworkAcl);
            prop_assert_eq!(told != refused, is_allowed, "{:?} by {:?}", packet, there);
        }
    }
}
