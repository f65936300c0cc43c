//! Secrets of a saved plan: it holds only their hashes, and the stack provides the secrets again.

use std::collections::BTreeMap;

use super::resolve::{self, Known};
use super::{Call, Plan};
use crate::attribute::Input;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::observed::Observed;
use crate::resource::Resource;
use crate::stack::Stack;
use crate::value::{Origin, Part, Secret, Template, Value};

/// The secrets of a stack, by their hashes.
#[derive(Clone, Debug, Default)]
pub struct Secrets(BTreeMap<String, Secret>);

impl Secrets {
    /// Everything secret that a plan of `stack` over `observed` can hold.
    #[must_use]
    pub fn of(stack: &Stack, observed: &Observed) -> Self {
        let observed = &*observed.as_moved_in(stack);
        let mut secrets = Self::default();
        for declared in stack.resources.values() {
            let user_data = match &declared.resource {
                Resource::Instance(instance) => &instance.user_data,
                Resource::LaunchTemplate(template) => &template.user_data,
                _ => continue,
            };
            match user_data {
                None => {}
                Some(Input::Known(secret)) => secrets.add(secret),
                Some(Input::Later(template)) => secrets.add_template(template, observed),
            }
        }
        // This is what a plan sets to remove the user data of an instance.
        secrets.add(&Secret::text(""));
        secrets
    }

    fn add(&mut self, secret: &Secret) {
        if secret.reveal().is_some() {
            self.0.insert(secret.digest().to_owned(), secret.clone());
        }
    }

    /// Adds the parts of a template, and the whole text as far as observed attributes fill it.
    fn add_template(&mut self, template: &Template, observed: &Observed) {
        for part in &template.0 {
            if let Part::Secret(secret) = part {
                self.add(secret);
            }
        }
        for origin in template.origins() {
            // In a plan, the value of an attribute that is known is a part of the text.
            if let Some(value) = observed.attribute(origin) {
                self.add(&Secret::text(resolve::as_text(&value)));
            }
        }
        let look_up =
            |origin: &Origin| Seen(observed).look_up(origin).map(|v| resolve::as_text(&v));
        if let Ok(text) = template.fill(look_up) {
            self.add(&Secret::text(text));
        }
    }

    fn revealed(&self, secret: Secret) -> Secret {
        match secret.reveal() {
            Some(_) => secret,
            None => self.0.get(secret.digest()).cloned().unwrap_or(secret),
        }
    }
}

/// The cloud as it is.
struct Seen<'o>(&'o Observed);

impl Known for Seen<'_> {
    fn look_up(&self, origin: &Origin) -> Option<Value> {
        self.0.attribute(origin)
    }
}

impl Plan {
    /// Whether a step sends something of which this plan holds only the hash, as after the plan was
    /// saved and read back.
    #[must_use]
    pub fn needs_secrets(&self) -> bool {
        self.hidden().next().is_some()
    }

    /// Whether a step sends something of which a saved plan holds only the hash: applying the saved
    /// plan then requires the stack file, too.
    #[must_use]
    pub fn sends_secrets(&self) -> bool {
        self.sent().next().is_some()
    }

    /// The plan with what its steps send filled in from `secrets`. Its digest does not change.
    ///
    /// # Errors
    /// If something is missing: the stack is not the one that was planned, or a variable has another
    /// value. The plan must then not be applied.
    pub fn with_secrets(mut self, secrets: &Secrets) -> Result<Self, Diagnostics> {
        for step in &mut self.steps {
            if let Call::Operation(operation) = &mut step.call {
                *operation = operation.clone().with_secrets(|input| match input {
                    Input::Known(secret) => Input::Known(secrets.revealed(secret)),
                    Input::Later(template) => {
                        let parts = template.0.into_iter().map(|part| match part {
                            Part::Secret(secret) => Part::Secret(secrets.revealed(secret)),
                            other => other,
                        });
                        Input::Later(Template(parts.collect()))
                    }
                });
            }
        }
        let missing: Diagnostics = self
            .hidden()
            .map(|(address, secret)| {
                let title = format!("the user data of {address} is not what was planned");
                Diagnostic::error(code::SECRET_MISSING, title)
                    .note(format!(
                        "the plan was made with {secret}, which the stack no longer gives"
                    ))
                    .help("give the stack file and the variables that the plan was made with")
                    .help("or plan again")
            })
            .collect();
        missing.unless_errors(self).map(|(plan, _)| plan)
    }

    /// The secrets of which only the hash is known, each with the resource that it is for.
    fn hidden(&self) -> impl Iterator<Item = (String, Secret)> {
        self.sent().filter(|(_, secret)| secret.reveal().is_none())
    }

    /// The secrets that steps send, each with the resource that it is for.
    fn sent(&self) -> impl Iterator<Item = (String, Secret)> {
        self.steps.iter().flat_map(|step| {
            let mut sent = Vec::new();
            if let Call::Operation(operation) = &step.call {
                // This only looks at the secrets: the operation stays as it is.
                drop(operation.clone().with_secrets(|input| {
                    match &input {
                        Input::Known(secret) => sent.push(secret.clone()),
                        Input::Later(template) => {
                            sent.extend(template.0.iter().filter_map(|part| match part {
                                Part::Secret(secret) => Some(secret.clone()),
                                Part::Text(_) | Part::Attribute(_) => None,
                            }));
                        }
                    }
                    input
                }));
            }
            sent.into_iter().map(|secret| (step.address.to_string(), secret)).collect::<Vec<_>>()
        })
    }
}
