//! `mirror instance-types`: which instance types can be mirrored, and the date of that information.

use mirror_plan::render::instance_types::InstanceTypes;

use super::Ended;
use crate::exit::ExitStatus;
use crate::ui::Ui;

pub(crate) fn run(ui: &mut Ui) -> Ended {
    ui.data(InstanceTypes);
    Ok(ExitStatus::Done)
}
