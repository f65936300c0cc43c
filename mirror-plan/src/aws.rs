//! AWS: observing the cloud and changing it, through the AWS SDK for Rust.
//!
//! Only this module and its submodules name the SDK. [`observe()`] reads; the number of its calls grows with pages, not
//! with objects. [`act()`] sends one [`Operation`](crate::resource::Operation) and waits until it has taken effect.
//! Neither decides anything. No trait abstracts over AWS: a test, or `mirror --local`, brings another HTTP client.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::SdkConfig;
use tokio::sync::OnceCell;

use crate::scalar::{AccountId, AccountName, Region};

pub mod act;
mod answer;
mod direct;
pub mod discover;
mod dry_run;
pub mod errors;
mod image;
mod listing;
mod metrics;
pub mod observe;
mod page;
mod permission;
mod rate;
mod retry;
#[cfg(feature = "s3")]
pub(crate) mod s3;
pub mod surroundings;
mod tags;
mod together;
mod transmission;
mod wait;
mod whole;

pub use act::{Act, ActError, Known, Made, Token, act, find_created, retag};
pub use errors::{CallError, ErrorKind};
pub use metrics::metrics;
pub use observe::health::target_health;
pub use observe::occupants::occupants;
pub use observe::strangers::{in_the_way, strangers};
pub use observe::{Candidates, ObserveError, Sight, Wanted, candidates, observe};
pub use permission::check_permissions;
pub use rate::Pace;
pub use wait::Waiting;

/// A future that does its work while it is awaited.
///
/// It is boxed so that it is compiled once, in this library, and not again in every program that awaits it: it contains
/// all calls of the SDK.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The clients for one account and Region, and those for the other accounts that a stack reaches. Clones share
/// connections and rate limits.
#[derive(Clone)]
pub struct Aws {
    shared: Arc<Shared>,
    /// The clients for other accounts, each with its own rate limits.
    others: BTreeMap<AccountName, Self>,
    /// The window for a cloud that settles as slowly as AWS.
    settle_window: Duration,
    /// What must hold for calls that change something.
    fence: Option<Arc<dyn Fence>>,
    /// The clients for dry runs, if calls that would change something are only to be asked about.
    dry: Option<Arc<dry_run::Clients>>,
}

/// Keeps a run from changing anything that another run may have taken over.
pub(crate) trait Fence: Send + Sync {
    /// Makes certain that none has, before each call.
    fn confirm(&self) -> BoxFuture<'_, Result<(), Box<dyn Error + Send + Sync>>>;

    /// What is known of that without asking, before each request: the SDK may repeat one for minutes, and the machine may
    /// have been asleep.
    fn standing(&self) -> Standing;
}

/// What a run knows of its right to change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "s3"),
    expect(dead_code, reason = "only a journal in S3 can be taken over from a run")
)]
pub(crate) enum Standing {
    /// No other run can have taken over.
    Certain,
    /// It has given no sign of life for so long that another run may have.
    Uncertain,
    /// Another run has.
    Lost,
}

#[derive(Debug)]
struct Shared {
    region: Region,
    autoscaling: aws_sdk_autoscaling::Client,
    autoscaling_once: aws_sdk_autoscaling::Client,
    ec2: aws_sdk_ec2::Client,
    /// For calls that create an object: the SDK sends them only once; see [`retry`].
    ec2_once: aws_sdk_ec2::Client,
    elb: aws_sdk_elasticloadbalancingv2::Client,
    elb_once: aws_sdk_elasticloadbalancingv2::Client,
    ram: aws_sdk_ram::Client,
    ram_once: aws_sdk_ram::Client,
    sts: aws_sdk_sts::Client,
    metric_data: direct::Client<direct::metric_data::Batch>,
    parameter: direct::Client<direct::parameter::GetParameter>,
    #[cfg(feature = "s3")]
    storage: s3::Storage,
    account: OnceCell<AccountId>,
    rate: rate::Rate,
    pace: Pace,
}

/// The SDK's configuration names no Region, or an invalid one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no usable Region: {}", .0.as_deref().unwrap_or("none is configured"))]
pub struct NoRegion(Option<String>);

