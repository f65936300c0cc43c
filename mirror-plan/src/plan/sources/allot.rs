//! Allotting: numbers for many objects, of which those that have one keep it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// A claim of an object that is to have a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim<S> {
    /// The scope in which it has to differ from others.
    pub(super) scope: S,
    /// Which numbers it can have; only one if all have the same.
    pub(super) range: RangeInclusive<i64>,
    /// The number that it has already.
    pub(super) in_place: Option<i64>,
}

/// Numbers that are not available, by scope.
pub(super) type Numbers<S> = BTreeMap<S, BTreeSet<i64>>;

/// The number of each claim, in order: the one it has, if that is in its range and not taken, and
/// otherwise the lowest that is free. `None` if none is free.
///
/// `taken` are the numbers of others. `parting` are held by what is about to be removed: they are given
/// again only if there is no other, so that nobody mistakes the packets of the new holder for those of
/// the old one.
pub(super) fn allot<S: Ord + Clone>(
    claims: &[Claim<S>],
    mut taken: Numbers<S>,
    parting: &BTreeSet<i64>,
) -> Vec<Option<i64>> {
    let mut given: Vec<Option<i64>> = claims
        .iter()
        .map(|claim| {
            let kept = claim.in_place.filter(|number| claim.range.contains(number))?;
            taken.entry(claim.scope.clone()).or_default().insert(kept).then_some(kept)
        })
        .collect();
    for avoided in [Some(parting), None] {
        // All numbers below have been given or ruled out: none is looked at twice.
        let mut reached: BTreeMap<(&S, i64), i64> = BTreeMap::new();
        let open = given.iter_mut().zip(claims).filter(|(given, _)| given.is_none());
        for (given, Claim { scope, range, in_place: _ }) in open {
            let taken = taken.entry(scope.clone()).or_default();
            let (first, last) = (*range.start(), *range.end());
            let from = reached.entry((scope, first)).or_insert(first);
            let is_free = |number: &i64| {
                !taken.contains(number) && avoided.is_none_or(|avoided| !avoided.contains(number))
            };
            let free = (*from..=last).find(is_free);
            *from = free.unwrap_or(last) + 1;
            taken.extend(free);
            *given = free;
        }
    }
    given
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    fn claim(range: RangeInclusive<i64>, in_place: Option<i64>) -> Claim<u8> {
        Claim { scope: 0, range, in_place }
    }

    #[test]
    fn those_in_place_keep_their_number_and_others_get_the_lowest() {
        let claims = [
            claim(1..=9, None),
            claim(1..=9, Some(3)),
            claim(1..=9, None),
            claim(1..=9, Some(12)), // Out of the range since it was changed.
            claim(1..=9, Some(3)),  // Somebody else has it.
        ];
        let taken = Numbers::from([(0, BTreeSet::from([1]))]);
        let given = allot(&claims, taken, &BTreeSet::from([2, 4]));
        assert_eq!(given, [5, 3, 6, 7, 8].map(Some));
    }

    #[test]
    fn what_parts_gives_its_number_to_the_last_who_needs_one() {
        let claims = [claim(1..=2, None), claim(1..=2, None), claim(1..=2, None)];
        let given = allot(&claims, Numbers::new(), &BTreeSet::from([1]));
        assert_eq!(given, [Some(2), Some(1), None]);
    }

    proptest! {
        #[test]
        fn no_two_have_one_number_and_nobody_goes_without_need(
            claims in vec((0_u8..3, 1_i64..20, 0_i64..20, proptest::option::of(1_i64..40)), 0..30),
            taken in btree_set(1_i64..40, 0..10),
            parting in btree_set(1_i64..40, 0..10),
        ) {
            let claims: Vec<Claim<u8>> = claims
                .into_iter()
                .map(|(scope, first, more, in_place)| {
                    Claim { scope, range: first..=first + more, in_place }
                })
                .collect();
            let taken: Numbers<u8> = (0..3).map(|scope| (scope, taken.clone())).collect();
            let given = allot(&claims, taken.clone(), &parting);
            let mut held = taken;
            for (claim, number) in claims.iter().zip(&given) {
                if let Some(number) = number {
                    prop_assert!(claim.range.contains(number));
                    prop_assert!(held.get_mut(&claim.scope).unwrap().insert(*number), "twice");
                }
            }
            for (claim, number) in claims.iter().zip(&given) {
                if number.is_none() {
                    let held = &held[&claim.scope];
                    prop_assert!(claim.range.clone().all(|number| held.contains(&number)));
                }
            }
        }

        #[test]
        fn nobody_is_moved_by_what_comes_and_goes(
            stays in vec(any::<bool>(), 1..40),
            come in 0_usize..20,
        ) {
            let range = 1..=100;
            let at_first = vec![claim(range.clone(), None); stays.len()];
            let first = allot(&at_first, Numbers::new(), &BTreeSet::new());
            let kept = first.iter().zip(&stays).filter(|(_, stays)| **stays);
            let kept: Vec<Option<i64>> = kept.map(|(number, _)| *number).collect();
            let newcomers = vec![claim(range.clone(), None); come];
            let mut claims = newcomers.clone();
            claims.extend(kept.iter().map(|number| claim(range.clone(), *number)));
            claims.extend(newcomers);
            let then = allot(&claims, Numbers::new(), &first.iter().copied().flatten().collect());
            prop_assert_eq!(&then[come..come + kept.len()], &*kept);
        }
    }
}
