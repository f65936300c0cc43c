//! A cloud in a directory: shared, reopened, and torn.

use crate::client::{Client, all, first};
use mirror_local::Cloud;
use std::fs;
use std::path::Path;

fn open(directory: &Path) -> Client {
    Client::of(Cloud::open(directory).expect("the directory holds a cloud"))
}

/// Everything a client can see, in a few calls.
fn sight(client: &Client) -> String {
    ["DescribeVpcs", "DescribeSubnets", "DescribeSecurityGroupRules", "DescribeTags"]
        .map(|action| client.ok(action))
        .join("\n")
}

fn populate(client: &Client) {
    for n in 0..3 {
        let vpc = first(&client.ok(&format!("CreateVpc&CidrBlock=10.{n}.0.0/16")), "vpcId");
        client.ok(&format!("CreateSubnet&VpcId={vpc}&CidrBlock=10.{n}.1.0/24"));
        client.ok(&format!("CreateTags&ResourceId.1={vpc}&Tag.1.Key=n&Tag.1.Value={n}"));
    }
}

#[test]
fn a_reopened_cloud_is_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let client = open(directory.path());
    populate(&client);
    let before = sight(&client);
    assert_eq!(sight(&open(directory.path())), before);
    let memory = Client::new();
    populate(&memory);
    assert_eq!(sight(&memory), before, "a directory changes nothing about a cloud");
}

#[test]
fn two_clouds_share_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (open(directory.path()), open(directory.path()));
    let vpc = first(&one.ok("CreateVpc&CidrBlock=10.0.0.0/16"), "vpcId");
    let subnet =
        first(&other.ok(&format!("CreateSubnet&VpcId={vpc}&CidrBlock=10.0.0.0/24")), "subnetId");
    one.ok(&format!("DeleteSubnet&SubnetId={subnet}"));
    other.ok(&format!("DeleteVpc&VpcId={vpc}"));
    assert_eq!(all(&one.ok("DescribeVpcs"), "vpcId").len(), 1);
    let actions: Vec<String> = one.cloud.log().unwrap().into_iter().map(|c| c.action).collect();
    assert_eq!(actions, ["CreateVpc", "CreateSubnet", "DeleteSubnet", "DeleteVpc", "DescribeVpcs"]);
}

#[test]
fn a_reset_is_seen_by_the_other_one() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (open(directory.path()), open(directory.path()));
    one.ok("CreateVpc&CidrBlock=10.0.0.0/16");
    assert_eq!(all(&other.ok("DescribeVpcs"), "vpcId").len(), 2);
    one.cloud.reset().unwrap();
    assert_eq!(all(&other.ok("DescribeVpcs"), "vpcId").len(), 1);
    assert_eq!(other.cloud.log().unwrap().len(), 1);
}

#[test]
fn a_tail_torn_at_any_byte_loses_the_last_call_only() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("world.log");
    let client = open(directory.path());
    client.ok("CreateVpc&CidrBlock=10.0.0.0/16");
    let (before, start) = (sight(&client), fs::read(&log).unwrap().len());
    client.ok("CreateVpc&CidrBlock=10.1.0.0/16");
    let after = sight(&client);
    let whole = fs::read(&log).unwrap();
    for length in start..=whole.len() {
        fs::write(&log, &whole[..length]).unwrap();
        let reopened = open(directory.path());
        let expected = if length == whole.len() { &after } else { &before };
        assert_eq!(sight(&reopened), *expected, "torn at {length}");
        reopened.ok("CreateVpc&CidrBlock=10.2.0.0/16");
        let added = sight(&reopened);
        assert_eq!(sight(&open(directory.path())), added, "written after a tear at {length}");
    }
}

#[test]
fn damage_in_the_middle_is_not_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let client = open(directory.path());
    populate(&client);
    let log = directory.path().join("world.log");
    let mut text = fs::read(&log).unwrap();
    let middle = text.len() / 2;
    text[middle] ^= 1;
    fs::write(&log, text).unwrap();
    let error = Cloud::open(directory.path()).unwrap_err();
    assert!(error.to_string().contains("is damaged at byte"), "{error}");
}

#[test]
fn whatever_is_in_a_directory_can_be_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let empty = sight(&open(directory.path()));
    populate(&open(directory.path()));
    let log = directory.path().join("world.log");
    let mut damaged = fs::read(&log).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    let foreign =
        b"the log of a later version, which begins with another line than ours do".to_vec();
    for text in [damaged, foreign, Vec::new()] {
        fs::write(&log, text).unwrap();
        let afresh = Client::of(Cloud::open_afresh(directory.path()).expect("it can be written"));
        assert_eq!(sight(&afresh), empty);
        populate(&afresh);
        assert_eq!(sight(&open(directory.path())), sight(&afresh));
    }
}
