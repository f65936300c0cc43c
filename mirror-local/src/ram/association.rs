//! The contents of a share: resources, and the principals that are to use them.

use super::arn::{self, INVITATION, SHARE};
use super::course::Course;
use super::invitation::{Invitation, Reply};
use super::share::{self, Owner, ResourceShare};
use super::{invalid, not_permitted, page, shared, unknown};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::place::is_account;
use crate::world::{Call, Region, View};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A resource that is or was in a share.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Resource {
    pub(super) added: Timestamp,
    ended: Option<Timestamp>,
}

/// An account that a share is or was for, with its invitation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Principal {
    pub(super) invitation: Invitation,
    ended: Option<Timestamp>,
}

impl Resource {
    pub(super) fn course(&self) -> Course {
        self.ended.map_or(Course::Begun(self.added), Course::Ended)
    }

    /// Removes it from the share.
    pub(super) fn end(&mut self, at: Timestamp) {
        self.ended.get_or_insert(at);
    }
}

impl Principal {
    /// Its course, given what its account has answered.
    pub(super) fn course(&self, view: View<'_>, account: &str) -> Course {
        self.ended.map_or_else(|| self.invitation.course(view, account), Course::Ended)
    }

    /// Removes it from the share.
    pub(super) fn end(&mut self, at: Timestamp) {
        self.ended.get_or_insert(at);
    }

    /// Whether the owner has not removed it.
    pub(super) const fn is_meant(&self) -> bool {
        self.ended.is_none()
    }
}

/// Which part of a share an association is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Principal,
    Resource,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Principal => "PRINCIPAL",
            Self::Resource => "RESOURCE",
        }
    }

    /// The parameter that lists several of it.
    const fn list(self) -> &'static str {
        match self {
            Self::Principal => "principals",
            Self::Resource => "resourceArns",
        }
    }

    /// The parameter that asks for one of it.
    const fn filter(self) -> &'static str {
        match self {
            Self::Principal => "principal",
            Self::Resource => "resourceArn",
        }
    }
}

/// One association of a share.
struct Association<'a> {
    share: &'a ResourceShare,
    kind: Kind,
    entity: &'a str,
    created: Timestamp,
    course: Course,
}

impl<'a> Association<'a> {
    /// Returns those of a share, of a kind.
    fn all(view: View<'a>, share: &'a ResourceShare, kind: Kind) -> Vec<Self> {
        let association = |(entity, created, course): (&'a String, Timestamp, Course)| Self {
            share,
            kind,
            entity,
            created,
            course,
        };
        match kind {
            Kind::Principal => {
                let all = share.principals.iter();
                all.map(|(account, it)| (account, it.invitation.sent, it.course(view, account)))
                    .map(association)
                    .collect()
            }
            Kind::Resource => {
                let all = share.resources.iter();
                all.map(|(arn, it)| (arn, it.added, it.course())).map(association).collect()
            }
        }
    }

    fn written(&self, view: View<'_>) -> Value {
        let Self { share, kind, entity, created, course } = self;
        json!({
            "resourceShareArn": share.arn,
            "resourceShareName": share.name,
            "associatedEntity": entity,
            "associationType": kind.word(),
            "status": course.status(view).word(),
            "creationTime": created.as_second(),
            "lastUpdatedTime": course.changed().unwrap_or(*created).as_second(),
            // Without organizations, every other account is outside the owner's.
            "external": *kind == Kind::Principal,
        })
    }
}

/// Adds what a call names to a share. What is there already stays as it is; an account that has declined is invited
/// again.
pub(super) fn begin(call: &mut Call<'_>, share: &mut ResourceShare) -> Outcome {
    for given in call.parameters.texts(Kind::Resource.list()) {
        let arn = arn::own_target(call.region, given)?;
        if !share.resources.get(&arn).is_some_and(|it| it.course().stands()) {
            share.resources.insert(arn, Resource { added: call.now, ended: None });
        }
    }
    for account in call.parameters.texts(Kind::Principal.list()) {
        check_principal(call.region, account)?;
        if !share.outsiders.are_admitted() {
            return Err(not_permitted(
                "The resource you are attempting to share can only be shared within your AWS Organization.",
            ));
        }
        let there = share.principals.get(account);
        if there.is_some_and(|it| it.course(call.view(), account).stands()) {
            continue;
        }
        let id = call.region.draw_uuid(INVITATION);
        let arn = call.region.arn("ram", format_args!("{INVITATION}{id}"));
        let invitation = Invitation { arn, sent: call.now };
        share.principals.insert(account.to_owned(), Principal { invitation, ended: None });
    }
    Ok(())
}

fn check_principal(region: &Region, account: &str) -> Outcome {
    if !is_account(account) {
        let why = format!("mirror-local shares with accounts and nobody else: {account}");
        return Err(invalid(why));
    }
    if account == region.account {
        // What AWS does is not documented.
        return Err(invalid("A resource share is not for the account that owns it."));
    }
    Ok(())
}

/// Handles `AssociateResourceShare`.
pub(super) fn associate(call: &mut Call<'_>) -> Outcome<Value> {
    call.parameters.refuse(&["sources"])?;
    let arn = named(call.parameters)?;
    let mut share = share::standing(call.region, arn)?.clone();
    begin(call, &mut share)?;
    let answer = answer(call.view(), &share, call.parameters);
    call.region.resource_shares.insert(arn, share);
    Ok(answer)
}

