//! What a plan is estimated to cost and to take, as far as that was asked for.

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

/// How long earlier runs took. What a local AWS takes says nothing of the real one, and that is what
/// whoever plans with it wants to know.
fn experience(plan: &Plan, settings: &Settings, ui: &mut Ui) -> Experience {
    match settings.place {
        Place::Aws => applied::read(plan, settings, ui).map(|left| left.took).unwrap_or_default(),
        Place::Local(_) => Experience::default(),
    }
}
