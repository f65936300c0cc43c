//! Reviewed plans: snapshots that are written, compared and enforced, and digests.

use std::path::Path;

use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_plan::plan::Plan;
use mirror_plan::render::snapshot::{self, Review};

use super::next;
use crate::cli::{PlanArgs, RunArgs};
use crate::settings::Settings;
use crate::ui::{self, Form, Ui};
use crate::{plan_file, stack_file};

/// Whether a plan is what was reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Yes,
    No,
}

/// Writes the snapshot of a plan; the command's `args` are needed to show how to carry it out.
pub(crate) fn write(
    plan: &Plan,
    path: &Path,
    args: &PlanArgs,
    settings: &Settings,
    ui: &mut Ui,
) -> Result<(), Diagnostics> {
    plan_file::write_whole(path, &plan.to_string()).map_err(|error| {
        ui::file_error(format!("the snapshot cannot be written to `{}`", path.display()), &error)
    })?;
    let perform = next::performing(path, args, settings);
    let path = path.display();
    ui.note(format_args!(
        "Wrote the snapshot: {path}\n\nTo perform exactly these actions: {perform}"
    ));
    Ok(())
}

/// Compares a plan with a snapshot; the command's `args` are needed to show how to accept it.
pub(crate) fn check(
    plan: &Plan,
    path: &Path,
    args: &PlanArgs,
    settings: &Settings,
    ui: &mut Ui,
) -> Result<Holds, Diagnostics> {
    let (reviewed, now) = (read(path)?, plan.to_string());
    let review = Review { reviewed: &reviewed, now: &now };
    if review.holds() {
        ui.note(format_args!("The plan is as reviewed: {}", path.display()));
        return Ok(Holds::Yes);
    }
    ui.data(review);
    let accept = next::accepting(path, args, settings);
    ui.note(format_args!(
        "\nThe plan is not what was reviewed. To accept the current plan:\n\n  {accept}"
    ));
    Ok(Holds::No)
}

/// Refuses a plan that differs from what was approved, if anything was.
pub(crate) fn agree(plan: &Plan, run: &RunArgs, ui: &mut Ui) -> Result<(), Diagnostics> {
    let refused = |title: String| {
        Diagnostic::error(code::NOT_APPROVED_PLAN, title)
            .help("nothing was done; plan again and review what is new")
    };
    if let Some(path) = &run.approved {
        let (reviewed, now) = (read(path)?, plan.to_string());
        let review = Review { reviewed: &reviewed, now: &now };
        if !review.holds() {
            if ui.form() == Form::Text {
                ui.data(review);
            }
            let title = format!("the plan is not what `{}` says", path.display());
            return Err(refused(title).into());
        }
    }
    match &run.expect {
        Some(expected) if *expected != plan.digest() => {
            let title = "the digest of the plan is not the expected one".to_owned();
            Err(refused(title).note(format!("it has {}", plan.digest())).into())
        }
        _ => Ok(()),
    }
}

/// Reads a snapshot.
fn read(path: &Path) -> Result<String, Diagnostics> {
    let text = stack_file::source(path)?.text;
    // A checkout with Windows line endings is the same snapshot.
    let text = text.replace("\r\n", "\n");
    let path = path.display();
    match snapshot::version(&text) {
        Some(snapshot::VERSION) => Ok(text),
        Some(other) => {
            let title = format!("`{path}` is a snapshot in version {other} of the format");
            Err(Diagnostic::error(code::FILE, title)
                .note(format!("this mirror reads and writes version {}", snapshot::VERSION))
                .help("use the mirror that wrote it, or write it again")
                .into())
        }
        None => Err(Diagnostic::error(code::FILE, format!("`{path}` is not a snapshot of a plan"))
            .help("write one with `mirror plan --write FILE`")
            .into()),
    }
}
