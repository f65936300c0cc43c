//! An account in which others have objects, too.

use std::sync::OnceLock;
use std::time::Duration;

use aws_sdk_ec2::types::Tag;
use jiff::Timestamp;
use mirror_local::{Cloud, Faults, Inventory};
use mirror_plan::plan::Mode;
use mirror_plan::resource::tag;

use super::{Safeguard, Simulation};
use crate::{REGION, config, stack, transit_gateway, vpc_of_another};

/// The minimum number of objects that belong to others.
pub const OTHERS: usize = 1_000;

/// The others' objects, each with everything that AWS reports about it.
#[must_use]
pub fn others() -> &'static Inventory {
    &shared().2
}

/// The transit gateway that belongs to the others.
///
/// # Panics
/// Never: it is created with the account.
#[must_use]
pub fn transit_gateway_of_others() -> String {
    let mut all = others().keys().filter(|(table, _)| *table == "transit_gateways");
    all.next().map(|(_, id)| id.clone()).expect("the account has one")
}

/// The account and the time at which everything in it is settled.
pub(super) fn shared() -> &'static (Cloud, Timestamp, Inventory) {
    static ACCOUNT: OnceLock<(Cloud, Timestamp, Inventory)> = OnceLock::new();
    ACCOUNT.get_or_init(|| {
        let simulation = Simulation::alone().without(Safeguard::Journal);
        let mut number = 0;
        while inventory(&simulation).len() < OTHERS {
            move_in(&simulation, number);
            number += 1;
        }
        simulation.in_virtual_time(transit_gateway(&simulation.cloud));
        simulation.in_virtual_time(vpc_of_another(&simulation.cloud));
        let inventory = inventory(&simulation);
        (simulation.cloud.fork(), simulation.time.now(), inventory)
    })
}

/// One in this many set-ups has a load balancer. A hundred of them would take most of the time of
/// every test: AWS cannot list those of one stack only, so all of them are read each time.
const BALANCED: usize = 16;

/// Creates the reference stack for somebody else: each object has the name, the addresses and the
/// shape of the one that a test will create, but most set-ups have an interface in place of the load
/// balancer. Every second set-up looks as if `mirror` had not created it.
fn move_in(simulation: &Simulation, number: usize) {
    let name = format!("stack \"other-{number}\"");
    let lab = include_str!("../../../examples/lab.mirror.hcl").replace("stack \"lab\"", &name);
    let text = if number.is_multiple_of(BALANCED) { lab } else { without_load_balancer(&lab) };
    let before = inventory(simulation);
    let end = simulation.run(&stack(&text), Mode::Apply, Faults::none());
    assert!(end.is_complete(), "{end}");
    simulation.wait(Duration::from_secs(600));
    if number.is_multiple_of(2) {
        let new = inventory(simulation).into_keys().filter(|key| !before.contains_key(key));
        let ids = new.filter(|(_, id)| !id.contains(':')).map(|(_, id)| id).collect();
        simulation.in_virtual_time(disown(&simulation.cloud, ids));
    }
}

/// The same set-up with a target that is an interface.
fn without_load_balancer(lab: &str) -> String {
    let others = ["target_group ", "load_balancer ", "output "];
    let is_kept = |block: &&str| !others.iter().any(|beginning| block.starts_with(beginning));
    let blocks: Vec<&str> = lab.split_inclusive("\n\n").filter(is_kept).collect();
    blocks.concat().replace(
        "load_balancer = load_balancer.my-traffic-mirroring-nlb",
        "network_interface = instance.target-instance-1",
    )
}

/// Removes the tags that name the owner of an object.
async fn disown(cloud: &Cloud, ids: Vec<String>) {
    let keys = [tag::STACK, tag::ADDRESS, tag::GENERATION];
    let tags = keys.map(|key| Tag::builder().key(key).build()).to_vec();
    let client = aws_sdk_ec2::Client::new(&config(cloud));
    let call = client.delete_tags().set_resources(Some(ids)).set_tags(Some(tags));
    call.send().await.expect("all of them exist and can be tagged");
}

fn inventory(simulation: &Simulation) -> Inventory {
    simulation.cloud.inventory(REGION).expect("the cloud is in memory")
}
