//! Crash safety: a run that is killed at any moment leaves nothing behind that the next one does not
//! pick up.
//!
//! Each moment is tried with one seed, or with twenty in CI: with each of them, AWS shows new objects after
//! different delays and throttles different calls. `MIRROR_SEEDS` sets how many, or which (`20..40`), so
//! that a long run can be split into parts; every test prints what it has tried. With `MIRROR_LONG=1` a
//! moment that leaves nothing new is tried with every seed, too. In every run the account contains a
//! thousand objects that belong to others, and each of them is checked afterwards.

mod damage;
pub(crate) mod pool;
pub(crate) mod sweep;
pub(crate) mod weather;

use std::ops::Range;
use std::time::Duration;

use mirror_local::Faults;
use mirror_plan::plan::Mode;
use mirror_plan::stack::Stack;
use mirror_tests::simulation::account::transit_gateway_of_others;
use mirror_tests::simulation::remains::{Moment, Remains, Spot};
use mirror_tests::simulation::{Safeguard, Simulation};
use mirror_tests::{gateway, lab, peered, scaling, sharing, stack, transit, wide};

use pool::{Tally, Trial, try_all};
use sweep::{Sweep, finish, undisturbed};
use weather::{weather, weather_after};

/// The number of seeds, unless the environment sets it.
const SEEDS: &str = "1";

/// The number of seeds in CI.
const SEEDS_IN_CI: &str = "20";

/// A network to put something into.
const NETWORK: &str = r#"
    stack "one" { region = "eu-west-1" }
    vpc "lab" { cidr = "10.0.0.0/16" }
    subnet "lab" {
      vpc  = vpc.lab
      cidr = "10.0.1.0/24"
    }
    "#;

pub(crate) fn seeds() -> Range<u64> {
    let given = std::env::var_os("MIRROR_SEEDS").and_then(|seeds| seeds.into_string().ok());
    let in_ci = std::env::var_os("CI").is_some();
    let given = given.as_deref().unwrap_or(if in_ci { SEEDS_IN_CI } else { SEEDS });
    let (first, end) = given.split_once("..").unwrap_or(("0", given));
    let [first, end] =
        [first, end].map(|seed| seed.parse().expect("MIRROR_SEEDS is a number or two: 20..40"));
    first..end
}

/// Whether to try even those cases that differ little from others that are tried anyway.
pub(crate) fn at_length() -> bool {
    std::env::var_os("MIRROR_LONG").is_some()
}

/// A twentieth of the seeds, for what differs little from a sweep over all of them.
pub(crate) fn a_few_seeds() -> Range<u64> {
    let Range { start, end } = seeds();
    start.div_ceil(20)..end.div_ceil(20)
}

/// The stacks to try, each with its seeds.
///
/// All seeds: the reference stack, and one with most kinds. A few seeds: one on a transit gateway that belongs to
/// others, one with an endpoint, one with receivers that scale, one that shares its targets, and one that is connected
/// to another account.
fn stacks() -> [(Stack, Range<u64>); 7] {
    let few = a_few_seeds();
    [
        (lab(), seeds()),
        (wide(), seeds()),
        (transit(&transit_gateway_of_others()), few.clone()),
        (gateway(), few.clone()),
        (scaling(), few.clone()),
        (sharing(), few.clone()),
        (peered(), few),
    ]
}

/// Kills a run of each stack at every moment.
fn kill_everywhere(before: Option<Mode>, killed: Mode, then: Mode) {
    for (stack, seeds) in stacks() {
        let before = before.map(|mode| (&stack, mode));
        let sweep = Sweep { stack: &stack, before, killed, then, missing: None, one_in: 1 };
        let of = format!("{}: {killed:?} killed, then {then:?}, seeds {seeds:?}", stack.name);
        sweep.over(seeds).expect_none_bad(&of);
    }
}

