//! `mirror plan`: what an apply would do.

use mirror_plan::apply::recover::Next;
use mirror_plan::aws::Aws;
use mirror_plan::diagnostic::Diagnostics;
use mirror_plan::lint::{self, Around};
use mirror_plan::observed::{Observed, Strangers};
use mirror_plan::permission::{self, Permissions};
use mirror_plan::plan::{Mode, Part, Plan, Request};
use mirror_plan::render::estimate::Estimates;
use mirror_plan::render::json;
use mirror_plan::render::markdown::Markdown;
use mirror_plan::render::terraform::PlanJson;
use mirror_plan::stack::Stack;

use super::review::{self, Holds};
use super::{Ended, drift, next};
use crate::cli::{FormArgs, PlanArgs, PlanFormat, ResultArgs, Selection, SightArgs, StackArgs};
use crate::exit::ExitStatus;
use crate::settings::{Place, Settings};
use crate::stack_file::Loaded;
use crate::ui::{self, Form, Ui};
use crate::{cloud, estimates, inventory, permissions, plan_file};

pub(crate) async fn run(args: &PlanArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let PlanArgs { stack, destroy, sight, check_permissions, review, strictness, result, .. } =
        args;
    let StackArgs { stack, variables } = stack;
    let ResultArgs { out, detailed_exitcode, json } = result;
    ui.set_form(Form::from(*json));
    if args.hidden.show_user_data {
        ui.show_user_data();
    }
    let mode = if *destroy { Mode::Destroy } else { Mode::Apply };
    Seen::prepare(sight, settings);
    let loaded = Loaded::load(stack.as_deref(), variables, &settings.environment)?;
    let (stack, warnings) = loaded.stack()?;
    ui.diagnostics(&warnings);
    let seen = Seen::of(sight, (&stack, mode), settings, ui).await?;
    let request = request(mode, &args.selection);
    let plan = mirror_plan::plan::plan(&stack, &seen.observed, &request)?;
    let mut findings = seen.findings(&stack, &plan, &request).await?;
    let asked = match seen.aws.as_ref().filter(|_| *check_permissions) {
        Some(aws) => Some(permissions::ask(aws, &plan, settings, ui).await),
        None => None,
    };
    let denials =
        asked.iter().flat_map(|asked| permissions::findings(asked, &stack, &seen.observed));
    findings.extend(denials);
    ui.diagnostics(&findings);
    let found: Diagnostics = warnings.into_iter().chain(findings).collect();
    let holds = match &review.check {
        Some(path) => review::check(&plan, path, args, settings, ui)?,
        None => {
            tell(&plan, (args, &found, asked.as_ref()), settings, ui);
            Holds::Yes
        }
    };
    if let Some(asked) = &asked {
        permission::refuse(asked)?;
    }
    lint::refuse(&found, strictness.least())?;
    if let Some(path) = &review.write {
        review::write(&plan, path, args, settings, ui)?;
    }
    if let Some(path) = out {
        plan_file::write(path, &plan)?;
        let apply = next::applying(path, &plan, args, settings);
        let path = path.display();
        ui.note(format_args!(
            "Saved the plan to: {path}\n\nTo perform exactly these actions: {apply}"
        ));
    }
    let changes = *detailed_exitcode && !plan.is_empty() || holds == Holds::No;
    // The process ends here: dropping ten thousand sessions would be a fifteenth of its work.
    std::mem::forget((stack, seen, plan));
    Ok(if changes { ExitStatus::Changes } else { ExitStatus::Done })
}

/// Prints a plan with everything that there is to report about it.
fn tell(
    plan: &Plan,
    (args, found, asked): (&PlanArgs, &Diagnostics, Option<&Permissions>),
    settings: &Settings,
    ui: &mut Ui,
) {
    let estimates = estimates::of(plan, &args.estimates, settings, ui);
    print(plan, (&args.form, found, &estimates, asked), ui);
    if args.form.format == PlanFormat::Text {
        drift::tell(plan, settings, ui);
    }
}

/// What the cloud holds, or a substitute for that.
pub(super) struct Seen {
    /// The clients; `None` if nothing is requested from AWS.
    aws: Option<Aws>,
    pub(super) observed: Observed,
    /// The objects of others that are in the way, as far as they are known.
    strangers: Strangers,
}

impl Seen {
    /// Begins work that takes long and does not need the stack.
    pub(super) fn prepare(sight: &SightArgs, settings: &Settings) {
        let asks = matches!(sight, SightArgs { inventory: None, offline: false });
        if let (true, Place::Local(local)) = (asks, &settings.place) {
            local.open_ahead();
        }
    }

    pub(super) async fn of(
        sight: &SightArgs,
        (stack, mode): (&Stack, Mode),
        settings: &Settings,
        ui: &mut Ui,
    ) -> Result<Self, Diagnostics> {
        let observed = match sight {
            SightArgs { inventory: None, offline: false } => {
                let aws = cloud::connect_for(settings, stack).await?;
                let observed = cloud::look(&aws, (stack, Next::Plan(mode)), settings, ui).await?;
                let strangers = cloud::in_the_way(&aws, (stack, mode), &observed).await?;
                return Ok(Self { aws: Some(aws), observed, strangers });
            }
            SightArgs { inventory: Some(path), offline: _ } => inventory::read(path)?,
            SightArgs { inventory: None, offline: true } => inventory::nothing(stack, settings)?,
        };
        Ok(Self { aws: None, observed, strangers: Strangers::default() })
    }

    /// The findings about a stack and a plan of it.
    pub(super) async fn findings(
        &self,
        stack: &Stack,
        plan: &Plan,
        request: &Request,
    ) -> Result<Diagnostics, Diagnostics> {
        let around = Around { observed: &self.observed, strangers: &self.strangers };
        let mut findings = lint::check_planned(stack, around, request);
        if let Some(aws) = &self.aws {
            findings.extend(cloud::occupied(aws, stack, plan).await?);
        }
        Ok(findings)
    }
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

/// Prints a plan in the requested form, with the findings, the estimates and the answers about
/// permissions.
pub(super) fn print(
    plan: &Plan,
    (form, findings, estimates, asked): (&FormArgs, &Diagnostics, &Estimates, Option<&Permissions>),
    ui: &mut Ui,
) {
    let FormArgs { format, timestamp } = form;
    match format {
        PlanFormat::Text => {
            show(plan, estimates, ui);
            if let Some(asked) = asked {
                permissions::show(asked, ui);
            }
        }
        PlanFormat::Tfjson => {
            let now = timestamp.then(ui::now_in_seconds);
            ui.data(PlanJson::new(plan).findings(findings).timestamp(now.as_deref()));
        }
        PlanFormat::Markdown => {
            let comment = Markdown::new(plan).findings(findings).estimates(estimates);
            ui.data(asked.map_or(comment, |asked| comment.permissions(asked)));
        }
    }
}

/// Prints a plan for the person who decides about it.
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
