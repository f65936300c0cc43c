//! The verbs, one file each.

mod adopt;
mod apply;
mod completions;
mod destroy;
mod discover;
pub(crate) mod drift;
mod explain;
mod export;
mod graph;
mod iam;
mod import;
mod init;
mod instance_types;
mod local;
mod next;
mod observe;
mod output;
mod plan;
mod rehearse;
mod report;
mod review;
mod schema;
mod show;
mod taken;
mod trace;
mod validate;
mod verify;
mod watch;

use mirror_plan::diagnostic::Diagnostics;

use crate::cli::Command;
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::ui::Ui;

/// The result of a command: a status, or diagnostics of what is wrong.
pub(crate) type Ended = Result<ExitStatus, Diagnostics>;

/// Runs a command.
pub(crate) async fn run(command: Command, settings: &Settings, ui: &mut Ui) -> Ended {
    match command {
        Command::Init(args) => init::run(&args, ui),
        Command::Validate(args) => validate::run(&args, settings, ui),
        Command::Plan(args) => plan::run(&args, settings, ui).await,
        Command::Drift(args) => drift::run(&args, settings, ui).await,
        Command::Observe(args) => observe::run(&args, settings, ui).await,
        Command::Apply(args) => apply::run(&args, settings, ui).await,
        Command::Adopt(args) => adopt::run(&args, settings, ui).await,
        Command::Discover(args) => discover::run(&args, settings, ui).await,
        Command::Import(command) => import::run(&command, settings, ui).await,
        Command::Export(command) => export::run(&command, settings, ui).await,
        Command::Destroy(args) => destroy::run(args, settings, ui).await,
        Command::Show(args) => show::run(&args, settings, ui).await,
        Command::Output(args) => output::run(&args, settings, ui).await,
        Command::Graph(args) => graph::run(&args, settings, ui),
        Command::Report(args) => report::run(&args, settings, ui).await,
        Command::Verify(args) => verify::run(&args, settings, ui).await,
        Command::Trace(args) => trace::run(&args, settings, ui).await,
        Command::Rehearse(args) => rehearse::run(&args, settings, ui).await,
        Command::Iam(args) => iam::run(&args, settings, ui).await,
        Command::Local(command) => local::run(&command, settings, ui).await,
        Command::Schema(args) => schema::run(&args, ui),
        Command::Explain(args) => explain::run(&args, ui),
        Command::InstanceTypes => instance_types::run(ui),
        Command::Completions(args) => completions::run(&args, ui),
    }
}
