//! `mirror import`: a stack file for objects that another tool has created.

use mirror_plan::address::{Address, Name};
use mirror_plan::aws::{Aws, candidates};
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics};
use mirror_plan::id::ObjectId;
use mirror_plan::import::terraform::TerraformState;
use mirror_plan::plan::Adoption;

use super::Ended;
use super::taken::{Files, Taken};
use crate::cli::{ImportArgs, ImportCommand};
use crate::cloud::{self, Others};
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::stack_file;
use crate::ui::Ui;

pub(crate) async fn run(command: &ImportCommand, settings: &Settings, ui: &mut Ui) -> Ended {
    let ImportCommand::Terraform(ImportArgs { state, name }) = command;
    let files = Files::of(name)?;
    let state = TerraformState::parse(&stack_file::source(state)?.text)?;
    let aws = cloud::connect(settings, None, &Others::NONE).await?;
    let (adoptions, gone) = read(&aws, name, &state).await?;
    if adoptions.is_empty() {
        state.left.iter().chain(&gone).for_each(|line| ui.note(format_args!("Left out: {line}")));
        return Err(Diagnostic::error(
            code::IMPORT,
            "nothing in the state can be taken into a stack",
        )
        .into());
    }
    let taken = Taken::of(name, &aws, adoptions).await?;
    tell(&state, &gone, &taken, ui);
    files.write(&taken, settings, ui)?;
    Ok(ExitStatus::Done)
}

/// The objects that the state names, and a line for each that cannot be taken over.
async fn read(
    aws: &Aws,
    name: &Name,
    state: &TerraformState,
) -> Result<(Vec<Adoption>, Vec<String>), Diagnostics> {
    let wanted: Vec<(Address, ObjectId)> =
        state.taken().map(|(_, address, id)| (address.clone(), id.clone())).collect();
    let (adoptions, told) = cloud::looked_at(candidates(aws, name.as_str(), &wanted).await)?;
    let lines = told.into_iter().map(|found| {
        let of = state.taken().find(|(_, address, _)| Some(*address) == found.address.as_ref());
        match of {
            Some((from, _, _)) => format!("{from}: {}", found.title),
            None => found.title,
        }
    });
    Ok((adoptions, lines.collect()))
}

/// Reports what is taken over, what is not, and what a plan will report.
fn tell(state: &TerraformState, gone: &[String], taken: &Taken, ui: &mut Ui) {
    for (from, address, id) in state.taken() {
        if taken.observed.owned.contains_key(address) {
            ui.data(format_args!("{from} -> {address} ({id})\n"));
        }
    }
    let untold = state.untold(&taken.observed);
    for line in state.left.iter().chain(gone).chain(&untold) {
        ui.note(format_args!("Left out: {line}"));
    }
    taken.tell(ui);
}
