//! Resource shares: what is changed in place, what waits for what, and what a plan says about it.

use super::*;
use crate::render::text::Text;

const THERE: &str = "222233334444";
const ELSEWHERE: &str = "333344445555";

/// The ARN of a share.
pub(super) fn arn(digits: &str) -> String {
    format!("arn:aws:ram:eu-west-1:123456789012:resource-share/{digits}")
}

/// A target that is shared and one that is not; each entry of `edits` gives an attribute another value.
fn sharing(edits: &[(&str, &str, Json)]) -> Stack {
    let mut declared = json!({
        "mirror_target.sensor": { "network_interface": "eni-0a1b2c3d4e5f67890" },
        "mirror_target.other": { "network_interface": "eni-0a1b2c3d4e5f67891" },
        "resource_share.sensors": {
            "mirror_targets": ["@mirror_target.sensor"], "principals": [THERE],
        },
    });
    for (address, attribute, value) in edits {
        declared[address][attribute] = value.clone();
    }
    stack(declared)
}

/// The plan from the applied stack to one with these edits.
fn changed(edits: &[(&str, &str, Json)]) -> Plan {
    plan(&sharing(edits), &applied(&sharing(&[])), &Request::default()).unwrap()
}

/// Returns the comments of a plan's text, without their marks.
fn comments(plan: &Plan) -> String {
    let text = Text::new(plan).to_string();
    let said = text.lines().filter_map(|line| line.trim_start().strip_prefix("# "));
    said.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_share_comes_after_its_targets_and_goes_before_them() {
    let stack = sharing(&[]);
    let made = plan(&stack, &nothing(), &Request::default()).unwrap();
    assert_snapshot!(shown(&made), @"
    Create mirror_target.other: there is no such object yet
    Create mirror_target.sensor: there is no such object yet
    Create resource_share.sensors: there is no such object yet
     0 CreateTrafficMirrorTarget mirror_target.other#1
     1 CreateTrafficMirrorTarget mirror_target.sensor#1
     2 CreateResourceShare resource_share.sensors#1 after 1
    ");
    assert_snapshot!(comments(&made), @"
    mirror_target.other will be created
    mirror_target.sensor will be created
    resource_share.sensors will be created
    packets may come from account 222233334444, which has to accept first unless it belongs to the same organization
    ");
    let observed = applied(&stack);
    assert_eq!(planned(&stack, &observed), "");
    let request = Request { mode: Mode::Destroy, ..Request::default() };
    let gone = plan(&stack, &observed, &request).unwrap();
    assert_snapshot!(shown(&gone), @"
    Delete mirror_target.other: the stack is being destroyed
    Delete mirror_target.sensor: the stack is being destroyed
    Delete resource_share.sensors: the stack is being destroyed
     0 DeleteTrafficMirrorTarget mirror_target.other#1
     1 DeleteResourceShare resource_share.sensors#1
     2 DeleteTrafficMirrorTarget mirror_target.sensor#1 after 1
    ");
    assert_snapshot!(comments(&gone), @"
    mirror_target.other will be destroyed
    mirror_target.sensor will be destroyed
    sessions of other accounts keep it from being deleted, or end with it
    resource_share.sensors will be destroyed
    packets from account 222233334444 no longer arrive: its sessions stay, but carry nothing
    ");
}

#[test]
fn who_is_in_it_is_changed_in_place_and_others_are_told() {
    let share = "resource_share.sensors";
    let more = changed(&[(share, "principals", json!([THERE, ELSEWHERE]))]);
    assert_snapshot!(shown(&more), @"
    Update resource_share.sensors: `principals` differs
     0 AssociateResourceShare resource_share.sensors#1
    ");
    assert_snapshot!(comments(&more), @"
    resource_share.sensors will be updated in-place
    packets may come from account 333344445555, which has to accept first unless it belongs to the same organization
    (1 unchanged element hidden)
    (2 unchanged attributes hidden)
    ");
    let unit = "arn:aws:organizations::123456789012:ou/o-a1b2c3d4e5/ou-ab12-c3d4e5f6";
    let other = changed(&[(share, "principals", json!([unit]))]);
    assert_snapshot!(shown(&other), @"
    Update resource_share.sensors: `principals` differs
     0 DisassociateResourceShare resource_share.sensors#1
     1 AssociateResourceShare resource_share.sensors#1 after 0
    ");
    assert_snapshot!(comments(&other), @"
    resource_share.sensors will be updated in-place
    packets may come from all of arn:aws:organizations::123456789012:ou/o-a1b2c3d4e5/ou-ab12-c3d4e5f6
    packets from account 222233334444 no longer arrive: its sessions stay, but carry nothing
    (2 unchanged attributes hidden)
    ");
    let within = changed(&[
        (share, "external_principals", json!(false)),
        (share, "principals", json!([THERE, ELSEWHERE])),
        (share, "name", json!("within")),
    ]);
    assert_snapshot!(shown(&within), @"
    Update resource_share.sensors: `name` differs; `principals` differs; `external_principals` differs
     0 UpdateResourceShare resource_share.sensors#1
     1 AssociateResourceShare resource_share.sensors#1 after 0
    ");
    assert_snapshot!(comments(&within), @"
    resource_share.sensors will be updated in-place
    packets may come from account 333344445555
    (1 unchanged element hidden)
    (1 unchanged attribute hidden)
    ");
}

#[test]
fn what_is_in_it_is_changed_in_place_and_others_are_told() {
    let both = json!(["@mirror_target.sensor", "@mirror_target.other"]);
    let more = changed(&[("resource_share.sensors", "mirror_targets", both)]);
    assert_snapshot!(shown(&more), @"
    Update resource_share.sensors: `mirror_targets` differs
     0 AssociateResourceShare resource_share.sensors#1
    ");
    assert_snapshot!(comments(&more), @"
    resource_share.sensors will be updated in-place
    (1 unchanged element hidden)
    (2 unchanged attributes hidden)
    ");
    let other = json!(["@mirror_target.other"]);
    let other = changed(&[("resource_share.sensors", "mirror_targets", other)]);
    assert_snapshot!(shown(&other), @"
    Update resource_share.sensors: `mirror_targets` differs
     0 DisassociateResourceShare resource_share.sensors#1
     1 AssociateResourceShare resource_share.sensors#1 after 0
    ");
    assert_snapshot!(comments(&other), @"
    resource_share.sensors will be updated in-place
    packets from others to tmt-50e783c4d56ec2ffc no longer arrive: their sessions stay, but carry nothing
    (2 unchanged attributes hidden)
    ");
}

#[test]
fn a_target_leaves_its_share_before_it_goes() {
    // A target with another destination can exist beside the old one; one with the same destination cannot.
    let elsewhere = json!("eni-0a1b2c3d4e5f67892");
    let moved = changed(&[("mirror_target.sensor", "network_interface", elsewhere)]);
    assert_snapshot!(shown(&moved), @"
    Replace(CreateThenDelete) mirror_target.sensor: `network_interface` differs, which AWS cannot change on an existing object
    Update resource_share.sensors: `mirror_targets` differs
     0 CreateTrafficMirrorTarget mirror_target.sensor#2
     1 DisassociateResourceShare resource_share.sensors#1
     2 DeleteTrafficMirrorTarget mirror_target.sensor#1 after 0 1
     3 AssociateResourceShare resource_share.sensors#1 after 0 1
    ");
    assert_snapshot!(comments(&moved), @"
    mirror_target.sensor must be replaced
    sessions of other accounts keep it from being deleted, or end with it: their owners have to send to the new one
    resource_share.sensors will be updated in-place
    packets from others to tmt-50e783c4d56ec2ffc no longer arrive: their sessions stay, but carry nothing
    (2 unchanged attributes hidden)
    ");
    let again = changed(&[("mirror_target.sensor", "description", json!("new"))]);
    assert_snapshot!(shown(&again), @"
    Replace(DeleteThenCreate) mirror_target.sensor: `description` differs, which AWS cannot change on an existing object; AWS allows one mirror target for each load balancer or interface, so the old one is deleted first
    Update resource_share.sensors: `mirror_targets` differs
     0 DisassociateResourceShare resource_share.sensors#1
     1 DeleteTrafficMirrorTarget mirror_target.sensor#1 after 0
     2 CreateTrafficMirrorTarget mirror_target.sensor#2 after 1
     3 AssociateResourceShare resource_share.sensors#1 after 0 2
    ");
}

#[test]
fn a_share_that_is_made_anew_invites_anew() {
    let stack = sharing(&[]);
    let replace = BTreeSet::from(["resource_share.sensors".parse().unwrap()]);
    let request = Request { replace, ..Request::default() };
    let plan = plan(&stack, &applied(&stack), &request).unwrap();
    assert_snapshot!(shown(&plan), @"
    Replace(CreateThenDelete) resource_share.sensors: its replacement was requested
     0 CreateResourceShare resource_share.sensors#2
     1 DeleteResourceShare resource_share.sensors#1 after 0
    ");
    assert_snapshot!(comments(&plan), @"
    resource_share.sensors will be replaced, as requested
    account 222233334444 is invited again, unless it belongs to the same organization: until it accepts, its sessions carry nothing
    (3 unchanged attributes hidden)
    ");
}

#[test]
fn a_target_of_another_account_is_not_shared() {
    let theirs = "tmt-0a1b2c3d4e5f67890";
    let stack = sharing(&[("resource_share.sensors", "mirror_targets", json!([theirs]))]);
    assert_eq!(stack.targets_by_id(), BTreeSet::from([theirs.parse().unwrap()]));
    let mut observed = nothing();
    observed.foreign_targets.insert(theirs.parse().unwrap(), THERE.parse().unwrap());
    let refused = plan(&stack, &observed, &Request::default()).unwrap_err();
    assert_snapshot!(refused, @"resource_share.sensors: error MP0414: `resource_share.sensors` shares tmt-0a1b2c3d4e5f67890, which belongs to account 222233334444");
}

#[test]
fn the_reviewed_text_says_it_too() {
    let plan = changed(&[("resource_share.sensors", "principals", json!([ELSEWHERE]))]);
    let text = plan.to_string();
    let (_, update) = text.split_once("update resource_share").unwrap();
    assert_snapshot!(update, @r#"
    .sensors
        packets may come from account 333344445555, which has to accept first unless it belongs to the same organization
        packets from account 222233334444 no longer arrive: its sessions stay, but carry nothing
        id = "arn:aws:ram:eu-west-1:123456789012:resource-share/f074ff49b80cdb98d"
        principals loses "222233334444"
        principals gains "333344445555"
    "#);
}

/// The old target holds the subnet that must be deleted before there is a place for the new target.
#[test]
fn a_share_gets_one_target_for_another_that_stands_in_its_place() {
    let place = |cidr: &str, target: &str, instance: &str| {
        stack(json!({
            "vpc.lab": { "cidr": "10.0.0.0/16" },
            "subnet.lab": { "vpc": "@vpc.lab", "cidr": cidr },
            instance: { "instance_type": "t3.micro", "subnet": "@subnet.lab" },
            target: { "network_interface": format!("@{instance}") },
            "resource_share.sensors": {
                "mirror_targets": [format!("@{target}")], "principals": [THERE],
            },
        }))
    };
    let old = place("10.0.1.0/24", "mirror_target.old", "instance.old");
    let new = place("10.0.2.0/24", "mirror_target.new", "instance.new");
    assert_snapshot!(planned(&new, &applied(&old)), @"
    Replace(DeleteThenCreate) subnet.lab: `cidr` differs, which AWS cannot change on an existing object
    Create instance.new: there is no such object yet
    Delete instance.old: it is not in the stack
    Create mirror_target.new: there is no such object yet
    Delete mirror_target.old: it is not in the stack
    Update resource_share.sensors: `mirror_targets` differs
     0 DisassociateResourceShare resource_share.sensors#1
     1 DeleteTrafficMirrorTarget mirror_target.old#1 after 0
     2 TerminateInstances instance.old#1 after 1
     3 DeleteSubnet subnet.lab#1 after 2
     4 CreateSubnet subnet.lab#2 after 3
     5 RunInstances instance.new#1 after 4
     6 CreateTrafficMirrorTarget mirror_target.new#1 after 5
     7 AssociateResourceShare resource_share.sensors#1 after 0 6
    ");
}
