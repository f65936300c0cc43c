//! What CloudWatch has counted: the library asks, and the local AWS answers from what a data plane did.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ec2::Client as Ec2;
use aws_sdk_ec2::types::{Filter, InstanceType};
use insta::assert_snapshot;
use mirror_local::data_plane::{Carried, DataPlane, Direction, Fate};
use mirror_local::traffic::{Host, Mix};
use mirror_local::{Bucket, Calls, Cloud, Fault, Faults, Meter, Policy, Settings};
use mirror_plan::aws::{ErrorKind, ObserveError, metrics};
use mirror_plan::iam::{Location, Purpose, policies};
use mirror_plan::metrics::{Metrics, Window};
use mirror_plan::observed::Observed;
use mirror_plan::plan::{Request, plan};
use mirror_plan::render::verify::{Probe, Text, json};
use mirror_plan::stack::Stack;
use mirror_plan::verify::{TargetGroups, Verification};
use mirror_tests::{REGION, Rig, config, lab, stack};

/// Returns the window of the last quarter of an hour, up to now.
fn window() -> Window {
    // A new second may begin between a call and its answer.
    let now = jiff::Timestamp::now() + Duration::from_secs(1);
    Window::before(now, 15)
}

async fn counted(rig: &Rig, observed: &Observed) -> Metrics {
    metrics(&rig.aws, observed, window()).await.unwrap()
}

/// What the data plane did, counted from its own reports.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sent {
    mirrored: [Volume; 2],
    balanced: Volume,
    flows: BTreeSet<(usize, u16)>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Volume {
    bytes: u64,
    packets: u64,
}

impl Volume {
    fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.packets += 1;
    }
}

/// Sends generated traffic through a cloud, without publishing its counters yet.
fn traffic(cloud: &Cloud) -> (DataPlane, Meter, Sent) {
    let mut plane = DataPlane::of(cloud, REGION, 9001).unwrap();
    let (mut meter, mut sent) = (Meter::default(), Sent::default());
    let mirrored = plane.interfaces().iter().filter(|it| !it.sessions().is_empty());
    let hosts = mirrored
        .map(|it| Host { address: it.primary(), resolver: it.resolver().unwrap() })
        .collect();
    for timed in Mix::new(7, hosts).take(2_000) {
        plane.offer(timed.time, &timed.frame, |sighting| {
            meter.see(&sighting, timed.frame.len());
            let Fate::Mirrored(copy) = sighting.fate else { return };
            let at = usize::from(sighting.direction == Direction::Egress);
            sent.mirrored[at].add(timed.frame.len());
            assert!(matches!(copy.carried, Carried::To(_)));
            sent.balanced.add(copy.packet.len());
            sent.flows.insert((sighting.interface, copy.wrapped.source_port));
        });
    }
    (plane, meter, sent)
}

async fn applied() -> Rig {
    let rig = Rig::instant();
    rig.converge(&lab()).await;
    rig
}

/// Returns what is shown of a stack with its counters: the text, and the metrics in JSON.
async fn shown(rig: &Rig, stack: &Stack) -> (String, serde_json::Value) {
    let observed = rig.observe(stack).await;
    let plan = plan(stack, &observed, &Request::default()).unwrap();
    let found = Verification::of(&plan, &observed, TargetGroups::default());
    let found = found.with_metrics(counted(rig, &observed).await);
    let document = json(&found, Probe::Unasked);
    assert_eq!(document["verified"], found.is_well());
    (Text::new(&found).to_string(), document["metrics"].clone())
}

