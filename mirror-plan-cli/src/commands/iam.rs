//! `mirror iam`: the IAM policies that commands need for a stack.

use mirror_plan::apply::recover::Next;
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_plan::iam::{Policy, Purpose, policies, policies_as};
use mirror_plan::plan::Mode;
use mirror_plan::scalar::{AccountId, AccountName};
use mirror_plan::stack::Stack;

use super::Ended;
use crate::cli::{IamArgs, Purposes, StackArgs};
use crate::cloud::{self, Others};
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file::Loaded;
use crate::ui::Ui;

pub(crate) async fn run(args: &IamArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let IamArgs { stack: StackArgs { stack, variables }, purposes, account } = args;
    let loaded = Loaded::load(stack.as_deref(), variables, &settings.environment)?;
    let (stack, warnings) = loaded.stack()?;
    ui.diagnostics(&warnings);
    let location = cloud::location(&stack, settings).await?;
    let stack = with_ids(stack, settings, ui).await?;
    let policies = match account {
        None => policies(&stack, &location, named(purposes)),
        Some(name) => {
            let (name, account) = other(&stack, name)?;
            policies_as(&stack, &location, (name, &account), named(purposes))
        }
    };
    if policies.is_empty() {
        ui.note(format_args!("Nothing: that account is not asked for anything."));
    }
    for policy in &policies {
        ui.data(format_args!("{policy}\n"));
    }
    if policies.len() > 1 {
        ui.note(format_args!(
            "These are {} policies, each within the {} characters that IAM allows. They belong together: \
             attach all of them.",
            policies.len(),
            Policy::LONGEST
        ));
    }
    Ok(ExitStatus::Done)
}

/// The stack with ids in place of its references to objects that it uses in its own account. Other
/// accounts are not read, since the policies printed here may have to be granted there first.
async fn with_ids(stack: Stack, settings: &Settings, ui: &mut Ui) -> Result<Stack, Diagnostics> {
    let mut here = stack.in_one_account();
    here.existing = stack.existing.clone();
    here.existing.retain(|_, existing| existing.selector.account.is_none());
    if here.existing.is_empty() {
        return Ok(stack);
    }
    let aws = cloud::connect(settings, stack.region.as_ref(), &Others::NONE).await?;
    let observed = cloud::look(&aws, (&here, Next::Plan(Mode::Apply)), settings, ui).await?;
    Ok(stack.using_what_was_seen(&observed)?.into_owned())
}

/// The `aws` block with a name, and the account that it stands for.
fn other<'s>(stack: &'s Stack, name: &str) -> Result<(&'s AccountName, AccountId), Diagnostics> {
    let names = || stack.accounts.keys().map(|name| name.name().as_str());
    let Some((name, account)) = stack.accounts.iter().find(|(it, _)| it.name().as_str() == name)
    else {
        let title = format!("the stack declares no `aws.{name}`");
        let found = Diagnostic::error(code::NO_SUCH_RESOURCE, title);
        let all: Vec<String> = names().map(|name| format!("`{name}`")).collect();
        return Err(match all.as_slice() {
            [] => found.help("`--as` is for stacks with an `aws` block: omit it").into(),
            all => found.help(format!("it declares {}", all.join(", "))).into(),
        });
    };
    let id = account.of.id().ok_or_else(|| {
        let head = account.place.as_ref().map(|place| place.head.clone());
        Diagnostic::error(code::MISSING_ATTRIBUTE, format!("`{name}` does not name its account"))
            .at(head, "declared here")
            .help("add the account: `account = \"444455556666\"`")
    })?;
    Ok((name, id))
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
