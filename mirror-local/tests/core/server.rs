//! The loopback server, tested with raw bytes.

use mirror_local::{Cloud, Server};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// Sends requests over one connection and returns all that comes back.
fn exchange(address: SocketAddr, requests: &[(&str, &str)]) -> String {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    for (index, (path, body)) in requests.iter().enumerate() {
        let close = if index + 1 == requests.len() { "connection: close\r\n" } else { "" };
        let length = body.len();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n{close}\r\n{body}"
        )
        .expect("the server reads");
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the answer is text");
    answer
}

#[tokio::test]
async fn a_connection_carries_many_calls_and_the_server_stops() {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let cloud = Cloud::in_memory();
    let server = Server::bind(cloud.clone(), 0).await.unwrap();
    let address = server.address();
    let running = tokio::spawn(server.run(async {
        stopped.await.ok();
    }));
    let client = tokio::task::spawn_blocking(move || {
        let create = "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0%2F16";
        let describe = "Action=DescribeVpcs&Version=2016-11-15";
        exchange(address, &[("/", create), ("/", describe)])
    });
    let answer = client.await.unwrap();
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
    assert_eq!(answer.matches("x-amzn-requestid: ").count(), 2);
    assert_eq!(cloud.log().unwrap().len(), 2);
    let client = tokio::task::spawn_blocking(move || exchange(address, &[("/moto-api/reset", "")]));
    client.await.unwrap();
    assert_eq!(cloud.log().unwrap().len(), 0);
    stop.send(()).unwrap();
    running.await.unwrap();
}
