//! `aws` blocks, and what may belong to the accounts that they lead to.

use insta::assert_snapshot;

use super::{Inputs, StackFile, check, source};

/// A stack that peers with a VPC of another account; `more` is the rest of it.
fn peering(more: &str) -> String {
    format!(
        r#"
stack "sources" {{ region = "eu-west-1" }}
vpc "sources" {{ cidr = "10.0.0.0/16" }}
{more}
"#
    )
}

const SENSORS: &str = r#"
aws "sensors" { role = "arn:aws:iam::444455556666:role/mirror-accepter" }
existing "vpc" "sensors" {
  id  = "vpc-0a1b2c3d4e5f67890"
  aws = aws.sensors
}
"#;

/// The resources as a stack file declares them.
fn declared(text: &str) -> String {
    let (stack, _) = StackFile::parse(source(text)).unwrap().stack(&Inputs::new()).unwrap();
    let resources = stack
        .resources
        .iter()
        .map(|(address, declared)| format!("{address} {}\n", declared.resource.to_value()));
    let existing =
        stack.existing.iter().map(|(address, it)| format!("{address}: {}\n", it.selector));
    existing.chain(resources).collect()
}

#[test]
fn a_peering_says_whose_its_accepter_is_and_who_accepts() {
    let text = peering(
        &[SENSORS, "vpc_peering \"out\" {\n  requester = vpc.sources\n  accepter = vpc.sensors\n}"]
            .concat(),
    );
    assert_snapshot!(declared(&text), @r#"
    vpc.sensors: id vpc-0a1b2c3d4e5f67890, in the account of aws.sensors
    vpc.sources { cidr = "10.0.0.0/16", dns_hostnames = false, dns_support = true, tags = { Name = "sources" } }
    vpc_peering.out { accept_as = "aws.sensors", accepter = (known after apply: vpc.sensors.id), accepter_owner = "444455556666", auto_accept = true, requester = (known after apply: vpc.sources.id), tags = { Name = "out" } }
    "#);
    let by_hand = text.replace("accepter =", "auto_accept = false\n  accepter =");
    assert_snapshot!(declared(&by_hand).lines().last().unwrap(), @r#"vpc_peering.out { accept_as = null, accepter = (known after apply: vpc.sensors.id), accepter_owner = "444455556666", auto_accept = false, requester = (known after apply: vpc.sources.id), tags = { Name = "out" } }"#);
    // It may be that only AWS knows which account a profile is for.
    let profile = text.replace(
        "role = \"arn:aws:iam::444455556666:role/mirror-accepter\"",
        "profile = \"sensors\"",
    );
    assert_snapshot!(declared(&profile).lines().last().unwrap(), @r#"vpc_peering.out { accept_as = "aws.sensors", accepter = (known after apply: vpc.sensors.id), accepter_owner = null, auto_accept = true, requester = (known after apply: vpc.sources.id), tags = { Name = "out" } }"#);
    let by_id = "aws \"sensors\" {\n  profile = \"sensors\"\n  account = \"444455556666\"\n}\nvpc_peering \"out\" {\n  requester = vpc.sources\n  accepter = \"vpc-0a1b2c3d4e5f67890\"\n  accept_as = aws.sensors\n}";
    assert_snapshot!(declared(&peering(by_id)).lines().last().unwrap(), @r#"vpc_peering.out { accept_as = "aws.sensors", accepter = "vpc-0a1b2c3d4e5f67890", accepter_owner = "444455556666", auto_accept = true, requester = (known after apply: vpc.sources.id), tags = { Name = "out" } }"#);
}

#[test]
fn an_account_is_reached_in_one_way() {
    assert_snapshot!(check(
        r#"
stack "sources" {}
aws "neither" {}
aws "both" {
  profile = "sensors"
  role    = "arn:aws:iam::444455556666:role/mirror"
}
aws "id_of_a_profile" {
  profile     = "sensors"
  external_id = "x"
}
aws "account_of_a_role" {
  role    = "arn:aws-cn:iam::444455556666:role/mirror"
  account = "444455556666"
}
aws "user" { role = "arn:aws:iam::444455556666:user/mirror" }
aws "few" {
  profile = "sensors"
  account = "4444"
}
aws "right" {
  role        = "arn:aws-us-gov:iam::444455556666:role/network/mirror"
  external_id = "x"
}
aws "right" { profile = "twice" }
aws { profile = "nameless" }
"#
    ), @r#"
    error[MP0302]: the block does not say how to reach the account
     --> test.mirror.hcl:3:1
      |
    3 | aws "neither" {}
      | ^^^^^^^^^^^^^
      |
      = help: give `profile`, or `role = "arn:aws:iam::444455556666:role/NAME"`

    error[MP0302]: an account is reached by a profile or by a role, not by both
     --> test.mirror.hcl:6:13
      |
    5 |   profile = "sensors"
      |             ---------
    6 |   role    = "arn:aws:iam::444455556666:role/mirror"
      |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error[MP0304]: `external_id` is for a role, but this account is reached by a profile
      --> test.mirror.hcl:10:17
       |
    10 |   external_id = "x"
       |                 ^^^
       |
       = help: leave it out: the profile's own `external_id` is in the AWS configuration file

    error[MP0304]: `account` is for a profile, but this account is reached by a role
      --> test.mirror.hcl:14:13
       |
    14 |   account = "444455556666"
       |             ^^^^^^^^^^^^^^
       |
       = help: leave it out: the ARN of the role names account 444455556666

    error[MP0007]: `arn:aws:iam::444455556666:user/mirror` is not the ARN of a role, such as arn:aws:iam::444455556666:role/mirror
      --> test.mirror.hcl:16:21
       |
    16 | aws "user" { role = "arn:aws:iam::444455556666:user/mirror" }
       |                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error[MP0007]: `4444` is not an account: twelve digits
      --> test.mirror.hcl:19:13
       |
    19 |   account = "4444"
       |             ^^^^^^

    error[MP0008]: `aws.right` is declared twice
      --> test.mirror.hcl:25:1
       |
    21 | aws "right" {
       | ----------- first declared here
    ...
    25 | aws "right" { profile = "twice" }
       | ^^^^^^^^^^^ declared again here

    error[MP0003]: `aws` needs a name
      --> test.mirror.hcl:26:1
       |
    26 | aws { profile = "nameless" }
       | ^^^
       |
       = help: write `aws "NAME" {`
    "#);
}

#[test]
fn a_name_that_leads_to_no_account_is_found_with_the_one_that_is_meant() {
    let text = [
        SENSORS,
        r#"
existing "vpc" "near" {
  name = "near"
  aws  = aws.sensor
}
existing "vpc" "quoted" {
  name = "quoted"
  aws  = "sensors"
}
existing "vpc" "quoted_whole" {
  name = "quoted"
  aws  = "aws.sensrs"
}
existing "subnet" "inside" {
  name = "inside"
  aws  = aws.sensors
}
output "account" { value = aws }
"#,
    ]
    .concat();
    assert_snapshot!(check(&peering(&text)), @r#"
    error[MP0101]: there is no `aws` block `sensor`
      --> test.mirror.hcl:13:14
       |
    13 |   aws  = aws.sensor
       |              ^^^^^^
       |
    help: did you mean `sensors`?
       |
    13 |   aws  = aws.sensors
       |                    +

    error[MP0007]: `sensors` is not an `aws` block: write `aws.NAME`, without quotes
      --> test.mirror.hcl:17:10
       |
    17 |   aws  = "sensors"
       |          ^^^^^^^^^

    error[MP0007]: only a VPC can be looked up in another account
      --> test.mirror.hcl:25:10
       |
    25 |   aws  = aws.sensors
       |          ^^^^^^^^^^^

    error[MP0101]: `aws` alone is not a value
      --> test.mirror.hcl:27:28
       |
    27 | output "account" { value = aws }
       |                            ^^^
       |
       = help: write `aws.NAME`
    "#);
}

#[test]
fn a_text_that_names_no_account_is_found_when_all_else_is_right() {
    let text = [SENSORS, "vpc_peering \"out\" {\n  requester = vpc.sources\n  accepter = vpc.sensors\n  accept_as = \"aws.sensor\"\n}\nexisting \"vpc\" \"far\" {\n  name = \"far\"\n  aws = \"aws.far\"\n}"]
        .concat();
    assert_snapshot!(check(&peering(&text)), @r#"
    error[MP0301]: the stack declares no `aws.sensor`
      --> test.mirror.hcl:13:15
       |
    13 |   accept_as = "aws.sensor"
       |               ^^^^^^^^^^^^
       |
       = help: did you mean `aws.sensors`?

    error[MP0301]: the stack declares no `aws.far`
      --> test.mirror.hcl:17:9
       |
    17 |   aws = "aws.far"
       |         ^^^^^^^^^
       |
       = help: declare it: `aws "far" { profile = "..." }`
    "#);
}

#[test]
fn what_is_of_another_account_is_an_accepter_and_nothing_else() {
    let text = [
        SENSORS,
        r#"
vpc_peering "in" {
  requester = vpc.sensors
  accepter  = vpc.sources
}
subnet "there" {
  vpc  = vpc.sensors
  cidr = "10.9.1.0/24"
}
sources "there" {
  vpc    = vpc.sensors
  expect = "1.."
}
mirror_filter "all" { description = "into ${vpc.sensors.id}, ${vpc.sensors.cidr}" }
"#,
    ]
    .concat();
    assert_snapshot!(check(&peering(&text)), @"
    error[MP0415]: the requester of `vpc_peering.in` is `vpc.sensors`, which belongs to another account (aws.sensors)
      --> test.mirror.hcl:12:15
       |
    12 |   requester = vpc.sensors
       |               ^^^^^^^^^^^
       |
       = note: the requester owns the connection, and a stack creates objects only in its own account
       = help: make the stack's own VPC the requester: swap `requester` and `accepter`
       = help: or declare the connection in a stack of that account

    error[MP0415]: `subnet.there` would be in `vpc.sensors`, which belongs to another account (aws.sensors)
      --> test.mirror.hcl:16:10
       |
    16 |   vpc  = vpc.sensors
       |          ^^^^^^^^^^^
       |
       = note: a VPC of another account can only be the `accepter` of a `vpc_peering`
       = help: declare what belongs in it in a stack of that account

    error[MP0415]: `sources.there` looks up interfaces in `vpc.sensors`, which belongs to another account (aws.sensors)
      --> test.mirror.hcl:20:12
       |
    20 |   vpc    = vpc.sensors
       |            ^^^^^^^^^^^
       |
       = help: a stack can mirror only interfaces of its own account
    ");
}

#[test]
fn who_accepts_is_one_who_can() {
    let peer = |name: &str, more: &str| {
        format!("vpc_peering \"{name}\" {{\n  requester = vpc.sources\n{more}\n}}\n")
    };
    let text = [
        SENSORS,
        "aws \"others\" {\n  profile = \"others\"\n  account = \"222233334444\"\n}\n",
        "vpc \"own\" { cidr = \"10.1.0.0/16\" }\n",
        &peer(
            "nobody",
            "  accepter = \"vpc-0a1b2c3d4e5f67890\"\n  accepter_owner = \"444455556666\"",
        ),
        &peer("own", "  accepter = vpc.own\n  accept_as = aws.sensors"),
        &peer("another", "  accepter = vpc.sensors\n  accepter_owner = \"222233334444\""),
        &peer("nowhere", "  accepter = vpc.sensors\n  accept_as = \"aws.sensor\""),
        &peer(
            "not_at_all",
            "  accepter = vpc.sensors\n  auto_accept = false\n  accept_as = aws.sensors",
        ),
    ]
    .concat();
    assert_snapshot!(check(&peering(&text)), @r#"
    error[MP0415]: `vpc_peering.nobody` is to be accepted, but only account 444455556666 can accept it
      --> test.mirror.hcl:18:20
       |
    18 |   accepter_owner = "444455556666"
       |                    ^^^^^^^^^^^^^^
       |
       = help: accept it with credentials of that account: `accept_as = aws.NAME`
       = help: or leave it to that account, which has seven days: `auto_accept = false`

    error[MP0415]: `vpc_peering.own` is accepted as `aws.sensors`, but its accepter belongs to the stack's own account
      --> test.mirror.hcl:23:15
       |
    23 |   accept_as = aws.sensors
       |               ^^^^^^^^^^^
       |
       = help: leave `accept_as` out, or set `aws` in the `existing` block of the VPC

    error[MP0304]: the accepter of `vpc_peering.another` belongs to account 222233334444, but `aws.sensors` is account 444455556666
      --> test.mirror.hcl:28:20
       |
     5 | aws "sensors" { role = "arn:aws:iam::444455556666:role/mirror-accepter" }
       | ------------- declared here
    ...
    28 |   accepter_owner = "222233334444"
       |                    ^^^^^^^^^^^^^^
       |
       = help: leave `accepter_owner` out: it is already known from `aws.sensors`

    error[MP0007]: `accept_as` says who accepts, but with `auto_accept = false` this stack does not
      --> test.mirror.hcl:39:15
       |
    39 |   accept_as = aws.sensors
       |               ^^^^^^^^^^^
    "#);
}
