//! Adopting: objects that somebody else created become objects of a stack.
//!
//! An adoption sets the ownership tags and nothing else. What a plan would do afterwards is determined
//! by planning as if the adoption had happened.

use std::collections::BTreeSet;

use super::{Action, Plan, Request, plan};
use crate::address::Address;
use crate::attribute::nearest;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
#[cfg(feature = "aws")]
use crate::id::ObjectId;
use crate::observed::{Found, Observed};
use crate::resource::{Creation, Resource, Tags};
use crate::stack::Stack;

/// An object that is to become a resource of a stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Adoption {
    /// Which resource.
    pub address: Address,
    /// The object, of the first generation.
    pub found: Found,
}

impl Adoption {
    /// The generation of an adopted object: it is the first object of its address.
    pub const GENERATION: u32 = 1;

    /// The tags that make it an object of the stack.
    #[must_use]
    pub fn tags(&self, stack: &str) -> Tags {
        let Self { address, found: _ } = self;
        Creation { address, stack, generation: Self::GENERATION }.owned(&Tags::new())
    }
}

/// Plans what would be left to do once these objects are adopted.
///
/// # Errors
/// Everything that prevents an adoption: an address that the stack does not declare or that already has
/// an object, an object or an address that is listed twice, an object that nobody can own. Also
/// whatever prevents the plan.
pub fn plan_adopting(
    stack: &Stack,
    observed: &Observed,
    adoptions: &[Adoption],
) -> Result<Plan, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut adopted = observed.as_moved_in(stack).into_owned();
    let (mut addresses, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for Adoption { address, found } in adoptions {
        diagnostics.extend(wrong(stack, &adopted, (address, found)));
        if !addresses.insert(address) {
            diagnostics.push(refused(address, format!("two objects are listed for `{address}`")));
        }
        if !ids.insert(&found.id) {
            let title = format!("{} cannot become two resources", found.id);
            diagnostics.push(refused(address, title));
        }
    }
    diagnostics.unless_errors(())?;
    for Adoption { address, found } in adoptions {
        adopted.owned.insert(address.clone(), vec![found.clone()]);
    }
    let plan = plan(stack, &adopted, &Request::default())?;
    // Only the plan knows which sessions over sources there are.
    let undeclared = adoptions.iter().filter(|adoption| {
        let mut changes = plan.changes.iter();
        changes.any(|it| it.address == adoption.address && it.action == Action::Delete)
    });
    let undeclared: Diagnostics =
        undeclared.map(|adoption| not_declared(stack, &adoption.address)).collect();
    undeclared.unless_errors(plan).map(|(plan, _)| plan)
}

/// What is wrong with one adoption by itself.
fn wrong(
    stack: &Stack,
    observed: &Observed,
    (address, found): (&Address, &Found),
) -> Option<Diagnostic> {
    if stack.existing.contains_key(address) {
        let title = format!("`{address}` is an `existing` object, which the stack does not own");
        return Some(
            refused(address, title).help("it is used as it is; there is nothing to adopt"),
        );
    }
    if let Some(Found { id, .. }) = observed.current(address) {
        return Some(refused(address, format!("`{address}` is already {id}")));
    }
    match &found.resource {
        // Source: EC2 user guide, "Default security groups for your VPCs": it cannot be deleted.
        Resource::SecurityGroup(group) if group.name.as_deref() == Some("default") => {
            let title = format!("{} is the default security group of its VPC", found.id);
            Some(
                refused(address, title)
                    .note("AWS deletes it together with the VPC, never on its own"),
            )
        }
        _ if stack.resources.contains_key(address) || stack.is_fanned_out(address) => None,
        _ => Some(not_declared(stack, address)),
    }
}

fn refused(address: &Address, title: String) -> Diagnostic {
    Diagnostic::error(code::NOT_ADOPTED, title).of(address)
}

fn not_declared(stack: &Stack, address: &Address) -> Diagnostic {
    let declared: Vec<String> = stack.resources.keys().map(Address::to_string).collect();
    let wrong = refused(address, format!("the stack declares no `{address}`"));
    match nearest(&address.to_string(), declared.iter().map(String::as_str)) {
        Some(near) => wrong.help(format!("did you mean `{near}`?")),
        None => wrong.help("declare it as it is: any change is shown before it is adopted"),
    }
}

/// Why an object cannot be adopted, before anything else is known of it.
#[cfg(feature = "aws")]
#[must_use]
pub(crate) fn not_free(address: &Address, id: &ObjectId, owner: Option<&str>) -> Diagnostic {
    match owner {
        Some(stack) => refused(address, format!("{id} already belongs to stack {stack}"))
            .note("it carries the tag `mirror-plan:stack`")
            .help("take it out of that stack first: an object has one owner"),
        None => refused(address, format!("there is no {} {id}", address.kind.title()))
            .help("check the account and the Region"),
    }
}
