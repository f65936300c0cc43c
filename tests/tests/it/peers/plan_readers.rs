//! Programs that read Terraform's plans, given this tool's plans: scanners and reports from PyPI, and
//! regorus from crates.io with the policy of the book.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use mirror_plan::plan::{Mode, Plan, Request};
use mirror_plan::render::terraform::PlanJson;
use mirror_plan::stack::Stack;
use mirror_tests::{Rig, lab, stack};
use serde_json::Value as Json;
use tempfile::TempDir;

use super::{packages, skipped};

const LAB: &str = include_str!("../../../../examples/lab.mirror.hcl");
const BOOK: &str = include_str!("../../../../docs/src/terraform-json.md");

/// SSH is open to the world.
const OPEN_SSH: &str = "CKV_AWS_24";
/// The metadata service answers without a token.
const IMDS_V1: &str = "CKV_AWS_79";
/// Open SSH in the words of tf-nag: anybody may connect.
const EXPOSED: &str = "AwsSolutions-EC23";
/// The root volume of an instance is not encrypted.
const CLEAR_VOLUME: &str = "CKV_AWS_8";
/// An instance has a public address.
const PUBLIC: &str = "CKV_AWS_88";

const INSTANCES: [&str; 3] = [
    "aws_instance.source-instance",
    "aws_instance.target-instance-1",
    "aws_instance.target-instance-2",
];

/// What checkov reports about a plan.
struct Scan {
    resources: u64,
    /// Checks that failed, with the resource.
    failed: BTreeSet<(String, String)>,
}

impl Scan {
    fn of(python: &Path, plan: &Json) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plan.json");
        fs::write(&file, plan.to_string()).unwrap();
        let options =
            ["--framework", "terraform_plan", "-o", "json", "--compact", "--skip-download"];
        let output = Command::new(python)
            .args(["-m", "checkov.main", "-f"])
            .arg(&file)
            .args(options)
            .output()
            .expect("the interpreter that was just installed runs");
        let said: Json = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
        let failed = said["results"]["failed_checks"].as_array().expect("a list").iter();
        Self {
            resources: said["summary"]["resource_count"].as_u64().expect("a count"),
            failed: failed.map(|c| (text(&c["check_id"]), text(&c["resource"]))).collect(),
        }
    }

    fn failing(&self, check: &str) -> Vec<&str> {
        let of_check = self.failed.iter().filter(|(id, _)| id == check);
        of_check.map(|(_, resource)| resource.as_str()).collect()
    }
}

fn json_of(plan: &Plan) -> Json {
    serde_json::to_value(PlanJson::new(plan)).unwrap()
}

/// Returns the path of a file in this folder.
fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/peers").join(name)
}

/// Returns the reference stack with SSH open to the world.
fn open_lab() -> Stack {
    let open = LAB.replace("default = \"10.0.0.0/16\"", "default = \"0.0.0.0/0\"");
    stack(&open.replace("  ingress = [", "  open_to_world = true\n  ingress = ["))
}

/// Returns the reference stack with instances as AWS would create them by default.
fn careless_lab() -> Stack {
    let careless = "  imdsv2_required = false\n  root_encrypted  = false\n  instance_type ";
    stack(&LAB.replace("  instance_type ", careless))
}

