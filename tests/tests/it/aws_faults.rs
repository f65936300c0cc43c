//! What goes wrong on the way to AWS: lost, cut and late answers, throttling, what is in the way.

use mirror_local::{Calls, Cloud, Effect, Fault, Faults};
use mirror_plan::address::Address;
use mirror_plan::aws::{ActError, ErrorKind, find_created};
use mirror_plan::resource::{Creation, InternetGateway, Resource, Tags};

use crate::aws_bench::{Bench, STACK};
use crate::aws_samples::{filter, group, instance, load_balancer, network, subnet, vpc};

/// The calls that make something and take no client token, with what they need.
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

#[tokio::test]
async fn a_create_without_token_is_sent_once_whatever_is_answered() {
    let mut bench = Bench::new();
    for (address, resource) in tokenless(&mut bench).await {
        let creation = bench.creation(&address, &resource);
        let call = creation[0].call();
        let before = bench.count(call);
        let calls = Calls::Action(call.to_owned());
        bench.cloud.set_faults(Faults::none().fail(calls, 1, Fault::answer_lost()));
        let error = bench.act(&creation[0]).await.unwrap_err();
        let kind = error.call_error().map(|error| error.kind);
        assert_eq!(kind, Some(ErrorKind::Unknown), "{address}: {error}");
        assert_eq!(bench.count(call), before + 1, "{call} was sent once");
        let tags = creation_tags(&resource, &address);
        let found = find_created(&bench.aws, address.kind, &tags).await.unwrap();
        assert_eq!(found, Some(bench.found(&address).await.id), "and can be looked up");
    }
}

/// The tags that a creation writes.
fn creation_tags(resource: &Resource, address: &Address) -> Tags {
    let creation = Creation { address, stack: STACK, generation: 1 };
    creation.owned(resource.tags())
}

#[tokio::test]
async fn a_dropped_answer_leaves_one_object() {
    let mut bench = Bench::new();
    let lost = Fault::dropped(Effect::Done);
    bench.cloud.set_faults(Faults::none().fail(Calls::Action("CreateVpc".to_owned()), 1, lost));
    let address = "vpc.lab".parse().unwrap();
    let creation = bench.creation(&address, &vpc().into());
    let error = bench.act(&creation[0]).await.unwrap_err();
    assert_eq!(error.call_error().map(|error| error.kind), Some(ErrorKind::Unknown), "{error}");
    assert_eq!(bench.count("CreateVpc"), 1);
    assert_eq!(bench.observe().await.observed.owned[&address].len(), 1);
}

#[tokio::test]
async fn what_was_throttled_is_sent_again() {
    let mut bench = Bench::new();
    let throttled = Fault::refused("RequestLimitExceeded", 503);
    let create = Calls::Action("CreateVpc".to_owned());
    bench.cloud.set_faults(Faults::none().fail(create, 1, throttled));
    bench.make("vpc.lab", vpc()).await;
    assert_eq!(bench.count("CreateVpc"), 2);
}

#[tokio::test]
async fn a_create_with_token_is_replayed_and_makes_one() {
    let mut bench = Bench::new();
    let create = Calls::Action("CreateTrafficMirrorFilter".to_owned());
    bench.cloud.set_faults(Faults::none().fail(create, 1, Fault::answer_lost()));
    bench.make("mirror_filter.web", filter(Vec::new())).await;
    assert_eq!(bench.count("CreateTrafficMirrorFilter"), 2);
}

#[tokio::test]
async fn a_cut_answer_is_no_success() {
    for bytes in [40, 160, 200, 240] {
        let mut bench = Bench::new();
        let create = Calls::Action("CreateTrafficMirrorFilter".to_owned());
        bench.cloud.set_faults(Faults::none().fail(create, 1, Fault::truncated(bytes)));
        let address: Address = "mirror_filter.web".parse().unwrap();
        let creation = bench.creation(&address, &filter(Vec::new()).into());
        match bench.act(&creation[0]).await {
            Err(ActError::Answer(_) | ActError::Call(_)) => {}
            other => panic!("cut after {bytes} bytes: {other:?}"),
        }
    }
}

#[tokio::test]
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

#[tokio::test]
async fn a_wait_says_what_it_waits_for() {
    let mut bench = Bench::over(Cloud::in_memory());
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
        of_interfaces[0].starts_with("waiting until its network interfaces are gone: eni-"),
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

#[tokio::test]
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

#[tokio::test]
async fn what_is_not_known_is_a_bug_and_no_panic() {
    let mut bench = Bench::new();
    let missing: Address = "vpc.lab".parse().unwrap();
    let declared: Resource = subnet(&missing, "10.0.1.0/24").into();
    let creation = bench.creation(&"subnet.a".parse().unwrap(), &declared);
    let error = bench.act(&creation[0]).await.unwrap_err();
    assert_eq!(error.to_string(), "BUG: vpc.lab.id is not known yet");
    assert_eq!(bench.calls(), Vec::<String>::new());
}
