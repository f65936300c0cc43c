//! `mirror iam`: the IAM policies that commands need for a stack.

use mirror_plan::iam::{Policy, Purpose, policies};
use mirror_plan::plan::Mode;

use super::Ended;
use crate::cli::{IamArgs, Purposes, StackArgs};
use crate::cloud;
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file::Loaded;
use crate::ui::Ui;

pub(crate) async fn run(args: &IamArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let IamArgs { stack: StackArgs { stack, variables }, purposes } = args;
    let loaded = Loaded::load(stack.as_deref(), variables, &settings.environment)?;
    let (stack, warnings) = loaded.stack()?;
    ui.diagnostics(&warnings);
    let location = cloud::location(&stack, settings).await?;
    let stack = if stack.existing.is_empty() {
        stack
    } else {
        // What the stack uses is named in its policies by id.
        let aws = cloud::connect(settings, stack.region.as_ref()).await?;
        let observed = cloud::look(&aws, (&stack, Mode::Apply), settings, ui).await?;
        stack.using(&observed)?.into_owned()
    };
    let policies = policies(&stack, &location, named(purposes));
    for policy in &policies {
        ui.data(format_args!("{policy}\n"));
    }
    if policies.len() > 1 {
        ui.note(format_args!(
            "These are {} policies, each within the {} characters that IAM takes. They belong together: \
             attach all of them.",
            policies.len(),
            Policy::LONGEST
        ));
    }
    Ok(ExitStatus::Done)
}

/// What the options ask for.
fn named(purposes: &Purposes) -> impl Iterator<Item = Purpose> {
    let Purposes { plan, metrics, apply, destroy } = *purposes;
    let given = [
        (plan, Purpose::Plan),
        (metrics, Purpose::Metrics),
        (apply, Purpose::Apply),
        (destroy, Purpose::Destroy),
    ];
    given.into_iter().filter_map(|(given, purpose)| given.then_some(purpose))
}
