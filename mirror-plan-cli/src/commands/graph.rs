//! `mirror graph`: a drawing of a stack or a plan.

use mirror_plan::render::graph::{Diagram, Dot, Mermaid, Svg};

use super::Ended;
use crate::cli::{GraphArgs, GraphFormat};
use crate::exit::ExitStatus;
use crate::plan_file;
use crate::settings::Settings;
use crate::stack_file::{self, Loaded};
use crate::ui::Ui;

pub(crate) fn run(args: &GraphArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let GraphArgs { stack, variables, format, deps } = args;
    let diagram = match stack.as_deref() {
        Some(path) if !stack_file::is_stack(path) => {
            let plan = plan_file::read(path)?;
            if *deps { Diagram::apply_order(&plan) } else { Diagram::planned_packet_path(&plan) }
        }
        path => {
            let loaded = Loaded::load(path, variables, &settings.environment)?;
            let (stack, warnings) = loaded.stack()?;
            ui.diagnostics(&warnings);
            if *deps { Diagram::references(&stack) } else { Diagram::packet_path(&stack) }
        }
    };
    match format {
        GraphFormat::Dot => ui.data(Dot(&diagram)),
        GraphFormat::Mermaid => ui.data(Mermaid(&diagram)),
        GraphFormat::Svg => ui.data(Svg(&diagram)),
    }
    Ok(ExitStatus::Done)
}
