//! How long the data plane takes for a frame, through security groups, three sessions of ten rules, the copy and the
//! load balancer's flow.
//!
//! `cargo bench -p mirror-local --bench data_plane`

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mirror_local::data_plane::{Carried, DataPlane, Fate, Mirrored};
use mirror_local::{Cloud, Durations, Settings};

const REGION: &str = "us-east-1";

/// How many flows the frames belong to, which is how many the tables must hold.
const FLOWS: u16 = 1_000;

/// Makes calls of EC2 and Elastic Load Balancing.
struct Client(Cloud);

impl Client {
    fn new() -> Self {
        let mut settings = Settings::default();
        settings.durations = Durations::instant();
        Self(Cloud::in_memory().with_settings(settings))
    }

    /// Makes a call; returns the text of the first element called `name` in the answer.
    fn call(&self, version: &str, call: &str, name: &str) -> String {
        let request = http::Request::post("/").body(()).expect("it is a request");
        let (head, ()) = request.into_parts();
        let body = format!("Version={version}&Action={call}");
        let response = self.0.call(&head, body.as_bytes()).response.expect("nothing drops it");
        assert_eq!(response.status, 200, "{call}: {}", response.body);
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let found = response.body.split_once(&open).and_then(|(_, rest)| rest.split_once(&close));
        found.map(|(text, _)| text.to_owned()).unwrap_or_default()
    }

    fn ec2(&self, call: &str, name: &str) -> String {
        self.call("2016-11-15", call, name)
    }

    fn elb(&self, call: &str, name: &str) -> String {
        self.call("2015-12-01", call, name)
    }

    /// Launches an instance; returns its id and that of its interface.
    fn instance(&self, subnet: &str) -> (String, String) {
        let image = self.ec2("DescribeImages", "imageId");
        let run = format!(
            "RunInstances&ImageId={image}&InstanceType=t3.micro&MinCount=1&MaxCount=1&SubnetId={subnet}"
        );
        let instance = self.ec2(&run, "instanceId");
        let described = format!("DescribeInstances&InstanceId.1={instance}");
        let interface = self.ec2(&described, "networkInterfaceId");
        (instance, interface)
    }

    /// Makes the load balancer and what is behind it; returns the mirror target.
    fn target(&self, subnet: &str) -> String {
        let (sensor, _) = self.instance(subnet);
        let group = self.ec2("DescribeSecurityGroups", "groupId");
        for (protocol, port) in [("udp", 4789), ("tcp", 80)] {
            let ingress = format!(
                "AuthorizeSecurityGroupIngress&GroupId={group}&IpPermissions.1.IpProtocol={protocol}\
                 &IpPermissions.1.FromPort={port}&IpPermissions.1.ToPort={port}\
                 &IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0"
            );
            self.ec2(&ingress, "return");
        }
        let vpc = self.ec2("DescribeVpcs", "vpcId");
        let behind = self.elb(
            &format!(
                "CreateTargetGroup&Name=g&Protocol=UDP&Port=4789&VpcId={vpc}&HealthCheckPort=80"
            ),
            "TargetGroupArn",
        );
        let balancer = self.elb(
            &format!(
                "CreateLoadBalancer&Name=l&Type=network&Scheme=internal&Subnets.member.1={subnet}"
            ),
            "LoadBalancerArn",
        );
        self.elb(
            &format!("RegisterTargets&TargetGroupArn={behind}&Targets.member.1.Id={sensor}"),
            "",
        );
        self.elb(
            &format!(
                "CreateListener&LoadBalancerArn={balancer}&Protocol=UDP&Port=4789\
                 &DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={behind}"
            ),
            "",
        );
        let target = format!("CreateTrafficMirrorTarget&NetworkLoadBalancerArn={balancer}");
        self.ec2(&target, "trafficMirrorTargetId")
    }

    /// Makes a session of ten rules; only the last rule of the last session matches.
    fn session(&self, source: &str, target: &str, number: u32) {
        let filter = self.ec2("CreateTrafficMirrorFilter", "trafficMirrorFilterId");
        for rule in 1..=10 {
            let matches = number == 3 && rule == 10;
            let from = if matches { "0.0.0.0/0" } else { "192.0.2.0/24" };
            let rule = format!(
                "CreateTrafficMirrorFilterRule&TrafficMirrorFilterId={filter}&TrafficDirection=egress\
                 &RuleNumber={rule}&RuleAction=accept&SourceCidrBlock={from}\
                 &DestinationCidrBlock=0.0.0.0/0&Protocol=6"
            );
            self.ec2(&rule, "");
        }
        let session = format!(
            "CreateTrafficMirrorSession&NetworkInterfaceId={source}&TrafficMirrorTargetId={target}\
             &TrafficMirrorFilterId={filter}&SessionNumber={number}"
        );
        self.ec2(&session, "");
    }
}

/// A source with as many sessions and rules as AWS allows, and its address.
fn fullest() -> (DataPlane, [u8; 4]) {
    let client = Client::new();
    let subnet = client.ec2("DescribeSubnets", "subnetId");
    let (_, source) = client.instance(&subnet);
    let target = client.target(&subnet);
    (1..=3).for_each(|number| client.session(&source, &target, number));
    let plane = DataPlane::of(&client.0, REGION, 9001).expect("a cloud in memory can be read");
    let interface = plane.interfaces().iter().find(|it| it.id() == source);
    let address = interface.expect("the source is there").primary().octets();
    (plane, address)
}

/// Frames that a host sends, each of a different flow.
fn frames(host: [u8; 4], length: usize) -> Vec<Vec<u8>> {
    (0..FLOWS)
        .map(|flow| {
            let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0];
            let total = u16::try_from(length - 14).expect("a frame is short");
            frame.extend(total.to_be_bytes());
            frame.extend([0, 0, 0, 0, 64, 6, 0, 0]);
            frame.extend([host, [198, 51, 100, 9]].concat());
            frame.extend([(30_000 + flow).to_be_bytes(), 443_u16.to_be_bytes()].concat());
            frame.resize(length, 0);
            frame
        })
        .collect()
}

fn data_plane(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("data plane");
    group.throughput(Throughput::Elements(u64::from(FLOWS)));
    for length in [128, 1514] {
        let (mut plane, host) = fullest();
        let frames = frames(host, length);
        let mut time = 0;
        group.bench_function(format!("decide, wrap and carry {length} bytes"), |bencher| {
            bencher.iter(|| {
                let mut carried = 0_u32;
                for frame in &frames {
                    time += 1_000;
                    plane.offer(time, frame, |sighting| {
                        let Fate::Mirrored(copy) = black_box(sighting).fate else { return };
                        let Mirrored { carried: at, .. } = copy;
                        carried += u32::from(matches!(at, Carried::To(_)));
                    });
                }
                assert_eq!(carried, u32::from(FLOWS));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, data_plane);
criterion_main!(benches);