/// The configuration of one service's client, with our retries in place of the SDK's, and with [`whole`] for a service
/// that answers in XML.
macro_rules! configured {
    ($service:ident, $config:ident) => {
        $service::config::Builder::from($config)
            .behavior_version(retry::behavior())
            .retry_config(retry::attempts())
            .retry_partition(retry::partition())
            .timeout_config(retry::limits())
            .interceptor(transmission::Watch)
            .retry_classifier(transmission::Watch)
    };
    (xml $service:ident, $config:ident) => {
        configured!($service, $config).interceptor(whole::Whole).retry_classifier(whole::Whole)
    };
}

impl Aws {
    /// Creates the clients. Credentials, Region, endpoint and HTTP client are `config`'s; retries and time-outs are
    /// this library's own.
    ///
    /// # Errors
    /// If `config` has no valid Region.
    pub fn new(config: &SdkConfig, pace: Pace) -> Result<Self, NoRegion> {
        let named = config.region().map(|region| region.as_ref().to_owned());
        let region = named
            .as_deref()
            .and_then(|region| region.parse().ok())
            .ok_or_else(|| NoRegion(named.clone()))?;
        let ec2 = configured!(xml aws_sdk_ec2, config);
        let ec2_once = configured!(xml aws_sdk_ec2, config).retry_config(retry::once());
        let elb = configured!(xml aws_sdk_elasticloadbalancingv2, config);
        let elb_once =
            configured!(xml aws_sdk_elasticloadbalancingv2, config).retry_config(retry::once());
        let autoscaling = configured!(xml aws_sdk_autoscaling, config);
        let autoscaling_once =
            configured!(xml aws_sdk_autoscaling, config).retry_config(retry::once());
        // It answers in JSON, which cannot be mistaken for complete if it was cut off.
        let ram = configured!(aws_sdk_ram, config);
        let ram_once = configured!(aws_sdk_ram, config).retry_config(retry::once());
        let shared = Shared {
            region,
            autoscaling: aws_sdk_autoscaling::Client::from_conf(autoscaling.build()),
            autoscaling_once: aws_sdk_autoscaling::Client::from_conf(autoscaling_once.build()),
            ec2: aws_sdk_ec2::Client::from_conf(ec2.build()),
            ec2_once: aws_sdk_ec2::Client::from_conf(ec2_once.build()),
            elb: aws_sdk_elasticloadbalancingv2::Client::from_conf(elb.build()),
            elb_once: aws_sdk_elasticloadbalancingv2::Client::from_conf(elb_once.build()),
            ram: aws_sdk_ram::Client::from_conf(ram.build()),
            ram_once: aws_sdk_ram::Client::from_conf(ram_once.build()),
            sts: aws_sdk_sts::Client::from_conf(configured!(xml aws_sdk_sts, config).build()),
            metric_data: direct::Client::new(config),
            parameter: direct::Client::new(config),
            #[cfg(feature = "s3")]
            storage: s3::Storage::new(config),
            account: OnceCell::new(),
            rate: rate::Rate::new(pace),
            pace,
        };
        let (shared, settle_window) = (Arc::new(shared), Self::SETTLE_WINDOW);
        Ok(Self { shared, others: BTreeMap::new(), settle_window, fence: None, dry: None })
    }

    /// Adds the clients for another account, which a stack names in an `aws` block.
    ///
    /// They are used only to look up and to accept what the stack looks up and accepts in that account. AWS limits the
    /// call rate of each account separately, and so does this library. The Region must be the same.
    #[must_use]
    pub fn with_account(mut self, name: AccountName, other: Self) -> Self {
        self.others.insert(name, other);
        self
    }

    /// Returns the clients for another account, subject to the same conditions as these.
    fn other(&self, name: &AccountName) -> Option<Self> {
        let other = self.others.get(name)?;
        let dry = self.dry.as_ref().and_then(|_| dry_run::DryRuns::of(other).aws().dry.clone());
        let Self { shared: _, others: _, settle_window, fence, dry: _ } = self;
        Some(Self { settle_window: *settle_window, fence: fence.clone(), dry, ..other.clone() })
    }

    /// Returns the clients for another account, if their credentials are for the account that is meant.
    async fn account_as(
        &self,
        name: &AccountName,
        wanted: Option<&AccountId>,
    ) -> Result<Self, ActError> {
        let other = self.other(name).ok_or_else(|| ActError::NoAccount(name.clone()))?;
        let found = other.account().await?;
        match wanted {
            Some(wanted) if *wanted != found => {
                let (name, wanted) = (name.clone(), wanted.clone());
                Err(ActError::WrongAccount { name, wanted, found })
            }
            Some(_) | None => Ok(other),
        }
    }

