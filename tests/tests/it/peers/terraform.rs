//! Terraform with HashiCorp's own provider: the reference stack from creation to destruction.
//!
//! `terraform` is the one on the path. The provider is the newest in the folder that
//! `MIRROR_TERRAFORM_PLUGINS` names, laid out as a filesystem mirror; without the variable it is
//! 3.39.0 of May 2021, the newest that PyPI has. The stack is in `terraform/main.tf`, the provider
//! block in the book.

mod exported;
mod names;
mod scaling;
mod stream;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use mirror_local::{Cloud, LoggedCall};
use mirror_plan::aws::candidates;
use mirror_plan::import::terraform::TerraformState;
use mirror_plan::plan::{Call, Step, plan_adopting};
use mirror_plan::render::stack_file::StackText;
use mirror_tests::{REGION, Rig, stack};
use tempfile::TempDir;

use super::{packages, serve, skipped};
use crate::converge::census;

const STACK: &str = include_str!("../terraform/main.tf");
const BOOK: &str = include_str!("../../../../docs/src/local.md");

/// The address of the resource that is imported.
const SESSION: &str = "aws_ec2_traffic_mirror_session.mirroring";

#[tokio::test(flavor = "multi_thread")]
async fn terraform_makes_imports_changes_and_destroys_the_lab() {
    if !is_there() {
        return println!("skipped: there is no terraform on the path");
    }
    let plugins = match plugins() {
        Ok(plugins) => plugins,
        Err(why) => return println!("{}", skipped(&why)),
    };
    let rig = Rig::over(Cloud::in_memory());
    let before = census(&rig.cloud).await;
    let (cloud, made) = (rig.cloud.clone(), rig.cloud.clone());
    let lived = serve(cloud, move |endpoint| live(&plugins, endpoint, &made)).await;
    let (version, Made { state, cloud }) = lived;
    imported(&state, &Rig::over(cloud)).await;
    assert_eq!(census(&rig.cloud).await, before);
    let calls = rig.cloud.log().expect("a log in memory can be read");
    let unanswered: Vec<&LoggedCall> = calls.iter().filter(|call| !is_answered(call)).collect();
    assert!(unanswered.is_empty(), "{unanswered:#?}");
    assert!(calls.iter().any(|call| call.action == "GetCallerIdentity"), "asks for the account");
    println!("hashicorp/aws {version}: {} calls", calls.len());
}

/// What Terraform has created: its state, and the account at that moment.
struct Made {
    state: String,
    cloud: Cloud,
}

/// Imports the stack from its state: everything is taken over, and all that remains to be done is to name
/// what Terraform has given no name.
async fn imported(state: &str, rig: &Rig) {
    let state = TerraformState::parse(state).unwrap();
    assert_eq!(state.left, Vec::<String>::new());
    let wanted: Vec<_> = state.taken().map(|(_, a, id)| (a.clone(), id.clone())).collect();
    let (adoptions, told) = candidates(&rig.aws, "imported", &wanted).await.unwrap();
    assert_eq!((adoptions.len(), told.len()), (15, 0), "{told:?}");
    let found: BTreeMap<_, _> =
        adoptions.iter().map(|it| (it.address.clone(), it.found.clone())).collect();
    let (name, region) = ("imported".parse().unwrap(), REGION.parse().unwrap());
    let text = StackText { stack: &name, region: &region, resources: &found }.to_string();
    let stack = stack(&text);
    let mut observed = rig.observe(&stack).await;
    let plan = plan_adopting(&stack, &observed, &adoptions).unwrap();
    let is_name = |step: &Step| match &step.call {
        Call::Retag { id: _, retag } => {
            retag.remove.is_empty() && retag.set.keys().all(|key| key == "Name")
        }
        Call::Operation(_) => false,
    };
    assert!(plan.steps.iter().all(is_name), "{text}\n{plan}");
    observed.owned = found.into_iter().map(|(address, found)| (address, vec![found])).collect();
    // What a stack file does not state about an instance; newer providers have more of it.
    let untold = state.untold(&observed);
    for name in ["credit_specification", "root_block_device"] {
        assert_eq!(untold.iter().filter(|line| line.contains(name)).count(), 3, "{untold:#?}");
    }
    println!("not taken: {untold:#?}");
}

