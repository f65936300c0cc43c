//! The AWS SDK's HTTP client, answered by a cloud in the same process.

use crate::cloud::{Cloud, Reply};
use aws_smithy_async::rt::sleep::{AsyncSleep as _, SharedAsyncSleep};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

impl Cloud {
    /// Returns an HTTP client for the configuration of an SDK client, whose calls this cloud
    /// answers in process.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(Client(self.clone()))
    }
}

#[derive(Debug, Clone)]
struct Client(Cloud);

impl HttpClient for Client {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            cloud: self.0.clone(),
            sleep: components.sleep_impl(),
        })
    }
}

/// The connection of one SDK client, which waits with that client's own sleep.
#[derive(Debug)]
struct Connector {
    cloud: Cloud,
    sleep: Option<SharedAsyncSleep>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (cloud, sleep) = (self.cloud.clone(), self.sleep.clone());
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(broken)?;
            let (head, body) = request.into_parts();
            let body = body.bytes().ok_or_else(|| broken("the body is a stream"))?;
            let Reply { delay, response } = cloud.call(&head, body);
            match &sleep {
                Some(sleep) if !delay.is_zero() => sleep.sleep(delay).await,
                _ => {}
            }
            let response =
                response.ok_or_else(|| ConnectorError::io("the connection was dropped".into()))?;
            let mut answer = http::Response::builder()
                .status(response.status)
                .header("content-type", response.content_type)
                .header("x-amzn-requestid", response.request_id)
                .header("server", "mirror-local");
            for (name, value) in response.headers {
                answer = answer.header(name, value);
            }
            let answer = answer.body(SdkBody::from(response.body)).map_err(broken)?;
            HttpResponse::try_from(answer).map_err(broken)
        })
    }
}

fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectorError {
    ConnectorError::other(error.into(), None)
}
