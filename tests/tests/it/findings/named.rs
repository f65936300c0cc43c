//! Objects of others that a stack names: they are looked up before the first call.

use mirror_tests::{Rig, config, stack};

use super::found;

/// By the time AWS reports a missing image or key pair, the instance that is being replaced is already deleted.
#[tokio::test]
async fn an_image_or_a_key_pair_that_nobody_has_is_found_before_the_first_call() {
    let rig = Rig::instant();
    let lab = include_str!("../../../../examples/lab.mirror.hcl");
    rig.converge(&stack(lab)).await;
    let source = "instance \"source-instance\" {";
    let edited = lab.replace(
        source,
        &format!("{source}\n  key_name = \"operator\"\n  ami = \"ami-0a1b2c3d4e5f67890\""),
    );
    let key_pair = "MP1039 there is no key pair `operator` for `instance.source-instance`";
    let image = "MP1039 there is no image `ami-0a1b2c3d4e5f67890` for `instance.source-instance`";
    assert_eq!(found(&rig, &edited).await, [key_pair, image]);
    let ec2 = aws_sdk_ec2::Client::new(&config(&rig.cloud));
    ec2.create_key_pair().key_name("operator").send().await.unwrap();
    assert_eq!(found(&rig, &edited).await, [image]);
    // Neither is looked up for a running instance, which outlives both.
    let keyed = lab.replace(source, &format!("{source}\n  key_name = \"operator\""));
    rig.converge(&stack(&keyed)).await;
    ec2.delete_key_pair().key_name("operator").send().await.unwrap();
    assert_eq!(found(&rig, &keyed).await, [""; 0]);
}

/// A stack that names an object of each sort by its id.
fn naming([vpc, subnet, security_group, interface, filter]: [&str; 5]) -> String {
    format!(
        r#"
stack "naming" {{ region = "eu-west-1" }}
security_group "own" {{ vpc = "{vpc}" }}
instance "sensor" {{
  instance_type   = "t3.micro"
  subnet          = "{subnet}"
  security_groups = [security_group.own, "{security_group}"]
}}
mirror_target "sensor" {{ network_interface = instance.sensor }}
mirror_session "one" {{
  source = "{interface}"
  target = mirror_target.sensor
  filter = "{filter}"
  number = 1
}}
"#
    )
}

#[tokio::test]
async fn an_id_that_nobody_has_is_found_before_the_first_call() {
    let rig = Rig::instant();
    let nobodys = [
        "vpc-0a1b2c3d4e5f67890",
        "subnet-0a1b2c3d4e5f67890",
        "sg-0a1b2c3d4e5f67890",
        "eni-0a1b2c3d4e5f67890",
        "tmf-0a1b2c3d4e5f67890",
    ];
    assert_eq!(
        found(&rig, &naming(nobodys)).await,
        [
            "MP1039 there is no VPC `vpc-0a1b2c3d4e5f67890` for `security_group.own`",
            "MP1039 there is no subnet `subnet-0a1b2c3d4e5f67890` for `instance.sensor`",
            "MP1039 there is no security group `sg-0a1b2c3d4e5f67890` for `instance.sensor`",
            "MP1039 there is no network interface `eni-0a1b2c3d4e5f67890` for `mirror_session.one`",
            "MP1039 there is no mirror filter `tmf-0a1b2c3d4e5f67890` for `mirror_session.one`",
        ]
    );
    rig.converge(&mirror_tests::lab()).await;
    let ec2 = aws_sdk_ec2::Client::new(&config(&rig.cloud));
    let sessions = ec2.describe_traffic_mirror_sessions().send().await.unwrap();
    let session = &sessions.traffic_mirror_sessions()[0];
    let source = session.network_interface_id().unwrap();
    let interfaces = ec2.describe_network_interfaces().network_interface_ids(source);
    let interfaces = interfaces.send().await.unwrap();
    let interface = &interfaces.network_interfaces()[0];
    let theirs = naming([
        interface.vpc_id().unwrap(),
        interface.subnet_id().unwrap(),
        interface.groups()[0].group_id().unwrap(),
        source,
        session.traffic_mirror_filter_id().unwrap(),
    ])
    .replace("number = 1", "number = 2");
    assert_eq!(found(&rig, &theirs).await, [""; 0]);
    // The existing objects name them already, so they are not looked up again.
    rig.converge(&stack(&theirs)).await;
    let before = rig.cloud.log().unwrap().len();
    assert_eq!(found(&rig, &theirs).await, [""; 0]);
    let calls = rig.cloud.log().unwrap();
    let asked = calls[before..].iter().filter(|call| call.action == "DescribeTrafficMirrorFilters");
    assert_eq!(asked.count(), 0);
}

