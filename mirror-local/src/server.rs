//! A cloud on a loopback port, for any AWS client.

use crate::action::action_names;
use crate::cloud::{Cloud, Reply};
use crate::request::Service;
use http::request::Parts;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// No AWS Query request is longer.
const BODY_LENGTH_MAX: usize = 16 << 20;

/// How long a stopping server waits for calls in flight.
const STOPPING: Duration = Duration::from_secs(5);

/// A cloud that listens on 127.0.0.1.
#[derive(Debug)]
pub struct Server {
    cloud: Cloud,
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Binds a port; 0 binds any that is free.
    ///
    /// # Errors
    ///
    /// Fails if the port is not available.
    pub async fn bind(cloud: Cloud, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        Ok(Self { cloud, listener, address })
    }

    /// Returns where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is ready, then lets calls in flight finish.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let graceful = GracefulShutdown::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => serve(self.cloud.clone(), stream, &graceful),
                    // Out of file descriptors, or a client that left: neither lasts.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                },
            }
        }
        drop(self.listener);
        let _ = tokio::time::timeout(STOPPING, graceful.shutdown()).await;
    }
}

/// Answers the calls of one connection, in a task of its own.
fn serve(cloud: Cloud, stream: TcpStream, graceful: &GracefulShutdown) {
    // Answers are written whole; waiting for more to send with them only adds latency.
    stream.set_nodelay(true).ok();
    let service = service_fn(move |request| answer(cloud.clone(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // A broken connection concerns only the client or the fault that broke it.
        connection.await.ok();
    });
}

async fn answer(cloud: Cloud, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_LENGTH_MAX).collect().await.map_err(io::Error::other)?;
    let body = body.to_bytes();
    if is_reset(&head) {
        return reset(&cloud);
    }
    if asks_for_actions(&head) {
        return actions();
    }
    let Reply { delay, response } = cloud.call(&head, &body);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let response = response.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionAborted))?;
    let mut answer = Response::builder()
        .status(response.status)
        .header("content-type", response.content_type)
        .header("x-amzn-requestid", response.request_id)
        .header("server", "mirror-local");
    for (name, value) in response.headers {
        answer = answer.header(name, value);
    }
    answer.body(Full::from(response.body)).map_err(io::Error::other)
}

/// The path that test suites written for emulators call to start afresh.
fn is_reset(head: &Parts) -> bool {
    head.method == Method::POST && head.uri.path() == "/moto-api/reset"
}

fn reset(cloud: &Cloud) -> io::Result<Response<Full<Bytes>>> {
    cloud.reset().map_err(io::Error::other)?;
    Response::builder()
        .header("content-type", "application/json")
        .body(Full::from("{\"status\": \"ok\"}"))
        .map_err(io::Error::other)
}

/// The path that a test suite calls to learn what there is to test.
fn asks_for_actions(head: &Parts) -> bool {
    head.method == Method::GET && head.uri.path() == "/_mirror/actions"
}

/// Lists the actions of every service as JSON, by the service's name in a signature.
fn actions() -> io::Result<Response<Full<Bytes>>> {
    let services = [
        Service::Ec2,
        Service::LoadBalancing,
        Service::AutoScaling,
        Service::Parameters,
        Service::Tokens,
        Service::Storage,
        Service::Metrics,
        Service::Sharing,
    ];
    let actions: serde_json::Map<String, serde_json::Value> = services
        .into_iter()
        .map(|service| (service.signing_name().to_owned(), action_names(service).into()))
        .collect();
    Response::builder()
        .header("content-type", "application/json")
        .body(Full::from(serde_json::Value::from(actions).to_string()))
        .map_err(io::Error::other)
}
