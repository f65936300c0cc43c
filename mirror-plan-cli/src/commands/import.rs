//! `mirror import`: a stack file for what another tool has made.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use mirror_plan::address::{Address, Name};
use mirror_plan::aws::{Aws, candidates};
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics, Source};
use mirror_plan::hcl::{Inputs, StackFile};
use mirror_plan::id::ObjectId;
use mirror_plan::import::terraform::TerraformState;
use mirror_plan::observed::{Found, Observed};
use mirror_plan::plan::{Action, Adoption, Plan, plan_adopting};
use mirror_plan::render::stack_file::StackText;

use super::Ended;
use crate::cli::{ImportArgs, ImportCommand};
use crate::exit::ExitStatus;
use crate::settings::Settings;
use crate::ui::{self, Ui};
use crate::{cloud, stack_file};

pub(crate) async fn run(command: &ImportCommand, settings: &Settings, ui: &mut Ui) -> Ended {
    let ImportCommand::Terraform(ImportArgs { state, name }) = command;
    let files = [format!("{name}.mirror.hcl"), format!("{name}.adoptions")].map(PathBuf::from);
    if let Some(there) = files.iter().find(|file| file.exists()) {
        let title = format!("`{}` is there already", there.display());
        let refused = Diagnostic::error(code::FILE, title);
        return Err(refused.help("give the stack another name: --name NAME").into());
    }
    let state = TerraformState::parse(&stack_file::source(state)?.text)?;
    let aws = cloud::connect(settings, None).await?;
    let (adoptions, gone) = read(&aws, name, &state).await?;
    if adoptions.is_empty() {
        state.left.iter().chain(&gone).for_each(|line| ui.note(format_args!("Not taken: {line}")));
        return Err(Diagnostic::error(code::IMPORT, "nothing of it can be taken").into());
    }
    let taken = Taken::of(name, &aws, adoptions).await?;
    tell(&state, &gone, &taken, ui);
    let [stack, list] = &files;
    write_new(stack, &taken.text)?;
    write_new(list, &taken.list())?;
    ui.note(format_args!("\nWrote {} and {}.", stack.display(), list.display()));
    let option = settings.place.option();
    ui.note(format_args!(
        "To take the objects into the stack: mirror adopt --from {} --stack {}{option}",
        list.display(),
        stack.display(),
    ));
    Ok(ExitStatus::Done)
}

/// The objects that the state names, and those that cannot be taken, a line each.
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

/// What is taken over, and the stack file for it.
struct Taken {
    adoptions: Vec<Adoption>,
    observed: Observed,
    text: String,
    plan: Plan,
}

impl Taken {
    async fn of(name: &Name, aws: &Aws, adoptions: Vec<Adoption>) -> Result<Self, Diagnostics> {
        let found: BTreeMap<Address, Found> =
            adoptions.iter().map(|it| (it.address.clone(), it.found.clone())).collect();
        let region = aws.region();
        let text = StackText { stack: name, region, resources: &found }.to_string();
        let file =
            StackFile::parse(Source { name: format!("{name}.mirror.hcl"), text: text.clone() })?;
        let (stack, _) = file.stack(&Inputs::new())?;
        let mut observed = Observed::nothing(cloud::account(aws).await?, region.clone());
        let plan = plan_adopting(&stack, &observed, &adoptions)?;
        observed.owned = found.into_iter().map(|(address, found)| (address, vec![found])).collect();
        Ok(Self { adoptions, observed, text, plan })
    }

    /// The list that `mirror adopt --from` takes.
    fn list(&self) -> String {
        self.adoptions.iter().fold(String::new(), |mut list, Adoption { address, found }| {
            let _ = writeln!(list, "{address} {}", found.id);
            list
        })
    }
}

/// Says what is taken, what is not, and what a plan will say.
fn tell(state: &TerraformState, gone: &[String], taken: &Taken, ui: &mut Ui) {
    for (from, address, id) in state.taken() {
        if taken.observed.owned.contains_key(address) {
            ui.data(format_args!("{from} -> {address} ({id})\n"));
        }
    }
    let untold = state.untold(&taken.observed);
    for line in state.left.iter().chain(gone).chain(&untold) {
        ui.note(format_args!("Not taken: {line}"));
    }
    let changed = taken.plan.changes.iter().filter(|change| change.action != Action::NoOp);
    for change in changed {
        let names = change.differences.iter().map(|it| it.attribute.as_str());
        let names: Vec<&str> = names.collect();
        ui.note(format_args!("A plan will change {}: {}", change.address, names.join(", ")));
    }
}

/// Writes a file that was not there.
fn write_new(path: &PathBuf, text: &str) -> Result<(), Diagnostics> {
    let cannot = |error: &io::Error| {
        ui::file_error(format!("`{}` cannot be written", path.display()), error)
    };
    let mut file = fs::File::create_new(path).map_err(|error| cannot(&error))?;
    Ok(file.write_all(text.as_bytes()).map_err(|error| cannot(&error))?)
}