#[tokio::test]
async fn what_a_data_plane_did_is_what_is_told() {
    let rig = applied().await;
    let observed = rig.observe(&lab()).await;
    let (plane, meter, sent) = traffic(&rig.cloud);
    assert!(sent.mirrored.iter().all(|it| it.packets > 50), "{sent:?}");
    meter.publish(&plane, &rig.cloud).unwrap();
    let told = counted(&rig, &observed).await;
    let [source] = told.sources.as_slice() else { panic!("{told:?}") };
    let volume = |bytes: Option<u64>, packets: Option<u64>| Volume {
        bytes: bytes.unwrap(),
        packets: packets.unwrap(),
    };
    let of = &source.mirrored;
    let mirrored = [volume(of.bytes_in, of.packets_in), volume(of.bytes_out, of.packets_out)];
    let [balancer] = told.balancers.as_slice() else { panic!("{told:?}") };
    assert_eq!(mirrored, sent.mirrored);
    assert_eq!(volume(balancer.bytes, balancer.packets), sent.balanced);
    assert_eq!(balancer.new_flows, Some(sent.flows.len() as u64));
    assert_eq!((source.skipped.packets(), source.skipped.bytes()), (Some(0), Some(0)));
    assert_eq!(balancer.groups[0].healthy, Some(2));
    assert_eq!(balancer.groups[0].unhealthy, Some(0));
    // Publishing a second time adds to the counters.
    let (plane, meter, _) = traffic(&rig.cloud);
    meter.publish(&plane, &rig.cloud).unwrap();
    let twice = counted(&rig, &observed).await;
    assert_eq!(twice.sources[0].mirrored.packets(), of.packets().map(|packets| 2 * packets));
    assert_eq!(twice.balancers[0].groups, balancer.groups);
}

#[tokio::test]
async fn where_nothing_was_published_there_is_no_data_and_no_zero() {
    let rig = applied().await;
    let observed = rig.observe(&lab()).await;
    let told = counted(&rig, &observed).await;
    let mut counters = Vec::new();
    let _told = told.map(|counter| counters.push(counter));
    assert_eq!(counters, vec![None; 14]);
    // What was published outside of the window is not counted.
    let (plane, meter, _) = traffic(&rig.cloud);
    meter.publish(&plane, &rig.cloud).unwrap();
    let long_ago = Window::before(jiff::Timestamp::now() - Duration::from_secs(3_600), 15);
    let told = metrics(&rig.aws, &observed, long_ago).await.unwrap();
    let mut counters = Vec::new();
    let _told = told.map(|counter| counters.push(counter));
    assert_eq!(counters, vec![None; 14]);
}

#[tokio::test]
async fn a_source_that_leaves_packets_out_is_a_fault() {
    let rig = applied().await;
    let (plane, mut meter, _) = traffic(&rig.cloud);
    let mirrored = plane.interfaces().iter().position(|it| !it.sessions().is_empty()).unwrap();
    meter.skip(mirrored, Direction::Ingress, 1_500);
    meter.skip(mirrored, Direction::Egress, 500);
    meter.publish(&plane, &rig.cloud).unwrap();
    let (text, json) = shown(&rig, &lab()).await;
    let fault = text.lines().find(|line| line.contains("fault")).unwrap();
    let id = fault.split(['(', ')']).nth(1).unwrap();
    assert_snapshot!(fault.replace(id, "i-ID"), @"  fault  instance.source-instance (i-ID) did not mirror 2 packets, 2000 bytes that its filters accept: other traffic needed its bandwidth");
    assert!(text.ends_with("\n\nNot verified: 1 fault.\n"), "{text}");
    assert_eq!(json["sources"][0]["skipped"]["bytes_in"], 1_500);
    assert_eq!(json["sources"][0]["skipped"]["packets_out"], 1);
}

#[tokio::test]
async fn an_answer_on_many_pages_is_read_to_its_end() {
    let rig = applied().await;
    let observed = rig.observe(&lab()).await;
    let (plane, meter, _) = traffic(&rig.cloud);
    meter.publish(&plane, &rig.cloud).unwrap();
    let calls = |rig: &Rig| {
        let log = rig.cloud.log().unwrap();
        log.iter().filter(|call| call.action == "GetMetricData").count()
    };
    let whole = counted(&rig, &observed).await;
    assert_eq!(calls(&rig), 1);
    let mut settings = Settings::default();
    settings.metric_data_points = 1;
    let paged = Rig::over(rig.cloud.clone().with_settings(settings));
    assert_eq!(counted(&paged, &observed).await.sources, whole.sources);
    assert_eq!(calls(&rig), 1 + 14);
}

