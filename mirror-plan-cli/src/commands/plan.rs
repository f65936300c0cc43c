//! `mirror plan`: what an apply would do.

use mirror_plan::plan::{Mode, Plan, Request};
use mirror_plan::render::json;
use mirror_plan::render::text::Text;

use super::Ended;
use crate::cli::{PlanArgs, ResultArgs, Selection, StackArgs};
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file::Loaded;
use crate::ui::{Form, Ui};
use crate::{cloud, plan_file};

pub(crate) async fn run(args: &PlanArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let PlanArgs { stack, selection, destroy, result } = args;
    let StackArgs { stack, variables } = stack;
    let ResultArgs { out, detailed_exitcode, json } = result;
    ui.set_form(Form::from(*json));
    let mode = if *destroy { Mode::Destroy } else { Mode::Apply };
    let loaded = Loaded::load(stack.as_deref(), variables, &settings.environment)?;
    let (stack, warnings) = loaded.stack()?;
    ui.diagnostics(&warnings);
    let aws = cloud::connect(settings, stack.region.as_ref()).await?;
    let observed = cloud::look(&aws, &stack, settings, ui).await?;
    let plan = mirror_plan::plan::plan(&stack, &observed, &request(mode, selection))?;
    show(&plan, ui);
    if let Some(path) = out {
        plan_file::write(path, &plan)?;
        let (path, local) = (path.display(), settings.place.option());
        ui.note(format_args!(
            "Saved the plan to: {path}\n\nTo perform exactly these actions: mirror apply {path}{local}"
        ));
    }
    let changes = *detailed_exitcode && !plan.is_empty();
    Ok(if changes { ExitStatus::Changes } else { ExitStatus::Done })
}

/// What the options ask for.
pub(crate) fn request(mode: Mode, selection: &Selection) -> Request {
    let Selection { target, replace } = selection;
    Request {
        mode,
        targets: target.iter().cloned().collect(),
        replace: replace.iter().cloned().collect(),
    }
}

/// Prints a plan.
pub(crate) fn show(plan: &Plan, ui: &mut Ui) {
    match ui.form() {
        Form::Json => json::plan(plan).into_iter().for_each(|line| ui.line(line)),
        Form::Text => ui.data(Text::new(plan).style(ui.data_palette())),
    }
}
