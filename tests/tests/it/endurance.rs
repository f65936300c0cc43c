//! What an account does to a run: interfaces that linger, journals that are lost, others' objects.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

use mirror_local::{Calls, Effect, Fault, Faults};
use mirror_plan::plan::{Mode, Plan};
use mirror_plan::stack::Stack;
use mirror_tests::simulation::account::{OTHERS, others, transit_gateway_of_others};
use mirror_tests::simulation::remains::Spot;
use mirror_tests::simulation::{End, Safeguard, Simulation};
use mirror_tests::{gateway, lab, peered, scaling, sharing, stack, transit, wide};

use crate::crash::sweep::holdings;

const MINUTE: Duration = Duration::from_secs(60);

fn lingering(time: Duration) -> Simulation {
    let simulation = Simulation::new().with_durations(|all| all.load_balancer_lingering = time);
    assert!(run(&simulation, Mode::Apply).is_complete());
    simulation
}

fn run(simulation: &Simulation, mode: Mode) -> End {
    simulation.run(&lab(), mode, Faults::none())
}

/// The examples, each after what it needs, plus the stacks that share with another account and reach one, and the wide
/// stack. Not among them: the guide, which is refused, and two accounts, which [`crate::sharing`] applies beside the other
/// account.
fn examples() -> Vec<(Option<Stack>, Stack)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let example = |name: &str| stack(&std::fs::read_to_string(folder.join(name)).unwrap());
    let estate = example("sources/estate.mirror.hcl");
    let after_estate = (Some(estate.clone()), example("sources/sensors.mirror.hcl"));
    let alone = [
        lab(),
        example("peering.mirror.hcl"),
        example("review/capture.mirror.hcl"),
        estate,
        transit(&transit_gateway_of_others()),
        gateway(),
        scaling(),
        sharing(),
        peered(),
        wide(),
    ];
    alone.map(|stack| (None, stack)).into_iter().chain([after_estate]).collect()
}

/// Returns the account in which an example has been applied.
fn applied((before, stack): (Option<&Stack>, &Stack)) -> Simulation {
    let simulation = Simulation::new();
    for stack in before.into_iter().chain([stack]) {
        let end = simulation.run(stack, Mode::Apply, Faults::none());
        assert!(end.is_complete(), "{}: {end}", stack.name);
    }
    simulation
}

#[test]
fn interfaces_of_a_load_balancer_that_linger_are_waited_out() {
    let simulation = lingering(19 * MINUTE);
    let end = run(&simulation, Mode::Destroy);
    assert!(end.is_complete(), "{end}");
    holdings(&simulation).unwrap();
    println!("an interface lingered for 19 minutes: destroyed");
}

/// The last of three interfaces goes after 48 minutes, but never have 20 gone by without one of them going.
#[test]
fn interfaces_that_go_one_after_the_other_are_waited_out() {
    let zones = ["a", "b", "c"].map(|zone| {
        format!(
            "subnet \"{zone}\" {{
               vpc               = vpc.lab
               cidr              = cidrsubnet(vpc.lab.cidr, 8, {})
               availability_zone = \"eu-west-1{zone}\"
             }}",
            zone.as_bytes()[0]
        )
    });
    let stack = stack(&format!(
        "stack \"one\" {{ region = \"eu-west-1\" }}
         vpc \"lab\" {{ cidr = \"10.0.0.0/16\" }}
         {}
         load_balancer \"sensors\" {{ subnets = [subnet.a, subnet.b, subnet.c] }}",
        zones.join("\n")
    ));
    let simulation = Simulation::new().with_durations(|all| {
        all.load_balancer_lingering = 12 * MINUTE;
        all.load_balancer_staggering = 18 * MINUTE;
    });
    assert!(simulation.run(&stack, Mode::Apply, Faults::none()).is_complete());
    let end = simulation.run(&stack, Mode::Destroy, Faults::none());
    assert!(end.is_complete(), "{end}");
    println!("three interfaces lingered for 12, 30 and 48 minutes: destroyed");
}

