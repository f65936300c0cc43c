//! One run, and the next one after a kill at each of its moments.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use mirror_local::{Calls, Effect, Fault, Faults};
use mirror_plan::plan::Mode;
use mirror_plan::stack::Stack;
use mirror_tests::REGION;
use mirror_tests::simulation::account::others;
use mirror_tests::simulation::remains::{Moment, Remains};
use mirror_tests::simulation::{Safeguard, Simulation};

use super::at_length;
use super::pool::{Tally, Trial, try_all};
use super::weather::{pause, weather, weather_after};

/// One in this many seeds is tried at each moment that leaves nothing new, unless time is no object: such a moment
/// equals an earlier one, followed by a pause.
const ROUND: u64 = 20;

/// How many objects an account holds besides the others', by table.
pub(crate) type Holdings = BTreeMap<&'static str, usize>;

/// What the account of a simulation holds, once AWS shows everything new and has forgotten everything deleted.
///
/// # Errors
/// If an object that belongs to others has changed, by even a single byte of what AWS reports about it.
pub(crate) fn holdings(simulation: &Simulation) -> Result<Holdings, String> {
    simulation.cloud.set_faults(Faults::none());
    simulation.wait(Duration::from_secs(2 * 60 * 60));
    let inventory = simulation.cloud.inventory(REGION).expect("the cloud is in memory");
    for (object, row) in others() {
        if inventory.get(object) != Some(row) {
            return Err(format!("{object:?} is somebody else's, and has changed"));
        }
    }
    let mut holdings = Holdings::new();
    for (table, _) in inventory.keys().filter(|key| !others().contains_key(*key)) {
        *holdings.entry(*table).or_default() += 1;
    }
    Ok(holdings)
}

/// What the account holds after these runs, if nothing goes wrong.
pub(crate) fn undisturbed(stack: &Stack, modes: &[Mode]) -> Holdings {
    undisturbed_all(modes.iter().map(|mode| (stack, *mode)))
}

fn undisturbed_all<'s>(runs: impl IntoIterator<Item = (&'s Stack, Mode)>) -> Holdings {
    let simulation = Simulation::new();
    for (stack, mode) in runs {
        let end = simulation.run(stack, mode, Faults::none());
        assert!(end.is_complete(), "{end}");
    }
    holdings(&simulation).unwrap()
}

/// Checks that a run completes, and that the next one has nothing to do once AWS shows everything: a rule
/// that cannot be seen yet is a difference, though creating it again does not create a second one.
pub(crate) fn finish(
    simulation: &Simulation,
    (stack, mode): (&Stack, Mode),
    faults: Faults,
    wanted: &Holdings,
) -> Trial {
    let end = simulation.run(stack, mode, faults);
    if !end.is_complete() {
        return Err(format!("the run after it: {end}"));
    }
    simulation.wait(Duration::from_secs(120));
    let again = simulation.run(stack, mode, Faults::none());
    match again.plan() {
        Some(plan) if plan.is_empty() => {}
        Some(plan) => {
            return Err(format!("then there is still to do: {:?}", mirror_tests::touched(plan)));
        }
        None => return Err(format!("the plan after that: {again}")),
    }
    let found = holdings(simulation)?;
    if found != *wanted {
        return Err(format!("there is {found:?}"));
    }
    Ok(simulation.cloud.log().expect("the log is in memory").len())
}

/// A run that is killed, and what is done after it.
#[derive(Clone, Copy)]
pub(crate) struct Sweep<'s> {
    pub(crate) stack: &'s Stack,
    /// The run before it, with this stack or another one of the same name.
    pub(crate) before: Option<(&'s Stack, Mode)>,
    /// The mode of the run that is killed.
    pub(crate) killed: Mode,
    /// The mode of the run that must finish.
    pub(crate) then: Mode,
    /// The safeguard that all of them lack.
    pub(crate) missing: Option<Safeguard>,
    /// One in this many moments that leave something new is tried.
    pub(crate) one_in: u64,
}

/// One kill.
struct Kill {
    seed: u64,
    /// Which moment of its run it is.
    number: usize,
    remains: Remains,
}

