//! Drift: made in a local AWS behind mirror's back, distinguished from edits, and undone.

use std::fs;
use std::path::PathBuf;

use super::{Folder, SMALL, assert_shown};

/// Changes objects of the stack as somebody else would.
///
/// Another stack file for the same stack stands for that person, whose applies leave their record elsewhere.
pub(super) fn changed_outside(folder: &Folder, from: &str, to: &str) {
    let (kept, own) = (record(folder), folder.read("small.mirror.hcl"));
    let left = fs::read(&kept).expect("an apply leaves a record");
    folder.edit(from, to);
    folder.done("apply --auto-approve");
    folder.write("small.mirror.hcl", &own);
    fs::write(kept, left).expect("it can be written");
}

fn record(folder: &Folder) -> PathBuf {
    folder.path().join(".mirror/local/journals/small.123456789012.eu-west-1.applied")
}

#[test]
fn drift_has_its_exit_code_and_is_undone_by_an_apply() {
    let folder = Folder::with(SMALL);
    folder.done("apply --auto-approve");
    assert_shown!(folder.mirror("--local drift"), @"
    exit code: 0
    ----- stdout -----
    Drift of stack small in account 123456789012, Region eu-west-1.
    Compared with what the apply of TIME left.

    No drift.
    ----- stderr -----
    ");
    changed_outside(&folder, "port = 443", "port = 8443");
    assert_shown!(folder.mirror("--local drift"), @"
    exit code: 2
    ----- stdout -----
    Drift of stack small in account 123456789012, Region eu-west-1.
    Compared with what the apply of TIME left.

    Changed outside of mirror, and undone by the next apply:

      ~ mirror_filter.web
          rules[ingress 100].destination_port = 8443 -> 443

    Drift: 1 resource.
    ----- stderr -----
    ");
    let plan = folder.mirror("--local plan");
    let (_, told) = plan.split_once("----- stderr -----").unwrap();
    assert_shown!(told, @"
    This undoes what was changed outside of mirror since the last apply: mirror_filter.web
    `mirror drift` shows it.
    ");
    folder.done("apply --auto-approve");
    assert!(folder.mirror("--local drift").starts_with("exit code: 0\n"));
}

#[test]
fn an_edit_is_no_drift_unless_there_is_no_record() {
    let folder = Folder::with(SMALL);
    folder.done("apply --auto-approve");
    folder.edit("port = 443", "port = 8443");
    let drift = folder.mirror("--local drift");
    assert!(drift.starts_with("exit code: 0\n"), "{drift}");
    assert!(drift.contains("which is not drift: mirror_filter.web\n"), "{drift}");
    fs::remove_file(record(&folder)).unwrap();
    assert_shown!(folder.mirror("--local drift"), @"
    exit code: 2
    ----- stdout -----
    Drift of stack small in account 123456789012, Region eu-west-1.
    There is no record of an apply here, so the stack file is taken for what was applied:
    edits to it show as drift.

    Changed outside of mirror, and undone by the next apply:

      ~ mirror_filter.web
          rules[ingress 100].destination_port = 443 -> 8443

    Drift: 1 resource.
    ----- stderr -----
    ");
    fs::write(record(&folder), "{}").unwrap();
    let drift = folder.mirror("--local drift");
    assert!(drift.starts_with("exit code: 2\n") && drift.contains("cannot be read"), "{drift}");
}

#[test]
fn a_stack_file_that_is_wrong_is_an_error_and_no_drift() {
    let folder = Folder::with("stack \"small\" {}\nvpc \"lab\" {}\n");
    assert!(folder.mirror("--local drift").starts_with("exit code: 1\n"));
}
