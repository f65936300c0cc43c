//! Objects of others in what is to be deleted: they are found before the first call, and would stop a removal half-way.

use aws_sdk_ec2::types::{Filter, InstanceType, IpPermission, UserIdGroupPair};
use mirror_plan::aws::occupants;
use mirror_plan::lint;
use mirror_plan::observed::Occupation;
use mirror_plan::plan::{Mode, Plan, Request};
use mirror_plan::stack::Stack;
use mirror_tests::{Rig, config, lab, stack};

/// The titles of the findings about what a plan removes.
async fn found(rig: &Rig, stack: &Stack, plan: &Plan) -> Vec<String> {
    let occupants = occupants(&rig.aws, plan).await.unwrap();
    let found = lint::check_removal(stack, plan, &occupants);
    found.iter().map(|found| format!("{} {}", found.code, found.title)).collect()
}

async fn destruction(rig: &Rig, stack: &Stack) -> Plan {
    rig.plan_for(stack, &Request { mode: Mode::Destroy, ..Request::default() }).await
}

/// The id of an object of the reference stack.
async fn id(rig: &Rig, address: &str) -> String {
    let observed = rig.observe(&lab()).await;
    observed.current(&address.parse().unwrap()).unwrap().id.to_string()
}

/// Starts an instance that belongs to no stack.
async fn run(ec2: &aws_sdk_ec2::Client, subnet: &str, group: &str) -> String {
    let intel = Filter::builder().name("architecture").values("x86_64").build();
    let images = ec2.describe_images().owners("amazon").filters(intel).send().await.unwrap();
    let run = ec2.run_instances().image_id(images.images()[0].image_id().unwrap());
    let run = run.instance_type(InstanceType::T3Micro).subnet_id(subnet).security_group_ids(group);
    let ran = run.min_count(1).max_count(1).send().await.unwrap();
    ran.instances()[0].instance_id().unwrap().to_owned()
}

/// Mirrors an instance to the reference stack's target, with its filter, and returns the id of the session.
async fn mirror(ec2: &aws_sdk_ec2::Client, source: &str) -> String {
    let own = Filter::builder().name("attachment.instance-id").values(source).build();
    let interfaces = ec2.describe_network_interfaces().filters(own).send().await.unwrap();
    let all = ec2.describe_traffic_mirror_sessions().send().await.unwrap();
    let lab = &all.traffic_mirror_sessions()[0];
    let made = ec2
        .create_traffic_mirror_session()
        .network_interface_id(interfaces.network_interfaces()[0].network_interface_id().unwrap())
        .traffic_mirror_target_id(lab.traffic_mirror_target_id().unwrap())
        .traffic_mirror_filter_id(lab.traffic_mirror_filter_id().unwrap())
        .session_number(7);
    let made = made.send().await.unwrap();
    made.traffic_mirror_session().unwrap().traffic_mirror_session_id().unwrap().to_owned()
}

