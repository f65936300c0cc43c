//! Teams: one of several concurrent runs wins, a run whose lease is taken over stops, and a journal in
//! S3 is as good as one in a file.
//!
//! `MIRROR_RACES`, `MIRROR_THEFTS` and `MIRROR_CRASHES` set how much is tried; every test prints what
//! it has tried.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::time::Duration;

use mirror_local::{Calls, ConditionalWrites, Effect, Fault, Faults, LoggedCall, Settings};
use mirror_plan::apply::journal::JournalError;
use mirror_plan::apply::report::Report;
use mirror_plan::aws::{Aws, Pace};
use mirror_plan::plan::{Mode, Plan};
use mirror_plan::stack::Stack;
use mirror_tests::gate::{Gate, Side, changes_the_account};
use mirror_tests::simulation::{Machine, Simulation};
use mirror_tests::{config, lab, unfinished};

use crate::crash::sweep::{Holdings, Sweep, finish, undisturbed};
use crate::crash::weather::weather;

/// Returns the reference stack of a team, whose journal is in S3.
fn team_lab() -> Stack {
    Stack { coordination: Some("s3://team-journals/mirror".parse().unwrap()), ..lab() }
}

fn given(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var_os(name).and_then(|given| given.into_string().ok());
    given.map_or(otherwise, |given| given.parse().expect("it is a number"))
}

#[test]
fn of_runs_that_begin_at_once_one_has_the_stack() {
    let races = given("MIRROR_RACES", 100);
    let simulation = Simulation::new();
    simulation.make_bucket(&team_lab());
    // Every answer is delayed, so that all runs have looked before the first one writes.
    simulation.cloud.set_faults(Faults::none().delay(Calls::All, Duration::from_millis(20)));
    let mut losers = 0;
    for race in 0..races {
        let stack = Stack { name: format!("race-{race}").parse().unwrap(), ..team_lab() };
        let results = simulation.in_virtual_time(async {
            let clients = [(); 4].map(|()| simulation.aws());
            let [a, b, c, d] = &clients;
            let (a, b, c, d) = tokio::join!(
                simulation.take(a, &stack),
                simulation.take(b, &stack),
                simulation.take(c, &stack),
                simulation.take(d, &stack),
            );
            let results = [a, b, c, d];
            assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "race {race}");
            results.map(Result::err)
        });
        for error in results.into_iter().flatten() {
            let JournalError::Held(held) = error else { panic!("race {race}: {error}") };
            assert!(held.holder.is_some(), "race {race}: nobody is named");
            losers += 1;
        }
    }
    println!("{races} races of four runs: {races} winners, {losers} were told who it is");
}

/// When a frozen run continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thaw {
    /// Just after another run has taken over.
    Early,
    /// After that other run has done everything.
    Late,
}

/// The outcome of a theft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Theft {
    /// The run ends before it reaches the call.
    TooLate,
    /// The stack is as it should be, and the thawed run sent this many calls.
    Survived { calls: usize },
    /// The call in flight made a second object, and the next plan names both.
    Told,
}

