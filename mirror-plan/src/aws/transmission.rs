//! Transmission: whether a request was handed to the network, and whether it may be.
//!
//! The SDK's errors do not tell. To them, credentials that cannot be loaded and a connection that is closed in place of an
//! answer are both a "dispatch failure" for another reason; but the first changed nothing, and the second may have
//! created an object.

use std::cell::Cell;
use std::sync::Arc;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::Fence;

/// How far the requests of a call got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transmission {
    /// Nothing was sent.
    Never,
    /// At least one request was handed to the HTTP client, so it may have arrived.
    Begun,
}

/// A call that is waited for.
struct Watched {
    transmission: Cell<Transmission>,
    fence: Option<Arc<dyn Fence>>,
}

tokio::task_local! {
    /// The call that this task waits for.
    static WATCHED: Watched;
}

/// A request that was held back, because another run may be at work by now.
#[derive(Debug, thiserror::Error)]
#[error("another run may have taken over since the last sign of life of this one")]
struct HeldBack;

/// Awaits the outcome of a call by a client that has a [`Watch`]. No request of it is sent once the fence does not hold.
pub(super) async fn watched<T>(
    call: impl Future<Output = T>,
    fence: Option<Arc<dyn Fence>>,
) -> (T, Transmission) {
    let watched = async {
        let outcome = call.await;
        (outcome, WATCHED.with(|watched| watched.transmission.get()))
    };
    let transmission = Cell::new(Transmission::Never);
    WATCHED.scope(Watched { transmission, fence }, watched).await
}

/// Notices when a request is handed to the HTTP client, and holds it back if it may not be.
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
        let sent = WATCHED.try_with(|Watched { transmission, fence }| {
            if fence.as_ref().is_some_and(|fence| !fence.holds()) {
                return Err(HeldBack.into());
            }
            transmission.set(Transmission::Begun);
            Ok(())
        });
        // A call that is not watched is one whose error nobody asks about.
        sent.unwrap_or(Ok(()))
    }
}
