//! Clients that share no code with the local AWS, against its server: boto3 and the AWS command
//! line here, Terraform in a file of its own; and programs that read plans.
//!
//! They come from PyPI into folders beside the build. Without Python or PyPI a test says that it was
//! skipped; where `CI` is set that is a failure, so that nobody believes it ran.

mod linter;
mod microburst;
mod packages;
mod plan_readers;
mod terraform;

use std::path::Path;
use std::process::Command;

use mirror_local::{Cloud, Server};

#[tokio::test(flavor = "multi_thread")]
async fn boto3_and_the_aws_command_line_find_the_local_aws_as_its_model_says() {
    let conformance = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mirror-local/conformance");
    let python = match packages::python("peers", &conformance.join("requirements.txt")) {
        Ok(python) => python,
        Err(why) => return println!("{}", skipped(&why)),
    };
    let client = move |endpoint: &str| {
        Command::new(python)
            .arg(conformance.join("run.py"))
            .args(["--endpoint", endpoint])
            .output()
            .expect("the interpreter that was just installed runs")
    };
    let output = serve(Cloud::in_memory(), client).await;
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{complained}");
    println!("{}", said.lines().last().unwrap_or_default());
}

/// Returns what a test says that is skipped, or fails where that must not be.
fn skipped(why: &str) -> String {
    assert!(std::env::var_os("CI").is_none(), "the peers cannot be had: {why}");
    format!("skipped: the peers cannot be had: {why}")
}

/// Serves a cloud for as long as a client runs, which is told the endpoint.
async fn serve<T: Send + 'static>(
    cloud: Cloud,
    client: impl FnOnce(&str) -> T + Send + 'static,
) -> T {
    let server = Server::bind(cloud, 0).await.expect("a free port");
    let endpoint = format!("http://{}", server.address());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(async move {
        stopped.await.ok();
    }));
    let outcome = tokio::task::spawn_blocking(move || client(&endpoint)).await;
    stop.send(()).ok();
    serving.await.expect("the server stops when it is told to");
    outcome.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
