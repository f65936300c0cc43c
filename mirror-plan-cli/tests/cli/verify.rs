//! `verify`: exit codes and both forms.

use super::drift::changed_outside;
use super::{Folder, SMALL, assert_shown};

#[test]
fn a_stack_is_verified_once_it_is_applied_and_until_it_is_changed() {
    let folder = Folder::with(SMALL);
    assert_shown!(folder.mirror("--local verify"), @"
    exit code: 2
    ----- stdout -----
    Verification of stack small in account 123456789012, Region eu-west-1.

      fault  vpc.lab is not there
      fault  mirror_filter.web is not there

    Not verified: 2 faults.
    ----- stderr -----
    ");
    folder.done("apply --auto-approve");
    let calls = folder.done("local log").lines().count();
    assert_shown!(folder.mirror("--local verify"), @"
    exit code: 0
    ----- stdout -----
    Verification of stack small in account 123456789012, Region eu-west-1.

      ok     every resource is as the stack file says

    Verified. Whether packets arrive is not seen from here.
    ----- stderr -----
    ");
    let log = folder.done("local log");
    assert!(
        log.lines().skip(calls).all(|line| line.contains(" Describe") || line.contains(" Get"))
    );
    changed_outside(&folder, "port = 443", "port = 8443");
    assert_shown!(folder.mirror("--local verify"), @"
    exit code: 2
    ----- stdout -----
    Verification of stack small in account 123456789012, Region eu-west-1.

      fault  mirror_filter.web is not as the stack file says; an apply would change:
               rules[ingress 100].destination_port = 8443 -> 443

    Not verified: 1 fault.
    ----- stderr -----
    ");
}

#[test]
fn programs_get_one_object() {
    let folder = Folder::with(SMALL);
    folder.done("apply --auto-approve");
    assert_shown!(folder.mirror("--local verify --json"), @r#"
    exit code: 0
    ----- stdout -----
    {
      "account": "123456789012",
      "faults": [],
      "paths": [],
      "region": "eu-west-1",
      "resources": [
        {
          "address": "vpc.lab",
          "differences": [],
          "id": "vpc-ID",
          "state": "in_place"
        },
        {
          "address": "mirror_filter.web",
          "differences": [],
          "id": "tmf-ID",
          "state": "in_place"
        }
      ],
      "sessions": [],
      "stack": "small",
      "targets": [],
      "verified": true
    }
    ----- stderr -----
    "#);
}

#[test]
fn what_cannot_be_told_is_an_error_and_no_fault() {
    let folder = Folder::with("stack \"small\" {}\nvpc \"lab\" {}\n");
    assert!(folder.mirror("--local verify").starts_with("exit code: 1\n"));
}
