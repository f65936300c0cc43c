//! Resources that are given another name.

use serde_json::Value as Json;

use super::{Folder, SMALL, assert_shown};

const MOVED: &str = r#"
moved {
  from = vpc.lab
  to   = vpc.laboratory
}
moved {
  from = mirror_filter.web
  to   = mirror_filter.https
}
"#;

/// A folder in which [`SMALL`] was applied and then renamed; the filter keeps its name in AWS.
fn renamed() -> Folder {
    let text = SMALL.replace("  rules =", "  tags  = { Name = \"web\" }\n  rules =");
    let folder = Folder::with(&text);
    folder.done("apply --auto-approve");
    let text =
        text.replace("vpc \"lab\"", "vpc \"laboratory\"").replace("vpc.lab", "vpc.laboratory");
    let text = text.replace("mirror_filter \"web\"", "mirror_filter \"https\"");
    folder.write("small.mirror.hcl", &format!("{text}{MOVED}"));
    folder
}

#[test]
fn a_rename_is_shown_applied_and_done_with() {
    let folder = renamed();
    assert_shown!(folder.mirror("--local plan --no-cost --no-time"), @r#"
    exit code: 0
    ----- stdout -----
    Plan for stack small in account 123456789012, Region eu-west-1.
    Each resource is marked with what happens to it:
      ~ update in-place

    mirror will perform the following actions:

      # vpc.laboratory will be updated in-place
      # (moved from vpc.lab)
      ~ vpc "laboratory" {
            id   = "vpc-ID"
          ~ tags = {
              ~ "Name" = "lab" -> "laboratory"
            }
            # (3 unchanged attributes hidden)
        }

      # mirror_filter.web has moved to mirror_filter.https
        mirror_filter "https" {
            id   = "tmf-ID"
            tags = {
                "Name" = "web"
            }
            # (2 unchanged attributes hidden)
        }

    Plan: 2 to move, 0 to add, 1 to change, 0 to destroy.

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:DIGEST
    ----- stderr -----
    "#);
    assert_shown!(folder.mirror("--local apply --auto-approve --parallelism 1 --no-cost --no-time"), @r#"
    exit code: 0
    ----- stdout -----
    Plan for stack small in account 123456789012, Region eu-west-1.
    Each resource is marked with what happens to it:
      ~ update in-place

    mirror will perform the following actions:

      # vpc.laboratory will be updated in-place
      # (moved from vpc.lab)
      ~ vpc "laboratory" {
            id   = "vpc-ID"
          ~ tags = {
              ~ "Name" = "lab" -> "laboratory"
            }
            # (3 unchanged attributes hidden)
        }

      # mirror_filter.web has moved to mirror_filter.https
        mirror_filter "https" {
            id   = "tmf-ID"
            tags = {
                "Name" = "web"
            }
            # (2 unchanged attributes hidden)
        }

    Plan: 2 to move, 0 to add, 1 to change, 0 to destroy.

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:DIGEST

    Apply complete! Resources: 2 moved, 0 added, 1 changed, 0 destroyed.

    Outputs:

    vpc = "vpc-ID"
    ----- stderr -----
    vpc.laboratory: Modifying... [id=vpc-ID]
    vpc.laboratory: Modifications complete after Ns [id=vpc-ID]
    mirror_filter.https: Modifying... [id=tmf-ID]
    mirror_filter.https: Modifications complete after Ns [id=tmf-ID]
    "#);
    assert!(folder.done("plan").starts_with("No changes."));
    let destroyed = folder.done("destroy --auto-approve");
    assert!(destroyed.ends_with("Destroy complete! Resources: 2 destroyed.\n"), "{destroyed}");
}

#[test]
fn a_saved_plan_of_moves_is_applied_once() {
    let folder = renamed();
    folder.done("plan --out saved.json");
    folder.done("plan --write snapshot.plan");
    assert_shown!(folder.read("snapshot.plan"), @r#"
    mirror plan 1
    stack small
    account 123456789012
    region eu-west-1
    purpose apply
    scope the whole stack
    move 2
    create 0
    update 1
    replace 0
    delete 0

    move mirror_filter.https
        it was mirror_filter.web
        id = "tmf-ID"

    update vpc.laboratory
        it was vpc.lab
        id = "vpc-ID"
        tags["Name"] = "lab" -> "laboratory"
    "#);
    folder.done("apply saved.json");
    assert_shown!(folder.mirror("--local apply saved.json"), @"
    exit code: 3
    ----- stdout -----
    ----- stderr -----
    error[MP0501]: mirror_filter.web has been deleted since the plan was made
     |
     = help: nothing was done; plan again and review what is new

    error[MP0501]: vpc.lab has been deleted since the plan was made
     |
     = help: nothing was done; plan again and review what is new

    error[MP0501]: mirror_filter.https appeared since the plan was made
     |
     = help: nothing was done; plan again and review what is new

    error[MP0501]: vpc.laboratory appeared since the plan was made
     |
     = help: nothing was done; plan again and review what is new
    ");
}

#[test]
fn other_programs_are_told_the_address_of_before() {
    let folder = renamed();
    let plan: Json = serde_json::from_str(&folder.done("plan --format tfjson")).unwrap();
    let changes = plan["resource_changes"].as_array().unwrap().iter();
    let shown: Vec<String> = changes
        .map(|it| {
            format!("{} was {}: {}", it["address"], it["previous_address"], it["change"]["actions"])
        })
        .collect();
    assert_shown!(shown.join("\n"), @r#"
    "aws_ec2_traffic_mirror_filter.https" was "aws_ec2_traffic_mirror_filter.web": ["no-op"]
    "aws_ec2_traffic_mirror_filter_rule.https[\"ingress 100\"]" was "aws_ec2_traffic_mirror_filter_rule.web[\"ingress 100\"]": ["no-op"]
    "aws_vpc.laboratory" was "aws_vpc.lab": ["update"]
    "#);
    let lines = folder.done("plan --json");
    let lines: Vec<&str> = lines
        .lines()
        .filter(|line| line.contains("planned_change") || line.contains("change_summary"))
        .collect();
    assert_shown!(lines.join("\n"), @r#"
    {"@level":"info","@message":"vpc.laboratory: Plan to update","@module":"mirror.ui","@timestamp":"TIME","change":{"action":"update","mirror_reasons":["`tags` differs"],"previous_resource":{"addr":"vpc.lab","implied_provider":"mirror","module":"","resource":"vpc.lab","resource_key":null,"resource_name":"lab","resource_type":"vpc"},"resource":{"addr":"vpc.laboratory","implied_provider":"mirror","module":"","resource":"vpc.laboratory","resource_key":null,"resource_name":"laboratory","resource_type":"vpc"}},"type":"planned_change"}
    {"@level":"info","@message":"mirror_filter.https: Plan to move","@module":"mirror.ui","@timestamp":"TIME","change":{"action":"move","mirror_reasons":[],"previous_resource":{"addr":"mirror_filter.web","implied_provider":"mirror","module":"","resource":"mirror_filter.web","resource_key":null,"resource_name":"web","resource_type":"mirror_filter"},"resource":{"addr":"mirror_filter.https","implied_provider":"mirror","module":"","resource":"mirror_filter.https","resource_key":null,"resource_name":"https","resource_type":"mirror_filter"}},"type":"planned_change"}
    {"@level":"info","@message":"Plan: 2 to move, 0 to add, 1 to change, 0 to destroy.","@module":"mirror.ui","@timestamp":"TIME","changes":{"action_invocation":0,"add":0,"change":1,"import":0,"mirror_move":2,"operation":"plan","remove":0},"type":"change_summary"}
    "#);
    assert_shown!(folder.done("plan --format markdown --no-cost --no-time"), @r#"
    <!-- mirror plan small -->
    ### Plan for stack `small`

    **2 to move, 0 to add, 1 to change, 0 to destroy.** Account `123456789012`, Region `eu-west-1`.

    <details><summary>All changes</summary>

    ```diff
    #  # vpc.laboratory will be updated in-place
    #  # (moved from vpc.lab)
    !  ~ vpc "laboratory" {
             id   = "vpc-ID"
    !      ~ tags = {
    !          ~ "Name" = "lab" -> "laboratory"
             }
             # (3 unchanged attributes hidden)
         }

    #  # mirror_filter.web has moved to mirror_filter.https
         mirror_filter "https" {
             id   = "tmf-ID"
             tags = {
                 "Name" = "web"
             }
             # (2 unchanged attributes hidden)
         }
    ```

    </details>

    Plan digest: `sha256:DIGEST`
    "#);
}
