//! The stack file: HCL text to [`Stack`].
//!
//! A file goes through three steps: it is parsed, its blocks are sorted by what they declare, and
//! their expressions are evaluated as far as they can be without a cloud. What is known only after
//! an apply stays in the stack as an unknown value with its origin, so that outputs can be
//! evaluated again once it is known.
//!
//! Nothing here reads a file, the environment or a clock: everything from outside is in [`Inputs`].
//!
//! ```
//! use mirror_plan::diagnostic::Source;
//! use mirror_plan::hcl::{Inputs, StackFile};
//! use mirror_plan::value::Value;
//!
//! let text = r#"
//! stack "lab" { region = "eu-west-1" }
//!
//! variable "environment" { default = "dev" }
//!
//! vpc "lab" {
//!   cidr = "10.0.0.0/16"
//!   tags = { environment = var.environment }
//! }
//!
//! subnet "source" {
//!   vpc  = vpc.lab
//!   cidr = cidrsubnet(vpc.lab.cidr, 8, 1)
//! }
//!
//! output "subnet" { value = "the subnet is ${subnet.source.id}" }
//! "#;
//! let file = StackFile::parse(Source { name: "lab.mirror.hcl".into(), text: text.into() })?;
//! let inputs = Inputs::new().assignment("environment=test");
//!
//! let (stack, _warnings) = file.stack(&inputs)?;
//! assert_eq!(stack.resources.len(), 2);
//! assert!(!stack.outputs["subnet"].value.is_known());
//!
//! let outputs = file.outputs(&inputs, &|origin| match origin.to_string().as_str() {
//!     "subnet.source.id" => Some(Value::String("subnet-0a1b2c3d".into())),
//!     _ => None,
//! })?;
//! assert_eq!(outputs["subnet"].value, Value::String("the subnet is subnet-0a1b2c3d".into()));
//! # Ok::<(), mirror_plan::diagnostic::Diagnostics>(())
//! ```

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;

use hcl_edit::expr::Expression;

use crate::diagnostic::{Diagnostics, Source};
use crate::stack::{Output, Stack};
use crate::value::{Origin, Value};

use self::evaluate::{Evaluated, Evaluator, Scope};
use self::parse::Parsed;
use self::program::Program;
use self::text::Text;

mod account;
mod assemble;
pub mod block;
mod constraint;
mod convert;
mod declare;
mod evaluate;
pub mod functions;
mod hints;
mod inputs;
mod moved;
mod names;
mod parse;
mod program;
mod taught;
#[cfg(test)]
#[expect(clippy::too_many_lines, reason = "the tests contain whole diagnostics as printed")]
mod tests;
mod text;
mod variable;

pub use inputs::Inputs;

/// Reads a file in the stack file's folder; see [`Inputs::read_files_by`].
pub type ReadFile<'f> = dyn Fn(&str) -> io::Result<String> + 'f;

/// Returns the value of an attribute that the stack file does not state, if it is known.
pub type LookUp<'l> = dyn Fn(&Origin) -> Option<Value> + 'l;

/// A stack file; [`stack`](Self::stack) finds out whether it describes a stack.
pub struct StackFile {
    text: Text,
    parsed: Parsed,
}

/// Shows only the name: the text may hold secrets.
impl std::fmt::Debug for StackFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("StackFile").field(&self.text).finish()
    }
}

impl StackFile {
    /// Parses the text, which must be HCL.
    ///
    /// # Errors
    /// The mistakes in the syntax. To hear of all other mistakes at the same time, use
    /// [`parse_in_part`](Self::parse_in_part).
    pub fn parse(source: Source) -> Result<Self, Diagnostics> {
        let mut file = Self::parse_in_part(source);
        let mistakes = std::mem::take(&mut file.parsed.mistakes);
        if mistakes.is_empty() { Ok(file) } else { Err(assemble::sorted(mistakes)) }
    }

    /// Parses as much of the text as is HCL. The mistakes in its syntax are among those that the other functions find.
    #[must_use]
    pub fn parse_in_part(mut source: Source) -> Self {
        if source.text.starts_with('\u{feff}') {
            source.text.remove(0); // A byte order mark, as some editors write it.
        }
        let text = Text::new(source);
        let parsed = parse::body(&text);
        Self { text, parsed }
    }

    /// Returns the stack, with warnings.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the text.
    pub fn stack(&self, inputs: &Inputs<'_>) -> Result<(Stack, Diagnostics), Diagnostics> {
        self.evaluated(inputs, &|_| None, |program, diagnostics| {
            assemble::stack(program, diagnostics)
        })?
    }

    /// Returns the stack as far as it can be read, and everything that is wrong, for callers that
    /// look for more mistakes, as [`lint::check`](crate::lint::check) does. Only sessions may be
    /// missing from the stack.
    pub fn stack_in_part(&self, inputs: &Inputs<'_>) -> (Option<Stack>, Diagnostics) {
        let stack = self.evaluated(inputs, &|_| None, |program, diagnostics| {
            assemble::in_part(program, diagnostics)
        });
        stack.unwrap_or_else(|mistakes| (None, mistakes))
    }

    /// Returns the outputs, with what `look_up` knows filled in.
    ///
    /// # Errors
    /// Everything that is wrong with them. There are no errors if [`stack`](Self::stack) found
    /// none, except those caused by a value that was looked up.
    pub fn outputs(
        &self,
        inputs: &Inputs<'_>,
        look_up: &LookUp<'_>,
    ) -> Result<BTreeMap<String, Output>, Diagnostics> {
        self.evaluated(inputs, look_up, |program, mut diagnostics| {
            let outputs = assemble::outputs(program, &mut diagnostics);
            assemble::sorted(diagnostics).unless_errors(outputs).map(|(outputs, _)| outputs)
        })?
    }

    /// Returns what `read` makes of the blocks.
    ///
    /// # Errors
    /// The mistakes in the syntax, if it is not even known which blocks there are.
    fn evaluated<T>(
        &self,
        inputs: &Inputs<'_>,
        look_up: &LookUp<'_>,
        read: impl FnOnce(&Program<'_>, Diagnostics) -> T,
    ) -> Result<T, Diagnostics> {
        let Parsed { body, unreadable, mistakes } = &self.parsed;
        let mut diagnostics = mistakes.clone();
        let Some(body) = body else { return Err(assemble::sorted(diagnostics)) };
        let declared = declare::declarations((&self.text, unreadable), body, &mut diagnostics);
        let variables = variable::values(&self.text, &declared, inputs, &mut diagnostics);
        let program = Program::new(&self.text, &declared, variables, look_up, inputs.read);
        Ok(read(&program, diagnostics))
    }
}

/// The value of an expression that refers to nothing.
fn constant(text: &Text, expression: &Expression) -> Evaluated {
    let files = |_: &str| {
        Err(io::Error::new(io::ErrorKind::Unsupported, "only constants are allowed here"))
    };
    let depth = Cell::new(0);
    let evaluator = Evaluator { text, program: None, files: &files, depth: &depth };
    evaluator.evaluate(expression, Scope::default())
}
