//! `mirror plan`: what an apply would do.

use mirror_plan::diagnostic::Diagnostics;
use mirror_plan::lint::{self, Around};
use mirror_plan::observed::{Observed, Strangers};
use mirror_plan::plan::{Mode, Part, Plan, Request};
use mirror_plan::render::estimate::Estimates;
use mirror_plan::render::json;
use mirror_plan::render::markdown::Markdown;
use mirror_plan::render::terraform::PlanJson;
use mirror_plan::stack::Stack;

use super::review::{self, Holds};
use super::{Ended, drift};
use crate::cli::{
    FormArgs, PlanArgs, PlanFormat, ResultArgs, ReviewArgs, Selection, SightArgs, StackArgs,
};
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file::Loaded;
use crate::ui::{self, Form, Ui};
use crate::{cloud, estimates, inventory, plan_file};

pub(crate) async fn run(args: &PlanArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let PlanArgs { stack, selection, destroy, sight, review, strictness, result, estimates, form } =
        args;
    let StackArgs { stack, variables } = stack;
    let ReviewArgs { write, check } = review;
    let ResultArgs { out, detailed_exitcode, json } = result;
    ui.set_form(Form::from(*json));
    let mode = if *destroy { Mode::Destroy } else { Mode::Apply };
    let loaded = Loaded::load(stack.as_deref(), variables, &settings.environment)?;
    let (stack, warnings) = loaded.stack()?;
    ui.diagnostics(&warnings);
    let (observed, strangers) = look(sight, (&stack, mode), settings, ui).await?;
    let request = request(mode, selection);
    let plan = mirror_plan::plan::plan(&stack, &observed, &request)?;
    let findings = lint::check_planned(
        &stack,
        Around { observed: &observed, strangers: &strangers },
        &request,
    );
    ui.diagnostics(&findings);
    let found: Diagnostics = warnings.into_iter().chain(findings).collect();
    let holds = match check {
        Some(path) => review::check(&plan, path, args, settings, ui)?,
        None => Holds::Yes,
    };
    if check.is_none() {
        let estimates = estimates::of(&plan, estimates, settings, ui);
        print(&plan, (form, &found, &estimates), ui);
        if form.format == PlanFormat::Text {
            drift::tell(&plan, settings, ui);
        }
    }
    lint::refuse(&found, strictness.least())?;
    if let Some(path) = write {
        review::write(&plan, path, ui)?;
    }
    if let Some(path) = out {
        plan_file::write(path, &plan)?;
        let (path, local) = (path.display(), settings.place.option());
        ui.note(format_args!(
            "Saved the plan to: {path}\n\nTo perform exactly these actions: mirror apply {path}{local}"
        ));
    }
    let changes = *detailed_exitcode && !plan.is_empty() || holds == Holds::No;
    Ok(if changes { ExitStatus::Changes } else { ExitStatus::Done })
}

/// What the cloud holds, or stands for it, and what others have that is in the way, as far as that is known.
pub(super) async fn look(
    sight: &SightArgs,
    (stack, mode): (&Stack, Mode),
    settings: &Settings,
    ui: &mut Ui,
) -> Result<(Observed, Strangers), Diagnostics> {
    let observed = match sight {
        SightArgs { inventory: Some(path), offline: _ } => inventory::read(path)?,
        SightArgs { inventory: None, offline: true } => inventory::nothing(stack, settings)?,
        SightArgs { inventory: None, offline: false } => {
            let aws = cloud::connect(settings, stack.region.as_ref()).await?;
            let observed = cloud::look(&aws, (stack, mode), settings, ui).await?;
            let strangers = cloud::in_the_way(&aws, (stack, mode), &observed).await?;
            return Ok((observed, strangers));
        }
    };
    Ok((observed, Strangers::default()))
}

/// What the options ask for.
pub(crate) fn request(mode: Mode, selection: &Selection) -> Request {
    let Selection { target, replace } = selection;
    Request {
        mode,
        targets: target.iter().cloned().collect(),
        replace: replace.iter().cloned().collect(),
        part: Part::Whole,
    }
}

/// Prints a plan in the form that was asked for, with what was found and estimated.
pub(super) fn print(
    plan: &Plan,
    (form, findings, estimates): (&FormArgs, &Diagnostics, &Estimates),
    ui: &mut Ui,
) {
    let FormArgs { format, timestamp } = form;
    match format {
        PlanFormat::Text => show(plan, estimates, ui),
        PlanFormat::Tfjson => {
            let now = timestamp.then(ui::now_in_seconds);
            ui.data(PlanJson::new(plan).findings(findings).timestamp(now.as_deref()));
        }
        PlanFormat::Markdown => {
            ui.data(Markdown::new(plan).findings(findings).estimates(estimates));
        }
    }
}

/// Prints a plan for whoever decides on it.
pub(crate) fn show(plan: &Plan, estimates: &Estimates, ui: &mut Ui) {
    match ui.form() {
        Form::Json => {
            json::plan(plan).into_iter().for_each(|line| ui.line(line));
            if !estimates.is_empty() {
                ui.line(json::estimates(estimates));
            }
        }
        Form::Text => {
            ui.data(ui.text_of(plan));
            ui.data(estimates);
        }
    }
}
