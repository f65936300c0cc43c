//! Drift distinguished from edits, with and without what the last apply left.

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::event::Report;
use crate::observed::Observed;
use crate::plan::tests::{applied, nothing, stack};
use crate::plan::{Request, plan};
use crate::render::drift::Text;

fn lab(edit: impl FnOnce(&mut Json)) -> Json {
    let mut lab = json!({
        "vpc.lab": { "cidr": "10.0.0.0/16" },
        "security_group.in": { "vpc": "@vpc.lab", "ingress": [
            { "protocol": "tcp", "port": 22, "cidrs": ["10.0.0.0/16"] }] },
        "mirror_filter.web": { "rules": [
            { "number": 10, "action": "accept", "direction": "ingress", "protocol": "tcp",
              "destination_port": 443 }] },
    });
    edit(&mut lab);
    lab
}

fn set_port(lab: &mut Json, port: u16) {
    lab["mirror_filter.web"]["rules"][0]["destination_port"] = port.into();
}

fn planned(declared: Json, there: &Observed) -> Plan {
    plan(&stack(declared), there, &Request::default()).unwrap()
}

/// What an apply of the lab left.
fn left() -> Applied {
    let plan = planned(lab(|_| {}), &applied(&stack(lab(|_| {}))));
    assert!(plan.is_empty());
    let at = "2026-11-26T22:00:00Z".parse().unwrap();
    Applied::after(None, &plan, &Report::default(), at)
}

/// What is shown if the stack declares one thing and the cloud has another.
fn shown(declared: Json, there: Json, left: Option<&Applied>) -> String {
    let plan = planned(declared, &applied(&stack(there)));
    Text::new(&Drift::of(&plan, left, Vec::new()), &plan).to_string()
}

