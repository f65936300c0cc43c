//! An endpoint that stands in for AWS but does not know dry runs.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use mirror_local::Cloud;

/// A cloud that treats every dry run as the call itself.
#[derive(Debug)]
struct Deaf(SharedHttpClient);

/// Returns the client of such a cloud.
pub(super) fn client(cloud: &Cloud) -> SharedHttpClient {
    SharedHttpClient::new(Deaf(cloud.http_client()))
}

impl HttpClient for Deaf {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Ear(self.0.http_connector(settings, components)))
    }
}

#[derive(Debug)]
struct Ear(SharedHttpConnector);

impl HttpConnector for Ear {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let text = request.body().bytes().and_then(|body| std::str::from_utf8(body).ok());
        if let Some(text) = text.filter(|text| text.contains("DryRun")) {
            *request.body_mut() = SdkBody::from(text.replace("&DryRun=true", ""));
        }
        self.0.call(request)
    }
}