#[test]
fn a_killed_apply_is_taken_up_by_the_next() {
    kill_everywhere(None, Mode::Apply, Mode::Apply);
}

#[test]
fn a_destroy_after_a_killed_apply_leaves_nothing() {
    kill_everywhere(None, Mode::Apply, Mode::Destroy);
}

#[test]
fn a_killed_destroy_is_taken_up_by_the_next() {
    kill_everywhere(Some(Mode::Apply), Mode::Destroy, Mode::Destroy);
}

/// Changes that need every call for an existing share: a target recreated in its place, another account, another name.
#[test]
fn a_killed_change_of_a_share_is_taken_up_by_the_next() {
    let text = include_str!("../../src/sharing.mirror.hcl");
    let (one, new) =
        ("{ network_interface = instance.one }", "instance.one\n  description = \"new\"");
    let changed = text.replace(one, &format!("{{\n  network_interface = {new}\n}}"));
    let changed = changed.replace("\"222233334444\"", "\"444455556666\"");
    let changed = stack(&changed.replace("tags  ", "name = \"another\"\n  tags  "));
    let (stack, before) = (&changed, sharing());
    for then in [Mode::Apply, Mode::Destroy] {
        let before = Some((&before, Mode::Apply));
        let (killed, missing) = (Mode::Apply, None);
        let sweep = Sweep { stack, before, killed, then, missing, one_in: 1 };
        let of = format!("a changed share: {killed:?} killed, then {then:?}");
        sweep.over(a_few_seeds()).expect_none_bad(&of);
    }
}

#[test]
fn an_answer_that_is_lost_makes_nothing_twice() {
    for (stack, _) in stacks() {
        for (before, mode) in [(None, Mode::Apply), (Some((&stack, Mode::Apply)), Mode::Destroy)] {
            let (stack, killed, then) = (&stack, mode, mode);
            let sweep = Sweep { stack, before, killed, then, missing: None, one_in: 1 };
            let of = format!("{}: answers of {mode:?} lost after the call took effect", stack.name);
            sweep.lose_every_answer(a_few_seeds()).expect_none_bad(&of);
        }
    }
}

#[test]
fn each_safeguard_is_needed() {
    let (stack, killed, then) = (lab(), Mode::Apply, Mode::Apply);
    let without = |missing| Sweep { stack: &stack, before: None, killed, then, missing, one_in: 1 };
    for missing in [Safeguard::Journal, Safeguard::SettleWindow].map(Some) {
        expect_some_bad(missing, |seeds| without(missing).over(seeds));
    }
    let missing = Some(Safeguard::Classifier);
    expect_some_bad(missing, |seeds| without(missing).lose_every_answer(seeds));
}

/// A run is killed after a filter was created and before the answer is sent. The next run starts before
/// AWS shows the filter, and sends the call again.
#[test]
fn a_token_tells_a_repeated_call_from_a_second_one() {
    let stack = stack(
        r#"
        stack "one" { region = "eu-west-1" }
        mirror_filter "all" { rules = [{ number = 1, action = "accept", protocol = "tcp" }] }
        "#,
    );
    for (missing, filters) in [(None, 1), (Some(Safeguard::Tokens), 2)] {
        let remains = unanswered(Simulation::new(), &stack, "CreateTrafficMirrorFilter");
        let simulation = Simulation::after(&remains, &stack).without(missing);
        drop(simulation.run(&stack, Mode::Apply, Faults::none()));
        let holdings = sweep::holdings(&simulation).expect("nothing of the others has changed");
        assert_eq!(holdings["mirror_filters"], filters, "without {missing:?}: {holdings:?}");
        println!("without {missing:?}: {filters} where one was requested");
    }
}

