//! `mirror apply`: changes the cloud to match the stack, or as a saved plan says.

use std::path::Path;
use std::sync::Arc;

use mirror_plan::apply::journal::JournalError;
use mirror_plan::apply::{Journal, Options, Stop, apply, check_fresh, check_place};
use mirror_plan::aws::{Aws, Wanted};
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics, Severity};
use mirror_plan::lint::{self, Around};
use mirror_plan::observed::Observed;
use mirror_plan::plan::{Mode, Part, Plan, Request, Secrets};
use mirror_plan::render::report::{Failures, Summary};
use mirror_plan::stack::Stack;

use super::plan::{request, show};
use super::review;
use super::watch::{self, Watch};
use super::{Ended, drift};
use crate::cli::{ApplyArgs, PartArgs, RunArgs, StrictnessArgs, Variables};
use crate::cloud::{self, Others};
use crate::exit::ExitStatus;
use crate::settings::{Input, Live, Settings};
use crate::stack_file::{self, Loaded};
use crate::ui::{self, Form, Ui};
use crate::{applied, estimates, plan_file, progress};

pub(crate) async fn run(args: &ApplyArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let ApplyArgs { stack, source, variables, selection, strictness, part, run } = args;
    ui.set_form(Form::from(run.json));
    let PartArgs { sources, watch, health } = part;
    let mut request = request(Mode::Apply, selection);
    if sources.is_some() || watch.is_some() {
        let instances = sources.clone().unwrap_or_default().0;
        request.part = Part::Sources { instances };
    }
    match stack.as_deref() {
        Some(path) if !stack_file::is_stack(path) => {
            let plan = plan_file::read(path)?;
            refuse_planning_options(&plan, variables, &request, strictness)?;
            let source = Source { stack: source.as_deref(), variables };
            apply_saved(plan, source, (run, settings), ui).await
        }
        stack => match watch {
            None => {
                let asked = Asked { request: &request, least: strictness.least() };
                plan_and_apply(stack, variables, asked, (run, settings), ui).await
            }
            Some(pause) => {
                let loaded = Loaded::load(stack, variables, &settings.environment)?;
                if approval(run, settings)? == Approval::Ask {
                    return refuse("a watch cannot ask, so it must be approved beforehand");
                }
                let (stack, warnings) = loaded.stack()?;
                ui.diagnostics(&warnings);
                let aws = cloud::connect_for(settings, &stack).await?;
                let (pause, health) = (*pause, *health);
                let watched = Watch { stack: &stack, aws: &aws, request: &request, pause, health };
                watch::watch(&watched, (run, settings), ui).await
            }
        },
    }
}

/// The request, and the least severity of a finding that forbids it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) request: &'a Request,
    pub(crate) least: Severity,
}

/// Plans, asks for approval, and applies.
pub(crate) async fn plan_and_apply(
    stack: Option<&Path>,
    variables: &Variables,
    asked: Asked<'_>,
    (run, settings): (&RunArgs, &Settings),
    ui: &mut Ui,
) -> Ended {
    let loaded = Loaded::load(stack, variables, &settings.environment)?;
    let approval = approval(run, settings)?;
    let (stack, warnings) = loaded.stack()?;
    ui.diagnostics(&warnings);
    let aws = cloud::connect_for(settings, &stack).await?;
    let place = (&stack.name, stack.coordination.as_ref());
    let journal = cloud::take(&aws, place, (command(asked.request.mode), settings), ui).await?;
    let ended = plan_and_apply_in(&stack, (asked, approval), (&aws, &journal), (run, settings), ui);
    let ended = ended.await;
    cloud::release(&journal).await;
    ended
}

