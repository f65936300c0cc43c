//! The command line as its users see it: whole stdout, stderr and exit codes, against a local AWS in
//! a folder of its own and with an empty environment.

mod accounts;
mod adopt;
mod docs;
mod drift;
mod errors;
#[cfg(unix)]
mod estimates;
mod existing;
mod exported;
mod findings;
mod help;
mod iam;
mod import;
mod interrupt;
mod killed;
mod moved;
mod network;
mod paths;
mod permissions;
mod plan_file;
mod races;
mod rehearse;
mod report;
mod repository;
mod review;
mod secrets;
mod sources;
mod story;
mod streams;
mod style;
mod terminal;
mod tfjson;
mod trace;
mod verify;
mod watch;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A stack that is applied in no time.
const SMALL: &str = r#"
stack "small" { region = "eu-west-1" }

variable "cidr" { default = "10.0.0.0/16" }

vpc "lab" { cidr = var.cidr }

mirror_filter "web" {
  rules = [{ number = 100, action = "accept", direction = "ingress", protocol = "tcp", port = 443 }]
}

output "vpc" { value = vpc.lab.id }
"#;

/// A folder to run in.
struct Folder(TempDir);

impl Folder {
    fn empty() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// A folder with one stack file.
    fn with(stack: &str) -> Self {
        let folder = Self::empty();
        folder.write("small.mirror.hcl", stack);
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("the folder can be written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).expect("the file is there")
    }

    /// Changes the one stack file.
    fn edit(&self, from: &str, to: &str) {
        let text = self.read("small.mirror.hcl");
        assert!(text.contains(from), "{from}");
        self.write("small.mirror.hcl", &text.replace(from, to));
    }

    /// `mirror` with arguments that are separated by blanks.
    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mirror"));
        command
            .args(arguments.split(' '))
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null());
        command
    }

    /// Runs `mirror` and returns its exit code, stdout and stderr.
    #[must_use]
    fn mirror(&self, arguments: &str) -> String {
        shown(&self.command(arguments).output().expect("mirror runs"))
    }

    /// Runs `mirror --local`, which must succeed, and returns its stdout.
    fn done(&self, arguments: &str) -> String {
        let output = self.command(&format!("--local {arguments}")).output().expect("mirror runs");
        assert!(output.status.success(), "{}", shown(&output));
        String::from_utf8(output.stdout).expect("the output is text")
    }
}

fn shown(output: &Output) -> String {
    let Output { status, stdout, stderr } = output;
    let code = status.code().map_or_else(|| "none".to_owned(), |code| code.to_string());
    let (stdout, stderr) = (String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr));
    format!("exit code: {code}\n----- stdout -----\n{stdout}----- stderr -----\n{stderr}")
}

/// Compares with an inline snapshot, after replacing what differs from run to run.
macro_rules! assert_shown {
    ($text:expr, @$snapshot:literal) => {
        insta::with_settings!({
            filters => vec![
                (r"\b(vpc|subnet|igw|rtb|sg|i|eni|ami|tmt|tmf|tmfr|tms)-[0-9a-f]{17}\b", "$1-ID"),
                (r"(targetgroup/[\w-]+|loadbalancer/net/[\w-]+)/[0-9a-f]{16}\b", "$1/ID"),
                (r"(lab-[\w-]+)-[0-9a-f]{16}\.elb", "$1-ID.elb"),
                (r"sha256:[0-9a-f]{64}", "sha256:DIGEST"),
                (r"after \d+s", "after Ns"),
                (r"the apply of \S+ left", "the apply of TIME left"),
                (r"(?m)^(\d+ of \d+ done), \d+s$", "$1, Ns"),
                (r"(?m)^  [⠀-⣿] (\S+ \w+) \d+s", "  * $1 Ns"),
                (r#""elapsed_seconds":\d+"#, r#""elapsed_seconds":N"#),
                (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "TIME"),
                (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "REQUEST"),
            ],
        }, {
            insta::assert_snapshot!($text, @$snapshot);
        })
    };
}
use assert_shown;

#[test]
fn init_writes_the_example() {
    let example = include_str!("../../../examples/lab.mirror.hcl");
    let folder = Folder::empty();
    folder.done("init");
    let written = folder.read("lab.mirror.hcl");
    assert!(written == example, "copy examples/lab.mirror.hcl to mirror-plan-cli/src/");
}