/// A stack with a route to something of each sort, and an attachment to a transit gateway.
fn leading_to([gateway, peering, transit_gateway, endpoint, interface]: [&str; 5]) -> String {
    format!(
        r#"
stack "leading" {{ region = "eu-west-1" }}
vpc "own" {{ cidr = "10.7.0.0/16" }}
subnet "own" {{
  vpc  = vpc.own
  cidr = "10.7.0.0/24"
}}
route_table "own" {{
  vpc    = vpc.own
  routes = [
    {{ destination = "10.11.0.0/16", internet_gateway = "{gateway}" }},
    {{ destination = "10.12.0.0/16", vpc_peering = "{peering}" }},
    {{ destination = "10.13.0.0/16", transit_gateway = "{transit_gateway}" }},
    {{ destination = "10.14.0.0/16", target = "{endpoint}" }},
    {{ destination = "10.15.0.0/16", target = "{interface}" }},
    {{ destination = "10.16.0.0/16", target = "nat-0a1b2c3d4e5f67890" }},
  ]
}}
transit_gateway_attachment "own" {{
  vpc             = vpc.own
  transit_gateway = "{transit_gateway}"
  subnets         = [subnet.own]
}}
"#
    )
}

/// NAT gateways, which a local AWS does not have, are not looked up.
#[tokio::test]
async fn what_nobody_has_is_no_way_for_a_route() {
    let rig = Rig::instant();
    rig.converge(&mirror_tests::gateway()).await;
    let nobodys = [
        "igw-0a1b2c3d4e5f67890",
        "pcx-0a1b2c3d4e5f67890",
        "tgw-0a1b2c3d4e5f67890",
        "vpce-0a1b2c3d4e5f67890",
        "eni-0a1b2c3d4e5f67890",
    ];
    assert_eq!(
        found(&rig, &leading_to(nobodys)).await,
        [
            "MP1039 there is no internet gateway `igw-0a1b2c3d4e5f67890` for `route_table.own`",
            "MP1039 there is no VPC peering connection `pcx-0a1b2c3d4e5f67890` for `route_table.own`",
            "MP1039 there is no transit gateway `tgw-0a1b2c3d4e5f67890` for `route_table.own`",
            "MP1039 there is no endpoint `vpce-0a1b2c3d4e5f67890` for `route_table.own`",
            "MP1039 there is no network interface `eni-0a1b2c3d4e5f67890` for `route_table.own`",
            "MP1039 there is no transit gateway `tgw-0a1b2c3d4e5f67890` for `transit_gateway_attachment.own`",
        ]
    );
    let ec2 = aws_sdk_ec2::Client::new(&config(&rig.cloud));
    let gateway = ec2.create_internet_gateway().send().await.unwrap();
    let gateway = gateway.internet_gateway().unwrap().internet_gateway_id().unwrap();
    let vpcs = ec2.describe_vpcs().send().await.unwrap();
    let [one, another, ..] = vpcs.vpcs() else { panic!("there are two: {vpcs:?}") };
    let peering = ec2.create_vpc_peering_connection().vpc_id(one.vpc_id().unwrap());
    let peering = peering.peer_vpc_id(another.vpc_id().unwrap()).send().await.unwrap();
    let peering = peering.vpc_peering_connection().unwrap().vpc_peering_connection_id().unwrap();
    let transit_gateway = ec2.create_transit_gateway().send().await.unwrap();
    let transit_gateway = transit_gateway.transit_gateway().unwrap().transit_gateway_id().unwrap();
    let endpoints = ec2.describe_vpc_endpoints().send().await.unwrap();
    let endpoint = &endpoints.vpc_endpoints()[0];
    let interface = &endpoint.network_interface_ids()[0];
    let endpoint = endpoint.vpc_endpoint_id().unwrap();
    let theirs = leading_to([gateway, peering, transit_gateway, endpoint, interface]);
    assert_eq!(found(&rig, &theirs).await, [""; 0]);
    // Once deleted, both are shown for a while, but lead nowhere.
    ec2.delete_vpc_peering_connection().vpc_peering_connection_id(peering).send().await.unwrap();
    ec2.delete_transit_gateway().transit_gateway_id(transit_gateway).send().await.unwrap();
    let gone = found(&rig, &theirs).await;
    assert_eq!(gone.len(), 3, "{gone:#?}");
    assert!(
        gone.iter().all(|it| it.contains(peering) || it.contains(transit_gateway)),
        "{gone:#?}"
    );
}
