//! A shared mirror target, as EC2 presents it to its owner and to the account that it is shared with.

use super::*;
use insta::assert_snapshot;
use mirror_local::data_plane::{Carried, DataPlane, Fate, Loss};
use mirror_local::traffic::{Host, Mix};
use mirror_local::{Calls, Fault, Faults, Place, Policy};
use std::collections::BTreeSet;

const LIST: &str = "DescribeTrafficMirrorTargets";

#[test]
fn a_shared_target_is_listed_and_used_but_not_changed() {
    let accounts = Accounts::new();
    let target = &accounts.target;
    let tag = format!("CreateTags&ResourceId.1={target}&Tag.1.Key=team&Tag.1.Value=net");
    accounts.ec2(ACCOUNT, &tag);
    let session = accounts.new_session();
    let refused = accounts.ec2_refused(CONSUMER, &session);
    assert_eq!(refused, "InvalidTrafficMirrorTargetId.NotFound");
    accounts.joined();
    let listed = accounts.ec2(CONSUMER, LIST).outline("trafficMirrorTargetSet");
    assert_snapshot!(listed.replace(&**target, "TARGET"), @"
    item
      trafficMirrorTargetId TARGET
      networkInterfaceId eni-0a98f2b75d32225f8
      type network-interface
      ownerId 123456789012
      tagSet
    ");
    assert_eq!(accounts.ec2(STRANGER, LIST).texts("trafficMirrorTargetId"), Vec::<String>::new());
    let made = accounts.ec2(CONSUMER, &session);
    let id = made.text("trafficMirrorSessionId");
    let names = [(&*id, "SESSION"), (&**target, "TARGET")];
    let of = |account: &str| {
        let listed = accounts.ec2(account, "DescribeTrafficMirrorSessions");
        let lines = listed.outline("trafficMirrorSessionSet");
        names.iter().fold(lines, |text, (id, name)| text.replace(id, name))
    };
    assert!(of(CONSUMER).contains("ownerId 222233334444"));
    assert_eq!(of(ACCOUNT), of(CONSUMER), "whose target it is sees the session");
    for call in [
        format!("DeleteTrafficMirrorTarget&TrafficMirrorTargetId={target}"),
        tag.clone(),
        tag.replace("CreateTags", "DeleteTags"),
    ] {
        let body = format!("Version=2016-11-15&Action={call}");
        let refused = accounts.call((CONSUMER, "ec2"), Request::post("/"), &body);
        assert_eq!(
            (refused.status, refused.error.as_deref()),
            (403, Some("UnauthorizedOperation"))
        );
    }
    let delete = format!("DeleteTrafficMirrorTarget&TrafficMirrorTargetId={target}");
    assert_eq!(accounts.ec2_refused(ACCOUNT, &delete), "TrafficMirrorTargetInUse");
    accounts.ec2(CONSUMER, format!("DeleteTrafficMirrorSession&TrafficMirrorSessionId={id}"));
    accounts.ec2(ACCOUNT, &delete);
    assert_eq!(accounts.states("RESOURCE"), ["DISASSOCIATING"]);
    assert_eq!(accounts.ec2(CONSUMER, LIST).texts("trafficMirrorTargetId"), Vec::<String>::new());
}

#[test]
fn a_session_outlives_the_share() {
    let accounts = Accounts::new();
    let share = accounts.joined();
    let made = accounts.ec2(CONSUMER, accounts.new_session());
    let session = made.text("trafficMirrorSessionId");
    accounts.ok(ACCOUNT, "DeleteResourceShare", json!({ "resourceShareArn": share }));
    assert_eq!(accounts.ec2(CONSUMER, LIST).texts("trafficMirrorTargetId"), Vec::<String>::new());
    let listed = accounts.ec2(CONSUMER, "DescribeTrafficMirrorSessions");
    assert_eq!(listed.texts("trafficMirrorSessionId"), [&*session]);
    let other = accounts.ec2_refused(CONSUMER, accounts.new_session());
    assert_eq!(other, "InvalidTrafficMirrorTargetId.NotFound");
    let kept =
        format!("ModifyTrafficMirrorSession&TrafficMirrorSessionId={session}&SessionNumber=2");
    accounts.ec2(CONSUMER, &kept);
    let again = format!("{kept}&TrafficMirrorTargetId={}", accounts.target);
    let again = accounts.ec2_refused(CONSUMER, again);
    assert_eq!(again, "InvalidTrafficMirrorTargetId.NotFound");
    let delete = format!("DeleteTrafficMirrorTarget&TrafficMirrorTargetId={}", accounts.target);
    assert_eq!(accounts.ec2_refused(ACCOUNT, delete), "TrafficMirrorTargetInUse");
}

#[test]
fn a_session_is_turned_to_a_shared_target() {
    let accounts = Accounts::new();
    let new = accounts.new_session();
    let subnet = accounts.ec2(CONSUMER, "DescribeSubnets").text("subnetId");
    let made = accounts.ec2(CONSUMER, format!("CreateNetworkInterface&SubnetId={subnet}"));
    let own =
        format!("CreateTrafficMirrorTarget&NetworkInterfaceId={}", made.text("networkInterfaceId"));
    let own = accounts.ec2(CONSUMER, own).text("trafficMirrorTargetId");
    let made = accounts.ec2(CONSUMER, new.replace(&accounts.target, &own));
    let session = made.text("trafficMirrorSessionId");
    accounts.joined();
    let ids = accounts.ec2(CONSUMER, LIST).texts("trafficMirrorTargetId");
    assert_eq!(ids, [&*own, &*accounts.target], "its own come first");
    let named =
        accounts.ec2(CONSUMER, format!("{LIST}&TrafficMirrorTargetId.1={}", accounts.target));
    assert_eq!(named.texts("ownerId"), [ACCOUNT]);
    let by_owner = format!("{LIST}&Filter.1.Name=owner-id&Filter.1.Value.1={ACCOUNT}");
    let by_owner = accounts.ec2(CONSUMER, by_owner);
    assert_eq!(by_owner.texts("trafficMirrorTargetId"), [&*accounts.target]);
    let turn = format!(
        "ModifyTrafficMirrorSession&TrafficMirrorSessionId={session}&TrafficMirrorTargetId={}",
        accounts.target
    );
    let turned = accounts.ec2(CONSUMER, turn);
    assert_eq!(turned.text("trafficMirrorTargetId"), accounts.target);
}

#[test]
fn sources_of_all_accounts_count_towards_what_a_target_takes() {
    let accounts = Accounts::new();
    accounts.joined();
    let made: Vec<Result<Answer, String>> =
        (0..11).map(|_| accounts.try_ec2(CONSUMER, accounts.new_session())).collect();
    assert!(made[..10].iter().all(Result::is_ok));
    let limit = "TrafficMirrorSourcesPerTargetLimitExceeded";
    assert_eq!(made[10].as_ref().err().map(String::as_str), Some(limit));
    let filter = accounts.client.filter();
    let rest = format!("TrafficMirrorFilterId={filter}&SessionNumber=1");
    let own = new_session(&accounts.client.interface(), &accounts.target, &rest);
    assert_eq!(accounts.ec2_refused(ACCOUNT, own), limit);
}

#[test]
fn a_call_that_fails_or_is_dry_leaves_both_accounts_as_they_were() {
    let accounts = Accounts::new();
    accounts.joined();
    let session = accounts.new_session();
    let both = || {
        [ACCOUNT, CONSUMER].map(|account| {
            accounts.client.cloud.inventory(Place::new(account, "us-east-1")).unwrap()
        })
    };
    let before = both();
    assert_eq!(accounts.ec2_refused(CONSUMER, format!("{session}&DryRun=true")), "DryRunOperation");
    let fault = Fault::refused("InternalError", 500);
    let calls = Calls::Action("CreateTrafficMirrorSession".to_owned());
    accounts.client.cloud.set_faults(Faults::none().fail(calls, 1, fault));
    assert_eq!(accounts.ec2_refused(CONSUMER, &session), "InternalError");
    assert_eq!(both(), before);
    accounts.ec2(CONSUMER, &session);
    assert_eq!(both()[0], before[0], "nothing of the owner has changed");
}

#[test]
fn what_is_shared_is_there_when_a_directory_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let open = || Client::of(mirror_local::Cloud::open(directory.path()).unwrap());
    let mut accounts = Accounts::of(open());
    accounts.joined();
    accounts.client = open();
    accounts.client.wait(Duration::from_secs(60));
    let listed = accounts.ec2(CONSUMER, LIST);
    assert_eq!(listed.texts("trafficMirrorTargetId"), [&*accounts.target]);
}

