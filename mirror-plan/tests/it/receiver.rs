//! The stack on the receiver's page works with the user data that is packaged with the receiver.

use std::fs;
use std::path::Path;

use mirror_plan::diagnostic::Source;
use mirror_plan::hcl::{Inputs, StackFile};

#[test]
fn the_stack_that_installs_receivers_is_valid_and_takes_their_user_data() {
    let page = include_str!("../../../docs/src/receiver/install.md");
    let stack = page.split("```hcl\n").nth(1).unwrap().split("```").next().unwrap();
    let source = Source { name: "capture.mirror.hcl".to_owned(), text: stack.to_owned() };
    let packaging = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mirror-vxlan/packaging");
    let read = |path: &str| fs::read_to_string(packaging.join(path));
    let inputs = Inputs::new().read_files_by(&read);
    let (stack, warnings) = StackFile::parse(source).unwrap().stack(&inputs).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(stack.resources.len(), 10);
}
