//! A thousand scenes made from a seed, each with a mix of traffic: interfaces with sessions, made in the local AWS
//! call by call and given to the trace directly. No SDK and no socket is in between, so the test takes seconds.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use mirror_local::data_plane::DataPlane;
use mirror_local::traffic::{Host, Mix};
use mirror_local::{Cloud, DEFAULT_REGION, Durations, Settings};
use mirror_plan::address::Address;
use mirror_plan::packet::trace::{
    Destination, Filter, Interface, Listening, Mirroring, Named, Session, Target,
};
use mirror_plan::resource::mirror_filter::{Rule, Rules};
use mirror_plan::scalar::{PacketLength, SessionNumber};
use serde_json::{Value as Json, json};

use super::foretold::{Compared, Foretold, MTU};

const SCENES: u64 = 1_000;

/// Frames that each scene gets.
const FRAMES: usize = 300;

/// The resolver of the default VPC, which is 172.31.0.0/16.
const RESOLVER: [u8; 4] = [172, 31, 0, 2];

const RANGES: [&str; 9] = [
    "0.0.0.0/0",
    "0.0.0.0/0",
    "0.0.0.0/0",
    "172.31.0.0/16",
    "172.31.0.0/20",
    "172.31.200.0/24",
    "192.0.2.0/24",
    "198.51.100.128/25",
    "203.0.113.0/24",
];
const PROTOCOLS: [&str; 6] = ["all", "all", "tcp", "udp", "icmp", "47"];
const PORTS: [(u16, u16); 6] =
    [(22, 22), (53, 53), (443, 443), (5432, 5432), (1, 1023), (32_768, 65_535)];

/// A new object: its id, and the form in which the trace has it.
type Made<T> = (String, T);

