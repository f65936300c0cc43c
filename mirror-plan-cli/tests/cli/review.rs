//! Plans that are reviewed as text: written, compared, approved, and refused when they have changed.

use std::process::Command;

use super::{Folder, SMALL, assert_shown, shown};

#[test]
#[expect(clippy::too_many_lines, reason = "one story, with everything it prints")]
fn a_snapshot_is_written_checked_accepted_and_applied() {
    let folder = Folder::with(SMALL);
    assert_shown!(folder.mirror("--local plan --write small.plan --detailed-exitcode"), @r#"
    exit code: 2
    ----- stdout -----
    Plan for stack small in account 123456789012, Region eu-west-1.
    Each resource is marked with what happens to it:
      + create

    mirror will perform the following actions:

      # vpc.lab will be created
      + vpc "lab" {
          + id            = (known after apply)
          + cidr          = "10.0.0.0/16"
          + dns_support   = true
          + dns_hostnames = false
          + tags          = {
              + "Name" = "lab"
            }
        }

      # mirror_filter.web will be created
      + mirror_filter "web" {
          + id         = (known after apply)
          + amazon_dns = false
          + rules      = [
              + {
                  + number           = 100
                  + action           = "accept"
                  + direction        = "ingress"
                  + protocol         = "tcp"
                  + source           = "0.0.0.0/0"
                  + destination      = "0.0.0.0/0"
                  + destination_port = 443
                },
            ]
          + tags       = {
              + "Name" = "web"
            }
        }

    Plan: 2 to add, 0 to change, 0 to destroy.

    Changes to Outputs:
      + vpc = (known after apply: vpc.lab.id)

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:DIGEST
    ----- stderr -----
    Wrote the snapshot: small.plan

    To perform exactly these actions: mirror apply --approved small.plan --local
    "#);
    assert_shown!(folder.read("small.plan"), @r#"
    mirror plan 1
    stack small
    account 123456789012
    region eu-west-1
    purpose apply
    scope the whole stack
    create 2
    update 0
    replace 0
    delete 0

    create mirror_filter.web
        amazon_dns = false
        rules[ingress 100].action = "accept"
        rules[ingress 100].destination = "0.0.0.0/0"
        rules[ingress 100].destination_port = 443
        rules[ingress 100].protocol = "tcp"
        rules[ingress 100].source = "0.0.0.0/0"
        tags["Name"] = "web"

    create vpc.lab
        cidr = "10.0.0.0/16"
        dns_hostnames = false
        dns_support = true
        tags["Name"] = "lab"

    output vpc = vpc.lab.id
    "#);
    assert_shown!(folder.mirror("--local plan --check small.plan"), @"
    exit code: 0
    ----- stdout -----
    ----- stderr -----
    The plan is as reviewed: small.plan
    ");

    folder.edit("port = 443", "port = 8443");
    assert_shown!(folder.mirror("--local plan --check small.plan --var cidr=10.0.0.0/16"), @r#"
    exit code: 2
    ----- stdout -----
    --- reviewed
    +++ now
    @@ -13,7 +13,7 @@
         amazon_dns = false
         rules[ingress 100].action = "accept"
         rules[ingress 100].destination = "0.0.0.0/0"
    -    rules[ingress 100].destination_port = 443
    +    rules[ingress 100].destination_port = 8443
         rules[ingress 100].protocol = "tcp"
         rules[ingress 100].source = "0.0.0.0/0"
         tags["Name"] = "web"
    ----- stderr -----

    The plan is not what was reviewed. To accept the current plan:

      mirror plan --var cidr=10.0.0.0/16 --write small.plan --local
    "#);
    folder.done("plan --write small.plan");
    assert_shown!(folder.mirror("--local apply --approved small.plan --parallelism 1"), @r#"
    exit code: 0
    ----- stdout -----
    Plan for stack small in account 123456789012, Region eu-west-1.
    Each resource is marked with what happens to it:
      + create

    mirror will perform the following actions:

      # vpc.lab will be created
      + vpc "lab" {
          + id            = (known after apply)
          + cidr          = "10.0.0.0/16"
          + dns_support   = true
          + dns_hostnames = false
          + tags          = {
              + "Name" = "lab"
            }
        }

      # mirror_filter.web will be created
      + mirror_filter "web" {
          + id         = (known after apply)
          + amazon_dns = false
          + rules      = [
              + {
                  + number           = 100
                  + action           = "accept"
                  + direction        = "ingress"
                  + protocol         = "tcp"
                  + source           = "0.0.0.0/0"
                  + destination      = "0.0.0.0/0"
                  + destination_port = 8443
                },
            ]
          + tags       = {
              + "Name" = "web"
            }
        }

    Plan: 2 to add, 0 to change, 0 to destroy.

    Changes to Outputs:
      + vpc = (known after apply: vpc.lab.id)

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:DIGEST

    Apply complete! Resources: 2 added, 0 changed, 0 destroyed.

    Outputs:

    vpc = "vpc-ID"
    ----- stderr -----
    vpc.lab: Creating...
    vpc.lab: Creation complete after Ns [id=vpc-ID]
    mirror_filter.web: Creating...
    mirror_filter.web: Creation complete after Ns [id=tmf-ID]
    "#);

    // What was approved has been done, so the plan is not the approved one any more.
    assert_shown!(folder.mirror("--local apply --approved small.plan"), @r#"
    exit code: 3
    ----- stdout -----
    --- reviewed
    +++ now
    @@ -4,24 +4,7 @@
     region eu-west-1
     purpose apply
     scope the whole stack
    -create 2
    +create 0
     update 0
     replace 0
     delete 0
    -
    -create mirror_filter.web
    -    amazon_dns = false
    -    rules[ingress 100].action = "accept"
    -    rules[ingress 100].destination = "0.0.0.0/0"
    -    rules[ingress 100].destination_port = 8443
    -    rules[ingress 100].protocol = "tcp"
    -    rules[ingress 100].source = "0.0.0.0/0"
    -    tags["Name"] = "web"
    -
    -create vpc.lab
    -    cidr = "10.0.0.0/16"
    -    dns_hostnames = false
    -    dns_support = true
    -    tags["Name"] = "lab"
    -
    -output vpc = vpc.lab.id
    ----- stderr -----
    error[MP0505]: the plan is not what `small.plan` says
     |
     = help: nothing was done; plan again and review what is new
    "#);
}

#[test]
fn a_change_that_nobody_reviewed_is_refused() {
    let folder = Folder::with(SMALL);
    folder.done("plan --write small.plan");
    folder.edit("port = 443", "port = 22");
    assert_shown!(folder.mirror("--local apply --approved small.plan"), @r#"
    exit code: 3
    ----- stdout -----
    --- reviewed
    +++ now
    @@ -13,7 +13,7 @@
         amazon_dns = false
         rules[ingress 100].action = "accept"
         rules[ingress 100].destination = "0.0.0.0/0"
    -    rules[ingress 100].destination_port = 443
    +    rules[ingress 100].destination_port = 22
         rules[ingress 100].protocol = "tcp"
         rules[ingress 100].source = "0.0.0.0/0"
         tags["Name"] = "web"
    ----- stderr -----
    error[MP0505]: the plan is not what `small.plan` says
     |
     = help: nothing was done; plan again and review what is new
    "#);
    assert_shown!(folder.mirror("--local apply --approved small.plan --json"), @r#"
    exit code: 3
    ----- stdout -----
    {"@level":"info","@message":"mirror 0.1.0","@module":"mirror.ui","@timestamp":"TIME","mirror":"0.1.0","type":"version","ui":"1.3"}
    {"@level":"error","@message":"Error: the plan is not what `small.plan` says","@module":"mirror.ui","@timestamp":"TIME","diagnostic":{"detail":"nothing was done; plan again and review what is new","mirror_code":"MP0505","severity":"error","summary":"the plan is not what `small.plan` says"},"type":"diagnostic"}
    ----- stderr -----
    "#);
    assert!(folder.done("show").contains("Nothing in account"), "nothing was done");
}

#[test]
fn what_is_no_snapshot_is_not_compared() {
    let folder = Folder::with(SMALL);
    folder.write("a.plan", "mirror plan 7\nstack small\n");
    assert_shown!(folder.mirror("--local plan --check a.plan"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0601]: `a.plan` is a snapshot in version 7 of the format
     |
     = note: this mirror reads and writes version 1
     = help: use the mirror that wrote it, or write it again
    ");
    folder.write("a.plan", "{}");
    assert_shown!(folder.mirror("--local apply --approved a.plan"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0601]: `a.plan` is not a snapshot of a plan
     |
     = help: write one with `mirror plan --write FILE`
    ");
    assert_shown!(folder.mirror("--local plan --check b.plan"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0601]: `b.plan` cannot be read
     |
     = note: No such file or directory (os error 2)
    ");
}

#[test]
fn line_ends_of_windows_are_the_same_text() {
    let folder = Folder::with(SMALL);
    folder.done("plan --write small.plan");
    folder.write("small.plan", &folder.read("small.plan").replace('\n', "\r\n"));
    folder.done("plan --check small.plan");
}

#[test]
fn a_digest_approves_one_plan() {
    let folder = Folder::with(SMALL);
    let planned = folder.done("plan");
    let digest = planned.split("Plan digest: ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let other = format!("sha256:{}", "0".repeat(64));
    assert_shown!(folder.mirror(&format!("--local apply --expect {other}")), @"
    exit code: 3
    ----- stdout -----
    ----- stderr -----
    error[MP0505]: the digest of the plan is not the expected one
     |
     = note: it has sha256:DIGEST
     = help: nothing was done; plan again and review what is new
    ");
    assert_shown!(folder.mirror("--local apply --expect sha256:12"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error: invalid value 'sha256:12' for '--expect <DIGEST>': a digest is `sha256:` and 64 hexadecimal digits, as `mirror plan` prints it

    For more information, try '--help'.
    ");
    folder.done(&format!("apply --expect {digest}"));
    assert!(folder.done("plan").starts_with("No changes."));
}

#[test]
fn a_plan_is_made_without_aws() {
    let folder = Folder::with(SMALL);
    // Neither a local AWS nor credentials: a call would fail.
    assert_shown!(folder.mirror("plan --offline --write small.plan"), @r#"
    exit code: 0
    ----- stdout -----
    Plan for stack small in account 000000000000, Region eu-west-1.
    Each resource is marked with what happens to it:
      + create

    mirror will perform the following actions:

      # vpc.lab will be created
      + vpc "lab" {
          + id            = (known after apply)
          + cidr          = "10.0.0.0/16"
          + dns_support   = true
          + dns_hostnames = false
          + tags          = {
              + "Name" = "lab"
            }
        }

      # mirror_filter.web will be created
      + mirror_filter "web" {
          + id         = (known after apply)
          + amazon_dns = false
          + rules      = [
              + {
                  + number           = 100
                  + action           = "accept"
                  + direction        = "ingress"
                  + protocol         = "tcp"
                  + source           = "0.0.0.0/0"
                  + destination      = "0.0.0.0/0"
                  + destination_port = 443
                },
            ]
          + tags       = {
              + "Name" = "web"
            }
        }

    Plan: 2 to add, 0 to change, 0 to destroy.

    Changes to Outputs:
      + vpc = (known after apply: vpc.lab.id)

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:DIGEST
    ----- stderr -----
    Wrote the snapshot: small.plan

    To perform exactly these actions: mirror apply --approved small.plan
    "#);
    folder.done("apply --auto-approve");
    folder.done("observe --out small.inventory.json");
    folder.done("observe --out again.json");
    assert_eq!(folder.read("small.inventory.json"), folder.read("again.json"));
    assert_shown!(folder.mirror("plan --inventory small.inventory.json"), @"
    exit code: 0
    ----- stdout -----
    No changes. Your infrastructure matches the configuration.

    Compared: stack small, account 123456789012, Region eu-west-1.
    ----- stderr -----
    ");
    folder.edit("port = 443", "port = 8443");
    let without = folder.done("plan --write a.plan");
    folder.command("plan --inventory small.inventory.json --write b.plan").output().unwrap();
    assert!(without.contains("1 to change"));
    assert_eq!(folder.read("a.plan"), folder.read("b.plan"), "the same plan, with AWS or without");
}

#[test]
fn an_inventory_that_was_broken_is_refused() {
    let folder = Folder::with(SMALL);
    folder.done("apply --auto-approve");
    folder.done("observe --out i.json");
    folder.write("i.json", &folder.read("i.json").replace("tmfr-", "tmf-").replace("vpc-", "igw-"));
    let shown = folder.mirror("plan --inventory i.json");
    assert!(shown.starts_with("exit code: 1"), "{shown}");
    assert!(shown.contains("is not a valid VPC id"), "{shown}");
    folder.write("i.json", "{}");
    assert_shown!(folder.mirror("plan --inventory i.json"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0601]: this is not an inventory
     |
     = note: missing field `account` at line 1 column 2
     = note: in `i.json`
     = help: write one with `mirror observe --out FILE`
    ");
}

/// The printed command, when pasted, does what was planned, with the same variables and on the same AWS.
#[test]
fn the_command_that_is_told_does_what_was_planned() {
    let folder = Folder::with(SMALL);
    let variable = "--var cidr=10.1.0.0/16";
    for (plan, told) in [
        (
            format!("plan {variable} --target vpc.lab --write vpc.plan"),
            format!("apply {variable} --target vpc.lab --approved vpc.plan --local"),
        ),
        (
            format!("plan {variable} --replace vpc.lab --out saved.plan ."),
            "apply saved.plan --local".to_owned(),
        ),
        (
            format!("plan {variable} --destroy --write gone.plan ."),
            format!("destroy {variable} --approved gone.plan . --local"),
        ),
    ] {
        let shown = folder.mirror(&format!("--local {plan}"));
        let (_, command) =
            shown.rsplit_once("To perform exactly these actions: mirror ").expect(&shown);
        assert_eq!(command.trim(), told);
        let ended = folder.mirror(command.trim());
        assert!(ended.starts_with("exit code: 0"), "{ended}");
    }
    assert_shown!(folder.mirror("--local show"), @"
    exit code: 0
    ----- stdout -----
    Nothing in account 123456789012, Region eu-west-1.
    ----- stderr -----
    ");
}

/// No saved plan contains user data: it is read again from the same stack file, with the same variables.
#[test]
fn a_plan_with_user_data_is_applied_with_its_stack_file() {
    let folder = Folder::empty();
    std::fs::create_dir(folder.path().join("stacks")).expect("the folder can be written");
    folder.write(
        "stacks/web.mirror.hcl",
        r#"
        stack "web" { region = "eu-west-1" }
        variable "word" { type = string }
        vpc "lab" { cidr = "10.0.0.0/16" }
        subnet "lab" {
          vpc  = vpc.lab
          cidr = "10.0.1.0/24"
        }
        instance "web" {
          instance_type = "t3.micro"
          subnet        = subnet.lab
          user_data     = "echo ${var.word}"
        }
        "#,
    );
    let shown = folder.mirror("--local plan stacks --var word=hello --out web.plan");
    let (_, command) =
        shown.rsplit_once("To perform exactly these actions: mirror ").expect(&shown);
    assert_eq!(command.trim(), "apply web.plan --var word=hello --stack stacks --local");
    let ended = folder.mirror(command.trim());
    assert!(ended.starts_with("exit code: 0"), "{ended}");
}

/// The folder has two stack files, and a variable is set to another value than its default.
#[test]
fn the_plan_from_an_inventory_that_is_told_is_of_what_was_observed() {
    let folder = Folder::with(SMALL);
    folder.write("other.mirror.hcl", "stack \"other\" { region = \"eu-west-1\" }");
    let what = "--var cidr=10.1.0.0/16 small.mirror.hcl";
    let shown = folder.mirror(&format!("--local observe {what} --out it.json"));
    let (_, command) = shown.rsplit_once("without AWS: mirror ").expect(&shown);
    let (variable, stack) = what.rsplit_once(' ').unwrap();
    assert_eq!(command.trim(), format!("plan {variable} --inventory it.json {stack}"));
    let shown = folder.mirror(command.trim());
    assert!(shown.starts_with("exit code: 0") && shown.contains("10.1.0.0/16"), "{shown}");
}

/// Also where names contain blanks.
#[test]
fn a_command_that_is_told_can_be_pasted_into_a_shell() {
    let folder = Folder::with(SMALL);
    let mut plan = folder.command("plan --write");
    let planned = plan.args(["the vpc.plan", "--local=my cloud"]).output().expect("mirror runs");
    let planned = shown(&planned);
    let (_, command) = planned.rsplit_once("these actions: mirror ").expect(&planned);
    assert_eq!(command.trim(), "apply --approved 'the vpc.plan' '--local=my cloud'");
    let mut shell = Command::new("sh");
    let pasted = format!("\"$0\" {command}");
    shell.args(["-c", &pasted, env!("CARGO_BIN_EXE_mirror")]).current_dir(folder.path());
    let applied = shown(&shell.output().expect("there is a shell"));
    assert!(applied.starts_with("exit code: 0") && applied.contains("2 added"), "{applied}");
}
