//! What goes wrong on the way to AWS: lost, cut and late answers, throttling, objects that block a deletion.

use std::time::Duration;

use mirror_local::{Calls, Cloud, Effect, Fault, Faults};
use mirror_plan::address::Address;
use mirror_plan::aws::{ActError, find_created};
use mirror_plan::resource::{Creation, InternetGateway, Repeat, Resource, Tags};
use mirror_tests::Rig;

use crate::aws_bench::{Bench, STACK};
use crate::aws_samples::{filter, group, instance, load_balancer, network, subnet, vpc};

/// Returns resources whose create call accepts no client token, after creating what they need.
async fn tokenless(bench: &mut Bench) -> Vec<(Address, Resource)> {
    let vpc_address = bench.make("vpc.lab", vpc()).await;
    vec![
        ("vpc.other".parse().unwrap(), vpc().into()),
        ("subnet.other".parse().unwrap(), subnet(&vpc_address, "10.0.9.0/24").into()),
        (
            "internet_gateway.other".parse().unwrap(),
            InternetGateway { vpc: None, tags: Tags::new() }.into(),
        ),
        ("security_group.other".parse().unwrap(), group(&vpc_address, Vec::new()).into()),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_create_without_token_leaves_one_object() {
    let mut bench = Bench::new();
    for (address, resource) in tokenless(&mut bench).await {
        let creation = bench.creation(&address, &resource);
        let call = creation[0].call();
        let before = bench.count(call);
        let calls = Calls::Action(call.to_owned());
        bench.cloud.set_faults(Faults::none().fail(calls, 1, Fault::answer_lost()));
        let made = bench.act(&creation[0]).await.unwrap();
        let tags = creation_tags(&resource, &address);
        let found = find_created(&bench.aws, address.kind, &tags).await.unwrap();
        assert_eq!(found, made.id, "{address}");
        assert_eq!(bench.observe().await.observed.owned[&address].len(), 1, "{address}");
        // An object that AWS would create twice is looked up; a call that it would refuse is sent again.
        let sent = if Repeat::of(address.kind) == Repeat::Second { 1 } else { 2 };
        assert_eq!(bench.count(call), before + sent, "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_plain_sdk_makes_two_where_an_answer_is_lost() {
    let cloud = Cloud::in_memory();
    let client = aws_sdk_ec2::Client::new(&mirror_tests::config(&cloud));
    let vpcs = || async {
        let answer = client.describe_vpcs().send().await.unwrap();
        answer.vpcs().iter().filter(|vpc| vpc.cidr_block() == Some("10.9.0.0/16")).count()
    };
    let create = Calls::Action("CreateVpc".to_owned());
    cloud.set_faults(Faults::none().fail(create, 1, Fault::answer_lost()));
    client.create_vpc().cidr_block("10.9.0.0/16").send().await.unwrap();
    assert_eq!(vpcs().await, 2, "this is what the library guards against");
    println!("the plain SDK: 2 VPCs where one was requested");
}

/// The tags that a creation writes.
fn creation_tags(resource: &Resource, address: &Address) -> Tags {
    let creation = Creation { address, stack: STACK, generation: 1 };
    creation.owned(resource.tags())
}

#[tokio::test(start_paused = true)]
async fn a_dropped_connection_leaves_one_object() {
    for effect in [Effect::None, Effect::Done] {
        let mut bench = Bench::new();
        let create = Calls::Action("CreateVpc".to_owned());
        bench.cloud.set_faults(Faults::none().fail(create, 1, Fault::dropped(effect)));
        let address = "vpc.lab".parse().unwrap();
        let creation = bench.creation(&address, &vpc().into());
        bench.act(&creation[0]).await.unwrap();
        assert_eq!(bench.observe().await.observed.owned[&address].len(), 1, "{effect:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_throttled_is_sent_again() {
    let mut bench = Bench::new();
    let throttled = Fault::refused("RequestLimitExceeded", 503);
    let create = Calls::Action("CreateVpc".to_owned());
    bench.cloud.set_faults(Faults::none().fail(create, 1, throttled));
    bench.make("vpc.lab", vpc()).await;
    assert_eq!(bench.count("CreateVpc"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_create_with_token_is_replayed_and_makes_one() {
    let mut bench = Bench::new();
    let create = Calls::Action("CreateTrafficMirrorFilter".to_owned());
    bench.cloud.set_faults(Faults::none().fail(create, 1, Fault::answer_lost()));
    bench.make("mirror_filter.web", filter(Vec::new())).await;
    assert_eq!(bench.count("CreateTrafficMirrorFilter"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_cut_answer_leaves_one_object_whose_whole_id_is_known() {
    for bytes in [40, 160, 200, 240] {
        let mut bench = Bench::new();
        let create = Calls::Action("CreateTrafficMirrorFilter".to_owned());
        bench.cloud.set_faults(Faults::none().fail(create, 1, Fault::truncated(bytes)));
        let address: Address = "mirror_filter.web".parse().unwrap();
        let creation = bench.creation(&address, &filter(Vec::new()).into());
        let made = bench.act(&creation[0]).await.unwrap();
        let observed = bench.observe().await.observed;
        let found: Vec<_> = observed.owned[&address].iter().map(|found| found.id.clone()).collect();
        assert_eq!(found, [made.id.unwrap()], "cut after {bytes} bytes");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_seen_yet_is_waited_for() {
    let mut bench = Bench::new();
    bench.cloud.set_faults(Faults::none().unseen_for(3));
    let address: Address = "vpc.lab".parse().unwrap();
    let creation = bench.creation(&address, &vpc().into());
    bench.act_all(&address, &creation).await;
    let subnet_address: Address = "subnet.a".parse().unwrap();
    let creation = bench.creation(&subnet_address, &subnet(&address, "10.0.1.0/24").into());
    bench.act_all(&subnet_address, &creation).await;
    bench.cloud.set_faults(Faults::none());
    assert_eq!(bench.observe().await.observed.owned.len(), 2);
}

/// A local AWS is waited for a sixtieth of the time: usually 5 s.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_seen_yet_is_waited_for_as_long_as_the_settle_window_says() {
    for (window, is_enough) in [(300, false), (600, true)] {
        let mut bench = Bench::over(Rig::in_time_of_runtime().cloud);
        bench.aws = bench.aws.with_settle_window(Duration::from_secs(window));
        bench.cloud.set_faults(Faults::none().unseen_during([Duration::from_secs(8)]));
        let address: Address = "mirror_filter.web".parse().unwrap();
        let creation = bench.creation(&address, &filter(Vec::new()).into());
        let made = bench.act(&creation[0]).await.unwrap();
        bench.known.add_made(&address, &made);
        assert_eq!(bench.act(&creation[1]).await.is_ok(), is_enough, "{window} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_says_what_it_waits_for() {
    let mut bench = Bench::over(Rig::in_time_of_runtime().cloud);
    let (_, subnet, group) = network(&mut bench).await;
    let web = bench.make("instance.web", instance(&subnet, &group)).await;
    let balancer = load_balancer(&subnet, &group, Vec::new());
    let balancer = bench.make("load_balancer.sensors", balancer).await;
    for address in [balancer, web, subnet] {
        bench.remove(&address).await;
    }
    let waits = bench.waits.into_inner().unwrap();
    let (of_interfaces, others): (Vec<_>, Vec<_>) =
        waits.into_iter().partition(|wait| wait.contains("eni-"));
    assert!(
        of_interfaces[0].starts_with("waiting until its network interfaces are deleted: eni-"),
        "{of_interfaces:?}"
    );
    assert_eq!(
        others,
        [
            "waiting until active: state is provisioning",
            "waiting until available: state is pending",
            "waiting until running: state is pending",
            "waiting until terminated: state is shutting-down"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_in_the_way_is_named() {
    let mut bench = Bench::new();
    let (_, subnet, group) = network(&mut bench).await;
    let web = bench.make("instance.web", instance(&subnet, &group)).await;
    let interface = bench.found(&web).await.computed["network_interface"].clone().unwrap();
    let found = bench.found(&"vpc.lab".parse().unwrap()).await;
    match bench.act(&found.resource.delete(&found)[0]).await {
        Err(error @ ActError::Blocked { .. }) => {
            let text = error.to_string();
            assert!(text.starts_with("DeleteVpc was refused: DependencyViolation: "), "{text}");
            assert!(text.contains(&format!("; still used by {interface} of i-")), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_is_a_bug_and_no_panic() {
    let mut bench = Bench::new();
    let missing: Address = "vpc.lab".parse().unwrap();
    let declared: Resource = subnet(&missing, "10.0.1.0/24").into();
    let creation = bench.creation(&"subnet.a".parse().unwrap(), &declared);
    let error = bench.act(&creation[0]).await.unwrap_err();
    assert_eq!(error.to_string(), "BUG: vpc.lab.id is not known yet");
    assert_eq!(bench.calls(), Vec::<String>::new());
}
