//! What stands between the SDK and the cloud when a safeguard is removed: the library is unchanged,
//! but its requests arrive as if it lacked the safeguard.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

/// How many times the SDK sends a request by default.
const ATTEMPTS: usize = 3;

/// What happens to requests on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Toll {
    /// A request has a different client token each time it is sent.
    FreshTokens,
    /// A request that gets no answer, or a 500, is sent again, as the SDK does by itself.
    Replay,
}

/// An HTTP client whose requests pass through a door.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) client: SharedHttpClient,
    pub(super) toll: Toll,
}

impl HttpClient for Door {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let behind = self.client.http_connector(settings, components);
        SharedHttpConnector::new(Passage { behind, toll: self.toll })
    }
}

#[derive(Debug)]
struct Passage {
    behind: SharedHttpConnector,
    toll: Toll,
}

impl HttpConnector for Passage {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        match self.toll {
            Toll::FreshTokens => {
                renew_token(&mut request);
                self.behind.call(request)
            }
            Toll::Replay => replay(self.behind.clone(), request),
        }
    }
}

fn replay(behind: SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
    HttpConnectorFuture::new(async move {
        let copy = || request.try_clone().expect("its body is in memory");
        for _ in 1..ATTEMPTS {
            match behind.call(copy()).await {
                Ok(answer) if answer.status().as_u16() != 500 => return Ok(answer),
                Ok(_) | Err(_) => {}
            }
        }
        behind.call(copy()).await
    })
}

/// Replaces the client token, if there is one, with another text of the same length.
fn renew_token(request: &mut HttpRequest) {
    const NAME: &str = "ClientToken=";
    let text = request.body().bytes().and_then(|body| std::str::from_utf8(body).ok());
    let Some((before, rest)) = text.and_then(|text| text.split_once(NAME)) else { return };
    let (token, after) = rest.split_at(rest.find('&').unwrap_or(rest.len()));
    let fresh: String = token.chars().map(|_| fastrand::alphanumeric()).collect();
    let body = format!("{before}{NAME}{fresh}{after}");
    *request.body_mut() = SdkBody::from(body);
}