/// One call accepts 500 counters, and a source has eight.
#[tokio::test]
async fn more_counters_than_one_call_takes_are_asked_for_in_several() {
    const MANY: &str = r#"
stack "many" { region = "eu-west-1" }
vpc "lab" { cidr = "10.0.0.0/16" }
subnet "a" {
  vpc  = vpc.lab
  cidr = "10.0.1.0/24"
}
instance "source" {
  count         = 70
  instance_type = "t3.micro"
  subnet        = subnet.a
}
instance "sensor" {
  instance_type = "t3.micro"
  subnet        = subnet.a
}
mirror_target "sensor" { network_interface = instance.sensor }
mirror_filter "all" { rules = [{ number = 1, action = "accept", direction = "ingress" }] }
mirror_session "all" {
  count  = 70
  source = instance.source[count.index]
  target = mirror_target.sensor
  filter = mirror_filter.all
  number = 1
}
"#;
    let mut settings = Settings::default();
    settings.durations = mirror_local::Durations::instant();
    settings.quotas.mirror_sources_per_target = 100;
    let rig = Rig::over(Cloud::in_memory().with_settings(settings));
    let many = stack(MANY);
    rig.converge(&many).await;
    let observed = rig.observe(&many).await;
    let plane = DataPlane::of(&rig.cloud, REGION, 9001).unwrap();
    Meter::default().publish(&plane, &rig.cloud).unwrap();
    let told = counted(&rig, &observed).await;
    assert_eq!(told.sources.len(), 70);
    assert!(told.sources.iter().all(|source| source.mirrored.packets() == Some(0)));
    let log = rig.cloud.log().unwrap();
    let queries = log.iter().filter(|call| call.action == "GetMetricData");
    let queries = queries.map(|call| call.parameters.matches(".Id=").count());
    assert_eq!(queries.collect::<Vec<_>>(), [500, 60]);
}

#[tokio::test(start_paused = true)]
async fn throttling_and_what_breaks_off_are_repeated_and_a_refusal_is_told() {
    let rig = applied().await;
    let observed = rig.observe(&lab()).await;
    let (plane, meter, _) = traffic(&rig.cloud);
    meter.publish(&plane, &rig.cloud).unwrap();
    let whole = counted(&rig, &observed).await;
    let calls = || Calls::Action("GetMetricData".to_owned());
    let faults = [
        Fault::refused("Throttling", 400),
        Fault::refused("InternalFailure", 500),
        Fault::dropped(mirror_local::Effect::None),
        Fault::truncated(700),
        Fault::truncated(1_500),
    ];
    for fault in faults {
        rig.cloud.set_faults(Faults::none().fail(calls(), 1, fault.clone()));
        assert_eq!(counted(&rig, &observed).await.sources, whole.sources, "{fault:?}");
    }
    let refused = Fault::refused("AccessDenied", 403);
    rig.cloud.set_faults(Faults::none().fail(calls(), 1, refused));
    let error = metrics(&rig.aws, &observed, window()).await.unwrap_err();
    let ObserveError::Call(call) = error else { panic!("{error}") };
    assert_eq!((call.call, call.kind), ("GetMetricData", ErrorKind::Denied));
    assert!(call.request_id.is_some(), "{call}");
    let bucket = Bucket { size: 0, refill_per_s: 0.0 };
    rig.cloud.set_faults(Faults::none().throttle(calls(), bucket));
    let error = metrics(&rig.aws, &observed, window()).await.unwrap_err();
    let ObserveError::Call(call) = error else { panic!("{error}") };
    assert_eq!(call.kind, ErrorKind::Throttled);
}

