//! `mirror validate`: whether a stack file is valid, without AWS.

use mirror_plan::diagnostic::Diagnostics;
use mirror_plan::render::diagnostic;
use mirror_plan::stack::Stack;

use super::Ended;
use crate::cli::{DiagnosticFormat, ValidateArgs};
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file::Loaded;
use crate::ui::Ui;

pub(crate) fn run(args: &ValidateArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let ValidateArgs { stack, format, fix, strictness } = args;
    let loaded = Loaded::load(stack.stack.as_deref(), &stack.variables, &settings.environment);
    let loaded = match loaded {
        Ok(loaded) if *fix => mend(loaded, ui),
        loaded => loaded,
    };
    let (stack, found) = match &loaded {
        Ok(loaded) => loaded.checked(),
        Err(errors) => (None, errors.clone()),
    };
    let failed = found.iter().any(|found| found.severity <= strictness.least());
    if let (Ok(Loaded { path, .. }), Some(stack), false, DiagnosticFormat::Human) =
        (&loaded, &stack, failed, *format)
    {
        ui.data(format_args!("Success! {} is valid: {}.\n", path.display(), sizes(stack)));
    }
    tell(&found, *format, ui);
    Ok(if failed { ExitStatus::Failed } else { ExitStatus::Done })
}

/// Makes the proposed edits, and reports in which file.
fn mend(mut loaded: Loaded, ui: &mut Ui) -> Result<Loaded, Diagnostics> {
    let edits = loaded.mend()?;
    if edits > 0 {
        let plural = if edits == 1 { "" } else { "s" };
        ui.note(format_args!("Fixed {}: {edits} edit{plural}.", loaded.path.display()));
    }
    Ok(loaded)
}

fn tell(found: &Diagnostics, format: DiagnosticFormat, ui: &mut Ui) {
    match format {
        DiagnosticFormat::Human => ui.diagnostics(found),
        DiagnosticFormat::Json => ui.data(diagnostic::json(found)),
        DiagnosticFormat::Github => ui.data(diagnostic::github(found)),
    }
}

/// `17 resources, 1 output`.
fn sizes(stack: &Stack) -> String {
    let count = |number: usize, noun: &str| {
        let plural = if number == 1 { "" } else { "s" };
        format!("{number} {noun}{plural}")
    };
    let Stack { resources, outputs, .. } = stack;
    format!("{}, {}", count(resources.len(), "resource"), count(outputs.len(), "output"))
}
