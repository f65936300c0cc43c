//! What happens to packets: checked against an oracle that tries them one by one, and described in words.

mod acl;
mod acl_words;
mod gateway;
mod oracle;
mod scaling;
mod words;
mod world;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use self::oracle::{Fate, Lost};
use self::world::{Known, World, world};
use super::*;

/// How many packets of one session arrived in one fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    All,
    Some,
    Nothing,
}

fn seen(results: impl Iterator<Item = bool>) -> Seen {
    let results: Vec<bool> = results.collect();
    match (results.iter().any(|it| *it), results.iter().all(|it| *it)) {
        (_, true) => Seen::All,
        (true, false) => Seen::Some,
        (false, false) => Seen::Nothing,
    }
}

/// What the oracle says about a session in a fate.
fn told(world: &World, (target, source): (&str, usize), fate: &Fate) -> Seen {
    if target == "interface" {
        return seen([world.to_interface(source, fate).is_ok()].into_iter());
    }
    let nodes = 0..world.balancer.nodes.len();
    let all = nodes.flat_map(|node| world.at_node(source, node, fate));
    seen(all.map(|(_, result)| result.is_ok()))
}

/// The target and the source of a session, by its address.
fn of(session: &Address) -> (&str, usize) {
    let Some(crate::address::Key::Index(source)) = &session.key else { unreachable!() };
    (session.name.as_str(), usize::try_from(*source).unwrap())
}

/// Checks the verdict of every session against what happens to its packets in many fates.
fn hold_verdicts(world: &World) -> Result<(), TestCaseError> {
    let stack = world.stack();
    let observed = world.seen(&stack);
    let reach = Reach::over(Network::of_stack(&stack).using(&observed));
    let fates = Fate::some(world);
    for way in reach.ways().iter() {
        let session = of(way.session());
        let seen: Vec<Seen> = fates.iter().map(|fate| told(world, session, fate)).collect();
        let all = |wanted: Seen| seen.iter().all(|seen| *seen == wanted);
        let holds = match way.verdict() {
            Verdict::Carries => all(Seen::All),
            Verdict::Stopped(Extent::Whole) => all(Seen::Nothing),
            Verdict::Stopped(Extent::Part) => !seen.contains(&Seen::All),
            // Somebody with the same knowledge cannot tell either.
            Verdict::Unknown => !all(Seen::All) && !all(Seen::Nothing),
        };
        let at = seen.iter().position(|seen| *seen != Seen::All);
        prop_assert!(
            holds,
            "{} is said to be {}, and in {:?} it is {:?}\n{:#?}",
            way.session(),
            way.verdict(),
            at.map(|at| &fates[at]),
            at.map(|at| seen[at]),
            way.decisive()
        );
    }
    Ok(())
}

/// The hop that corresponds to the place where the oracle loses a packet.
const fn hop_of(lost: Lost) -> (Sort, Stretch) {
    match lost {
        Lost::OnTheRoute => (Sort::Route, Stretch::Target),
        Lost::AcrossThePeering => (Sort::Peering, Stretch::Target),
        Lost::BehindTheRoute => (Sort::Gateway, Stretch::Target),
        Lost::AtANetworkAcl => (Sort::NetworkAcl, Stretch::Target),
        Lost::AtAnotherNetworkAcl => (Sort::NetworkAcl, Stretch::Receiver),
        Lost::IntoTheBalancer => (Sort::SecurityGroup, Stretch::Target),
        Lost::AtTheListener => (Sort::Listener, Stretch::Target),
        Lost::AtTheGroup => (Sort::TargetGroup, Stretch::Group),
        Lost::InTheZone => (Sort::Zone, Stretch::Group),
        Lost::InAnotherVpc => (Sort::Vpc, Stretch::Receiver),
        Lost::OutOfTheBalancer | Lost::IntoTheReceiver => (Sort::SecurityGroup, Stretch::Receiver),
        Lost::ByItsHealth => (Sort::HealthCheck, Stretch::Receiver),
    }
}

/// The position in a name such as `subnet.s3`.
fn position(name: &str) -> usize {
    name.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
}

