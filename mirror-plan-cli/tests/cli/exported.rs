//! Moving out to Terraform.

use super::{Folder, assert_shown};

/// Instances of somebody else, and the stack that mirrors them.
const ESTATE: &str = include_str!("../../../examples/sources/estate.mirror.hcl");
const SENSORS: &str = include_str!("../../../examples/sources/sensors.mirror.hcl");

/// What the stack uses of the estate, beside its sources.
const MORE: &str = r#"
variable "script" {
  type      = string
  sensitive = true
}
existing "mirror_filter" "theirs" { name = "all" }
mirror_filter "mine" {
  description = "like ${mirror_filter.theirs.id}"
  rules       = [{ number = 100, action = "accept" }]
}
output "script" { value = var.script }
"#;

#[test]
fn a_stack_becomes_a_configuration_and_import_blocks() {
    let folder = Folder::empty();
    folder.write("estate.mirror.hcl", ESTATE);
    folder.write("sensors.mirror.hcl", SENSORS);
    folder.done("apply estate.mirror.hcl --auto-approve");
    folder.done("apply sensors.mirror.hcl --auto-approve");
    let export = "--local export terraform sensors.mirror.hcl";
    assert_shown!(folder.mirror(export), @"");
    let printed = folder.done("export terraform sensors.mirror.hcl");
    assert_shown!(folder.mirror(&format!("{export} --out out/tf")), @"");
    let written = [folder.read("out/tf/main.tf"), folder.read("out/tf/imports.tf")];
    assert_eq!(written.join("\n"), printed);
    assert_shown!(folder.mirror(&format!("{export} --out out/tf")), @"");
}

#[test]
fn what_terraform_does_not_know_is_told_and_a_secret_is_not() {
    let folder = Folder::empty();
    folder.write("estate.mirror.hcl", ESTATE);
    folder.write("sensors.mirror.hcl", SENSORS);
    folder.done("apply estate.mirror.hcl --auto-approve");
    folder.done("apply sensors.mirror.hcl --auto-approve");
    folder
        .write("more.mirror.hcl", &format!("stack \"more\" {{ region = \"eu-west-1\" }}\n{MORE}"));
    let shown = folder.mirror("--local export terraform more.mirror.hcl --var script=canary");
    assert!(!shown.contains("canary"), "{shown}");
    assert_shown!(shown, @"");
    // Nobody asks AWS, so there is nothing to import; what is used cannot be found without it.
    let offline = folder.mirror("export terraform more.mirror.hcl --offline --var script=canary");
    assert_shown!(offline, @"");
}
