//! Secrets: a canary in user data and in a sensitive variable, and every command that could show it.

use std::fs;
use std::path::Path;
use std::process::Output;

use super::{Folder, shown};

/// The secret, which must appear nowhere. URL encoding leaves its characters alone.
const CANARY: &str = "canary7Yq2Wp5Lr8";

const STACK: &str = r##"
stack "secret" { region = "eu-west-1" }

variable "key" {
  type      = string
  sensitive = true
}

vpc "lab" { cidr = "10.0.0.0/16" }

subnet "a" {
  vpc  = vpc.lab
  cidr = "10.0.1.0/24"
}

instance "first" {
  instance_type = "t3.micro"
  subnet        = subnet.a
  user_data     = "#!/bin/sh\nexport KEY=${var.key}\n"
}

instance "second" {
  instance_type = "t3.micro"
  subnet        = subnet.a
  user_data     = "first=${instance.first.private_ip} key=${var.key}"
}

output "key" {
  value     = var.key
  sensitive = true
}
"##;

/// The forms in which the canary would go over the wire: in base64 it has three, depending on where it begins.
fn forms() -> Vec<String> {
    use std::process::{Command, Stdio};
    let encoded = |text: &str| {
        let mut child = Command::new("base64")
            .arg("-w0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a `base64`");
        let mut stdin = child.stdin.take().expect("it is piped");
        std::io::Write::write_all(&mut stdin, text.as_bytes()).expect("it reads");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        String::from_utf8(output.stdout).expect("base64 is text")
    };
    // The characters that depend on what comes before and after the canary are left out.
    let middles = (0..3).map(|shift| {
        let all = encoded(&format!("{}{CANARY}", "x".repeat(shift)));
        all[4..16].to_owned()
    });
    [CANARY.to_owned()].into_iter().chain(middles).collect()
}

/// Runs `mirror` with the canary, as verbosely as it can.
fn run(folder: &Folder, arguments: &str) -> Output {
    let mut command = folder.command(&format!("--local {arguments}"));
    command.env("MIRROR_VAR_key", CANARY).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
    command.output().expect("mirror runs")
}

fn refuse_in(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for form in forms() {
        let place = text.find(&form);
        let around = place.map(|at| &text[text.floor_char_boundary(at.saturating_sub(200))..at]);
        assert_eq!(around, None, "{what} shows the secret as `{form}`");
    }
}

/// Checks every file except those of the local AWS, which is the cloud.
fn refuse_on_disk(folder: &Path) {
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("an entry").path();
        if path.ends_with(".mirror/local") {
            continue;
        }
        if path.is_dir() {
            refuse_on_disk(&path);
        } else {
            refuse_in(&path.display().to_string(), &fs::read(&path).expect("a file can be read"));
        }
    }
}

