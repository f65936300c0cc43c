//! Findings that need the cloud: what others have made on the objects that a stack uses.

mod named;
mod occupied;

use std::collections::BTreeSet;

use mirror_local::{Cloud, Durations, Settings};
use mirror_plan::address::Kind;
use mirror_plan::aws::in_the_way;
use mirror_plan::lint::{self, Around};
use mirror_plan::observed::Strangers;
use mirror_plan::plan::Request;
use mirror_plan::stack::Stack;
use mirror_tests::{Rig, config, lab, stack, unfinished};

/// Applies the reference stack and gives its source another session, with the number 7; returns the
/// ids of the source's interface and of the load balancer, and the load balancer's name.
async fn a_cloud_with_others(rig: &Rig) -> (String, String, String) {
    rig.converge(&lab()).await;
    let ec2 = aws_sdk_ec2::Client::new(&config(&rig.cloud));
    let sessions = ec2.describe_traffic_mirror_sessions().send().await.unwrap();
    let theirs = &sessions.traffic_mirror_sessions()[0];
    let source = theirs.network_interface_id().unwrap().to_owned();
    ec2.create_traffic_mirror_session()
        .network_interface_id(&source)
        .traffic_mirror_target_id(theirs.traffic_mirror_target_id().unwrap())
        .traffic_mirror_filter_id(theirs.traffic_mirror_filter_id().unwrap())
        .session_number(7)
        .send()
        .await
        .unwrap();
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(&config(&rig.cloud));
    let balancers = elb.describe_load_balancers().send().await.unwrap();
    let balancer = &balancers.load_balancers()[0];
    let (arn, name) =
        (balancer.load_balancer_arn().unwrap(), balancer.load_balancer_name().unwrap());
    (source, arn.to_owned(), name.to_owned())
}

/// The titles of the findings in a stack and in what is around it.
async fn found(rig: &Rig, text: &str) -> Vec<String> {
    found_in(rig, &stack(text)).await
}

async fn found_in(rig: &Rig, stack: &Stack) -> Vec<String> {
    let observed = rig.observe(stack).await;
    let strangers = in_the_way(&rig.aws, stack, &observed).await.unwrap();
    let around = Around { observed: &observed, strangers: &strangers };
    let found = lint::check_planned(stack, around, &Request::default());
    found.iter().map(|found| format!("{} {}", found.code, found.title)).collect()
}

#[tokio::test]
async fn what_others_have_is_in_the_way_and_what_is_ones_own_is_not() {
    let rig = Rig::instant();
    let (source, arn, name) = a_cloud_with_others(&rig).await;
    let second = format!(
        r#"
stack "second" {{ region = "eu-west-1" }}
vpc "second" {{ cidr = "10.7.0.0/16" }}
subnet "second" {{
  vpc  = vpc.second
  cidr = "10.7.1.0/24"
}}
load_balancer "second" {{
  name    = "{name}"
  subnets = [subnet.second]
}}
mirror_target "sensors" {{ load_balancer = "{arn}" }}
mirror_filter "tcp" {{ rules = [{{ number = 1, action = "accept", protocol = "tcp" }}] }}
mirror_filter "udp" {{ rules = [{{ number = 1, action = "accept", protocol = "udp" }}] }}
mirror_session "tcp" {{
  source = "{source}"
  target = mirror_target.sensors
  filter = mirror_filter.tcp
  number = 7
}}
mirror_session "udp" {{
  source = "{source}"
  target = mirror_target.sensors
  filter = mirror_filter.udp
  number = 8
}}
"#
    );
    assert_eq!(
        found(&rig, &second).await,
        [
            format!("MP1033 the name `{name}` of `load_balancer.second` is taken"),
            "MP1016 `mirror_target.sensors` has the same destination as another mirror target"
                .to_owned(),
            "MP1012 the number 7 of `mirror_session.tcp` is taken by another session".to_owned(),
            "MP1011 `mirror_session.udp` is one of 4 sessions of an interface, and AWS allows 3"
                .to_owned(),
        ]
    );
    // The stack that made all of it is not in its own way, and one more session does not exceed the limit.
    let lab = include_str!("../../../examples/lab.mirror.hcl");
    assert_eq!(found(&rig, lab).await, [""; 0]);
    let seven = lab.replace("  number = 1 #", "  number = 7 #");
    assert_eq!(
        found(&rig, &seven).await,
        [
            "MP1012 the number 7 of `mirror_session.my-traffic-mirror-session` is taken by another session"
        ]
    );
}

