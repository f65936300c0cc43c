//! The record of the last apply, in a file beside the journals; it distinguishes drift from edits.

use std::fs;
use std::io;
use std::path::PathBuf;

use mirror_plan::drift::Applied;
use mirror_plan::event::Report;
use mirror_plan::plan::Plan;

use crate::plan_file::write_whole;
use crate::settings::Settings;
use crate::ui::Ui;

/// Reads the record that the last apply of the plan's stack left. A record that cannot be read counts
/// as none: all that is lost is the distinction between drift and edits.
pub(crate) fn read(plan: &Plan, settings: &Settings, ui: &mut Ui) -> Option<Applied> {
    let path = path(plan, settings);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        read => read,
    };
    let record = text
        .map_err(|error| error.to_string())
        .and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
    match record {
        Ok(record @ Applied { format: Applied::FORMAT, .. }) => Some(record),
        Ok(_) => None,
        Err(error) => {
            let path = path.display();
            ui.note(format_args!(
                "The record of the last apply, {path}, cannot be read: {error}\n"
            ));
            None
        }
    }
}

/// Records what an apply left.
pub(crate) fn write(plan: &Plan, report: &Report, settings: &Settings, ui: &mut Ui) {
    let earlier = read(plan, settings, ui);
    let now = jiff::Timestamp::now();
    let second = now.round(jiff::Unit::Second).unwrap_or(now);
    let record = Applied::after(earlier, plan, report, second);
    let path = path(plan, settings);
    let written = serde_json::to_string(&record)
        .map_err(io::Error::other)
        .and_then(|text| fs::create_dir_all(settings.journals()).map(|()| text))
        .and_then(|text| write_whole(&path, &format!("{text}\n")));
    if let Err(error) = written {
        let path = path.display();
        ui.note(format_args!(
            "\nThe record of this apply cannot be written to {path}: {error}\n\
             `mirror drift` will take edits of the stack file for drift."
        ));
    }
}

fn path(plan: &Plan, settings: &Settings) -> PathBuf {
    let Plan { stack, account, region, .. } = plan;
    settings.journals().join(format!("{stack}.{account}.{region}.applied"))
}
