//! Names: what expressions refer to is declared, even where nothing asks for their values.
//!
//! Evaluation reads only what it needs: no local that nothing uses, only one branch of a conditional, no body of a loop
//! over nothing and no block whose `when` is false. Without a look at the rest, a misspelt name there would be reported
//! on the day when it is needed.

use std::rc::Rc;

use hcl_edit::expr::{Expression, ForExpr, FuncCall, Traversal, TraversalOperator};
use hcl_edit::template::ForTemplateExpr;
use hcl_edit::visit::{self, Visit};
use hcl_edit::{Decorated, Ident};

use super::declare::{Declarations, is_meta};
use super::evaluate::traversal::{Named, Operator};
use super::evaluate::{Binding, Evaluated, Evaluator, Scope};
use super::program::{Program, Reference, check_attribute};
use crate::address::Address;
use crate::diagnostic::{Diagnostic, Diagnostics};

/// Returns each use of a name that does not exist, as an evaluation would report it, unless it is among the `known`
/// mistakes.
pub(super) fn undeclared(program: &Program<'_>, known: &Diagnostics) -> Diagnostics {
    let mut found = Diagnostics::new();
    let Declarations {
        stack,
        variables: _, // only constants
        locals,
        outputs,
        accounts,
        existing,
        sources,
        moved: _, // addresses, which may be those of what is gone
        resources,
        unreadable: _, // nothing is known of it
    } = program.declared;
    let mut names = Names { program, scope: Scope::default(), found: &mut found };
    stack.iter().for_each(|block| names.visit_body(&block.body));
    let plain = outputs.values().chain(accounts.values()).chain(existing.values());
    let plain = plain.chain(sources.values()).flat_map(|block| block.attributes.values());
    plain.chain(locals.values()).for_each(|attribute| names.visit_expr(&attribute.value));
    let count = Binding { name: "count", value: Rc::default(), outer: Scope::default() };
    for ((kind, name), block) in resources {
        let mut of_block = Diagnostics::new();
        let counted = block.get("count").map_or_else(Scope::default, |_| Scope::of(&count));
        for (word, attribute) in &block.attributes {
            let scope = if is_meta(word) { Scope::default() } else { counted };
            Names { program, scope, found: &mut of_block }.visit_expr(&attribute.value);
        }
        let address = Address::new(*kind, name.clone());
        found.extend(of_block.into_iter().map(|diagnostic| diagnostic.of(&address)));
    }
    let is_known = |found: &Diagnostic| {
        known.iter().any(|known| known.code == found.code && known.labels == found.labels)
    };
    found.into_iter().filter(|diagnostic| !is_known(diagnostic)).collect()
}

/// Visits an expression.
struct Names<'n> {
    program: &'n Program<'n>,
    /// The names that are bound around it.
    scope: Scope<'n>,
    found: &'n mut Diagnostics,
}

impl Names<'_> {
    fn evaluator(&self) -> Evaluator<'_> {
        self.program.evaluator()
    }

    fn note<T>(&mut self, result: Evaluated<T>) {
        self.found.extend(result.err().into_iter().flatten());
    }

    /// Visits the body of a loop.
    fn within(
        &mut self,
        key: Option<&Decorated<Ident>>,
        value: &Decorated<Ident>,
        body: impl FnOnce(&mut Names<'_>),
    ) {
        let bind = |name, outer| Binding { name, value: Rc::default(), outer };
        let value = bind(value.as_str(), self.scope);
        let key = key.map(|key| bind(key.as_str(), Scope::of(&value)));
        let scope = Scope::of(key.as_ref().unwrap_or(&value));
        body(&mut Names { program: self.program, scope, found: self.found });
    }

    /// Checks what `root` and the `operators` after it name together.
    fn path(&self, root: &Decorated<Ident>, operators: &[Operator]) -> Evaluated<()> {
        let evaluator = self.evaluator();
        let Named { reference, rest, .. } = evaluator.reference(root, operators, self.scope)?;
        let Reference::Resource(kind, name) = reference else { return Ok(()) };
        let rest = match (rest.split_first(), self.program.is_counted(kind, &name)) {
            (Some((first, rest)), true) if !is_member(first) => rest,
            (_, true) => return Ok(()),
            (_, false) => rest,
        };
        match rest.first().map(|operator| operator.value()) {
            Some(TraversalOperator::GetAttr(name)) => {
                check_attribute(kind, name.as_str(), evaluator.text.span(name))
            }
            _ => Ok(()),
        }
    }
}

fn is_member(operator: &Operator) -> bool {
    matches!(operator.value(), TraversalOperator::GetAttr(_))
}

impl Visit for Names<'_> {
    fn visit_expr(&mut self, expression: &Expression) {
        match expression {
            Expression::Variable(name) => {
                let value = self.evaluator().lone_name(name, self.scope);
                self.note(value);
            }
            _ => visit::visit_expr(self, expression),
        }
    }

    fn visit_traversal(&mut self, traversal: &Traversal) {
        let operators = traversal.operators.as_slice();
        match &traversal.expr {
            Expression::Variable(name) if self.scope.get(name.as_str()).is_some() => {}
            Expression::Variable(name) => {
                let path = self.path(name, operators);
                self.note(path);
            }
            expression => self.visit_expr(expression),
        }
        for operator in operators {
            if let TraversalOperator::Index(index) = operator.value() {
                self.visit_expr(index);
            }
        }
    }

    fn visit_func_call(&mut self, call: &FuncCall) {
        let function = self.evaluator().function(call);
        self.note(function);
        visit::visit_func_args(self, &call.args);
    }

    fn visit_for_expr(&mut self, written: &ForExpr) {
        let ForExpr { intro, key_expr, value_expr, cond, .. } = written;
        self.visit_expr(&intro.collection_expr);
        self.within(intro.key_var.as_ref(), &intro.value_var, |names| {
            key_expr.iter().for_each(|key| names.visit_expr(key));
            names.visit_expr(value_expr);
            cond.iter().for_each(|cond| names.visit_expr(&cond.expr));
        });
    }

    fn visit_for_template_expr(&mut self, written: &ForTemplateExpr) {
        let ForTemplateExpr { key_var, value_var, collection_expr, template, .. } = written;
        self.visit_expr(collection_expr);
        self.within(key_var.as_ref(), value_var, |names| names.visit_template(template));
    }
}
