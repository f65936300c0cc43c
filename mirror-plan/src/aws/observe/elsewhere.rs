//! Looking into other accounts, for the VPCs there that a stack uses.
//!
//! Each account is asked once for its identity, and for the objects that are looked for there. If an account cannot be
//! queried, that is a finding, with its place in the stack file; the others are queried all the same.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::super::Aws;
use super::super::together::together;
use super::{ObserveError, Wanted, Whose, existing, vpc};
use crate::address::Address;
use crate::code;
use crate::diagnostic::{Diagnostic, with_causes};
use crate::observed::Found;
use crate::scalar::{AccountId, AccountName};
use crate::stack::{Account, Existing, Placed};
use crate::value::Path;

/// What was seen of other accounts.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    /// The ids of the accounts that were reached.
    pub(super) accounts: BTreeMap<AccountName, AccountId>,
    /// What has been looked for.
    pub(super) looked_for: BTreeMap<Address, Existing>,
    /// The candidates for each object.
    pub(super) objects: BTreeMap<Address, Vec<Found>>,
    /// Which accounts could not be queried.
    pub(super) findings: Vec<Diagnostic>,
}

/// Returns what is looked for in the stack's own account.
pub(super) fn without(existing: &BTreeMap<Address, Existing>) -> BTreeMap<Address, Existing> {
    let own = existing.iter().filter(|(_, existing)| existing.selector.account.is_none());
    own.map(|(address, existing)| (address.clone(), existing.clone())).collect()
}

/// Looks into all other accounts that are wanted.
pub(super) async fn observe(aws: &Aws, wanted: Wanted<'_>) -> Elsewhere {
    let looked_into = wanted.existing.values().filter_map(|it| it.selector.account.as_ref());
    let accepting = wanted.planned.into_iter().flat_map(|stack| stack.accounts_in_use());
    let mut by_account: BTreeMap<&AccountName, BTreeMap<Address, Existing>> =
        looked_into.chain(accepting).map(|name| (name, BTreeMap::new())).collect();
    for (address, existing) in wanted.existing {
        let of = existing.selector.account.as_ref().and_then(|name| by_account.get_mut(name));
        of.into_iter().for_each(|of| drop(of.insert(address.clone(), existing.clone())));
    }
    let looks = by_account.into_iter().map(|(name, objects)| async move {
        let declared = wanted.planned.and_then(|stack| stack.accounts.get(name));
        Ok::<_, Infallible>((name, look(aws, (name, declared), objects).await))
    });
    let Ok(looks) = together(looks.collect()).await;
    let mut elsewhere = Elsewhere::default();
    for (name, look) in looks {
        match look {
            Ok(Looked { account, looked_for, objects }) => {
                elsewhere.accounts.insert(name.clone(), account);
                elsewhere.looked_for.extend(looked_for);
                elsewhere.objects.extend(objects);
            }
            Err(finding) => elsewhere.findings.push(*finding),
        }
    }
    elsewhere
}

/// What was seen of one account.
struct Looked {
    account: AccountId,
    looked_for: BTreeMap<Address, Existing>,
    objects: BTreeMap<Address, Vec<Found>>,
}

/// The name of an account, and how the stack declares that it is reached.
type Reached<'a> = (&'a AccountName, Option<&'a Placed<Account>>);

async fn look(
    aws: &Aws,
    (name, declared): Reached<'_>,
    looked_for: BTreeMap<Address, Existing>,
) -> Result<Looked, Box<Diagnostic>> {
    let reached = (name, declared);
    let there = aws.other(name).ok_or_else(|| unreached(reached, "there are no clients for it"))?;
    let refused = |error: ObserveError| unreached(reached, with_causes(&error));
    let account = there.account().await.map_err(refused)?;
    let said = declared.and_then(|declared| declared.of.id());
    if let Some(said) = said.filter(|said| *said != account) {
        return Err(another(reached, (&said, &account)));
    }
    let objects = objects(&there, &looked_for).await.map_err(refused)?;
    Ok(Looked { account, looked_for, objects })
}

/// Returns the candidates for each of the VPCs that are looked for.
async fn objects(
    there: &Aws,
    looked_for: &BTreeMap<Address, Existing>,
) -> Result<BTreeMap<Address, Vec<Found>>, ObserveError> {
    let meant = existing::ids(there, looked_for).await?;
    let all = meant.values().flatten().cloned().collect();
    let seen = vpc::observe(there, Whose::Elsewhere, all).await?;
    let objects = meant.into_iter().map(|(address, ids)| {
        let found = seen.owned.iter().map(|(_, found)| found);
        (address, found.filter(|found| ids.contains(found.id.as_str())).cloned().collect())
    });
    Ok(objects.collect())
}

/// Reports that an account could not be queried, and what to do.
fn unreached((name, declared): Reached<'_>, why: impl Into<String>) -> Box<Diagnostic> {
    let of = declared.map(|declared| &declared.of);
    let with = of.map(|of| format!(" with {of}")).unwrap_or_default();
    let place = declared.and_then(|declared| declared.place.as_ref());
    let title = format!("`{name}` cannot be reached{with}");
    let found = Diagnostic::error(code::UNREACHED_ACCOUNT, title)
        .at(place.map(|place| place.head.clone()), "declared here")
        .note(why);
    let found = match of {
        None => found,
        Some(Account::Profile { profile, account: _ }) => found.help(format!(
            "check its credentials with: aws sts get-caller-identity --profile {profile}"
        )),
        Some(Account::Role { role, external_id: _ }) => found.help(format!(
            "check that the stack's own credentials may assume it: aws sts assume-role \
             --role-session-name mirror --role-arn {role}"
        )),
    };
    let label = name.name();
    found.help(format!("to print what it has to allow: mirror iam --apply --as {label}")).into()
}

/// Reports that credentials are for another account.
fn another(
    (name, declared): Reached<'_>,
    (said, account): (&AccountId, &AccountId),
) -> Box<Diagnostic> {
    let with = declared.map(|declared| declared.of.to_string()).unwrap_or_default();
    let place = declared.and_then(|declared| declared.place.as_ref());
    let at = Path::default().member("account");
    let title = format!("`{name}` is for account {said}, but {with} belongs to account {account}");
    Diagnostic::error(code::WRONG_PLACE, title)
        .at(place.map(|place| place.of(&at).clone()), "")
        .help(format!("use credentials for {said}, or change the `aws` block"))
        .into()
}
