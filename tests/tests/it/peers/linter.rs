//! parliament, an IAM policy linter from PyPI, which has its own copy of what IAM knows.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use mirror_plan::iam::{Location, Purpose, policies, policies_as};
use mirror_tests::{OTHER_ACCOUNT, REGION, lab, peered, sharing, stack};

use super::{packages, skipped};

/// Prints a line for each finding about the policies on standard input, except for two kinds.
///
/// parliament requires all resources that an action is checked on in one statement, whereas these
/// policies have one for the resources that the stack creates and another for those that it owns. And
/// besides the current actions of Elastic Load Balancing it has an old copy of them, from before
/// `CreateAction`.
const LINT: &str = r#"
import json, sys
from parliament import analyze_policy_string
for policy in json.load(sys.stdin):
    for finding in analyze_policy_string(policy).findings:
        old = "elasticloadbalancing:CreateAction" in str(finding.detail)
        if finding.issue != "RESOURCE_MISMATCH" and not old:
            print(finding)
"#;

#[test]
fn a_linter_knows_every_word_of_the_policies() {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/iam/requirements.txt");
    let python = match packages::python("iam", &requirements) {
        Ok(python) => python,
        Err(why) => return println!("{}", skipped(&why)),
    };
    let account = mirror_local::ACCOUNT.parse().unwrap();
    let location = Location { account, region: REGION.parse().unwrap() };
    let borrower = include_str!("../iam/borrowing.mirror.hcl");
    let names = [
        ("VPC", "vpc-0a1b2c3d4e5f67890"),
        ("SUBNET", "subnet-0a1b2c3d4e5f67890"),
        ("GROUP", "sg-0a1b2c3d4e5f67890"),
        ("INTERFACE", "eni-0a1b2c3d4e5f67890"),
        ("TARGET", "tmt-0a1b2c3d4e5f67890"),
        ("FILTER", "tmf-0a1b2c3d4e5f67890"),
        ("AMI", "ami-0a1b2c3d4e5f67890"),
    ];
    let borrower = names.iter().fold(borrower.to_owned(), |text, (name, id)| {
        text.replace(&format!("\"{name}\""), &format!("\"{id}\""))
    });
    let peered = peered();
    let (sensors, there) = (peered.accounts.keys().next().unwrap(), OTHER_ACCOUNT.parse().unwrap());
    let theirs = policies_as(&peered, &location, (sensors, &there), [Purpose::Apply]);
    let printed: Vec<String> = [lab(), stack(&borrower), sharing(), peered.clone()]
        .iter()
        .flat_map(|stack| {
            let all = [Purpose::Plan, Purpose::Metrics, Purpose::Apply, Purpose::Destroy];
            all.into_iter().flat_map(|purpose| policies(stack, &location, [purpose]))
        })
        .chain(theirs)
        .map(|policy| policy.to_string())
        .collect();
    assert_eq!(lint(&python, &printed), "");
    // It does check: one missing letter is found.
    let misspelt = printed[0].replace("ec2:DescribeVpcs", "ec2:DescribeVpc");
    assert!(lint(&python, &[misspelt]).contains("DescribeVpc"));
}

/// Returns what the linter reports about policies.
fn lint(python: &Path, policies: &[String]) -> String {
    let mut linter = Command::new(python)
        .args(["-W", "ignore", "-c", LINT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the interpreter that was just installed runs");
    let input = serde_json::to_vec(policies).unwrap();
    linter.stdin.take().expect("it is a pipe").write_all(&input).unwrap();
    let output = linter.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