/// Returns how many resources there will be.
fn planned(plan: &Json) -> u64 {
    let resources = plan["planned_values"]["root_module"]["resources"].as_array();
    u64::try_from(resources.map_or(0, Vec::len)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn checkov_finds_every_resource_and_fires_where_it_should() {
    let python = match packages::python("checkov", &beside("checkov.txt")) {
        Ok(python) => python,
        Err(why) => return println!("{}", skipped(&why)),
    };
    let rig = Rig::instant();
    let new = json_of(&rig.plan(&lab()).await);
    let closed = Scan::of(&python, &new);
    assert_eq!(closed.resources, planned(&new));
    assert_eq!(closed.failing(OPEN_SSH), [""; 0]);
    assert_eq!(closed.failing(IMDS_V1), [""; 0]);
    assert_eq!(closed.failing(CLEAR_VOLUME), [""; 0]);
    assert_eq!(closed.failing(PUBLIC), [INSTANCES[0]]);

    let open = Scan::of(&python, &json_of(&rig.plan(&open_lab()).await));
    assert_eq!(open.failing(OPEN_SSH), ["aws_security_group.source", "aws_security_group.target"]);

    let careless = Scan::of(&python, &json_of(&rig.plan(&careless_lab()).await));
    assert_eq!(careless.failing(IMDS_V1), INSTANCES);
    assert_eq!(careless.failing(CLEAR_VOLUME), INSTANCES);

    rig.converge(&lab()).await;
    let there = json_of(&rig.plan(&lab()).await);
    let there = Scan::of(&python, &there);
    assert_eq!((there.resources, &there.failed), (closed.resources, &closed.failed));
}

/// Programs of one environment.
struct Readers {
    programs: PathBuf,
    folder: TempDir,
}

impl Readers {
    /// Runs a program in a folder, with the plan in `plan.json` and on standard input.
    fn run<const N: usize>(&self, program: &str, arguments: [&str; N], plan: &Json) -> Output {
        let file = self.folder.path().join("plan.json");
        fs::write(&file, plan.to_string()).unwrap();
        Command::new(self.programs.join(program))
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::from(File::open(&file).unwrap()))
            .output()
            .expect("the program that was just installed runs")
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn other_readers_of_plans_read_these() {
    let python = match packages::python("readers", &beside("readers.txt")) {
        Ok(python) => python,
        Err(why) => return println!("{}", skipped(&why)),
    };
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("features")).unwrap();
    fs::copy(beside("metadata.feature"), folder.path().join("features/metadata.feature")).unwrap();
    let readers = Readers { programs: python.parent().unwrap().to_owned(), folder };
    let rig = Rig::instant();
    let new = json_of(&rig.plan(&lab()).await);
    let open = json_of(&rig.plan(&open_lab()).await);
    let careless = json_of(&rig.plan(&careless_lab()).await);
    rig.converge(&lab()).await;
    let request = Request { mode: Mode::Destroy, ..Request::default() };
    let gone = json_of(&rig.plan_for(&lab(), &request).await);

    let complies = ["-f", "features", "-p", "plan.json", "--no-ansi"];
    let said = readers.run("terraform-compliance", complies, &new);
    assert!(said.status.success(), "{}", text(&said));
    assert!(text(&said).contains("2 scenarios (2 passed)"), "{}", text(&said));
    assert!(!readers.run("terraform-compliance", complies, &careless).status.success());

    let counts = |plan: &Json| {
        let said = readers.run("readtheplan", ["analyze", "plan.json", "--format", "json"], plan);
        let said: Json = serde_json::from_slice(&said.stdout).unwrap();
        said["actions"].clone()
    };
    let all = planned(&new);
    assert_eq!(counts(&new), serde_json::json!({ "create": all }));
    assert_eq!(counts(&gone), serde_json::json!({ "delete": all }));

    assert!(readers.run("terrasafe", [], &new).status.success());
    let refused = readers.run("terrasafe", [], &gone);
    assert!(!refused.status.success());
    let listed = text(&refused).lines().filter(|line| line.starts_with(" - aws_")).count();
    assert_eq!(listed as u64, all);

    let exposed = |plan: &Json| {
        let scan = ["scan", "--plan-json", "plan.json", "--format", "json", "--fail-on", "never"];
        let said = readers.run("tf-nag", scan, plan);
        let said: Json = serde_json::from_slice(&said.stdout).unwrap();
        let found = said.as_array().unwrap().iter().filter(|found| found["rule_id"] == EXPOSED);
        found.map(|found| found["address"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(exposed(&new), [""; 0]);
    assert_eq!(exposed(&open), ["aws_security_group.source", "aws_security_group.target"]);
}

/// The policy of the book, evaluated by a separate program: see `tests/rego`.
struct Policy {
    folder: TempDir,
}

impl Policy {
    fn of_the_book() -> Self {
        let (_, rest) = BOOK.split_once("```rego\n").expect("the book has a policy");
        let (policy, _) = rest.split_once("```").expect("the block is closed");
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("policy.rego"), policy).unwrap();
        Self { folder }
    }

    /// Returns the policy's objections to a plan, or why it could not be evaluated.
    fn denies(&self, plan: &Json) -> Result<BTreeSet<String>, String> {
        let inside = |name: &str| self.folder.path().join(name);
        fs::write(inside("plan.json"), plan.to_string()).unwrap();
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("rego/Cargo.toml");
        let output = Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--locked", "--manifest-path"])
            .arg(manifest)
            .arg("--target-dir")
            .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("rego"))
            .arg("--")
            .args([inside("policy.rego"), inside("plan.json"), "data.mirror.deny".into()])
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(serde_json::from_slice(&output.stdout).expect("it prints a set of texts"))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

/// Returns a message for each resource that is deleted, or deleted and recreated.
fn destroyed(plan: &Json) -> BTreeSet<String> {
    let changes = plan["resource_changes"].as_array().into_iter().flatten();
    let going = changes.filter(|change| change["change"]["actions"].to_string().contains("delete"));
    going
        .map(|change| format!("{} would be destroyed", change["address"].as_str().unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_of_the_book_refuses_what_is_destroyed() {
    let policy = Policy::of_the_book();
    let rig = Rig::instant();
    let new = json_of(&rig.plan(&lab()).await);
    match policy.denies(&new) {
        Ok(denied) => assert_eq!(denied, BTreeSet::new()),
        Err(why) => return println!("{}", skipped(&why)),
    }
    rig.converge(&lab()).await;
    let replaced = "mirror_target.nlb-mirror-target".parse().unwrap();
    let request = Request { replace: [replaced].into(), ..Request::default() };
    let plan = json_of(&rig.plan_for(&lab(), &request).await);
    let denied = policy.denies(&plan).unwrap();
    assert_eq!(denied, destroyed(&plan));
    assert!(denied.contains("aws_ec2_traffic_mirror_target.nlb-mirror-target would be destroyed"));
    assert!(!denied.iter().any(|message| message.contains("aws_lb")), "{denied:?}");
    let request = Request { mode: Mode::Destroy, ..Request::default() };
    let plan = json_of(&rig.plan_for(&lab(), &request).await);
    let denied = policy.denies(&plan).unwrap();
    assert_eq!(denied, destroyed(&plan));
    assert_eq!(denied.len(), plan["resource_changes"].as_array().unwrap().len());
}
