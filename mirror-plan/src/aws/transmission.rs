//! Transmission: whether a request was handed to the network.
//!
//! The SDK's errors do not tell. To them, credentials that cannot be loaded and a connection that is closed in place of an
//! answer are both a "dispatch failure" for another reason; but the first changed nothing, and the second may have
//! created an object.

use std::cell::Cell;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// How far the requests of a call got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transmission {
    /// Nothing was sent.
    Never,
    /// At least one request was handed to the HTTP client, so it may have arrived.
    Begun,
}

tokio::task_local! {
    /// That of the call that this task waits for.
    static TRANSMISSION: Cell<Transmission>;
}

/// Awaits the outcome of a call by a client that has a [`Watch`].
pub(super) async fn watched<T>(call: impl Future<Output = T>) -> (T, Transmission) {
    let watched = async {
        let outcome = call.await;
        (outcome, TRANSMISSION.with(Cell::get))
    };
    TRANSMISSION.scope(Cell::new(Transmission::Never), watched).await
}

/// Notices when a request is handed to the HTTP client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch;

impl Intercept for Watch {
    fn name(&self) -> &'static str {
        "Watch"
    }

    /// Called last before the HTTP client, in each attempt.
    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // A call that is not watched is one whose error nobody asks about.
        let _ = TRANSMISSION.try_with(|transmission| transmission.set(Transmission::Begun));
        Ok(())
    }
}
