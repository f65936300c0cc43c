//! `mirror observe`: what the cloud holds of a stack, as a file to plan from.

use super::{Ended, next};
use crate::cli::{ObserveArgs, StackArgs};
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file::Loaded;
use crate::ui::Ui;
use crate::{cloud, inventory};
use mirror_plan::apply::recover::Next;

pub(crate) async fn run(args: &ObserveArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let ObserveArgs { stack: stack_args, out } = args;
    let StackArgs { stack, variables } = stack_args;
    let loaded = Loaded::load(stack.as_deref(), variables, &settings.environment)?;
    let (stack, warnings) = loaded.stack()?;
    ui.diagnostics(&warnings);
    let aws = cloud::connect_for(settings, &stack).await?;
    let observed = cloud::look(&aws, (&stack, Next::Nothing), settings, ui).await?;
    inventory::write(out, &observed)?;
    ui.note(format_args!("Wrote the inventory: {}\n", out.display()));
    let plan = next::planning_from(out, stack_args);
    ui.note(format_args!("To plan from it, without AWS: {plan}"));
    Ok(ExitStatus::Done)
}
