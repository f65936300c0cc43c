//! The functions of the stack file: Terraform's, with Terraform's meaning, or not at all.
//!
//! [`FUNCTIONS`] is the only list of them; the evaluator, the schema and the reference read it.

use std::ops::RangeInclusive;

use crate::value::Value;

mod address;
mod collection;
mod format;
mod text;

/// A function of the stack file.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// How it is called: `cidrhost(prefix, number)`.
    pub signature: &'static str,
    /// What it returns; Markdown.
    pub doc: &'static str,
    /// How many arguments it takes.
    pub(super) arguments: RangeInclusive<usize>,
    pub(super) needs: Needs,
    pub(super) body: Body,
}

/// How much of its arguments a function needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// All of them; otherwise its result is not known either.
    Everything,
    /// Only how many elements a list has, or which members an object.
    Structure,
    /// Nothing about them: it has a result for unknown ones too.
    Nothing,
}

/// What computes the result.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    Pure(fn(&[Value]) -> Result<Value, Wrong>),
    /// Reads a file through the caller's reader.
    File,
    /// Evaluates its arguments itself, one after the other.
    Try,
    /// Marks its argument.
    Sensitive,
    /// Takes the mark off its argument.
    Nonsensitive,
}

/// Why a function has no result for its arguments.
#[derive(Debug)]
pub(super) struct Wrong {
    /// Which argument is the cause, from 0.
    pub(super) argument: Option<usize>,
    pub(super) title: String,
}

impl Wrong {
    pub(super) fn at(argument: usize, title: impl Into<String>) -> Self {
        Self { argument: Some(argument), title: title.into() }
    }

    /// Another type than expected.
    fn expected(argument: usize, wanted: &str, value: &Value) -> Self {
        Self::at(argument, format!("expected {wanted}, found {}", value.type_name()))
    }
}

