//! What is taken over: existing objects, a stack file for them, and the list to adopt them with.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use mirror_plan::address::{Address, Name};
use mirror_plan::aws::Aws;
use mirror_plan::code;
use mirror_plan::diagnostic::{Diagnostic, Diagnostics, Source};
use mirror_plan::hcl::{Inputs, StackFile};
use mirror_plan::observed::{Found, Observed};
use mirror_plan::plan::{Action, Adoption, Plan, plan_adopting};
use mirror_plan::render::stack_file::StackText;

use super::next;
use crate::cloud;
use crate::settings::Settings;
use crate::ui::{self, Ui};

/// The two files that are written, which must not exist yet.
pub(super) struct Files {
    stack: PathBuf,
    list: PathBuf,
}

impl Files {
    pub(super) fn of(name: &Name) -> Result<Self, Diagnostics> {
        let [stack, list] =
            [format!("{name}.mirror.hcl"), format!("{name}.adoptions")].map(PathBuf::from);
        if let Some(there) = [&stack, &list].into_iter().find(|file| file.exists()) {
            let title = format!("`{}` already exists", there.display());
            let refused = Diagnostic::error(code::FILE, title);
            return Err(refused.help("give the stack another name: --name NAME").into());
        }
        Ok(Self { stack, list })
    }

    /// Writes the files, and reports how to continue.
    pub(super) fn write(
        &self,
        taken: &Taken,
        settings: &Settings,
        ui: &mut Ui,
    ) -> Result<(), Diagnostics> {
        let Self { stack, list } = self;
        write_new(stack, &taken.text)?;
        write_new(list, &taken.list())?;
        ui.note(format_args!("\nWrote {} and {}.", stack.display(), list.display()));
        let adopt = next::adopting(list, stack, settings);
        ui.note(format_args!("To take the objects into the stack: {adopt}"));
        Ok(())
    }
}

/// What is taken over, and the stack file for it.
pub(super) struct Taken {
    pub(super) adoptions: Vec<Adoption>,
    pub(super) observed: Observed,
    text: String,
    plan: Plan,
}

impl Taken {
    pub(super) async fn of(
        name: &Name,
        aws: &Aws,
        adoptions: Vec<Adoption>,
    ) -> Result<Self, Diagnostics> {
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

    /// The list that `mirror adopt --from` accepts.
    fn list(&self) -> String {
        self.adoptions.iter().fold(String::new(), |mut list, Adoption { address, found }| {
            let _ = writeln!(list, "{address} {}", found.id);
            list
        })
    }

    /// Reports what a plan will change once everything is adopted.
    pub(super) fn tell(&self, ui: &mut Ui) {
        let changed = self.plan.changes.iter().filter(|change| change.action != Action::NoOp);
        for change in changed {
            let names = change.differences.iter().map(|it| it.attribute.as_str());
            let names = names.collect::<Vec<_>>().join(", ");
            ui.note(format_args!("A plan will change {}: {names}", change.address));
        }
    }
}

/// Writes a file that must not exist yet.
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), Diagnostics> {
    let cannot = |error: &io::Error| {
        ui::file_error(format!("`{}` cannot be written", path.display()), error)
    };
    let mut file = fs::File::create_new(path).map_err(|error| cannot(&error))?;
    Ok(file.write_all(text.as_bytes()).map_err(|error| cannot(&error))?)
}