/// Handles `DisassociateResourceShare`: for the owner, which removes something, and for a principal, which leaves.
pub(super) fn disassociate(call: &mut Call<'_>) -> Outcome<Value> {
    call.parameters.refuse(&["sources"])?;
    let arn = named(call.parameters)?;
    arn::check(arn, SHARE)?;
    if !call.region.resource_shares.contains(arn) {
        return leave(call, arn);
    }
    let mut share = share::standing(call.region, arn)?.clone();
    let (view, now) = (call.view(), call.now);
    for given in call.parameters.texts(Kind::Resource.list()) {
        let there = share.resources.get_mut(given).filter(|it| it.course().stands());
        there.ok_or_else(|| unknown("Resource", given))?.end(now);
    }
    for account in call.parameters.texts(Kind::Principal.list()) {
        let there = share.principals.get_mut(account);
        let there = there.filter(|it| it.course(view, account).stands());
        there.ok_or_else(|| unknown("Principal", account))?.end(now);
    }
    let answer = answer(view, &share, call.parameters);
    call.region.resource_shares.insert(arn, share);
    Ok(answer)
}

/// Reads which share a call is about; the call must name something to add or remove.
fn named(parameters: &Parameters) -> Outcome<&str> {
    let lists = [Kind::Principal, Kind::Resource].map(Kind::list);
    if lists.iter().all(|list| parameters.texts(list).is_empty()) {
        return Err(invalid("You must specify at least one resource or one principal."));
    }
    parameters.required("resourceShareArn")
}

/// What a call has changed in a share.
fn answer(view: View<'_>, share: &ResourceShare, parameters: &Parameters) -> Value {
    let changed = [Kind::Resource, Kind::Principal].into_iter().flat_map(|kind| {
        let named = parameters.texts(kind.list());
        let all = Association::all(view, share, kind).into_iter();
        all.filter(move |it| named.contains(&it.entity))
    });
    let changed: Vec<Value> = changed.map(|it| it.written(view)).collect();
    json!({ "resourceShareAssociations": changed })
}

/// Lets an account leave a share of another one.
///
/// Some types of resources cannot be left: the user guide has a list, and hashicorp/terraform-provider-aws #19319 a
/// refusal. It is not verified that mirror targets are among them, nor that this is the refusal.
fn leave(call: &mut Call<'_>, arn: &str) -> Outcome<Value> {
    let (view, account) = (call.view(), &*call.region.account);
    let joined = shared::joined(view).find(|(_, share)| share.arn == arn);
    let (_, share) = joined.ok_or_else(|| unknown("ResourceShare", arn))?;
    let principal = share.principals.get(account).ok_or_else(|| unknown("Principal", account))?;
    let lists = [Kind::Principal, Kind::Resource].map(|kind| call.parameters.texts(kind.list()));
    if lists != [vec![account], Vec::new()] {
        return Err(not_permitted("Of a resource share of others you can disassociate yourself."));
    }
    if share.resources.values().any(|resource| resource.course().stands()) {
        return Err(not_permitted("A resource share with traffic mirror targets cannot be left."));
    }
    let (kind, created) = (Kind::Principal, principal.invitation.sent);
    let course = Course::Ended(call.now);
    let left = Association { share, kind, entity: account, created, course };
    let answer = json!({ "resourceShareAssociations": [left.written(view)] });
    let invitation = principal.invitation.arn.clone();
    call.region.share_replies.insert(invitation, Reply::Left(call.now));
    Ok(answer)
}

/// Handles `GetResourceShareAssociations`, which is about shares of the caller.
pub(super) fn list(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let kind = match parameters.required("associationType")? {
        "PRINCIPAL" => Kind::Principal,
        "RESOURCE" => Kind::Resource,
        other => return Err(wrong_type(other)),
    };
    let foreign = match kind {
        Kind::Principal => Kind::Resource,
        Kind::Resource => Kind::Principal,
    };
    if parameters.given(foreign.filter()).is_some() {
        let (filter, word) = (foreign.filter(), kind.word());
        return Err(invalid(format_args!("{filter} is not for associations of type {word}.")));
    }
    let shares = Owner::Caller.shares(view);
    let arns = share::named(parameters, &shares)?;
    let (entity, status) = (parameters.given(kind.filter()), parameters.given("associationStatus"));
    let shares = shares.into_iter().map(|(_, share)| share);
    let shares = shares.filter(|it| arns.as_ref().is_none_or(|arns| arns.contains(&&*it.arn)));
    let rows = shares
        .flat_map(|share| Association::all(view, share, kind))
        .filter(|it| entity.is_none_or(|entity| it.entity == entity))
        .filter(|it| status.is_none_or(|status| it.course.status(view).word() == status))
        .map(|it| (format!("{} {}", it.share.arn, it.entity), it.written(view)));
    page::write(parameters, "resourceShareAssociations", rows.collect(), xml)
}

fn wrong_type(given: &str) -> Failure {
    invalid(format_args!("associationType must be PRINCIPAL or RESOURCE: {given}"))
}
