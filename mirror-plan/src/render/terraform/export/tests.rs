//! Exported stacks.

use insta::assert_snapshot;

use super::Export;
use crate::plan::tests::{applied, lab, nothing, stack};

#[test]
fn the_lab_that_is_there() {
    let stack = stack(lab());
    let export = Export::of(&stack, &applied(&stack)).unwrap();
    assert_snapshot!(export.to_string(), @"");
}

#[test]
fn the_lab_that_is_not_there() {
    let stack = stack(lab());
    let export = Export::of(&stack, &nothing()).unwrap();
    assert_snapshot!(export.to_string(), @"");
}