async fn plan_and_apply_in(
    stack: &Stack,
    (Asked { request, least }, approval): (Asked<'_>, Approval),
    (aws, journal): (&Aws, &Arc<Journal>),
    (run, settings): (&RunArgs, &Settings),
    ui: &mut Ui,
) -> Ended {
    let images = stack.images();
    let wanted = Wanted::to_plan(stack, &images, request.mode);
    let observed = cloud::settle((aws, journal), wanted, request.mode, ui).await?;
    let plan = mirror_plan::plan::plan(stack, &observed, request)?;
    review::agree(&plan, run, ui)?;
    let strangers = cloud::in_the_way(aws, (stack, request.mode), &observed).await?;
    let around = Around { observed: &observed, strangers: &strangers };
    let mut findings = lint::check_planned(stack, around, request);
    findings.extend(cloud::occupied(aws, stack, &plan).await?);
    ui.diagnostics(&findings);
    show(&plan, &estimates::of(&plan, &run.estimates, settings, ui), ui);
    drift::tell(&plan, settings, ui);
    lint::refuse(&findings, least)?;
    if approval == Approval::Ask && !plan.is_empty() {
        if !approve(plan.mode, ui)? {
            let what = word(plan.mode);
            ui.note(format_args!("\n{what} cancelled."));
            return Ok(ExitStatus::Failed);
        }
        // The user may have taken an hour to answer.
        check(&plan, (aws, journal), ui).await?;
    }
    let ended = carry_out(&plan, (aws, journal), (run, settings), ui).await?;
    tell_of_the_rest(&plan, ended, ui);
    Ok(ended)
}

/// Says that there may be more to do after a plan for a part of the stack.
fn tell_of_the_rest(plan: &Plan, ended: ExitStatus, ui: &mut Ui) {
    if plan.targeted && ended == ExitStatus::Done && ui.form() == Form::Text {
        ui.note("\nOnly a part of the stack was planned: `mirror plan` shows what is left to do.");
    }
}

/// Where the user data of a saved plan comes from.
#[derive(Clone, Copy)]
struct Source<'a> {
    stack: Option<&'a Path>,
    variables: &'a Variables,
}

async fn apply_saved(
    plan: Plan,
    source: Source<'_>,
    (run, settings): (&RunArgs, &Settings),
    ui: &mut Ui,
) -> Ended {
    let stack = if plan.needs_secrets() {
        let Source { stack, variables } = source;
        Some(Loaded::load(stack, variables, &settings.environment)?.stack()?.0)
    } else {
        None
    };
    let aws = cloud::connect(settings, Some(&plan.region), &Others::planned(&plan)).await?;
    // Before the journal is taken, because for a team that changes an object in S3.
    check_place(&plan, &cloud::account(&aws).await?, aws.region())?;
    let place = (&plan.stack, plan.coordination.as_ref());
    let journal = cloud::take(&aws, place, (command(plan.mode), settings), ui).await?;
    let ended = apply_saved_in(&plan, stack.as_ref(), (&aws, &journal), (run, settings), ui).await;
    cloud::release(&journal).await;
    ended
}

async fn apply_saved_in(
    plan: &Plan,
    stack: Option<&Stack>,
    cloud: (&Aws, &Arc<Journal>),
    run: (&RunArgs, &Settings),
    ui: &mut Ui,
) -> Ended {
    let observed = check(plan, cloud, ui).await?;
    review::agree(plan, run.0, ui)?;
    let whole = match stack {
        None => plan.clone(),
        Some(stack) => plan.clone().with_secrets(&Secrets::of(stack, &observed))?,
    };
    show(&whole, &estimates::of(&whole, &run.0.estimates, run.1, ui), ui);
    let ended = carry_out(&whole, cloud, run, ui).await?;
    tell_of_the_rest(&whole, ended, ui);
    Ok(ended)
}

/// Checks that the cloud is still as the plan saw it, and returns what it holds.
async fn check(
    plan: &Plan,
    (aws, journal): (&Aws, &Arc<Journal>),
    ui: &mut Ui,
) -> Result<Observed, Diagnostics> {
    let used = plan.looked_for();
    let wanted = Wanted { existing: &used, ..Wanted::owned_by(&plan.stack) };
    let mut sight = cloud::settled((aws, journal), wanted, plan.mode, ui).await?;
    // That one of them is gone is a reason why the plan is stale.
    sight.findings.retain(|finding| finding.code != code::NOT_ONE);
    let observed = cloud::told(sight, ui)?;
    check_fresh(plan, &observed)?;
    Ok(observed)
}