#[test]
fn nothing_has_drifted_right_after_an_apply() {
    assert_snapshot!(shown(lab(|_| {}), lab(|_| {}), Some(&left())), @"
    Drift of stack lab in account 123456789012, Region eu-west-1.
    Compared with what the apply of 2026-11-26T22:00:00Z left.

    No drift.
    ");
}

#[test]
fn a_change_outside_is_undone_and_an_edit_is_none() {
    let moved = lab(|lab| set_port(lab, 8443));
    assert_snapshot!(shown(lab(|_| {}), moved.clone(), Some(&left())), @"
    Drift of stack lab in account 123456789012, Region eu-west-1.
    Compared with what the apply of 2026-11-26T22:00:00Z left.

    Changed outside of mirror, and undone by the next apply:

      ~ mirror_filter.web
          rules[ingress 10].destination_port = 8443 -> 443

    Drift: 1 resource.
    ");
    assert_snapshot!(shown(moved, lab(|_| {}), Some(&left())), @"
    Drift of stack lab in account 123456789012, Region eu-west-1.
    Compared with what the apply of 2026-11-26T22:00:00Z left.

    Edited in the stack file since, which is not drift: mirror_filter.web

    No drift.
    ");
}

#[test]
fn a_change_outside_and_an_edit_of_the_same_is_undone() {
    let (file, cloud) = (lab(|lab| set_port(lab, 80)), lab(|lab| set_port(lab, 8443)));
    assert_snapshot!(shown(file, cloud, Some(&left())), @"
    Drift of stack lab in account 123456789012, Region eu-west-1.
    Compared with what the apply of 2026-11-26T22:00:00Z left.

    Changed outside of mirror, and undone by the next apply:

      ~ mirror_filter.web
          rules[ingress 10].destination_port = 8443 -> 80

    Drift: 1 resource.
    ");
}

#[test]
fn a_change_outside_that_the_file_has_too_is_of_no_consequence() {
    let moved = lab(|lab| set_port(lab, 8443));
    assert_snapshot!(shown(moved.clone(), moved, Some(&left())), @"
    Drift of stack lab in account 123456789012, Region eu-west-1.
    Compared with what the apply of 2026-11-26T22:00:00Z left.

    Of no consequence:

      mirror_filter.web: rules has changed, and matches the stack file

    No drift.
    ");
}

#[test]
fn what_is_gone_is_drift_and_what_is_new_in_the_file_is_none() {
    let new = |lab: &mut Json| lab["vpc.new"] = json!({ "cidr": "10.1.0.0/16" });
    let mut there = applied(&stack(lab(|_| {})));
    there.owned.remove(&"vpc.lab".parse().unwrap());
    let plan = planned(lab(new), &there);
    let drift = Drift::of(&plan, Some(&left()), Vec::new());
    assert_snapshot!(Text::new(&drift, &plan), @"
    Drift of stack lab in account 123456789012, Region eu-west-1.
    Compared with what the apply of 2026-11-26T22:00:00Z left.

    Changed outside of mirror, and undone by the next apply:

      + vpc.lab was deleted

    Edited in the stack file since, which is not drift: vpc.new

    Drift: 1 resource.
    ");
}

#[test]
fn without_a_record_the_stack_file_stands_for_what_was_applied() {
    assert_snapshot!(shown(lab(|_| {}), lab(|lab| set_port(lab, 8443)), None), @"
    Drift of stack lab in account 123456789012, Region eu-west-1.
    There is no record of an apply here, so the stack file is taken for what was applied:
    edits to it show as drift.

    Changed outside of mirror, and undone by the next apply:

      ~ mirror_filter.web
          rules[ingress 10].destination_port = 8443 -> 443

    Drift: 1 resource.
    ");
}

#[test]
fn a_note_from_outside_is_told_though_the_apply_set_none() {
    let noted = lab(|lab| lab["vpc.lab"]["tags"] = json!({ "owner": "somebody" }));
    assert_snapshot!(shown(lab(|_| {}), noted, Some(&left())), @r#"
    Drift of stack lab in account 123456789012, Region eu-west-1.
    Compared with what the apply of 2026-11-26T22:00:00Z left.

    Changed outside of mirror, and undone by the next apply:

      ~ vpc.lab
          tags["owner"] = "somebody" -> (none)

    Drift: 1 resource.
    "#);
}

#[test]
fn another_object_of_others_is_told() {
    let mut plan = planned(lab(|_| {}), &nothing());
    let shared: Address = "vpc.shared".parse().unwrap();
    let id = |text: &str| serde_json::from_value::<ObjectId>(text.into()).unwrap();
    plan.existing = [(shared.clone(), id("vpc-0a1b2c3d4e5f67890"))].into();
    let mut applied = left();
    applied.existing = [(shared, id("vpc-0a1b2c3d4e5f67891"))].into();
    let drift = Drift::of(&plan, Some(&applied), Vec::new());
    assert_eq!(
        drift.others,
        ["vpc.shared is vpc-0a1b2c3d4e5f67890 now, and was vpc-0a1b2c3d4e5f67891"]
    );
}

#[test]
fn a_record_reads_back_and_shows_no_value() {
    let text = serde_json::to_string(&left()).unwrap();
    assert_eq!(serde_json::from_str::<Applied>(&text).unwrap(), left());
    assert!(!text.contains("0.0/16"), "{text}");
}

/// The lab with a filter whose rules have these ports.
fn with_ports(ports: &[u16]) -> Json {
    let rules = ports.iter().enumerate().map(|(index, port)| {
        json!({ "number": index + 1, "action": "accept", "direction": "ingress",
                "protocol": "tcp", "destination_port": port })
    });
    lab(|lab| lab["mirror_filter.web"]["rules"] = rules.collect())
}

proptest! {
    /// Three sides: what was applied, what exists, and what the file declares.
    #[test]
    fn drift_is_what_is_neither_as_it_was_left_nor_as_the_file_says(
        was in proptest::collection::vec(1..4_u16, 1..4),
        is in proptest::collection::vec(1..4_u16, 1..4),
        says in proptest::collection::vec(1..4_u16, 1..4),
    ) {
        let before = stack(with_ports(&was));
        let unchanged = plan(&before, &applied(&before), &Request::default()).unwrap();
        let left = Applied::after(None, &unchanged, &Report::default(), left().at);
        let plan = planned(with_ports(&says), &applied(&stack(with_ports(&is))));
        let drift = Drift::of(&plan, Some(&left), Vec::new());
        prop_assert_eq!(!drift.undone.is_empty(), is != was && is != says);
        prop_assert_eq!(!drift.edited.is_empty(), is == was && is != says);
        prop_assert_eq!(!drift.noise.is_empty(), is != was && is == says);
    }
}
