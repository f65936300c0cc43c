//! Moves: resources that are no longer called what they were when they were created.
//!
//! An object is identified by the address in its tags. A move states that the address has changed, so that the object
//! is retagged instead of being deleted and recreated. Once no object has the old address any more, a move does
//! nothing, so it can stay in the file for those who have not applied it yet.

use std::collections::{BTreeMap, BTreeSet};

use super::{Place, Placed, Stack, StackBuilder};
use crate::address::{Address, Key};
use crate::attribute::nearest;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::value::Path;

/// A change of address. Between two blocks, whose addresses have no key, it applies to all of their resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// What it was called.
    pub from: Address,
    /// What it is called now.
    pub to: Address,
}

impl Moved {
    /// Whether it applies to all resources of a block, each with its key.
    fn is_of_blocks(&self) -> bool {
        self.from.key.is_none() && self.to.key.is_none()
    }

    /// Returns what `address` becomes, if the move applies to it.
    fn carried(&self, address: &Address) -> Option<Address> {
        if self.is_of_blocks() {
            let is_of_it = (address.kind, &address.name) == (self.from.kind, &self.from.name);
            return is_of_it.then(|| Address { key: address.key.clone(), ..self.to.clone() });
        }
        (*address == self.from).then(|| self.to.clone())
    }
}

/// Moves that lead back to where they began.
struct Circle;

impl Stack {
    /// Returns what `address` is called now, and the number of moves that led there; `address`
    /// itself and 0 if it has not moved.
    pub(crate) fn moved_to(&self, address: &Address) -> (Address, usize) {
        // Circles are refused when the stack is built.
        follow(&self.moved, address).unwrap_or_else(|Circle| (address.clone(), 0))
    }

    /// Whether an end of a move, which is a resource or any resource of a block, is declared, as
    /// far as that is known without the cloud.
    fn declares(&self, moved: &Moved, end: &Address) -> bool {
        let is_of_block = |it: &Address| (it.kind, &it.name) == (end.kind, &end.name);
        if moved.is_of_blocks() {
            return self.resources.keys().chain(self.fan_outs.keys()).any(is_of_block);
        }
        self.resources.contains_key(end)
    }
}

/// Follows moves from `address` to where they end. Moves of a single resource take precedence over those of its
/// block.
fn follow(moves: &[Placed<Moved>], address: &Address) -> Result<(Address, usize), Circle> {
    let next = |from: &Address, of_blocks: bool| {
        let of = moves.iter().map(|moved| &moved.of).filter(|of| of.is_of_blocks() == of_blocks);
        of.filter_map(|of| of.carried(from)).next()
    };
    let mut at = address.clone();
    let mut been = BTreeSet::new();
    while let Some(to) = next(&at, false).or_else(|| next(&at, true)) {
        if !been.insert(std::mem::replace(&mut at, to)) {
            return Err(Circle);
        }
    }
    Ok((at, been.len()))
}

impl StackBuilder {
    /// Declares that a resource's address has changed.
    pub fn moved(&mut self, from: Address, to: Address) {
        self.declare_moved(Placed { of: Moved { from, to }, place: None });
    }

    /// Declares a move that has been read.
    pub fn declare_moved(&mut self, moved: Placed<Moved>) {
        self.stack.moved.push(moved);
    }

    /// Records that a block is declared but currently stands for no resource, such as one that is
    /// switched off: moves may lead to it.
    pub fn declare_none(&mut self, block: Address) {
        self.of_none.insert(block);
    }
}

/// Returns what is wrong with the moves of a stack. `of_none` holds its blocks that currently stand for nothing.
pub(super) fn check(stack: &Stack, of_none: &BTreeSet<Address>) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let (mut froms, mut tos) = (BTreeMap::new(), BTreeMap::new());
    for moved in &stack.moved {
        let Moved { from, to } = &moved.of;
        for (seen, address, name) in [(&mut froms, from, "from"), (&mut tos, to, "to")] {
            match seen.get(address) {
                None => drop(seen.insert(address.clone(), moved)),
                Some(first) => diagnostics.push(twice(moved, first, (address, name))),
            }
        }
        diagnostics.extend(wrong(stack, of_none, moved));
    }
    diagnostics
}

/// The place of `from` or `to`.
fn at(moved: &Placed<Moved>, name: &str) -> Option<Span> {
    moved.place.as_ref().map(|place| place.of(&Path::default().member(name)).clone())
}

fn error(title: String) -> Diagnostic {
    Diagnostic::error(code::MOVED, title)
}

fn twice(
    moved: &Placed<Moved>,
    first: &Placed<Moved>,
    (address, name): (&Address, &str),
) -> Diagnostic {
    let title = match name {
        "from" => format!("`{address}` moves to two addresses"),
        _ => format!("two addresses move to `{address}`"),
    };
    error(title)
        .at(at(moved, name), "again here")
        .at(at(first, name), "first here")
        .help("leave one of the two `moved` blocks out")
}

