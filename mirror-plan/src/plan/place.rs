//! Whether a plan may be made at all: the right account and Region, one object per address, and
//! requests that name addresses that are declared or exist.

use crate::address::Address;
use crate::attribute::nearest;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::observed::Observed;
use crate::plan::Request;
use crate::stack::Stack;

/// Checks everything at once.
pub(super) fn check(
    stack: &Stack,
    observed: &Observed,
    request: &Request,
) -> Result<(), Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    wrong_place(stack, observed, &mut diagnostics);
    two_owned(observed, &mut diagnostics);
    unknown_addresses(stack, observed, request, &mut diagnostics);
    diagnostics.unless_errors(()).map(|((), _)| ())
}

fn wrong_place(stack: &Stack, observed: &Observed, diagnostics: &mut Diagnostics) {
    let mut refuse = |what: &str, wanted: String, found: String, how: &str| {
        if wanted != found {
            diagnostics.push(
                Diagnostic::error(
                    code::WRONG_PLACE,
                    format!("the stack is for {what} {wanted}, but this is {found}"),
                )
                .help(format!("use {how}{wanted}, or change the `stack` block")),
            );
        }
    };
    if let Some(account) = &stack.account {
        refuse("account", account.to_string(), observed.account.to_string(), "credentials for ");
    }
    if let Some(region) = &stack.region {
        refuse("Region", region.to_string(), observed.region.to_string(), "--region ");
    }
}

fn two_owned(observed: &Observed, diagnostics: &mut Diagnostics) {
    for (address, all) in &observed.owned {
        for (position, one) in all.iter().enumerate() {
            for other in all[..position].iter().filter(|o| o.generation == one.generation) {
                let (a, b) = (&other.id, &one.id);
                diagnostics.push(
                    Diagnostic::error(
                        code::TWO_OWNED,
                        format!("{a} and {b} both claim to be `{address}`"),
                    )
                    .of(address)
                    .note("both carry the ownership tags of the same address and generation")
                    .help(
                        "remove the tag `mirror-plan:stack` from the one that is not the stack's",
                    ),
                );
            }
        }
    }
}

fn unknown_addresses(
    stack: &Stack,
    observed: &Observed,
    request: &Request,
    diagnostics: &mut Diagnostics,
) {
    let known = |address: &Address| {
        stack.resources.contains_key(address) || observed.owned.contains_key(address)
    };
    let Request { mode: _, targets, replace, part: _ } = request;
    for address in targets.iter().chain(replace).filter(|address| !known(address)) {
        let names: Vec<String> = stack.resources.keys().map(Address::to_string).collect();
        let diagnostic = Diagnostic::error(
            code::NO_SUCH_TARGET,
            format!("`{address}` is neither declared nor existing"),
        );
        diagnostics.push(match nearest(&address.to_string(), names.iter().map(String::as_str)) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        });
    }
}
