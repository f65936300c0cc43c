//! What is shared: what both the owner and the invited account have agreed to.

use super::arn::{TARGET, TARGET_TYPE};
use super::course::{Course, Status};
use super::page;
use super::share::{self, Owner, ResourceShare};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::world::{Region, View};
use crate::xml::Xml;
use jiff::Timestamp;
use serde_json::json;

/// Returns the shares of others that a caller has joined, with the Regions they are in.
pub(super) fn joined(view: View<'_>) -> impl Iterator<Item = (&Region, &ResourceShare)> {
    let account = &view.region.account;
    view.neighbours.iter().copied().flat_map(move |owner| {
        let shares = owner.resource_shares.values();
        shares.filter(move |share| begun(view, share, account).is_some()).map(move |it| (owner, it))
    })
}

/// Returns when an account has become a principal of a share, if it is one.
fn begun(view: View<'_>, share: &ResourceShare, account: &str) -> Option<Timestamp> {
    match share.principals.get(account)?.course(view, account) {
        Course::Begun(at) => Some(at),
        Course::Asked | Course::Declined(_) | Course::Ended(_) => None,
    }
}

/// Returns the ids of the mirror targets that are shared with a caller, with the Regions they are in.
pub(crate) fn shared_with(view: View<'_>) -> impl Iterator<Item = (&Region, &str)> {
    let holds = move |course: Course| course.status(view) == Status::Associated;
    let account = &view.region.account;
    let shares = joined(view).filter(move |(_, share)| {
        let principal = share.principals.get(account);
        principal.is_some_and(|principal| holds(principal.course(view, account)))
    });
    shares.flat_map(move |(owner, share)| {
        let resources = share.resources.iter().filter(move |(_, it)| holds(it.course()));
        resources
            .filter_map(move |(arn, _)| Some((owner, &arn[arn.find(TARGET)? + TARGET.len()..])))
    })
}

/// Handles `ListResources`.
pub(super) fn list_resources(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let owner = Owner::read(parameters)?;
    let shares = owner.shares(view);
    let named = share::named(parameters, &shares)?;
    let is_regional = parameters.given("resourceRegionScope").is_none_or(|scope| scope != "GLOBAL");
    let is_of_type = asks_for_targets(parameters)? && is_regional;
    let (arns, principal) = (parameters.texts("resourceArns"), parameters.given("principal"));
    let shares = shares.into_iter().filter(|(of, share)| {
        named.as_ref().is_none_or(|named| named.contains(&&*share.arn))
            && principal.is_none_or(|account| match owner {
                Owner::Caller => begun(view, share, account).is_some(),
                Owner::Others => of.account == account,
            })
    });
    let rows = shares.flat_map(|(_, share)| share.resources.iter().map(move |it| (share, it)));
    let rows = rows
        .filter(|(_, (_, resource))| resource.course().stands() && is_of_type)
        .filter(|(_, (arn, _))| arns.is_empty() || arns.contains(&arn.as_str()))
        .map(|(share, (arn, resource))| {
            let row = json!({
                "arn": arn,
                "type": TARGET_TYPE,
                "resourceShareArn": share.arn,
                "status": "AVAILABLE",
                "creationTime": resource.added.as_second(),
                "lastUpdatedTime": resource.added.as_second(),
                "resourceRegionScope": "REGIONAL",
            });
            (format!("{arn} {}", share.arn), row)
        });
    page::write(parameters, "resources", rows.collect(), xml)
}

/// Handles `ListPrincipals`.
pub(super) fn list_principals(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let owner = Owner::read(parameters)?;
    let shares = owner.shares(view);
    let named = share::named(parameters, &shares)?;
    let (names_type, of_targets) =
        (parameters.given("resourceType").is_some(), asks_for_targets(parameters)?);
    let (arn, wanted) = (parameters.given("resourceArn"), parameters.texts("principals"));
    let shares = shares.into_iter().filter(|(_, share)| {
        let standing = |of: Option<&str>| {
            let mut resources = share.resources.iter();
            resources.any(|(arn, it)| it.course().stands() && of.is_none_or(|of| of == arn))
        };
        named.as_ref().is_none_or(|named| named.contains(&&*share.arn))
            && (!names_type || of_targets && standing(None))
            && arn.is_none_or(|arn| standing(Some(arn)))
    });
    let rows = shares.flat_map(|(of, share)| {
        let principals = share.principals.keys().filter_map(move |account| {
            let at = begun(view, share, account)?;
            match owner {
                Owner::Caller => Some((account, at)),
                Owner::Others => (*account == view.region.account).then_some((&of.account, at)),
            }
        });
        principals.map(move |(id, at)| (share, id, at))
    });
    let rows = rows.filter(|(_, id, _)| wanted.is_empty() || wanted.contains(&id.as_str()));
    let rows = rows.map(|(share, id, at)| {
        let row = json!({
            "id": id,
            "resourceShareArn": share.arn,
            "creationTime": at.as_second(),
            "lastUpdatedTime": at.as_second(),
            "external": true,
        });
        (format!("{id} {}", share.arn), row)
    });
    page::write(parameters, "principals", rows.collect(), xml)
}

/// Whether a call asks for the only type that exists, or for none in particular. Case does not matter.
fn asks_for_targets(parameters: &Parameters) -> Outcome<bool> {
    match parameters.given("resourceType") {
        None => Ok(true),
        Some(asked) if asked.eq_ignore_ascii_case(TARGET_TYPE) => Ok(true),
        Some(asked) if asked.contains(':') => Ok(false),
        Some(asked) => {
            let message = format!("The specified resource type is not valid: {asked}");
            Err(Failure::new("InvalidResourceTypeException", message))
        }
    }
}
