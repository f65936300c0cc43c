//! Other people's programs, as the judges of what we write.

use std::io::ErrorKind;
use std::process::Command;

/// Runs a program and returns what it printed; if it is not installed, prints that and returns `None`.
///
/// A program that fails, or that complains, fails the test.
#[track_caller]
pub(crate) fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let output = match Command::new(program).args(arguments).output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: {program} is not installed");
            return None;
        }
        Err(error) => panic!("{program}: {error}"),
    };
    let complaints: String = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| !line.contains("as user \"root\""))
        .collect();
    assert!(output.status.success() && complaints.is_empty(), "{program}: {complaints}");
    Some(String::from_utf8(output.stdout).unwrap())
}
