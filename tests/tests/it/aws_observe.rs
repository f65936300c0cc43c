//! Observing through the real SDK: what is seen, in how many calls, and what is reported about the rest.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{IpPermission, IpRange, Tag};
use mirror_local::{Durations, Settings};
use mirror_plan::address::{Address, Kind};
use mirror_plan::attribute::Ref;
use mirror_plan::aws::{Act, Wanted, observe};
use mirror_plan::id::NetworkInterfaceId;
use mirror_plan::observed::NetworkAcl;
use mirror_plan::plan::Mode;
use mirror_plan::resource::mirror_filter::Rules;
use mirror_plan::resource::{
    Instance, InternetGateway, MirrorFilter, MirrorSession, MirrorTarget, Resource,
    ResourceType as _, SecurityGroup, Subnet, Tags, Vpc, instance, security_group,
};
use mirror_plan::scalar::{Ami, Direction, HopLimit, SessionNumber};
use mirror_tests::{Rig, lab};

use crate::aws_bench::{Bench, STACK};

fn vpc() -> Vpc {
    Vpc {
        cidr: "10.0.0.0/16".parse().unwrap(),
        dns_support: true,
        dns_hostnames: false,
        tags: Tags::new(),
    }
}

#[tokio::test]
async fn an_empty_account_costs_six_calls() {
    let bench = Bench::new();
    let sight = bench.observe().await;
    assert_eq!(sight.observed.account.as_str(), "123456789012");
    assert_eq!(sight.observed.region.as_str(), mirror_tests::REGION);
    assert_eq!(sight.observed.owned, BTreeMap::new());
    let mut calls = bench.calls();
    calls.sort();
    assert_eq!(
        calls,
        [
            "DescribeAutoScalingGroups",
            "DescribeLoadBalancers",
            "DescribeTags",
            "DescribeTargetGroups",
            "GetCallerIdentity",
            "GetResourceShares"
        ]
    );
}

#[tokio::test]
async fn images_are_looked_up_once() {
    let bench = Bench::new();
    let images = BTreeSet::from([Ami::AMAZON_LINUX.to_owned()]);
    let sight = observe(
        &bench.aws,
        Wanted {
            stack: STACK,
            images: &images,
            existing: &Default::default(),
            sources: &Default::default(),
            planned: None,
        },
    )
    .await
    .unwrap();
    assert!(sight.observed.images.contains_key(Ami::AMAZON_LINUX));
    assert_eq!(bench.count("GetParameter"), 1);
}

#[tokio::test]
async fn another_stack_is_not_seen() {
    let mut bench = Bench::new();
    bench.make("vpc.lab", vpc()).await;
    let images = BTreeSet::new();
    let sight = observe(
        &bench.aws,
        Wanted {
            stack: "other",
            images: &images,
            existing: &Default::default(),
            sources: &Default::default(),
            planned: None,
        },
    )
    .await
    .unwrap();
    assert_eq!(sight.observed.owned, BTreeMap::new());
}

#[tokio::test]
async fn objects_of_one_kind_are_read_together() {
    let mut bench = Bench::new();
    for number in 0..4 {
        let address = format!("internet_gateway.g{number}");
        bench.make(&address, InternetGateway { vpc: None, tags: Tags::new() }).await;
    }
    let before = bench.count("DescribeInternetGateways");
    bench.observe().await;
    assert_eq!(bench.count("DescribeInternetGateways"), before + 1);
}

#[tokio::test]
async fn ownership_tags_that_cannot_be_read_are_told() {
    let mut bench = Bench::new();
    let address = bench.make("vpc.lab", vpc()).await;
    let id = bench.found(&address).await.id;
    let ec2 = aws_sdk_ec2::Client::new(&mirror_tests::config(&bench.cloud));
    for (value, complaint) in [
        (
            "lab",
            "its tag `mirror-plan:address` is wrong: `lab` is not an address: write it as kind.name, such as vpc.lab",
        ),
        ("subnet.a", "its tag `mirror-plan:address` says that it is the subnet `subnet.a`"),
    ] {
        let tag = Tag::builder().key("mirror-plan:address").value(value).build();
        ec2.create_tags().resources(id.as_str()).tags(tag).send().await.unwrap();
        let sight = bench.observe().await;
        assert_eq!(sight.observed.owned, BTreeMap::new());
        let titles: Vec<&str> =
            sight.findings.iter().map(|finding| finding.title.as_str()).collect();
        assert_eq!(titles, [format!("VPC {id} claims to belong to stack bench, but {complaint}")]);
        assert_eq!(sight.findings[0].code, mirror_plan::code::FOREIGN_TAGS);
    }
}

