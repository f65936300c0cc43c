//! What `mirror import` and `mirror discover` are asked for.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use mirror_plan::address::Name;
use mirror_plan::resource::vpc::VpcId;

/// Where a stack is imported from.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// A state of Terraform: a stack file is written, and the list to adopt its objects with.
    Terraform(ImportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DiscoverArgs {
    /// The VPC whose objects are taken, with the mirror sessions on its instances.
    #[arg(long)]
    pub(crate) vpc: VpcId,
    /// What the stack is called, and the files: NAME.mirror.hcl and NAME.adoptions.
    #[arg(long, default_value = "discovered")]
    pub(crate) name: Name,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The state, `terraform.tfstate`.
    pub(crate) state: PathBuf,
    /// What the stack is called, and the files: NAME.mirror.hcl and NAME.adoptions.
    #[arg(long, default_value = "imported")]
    pub(crate) name: Name,
}
