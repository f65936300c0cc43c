//! `mirror report`: a plan as a page, to be kept and passed on.

use mirror_plan::diagnostic::Diagnostics;
use mirror_plan::plan::{Mode, Plan, Request};
use mirror_plan::render::page::Page;

use super::Ended;
use super::plan::Seen;
use crate::cli::ReportArgs;
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file::{self, Loaded};
use crate::ui::{self, Ui};
use crate::{estimates, plan_file};

pub(crate) async fn run(args: &ReportArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let (plan, findings) = planned(args, settings, ui).await?;
    let estimates = estimates::of(&plan, &args.estimates, settings, ui);
    let page = Page::new(&plan).findings(&findings).estimates(&estimates).to_string();
    let path = args.html.display();
    plan_file::write_whole(&args.html, &page).map_err(|error| {
        ui::file_error(format!("the report cannot be written to `{path}`"), &error)
    })?;
    ui.note(format_args!("Wrote the report: {path}"));
    Ok(ExitStatus::Done)
}

/// The plan, saved or made now, and the findings in the stack file.
async fn planned(
    args: &ReportArgs,
    settings: &Settings,
    ui: &mut Ui,
) -> Result<(Plan, Diagnostics), Diagnostics> {
    let ReportArgs { stack, variables, html: _, estimates: _, sight } = args;
    match stack.as_deref() {
        Some(path) if !stack_file::is_stack(path) => {
            Ok((plan_file::read(path)?, Diagnostics::new()))
        }
        stack => {
            let loaded = Loaded::load(stack, variables, &settings.environment)?;
            let (stack, warnings) = loaded.stack()?;
            ui.diagnostics(&warnings);
            let seen = Seen::of(sight, (&stack, Mode::Apply), settings, ui).await?;
            let request = Request::default();
            let plan = mirror_plan::plan::plan(&stack, &seen.observed, &request)?;
            let findings = seen.findings(&stack, &plan, &request).await?;
            ui.diagnostics(&findings);
            Ok((plan, warnings.into_iter().chain(findings).collect()))
        }
    }
}
