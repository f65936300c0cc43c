//! `mirror drift`: what was changed outside of the tool since the last apply.

use mirror_plan::apply::recover::Next;
use mirror_plan::aws::Sight;
use mirror_plan::diagnostic::Diagnostics;
use mirror_plan::drift::Drift;
use mirror_plan::plan::{Mode, Plan, Request};
use mirror_plan::render::drift::{Note, Text};

use super::Ended;
use crate::cli::StackArgs;
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file::Loaded;
use crate::ui::{Form, Ui};
use crate::{applied, cloud};

pub(crate) async fn run(args: &StackArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let StackArgs { stack, variables } = args;
    let loaded = Loaded::load(stack.as_deref(), variables, &settings.environment)?;
    let (stack, warnings) = loaded.stack()?;
    ui.diagnostics(&warnings);
    let aws = cloud::connect_for(settings, &stack).await?;
    let Sight { observed, findings } =
        cloud::see(&aws, (&stack, Next::Nothing), settings, ui).await?;
    let findings: Diagnostics = findings.into_iter().collect();
    let (observed, untold) = findings.unless_errors(observed)?;
    let plan = mirror_plan::plan::plan(&stack, &observed, &Request::default())?;
    let strangers = cloud::strangers(&aws, &observed).await?;
    let untold = untold.into_iter().map(|finding| finding.title);
    let others = untold.chain(strangers.iter().map(ToString::to_string)).collect();
    let drift = Drift::of(&plan, applied::read(&plan, settings, ui).as_ref(), others);
    ui.data(Text::new(&drift, &plan).style(ui.data_palette()));
    Ok(if drift.is_empty() { ExitStatus::Done } else { ExitStatus::Changes })
}

/// Reports which outside changes a plan would undo, if it is known what the last apply left.
pub(crate) fn tell(plan: &Plan, settings: &Settings, ui: &mut Ui) {
    if plan.mode == Mode::Destroy || plan.is_empty() || ui.form() == Form::Json {
        return;
    }
    let Some(applied) = applied::read(plan, settings, ui) else { return };
    let undone = Drift::of(plan, Some(&applied), Vec::new()).undone;
    if !undone.is_empty() {
        let note = Note::new(&undone, settings.wording).to_string();
        ui.note(format_args!("\n{}", note.trim_end()));
    }
}
