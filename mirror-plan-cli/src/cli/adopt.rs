//! What `mirror adopt` is asked for.

use std::path::PathBuf;

use clap::Args;
use mirror_plan::address::Address;

use super::Variables;

#[derive(Debug, Args)]
pub(crate) struct AdoptArgs {
    /// The resource that the object becomes.
    #[arg(required_unless_present = "from", requires = "id")]
    pub(crate) address: Option<Address>,
    /// The id of the object; for Elastic Load Balancing, its ARN.
    pub(crate) id: Option<String>,
    /// Adopt everything in this file: an address and an id on each line.
    #[arg(long, value_name = "FILE", conflicts_with = "address")]
    pub(crate) from: Option<PathBuf>,
    /// The stack file, or a folder with one. [default: the one *.mirror.hcl here]
    #[arg(long)]
    pub(crate) stack: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) variables: Variables,
    /// Do not ask for approval.
    #[arg(long)]
    pub(crate) auto_approve: bool,
}