impl Sweep<'_> {
    /// Kills the run at every moment, and expects the next run to recover: with every seed where something new is
    /// left, elsewhere with one seed in [`ROUND`] ([`at_length`]: with every seed).
    pub(crate) fn over(&self, seeds: Range<u64>) -> Tally {
        let Self { stack, before, killed, then, missing: _, one_in: _ } = *self;
        let wanted = undisturbed_all(before.into_iter().chain([(stack, killed), (stack, then)]));
        let prepared = self.prepared();
        let feed = |give: &SyncSender<Kill>| {
            for seed in seeds {
                self.show(&prepared, seed, give.clone());
            }
        };
        try_all(feed, |kill| self.survives(&kill, &wanted))
    }

    /// Lets the run live, but loses, in three ways, the answer to each of its calls that change something.
    pub(crate) fn lose_every_answer(&self, seeds: Range<u64>) -> Tally {
        let Self { stack, before, killed: mode, then, missing: _, one_in: _ } = *self;
        let wanted = undisturbed_all(before.into_iter().chain([(stack, mode), (stack, then)]));
        let prepared = self.prepared();
        let plain = prepared.fork(stack).without(None);
        assert!(plain.run(stack, mode, Faults::none()).is_complete());
        let calls = plain.changes();
        let losses =
            [Fault::answer_lost(), Fault::dropped(Effect::Done), Fault::silent(Effect::Done)];
        let feed = |give: &SyncSender<(u64, u64, Fault)>| {
            for (seed, call) in seeds.flat_map(|seed| (1..=calls).map(move |call| (seed, call))) {
                for loss in &losses {
                    give.send((seed, call, loss.clone())).expect("somebody tries it");
                }
            }
        };
        try_all(feed, |(seed, call, loss)| {
            let seed = seed * 1_000 + call;
            fastrand::seed(seed);
            let simulation = prepared.fork(stack).with_seed(seed);
            let faults = weather(seed, 0).fail(Calls::Mutating, call, loss.clone());
            let end = simulation.run(stack, mode, faults);
            finish(&simulation, (stack, then), weather_after(seed), &wanted)
                .map_err(|why| format!("call {call}, {loss:?}, seed {seed}: {end}, then {why}"))
        })
    }

    /// The account before the run that is killed.
    fn prepared(&self) -> Simulation {
        let simulation = Simulation::new().without(self.missing);
        if let Some((stack, mode)) = self.before {
            let end = simulation.run(stack, mode, Faults::none());
            assert!(end.is_complete(), "{end}");
        }
        simulation
    }

    /// Performs the run once from beginning to end, and shows what would remain at each moment.
    fn show(&self, prepared: &Simulation, seed: u64, give: SyncSender<Kill>) {
        fastrand::seed(seed);
        // Each seed has different ids, so what is sorted by id comes in a different order.
        let simulation = prepared.fork(self.stack).with_seed(seed);
        let one_in = self.one_in;
        let mut number = 0;
        let tell = move |Moment { spot: _, is_new, remains }: Moment<'_>| {
            number += 1;
            let of = if is_new || at_length() { one_in } else { ROUND * one_in };
            if (seed + number as u64).is_multiple_of(of) {
                let kill = Kill { seed, number, remains: remains() };
                give.send(kill).expect("somebody tries it");
            }
        };
        let end = simulation.watch((self.stack, self.killed, weather(seed, 3)), tell);
        // Without a safeguard, the run need not complete.
        assert!(end.is_complete() || self.missing.is_some(), "seed {seed}: {end}");
    }

    fn survives(&self, kill: &Kill, wanted: &Holdings) -> Trial {
        let Kill { seed, number, remains } = kill;
        let Self { stack, killed, then, .. } = *self;
        fastrand::seed(seed ^ (*number as u64) << 32);
        let simulation = Simulation::after(remains, stack).without(self.missing);
        simulation.wait(pause(*seed, *number));
        finish(&simulation, (stack, then), weather_after(*seed), wanted).map_err(|why| {
            let (spot, action) = (remains.spot, &remains.action);
            format!("seed {seed}, {killed:?}, moment {number} ({spot:?} {action}): {why}")
        })
    }
}
