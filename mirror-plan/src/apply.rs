//! Apply: walks the steps of a plan and decides nothing.
//!
//! [`recover()`] observes the cloud and finds out what became of a run that did not finish; [`check_fresh`] refuses a
//! plan whose objects have changed since; [`apply`] carries a plan out and records in a [`Journal`] what tags cannot
//! hold. Planning and applying share nothing but [`Plan`].

use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::observed::Observed;
use crate::plan::{Action, Fingerprint, Plan, Use};
use crate::scalar::{AccountId, Region};

#[cfg(feature = "aws")]
pub mod adopt;
pub mod journal;
#[cfg(any(feature = "s3", test))]
mod lease;
#[cfg(feature = "aws")]
mod recheck;
#[cfg(feature = "aws")]
pub mod recover;
pub mod report;
#[cfg(feature = "aws")]
mod run;
#[cfg(feature = "aws")]
mod schedule;
#[cfg(feature = "aws")]
mod sending;

pub use journal::Journal;
#[cfg(feature = "aws")]
pub use recover::recover;
#[cfg(feature = "aws")]
pub use run::{Options, Stop, apply};

/// Checks that every object is still as it was when the plan was made.
///
/// Of an existing object that the stack uses, this is what the plan uses of it. The interfaces of `sources` are not
/// checked, because they come and go.
///
/// # Errors
/// If the plan is for another account or Region (`MP0404`), or if an object of the stack has changed, was deleted or
/// was created since, or an existing object that it uses was deleted or changed (`MP0501`): one diagnostic each. The
/// plan must not be applied then.
pub fn check_fresh(plan: &Plan, observed: &Observed) -> Result<(), Diagnostics> {
    check_place(plan, &observed.account, &observed.region)?;
    let mut diagnostics = Diagnostics::new();
    let now = crate::plan::fingerprints(observed);
    let mut stale = |object: &str, how: &str| {
        diagnostics.push(
            Diagnostic::error(
                code::STALE_PLAN,
                format!("{} {how} since the plan was made", shown(object)),
            )
            .help("nothing was done; plan again and review what is new"),
        );
    };
    for (object, fingerprint) in &plan.saw {
        match now.get(object) {
            None if goes_with_its_interface(plan, object) => {}
            None => stale(object, "has been deleted"),
            Some(other) if other != fingerprint => stale(object, "has changed"),
            Some(_) => {}
        }
    }
    for object in now.keys().filter(|object| !plan.saw.contains_key(*object)) {
        stale(object, "appeared");
    }
    for (address, Use { account: _, values }) in &plan.uses {
        let Some(found) = observed.existing.get(address) else {
            stale(&address.to_string(), "has been deleted");
            continue;
        };
        for (attribute, planned) in values {
            let now = found.attribute(attribute).map(|value| Fingerprint::of(&value));
            if now.as_ref() != Some(planned) {
                stale(&format!("{address}.{attribute}"), "has changed");
            }
        }
    }
    if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
}

/// Returns whether an object may disappear at any time: AWS deletes a session together with its interface, and a plan
/// that keeps or removes the session is just as valid without it.
fn goes_with_its_interface(plan: &Plan, object: &str) -> bool {
    let address = shown(object);
    let keeps = |action| matches!(action, Action::NoOp | Action::Delete);
    let mut changes = plan.changes.iter();
    changes.any(|change| {
        keeps(change.action)
            && plan.fan_out_of(&change.address).is_some()
            && change.address.to_string() == address
    })
}

/// Checks that a plan is for this account and Region.
///
/// # Errors
/// `MP0404`, if it is for another.
pub fn check_place(plan: &Plan, account: &AccountId, region: &Region) -> Result<(), Diagnostics> {
    let Plan { account: planned_account, region: planned_region, .. } = plan;
    if (planned_account, planned_region) == (account, region) {
        return Ok(());
    }
    let title = format!(
        "the plan is for account {planned_account} in {planned_region}, but this is {account} in \
         {region}"
    );
    Err(Diagnostic::error(code::WRONG_PLACE, title)
        .help("use the credentials and the Region that the plan was made with")
        .into())
}

/// Returns the address part of `ADDRESS#GENERATION`.
fn shown(object: &str) -> &str {
    object.rsplit_once('#').map_or(object, |(address, _)| address)
}