/// Freezes an apply at one call or one write of its journal, lets another run take over, and thaws the first.
fn stolen_at((call, side, thaw): (u64, Side, Thaw), wanted: &Holdings) -> Result<Theft, String> {
    let stack = team_lab();
    let simulation = Simulation::new();
    simulation.make_bucket(&stack);
    let gate = Gate::new(&simulation.cloud, call, side);
    let gated = config(&simulation.cloud).into_builder().http_client(gate.clone()).build();
    let aws = Aws::new(&gated, Pace::Aws).expect("there is a Region");
    let (old, new) = (Machine::new(), Machine::new());
    let mut frozen = Box::pin(async {
        let journal = simulation.take(&aws, &stack).await.map_err(|error| error.to_string())?;
        let ended = simulation.carry_out(&stack, Mode::Apply, (&aws, &journal)).await;
        let lost = journal.lost();
        journal.release().await;
        ended.map(|(_, report)| (report, lost))
    });
    let at_once = simulation.drive(&old, async {
        tokio::select! {
            biased;
            () = gate.reached() => None,
            ended = &mut frozen => Some(ended),
        }
    });
    if at_once.is_some() {
        return Ok(Theft::TooLate);
    }
    let clients = simulation.aws();
    let taken = simulation.drive(&new, simulation.take(&clients, &stack));
    let journal = taken.map_err(|error| format!("it was not taken over: {error}"))?;
    let mut rest = Box::pin(async {
        let ended = simulation.carry_out(&stack, Mode::Apply, (&clients, &journal)).await;
        journal.release().await;
        ended
    });
    let mut ended = None;
    if thaw == Thaw::Late {
        ended = Some(simulation.drive(&new, &mut rest));
    }
    let before = simulation.cloud.log().unwrap().len();
    gate.open();
    let thawed = simulation.drive(&old, &mut frozen);
    let log = simulation.cloud.log().unwrap();
    let calls = log[before..].iter().filter(|call| changes_the_account(call)).count();
    if calls > 1 {
        return Err(format!("the thawed run sent {calls} calls"));
    }
    match thawed {
        Ok((report, Some(_))) if !report.is_complete() => {}
        // It was frozen when it took the stack, or when it had only to give it back.
        Err(why) if calls == 0 && why.contains("another run") => {}
        Ok((report, _)) if calls == 0 && report.is_complete() => {}
        Ok(_) => return Err("the thawed run does not know that it has lost the stack".to_owned()),
        Err(why) => return Err(why),
    }
    let ended = match ended {
        Some(ended) => ended,
        None => simulation.drive(&new, &mut rest),
    };
    let (_, report) = ended?;
    if !report.is_complete() {
        return Err(format!("the new owner did not finish: {}", unfinished(&report)));
    }
    match finish(&simulation, (&stack, Mode::Apply), weather(call + 1_000, 3), wanted) {
        Err(why) if why.contains("claim") && thaw == Thaw::Late && side == Side::Before => {
            Ok(Theft::Told)
        }
        Err(why) => Err(why),
        Ok(_) => Ok(Theft::Survived { calls }),
    }
}

#[test]
fn a_run_whose_lease_is_taken_sends_at_most_the_call_in_flight() {
    let step = usize::try_from(given("MIRROR_THEFTS", 13)).unwrap();
    let wanted = undisturbed(&team_lab(), &[Mode::Apply]);
    let (mut points, mut sent, mut told, mut bad) = (0, 0, Vec::new(), Vec::new());
    'calls: for call in (1..).step_by(step) {
        for side in [Side::Before, Side::After] {
            for thaw in [Thaw::Early, Thaw::Late] {
                match stolen_at((call, side, thaw), &wanted) {
                    Ok(Theft::TooLate) => break 'calls,
                    Ok(Theft::Survived { calls }) => sent += calls,
                    Ok(Theft::Told) => told.push(call),
                    Err(why) => bad.push(format!("call {call}, {side:?}, {thaw:?}: {why}")),
                }
                points += 1;
            }
        }
    }
    println!(
        "lease taken at {points} points: {sent} calls in flight took effect, {} made a second \
         object that the next plan names, {} bad",
        told.len(),
        bad.len()
    );
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    assert!(sent > 0, "no run was frozen with a call in flight");
    // A VPC and an internet gateway are created without a client token.
    assert!(told.len() <= 2, "{told:?}");
}

/// A run that is frozen while AWS throttles it.
struct Throttled<'s> {
    simulation: &'s Simulation,
    machine: Machine,
    gate: Gate,
    run: Pin<Box<dyn Future<Output = Ended> + 's>>,
}

/// How a run ended, or why it did not begin.
type Ended = Result<(Plan, Report), String>;

