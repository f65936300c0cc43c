//! The options of `mirror verify`.

use clap::Args;

use super::StackArgs;

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) stack: StackArgs,
    /// Report what CloudWatch counted in the last minutes, 15 unless given: what sources mirrored
    /// and skipped, and what load balancers carried.
    #[arg(
        long,
        value_name = "MINUTES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "15",
        value_parser = clap::value_parser!(u16).range(1..=1440)
    )]
    pub(crate) metrics: Option<u16>,
    /// List what only packets in flight could show. None is sent.
    #[arg(long)]
    pub(crate) probe: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
