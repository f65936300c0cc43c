//! Permissions: what AWS answers about the calls of a plan when it is asked beforehand.
//!
//! To a call with `DryRun`, EC2 answers whether the caller may make it, and does nothing. The answer is taken
//! literally: a [`Verdict`] is [`Allowed`](Verdict::Allowed) for `DryRunOperation` and [`Denied`](Verdict::Denied) for
//! `UnauthorizedOperation`; for everything else the call is not checked, with the reason. Nothing is guessed. The
//! module that asks is [`crate::aws`].
//!
//! Sources: EC2 API reference, "Common query parameters", `DryRun`; AWS STS API reference,
//! `DecodeAuthorizationMessage`.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::address::Address;
use crate::plan::{Call, Plan, Step};
use crate::rate::{CATEGORIES, Category};
use crate::resource::Access;
use crate::resource::access::retagging;
use crate::scalar::AccountName;

mod denial;
mod finding;

#[cfg(test)]
mod tests;

pub use denial::{Decision, Denial, Detail};
pub use finding::{findings, refuse};

/// What AWS answers about every call of a plan, in the order of the plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Permissions {
    /// Each call with AWS's answer about it.
    pub calls: Vec<Checked>,
}

/// One call, and AWS's answer about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The resource that the call is for.
    pub address: Address,
    /// The call, as IAM knows it.
    pub access: &'static Access,
    /// What AWS answers.
    pub verdict: Verdict,
}

/// What AWS answers about a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The caller may make it.
    Allowed,
    /// The caller may not make it.
    Denied(Denial),
    /// It is not known whether the caller may make it.
    NotChecked(Unchecked),
}

/// Why it is not known whether a call is allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unchecked {
    /// The call has no dry run: no call of Elastic Load Balancing, Auto Scaling or Resource Access Manager has one, and
    /// two of EC2 have none.
    NoDryRun,
    /// It is sent with the credentials of another account, which is not asked.
    OtherAccount(AccountName),
    /// It names objects that the plan makes first.
    AfterApply(BTreeSet<Address>),
    /// Something must be read for it, and that failed.
    Unread(String),
    /// AWS answered something else.
    OtherAnswer {
        /// AWS's code.
        code: String,
        /// AWS's message.
        message: String,
    },
    /// There was no answer.
    NoAnswer(String),
    /// The endpoint ignores the parameter: it would have carried out the call.
    DryRunIgnored,
}

impl Verdict {
    /// Returns what an error code of AWS means in answer to a dry run; `None` for a denial, which has details.
    ///
    /// Source: EC2 API reference, the parameter `DryRun` of each action.
    #[must_use]
    pub fn of(code: &str, message: &str) -> Option<Self> {
        match code {
            "DryRunOperation" => Some(Self::Allowed),
            "UnauthorizedOperation" => None,
            _ => {
                let (code, message) = (code.to_owned(), message.to_owned());
                Some(Self::NotChecked(Unchecked::OtherAnswer { code, message }))
            }
        }
    }

    /// Returns the denial, if it is one.
    #[must_use]
    pub const fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Denied(denial) => Some(denial),
            Self::Allowed | Self::NotChecked(_) => None,
        }
    }
}

/// Returns why AWS cannot be asked about a call of a step, if it cannot.
#[must_use]
pub fn unaskable(step: &Step, access: &Access) -> Option<Unchecked> {
    if !access.takes_dry_run() {
        return Some(Unchecked::NoDryRun);
    }
    let Call::Operation(operation) = &step.call else { return None };
    if let Some(name) = operation.sent_as() {
        return Some(Unchecked::OtherAccount(name.clone()));
    }
    let needs: BTreeSet<Address> = operation.needs().into_iter().map(|need| need.address).collect();
    (!needs.is_empty()).then_some(Unchecked::AfterApply(needs))
}

/// Returns the calls of a step, as IAM knows them: a change of tags may be two calls.
#[must_use]
pub fn calls_of(step: &Step) -> Vec<&'static Access> {
    match &step.call {
        Call::Operation(operation) => vec![operation.access()],
        Call::Retag { id: _, retag } => {
            let [set, remove] = retagging(step.address.kind) else { return Vec::new() };
            let calls = [(!retag.set.is_empty(), set), (!retag.remove.is_empty(), remove)];
            calls.into_iter().filter_map(|(is_sent, access)| is_sent.then_some(access)).collect()
        }
    }
}

/// Returns the shortest time that it takes to ask AWS about a plan, at the rates at which AWS accepts calls.
#[must_use]
pub fn time_to_ask(plan: &Plan) -> Duration {
    let mut calls = vec![0_u32; CATEGORIES.len()];
    for step in &plan.steps {
        for access in calls_of(step).into_iter().filter(|access| unaskable(step, access).is_none())
        {
            if let Some(place) = Category::place(access.action) {
                calls[place] += 1;
            }
        }
    }
    let times = CATEGORIES.iter().zip(calls).map(|(category, calls)| category.time_for(calls));
    times.max().unwrap_or_default()
}

impl Permissions {
    /// Returns how many calls are allowed, denied and not checked.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for checked in &self.calls {
            *match checked.verdict {
                Verdict::Allowed => &mut counts.allowed,
                Verdict::Denied(_) => &mut counts.denied,
                Verdict::NotChecked(_) => &mut counts.not_checked,
            } += 1;
        }
        counts
    }

    /// Returns the calls that are denied.
    pub fn denied(&self) -> impl Iterator<Item = (&Checked, &Denial)> {
        self.calls.iter().filter_map(|checked| Some((checked, checked.verdict.denial()?)))
    }
}

/// How many calls are allowed, denied and not checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Allowed.
    pub allowed: usize,
    /// Denied.
    pub denied: usize,
    /// Not known.
    pub not_checked: usize,
}
