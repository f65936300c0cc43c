//! Permissions: asking AWS of every call of a plan whether the caller may make it.

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

/// Asks AWS of every call of `plan` whether the caller may make it. Nothing is done.
///
/// Each call goes out once, with the inputs that it will have and as a dry run, at the pace of any other
/// call. Of what has no dry run, or has inputs that are known only after an apply, nothing is asked.
/// A denial that AWS encodes is decoded, where the caller may do that.
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

/// Makes certain that whoever answers knows dry runs, with a call that only reads. What passes for AWS and
/// does not know them would make everything that it is asked about.
async fn heeds_dry_runs(aws: &Aws) -> Result<(), Unchecked> {
    // Whoever has planned may make this call.
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

/// What the answer to a dry run means; `None` for a denial.
fn verdict(error: &CallError) -> Option<Verdict> {
    match &error.code {
        Some(code) => Verdict::of(code, error.message.as_deref().unwrap_or_default()),
        None => Some(Verdict::NotChecked(Unchecked::NoAnswer(error.to_string()))),
    }
}

/// What all questions have in common.
struct Asking<'a> {
    aws: &'a Aws,
    /// The same, with which nothing is done.
    dry_runs: DryRuns,
    /// Whether dry runs are dry runs.
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

    /// A denial, decoded if that is possible.
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
                // Whoever may not decode one may decode none.
                if error.kind == ErrorKind::Denied {
                    let mut known = self.undecodable.lock().unwrap_or_else(PoisonError::into_inner);
                    *known = Some(why.clone());
                }
                Err(why)
            }
        }
    }
}

/// What of a change of tags one of its calls does.
fn part_of(retag: &Retag, access: &Access) -> Retag {
    let Retag { set, remove } = retag.clone();
    match access.action {
        "DeleteTags" => Retag { set: BTreeMap::new(), remove },
        _ => Retag { set, remove: BTreeSet::new() },
    }
}
