//! What AWS says of the calls of a plan, as far as that was asked for.

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

/// What takes less is not worth a word.
const WORTH_TELLING: Duration = Duration::from_secs(10);

/// Asks AWS of every call of a plan, and says so before if that takes long.
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

/// The denials among what was asked.
pub(crate) fn findings(asked: &Permissions, stack: &Stack, observed: &Observed) -> Diagnostics {
    let (account, region) = (observed.account.clone(), observed.region.clone());
    permission::findings(asked, stack, &Location { account, region })
}

/// Prints what AWS says.
pub(crate) fn show(asked: &Permissions, ui: &mut Ui) {
    match ui.form() {
        Form::Json => ui.line(json::permissions(asked)),
        Form::Text => ui.data(Asked(asked)),
    }
}
