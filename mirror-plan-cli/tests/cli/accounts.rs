//! Stacks that reach other accounts, by an assumed role and by a profile, over the wire and in a local AWS.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use super::{Folder, assert_shown, shown};

const SENSORS: &str = r#"
stack "sensors" { region = "eu-west-1" }
vpc "sensors" { cidr = "10.2.0.0/16" }
"#;

pub(super) const SOURCES: &str = r#"
stack "sources" { region = "eu-west-1" }
aws "sensors" { role = "arn:aws:iam::444455556666:role/mirror-accepter" }
existing "vpc" "sensors" {
  name = "sensors"
  aws  = aws.sensors
}
vpc "sources" { cidr = "10.1.0.0/16" }
vpc_peering "sensors" {
  requester = vpc.sources
  accepter  = vpc.sensors
}
"#;

/// The same stack, but with a profile.
fn by_profile() -> String {
    SOURCES.replace(
        "role = \"arn:aws:iam::444455556666:role/mirror-accepter\"",
        "profile = \"sensors\"",
    )
}

/// The block with the profile, and the same block with the account that it is for.
const PROFILE: &str = "{ profile = \"sensors\" }";
const OF_ACCOUNT: &str = "{\n  profile = \"sensors\"\n  account = \"444455556666\"\n}";

/// What a user has in `~/.aws/config`.
const CONFIG: &str =
    "[profile sensors]\naws_access_key_id = 444455556666\naws_secret_access_key = local\n";

/// A local AWS that is served until this is dropped.
struct Served {
    server: Child,
    url: String,
    folder: Folder,
}

impl Served {
    /// Serves a local AWS in which the other account already has its VPC.
    fn new(stack: &str) -> Self {
        let folder = Folder::with(stack);
        let mut server = folder.command("local serve --port 0");
        let mut server =
            server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let mut url = String::new();
        let stdout = server.stdout.take().expect("it is a pipe");
        BufReader::new(stdout).read_line(&mut url).expect("it says where it is");
        let served = Self { server, url: url.trim().to_owned(), folder };
        std::fs::create_dir(served.folder.path().join("theirs"))
            .expect("the folder can be written");
        served.folder.write("theirs/sensors.mirror.hcl", SENSORS);
        let made = served.mirror("444455556666", "apply theirs --auto-approve");
        assert!(made.starts_with("exit code: 0"), "{made}");
        served
    }