/// Makes an object that belongs to others in one of the reference stack's, and returns its id.
async fn occupy(rig: &Rig, sort: Occupation) -> String {
    let ec2 = aws_sdk_ec2::Client::new(&config(&rig.cloud));
    let vpc = id(rig, "vpc.my-traffic-mirroring-vpc").await;
    let subnet = id(rig, "subnet.target-subnet").await;
    let group = id(rig, "security_group.target").await;
    match sort {
        Occupation::Instance => run(&ec2, &subnet, &group).await,
        Occupation::NetworkInterface => {
            let made = ec2.create_network_interface().subnet_id(subnet).groups(group);
            let made = made.send().await.unwrap();
            made.network_interface().unwrap().network_interface_id().unwrap().to_owned()
        }
        Occupation::LoadBalancer => {
            let elb = aws_sdk_elasticloadbalancingv2::Client::new(&config(&rig.cloud));
            let network = aws_sdk_elasticloadbalancingv2::types::LoadBalancerTypeEnum::Network;
            let made = elb.create_load_balancer().name("theirs").r#type(network).subnets(subnet);
            made.send().await.unwrap();
            "theirs".to_owned()
        }
        Occupation::Subnet => {
            let made = ec2.create_subnet().vpc_id(vpc).cidr_block("10.0.9.0/24");
            made.send().await.unwrap().subnet().unwrap().subnet_id().unwrap().to_owned()
        }
        Occupation::SecurityGroup => {
            let made = ec2.create_security_group().vpc_id(vpc).group_name("t").description("t");
            made.send().await.unwrap().group_id().unwrap().to_owned()
        }
        Occupation::RouteTable => {
            let made = ec2.create_route_table().vpc_id(vpc).send().await.unwrap();
            made.route_table().unwrap().route_table_id().unwrap().to_owned()
        }
        Occupation::MirrorSession => {
            let default = Filter::builder().name("default-for-az").values("true").build();
            let subnets = ec2.describe_subnets().filters(default).send().await.unwrap();
            let subnet = &subnets.subnets()[0];
            let own = Filter::builder().name("vpc-id").values(subnet.vpc_id().unwrap()).build();
            let groups = ec2.describe_security_groups().filters(own).send().await.unwrap();
            let group = groups.security_groups()[0].group_id().unwrap();
            let source = run(&ec2, subnet.subnet_id().unwrap(), group).await;
            mirror(&ec2, &source).await
        }
        Occupation::InternetGateway | Occupation::Member => unreachable!("not of the lab's"),
    }
}

/// A destroy with an object of others in the way: what is found, and that the destroy does not complete.
#[tokio::test(start_paused = true)]
async fn what_others_have_in_what_goes_is_found_and_would_stop_a_destroy() {
    let vpc = "MP1041 `vpc.my-traffic-mirroring-vpc` would be deleted, but";
    let subnet = "MP1041 `subnet.target-subnet` would be deleted, but";
    let filter = "MP1041 `mirror_filter.traffic-mirror-filter` would be deleted, but";
    let target = "MP1041 `mirror_target.nlb-mirror-target` would be deleted, but";
    for (sort, expected) in [
        (Occupation::Instance, vec![format!("{subnet} instance ID is in it")]),
        (Occupation::NetworkInterface, vec![format!("{subnet} network interface ID is in it")]),
        (Occupation::LoadBalancer, vec![format!("{subnet} load balancer ID is in it")]),
        (Occupation::Subnet, vec![format!("{vpc} subnet ID is in it")]),
        (Occupation::SecurityGroup, vec![format!("{vpc} security group ID is in it")]),
        (Occupation::RouteTable, vec![format!("{vpc} route table ID is in it")]),
        (
            Occupation::MirrorSession,
            vec![
                format!("{target} mirror session ID uses it"),
                format!("{filter} mirror session ID uses it"),
            ],
        ),
    ] {
        let rig = Rig::in_time_of_runtime();
        rig.converge(&lab()).await;
        let plan = destruction(&rig, &lab()).await;
        assert_eq!(found(&rig, &lab(), &plan).await, [""; 0]);
        let id = occupy(&rig, sort).await;
        let told = found(&rig, &lab(), &plan).await;
        let told: Vec<String> = told.iter().map(|told| told.replace(&id, "ID")).collect();
        assert_eq!(told, expected, "{sort:?}");
        assert!(!rig.apply(&plan).await.is_complete(), "{sort:?} is in nobody's way");
    }
}

/// AWS removes the sessions of an instance together with the instance.
#[tokio::test(start_paused = true)]
async fn a_session_of_others_on_an_instance_that_goes_is_in_nobodys_way() {
    let rig = Rig::in_time_of_runtime();
    rig.converge(&lab()).await;
    let ec2 = aws_sdk_ec2::Client::new(&config(&rig.cloud));
    mirror(&ec2, &id(&rig, "instance.source-instance").await).await;
    let plan = destruction(&rig, &lab()).await;
    assert_eq!(found(&rig, &lab(), &plan).await, [""; 0]);
    assert!(rig.apply(&plan).await.is_complete());
}