/// Creates sessions on one interface, with quotas that allow it.
async fn sessions(bench: &mut Bench, count: u16) {
    let mut quotas = Settings::default();
    quotas.durations = Durations::instant();
    quotas.quotas.mirror_sessions_per_source = usize::from(count);
    bench.cloud = bench.cloud.clone().with_settings(quotas);
    let ec2 = aws_sdk_ec2::Client::new(&mirror_tests::config(&bench.cloud));
    let subnets = ec2.describe_subnets().send().await.unwrap();
    let subnet = subnets.subnets()[0].subnet_id().unwrap().to_owned();
    let mut interfaces = Vec::new();
    for _ in 0..2 {
        let made = ec2.create_network_interface().subnet_id(&subnet).send().await.unwrap();
        let id = made.network_interface().unwrap().network_interface_id().unwrap();
        interfaces.push(id.parse::<NetworkInterfaceId>().unwrap());
    }
    let target = MirrorTarget {
        load_balancer: None,
        network_interface: Some(Ref::Id(interfaces[0].clone())),
        gateway_load_balancer_endpoint: None,
        description: None,
        tags: Tags::new(),
    };
    let target = bench.make("mirror_target.all", target).await;
    let filter = MirrorFilter {
        description: None,
        amazon_dns: false,
        rules: Rules::default(),
        tags: Tags::new(),
    };
    let filter = bench.make("mirror_filter.none", filter).await;
    for number in 1..=count {
        let address: Address = format!("mirror_session.s[{number}]").parse().unwrap();
        let session = MirrorSession {
            source: Ref::Id(interfaces[1].clone()),
            target: Ref::To(target.clone()),
            filter: Ref::To(filter.clone()),
            number: SessionNumber::new(number).unwrap(),
            packet_length: None,
            vni: None,
            description: None,
            tags: Tags::new(),
        };
        let creation = bench.creation(&address, &session.into());
        bench.act_all(&address, &creation).await;
    }
}

#[tokio::test]
async fn the_number_of_calls_grows_with_pages_and_not_with_sessions() {
    let mut bench = Bench::new();
    sessions(&mut bench, 1100).await;
    let before = bench.calls().len();
    let sight = bench.observe().await;
    assert_eq!(sight.observed.owned.len(), 1102);
    let calls = &bench.calls()[before..];
    let count = |action: &str| calls.iter().filter(|call| *call == action).count();
    assert_eq!(count("DescribeTags"), 2, "two pages");
    assert_eq!(count("DescribeTrafficMirrorSessions"), 2, "two pages");
    assert_eq!(calls.len(), 10, "the account is known by now: {calls:?}");
}

#[tokio::test]
async fn a_stopped_instance_is_no_change_of_its_public_address() {
    let mut bench = Bench::new();
    let address = bench.make("vpc.lab", vpc()).await;
    let subnet = Subnet {
        vpc: Ref::To(address.clone()),
        cidr: "10.0.1.0/24".parse().unwrap(),
        availability_zone: None,
        public_ip_on_launch: false,
        tags: Tags::new(),
    };
    let subnet = bench.make("subnet.a", subnet).await;
    let declared = Instance {
        ami: Some(Ami::Parameter(Ami::AMAZON_LINUX.to_owned())),
        instance_type: "t3.micro".parse().unwrap(),
        subnet: Ref::To(subnet),
        security_groups: Vec::new(),
        public: Some(true),
        private_ip: None,
        key_name: None,
        user_data: None,
        source_dest_check: true,
        imdsv2_required: true,
        imds_hop_limit: HopLimit::MIN,
        root_encrypted: Some(true),
        tags: Tags::new(),
    };
    let web = bench.make("instance.web", declared.clone()).await;
    let found = bench.found(&web).await;
    let stop = instance::Operation::Stop { instance: Ref::Id(found.id.of().unwrap()) };
    bench.act_all(&web, &[stop.into()]).await;
    let Resource::Instance(stopped) = bench.found(&web).await.resource else {
        panic!("an instance")
    };
    assert_eq!(stopped.public, None);
    assert_eq!(declared.settled(&stopped).public, None, "which is kept as it is");
}

