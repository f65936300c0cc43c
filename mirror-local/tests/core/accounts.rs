//! Accounts: an access key of twelve digits is another account, and no account sees anything of the others.

use crate::client::{Client, all, first};
use http::{Method, Request};
use mirror_local::{ACCOUNT, Cloud, Place, Response};
use std::time::Duration;

const OTHER: &str = "222233334444";

/// Makes a call with an access key, in a Region.
fn send(cloud: &Cloud, (key, region): (&str, &str), form: &str) -> Response {
    let scope = format!("AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/ec2/aws4_request");
    let request =
        Request::post("/").header("authorization", scope).body(()).expect("a plain request");
    let body = format!("Version=2016-11-15&Action={form}");
    let reply = cloud.call(&request.into_parts().0, body.as_bytes());
    reply.response.expect("no fault drops the answer")
}

fn ok(cloud: &Cloud, key: &str, form: &str) -> String {
    let response = send(cloud, (key, "us-east-1"), form);
    assert_eq!(response.status, 200, "{form}: {}", response.body);
    response.body
}

#[test]
fn nobody_sees_anything_of_another_account() {
    let client = Client::new();
    let cloud = &client.cloud;
    let vpcs = ["any", OTHER].map(|key| ok(cloud, key, "CreateVpc&CidrBlock=10.0.0.0/16"));
    assert_eq!(vpcs.each_ref().map(|xml| first(xml, "ownerId")), [ACCOUNT, OTHER]);
    let [ours, theirs] = vpcs.map(|xml| first(&xml, "vpcId"));
    assert_ne!(ours, theirs);
    for (key, own, others) in [("any", &ours, &theirs), (OTHER, &theirs, &ours)] {
        let seen = all(&ok(cloud, key, "DescribeVpcs"), "vpcId");
        assert!(seen.len() == 2 && seen.contains(own), "its default VPC and its own: {seen:?}");
        for call in ["DeleteVpc&VpcId=", "CreateSubnet&CidrBlock=10.0.1.0/24&VpcId="] {
            let refused = send(cloud, (key, "us-east-1"), &format!("{call}{others}"));
            assert_eq!(refused.error.as_deref(), Some("InvalidVpcID.NotFound"));
        }
        let subnet = ok(cloud, key, &format!("CreateSubnet&CidrBlock=10.0.1.0/24&VpcId={own}"));
        let owner = if key == OTHER { OTHER } else { ACCOUNT };
        let arn = format!("arn:aws:ec2:us-east-1:{owner}:subnet/{}", first(&subnet, "subnetId"));
        assert_eq!(first(&subnet, "subnetArn"), arn);
    }
    let here = cloud.inventory("us-east-1").unwrap();
    let there = cloud.inventory(Place::new(OTHER, "us-east-1")).unwrap();
    assert!(here.keys().all(|object| !there.contains_key(object)), "no id is of both");
    let accounts: Vec<String> = cloud.log().unwrap().into_iter().map(|it| it.account).collect();
    assert!(accounts[..2] == [ACCOUNT, OTHER], "{accounts:?}");
}

#[test]
fn all_accounts_of_a_directory_are_there_when_it_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let open = || Cloud::open(directory.path()).unwrap();
    for key in ["any", OTHER] {
        ok(&open(), key, "CreateVpc&CidrBlock=10.0.0.0/16");
    }
    let owners = ["any", OTHER, "555566667777"].map(|key| {
        let vpcs = ok(&open(), key, "DescribeVpcs&Filter.1.Name=cidr&Filter.1.Value.1=10.0.0.0/16");
        all(&vpcs, "ownerId")
    });
    assert_eq!(owners, [vec![ACCOUNT], vec![OTHER], vec![]]);
    let accounts: Vec<String> = open().log().unwrap().into_iter().map(|it| it.account).collect();
    assert_eq!(accounts, [ACCOUNT, OTHER, ACCOUNT, OTHER, "555566667777"]);
}

#[test]
fn the_name_of_a_bucket_is_taken_for_every_account() {
    let cloud = Cloud::in_memory();
    let send = |key: &str, method: Method| {
        let scope = format!("AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/s3/aws4_request");
        let request = Request::builder().method(method).uri("/journals");
        let request = request.header("authorization", scope).body(()).unwrap();
        let response = cloud.call(&request.into_parts().0, b"").response.unwrap();
        (response.status, response.error)
    };
    assert_eq!(send("any", Method::PUT), (200, None));
    assert_eq!(send("any", Method::HEAD), (200, None));
    assert_eq!(send(OTHER, Method::PUT), (409, Some("BucketAlreadyExists".to_owned())));
    assert_eq!(send(OTHER, Method::HEAD).0, 403);
}

