//! What authorization checks in the calls of Resource Access Manager.

use super::*;
use mirror_local::Policy;

/// Lets callers do what statements allow, and read what they like.
fn allow(accounts: &Accounts, statements: &[Value]) {
    let reads = json!({ "Effect": "Allow", "Action": ["ram:Get*", "ram:List*"], "Resource": "*" });
    let statements: Vec<Value> = statements.iter().cloned().chain([reads]).collect();
    let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    accounts.client.cloud.set_policies(vec![policy.parse::<Policy>().expect("this is a policy")]);
}

fn allowed(action: &str, resource: &str, (operator, key, value): (&str, &str, &str)) -> Value {
    let condition = json!({ operator: { key: value } });
    json!({ "Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition })
}

#[test]
fn with_whom_and_what_is_shared_is_asked() {
    let accounts = Accounts::new();
    let create = |body: &Value| {
        let made = accounts.ram(ACCOUNT, "CreateResourceShare", body);
        (made.status, made.error)
    };
    let body = json!({
        "name": "lab", "resourceArns": [accounts.target_arn()], "principals": [CONSUMER],
        "allowExternalPrincipals": true, "tags": [{ "key": "team", "value": "net" }],
    });
    let tagging = allowed(
        "ram:TagResource",
        "arn:aws:ram:*:*:resource-share/*",
        ("StringEquals", "aws:RequestTag/team", "net"),
    );
    let target = accounts.target_arn();
    let denied = (403, Some("AccessDeniedException".to_owned()));
    for (key, fits, other) in [
        ("ram:Principal", CONSUMER, STRANGER),
        ("ram:ResourceArn", &*target, "arn:aws:ec2:*:*:subnet/*"),
        ("ram:RequestedResourceType", "ec2:TrafficMirrorTarget", "ec2:Subnet"),
        ("ram:RequestedAllowsExternalPrincipals", "true", "false"),
        ("aws:RequestTag/team", "net", "lab"),
    ] {
        let making = |value| allowed("ram:CreateResourceShare", "*", ("StringLike", key, value));
        allow(&accounts, &[making(other), tagging.clone()]);
        assert_eq!(create(&body), denied, "{key}");
        allow(&accounts, &[making(fits)]);
        assert_eq!(create(&body), denied, "{key}: its tags are given, too");
        allow(&accounts, &[making(fits), tagging.clone()]);
        assert_eq!(create(&body), (200, None), "{key}");
    }
}

#[test]
fn a_share_and_an_invitation_are_known_by_name_owner_and_tags() {
    let accounts = Accounts::new();
    let share = accounts.share();
    let invitation = accounts.invitation();
    let tags = json!([{ "key": "team", "value": "net" }]);
    accounts.ok(ACCOUNT, "TagResource", json!({ "resourceShareArn": share, "tags": tags }));
    let invited = json!({ "resourceShareInvitationArn": invitation });
    let named = json!({ "resourceShareArn": share });
    for (account, action, body, arn, key, fits) in [
        (
            CONSUMER,
            "AcceptResourceShareInvitation",
            &invited,
            &invitation,
            "ram:ShareOwnerAccountId",
            ACCOUNT,
        ),
        (ACCOUNT, "UpdateResourceShare", &named, &share, "ram:ResourceShareName", "lab"),
        (ACCOUNT, "UpdateResourceShare", &named, &share, "ram:AllowsExternalPrincipals", "true"),
        (ACCOUNT, "UpdateResourceShare", &named, &share, "aws:ResourceTag/team", "net"),
        (ACCOUNT, "DeleteResourceShare", &named, &share, "ram:ResourceTag/team", "net"),
    ] {
        let action_name = format!("ram:{action}");
        for (resource, value) in [("arn:aws:ram:::other", fits), (&**arn, "other")] {
            allow(&accounts, &[allowed(&action_name, resource, ("StringEquals", key, value))]);
            assert_eq!(accounts.refused(account, action, body.clone()), "AccessDeniedException");
        }
        allow(&accounts, &[allowed(&action_name, arn, ("StringEquals", key, fits))]);
        accounts.ok(account, action, body.clone());
    }
}
