//! Terraform's JSON on the command line.

use serde_json::Value as Json;

use super::{Folder, SMALL, assert_shown};

fn json(text: &str) -> Json {
    serde_json::from_str(text).expect("it is JSON, and nothing else")
}

#[test]
fn a_plan_is_printed_as_terraform_prints_it_now_and_when_it_is_saved() {
    let folder = Folder::with(SMALL);
    let planned = folder.done("plan --format tfjson --out saved.json");
    assert_eq!(planned.lines().count(), 1);
    assert_eq!(folder.done("show saved.json --json"), planned);
    assert_eq!(folder.done("plan --format tfjson"), planned);
    let plan = json(&planned);
    assert_eq!(plan["format_version"], "1.2");
    assert_eq!(plan["variables"]["cidr"]["value"], "10.0.0.0/16");
    let shown = serde_json::to_string_pretty(&plan["output_changes"]).unwrap();
    assert_shown!(shown, @r#"
    {
      "vpc": {
        "actions": [
          "create"
        ],
        "after_sensitive": false,
        "after_unknown": true,
        "before": null,
        "before_sensitive": false
      }
    }
    "#);
}

#[test]
fn the_time_is_in_it_only_when_it_is_asked_for() {
    let folder = Folder::with(SMALL);
    let mut timed = json(&folder.done("plan --format tfjson --timestamp"));
    let timestamp = timed.as_object_mut().unwrap().remove("timestamp").unwrap();
    assert!(timestamp.as_str().is_some_and(|time| time.ends_with('Z') && time.len() == 20));
    assert_eq!(timed, json(&folder.done("plan --format tfjson")));
}

#[test]
fn what_the_account_holds_is_printed_as_a_state() {
    let folder = Folder::with(SMALL);
    folder.done("apply --auto-approve");
    let state = json(&folder.done("show --json"));
    let resources = state["values"]["root_module"]["resources"].as_array().unwrap().clone();
    let shown: Vec<String> = resources
        .iter()
        .map(|resource| format!("{} {}", resource["address"], resource["values"]["id"]))
        .collect();
    assert_shown!(shown.join("\n"), @r#"
    "aws_ec2_traffic_mirror_filter.web" "tmf-ID"
    "aws_ec2_traffic_mirror_filter_rule.web[\"ingress 100\"]" "tmfr-ID"
    "aws_vpc.lab" "vpc-ID"
    "#);
    let plan = json(&folder.done("plan --format tfjson"));
    assert_eq!(plan["applyable"], false);
    assert_eq!(
        plan["prior_state"]["values"]["outputs"]["vpc"]["value"],
        resources[2]["values"]["id"]
    );
}

#[test]
fn two_forms_at_once_are_refused() {
    let folder = Folder::with(SMALL);
    assert_shown!(folder.mirror("--local plan --format tfjson --json"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error: the argument '--format <FORMAT>' cannot be used with '--json'

    Usage: mirror plan --format <FORMAT> [STACK]

    For more information, try '--help'.
    ");
}
