//! Faults at the one place where they are injected.

use crate::client::{Client, all, first};
use mirror_local::{Bucket, Calls, Effect, Fault, Faults};
use std::time::Duration;

const CREATE: &str = "CreateVpc&CidrBlock=10.0.0.0/16";

fn vpcs(client: &Client) -> usize {
    all(&client.ok("DescribeVpcs"), "vpcId").len()
}

fn creating(fault: Fault) -> Client {
    let client = Client::new();
    let calls = Calls::Action("CreateVpc".to_owned());
    client.cloud.set_faults(Faults::none().fail(calls, 1, fault));
    client
}

#[test]
fn a_refused_call_has_no_effect_and_a_lost_answer_has() {
    let client = creating(Fault::refused("InternalError", 500));
    assert_eq!(client.refused(CREATE), "500 InternalError");
    assert_eq!(vpcs(&client), 1);
    let client = creating(Fault::answer_lost());
    assert_eq!(client.refused(CREATE), "500 InternalError");
    assert_eq!(vpcs(&client), 2);
}

#[test]
fn a_connection_drops_before_or_after_the_effect() {
    for (effect, expected) in [(Effect::None, 1), (Effect::Done, 2)] {
        let client = creating(Fault::dropped(effect));
        assert_eq!(client.try_send(CREATE), None);
        assert_eq!(vpcs(&client), expected);
    }
}

#[test]
fn a_truncated_answer_is_still_a_success() {
    let client = creating(Fault::truncated(60));
    let response = client.send(CREATE);
    assert_eq!((response.status, response.body.len()), (200, 60));
}

#[test]
fn throttling_is_by_bucket_and_refills_with_time() {
    let client = Client::new();
    let bucket = Bucket { size: 2, refill_per_s: 1.0 };
    client.cloud.set_faults(Faults::none().throttle(Calls::All, bucket));
    client.ok("DescribeVpcs");
    client.ok("DescribeVpcs");
    assert_eq!(client.refused("DescribeVpcs"), "503 RequestLimitExceeded");
    client.advance(Duration::from_secs(1));
    client.ok("DescribeVpcs");
}

#[test]
fn a_new_object_is_not_found_at_first() {
    let client = Client::new();
    client.cloud.set_faults(Faults::none().unseen_for(2));
    let id = first(&client.ok(CREATE), "vpcId");
    let describe = format!("DescribeVpcs&VpcId.1={id}");
    assert_eq!(client.refused(&describe), "400 InvalidVpcID.NotFound");
    let child = format!("CreateSubnet&VpcId={id}&CidrBlock=10.0.0.0/24");
    assert_eq!(client.refused(&child), "400 InvalidVpcID.NotFound");
    client.ok(&describe);
    client.ok(&child);
}

#[test]
fn every_call_is_logged_in_order() {
    let client = creating(Fault::dropped(Effect::Done));
    client.try_send(CREATE);
    client.send("DescribeVpcs&VpcId.1=vpc-00000000");
    client.send("Nonsense");
    let calls: Vec<String> = client
        .cloud
        .log()
        .unwrap()
        .iter()
        .map(|call| format!("{} {:?} {:?}", call.action, call.status, call.error))
        .collect();
    assert_eq!(
        calls,
        [
            "CreateVpc None None",
            "DescribeVpcs Some(400) Some(\"InvalidVpcID.NotFound\")",
            "Nonsense Some(400) Some(\"InvalidAction\")",
        ]
    );
}
