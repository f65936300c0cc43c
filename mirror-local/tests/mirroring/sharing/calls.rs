//! The calls of Resource Access Manager.

use super::*;
use insta::assert_snapshot;
use mirror_local::Settings;
use std::fmt::Write as _;

#[test]
fn a_share_is_made_and_described() {
    let accounts = Accounts::new();
    let body = json!({
        "name": "lab",
        "resourceArns": [accounts.target_arn()],
        "principals": [CONSUMER],
        "tags": [{ "key": "team", "value": "net" }],
        "clientToken": "once",
    });
    let made = accounts.ok(ACCOUNT, "CreateResourceShare", body);
    let arn = text(&made["resourceShare"]["resourceShareArn"]);
    let names = [(&*arn, "SHARE"), (&*accounts.target, "TARGET")];
    assert_snapshot!(shown(&made, &names), @r#"
    {
      "clientToken": "once",
      "resourceShare": {
        "allowExternalPrincipals": true,
        "creationTime": 1767323045,
        "featureSet": "STANDARD",
        "lastUpdatedTime": 1767323045,
        "name": "lab",
        "owningAccountId": "123456789012",
        "resourceShareArn": "SHARE",
        "status": "ACTIVE",
        "tags": [
          {
            "key": "team",
            "value": "net"
          }
        ]
      }
    }
    "#);
}

#[test]
fn what_is_in_a_share_is_described_to_its_owner() {
    let accounts = Accounts::new();
    let arn = accounts.share();
    let names = [(&*arn, "SHARE"), (&*accounts.target, "TARGET")];
    accounts.client.wait(Duration::from_secs(1));
    let describe = |kind: &str| {
        let body = json!({ "associationType": kind, "resourceShareArns": [arn] });
        shown(&accounts.ok(ACCOUNT, "GetResourceShareAssociations", body), &names)
    };
    assert_snapshot!(describe("RESOURCE"), @r#"
    {
      "resourceShareAssociations": [
        {
          "associatedEntity": "arn:aws:ec2:us-east-1:123456789012:traffic-mirror-target/TARGET",
          "associationType": "RESOURCE",
          "creationTime": 1767323045,
          "external": false,
          "lastUpdatedTime": 1767323045,
          "resourceShareArn": "SHARE",
          "resourceShareName": "lab",
          "status": "ASSOCIATED"
        }
      ]
    }
    "#);
    assert_snapshot!(describe("PRINCIPAL"), @r#"
    {
      "resourceShareAssociations": [
        {
          "associatedEntity": "222233334444",
          "associationType": "PRINCIPAL",
          "creationTime": 1767323045,
          "external": true,
          "lastUpdatedTime": 1767323045,
          "resourceShareArn": "SHARE",
          "resourceShareName": "lab",
          "status": "ASSOCIATING"
        }
      ]
    }
    "#);
    let resources = accounts.ok(ACCOUNT, "ListResources", json!({ "resourceOwner": "SELF" }));
    assert_snapshot!(shown(&resources, &names), @r#"
    {
      "resources": [
        {
          "arn": "arn:aws:ec2:us-east-1:123456789012:traffic-mirror-target/TARGET",
          "creationTime": 1767323045,
          "lastUpdatedTime": 1767323045,
          "resourceRegionScope": "REGIONAL",
          "resourceShareArn": "SHARE",
          "status": "AVAILABLE",
          "type": "ec2:TrafficMirrorTarget"
        }
      ]
    }
    "#);
}

#[test]
fn nothing_is_seen_of_a_share_before_its_invitation_is_accepted() {
    let accounts = Accounts::new();
    let share = accounts.share();
    let others = json!({ "resourceOwner": "OTHER-ACCOUNTS" });
    let seen = |account: &str| {
        ["GetResourceShares", "ListPrincipals", "ListResources"]
            .map(|call| accounts.ok(account, call, others.clone()).to_string())
    };
    let nothing = [r#"{"resourceShares":[]}"#, r#"{"principals":[]}"#, r#"{"resources":[]}"#];
    assert_eq!(seen(CONSUMER), nothing);
    let invitation = accounts.invitation();
    let names = [(&*share, "SHARE"), (&*invitation, "INVITATION"), (&*accounts.target, "TARGET")];
    let accept = json!({ "resourceShareInvitationArn": invitation });
    let stranger = accounts.refused(STRANGER, "AcceptResourceShareInvitation", accept.clone());
    assert_eq!(stranger, "ResourceShareInvitationArnNotFoundException");
    let accepted = accounts.ok(CONSUMER, "AcceptResourceShareInvitation", accept.clone());
    assert_snapshot!(shown(&accepted, &names), @r#"
    {
      "resourceShareInvitation": {
        "invitationTimestamp": 1767323045,
        "receiverAccountId": "222233334444",
        "resourceShareArn": "SHARE",
        "resourceShareInvitationArn": "INVITATION",
        "resourceShareName": "lab",
        "senderAccountId": "123456789012",
        "status": "ACCEPTED"
      }
    }
    "#);
    for call in ["AcceptResourceShareInvitation", "RejectResourceShareInvitation"] {
        let again = accounts.refused(CONSUMER, call, accept.clone());
        assert_eq!(again, "ResourceShareInvitationAlreadyAcceptedException");
    }
    assert_eq!(accounts.states("PRINCIPAL"), ["ASSOCIATING"]);
    accounts.client.wait(Duration::from_secs(1));
    assert_eq!(accounts.states("PRINCIPAL"), ["ASSOCIATED"]);
    assert_eq!(seen(STRANGER), nothing);
    assert!(seen(CONSUMER).iter().zip(nothing).all(|(seen, nothing)| seen != nothing));
}

#[test]
fn who_has_joined_a_share_sees_what_is_in_it() {
    let accounts = Accounts::new();
    let share = accounts.joined();
    let others = json!({ "resourceOwner": "OTHER-ACCOUNTS" });
    let names = [(&*share, "SHARE"), (&*accounts.target, "TARGET")];
    let lines = |call: &str| shown(&accounts.ok(CONSUMER, call, others.clone()), &names);
    assert_snapshot!(lines("GetResourceShares"), @r#"
    {
      "resourceShares": [
        {
          "allowExternalPrincipals": true,
          "creationTime": 1767323045,
          "featureSet": "STANDARD",
          "lastUpdatedTime": 1767323045,
          "name": "lab",
          "owningAccountId": "123456789012",
          "resourceShareArn": "SHARE",
          "status": "ACTIVE"
        }
      ]
    }
    "#);
    assert_snapshot!(lines("ListPrincipals"), @r#"
    {
      "principals": [
        {
          "creationTime": 1767323045,
          "external": true,
          "id": "123456789012",
          "lastUpdatedTime": 1767323045,
          "resourceShareArn": "SHARE"
        }
      ]
    }
    "#);
    assert_snapshot!(lines("ListResources"), @r#"
    {
      "resources": [
        {
          "arn": "arn:aws:ec2:us-east-1:123456789012:traffic-mirror-target/TARGET",
          "creationTime": 1767323045,
          "lastUpdatedTime": 1767323045,
          "resourceRegionScope": "REGIONAL",
          "resourceShareArn": "SHARE",
          "status": "AVAILABLE",
          "type": "ec2:TrafficMirrorTarget"
        }
      ]
    }
    "#);
}

#[test]
fn who_has_declined_is_invited_anew() {
    let accounts = Accounts::new();
    let share = accounts.share();
    let first = accounts.invitation();
    let reject = json!({ "resourceShareInvitationArn": first });
    let rejected = accounts.ok(CONSUMER, "RejectResourceShareInvitation", reject.clone());
    assert_eq!(rejected["resourceShareInvitation"]["status"], "REJECTED");
    let accepted = accounts.refused(CONSUMER, "AcceptResourceShareInvitation", reject);
    assert_eq!(accepted, "ResourceShareInvitationAlreadyRejectedException");
    assert_eq!(accounts.states("PRINCIPAL"), ["FAILED"]);
    let again = json!({ "resourceShareArn": share, "principals": [CONSUMER] });
    accounts.ok(ACCOUNT, "AssociateResourceShare", again.clone());
    let second = accounts.invitation();
    assert_ne!(first, second);
    // An invitation waits for seven days.
    accounts.client.wait(Duration::from_secs(7 * 24 * 60 * 60));
    let late = json!({ "resourceShareInvitationArn": second });
    let late = accounts.refused(CONSUMER, "AcceptResourceShareInvitation", late);
    assert_eq!(late, "ResourceShareInvitationExpiredException");
    accounts.ok(ACCOUNT, "AssociateResourceShare", again.clone());
    let third = accounts.invitation();
    accounts.ok(ACCOUNT, "AssociateResourceShare", again);
    assert_eq!(accounts.invitation(), third, "whoever is invited is not invited again");
}

#[test]
fn what_leaves_a_share_and_a_share_that_is_deleted_go_step_by_step() {
    let accounts = Accounts::new();
    let share = accounts.joined();
    let leave = json!({ "resourceShareArn": share, "principals": [CONSUMER] });
    let left = accounts.refused(CONSUMER, "DisassociateResourceShare", leave.clone());
    assert_eq!(left, "OperationNotPermittedException", "a target is in it");
    let out = json!({ "resourceShareArn": share, "resourceArns": [accounts.target_arn()] });
    let names = [(&*share, "SHARE"), (&*accounts.target, "TARGET")];
    let gone = accounts.ok(ACCOUNT, "DisassociateResourceShare", out.clone());
    assert_snapshot!(shown(&gone, &names), @r#"
    {
      "resourceShareAssociations": [
        {
          "associatedEntity": "arn:aws:ec2:us-east-1:123456789012:traffic-mirror-target/TARGET",
          "associationType": "RESOURCE",
          "creationTime": 1767323045,
          "external": false,
          "lastUpdatedTime": 1767323046,
          "resourceShareArn": "SHARE",
          "resourceShareName": "lab",
          "status": "DISASSOCIATING"
        }
      ]
    }
    "#);
    let again = accounts.refused(ACCOUNT, "DisassociateResourceShare", out);
    assert_eq!(again, "UnknownResourceException");
    accounts.ok(CONSUMER, "DisassociateResourceShare", leave.clone());
    let again = accounts.refused(CONSUMER, "DisassociateResourceShare", leave);
    assert_eq!(again, "UnknownResourceException");
    accounts.client.wait(Duration::from_secs(1));
    assert_eq!(accounts.states("RESOURCE"), ["DISASSOCIATED"]);
    assert_eq!(accounts.states("PRINCIPAL"), ["DISASSOCIATED"]);
    let named = json!({ "resourceShareArn": share });
    accounts.ok(ACCOUNT, "DeleteResourceShare", named.clone());
    let again = accounts.refused(ACCOUNT, "DeleteResourceShare", named);
    assert_eq!(again, "UnknownResourceException");
    let states = || {
        let shares = accounts.ok(ACCOUNT, "GetResourceShares", json!({ "resourceOwner": "SELF" }));
        let shares = shares["resourceShares"].as_array().unwrap().iter();
        shares.map(|share| text(&share["status"])).collect::<Vec<_>>()
    };
    assert_eq!(states(), ["DELETING"]);
    accounts.client.wait(Duration::from_secs(1));
    assert_eq!(states(), ["DELETED"]);
    accounts.client.wait(Duration::from_secs(2 * 60 * 60));
    assert_eq!(states(), Vec::<String>::new());
}

#[test]
fn a_call_that_comes_again_with_its_token_gets_the_same_answer() {
    let accounts = Accounts::new();
    let create = json!({ "name": "lab", "clientToken": "once" });
    let made = accounts.ok(ACCOUNT, "CreateResourceShare", create.clone());
    assert_eq!(accounts.ok(ACCOUNT, "CreateResourceShare", create), made);
    let other = json!({ "name": "other", "clientToken": "once" });
    let other = accounts.refused(ACCOUNT, "CreateResourceShare", other);
    assert_eq!(other, "IdempotentParameterMismatchException");
    let share = &made["resourceShare"]["resourceShareArn"];
    let delete = json!({ "resourceShareArn": share, "clientToken": "gone" });
    let deleted = json!({ "clientToken": "gone", "returnValue": true });
    for _ in 0..2 {
        assert_eq!(accounts.ok(ACCOUNT, "DeleteResourceShare", delete.clone()), deleted);
    }
}

#[test]
fn shares_are_found_by_name_tag_and_page() {
    let accounts = Accounts::new();
    for (name, team) in [("a", "net"), ("b", "net"), ("c", "lab")] {
        let tags = json!([{ "key": "team", "value": team }]);
        accounts.ok(ACCOUNT, "CreateResourceShare", json!({ "name": name, "tags": tags }));
    }
    let found = |mut body: Value| {
        body["resourceOwner"] = json!("SELF");
        let found = accounts.ok(ACCOUNT, "GetResourceShares", body);
        let shares = found["resourceShares"].as_array().unwrap().iter();
        let mut names: Vec<String> = shares.map(|share| text(&share["name"])).collect();
        names.sort();
        (names.join(" "), found["nextToken"].as_str().map(str::to_owned))
    };
    let tag = |values: Value| json!({ "tagFilters": [{ "tagKey": "team", "tagValues": values }] });
    assert_eq!(found(json!({})).0, "a b c");
    assert_eq!(found(json!({ "name": "b" })).0, "b");
    assert_eq!(found(tag(json!(["net"]))).0, "a b");
    assert_eq!(found(tag(json!([]))).0, "a b c");
    assert_eq!(found(json!({ "resourceShareStatus": "DELETED" })).0, "");
    let (first, token) = found(json!({ "maxResults": 2 }));
    let (second, end) = found(json!({ "maxResults": 2, "nextToken": token }));
    let mut both: Vec<&str> = first.split(' ').chain([&*second]).collect();
    both.sort_unstable();
    assert_eq!((both.join(" "), end), ("a b c".to_owned(), None));
}

#[test]
fn tags_and_the_name_of_a_share_change() {
    let accounts = Accounts::new();
    let share = accounts.share();
    let tags = json!([{ "key": "a", "value": "1" }, { "key": "b", "value": "2" }]);
    accounts.ok(ACCOUNT, "TagResource", json!({ "resourceShareArn": share, "tags": tags }));
    accounts.ok(ACCOUNT, "UntagResource", json!({ "resourceShareArn": share, "tagKeys": ["a"] }));
    let update = json!({
        "resourceShareArn": share, "name": "other", "allowExternalPrincipals": false,
    });
    let updated = accounts.ok(ACCOUNT, "UpdateResourceShare", update);
    assert_snapshot!(shown(&updated, &[(&share, "SHARE")]), @r#"
    {
      "resourceShare": {
        "allowExternalPrincipals": false,
        "creationTime": 1767323045,
        "featureSet": "STANDARD",
        "lastUpdatedTime": 1767323045,
        "name": "other",
        "owningAccountId": "123456789012",
        "resourceShareArn": "SHARE",
        "status": "ACTIVE",
        "tags": [
          {
            "key": "b",
            "value": "2"
          }
        ]
      }
    }
    "#);
    let invite = json!({ "resourceShareArn": share, "principals": [STRANGER] });
    let invited = accounts.refused(ACCOUNT, "AssociateResourceShare", invite);
    assert_eq!(invited, "OperationNotPermittedException");
    let tag = json!({ "resourceShareArn": share, "tags": [{ "key": "aws:a", "value": "" }] });
    assert_eq!(accounts.refused(ACCOUNT, "TagResource", tag), "TagPolicyViolationException");
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let accounts = Accounts::new();
    let share = accounts.share();
    let others = accounts.target_arn().replace(ACCOUNT, STRANGER);
    let before = accounts.client.cloud.inventory("us-east-1").unwrap();
    let mut told = String::new();
    for (account, action, body) in [
        (ACCOUNT, "CreateResourceShare", json!({})),
        (ACCOUNT, "CreateResourceShare", json!({ "name": "x", "resourceArns": ["tmt-1"] })),
        (ACCOUNT, "CreateResourceShare", json!({ "name": "x", "resourceArns": [others] })),
        (
            ACCOUNT,
            "CreateResourceShare",
            json!({ "name": "x", "resourceArns": ["arn:aws:ec2:us-east-1:123456789012:subnet/subnet-1"] }),
        ),
        (
            ACCOUNT,
            "CreateResourceShare",
            json!({ "name": "x", "resourceArns": ["arn:aws:ec2:us-east-1:123456789012:traffic-mirror-target/tmt-1"] }),
        ),
        (ACCOUNT, "CreateResourceShare", json!({ "name": "x", "principals": [ACCOUNT] })),
        (
            ACCOUNT,
            "CreateResourceShare",
            json!({ "name": "x", "principals": ["arn:aws:organizations::1:organization/o-1"] }),
        ),
        (
            ACCOUNT,
            "CreateResourceShare",
            json!({ "name": "x", "permissionArns": ["arn:aws:ram::aws:permission/x"] }),
        ),
        (ACCOUNT, "AssociateResourceShare", json!({ "resourceShareArn": share })),
        (ACCOUNT, "GetResourceShares", json!({ "resourceOwner": "ME" })),
        (
            ACCOUNT,
            "GetResourceShares",
            json!({ "resourceOwner": "SELF", "resourceShareArns": ["x"] }),
        ),
        (ACCOUNT, "GetResourceShares", json!({ "resourceOwner": "SELF", "nextToken": "x" })),
        (ACCOUNT, "GetResourceShares", json!({ "resourceOwner": "SELF", "maxResults": 501 })),
        (ACCOUNT, "GetResourceShareAssociations", json!({ "associationType": "SOURCE" })),
        (ACCOUNT, "ListResources", json!({ "resourceOwner": "SELF", "resourceType": "target" })),
        (CONSUMER, "DeleteResourceShare", json!({ "resourceShareArn": share })),
        (CONSUMER, "AcceptResourceShareInvitation", json!({ "resourceShareInvitationArn": share })),
    ] {
        let code = accounts.refused(account, action, body);
        writeln!(told, "{action} {code}").expect("a text takes every line");
    }
    assert_snapshot!(told, @"
    CreateResourceShare InvalidParameterException
    CreateResourceShare MalformedArnException
    CreateResourceShare OperationNotPermittedException
    CreateResourceShare InvalidParameterException
    CreateResourceShare UnknownResourceException
    CreateResourceShare InvalidParameterException
    CreateResourceShare InvalidParameterException
    CreateResourceShare InvalidParameterException
    AssociateResourceShare InvalidParameterException
    GetResourceShares InvalidParameterException
    GetResourceShares MalformedArnException
    GetResourceShares InvalidNextTokenException
    GetResourceShares InvalidParameterException
    GetResourceShareAssociations InvalidParameterException
    ListResources InvalidResourceTypeException
    DeleteResourceShare UnknownResourceException
    AcceptResourceShareInvitation MalformedArnException
    ");
    assert_eq!(accounts.client.cloud.inventory("us-east-1").unwrap(), before);
}

#[test]
fn an_account_has_so_many_shares_and_a_deleted_one_does_not_count() {
    let mut settings = Settings::default();
    settings.quotas.resource_shares = 1;
    let accounts = Accounts::of(Client::with_settings(settings));
    let share = accounts.share();
    let another = json!({ "name": "another" });
    let refused = accounts.refused(ACCOUNT, "CreateResourceShare", another.clone());
    assert_eq!(refused, "ResourceShareLimitExceededException");
    accounts.ok(ACCOUNT, "DeleteResourceShare", json!({ "resourceShareArn": share }));
    accounts.ok(ACCOUNT, "CreateResourceShare", another);
}
