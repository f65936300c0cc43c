//! Existing objects in a plan: before anything is decided, references to them are replaced by what they
//! refer to.
//!
//! From then on these are ids and values like any that a stack file gives itself. The same is done for
//! the accounts that a stack reaches: a peering then names the owner of its accepter.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::resolve::{self, Known};
use super::{Fingerprint, Plan};
use crate::address::Address;
use crate::attribute::{AttributeType, Problems};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::id::ObjectId;
use crate::observed::{Found, Observed};
use crate::resource::{Resource, VpcPeering};
use crate::scalar::AccountName;
use crate::stack::{Account, Declared, Existing, Placed, Selector, Stack, account};
use crate::value::{Origin, Path, Value};

impl Stack {
    /// The stack with ids and values in place of its references to objects that it did not create.
    ///
    /// [`plan`](crate::plan::plan) calls this itself.
    ///
    /// # Errors
    /// For each of these objects that has not been observed, and for each attribute that cannot hold
    /// what it refers to.
    pub fn using(&self, observed: &Observed) -> Result<Cow<'_, Self>, Diagnostics> {
        if self.existing.is_empty() && self.accounts.is_empty() {
            return Ok(Cow::Borrowed(self));
        }
        unseen(self, observed).unless_errors(())?;
        self.using_what_was_seen(observed)
    }

    /// The same for the objects that were observed; references to others stay as they are.
    ///
    /// # Errors
    /// For each attribute that cannot hold what it refers to.
    pub fn using_what_was_seen(&self, observed: &Observed) -> Result<Cow<'_, Self>, Diagnostics> {
        filled_in(self, observed)
    }
}

/// Reports each object and account that was not looked up.
fn unseen(stack: &Stack, observed: &Observed) -> Diagnostics {
    let unseen = stack.existing.iter().filter(|(a, _)| !observed.existing.contains_key(*a));
    let objects = unseen.map(|(address, existing)| {
        let head = existing.place.as_ref().map(|place| place.head.clone());
        Diagnostic::error(code::NOT_ONE, format!("nothing seen matches `{address}`"))
            .of(address)
            .at(head, "declared here")
            .note(format!("looked for: {}", existing.selector))
            .help("plan against the account, or with an inventory of this stack")
    });
    let accounts = stack.accounts_in_use().into_iter().filter_map(|name| {
        let place = stack.accounts.get(name)?.place.as_ref();
        (!observed.accounts.contains_key(name)).then(|| {
            Diagnostic::error(
                code::UNREACHED_ACCOUNT,
                format!("the account of `{name}` was not looked up"),
            )
            .at(place.map(|place| place.head.clone()), "declared here")
            .help("plan against the account, or with an inventory of this stack")
        })
    });
    objects.chain(accounts).collect()
}

fn filled_in<'s>(stack: &'s Stack, observed: &Observed) -> Result<Cow<'s, Stack>, Diagnostics> {
    let declared = stack;
    let (mut stack, mut diagnostics) = (stack.clone(), own_accounts(stack, observed));
    for (address, of) in &mut stack.resources {
        let Declared { resource, place } = of;
        if let Resource::VpcPeering(peering) = resource {
            let there = account::looked_for_in(declared, peering);
            account::complete(peering, there, |name| observed.accounts.get(name).cloned());
            diagnostics.extend(other_owner(declared, (address, peering), observed));
        }
        if resource.origins().iter().any(|origin| observed.existing.contains_key(&origin.address)) {
            let value = resolve::fill(resource.to_value(), &Used(&observed.existing));
            let mut problems = Problems::default();
            let read = Resource::read(address.kind, &value, &mut problems);
            let problems = problems.into_inner().into_iter();
            diagnostics.extend(problems.map(|problem| problem.at_place(address, place.as_ref())));
            *resource = read.unwrap_or_else(|| resource.clone());
        }
    }
    for (address, Placed { of, place }) in &mut stack.fan_outs {
        let problems = use_in(of, &observed.existing).into_inner().into_iter();
        diagnostics.extend(problems.map(|problem| problem.at_place(address, place.as_ref())));
    }
    for Placed { of, place } in stack.sources.values_mut() {
        let problems = use_in(of, &observed.existing).into_inner().into_iter();
        diagnostics.extend(problems.map(|problem| problem.of_no_resource(place.as_ref())));
    }
    diagnostics.unless_errors(Cow::Owned(stack)).map(|(stack, _)| stack)
}

/// Reports each `aws` block that leads to the stack's own account.
fn own_accounts(stack: &Stack, observed: &Observed) -> Diagnostics {
    let own = observed.accounts.iter().filter(|(_, account)| **account == observed.account);
    let told = own.filter_map(|(name, account)| {
        let place = stack.accounts.get(name)?.place.as_ref();
        let title = format!("`{name}` is account {account}, the stack's own account");
        Some(
            Diagnostic::error(code::OTHER_ACCOUNT, title)
                .at(place.map(|place| place.head.clone()), "declared here")
                .help(format!("leave it out: without `aws = {name}` a VPC is looked up in the stack's own account")),
        )
    });
    told.collect()
}

