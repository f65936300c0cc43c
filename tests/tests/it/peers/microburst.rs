//! Faults written by others: microburst, a proxy from PyPI, stands between the real binary and the
//! local AWS. `MIRROR_LONG=1` tries each action by itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{packages, skipped};

#[test]
fn microburst_breaks_every_call_and_nothing_comes_of_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let here = folder.join("tests/it/peers/microburst");
    let python = match packages::python("microburst", &here.join("requirements.txt")) {
        Ok(python) => python,
        Err(why) => return println!("{}", skipped(&why)),
    };
    let Some(mirror) = binary() else {
        return println!("{}", skipped("`mirror` is not built: cargo build --workspace"));
    };
    let mut command = Command::new(python);
    command.arg("-B").arg(here.join("run.py"));
    command.arg("--mirror").arg(mirror);
    command.arg("--stack").arg(folder.join("../examples/lab.mirror.hcl"));
    if std::env::var_os("MIRROR_LONG").is_some() {
        command.arg("--each");
    }
    let output = command.output().expect("the interpreter that was just installed runs");
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{complained}");
    println!("{}", said.lines().last().unwrap_or_default());
}

/// Returns the path of the `mirror` binary, which cargo builds beside this test for the tests of its own crate.
pub(super) fn binary() -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    let mirror = test.parent()?.parent()?.join("mirror");
    mirror.is_file().then_some(mirror)
}
