//! Security Token Service: who is calling, and why a call was refused.

use crate::action::Action;
use crate::authorization::{caller, decode};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::world::View;
use crate::xml::Xml;

/// Every action, by group.
pub(crate) const ACTIONS: &[&[Action]] = &[&[
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
