//! `mirror graph`: a drawing of a stack or a plan.

use std::path::Path;

use mirror_plan::diagnostic::Diagnostics;
use mirror_plan::plan::Plan;
use mirror_plan::reach::{Network, Reach};
use mirror_plan::render::graph::{Diagram, Dot, Mermaid, Svg};
use mirror_plan::render::reach::{self, Lines};
use mirror_plan::stack::Stack;

use super::Ended;
use crate::cli::{GraphArgs, GraphFormat};
use crate::exit::ExitStatus;
use crate::plan_file;
use crate::settings::Settings;
use crate::stack_file::{self, Loaded};
use crate::ui::Ui;

/// What is drawn.
enum Subject {
    Stack(Box<Stack>),
    Plan(Box<Plan>),
}

pub(crate) fn run(args: &GraphArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let subject = subject(args, settings, ui)?;
    if args.paths {
        match &subject {
            Subject::Stack(stack) => ui.data(Lines(&Reach::over(Network::of_stack(stack)))),
            Subject::Plan(plan) => ui.data(reach::of_plan(plan)),
        }
        return Ok(ExitStatus::Done);
    }
    let diagram = match (&subject, args.deps) {
        (Subject::Stack(stack), false) => Diagram::packet_path(stack),
        (Subject::Stack(stack), true) => Diagram::references(stack),
        (Subject::Plan(plan), false) => Diagram::planned_packet_path(plan),
        (Subject::Plan(plan), true) => Diagram::apply_order(plan),
    };
    match args.format {
        GraphFormat::Dot => ui.data(Dot(&diagram)),
        GraphFormat::Mermaid => ui.data(Mermaid(&diagram)),
        GraphFormat::Svg => ui.data(Svg(&diagram)),
    }
    Ok(ExitStatus::Done)
}

fn subject(args: &GraphArgs, settings: &Settings, ui: &mut Ui) -> Result<Subject, Diagnostics> {
    let is_plan = |path: &&Path| !stack_file::is_stack(path);
    if let Some(path) = args.stack.as_deref().filter(is_plan) {
        return Ok(Subject::Plan(Box::new(plan_file::read(path)?)));
    }
    let loaded = Loaded::load(args.stack.as_deref(), &args.variables, &settings.environment)?;
    let (stack, warnings) = loaded.stack()?;
    ui.diagnostics(&warnings);
    Ok(Subject::Stack(Box::new(stack)))
}