/// A chosen name is made of the names of the stack and the block, so another stack may have the same one.
#[tokio::test]
async fn a_name_that_is_chosen_is_looked_for_among_those_of_others() {
    let rig = Rig::instant();
    let groups = |stack: &str, block: &str| {
        format!(
            "stack \"{stack}\" {{ region = \"eu-west-1\" }}\nvpc \"v\" {{ cidr = \"10.0.0.0/16\" }}\n\
             target_group \"{block}\" {{ vpc = vpc.v }}\n"
        )
    };
    rig.converge(&stack(&groups("prod", "eu-sensors"))).await;
    assert_eq!(
        found(&rig, &groups("prod-eu", "sensors")).await,
        ["MP1033 the name `prod-eu-sensors` of `target_group.sensors` is taken"]
    );
    assert_eq!(found(&rig, &groups("prod-eu", "more-sensors")).await, [""; 0]);
}

/// AWS may hide what a killed run made from the call that looks up the stack's own objects, and show it to the next.
#[tokio::test]
async fn what_comes_to_light_meanwhile_is_in_nobodys_way() {
    let rig = Rig::instant();
    let named = stack(
        r#"
        stack "one" { region = "eu-west-1" }
        vpc "one" { cidr = "10.0.0.0/16" }
        subnet "one" {
          vpc  = vpc.one
          cidr = "10.0.1.0/24"
        }
        target_group "one" {
          name     = "one-of-a-name"
          vpc      = vpc.one
          port     = 4789
          protocol = "udp"
        }
        load_balancer "one" {
          name      = "another"
          subnets   = [subnet.one]
          listeners = [{ protocol = "udp", port = 4789, target_group = target_group.one }]
        }
        "#,
    );
    for stack in [lab(), named] {
        rig.converge(&stack).await;
        let observed = rig.observe(&stack).await;
        assert!(observed.owned.len() >= 4);
        for hidden in observed.owned.keys() {
            let mut observed = observed.clone();
            observed.owned.remove(hidden);
            let strangers = in_the_way(&rig.aws, &stack, &observed).await.unwrap();
            let around = Around { observed: &observed, strangers: &strangers };
            let found = lint::check_planned(&stack, around, &Request::default());
            let titles: Vec<&str> = found.iter().map(|found| found.title.as_str()).collect();
            assert_eq!(titles, [""; 0], "{hidden}");
        }
    }
}

#[tokio::test]
async fn nobody_is_asked_where_nobody_can_be_in_the_way() {
    let rig = Rig::instant();
    let stack = lab();
    let observed = rig.observe(&stack).await;
    let before = rig.cloud.log().unwrap().len();
    let strangers = in_the_way(&rig.aws, &stack, &observed).await.unwrap();
    // The default VPC has its gateway.
    let counts = [(Kind::Vpc, 1), (Kind::InternetGateway, 1)].into_iter().collect();
    assert_eq!(strangers, Strangers { counts, ..Strangers::default() });
    let asked = rig.cloud.log().unwrap().split_off(before);
    let asked: Vec<&str> = asked.iter().map(|call| &*call.action).collect();
    let names = ["DescribeLoadBalancers", "DescribeTargetGroups"];
    assert_eq!(asked, [names, ["DescribeVpcs", "DescribeInternetGateways"]].concat());
    // Existing objects need no more room.
    rig.converge(&stack).await;
    let observed = rig.observe(&stack).await;
    let strangers = in_the_way(&rig.aws, &stack, &observed).await.unwrap();
    assert_eq!(strangers, Strangers::default());
}

#[tokio::test]
async fn an_account_that_is_full_is_told_before_the_first_call() {
    let rig = Rig::instant();
    let ec2 = aws_sdk_ec2::Client::new(&config(&rig.cloud));
    for _ in 0..3 {
        ec2.create_vpc().cidr_block("10.9.0.0/16").send().await.unwrap();
        ec2.create_internet_gateway().send().await.unwrap();
    }
    let text = |more: &str| {
        format!(
            "stack \"one\" {{ region = \"eu-west-1\" }}\nvpc \"one\" {{ cidr = \"10.0.0.0/16\" }}\n\
             internet_gateway \"one\" {{ vpc = vpc.one }}\n{more}"
        )
    };
    // With the default VPC there are four, and AWS allows five.
    assert_eq!(found(&rig, &text("")).await, [""; 0]);
    let two = text("vpc \"two\" { cidr = \"10.1.0.0/16\" }\n");
    assert_eq!(
        found(&rig, &two).await,
        [
            "MP1034 the stack has 2 VPCs and there are 4 others, and AWS allows 5 in a Region unless the quota was raised"
        ]
    );
    // The finding is right: an apply runs into what it reports.
    let stack = stack(&two);
    let report = rig.apply(&rig.plan(&stack).await).await;
    assert!(unfinished(&report).contains("VpcLimitExceeded"), "{}", unfinished(&report));
}

