//! Security Token Service: who is calling, why a call was refused, and credentials of another account.

use crate::action::Action;
use crate::authorization::{caller, decode};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::place::{is_account, partition};
use crate::schedule::later;
use crate::world::View;
use crate::xml::Xml;
use std::time::Duration;

/// Every action, by group.
pub(crate) const ACTIONS: &[&[Action]] = &[&[
    Action::read("AssumeRole", assume_role).without_dry_run(),
    Action::read("DecodeAuthorizationMessage", decode_message).without_dry_run(),
    Action::read("GetCallerIdentity", identity).without_dry_run(),
]];

/// The longest message, in characters: AWS STS API reference, `DecodeAuthorizationMessage`.
const MESSAGE_MAX: usize = 10_240;

fn identity(view: View<'_>, _parameters: &Parameters, xml: &mut Xml) -> Outcome {
    xml.text("UserId", &view.region.account);
    xml.text("Account", &view.region.account);
    xml.text("Arn", caller(view.region));
    Ok(())
}

/// How long assumed credentials are valid, unless the caller asks for another time: AWS STS API reference,
/// `AssumeRole`, `DurationSeconds`.
const SESSION: Duration = Duration::from_secs(60 * 60);

/// Gives credentials of the account of a role. There are no roles and no trust policies here: the caller's own
/// policies decide which role it may assume.
fn assume_role(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let arn = parameters.required("RoleArn")?;
    let session = parameters.required("RoleSessionName")?;
    let Some((account, role)) = role(arn) else {
        let message = format!("{arn} is invalid");
        return Err(Failure::new("ValidationError", message));
    };
    let lasts = match parameters.given("DurationSeconds") {
        None => SESSION,
        Some(text) => {
            text.parse().ok().filter(|seconds| (900..=43_200).contains(seconds)).map_or_else(
                || Err(Failure::new("ValidationError", "DurationSeconds is between 900 and 43200")),
                |seconds| Ok(Duration::from_secs(seconds)),
            )?
        }
    };
    xml.element("Credentials", |xml| {
        // Twelve digits are an account's key: see `Place`.
        xml.text("AccessKeyId", account);
        xml.text("SecretAccessKey", "local");
        xml.text("SessionToken", "local");
        xml.text("Expiration", later(view.now, lasts));
    });
    xml.element("AssumedRoleUser", |xml| {
        let name = role.rsplit('/').next().unwrap_or(role);
        let partition = partition(&view.region.name);
        xml.text("AssumedRoleId", format_args!("AROA{account}:{session}"));
        xml.text(
            "Arn",
            format_args!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}"),
        );
    });
    Ok(())
}

/// Returns the account and the path of a role.
fn role(arn: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "iam", "", account, resource] = parts.as_slice() else { return None };
    let role = resource.strip_prefix("role/").filter(|role| !role.is_empty())?;
    is_account(account).then_some((*account, role))
}

fn decode_message(_view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let message = parameters.required("EncodedMessage")?;
    let length = message.chars().count();
    if length > MESSAGE_MAX {
        let text = format!("The message has {length} characters, at most {MESSAGE_MAX} are taken");
        return Err(Failure::new("ValidationError", text));
    }
    let decoded = decode(message).ok_or_else(|| {
        Failure::new("InvalidAuthorizationMessageException", "Message is not valid")
    })?;
    xml.text("DecodedMessage", decoded);
    Ok(())
}
