//! The schedule: which steps are ready, running, done or out of reach. It uses no clock and no I/O.

use std::collections::{BTreeMap, BTreeSet};

use super::report::{ChangeOutcome, Failure, Outcome};
use crate::address::Address;
use crate::event::Work;
use crate::id::ObjectId;
use crate::plan::{Action, Change, Phase, Plan};

/// The progress of a step.
#[derive(Clone, Debug, PartialEq)]
enum State {
    /// This many of the steps that it needs are not done yet.
    Waits(usize),
    /// It has been handed out.
    Running,
    Done,
    Failed(Failure),
    /// A step that it needs failed.
    OutOfReach(Address),
}

/// The steps of a plan and their progress.
#[derive(Debug)]
pub(super) struct Schedule<'p> {
    plan: &'p Plan,
    states: Vec<State>,
    /// By step: the steps that need it.
    needed_by: Vec<Vec<usize>>,
    ready: BTreeSet<usize>,
    /// By step: the position of its work.
    work_of: Vec<usize>,
    works: Vec<WorkState>,
}

/// A work and its progress.
#[derive(Debug)]
struct WorkState {
    work: Work,
    steps: Vec<usize>,
    begun: bool,
}

impl WorkState {
    /// Returns what has been created.
    fn made(&self) -> Option<ObjectId> {
        let Work { address: _, phase, generation: _, id } = &self.work;
        id.clone().filter(|_| *phase == Phase::Create)
    }
}

impl<'p> Schedule<'p> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        let mut needed_by = vec![Vec::new(); plan.steps.len()];
        let mut works: Vec<WorkState> = Vec::new();
        let mut positions: BTreeMap<(&Address, Phase, u32), usize> = BTreeMap::new();
        let mut work_of = Vec::with_capacity(plan.steps.len());
        for (index, step) in plan.steps.iter().enumerate() {
            step.needs.iter().for_each(|need| needed_by[*need].push(index));
            let key = (&step.address, step.phase, step.generation);
            let position = *positions.entry(key).or_insert_with(|| {
                works.push(WorkState {
                    work: Work {
                        address: step.address.clone(),
                        phase: step.phase,
                        generation: step.generation,
                        id: id_before(plan, &step.address, step.phase, step.generation),
                    },
                    steps: Vec::new(),
                    begun: false,
                });
                works.len() - 1
            });
            works[position].steps.push(index);
            work_of.push(position);
        }
        let states = plan.steps.iter().map(|step| State::Waits(step.needs.len())).collect();
        let ready = (0..plan.steps.len()).filter(|i| plan.steps[*i].needs.is_empty()).collect();
        Self { plan, states, needed_by, ready, work_of, works }
    }

    /// Returns how many works there are.
    pub(super) fn total(&self) -> usize {
        self.works.len()
    }

    /// Takes the next step that can be sent.
    pub(super) fn take(&mut self) -> Option<Taken> {
        let step = self.ready.pop_first()?;
        self.states[step] = State::Running;
        let work = &mut self.works[self.work_of[step]];
        let begins = !std::mem::replace(&mut work.begun, true);
        Some(Taken { step, begins, ends: work.steps.last() == Some(&step) })
    }

    /// Returns the position of a step's work.
    pub(super) fn position(&self, step: usize) -> usize {
        self.work_of[step]
    }

    /// Returns the work at a position.
    pub(super) fn work_at(&self, position: usize) -> &Work {
        &self.works[position].work
    }

    /// Returns the work of a step.
    pub(super) fn work(&self, step: usize) -> &Work {
        &self.works[self.work_of[step]].work
    }

    /// Marks a step as done, with the id of what it created, if anything; returns whether its whole
    /// work is now done.
    pub(super) fn done(&mut self, step: usize, made: Option<ObjectId>) -> bool {
        self.states[step] = State::Done;
        for next in &self.needed_by[step] {
            if let State::Waits(open) = &mut self.states[*next] {
                *open -= 1;
                if *open == 0 {
                    self.ready.insert(*next);
                }
            }
        }
        let work = &mut self.works[self.work_of[step]];
        if made.is_some() {
            work.work.id = made;
        }
        work.steps.iter().all(|step| self.states[*step] == State::Done)
    }

    /// Marks a step as failed, and everything that needs it as out of reach.
    pub(super) fn failed(&mut self, step: usize, failure: Failure) {
        let because = &self.plan.steps[step].address;
        self.states[step] = State::Failed(failure);
        let mut open = self.needed_by[step].clone();
        while let Some(next) = open.pop() {
            if matches!(self.states[next], State::Waits(_)) {
                self.states[next] = State::OutOfReach(because.clone());
                self.ready.remove(&next);
                open.extend(&self.needed_by[next]);
            }
        }
    }

    /// Returns how every change ended, or where it stands, in the order of the plan.
    pub(super) fn outcomes(&self) -> Vec<ChangeOutcome> {
        let changes = self.plan.changes.iter().filter(|change| change.action != Action::NoOp);
        let left_over: BTreeSet<(&Address, u32)> = self
            .plan
            .changes
            .iter()
            .filter_map(|change| Some((&change.address, change.deposed?)))
            .collect();
        let mut works: BTreeMap<(&Address, Option<u32>), Vec<&WorkState>> = BTreeMap::new();
        for state in &self.works {
            let Work { address, phase: _, generation, id: _ } = &state.work;
            let deposed = left_over.contains(&(address, *generation)).then_some(*generation);
            works.entry((address, deposed)).or_default().push(state);
        }
        changes
            .map(|change| {
                let works = works.get(&(&change.address, change.deposed));
                let outcome = self.outcome(works);
                let made = match outcome {
                    Outcome::Applied { .. } => None,
                    Outcome::Failed(_) | Outcome::Skipped { .. } | Outcome::NotStarted => {
                        works.into_iter().flatten().find_map(|state| state.made())
                    }
                };
                ChangeOutcome {
                    address: change.address.clone(),
                    deposed: change.deposed,
                    moved_from: change.moved_from.clone(),
                    action: change.action,
                    made,
                    outcome,
                }
            })
            .collect()
    }

    /// Returns the worst outcome among the steps of a change.
    fn outcome(&self, works: Option<&Vec<&WorkState>>) -> Outcome {
        let mut id = None;
        let mut unfinished = None;
        for state in works.into_iter().flatten() {
            if state.work.phase != Phase::Delete {
                id = state.work.id.clone();
            }
            for step in &state.steps {
                match &self.states[*step] {
                    State::Done => {}
                    State::Failed(failure) => return Outcome::Failed(failure.clone()),
                    State::OutOfReach(address) => {
                        unfinished = Some(Outcome::Skipped { because_of: address.clone() });
                    }
                    State::Waits(_) | State::Running => {
                        unfinished.get_or_insert(Outcome::NotStarted);
                    }
                }
            }
        }
        unfinished.unwrap_or(Outcome::Applied { id })
    }
}

