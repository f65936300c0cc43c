//! Invitations to a share, and the answers of the invited accounts.

use super::arn::{self, INVITATION};
use super::course::Course;
use super::share::ResourceShare;
use super::{page, unknown};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::schedule::later;
use crate::table::{Kind, Row};
use crate::world::{Call, Region, View};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// How long an invitation to use mirror targets stays open; after that it counts as rejected.
///
/// Source: AWS RAM user guide, "Accepting and rejecting resource share invitations".
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// An invitation, as its sender has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Invitation {
    pub(super) arn: String,
    pub(super) sent: Timestamp,
}

/// The last answer of the invited account, and when it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reply {
    Accepted(Timestamp),
    Rejected(Timestamp),
    /// It was accepted, and the share was left.
    Left(Timestamp),
}

impl Row for Reply {
    const KIND: Kind = Kind::INTERNAL;
}

/// The state of an invitation: AWS RAM API reference, `ResourceShareInvitation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Pending,
    Accepted,
    Rejected,
    Expired,
}

impl Invitation {
    /// The course of the association that it is for.
    pub(super) fn course(&self, view: View<'_>, account: &str) -> Course {
        let expires = later(self.sent, PATIENCE);
        match self.reply(view, account) {
            Some(Reply::Accepted(at)) => Course::Begun(at),
            Some(Reply::Rejected(at)) => Course::Declined(at),
            Some(Reply::Left(at)) => Course::Ended(at),
            None if expires <= view.now => Course::Declined(expires),
            None => Course::Asked,
        }
    }

    fn status(&self, view: View<'_>, account: &str) -> Status {
        match self.reply(view, account) {
            Some(Reply::Accepted(_) | Reply::Left(_)) => Status::Accepted,
            Some(Reply::Rejected(_)) => Status::Rejected,
            None if later(self.sent, PATIENCE) <= view.now => Status::Expired,
            None => Status::Pending,
        }
    }

    fn reply(&self, view: View<'_>, account: &str) -> Option<Reply> {
        view.of_account(account)?.share_replies.get(&self.arn).copied()
    }
}

/// An invitation to the caller, and where it comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Invited<'a> {
    pub(crate) owner: &'a Region,
    pub(crate) share: &'a ResourceShare,
    invitation: &'a Invitation,
}

impl Invited<'_> {
    fn written(&self, view: View<'_>) -> Value {
        let Self { owner, share, invitation } = self;
        let receiver = &view.region.account;
        let status = match invitation.status(view, receiver) {
            Status::Pending => "PENDING",
            Status::Accepted => "ACCEPTED",
            Status::Rejected => "REJECTED",
            Status::Expired => "EXPIRED",
        };
        json!({
            "resourceShareInvitationArn": invitation.arn,
            "resourceShareName": share.name,
            "resourceShareArn": share.arn,
            "senderAccountId": owner.account,
            "receiverAccountId": receiver,
            "invitationTimestamp": invitation.sent.as_second(),
            "status": status,
        })
    }
}

/// Returns the invitations of a caller that were not withdrawn.
fn all(view: View<'_>) -> impl Iterator<Item = Invited<'_>> {
    view.neighbours.iter().copied().flat_map(move |owner| {
        owner.resource_shares.values().filter_map(move |share| {
            let principal = share.principals.get(&view.region.account)?;
            let invitation = &principal.invitation;
            principal.is_meant().then_some(Invited { owner, share, invitation })
        })
    })
}

/// Returns an invitation of a caller.
pub(crate) fn invited<'a>(view: View<'a>, arn: &str) -> Option<Invited<'a>> {
    all(view).find(|invited| invited.invitation.arn == arn)
}

/// Handles `GetResourceShareInvitations`.
pub(super) fn list(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let arns = parameters.texts("resourceShareInvitationArns");
    for given in &arns {
        arn::check(given, INVITATION)?;
        invited(view, given).ok_or_else(|| not_found(given))?;
    }
    let shares = parameters.texts("resourceShareArns");
    for given in &shares {
        arn::check(given, arn::SHARE)?;
        let is_there = all(view).any(|it| it.share.arn == *given);
        if !is_there {
            return Err(unknown("ResourceShare", given));
        }
    }
    let wanted = all(view).filter(|it| {
        (arns.is_empty() || arns.contains(&&*it.invitation.arn))
            && (shares.is_empty() || shares.contains(&&*it.share.arn))
    });
    let rows = wanted.map(|it| (it.invitation.arn.clone(), it.written(view)));
    page::write(parameters, "resourceShareInvitations", rows.collect(), xml)
}

/// Handles `AcceptResourceShareInvitation`.
pub(super) fn accept(call: &mut Call<'_>) -> Outcome<Value> {
    reply(call, Reply::Accepted(call.now))
}

/// Handles `RejectResourceShareInvitation`.
pub(super) fn reject(call: &mut Call<'_>) -> Outcome<Value> {
    reply(call, Reply::Rejected(call.now))
}

fn reply(call: &mut Call<'_>, reply: Reply) -> Outcome<Value> {
    let arn = call.parameters.required("resourceShareInvitationArn")?;
    arn::check(arn, INVITATION)?;
    let (view, receiver) = (call.view(), &call.region.account);
    let found = invited(view, arn).ok_or_else(|| not_found(arn))?;
    let refuse = |code: &str, what: &str| {
        let message = format!("The invitation {arn} {what}.");
        Err(Failure::new(format!("ResourceShareInvitation{code}Exception"), message))
    };
    match found.invitation.status(view, receiver) {
        Status::Pending => {}
        Status::Accepted => return refuse("AlreadyAccepted", "was already accepted"),
        Status::Rejected => return refuse("AlreadyRejected", "was already rejected"),
        Status::Expired => return refuse("Expired", "has expired"),
    }
    call.region.share_replies.insert(arn, reply);
    let view = call.view();
    let found = invited(view, arn).ok_or_else(|| not_found(arn))?;
    Ok(json!({ "resourceShareInvitation": found.written(view) }))
}

fn not_found(arn: &str) -> Failure {
    let message = format!("The invitation {arn} could not be found.");
    Failure::new("ResourceShareInvitationArnNotFoundException", message)
}
