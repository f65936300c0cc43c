//! Authorization: whether the policies of the caller allow a call, decided as IAM does.
//!
//! A call may need several things: the action on each resource that it makes or names, the tagging
//! of what it makes, and reading that the service does in the caller's name. Each is a [`Check`] with
//! the facts that conditions may ask for. A caller without policies may do everything. Buckets have no
//! policies of their own here.
//!
//! Sources: IAM user guide, "Policy evaluation logic"; Service Authorization Reference, "Actions,
//! resources, and condition keys" for Amazon EC2 and for Elastic Load Balancing V2.

mod checks;
mod condition;
mod pattern;
mod policy;
mod storage;
mod subject;

use crate::failure::{Failure, Outcome};
use crate::request::{Request, Service};
use crate::world::View;
use condition::Facts;

pub use policy::{Policy, PolicyError};

/// One thing that a call needs: an action on a resource, and what is known about both.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Check {
    /// Such as `ec2:CreateVpc`.
    action: String,
    /// The ARN; `*` where the action is about no one resource.
    resource: String,
    facts: Facts,
}

/// What policies say of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Allowed,
    /// No statement allows it.
    NotAllowed,
    /// A statement denies it, whatever others allow.
    Denied,
}

/// Refuses a call that the caller's policies do not allow.
pub(crate) fn authorize(request: &Request, view: View<'_>) -> Outcome {
    let policies = &view.settings.policies;
    // Who calls may always ask who that is.
    if policies.is_empty() || request.service == Service::Tokens {
        return Ok(());
    }
    for check in checks::of(request, view) {
        let why = match decide(policies, &check) {
            Decision::Allowed => continue,
            Decision::NotAllowed => "no policy allows it",
            Decision::Denied => "a policy denies it",
        };
        let Check { action, resource, facts: _ } = check;
        let message = format!(
            "You are not authorized to perform this operation: {action} on {resource}: {why}"
        );
        return Err(refusal(request.service, message));
    }
    Ok(())
}

fn decide(policies: &[Policy], check: &Check) -> Decision {
    let said = policies.iter().filter_map(|policy| policy.says(check));
    said.fold(Decision::NotAllowed, |so_far, said| match (so_far, said) {
        (Decision::Denied, _) | (_, Decision::Denied) => Decision::Denied,
        _ => said,
    })
}

/// A refusal in the words of a service.
fn refusal(service: Service, message: String) -> Failure {
    match service {
        Service::Ec2 => Failure::new("UnauthorizedOperation", message).with_status(403),
        Service::LoadBalancing | Service::Storage | Service::Tokens => {
            Failure::new("AccessDenied", message).with_status(403)
        }
        Service::Parameters => Failure::new("AccessDeniedException", message),
    }
}
