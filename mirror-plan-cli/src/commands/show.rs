//! `mirror show`: a saved plan, or what the cloud holds of a stack.

use mirror_plan::plan::Mode;
use mirror_plan::render::terraform::{PlanJson, StateJson};
use mirror_plan::render::text::{Inventory, Text};

use super::Ended;
use crate::cli::ShowArgs;
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file::{self, Loaded};
use crate::ui::{self, Ui};
use crate::{cloud, plan_file};

pub(crate) async fn run(args: &ShowArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let ShowArgs { file, variables, json, timestamp } = args;
    let palette = ui.data_palette();
    match file.as_deref() {
        Some(path) if !stack_file::is_stack(path) => {
            let plan = plan_file::read(path)?;
            if *json {
                let now = timestamp.then(ui::now_in_seconds);
                ui.data(PlanJson::new(&plan).timestamp(now.as_deref()));
            } else {
                ui.data(Text::new(&plan).style(palette));
            }
        }
        stack => {
            let (stack, warnings) =
                Loaded::load(stack, variables, &settings.environment)?.stack()?;
            ui.diagnostics(&warnings);
            let aws = cloud::connect(settings, stack.region.as_ref()).await?;
            let observed = cloud::look(&aws, (&stack, Mode::Apply), settings, ui).await?;
            if *json {
                ui.data(StateJson::new(&observed));
            } else {
                ui.data(Inventory::new(&observed).style(palette));
            }
        }
    }
    Ok(ExitStatus::Done)
}
