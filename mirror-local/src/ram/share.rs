//! Resource shares, as their owners have them.

use super::arn::{self, SHARE};
use super::association::{self, Principal, Resource};
use super::course::changes;
use super::{invalid, page, shared, tag, unknown};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::schedule::{Event, later};
use crate::table::{Kind, Row};
use crate::tags::Tags;
use crate::world::{Call, Region, View};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a deleted share is described. The AWS RAM user guide, "Deleting a resource share", says that it is for a
/// short time, but not how short.
const DELETED_IS_SHOWN: Duration = Duration::from_secs(2 * 60 * 60);

/// A resource share: resources, and the principals that are to use them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ResourceShare {
    pub(super) arn: String,
    pub(crate) name: String,
    pub(crate) outsiders: Outsiders,
    pub(super) created: Timestamp,
    updated: Timestamp,
    deleted: Option<Timestamp>,
    pub(crate) tags: Tags,
    /// By ARN.
    pub(super) resources: BTreeMap<String, Resource>,
    /// By account.
    pub(super) principals: BTreeMap<String, Principal>,
}

/// Whether accounts outside the owner's organization may be principals. There are no organizations here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outsiders {
    Admitted,
    Excluded,
}

impl Row for ResourceShare {
    // Its tags are not among those of `DescribeTags`, which are EC2's.
    const KIND: Kind = Kind {
        prefix: "",
        noun: "resource share",
        resource_type: "",
        not_found: "UnknownResourceException",
        malformed: "MalformedArnException",
        describe: "GetResourceShares",
    };
}

impl Outsiders {
    fn read(parameters: &Parameters) -> Outcome<Option<Self>> {
        let admits = |admits| if admits { Self::Admitted } else { Self::Excluded };
        Ok(parameters.boolean("allowExternalPrincipals")?.map(admits))
    }

    /// Returns its value on the wire.
    pub(crate) fn are_admitted(self) -> bool {
        self == Self::Admitted
    }
}

impl ResourceShare {
    /// Returns its state: AWS RAM API reference, `ResourceShare`.
    fn status(&self, view: View<'_>) -> &'static str {
        match self.deleted {
            None => "ACTIVE",
            Some(at) if changes(view, at) => "DELETING",
            Some(_) => "DELETED",
        }
    }

    /// Describes it. Its tags are shown to its owner.
    fn written(&self, view: View<'_>, owner: &Region) -> Value {
        let mut written = json!({
            "resourceShareArn": self.arn,
            "name": self.name,
            "owningAccountId": owner.account,
            "allowExternalPrincipals": self.outsiders.are_admitted(),
            "status": self.status(view),
            "creationTime": self.created.as_second(),
            "lastUpdatedTime": self.updated.as_second(),
            "featureSet": "STANDARD",
        });
        if view.region.account == owner.account && !self.tags.is_empty() {
            written["tags"] = tag::written(&self.tags);
        }
        written
    }
}

/// Returns a share of a Region that is not deleted, to change it.
pub(super) fn standing<'a>(region: &'a mut Region, arn: &str) -> Outcome<&'a mut ResourceShare> {
    arn::check(arn, SHARE)?;
    let share = region.resource_shares.get_mut(arn).filter(|share| share.deleted.is_none());
    share.ok_or_else(|| unknown("ResourceShare", arn))
}

/// Returns a share that is not deleted: the caller's own, or one that it has joined.
pub(crate) fn heard_of<'a>(view: View<'a>, arn: &str) -> Option<&'a ResourceShare> {
    let own = view.region.resource_shares.get(arn);
    let joined = || shared::joined(view).find(|(_, share)| share.arn == arn).map(|(_, it)| it);
    own.or_else(joined).filter(|share| share.deleted.is_none())
}

/// What AWS accepts and this local AWS does not: permissions other than the default ones, and services as principals.
const FOREIGN: &[&str] = &["permissionArns", "sources", "resourceShareConfiguration"];

/// Handles `CreateResourceShare`.
pub(super) fn create(call: &mut Call<'_>) -> Outcome<Value> {
    let parameters = call.parameters;
    parameters.refuse(FOREIGN)?;
    let name = parameters.required("name")?.to_owned();
    let outsiders = Outsiders::read(parameters)?.unwrap_or(Outsiders::Admitted);
    let tags = tag::read(parameters)?;
    let most = call.settings.quotas.resource_shares;
    let standing = call.region.resource_shares.values().filter(|share| share.deleted.is_none());
    if standing.count() >= most {
        let message = format!("The maximum number of resource shares has been reached ({most}).");
        return Err(Failure::new("ResourceShareLimitExceededException", message));
    }
    let id = call.region.draw_uuid(SHARE);
    let arn = call.region.arn("ram", format_args!("{SHARE}{id}"));
    let mut share = ResourceShare {
        arn: arn.clone(),
        name,
        outsiders,
        created: call.now,
        updated: call.now,
        deleted: None,
        tags,
        resources: BTreeMap::new(),
        principals: BTreeMap::new(),
    };
    association::begin(call, &mut share)?;
    call.region.resource_shares.insert(&*arn, share);
    answer(call, &arn)
}

