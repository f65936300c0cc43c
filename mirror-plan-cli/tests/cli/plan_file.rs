//! Saved plans: applied as they are, or refused.

#[cfg(unix)]
use super::killed::Served;
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
    error[MP0501]: mirror_filter.web appeared since the plan was made
     |
     = help: nothing was done; plan again and review what is new

    error[MP0501]: vpc.lab appeared since the plan was made
     |
     = help: nothing was done; plan again and review what is new
    ");
}

#[test]
fn an_apply_of_a_part_says_that_there_may_be_more_to_do() {
    let folder = Folder::with(SMALL);
    let told = "Only a part of the stack was planned: `mirror plan` shows what is left to do.";
    folder.done("plan --target vpc.lab --out plan.json");
    for (command, is_part) in [
        ("apply plan.json", true),
        ("apply --auto-approve", false),
        ("destroy --auto-approve --target vpc.lab", true),
    ] {
        let shown = folder.mirror(&format!("--local {command}"));
        assert!(shown.contains("exit code: 0"), "{command}: {shown}");
        assert_eq!(shown.contains(told), is_part, "{command}: {shown}");
    }
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
     = note: it was written by another version of mirror, in format 99
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

#[cfg(unix)]
#[test]
fn a_saved_plan_with_a_changed_byte_asks_nothing_of_aws() {
    let (served, folder) = (Served::start(), Folder::with(SMALL));
    let (code, shown) = served.run(&folder, "plan --out plan.json");
    assert_eq!(code, Some(0), "{shown}");
    let saved = folder.read("plan.json").into_bytes();
    let calls = || served.cloud.log().unwrap().len();
    let before = calls();
    // The library's own test flips every bit; this one goes through `mirror`, with MIRROR_LONG at every byte.
    let every = if std::env::var_os("MIRROR_LONG").is_some() { 1 } else { saved.len() / 25 };
    let places = (0..saved.len()).step_by(every);
    println!("{} of {} bytes changed", places.len(), saved.len());
    for at in places {
        let mut changed = saved.clone();
        changed[at] ^= 1;
        std::fs::write(folder.path().join("plan.json"), &changed).unwrap();
        let (code, shown) = served.run(&folder, "apply plan.json");
        assert!(matches!(code, Some(1 | 3)), "byte {at}: {shown}");
        assert!(shown.contains("error[MP0601]") || shown.contains("error[MP0507]"), "{shown}");
    }
    assert_eq!(calls(), before);
    std::fs::write(folder.path().join("plan.json"), &saved).unwrap();
    let (code, shown) = served.run(&folder, "apply plan.json");
    assert_eq!(code, Some(0), "{shown}");
}

#[test]
fn an_edited_plan_is_refused() {
    let folder = Folder::with(SMALL);
    folder.done("plan --out plan.json");
    let edited = folder.read("plan.json").replace("10.0.0.0/16", "10.0.0.0/17");
    folder.write("plan.json", &edited);
    let shown = folder.mirror("--local apply plan.json");
    let (start, digest) = shown.split_once("sha256:").unwrap();
    assert_shown!(format!("{start}sha256:...{}", &digest[64..]), @"
    exit code: 3
    ----- stdout -----
    ----- stderr -----
    error[MP0507]: `plan.json` has been changed
     |
     = note: it is not, byte for byte, the plan sha256:...
     = help: nothing was done; to change a plan, change the stack and plan again
    ");
}

#[test]
fn a_plan_of_another_region_is_refused_before_the_stack_is_taken() {
    let folder = Folder::with(SMALL);
    folder.done("plan --out plan.json");
    assert_shown!(folder.mirror("--local --region us-west-2 apply plan.json"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0404]: the plan is for account 123456789012 in eu-west-1, but this is 123456789012 in us-west-2
     |
     = help: use the credentials and the Region that the plan was made with
    ");
    assert!(folder.done("plan").contains("Plan: "), "nothing was done");
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

#[test]
fn a_saved_plan_is_shown_as_a_comment_and_a_stack_is_not() {
    let folder = Folder::with(SMALL);
    let comment = folder.done("plan --out small.plan.json --format markdown");
    assert_eq!(folder.done("show small.plan.json --format markdown"), comment);
    assert!(comment.contains("<details>"), "{comment}");
    let document = folder.done("show small.plan.json --format tfjson");
    assert_eq!(folder.done("show small.plan.json --json"), document);
    assert_shown!(folder.mirror("--local show --format markdown"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0605]: only a plan can be shown as a comment
     |
     = help: name a saved plan, or run `mirror plan --format markdown`
    ");
}
