//! Generated stacks that are applied, each with a mix of traffic: `MIRROR_LONG=1` tries a thousand of them.

use mirror_local::traffic::{Host, Mix};
use mirror_tests::stack;

use super::foretold::{Compared, Foretold};
use super::stacks::mirrored_stack;

/// The number of stacks, and that of the long form.
const STACKS: u64 = 60;
const STACKS_LONG: u64 = 1_000;

/// How many shares the stacks are split into, one for each test, so that the test runner can use more than one core.
const SHARES: u64 = 2;

/// Frames that each stack gets.
const FRAMES: usize = 400;

async fn is_as_foretold(share: u64) {
    let mut compared = Compared::default();
    let is_long = std::env::var_os("MIRROR_LONG").is_some();
    let stacks = if is_long { STACKS_LONG } else { STACKS };
    for seed in (share..stacks).step_by(usize::try_from(SHARES).unwrap()) {
        let text = mirrored_stack(seed);
        let mut foretold = Foretold::of(&stack(&text)).await;
        let interfaces = foretold.mirroring.interfaces.iter();
        let hosts = interfaces.flat_map(|it| &it.addresses).map(|address| Host {
            address: address.to_string().parse().unwrap(),
            resolver: [10, 0, 0, 2].into(),
        });
        for timed in Mix::new(seed, hosts.collect()).take(FRAMES) {
            compared += foretold.compare(timed.time, &timed.frame);
        }
    }
    println!("{compared:?}");
    let Compared { mirrored, cut, rejected, unmirrored, refused, unseen } = compared;
    // Each outcome was really tested.
    assert!([mirrored, cut, rejected, unmirrored, refused, unseen].iter().all(|it| *it > 10));
}

#[tokio::test]
async fn half_of_the_stacks_do_what_the_trace_foretold() {
    is_as_foretold(0).await;
}

#[tokio::test]
async fn the_other_half_does_too() {
    is_as_foretold(1).await;
}
