//! Operators.

use hcl_edit::expr::{BinaryOp, BinaryOperator, UnaryOp, UnaryOperator};

use super::{Evaluated, Evaluator, Scope, Secrecy, both, mistake, this_is};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::hcl::convert::{to_bool, to_number};
use crate::value::{Number, Unknown, Value};

impl Evaluator<'_> {
    pub(super) fn unary(&self, operation: &UnaryOp, scope: Scope<'_>) -> Evaluated {
        let (value, secrecy) = self.unmarked(&operation.expr, scope)?;
        if !value.is_known() {
            return Ok(secrecy.made(Value::Unknown(Unknown::computed([&value]))));
        }
        let (result, wanted) = match operation.operator.value() {
            UnaryOperator::Neg => {
                (to_number(&value).map(|n| Value::Number(n.negated())), "`-` needs a number")
            }
            UnaryOperator::Not => {
                (to_bool(&value).map(|b| Value::Bool(!b)), "`!` needs true or false")
            }
        };
        result
            .map(|value| secrecy.made(value))
            .ok_or_else(|| mistake(wanted, self.text.span(&operation.expr), this_is(&value)).into())
    }

    pub(super) fn binary(&self, operation: &BinaryOp, scope: Scope<'_>) -> Evaluated {
        let operator = *operation.operator.value();
        if matches!(operator, BinaryOperator::And | BinaryOperator::Or) {
            return self.logic(operation, scope);
        }
        let operands = both(
            self.evaluate(&operation.lhs_expr, scope),
            self.evaluate(&operation.rhs_expr, scope),
        );
        let (left, right) = operands?;
        let secrecy = Secrecy::of([&left, &right]);
        self.combined(operation, left.revealed(), right.revealed()).map(|value| secrecy.made(value))
    }

    /// `left operator right`, neither of them marked.
    fn combined(&self, operation: &BinaryOp, left: Value, right: Value) -> Evaluated {
        let operator = *operation.operator.value();
        if !left.is_known() || !right.is_known() {
            return Ok(Value::Unknown(Unknown::computed([&left, &right])));
        }
        match operator {
            BinaryOperator::Eq => Ok(Value::Bool(left == right)),
            BinaryOperator::NotEq => Ok(Value::Bool(left != right)),
            _ => match (to_number(&left), to_number(&right)) {
                (Some(a), Some(b)) => calculated(operator, &a, &b)
                    .map_err(|title| mistake(title, self.text.span(operation), "").into()),
                (a, b) => {
                    let title = format!("`{operator}` needs numbers");
                    let mut diagnostic = Diagnostic::error(code::EVALUATION, title);
                    let operands =
                        [(a, &left, &operation.lhs_expr), (b, &right, &operation.rhs_expr)];
                    for (number, value, operand) in operands {
                        if number.is_none() {
                            diagnostic = diagnostic.at(self.text.span(operand), this_is(value));
                        }
                    }
                    Err(diagnostic.into())
                }
            },
        }
    }

    /// `&&` and `||`: the right side counts only if the left one does not decide.
    fn logic(&self, operation: &BinaryOp, scope: Scope<'_>) -> Evaluated {
        let decides = *operation.operator.value() == BinaryOperator::Or;
        let (left, secrecy) = self.unmarked(&operation.lhs_expr, scope)?;
        let left_known = left.is_known();
        if left_known && self.truth(&left, &operation.lhs_expr)? == decides {
            return Ok(secrecy.made(Value::Bool(decides)));
        }
        let (right, other) = self.unmarked(&operation.rhs_expr, scope)?;
        let made = |value| secrecy.made(other.made(value));
        if !right.is_known() {
            return Ok(made(Value::Unknown(Unknown::computed([&left, &right]))));
        }
        let right = self.truth(&right, &operation.rhs_expr)?;
        if left_known || right == decides {
            Ok(made(Value::Bool(right)))
        } else {
            Ok(made(Value::Unknown(Unknown::computed([&left]))))
        }
    }
}

/// `a operator b`, or why there is no such number.
fn calculated(operator: BinaryOperator, a: &Number, b: &Number) -> Result<Value, &'static str> {
    let result = match operator {
        BinaryOperator::Less => return Ok(Value::Bool(a < b)),
        BinaryOperator::LessEq => return Ok(Value::Bool(a <= b)),
        BinaryOperator::Greater => return Ok(Value::Bool(a > b)),
        BinaryOperator::GreaterEq => return Ok(Value::Bool(a >= b)),
        BinaryOperator::Plus => a.checked_add(b),
        BinaryOperator::Minus => a.checked_sub(b),
        BinaryOperator::Mul => a.checked_mul(b),
        BinaryOperator::Div | BinaryOperator::Mod if b.is_zero() => return Err("division by zero"),
        BinaryOperator::Div => a.checked_div(b),
        BinaryOperator::Mod => a.checked_rem(b),
        BinaryOperator::Eq | BinaryOperator::NotEq | BinaryOperator::And | BinaryOperator::Or => {
            unreachable!("no arithmetic, and handled before")
        }
    };
    result.map(Value::Number).ok_or("the result is too large or too small")
}
