//! Acting: sending one [`Operation`] and waiting until it has taken effect.
//!
//! A create call carries its tags, and a client token of the caller's if AWS accepts one. If a repeated call would find
//! its work already done, that counts as done. If AWS cannot yet see an object that was created a moment ago, the call
//! is sent again; so is a call to remove something that is still in use, until it no longer is.

use std::error::Error;
use std::fmt;

use super::dry_run::DryRuns;
use super::errors::{AnswerError, CallError};
use super::image::ImageError;
use super::observe::ObserveError;
use super::wait::OnWait;
use super::{Aws, BoxFuture};
use crate::address::Kind;
use crate::id::ObjectId;
use crate::resource::{Operation, Retag, Tags};
use crate::scalar::{AccountId, AccountName};
use crate::value::{Origin, Secret};

mod acting;
mod autoscaling_group;
mod blocker;
mod endpoint_service;
mod find;
mod gateway_load_balancer;
mod gateway_load_balancer_endpoint;
mod instance;
mod internet_gateway;
mod known;
mod launch_template;
mod listener;
mod load_balancer;
mod making;
mod mirror_filter;
mod mirror_session;
mod mirror_target;
mod receivers;
mod resource_share;
mod retag;
mod route_table;
mod security_group;
mod subnet;
mod target_group;
mod transit_gateway_attachment;
mod vpc;
mod vpc_peering;

pub use super::wait::{TimeUp, Waiting};
pub use blocker::Blocker;
pub use known::{Known, Made, Token};

use acting::Acting;

pub(super) use instance::{computed, primary};

/// What to do, and what that needs.
#[derive(Clone, Copy)]
pub struct Act<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// What has been learned so far: every reference of the call must be in it.
    pub known: &'a Known,
    /// What makes a repeat of this call recognizable to AWS.
    pub token: &'a Token,
    /// Whether an earlier run may have sent the same call with the same token.
    pub sent: Sent,
    /// Records what happens to a call that creates an object. If recording fails, nothing is sent.
    pub record: Record<'a>,
    /// Called repeatedly while the call waits for something.
    pub on_wait: OnWait<'a>,
}

/// Whether an earlier run sent a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sent {
    /// None did.
    Never,
    /// An earlier run was about to send it, and nobody knows how that ended.
    Perhaps,
}

/// What is recorded about a call that creates an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The call is about to be sent, for the first time or again.
    Sending,
    /// The call has created this object.
    Made(ObjectId),
    /// AWS has refused the call each time: it has created nothing.
    Refused,
}

/// Records what happens to a call.
pub type Record<'a> = &'a (dyn Fn(Note) -> Recording + Send + Sync);

/// The recording, as a future.
pub type Recording = BoxFuture<'static, Result<(), Box<dyn Error + Send + Sync>>>;

impl fmt::Debug for Act<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, known, token, sent, record: _, on_wait: _ } = self;
        f.debug_struct("Act")
            .field("operation", operation)
            .field("known", known)
            .field("token", token)
            .field("sent", sent)
            .finish_non_exhaustive()
    }
}

/// Sends a call and waits until it has taken effect.
///
/// The future must not be dropped before it is done: what was sent takes effect all the same.
///
/// # Errors
/// If AWS refuses, if the state that is waited for is not reached, or if something that the call refers to is not
/// known.
pub fn act<'a>(aws: &'a Aws, act: Act<'a>) -> BoxFuture<'a, Result<Made, ActError>> {
    Box::pin(async move {
        let acting = Acting::new(aws, act);
        match act.operation {
            Operation::Vpc(operation) => Box::pin(vpc::act(&acting, operation)).await,
            Operation::Subnet(operation) => Box::pin(subnet::act(&acting, operation)).await,
            Operation::InternetGateway(operation) => {
                Box::pin(internet_gateway::act(&acting, operation)).await
            }
            Operation::RouteTable(operation) => {
                Box::pin(route_table::act(&acting, operation)).await
            }
            Operation::VpcPeering(operation) => {
                Box::pin(vpc_peering::act(&acting, operation)).await
            }
            Operation::TransitGatewayAttachment(operation) => {
                Box::pin(transit_gateway_attachment::act(&acting, operation)).await
            }
            Operation::SecurityGroup(operation) => {
                Box::pin(security_group::act(&acting, operation)).await
            }
            Operation::Instance(operation) => Box::pin(instance::act(&acting, operation)).await,
            Operation::LaunchTemplate(operation) => {
                Box::pin(launch_template::act(&acting, operation)).await
            }
            Operation::AutoscalingGroup(operation) => {
                Box::pin(autoscaling_group::act(&acting, operation)).await
            }
            Operation::TargetGroup(operation) => {
                Box::pin(target_group::act(&acting, operation)).await
            }
            Operation::LoadBalancer(operation) => {
                Box::pin(load_balancer::act(&acting, operation)).await
            }
            Operation::GatewayLoadBalancer(operation) => {
                Box::pin(gateway_load_balancer::act(&acting, operation)).await
            }
            Operation::EndpointService(operation) => {
                Box::pin(endpoint_service::act(&acting, operation)).await
            }
            Operation::GatewayLoadBalancerEndpoint(operation) => {
                Box::pin(gateway_load_balancer_endpoint::act(&acting, operation)).await
            }
            Operation::MirrorTarget(operation) => {
                Box::pin(mirror_target::act(&acting, operation)).await
            }
            Operation::MirrorFilter(operation) => {
                Box::pin(mirror_filter::act(&acting, operation)).await
            }
            Operation::MirrorSession(operation) => {
                Box::pin(mirror_session::act(&acting, operation)).await
            }
            Operation::ResourceShare(operation) => {
                Box::pin(resource_share::act(&acting, operation)).await
            }
        }
    })
}