/// A run is killed after it has asked for something, and before the next run, that is taken out of the stack file.
#[test]
fn what_a_killed_run_made_and_the_stack_no_longer_has_is_removed() {
    let less = stack(NETWORK);
    let wanted = undisturbed(&less, &[Mode::Apply]);
    for (action, block) in [
        ("CreateTrafficMirrorFilter", "mirror_filter \"all\" { rules = [] }"),
        ("CreateSecurityGroup", "security_group \"more\" { vpc = vpc.lab }"),
        ("CreateLoadBalancer", "load_balancer \"more\" { subnets = [subnet.lab] }"),
        (
            "RunInstances",
            "instance \"more\" {
               subnet        = subnet.lab
               instance_type = \"t3.micro\"
             }",
        ),
    ] {
        let more = stack(&format!("{NETWORK}\n{block}"));
        let remains = unanswered(Simulation::new(), &more, action);
        let simulation = Simulation::after(&remains, &less);
        if let Err(why) = finish(&simulation, (&less, Mode::Apply), Faults::none(), &wanted) {
            panic!("{action}: {why}");
        }
        println!("{action}: removed by the next run");
    }
}

/// AWS shows some objects for a while after they have ended, with the tags that the next ones will have. A run is killed
/// before its call is carried out, and the next run asks for something else.
#[test]
fn what_has_ended_is_not_taken_for_what_was_asked_for() {
    let gateway = include_str!("../../../examples/gateway-load-balancer.mirror.hcl");
    for (text, action) in [
        (include_str!("../../../examples/lab.mirror.hcl"), "RunInstances"),
        (include_str!("../../../examples/peering.mirror.hcl"), "CreateVpcPeeringConnection"),
        (gateway, "CreateVpcEndpointServiceConfiguration"),
        (gateway, "CreateVpcEndpoint"),
    ] {
        let region = "region = \"eu-west-1\"";
        let edited =
            text.replacen(region, &format!("\n{region}\ntags = {{ of = \"another\" }}\n"), 1);
        let (first, edited) = (stack(text), stack(&edited));
        let simulation = Simulation::new();
        for mode in [Mode::Apply, Mode::Destroy] {
            let end = simulation.run(&first, mode, Faults::none());
            assert!(end.is_complete(), "{action}: {end}");
        }
        let remains = killed_at(simulation, &first, (Spot::Sent, action));
        let simulation = Simulation::after(&remains, &edited);
        let end = simulation.run(&edited, Mode::Apply, Faults::none());
        assert!(end.is_complete(), "{action}: {end}");
        println!("{action}: asked for, although its predecessor is still shown");
    }
}

/// What remains of an apply that is killed after a call was done and before its answer is sent.
fn unanswered(simulation: Simulation, stack: &Stack, action: &str) -> Remains {
    killed_at(simulation, stack, (Spot::Done, action))
}

/// What remains of an apply that is killed at a call. New objects are not seen for 100 s.
fn killed_at(simulation: Simulation, stack: &Stack, (spot, action): (Spot, &str)) -> Remains {
    let (give, killed) = std::sync::mpsc::channel();
    let tell = move |moment: Moment<'_>| {
        if moment.spot == spot {
            give.send((moment.remains)()).expect("somebody waits for it");
        }
    };
    let late = Faults::none().unseen_during([Duration::from_secs(100)]);
    drop(simulation.watch((stack, Mode::Apply, late), tell));
    let remains = killed.iter().find(|it| it.action == action);
    remains.expect("the call is made")
}

/// When it requests the load balancer, the first run knows the subnets by their names, and the second by
/// their ids, which come in a different order for half of the seeds.
#[test]
fn a_repeated_call_asks_for_the_same_whatever_was_known_of_it() {
    let stack = stack(
        r#"
        stack "one" { region = "eu-west-1" }
        vpc "lab" { cidr = "10.0.0.0/16" }
        subnet "a" {
          vpc               = vpc.lab
          cidr              = "10.0.1.0/24"
          availability_zone = "eu-west-1a"
        }
        subnet "b" {
          vpc               = vpc.lab
          cidr              = "10.0.2.0/24"
          availability_zone = "eu-west-1b"
        }
        load_balancer "sensors" { subnets = [subnet.a, subnet.b] }
        "#,
    );
    for seed in 0..8 {
        let remains = unanswered(Simulation::new().with_seed(seed), &stack, "CreateLoadBalancer");
        let simulation = Simulation::after(&remains, &stack);
        let end = simulation.run(&stack, Mode::Apply, Faults::none());
        assert!(end.is_complete(), "seed {seed}: {end}");
    }
}