#[test]
fn interfaces_that_stay_are_named_and_the_next_run_finishes() {
    let simulation = lingering(60 * MINUTE);
    let end = run(&simulation, Mode::Destroy);
    let text = end.to_string();
    assert!(!end.is_complete(), "{text}");
    let whose = "of amazon-elb (ELB net/";
    assert!(text.contains("eni-") && text.contains(whose), "{text}");
    simulation.wait(60 * MINUTE);
    let end = run(&simulation, Mode::Destroy);
    assert!(end.is_complete(), "{end}");
    let again = run(&simulation, Mode::Destroy);
    assert!(again.plan().is_some_and(Plan::is_empty), "{again}");
    println!(
        "an interface lingered for an hour: named after 20 minutes, destroyed by the next run"
    );
}

#[test]
fn without_its_journal_a_stack_is_known_by_its_tags() {
    for (before, stack) in examples() {
        let simulation = applied((before.as_ref(), &stack));
        simulation.lose_journals();
        let again = simulation.run(&stack, Mode::Apply, Faults::none());
        assert!(again.plan().is_some_and(Plan::is_empty), "{}: {again}", stack.name);
        holdings(&simulation).unwrap(); // what others have is as it was
        println!("{}: nothing to do without the journal", stack.name);
    }
}

#[test]
fn an_apply_of_what_is_there_changes_nothing() {
    for (before, stack) in examples() {
        let simulation = applied((before.as_ref(), &stack));
        let before = simulation.changes();
        assert!(simulation.run(&stack, Mode::Apply, Faults::none()).is_complete());
        assert_eq!(simulation.changes(), before, "{}", stack.name);
        holdings(&simulation).unwrap();
        println!("{}: {before} calls made it, 0 the second time", stack.name);
    }
}

#[test]
fn what_may_have_been_made_is_waited_for_with_few_calls() {
    let stack = lab();
    let (give, all) = channel();
    let end = Simulation::new().watch((&stack, Mode::Apply, Faults::none()), move |moment| {
        if moment.spot == Spot::Sent {
            give.send((moment.remains)()).unwrap();
        }
    });
    assert!(end.is_complete(), "{end}");
    let remains = all.iter().find(|remains| remains.action == "CreateLoadBalancer").unwrap();
    let simulation = Simulation::after(&remains, &stack);
    // The load balancer will never appear, which is certain after five minutes.
    let end = simulation.run(&stack, Mode::Destroy, Faults::none());
    assert!(end.is_complete(), "{end}");
    let log = simulation.cloud.log().unwrap();
    let waiting: Vec<_> =
        log.iter().take_while(|call| !call.action.starts_with("Delete")).collect();
    let looks = waiting.iter().filter(|call| call.action == "DescribeVpcs").count();
    println!("{} calls in five minutes of waiting, {looks} looks among them", waiting.len());
    assert!((1..=4).contains(&looks), "{looks}");
}

/// Health checks of new receivers take 30 s.
#[test]
fn receivers_that_are_replaced_stay_until_one_of_the_new_ones_receives() {
    let text = include_str!("../../../examples/lab.mirror.hcl");
    let text = ["1", "2"].into_iter().fold(text.to_owned(), |text, number| {
        let head = format!("instance \"target-instance-{number}\" {{\n");
        text.replace(&head, &format!("{head}  private_ip = \"10.0.2.10{number}\"\n"))
    });
    let changed = stack(&text);
    let simulation = Simulation::new();
    assert!(run(&simulation, Mode::Apply).is_complete());
    simulation.wait(10 * MINUTE);
    let end = simulation.run(&changed, Mode::Apply, Faults::none());
    assert!(end.is_complete(), "{end}");
    let log = simulation.cloud.log().unwrap();
    let at = |action: &str| log.iter().rev().find(|call| call.action == action).unwrap().at;
    let both = at("DeregisterTargets").duration_since(at("RegisterTargets"));
    println!("the old receivers stayed for {both:#}");
    assert!(both.as_secs() >= 30, "{both:#}");
}