#[tokio::test]
async fn a_subnet_has_no_addresses_of_others_in_a_network_that_is_there() {
    let rig = Rig::instant();
    rig.converge(&lab()).await;
    let second = |cidr: &str| {
        format!(
            "stack \"second\" {{ region = \"eu-west-1\" }}\n\
             existing \"vpc\" \"lab\" {{ name = \"my-traffic-mirroring-vpc\" }}\n\
             subnet \"second\" {{\n  vpc = vpc.lab\n  cidr = \"{cidr}\"\n}}\n"
        )
    };
    let clash = found(&rig, &second("10.0.2.128/25")).await;
    let [clash] = clash.as_slice() else { panic!("{clash:?}") };
    assert!(
        clash.starts_with("MP1032 `subnet.second` (10.0.2.128/25) overlaps subnet-"),
        "{clash}"
    );
    assert!(clash.ends_with(" (10.0.2.0/24)"), "{clash}");
    assert_eq!(found(&rig, &second("10.0.3.0/24")).await, [""; 0]);
    // The stack's own subnet is not in its way, not even when it is recreated.
    rig.converge(&stack(&second("10.0.3.0/24"))).await;
    assert_eq!(found(&rig, &second("10.0.3.0/24")).await, [""; 0]);
    assert_eq!(found(&rig, &second("10.0.3.0/25")).await, [""; 0]);
}

#[tokio::test]
async fn what_others_mirror_to_an_interface_counts_for_its_quota() {
    let rig = Rig::instant();
    let sources = |stack: &str, count: usize, more: &str| {
        format!(
            r#"
stack "{stack}" {{ region = "eu-west-1" }}
{more}
instance "source" {{
  count         = {count}
  instance_type = "t3.micro"
  subnet        = subnet.one
}}
mirror_filter "tcp" {{ rules = [{{ number = 1, action = "accept", protocol = "tcp" }}] }}
mirror_session "tcp" {{
  count  = {count}
  source = instance.source[count.index]
  target = mirror_target.sensor
  filter = mirror_filter.tcp
  number = 1
}}
"#
        )
    };
    let network = r#"
vpc "one" { cidr = "10.0.0.0/16" }
subnet "one" {
  vpc  = vpc.one
  cidr = "10.0.1.0/24"
}
instance "sensor" {
  instance_type = "t3.micro"
  subnet        = subnet.one
}
mirror_target "sensor" { network_interface = instance.sensor }
"#;
    let used = r#"
existing "subnet" "one" { name = "one" }
existing "instance" "sensor" { name = "sensor" }
existing "mirror_target" "sensor" { name = "sensor" }
"#;
    rig.converge(&stack(&sources("first", 8, network))).await;
    assert_eq!(found(&rig, &sources("second", 2, used)).await, [""; 0]);
    let too_many = "MP1011 `mirror_target.sensor` has 11 sources, and its interface accepts 10";
    assert_eq!(found(&rig, &sources("second", 3, used)).await, [too_many]);
    // The stack that owns the target gets the finding as well.
    rig.converge(&stack(&sources("second", 2, used))).await;
    assert_eq!(found(&rig, &sources("first", 9, network)).await, [too_many]);
}

#[tokio::test]
async fn what_a_stack_uses_is_looked_at_as_far_as_it_was_seen() {
    let rig = Rig::instant();
    rig.converge(&lab()).await;
    let second = |port: &str, size: &str| {
        format!(
            r#"
stack "second" {{ region = "eu-west-1" }}
existing "load_balancer" "sensors" {{ tags = {{ Name = "my-traffic-mirroring-nlb" }} }}
existing "instance" "web" {{ name = "source-instance" }}
existing "subnet" "web" {{ name = "source-subnet" }}
existing "vpc" "lab" {{ name = "my-traffic-mirroring-vpc" }}
load_balancer "second" {{
  subnets   = [subnet.web]
  listeners = [{{ port = {port}, target_group = target_group.second }}]
}}
instance "receiver" {{
  instance_type = "{size}"
  subnet        = subnet.web
}}
target_group "second" {{
  vpc          = vpc.lab
  health_check = {{ port = 80 }}
  targets      = [instance.receiver]
}}
mirror_target "second" {{ load_balancer = load_balancer.second }}
mirror_filter "tcp" {{ rules = [{{ number = 1, action = "accept", protocol = "tcp" }}] }}
mirror_session "tcp" {{
  source = instance.web
  target = mirror_target.second
  filter = mirror_filter.tcp
  number = 2
}}
mirror_session "receiver" {{
  source = instance.receiver
  target = mirror_target.second
  filter = mirror_filter.tcp
  number = 1
}}
"#
        )
    };
    assert_eq!(found(&rig, &second("4789", "t3.micro")).await, [""; 0]);
    assert_eq!(
        found(&rig, &second("4790", "t2.micro")).await,
        [
            "MP1001 `load_balancer.second` has no UDP listener on port 4789, and `mirror_target.second` sends to it",
            "MP1015 AWS does not mirror t2.micro, the type of `instance.receiver`",
        ]
    );
    let text = second("4789", "t3.micro").replace(
        "load_balancer = load_balancer.second }",
        "load_balancer = load_balancer.sensors }",
    );
    assert_eq!(
        found(&rig, &text).await,
        ["MP1016 `mirror_target.second` has the same destination as another mirror target"]
    );
}