/// Takes the stack through its life; returns the version of the provider, and what Terraform had created.
fn live(plugins: &Path, endpoint: &str, cloud: &Cloud) -> (String, Made) {
    let terraform = Terraform::new(plugins);
    terraform.write("main.tf", STACK);
    terraform.ok(["init"]);
    let version = terraform.provider_version();
    terraform.write("provider.tf", &provider(&version, endpoint));

    terraform.ok(["apply", "-auto-approve"]);
    terraform.finds_nothing_to_do();
    let state = terraform.read("terraform.tfstate");
    let made = Made { state, cloud: cloud.fork() };

    let session = terraform.ok(["output", "-raw", "session"]);
    terraform.ok(["state", "rm", SESSION]);
    terraform.ok(["import", SESSION, &session]);
    terraform.finds_nothing_to_do();

    terraform.write("edit.auto.tfvars", "rejected_port_last = 23\n");
    let (code, said) = terraform.run(["plan", "-detailed-exitcode"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("Plan: 0 to add, 1 to change, 0 to destroy."), "{said}");
    terraform.ok(["apply", "-auto-approve"]);
    terraform.finds_nothing_to_do();

    terraform.ok(["destroy", "-auto-approve"]);
    (version, made)
}

/// Returns whether there is a terraform on the path.
fn is_there() -> bool {
    Command::new("terraform").arg("version").output().is_ok()
}

/// A folder in which `terraform` runs.
struct Terraform {
    folder: TempDir,
}

impl Terraform {
    /// Creates a folder in which providers come from `plugins` alone.
    fn new(plugins: &Path) -> Self {
        let terraform = Self { folder: tempfile::tempdir().unwrap() };
        let settings =
            format!("provider_installation {{\n  filesystem_mirror {{ path = {plugins:?} }}\n}}\n");
        terraform.write("terraform.rc", &settings);
        terraform
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.path().join(file), text).unwrap();
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap()
    }

    /// Runs a command that must succeed; returns what it printed.
    #[track_caller]
    fn ok<const N: usize>(&self, arguments: [&str; N]) -> String {
        let (code, said) = self.run(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        said
    }

    /// Runs a plan, which must find no change.
    #[track_caller]
    fn finds_nothing_to_do(&self) {
        self.ok(["plan", "-detailed-exitcode"]);
    }

    /// Runs a command; returns its exit code and what it printed.
    fn run<const N: usize>(&self, arguments: [&str; N]) -> (Option<i32>, String) {
        let mut command = Command::new("terraform");
        for (name, _) in std::env::vars_os() {
            if ["AWS_", "TF_"].iter().any(|start| name.to_string_lossy().starts_with(start)) {
                command.env_remove(name);
            }
        }
        let inside = |file: &str| self.folder.path().join(file);
        let output = command
            .current_dir(self.folder.path())
            .env("TF_CLI_CONFIG_FILE", inside("terraform.rc"))
            .env("TF_CLI_ARGS", "-no-color")
            .env("CHECKPOINT_DISABLE", "1")
            .env("AWS_CONFIG_FILE", inside("no-aws-config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", inside("no-aws-credentials"))
            // A call to anything but the loopback is refused instead of reaching the real AWS.
            .env("HTTPS_PROXY", "http://127.0.0.1:1")
            .args(arguments)
            .output()
            .expect("terraform was there before");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Returns which version of the provider `init` has chosen.
    fn provider_version(&self) -> String {
        let versions = self.ok(["version", "-json"]);
        let versions: serde_json::Value = serde_json::from_str(&versions).unwrap();
        let chosen = &versions["provider_selections"]["registry.terraform.io/hashicorp/aws"];
        chosen.as_str().expect("one provider was chosen").to_owned()
    }
}

/// Returns the provider block of the book, for an endpoint and with the names that a version uses.
fn provider(version: &str, endpoint: &str) -> String {
    let (_, rest) = BOOK.split_once("provider \"aws\" {").expect("the book has a provider block");
    let (inside, _) = rest.split_once("\n}\n").expect("the block is closed");
    let block = format!("provider \"aws\" {{{inside}\n}}\n");
    let block = block.replace("http://127.0.0.1:4566", endpoint);
    if version.starts_with("3.") { block.replace("elbv2", "elb") } else { block }
}

/// Returns the folder that holds a provider, laid out as a filesystem mirror.
fn plugins() -> Result<PathBuf, String> {
    if let Some(folder) = std::env::var_os("MIRROR_TERRAFORM_PLUGINS") {
        return Ok(PathBuf::from(folder));
    }
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/terraform");
    let python = packages::python("terraform", &requirements.join("requirements.txt"))?;
    let archives = packages::folder(&python)?.join("cloudrail/terraform_plugins");
    let plugins = Path::new(env!("CARGO_TARGET_TMPDIR")).join("terraform/plugins");
    let folder = plugins.join("registry.terraform.io/hashicorp/aws");
    let archive = OsStr::new("terraform-provider-aws_3.39.0_linux_amd64.zip");
    place(&archives.join(archive), &folder.join(archive)).map_err(|error| error.to_string())?;
    Ok(plugins)
}

/// Copies a file to a place where others may be reading it: they never see part of it.
fn place(from: &Path, to: &Path) -> io::Result<()> {
    let folder = to.parent().expect("a file is in a folder");
    fs::create_dir_all(folder)?;
    let whole = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR"))?;
    fs::copy(from, whole.path())?;
    whole.persist(to)?;
    Ok(())
}

/// Returns whether a call got what it asked for, or an error that AWS would return too.
///
/// The provider asks for objects that do not exist yet or no longer exist, removes from a new security
/// group a rule that only a VPC with IPv6 has, and retries while addresses keep a gateway in its VPC.
fn is_answered(call: &LoggedCall) -> bool {
    let error = call.error.as_deref();
    error.is_none_or(|code| code.ends_with("NotFound") || code == "DependencyViolation")
}
