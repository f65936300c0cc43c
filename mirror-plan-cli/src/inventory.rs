//! Inventories: files that stand in for AWS when it is not available.

use std::io;
use std::path::Path;

use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_plan::observed::Observed;
use mirror_plan::stack::Stack;

use crate::settings::Settings;
use crate::{plan_file, stack_file, ui};

/// The account of a plan that is made without one, if the stack does not name one.
const NO_ACCOUNT: &str = "000000000000";

/// Writes what was observed.
pub(crate) fn write(path: &Path, observed: &Observed) -> Result<(), Diagnostics> {
    let cannot = |error: &io::Error| {
        ui::file_error(format!("the inventory cannot be written to `{}`", path.display()), error)
    };
    let mut text = serde_json::to_string_pretty(observed)
        .map_err(io::Error::other)
        .map_err(|error| cannot(&error))?;
    text.push('\n');
    Ok(plan_file::write_whole(path, &text).map_err(|error| cannot(&error))?)
}

/// Reads what was observed.
pub(crate) fn read(path: &Path) -> Result<Observed, Diagnostics> {
    Observed::from_inventory(&stack_file::source(path)?.text).map_err(|wrong| {
        let named = |found: Diagnostic| found.note(format!("in `{}`", path.display()));
        wrong.into_iter().map(named).collect()
    })
}

/// An empty account in the stack's Region.
pub(crate) fn nothing(stack: &Stack, settings: &Settings) -> Result<Observed, Diagnostics> {
    let named = settings.region.as_deref();
    let region = match (named, &stack.region, settings.region_of_environment()) {
        (Some(text), _, _) | (None, None, Some(text)) => text.parse().map_err(|error| {
            Diagnostic::error(code::CREDENTIALS, format!("`{text}` is not a Region: {error}"))
        })?,
        (None, Some(region), _) => region.clone(),
        (None, None, None) => {
            return Err(Diagnostic::error(code::CREDENTIALS, "no Region is set")
                .help("name one: `region` in the `stack` block, --region, or AWS_REGION")
                .into());
        }
    };
    let account = stack.account.clone();
    let account = account.unwrap_or_else(|| NO_ACCOUNT.parse().expect("twelve digits"));
    Ok(Observed::nothing(account, region))
}
