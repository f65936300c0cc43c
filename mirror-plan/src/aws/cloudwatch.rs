//! CloudWatch: the one call of it that is made, `GetMetricData`, by the machinery of the SDK's own clients.
//!
//! The SDK's client for CloudWatch asks for another set of features of the SDK's crates, and brings a second
//! protocol. The Query protocol that CloudWatch also speaks is that of EC2 and of Elastic Load Balancing, so that
//! nothing new is built for a form and an answer in XML: credentials, signature, endpoint, HTTP client, retries
//! and time-outs are those of every other call.
//!
//! Source: CloudWatch API reference, version 2010-08-01, `GetMetricData`.

use std::fmt;

use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::recursion_detection::RecursionDetectionInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{
    DisableClockSkewCorrection, ServiceClockSkewClassifier, ServiceClockSkewInterceptor,
};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::defaults::{DefaultPluginParams, default_plugins};
use aws_smithy_runtime::client::http::connection_poisoning::ConnectionPoisoningInterceptor;
use aws_smithy_runtime::client::orchestrator::invoke;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::endpoint::EndpointResolverParams;
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use aws_smithy_runtime_api::client::interceptors::context::{Error as AnyError, Input, Output};
use aws_smithy_runtime_api::client::orchestrator::{
    HttpRequest, HttpResponse, Metadata, OrchestratorError,
};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::{RuntimePlugins, StaticRuntimePlugin};
use aws_smithy_runtime_api::client::ser_de::{
    DeserializeResponse, SerializeRequest, SharedRequestSerializer, SharedResponseDeserializer,
};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{ConfigBag, FrozenLayer, Layer};
use aws_types::SdkConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use aws_types::request_id::RequestId as _;
use tracing::Instrument as _;

use super::{retry, whole};

mod endpoint;
mod wire;

pub(super) use wire::{Batch, Page, Refusal, Returned, StatusCode};

/// The name of the call.
pub(super) const CALL: &str = "GetMetricData";

/// The name of the service among those of the SDK.
const SERVICE: &str = "CloudWatch";

/// What CloudWatch is called in a signature and in its endpoints.
const SIGNING_NAME: &str = "monitoring";

/// What tells it from the SDK's clients in the user agent.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What sends the call. Clones are cheap.
#[derive(Clone)]
pub(super) struct Client {
    plugins: RuntimePlugins,
}

impl Client {
    /// Makes one with the credentials, Region, endpoint and HTTP client of a configuration.
    pub(super) fn new(config: &SdkConfig) -> Self {
        let defaults = DefaultPluginParams::new()
            .with_retry_partition_name(SERVICE)
            .with_behavior_version(retry::behavior())
            .with_is_aws_sdk(true);
        let own = StaticRuntimePlugin::new()
            .with_config(settings(config))
            .with_runtime_components(components(config));
        let plugins = RuntimePlugins::new()
            .with_client_plugins(default_plugins(defaults))
            .with_client_plugin(own);
        Self { plugins }
    }