#[tokio::test]
async fn the_policy_for_metrics_is_enough_and_each_action_of_it_is_needed() {
    let rig = applied().await;
    // An interface that is not part of the stack: its instance must be looked up.
    let ec2 = Ec2::new(&config(&rig.cloud));
    let subnets = ec2.describe_subnets().send().await.unwrap();
    let subnet = subnets.subnets()[0].subnet_id().unwrap();
    let intel = Filter::builder().name("architecture").values("x86_64").build();
    let images = ec2.describe_images().owners("amazon").filters(intel).send().await.unwrap();
    let run = ec2.run_instances().image_id(images.images()[0].image_id().unwrap());
    let run = run.instance_type(InstanceType::T3Micro).subnet_id(subnet);
    let made = run.min_count(1).max_count(1).send().await.unwrap();
    let other = &made.instances()[0];
    let interface = other.network_interfaces()[0].network_interface_id().unwrap();
    let session = format!(
        "{}\nmirror_session \"other\" {{\n  source = \"{interface}\"\n  target = mirror_target.nlb-mirror-target\n  \
         filter = mirror_filter.traffic-mirror-filter\n  number = 1\n}}\n",
        include_str!("../../../examples/lab.mirror.hcl"),
    );
    let with_other = stack(&session);
    rig.converge(&with_other).await;
    let account = mirror_local::ACCOUNT.parse().unwrap();
    let location = Location { account, region: REGION.parse().unwrap() };
    let printed = policies(&with_other, &location, [Purpose::Metrics]);
    let attach = |without: &str| {
        let policies = printed.iter().map(|policy| {
            policy.to_string().replace(without, "ec2:Nothing").parse::<Policy>().unwrap()
        });
        rig.cloud.set_policies(policies.collect());
    };
    attach("nothing of it");
    let observed = rig.observe(&with_other).await;
    let told = counted(&rig, &observed).await;
    let ids: BTreeSet<&str> = told.sources.iter().map(|it| it.instance.as_str()).collect();
    assert!(ids.contains(other.instance_id().unwrap()), "{ids:?}");
    assert_eq!(told.sources.iter().filter(|source| source.address.is_none()).count(), 1);
    for action in ["cloudwatch:GetMetricData", "ec2:DescribeNetworkInterfaces"] {
        attach(action);
        let error = metrics(&rig.aws, &observed, window()).await.unwrap_err();
        let ObserveError::Call(call) = error else { panic!("{error}") };
        assert_eq!(call.kind, ErrorKind::Denied, "{action}");
    }
    let log = rig.cloud.log().unwrap();
    let call = log.iter().find(|call| call.action == "GetMetricData").unwrap();
    assert_eq!((call.service.as_str(), call.region.as_str()), ("monitoring", REGION));
}

#[tokio::test]
async fn an_interface_without_an_instance_is_told() {
    let rig = Rig::instant();
    let ec2 = Ec2::new(&config(&rig.cloud));
    let subnets = ec2.describe_subnets().send().await.unwrap();
    let subnet = subnets.subnets()[0].subnet_id().unwrap();
    let made = ec2.create_network_interface().subnet_id(subnet).send().await.unwrap();
    let interface = made.network_interface().unwrap().network_interface_id().unwrap().to_owned();
    let target = ec2.create_network_interface().subnet_id(subnet).send().await.unwrap();
    let target = target.network_interface().unwrap().network_interface_id().unwrap();
    let loose = stack(&format!(
        "stack \"loose\" {{ region = \"eu-west-1\" }}\n\
         mirror_target \"sensor\" {{ network_interface = \"{target}\" }}\n\
         mirror_filter \"all\" {{}}\n\
         mirror_session \"loose\" {{\n  source = \"{interface}\"\n  target = mirror_target.sensor\n  \
         filter = mirror_filter.all\n  number = 1\n}}\n"
    ));
    rig.converge(&loose).await;
    let (text, json) = shown(&rig, &loose).await;
    assert!(json["sources"].as_array().unwrap().is_empty());
    let line = text.lines().find(|line| line.contains("not attached")).unwrap();
    assert_snapshot!(line.replace(&interface, "eni-ID"), @"  mirror_session.loose: eni-ID is not attached to an instance, so nothing is counted");
    assert_eq!(json["unattached"][0]["interface"], interface);
}
