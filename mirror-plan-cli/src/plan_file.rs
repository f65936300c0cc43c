//! Plan files: a plan as JSON, the same bytes for the same plan.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_plan::plan::Plan;

use crate::{stack_file, ui};

/// Writes a plan; whoever reads the file sees all of it or the file that was there before.
pub(crate) fn write(path: &Path, plan: &Plan) -> Result<(), Diagnostics> {
    let cannot = |error: &io::Error| {
        ui::file_error(format!("the plan cannot be written to `{}`", path.display()), error)
    };
    let mut text = serde_json::to_string_pretty(plan)
        .map_err(io::Error::other)
        .map_err(|error| cannot(&error))?;
    text.push('\n');
    Ok(write_whole(path, &text).map_err(|error| cannot(&error))?)
}

/// Writes a text; whoever reads the file sees all of it or the file that was there before.
pub(crate) fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = beside(path);
    let written = File::create(&unfinished).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    });
    if written.is_err() {
        // What is left of it is of no use; that it may stay is not worth a second error.
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

/// Reads a plan.
pub(crate) fn read(path: &Path) -> Result<Plan, Diagnostics> {
    let source = stack_file::source(path)?;
    let no_plan = |note: String| {
        Diagnostic::error(code::FILE, format!("`{}` is not a saved plan", path.display()))
            .note(note)
    };
    let json: serde_json::Value =
        serde_json::from_str(&source.text).map_err(|error| no_plan(error.to_string()))?;
    let format = json.get("format").and_then(serde_json::Value::as_u64);
    if format.is_some_and(|format| format != u64::from(Plan::FORMAT)) {
        return Err(no_plan("it was written by another version of mirror".to_owned())
            .help("plan again with this version")
            .into());
    }
    Ok(serde_json::from_value(json).map_err(|error| no_plan(error.to_string()))?)
}
