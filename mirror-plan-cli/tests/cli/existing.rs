//! Stacks that use objects that exist independently of them.

use super::{Folder, assert_shown};

/// What somebody else has made: here with another stack, but it could be with any tool.
const ESTATE: &str = r#"
stack "estate" { region = "eu-west-1" }

variable "copies" { default = 1 }

vpc "production" {
  cidr = "10.0.0.0/16"
  tags = { env = "prod" }
}
subnet "sensors" {
  count = var.copies
  vpc   = vpc.production
  cidr  = cidrsubnet("10.0.0.0/16", 8, count.index)
  tags  = { tier = "sensors", "odd*name" = "50% [x]?" }
}
security_group "web" { vpc = vpc.production }
instance "web" {
  instance_type   = "t3.micro"
  subnet          = subnet.sensors[0]
  security_groups = [security_group.web]
  private_ip      = "10.0.0.10"
  tags            = { env = "prod", mirror = "true" }
}
instance "ids" {
  instance_type   = "t3.micro"
  subnet          = subnet.sensors[0]
  security_groups = [security_group.web]
}
"#;

const SENSORS: &str = r#"
stack "sensors" { region = "eu-west-1" }

existing "vpc" "main" { tags = { env = "prod" } }
existing "subnet" "sensors" {
  tags = { tier = "sensors", "odd*name" = "50% [x]?" }
}
existing "instance" "web" {
  name = "web"
  tags = { mirror = "true" }
}
existing "instance" "ids" { name = "ids" }

target_group "receivers" {
  vpc      = vpc.main
  protocol = "udp"
  port     = 4789
  health_check = { protocol = "tcp", port = 8080 }
  targets  = [instance.ids]
}
mirror_target "ids" { network_interface = instance.ids }
mirror_filter "all" {
  description = "for ${vpc.main.id}"
  rules       = [{ number = 100, action = "accept" }]
}
mirror_session "web" {
  source = instance.web
  target = mirror_target.ids
  filter = mirror_filter.all
  number = 1
}
output "mirrored" { value = "${instance.web.private_ip} in ${vpc.main.cidr}, ${subnet.sensors.id}" }
"#;

