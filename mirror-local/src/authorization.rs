//! Authorization: whether the policies of the caller allow a call, decided as IAM does.
//!
//! A call may need several permissions: for the action on each resource that it makes or names, for tagging what it
//! makes, and for reads that the service does in the caller's name. Each is a [`Check`] with the facts that conditions
//! may ask for. A caller without policies may do everything. Buckets have no policies of their own here.
//!
//! Sources: IAM user guide, "Policy evaluation logic" and "Troubleshoot access denied error messages";
//! Service Authorization Reference, "Actions, resources, and condition keys" for Amazon EC2, for
//! Elastic Load Balancing V2, for Amazon EC2 Auto Scaling and for AWS Resource Access Manager.

mod checks;
mod condition;
mod launch;
mod message;
mod pattern;
mod policy;
mod sharing;
mod storage;
mod subject;

use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::request::{Request, Service};
use crate::world::{Region, View};
use condition::Facts;

pub(crate) use message::decode;
pub use policy::{Policy, PolicyError};

/// One thing that a call needs: an action on a resource, and what is known about both.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Check {
    /// Such as `ec2:CreateVpc`.
    action: String,
    /// The ARN; `*` if the action is about no single resource.
    resource: String,
    facts: Facts,
}

/// The verdict of policies on a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Allowed,
    /// No statement allows it.
    NotAllowed,
    /// A statement denies it, whatever others allow.
    Denied,
}

/// The ARN of the caller: each account has one, who may do everything unless there are policies.
pub(crate) fn caller(region: &Region) -> String {
    region.iam_arn("root")
}

/// Refuses a call that the caller's policies do not allow.
pub(crate) fn authorize(request: &Request, view: View<'_>) -> Outcome {
    let policies = view.settings.policies_of(&view.region.account);
    // A caller may always ask who it is: AWS STS API reference, `GetCallerIdentity`.
    if policies.is_empty() || request.action == "GetCallerIdentity" {
        return Ok(());
    }
    for check in checks::of(request, view) {
        let decision = decide(policies, &check);
        if decision != Decision::Allowed {
            return Err(refusal((request, view.region), &check, (decision, policies)));
        }
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

/// A refusal in the words of a service. Only EC2 gives details, in a form that only permitted callers can read; if an
/// action is about no single resource, it gives none.
fn refusal(
    (request, region): (&Request, &Region),
    check: &Check,
    (decision, policies): (Decision, &[Policy]),
) -> Failure {
    let Check { action, resource, facts: _ } = check;
    let service = request.service;
    if service == Service::AutoScaling && action.starts_with("ec2:") {
        return no_launch(&request.parameters);
    }
    let caller = caller(region);
    let on = match &**resource {
        "*" => String::new(),
        resource => format!(" on resource: {resource}"),
    };
    let why = match decision {
        Decision::Denied => "with an explicit deny in an identity-based policy".to_owned(),
        Decision::Allowed | Decision::NotAllowed => {
            format!("because no identity-based policy allows the {action} action")
        }
    };
    let said = format!("User: {caller} is not authorized to perform: {action}{on} {why}");
    match service {
        Service::Ec2 => {
            let mut said = format!("You are not authorized to perform this operation. {said}");
            if !on.is_empty() {
                let encoded = message::encoded((check, region), (decision, policies));
                said = format!("{said}. Encoded authorization failure message: {encoded}");
            }
            Failure::new("UnauthorizedOperation", said).with_status(403)
        }
        Service::AutoScaling
        | Service::LoadBalancing
        | Service::Metrics
        | Service::Storage
        | Service::Tokens => Failure::new("AccessDenied", said).with_status(403),
        Service::Parameters => Failure::new("AccessDeniedException", said),
        Service::Sharing => Failure::new("AccessDeniedException", said).with_status(403),
    }
}

/// EC2 Auto Scaling does not report which part of a launch the caller may not do.
fn no_launch(parameters: &Parameters) -> Failure {
    let template = parameters.structure("LaunchTemplate");
    let named = ["LaunchTemplateId", "LaunchTemplateName"].into_iter();
    let named = template.and_then(|template| named.filter_map(|it| template.given(it)).next());
    let named = named.unwrap_or_default();
    let message = format!("You are not authorized to use launch template: {named}");
    Failure::new("AccessDenied", message).with_status(403)
}
