//! Moves: objects whose resources are called something else than their tags say.
//!
//! Planning sees them under their new address, so that everything else of it knows nothing of moves; what
//! is left to do is to tag them anew, before anything else happens to them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Mode, Reason};
use crate::address::Address;
use crate::observed::Observed;
use crate::stack::Stack;

/// Which objects have moved, by the new address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Moves {
    made: BTreeMap<Address, Address>,
    /// Those that cannot, by their address: what is in their place.
    in_the_way: BTreeMap<Address, Address>,
}

impl Moves {
    /// The moves of the objects that are there. Where two would have one address, the one stays that is
    /// there already, else the one that has the shortest way.
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

    /// Those whose new address is declared. What would move elsewhere goes, and needs no new address for it.
    pub(super) fn only_to_declared(mut self, stack: &Stack) -> Self {
        self.made.retain(|to, _| stack.resources.contains_key(to));
        self.in_the_way.retain(|_, to| stack.resources.contains_key(to));
        self
    }

    /// The address that the object at `address` had.
    pub(super) fn from(&self, address: &Address) -> Option<&Address> {
        self.made.get(address)
    }

    /// Why an object that should have moved goes instead.
    pub(super) fn hindrance(&self, address: &Address) -> Option<Reason> {
        let to = self.in_the_way.get(address)?;
        Some(Reason::Occupied { address: to.clone() })
    }

    /// What is there, under the new addresses. What a replacement left over does not move.
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
    /// What is there, each object under the address that the stack has for it now.
    #[must_use]
    pub fn as_moved_in<'o>(&'o self, stack: &Stack) -> Cow<'o, Self> {
        Moves::of(stack, self).seen(self)
    }
}

impl Mode {
    /// The moves that a plan of this mode makes. What goes may go under the address that it had.
    pub(super) fn moves(self, stack: &Stack, observed: &Observed) -> Moves {
        match self {
            Self::Apply => Moves::of(stack, observed),
            Self::Destroy => Moves::default(),
        }
    }
}