/// Freezes an apply just after a call that the SDK will repeat by itself.
fn throttled<'s>(simulation: &'s Simulation, stack: &'s Stack) -> Throttled<'s> {
    const THROTTLED: &str = "RequestLimitExceeded";
    simulation.make_bucket(stack);
    let modify = Calls::Action("ModifyVpcAttribute".to_owned());
    let faults = Faults::none().fail(modify, 1, Fault::refused(THROTTLED, 503));
    let number = (1..).find(|number| {
        let trial = Simulation::new().with_parallelism(NonZeroUsize::MIN);
        trial.make_bucket(stack);
        trial.cloud.set_faults(faults.clone());
        drop(frozen_at(&trial, stack, *number));
        let log = trial.cloud.log().unwrap();
        let last = log.last().expect("it has looked around");
        (&*last.action, last.error.as_deref()) == ("ModifyVpcAttribute", Some(THROTTLED))
    });
    simulation.cloud.set_faults(faults);
    frozen_at(simulation, stack, number.expect("there is such a call"))
}

/// Freezes an apply just after one of its calls.
fn frozen_at<'s>(simulation: &'s Simulation, stack: &'s Stack, number: u64) -> Throttled<'s> {
    let gate = Gate::new(&simulation.cloud, number, Side::After);
    let gated = config(&simulation.cloud).into_builder().http_client(gate.clone()).build();
    let aws = Aws::new(&gated, Pace::Aws).expect("there is a Region");
    let machine = Machine::new();
    let mut run = Box::pin(async move {
        let journal = simulation.take(&aws, stack).await.map_err(|error| error.to_string())?;
        simulation.carry_out(stack, Mode::Apply, (&aws, &journal)).await
    });
    simulation.drive(&machine, async {
        tokio::select! {
            biased;
            () = gate.reached() => {}
            _ = &mut run => panic!("it ended before call {number}"),
        }
    });
    Throttled { simulation, machine, gate, run }
}

impl Throttled<'_> {
    /// Lets the run continue to its end; returns how it went, and how long that took.
    fn thaw(self) -> (Report, Duration) {
        let Self { simulation, machine, gate, run } = self;
        gate.open();
        simulation.drive(&machine, async {
            let began = tokio::time::Instant::now();
            let (_, report) = run.await.expect("it was planned");
            (report, began.elapsed())
        })
    }
}

#[test]
fn a_throttled_call_is_not_repeated_after_the_lease_is_taken() {
    let stack = team_lab();
    let simulation = Simulation::new().with_parallelism(NonZeroUsize::MIN);
    let frozen = throttled(&simulation, &stack);
    let (clients, new) = (simulation.aws(), Machine::new());
    let journal = simulation.drive(&new, simulation.take(&clients, &stack)).unwrap();
    let before = simulation.cloud.log().unwrap().len();
    let (report, took) = frozen.thaw();
    let log = simulation.cloud.log().unwrap();
    assert_eq!(log[before..].iter().filter(|call| changes_the_account(call)).count(), 0);
    // The SDK pauses once, for at most twenty seconds, before it would repeat the call.
    assert!(took < Duration::from_secs(30), "it hung for {took:?}");
    insta::assert_snapshot!(unfinished(&report).lines().next().unwrap(), @"vpc.my-traffic-mirroring-vpc (Create): ModifyVpcAttribute: ModifyVpcAttribute was sent, but it is not known whether it took effect: dispatch failure: other: Watch read_before_transmit interceptor encountered an error: another run has taken over this stack");
    drop(journal);
}

#[test]
fn a_throttled_call_is_repeated_after_a_sleep_if_nobody_has_taken_the_lease() {
    let stack = team_lab();
    let simulation = Simulation::new().with_parallelism(NonZeroUsize::MIN);
    let frozen = throttled(&simulation, &stack);
    simulation.wait(Duration::from_secs(60));
    let (report, _) = frozen.thaw();
    assert!(report.is_complete(), "{}", unfinished(&report));
}