#[test]
fn receivers_are_registered_before_a_listener_is_moved_to_their_target_group() {
    let text = include_str!("../../../examples/lab.mirror.hcl");
    let groups = text.find("target_group \"targets\"").unwrap();
    let listeners = text.find("load_balancer \"my-traffic").unwrap();
    let group = text[groups..listeners].replace("4789", "4790");
    let text = format!("{}{group}{}", &text[..groups], &text[listeners..]);
    let text = text.replace("port = 4789, cidrs", "port = \"4789-4790\", cidrs");
    let simulation = Simulation::new();
    assert!(run(&simulation, Mode::Apply).is_complete());
    let before = simulation.cloud.log().unwrap().len();
    let slow = Calls::Action("RegisterTargets".to_owned());
    let faults = Faults::none().delay(slow, Duration::from_secs(5));
    let end = simulation.run(&stack(&text), Mode::Apply, faults);
    assert!(end.is_complete(), "{end}");
    let log = &simulation.cloud.log().unwrap()[before..];
    let at = |action: &str| log.iter().find(|call| call.action == action).unwrap().at;
    let between = at("ModifyListener").duration_since(at("RegisterTargets"));
    assert!(between.as_secs() >= 5, "{between:#}");
}

#[test]
fn others_are_in_every_account() {
    assert!(others().len() >= OTHERS, "{}", others().len());
    println!("{} objects of others", others().len());
    let rows = others().values().map(ToString::to_string);
    let named = rows.filter(|row| row.contains("source-instance"));
    let (owned, others): (Vec<_>, Vec<_>) =
        named.partition(|row| row.contains(mirror_plan::resource::tag::STACK));
    // They have the names that the tests use; some belong to another stack, the rest to none.
    assert!(owned.len() > 10 && others.len() > 10, "{} and {}", owned.len(), others.len());
}

#[test]
fn the_same_seed_gives_the_same_calls() {
    let calls = || {
        fastrand::seed(7);
        // The timing of a disk cannot be reproduced.
        let simulation = Simulation::new().without(Safeguard::Journal);
        assert!(run(&simulation, Mode::Apply).is_complete());
        log(&simulation)
    };
    let (first, second) = (calls(), calls());
    assert_eq!(first, second);
    println!("{} calls, twice the same", first.len());
}

#[test]
fn the_same_seed_gives_the_same_calls_and_the_same_journal() {
    let all = || {
        fastrand::seed(7);
        // With one call at a time, each waits for the disk, however long that takes.
        let simulation = Simulation::new().with_parallelism(NonZeroUsize::MIN);
        let (give, journals) = channel();
        let end = simulation.watch((&lab(), Mode::Apply, Faults::none()), move |moment| {
            give.send((moment.remains)().journal().to_vec()).unwrap();
        });
        assert!(end.is_complete(), "{end}");
        (log(&simulation), journals.iter().collect::<Vec<_>>())
    };
    let (first, second) = (all(), all());
    assert_eq!(first, second);
    println!("{} calls and {} states of the journal, twice the same", first.0.len(), first.1.len());
}

/// Every call, as it is logged.
fn log(simulation: &Simulation) -> Vec<String> {
    let log = simulation.cloud.log().unwrap();
    log.iter().map(|call| serde_json::to_string(call).unwrap()).collect()
}

#[test]
fn what_was_lost_is_sent_again_however_long_it_was_looked_for() {
    let stack =
        stack("stack \"one\" { region = \"eu-west-1\" }\nvpc \"lab\" { cidr = \"10.0.0.0/16\" }");
    for seconds in 1..=12 {
        let simulation = Simulation::new();
        let lost = Calls::Action("CreateVpc".to_owned());
        let slow = Calls::All;
        let faults = Faults::none()
            .fail(lost, 1, Fault::dropped(Effect::None))
            .delay(slow, Duration::from_secs(seconds));
        let end = simulation.run(&stack, Mode::Apply, faults);
        assert!(end.is_complete(), "looks of {seconds} s: {end}");
    }
}
