//! Edits that nobody foresaw: whatever a person does to a stack file between two applies is either refused before
//! the first call or carried out, and so is a part of it with `--target`; in the end everything is deleted.
//!
//! `MIRROR_LONG=1` tries 1,000 files instead of 40.

mod stack_file;

use mirror_local::{Cloud, Durations, Settings};
use mirror_plan::aws::{in_the_way, occupants};
use mirror_plan::diagnostic::{Diagnostics, Severity, Source};
use mirror_plan::hcl::{Inputs, StackFile};
use mirror_plan::lint::{self, Around};
use mirror_plan::plan::{Plan, Request, plan};
use mirror_plan::stack::Stack;
use mirror_tests::{Rig, stack, unfinished};

use crate::converge::{OnPanic, census};
use crate::crash::at_length;
use crate::moved::STACK_FILES;
use stack_file::edited;
pub(crate) use stack_file::renamed;

/// How often each file is edited.
const VERSIONS: usize = 8;

/// The file that is edited first: one of an example, or a generated one.
fn file(seed: u64, chance: &mut fastrand::Rng) -> String {
    let examples = STACK_FILES.into_iter().chain([include_str!("../../src/sharing.mirror.hcl")]);
    match chance.u8(0..4) {
        0 => crate::generate::stack_file(seed, 0),
        _ => chance.choice(examples.collect::<Vec<_>>()).expect("there are some").to_owned(),
    }
}

/// What became of the versions of files.
#[derive(Debug, Default)]
struct Tally {
    /// No longer a stack, or one with findings.
    wrong: usize,
    /// Refused by the plan.
    refused: usize,
    /// Carried out.
    done: usize,
}

/// An account that may have as many VPCs as a plan needs: no plan knows how many belong to others.
fn account() -> Rig {
    let mut settings = Settings::default();
    settings.durations = Durations::instant();
    settings.quotas.vpcs = 100;
    Rig::over(Cloud::in_memory().with_settings(settings))
}

/// The stack of a file, if it has no findings.
fn read(text: &str) -> Result<Stack, Diagnostics> {
    let source = Source { name: "test.mirror.hcl".to_owned(), text: text.to_owned() };
    let (stack, _warnings) = StackFile::parse(source)?.stack(&Inputs::new())?;
    lint::refuse(&lint::check(&stack), Severity::Error)?;
    Ok(stack)
}

/// The plan that an apply would begin with.
async fn planned(rig: &Rig, stack: &Stack, request: &Request) -> Result<Plan, Diagnostics> {
    let observed = rig.observe(stack).await;
    let plan = plan(stack, &observed, request)?;
    let strangers = in_the_way(&rig.aws, stack, &observed).await.unwrap();
    let around = Around { observed: &observed, strangers: &strangers };
    let occupants = occupants(&rig.aws, &plan).await.unwrap();
    let found = lint::check_planned(stack, around, request);
    let found = found.into_iter().chain(lint::check_removal(stack, &plan, &occupants)).collect();
    lint::refuse(&found, Severity::Error)?;
    Ok(plan)
}

/// A request for a part of a stack or for all of it, now and then with a replacement that nothing else requires.
fn requests(stack: &Stack, chance: &mut fastrand::Rng) -> Vec<Request> {
    let addresses: Vec<_> = stack.resources.keys().collect();
    let mut one = || chance.choice(&addresses).map(|address| (*address).clone());
    let (a, b, c) = (one(), one(), one());
    let part = Request { targets: [a, b].into_iter().flatten().collect(), ..Request::default() };
    let again = Request { replace: c.into_iter().collect(), ..Request::default() };
    match chance.u8(0..8) {
        0 | 1 => vec![part, Request::default()],
        2 => vec![again],
        _ => vec![Request::default()],
    }
}

/// Edits a file again and again, and applies each result.
async fn edit(seed: u64, tally: &mut Tally) {
    let mut chance = fastrand::Rng::with_seed(seed);
    let rig = account();
    let empty = census(&rig.cloud).await;
    let mut text = file(seed, &mut chance);
    let mut there = stack(&text);
    rig.converge(&there).await;
    for _ in 0..VERSIONS {
        let edits = chance.usize(1..=3);
        let next = (0..edits).fold(text.clone(), |text, _| edited(&text, &mut chance));
        let Ok(wanted) = read(&next) else {
            tally.wrong += 1;
            continue;
        };
        let shown = OnPanic(format!("seed {seed}\n{text}\n--- edited:\n{next}"));
        for request in requests(&wanted, &mut chance) {
            let Ok(plan) = planned(&rig, &wanted, &request).await else {
                tally.refused += 1;
                continue;
            };
            let report = rig.apply(&plan).await;
            assert!(report.is_complete(), "{request:?}: {}", unfinished(&report));
            tally.done += 1;
            if request.targets.is_empty() {
                rig.converge(&wanted).await;
                (text, there) = (next.clone(), wanted.clone());
            }
        }
        drop(shown);
    }
    let shown = OnPanic(format!("seed {seed}, at the end\n{text}"));
    rig.destroy(&there).await;
    assert_eq!(census(&rig.cloud).await, empty);
    drop(shown);
}

/// Edits every second file, beginning with `first`.
async fn edit_half(first: u64) {
    let files = if at_length() { 1_000 } else { 40 };
    let mut tally = Tally::default();
    for seed in (first..files).step_by(2) {
        edit(seed, &mut tally).await;
    }
    let Tally { wrong, refused, done } = tally;
    println!("{done} plans made so, {refused} refused, {wrong} files in which something is found");
    assert!(done > 60 && refused > 2 && wrong > 30, "{tally:?}");
}

#[tokio::test]
async fn whatever_is_edited_is_made_so_or_refused_before_the_first_call() {
    edit_half(0).await;
}

#[tokio::test]
async fn half_of_all_edits_are_tried_beside_the_others() {
    edit_half(1).await;
}
