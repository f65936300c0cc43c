//! Policies: what is printed, and what a local AWS makes of it.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use super::{Folder, SMALL, assert_shown, shown};

#[test]
fn a_policy_is_for_something() {
    assert_shown!(Folder::with(SMALL).mirror("iam"), @"");
}

#[test]
fn aws_is_asked_for_the_account_where_the_stack_does_not_say_it() {
    let folder = Folder::with(SMALL);
    assert_shown!(folder.mirror("--local iam --plan"), @"");
    folder.edit("region = \"eu-west-1\"", "account = \"210987654321\"\nregion = \"eu-west-1\"");
    let declared = folder.mirror("iam --plan");
    assert!(declared.contains("arn:aws:ec2:eu-west-1:210987654321:*/*"), "{declared}");
}

#[test]
fn a_policy_that_is_none_is_refused() {
    let folder = Folder::empty();
    folder.write("policy.json", r#"{ "Version": "2012-10-17", "Statement": { "Effect": "No" } }"#);
    assert_shown!(folder.mirror("local serve --port 0 --policy policy.json"), @"");
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
    let refusal = "UnauthorizedOperation: You are not authorized to perform this operation: \
                   ec2:CreateVpc on arn:aws:ec2:eu-west-1:123456789012:vpc/*: no policy allows it";
    assert!(applied.contains(refusal), "{applied}");
}
