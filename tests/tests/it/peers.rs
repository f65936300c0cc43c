//! Clients that share no code with the local AWS, against its server: boto3 and the AWS command
//! line here, Terraform in a file of its own; and programs that read plans.
//!
//! They are installed from PyPI into folders beside the build. Without Python or PyPI a test reports
//! that it was skipped; where `CI` is set that is a failure, so that nobody believes it ran.

mod linter;
mod microburst;
mod packages;
mod plan_readers;
mod s3;
mod terraform;

use std::path::Path;
use std::process::Command;

use mirror_local::data_plane::DataPlane;
use mirror_local::traffic::{Host, Mix};
use mirror_local::{Cloud, Meter, Server};
use mirror_tests::{REGION, Rig, lab};

#[tokio::test(flavor = "multi_thread")]
async fn boto3_and_the_aws_command_line_find_the_local_aws_as_its_model_says() {
    conform(Cloud::in_memory(), &[]).await;
}

/// Covers both protocols of CloudWatch; boto3 prefers JSON.
#[tokio::test(flavor = "multi_thread")]
async fn boto3_reads_what_was_counted_as_its_model_says() {
    let rig = Rig::instant();
    rig.converge(&lab()).await;
    let mut plane =
        DataPlane::of(&rig.cloud, REGION, 9001).expect("a cloud in memory has no files");
    let mirrored = plane.interfaces().iter().filter(|it| !it.sessions().is_empty());
    let hosts = mirrored.map(|it| Host { address: it.primary(), resolver: it.primary() });
    let (hosts, mut meter) = (hosts.collect(), Meter::default());
    for timed in Mix::new(1, hosts).take(500) {
        plane.offer(timed.time, &timed.frame, |seen| meter.see(&seen, timed.frame.len()));
    }
    meter.publish(&plane, &rig.cloud).expect("a cloud in memory has no files");
    conform(rig.cloud, &["--standing", REGION, "--only", "counters"]).await;
}

#[test]
fn an_environment_is_made_once_however_many_ask_for_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let requirements = folder.path().join("requirements.txt");
    std::fs::write(&requirements, "# Nothing beyond Python itself.\n")
        .expect("a folder of our own");
    let environment = folder.path().join("environment");
    let asked = std::thread::scope(|scope| {
        let ask = || packages::install(&environment, &requirements);
        [scope.spawn(ask), scope.spawn(ask), scope.spawn(ask)].map(|it| it.join().unwrap())
    });
    match asked {
        [Ok(one), Ok(two), Ok(three)] => assert!(one.is_file() && one == two && two == three),
        [one, two, three] => {
            let wrong: Vec<String> =
                [one, two, three].into_iter().filter_map(Result::err).collect();
            assert_eq!(wrong.len(), 3, "one was given what others were not: {wrong:?}");
            println!("{}", skipped(&wrong[0]));
        }
    }
}

/// Runs the conformance checks against a cloud.
async fn conform(cloud: Cloud, arguments: &'static [&str]) {
    let conformance = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mirror-local/conformance");
    let python = match packages::python("peers", &conformance.join("requirements.txt")) {
        Ok(python) => python,
        Err(why) => return println!("{}", skipped(&why)),
    };
    let client = move |endpoint: &str| {
        Command::new(python)
            .arg(conformance.join("run.py"))
            .args(["--endpoint", endpoint])
            .args(arguments)
            .output()
            .expect("the interpreter that was just installed runs")
    };
    let output = serve(cloud, client).await;
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{complained}");
    println!("{}", said.lines().last().unwrap_or_default());
}

/// Returns the message of a skipped test, or fails where tests must not be skipped.
fn skipped(why: &str) -> String {
    assert!(std::env::var_os("CI").is_none(), "the peers cannot be had: {why}");
    format!("skipped: the peers cannot be had: {why}")
}

/// Serves a cloud for as long as a client runs, and gives the client the endpoint.
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