/// Reports a peering that names another account than the one that the credentials are for.
fn other_owner(
    stack: &Stack,
    (address, peering): (&Address, &VpcPeering),
    observed: &Observed,
) -> Option<Diagnostic> {
    let name = account::looked_for_in(stack, peering).or(peering.accept_as.as_ref())?;
    let (there, said) = (observed.accounts.get(name)?, peering.accepter_owner.as_ref()?);
    let place = stack.resources.get(address)?.place.as_ref();
    let at = Path::default().member("accepter_owner");
    let title = format!(
        "the accepter of `{address}` belongs to account {said}, but `{name}` is account {there}"
    );
    (there != said).then(|| {
        Diagnostic::error(code::CONTRADICTION, title)
            .of(address)
            .at(place.map(|place| place.of(&at).clone()), "")
            .help(format!("leave `accepter_owner` out: it is already known from `{name}`"))
    })
}

/// The accounts that a plan reaches, each with the account that AWS reported for it.
pub(super) fn reached(stack: &Stack, observed: &Observed) -> BTreeMap<AccountName, Account> {
    let used: BTreeSet<&AccountName> = stack.accounts_in_use();
    let reached = used.into_iter().filter_map(|name| {
        let account = stack.accounts.get(name)?.of.seen_as(observed.accounts.get(name)?);
        Some((name.clone(), account))
    });
    reached.collect()
}

/// Puts ids and values in place of the references in something that is not a resource, and returns the
/// problems with that.
pub(crate) fn use_in<T: AttributeType>(
    of: &mut T,
    existing: &BTreeMap<Address, Found>,
) -> Problems {
    let value = resolve::fill(of.to_value(), &Used(existing));
    let mut problems = Problems::default();
    if let Some(read) = T::read(&value, &Path::default(), &mut problems) {
        *of = read;
    }
    problems
}

/// Which objects the plan uses and leaves as they are.
pub(super) fn used(stack: &Stack, observed: &Observed) -> BTreeMap<Address, ObjectId> {
    let declared = stack.existing.keys();
    declared
        .filter_map(|address| Some((address.clone(), observed.existing.get(address)?.id.clone())))
        .collect()
}

/// What a plan uses of an existing object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// The account in which it was looked up, if not the stack's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountName>,
    /// The values that are used, by attribute: if one has changed since, the plan is stale.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, Fingerprint>,
}

/// What the plan uses of each of these objects.
pub(super) fn uses(stack: &Stack, observed: &Observed) -> BTreeMap<Address, Use> {
    if stack.existing.is_empty() {
        return BTreeMap::new();
    }
    let mut origins = BTreeSet::new();
    stack.resources.values().for_each(|it| it.resource.to_value().collect_origins(&mut origins));
    stack.fan_outs.values().for_each(|it| it.of.to_value().collect_origins(&mut origins));
    stack.sources.values().for_each(|it| it.of.to_value().collect_origins(&mut origins));
    stack.outputs.values().for_each(|it| it.value.collect_origins(&mut origins));
    let seen = stack.existing.iter().filter(|(address, _)| observed.existing.contains_key(address));
    let mut uses: BTreeMap<Address, Use> = seen
        .map(|(address, Existing { selector, place: _ })| {
            let account = selector.account.clone();
            (address.clone(), Use { account, values: BTreeMap::new() })
        })
        .collect();
    for Origin { address, attribute } in origins {
        let value = observed.existing.get(&address).and_then(|found| found.attribute(&attribute));
        if let (Some(of), Some(value)) = (uses.get_mut(&address), value) {
            of.values.insert(attribute, Fingerprint::of(&value));
        }
    }
    uses
}

impl Plan {
    /// Returns how to find the existing objects that it uses once more, by their ids.
    #[must_use]
    pub fn looked_for(&self) -> BTreeMap<Address, Existing> {
        let looked_for = self.uses.iter().map(|(address, Use { account, values: _ })| {
            let (id, account) = (self.existing.get(address).cloned(), account.clone());
            let selector = Selector { id, account, ..Selector::default() };
            (address.clone(), Existing { selector, place: None })
        });
        looked_for.collect()
    }
}

/// What is known of the objects that a stack uses.
struct Used<'o>(&'o BTreeMap<Address, Found>);

impl Known for Used<'_> {
    fn look_up(&self, origin: &Origin) -> Option<Value> {
        self.0.get(&origin.address)?.attribute(&origin.attribute)
    }
}
