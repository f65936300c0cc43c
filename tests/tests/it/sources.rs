//! Sources on a local AWS: what is found and in how many calls, and a day on which everything changes.

use aws_sdk_ec2::Client as Ec2;
use mirror_local::{Cloud, Durations, Settings};
use mirror_plan::address::Kind;
use mirror_plan::aws::in_the_way;
use mirror_plan::plan::{Action, Plan, Request, plan};
use mirror_tests::{Rig, config, stack};

mod churn;
mod estate;

use estate::Estate;

/// A stack that mirrors what carries the tag, through its own load balancer.
pub(crate) const SENSORS: &str = r#"
stack "sensors" { region = "eu-west-1" }
vpc "own" { cidr = "10.99.0.0/16" }
subnet "own" {
  vpc  = vpc.own
  cidr = "10.99.1.0/24"
}
load_balancer "sensors" { subnets = [subnet.own] }
sources "tagged" { tags = { mirror = "true" } }
mirror_target "sensors" { load_balancer = load_balancer.sensors }
mirror_filter "all" { rules = [{ number = 100, action = "accept" }] }
mirror_session "detect" {
  source = sources.tagged
  target = mirror_target.sensors
  filter = mirror_filter.all
  number = 1
  vni    = "1000..20000"
}
"#;

/// Two receivers in two zones; each session sends to the receiver in the zone of its source.
const BY_ZONE: &str = r#"
stack "sensors" { region = "eu-west-1" }
locals { zones = ["eu-west-1a", "eu-west-1b"] }
vpc "own" { cidr = "10.99.0.0/16" }
subnet "own" {
  count             = 2
  vpc               = vpc.own
  cidr              = cidrsubnet(vpc.own.cidr, 8, count.index)
  availability_zone = local.zones[count.index]
}
instance "sensor" {
  count         = 2
  instance_type = "m5.large"
  subnet        = subnet.own[count.index]
}
mirror_target "sensor" {
  count             = 2
  network_interface = instance.sensor[count.index]
}
sources "tagged" { tags = { mirror = "true" } }
mirror_filter "all" { rules = [{ number = 100, action = "accept" }] }
mirror_session "detect" {
  source = sources.tagged
  target = { for index, zone in local.zones : zone => mirror_target.sensor[index] }
  filter = mirror_filter.all
  number = 1
}
"#;

/// Returns the calls without those that only read.
fn changing(calls: &[String]) -> Vec<&str> {
    let reads = |call: &&str| call.starts_with("Describe") || call.starts_with("Get");
    calls.iter().map(String::as_str).filter(|call| !reads(call)).collect()
}

fn created(plan: &Plan) -> usize {
    plan.changes.iter().filter(|change| change.action == Action::Create).count()
}

#[tokio::test]
async fn calls_grow_with_pages_and_one_new_instance_is_one_call() {
    let mut settings = Settings::default();
    settings.durations = Durations::instant();
    settings.quotas.vpcs = 50;
    settings.quotas.instances = 2000;
    let rig = Rig::over(Cloud::in_memory().with_settings(settings));
    let estate = Estate::of(&rig).await;
    // 40 VPCs with 28 tagged instances in each: 1,120 instances, which make two pages.
    let subnets = estate.subnets(40).await;
    for subnet in &subnets {
        estate.launch(subnet, 28, "true").await;
    }
    let sensors = stack(SENSORS);
    let plan = rig.plan(&sensors).await;
    assert_eq!(created(&plan), 1120 + 5);
    assert!(rig.apply(&plan).await.is_complete());

    let before = estate.calls().len();
    let plan = rig.plan(&sensors).await;
    assert!(plan.is_empty());
    let calls = estate.calls().split_off(before);
    let count = |action: &str| calls.iter().filter(|call| *call == action).count();
    assert_eq!(count("DescribeInstances"), 2, "pages of the sources");
    assert_eq!(count("DescribeTrafficMirrorSessions"), 2, "pages of the sessions");
    assert_eq!(count("DescribeNetworkInterfaces"), 2, "by their own tags, and those excepted");
    // For ten thousand sources each of these would take ten pages or so; the rest does not grow.
    let rest = calls.len() - 2 - 2 - count("DescribeTags");
    let of_ten_thousand = 10 + 11 + 11 + 10 + rest;
    println!("{} calls for 1,120 interfaces, {of_ten_thousand} for 10,000", calls.len());
    assert!(of_ten_thousand <= 60, "{calls:?}");

    estate.launch(&subnets[7], 1, "true").await;
    let before = estate.calls().len();
    let plan = rig.plan(&sensors).await;
    assert_eq!((plan.steps.len(), created(&plan)), (1, 1));
    assert!(rig.apply(&plan).await.is_complete());
    let calls = estate.calls().split_off(before);
    assert_eq!(changing(&calls), ["CreateTrafficMirrorSession"]);
}