/// Every function, in the order of the reference.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "cidrsubnet",
        signature: "cidrsubnet(prefix, newbits, netnum)",
        doc: "The `netnum`-th of the subnets that are `newbits` bits longer than `prefix`: \
              `cidrsubnet(\"10.0.0.0/16\", 8, 1)` is `\"10.0.1.0/24\"`. IPv4 and IPv6.",
        arguments: 3..=3,
        needs: Needs::Everything,
        body: Body::Pure(address::cidrsubnet),
    },
    Function {
        name: "cidrhost",
        signature: "cidrhost(prefix, hostnum)",
        doc: "The address number `hostnum` in `prefix`; a negative number counts from the end: \
              `cidrhost(\"10.0.1.0/24\", 10)` is `\"10.0.1.10\"`.",
        arguments: 2..=2,
        needs: Needs::Everything,
        body: Body::Pure(address::cidrhost),
    },
    Function {
        name: "format",
        signature: "format(spec, values...)",
        doc: "The text `spec` with each verb replaced by a value: `%s` and `%q` for texts, `%d` \
              `%b` `%o` `%x` `%X` for whole numbers, `%e` `%f` `%g` for others, `%t` for booleans, \
              `%v` for anything, `%%` for `%`. Flags, width, precision and `%[1]s` as in Go.",
        arguments: 1..=usize::MAX,
        needs: Needs::Everything,
        body: Body::Pure(format::format),
    },
    Function {
        name: "join",
        signature: "join(separator, lists...)",
        doc: "The elements of the lists in one text, with `separator` between them.",
        arguments: 2..=usize::MAX,
        needs: Needs::Structure,
        body: Body::Pure(text::join),
    },
    Function {
        name: "split",
        signature: "split(separator, text)",
        doc: "The pieces of `text` between the separators, as a list.",
        arguments: 2..=2,
        needs: Needs::Everything,
        body: Body::Pure(text::split),
    },
    Function {
        name: "concat",
        signature: "concat(lists...)",
        doc: "The elements of all lists in one list.",
        arguments: 1..=usize::MAX,
        needs: Needs::Structure,
        body: Body::Pure(collection::concat),
    },
    Function {
        name: "merge",
        signature: "merge(objects...)",
        doc: "The members of all objects in one object; of two members with the same name, the later \
              one counts. `null` counts as an object without members.",
        arguments: 0..=usize::MAX,
        needs: Needs::Structure,
        body: Body::Pure(collection::merge),
    },
    Function {
        name: "lookup",
        signature: "lookup(object, name, default)",
        doc: "The member of `object` with that name, or `default`. Without a default, the member \
              must exist.",
        arguments: 2..=3,
        needs: Needs::Nothing,
        body: Body::Pure(collection::lookup),
    },
    Function {
        name: "length",
        signature: "length(value)",
        doc: "The number of elements of a list, members of an object, or characters (as a reader \
              counts them) of a text.",
        arguments: 1..=1,
        needs: Needs::Structure,
        body: Body::Pure(collection::length),
    },
    Function {
        name: "contains",
        signature: "contains(list, value)",
        doc: "Whether one of the elements equals `value`.",
        arguments: 2..=2,
        needs: Needs::Nothing,
        body: Body::Pure(collection::contains),
    },
    Function {
        name: "keys",
        signature: "keys(object)",
        doc: "The names of the members, sorted.",
        arguments: 1..=1,
        needs: Needs::Structure,
        body: Body::Pure(collection::keys),
    },
    Function {
        name: "values",
        signature: "values(object)",
        doc: "The members, in the order of their names.",
        arguments: 1..=1,
        needs: Needs::Structure,
        body: Body::Pure(collection::values),
    },
    Function {
        name: "tostring",
        signature: "tostring(value)",
        doc: "A number or boolean as text.",
        arguments: 1..=1,
        needs: Needs::Everything,
        body: Body::Pure(text::tostring),
    },
    Function {
        name: "tonumber",
        signature: "tonumber(value)",
        doc: "A text of digits as a number.",
        arguments: 1..=1,
        needs: Needs::Everything,
        body: Body::Pure(text::tonumber),
    },
    Function {
        name: "jsondecode",
        signature: "jsondecode(text)",
        doc: "The value that a JSON text represents.",
        arguments: 1..=1,
        needs: Needs::Everything,
        body: Body::Pure(text::jsondecode),
    },
    Function {
        name: "file",
        signature: "file(path)",
        doc: "The text of a file in the stack file's folder or below it. A path that leads out of \
              that folder, by `..`, from the root or through a link, is refused.",
        arguments: 1..=1,
        needs: Needs::Everything,
        body: Body::File,
    },
    Function {
        name: "try",
        signature: "try(expressions...)",
        doc: "The first of the expressions that can be evaluated without an error. A name that is not declared \
              remains an error.",
        arguments: 1..=usize::MAX,
        needs: Needs::Structure,
        body: Body::Try,
    },
    Function {
        name: "sensitive",
        signature: "sensitive(value)",
        doc: "`value`, shown as its hash from here on, like the value of a variable with \
              `sensitive = true`.",
        arguments: 1..=1,
        needs: Needs::Nothing,
        body: Body::Sensitive,
    },
    Function {
        name: "nonsensitive",
        signature: "nonsensitive(value)",
        doc: "`value`, which may be shown from here on, even if derived from something sensitive.",
        arguments: 1..=1,
        needs: Needs::Nothing,
        body: Body::Nonsensitive,
    },
];

/// An argument that is a string, number or boolean, as text.
fn text_at(arguments: &[Value], index: usize) -> Result<String, Wrong> {
    let value = &arguments[index];
    super::convert::to_text(value).ok_or_else(|| Wrong::expected(index, "a string", value))
}

/// An argument that is a list.
fn list_at(arguments: &[Value], index: usize) -> Result<&[Value], Wrong> {
    match &arguments[index] {
        Value::List(items) => Ok(items),
        other => Err(Wrong::expected(index, "a list", other)),
    }
}

/// An argument that is an object.
fn object_at(
    arguments: &[Value],
    index: usize,
) -> Result<&std::collections::BTreeMap<String, Value>, Wrong> {
    match &arguments[index] {
        Value::Object(members) => Ok(members),
        other => Err(Wrong::expected(index, "an object", other)),
    }
}
