//! A cloud in memory, served on the loopback port given as the only argument.

#![expect(clippy::print_stdout, reason = "an example prints for whoever started it")]

use mirror_local::{Cloud, Server};
use std::io;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(0);
    let server = Server::bind(Cloud::in_memory(), port).await?;
    println!("http://{}", server.address());
    server.run(std::future::pending()).await;
    Ok(())
}