/// Asks whether a call may be sent. Nothing is changed, and nothing is recorded.
///
/// The answer is an error either way: `DryRunOperation`, `UnauthorizedOperation`, or why it is neither.
pub(super) async fn ask(dry_runs: &DryRuns, operation: &Operation) -> Result<Made, ActError> {
    let (known, token) = (Known::default(), Token::random());
    let record = |_: Note| -> Recording { Box::pin(async { Ok(()) }) };
    let act = Act {
        operation,
        known: &known,
        token: &token,
        sent: Sent::Never,
        record: &record,
        on_wait: &|_| {},
    };
    self::act(dry_runs.aws(), act).await
}

/// Changes the tags of an object.
///
/// # Errors
/// If AWS refuses.
pub fn retag<'a>(
    aws: &'a Aws,
    kind: Kind,
    id: &'a ObjectId,
    retag: &'a Retag,
) -> BoxFuture<'a, Result<(), ActError>> {
    Box::pin(async move { retag::retag(aws, kind, id, retag).await })
}

/// Looks up the object that a create call with `tags` has created: the one of this stack, address and generation.
///
/// AWS may take minutes to show what it has created; until then, finding nothing proves nothing.
///
/// # Errors
/// If AWS refuses.
pub fn find_created<'a>(
    aws: &'a Aws,
    kind: Kind,
    tags: &'a Tags,
) -> BoxFuture<'a, Result<Option<ObjectId>, ActError>> {
    Box::pin(async move { find::created(aws, kind, tags).await })
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// AWS refused it, or did not answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The answer cannot be read. The object that the call creates may exist.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The call could not be recorded before it was sent, so it was not sent.
    #[error("it was not sent, because the journal could not be written first")]
    NotRecorded(#[source] Box<dyn Error + Send + Sync>),
    /// It was created, but the journal could not be written.
    #[error("{id} was created, but the journal could not be written")]
    MadeUnrecorded {
        /// What was created.
        id: ObjectId,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// It did not take effect in time.
    #[error(transparent)]
    TimeUp(#[from] TimeUp),
    /// There are no clients for an account that the stack names.
    #[error("there are no credentials for `{0}`")]
    NoAccount(AccountName),
    /// The credentials for an account that the stack names are those of another one.
    #[error(
        "`{name}` is account {found}, but the request is for account {wanted}: nothing was sent"
    )]
    WrongAccount {
        /// The `aws` block.
        name: AccountName,
        /// The account that the request is for.
        wanted: AccountId,
        /// The account that the credentials are for.
        found: AccountId,
    },
    /// Something else still uses what is to be removed.
    #[error("{error}{}", blocker::listed(.blockers))]
    Blocked {
        /// What AWS answered.
        error: Box<CallError>,
        /// What uses it, as far as that can be seen.
        blockers: Vec<Blocker>,
    },
    /// What was created is not as it should be, and will not become so.
    #[error("{what} is {state}{}", .reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default())]
    Failed {
        /// Its id.
        what: String,
        /// Its state.
        state: String,
        /// Why, in AWS's words.
        reason: Option<String>,
    },
    /// The name belongs to something that this stack does not own.
    #[error("{0} already exists and does not belong to this stack")]
    Foreign(ObjectId),
    /// An earlier run created it after all, but not in the form that this plan has.
    #[error("{0}, which an earlier run created, has become visible: plan again")]
    Appeared(ObjectId),
    /// A saved plan holds a hash in place of a secret, and the secret itself was not given.
    #[error("only the hash of what it sends is known: {0}")]
    Hidden(Secret),
    /// The call was only to be asked about, and the endpoint carried it out.
    #[error("{0} was sent as a dry run, but was performed")]
    Done(&'static str),
    /// The attribute of another resource has no value, such as the public address of an instance
    /// without one.
    #[error("{0} has no value")]
    NoValue(Origin),
    /// The apply loop sent the call too early.
    #[error("BUG: {0} is not known yet")]
    NotKnown(Origin),
    /// The known value of another resource is not an id of the required kind.
    #[error("BUG: {origin} is wrong")]
    KnownWrong {
        /// The attribute.
        origin: Box<Origin>,
        /// What is wrong with it.
        #[source]
        source: crate::id::IdError,
    },
    /// AWS does not allow this operation.
    #[error("BUG: {0}")]
    Operation(&'static str),
}

impl ActError {
    /// Returns the call that AWS refused, if that is what happened: its code, request id and kind.
    #[must_use]
    pub fn call_error(&self) -> Option<&CallError> {
        match self {
            Self::Call(error) => Some(error),
            Self::Blocked { error, blockers: _ } => Some(error),
            _ => None,
        }
    }
}

impl From<ObserveError> for ActError {
    fn from(error: ObserveError) -> Self {
        match error {
            ObserveError::Call(error) => Self::Call(error),
            ObserveError::Answer(error) => Self::Answer(error),
        }
    }
}

impl From<ImageError> for ActError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Call(error) => Self::Call(error),
            ImageError::Answer(error) => Self::Answer(error),
        }
    }
}
