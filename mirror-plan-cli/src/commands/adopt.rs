//! `mirror adopt`: takes objects that somebody else created into a stack.

use std::path::Path;
use std::sync::Arc;

use mirror_plan::address::Address;
use mirror_plan::apply::Journal;
use mirror_plan::apply::adopt::adopt;
use mirror_plan::aws::{Aws, Wanted};
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_plan::id::ObjectId;
use mirror_plan::observed::Observed;
use mirror_plan::plan::{Mode, plan_adopting};
use mirror_plan::render::adoptions::Adoptions;
use mirror_plan::resource::id_of;
use mirror_plan::stack::Stack;

use super::Ended;
use crate::cli::AdoptArgs;
use crate::cloud;
use crate::exit::ExitStatus;
use crate::settings::{Input, Settings};
use crate::stack_file::{self, Loaded};
use crate::ui::{self, Ui};

/// An address and the id of the object that it is to stand for.
type Wanting = (Address, ObjectId);

pub(crate) async fn run(args: &AdoptArgs, settings: &Settings, ui: &mut Ui) -> Ended {
    let AdoptArgs { address, id, from, stack, variables, auto_approve } = args;
    let loaded = Loaded::load(stack.as_deref(), variables, &settings.environment)?;
    let wanted = match (from, address, id) {
        (Some(path), _, _) => listed(path)?,
        (None, Some(address), Some(id)) => vec![wanting(address, id)?],
        (None, _, _) => Vec::new(), // The command line asks for one or the other.
    };
    if !auto_approve && settings.input == Input::Nobody {
        let title = "nobody can approve: the input is not a terminal, or MIRROR_INPUT is 0";
        let refused = Diagnostic::error(code::NOT_APPROVED, title);
        return Err(refused.help("pass --auto-approve").into());
    }
    let (stack, warnings) = loaded.stack()?;
    ui.diagnostics(&warnings);
    let aws = cloud::connect_for(settings, &stack).await?;
    let place = (&stack.name, stack.coordination.as_ref());
    let journal = cloud::take(&aws, place, ("adopt", settings), ui).await?;
    let asks = if *auto_approve { Asks::No } else { Asks::Yes };
    let ended = adopt_in(&stack, (wanted, asks), (&aws, &journal), ui).await;
    cloud::release(&journal).await;
    ended
}

/// Whether the user is asked for approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    Yes,
    No,
}

async fn adopt_in(
    stack: &Stack,
    (wanted, asks): (Vec<Wanting>, Asks),
    (aws, journal): (&Aws, &Arc<Journal>),
    ui: &mut Ui,
) -> Ended {
    let images = stack.images();
    let to_plan = Wanted::to_plan(stack, &images, Mode::Apply);
    let observed = cloud::settle((aws, journal), to_plan, Mode::Apply, ui).await?;
    let (done, left) = parted(wanted, &observed);
    for (address, id) in &done {
        ui.note(format_args!("{address}: {id} is already adopted"));
    }
    if left.is_empty() {
        return Ok(ExitStatus::Done);
    }
    let adoptions = cloud::candidates(aws, &stack.name, &left, ui).await?;
    let plan = plan_adopting(stack, &observed, &adoptions)?;
    let shown = Adoptions { stack: stack.name.as_str(), adoptions: &adoptions };
    ui.data(format_args!("{shown}\nAfter that, a plan shows:\n\n"));
    ui.data(ui.text_of(&plan));
    if asks == Asks::Yes {
        let question = "\nDo you want to adopt?\n  Only 'yes' will be accepted to approve.\n\n  \
                        Enter a value: ";
        let answer = ui.ask(question);
        let cannot = |error| ui::file_error("the answer cannot be read", &error);
        if answer.map_err(cannot)? != "yes" {
            ui.note("\nAdoption cancelled.");
            return Ok(ExitStatus::Failed);
        }
        // The user may have taken an hour to answer.
        if cloud::candidates(aws, &stack.name, &left, ui).await? != adoptions {
            let stale = Diagnostic::error(code::STALE_PLAN, "what is to be adopted has changed");
            return Err(stale.help("nothing was done; run it again and review it again").into());
        }
    }
    for adoption in &adoptions {
        cloud::adopted(adopt(aws, journal, &stack.name, adoption).await, adoption)?;
        ui.note(format_args!("{}: Adopted [id={}]", adoption.address, adoption.found.id));
    }
    ui.data(format_args!("\nAdoption complete! Resources: {} adopted.\n", adoptions.len()));
    Ok(ExitStatus::Done)
}

/// Splits into what an earlier run has adopted and what is left.
fn parted(wanted: Vec<Wanting>, observed: &Observed) -> (Vec<Wanting>, Vec<Wanting>) {
    let is_done = |(address, id): &Wanting| {
        let current = observed.current(address);
        current.is_some_and(|found| found.id == *id)
    };
    wanted.into_iter().partition(is_done)
}

/// Parses an id according to the kind of its address.
fn wanting(address: &Address, id: &str) -> Result<Wanting, Diagnostics> {
    let id = id_of(address.kind, id).map_err(|error| {
        let wrong = Diagnostic::error(code::NOT_ADOPTED, error.to_string()).of(address);
        wrong.note(format!("`{address}` is of kind {}", address.kind.title()))
    })?;
    Ok((address.clone(), id))
}

/// Reads a list with an address and an id on each line; blank lines and lines that begin with `#` are
/// ignored.
fn listed(path: &Path) -> Result<Vec<Wanting>, Diagnostics> {
    let source = stack_file::source(path)?;
    let (mut wanted, mut wrong) = (Vec::new(), Diagnostics::new());
    for (number, line) in source.text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let read = match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            [address, id] => match address.parse::<Address>() {
                Ok(address) => wanting(&address, id),
                Err(error) => Err(Diagnostic::error(code::NOT_ADOPTED, error.to_string()).into()),
            },
            _ => {
                Err(Diagnostic::error(code::NOT_ADOPTED, "a line must be an address and an id")
                    .into())
            }
        };
        match read {
            Ok(one) => wanted.push(one),
            Err(found) => wrong.extend(found.into_iter().map(|found| {
                found.note(format!("line {} of `{}`: {line}", number + 1, source.name))
            })),
        }
    }
    wrong.unless_errors(wanted).map(|(wanted, _)| wanted)
}
