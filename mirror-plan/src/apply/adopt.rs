//! Carrying out an adoption: the ownership tags are set, and nothing else is done.

use std::sync::Arc;
use std::time::Duration;

use super::journal::{Journal, JournalError, Record};
use crate::address::{Kind, Name};
use crate::aws::observe::{Look, look_at};
use crate::aws::{ActError, Aws, BoxFuture, ErrorKind, ObserveError, retag};
use crate::id::{NetworkInterfaceId, ObjectId};
use crate::plan::Adoption;
use crate::resource::Retag;

/// Why an object was not adopted, or why it is not known whether it was.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// AWS did not accept the tags.
    #[error(transparent)]
    Act(#[from] ActError),
    /// The object cannot be read.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// The adoption could not be recorded in the journal first.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Makes an object the stack's, and waits until AWS shows it as such, so that the next plan finds it.
///
/// The adoption is recorded before the call. If this run is killed, the next one waits for the object and does not
/// create a second one beside it. Parts that IAM knows by their own tags (the interface of an instance, the listeners
/// of a load balancer) are tagged first; the last call, on the object itself, makes it the stack's.
///
/// # Errors
/// If AWS refuses, or if the journal cannot be written. Adopting the same object again completes it.
pub fn adopt<'a>(
    aws: &'a Aws,
    journal: &'a Arc<Journal>,
    stack: &'a Name,
    adoption: &'a Adoption,
) -> BoxFuture<'a, Result<(), AdoptError>> {
    Box::pin(async move {
        let aws = &journal.fence(aws);
        let Adoption { address, found } = adoption;
        let generation = Adoption::GENERATION;
        let (id, at) = (found.id.clone(), journal.now());
        journal.append(Record::Made { address: address.clone(), generation, id, at }).await?;
        let change = Retag { set: adoption.tags(stack.as_str()), ..Retag::default() };
        for id in parts(adoption).iter().chain([&found.id]) {
            if let Err(error) = retag(aws, address.kind, id, &change).await {
                if is_refused(&error) {
                    journal
                        .append(Record::Refused { address: address.clone(), generation })
                        .await?;
                }
                return Err(error.into());
            }
        }
        seen(aws, stack, adoption).await?;
        journal.append(Record::Settled { address: address.clone(), generation }).await?;
        Ok(())
    })
}

/// Returns whether it is certain that the tags were not set.
fn is_refused(error: &ActError) -> bool {
    use ErrorKind::{Denied, Limit, NotFound, Refused, Unsent};
    match error {
        ActError::Call(call) => matches!(call.kind, Denied | Limit | NotFound | Refused | Unsent),
        _ => false,
    }
}

/// Returns the parts of an object that carry its tags too.
fn parts(Adoption { address, found }: &Adoption) -> Vec<ObjectId> {
    match address.kind {
        Kind::LoadBalancer | Kind::GatewayLoadBalancer => found.parts.values().cloned().collect(),
        Kind::Instance => {
            let interface = found.computed.get("network_interface").and_then(Option::as_ref);
            let interface = interface.and_then(|id| id.parse::<NetworkInterfaceId>().ok());
            interface.into_iter().map(|id| id.erase()).collect()
        }
        Kind::Vpc
        | Kind::Subnet
        | Kind::InternetGateway
        | Kind::RouteTable
        | Kind::VpcPeering
        | Kind::TransitGatewayAttachment
        | Kind::SecurityGroup
        | Kind::LaunchTemplate
        | Kind::TargetGroup
        | Kind::AutoscalingGroup
        | Kind::EndpointService
        | Kind::GatewayLoadBalancerEndpoint
        | Kind::MirrorTarget
        | Kind::MirrorFilter
        | Kind::MirrorSession
        | Kind::ResourceShare => Vec::new(),
    }
}

/// Waits until the object is seen as the stack's, for as long as AWS may take.
async fn seen(aws: &Aws, stack: &Name, adoption: &Adoption) -> Result<(), ObserveError> {
    let (mut pause, mut left) = (Duration::from_millis(250), aws.settle_window());
    loop {
        let object = (adoption.address.kind, &adoption.found.id);
        match look_at(aws, stack.as_str(), object).await? {
            Look::Own(..) => return Ok(()),
            Look::Foreign | Look::Nothing if left.is_zero() => return Ok(()),
            Look::Foreign | Look::Nothing => {}
        }
        pause = pause.min(left);
        tokio::time::sleep(pause).await;
        left -= pause;
        pause = (pause * 2).min(Duration::from_secs(10));
    }
}
