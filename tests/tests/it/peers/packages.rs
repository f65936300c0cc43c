//! Packages from PyPI, in environments beside the build.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the interpreter of the environment `name`, which has the packages of `requirements`.
pub(super) fn python(name: &str, requirements: &Path) -> Result<PathBuf, String> {
    install(&Path::new(env!("CARGO_TARGET_TMPDIR")).join(name), requirements)
}

/// Creates an environment unless it exists; all others that ask for it wait meanwhile.
pub(super) fn install(environment: &Path, requirements: &Path) -> Result<PathBuf, String> {
    let python = environment.join("bin/python");
    let wanted = fs::read_to_string(requirements).map_err(|error| error.to_string())?;
    let stamp = environment.join("installed.txt");
    // The lock is beside the environment, not in it: creating an environment empties its folder.
    let one_at_a_time = File::create(environment.with_extension("lock"))
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|error| error.to_string())?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment))?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(requirements))?;
    fs::write(&stamp, wanted).map_err(|error| error.to_string())?;
    drop(one_at_a_time);
    Ok(python)
}

/// Returns the folder into which the packages of an interpreter's environment were installed.
pub(super) fn folder(python: &Path) -> Result<PathBuf, String> {
    let code = "import sysconfig; print(sysconfig.get_path('purelib'))";
    Ok(PathBuf::from(run(Command::new(python).args(["-c", code]))?.trim()))
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}
