//! A gate: an HTTP client that stops one mutating call or one write of a journal in S3, so that its run can be frozen
//! there and another one can take over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use mirror_local::{Cloud, LoggedCall};
use tokio::sync::watch;

/// On which side of its effect a call is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It has not reached the cloud.
    Before,
    /// The cloud has executed it, and the answer is on its way.
    After,
}

/// The gate, and what is behind it.
#[derive(Clone, Debug)]
pub struct Gate {
    inner: SharedHttpClient,
    /// Which of the mutating calls and writes is stopped, counted from 1.
    call: u64,
    side: Side,
    seen: Arc<AtomicU64>,
    state: Arc<watch::Sender<State>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Reached,
    Open,
}

impl Gate {
    /// A gate in front of a cloud.
    #[must_use]
    pub fn new(cloud: &Cloud, call: u64, side: Side) -> Self {
        let (seen, state) = (Arc::default(), Arc::new(watch::Sender::new(State::Waiting)));
        Self { inner: cloud.http_client(), call, side, seen, state }
    }

    /// Returns once the call is stopped.
    pub async fn reached(&self) {
        self.wait_for(State::Reached).await;
    }

    /// Lets the call continue.
    pub fn open(&self) {
        self.state.send_replace(State::Open);
    }

    async fn wait_for(&self, wanted: State) {
        let mut state = self.state.subscribe();
        // The sender lives as long as the gate.
        drop(state.wait_for(|state| *state == wanted).await);
    }

    async fn stop(&self) {
        self.state.send_replace(State::Reached);
        self.wait_for(State::Open).await;
    }
}

impl HttpClient for Gate {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { gate: self.clone(), inner })
    }
}

#[derive(Debug)]
struct Connector {
    gate: Gate,
    inner: SharedHttpConnector,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (gate, inner) = (self.gate.clone(), self.inner.clone());
        let changes = match action(&request) {
            Some(action) => changes_something(&action),
            None => request.method() == "PUT", // a write of the journal
        };
        let is_stopped = changes && gate.seen.fetch_add(1, Ordering::Relaxed) + 1 == gate.call;
        HttpConnectorFuture::new(async move {
            if is_stopped && gate.side == Side::Before {
                gate.stop().await;
            }
            let answer = inner.call(request).await;
            if is_stopped && gate.side == Side::After {
                gate.stop().await;
            }
            answer
        })
    }
}

/// The action of a call in the Query protocol: EC2's and ELB's, not S3's.
fn action(request: &HttpRequest) -> Option<String> {
    let body = std::str::from_utf8(request.body().bytes()?).ok()?;
    let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="))?;
    Some(action.to_owned())
}

fn changes_something(action: &str) -> bool {
    !(action.starts_with("Describe") || action.starts_with("Get"))
}

/// Whether a call changes anything in the account other than its buckets.
#[must_use]
pub fn changes_the_account(call: &LoggedCall) -> bool {
    call.service != "s3" && changes_something(&call.action)
}
