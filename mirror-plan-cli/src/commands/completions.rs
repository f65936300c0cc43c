//! `mirror completions`: completions for a shell.

use clap::CommandFactory as _;

use super::Ended;
use crate::cli::{Cli, CompletionsArgs};
use crate::exit::ExitStatus;
use crate::ui::Ui;

pub(crate) fn run(args: &CompletionsArgs, ui: &mut Ui) -> Ended {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "mirror", &mut script);
    ui.data(String::from_utf8_lossy(&script));
    Ok(ExitStatus::Done)
}