/// Handles `UpdateResourceShare`. Existing principals stay.
pub(super) fn update(call: &mut Call<'_>) -> Outcome<Value> {
    let arn = call.parameters.required("resourceShareArn")?;
    let outsiders = Outsiders::read(call.parameters)?;
    let share = standing(call.region, arn)?;
    if let Some(name) = call.parameters.given("name") {
        name.clone_into(&mut share.name);
    }
    share.outsiders = outsiders.unwrap_or(share.outsiders);
    share.updated = call.now;
    answer(call, arn)
}

fn answer(call: &Call<'_>, arn: &str) -> Outcome<Value> {
    let share =
        call.region.resource_shares.get(arn).ok_or_else(|| unknown("ResourceShare", arn))?;
    Ok(json!({ "resourceShare": share.written(call.view(), call.region) }))
}

/// Handles `DeleteResourceShare`: it no longer shares what is in it.
pub(super) fn delete(call: &mut Call<'_>) -> Outcome<Value> {
    let (arn, now) = (call.parameters.required("resourceShareArn")?, call.now);
    let share = standing(call.region, arn)?;
    share.deleted = Some(now);
    share.updated = now;
    share.resources.values_mut().for_each(|resource| resource.end(now));
    share.principals.values_mut().for_each(|principal| principal.end(now));
    call.region.arrange(later(now, DELETED_IS_SHOWN), Event::ForgetResourceShare, arn);
    Ok(json!({ "returnValue": true }))
}

/// Stops describing a deleted share.
pub(crate) fn forget(region: &mut Region, arn: &str) {
    region.resource_shares.remove(arn);
}

/// Removes a deleted mirror target from every share.
pub(crate) fn withdraw(region: &mut Region, target: &str, now: Timestamp) {
    let arn = arn::target(region, target);
    let with =
        region.resource_shares.iter().filter(|(_, share)| share.resources.contains_key(&arn));
    for share in with.map(|(share, _)| share.to_owned()).collect::<Vec<_>>() {
        let share = region.resource_shares.get_mut(&share);
        if let Some(resource) = share.and_then(|share| share.resources.get_mut(&arn)) {
            resource.end(now);
        }
    }
}

/// Whose shares a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Caller,
    Others,
}

impl Owner {
    /// Reads `resourceOwner`.
    pub(super) fn read(parameters: &Parameters) -> Outcome<Self> {
        match parameters.required("resourceOwner")? {
            "SELF" => Ok(Self::Caller),
            "OTHER-ACCOUNTS" => Ok(Self::Others),
            other => {
                Err(invalid(format_args!("resourceOwner must be SELF or OTHER-ACCOUNTS: {other}")))
            }
        }
    }

    /// Returns the shares that a caller may see, with the Regions they are in.
    pub(super) fn shares(self, view: View<'_>) -> Vec<(&Region, &ResourceShare)> {
        match self {
            Self::Caller => {
                view.region.resource_shares.values().map(|share| (view.region, share)).collect()
            }
            Self::Others => shared::joined(view).collect(),
        }
    }
}

/// Handles `GetResourceShares`.
pub(super) fn list(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    parameters.refuse(&["permissionArn", "permissionVersion"])?;
    let shares = Owner::read(parameters)?.shares(view);
    let arns = named(parameters, &shares)?;
    let (name, status) = (parameters.given("name"), parameters.given("resourceShareStatus"));
    let wanted = shares.iter().filter(|(owner, share)| {
        let is_own = owner.account == view.region.account;
        let tags = if is_own { share.tags.clone() } else { Tags::default() };
        arns.as_ref().is_none_or(|arns| arns.contains(&&*share.arn))
            && name.is_none_or(|name| share.name == name)
            && status.is_none_or(|status| share.status(view) == status)
            && tag::meet(&tags, parameters)
    });
    let rows = wanted.map(|(owner, share)| (share.arn.clone(), share.written(view, owner)));
    page::write(parameters, "resourceShares", rows.collect(), xml)
}

/// The shares that a call names, all of which must exist; `None` if it names none.
pub(super) fn named<'a>(
    parameters: &'a Parameters,
    shares: &[(&Region, &ResourceShare)],
) -> Outcome<Option<Vec<&'a str>>> {
    let arns = parameters.texts("resourceShareArns");
    for given in &arns {
        arn::check(given, SHARE)?;
        if !shares.iter().any(|(_, share)| share.arn == *given) {
            return Err(unknown("ResourceShare", given));
        }
    }
    Ok((!arns.is_empty()).then_some(arns))
}
