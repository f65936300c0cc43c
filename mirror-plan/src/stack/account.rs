//! Other accounts: which credentials reach each of them, and what a stack may do there.
//!
//! An `aws` block states how an account is reached. One of its VPCs can be looked up there (`existing "vpc"` with
//! `aws`) and can be the accepter of a `vpc_peering`, which is then accepted there. Nothing else in another account
//! is used: the stack's own account creates and owns all objects of the stack.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Declared, Placed, Sources, Stack, StackBuilder};
use crate::address::{Address, Kind, Name};
use crate::attribute::{AttributeType, Ref, Type, nearest};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::resource::{Resource, VpcPeering, object_type};
use crate::scalar::{AccountId, AccountName, RoleArn};
use crate::value::{Path, Value};

/// How another account is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Account {
    /// With the credentials of a profile of the AWS configuration files.
    Profile {
        /// The name of the profile.
        profile: String,
        /// The account, twelve digits. Credentials of any other account are refused; if it is left out, AWS reports
        /// whose they are (STS API reference, `GetCallerIdentity`).
        account: Option<AccountId>,
    },
    /// With a role, which is assumed with the stack's own credentials (STS API reference, `AssumeRole`).
    Role {
        /// The role; its ARN names the account.
        role: RoleArn,
        /// The external id that the role's trust policy may require (`sts:ExternalId`). AWS does not treat it as a
        /// secret: IAM user guide, "Access to AWS accounts owned by third parties".
        external_id: Option<String>,
    },
}

impl Account {
    /// Returns the account, if the declaration names it.
    #[must_use]
    pub fn id(&self) -> Option<AccountId> {
        match self {
            Self::Profile { profile: _, account } => account.clone(),
            Self::Role { role, external_id: _ } => Some(role.account()),
        }
    }

    /// Returns the same, with the account that AWS reports.
    pub(crate) fn seen_as(&self, account: &AccountId) -> Self {
        match self {
            Self::Profile { profile, account: _ } => {
                Self::Profile { profile: profile.clone(), account: Some(account.clone()) }
            }
            Self::Role { .. } => self.clone(),
        }
    }
}

/// Shows how it is reached: `the profile "sensors"`.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile { profile, account: _ } => {
                write!(f, "the profile {}", Value::String(profile.clone()))
            }
            Self::Role { role, external_id: _ } => write!(f, "the role {role}"),
        }
    }
}

impl StackBuilder {
    /// Declares how another account is reached, and returns the name by which a
    /// [`Selector`](super::Selector) and a [`VpcPeering`] refer to it.
    ///
    /// ```
    /// use mirror_plan::attribute::Ref;
    /// use mirror_plan::resource::{Vpc, VpcPeering};
    /// use mirror_plan::stack::{Account, Selector, Stack};
    ///
    /// let mut stack = Stack::builder("sources".parse()?);
    /// let role = "arn:aws:iam::444455556666:role/mirror-accepter".parse()?;
    /// let sensors = stack.other_account("sensors".parse()?, Account::Role { role, external_id: None });
    /// let id = Some("vpc-0a1b2c3d4e5f67890".parse::<mirror_plan::resource::vpc::VpcId>()?.erase());
    /// let selector = Selector { id, account: Some(sensors), ..Selector::default() };
    /// let accepter = stack.existing::<Vpc>("sensors".parse()?, selector);
    /// let requester = Ref::Id("vpc-0b1b2c3d4e5f67890".parse()?);
    /// let peering = VpcPeering {
    ///     requester,
    ///     accepter,
    ///     accepter_owner: None,
    ///     auto_accept: true,
    ///     accept_as: None,
    ///     tags: Default::default(),
    /// };
    /// stack.add("sensors".parse()?, peering);
    /// let (stack, _warnings) = stack.build()?;
    /// assert_eq!(stack.accounts_in_use().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn other_account(&mut self, name: Name, account: Account) -> AccountName {
        let name = AccountName::from(name);
        self.declare_account(name.clone(), Placed { of: account, place: None });
        name
    }

    /// Declares how another account is reached, as it was read.
    pub fn declare_account(&mut self, name: AccountName, account: Placed<Account>) {
        self.stack.accounts.insert(name, account);
    }
}

impl Stack {
    /// Returns the accounts in which it looks up objects or accepts peerings.
    #[must_use]
    pub fn accounts_in_use(&self) -> BTreeSet<&AccountName> {
        let looked_into = self.existing.values().filter_map(|it| it.selector.account.as_ref());
        looked_into.chain(self.peerings().filter_map(|(_, it, _)| it.accept_as.as_ref())).collect()
    }

    /// Returns the other account in which an existing object is looked up, if there is one.
    pub(crate) fn account_of(&self, existing: &Address) -> Option<&AccountName> {
        self.existing.get(existing)?.selector.account.as_ref()
    }

