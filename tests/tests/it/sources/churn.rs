//! A day on which instances start, stop, are terminated and change their tags, by seed.
//!
//! The test keeps its own record of what is to be mirrored. After every round, done as `mirror apply --watch`
//! does it, sessions exist for exactly that, whatever happened between plan and apply, and a plan of the whole
//! stack finds nothing to do.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use mirror_plan::apply::report::Outcome;
use mirror_plan::plan::{Part, Request};
use mirror_tests::{Rig, stack};

use super::SENSORS;
use super::estate::Estate;

/// Returns how many events a day has: a tenth of them unless `MIRROR_LONG` asks for all.
fn events() -> usize {
    if std::env::var_os("MIRROR_LONG").is_some() { 10_000 } else { 1_000 }
}

/// An instance, as the test knows it.
struct Instance {
    interface: String,
    is_running: bool,
    /// The values of the tag on the instance and on its interface.
    tags: [Option<&'static str>; 2],
}

impl Instance {
    /// Returns whether it is to be mirrored, by the rule in the book.
    fn is_source(&self) -> bool {
        self.tags.contains(&Some("true")) && !self.tags.contains(&Some("false"))
    }
}

struct Day {
    rig: Rig,
    estate: Estate,
    subnet: String,
    rng: Rng,
    instances: BTreeMap<String, Instance>,
}

impl Day {
    async fn begin(seed: u64) -> Self {
        let rig = Rig::instant();
        let estate = Estate::of(&rig).await;
        let subnet = estate.subnets(1).await.remove(0);
        Self { rig, estate, subnet, rng: Rng::with_seed(seed), instances: BTreeMap::new() }
    }

    async fn event(&mut self) {
        let ids: Vec<String> = self.instances.keys().cloned().collect();
        let Some(id) = self.rng.choice(&ids).cloned().filter(|_| self.rng.u8(..) > 50) else {
            return self.launch().await;
        };
        match self.rng.u8(..10) {
            0..=2 if self.instances.len() > 25 => {
                self.estate.terminate(&id).await;
                self.instances.remove(&id);
            }
            0..=4 => {
                let instance = self.instances.get_mut(&id).unwrap();
                instance.is_running = !instance.is_running;
                match instance.is_running {
                    true => self.estate.start(&id).await,
                    false => self.estate.stop(&id).await,
                }
            }
            _ => self.edit_tags(&id).await,
        }
    }

    async fn launch(&mut self) {
        let mirror = if self.rng.bool() { "true" } else { "false" };
        let id = self.estate.launch(&self.subnet, 1, mirror).await.remove(0);
        let interface = self.estate.interfaces(std::slice::from_ref(&id)).await.remove(0);
        let instance = Instance { interface, is_running: true, tags: [Some(mirror), None] };
        self.instances.insert(id, instance);
    }

    async fn edit_tags(&mut self, id: &str) {
        let value = self.rng.choice([Some("true"), Some("true"), Some("false"), None]).unwrap();
        let place = usize::from(self.rng.u8(..4) == 0);
        let instance = self.instances.get_mut(id).unwrap();
        instance.tags[place] = value;
        let tagged = if place == 0 { id } else { &*instance.interface };
        self.estate.tag(tagged, value).await;
    }

    fn expected(&self) -> Vec<String> {
        let sources = self.instances.values().filter(|instance| instance.is_source());
        let mut interfaces: Vec<String> = sources.map(|one| one.interface.clone()).collect();
        interfaces.sort();
        interfaces
    }
}

/// Returns whether a change was made, or failed only because its interface was deleted after the plan was made.
fn only_lost_races(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Applied { .. } => true,
        Outcome::Failed(failure) => failure.to_string().contains("InvalidNetworkInterface"),
        Outcome::Skipped { .. } | Outcome::NotStarted => false,
    }
}

/// Returns what a round asks for.
fn sources() -> Request {
    let part = Part::Sources { instances: BTreeSet::new() };
    Request { part, ..Request::default() }
}

#[tokio::test]
async fn sessions_are_on_exactly_what_is_to_be_mirrored_all_day() {
    let seed =
        std::env::var_os("MIRROR_SEED").and_then(|seed| seed.to_str()?.parse().ok()).unwrap_or(7);
    let sensors = stack(SENSORS);
    let mut day = Day::begin(seed).await;
    day.rig.converge(&sensors).await;
    let (mut done, mut applies, mut lost) = (0, 0, 0);
    while done < events() {
        let together = day.rng.usize(1..40);
        for _ in 0..together {
            day.event().await;
        }
        let plan = day.rig.plan_for(&sensors, &sources()).await;
        // While somebody reads the plan, something happens.
        for _ in 0..day.rng.usize(..3) {
            day.event().await;
            done += 1;
        }
        let report = day.rig.apply(&plan).await;
        assert!(report.outcomes.iter().all(|change| only_lost_races(&change.outcome)));
        lost += usize::from(!report.is_complete());
        let again = day.rig.plan_for(&sensors, &sources()).await;
        assert!(day.rig.apply(&again).await.is_complete(), "seed {seed}, after {done} events");
        assert!(day.rig.plan(&sensors).await.is_empty(), "seed {seed}, after {done} events");
        assert_eq!(day.estate.mirrored().await, day.expected(), "seed {seed}, after {done} events");
        (done, applies) = (done + together, applies + 1);
    }
    let (there, mirrored) = (day.instances.len(), day.expected().len());
    println!(
        "seed {seed}: {done} events, {applies} applies, {lost} of them behind the times; at the end \
         {mirrored} of {there} instances are mirrored"
    );
    assert!(mirrored > 0 && mirrored < there);
}