/// Tries one seed after the other until something goes wrong.
fn expect_some_bad(missing: Option<Safeguard>, tally: impl Fn(Range<u64>) -> Tally) {
    let mut tried = 0;
    for seed in 0..8 {
        let Tally { trials, calls: _, bad } = tally(seed..seed + 1);
        tried += trials;
        if !bad.is_empty() {
            return println!("without {missing:?}: {tried} trials, {} bad", bad.len());
        }
    }
    panic!("{missing:?} could be left out: {tried} trials, none bad");
}

#[test]
fn throttling_delays_and_breaks_nothing() {
    let stack = lab();
    let wanted = undisturbed(&stack, &[Mode::Apply]);
    for percent in [30, 70] {
        let tally = each_seed(|seed| {
            let simulation = Simulation::new();
            let end = simulation.run(&stack, Mode::Apply, weather(seed, percent));
            // If more than two of three calls are refused, a run may stop; the next run then continues.
            if percent < 70 && !end.is_complete() {
                return Err(end.to_string());
            }
            finish(&simulation, (&stack, Mode::Apply), weather_after(seed), &wanted)
        });
        tally.expect_none_bad(&format!("{percent} % of the calls throttled"));
    }
}

#[test]
fn what_is_seen_late_is_waited_for() {
    let stack = lab();
    let (made, gone) =
        (undisturbed(&stack, &[Mode::Apply]), undisturbed(&stack, &[Mode::Apply, Mode::Destroy]));
    let (unseen, lag) = (|_| Faults::none().unseen_for(3), |seed| weather(seed, 0));
    let all: [(&str, &(dyn Fn(u64) -> Faults + Sync)); 2] =
        [("NotFound for the first three reads", &unseen), ("seen after up to 120 s", &lag)];
    for (of, faults) in all {
        let tally = each_seed(|seed| {
            let simulation = Simulation::new();
            finish(&simulation, (&stack, Mode::Apply), faults(seed), &made)?;
            finish(&simulation, (&stack, Mode::Destroy), faults(seed + 1), &gone)
        });
        tally.expect_none_bad(of);
    }
}

/// The second run knows the ids of the objects that the first one created, but Elastic Load Balancing
/// does not see these objects yet.
#[test]
fn what_elastic_load_balancing_sees_late_is_waited_for_also_by_a_later_run() {
    let balanced = r#"
        target_group "sensors" {
          vpc      = vpc.lab
          port     = 4789
          protocol = "udp"
        }
        load_balancer "sensors" {
          subnets   = [subnet.lab]
          listeners = [{ protocol = "udp", port = 4789, target_group = target_group.sensors }]
        }
        "#;
    let simulation = Simulation::new();
    let late = Faults::none().unseen_during([Duration::from_secs(1)]);
    let late = late.elb_behind(Duration::from_secs(100));
    for text in [NETWORK.to_owned(), format!("{NETWORK}{balanced}")] {
        let end = simulation.run(&stack(&text), Mode::Apply, late.clone());
        assert!(end.is_complete(), "{end}");
    }
}

/// Tries something with every seed.
fn each_seed(trial: impl Fn(u64) -> Trial + Sync) -> Tally {
    let feed = |give: &std::sync::mpsc::SyncSender<u64>| {
        for seed in seeds() {
            give.send(seed).expect("somebody tries it");
        }
    };
    try_all(feed, |seed| {
        fastrand::seed(seed);
        trial(seed).map_err(|why| format!("seed {seed}: {why}"))
    })
}