    /// Returns the stack as if everything it uses belonged to its own account, which is what a rehearsal needs.
    #[must_use]
    pub fn in_one_account(&self) -> Self {
        let mut stack = self.clone();
        stack.accounts.clear();
        stack.existing.values_mut().for_each(|existing| existing.selector.account = None);
        for declared in stack.resources.values_mut() {
            declared.resource.forget_other_accounts();
        }
        stack
    }

    fn peerings(&self) -> impl Iterator<Item = (&Address, &VpcPeering, &Declared)> {
        self.resources.iter().filter_map(|(address, declared)| match &declared.resource {
            Resource::VpcPeering(peering) => Some((address, peering, declared)),
            _ => None,
        })
    }
}

/// Returns the account in which the accepter of a peering is looked up.
pub(crate) fn looked_for_in<'s>(stack: &'s Stack, peering: &VpcPeering) -> Option<&'s AccountName> {
    match &peering.accepter {
        Ref::To(address) => stack.account_of(address),
        Ref::Id(_) => None,
    }
}

/// Fills in who owns the accepter of a peering and who accepts, where that is known and the stack file does not state
/// it.
pub(crate) fn complete(
    peering: &mut VpcPeering,
    looked_for_in: Option<&AccountName>,
    id: impl Fn(&AccountName) -> Option<AccountId>,
) {
    if peering.auto_accept && peering.accept_as.is_none() {
        peering.accept_as = looked_for_in.cloned();
    }
    if peering.accepter_owner.is_none() {
        let there = looked_for_in.or(peering.accept_as.as_ref());
        peering.accepter_owner = there.and_then(id);
    }
}

/// Does the same for all peerings, before anything has been looked up.
pub(super) fn complete_all(stack: &mut Stack) {
    let said: BTreeMap<AccountName, AccountId> = stack
        .accounts
        .iter()
        .filter_map(|(name, account)| Some((name.clone(), account.of.id()?)))
        .collect();
    let looked_for: BTreeMap<Address, AccountName> = stack
        .peerings()
        .filter_map(|(address, it, _)| Some((address.clone(), looked_for_in(stack, it)?.clone())))
        .collect();
    for (address, declared) in &mut stack.resources {
        if let Resource::VpcPeering(peering) = &mut declared.resource {
            complete(peering, looked_for.get(address), |name| said.get(name).cloned());
        }
    }
}

/// Reports where the other accounts of a stack and the rest of it do not fit together.
pub(super) fn check(stack: &Stack) -> Diagnostics {
    let looked_for = stack.existing.iter().filter_map(|(address, existing)| {
        let name = existing.selector.account.as_ref()?;
        let at = existing.place.as_ref().map(|it| it.of(&Path::default().member("aws")).clone());
        undeclared(stack, name, (address, at))
    });
    let accepted = stack.peerings().flat_map(|(address, peering, declared)| {
        let found = Peered { stack, address, peering, declared };
        found.undeclared().into_iter().chain(found.contradiction()).chain(found.nobody_accepts())
    });
    let resources = stack.resources.iter().flat_map(|(address, declared)| {
        let of = Type::Object(object_type(address.kind));
        uses(stack, (&declared.resource.to_value(), &of), &Path::default())
            .into_iter()
            .filter(|(path, _)| !may_be_elsewhere(address.kind, path))
            .map(move |(path, used)| misused(stack, (address, declared), &path, &used))
    });
    let sources = stack.sources.iter().flat_map(|(name, sources)| {
        let of = <Sources as AttributeType>::TYPE;
        let used = uses(stack, (&sources.of.to_value(), &of), &Path::default()).into_iter();
        used.map(move |(path, used)| {
            let title = format!(
                "`sources.{name}` looks up interfaces in `{used}`, {}",
                elsewhere(stack, &used)
            );
            let at = sources.place.as_ref().map(|place| place.of(&path).clone());
            other_account(title, at).help("a stack can mirror only interfaces of its own account")
        })
    });
    looked_for.chain(accepted).chain(resources).chain(sources).collect()
}

/// A `vpc_peering` of a stack.
struct Peered<'s> {
    stack: &'s Stack,
    address: &'s Address,
    peering: &'s VpcPeering,
    declared: &'s Declared,
}

