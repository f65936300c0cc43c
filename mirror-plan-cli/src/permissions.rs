//! What AWS says about permissions for the calls of a plan, as far as that was requested.

use std::time::Duration;

use mirror_plan::aws::{Aws, check_permissions};
use mirror_plan::diagnostic::Diagnostics;
use mirror_plan::iam::Location;
use mirror_plan::observed::Observed;
use mirror_plan::permission::{self, Permissions};
use mirror_plan::plan::Plan;
use mirror_plan::render::json;
use mirror_plan::render::permission::Asked;
use mirror_plan::stack::Stack;

use crate::settings::{Place, Settings};
use crate::ui::{Form, Ui};

/// Asking that takes less time is not announced.
const WORTH_TELLING: Duration = Duration::from_secs(10);

/// Asks AWS about every call of a plan, and announces it first if it takes long.
pub(crate) async fn ask(aws: &Aws, plan: &Plan, settings: &Settings, ui: &mut Ui) -> Permissions {
    let time = permission::time_to_ask(plan);
    if matches!(settings.place, Place::Aws) && time >= WORTH_TELLING {
        ui.note(format_args!(
            "Asking AWS about each call takes {} seconds at the rates that it allows.",
            time.as_secs()
        ));
    }
    check_permissions(aws, plan).await
}

/// The denials among the answers.
pub(crate) fn findings(asked: &Permissions, stack: &Stack, observed: &Observed) -> Diagnostics {
    let (account, region) = (observed.account.clone(), observed.region.clone());
    permission::findings(asked, stack, &Location { account, region })
}

/// Prints the answers of AWS.
pub(crate) fn show(asked: &Permissions, ui: &mut Ui) {
    match ui.form() {
        Form::Json => ui.line(json::permissions(asked)),
        Form::Text => ui.data(Asked(asked)),
    }
}