fn canary_stays_hidden(folder: &Folder, arguments: &str, code: i32) -> String {
    let output = run(folder, arguments);
    refuse_in(&format!("`{arguments}` on stdout"), &output.stdout);
    refuse_in(&format!("`{arguments}` on stderr"), &output.stderr);
    refuse_on_disk(folder.path());
    assert_eq!(output.status.code(), Some(code), "{arguments}: {}", shown(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_secret_is_on_the_wire_and_nowhere_else() {
    let folder = Folder::with(STACK);
    for (arguments, code) in [
        ("validate", 0),
        ("plan", 0),
        ("plan --json", 0),
        ("plan --show-user-data", 0),
        ("plan --format tfjson", 0),
        ("plan --format markdown", 0),
        ("plan --out saved.json", 0),
        ("show saved.json", 0),
        ("show saved.json --json", 0),
        ("graph", 0),
        ("graph --deps saved.json", 0),
        ("graph --format svg saved.json", 0),
        ("report --html saved.html saved.json", 0),
        ("report --html page.html", 0),
        ("apply saved.json --json", 0),
        ("plan --detailed-exitcode", 0),
        ("plan --replace instance.first --show-user-data", 0),
        ("plan --destroy --show-user-data", 0),
        ("drift", 0),
        ("report --html applied.html", 0),
        ("show", 0),
        ("show --json", 0),
        ("output", 0),
        ("output --json", 0),
        ("output key", 0),
        ("output key --raw", 1),
        ("output key --json", 1),
        ("local log", 0),
        ("local log --json", 0),
        ("plan --destroy --json", 0),
        ("destroy --auto-approve", 0),
        ("apply --auto-approve", 0),
        ("destroy --auto-approve --json", 0),
    ] {
        canary_stays_hidden(&folder, arguments, code);
    }
}

#[test]
fn a_secret_is_not_in_what_goes_wrong() {
    let folder = Folder::with(STACK);
    folder.edit(
        "\"t3.micro\"\n  subnet        = subnet.a\n  user_data     = \"#!",
        "\"zz9.none\"\n  subnet        = subnet.a\n  user_data     = \"#!",
    );
    canary_stays_hidden(&folder, "apply --auto-approve --json", 1);
    folder.edit("value     = var.key\n  sensitive = true", "value     = [var.key].x");
    canary_stays_hidden(&folder, "plan", 1);
    folder.edit("[var.key].x", "var.key");
    canary_stays_hidden(&folder, "plan --json", 1);
}

#[test]
fn a_saved_plan_takes_its_user_data_from_the_stack_again() {
    let folder = Folder::with(STACK);
    canary_stays_hidden(&folder, "plan --out saved.json", 0);
    let mut other = folder.command("--local apply saved.json");
    let other = other.env("MIRROR_VAR_key", "another").output().expect("mirror runs");
    let text = shown(&other);
    assert!(text.starts_with("exit code: 1\n"), "{text}");
    assert!(
        text.contains("error[MP0506]: the user data of instance.first is not what was planned")
    );
    let log = folder.done("local log");
    assert!(!log.contains("Create") && !log.contains("RunInstances"), "{log}");
    canary_stays_hidden(&folder, "apply saved.json", 0);
    canary_stays_hidden(&folder, "plan --detailed-exitcode", 0);
}

#[test]
fn user_data_is_shown_line_by_line_to_who_asks_for_it() {
    const STACK: &str = r##"
stack "one" { region = "eu-west-1" }

variable "key" {
  type      = string
  default   = "none"
  sensitive = true
}

vpc "lab" { cidr = "10.0.0.0/16" }

subnet "a" {
  vpc  = vpc.lab
  cidr = "10.0.1.0/24"
}

instance "a" {
  instance_type = "t3.micro"
  subnet        = subnet.a
  user_data     = "#!/bin/sh\nset -eu\nmirror-vxlan --tap mirror0\n"
}
"##;
    let folder = Folder::with(STACK);
    folder.done("apply --auto-approve");
    folder.edit("--tap mirror0", "--tap mirror1");
    let blocks = |arguments: &str| {
        let text = folder.done(arguments);
        let (_, rest) =
            text.split_once("following actions:\n\n").expect("there is something to do");
        rest.split_once("\n\nPlan: ").expect("and it is summed up").0.to_owned()
    };
    let id = regex::Regex::new("i-[0-9a-f]{17}").unwrap();
    insta::assert_snapshot!(id.replace_all(&blocks("plan --show-user-data"), "i-..."), @r#"
    # instance.a will be updated in-place
    ~ instance "a" {
          id        = "i-..."
        ~ user_data = <<-EOT
              #!/bin/sh
              set -eu
            - mirror-vxlan --tap mirror0
            + mirror-vxlan --tap mirror1
          EOT
          tags      = {
              "Name" = "a"
          }
          # (10 unchanged attributes hidden)
      }
    "#);
    assert!(blocks("plan").contains("(sensitive, sha256:"));
    folder.done("plan --show-user-data --out saved.json");
    assert!(!folder.done("show saved.json").contains("tap"));
    // The new value is sensitive, so neither side is shown.
    folder.edit("--tap mirror1", "--tap ${var.key}");
    let hidden = blocks("plan --show-user-data");
    assert!(!hidden.contains("tap") && hidden.contains("(sensitive, sha256:"), "{hidden}");
}
