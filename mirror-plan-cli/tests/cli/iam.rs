//! Policies: what is printed, and how a local AWS applies it.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use super::{Folder, SMALL, assert_shown, shown};

#[test]
fn a_policy_is_for_something() {
    assert_shown!(Folder::with(SMALL).mirror("iam"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error: the following required arguments were not provided:
      <--plan|--metrics|--apply|--destroy>

    Usage: mirror iam <--plan|--metrics|--apply|--destroy> [STACK]

    For more information, try '--help'.
    ");
}

#[test]
fn aws_is_asked_for_the_account_where_the_stack_does_not_say_it() {
    let folder = Folder::with(SMALL);
    assert_shown!(folder.mirror("--local iam --plan"), @r#"
    exit code: 0
    ----- stdout -----
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "Read",
          "Effect": "Allow",
          "Action": [
            "autoscaling:DescribeAutoScalingGroups",
            "ec2:DescribeInstances",
            "ec2:DescribeInternetGateways",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeTags",
            "ec2:DescribeTrafficMirrorFilters",
            "ec2:DescribeTrafficMirrorSessions",
            "ec2:DescribeVpcs",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeTags",
            "elasticloadbalancing:DescribeTargetGroups",
            "ram:GetResourceShares"
          ],
          "Resource": "*",
          "Condition": {
            "StringEquals": {
              "aws:RequestedRegion": "eu-west-1"
            }
          }
        },
        {
          "Sid": "Owned",
          "Effect": "Allow",
          "Action": "ec2:DescribeVpcAttribute",
          "Resource": "arn:aws:ec2:eu-west-1:123456789012:*/*",
          "Condition": {
            "StringEquals": {
              "aws:ResourceTag/mirror-plan:stack": "small"
            }
          }
        }
      ]
    }
    ----- stderr -----
    "#);
    let region = "region = \"eu-west-1\"";
    folder.edit(
        &format!("{{ {region} }}"),
        &format!("{{\n account = \"210987654321\"\n {region}\n}}"),
    );
    let declared = folder.mirror("iam --plan");
    assert!(declared.contains("arn:aws:ec2:eu-west-1:210987654321:*/*"), "{declared}");
}

#[test]
fn a_policy_that_is_none_is_refused() {
    let folder = Folder::empty();
    folder.write("policy.json", r#"{ "Version": "2012-10-17", "Statement": { "Effect": "No" } }"#);
    assert_shown!(folder.mirror("local serve --port 0 --policy policy.json"), @r#"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0601]: `policy.json` is not an IAM policy
     |
     = note: the Effect Some("No") is neither Allow nor Deny
    "#);
}

#[test]
fn a_served_cloud_holds_its_callers_to_the_policy() {
    let folder = Folder::with(SMALL);
    let policy = folder.done("iam --plan");
    folder.write("plan.json", &policy);
    let mut server = folder
        .command("local serve --port 0 --policy plan.json")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("mirror runs");
    let mut url = String::new();
    let stdout = server.stdout.take().expect("it is a pipe");
    BufReader::new(stdout).read_line(&mut url).expect("it says where it is");
    let mirror = |arguments: &str| {
        let mut command = folder.command(arguments);
        command.env("AWS_ENDPOINT_URL", url.trim());
        command.env("AWS_ACCESS_KEY_ID", "any").env("AWS_SECRET_ACCESS_KEY", "any");
        shown(&command.output().expect("mirror runs"))
    };
    let (planned, applied) = (mirror("plan"), mirror("apply --auto-approve"));
    server.kill().expect("it was started");
    server.wait().expect("it was started");
    assert!(planned.starts_with("exit code: 0"), "{planned}");
    assert!(applied.starts_with("exit code: 1"), "{applied}");
    let refusal = "ec2:CreateVpc on resource: arn:aws:ec2:eu-west-1:123456789012:vpc/* because no identity-based";
    assert!(applied.contains(refusal), "{applied}");
}
