//! Resource Access Manager: what an account lets others use, which here is mirror targets.
//!
//! Two accounts take part, and each records its own side, in its own Region: the owner what it offers, in
//! [`ResourceShare`]s, and the invited account its answer, in [`Reply`]s. What is shared follows from both. So no call
//! changes anything in another account, and each is undone, stored and hidden like every other call.
//!
//! There are no organizations: every other account is invited. Sources: AWS RAM API reference; AWS RAM user guide,
//! "Accepting and rejecting resource share invitations" and "Leaving a resource share".

mod arn;
mod association;
mod course;
mod invitation;
mod page;
mod share;
mod shared;
mod tag;
mod wire;

pub(crate) use arn::TARGET_TYPE;
pub(crate) use invitation::{Invited, Reply, invited};
pub(crate) use share::{ResourceShare, forget, heard_of, withdraw};
pub(crate) use shared::shared_with;
pub(crate) use wire::request;

use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::token;
use crate::world::Call;
use crate::xml::Xml;
use serde_json::{Value, json};

/// Every action, by group.
pub(crate) const ACTIONS: &[&[Action]] = &[&[
    Action::write("AcceptResourceShareInvitation", |call, xml| {
        once(call, ("accept share", invitation::accept), xml)
    })
    .without_dry_run(),
    Action::write("AssociateResourceShare", |call, xml| {
        once(call, ("associate share", association::associate), xml)
    })
    .without_dry_run(),
    Action::write("CreateResourceShare", |call, xml| {
        once(call, ("create share", share::create), xml)
    })
    .without_dry_run(),
    Action::write("DeleteResourceShare", |call, xml| {
        once(call, ("delete share", share::delete), xml)
    })
    .without_dry_run(),
    Action::write("DisassociateResourceShare", |call, xml| {
        once(call, ("disassociate share", association::disassociate), xml)
    })
    .without_dry_run(),
    Action::read("GetResourceShareAssociations", association::list).without_dry_run(),
    Action::read("GetResourceShareInvitations", invitation::list).without_dry_run(),
    Action::read("GetResourceShares", share::list).without_dry_run(),
    Action::read("ListPrincipals", shared::list_principals).without_dry_run(),
    Action::read("ListResources", shared::list_resources).without_dry_run(),
    Action::write("RejectResourceShareInvitation", |call, xml| {
        once(call, ("reject share", invitation::reject), xml)
    })
    .without_dry_run(),
    Action::write("TagResource", tag::add).without_dry_run(),
    Action::write("UntagResource", tag::remove).without_dry_run(),
    Action::write("UpdateResourceShare", |call, xml| {
        once(call, ("update share", share::update), xml)
    })
    .without_dry_run(),
]];

/// Changes something and returns the answer.
type Work = fn(&mut Call<'_>) -> Outcome<Value>;

/// Does something once for a client token: a repeated call gets the answer of the first.
fn once(call: &mut Call<'_>, (name, work): (&str, Work), xml: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    let given = parameters.given("clientToken");
    let key = given.map(|given| token::named(name, given)).transpose()?;
    if let Some(key) = &key
        && let Some(answer) = call.region.made_before(key, parameters, call.now)?
    {
        xml.raw(&answer);
        return Ok(());
    }
    let mut answer = work(call)?;
    if let Some(key) = key {
        answer["clientToken"] = json!(given);
        call.region.remember(key, parameters, (&answer.to_string(), call.now));
    }
    xml.raw(&answer.to_string());
    Ok(())
}

/// The failure for something that does not exist, or not for the caller.
fn unknown(noun: &str, arn: &str) -> Failure {
    let message = format_args!("{noun} {arn} could not be found.").to_string();
    Failure::new("UnknownResourceException", message)
}

/// The failure for what cannot be done to a share or a resource.
fn not_permitted(why: &str) -> Failure {
    Failure::new("OperationNotPermittedException", why)
}

/// The failure for a parameter that is not acceptable.
fn invalid(why: impl std::fmt::Display) -> Failure {
    Failure::new("InvalidParameterException", why)
}