    /// How long after a call AWS may take to show what it has created, unless another time is given.
    ///
    /// AWS guarantees no limit ("eventual consistency" may take "up to a few minutes": Amazon EC2 developer guide,
    /// "Eventual consistency"); this is how long large users of its API wait.
    pub const SETTLE_WINDOW: Duration = Duration::from_secs(300);

    /// Sets another time for AWS to show what it has created.
    #[must_use]
    pub fn with_settle_window(self, settle_window: Duration) -> Self {
        Self { settle_window, ..self }
    }

    /// Returns how long after a call AWS may take to show what it has created.
    #[must_use]
    pub fn settle_window(&self) -> Duration {
        self.shared.pace.limit(self.settle_window)
    }

    /// Returns how long a run waits for a new object to be visible: no less than usual if the window is set to less.
    fn seen(&self) -> Duration {
        wait::limit::SEEN.max(self.settle_window)
    }

    /// Returns the same clients, which send calls that change something only if the fence allows it.
    #[cfg(feature = "s3")]
    #[must_use]
    pub(crate) fn fenced(&self, fence: Arc<dyn Fence>) -> Self {
        Self { fence: Some(fence), ..self.clone() }
    }

    /// Returns the Region.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.shared.region
    }

    fn ec2(&self) -> &aws_sdk_ec2::Client {
        self.dry.as_ref().map_or(&self.shared.ec2, |dry| &dry.ec2)
    }

    /// For calls that create an object: the SDK sends them only once.
    fn ec2_once(&self) -> &aws_sdk_ec2::Client {
        // A dry run creates nothing, so it may be sent again.
        self.dry.as_ref().map_or(&self.shared.ec2_once, |dry| &dry.ec2)
    }

    fn elb(&self) -> &aws_sdk_elasticloadbalancingv2::Client {
        self.dry.as_ref().map_or(&self.shared.elb, |dry| &dry.elb)
    }

    /// For calls that create an object: the SDK sends them only once.
    fn elb_once(&self) -> &aws_sdk_elasticloadbalancingv2::Client {
        self.dry.as_ref().map_or(&self.shared.elb_once, |dry| &dry.elb)
    }

    fn autoscaling(&self) -> &aws_sdk_autoscaling::Client {
        self.dry.as_ref().map_or(&self.shared.autoscaling, |dry| &dry.autoscaling)
    }

    /// For calls that create an object: the SDK sends them only once.
    fn autoscaling_once(&self) -> &aws_sdk_autoscaling::Client {
        self.dry.as_ref().map_or(&self.shared.autoscaling_once, |dry| &dry.autoscaling)
    }

    fn ram(&self) -> &aws_sdk_ram::Client {
        self.dry.as_ref().map_or(&self.shared.ram, |dry| &dry.ram)
    }

    /// For calls that create an object: the SDK sends them only once.
    fn ram_once(&self) -> &aws_sdk_ram::Client {
        self.dry.as_ref().map_or(&self.shared.ram_once, |dry| &dry.ram)
    }

    /// Waits until it is the turn of a call.
    async fn admit(&self, call: &'static str) {
        self.shared.rate.admit(call).await;
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
        let sent = self.send_now(call, request);
        async move {
            self.admit(call).await;
            sent.await
        }
    }

    /// Sends a request whose turn has come.
    fn send_now<T, E>(
        &self,
        call: &'static str,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    ) -> impl Future<Output = Result<T, CallError>> + Send
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        // The SDK's futures are large, so they are kept on the heap and not nested inside each other.
        let request = Box::pin(request);
        let fence = self.fence.as_ref().filter(|_| changes_something(call));
        async move {
            if let Some(fence) = fence {
                fence.confirm().await.map_err(|source| CallError::fenced(call, source))?;
            }
            let (answer, transmission) = transmission::watched(request, fence.cloned()).await;
            answer.map_err(|error| CallError::new(call, error, transmission))
        }
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shared, others, settle_window, fence: _, dry } = self;
        f.debug_struct("Aws")
            .field("shared", shared)
            .field("others", others)
            .field("settle_window", settle_window)
            .field("dry", dry)
            .finish_non_exhaustive()
    }
}

/// Returns whether a call can change something. AWS's read-only calls are named `Describe...` or `Get...`.
fn changes_something(call: &str) -> bool {
    !(call.starts_with("Describe") || call.starts_with("Get"))
}
