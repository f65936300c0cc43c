//! Comments: complete, within their size limit, and with the same structure whatever the values are.

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::plan::tests::{applied, nothing, stack};
use crate::plan::{Request, plan};
use crate::stack::Stack;

/// A stack of this many sessions, with `note` wherever a text is allowed.
fn noted(note: &str, sessions: usize) -> Stack {
    let mut resources = json!({
        "mirror_target.nic": { "network_interface": "eni-0a1b2c3d4e5f67890", "description": note },
        "mirror_filter.web": {
            "description": note,
            "tags": { "note": note },
            "rules": [{ "number": 10, "action": "accept", "protocol": "tcp", "description": note }],
        },
    });
    for number in 0..sessions {
        resources[format!("mirror_session.s{number}")] = json!({
            "source": format!("eni-{number:017x}"), "target": "@mirror_target.nic",
            "filter": "@mirror_filter.web", "number": 1, "description": note,
        });
    }
    stack(resources)
}

fn planned(before: Option<&str>, after: &str, sessions: usize) -> Plan {
    let observed = before.map_or_else(nothing, |before| applied(&noted(before, sessions)));
    plan(&noted(after, sessions), &observed, &Request::default()).unwrap()
}

#[test]
fn what_goes_is_first_and_in_sight() {
    let plan = planned(Some("old"), "new", 1);
    let findings = Diagnostic::warning(code::UNTOLD, "look here").note("twice").into();
    let text = Markdown::new(&plan).findings(&findings).to_string();
    let (in_sight, _) = text.split_once("<details>").unwrap();
    assert_snapshot!(in_sight, @r#"
    <!-- mirror plan lab -->
    ### Plan for stack `lab`

    **3 to add, 0 to change, 3 to destroy.** Account `123456789012`, Region `eu-west-1`.

    #### Destroyed or replaced

    ```diff
    - mirror_target.nic: destroyed and recreated
    - mirror_filter.web: destroyed and recreated
    - mirror_session.s0: destroyed and recreated
    ```

    #### Findings

    ```text
    warning[MP0407]: look here
     |
     = note: twice
    ```

    ```mermaid
    flowchart LR
      subgraph g0["Sources"]
        n0["network interface<br/>eni-00000000000000000"]
      end
      subgraph g1["Mirror"]
        n1["replace<br/>mirror_session.s0<br/>number 1<br/>VNI 4242"]
        n2["replace<br/>mirror_filter.web<br/>2 accept, 0 reject"]
        n3["replace<br/>mirror_target.nic"]
      end
      subgraph g2["Receivers"]
        n4["network interface<br/>eni-0a1b2c3d4e5f67890"]
      end
      n0 --> n1
      n1 --> n2
      n2 --> n3
      n3 -.->|"VXLAN"| n4
      classDef replace fill:#fbefff,stroke:#8250df,color:#1f2328
      class n1,n2,n3 replace
    ```
    "#);
}

#[test]
fn every_change_is_in_the_fold() {
    let text = Markdown::new(&planned(Some("old"), "new", 0)).to_string();
    let (_, folded) = text.split_once("<details>").unwrap();
    assert_snapshot!(folded, @r#"
    <summary>All changes</summary>

    ```diff
    #  # mirror_target.nic must be replaced
    #  # (because AWS allows one mirror target for each load balancer or interface, so the old one is deleted first)
    !-/+ mirror_target "nic" {
    !      ~ id          = "tmt-4ca64cce3760f1912" -> (known after apply)
    !      ~ description = "old" -> "new" # forces replacement
             tags        = {
                 "Name" = "nic"
             }
             # (1 unchanged attribute hidden)
         }

    #  # mirror_filter.web must be replaced
    !+/- mirror_filter "web" {
    !      ~ id          = "tmf-b88daa934ee10591d" -> (known after apply)
    !      ~ description = "old" -> "new" # forces replacement
    !      ~ rules       = [
    !          ~ {
                     number      = 10
                     direction   = "egress"
    !              ~ description = "old" -> "new"
                     # (4 unchanged attributes hidden)
                 },
    !          ~ {
                     number      = 10
                     direction   = "ingress"
    !              ~ description = "old" -> "new"
                     # (4 unchanged attributes hidden)
                 },
             ]
    !      ~ tags        = {
    !          ~ "note" = "old" -> "new"
                 # (1 unchanged element hidden)
             }
             # (1 unchanged attribute hidden)
         }
    ```

    </details>

    Plan digest: `sha256:e35c07314bd1c288a7b7884081031e374f73fc1610ceda33630b5d52ee75a1bb`
    "#);
}

#[test]
fn nothing_to_do_is_one_line() {
    let stack = noted("a", 0);
    let plan = plan(&stack, &applied(&stack), &Request::default()).unwrap();
    let text = Markdown::new(&plan).to_string();
    assert!(text.contains("**No changes.**") && !text.contains("<details>"), "{text}");
}

#[test]
fn it_is_as_long_as_a_comment_may_be_and_says_what_is_left_out() {
    for (before, sessions) in [(None, 400), (Some("old"), 400), (None, 3), (Some("old"), 40)] {
        let plan = planned(before, "new", sessions);
        let text = Markdown::new(&plan).to_string();
        assert!(text.len() <= BYTES_MAX, "{}", text.len());
        assert_eq!(text.contains("left out here"), sessions == 400, "{text}");
        let shown = text.matches("mirror_session \"s").count();
        assert!(sessions != 400 || shown > 20, "{shown}");
    }
}

/// The lines of a comment outside every fence, with fences read as in CommonMark.
fn outside(text: &str) -> Vec<&str> {
    let mut fence: Option<usize> = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            None if ticks >= 3 => fence = Some(ticks),
            None => lines.push(line),
            Some(open) if ticks >= open && line.trim_end().len() == ticks => fence = None,
            Some(_) => {}
        }
    }
    assert_eq!(fence, None, "a fence stays open");
    lines
}

proptest! {
    #[test]
    fn no_value_leaves_its_fence(
        // A description allows no line break; a finding gets one below.
        note in "n([a-z ]|`{1,6}|</details>|<script>|@someone|\\[a\\]\\(http://b\\)|~{3}|-->|#){1,9}"
    ) {
        let plain = planned(Some("old"), "new", 1);
        let hostile = planned(Some("old"), &note, 1);
        let finding = |text: &str| {
            let text = format!("{text}\n```\n{text}");
            Diagnostics::from(Diagnostic::warning(code::UNTOLD, &*text).help(&*text))
        };
        let (calm, wild) = (finding("new"), finding(&note));
        let plain = Markdown::new(&plain).findings(&calm).to_string();
        let hostile = Markdown::new(&hostile).findings(&wild).to_string();
        let digest = |lines: Vec<&str>| -> Vec<String> {
            let lines = lines.into_iter().filter(|line| !line.starts_with("Plan digest"));
            lines.map(str::to_owned).collect()
        };
        prop_assert_eq!(digest(outside(&plain)), digest(outside(&hostile)));
    }
}
