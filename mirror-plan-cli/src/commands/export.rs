//! `mirror export`: the stack in the language of another tool.

use std::fs;
use std::path::{Path, PathBuf};

use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_plan::plan::Mode;
use mirror_plan::render::terraform::Export;

use super::Ended;
use super::plan::Seen;
use super::taken::write_new;
use crate::cli::{ExportArgs, ExportCommand, StackArgs};
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file::Loaded;
use crate::ui::{self, Ui};

/// The files that are written into a folder.
const FILES: [&str; 2] = ["main.tf", "imports.tf"];

pub(crate) async fn run(command: &ExportCommand, settings: &Settings, ui: &mut Ui) -> Ended {
    let ExportCommand::Terraform(ExportArgs { stack, out, sight }) = command;
    let StackArgs { stack, variables } = stack;
    let files = out.as_deref().map(free).transpose()?;
    let (stack, warnings) =
        Loaded::load(stack.as_deref(), variables, &settings.environment)?.stack()?;
    ui.diagnostics(&warnings);
    let observed = Seen::of(sight, (&stack, Mode::Apply), settings, ui).await?.observed;
    let export = Export::of(&stack, &observed)?;
    for line in &export.left {
        ui.note(format_args!("Not exported: {line}"));
    }
    match &files {
        None => ui.data(&export),
        Some(files) => write(&export, files, ui)?,
    }
    Ok(ExitStatus::Done)
}

/// The paths of the files in a folder, where none of them may exist yet.
fn free(folder: &Path) -> Result<[PathBuf; 2], Diagnostics> {
    let files = FILES.map(|name| folder.join(name));
    match files.iter().find(|file| file.exists()) {
        None => Ok(files),
        Some(there) => {
            let title = format!("`{}` already exists", there.display());
            Err(Diagnostic::error(code::FILE, title).help("name another folder: --out DIR").into())
        }
    }
}

fn write(export: &Export, [main, imports]: &[PathBuf; 2], ui: &mut Ui) -> Result<(), Diagnostics> {
    if let Some(folder) = main.parent() {
        fs::create_dir_all(folder).map_err(|error| {
            ui::file_error(format!("`{}` cannot be created", folder.display()), &error)
        })?;
    }
    write_new(main, &export.configuration)?;
    ui.note(format_args!("Wrote {}.", main.display()));
    if !export.imports.is_empty() {
        write_new(imports, &export.imports)?;
        ui.note(format_args!("Wrote {}: the existing objects, to be imported.", imports.display()));
    }
    Ok(())
}