/// Checks every path through a load balancer against the packets that take it: what stops them first, if anything.
fn hold_paths(world: &World) -> Result<(), TestCaseError> {
    let stack = world.stack();
    let observed = world.seen(&stack);
    let reach = Reach::over(Network::of_stack(&stack).using(&observed));
    let fates = Fate::some(world);
    for way in reach.ways().iter().filter(|way| way.session().name.as_str() == "balancer") {
        let (_, source) = of(way.session());
        for path in way.paths() {
            let at = position(path.node.as_ref().unwrap());
            let node = world.balancer.nodes.iter().position(|node| *node == at).unwrap();
            let receiver = path.receiver.as_deref().map(position);
            let walk = |fate: &Fate| world.on_path(source, node, receiver, fate);
            let (open, shut): (Vec<&Fate>, Vec<&Fate>) =
                fates.iter().partition(|fate| fate.is_open && fate.is_well);
            let open: Vec<_> = open.into_iter().map(walk).collect();
            let shut: Vec<_> = shut.into_iter().map(walk).collect();
            let obstacle = path.obstacle().map(|hop| (hop.sort, hop.stretch));
            let expected = match open[0] {
                Err(lost) if open.iter().all(|other| *other == open[0]) => {
                    prop_assert_eq!(obstacle, Some(hop_of(lost)), "{}\n{:#?}", way.session(), path);
                    Outcome::Stops
                }
                _ if open.iter().all(Result::is_err) => continue, // Lost in different places.
                _ if open.iter().chain(&shut).all(Result::is_ok) => Outcome::Passes,
                _ => Outcome::Unknown,
            };
            prop_assert_eq!(path.outcome(), expected, "{}\n{:#?}", way.session(), path);
        }
    }
    Ok(())
}

proptest! {
    // `PROPTEST_CASES` can raise the number of cases.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(1000),
        max_shrink_iters: 1500,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_said_of_a_world_that_is_known_is_what_becomes_of_packets(world in world(Known::All)) {
        hold_verdicts(&world)?;
    }

    #[test]
    fn what_is_said_holds_whatever_is_not_known(world in world(Known::Some)) {
        hold_verdicts(&world)?;
    }

    #[test]
    fn the_first_hop_that_stops_a_packet_is_the_one_that_is_told(world in world(Known::All)) {
        hold_paths(&world)?;
    }
}

/// Ten thousand sessions are not ten thousand times the work.
#[test]
fn sources_that_are_alike_are_worked_out_once() {
    let mut all = serde_json::json!({
        "vpc.lab": { "cidr": "10.0.0.0/16" },
        "mirror_target.sensor": { "network_interface": "@instance.i[0]" },
        "mirror_filter.all": { "rules": [{ "number": 1, "action": "accept" }] },
    });
    for subnet in 0..2 {
        all[format!("subnet.s{subnet}")] =
            serde_json::json!({ "vpc": "@vpc.lab", "cidr": format!("10.0.{subnet}.0/24") });
    }
    for at in 0..200 {
        all[format!("instance.i[{at}]")] = serde_json::json!({
            "instance_type": "m5.large", "subnet": format!("@subnet.s{}", at % 2),
        });
        all[format!("mirror_session.s[{at}]")] = serde_json::json!({
            "source": format!("@instance.i[{at}]"), "target": "@mirror_target.sensor",
            "filter": "@mirror_filter.all", "number": 1,
        });
    }
    let stack = crate::plan::tests::stack(all);
    let reach = Reach::over(Network::of_stack(&stack));
    assert_eq!((reach.journeys.len(), reach.approaches.len()), (200, 2));
}

/// The generated worlds contain every case that is to be told apart.
#[test]
fn the_worlds_are_of_all_kinds() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut verdicts, mut hops) = (BTreeMap::new(), BTreeMap::new());
    for how in [Known::All, Known::Some] {
        for _ in 0..600 {
            let world = world(how).new_tree(&mut runner).unwrap().current();
            let stack = world.stack();
            let observed = world.seen(&stack);
            let reach = Reach::over(Network::of_stack(&stack).using(&observed));
            for way in reach.ways().iter() {
                *verdicts.entry(way.verdict()).or_insert(0) += 1;
                for hop in way.paths().into_iter().flat_map(|path| path.hops) {
                    *hops.entry((hop.sort, hop.outcome)).or_insert(0) += 1;
                }
            }
        }
    }
    let stops = hops.keys().filter(|(_, outcome)| *outcome == Outcome::Stops);
    let stops: Vec<Sort> = stops.map(|(sort, _)| *sort).collect();
    assert_eq!(
        stops,
        [
            Sort::Route,
            Sort::Peering,
            Sort::NetworkAcl,
            Sort::SecurityGroup,
            Sort::Listener,
            Sort::TargetGroup,
            Sort::Zone,
            Sort::Vpc,
            Sort::HealthCheck
        ]
    );
    assert!(verdicts.len() == 4 && verdicts.values().all(|count| *count > 50), "{verdicts:?}");
}
