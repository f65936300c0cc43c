//! Calls that are sent by the machinery of the SDK's clients, but not by one of those clients.
//!
//! Two services are each asked only one thing, and their full clients would add nearly a minute to every build: only
//! the client of EC2 takes longer to compile than that of Systems Manager, and that of CloudWatch brings its own
//! protocol. Credentials, signature, endpoint, HTTP client, retries and time-outs are those of every other call; what
//! remains is to write a request and to read its answer, a [`Call`].

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;

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
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::SdkConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use aws_types::request_id::RequestId as _;
use tracing::Instrument as _;

use super::{retry, transmission, whole};

mod endpoint;
pub(super) mod metric_data;
pub(super) mod parameter;
mod protocol;

use protocol::Protocol;

/// One call of a service.
pub(super) trait Call: fmt::Debug + Send + Sync + 'static {
    /// The service.
    const SERVICE: Service;
    /// The name of the call.
    const NAME: &'static str;
    /// What is answered.
    type Answer: fmt::Debug + Send + Sync + 'static;

    /// Writes the body of the request.
    fn body(&self) -> Result<String, BoxError>;

    /// Reads the body of an answer that is not an error.
    fn read(body: &[u8]) -> Result<Self::Answer, BoxError>;
}

/// What must be known about a service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service {
    /// Its name in the SDK.
    id: &'static str,
    /// Its name in signatures and endpoints.
    signing_name: &'static str,
    /// The beginning of its endpoint for FIPS and dual stack in GovCloud, where services differ.
    fips_with_dual_stack_in_govcloud: &'static str,
    /// How requests and answers are written.
    protocol: Protocol,
}

/// A refused call.
#[derive(Clone, Debug)]
pub(super) struct Refusal(ErrorMetadata);

/// Distinguishes these calls from the SDK's clients in the user agent.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A client that sends a call. Clones are cheap.
pub(super) struct Client<C> {
    plugins: RuntimePlugins,
    call: PhantomData<fn(C)>,
}

impl<C: Call> Client<C> {
    /// Creates a client with the credentials, Region, endpoint and HTTP client of a configuration.
    pub(super) fn new(config: &SdkConfig) -> Self {
        let defaults = DefaultPluginParams::new()
            .with_retry_partition_name(C::SERVICE.id)
            .with_behavior_version(retry::behavior())
            .with_is_aws_sdk(true);
        let own = StaticRuntimePlugin::new()
            .with_config(settings::<C>(config))
            .with_runtime_components(components(config, C::SERVICE));
        let plugins = RuntimePlugins::new()
            .with_client_plugins(default_plugins(defaults))
            .with_client_plugin(own);
        Self { plugins, call: PhantomData }
    }

    /// Sends the call.
    pub(super) async fn send(&self, call: C) -> Result<C::Answer, SdkError<Refusal, HttpResponse>> {
        let Service { id, .. } = C::SERVICE;
        let span = tracing::debug_span!(
            "call",
            "rpc.service" = id,
            "rpc.method" = C::NAME,
            "rpc.system" = "aws-api",
        );
        let answer = invoke(id, C::NAME, Input::erase(call), &self.plugins).instrument(span);
        let refused = |error: AnyError| error.downcast().expect("errors are made by `Answers`");
        let answer = answer.await.map_err(|error| error.map_service_error(refused))?;
        Ok(answer.downcast().expect("answers are made by `Answers`"))
    }
}

impl<C> fmt::Debug for Client<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plugins: _, call: _ } = self;
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// Returns the settings that the machinery looks up by type.
fn settings<C: Call>(config: &SdkConfig) -> FrozenLayer {
    let Service { id, signing_name, .. } = C::SERVICE;
    let mut layer = Layer::new(id);
    layer.store_put(Metadata::new(C::NAME, id));
    layer.store_put(ApiMetadata::new(signing_name, VERSION));
    layer.store_put(SharedRequestSerializer::new(Requests::<C>(PhantomData)));
    layer.store_put(SharedResponseDeserializer::new(Answers::<C>(PhantomData)));
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
        name: Some(SigningName::from_static(signing_name)),
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

/// Returns the components that do the work.
fn components(config: &SdkConfig, service: Service) -> RuntimeComponentsBuilder {
    let mut components = RuntimeComponentsBuilder::new(service.id);
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
    components.set_endpoint_resolver(Some(endpoint::resolver(config, service)));
    // The SDK's own clients have these too.
    let permanent = SharedInterceptor::permanent(ConnectionPoisoningInterceptor::new());
    components.push_interceptor(permanent);
    components.push_interceptor(ServiceClockSkewInterceptor::new());
    components.push_interceptor(RequestInfoInterceptor::new());
    components.push_interceptor(UserAgentInterceptor::new());
    components.push_interceptor(InvocationIdInterceptor::new());
    components.push_interceptor(SharedInterceptor::permanent(RecursionDetectionInterceptor::new()));
    components.push_interceptor(SharedInterceptor::permanent(transmission::Watch));
    components.push_retry_classifier(HttpStatusCodeClassifier::default());
    components.push_retry_classifier(TransientErrorClassifier::<Refusal>::new());
    components.push_retry_classifier(AwsErrorCodeClassifier::<Refusal>::new());
    components.push_retry_classifier(ServiceClockSkewClassifier::<Refusal>::new());
    if service.protocol.is_xml() {
        components.push_interceptor(SharedInterceptor::permanent(whole::Whole));
        components.push_retry_classifier(whole::Whole);
    }
    components
}

/// Writes requests.
struct Requests<C>(PhantomData<fn(C)>);

impl<C: Call> SerializeRequest for Requests<C> {
    fn serialize_input(&self, input: Input, _bag: &mut ConfigBag) -> Result<HttpRequest, BoxError> {
        let call: C = input.downcast().map_err(|_| "the input is another call")?;
        let body = call.body()?;
        let length = body.len().to_string();
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("POST")?;
        request.set_uri("/")?;
        let headers = request.headers_mut();
        headers.insert("content-length", length);
        for (name, value) in C::SERVICE.protocol.headers(C::NAME) {
            headers.insert(name, value);
        }
        Ok(request)
    }
}

impl<C> fmt::Debug for Requests<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Requests")
    }
}

/// Reads answers.
struct Answers<C>(PhantomData<fn(C)>);

impl<C: Call> DeserializeResponse for Answers<C> {
    fn deserialize_nonstreaming_with_config(
        &self,
        answer: &HttpResponse,
        _bag: &ConfigBag,
    ) -> Result<Output, OrchestratorError<AnyError>> {
        tracing::debug!(request_id = ?answer.request_id());
        let body = answer.body().bytes().unwrap_or_default();
        if answer.status().is_success() {
            C::read(body).map(Output::erase).map_err(OrchestratorError::response)
        } else {
            let refusal = C::SERVICE.protocol.refusal(body, answer.headers());
            Err(OrchestratorError::operation(AnyError::erase(refusal)))
        }
    }
}

impl<C> fmt::Debug for Answers<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answers")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}