/// One scene in the making.
struct Scene {
    random: fastrand::Rng,
    cloud: Cloud,
    /// The id of each session.
    ids: BTreeMap<Address, String>,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let mut settings = Settings::default();
        settings.durations = Durations::instant();
        let cloud = Cloud::in_memory().with_settings(settings);
        Self { random: fastrand::Rng::with_seed(seed), cloud, ids: BTreeMap::new() }
    }

    /// Makes a call and returns the texts of all elements with this name in the answer.
    fn call(&self, version: &str, call: &str, name: &str) -> Vec<String> {
        let request = http::Request::post("/").body(()).unwrap();
        let (head, ()) = request.into_parts();
        let body = format!("Version={version}&Action={call}");
        let answer = self.cloud.call(&head, body.as_bytes()).response.unwrap();
        assert_eq!(answer.status, 200, "{call}: {}", answer.body);
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let behind = answer.body.split(&open).skip(1);
        behind.filter_map(|rest| Some(rest.split_once(&close)?.0.to_owned())).collect()
    }

    fn ec2(&self, call: &str, name: &str) -> Vec<String> {
        self.call("2016-11-15", call, name)
    }

    fn id(&self, call: &str, name: &str) -> String {
        self.ec2(call, name).into_iter().next().unwrap()
    }

    fn build(mut self) -> Foretold {
        if self.random.u8(0..4) > 0 {
            let group = self.id("DescribeSecurityGroups", "groupId");
            let all = format!(
                "AuthorizeSecurityGroupIngress&GroupId={group}&IpPermissions.1.IpProtocol=-1\
                 &IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0"
            );
            self.ec2(&all, "return");
        }
        let subnets = self.ec2("DescribeSubnets", "subnetId");
        let targets = self.targets(&subnets);
        let filters: Vec<Made<Filter>> =
            (0..self.random.usize(1..=3)).map(|number| self.filter(number)).collect();
        let sources = self.random.usize(1..=3);
        let mut interfaces: Vec<Interface> = (0..sources)
            .map(|source| self.source(source, &subnets, (&filters, &targets)))
            .collect();
        interfaces.sort_by(|a, b| a.name.cmp(&b.name));
        let plane = DataPlane::of(&self.cloud, DEFAULT_REGION, MTU).unwrap();
        Foretold::between(plane, Mirroring { interfaces }, self.ids)
    }

    /// Two mirror targets: an interface and a load balancer.
    fn targets(&mut self, subnets: &[String]) -> [Made<Target>; 2] {
        let target = |id: &str, destination| Target { name: Named::Id(id.to_owned()), destination };
        let interface = format!("CreateNetworkInterface&SubnetId={}", subnets[0]);
        let interface = self.id(&interface, "networkInterfaceId");
        let direct = format!("CreateTrafficMirrorTarget&NetworkInterfaceId={interface}");
        let direct = self.id(&direct, "trafficMirrorTargetId");
        let balancer = format!(
            "CreateLoadBalancer&Name=l&Type=network&Scheme=internal&Subnets.member.1={}",
            subnets[0]
        );
        let balancer = self.call("2015-12-01", &balancer, "LoadBalancerArn").remove(0);
        let balanced = format!("CreateTrafficMirrorTarget&NetworkLoadBalancerArn={balancer}");
        let balanced = self.id(&balanced, "trafficMirrorTargetId");
        let at_interface = Destination::NetworkInterface(Named::Id(interface));
        let at_balancer =
            Destination::LoadBalancer { name: Named::Id(balancer), listening: Listening::No };
        [
            (direct.clone(), target(&direct, at_interface)),
            (balanced.clone(), target(&balanced, at_balancer)),
        ]
    }

    fn filter(&mut self, number: usize) -> Made<Filter> {
        let id = self.id("CreateTrafficMirrorFilter", "trafficMirrorFilterId");
        let amazon_dns = self.random.bool();
        if amazon_dns {
            let dns = format!(
                "ModifyTrafficMirrorFilterNetworkServices&TrafficMirrorFilterId={id}\
                 &AddNetworkService.1=amazon-dns"
            );
            self.ec2(&dns, "return");
        }
        let count = self.random.u16(0..=10);
        let rules: Vec<Json> = (1..=count).map(|number| self.rule(&id, number)).collect();
        let Rules(mut rules) = serde_json::from_value(json!(rules)).unwrap();
        rules.sort_by_key(Rule::key);
        let address = format!("mirror_filter.f{number}").parse().unwrap();
        (id, Filter { address, rules, amazon_dns })
    }

    /// Makes a rule in the cloud, and returns it as the planner reads it.
    fn rule(&mut self, filter: &str, number: u16) -> Json {
        let mut pick = |of: &[&'static str]| of[self.random.usize(0..of.len())];
        let (source, destination) = (pick(&RANGES), pick(&RANGES));
        let (direction, action) =
            (pick(&["ingress", "egress"]), pick(&["accept", "accept", "reject"]));
        let protocol = pick(&PROTOCOLS);
        let mut ports = [None; 2];
        if matches!(protocol, "tcp" | "udp") {
            for ports in &mut ports {
                *ports = (self.random.u8(0..3) == 0).then(|| PORTS[self.random.usize(0..6)]);
            }
        }
        let mut call = format!(
            "CreateTrafficMirrorFilterRule&TrafficMirrorFilterId={filter}&RuleNumber={number}\
             &TrafficDirection={direction}&RuleAction={action}\
             &SourceCidrBlock={source}&DestinationCidrBlock={destination}"
        );
        let of_protocol = match protocol {
            "tcp" => "&Protocol=6",
            "udp" => "&Protocol=17",
            "icmp" => "&Protocol=1",
            "47" => "&Protocol=47",
            _ => "",
        };
        call.push_str(of_protocol);
        for (side, ports) in ["Source", "Destination"].into_iter().zip(ports) {
            if let Some((from, to)) = ports {
                write!(call, "&{side}PortRange.FromPort={from}&{side}PortRange.ToPort={to}")
                    .unwrap();
            }
        }
        self.ec2(&call, "trafficMirrorFilterRuleId");
        let [source_port, destination_port] =
            ports.map(|it| it.map(|(from, to)| format!("{from}-{to}")));
        json!({
            "direction": direction, "number": number, "action": action, "protocol": protocol,
            "source": source, "destination": destination,
            "source_port": source_port, "destination_port": destination_port,
        })
    }

    /// An interface with up to three sessions.
    fn source(
        &mut self,
        source: usize,
        subnets: &[String],
        (filters, targets): (&[Made<Filter>], &[Made<Target>]),
    ) -> Interface {
        let subnet = &subnets[self.random.usize(0..subnets.len())];
        let made = format!("CreateNetworkInterface&SubnetId={subnet}");
        let id = self.id(&made, "networkInterfaceId");
        let described = format!("DescribeNetworkInterfaces&NetworkInterfaceId.1={id}");
        let address: IpAddr = self.id(&described, "privateIpAddress").parse().unwrap();
        let mut numbers: Vec<u16> = (1..=9).collect();
        self.random.shuffle(&mut numbers);
        let count = self.random.usize(0..=3);
        let mut sessions: Vec<Session> = numbers[..count]
            .iter()
            .map(|number| {
                let (filter_id, filter) = &filters[self.random.usize(0..filters.len())];
                let (target_id, target) = &targets[self.random.usize(0..2)];
                let length = self.random.bool().then(|| self.random.u16(1..=8500));
                let of_length = length.map(|it| format!("&PacketLength={it}")).unwrap_or_default();
                let made = format!(
                    "CreateTrafficMirrorSession&NetworkInterfaceId={id}&SessionNumber={number}\
                     &TrafficMirrorTargetId={target_id}&TrafficMirrorFilterId={filter_id}{of_length}"
                );
                let session = self.id(&made, "trafficMirrorSessionId");
                let name = format!("mirror_session.i{source}n{number}");
                let address: Address = name.parse().unwrap();
                self.ids.insert(address.clone(), session);
                Session {
                    address,
                    number: SessionNumber::new(*number).unwrap(),
                    vni: None,
                    packet_length: length.and_then(PacketLength::new),
                    filter: filter.clone(),
                    target: target.clone(),
                }
            })
            .collect();
        sessions.sort_by_key(|session| session.number);
        let resolvers = [IpAddr::from(RESOLVER), [169, 254, 169, 253].into()];
        Interface {
            name: id.clone(),
            id: Some(id),
            addresses: vec![address],
            subnet: None,
            resolvers: resolvers.to_vec(),
            instance_type: None,
            sessions,
        }
    }
}

#[test]
fn a_thousand_scenes_do_what_the_trace_foretold() {
    let mut compared = Compared::default();
    for seed in 0..SCENES {
        let mut scene = Scene::new(seed).build();
        let hosts = scene.mirroring.interfaces.iter().flat_map(|it| &it.addresses);
        let hosts = hosts.map(|address| Host {
            address: address.to_string().parse().unwrap(),
            resolver: RESOLVER.into(),
        });
        for (at, mut timed) in Mix::new(seed, hosts.collect()).take(FRAMES).enumerate() {
            if at % 7 == 0 && timed.frame[12..14] == [0x08, 0x00] {
                timed.frame[20] |= 0x20; // A fragment, which shows no ports to the rules.
            }
            compared += scene.compare(timed.time, &timed.frame);
        }
    }
    println!("{SCENES} scenes: {compared:?}");
    let Compared { mirrored, cut, rejected, unmirrored, refused, unseen } = compared;
    // Each outcome was really tested.
    assert!([mirrored, cut, rejected, unmirrored, refused, unseen].iter().all(|it| *it > 1_000));
}
