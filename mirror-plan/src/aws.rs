//! AWS: what observes the cloud and what changes it, through the AWS SDK for Rust.
//!
//! This module and those below it are the only ones that name the SDK. [`observe()`] reads, in a
//! number of calls that grows with pages and not with objects; [`act()`] sends one
//! [`Operation`](crate::resource::Operation) and waits until it has taken effect. Neither decides
//! anything. There is no trait in between: a test, or `mirror --local`, brings another HTTP client.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::SdkConfig;

use crate::scalar::Region;

pub mod act;
mod answer;
pub mod errors;
mod image;
pub mod observe;
mod page;
mod rate;
mod retry;
mod tags;
mod together;
mod wait;

pub use act::{Act, ActError, Known, Made, Token, act, find_created, retag};
pub use errors::{CallError, ErrorKind};
pub use observe::{ObserveError, Sight, Wanted, observe};
pub use rate::Pace;
pub use wait::Waiting;

/// The clients for one account and Region. Clones share connections and rates.
#[derive(Clone, Debug)]
pub struct Aws {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    region: Region,
    ec2: aws_sdk_ec2::Client,
    /// For calls that make an object and take no client token; see [`retry`].
    ec2_once: aws_sdk_ec2::Client,
    elb: aws_sdk_elasticloadbalancingv2::Client,
    ssm: aws_sdk_ssm::Client,
    sts: aws_sdk_sts::Client,
    rate: rate::Rate,
    pace: Pace,
}

/// The SDK's configuration names no Region, or something that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no usable Region: {}", .0.as_deref().unwrap_or("none is configured"))]
pub struct NoRegion(Option<String>);

/// The configuration of one service's client, with our retries in place of the SDK's.
macro_rules! configured {
    ($service:ident, $config:ident) => {
        $service::config::Builder::from($config)
            .behavior_version(retry::behavior())
            .retry_config(retry::attempts())
            .retry_partition(retry::partition())
            .timeout_config(retry::limits())
    };
}

impl Aws {
    /// Makes the clients. Credentials, Region, endpoint and HTTP client are `config`'s; retries and
    /// time-outs are this library's own.
    ///
    /// # Errors
    /// If `config` has no Region.
    pub fn new(config: &SdkConfig, pace: Pace) -> Result<Self, NoRegion> {
        let named = config.region().map(|region| region.as_ref().to_owned());
        let region = named
            .as_deref()
            .and_then(|region| region.parse().ok())
            .ok_or_else(|| NoRegion(named.clone()))?;
        let once = configured!(aws_sdk_ec2, config).retry_classifier(retry::OnlyThrottled);
        let shared = Shared {
            region,
            ec2: aws_sdk_ec2::Client::from_conf(configured!(aws_sdk_ec2, config).build()),
            ec2_once: aws_sdk_ec2::Client::from_conf(once.build()),
            elb: aws_sdk_elasticloadbalancingv2::Client::from_conf(
                configured!(aws_sdk_elasticloadbalancingv2, config).build(),
            ),
            ssm: aws_sdk_ssm::Client::from_conf(configured!(aws_sdk_ssm, config).build()),
            sts: aws_sdk_sts::Client::from_conf(configured!(aws_sdk_sts, config).build()),
            rate: rate::Rate::new(pace),
            pace,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The Region.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.shared.region
    }

    fn ec2(&self) -> &aws_sdk_ec2::Client {
        &self.shared.ec2
    }

    /// For calls that make an object and take no client token: they are never replayed.
    fn ec2_once(&self) -> &aws_sdk_ec2::Client {
        &self.shared.ec2_once
    }

    fn elb(&self) -> &aws_sdk_elasticloadbalancingv2::Client {
        &self.shared.elb
    }

    /// Sends a request when its turn has come.
    fn send<T, E>(
        &self,
        call: &'static str,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    ) -> impl Future<Output = Result<T, CallError>> + Send
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        // The SDK's futures are large: they lie on the heap and not inside each other.
        let request = Box::pin(request);
        async move {
            self.shared.rate.admit(call).await;
            request.await.map_err(|error| CallError::new(call, error))
        }
    }
}
