//! Function calls.

use hcl_edit::expr::{Expression, FuncCall};

use super::{Evaluated, Evaluator, Scope, Secrecy, all, this_is};
use crate::attribute::{listed, nearest};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::hcl::functions::{Body, FUNCTIONS, Function, Needs, Wrong};
use crate::value::{Unknown, Value};

impl Evaluator<'_> {
    pub(super) fn call(&self, call: &FuncCall, scope: Scope<'_>) -> Evaluated {
        let function = self.function(call)?;
        if matches!(function.body, Body::Try) {
            return self.attempt(function, call, scope);
        }
        let arguments = self.arguments(call, scope)?;
        self.result(function, call, arguments)
    }

    /// The function that is called, unless there is none, or the number of arguments is wrong for it.
    pub(in crate::hcl) fn function(&self, call: &FuncCall) -> Evaluated<&'static Function> {
        let name = call.name.name.as_str();
        let found = FUNCTIONS.iter().find(|function| function.name == name);
        let Some(function) = found.filter(|_| call.name.namespace.is_empty()) else {
            return Err(unknown_function(name, self.text.span(&call.name.name)).into());
        };
        // How many `list...` stands for is known once it is evaluated.
        if !call.args.expand_final() {
            self.check_count(function, call.args.len(), call)?;
        }
        Ok(function)
    }

    /// Returns what a function makes of its arguments. Separate from their evaluation, which nests.
    fn result(&self, function: &Function, call: &FuncCall, arguments: Vec<Value>) -> Evaluated {
        self.check_count(function, arguments.len(), call)?;
        let secrecy = match function.body {
            Body::Sensitive => Secrecy::Sensitive,
            Body::Nonsensitive => Secrecy::Plain,
            Body::Pure(_) | Body::File | Body::Try => Secrecy::of(&arguments),
        };
        let arguments: Vec<Value> = arguments.into_iter().map(Value::revealed).collect();
        let made = |value| secrecy.made(value);
        let is_waiting = |argument: &Value| match function.needs {
            Needs::Everything => !argument.is_known(),
            Needs::Structure => matches!(argument, Value::Unknown(_)),
            Needs::Nothing => false,
        };
        if arguments.iter().any(is_waiting) {
            return Ok(made(Value::Unknown(Unknown::computed(&arguments))));
        }
        let result = match function.body {
            Body::Pure(run) => run(&arguments),
            Body::File => self.file(&arguments),
            Body::Sensitive | Body::Nonsensitive => Ok(arguments[0].clone()),
            Body::Try => unreachable!("evaluated above"),
        };
        result.map(made).map_err(|wrong| match secrecy {
            Secrecy::Plain => self.failed(function, call, wrong, &arguments).into(),
            // The message about a secret would show it.
            Secrecy::Sensitive => {
                let title = format!("`{}` has no result for this sensitive value", function.name);
                Diagnostic::error(code::FUNCTION, title).at(self.text.span(call), "").into()
            }
        })
    }

    /// The arguments, with a last `list...` spread out.
    fn arguments(&self, call: &FuncCall, scope: Scope<'_>) -> Evaluated<Vec<Value>> {
        let mut arguments = all(call.args.iter().map(|argument| self.evaluate(argument, scope)))?;
        if !call.args.expand_final() {
            return Ok(arguments);
        }
        match arguments.pop() {
            None => {}
            Some(Value::List(items)) => arguments.extend(items),
            Some(secret @ Value::Secret(_)) => match secret.revealed() {
                Value::List(items) => arguments.extend(items.into_iter().map(Value::sensitive)),
                other => arguments.push(other.sensitive()),
            },
            // Passed as a whole, it makes the result unknown.
            Some(unknown @ Value::Unknown(_)) => arguments.push(unknown),
            Some(other) => {
                let at = call.args.iter().last().map(|argument| self.text.span(argument));
                return Err(Diagnostic::error(code::FUNCTION, "`...` needs a list")
                    .at(at, this_is(&other))
                    .into());
            }
        }
        Ok(arguments)
    }

    fn check_count(&self, function: &Function, given: usize, call: &FuncCall) -> Evaluated<()> {
        if function.arguments.contains(&given) {
            return Ok(());
        }
        let (least, most) = function.arguments.clone().into_inner();
        let wanted = match most {
            usize::MAX => format!("at least {least}"),
            _ if least == most => least.to_string(),
            _ => format!("{least} or {most}"),
        };
        let noun = if wanted.ends_with('1') { "argument" } else { "arguments" };
        let title = format!("`{}` takes {wanted} {noun}, not {given}", function.name);
        let at = self.text.span(call);
        Err(Diagnostic::error(code::FUNCTION, title)
            .at(at, "")
            .note(format!("its signature is {}", function.signature))
            .into())
    }

    fn failed(
        &self,
        function: &Function,
        call: &FuncCall,
        wrong: Wrong,
        arguments: &[Value],
    ) -> Diagnostic {
        let Wrong { argument, title } = wrong;
        let spread = call.args.expand_final() && argument.is_some_and(|n| n + 1 >= call.args.len());
        let written = if spread {
            call.args.iter().last()
        } else {
            argument.and_then(|argument| call.args.iter().nth(argument))
        };
        let at = written.map_or_else(|| self.text.span(call), |written| self.text.span(written));
        let label = match (argument.and_then(|n| arguments.get(n)), written) {
            // States the value where the text does not show it.
            (Some(value), Some(Expression::Variable(_) | Expression::Traversal(_))) => {
                format!("this is {value}")
            }
            _ => String::new(),
        };
        let title = format!("`{}`: {title}", function.name);
        Diagnostic::error(code::FUNCTION, title).at(at, label)
    }

    /// `try`: the first argument that can be evaluated.
    fn attempt(&self, function: &Function, call: &FuncCall, scope: Scope<'_>) -> Evaluated {
        self.check_count(function, call.args.len(), call)?;
        let mut reasons = Diagnostics::new();
        for argument in &call.args {
            match self.evaluate(argument, scope) {
                Ok(value) => return Ok(value),
                Err(mistakes) => reasons.extend(mistakes),
            }
        }
        let title = "`try`: none of the arguments can be evaluated";
        let diagnostic = Diagnostic::error(code::FUNCTION, title).at(self.text.span(call), "");
        Err(reasons
            .into_iter()
            .fold(diagnostic, |diagnostic, reason| diagnostic.note(reason.title))
            .into())
    }

    fn file(&self, arguments: &[Value]) -> Result<Value, Wrong> {
        let [Value::String(path)] = arguments else {
            return Err(Wrong::at(0, "the path must be a string"));
        };
        let parts = || path.split(['/', '\\']);
        let inside = !path.is_empty()
            && !path.contains(['\0', ':'])
            && parts().all(|part| !part.is_empty() && part != "..");
        if !inside {
            let title = format!("`{path}` is not a path inside the stack file's folder");
            return Err(Wrong::at(0, title));
        }
        let parts: Vec<&str> = parts().filter(|part| *part != ".").collect();
        let text = (self.files)(&parts.join("/"));
        text.map(Value::String)
            .map_err(|error| Wrong::at(0, format!("cannot read `{path}`: {error}")))
    }
}

fn unknown_function(name: &str, at: Span) -> Diagnostic {
    let names = FUNCTIONS.iter().map(|function| function.name);
    let title = format!("there is no function `{name}`");
    let diagnostic = Diagnostic::error(code::UNKNOWN_NAME, title).at(at.clone(), "");
    match nearest(name, names.clone()) {
        Some(near) => diagnostic.help_patch(format!("did you mean `{near}`?"), at, near),
        None => diagnostic.help(format!("the functions are {}", listed(names))),
    }
}
