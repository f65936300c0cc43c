//! What `mirror import` is asked for.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use mirror_plan::address::Name;

/// Where a stack is imported from.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// A state of Terraform: a stack file is written, and the list to adopt its objects with.
    Terraform(ImportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The state, `terraform.tfstate`.
    pub(crate) state: PathBuf,
    /// What the stack is called, and the files: NAME.mirror.hcl and NAME.adoptions.
    #[arg(long, default_value = "imported")]
    pub(crate) name: Name,
}