impl Peered<'_> {
    fn at(&self, attribute: &str) -> Option<Span> {
        let path = Path::default().member(attribute);
        self.declared.place.as_ref().map(|place| place.of(&path).clone())
    }

    fn undeclared(&self) -> Option<Diagnostic> {
        let name = self.peering.accept_as.as_ref()?;
        undeclared(self.stack, name, (self.address, self.at("accept_as")))
    }

    /// Reports an owner that is not the account of the credentials.
    fn contradiction(&self) -> Option<Diagnostic> {
        let owner = self.peering.accepter_owner.as_ref()?;
        let name = looked_for_in(self.stack, self.peering).or(self.peering.accept_as.as_ref())?;
        let account = self.stack.accounts.get(name)?;
        let id = account.of.id().filter(|id| id != owner)?;
        let title = format!(
            "the accepter of `{}` belongs to account {owner}, but `{name}` is account {id}",
            self.address
        );
        let head = account.place.as_ref().map(|place| place.head.clone());
        Some(
            Diagnostic::error(code::CONTRADICTION, title)
                .of(self.address)
                .at(self.at("accepter_owner"), "")
                .at(head, "declared here")
                .help(format!("leave `accepter_owner` out: it is already known from `{name}`")),
        )
    }

    /// Reports a request that would be accepted with credentials of the wrong account.
    fn nobody_accepts(&self) -> Option<Diagnostic> {
        let VpcPeering { accepter, accepter_owner, auto_accept, accept_as, .. } = self.peering;
        let address = self.address;
        let own = match accepter {
            Ref::To(to) => self.stack.account_of(to).is_none(),
            Ref::Id(_) => false,
        };
        if let (Some(name), true) = (accept_as, own) {
            let title = format!(
                "`{address}` is accepted as `{name}`, but its accepter belongs to the stack's own account"
            );
            let found = other_account(title, self.at("accept_as")).of(address);
            return Some(
                found
                    .help("leave `accept_as` out, or set `aws` in the `existing` block of the VPC"),
            );
        }
        let owner = accepter_owner.as_ref().filter(|_| *auto_accept && accept_as.is_none())?;
        let title =
            format!("`{address}` is to be accepted, but only account {owner} can accept it");
        Some(
            other_account(title, self.at("accepter_owner"))
                .of(address)
                .help("accept it with credentials of that account: `accept_as = aws.NAME`")
                .help("or leave it to that account, which has seven days: `auto_accept = false`"),
        )
    }
}

/// Reports an account that no `aws` block declares.
fn undeclared(
    stack: &Stack,
    name: &AccountName,
    (address, at): (&Address, Option<Span>),
) -> Option<Diagnostic> {
    if stack.accounts.contains_key(name) {
        return None;
    }
    let title = format!("the stack declares no `{name}`");
    let found = Diagnostic::error(code::NO_SUCH_RESOURCE, title).of(address).at(at, "");
    let names = stack.accounts.keys().map(|name| name.name().as_str());
    Some(match nearest(name.name().as_str(), names) {
        Some(near) => found.help(format!("did you mean `aws.{near}`?")),
        None => {
            found.help(format!("declare it: `aws \"{}\" {{ profile = \"...\" }}`", name.name()))
        }
    })
}

fn other_account(title: String, at: Option<Span>) -> Diagnostic {
    Diagnostic::error(code::OTHER_ACCOUNT, title).at(at, "")
}

/// Returns the references in a value of a type to VPCs of other accounts, with their places. A text that mentions the
/// id of such a VPC is not a reference.
fn uses(stack: &Stack, (value, of): (&Value, &Type), at: &Path) -> Vec<(Path, Address)> {
    match (value, of) {
        (Value::List(items), Type::Set(of)) => {
            let items = items.iter().enumerate();
            items.flat_map(|(index, item)| uses(stack, (item, of), &at.index(index))).collect()
        }
        (Value::Object(members), Type::Object(object)) => {
            let typed = members
                .iter()
                .filter_map(|(name, member)| Some((name, member, &object.attribute(name)?.holds)));
            typed
                .flat_map(|(name, member, of)| uses(stack, (member, of), &at.member(name)))
                .collect()
        }
        (Value::Unknown(unknown), Type::Reference(Kind::Vpc)) => {
            let used = unknown.origins.iter().map(|origin| &origin.address);
            let used = used.filter(|address| stack.account_of(address).is_some());
            used.map(|address| (at.clone(), address.clone())).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether what an attribute names may belong to another account.
fn may_be_elsewhere(kind: Kind, path: &Path) -> bool {
    kind == Kind::VpcPeering && *path == Path::default().member("accepter")
}

/// Reports something in another account that is used as if it were the stack's own.
fn misused(
    stack: &Stack,
    (address, declared): (&Address, &Declared),
    path: &Path,
    used: &Address,
) -> Diagnostic {
    let at = declared.place.as_ref().map(|place| place.of(path).clone());
    if address.kind == Kind::VpcPeering {
        let title = format!("the requester of `{address}` is `{used}`, {}", elsewhere(stack, used));
        return other_account(title, at)
            .of(address)
            .note("the requester owns the connection, and a stack creates objects only in its own account")
            .help("make the stack's own VPC the requester: swap `requester` and `accepter`")
            .help("or declare the connection in a stack of that account");
    }
    let title = format!("`{address}` would be in `{used}`, {}", elsewhere(stack, used));
    other_account(title, at)
        .of(address)
        .note("a VPC of another account can only be the `accepter` of a `vpc_peering`")
        .help("declare what belongs in it in a stack of that account")
}

/// `which belongs to another account (aws.sensors)`.
fn elsewhere(stack: &Stack, used: &Address) -> String {
    let name = stack.account_of(used).map(|name| format!(" ({name})")).unwrap_or_default();
    format!("which belongs to another account{name}")
}
