//! `mirror explain`: the long text of a code.

use mirror_plan::code;
use mirror_plan::diagnostic::Diagnostic;

use super::Ended;
use crate::cli::ExplainArgs;
use crate::exit::ExitStatus;
use crate::ui::Ui;

pub(crate) fn run(args: &ExplainArgs, ui: &mut Ui) -> Ended {
    let ExplainArgs { code } = args;
    match code::explain(code) {
        Some(code::Entry { code, title, text, finding }) => {
            let text: Vec<&str> = text.lines().map(str::trim).collect();
            ui.data(format_args!("{code}: {title}\n\n{}\n", text.join("\n").trim()));
            if let Some(finding) = finding {
                ui.data(format_args!("\n{finding}\n"));
            }
            Ok(ExitStatus::Done)
        }
        None => {
            let last = code::all().last().map(|entry| entry.code.0).unwrap_or_default();
            Err(Diagnostic::error(code::UNKNOWN_NAME, format!("there is no code `{code}`"))
                .note(format!("codes are MP and four digits, up to {last}"))
                .into())
        }
    }
}