#[tokio::test]
async fn an_interface_is_found_by_its_own_tags_with_its_instance() {
    let rig = Rig::instant();
    let estate = Estate::of(&rig).await;
    let subnet = estate.subnets(1).await.remove(0);
    let ids = estate.launch(&subnet, 3, "no").await;
    let interfaces = estate.interfaces(&ids).await;
    let ec2 = Ec2::new(&config(&rig.cloud));
    let tag =
        |key: &str, value: &str| aws_sdk_ec2::types::Tag::builder().key(key).value(value).build();
    // The first two are tagged themselves, but the second one's instance is tagged not to be mirrored.
    for interface in &interfaces[..2] {
        ec2.create_tags().resources(interface).tags(tag("mirror", "true")).send().await.unwrap();
    }
    ec2.create_tags().resources(&ids[1]).tags(tag("mirror", "false")).send().await.unwrap();
    // The third is tagged not to be mirrored, although its instance is tagged to be.
    ec2.create_tags().resources(&ids[2]).tags(tag("mirror", "true")).send().await.unwrap();
    ec2.create_tags().resources(&interfaces[2]).tags(tag("mirror", "false")).send().await.unwrap();
    let plan = rig.plan(&stack(SENSORS)).await;
    let mirrored = &plan.sources[&"tagged".parse().unwrap()];
    assert_eq!(mirrored.count, 1);
    let left_out: Vec<String> = mirrored.left_out.keys().map(ToString::to_string).collect();
    let mut excepted = interfaces[1..].to_vec();
    excepted.sort();
    assert_eq!(left_out, excepted);
}

#[tokio::test]
async fn each_zone_has_its_own_receiver() {
    let mut settings = Settings::default();
    settings.durations = Durations::instant();
    settings.quotas.vpcs = 50;
    let rig = Rig::over(Cloud::in_memory().with_settings(settings));
    let estate = Estate::of(&rig).await;
    let mut mirrored = Vec::new();
    for zone in ["eu-west-1a", "eu-west-1b", "eu-west-1b"] {
        let subnet = estate.subnet_in(zone).await;
        let ids = estate.launch(&subnet, 1, "true").await;
        mirrored.extend(estate.interfaces(&ids).await);
    }
    // One interface is found by its own tags alone: another call reports its zone.
    let subnet = estate.subnet_in("eu-west-1a").await;
    let ids = estate.launch(&subnet, 1, "no").await;
    let interface = estate.interfaces(&ids).await.remove(0);
    estate.tag(&interface, Some("true")).await;
    mirrored.push(interface);
    rig.converge(&stack(BY_ZONE)).await;
    let zones = estate.zones_of_targets().await;
    let sent: Vec<&str> = mirrored.iter().map(|source| zones[source].as_str()).collect();
    assert_eq!(sent, ["eu-west-1a", "eu-west-1b", "eu-west-1b", "eu-west-1a"]);

    // When a zone gets another target, that is one call for each of its sources.
    let all_to_one = BY_ZONE.replace("mirror_target.sensor[index] }", "mirror_target.sensor[0] }");
    let before = estate.calls().len();
    rig.converge(&stack(&all_to_one)).await;
    let calls = estate.calls().split_off(before);
    assert_eq!(changing(&calls), ["ModifyTrafficMirrorSession"; 2]);
    assert!(estate.zones_of_targets().await.values().all(|zone| zone == "eu-west-1a"));

    let subnet = estate.subnet_in("eu-west-1c").await;
    estate.launch(&subnet, 2, "true").await;
    let by_zone = stack(BY_ZONE);
    let observed = rig.observe(&by_zone).await;
    let error = plan(&by_zone, &observed, &Request::default()).unwrap_err().to_string();
    let told = "no target in eu-west-1c, where 2 of its sources are";
    assert!(error.contains(told), "{error}");
}

#[tokio::test]
async fn all_sessions_of_an_account_are_counted_before_a_hundred_are_made() {
    let mut settings = Settings::default();
    settings.durations = Durations::instant();
    settings.quotas.instances = 200;
    let rig = Rig::over(Cloud::in_memory().with_settings(settings));
    let estate = Estate::of(&rig).await;
    let subnet = estate.subnets(1).await.remove(0);
    let sensors = stack(SENSORS);
    let counted = async || {
        let observed = rig.observe(&sensors).await;
        let before = estate.calls().len();
        let strangers = in_the_way(&rig.aws, &sensors, &observed).await.unwrap();
        let calls = estate.calls().split_off(before);
        let asked = calls.iter().filter(|call| *call == "DescribeTrafficMirrorSessions").count();
        (strangers.counts.get(&Kind::MirrorSession).copied(), asked)
    };
    estate.launch(&subnet, 99, "true").await;
    assert_eq!(counted().await, (None, 0));
    estate.launch(&subnet, 1, "true").await;
    assert_eq!(counted().await, (Some(0), 1));
    rig.converge(&sensors).await;
    assert_eq!(counted().await, (None, 0), "nothing is made any more");
}
