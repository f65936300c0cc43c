//! How calls reach AWS: over TLS, and through the proxy that the environment names.

use std::io::{self, Read as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

#[cfg(unix)]
use mirror_local::{Calls, Fault, Faults};
use mirror_local::{Cloud, Server};
use tokio::runtime::Builder;

#[cfg(unix)]
use super::killed::Served;
use super::{Folder, SMALL, shown};

/// `mirror plan` of a small stack with an endpoint for all services.
fn plan(folder: &Folder, endpoint: &str) -> Command {
    let mut command = folder.command("plan");
    command.env("AWS_ENDPOINT_URL", endpoint);
    command.env("AWS_ACCESS_KEY_ID", "any").env("AWS_SECRET_ACCESS_KEY", "any");
    command
}

/// No host has a name that ends in `invalid` (RFC 6761), so the calls can only have gone to the proxy.
#[test]
fn calls_go_through_the_proxy_of_the_environment() {
    let runtime =
        Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let server =
        runtime.block_on(Server::bind(Cloud::in_memory(), 0)).expect("there is a free port");
    let proxy = format!("http://{}", server.address());
    runtime.spawn(server.run(std::future::pending()));
    let folder = Folder::with(SMALL);
    let planned = plan(&folder, "http://aws.invalid").env("HTTP_PROXY", &proxy).output();
    let planned = shown(&planned.expect("mirror runs"));
    assert!(planned.contains("Plan: 2 to add"), "{planned}");
}

/// The variables are those of every AWS SDK, so they may be set for another tool.
#[cfg(unix)]
#[test]
fn the_environment_does_not_change_how_often_a_refused_call_is_repeated() {
    const REFUSED: u64 = 5;
    let refused = || Fault::refused("RequestLimitExceeded", 503);
    let faults = (1..=REFUSED)
        .fold(Faults::none(), |faults, nth| faults.fail(Calls::Mutating, nth, refused()));
    let (served, folder) = (Served::start(), Folder::with(SMALL));
    served.cloud.set_faults(faults);
    let mut apply = served.command(&folder, "apply --auto-approve --parallelism 1");
    let applied = apply.env("AWS_RETRY_MODE", "adaptive").env("AWS_MAX_ATTEMPTS", "1").output();
    let applied = shown(&applied.expect("mirror runs"));
    assert!(applied.contains("Apply complete! Resources: 2 added"), "{applied}");
    let log = served.cloud.log().expect("the log is in memory");
    assert_eq!(log.iter().filter(|call| call.error.is_some()).count() as u64, REFUSED);
}

/// The first message of a client (RFC 8446, 4.1.2) is in a handshake record. It has a key share for X25519MLKEM768: the
/// group, and the length of what follows, 1,184 bytes of ML-KEM and 32 of X25519.
#[test]
fn an_https_endpoint_is_offered_a_post_quantum_key_exchange() {
    const HANDSHAKE: u8 = 22;
    const KEY_SHARE: [u8; 4] = [0x11, 0xec, 0x04, 0xc0];
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("it is bound");
    let (give, said) = mpsc::channel();
    thread::spawn(move || give.send(first_record(&listener)));
    let folder = Folder::with(SMALL);
    let mut command = plan(&folder, &format!("https://{address}"));
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut mirror = command.spawn().expect("mirror runs");
    let hello = said.recv_timeout(Duration::from_secs(60));
    // Otherwise it would try again.
    mirror.kill().expect("it was started");
    mirror.wait().expect("it was started");
    let (sort, hello) = hello.expect("mirror calls").expect("it says something");
    assert_eq!(sort, HANDSHAKE, "{hello:?}");
    assert!(hello.windows(4).any(|share| share == KEY_SHARE), "{hello:?}");
}

/// The type and the content of the first record that comes in (RFC 8446, 5.1).
fn first_record(listener: &TcpListener) -> io::Result<(u8, Vec<u8>)> {
    let (mut stream, _) = listener.accept()?;
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    let [sort, _, _, length @ ..] = head;
    let mut content = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut content)?;
    Ok((sort, content))
}
