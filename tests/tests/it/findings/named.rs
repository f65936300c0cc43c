//! What a stack names of others: it is looked for before the first call.

use mirror_tests::{Rig, config, stack};

use super::found;

/// An instance that is replaced has gone when AWS says that there is nothing to make the next one of.
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
    // Of what runs nobody asks: it outlives both.
    let keyed = lab.replace(source, &format!("{source}\n  key_name = \"operator\""));
    rig.converge(&stack(&keyed)).await;
    ec2.delete_key_pair().key_name("operator").send().await.unwrap();
    assert_eq!(found(&rig, &keyed).await, [""; 0]);
}

/// A stack that names the id of something of each sort.
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
    // What is there names them already, and nobody is asked again.
    rig.converge(&stack(&theirs)).await;
    let before = rig.cloud.log().unwrap().len();
    assert_eq!(found(&rig, &theirs).await, [""; 0]);
    let calls = rig.cloud.log().unwrap();
    let asked = calls[before..].iter().filter(|call| call.action == "DescribeTrafficMirrorFilters");
    assert_eq!(asked.count(), 0);
}
