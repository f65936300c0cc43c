//! What `mirror export` is asked for.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{SightArgs, StackArgs};

/// Where a stack is exported to.
#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// Write a Terraform configuration, with import blocks for existing objects.
    Terraform(ExportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) stack: StackArgs,
    /// Write main.tf and imports.tf into this folder instead of printing them.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) sight: SightArgs,
}
