//! What a plan is asked for with, and how it is printed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{EstimateArgs, Selection, StackArgs, StrictnessArgs};

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) stack: StackArgs,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Plan to delete everything.
    #[arg(long)]
    pub(crate) destroy: bool,
    #[command(flatten)]
    pub(crate) sight: SightArgs,
    /// Ask AWS whether each call is allowed, without making it; fail if one is not.
    #[arg(long, conflicts_with_all = ["offline", "inventory"])]
    pub(crate) check_permissions: bool,
    #[command(flatten)]
    pub(crate) review: ReviewArgs,
    #[command(flatten)]
    pub(crate) strictness: StrictnessArgs,
    #[command(flatten)]
    pub(crate) result: ResultArgs,
    #[command(flatten)]
    pub(crate) estimates: EstimateArgs,
    #[command(flatten)]
    pub(crate) form: FormArgs,
    #[command(flatten)]
    pub(crate) hidden: HiddenArgs,
}

/// What is shown only to who asks for it.
#[derive(Debug, Args)]
pub(crate) struct HiddenArgs {
    /// Show user data in clear, line by line where it changes, unless it contains a sensitive value.
    #[arg(long, conflicts_with_all = ["json", "format", "check"])]
    pub(crate) show_user_data: bool,
}

/// Where the cloud is seen.
#[derive(Debug, Args)]
pub(crate) struct SightArgs {
    /// Plan without AWS, as if the account were empty.
    #[arg(long)]
    pub(crate) offline: bool,
    /// Plan without AWS, from this file that `mirror observe` wrote.
    #[arg(long, value_name = "FILE")]
    pub(crate) inventory: Option<PathBuf>,
}

/// Plans as texts that are reviewed.
#[derive(Debug, Args)]
pub(crate) struct ReviewArgs {
    /// Write the snapshot: the plan as text, to review and to keep.
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// Compare the plan with a snapshot; print the difference and exit with 2 if there is one.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["write", "json", "format"])]
    pub(crate) check: Option<PathBuf>,
}

/// What becomes of a plan.
#[derive(Debug, Args)]
pub(crate) struct ResultArgs {
    /// Save the plan, to apply exactly this plan later.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Exit with 2 if the plan has changes.
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// Print the plan as a stream of JSON objects.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a plan is printed.
#[derive(Debug, Args)]
pub(crate) struct FormArgs {
    /// The form in which the plan is printed.
    #[arg(long, value_enum, default_value_t, conflicts_with = "json")]
    pub(crate) format: PlanFormat,
    /// Put the time into Terraform's JSON; its bytes then differ from run to run.
    #[arg(long)]
    pub(crate) timestamp: bool,
}

/// The form in which a plan is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// For people.
    #[default]
    Text,
    /// The JSON of `terraform show -json`, for programs that read it.
    Tfjson,
    /// A comment for a pull request: deletions first, the rest folded.
    Markdown,
}