/// A stack from which one block is removed, in a VPC that stays.
#[tokio::test(start_paused = true)]
async fn a_group_that_goes_is_named_by_rules_of_others_and_has_their_instances_in_it() {
    let network = r#"
        stack "small" { region = "eu-west-1" }
        vpc "lab" { cidr = "10.0.0.0/16" }
        subnet "lab" {
          vpc  = vpc.lab
          cidr = "10.0.1.0/24"
        }
        "#;
    let grouped = format!("{network}security_group \"web\" {{ vpc = vpc.lab }}\n");
    let allow = "{\n  allow  = [\"MP1041: it will be gone by then\"]\n  region = \"eu-west-1\"\n}";
    let allowing = network.replace("{ region = \"eu-west-1\" }", allow);
    let rig = Rig::in_time_of_runtime();
    rig.converge(&stack(&grouped)).await;
    let observed = rig.observe(&stack(&grouped)).await;
    let of = |address: &str| observed.current(&address.parse().unwrap()).unwrap().id.to_string();
    let (vpc, subnet, group) = (of("vpc.lab"), of("subnet.lab"), of("security_group.web"));
    let ec2 = aws_sdk_ec2::Client::new(&config(&rig.cloud));
    let theirs = ec2.create_security_group().vpc_id(vpc).group_name("theirs").description("t");
    let theirs = theirs.send().await.unwrap().group_id().unwrap().to_owned();
    let from = UserIdGroupPair::builder().group_id(&group).build();
    let rule = IpPermission::builder().ip_protocol("-1").user_id_group_pairs(from).build();
    let rule = ec2.authorize_security_group_ingress().group_id(&theirs).ip_permissions(rule);
    rule.send().await.unwrap();
    for _ in 0..2 {
        run(&ec2, &subnet, &group).await;
    }
    let without = stack(network);
    let plan = rig.plan(&without).await;
    let told = found(&rig, &without, &plan).await.join("\n");
    assert!(
        told.starts_with("MP1041 `security_group.web` would be deleted, but instance i-")
            && told.ends_with("is in it, and 2 more"),
        "{told}"
    );
    let occupants = occupants(&rig.aws, &plan).await.unwrap();
    let found = lint::check_removal(&without, &plan, &occupants);
    let notes = &found.iter().next().unwrap().notes;
    let rule = format!("security group {theirs} \"theirs\" names it in a rule, too");
    assert!(notes.contains(&rule), "{notes:?}");
    assert!(lint::check_removal(&stack(&allowing), &plan, &occupants).is_empty());
}

/// Instances of an Auto Scaling group stay in the security groups that they were started in, whatever its launch
/// template names now.
#[tokio::test(start_paused = true)]
async fn a_group_stays_as_long_as_instances_are_in_it_that_scaling_has_started() {
    let rig = Rig::in_time_of_runtime();
    let text = include_str!("../../../../examples/receivers-that-scale.mirror.hcl");
    rig.converge(&stack(text)).await;
    // The destroy deletes them with their Auto Scaling group.
    let plan = destruction(&rig, &stack(text)).await;
    assert_eq!(found(&rig, &stack(text), &plan).await, [""; 0]);
    let (own, other) = ("[security_group.sensors]", "[security_group.application]");
    let regrouped = text.replace(own, other);
    rig.converge(&stack(&regrouped)).await;
    let (start, rest) = regrouped.split_once("security_group \"sensors\"").unwrap();
    let (_, rest) = rest.split_once("\n}\n").unwrap();
    let without = stack(&format!("{start}{rest}"));
    let plan = rig.plan(&without).await;
    let told = found(&rig, &without, &plan).await.join("\n");
    assert!(
        told.starts_with("MP1041 `security_group.sensors` would be deleted, but instance i-"),
        "{told}"
    );
    assert!(!rig.apply(&plan).await.is_complete());
    // They are deleted when their group is replaced.
    let anew = ["autoscaling_group.sensors".parse().unwrap()].into();
    let plan = rig.plan_for(&without, &Request { replace: anew, ..Request::default() }).await;
    assert_eq!(found(&rig, &without, &plan).await, [""; 0]);
    assert!(rig.apply(&plan).await.is_complete());
}
