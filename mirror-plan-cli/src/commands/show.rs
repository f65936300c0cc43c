//! `mirror show`: a saved plan, or what the cloud holds of a stack.

use mirror_plan::plan::Mode;
use mirror_plan::render::text::{Inventory, Text};
use serde::Serialize;

use super::Ended;
use crate::cli::ShowArgs;
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file::{self, Loaded};
use crate::ui::{self, Ui};
use crate::{cloud, plan_file};

pub(crate) async fn run(args: &ShowArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let ShowArgs { file, variables, json } = args;
    let palette = ui.data_palette();
    match file.as_deref() {
        Some(path) if !stack_file::is_stack(path) => {
            let plan = plan_file::read(path)?;
            if *json { write_json(&plan, ui)? } else { ui.data(Text::new(&plan).style(palette)) }
        }
        stack => {
            let (stack, warnings) =
                Loaded::load(stack, variables, &settings.environment)?.stack()?;
            ui.diagnostics(&warnings);
            let aws = cloud::connect(settings, stack.region.as_ref()).await?;
            let observed = cloud::look(&aws, (&stack, Mode::Apply), settings, ui).await?;
            if *json {
                write_json(&observed, ui)?;
            } else {
                ui.data(Inventory::new(&observed).style(palette));
            }
        }
    }
    Ok(ExitStatus::Done)
}

fn write_json(
    value: &impl Serialize,
    ui: &mut Ui,
) -> Result<(), mirror_plan::diagnostic::Diagnostics> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| ui::file_error("it cannot be written as JSON", &error.into()))?;
    ui.data(format_args!("{text}\n"));
    Ok(())
}