#[test]
fn arns_begin_with_the_partition_of_their_region() {
    let cloud = Cloud::in_memory();
    let partition = |region: &str| {
        let subnets = send(&cloud, ("any", region), "DescribeSubnets").body;
        first(&subnets, "subnetArn").split(':').nth(1).unwrap().to_owned()
    };
    let of = ["eu-west-1", "cn-north-1", "us-gov-west-1", "us-isob-east-1"].map(partition);
    assert_eq!(of, ["aws", "aws-cn", "aws-us-gov", "aws-iso-b"]);
}

/// Two accounts with a VPC each, and the call by which the first asks the other for a connection.
struct Two {
    client: Client,
    ask: String,
    theirs: String,
}

impl Two {
    fn new() -> Self {
        let client = Client::new();
        let vpc = |key: &str, block: &str| {
            let made = ok(&client.cloud, key, &format!("CreateVpc&CidrBlock={block}"));
            first(&made, "vpcId")
        };
        let (own, theirs) = (vpc("any", "10.0.0.0/16"), vpc(OTHER, "10.1.0.0/16"));
        let ask = format!(
            "CreateVpcPeeringConnection&VpcId={own}&PeerVpcId={theirs}&PeerOwnerId={OTHER}\
             &TagSpecification.1.ResourceType=vpc-peering-connection&TagSpecification.1.Tag.1.Key=whose\
             &TagSpecification.1.Tag.1.Value=ours"
        );
        Self { client, ask, theirs }
    }

    /// Requests the connection; returns its id once it can be accepted.
    fn asked(&self) -> String {
        let id = first(&ok(&self.client.cloud, "any", &self.ask), "vpcPeeringConnectionId");
        self.client.advance(Duration::from_secs(1));
        id
    }

    fn ok(&self, key: &str, form: &str) -> String {
        ok(&self.client.cloud, key, form)
    }

    fn refused(&self, key: &str, form: &str) -> String {
        let response = send(&self.client.cloud, (key, "us-east-1"), form);
        response.error.unwrap_or_else(|| panic!("{form}: {}", response.body))
    }

    /// The state of a connection, as each account sees it.
    fn codes(&self, id: &str) -> [String; 2] {
        let describe = format!("DescribeVpcPeeringConnections&VpcPeeringConnectionId.1={id}");
        ["any", OTHER].map(|key| first(&self.ok(key, &describe), "code"))
    }
}

#[test]
fn a_connection_is_asked_of_another_account_which_alone_accepts_it() {
    let two = Two::new();
    let id = two.asked();
    assert_eq!(first(&two.ok("any", &two.ask), "vpcPeeringConnectionId"), id, "the pair has one");
    assert_eq!(two.codes(&id), ["pending-acceptance"; 2]);
    let accept = format!("AcceptVpcPeeringConnection&VpcPeeringConnectionId={id}");
    assert_eq!(two.refused("any", &accept), "OperationNotPermitted");
    assert_eq!(two.refused("555566667777", &accept), "InvalidVpcPeeringConnectionID.NotFound");
    two.ok(OTHER, &accept);
    two.client.advance(Duration::from_secs(1));
    assert_eq!(two.codes(&id), ["active"; 2]);
    assert_eq!(two.refused(OTHER, &accept), "InvalidStateTransition");
    let describe = |key| two.ok(key, "DescribeVpcPeeringConnections");
    for key in ["any", OTHER] {
        let seen = describe(key);
        assert_eq!(all(&seen, "ownerId"), [OTHER, ACCOUNT], "of accepter and requester");
        assert_eq!(all(&seen, "cidrBlock").len(), 4, "both ranges are told: {seen}");
    }
    let mine =
        "DescribeVpcPeeringConnections&Filter.1.Name=accepter-vpc-info.owner-id&Filter.1.Value.1=";
    assert_eq!(all(&two.ok(OTHER, &format!("{mine}{OTHER}")), "code"), ["active"]);
    assert_eq!(all(&two.ok(OTHER, &format!("{mine}{ACCOUNT}")), "code"), [""; 0]);
}