fn folder() -> Folder {
    let folder = Folder::empty();
    folder.write("estate.mirror.hcl", ESTATE);
    folder.write("sensors.mirror.hcl", SENSORS);
    folder.done("apply estate.mirror.hcl --auto-approve");
    folder
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, with everything it prints")]
fn what_others_made_is_used_and_left_as_it_is() {
    let folder = folder();
    let before = folder.done("show estate.mirror.hcl");
    assert_shown!(folder.mirror("--local plan sensors.mirror.hcl --write sensors.plan"), @r#"
    exit code: 0
    ----- stdout -----
    Plan for stack sensors in account 123456789012, Region eu-west-1.
    It uses these, and leaves them as they are:
        vpc.main       = vpc-ID
        subnet.sensors = subnet-ID
        instance.ids   = i-ID
        instance.web   = i-ID
    Each resource is marked with what happens to it:
      + create

    mirror will perform the following actions:

      # target_group.receivers will be created
      + target_group "receivers" {
          + id                   = (known after apply)
          + name                 = "sensors-receivers"
          + vpc                  = "vpc-ID"
          + protocol             = "udp"
          + port                 = 4789
          + health_check         = {
              + protocol            = "tcp"
              + port                = 8080
              + interval            = 30
              + healthy_threshold   = 5
              + unhealthy_threshold = 2
            }
          + targets              = [
              + "i-ID",
            ]
          + deregistration_delay = 300
          + stickiness           = false
          + tags                 = {
              + "Name" = "receivers"
            }
          + arn                  = (known after apply)
        }

      # mirror_target.ids will be created
      + mirror_target "ids" {
          + id                = (known after apply)
          + network_interface = "eni-ID"
          + tags              = {
              + "Name" = "ids"
            }
        }

      # mirror_filter.all will be created
      + mirror_filter "all" {
          + id          = (known after apply)
          + description = "for vpc-ID"
          + amazon_dns  = false
          + rules       = [
              + {
                  + number      = 100
                  + action      = "accept"
                  + direction   = "egress"
                  + protocol    = "all"
                  + source      = "0.0.0.0/0"
                  + destination = "0.0.0.0/0"
                },
              + {
                  + number      = 100
                  + action      = "accept"
                  + direction   = "ingress"
                  + protocol    = "all"
                  + source      = "0.0.0.0/0"
                  + destination = "0.0.0.0/0"
                },
            ]
          + tags        = {
              + "Name" = "all"
            }
        }

      # mirror_session.web will be created
      # capture begins
      + mirror_session "web" {
          + id     = (known after apply)
          + source = "eni-ID"
          + target = (known after apply: mirror_target.ids.id)
          + filter = (known after apply: mirror_filter.all.id)
          + number = 1
          + vni    = (known after apply)
          + tags   = {
              + "Name" = "web"
            }
        }

    Plan: 4 to add, 0 to change, 0 to destroy.

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:DIGEST
    Estimated cost: 10.95 USD a month, 10.95 more than now: 1 session, 0 load balancers,
      at list prices of us-east-2, 2026-09-20, without instances and without copied packets (--load).
    ----- stderr -----
    Wrote the snapshot: sensors.plan

    To perform exactly these actions: mirror apply --approved sensors.plan sensors.mirror.hcl --local
    "#);
    assert_shown!(folder.read("sensors.plan"), @r#"
    mirror plan 1
    stack sensors
    account 123456789012
    region eu-west-1
    purpose apply
    scope the whole stack
    create 4
    update 0
    replace 0
    delete 0
    use instance.ids i-ID
    use instance.web i-ID
    use subnet.sensors subnet-ID
    use vpc.main vpc-ID

    create mirror_filter.all
        amazon_dns = false
        description = "for vpc-ID"
        rules[egress 100].action = "accept"
        rules[egress 100].destination = "0.0.0.0/0"
        rules[egress 100].protocol = "all"
        rules[egress 100].source = "0.0.0.0/0"
        rules[ingress 100].action = "accept"
        rules[ingress 100].destination = "0.0.0.0/0"
        rules[ingress 100].protocol = "all"
        rules[ingress 100].source = "0.0.0.0/0"
        tags["Name"] = "all"

    create mirror_session.web
        capture begins
        filter = mirror_filter.all.id
        number = 1
        source = "eni-ID"
        tags["Name"] = "web"
        target = mirror_target.ids.id
        vni = (chosen by AWS)

    create mirror_target.ids
        network_interface = "eni-ID"
        tags["Name"] = "ids"

    create target_group.receivers
        deregistration_delay = 300
        health_check.healthy_threshold = 5
        health_check.interval = 30
        health_check.port = 8080
        health_check.protocol = "tcp"
        health_check.unhealthy_threshold = 2
        name = "sensors-receivers"
        port = 4789
        protocol = "udp"
        stickiness = false
        tags["Name"] = "receivers"
        targets has "i-ID"
        vpc = "vpc-ID"
    "#);
    folder.done("apply sensors.mirror.hcl --approved sensors.plan");
    assert_shown!(folder.mirror("--local plan sensors.mirror.hcl --detailed-exitcode"), @"
    exit code: 0
    ----- stdout -----
    No changes. Your infrastructure matches the configuration.

    Compared: stack sensors, account 123456789012, Region eu-west-1.
    ----- stderr -----
    ");
    assert_shown!(folder.mirror("--local output --stack sensors.mirror.hcl"), @r#"
    exit code: 0
    ----- stdout -----
    mirrored = "10.0.0.10 in 10.0.0.0/16, subnet-ID"
    ----- stderr -----
    "#);
    folder.done("destroy sensors.mirror.hcl --auto-approve");
    assert_eq!(folder.done("show estate.mirror.hcl"), before);
}

#[test]
fn none_and_several_are_refused_before_anything_is_done() {
    let folder = folder();
    folder.done("apply estate.mirror.hcl --auto-approve --var copies=2");
    let sensors = SENSORS.replace(r#"{ tags = { env = "prod" } }"#, r#"{ name = "elsewhere" }"#);
    folder.write("sensors.mirror.hcl", &sensors);
    assert_shown!(folder.mirror("--local plan sensors.mirror.hcl"), @r#"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0408]: no VPC matches `vpc.main`
     --> sensors.mirror.hcl:4:1
      |
    4 | existing "vpc" "main" { name = "elsewhere" }
      | ^^^^^^^^^^^^^^^^^^^^^ declared here
      |
      = note: looked for: name "elsewhere"
      = help: check the account and the Region: objects of this stack do not count

    error[MP0408]: 2 objects match `subnet.sensors`, and it must be exactly one
     --> sensors.mirror.hcl:5:1
      |
    5 | existing "subnet" "sensors" {
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^ declared here
      |
      = note: looked for: tag odd*name = "50% [x]?", tag tier = "sensors"
      = note: found: subnet-ID "sensors-0", subnet-ID "sensors-1"
      = help: set its `id`, or tags that only one of them has
    "#);
    // A destroy does not need the objects that stay.
    assert_shown!(folder.mirror("--local plan sensors.mirror.hcl --destroy"), @"
    exit code: 0
    ----- stdout -----
    No changes. No objects need to be destroyed.

    Compared: stack sensors, account 123456789012, Region eu-west-1.
    ----- stderr -----
    ");
}

#[test]
fn an_inventory_has_what_is_used() {
    let folder = folder();
    folder.done("observe sensors.mirror.hcl --out sensors.json");
    let planned = folder.done("plan sensors.mirror.hcl");
    let offline = folder.mirror("plan sensors.mirror.hcl --inventory sensors.json");
    assert!(offline.contains(&planned), "{offline}");
    assert_shown!(folder.mirror("plan sensors.mirror.hcl --offline"), @r#"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0408]: nothing seen matches `vpc.main`
     --> sensors.mirror.hcl:4:1
      |
    4 | existing "vpc" "main" { tags = { env = "prod" } }
      | ^^^^^^^^^^^^^^^^^^^^^ declared here
      |
      = note: looked for: tag env = "prod"
      = help: plan against the account, or with an inventory of this stack

    error[MP0408]: nothing seen matches `subnet.sensors`
     --> sensors.mirror.hcl:5:1
      |
    5 | existing "subnet" "sensors" {
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^ declared here
      |
      = note: looked for: tag odd*name = "50% [x]?", tag tier = "sensors"
      = help: plan against the account, or with an inventory of this stack

    error[MP0408]: nothing seen matches `instance.ids`
      --> sensors.mirror.hcl:12:1
       |
    12 | existing "instance" "ids" { name = "ids" }
       | ^^^^^^^^^^^^^^^^^^^^^^^^^ declared here
       |
       = note: looked for: name "ids"
       = help: plan against the account, or with an inventory of this stack

    error[MP0408]: nothing seen matches `instance.web`
     --> sensors.mirror.hcl:8:1
      |
    8 | existing "instance" "web" {
      | ^^^^^^^^^^^^^^^^^^^^^^^^^ declared here
      |
      = note: looked for: name "web", tag mirror = "true"
      = help: plan against the account, or with an inventory of this stack
    "#);
}

#[test]
fn policies_name_what_is_used() {
    let folder = folder();
    let policies = folder.done("iam sensors.mirror.hcl --apply");
    assert!(policies.contains(":network-interface/eni-"), "{policies}");
}

#[test]
fn a_saved_plan_is_refused_when_what_it_uses_has_changed_since() {
    let folder = folder();
    let sensors = SENSORS.replace("for ${vpc.main.id}", "names: ${vpc.main.dns_hostnames}");
    folder.write("sensors.mirror.hcl", &sensors);
    folder.done("plan sensors.mirror.hcl --out first.plan");
    // What the plan does not use may change.
    let tagged = ESTATE.replace("{ env = \"prod\" }", "{ env = \"prod\", team = \"net\" }");
    folder.write("estate.mirror.hcl", &tagged);
    folder.done("apply estate.mirror.hcl --auto-approve");
    folder.done("apply first.plan");

    folder.write("sensors.mirror.hcl", &sensors.replace("number = 1\n", "number = 2\n"));
    folder.done("plan sensors.mirror.hcl --out second.plan");
    let changed = tagged
        .replace("\"10.0.0.0/16\"\n", "\"10.0.0.0/16\"\n  dns_hostnames = true\n")
        .replace("\"10.0.0.10\"", "\"10.0.0.11\"");
    folder.write("estate.mirror.hcl", &changed);
    folder.done("apply estate.mirror.hcl --auto-approve");
    let before = folder.done("show sensors.mirror.hcl");
    assert_shown!(folder.mirror("--local apply second.plan"), @"
    exit code: 3
    ----- stdout -----
    ----- stderr -----
    error[MP0501]: mirror_session.web has been deleted since the plan was made
     |
     = help: nothing was done; plan again and review what is new

    error[MP0501]: vpc.main.dns_hostnames has changed since the plan was made
     |
     = help: nothing was done; plan again and review what is new

    error[MP0501]: instance.web has been deleted since the plan was made
     |
     = help: nothing was done; plan again and review what is new
    ");
    assert_eq!(folder.done("show sensors.mirror.hcl"), before);
}
