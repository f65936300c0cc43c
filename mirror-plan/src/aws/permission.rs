//! Permissions: asking AWS for every call of a plan whether the caller may make it.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use super::act::{self, ActError};
use super::dry_run::DryRuns;
use super::errors::{CallError, ErrorKind};
use super::together::together;
use super::{Aws, BoxFuture, retag};
use crate::permission::{
    Checked, Decision, Denial, Detail, Permissions, Unchecked, Verdict, calls_of, unaskable,
};
use crate::plan::{Call, Plan, Step};
use crate::resource::{Access, Retag};

/// Asks AWS for every call of `plan` whether the caller may make it. Nothing is changed.
///
/// Each call is sent once, with the inputs that it will have, as a dry run, and at the pace of any other call. A call
/// that has no dry run, or whose inputs are known only after an apply, is not sent. If AWS encodes the details of a
/// denial, they are decoded, if the caller is allowed to.
pub fn check_permissions<'a>(aws: &'a Aws, plan: &'a Plan) -> BoxFuture<'a, Permissions> {
    Box::pin(async move {
        let calls: Vec<(&Step, &'static Access)> = plan
            .steps
            .iter()
            .flat_map(|step| calls_of(step).into_iter().map(move |access| (step, access)))
            .collect();
        let asks = calls.iter().any(|(step, access)| unaskable(step, access).is_none());
        let heeded = if asks { heeds_dry_runs(aws).await } else { Ok(()) };
        let dry_runs = DryRuns::of(aws);
        let asking = Asking { aws, dry_runs, heeded, undecodable: Mutex::new(None) };
        let checks = calls.into_iter().map(|(step, access)| asking.check(step, access));
        let Ok(calls) = together(checks.collect()).await;
        Permissions { calls }
    })
}

/// Makes certain, with a call that only reads, that the endpoint supports dry runs. An endpoint that passes for AWS but
/// does not support them would carry out everything that it is asked about.
async fn heeds_dry_runs(aws: &Aws) -> Result<(), Unchecked> {
    // Anybody who can plan may make this call.
    let request = aws.ec2().describe_tags().max_results(5).dry_run(true);
    match aws.send("DescribeTags", request.send()).await {
        Ok(_) => Err(Unchecked::DryRunIgnored),
        Err(error) => match verdict(&error) {
            Some(Verdict::Allowed) => Ok(()),
            Some(Verdict::NotChecked(why)) => Err(why),
            Some(Verdict::Denied(_)) | None => Err(Unchecked::Unread(error.to_string())),
        },
    }
}

/// Returns what the answer to a dry run means; `None` for a denial.
fn verdict(error: &CallError) -> Option<Verdict> {
    match &error.code {
        Some(code) => Verdict::of(code, error.message.as_deref().unwrap_or_default()),
        None => Some(Verdict::NotChecked(Unchecked::NoAnswer(error.to_string()))),
    }
}

/// What all questions have in common.
struct Asking<'a> {
    aws: &'a Aws,
    /// The same clients, for dry runs only.
    dry_runs: DryRuns,
    /// Whether the endpoint supports dry runs.
    heeded: Result<(), Unchecked>,
    /// Why nothing can be decoded, once that is known.
    undecodable: Mutex<Option<String>>,
}

impl Asking<'_> {
    async fn check(&self, step: &Step, access: &'static Access) -> Result<Checked, Infallible> {
        let verdict = match (unaskable(step, access), &self.heeded) {
            (Some(why), _) => Verdict::NotChecked(why),
            (None, Err(why)) => Verdict::NotChecked(why.clone()),
            (None, Ok(())) => self.ask(step, access).await,
        };
        Ok(Checked { address: step.address.clone(), access, verdict })
    }

    async fn ask(&self, step: &Step, access: &Access) -> Verdict {
        let answer = match &step.call {
            Call::Operation(operation) => act::ask(&self.dry_runs, operation).await.map(drop),
            Call::Retag { id, retag: change } => {
                let kind = step.address.kind;
                retag(self.dry_runs.aws(), kind, id, &part_of(change, access)).await
            }
        };
        match answer {
            Ok(()) | Err(ActError::Done(_)) => Verdict::NotChecked(Unchecked::DryRunIgnored),
            Err(ActError::Call(error)) => match verdict(&error) {
                None => Verdict::Denied(self.denial(&error).await),
                Some(verdict) if error.call == access.action => verdict,
                Some(_) => Verdict::NotChecked(Unchecked::Unread(error.to_string())),
            },
            Err(error) => Verdict::NotChecked(Unchecked::Unread(error.to_string())),
        }
    }

    /// Returns a denial, decoded if possible.
    async fn denial(&self, error: &CallError) -> Denial {
        let mut denial = Denial::read(error.message.as_deref().unwrap_or_default());
        if let Some(encoded) = &denial.encoded {
            denial.detail = match self.decode(encoded).await {
                Ok(decoded) => Detail::Decoded(Box::new(Decision::read(&decoded))),
                Err(why) => Detail::Undecoded(why),
            };
        }
        denial
    }

    async fn decode(&self, encoded: &str) -> Result<String, String> {
        const CALL: &str = "DecodeAuthorizationMessage";
        let known = self.undecodable.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(why) = known {
            return Err(why);
        }
        let request = self.aws.shared.sts.decode_authorization_message().encoded_message(encoded);
        match self.aws.send(CALL, request.send()).await {
            Ok(answer) => {
                answer.decoded_message.ok_or_else(|| format!("{CALL} returned no message"))
            }
            Err(error) => {
                let why = error.to_string();
                // A caller who may not decode one message may not decode any.
                if error.kind == ErrorKind::Denied {
                    let mut known = self.undecodable.lock().unwrap_or_else(PoisonError::into_inner);
                    *known = Some(why.clone());
                }
                Err(why)
            }
        }
    }
}

/// Returns the part of a change of tags that one of its calls makes.
fn part_of(retag: &Retag, access: &Access) -> Retag {
    let Retag { set, remove } = retag.clone();
    match access.action {
        "DeleteTags" => Retag { set: BTreeMap::new(), remove },
        _ => Retag { set, remove: BTreeSet::new() },
    }
}
