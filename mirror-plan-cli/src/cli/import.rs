//! What `mirror import` and `mirror discover` are asked for.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use mirror_plan::address::Name;
use mirror_plan::resource::vpc::VpcId;

/// Where a stack is imported from.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Read a Terraform state, and write a stack file and the list to adopt its objects with.
    Terraform(ImportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DiscoverArgs {
    /// The VPC whose objects are written, with the mirror sessions on its instances.
    #[arg(long)]
    pub(crate) vpc: VpcId,
    /// The name of the stack and of the files NAME.mirror.hcl and NAME.adoptions.
    #[arg(long, default_value = "discovered")]
    pub(crate) name: Name,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The Terraform state, `terraform.tfstate`.
    pub(crate) state: PathBuf,
    /// The name of the stack and of the files NAME.mirror.hcl and NAME.adoptions.
    #[arg(long, default_value = "imported")]
    pub(crate) name: Name,
}
