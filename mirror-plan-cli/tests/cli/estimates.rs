//! Estimates: what a stack costs, how long an apply takes, and what is learned from an apply.

use super::killed::Served;
use super::{Folder, assert_shown};

const BALANCED: &str = r#"
stack "small" { region = "eu-west-1" }
vpc "lab" { cidr = "10.0.0.0/16" }
subnet "lab" {
  vpc  = vpc.lab
  cidr = "10.0.1.0/24"
}
target_group "receivers" {
  vpc      = vpc.lab
  port     = 4789
  protocol = "udp"
}
load_balancer "receivers" {
  subnets   = [subnet.lab]
  listeners = [{ protocol = "udp", port = 4789, target_group = target_group.receivers }]
}
"#;

/// The lines that follow the digest.
fn estimates(plan: &str) -> String {
    let (_, rest) = plan.split_once("Plan digest: ").expect("a plan has a digest");
    rest.lines().skip(1).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_plan_ends_with_what_it_costs_and_how_long_it_takes() {
    let folder = Folder::with(BALANCED);
    assert_shown!(estimates(&folder.done("plan")), @"
    Estimated cost: 16.43 USD a month, 16.43 more than now: 0 sessions, 1 load balancer,
      at list prices of us-east-2, 2026-05-31, without instances and without copied packets (--load).
    Estimated time: about 3 min: load_balancer.receivers 3 min (typical, not measured yet).
    ");
    assert_shown!(estimates(&folder.done("plan --no-time --load 8mbit")), @"
    Estimated cost: 16.43 USD a month, 16.43 more than now: 0 sessions, 1 load balancer,
      at list prices of us-east-2, 2026-05-31, without instances.
      0.00 of it for 8mbit from each session; 0.00 more if all of it crosses zones.
    ");
    assert_shown!(estimates(&folder.done("plan --no-cost")), @"Estimated time: about 3 min: load_balancer.receivers 3 min (typical, not measured yet).");
    assert_eq!(estimates(&folder.done("plan --no-cost --no-time")), "");
    assert_shown!(folder.mirror("--local plan --load fast"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error: invalid value 'fast' for '--load <RATE>': `fast` is not a rate such as 500kbit, 10mbit or 2gbit

    For more information, try '--help'.
    ");
    let comment = folder.done("plan --format markdown");
    assert!(
        comment.contains("\nEstimated time: about 3 min: load_balancer.receivers"),
        "{comment}"
    );
    folder.done("apply --auto-approve");
    assert_shown!(folder.done("plan"), @"
    No changes. Your infrastructure matches the configuration.

    Compared: stack small, account 123456789012, Region eu-west-1.
    ");
}

#[test]
fn what_an_apply_took_is_what_the_next_is_said_to_take() {
    let (served, folder) = (Served::start(), Folder::with(BALANCED));
    let source = |arguments: &str| {
        let (_, shown) = served.run(&folder, arguments);
        let line = shown.lines().find(|line| line.contains("mirror_estimates")).unwrap();
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["estimates"]["apply_time"]["source"].clone()
    };
    assert_eq!(source("plan --json"), "usual");
    let (code, shown) = served.run(&folder, "apply --auto-approve");
    assert_eq!(code, Some(0), "{shown}");
    // How long the deletion of a load balancer takes has not been seen yet.
    assert_eq!(source("plan --destroy --json"), "usual");
    let (code, shown) = served.run(&folder, "destroy --auto-approve");
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(source("plan --json"), "earlier_runs");
}