/// What is wrong with one move by itself.
fn wrong(stack: &Stack, of_none: &BTreeSet<Address>, moved: &Placed<Moved>) -> Option<Diagnostic> {
    let Moved { from, to } = &moved.of;
    if from.kind != to.kind {
        let (was, becomes) = (from.kind.title(), to.kind.title());
        let wrong =
            error(format!("`{from}` ({was}) and `{to}` ({becomes}) are of different kinds"));
        return Some(wrong.at(at(moved, "to"), "").note("an object cannot change its kind"));
    }
    if from == to {
        return Some(error(format!("`{from}` moves to itself")).at(at(moved, "to"), ""));
    }
    if follow(&stack.moved, from).is_err() {
        let wrong = error(format!("the moves of `{from}` form a circle"));
        return Some(wrong.at(at(moved, "from"), "").help("leave one of them out"));
    }
    if stack.declares(&moved.of, from) {
        return Some(still_there(stack, moved));
    }
    let block = Address::new(to.kind, to.name.clone());
    let goes_on = stack.moved.iter().any(|other| other.of.carried(to).is_some());
    let comes_and_goes =
        matches!(to.key, Some(Key::Name(_))) && stack.fan_outs.contains_key(&block);
    let is_there = stack.declares(&moved.of, to) || of_none.contains(&block) || comes_and_goes;
    (!goes_on && !is_there).then(|| not_declared(stack, moved))
}

/// Reports that the address something has moved away from is still declared.
fn still_there(stack: &Stack, moved: &Placed<Moved>) -> Diagnostic {
    let from = &moved.of.from;
    let is_it = |it: &Address| (it.kind, &it.name) == (from.kind, &from.name);
    let head = |place: &Option<Place>| place.as_ref().map(|place| place.head.clone());
    let resources = stack.resources.iter().map(|(address, of)| (address, head(&of.place)));
    let fan_outs = stack.fan_outs.iter().map(|(address, of)| (address, head(&of.place)));
    let declared = resources.chain(fan_outs).find(|(address, _)| is_it(address));
    error(format!("`{from}` is still declared, so it has not moved"))
        .of(from)
        .at(at(moved, "from"), "declared as moved here")
        .at(declared.and_then(|(_, head)| head), "declared here")
        .help("rename the block, or leave the `moved` block out")
}

/// Reports that the address something has moved to is not declared.
fn not_declared(stack: &Stack, moved: &Placed<Moved>) -> Diagnostic {
    let to = &moved.of.to;
    let title = format!("`{}` moves to `{to}`, which is not declared", moved.of.from);
    let wrong = Diagnostic::error(code::NO_SUCH_RESOURCE, title)
        .at(at(moved, "to"), "")
        .note("its object would be deleted");
    let of_kind = stack.resources.keys().filter(|address| address.kind == to.kind);
    let of_kind: BTreeSet<String> = of_kind.map(Address::to_string).collect();
    match nearest(&to.to_string(), of_kind.iter().map(String::as_str)) {
        Some(near) => wrong.help(format!("did you mean `{near}`?")),
        None => wrong.help("leave the `moved` block out if the object is to be deleted"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moves(pairs: &[(&str, &str)]) -> Vec<Placed<Moved>> {
        let moved = |(from, to): &(&str, &str)| Placed {
            of: Moved { from: from.parse().unwrap(), to: to.parse().unwrap() },
            place: None,
        };
        pairs.iter().map(moved).collect()
    }

    fn end(pairs: &[(&str, &str)], from: &str) -> Option<(String, usize)> {
        let (to, count) = follow(&moves(pairs), &from.parse().unwrap()).ok()?;
        Some((to.to_string(), count))
    }

    #[test]
    fn moves_are_followed_to_their_end() {
        let chain = [("vpc.a", "vpc.b"), ("vpc.b", "vpc.c")];
        assert_eq!(end(&chain, "vpc.a"), Some(("vpc.c".to_owned(), 2)));
        assert_eq!(end(&chain, "vpc.c"), Some(("vpc.c".to_owned(), 0)));
        assert_eq!(end(&chain, "vpc.a[3]"), Some(("vpc.c[3]".to_owned(), 2)));
        let one = [("vpc.a", "vpc.b"), ("vpc.a[0]", "vpc.first"), ("vpc.single", "vpc.c[0]")];
        assert_eq!(end(&one, "vpc.a[0]"), Some(("vpc.first".to_owned(), 1)));
        assert_eq!(end(&one, "vpc.a[1]"), Some(("vpc.b[1]".to_owned(), 1)));
        assert_eq!(end(&one, "vpc.single"), Some(("vpc.c[0]".to_owned(), 1)));
        assert_eq!(end(&one, "vpc.single[1]"), Some(("vpc.single[1]".to_owned(), 0)));
    }

    #[test]
    fn a_circle_is_found_wherever_it_is_entered() {
        let circle = [("vpc.a[0]", "vpc.b[0]"), ("vpc.b", "vpc.a"), ("vpc.c", "vpc.b")];
        assert_eq!(end(&circle, "vpc.a[0]"), None);
        assert_eq!(end(&circle, "vpc.c[0]"), None);
        assert_eq!(end(&circle, "vpc.c"), Some(("vpc.a".to_owned(), 2)));
    }
}
