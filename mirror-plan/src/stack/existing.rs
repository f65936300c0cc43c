//! Existing objects: what a stack uses but did not create.
//!
//! A stack states how to recognize one, by id, name or tags, and refers to it as it does to its own resources.
//! Observing finds it; it is never changed or tagged. In a plan, references to it are ids.

use std::collections::BTreeSet;
use std::fmt;

use super::{Place, Stack};
use crate::address::Kind;
use crate::attribute::Ref;
use crate::id::ObjectId;
use crate::resource::mirror_target::MirrorTargetId;
use crate::resource::{MirrorTarget, Resource, Tags, tag};
use crate::scalar::{AccountId, AccountName};
use crate::value::Path;

/// A declared object that exists without the stack.
#[derive(Clone, Debug)]
pub struct Existing {
    /// How it is recognized.
    pub selector: Selector,
    /// Where it was declared; `None` for a stack built in Rust.
    pub place: Option<Place>,
}

/// How an object is recognized: everything given must match, and exactly one object must remain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Its id, or its ARN if it has no id.
    pub id: Option<ObjectId>,
    /// Its Elastic Load Balancing name, or its `Name` tag in EC2.
    pub name: Option<String>,
    /// Tags that it carries, with exactly these values.
    pub tags: Tags,
    /// The account that owns it, if not the stack's own: for a mirror target that is shared with the stack's account.
    pub owner: Option<AccountId>,
    /// The account in which it is looked up, with that account's credentials: for a VPC that belongs to another
    /// account.
    pub account: Option<AccountName>,
}

impl Selector {
    /// The tags that an EC2 object must carry, including its name.
    #[must_use]
    pub fn all_tags(&self) -> Tags {
        let Self { id: _, name, tags, owner: _, account: _ } = self;
        let name = name.iter().map(|name| (tag::NAME.to_owned(), name.clone()));
        tags.clone().into_iter().chain(name).collect()
    }

    /// Whether it recognizes an object of Elastic Load Balancing.
    #[must_use]
    pub fn admits(&self, arn: &str, its_name: &str, its_tags: &Tags) -> bool {
        let Self { id, name, tags, owner: _, account: _ } = self;
        id.as_ref().is_none_or(|id| id.as_str() == arn)
            && name.as_ref().is_none_or(|name| name == its_name)
            && tags.iter().all(|(key, value)| its_tags.get(key) == Some(value))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, name, tags, owner, account } = self;
        let id = id.iter().map(|id| format!("id {id}"));
        let name = name.iter().map(|name| format!("name \"{name}\""));
        let tags = tags.iter().map(|(key, value)| format!("tag {key} = \"{value}\""));
        let owner = owner.iter().map(|owner| format!("owner {owner}"));
        let account = account.iter().map(|account| format!("in the account of {account}"));
        let all = id.chain(name).chain(tags).chain(owner).chain(account);
        f.write_str(&all.collect::<Vec<_>>().join(", "))
    }
}

impl Stack {
    /// Returns the mirror targets that it knows only by id.
    pub(crate) fn targets_by_id(&self) -> BTreeSet<MirrorTargetId> {
        let declared = self.resources.values().flat_map(|declared| match &declared.resource {
            Resource::MirrorSession(session) => std::slice::from_ref(&session.target),
            Resource::ResourceShare(share) => &share.mirror_targets,
            _ => &[],
        });
        let over_sources = self.fan_outs.values().flat_map(|fan_out| fan_out.of.target.all());
        let targets = declared.chain(over_sources.map(|(_, target)| target));
        let by_id = |target: &Ref<MirrorTarget>| match target {
            Ref::Id(id) => Some(id.clone()),
            Ref::To(_) => None,
        };
        targets.filter_map(by_id).collect()
    }

    /// Returns the other account that owns an object, if the stack names it.
    pub(crate) fn owner_of(&self, id: &str) -> Option<&AccountId> {
        let is_it = |selector: &Selector| selector.id.as_ref().is_some_and(|it| it.as_str() == id);
        let mut selectors = self.existing.values().map(|existing| &existing.selector);
        selectors.find(|selector| is_it(selector))?.owner.as_ref()
    }
}

/// Returns what is wrong with a selector for an object of `kind`, as the stack declares it.
pub(crate) fn check(kind: Kind, selector: &Selector) -> Option<(Path, String)> {
    let Selector { id, name, tags, owner, account } = selector;
    if let Some(wrong) = id.as_ref().and_then(|id| crate::resource::is_id_of(kind, id).err()) {
        return Some((Path::default().member("id"), wrong.to_string()));
    }
    if owner.is_some() && kind != Kind::MirrorTarget {
        let wrong = "only a mirror target can belong to another account";
        return Some((Path::default().member("owner"), wrong.to_owned()));
    }
    if owner.is_some() && id.is_none() {
        // Source: AWS Resource Access Manager user guide, "Shareable AWS resources": tags are not shared.
        let wrong = "a mirror target of another account needs an `id`: its tags are not shared";
        return Some((Path::default().member("owner"), wrong.to_owned()));
    }
    if account.is_some() && kind != Kind::Vpc {
        let wrong = "only a VPC can be looked up in another account";
        return Some((Path::default().member("aws"), wrong.to_owned()));
    }
    let nothing = id.is_none() && name.is_none() && tags.is_empty();
    let needed = "it needs an `id`, a `name` or `tags` to be recognized by";
    nothing.then(|| (Path::default(), needed.to_owned()))
}