pub(super) async fn carry_out(
    plan: &Plan,
    (aws, journal): (&Aws, &Arc<Journal>),
    (run, settings): (&RunArgs, &Settings),
    ui: &mut Ui,
) -> Ended {
    if ui.form() == Form::Text && settings.live == Live::Yes && !plan.is_empty() {
        // On a terminal the plan or the question is directly above the output of the apply.
        ui.note("");
    }
    let options = Options::default().with_parallelism(run.parallelism);
    let stop = Stop::new();
    let interrupts = tokio::spawn(ui::stop_on_interrupt(stop.clone()));
    let report = {
        let mut reporter = progress::reporter(plan, settings.live, ui);
        apply(plan, (aws, journal), &options, &stop, &mut *reporter).await
    };
    interrupts.abort();
    if ui.form() == Form::Text {
        let failures = Failures::new(&report).style(ui.notes_palette()).to_string();
        if !failures.is_empty() {
            ui.note(format_args!("\n{}", failures.trim_end()));
        }
        ui.data(format_args!("\n{}", Summary::new(plan, &report).style(ui.data_palette())));
    }
    if let Some(held) = journal.lost() {
        return Err(cloud::unusable(&JournalError::Lost(held)).into());
    }
    applied::write(plan, &report, settings, ui);
    Ok(match (report.is_complete(), report.stopped) {
        (true, _) => ExitStatus::Done,
        (false, true) => ExitStatus::Interrupted,
        (false, false) => ExitStatus::Failed,
    })
}

/// How a plan is approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Approval {
    Given,
    Ask,
}

/// Finds out first whether anybody can approve.
fn approval(run: &RunArgs, settings: &Settings) -> Result<Approval, Diagnostics> {
    if run.auto_approve || run.approved.is_some() || run.expect.is_some() {
        return Ok(Approval::Given);
    }
    match (run.json, settings.input) {
        (true, _) => refuse("with --json there is no prompt, so nobody can approve"),
        (false, Input::Nobody) => {
            refuse("nobody can approve: the input is not a terminal, or MIRROR_INPUT is 0")
        }
        (false, Input::Person) => Ok(Approval::Ask),
    }
}

fn refuse<T>(title: &str) -> Result<T, Diagnostics> {
    Err(Diagnostic::error(code::NOT_APPROVED, title)
        .help("pass --auto-approve, or apply a plan that was saved with `mirror plan --out`")
        .into())
}

fn approve(mode: Mode, ui: &mut Ui) -> Result<bool, Diagnostics> {
    let question = match mode {
        Mode::Apply => {
            "\nDo you want to perform these actions?\n  Only 'yes' will be accepted to approve.\n\n  \
             Enter a value: "
        }
        Mode::Destroy => {
            "\nDo you really want to destroy all resources?\n  There is no undo. Only 'yes' will be \
             accepted to confirm.\n\n  Enter a value: "
        }
    };
    let answer = ui.ask(question);
    Ok(answer.map_err(|error| ui::file_error("the answer cannot be read", &error))? == "yes")
}

/// The command that makes such a plan, shown to others who must wait.
const fn command(mode: Mode) -> &'static str {
    match mode {
        Mode::Apply => "apply",
        Mode::Destroy => "destroy",
    }
}

const fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Apply => "Apply",
        Mode::Destroy => "Destroy",
    }
}

/// Refuses options for planning, since a saved plan is applied as it is. Variables are allowed, for the
/// user data, of which the plan holds only a hash.
fn refuse_planning_options(
    plan: &Plan,
    variables: &Variables,
    request: &Request,
    strictness: &StrictnessArgs,
) -> Result<(), Diagnostics> {
    let Variables { var, var_file } = variables;
    let Request { mode: _, targets, replace, part } = request;
    let given = [
        ("--var", var.is_empty() || plan.needs_secrets()),
        ("--var-file", var_file.is_empty() || plan.needs_secrets()),
        ("--target", targets.is_empty()),
        ("--replace", replace.is_empty()),
        ("--deny", strictness.deny.is_none()),
        ("--sources or --watch", *part == Part::Whole),
    ];
    match given.iter().find(|(_, absent)| !absent) {
        None => Ok(()),
        Some((option, _)) => {
            let title = format!("a saved plan is applied as it is, without {option}");
            Err(Diagnostic::error(code::SAVED_PLAN_OPTIONS, title)
                .help(format!("plan again with {option}"))
                .into())
        }
    }
}
