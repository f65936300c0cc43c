//! Journals that are cut off or changed at any byte: the next run learns of it, waits, and continues. Only a cut at the
//! end of a line cannot be noticed, as if what follows had never been written.
//!
//! Whole runs are tried with a short journal, at one byte in [`STEP`]; with `MIRROR_LONG=1`, with the
//! longest one, at every byte. The tests of the journal itself check that no byte is ever read as
//! something that was not written.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use mirror_local::Faults;
use mirror_plan::plan::Mode;
use mirror_tests::lab;
use mirror_tests::simulation::Simulation;
use mirror_tests::simulation::remains::{Remains, Spot};

use super::at_length;
use super::pool::{Tally, try_all};
use super::sweep::{Holdings, finish, undisturbed};
use super::weather::weather;

/// How many records the damaged journal holds at most, unless all are wanted.
const RECORDS: usize = 3;

/// One in this many bytes is damaged, unless all are wanted.
const STEP: usize = 23;

/// What remains of an apply that is killed when its journal holds a few records or, in the long form,
/// the most.
fn killed(faults: Faults) -> Remains {
    let stack = lab();
    let (give, all) = channel();
    let give = Mutex::new(give);
    fastrand::seed(0);
    let simulation = Simulation::new();
    let end = simulation.watch((&stack, Mode::Apply, faults), move |moment| {
        if moment.spot == Spot::Done {
            give.lock().unwrap().send((moment.remains)()).unwrap();
        }
    });
    assert!(end.is_complete(), "{end}");
    let records = |remains: &Remains| remains.journal().split(|byte| *byte == b'\n').count() - 1;
    let fits = |remains: &Remains| at_length() || records(remains) <= RECORDS;
    all.iter().filter(fits).max_by_key(records).expect("some have a journal")
}

/// Applies `damage` to the journal at each of its bytes, and tries a run with the result.
fn damage_everywhere(
    remains: &Remains,
    wanted: &Holdings,
    damage: impl Fn(&[u8], usize) -> Vec<u8> + Sync,
) -> Tally {
    let stack = lab();
    let feed = |give: &std::sync::mpsc::SyncSender<usize>| {
        for place in (0..remains.journal().len()).step_by(if at_length() { 1 } else { STEP }) {
            give.send(place).expect("somebody tries it");
        }
    };
    try_all(feed, |place| {
        fastrand::seed(place as u64);
        let damaged = remains.with_journal(damage(remains.journal(), place));
        let simulation = Simulation::after(&damaged, &stack);
        finish(&simulation, (&stack, Mode::Apply), weather(1, 0), wanted)
            .map_err(|why| format!("byte {place}: {why}"))
    })
}

#[test]
fn a_run_recovers_from_a_journal_that_is_damaged_at_any_byte() {
    let wanted = undisturbed(&lab(), &[Mode::Apply]);
    // A cut at the end of a line cannot be noticed: then the tags must be visible.
    let tally = damage_everywhere(&killed(Faults::none()), &wanted, |journal, place| {
        journal[..place].to_vec()
    });
    tally.expect_none_bad("a journal cut off at each byte");
    // A changed byte is noticed: the run then waits until everything must have become visible.
    let tally = damage_everywhere(&killed(weather(0, 0)), &wanted, |journal, place| {
        let mut journal = journal.to_vec();
        journal[place] ^= 1 << (place % 8);
        journal
    });
    tally.expect_none_bad("a journal with one bit changed at each byte");
}
