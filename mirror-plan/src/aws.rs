//! AWS: what observes the cloud and what changes it, through the AWS SDK for Rust.
//!
//! This module and those below it are the only ones that name the SDK. [`observe()`] reads, in a
//! number of calls that grows with pages and not with objects; [`act()`] sends one
//! [`Operation`](crate::resource::Operation) and waits until it has taken effect. Neither decides
//! anything. There is no trait in between: a test, or `mirror --local`, brings another HTTP client.

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

/// Work that goes on while it is awaited.
///
/// It is boxed so that it is compiled here, and not once more in every program that awaits it: all calls of the SDK are
/// in it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The clients for one account and Region, and those for the other accounts that a stack reaches. Clones share
/// connections and rates.
#[derive(Clone)]
pub struct Aws {
    shared: Arc<Shared>,
    /// The clients for other accounts, each with rates of its own.
    others: BTreeMap<AccountName, Self>,
    /// What it is for a cloud that settles as slowly as AWS.
    settle_window: Duration,
    /// What must hold before each call that changes something.
    fence: Option<Fence>,
    /// Where calls that would change something are only asked about: the clients for that.
    dry: Option<Arc<dry_run::Clients>>,
}

/// Makes certain that this run may still change something.
pub(crate) type Fence = Arc<dyn Fn() -> Fencing + Send + Sync>;

/// The making certain, under way.
pub(crate) type Fencing =
    Pin<Box<dyn Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send>>;

#[derive(Debug)]
struct Shared {
    region: Region,
    autoscaling: aws_sdk_autoscaling::Client,
    autoscaling_once: aws_sdk_autoscaling::Client,
    ec2: aws_sdk_ec2::Client,
    /// For calls that make an object: the SDK sends them once; see [`retry`].
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

/// The SDK's configuration names no Region, or something that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no usable Region: {}", .0.as_deref().unwrap_or("none is configured"))]
pub struct NoRegion(Option<String>);

/// The configuration of one service's client, with our retries in place of the SDK's; of a service that answers
/// in XML with [`whole`].
macro_rules! configured {
    ($service:ident, $config:ident) => {
        $service::config::Builder::from($config)
            .behavior_version(retry::behavior())
            .retry_config(retry::attempts())
            .retry_partition(retry::partition())
            .timeout_config(retry::limits())
    };
    (xml $service:ident, $config:ident) => {
        configured!($service, $config).interceptor(whole::Whole).retry_classifier(whole::Whole)
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
        let ec2 = configured!(xml aws_sdk_ec2, config);
        let ec2_once = configured!(xml aws_sdk_ec2, config).retry_config(retry::once());
        let elb = configured!(xml aws_sdk_elasticloadbalancingv2, config);
        let elb_once =
            configured!(xml aws_sdk_elasticloadbalancingv2, config).retry_config(retry::once());
        let autoscaling = configured!(xml aws_sdk_autoscaling, config);
        let autoscaling_once =
            configured!(xml aws_sdk_autoscaling, config).retry_config(retry::once());
        // It answers in JSON, which nobody takes for whole that was cut.
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

    /// With the clients for another account, which a stack names by an `aws` block.
    ///
    /// They are used for what the stack looks for there and accepts there, and nothing else. AWS counts the calls of each
    /// account apart, and so does this library. The Region is to be the same.
    #[must_use]
    pub fn with_account(mut self, name: AccountName, other: Self) -> Self {
        self.others.insert(name, other);
        self
    }

    /// The clients for another account, under the conditions that hold for these.
    fn other(&self, name: &AccountName) -> Option<Self> {
        let other = self.others.get(name)?;
        let dry = self.dry.as_ref().and_then(|_| dry_run::DryRuns::of(other).aws().dry.clone());
        let Self { shared: _, others: _, settle_window, fence, dry: _ } = self;
        Some(Self { settle_window: *settle_window, fence: fence.clone(), dry, ..other.clone() })
    }

    /// The clients for another account, if that is the one that is meant.
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

    /// How long after a call AWS may take to show what it has made, unless another time is given.
    ///
    /// AWS promises none ("eventual consistency" may take "up to a few minutes": Amazon EC2
    /// developer guide, "Eventual consistency"); this is what large users of its API wait.
    pub const SETTLE_WINDOW: Duration = Duration::from_secs(300);

    /// With another time for AWS to show what it has made.
    #[must_use]
    pub fn with_settle_window(self, settle_window: Duration) -> Self {
        Self { settle_window, ..self }
    }

    /// How long after a call AWS may take to show what it has made.
    #[must_use]
    pub fn settle_window(&self) -> Duration {
        self.shared.pace.limit(self.settle_window)
    }

    /// The same clients, which send nothing that changes something unless the fence lets them.
    #[cfg(feature = "s3")]
    #[must_use]
    pub(crate) fn fenced(&self, fence: Fence) -> Self {
        Self { fence: Some(fence), ..self.clone() }
    }

    /// The Region.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.shared.region
    }

    fn ec2(&self) -> &aws_sdk_ec2::Client {
        self.dry.as_ref().map_or(&self.shared.ec2, |dry| &dry.ec2)
    }

    /// For calls that make an object: the SDK sends them once.
    fn ec2_once(&self) -> &aws_sdk_ec2::Client {
        // What makes nothing may be sent again.
        self.dry.as_ref().map_or(&self.shared.ec2_once, |dry| &dry.ec2)
    }

    fn elb(&self) -> &aws_sdk_elasticloadbalancingv2::Client {
        self.dry.as_ref().map_or(&self.shared.elb, |dry| &dry.elb)
    }

    /// For calls that make an object: the SDK sends them once.
    fn elb_once(&self) -> &aws_sdk_elasticloadbalancingv2::Client {
        self.dry.as_ref().map_or(&self.shared.elb_once, |dry| &dry.elb)
    }

    fn autoscaling(&self) -> &aws_sdk_autoscaling::Client {
        self.dry.as_ref().map_or(&self.shared.autoscaling, |dry| &dry.autoscaling)
    }

    /// For calls that make an object: the SDK sends them once.
    fn autoscaling_once(&self) -> &aws_sdk_autoscaling::Client {
        self.dry.as_ref().map_or(&self.shared.autoscaling_once, |dry| &dry.autoscaling)
    }

    fn ram(&self) -> &aws_sdk_ram::Client {
        self.dry.as_ref().map_or(&self.shared.ram, |dry| &dry.ram)
    }

    /// For calls that make an object: the SDK sends them once.
    fn ram_once(&self) -> &aws_sdk_ram::Client {
        self.dry.as_ref().map_or(&self.shared.ram_once, |dry| &dry.ram)
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
        let fence = self.fence.as_ref().filter(|_| changes_something(call));
        async move {
            self.shared.rate.admit(call).await;
            if let Some(fence) = fence {
                fence().await.map_err(|source| CallError::fenced(call, source))?;
            }
            request.await.map_err(|error| CallError::new(call, error))
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

/// Whether a call can change something: AWS names those that cannot so.
fn changes_something(call: &str) -> bool {
    !(call.starts_with("Describe") || call.starts_with("Get"))
}
