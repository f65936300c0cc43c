//! Existing objects in a plan: references to them become what they refer to, before anything is
//! decided. From there on they are ids and values like any that a stack file gives itself.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::resolve::{self, Known};
use crate::address::Address;
use crate::attribute::{AttributeType, Problems};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::id::ObjectId;
use crate::observed::{Found, Observed};
use crate::resource::Resource;
use crate::stack::{Declared, Placed, Stack};
use crate::value::{Origin, Path, Value};

impl Stack {
    /// The stack with ids and values in place of its references to objects that it did not make.
    ///
    /// [`plan`](crate::plan::plan) does it itself.
    ///
    /// # Errors
    /// For each of these objects that has not been observed, and for each attribute that cannot be
    /// what it refers to.
    pub fn using(&self, observed: &Observed) -> Result<Cow<'_, Self>, Diagnostics> {
        if self.existing.is_empty() { Ok(Cow::Borrowed(self)) } else { filled_in(self, observed) }
    }
}

fn filled_in(stack: &Stack, observed: &Observed) -> Result<Cow<'static, Stack>, Diagnostics> {
    let unseen = stack.existing.iter().filter(|(a, _)| !observed.existing.contains_key(*a));
    let diagnostics: Diagnostics = unseen
        .map(|(address, existing)| {
            let head = existing.place.as_ref().map(|place| place.head.clone());
            Diagnostic::error(code::NOT_ONE, format!("nothing was seen that is `{address}`"))
                .of(address)
                .at(head, "declared here")
                .note(format!("looked for: {}", existing.selector))
                .help("plan against the account, or with an inventory of this stack")
        })
        .collect();
    diagnostics.unless_errors(())?;
    let (mut stack, mut diagnostics) = (stack.clone(), Diagnostics::new());
    for (address, declared) in &mut stack.resources {
        let Declared { resource, place } = declared;
        if resource.origins().iter().any(|origin| observed.existing.contains_key(&origin.address)) {
            let value = resolve::fill(resource.to_value(), &Used(&observed.existing));
            let mut problems = Problems::default();
            let read = Resource::read(address.kind, &value, &mut problems);
            let problems = problems.into_inner().into_iter();
            diagnostics.extend(problems.map(|problem| problem.at_place(address, place.as_ref())));
            *resource = read.unwrap_or_else(|| resource.clone());
        }
    }
    for (address, Placed { of, place }) in &mut stack.fan_outs {
        let problems = use_in(of, &observed.existing).into_inner().into_iter();
        diagnostics.extend(problems.map(|problem| problem.at_place(address, place.as_ref())));
    }
    for Placed { of, place } in stack.sources.values_mut() {
        let problems = use_in(of, &observed.existing).into_inner().into_iter();
        diagnostics.extend(problems.map(|problem| problem.of_no_resource(place.as_ref())));
    }
    diagnostics.unless_errors(Cow::Owned(stack)).map(|(stack, _)| stack)
}

/// Puts ids and values in place of the references in something that is no resource; says what cannot be.
pub(crate) fn use_in<T: AttributeType>(
    of: &mut T,
    existing: &BTreeMap<Address, Found>,
) -> Problems {
    let value = resolve::fill(of.to_value(), &Used(existing));
    let mut problems = Problems::default();
    if let Some(read) = T::read(&value, &Path::default(), &mut problems) {
        *of = read;
    }
    problems
}

/// Which objects the plan uses and leaves as they are.
pub(super) fn used(stack: &Stack, observed: &Observed) -> BTreeMap<Address, ObjectId> {
    let declared = stack.existing.keys();
    declared
        .filter_map(|address| Some((address.clone(), observed.existing.get(address)?.id.clone())))
        .collect()
}

/// What is known of the objects that a stack uses.
struct Used<'o>(&'o BTreeMap<Address, Found>);

impl Known for Used<'_> {
    fn look_up(&self, origin: &Origin) -> Option<Value> {
        self.0.get(&origin.address)?.attribute(&origin.attribute)
    }
}