#[test]
fn each_account_has_tags_of_its_own_on_a_connection() {
    let two = Two::new();
    let id = two.asked();
    let tags = |key| {
        let tags =
            two.ok(key, &format!("DescribeTags&Filter.1.Name=resource-id&Filter.1.Value.1={id}"));
        let described =
            two.ok(key, &format!("DescribeVpcPeeringConnections&VpcPeeringConnectionId.1={id}"));
        assert_eq!(all(&tags, "value"), all(&described, "value"));
        all(&tags, "value")
    };
    assert_eq!((tags("any"), tags(OTHER)), (vec!["ours".to_owned()], Vec::new()));
    two.ok(OTHER, &format!("CreateTags&ResourceId.1={id}&Tag.1.Key=whose&Tag.1.Value=theirs"));
    assert_eq!((tags("any"), tags(OTHER)), (vec!["ours".to_owned()], vec!["theirs".to_owned()]));
    two.ok(OTHER, &format!("DeleteTags&ResourceId.1={id}"));
    assert_eq!((tags("any"), tags(OTHER)), (vec!["ours".to_owned()], Vec::new()));
    let third = format!("CreateTags&ResourceId.1={id}&Tag.1.Key=a&Tag.1.Value=b");
    assert_eq!(two.refused("555566667777", &third), "InvalidVpcPeeringConnectionID.NotFound");
}

#[test]
fn either_account_ends_a_connection_and_only_who_has_asked_a_request() {
    for ends in ["any", OTHER] {
        let two = Two::new();
        let id = two.asked();
        let delete = format!("DeleteVpcPeeringConnection&VpcPeeringConnectionId={id}");
        assert_eq!(two.refused(OTHER, &delete), "InvalidStateTransition");
        two.ok(OTHER, &format!("AcceptVpcPeeringConnection&VpcPeeringConnectionId={id}"));
        let busy = format!("DeleteVpc&VpcId={}", two.theirs);
        assert_eq!(two.refused(OTHER, &busy), "DependencyViolation");
        two.ok(ends, &delete);
        assert_eq!(two.codes(&id), ["deleted"; 2]);
        two.ok(OTHER, &busy);
        two.client.advance(Duration::from_secs(2 * 60 * 60));
        for key in ["any", OTHER] {
            let all = two.ok(key, "DescribeVpcPeeringConnections");
            assert!(!all.contains(&id), "{ends} ended it, and {key} sees it: {all}");
        }
    }
    let two = Two::new();
    let id = two.asked();
    two.ok("any", &format!("DeleteVpcPeeringConnection&VpcPeeringConnectionId={id}"));
    assert_eq!(two.codes(&id), ["deleted"; 2]);
}

#[test]
fn a_request_to_another_account_ends_after_a_week_and_is_forgotten() {
    let two = Two::new();
    let id = two.asked();
    two.client.advance(Duration::from_secs(7 * 24 * 60 * 60));
    assert_eq!(two.codes(&id), ["expired"; 2]);
    let accept = format!("AcceptVpcPeeringConnection&VpcPeeringConnectionId={id}");
    assert_eq!(two.refused(OTHER, &accept), "InvalidStateTransition");
    two.client.advance(Duration::from_secs(2 * 60 * 60));
    for key in ["any", OTHER] {
        assert_eq!(two.refused(key, &accept), "InvalidVpcPeeringConnectionID.NotFound");
        assert_eq!(all(&two.ok(key, "DescribeVpcPeeringConnections"), "code"), [""; 0]);
    }
    assert_ne!(first(&two.ok("any", &two.ask), "vpcPeeringConnectionId"), id);
}

#[test]
fn a_request_to_an_account_that_does_not_have_the_vpc_has_failed() {
    let two = Two::new();
    let wrong = two.ask.replace(OTHER, "555566667777");
    assert_eq!(first(&two.ok("any", &wrong), "code"), "failed");
    let none = two.ask.replace(OTHER, "5555");
    assert_eq!(two.refused("any", &none), "InvalidParameterValue");
}

#[test]
fn both_accounts_have_routes_over_a_connection() {
    let two = Two::new();
    let id = two.asked();
    let vpcs = |key| {
        all(&two.ok(key, "DescribeVpcs&Filter.1.Name=is-default&Filter.1.Value.1=false"), "vpcId")
    };
    for key in ["any", OTHER] {
        let table = format!("CreateRouteTable&VpcId={}", vpcs(key)[0]);
        let table = first(&two.ok(key, &table), "routeTableId");
        let route = |range: &str| {
            format!(
                "CreateRoute&RouteTableId={table}&DestinationCidrBlock={range}&VpcPeeringConnectionId={id}"
            )
        };
        two.ok(key, &route("10.8.0.0/16"));
        let describe = format!("DescribeRouteTables&RouteTableId.1={table}");
        let states = || all(&two.ok(key, &describe), "state").contains(&"blackhole".to_owned());
        if key == "any" {
            assert!(states(), "nobody has accepted it yet");
            two.ok(OTHER, &format!("AcceptVpcPeeringConnection&VpcPeeringConnectionId={id}"));
        }
        assert!(!states());
    }
}
