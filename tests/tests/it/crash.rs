//! Crash safety: a run that is killed at any call leaves nothing behind that the next one does not
//! take up.
//!
//! Each point is tried with several seeds: each time AWS shows what was made after other delays and
//! throttles other calls. `MIRROR_SEEDS` says how many; every test prints what it has tried.

use std::time::Duration;

use mirror_local::{Calls, Effect, Fault, Faults, Share};
use mirror_plan::plan::Mode;
use mirror_plan::stack::Stack;
use mirror_tests::lab;
use mirror_tests::simulation::{End, Kill, Safeguard, Simulation};

use crate::converge::census;

/// Seeds for each point, unless the environment says otherwise.
const SEEDS: u64 = 1;

/// What the account holds, by kind.
pub(crate) type Census = Vec<(&'static str, usize)>;

fn seeds() -> std::ops::Range<u64> {
    let given = std::env::var_os("MIRROR_SEEDS").and_then(|seeds| seeds.into_string().ok());
    0..given.map_or(SEEDS, |seeds| seeds.parse().expect("MIRROR_SEEDS is a number"))
}

/// How soon AWS shows what it has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    /// Four new objects of five within a second, most of the others within half a minute, one of
    /// fifty within two minutes.
    Usual,
    /// Each after half a minute to two minutes.
    Late,
}

impl Sight {
    /// One or the other.
    fn of(seed: u64) -> Self {
        if seed.is_multiple_of(2) { Self::Late } else { Self::Usual }
    }

    fn lag(self, random: &mut fastrand::Rng) -> Duration {
        let milliseconds = match (self, random.u8(0..100)) {
            (Self::Usual, 0..80) => 0..1_000,
            (Self::Usual, 80..98) => 1_000..30_000,
            (Self::Usual, _) | (Self::Late, _) => 30_000..120_000,
        };
        Duration::from_millis(random.u64(milliseconds))
    }
}

/// AWS on another day each seed: how late it shows what, and which calls of a hundred it throttles.
fn weather(seed: u64, throttled: u8) -> Faults {
    let mut random = fastrand::Rng::with_seed(seed);
    let lags: Vec<Duration> = (0..97).map(|_| Sight::of(seed).lag(&mut random)).collect();
    let share = Share { percent: throttled, seed };
    Faults::none().unseen_during(lags).throttle_share(Calls::All, share)
}

/// What the account of a simulation holds.
pub(crate) fn holds(simulation: &Simulation) -> Census {
    simulation.cloud.set_faults(Faults::none());
    simulation.wait(Duration::from_secs(600)); // until everything is seen
    simulation.in_virtual_time(census(&simulation.cloud))
}

/// Runs until it is done, and finds nothing to do after that, as soon as AWS shows all of it: a rule
/// that cannot be seen yet is a difference, though making it again makes no second one.
pub(crate) fn finish(
    simulation: &Simulation,
    stack: &Stack,
    mode: Mode,
    seed: u64,
) -> Result<(), String> {
    let end = simulation.run(stack, mode, weather(seed + 1_000, 3), None);
    if !end.is_complete() {
        return Err(format!("the run after it: {end}"));
    }
    simulation.wait(Duration::from_secs(120));
    let again = simulation.run(stack, mode, Faults::none(), None);
    match again.plan() {
        Some(plan) if plan.is_empty() => Ok(()),
        Some(plan) => Err(format!("then there is still to do: {:?}", mirror_tests::touched(plan))),
        None => Err(format!("the plan after that: {again}")),
    }
}

/// A run that is killed, and what is done after it.
pub(crate) struct Crash {
    /// What has been done before.
    pub(crate) before: Option<Mode>,
    /// What is killed.
    pub(crate) killed: Mode,
    /// What is to finish.
    pub(crate) then: Mode,
    /// What is taken away from all of them.
    pub(crate) missing: Option<Safeguard>,
}

impl Crash {
    /// Kills at every call that changes something, and expects the next run to make it good.
    fn sweep(&self, stack: &Stack) {
        let Self { before: _, killed, then, missing: _ } = self;
        let (points, mut bad) = self.try_all(stack, seeds());
        println!("{killed:?} killed, then {then:?}: {points} points, {} bad", bad.len());
        bad.truncate(10);
        assert!(bad.is_empty(), "{}", bad.join("\n"));
    }

    /// How many points there are, and what is wrong after which of them.
    fn try_all(&self, stack: &Stack, seeds: impl IntoIterator<Item = u64>) -> (usize, Vec<String>) {
        let Self { before, killed, then, missing: _ } = self;
        let wanted = Self::undisturbed(stack, before.iter().chain([killed, then]));
        let (mut points, mut bad) = (0, Vec::new());
        for seed in seeds {
            let calls = self.calls(stack, seed);
            for kill in (1..=calls).flat_map(kills) {
                points += 1;
                if let Err(why) = self.survives(stack, (seed, kill), &wanted) {
                    bad.push(format!("seed {seed}, {kill:?}: {why}"));
                }
            }
        }
        (points, bad)
    }

