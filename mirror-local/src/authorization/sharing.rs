//! What calls of Resource Access Manager need: they are checked on shares and invitations.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Resource Access Manager
//! (RAM)".

use super::Check;
use super::condition::Facts;
use crate::parameters::Parameters;
use crate::ram::{self, ResourceShare, TARGET_TYPE};
use crate::request::Request;
use crate::world::View;

/// What a call needs, in the order in which it is checked. What is named but does not exist is not checked: the action
/// itself reports it.
pub(super) fn of(request: &Request, view: View<'_>) -> Vec<Check> {
    let parameters = &request.parameters;
    let check = |action: &str, resource: String, facts: Facts| Check {
        action: format!("ram:{action}"),
        resource,
        facts,
    };
    let mut facts = Facts::default();
    facts.add("aws:RequestedRegion", &*request.region);
    let named = parameters.given("resourceShareArn").unwrap_or_default();
    let action = &*request.action;
    match action {
        "CreateResourceShare" => {
            add_requested(&mut facts, parameters);
            add_tags(&mut facts, parameters);
            let made = check(action, "*".to_owned(), facts.clone());
            // Giving tags counts as tagging.
            let any = view.region.arn("ram", "resource-share/*");
            let is_tagged = !parameters.list("tags").is_empty();
            let tagging = is_tagged.then(|| check("TagResource", any, facts));
            [Some(made), tagging].into_iter().flatten().collect()
        }
        "AssociateResourceShare"
        | "DeleteResourceShare"
        | "DisassociateResourceShare"
        | "TagResource"
        | "UntagResource"
        | "UpdateResourceShare" => {
            let share = ram::heard_of(view, named);
            let on = |share| {
                add_share(&mut facts, share);
                add_requested(&mut facts, parameters);
                add_tags(&mut facts, parameters);
                check(action, named.to_owned(), facts)
            };
            share.map(on).into_iter().collect()
        }
        "AcceptResourceShareInvitation" | "RejectResourceShareInvitation" => {
            let arn = parameters.given("resourceShareInvitationArn").unwrap_or_default();
            let on = |invited: ram::Invited<'_>| {
                facts.add("ram:ResourceShareName", &*invited.share.name);
                facts.add("ram:ShareOwnerAccountId", &*invited.owner.account);
                check(action, arn.to_owned(), facts)
            };
            ram::invited(view, arn).map(on).into_iter().collect()
        }
        read => vec![check(read, "*".to_owned(), facts)],
    }
}

/// What is known of a share.
fn add_share(facts: &mut Facts, share: &ResourceShare) {
    facts.add("ram:ResourceShareName", &*share.name);
    facts.add("ram:AllowsExternalPrincipals", share.outsiders.are_admitted().to_string());
    for (key, value) in share.tags.iter() {
        facts.add(&format!("aws:ResourceTag/{key}"), value);
        facts.add(&format!("ram:ResourceTag/{key}"), value);
    }
}

/// What a call asks to be shared, and with whom.
fn add_requested(facts: &mut Facts, parameters: &Parameters) {
    for account in parameters.texts("principals") {
        facts.add("ram:Principal", account);
    }
    for arn in parameters.texts("resourceArns") {
        facts.add("ram:ResourceArn", arn);
        facts.add("ram:RequestedResourceType", TARGET_TYPE);
    }
    if let Some(given) = parameters.given("allowExternalPrincipals") {
        facts.add("ram:RequestedAllowsExternalPrincipals", given);
    }
}

/// The tags that a call gives, or the keys of those that it removes.
fn add_tags(facts: &mut Facts, parameters: &Parameters) {
    for tag in parameters.list("tags") {
        if let (Some(key), Some(value)) = (tag.text("key"), tag.text("value")) {
            facts.add(&format!("aws:RequestTag/{key}"), value);
            facts.add("aws:TagKeys", key);
        }
    }
    for key in parameters.texts("tagKeys") {
        facts.add("aws:TagKeys", key);
    }
}
