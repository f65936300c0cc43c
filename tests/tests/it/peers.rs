//! Clients that share no code with the local AWS: boto3 and the AWS command line, against its server.
//!
//! They come from PyPI into a folder beside the build. Without Python or PyPI the test says that it
//! was skipped; where `CI` is set that is a failure, so that nobody believes it ran.

use std::path::{Path, PathBuf};
use std::process::Command;

use mirror_local::{Cloud, Server};

#[tokio::test(flavor = "multi_thread")]
async fn boto3_and_the_aws_command_line_find_the_local_aws_as_its_model_says() {
    let conformance = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mirror-local/conformance");
    let python = match python(&conformance.join("requirements.txt")) {
        Ok(python) => python,
        Err(why) => {
            assert!(std::env::var_os("CI").is_none(), "the peers cannot be had: {why}");
            println!("skipped: the peers cannot be had: {why}");
            return;
        }
    };
    let server = Server::bind(Cloud::in_memory(), 0).await.expect("a free port");
    let endpoint = format!("http://{}", server.address());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(async move {
        stopped.await.ok();
    }));
    let run = tokio::task::spawn_blocking(move || {
        Command::new(python)
            .arg(conformance.join("run.py"))
            .args(["--endpoint", &endpoint])
            .output()
            .expect("the interpreter that was just installed runs")
    });
    let output = run.await.expect("the process was waited for");
    stop.send(()).ok();
    serving.await.expect("the server stops when it is told to");
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{complained}");
    println!("{}", said.lines().last().unwrap_or_default());
}

/// The interpreter of an environment that has the packages of `requirements`.
fn python(requirements: &Path) -> Result<PathBuf, String> {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
    let python = environment.join("bin/python");
    let wanted = std::fs::read_to_string(requirements).map_err(|error| error.to_string())?;
    let stamp = environment.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(requirements))?;
    std::fs::write(&stamp, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}
