//! Security Token Service: who is calling.

use crate::action::Action;
use crate::world::ACCOUNT;

/// Every action, by group.
pub(crate) const ACTIONS: &[&[Action]] = &[&[Action::read("GetCallerIdentity", |_, _, xml| {
    xml.text("UserId", ACCOUNT);
    xml.text("Account", ACCOUNT);
    xml.text("Arn", format_args!("arn:aws:iam::{ACCOUNT}:root"));
    Ok(())
})
.without_dry_run()]];
