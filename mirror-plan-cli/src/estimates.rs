//! The estimated cost and duration of a plan, as far as they were requested.

use mirror_plan::plan::{Experience, Plan};
use mirror_plan::render::estimate::Estimates;

use crate::applied;
use crate::cli::EstimateArgs;
use crate::settings::{Place, Settings};
use crate::ui::Ui;

/// The estimates of a plan.
pub(crate) fn of(plan: &Plan, args: &EstimateArgs, settings: &Settings, ui: &mut Ui) -> Estimates {
    let EstimateArgs { no_cost, no_time, load } = args;
    if plan.is_empty() {
        return Estimates::default();
    }
    let cost = (!no_cost).then(|| plan.monthly_cost(*load));
    let time = (!no_time).then(|| plan.apply_time(&experience(plan, settings, ui)));
    Estimates { cost, time }
}

/// How long earlier runs took. Runs on a local AWS say nothing about the real one, which is what a user who
/// plans with a local AWS wants to know about.
fn experience(plan: &Plan, settings: &Settings, ui: &mut Ui) -> Experience {
    match settings.place {
        Place::Aws => applied::read(plan, settings, ui).map(|left| left.took).unwrap_or_default(),
        Place::Local(_) => Experience::default(),
    }
}
