//! The next command, as it is suggested after this one: with the stack, the variables and the AWS of this
//! one, so that pasting it does what was meant.

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use mirror_plan::plan::Plan;

use crate::cli::{
    Denied, PlanArgs, ReviewArgs, Selection, SightArgs, StackArgs, StrictnessArgs, Variables,
};
use crate::settings::Settings;
use crate::shell;

/// The command that plans what `mirror init` has written into a folder, on a local AWS.
pub(super) fn trying(folder: &Path) -> String {
    let elsewhere = (folder != Path::new(".")).then(|| folder.display());
    Line::of("--local").words(["plan"]).words(elsewhere).to_string()
}

/// The command that overwrites the snapshot with what `args` plan.
pub(super) fn accepting(snapshot: &Path, args: &PlanArgs, settings: &Settings) -> String {
    let PlanArgs {
        stack: StackArgs { stack, variables },
        selection: Selection { target, replace },
        destroy,
        sight: SightArgs { offline, inventory },
        check_permissions: _,
        review: ReviewArgs { write: _, check: _ },
        strictness,
        result: _,
        estimates: _,
        form: _,
        hidden: _,
    } = args;
    Line::of("plan")
        .variables(variables)
        .option("--target", target)
        .option("--replace", replace)
        .place(settings)
        .option("--inventory", paths(inventory))
        .strictness(strictness)
        .option("--write", [snapshot.display()])
        .words(destroy.then_some("--destroy"))
        .words(offline.then_some("--offline"))
        .words(paths(stack))
        .at(settings)
}

/// The command that carries out what `args` plan, if that still matches the snapshot.
pub(super) fn performing(snapshot: &Path, args: &PlanArgs, settings: &Settings) -> String {
    let PlanArgs {
        stack: StackArgs { stack, variables },
        selection: Selection { target, replace },
        destroy,
        sight: SightArgs { offline: _, inventory: _ },
        check_permissions: _,
        review: ReviewArgs { write: _, check: _ },
        strictness,
        result: _,
        estimates: _,
        form: _,
        hidden: _,
    } = args;
    let line = Line::of(if *destroy { "destroy" } else { "apply" })
        .variables(variables)
        .option("--target", target);
    // Objects that are to be destroyed are neither replaced nor denied.
    let line =
        if *destroy { line } else { line.option("--replace", replace).strictness(strictness) };
    line.place(settings).option("--approved", [snapshot.display()]).words(paths(stack)).at(settings)
}

/// The command that carries out a saved plan. It names the stack file if user data has to be read again.
pub(super) fn applying(file: &Path, plan: &Plan, args: &PlanArgs, settings: &Settings) -> String {
    let StackArgs { stack, variables } = &args.stack;
    let line = Line::of("apply").words([file.display()]);
    let line = if plan.sends_secrets() {
        line.variables(variables).option("--stack", paths(stack))
    } else {
        line
    };
    line.place(settings).at(settings)
}

/// The command that plans from an inventory, for which AWS is not asked.
pub(super) fn planning_from(
    inventory: &Path,
    StackArgs { stack, variables }: &StackArgs,
) -> String {
    let line = Line::of("plan").variables(variables).option("--inventory", [inventory.display()]);
    line.words(paths(stack)).to_string()
}

/// The command that adopts the objects of a list into a stack whose file names the Region.
pub(super) fn adopting(list: &Path, stack: &Path, settings: &Settings) -> String {
    let line = Line::of("adopt").option("--from", [list.display()]);
    let line = line.option("--stack", [stack.display()]);
    line.option("--profile", &settings.profile).at(settings)
}

/// The words of a command, quoted for a shell.
struct Line(Vec<String>);

impl Line {
    fn of(first: &str) -> Self {
        Self(vec!["mirror".to_owned(), first.to_owned()])
    }

    fn words(mut self, words: impl IntoIterator<Item: Display>) -> Self {
        self.0.extend(words.into_iter().map(|word| shell::word(&word.to_string())));
        self
    }

    fn option(self, name: &str, values: impl IntoIterator<Item: Display>) -> Self {
        values.into_iter().fold(self, |line, value| line.words([name, &value.to_string()]))
    }

    fn variables(self, Variables { var, var_file }: &Variables) -> Self {
        self.option("--var", var).option("--var-file", paths(var_file))
    }

    fn strictness(self, StrictnessArgs { deny }: &StrictnessArgs) -> Self {
        self.option("--deny", deny.iter().map(|Denied::Warnings| "warnings"))
    }

    fn place(self, settings: &Settings) -> Self {
        self.option("--region", &settings.region).option("--profile", &settings.profile)
    }

    fn at(self, settings: &Settings) -> String {
        format!("{self}{}", settings.place.option())
    }
}

impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

fn paths<'p>(paths: impl IntoIterator<Item = &'p PathBuf>) -> impl Iterator<Item: Display> {
    paths.into_iter().map(|path| path.display())
}
