//! `mirror`: plans and applies AWS VPC Traffic Mirroring from one HCL file.
//!
//! The program is only the interface: what a plan is, how it is carried out and what its text says is
//! decided in the library. `cli` is what was typed, `settings` what it means, `commands` has a file for
//! each verb, `ui` is the single channel for output, `exit` the exit codes.

mod applied;
mod cli;
mod cloud;
mod commands;
mod estimates;
mod exit;
mod health;
mod inventory;
mod permissions;
mod plan_file;
mod progress;
mod screen;
mod settings;
mod shell;
mod stack_file;
mod ui;

use std::process::ExitCode;

use exit::ExitStatus;
use settings::{Environment, Settings};
use ui::Ui;

fn main() -> ExitCode {
    let environment = Environment::of_the_process();
    let cli = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return usage(&error).into(),
    };
    let settings = Settings::new(&cli.global, environment);
    settings.start_log();
    let mut ui = Ui::new(&settings);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let status = match runtime {
        Ok(runtime) => runtime.block_on(commands::run(cli.command, &settings, &mut ui)),
        Err(error) => Err(ui::file_error("the runtime cannot be started", &error).into()),
    };
    let status = status.unwrap_or_else(|diagnostics| {
        ui.diagnostics(&diagnostics);
        ExitStatus::of(&diagnostics)
    });
    ui.finish(status).into()
}

/// Reports what is wrong with the command line, or prints the help that was asked for.
fn usage(error: &clap::Error) -> ExitStatus {
    // A closed pipe is not an error.
    drop(error.print());
    if error.use_stderr() { ExitStatus::Failed } else { ExitStatus::Done }
}
