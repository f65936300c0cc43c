//! `plan --check-permissions`: what is not permitted is known before anything is done.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use super::{Folder, SMALL, assert_shown, shown};

/// A local AWS that holds its callers to policies.
struct Served<'f> {
    folder: &'f Folder,
    server: Child,
    url: String,
}

impl<'f> Served<'f> {
    /// Serves with the policies that `mirror iam` prints for `options`, and with these statements.
    fn with(folder: &'f Folder, options: &str, statements: &str) -> Self {
        folder.write("iam.json", &folder.done(&format!("iam {options}")));
        let more = format!(r#"{{ "Version": "2012-10-17", "Statement": [{statements}] }}"#);
        folder.write("more.json", &more);
        let mut server = folder
            .command("local serve --port 0 --policy iam.json --policy more.json")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("mirror runs");
        let mut url = String::new();
        let stdout = server.stdout.take().expect("it is a pipe");
        BufReader::new(stdout).read_line(&mut url).expect("it says where it is");
        Self { folder, server, url: url.trim().to_owned() }
    }

    fn mirror(&self, arguments: &str) -> String {
        let mut command = self.folder.command(arguments);
        command.env("AWS_ENDPOINT_URL", &self.url);
        command.env("AWS_ACCESS_KEY_ID", "any").env("AWS_SECRET_ACCESS_KEY", "any");
        shown(&command.output().expect("mirror runs"))
    }
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        // The server may have ended by itself.
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

const DECODE: &str =
    r#"{ "Effect": "Allow", "Action": "sts:DecodeAuthorizationMessage", "Resource": "*" }"#;
const NOTHING: &str = r#"{ "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*" }"#;

#[test]
fn what_is_denied_is_told_in_full_and_fails() {
    let folder = Folder::with(SMALL);
    let served = Served::with(&folder, "--plan", DECODE);
    assert_shown!(served.mirror("plan --check-permissions --no-cost --no-time --out x.plan"), @r#"
    exit code: 1
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
    Permissions: 0 calls are allowed, 2 are denied, 1 is not checked.
      denied       1  ec2:CreateVpc
      denied       1  ec2:CreateTrafficMirrorFilter
      not checked  1  ec2:CreateTrafficMirrorFilterRule: known after apply: mirror_filter.web
    ----- stderr -----
    error[MP0508]: ec2:CreateVpc is denied
     --> small.mirror.hcl:6:1
      |
    6 | vpc "lab" { cidr = var.cidr }
      | ^^^^^^^^^ for this
      |
      = note: AWS: You are not authorized to perform this operation. User: arn:aws:iam::123456789012:root is not authorized to perform: ec2:CreateVpc on resource: arn:aws:ec2:eu-west-1:123456789012:vpc/* because no identity-based policy allows the ec2:CreateVpc action.
      = note: decoded: no statement allows ec2:CreateVpc on arn:aws:ec2:eu-west-1:123456789012:vpc/* to arn:aws:iam::123456789012:root
      = note: the request had: aws:RequestTag/Name = lab; aws:RequestTag/mirror-plan:address = vpc.lab; aws:RequestTag/mirror-plan:gen = 1; aws:RequestTag/mirror-plan:stack = small; aws:RequestedRegion = eu-west-1; aws:TagKeys = Name, mirror-plan:address, mirror-plan:gen, mirror-plan:stack
      = help: allow it, as `mirror iam --apply` does: {"Sid":"Make","Effect":"Allow","Action":"ec2:CreateVpc","Resource":"arn:aws:ec2:eu-west-1:123456789012:vpc/*","Condition":{"StringEquals":{"aws:RequestTag/mirror-plan:stack":"small"}}}

    error[MP0508]: ec2:CreateTrafficMirrorFilter is denied
     --> small.mirror.hcl:8:1
      |
    8 | mirror_filter "web" {
      | ^^^^^^^^^^^^^^^^^^^ for this
      |
      = note: AWS: You are not authorized to perform this operation. User: arn:aws:iam::123456789012:root is not authorized to perform: ec2:CreateTrafficMirrorFilter on resource: arn:aws:ec2:eu-west-1:123456789012:traffic-mirror-filter/* because no identity-based policy allows the ec2:CreateTrafficMirrorFilter action.
      = note: decoded: no statement allows ec2:CreateTrafficMirrorFilter on arn:aws:ec2:eu-west-1:123456789012:traffic-mirror-filter/* to arn:aws:iam::123456789012:root
      = note: the request had: aws:RequestTag/Name = web; aws:RequestTag/mirror-plan:address = mirror_filter.web; aws:RequestTag/mirror-plan:gen = 1; aws:RequestTag/mirror-plan:stack = small; aws:RequestedRegion = eu-west-1; aws:TagKeys = Name, mirror-plan:address, mirror-plan:gen, mirror-plan:stack
      = help: allow it, as `mirror iam --apply` does: {"Sid":"Make","Effect":"Allow","Action":"ec2:CreateTrafficMirrorFilter","Resource":"arn:aws:ec2:eu-west-1:123456789012:traffic-mirror-filter/*","Condition":{"StringEquals":{"aws:RequestTag/mirror-plan:stack":"small"}}}
    error[MP0508]: 2 calls of this plan are denied
     |
     = note: an apply with these credentials would stop half-way
     = help: grant what is missing: `mirror iam --apply` prints all that the stack needs
     = help: or ask with the credentials that the apply will use
    "#);
    assert!(!folder.path().join("x.plan").exists());
}

#[test]
fn what_cannot_be_decoded_can_be_taken_to_somebody_who_may() {
    let folder = Folder::with(SMALL);
    let served = Served::with(&folder, "--plan", NOTHING);
    let shown = served.mirror("plan --check-permissions --no-cost --no-time");
    assert!(shown.starts_with("exit code: 1"), "{shown}");
    for part in [
        "AWS says more, but it could not be decoded: DecodeAuthorizationMessage was refused: AccessDenied",
        "aws sts decode-authorization-message --encoded-message ",
    ] {
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn who_may_do_it_all_is_told_so_and_what_could_not_be_asked() {
    let folder = Folder::with(SMALL);
    let plain = folder.mirror("--local plan --no-cost --no-time");
    let before = journals(&folder);
    let asked = folder.mirror("--local plan --check-permissions --no-cost --no-time");
    assert_eq!(journals(&folder), before);
    // The answer is all that the check adds to the output of the plan.
    let (_, answer) = asked.split_once("Permissions:").expect("it answers");
    let (answer, _) = answer.split_once("----- stderr").expect("there is a stderr");
    assert_eq!(asked.replace(&format!("Permissions:{answer}"), ""), plain);
    insta::assert_snapshot!(answer, @"
    2 calls are allowed, 0 are denied, 1 is not checked.
     allowed      1  ec2:CreateVpc
     allowed      1  ec2:CreateTrafficMirrorFilter
     not checked  1  ec2:CreateTrafficMirrorFilterRule: known after apply: mirror_filter.web
    ");
    assert_shown!(folder.mirror("--local local log"), @"
    exit code: 0
    ----- stdout -----
    TIME eu-west-1 sts GetCallerIdentity 200
    TIME eu-west-1 ec2 DescribeTags 200
    TIME eu-west-1 elasticloadbalancing DescribeLoadBalancers 200
    TIME eu-west-1 elasticloadbalancing DescribeTargetGroups 200
    TIME eu-west-1 autoscaling DescribeAutoScalingGroups 200
    TIME eu-west-1 ram GetResourceShares 200
    TIME eu-west-1 ec2 DescribeVpcs 200
    TIME eu-west-1 sts GetCallerIdentity 200
    TIME eu-west-1 ec2 DescribeTags 200
    TIME eu-west-1 elasticloadbalancing DescribeLoadBalancers 200
    TIME eu-west-1 elasticloadbalancing DescribeTargetGroups 200
    TIME eu-west-1 autoscaling DescribeAutoScalingGroups 200
    TIME eu-west-1 ram GetResourceShares 200
    TIME eu-west-1 ec2 DescribeVpcs 200
    TIME eu-west-1 ec2 DescribeTags 412 DryRunOperation
    TIME eu-west-1 ec2 CreateVpc 412 DryRunOperation
    TIME eu-west-1 ec2 CreateTrafficMirrorFilter 412 DryRunOperation
    ----- stderr -----
    ");
    let served = Served::with(&folder, "--apply", NOTHING);
    let asked = served.mirror("plan --check-permissions");
    assert!(asked.starts_with("exit code: 0") && asked.contains(", 0 are denied,"), "{asked}");
}

/// The files of the journals, with their contents.
fn journals(folder: &Folder) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder.path().join(".mirror/local/journals")) else {
        return Vec::new();
    };
    let mut all: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("the folder can be read").path();
            (path.display().to_string(), fs::read(&path).expect("the file can be read"))
        })
        .collect();
    all.sort();
    all
}

#[test]
fn programs_and_pull_requests_are_told_too() {
    let folder = Folder::with(SMALL);
    let served = Served::with(&folder, "--plan", DECODE);
    let lines = served.mirror("plan --check-permissions --json");
    let permissions = lines.lines().find(|line| line.contains("mirror_permissions"));
    let permissions: serde_json::Value =
        serde_json::from_str(permissions.expect("it is in the stream")).expect("it is JSON");
    assert_eq!(permissions["permissions"]["denied"], 2);
    let denial = &permissions["permissions"]["calls"][0]["denial"];
    assert_eq!(denial["decoded"]["context"]["action"], "ec2:CreateVpc");
    let diagnostics = lines.lines().filter(|line| line.contains(r#""mirror_code":"MP0508""#));
    assert_eq!(diagnostics.count(), 3);
    let comment = served.mirror("plan --check-permissions --format markdown");
    let (_, comment) = comment.split_once("#### Permissions").expect("it is in the comment");
    let (permissions, findings) = comment.split_once("#### Findings").expect("so are the denials");
    insta::assert_snapshot!(permissions, @"
    ```text
    Permissions: 0 calls are allowed, 2 are denied, 1 is not checked.
      denied       1  ec2:CreateVpc
      denied       1  ec2:CreateTrafficMirrorFilter
      not checked  1  ec2:CreateTrafficMirrorFilterRule: known after apply: mirror_filter.web
    ```
    ");
    assert!(findings.contains("error[MP0508]: ec2:CreateVpc is denied"), "{findings}");
}

#[test]
fn nobody_is_asked_where_there_is_no_aws() {
    let folder = Folder::with(SMALL);
    let shown = folder.mirror("plan --offline --check-permissions");
    assert!(shown.contains("'--offline' cannot be used with '--check-permissions'"), "{shown}");
}
