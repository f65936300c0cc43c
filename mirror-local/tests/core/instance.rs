//! Instances from launch to oblivion.

use crate::client::{Client, all, first};
use mirror_local::Faults;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn image(client: &Client) -> String {
    let form = "DescribeImages&Filter.1.Name=name&Filter.1.Value.1=al2023-ami-2023*x86_64";
    first(&client.ok(form), "imageId")
}

fn state(client: &Client, id: &str) -> String {
    let seen = client.ok(&format!("DescribeInstances&InstanceId.1={id}"));
    first(&first(&seen, "instanceState"), "name")
}

#[test]
fn an_instance_goes_through_its_states() {
    let client = Client::new();
    let image = image(&client);
    let run = format!(
        "RunInstances&ImageId={image}&InstanceType=t3.micro&MinCount=1&MaxCount=1&ClientToken=t"
    );
    let made = client.ok(&run);
    let id = first(&made, "instanceId");
    let interface = first(&made, "networkInterfaceId");
    assert_eq!(state(&client, &id), "pending");
    client.advance(SECOND);
    assert_eq!(state(&client, &id), "running");
    assert_eq!(first(&client.ok(&run), "instanceId"), id);
    client.ok(&format!("StopInstances&InstanceId.1={id}"));
    assert_eq!(state(&client, &id), "stopping");
    client.advance(SECOND);
    assert_eq!(state(&client, &id), "stopped");
    assert_eq!(all(&client.ok("DescribeInstances"), "ipAddress"), Vec::<String>::new());
    client.ok(&format!("StartInstances&InstanceId.1={id}"));
    assert_eq!(all(&client.ok("DescribeInstances"), "ipAddress").len(), 1);
    client.ok(&format!("TerminateInstances&InstanceId.1={id}"));
    assert_eq!(state(&client, &id), "shutting-down");
    client.ok(&format!("DescribeNetworkInterfaces&NetworkInterfaceId.1={interface}"));
    client.advance(SECOND);
    assert_eq!(state(&client, &id), "terminated");
    assert_eq!(
        client.refused(&format!("DescribeNetworkInterfaces&NetworkInterfaceId.1={interface}")),
        "400 InvalidNetworkInterfaceID.NotFound"
    );
    assert_eq!(first(&client.ok(&run), "instanceId"), id, "the token returns the dead instance");
    client.advance(SECOND * 3600);
    assert_eq!(
        client.refused(&format!("DescribeInstances&InstanceId.1={id}")),
        "400 InvalidInstanceID.NotFound"
    );
}

#[test]
fn one_launch_is_one_reservation() {
    let client = Client::new();
    let image = image(&client);
    client.ok(&format!("RunInstances&ImageId={image}&InstanceType=t3.micro&MinCount=3&MaxCount=3"));
    let seen = client.ok("DescribeInstances");
    assert_eq!(all(&seen, "reservationId").len(), 1);
    assert_eq!(all(&seen, "amiLaunchIndex"), ["0", "1", "2"]);
}

#[test]
fn an_empty_profile_or_zone_is_none_in_particular() {
    let client = Client::new();
    let image = image(&client);
    let run = format!("RunInstances&ImageId={image}&InstanceType=t3.micro&MinCount=1&MaxCount=1");
    let empty = "IamInstanceProfile.Name=&Placement.AvailabilityZone=&Placement.GroupName=";
    let made = client.ok(&format!("{run}&{empty}"));
    assert_eq!(all(&made, "iamInstanceProfile"), Vec::<String>::new());
    assert_eq!(first(&made, "availabilityZone"), "us-east-1a");
    let made = client.ok(&format!("{run}&IamInstanceProfile.Name=reader"));
    assert_eq!(all(&made, "arn"), ["arn:aws:iam::123456789012:instance-profile/reader"]);
}

#[test]
fn what_cannot_be_launched_leaves_nothing_behind() {
    let client = Client::new();
    let image = image(&client);
    let cases = [
        ("ImageId=ami-00000000000000000&MinCount=1&MaxCount=1", "InvalidAMIID.NotFound"),
        ("ImageId=nonsense&MinCount=1&MaxCount=1", "InvalidAMIID.Malformed"),
        ("MinCount=2&MaxCount=1", "InvalidParameterValue"),
        ("MinCount=1&MaxCount=1&InstanceType=t3.giant", "InvalidParameterValue"),
        ("MinCount=1&MaxCount=1&InstanceType=t4g.micro", "InvalidParameterValue"),
        ("MinCount=1&MaxCount=1&KeyName=none", "InvalidKeyPair.NotFound"),
        ("MinCount=1&MaxCount=1&SubnetId=subnet-00000000000000000", "InvalidSubnetID.NotFound"),
        ("MinCount=1&MaxCount=1&UserData=%23!", "InvalidUserData.Malformed"),
        ("MaxCount=1", "MissingParameter"),
    ];
    for (form, code) in cases {
        let image =
            if form.contains("ImageId") { String::new() } else { format!("&ImageId={image}") };
        let refused = client.refused(&format!("RunInstances&{form}{image}"));
        assert_eq!(refused, format!("400 {code}"), "{form}");
    }
    assert_eq!(all(&client.ok("DescribeNetworkInterfaces"), "networkInterfaceId").len(), 0);
    assert_eq!(all(&client.ok("DescribeVolumes"), "volumeId").len(), 0);
}

#[test]
fn a_gateway_stays_while_an_instance_has_a_public_address() {
    let client = Client::new();
    let image = image(&client);
    let vpc = first(&client.ok("DescribeVpcs"), "vpcId");
    let gateway = first(&client.ok("DescribeInternetGateways"), "internetGatewayId");
    let run = format!("RunInstances&ImageId={image}&InstanceType=t3.micro&MinCount=1&MaxCount=1");
    let id = first(&client.ok(&run), "instanceId");
    let detach = format!("DetachInternetGateway&InternetGatewayId={gateway}&VpcId={vpc}");
    let refused = client.send(&detach);
    assert!(refused.body.contains("mapped public address(es)"), "{}", refused.body);
    client.ok(&format!("TerminateInstances&InstanceId.1={id}"));
    assert_eq!(client.refused(&detach), "400 DependencyViolation");
    client.advance(SECOND);
    client.ok(&detach);
}

#[test]
fn what_cannot_be_seen_yet_goes_with_its_instance_too() {
    for unseen in 0..3 {
        let client = Client::new();
        let image = image(&client);
        // The instance, its interface and its volume are new; one of them becomes visible an hour later.
        let lags = (0..3).map(|new| if new == unseen { SECOND * 3600 } else { Duration::ZERO });
        client.cloud.set_faults(Faults::none().unseen_during(lags));
        let run =
            format!("RunInstances&ImageId={image}&InstanceType=t3.micro&MinCount=1&MaxCount=1");
        let id = first(&client.ok(&run), "instanceId");
        client.advance(SECOND);
        let terminate = format!("TerminateInstances&InstanceId.1={id}");
        if client.send(&terminate).status == 400 {
            client.advance(SECOND * 3600); // the instance itself is not visible yet
            client.ok(&terminate);
        }
        client.advance(SECOND);
        client.ok("DescribeVpcs");
        client.advance(SECOND * 3600);
        assert_eq!(all(&client.ok("DescribeVolumes"), "volumeId"), Vec::<String>::new());
        let interfaces = all(&client.ok("DescribeNetworkInterfaces"), "networkInterfaceId");
        assert_eq!(interfaces, Vec::<String>::new(), "{unseen}");
    }
}
