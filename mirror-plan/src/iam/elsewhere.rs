//! Other accounts: what the stack's own credentials need to reach them, and what each of them must allow.
//!
//! Sources: VPC Peering guide, "Identity and access management for VPC peering"; IAM user guide, "Grant a user
//! permissions to switch roles".

use std::collections::BTreeSet;

use super::arn::Arns;
use super::statement::{Statement, conditions};
use super::{Grant, Grants, Location, Policy, Purpose, packed};
use crate::attribute::Ref;
use crate::resource::access::ArnType;
use crate::resource::{Access, Resource, Vpc, VpcPeering};
use crate::scalar::{AccountId, AccountName};
use crate::stack::account::looked_for_in;
use crate::stack::{Account, Stack};

/// Returns the policies that the account of an `aws` block must grant to those who reach it, for these purposes of the
/// stack.
///
/// They allow looking up the VPCs that are looked up there, and accepting what the stack's own VPCs request. There are
/// none for [`Purpose::Destroy`], which that account has nothing to do with.
///
/// `here` is where the stack is, `there` the account. A VPC that the stack does not know by its id can be any VPC.
#[must_use]
pub fn policies_as(
    stack: &Stack,
    here: &Location,
    (name, there): (&AccountName, &AccountId),
    purposes: impl IntoIterator<Item = Purpose>,
) -> Vec<Policy> {
    let purposes: BTreeSet<Purpose> = purposes.into_iter().collect();
    let location = Location { account: there.clone(), region: here.region.clone() };
    let (own, arns) = (Arns(here), Arns(&location));
    let (mut read, mut inside) = (Grant::default(), Grant::default());
    let (mut accept, mut accept_for) = (Grant::default(), Grant::default());
    let mut requesters = BTreeSet::new();
    if purposes.iter().any(|purpose| *purpose != Purpose::Destroy) {
        let looked_for = stack.existing.values().map(|existing| &existing.selector);
        for selector in looked_for.filter(|selector| selector.account.as_ref() == Some(name)) {
            read.add("ec2:DescribeVpcs", "*".to_owned());
            if !selector.all_tags().is_empty() {
                read.add("ec2:DescribeTags", "*".to_owned());
            }
            let id = selector.id.as_ref().map(|id| id.as_str());
            inside.add("ec2:DescribeVpcAttribute", arns.vpc(id, Some(there)));
        }
    }
    if purposes.contains(&Purpose::Apply) {
        const ACCEPT: &str = "ec2:AcceptVpcPeeringConnection";
        for peering in peerings(stack).filter(|it| it.accept_as.as_ref() == Some(name)) {
            accept.add(ACCEPT, arns.all(ArnType::VpcPeeringConnection));
            accept_for.add(ACCEPT, arns.vpc(known(stack, &peering.accepter), Some(there)));
            let requester = known(stack, &peering.requester);
            requesters.insert(own.vpc(requester, Some(&here.account)));
        }
    }
    let statements = [
        Statement::allow("Read", read).only_if(conditions::in_region(arns.region())),
        Statement::allow("Look", inside),
        Statement::allow("Accept", accept).only_if(conditions::asked_by(requesters)),
        Statement::allow("AcceptFor", accept_for),
    ];
    packed(statements.into_iter().filter(|statement| !statement.is_empty()).collect())
}

impl Grants<'_> {
    /// Allows assuming the roles by which other accounts are reached.
    pub(super) fn assume_roles(&mut self) {
        for name in self.stack.accounts_in_use() {
            let account = self.stack.accounts.get(name).map(|account| &account.of);
            if let Some(Account::Role { role, external_id: _ }) = account {
                self.roles.add("sts:AssumeRole", role.to_string());
            }
        }
    }
}

/// Returns whether a stack requests connections from other accounts.
pub(super) fn asks(stack: &Stack) -> bool {
    peerings(stack).any(|peering| is_elsewhere(stack, peering))
}

/// Returns whether a call is sent with the credentials of other accounts and never with the stack's own.
pub(super) fn is_sent_by_others_only(stack: &Stack, access: &Access) -> bool {
    access.action == "AcceptVpcPeeringConnection"
        && peerings(stack).all(|peering| is_elsewhere(stack, peering))
}

/// Returns the VPCs that a stack may ask for a connection.
pub(super) fn accepters(stack: &Stack, own: Arns<'_>) -> BTreeSet<String> {
    let accepter = |peering: &VpcPeering| {
        if !is_elsewhere(stack, peering) {
            return own.all(ArnType::Vpc);
        }
        let name = looked_for_in(stack, peering).or(peering.accept_as.as_ref());
        let said = || stack.accounts.get(name?)?.of.id();
        let owner = peering.accepter_owner.clone().or_else(said);
        own.vpc(known(stack, &peering.accepter), owner.as_ref())
    };
    peerings(stack).map(accepter).collect()
}

/// Returns whether the accepter of a peering is in another account.
fn is_elsewhere(stack: &Stack, peering: &VpcPeering) -> bool {
    peering.accepter_owner.is_some()
        || peering.accept_as.is_some()
        || looked_for_in(stack, peering).is_some()
}

/// Returns the id of a VPC that does not belong to the stack, if it is known.
fn known<'s>(stack: &'s Stack, vpc: &'s Ref<Vpc>) -> Option<&'s str> {
    match vpc {
        Ref::Id(id) => Some(id.as_str()),
        Ref::To(address) => Some(stack.existing.get(address)?.selector.id.as_ref()?.as_str()),
    }
}

fn peerings(stack: &Stack) -> impl Iterator<Item = &VpcPeering> {
    stack.resources.values().filter_map(|declared| match &declared.resource {
        Resource::VpcPeering(peering) => Some(peering),
        _ => None,
    })
}