/// Returns the id that the object of a work has before the work begins.
fn id_before(plan: &Plan, address: &Address, phase: Phase, generation: u32) -> Option<ObjectId> {
    if phase == Phase::Create {
        return None;
    }
    let of_address =
        plan.changes.binary_search_by(|change| change.address.cmp(address)).ok().into_iter();
    let around = of_address.flat_map(|found| {
        let same = |change: &&Change| change.address == *address;
        let before = plan.changes[..found].iter().rev().take_while(same);
        before.chain(plan.changes[found..].iter().take_while(same))
    });
    let mut changes: Vec<&Change> = around.collect();
    changes.sort_by_key(|change| change.deposed != Some(generation));
    changes.first().and_then(|change| change.id.clone())
}

/// A step to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// Its position in the plan.
    pub(super) step: usize,
    /// Whether its work begins with it.
    pub(super) begins: bool,
    /// Whether its work ends with it.
    pub(super) ends: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plan of creates whose steps have these needs; each step is a VPC of its own.
    fn plan(needs: &[&[usize]]) -> Plan {
        let address = |index: usize| format!("vpc.v{index}").parse::<Address>().unwrap();
        let steps = needs.iter().enumerate().map(|(index, needs)| {
            serde_json::json!({
                "address": address(index), "phase": "create", "generation": 1, "needs": needs,
                "call": {"operation": {"vpc": {"create": {"cidr": "10.0.0.0/16", "tags": {}}}}},
            })
        });
        let changes = (0..needs.len()).map(|index| {
            serde_json::json!({
                "address": address(index), "deposed": null, "action": "create", "reasons": ["absent"],
                "id": null, "before": null, "after": null, "differences": [], "capture": null,
            })
        });
        serde_json::from_value(serde_json::json!({
            "format": 1, "stack": "lab", "account": "123456789012", "region": "eu-west-1",
            "mode": "apply", "targeted": false, "saw": {}, "outputs": {},
            "steps": steps.collect::<Vec<_>>(), "changes": changes.collect::<Vec<_>>(),
        }))
        .unwrap()
    }

    fn failure() -> Failure {
        Failure {
            call: "CreateVpc".to_owned(),
            code: Some("VpcLimitExceeded".to_owned()),
            message: "no more".to_owned(),
            request_id: None,
            help: None,
        }
    }

    #[test]
    fn a_step_is_handed_out_after_all_it_needs() {
        let plan = plan(&[&[], &[0], &[0], &[1, 2]]);
        let mut schedule = Schedule::new(&plan);
        let mut order = Vec::new();
        while let Some(Taken { step, begins, ends }) = schedule.take() {
            assert!(begins && ends);
            order.push(step);
            assert!(schedule.done(step, None));
        }
        assert_eq!(order, [0, 1, 2, 3]);
    }

    #[test]
    fn what_needs_a_failed_step_is_skipped_and_the_rest_goes_on() {
        let plan = plan(&[&[], &[0], &[1], &[]]);
        let mut schedule = Schedule::new(&plan);
        assert_eq!(schedule.take().unwrap().step, 0);
        assert_eq!(schedule.take().unwrap().step, 3);
        schedule.failed(0, failure());
        schedule.done(3, None);
        assert_eq!(schedule.take(), None);
        let because_of: Address = "vpc.v0".parse().unwrap();
        let outcomes: Vec<Outcome> =
            schedule.outcomes().into_iter().map(|change| change.outcome).collect();
        assert_eq!(
            outcomes,
            [
                Outcome::Failed(failure()),
                Outcome::Skipped { because_of: because_of.clone() },
                Outcome::Skipped { because_of },
                Outcome::Applied { id: None },
            ]
        );
    }

    #[test]
    fn what_was_never_handed_out_is_not_started() {
        let plan = plan(&[&[], &[0]]);
        let mut schedule = Schedule::new(&plan);
        let Taken { step, .. } = schedule.take().unwrap();
        schedule.done(step, None);
        let outcomes: Vec<Outcome> =
            schedule.outcomes().into_iter().map(|change| change.outcome).collect();
        assert_eq!(outcomes, [Outcome::Applied { id: None }, Outcome::NotStarted]);
    }
}