#[test]
fn a_call_is_checked_on_the_target_of_its_owner() {
    let accounts = Accounts::new();
    accounts.joined();
    let session = accounts.new_session();
    let allow = |target: &str| {
        let here = format!("arn:aws:ec2:us-east-1:{CONSUMER}:*");
        let policy = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": "ec2:*", "Resource": here },
            { "Effect": "Allow", "Action": "ec2:CreateTrafficMirrorSession", "Resource": target },
        ] });
        let policy = policy.to_string().parse::<Policy>().unwrap();
        accounts.client.cloud.set_policies(vec![policy]);
    };
    allow("arn:aws:s3:::none");
    assert_eq!(accounts.ec2_refused(CONSUMER, &session), "UnauthorizedOperation");
    allow(&accounts.target_arn());
    accounts.ec2(CONSUMER, &session);
}

#[test]
fn a_rehearsal_says_that_copies_go_to_another_account() {
    let accounts = Accounts::new();
    let share = accounts.joined();
    let made = accounts.ec2(CONSUMER, accounts.new_session());
    let filter = made.text("trafficMirrorFilterId");
    accounts.ec2(CONSUMER, format!(
        "CreateTrafficMirrorFilterRule&TrafficMirrorFilterId={filter}&TrafficDirection=egress&RuleNumber=1\
         &RuleAction=accept&SourceCidrBlock=0.0.0.0/0&DestinationCidrBlock=0.0.0.0/0"
    ));
    let carried = || {
        let place = Place::new(CONSUMER, "us-east-1");
        let mut plane = DataPlane::of(&accounts.client.cloud, place, 9001).unwrap();
        let mirrored = plane.interfaces().iter().filter(|it| !it.sessions().is_empty());
        let hosts = mirrored.map(|it| Host { address: it.primary(), resolver: it.primary() });
        let mut carried = BTreeSet::new();
        for timed in Mix::new(1, hosts.collect()).take(100) {
            plane.offer(timed.time, &timed.frame, |seen| {
                if let Fate::Mirrored(mirrored) = seen.fate {
                    carried.insert(mirrored.carried);
                }
            });
        }
        carried
    };
    assert_eq!(carried(), BTreeSet::from([Carried::Lost(Loss::OtherAccount)]));
    accounts.ok(ACCOUNT, "DeleteResourceShare", json!({ "resourceShareArn": share }));
    assert_eq!(carried(), BTreeSet::from([Carried::Lost(Loss::NotShared)]));
}

#[test]
fn shared_targets_are_on_the_pages_after_the_accounts_own() {
    let accounts = Accounts::new();
    accounts.joined();
    let subnet = accounts.ec2(CONSUMER, "DescribeSubnets").text("subnetId");
    for _ in 0..5 {
        let made = accounts.ec2(CONSUMER, format!("CreateNetworkInterface&SubnetId={subnet}"));
        let interface = made.text("networkInterfaceId");
        let call = format!("CreateTrafficMirrorTarget&NetworkInterfaceId={interface}");
        accounts.ec2(CONSUMER, call);
    }
    let first = accounts.ec2(CONSUMER, format!("{LIST}&MaxResults=5"));
    assert_eq!(first.texts("ownerId"), [CONSUMER; 5]);
    let token = first.text("nextToken");
    let second = accounts.ec2(CONSUMER, format!("{LIST}&MaxResults=5&NextToken={token}"));
    assert_eq!(second.texts("trafficMirrorTargetId"), [&*accounts.target]);
    assert_eq!(second.texts("nextToken"), Vec::<String>::new());
}
