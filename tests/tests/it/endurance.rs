//! What an account does to a run: interfaces that linger, journals that are lost, others' objects.

use std::time::Duration;

use mirror_local::Faults;
use mirror_plan::plan::Mode;
use mirror_tests::lab;
use mirror_tests::simulation::{End, Safeguard, Simulation};

const MINUTE: Duration = Duration::from_secs(60);

fn lingering(time: Duration) -> Simulation {
    let simulation = Simulation::new().with_durations(|all| all.load_balancer_lingering = time);
    assert!(run(&simulation, Mode::Apply).is_complete());
    simulation
}

fn run(simulation: &Simulation, mode: Mode) -> End {
    simulation.run(&lab(), mode, Faults::none(), None)
}

#[test]
fn interfaces_of_a_load_balancer_that_linger_are_waited_out() {
    let simulation = lingering(19 * MINUTE);
    let end = run(&simulation, Mode::Destroy);
    assert!(end.is_complete(), "{end}");
}

#[test]
fn interfaces_that_stay_are_named_and_the_next_run_finishes() {
    let simulation = lingering(60 * MINUTE);
    let end = run(&simulation, Mode::Destroy);
    let text = end.to_string();
    assert!(!end.is_complete() && text.contains("eni-"), "{text}");
    simulation.wait(60 * MINUTE);
    let end = run(&simulation, Mode::Destroy);
    assert!(end.is_complete(), "{end}");
    let again = run(&simulation, Mode::Destroy);
    assert!(again.plan().is_some_and(mirror_plan::plan::Plan::is_empty), "{again}");
}

#[test]
fn without_its_journal_a_stack_is_known_by_its_tags() {
    let simulation = Simulation::new();
    assert!(run(&simulation, Mode::Apply).is_complete());
    simulation.lose_journals();
    let again = run(&simulation, Mode::Apply);
    assert!(again.plan().is_some_and(mirror_plan::plan::Plan::is_empty), "{again}");
}

#[test]
fn an_apply_of_what_is_there_changes_nothing() {
    let simulation = Simulation::new();
    assert!(run(&simulation, Mode::Apply).is_complete());
    let before = simulation.changes();
    assert!(run(&simulation, Mode::Apply).is_complete());
    assert_eq!(simulation.changes(), before);
}

#[test]
fn the_same_seed_gives_the_same_calls() {
    let calls = || {
        fastrand::seed(7);
        // A disk answers when it likes.
        let simulation = Simulation::new().without(Safeguard::Journal);
        assert!(run(&simulation, Mode::Apply).is_complete());
        let log = simulation.cloud.log().unwrap();
        log.iter().map(|call| serde_json::to_string(call).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(calls(), calls());
}
