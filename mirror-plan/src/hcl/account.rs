//! `aws` blocks: exactly one way to reach an account.

use super::assemble::Assembly;
use super::declare::Declaration;
use crate::code;
use crate::diagnostic::{Diagnostic, Span};
use crate::scalar::{AccountId, RoleArn};
use crate::stack::{Account, Placed};

/// Reads how a block states that an account is reached, and reports what is wrong with it.
pub(super) fn read(
    assembly: &mut Assembly<'_, '_>,
    declaration: &Declaration<'_>,
) -> Option<Placed<Account>> {
    let before = assembly.diagnostics.iter().len();
    let profile = assembly.scalar::<Option<String>>(declaration.get("profile")).flatten();
    let role = assembly.scalar::<Option<RoleArn>>(declaration.get("role")).flatten();
    let external_id = assembly.scalar::<Option<String>>(declaration.get("external_id")).flatten();
    let account = assembly.scalar::<Option<AccountId>>(declaration.get("account")).flatten();
    if assembly.diagnostics.iter().len() > before {
        return None;
    }
    let text = assembly.program.text;
    let at = |name: &str| declaration.get(name).map(|written| text.span(written));
    let head = || Some(declaration.head.clone());
    let of = match (profile, role) {
        (Some(profile), None) if external_id.is_none() => Ok(Account::Profile { profile, account }),
        (None, Some(role)) if account.is_none() => Ok(Account::Role { role, external_id }),
        (Some(_), None) => Err(contradiction(
            "`external_id` is for a role, but this account is reached by a profile",
            at("external_id"),
            "leave it out: the profile's own `external_id` is in the AWS configuration file",
        )),
        (None, Some(role)) => Err(contradiction(
            "`account` is for a profile, but this account is reached by a role",
            at("account"),
            &format!("leave it out: the ARN of the role names account {}", role.account()),
        )),
        (Some(_), Some(_)) => {
            Err(exactly_one("an account is reached by a profile or by a role, not by both")
                .at(at("role"), "")
                .at(at("profile"), ""))
        }
        (None, None) => Err(exactly_one("the block does not say how to reach the account")
            .at(head(), "")
            .help("give `profile`, or `role = \"arn:aws:iam::444455556666:role/NAME\"`")),
    };
    let place = Some(assembly.place(declaration));
    match of {
        Ok(of) => Some(Placed { of, place }),
        Err(diagnostic) => {
            assembly.diagnostics.push(diagnostic);
            None
        }
    }
}

fn exactly_one(title: &str) -> Diagnostic {
    Diagnostic::error(code::EXACTLY_ONE, title)
}

fn contradiction(title: &str, at: Option<Span>, help: &str) -> Diagnostic {
    Diagnostic::error(code::CONTRADICTION, title).at(at, "").help(help)
}
