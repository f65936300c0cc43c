//! Options of estimates.

use clap::Args;
use mirror_plan::scalar::BitRate;

/// What a plan is estimated to cost and to take.
#[derive(Debug, Args)]
pub(crate) struct EstimateArgs {
    /// Do not estimate the monthly cost.
    #[arg(long)]
    pub(crate) no_cost: bool,
    /// Do not estimate how long the apply takes.
    #[arg(long)]
    pub(crate) no_time: bool,
    /// Traffic to assume for each session in the estimate of the cost, such as 10mbit. [default: none]
    #[arg(long, value_name = "RATE", conflicts_with = "no_cost")]
    pub(crate) load: Option<BitRate>,
}
