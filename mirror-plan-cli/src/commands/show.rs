//! `mirror show`: a saved plan, or what the cloud holds of a stack.

use mirror_plan::apply::recover::Next;
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_plan::render::terraform::StateJson;
use mirror_plan::render::text::Inventory;

use super::{Ended, plan};
use crate::cli::{FormArgs, PlanFormat, ShowArgs};
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file::{self, Loaded};
use crate::ui::Ui;
use crate::{cloud, estimates, plan_file};

pub(crate) async fn run(args: &ShowArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let ShowArgs { file, variables, json, estimates, form: FormArgs { format, timestamp } } = args;
    let format = if *json { PlanFormat::Tfjson } else { *format };
    match file.as_deref() {
        Some(path) if !stack_file::is_stack(path) => {
            let form = FormArgs { format, timestamp: *timestamp };
            let plan = plan_file::read(path)?;
            let estimates = estimates::of(&plan, estimates, settings, ui);
            plan::print(&plan, (&form, &Diagnostics::default(), &estimates, None), ui);
        }
        stack => {
            let (stack, warnings) =
                Loaded::load(stack, variables, &settings.environment)?.stack()?;
            ui.diagnostics(&warnings);
            let aws = cloud::connect_for(settings, &stack).await?;
            let observed = cloud::look(&aws, (&stack, Next::Nothing), settings, ui).await?;
            match format {
                PlanFormat::Text => {
                    ui.data(Inventory::new(&observed).style(ui.data_palette()));
                }
                PlanFormat::Tfjson => ui.data(StateJson::new(&observed)),
                PlanFormat::Markdown => return Err(only_of_a_plan().into()),
            }
        }
    }
    Ok(ExitStatus::Done)
}

/// The error for a stack: a comment states what will be done, which a stack alone does not.
fn only_of_a_plan() -> Diagnostic {
    Diagnostic::error(code::SAVED_PLAN_OPTIONS, "only a plan can be shown as a comment")
        .help("name a saved plan, or run `mirror plan --format markdown`")
}