#[tokio::test]
async fn what_no_stack_file_can_say_is_told_and_left() {
    let mut bench = Bench::new();
    let vpc = bench.make("vpc.lab", vpc()).await;
    let declared = SecurityGroup {
        vpc: Ref::To(vpc),
        name: None,
        description: None,
        open_to_world: None,
        ingress: security_group::Rules::default(),
        egress: security_group::Rules(vec![security_group::Rule::allow_all_egress()]),
        tags: Tags::new(),
    };
    let group = bench.make("security_group.in", declared).await;
    let before = bench.found(&group).await;
    let ec2 = aws_sdk_ec2::Client::new(&mirror_tests::config(&bench.cloud));
    let ping = IpPermission::builder()
        .ip_protocol("icmp")
        .from_port(8)
        .to_port(-1)
        .ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build())
        .build();
    ec2.authorize_security_group_ingress()
        .group_id(before.id.as_str())
        .ip_permissions(ping)
        .send()
        .await
        .unwrap();
    let sight = bench.observe().await;
    assert_eq!(sight.observed.owned[&group], std::slice::from_ref(&before));
    let titles: Vec<&str> = sight.findings.iter().map(|f| f.title.as_str()).collect();
    let id = before.id;
    assert_eq!(
        titles,
        [format!("{id} has a rule for some types of icmp, which a stack file cannot express")]
    );
}

/// The apply loop spawns both.
#[test]
fn the_futures_can_move_between_threads() {
    fn can_move<T: Send>(_: T) {}
    fn check(bench: &Bench, act: Act<'_>) {
        let images = BTreeSet::new();
        can_move(mirror_plan::aws::act(&bench.aws, act));
        can_move(observe(
            &bench.aws,
            Wanted {
                stack: STACK,
                images: &images,
                existing: &Default::default(),
                sources: &Default::default(),
                planned: None,
            },
        ));
    }
    let _: fn(&Bench, Act<'_>) = check;
}

/// Network ACLs are requested as soon as a subnet exists, in one call for all, and never for a destroy.
#[tokio::test]
async fn network_acls_are_asked_for_where_they_can_be_in_the_way() {
    let rig = Rig::instant();
    let lab = lab();
    let asked = || {
        let log = rig.cloud.log().unwrap();
        log.iter().filter(|call| call.action == "DescribeNetworkAcls").count()
    };
    assert_eq!(rig.observe(&lab).await.network_acls, BTreeMap::new());
    assert_eq!(asked(), 0);
    rig.converge(&lab).await;
    let before = asked();
    let observed = rig.observe(&lab).await;
    assert_eq!(asked(), before + 1);
    let acls: Vec<&NetworkAcl> = observed.network_acls.values().collect();
    let is_open = |acl: &NetworkAcl| {
        acl.is_open(Direction::Ingress) && acl.is_open(Direction::Egress) && acl.is_default
    };
    assert!(acls.len() == 1 && is_open(acls[0]), "{acls:?}");
    let subnets = observed.owned.keys().filter(|address| address.kind == Kind::Subnet);
    assert_eq!(acls[0].subnets.len(), subnets.count());
    let images = BTreeSet::new();
    let wanted = Wanted::to_plan(&lab, &images, Mode::Destroy);
    observe(&rig.aws, wanted).await.unwrap();
    assert_eq!(asked(), before + 1);
}