    /// What the account holds after these runs, if nothing goes wrong.
    pub(crate) fn undisturbed<'m>(stack: &Stack, modes: impl Iterator<Item = &'m Mode>) -> Census {
        let simulation = Simulation::new();
        for mode in modes {
            let end = simulation.run(stack, *mode, Faults::none(), None);
            assert!(end.is_complete(), "{end}");
        }
        holds(&simulation)
    }

    /// How many calls that change something the run takes that is to be killed.
    pub(crate) fn calls(&self, stack: &Stack, seed: u64) -> u64 {
        let simulation = self.prepared(stack);
        let before = simulation.changes();
        let end = simulation.run(stack, self.killed, weather(seed, 3), None);
        assert!(end.is_complete(), "{end}");
        simulation.changes() - before
    }

    fn prepared(&self, stack: &Stack) -> Simulation {
        let mut simulation = Simulation::new();
        if let Some(missing) = self.missing {
            simulation = simulation.without(missing);
        }
        if let Some(mode) = self.before {
            let end = simulation.run(stack, mode, Faults::none(), None);
            assert!(end.is_complete(), "{end}");
        }
        simulation
    }

    pub(crate) fn survives(
        &self,
        stack: &Stack,
        (seed, kill): (u64, Kill),
        wanted: &Census,
    ) -> Result<(), String> {
        let simulation = self.prepared(stack);
        let end = simulation.run(stack, self.killed, weather(seed, 3), Some(kill));
        // Calls that depend on what is seen may be fewer another time: then it was done before.
        if !matches!(end, End::Killed) && !end.is_complete() {
            return Err(format!("it was not killed: {end}"));
        }
        finish(&simulation, stack, self.then, seed)?;
        let found = holds(&simulation);
        if found == *wanted { Ok(()) } else { Err(format!("there is {found:?}")) }
    }
}

pub(crate) fn kills(call: u64) -> [Kill; 2] {
    [Effect::None, Effect::Done].map(|effect| Kill { call, effect })
}

#[test]
fn a_killed_apply_is_taken_up_by_the_next() {
    Crash { before: None, killed: Mode::Apply, then: Mode::Apply, missing: None }.sweep(&lab());
}

#[test]
fn a_destroy_after_a_killed_apply_leaves_nothing() {
    Crash { before: None, killed: Mode::Apply, then: Mode::Destroy, missing: None }.sweep(&lab());
}

#[test]
fn a_killed_destroy_is_taken_up_by_the_next() {
    Crash { before: Some(Mode::Apply), killed: Mode::Destroy, then: Mode::Destroy, missing: None }
        .sweep(&lab());
}

#[test]
fn each_safeguard_is_needed() {
    for missing in [Safeguard::Journal, Safeguard::SettleWindow] {
        let crash =
            Crash { before: None, killed: Mode::Apply, then: Mode::Apply, missing: Some(missing) };
        let (points, bad) = crash.try_all(&lab(), [0]);
        println!("without {missing:?}: {points} points, {} bad", bad.len());
        assert!(!bad.is_empty(), "{missing:?} could be left out");
    }
}

#[test]
fn an_answer_that_is_lost_makes_nothing_twice() {
    let stack = lab();
    let wanted = Crash::undisturbed(&stack, [Mode::Apply].iter());
    let plain = Simulation::new();
    assert!(plain.run(&stack, Mode::Apply, Faults::none(), None).is_complete());
    let losses = [Fault::answer_lost(), Fault::dropped(Effect::Done), Fault::silent(Effect::Done)];
    let (mut points, mut bad) = (0, Vec::new());
    for call in 1..=plain.changes() {
        for loss in &losses {
            let simulation = Simulation::new();
            let faults = weather(call, 0).fail(Calls::Mutating, call, loss.clone());
            let end = simulation.run(&stack, Mode::Apply, faults, None);
            let finished = finish(&simulation, &stack, Mode::Apply, call);
            points += 1;
            if let Err(why) = finished {
                bad.push(format!("call {call}, {loss:?}: {end}, then {why}"));
            } else if holds(&simulation) != wanted {
                bad.push(format!("call {call}, {loss:?}: {:?}", holds(&simulation)));
            }
        }
    }
    println!("answers lost after the call took effect: {points}, {} bad", bad.len());
    bad.truncate(10);
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn throttling_delays_and_breaks_nothing() {
    let stack = lab();
    let wanted = Crash::undisturbed(&stack, [Mode::Apply].iter());
    for percent in [30, 70] {
        let (mut stopped, mut bad) = (0, Vec::new());
        for seed in 0..seeds().end * 5 {
            let simulation = Simulation::new();
            let end = simulation.run(&stack, Mode::Apply, weather(seed, percent), None);
            stopped += u64::from(!end.is_complete());
            // Where more than two calls of three are refused, a run may stop; then it can go on.
            let finished = match (percent, end.is_complete()) {
                (70, _) | (_, true) => finish(&simulation, &stack, Mode::Apply, seed),
                (_, false) => Err(end.to_string()),
            };
            if let Err(why) = finished {
                bad.push(format!("seed {seed}: {why}"));
            } else if holds(&simulation) != wanted {
                bad.push(format!("seed {seed}: {:?}", holds(&simulation)));
            }
        }
        println!("{percent} % throttled: {stopped} stopped on the way, {} bad", bad.len());
        bad.truncate(10);
        assert!(bad.is_empty(), "{}", bad.join("\n"));
    }
}
