//! Plan files: a plan as JSON, with the same bytes for the same plan.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_plan::plan::{Plan, SavedPlanError};

use crate::ui;

/// Writes a plan; a reader of the file sees either all of it or the previous file.
pub(crate) fn write(path: &Path, plan: &Plan) -> Result<(), Diagnostics> {
    let cannot = |error: &io::Error| {
        ui::file_error(format!("the plan cannot be written to `{}`", path.display()), error)
    };
    Ok(write_whole(path, &plan.to_saved()).map_err(|error| cannot(&error))?)
}

/// Writes a text; a reader of the file sees either all of it or the previous file.
pub(crate) fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = beside(path);
    let written = File::create(&unfinished).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    });
    if written.is_err() {
        // The unfinished file is of no use; if it stays, that is not worth a second error.
        drop(fs::remove_file(&unfinished));
    }
    written
}

/// A name in the same folder, so that a rename suffices.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.unfinished", std::process::id()));
    path.with_file_name(name)
}

/// Reads a plan, and refuses a file that was changed after it was written.
pub(crate) fn read(path: &Path) -> Result<Plan, Diagnostics> {
    let name = path.display();
    let bytes = fs::read(path)
        .map_err(|error| ui::file_error(format!("`{name}` cannot be read"), &error))?;
    let no_plan = |note: String| {
        Diagnostic::error(code::FILE, format!("`{name}` is not a saved plan")).note(note)
    };
    Ok(Plan::from_saved(&bytes).map_err(|error| match &error {
        SavedPlanError::Unreadable(error) => no_plan(error.to_string()),
        SavedPlanError::OtherFormat(_) => {
            no_plan(error.to_string()).help("plan again with this version")
        }
        SavedPlanError::NoDigest
        | SavedPlanError::WrongDigest(_)
        | SavedPlanError::Changed { .. } => {
            Diagnostic::error(code::CHANGED_PLAN, format!("`{name}` has been changed"))
                .note(error.to_string())
                .help("nothing was done; to change a plan, change the stack and plan again")
        }
    })?)
}