/// Which VPC an object of others is in is known once it has been looked up.
#[tokio::test]
async fn what_a_stack_uses_is_in_the_vpc_of_what_it_makes() {
    let rig = Rig::instant();
    rig.converge(&lab()).await;
    let second = |vpc: &str| {
        format!(
            r#"
stack "second" {{ region = "eu-west-1" }}
vpc "second" {{ cidr = "10.7.0.0/16" }}
existing "vpc" "lab" {{ name = "my-traffic-mirroring-vpc" }}
existing "instance" "web" {{ name = "source-instance" }}
existing "subnet" "web" {{ name = "source-subnet" }}
existing "security_group" "web" {{ name = "source" }}
target_group "second" {{
  vpc          = {vpc}
  health_check = {{ port = 80 }}
  targets      = [instance.web]
}}
instance "receiver" {{
  instance_type   = "t3.micro"
  subnet          = subnet.web
  security_groups = [security_group.web]
}}
"#
        )
    };
    assert_eq!(found(&rig, &second("vpc.lab")).await, [""; 0]);
    let told = found(&rig, &second("vpc.second")).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("MP1019 `target_group.second` is in `vpc.second`, and"),
        "{told:?}"
    );
    // The same holds for a VPC named by its id.
    let vpcs = aws_sdk_ec2::Client::new(&config(&rig.cloud)).describe_vpcs().send().await.unwrap();
    let of_lab = vpcs.vpcs().iter().find(|vpc| vpc.cidr_block() == Some("10.0.0.0/16")).unwrap();
    let by_id = second(&format!("\"{}\"", of_lab.vpc_id().unwrap()));
    assert_eq!(found(&rig, &by_id).await, [""; 0]);
}

/// How many interfaces the sessions of others are on.
const INTERFACES: usize = 10;

/// Makes sessions of no stack, on interfaces of their own with a target each; returns the id of one session.
async fn sessions_of_others(rig: &Rig, count: usize) -> String {
    let ec2 = aws_sdk_ec2::Client::new(&config(&rig.cloud));
    let subnets = ec2.describe_subnets().send().await.unwrap();
    let subnet = subnets.subnets()[0].subnet_id().unwrap();
    let interface = async || {
        let made = ec2.create_network_interface().subnet_id(subnet).send().await.unwrap();
        made.network_interface.and_then(|it| it.network_interface_id).unwrap()
    };
    let filter = ec2.create_traffic_mirror_filter().send().await.unwrap();
    let filter = filter.traffic_mirror_filter.and_then(|it| it.traffic_mirror_filter_id).unwrap();
    let mut ways = Vec::new();
    for _ in 0..INTERFACES {
        let request = ec2.create_traffic_mirror_target().network_interface_id(interface().await);
        let target = request.send().await.unwrap().traffic_mirror_target;
        let target = target.and_then(|it| it.traffic_mirror_target_id).unwrap();
        ways.push(
            ec2.create_traffic_mirror_session()
                .network_interface_id(interface().await)
                .traffic_mirror_target_id(target)
                .traffic_mirror_filter_id(&filter),
        );
    }
    let mut last = None;
    for at in 0..count {
        let number = i32::try_from(1 + at / INTERFACES).unwrap();
        let request = ways[at % INTERFACES].clone().session_number(number);
        last = request.send().await.unwrap().traffic_mirror_session;
    }
    last.and_then(|it| it.traffic_mirror_session_id).unwrap()
}

