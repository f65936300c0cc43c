//! `mirror observe`: what the cloud holds of a stack, as a file to plan from.

use mirror_plan::plan::Mode;

use super::Ended;
use crate::cli::{ObserveArgs, StackArgs};
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file::Loaded;
use crate::ui::Ui;
use crate::{cloud, inventory};

pub(crate) async fn run(args: &ObserveArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let ObserveArgs { stack: StackArgs { stack, variables }, out } = args;
    let loaded = Loaded::load(stack.as_deref(), variables, &settings.environment)?;
    let (stack, warnings) = loaded.stack()?;
    ui.diagnostics(&warnings);
    let aws = cloud::connect_for(settings, &stack).await?;
    let observed = cloud::look(&aws, (&stack, Mode::Apply), settings, ui).await?;
    inventory::write(out, &observed)?;
    let path = out.display();
    ui.note(format_args!(
        "Wrote the inventory: {path}\n\nTo plan from it, without AWS: mirror plan --inventory {path}"
    ));
    Ok(ExitStatus::Done)
}
