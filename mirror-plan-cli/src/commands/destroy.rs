//! `mirror destroy`: removes everything that belongs to a stack.

use mirror_plan::diagnostic::Severity;
use mirror_plan::plan::Mode;

use super::Ended;
use super::apply::{Asked, plan_and_apply};
use super::plan::request;
use crate::cli::{DestroyArgs, Selection, StackArgs};
use crate::settings::Settings;
use crate::ui::{Form, Ui};

pub(crate) async fn run(args: DestroyArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let DestroyArgs { stack: StackArgs { stack, variables }, target, run } = args;
    ui.set_form(Form::from(run.json));
    let request = request(Mode::Destroy, &Selection { target, replace: Vec::new() });
    let asked = Asked { request: &request, least: Severity::Error };
    plan_and_apply(stack.as_deref(), &variables, asked, (&run, settings), ui).await
}