/// A call is recorded before it is sent, so a run whose journal cannot be written sends nothing.
#[test]
fn a_call_that_cannot_be_recorded_is_not_sent() {
    let stack = team_lab();
    for nth in [4, 5, 9, 20] {
        let simulation = Simulation::new().with_parallelism(NonZeroUsize::MIN);
        let put = || Calls::Action("PutObject".to_owned());
        let refused = || Fault::refused("AccessDenied", 403);
        let faults = (nth..nth + 200)
            .fold(Faults::none(), |faults, number| faults.fail(put(), number, refused()));
        let end = simulation.run(&stack, Mode::Apply, faults);
        assert!(!end.is_complete(), "write {nth}: {end}");
        let log = simulation.cloud.log().unwrap();
        let is_refused = |call: &LoggedCall| call.error.as_deref() == Some("AccessDenied");
        let after = log.iter().skip_while(|call| !is_refused(call));
        assert_eq!(after.filter(|call| changes_the_account(call)).count(), 0, "write {nth}");
    }
}

#[test]
fn a_journal_in_s3_survives_what_one_in_a_file_does() {
    let one_in = given("MIRROR_CRASHES", 13);
    let stack = team_lab();
    for (before, killed, then) in [
        (None, Mode::Apply, Mode::Apply),
        (None, Mode::Apply, Mode::Destroy),
        (Some(Mode::Apply), Mode::Destroy, Mode::Destroy),
    ] {
        let before = before.map(|mode| (&stack, mode));
        // The run is also killed at the writes of the journal itself.
        let sweep = Sweep { stack: &stack, before, killed, then, missing: None, one_in };
        let of = format!("with the journal in S3: {killed:?} killed, then {then:?}");
        sweep.over(0..1).expect_none_bad(&of);
    }
}

#[test]
fn a_store_that_ignores_conditions_is_refused_before_anything_is_changed() {
    for (writes, condition) in [
        (ConditionalWrites::Ignored, "If-None-Match"),
        (ConditionalWrites::OnlyIfAbsent, "If-Match"),
    ] {
        let stack = team_lab();
        let mut simulation = Simulation::new();
        let mut settings = Settings::default();
        settings.conditional_writes = writes;
        simulation.cloud = simulation.cloud.clone().with_settings(settings);
        let end = simulation.run(&stack, Mode::Apply, Faults::none());
        let told = format!("ignores the condition {condition} of a PutObject");
        assert!(end.to_string().contains(&told), "{end}");
        let log = simulation.cloud.log().unwrap();
        assert_eq!(log.iter().filter(|call| changes_the_account(call)).count(), 0);
    }
}

#[test]
fn a_write_whose_answer_is_lost_is_known_as_ones_own() {
    let stack = team_lab();
    let put = || Calls::Action("PutObject".to_owned());
    for nth in [1, 2, 4, 5, 9] {
        for fault in [
            Fault::answer_lost(),
            Fault::dropped(Effect::Done),
            Fault::silent(Effect::Done),
            Fault::refused("ConditionalRequestConflict", 409),
        ] {
            let simulation = Simulation::new();
            let faults = Faults::none().fail(put(), nth, fault.clone());
            let end = simulation.run(&stack, Mode::Apply, faults);
            assert!(end.is_complete(), "write {nth}, {fault:?}: {end}");
        }
    }
}

#[test]
fn the_lease_of_a_run_that_was_killed_runs_out_and_one_that_lives_is_renewed() {
    let stack = team_lab();
    let simulation = Simulation::new();
    simulation.make_bucket(&stack);
    let (first, second) = (Machine::new(), Machine::new());
    let clients = simulation.aws();
    let journal = simulation.drive(&first, simulation.take(&clients, &stack)).unwrap();
    // The first run only stays alive, as while a person thinks about the plan.
    let others = simulation.aws();
    let result = simulation.drive(&first, async {
        tokio::join!(tokio::time::sleep(Duration::from_secs(120)), simulation.take(&others, &stack))
            .1
    });
    assert!(matches!(result, Err(JournalError::Held(_))), "{result:?}");
    // The first run is frozen for good.
    let taken = simulation.drive(&second, simulation.take(&others, &stack));
    assert!(taken.is_ok(), "{taken:?}");
    drop((journal, taken));
}