#[tokio::test]
async fn an_account_that_is_full_of_sessions_is_told_before_the_first_call() {
    let mut settings = Settings::default();
    settings.durations = Durations::instant();
    settings.quotas.mirror_sessions_per_source = 1_000;
    let rig = Rig::over(Cloud::in_memory().with_settings(settings));
    let network = r#"
stack "first" { region = "eu-west-1" }
vpc "one" { cidr = "10.0.0.0/16" }
subnet "one" {
  vpc  = vpc.one
  cidr = "10.0.1.0/24"
}
instance "a" {
  instance_type = "t3.micro"
  subnet        = subnet.one
}
instance "b" {
  instance_type = "t3.micro"
  subnet        = subnet.one
}
instance "sensor" {
  instance_type = "t3.micro"
  subnet        = subnet.one
}
mirror_target "sensor" { network_interface = instance.sensor }
"#;
    let second = stack(
        r#"
stack "second" { region = "eu-west-1" }
existing "instance" "a" { name = "a" }
existing "instance" "b" { name = "b" }
existing "mirror_target" "sensor" { name = "sensor" }
mirror_filter "tcp" { rules = [{ number = 1, action = "accept", protocol = "tcp" }] }
mirror_session "a" {
  source = instance.a
  target = mirror_target.sensor
  filter = mirror_filter.tcp
  number = 1
}
mirror_session "b" {
  source = instance.b
  target = mirror_target.sensor
  filter = mirror_filter.tcp
  number = 1
}
"#,
    );
    rig.converge(&stack(network)).await;
    let theirs = sessions_of_others(&rig, 9_999).await;
    let before = rig.cloud.log().unwrap().len();
    let found = found_in(&rig, &second).await;
    assert_eq!(
        found,
        [
            "MP1011 the stack has 2 mirror sessions and there are 9999 others, and AWS allows 10000 in an account and Region"
        ]
    );
    let asked = rig.cloud.log().unwrap().split_off(before);
    let reads = |action: &str| action.starts_with("Describe") || action.starts_with("Get");
    assert!(asked.iter().all(|call| reads(&call.action)));
    // All sessions are read at once: those on the interfaces, those to the target, and the rest.
    let pages = asked.iter().filter(|call| call.action == "DescribeTrafficMirrorSessions");
    assert_eq!(pages.count(), 10);
    // The finding is right: an apply runs into what it reports.
    let report = rig.apply(&rig.plan(&second).await).await;
    let unfinished = unfinished(&report);
    assert!(unfinished.contains("TrafficMirrorSessionLimitExceeded"), "{unfinished}");
    // With one less there is room for exactly both.
    let ec2 = aws_sdk_ec2::Client::new(&config(&rig.cloud));
    ec2.delete_traffic_mirror_session().traffic_mirror_session_id(theirs).send().await.unwrap();
    assert_eq!(found_in(&rig, &second).await, [""; 0]);
    rig.converge(&second).await;
}

#[tokio::test]
async fn whoever_makes_a_hundred_filters_or_targets_is_told_how_many_there_are() {
    let rig = Rig::instant();
    let ec2 = aws_sdk_ec2::Client::new(&config(&rig.cloud));
    for _ in 0..3 {
        ec2.create_traffic_mirror_filter().send().await.unwrap();
    }
    sessions_of_others(&rig, 2).await;
    let counted = async |text: &str| {
        let stack = stack(&format!("stack \"one\" {{ region = \"eu-west-1\" }}\n{text}"));
        let observed = rig.observe(&stack).await;
        let before = rig.cloud.log().unwrap().len();
        let strangers = in_the_way(&rig.aws, &stack, &observed).await.unwrap();
        let asked = rig.cloud.log().unwrap().split_off(before);
        (strangers.counts, asked.into_iter().map(|call| call.action).collect::<Vec<_>>())
    };
    let filters = |count: usize| format!("mirror_filter \"many\" {{ count = {count} }}\n");
    let (counts, asked) = counted(&filters(99)).await;
    assert_eq!((counts.len(), asked), (0, Vec::new()));
    let (counts, asked) = counted(&filters(100)).await;
    assert_eq!(counts, [(Kind::MirrorFilter, 4)].into_iter().collect());
    assert_eq!(asked, ["DescribeTrafficMirrorFilters"]);
    // Mirror targets for existing objects are looked up in any case, and so are counted.
    let target = "mirror_target \"one\" { network_interface = \"eni-0a1b2c3d4e5f67890\" }\n";
    let (counts, asked) = counted(target).await;
    assert_eq!(counts, [(Kind::MirrorTarget, INTERFACES)].into_iter().collect());
    let asked: BTreeSet<String> = asked.into_iter().collect();
    // The named interface is looked up, too.
    let two = ["DescribeNetworkInterfaces", "DescribeTrafficMirrorTargets"];
    assert_eq!(asked, two.map(str::to_owned).into());
}
