//! `mirror init`: a stack file to start from.

use std::fs;
use std::io::{self, Write as _};

use mirror_plan::code;
use mirror_plan::diagnostic::Diagnostic;

use super::{Ended, next};
use crate::cli::InitArgs;
use crate::exit::ExitStatus;
use crate::stack_file;
use crate::ui::{self, Ui};

/// The reference stack. A test asserts that it equals the one in `examples/`.
const LAB: &str = include_str!("../lab.mirror.hcl");
/// The name of its file.
const NAME: &str = "lab.mirror.hcl";

pub(crate) fn run(args: &InitArgs, ui: &mut Ui) -> Ended {
    let InitArgs { folder } = args;
    let path = if folder.as_os_str() == "." { NAME.into() } else { folder.join(NAME) };
    let cannot = |error: &io::Error| {
        ui::file_error(format!("`{}` cannot be written", path.display()), error)
    };
    fs::create_dir_all(folder).map_err(|error| cannot(&error))?;
    if let Some(other) = stack_file::stack_files(folder)?.first() {
        let title = format!("a stack file already exists: `{}`", other.display());
        return Err(Diagnostic::error(code::FILE, title)
            .help("use it, or name another folder: mirror init FOLDER")
            .into());
    }
    let mut file = fs::File::create_new(&path).map_err(|error| cannot(&error))?;
    file.write_all(LAB.as_bytes()).map_err(|error| cannot(&error))?;
    ui.data(format_args!("{}\n", path.display()));
    let plan = next::trying(folder);
    ui.note(format_args!("Written. To see what it would create, without an AWS account: {plan}"));
    Ok(ExitStatus::Done)
}
