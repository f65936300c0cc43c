//! Transmission: whether a request was handed to the network, and whether it may be.
//!
//! The SDK's errors do not tell. To them, credentials that cannot be loaded and a connection that is closed in place of an
//! answer are both a "dispatch failure" for another reason; but the first changed nothing, and the second may have
//! created an object.

use std::cell::Cell;
use std::sync::Arc;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::errors::cause;
use super::{Fence, Standing};

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

/// A request that was held back.
#[derive(Debug, thiserror::Error)]
pub(super) enum HeldBack {
    /// Its run has given no sign of life for too long.
    #[error("another run may have taken over this stack")]
    Uncertain,
    /// Another run is at work.
    #[error("another run has taken over this stack")]
    Lost,
}

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
            match fence.as_ref().map(|fence| fence.standing()) {
                None | Some(Standing::Certain) => {}
                Some(Standing::Uncertain) => return Err(HeldBack::Uncertain.into()),
                Some(Standing::Lost) => return Err(HeldBack::Lost.into()),
            }
            transmission.set(Transmission::Begun);
            Ok(())
        });
        // A call that is not watched is one whose error nobody asks about.
        sent.unwrap_or(Ok(()))
    }
}

/// Repeats a request that was held back, until its run knows more.
impl ClassifyRetry for Watch {
    fn name(&self) -> &'static str {
        "Watch"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        match error.and_then(|error| cause(error)) {
            None => RetryAction::NoActionIndicated,
            Some(HeldBack::Uncertain) => RetryAction::transient_error(),
            Some(HeldBack::Lost) => RetryAction::RetryForbidden,
        }
    }
}
