//! Accounts: an access key of twelve digits is another one, and none sees anything of the others.

use crate::client::{Client, all, first};
use http::{Method, Request};
use mirror_local::{ACCOUNT, Cloud, Place, Response};

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