    /// Runs a command with the credentials of an account in the environment.
    fn mirror(&self, account: &str, arguments: &str) -> String {
        let mut command = self.folder.command(arguments);
        command.env("AWS_ENDPOINT_URL", &self.url).env("AWS_REGION", "eu-west-1");
        command.env("AWS_ACCESS_KEY_ID", account).env("AWS_SECRET_ACCESS_KEY", "any");
        command.env("AWS_CONFIG_FILE", self.folder.path().join("config"));
        shown(&command.output().expect("mirror runs"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.kill().expect("it was started");
        self.server.wait().expect("it was started");
    }
}

#[test]
fn a_role_is_assumed_and_accepts() {
    let served = Served::new(SOURCES);
    let applied = served.mirror("any", "apply small.mirror.hcl --auto-approve");
    assert!(applied.contains("Resources: 2 added"), "{applied}");
    assert!(applied.contains("aws.sensors = 444455556666, with the role"), "{applied}");
    let planned = served.mirror("any", "plan small.mirror.hcl --detailed-exitcode");
    assert!(planned.starts_with("exit code: 0"), "{planned}");
    let log = served.folder.done("local log");
    let account = |action: &str| {
        let line =
            log.lines().find(|line| line.contains(action)).unwrap_or_else(|| panic!("{log}"));
        line.contains("444455556666")
    };
    assert!(account("AcceptVpcPeeringConnection") && !account("AssumeRole"), "{log}");
}

/// The environment has the credentials of the stack's own account, and the profile those of the other account.
#[test]
fn a_profile_is_of_its_own_account_whatever_the_environment_holds() {
    let served = Served::new(&by_profile());
    served.folder.write("config", CONFIG);
    served.folder.edit(PROFILE, OF_ACCOUNT);
    let saved = served.mirror("any", "plan small.mirror.hcl --out saved.plan");
    assert!(saved.starts_with("exit code: 0"), "{saved}");
    // A saved plan names the profile, and needs no stack file.
    let applied = served.mirror("any", "apply saved.plan");
    assert!(applied.contains("Resources: 2 added"), "{applied}");
    let others = served.folder.read("small.mirror.hcl").replace("444455556666", "222233334444");
    served.folder.write("small.mirror.hcl", &others);
    assert_shown!(served.mirror("any", "plan small.mirror.hcl"), @r#"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0404]: `aws.sensors` is for account 222233334444, but the profile "sensors" belongs to account 444455556666
     --> small.mirror.hcl:5:13
      |
    5 |   account = "222233334444"
      |             ^^^^^^^^^^^^^^
      |
      = help: use credentials for 222233334444, or change the `aws` block
    "#);
}

/// Calls that a profile itself needs are made in the same way as all others.
#[test]
fn a_profile_may_assume_a_role() {
    let served = Served::new(&by_profile());
    let config = "[profile me]\naws_access_key_id = any\naws_secret_access_key = local\n\
                  [profile sensors]\nsource_profile = me\n\
                  role_arn = arn:aws:iam::444455556666:role/mirror-accepter\n";
    served.folder.write("config", config);
    let applied = served.mirror("any", "apply small.mirror.hcl --auto-approve");
    assert!(applied.contains("Resources: 2 added"), "{applied}");
    assert!(served.folder.done("local log").contains("AssumeRole"));
}

#[test]
fn a_profile_that_is_not_there_is_named_and_a_destroy_does_not_need_it() {
    let served = Served::new(&by_profile());
    served.folder.write("config", CONFIG);
    let applied = served.mirror("any", "apply small.mirror.hcl --auto-approve");
    assert!(applied.contains("Resources: 2 added"), "{applied}");
    served.folder.write("config", "[profile other]\n");
    assert_shown!(served.mirror("any", "plan small.mirror.hcl"), @r#"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0416]: `aws.sensors` cannot be reached with the profile "sensors"
     --> small.mirror.hcl:3:1
      |
    3 | aws "sensors" { profile = "sensors" }
      | ^^^^^^^^^^^^^ declared here
      |
      = note: GetCallerIdentity could not be sent: dispatch failure: other: the credential provider was not enabled: profile `sensors` was not defined: could not find source profile sensors referenced from the root profile
      = help: check its credentials with: aws sts get-caller-identity --profile sensors
      = help: to print what it has to allow: mirror iam --apply --as sensors
    "#);
    let gone = served.mirror("any", "destroy small.mirror.hcl --auto-approve");
    assert!(gone.contains("Destroy complete! Resources: 2 destroyed."), "{gone}");
}

#[test]
fn a_local_aws_has_no_profiles() {
    let folder = Folder::with(&by_profile());
    assert_shown!(folder.mirror("--local plan"), @r#"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0603]: `aws.sensors` does not name its account, and a local AWS has no profiles
     --> small.mirror.hcl:3:1
      |
    3 | aws "sensors" { profile = "sensors" }
      | ^^^^^^^^^^^^^ declared here
      |
      = help: add the account: `account = "444455556666"`
    "#);
    folder.edit(PROFILE, OF_ACCOUNT);
    assert_shown!(folder.mirror("--local plan"), @r#"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0408]: no VPC matches `vpc.sensors`
     --> small.mirror.hcl:7:1
      |
    7 | existing "vpc" "sensors" {
      | ^^^^^^^^^^^^^^^^^^^^^^^^ declared here
      |
      = note: looked for: name "sensors", in the account of aws.sensors
      = help: check that account, in the Region of the stack
    "#);
}

#[test]
fn what_the_other_account_has_to_allow_is_printed_without_asking_it() {
    let folder =
        Folder::with(&SOURCES.replace("name = \"sensors\"", "id   = \"vpc-0a1b2c3d4e5f67890\""));
    assert_shown!(folder.mirror("--local iam --plan --apply --as sensors"), @r#"
    exit code: 0
    ----- stdout -----
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "Read",
          "Effect": "Allow",
          "Action": "ec2:DescribeVpcs",
          "Resource": "*",
          "Condition": {
            "StringEquals": {
              "aws:RequestedRegion": "eu-west-1"
            }
          }
        },
        {
          "Sid": "Look",
          "Effect": "Allow",
          "Action": "ec2:DescribeVpcAttribute",
          "Resource": "arn:aws:ec2:eu-west-1:444455556666:vpc/vpc-ID"
        },
        {
          "Sid": "Accept",
          "Effect": "Allow",
          "Action": "ec2:AcceptVpcPeeringConnection",
          "Resource": "arn:aws:ec2:eu-west-1:444455556666:vpc-peering-connection/*",
          "Condition": {
            "ArnLike": {
              "ec2:RequesterVpc": "arn:aws:ec2:eu-west-1:123456789012:vpc/*"
            }
          }
        },
        {
          "Sid": "AcceptFor",
          "Effect": "Allow",
          "Action": "ec2:AcceptVpcPeeringConnection",
          "Resource": "arn:aws:ec2:eu-west-1:444455556666:vpc/vpc-ID"
        }
      ]
    }
    ----- stderr -----
    "#);
    assert_shown!(folder.mirror("--local iam --destroy --as sensors"), @"
    exit code: 0
    ----- stdout -----
    ----- stderr -----
    Nothing: that account is not asked for anything.
    ");
    assert_shown!(folder.mirror("--local iam --apply --as sensor"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0301]: the stack declares no `aws.sensor`
     |
     = help: it declares `sensors`
    ");
    let own = folder.done("iam --apply");
    let assume = "\"Action\": \"sts:AssumeRole\",\n      \"Resource\": \"arn:aws:iam::444455556666:role/mirror-accepter\"";
    assert!(own.contains(assume), "{own}");
    let silent = Folder::with(&by_profile());
    assert_shown!(silent.mirror("--local iam --apply --as sensors"), @r#"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0005]: `aws.sensors` does not name its account
     --> small.mirror.hcl:3:1
      |
    3 | aws "sensors" { profile = "sensors" }
      | ^^^^^^^^^^^^^ declared here
      |
      = help: add the account: `account = "444455556666"`
    "#);
}

#[test]
fn the_example_is_valid() {
    let folder = Folder::with(include_str!("../../../examples/two-accounts.mirror.hcl"));
    assert_shown!(folder.mirror("validate"), @"
    exit code: 0
    ----- stdout -----
    Success! small.mirror.hcl is valid: 8 resources, 0 outputs.
    ----- stderr -----
    ");
}