    /// Sends the call.
    pub(super) async fn get_metric_data(
        &self,
        batch: Batch,
    ) -> Result<Page, SdkError<Refusal, HttpResponse>> {
        let span = tracing::debug_span!(
            "CloudWatch.GetMetricData",
            "rpc.service" = SERVICE,
            "rpc.method" = CALL,
            "rpc.system" = "aws-api",
        );
        let answer = invoke(SERVICE, CALL, Input::erase(batch), &self.plugins).instrument(span);
        let refused = |error: AnyError| error.downcast().expect("errors are made by `Answers`");
        let answer = answer.await.map_err(|error| error.map_service_error(refused))?;
        Ok(answer.downcast().expect("answers are made by `Answers`"))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plugins: _ } = self;
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// What the machinery looks up by type.
fn settings(config: &SdkConfig) -> FrozenLayer {
    let mut layer = Layer::new(SERVICE);
    layer.store_put(Metadata::new(CALL, SERVICE));
    layer.store_put(ApiMetadata::new("cloudwatch", VERSION));
    layer.store_put(SharedRequestSerializer::new(Requests));
    layer.store_put(SharedResponseDeserializer::new(Answers));
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(EndpointResolverParams::new(()));
    layer.store_put(retry::attempts());
    layer.store_put(retry::partition());
    layer.store_put(retry::limits());
    let mut signing_options = SigningOptions::default();
    signing_options.double_uri_encode = true;
    signing_options.normalize_uri_path = true;
    layer.store_put(SigV4OperationSigningConfig {
        region: config.region().cloned().map(SigningRegion::from),
        name: Some(SigningName::from_static(SIGNING_NAME)),
        signing_options,
        ..SigV4OperationSigningConfig::default()
    });
    if let Some(region) = config.region().cloned() {
        layer.store_put(region);
    }
    if let Some(app) = config.app_name().cloned() {
        layer.store_put(app);
    }
    for metadata in config.framework_metadata() {
        layer.store_append(metadata.clone());
    }
    if let Some(disabled) = config.disable_clock_skew_correction() {
        layer.store_put(DisableClockSkewCorrection::from(disabled));
    }
    layer.freeze()
}

/// What does the work.
fn components(config: &SdkConfig) -> RuntimeComponentsBuilder {
    let mut components = RuntimeComponentsBuilder::new(SERVICE);
    components.set_http_client(config.http_client());
    components.set_sleep_impl(config.sleep_impl());
    components.set_time_source(config.time_source());
    components.set_identity_cache(config.identity_cache());
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, credentials);
    }
    components.set_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
        StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
    )));
    components.push_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
    components.set_endpoint_resolver(Some(endpoint::resolver(config)));
    // As the SDK's clients for Query services have them.
    let permanent = SharedInterceptor::permanent(ConnectionPoisoningInterceptor::new());
    components.push_interceptor(permanent);
    components.push_interceptor(ServiceClockSkewInterceptor::new());
    components.push_interceptor(RequestInfoInterceptor::new());
    components.push_interceptor(UserAgentInterceptor::new());
    components.push_interceptor(InvocationIdInterceptor::new());
    components.push_interceptor(SharedInterceptor::permanent(RecursionDetectionInterceptor::new()));
    components.push_interceptor(SharedInterceptor::permanent(whole::Whole));
    components.push_retry_classifier(HttpStatusCodeClassifier::default());
    components.push_retry_classifier(TransientErrorClassifier::<Refusal>::new());
    components.push_retry_classifier(AwsErrorCodeClassifier::<Refusal>::new());
    components.push_retry_classifier(ServiceClockSkewClassifier::<Refusal>::new());
    components.push_retry_classifier(whole::Whole);
    components
}

/// What writes requests.
#[derive(Debug)]
struct Requests;

impl SerializeRequest for Requests {
    fn serialize_input(&self, input: Input, _bag: &mut ConfigBag) -> Result<HttpRequest, BoxError> {
        let batch: Batch = input.downcast().map_err(|_| "the input is no `Batch`")?;
        let form = batch.form()?;
        let length = form.len().to_string();
        let mut request = HttpRequest::new(SdkBody::from(form));
        request.set_method("POST")?;
        request.set_uri("/")?;
        let headers = request.headers_mut();
        headers.insert("content-type", "application/x-www-form-urlencoded");
        headers.insert("content-length", length);
        Ok(request)
    }
}

/// What reads answers.
#[derive(Debug)]
struct Answers;

impl DeserializeResponse for Answers {
    fn deserialize_nonstreaming_with_config(
        &self,
        answer: &HttpResponse,
        _bag: &ConfigBag,
    ) -> Result<Output, OrchestratorError<AnyError>> {
        tracing::debug!(request_id = ?answer.request_id());
        let body = answer.body().bytes().unwrap_or_default();
        if answer.status().is_success() {
            Page::read(body)
                .map(Output::erase)
                .map_err(|error| OrchestratorError::response(error.into()))
        } else {
            let refusal = Refusal::read(body, answer.headers());
            Err(OrchestratorError::operation(AnyError::erase(refusal)))
        }
    }
}
