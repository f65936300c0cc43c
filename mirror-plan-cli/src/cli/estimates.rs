//! Options of estimates.

use clap::Args;
use mirror_plan::scalar::BitRate;

/// What a plan is estimated to cost and to take.
#[derive(Debug, Args)]
pub(crate) struct EstimateArgs {
    /// Do not estimate what a month costs.
    #[arg(long)]
    pub(crate) no_cost: bool,
    /// Do not estimate how long the apply takes.
    #[arg(long)]
    pub(crate) no_time: bool,
    /// What each session is taken to mirror all the time, such as 10mbit. [default: nothing]
    #[arg(long, value_name = "RATE", conflicts_with = "no_cost")]
    pub(crate) load: Option<BitRate>,
}
