//! Saved plans: applied as they are, or refused.

use super::{Folder, SMALL, assert_shown};

#[test]
fn a_saved_plan_is_applied_once() {
    let folder = Folder::with(SMALL);
    folder.done("plan --out plan.json");
    let first = folder.read("plan.json");
    folder.done("plan --out plan.json");
    assert_eq!(folder.read("plan.json"), first, "equal plans are equal bytes");
    assert!(!first.contains(folder.path().to_str().unwrap()), "no path is in it");
    let (shown, planned) = (folder.done("show plan.json"), folder.done("plan"));
    assert_eq!(shown, planned, "a saved plan is shown as it was");
    assert_shown!(folder.mirror("graph --deps --format mermaid plan.json"), @r#"
    exit code: 0
    ----- stdout -----
    flowchart LR
      n0["create<br/>vpc.lab"]
      n1["create<br/>mirror_filter.web"]
      classDef create fill:#dafbe1,stroke:#1a7f37,color:#1f2328
      class n0,n1 create
    ----- stderr -----
    "#);

    folder.done("apply plan.json");
    assert_shown!(folder.mirror("--local apply plan.json"), @"
    exit code: 3
    ----- stdout -----
    ----- stderr -----
    error[MP0501]: mirror_filter.web has come since the plan was made
     |
     = help: nothing was done; plan again and review what is new

    error[MP0501]: vpc.lab has come since the plan was made
     |
     = help: nothing was done; plan again and review what is new
    ");
}

#[test]
fn a_plan_is_refused_when_something_has_changed_since() {
    let folder = Folder::with(SMALL);
    folder.done("apply --auto-approve");
    folder.edit("port = 443", "port = 8443");
    folder.done("plan --out plan.json");
    folder.edit("port = 8443", "port = 9443");
    folder.done("apply --auto-approve");
    assert_shown!(folder.mirror("--local apply plan.json"), @"
    exit code: 3
    ----- stdout -----
    ----- stderr -----
    error[MP0501]: mirror_filter.web has changed since the plan was made
     |
     = help: nothing was done; plan again and review what is new
    ");
}

#[test]
fn what_is_no_plan_is_not_applied() {
    let folder = Folder::with(SMALL);
    folder.write("plan.json", "{}");
    assert_shown!(folder.mirror("--local apply plan.json"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0601]: `plan.json` is not a saved plan
     |
     = note: missing field `format`
    ");
    folder.write("plan.json", "{\"format\": 99}");
    assert_shown!(folder.mirror("--local apply plan.json"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0601]: `plan.json` is not a saved plan
     |
     = note: it was written by another version of mirror
     = help: plan again with this version
    ");
    assert_shown!(folder.mirror("--local apply nothing.json"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0601]: `nothing.json` cannot be read
     |
     = note: No such file or directory (os error 2)
    ");
}

#[test]
fn a_saved_plan_takes_no_planning_options() {
    let folder = Folder::with(SMALL);
    folder.done("plan --out plan.json");
    assert_shown!(folder.mirror("--local apply plan.json --target vpc.lab"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0605]: a saved plan is applied as it is, without --target
     |
     = help: plan again with --target
    ");
}
