//! Moves: objects whose resources have another address than their tags state.
//!
//! Planning sees them under their new address, so that the rest of it need not know about moves. All that
//! remains is to retag them, before anything else happens to them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Mode, Reason};
use crate::address::Address;
use crate::observed::Observed;
use crate::stack::Stack;

/// The objects that have moved: their old address, by the new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Moves {
    made: BTreeMap<Address, Address>,
    /// Those that cannot move: the address that is already occupied, by their own.
    in_the_way: BTreeMap<Address, Address>,
}

impl Moves {
    /// The moves of the existing objects. If two would have the same address, the object that is already
    /// there keeps it; otherwise the one with the fewest moves gets it.
    pub(super) fn of(stack: &Stack, observed: &Observed) -> Self {
        let mut moves = Self::default();
        if stack.moved.is_empty() {
            return moves;
        }
        let mut all: Vec<(usize, &Address, Address)> = observed
            .owned
            .keys()
            .map(|from| (stack.moved_to(from), from))
            .filter(|((_, count), _)| *count > 0)
            .map(|((to, count), from)| (count, from, to))
            .collect();
        all.sort();
        for (_, from, to) in all {
            if observed.owned.contains_key(&to) || moves.made.contains_key(&to) {
                moves.in_the_way.insert(from.clone(), to);
            } else {
                moves.made.insert(to, from.clone());
            }
        }
        moves
    }

    /// Keeps the moves whose new address is declared. An object that would move elsewhere is removed, and
    /// needs no new address for that.
    pub(super) fn only_to_declared(mut self, stack: &Stack) -> Self {
        self.made.retain(|to, _| stack.resources.contains_key(to));
        self.in_the_way.retain(|_, to| stack.resources.contains_key(to));
        self
    }

    /// The address that the object at `address` had.
    pub(super) fn from(&self, address: &Address) -> Option<&Address> {
        self.made.get(address)
    }

    /// Why an object that should have moved is removed instead.
    pub(super) fn hindrance(&self, address: &Address) -> Option<Reason> {
        let to = self.in_the_way.get(address)?;
        Some(Reason::Occupied { address: to.clone() })
    }

    /// What was observed, under the new addresses. Left-overs of a replacement do not move.
    pub(super) fn seen<'o>(&self, observed: &'o Observed) -> Cow<'o, Observed> {
        if self.made.is_empty() {
            return Cow::Borrowed(observed);
        }
        let mut moved = observed.clone();
        for (to, from) in &self.made {
            let mut all = moved.owned.remove(from).unwrap_or_default();
            let newest = all.iter().map(|found| found.generation).max();
            let at = all.iter().position(|found| Some(found.generation) == newest);
            let current = at.map(|at| all.remove(at));
            moved.owned.entry(to.clone()).or_default().extend(current);
            if !all.is_empty() {
                moved.owned.insert(from.clone(), all);
            }
        }
        Cow::Owned(moved)
    }
}

impl Observed {
    /// What was observed, with each object under the address that the stack now has for it.
    #[must_use]
    pub fn as_moved_in<'o>(&'o self, stack: &Stack) -> Cow<'o, Self> {
        Moves::of(stack, self).seen(self)
    }
}

impl Mode {
    /// The moves that a plan of this mode makes. What is destroyed can be removed under its old address.
    pub(super) fn moves(self, stack: &Stack, observed: &Observed) -> Moves {
        match self {
            Self::Apply => Moves::of(stack, observed),
            Self::Destroy => Moves::default(),
        }
    }
}
