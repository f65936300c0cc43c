//! How an apply ended, as text: what was done, what failed, what was not done, and how to go on.

use std::collections::BTreeMap;
use std::fmt;

use crate::address::Address;
use crate::attribute::Type;
use crate::event::{ChangeOutcome, Failure, Outcome, Report};
use crate::plan::{Action, Counts, Mode, Plan};
use crate::render::Palette;
use crate::resource::object_type;
use crate::value::{Origin, Template, Value};

/// The result of a finished run, on a few lines: `Apply complete! ...` and the outputs.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'r> {
    plan: &'r Plan,
    report: &'r Report,
    palette: Palette,
}

impl<'r> Summary<'r> {
    /// The summary of `report`, which must be of `plan`, as plain text.
    #[must_use]
    pub const fn new(plan: &'r Plan, report: &'r Report) -> Self {
        Self { plan, report, palette: Palette::plain() }
    }

    /// The same with other colors.
    #[must_use]
    pub const fn style(self, palette: Palette) -> Self {
        Self { palette, ..self }
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, report, palette } = self;
        let Counts { add, change, destroy, moved } = counts(report);
        let good = palette.create;
        let (what, bad) = match plan.mode {
            Mode::Apply => ("Apply", palette.delete),
            Mode::Destroy => ("Destroy", palette.delete),
        };
        if report.is_complete() {
            write!(f, "{good}{what} complete!{good:#} Resources: ")?;
        } else {
            write!(f, "{bad}{what} incomplete.{bad:#} Resources: ")?;
        }
        match plan.mode {
            Mode::Apply if moved > 0 => {
                writeln!(f, "{moved} moved, {add} added, {change} changed, {destroy} destroyed.")
            }
            Mode::Apply => writeln!(f, "{add} added, {change} changed, {destroy} destroyed."),
            Mode::Destroy => writeln!(f, "{destroy} destroyed."),
        }?;
        let outputs = outputs(plan, report);
        if report.is_complete() && !outputs.is_empty() {
            writeln!(f, "\nOutputs:\n\n{}", Outputs(&outputs))?;
        }
        Ok(())
    }
}

/// Returns how much of a plan was done. Replacements count both as added and as destroyed.
#[must_use]
pub fn counts(report: &Report) -> Counts {
    let mut counts = Counts::default();
    for ChangeOutcome { address: _, deposed: _, moved_from, action, made: _, outcome } in
        &report.outcomes
    {
        let is_done = matches!(outcome, Outcome::Applied { .. });
        counts.moved += usize::from(is_done && moved_from.is_some());
        match (outcome, action) {
            (Outcome::Applied { .. }, Action::Create) => counts.add += 1,
            (Outcome::Applied { .. }, Action::Update) => counts.change += 1,
            (Outcome::Applied { .. }, Action::Delete) => counts.destroy += 1,
            (Outcome::Applied { .. }, Action::Replace(_)) => {
                counts.add += 1;
                counts.destroy += 1;
            }
            (Outcome::Applied { .. }, Action::NoOp | Action::Move)
            | (Outcome::Failed(_) | Outcome::Skipped { .. } | Outcome::NotStarted, _) => {}
        }
    }
    counts
}

/// Returns the outputs as they are after an apply, as far as they are known.
#[must_use]
pub fn outputs(plan: &Plan, report: &Report) -> BTreeMap<String, Value> {
    let after =
        plan.outputs.iter().filter_map(|(name, output)| Some((name, output.after.as_ref()?)));
    after.map(|(name, value)| (name.clone(), filled(value, report))).collect()
}

/// A value in which what has become known replaces what was not.
pub(crate) fn filled(value: &Value, report: &Report) -> Value {
    match value {
        Value::List(items) => Value::List(items.iter().map(|item| filled(item, report)).collect()),
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, member)| (name.clone(), filled(member, report))).collect(),
        ),
        Value::Unknown(unknown) => {
            let known = unknown.template.as_ref().and_then(|template| learned(template, report));
            known.unwrap_or_else(|| value.clone())
        }
        Value::Secret(secret) => match secret.reveal() {
            Some(inner) if !inner.is_known() => filled(inner, report).sensitive(),
            _ => value.clone(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Resource(_) => {
            value.clone()
        }
    }
}

/// The value of a template, if all of it is known now.
fn learned(template: &Template, report: &Report) -> Option<Value> {
    if let Some(origin) = template.as_attribute() {
        let text = report.learned.get(origin)?.clone();
        return Some(text.map_or(Value::Null, |text| typed(origin, text)));
    }
    let look_up = |origin: &_| report.learned.get(origin).cloned().map(Option::unwrap_or_default);
    let text = Value::String(template.fill(look_up).ok()?);
    Some(if template.is_sensitive() { text.sensitive() } else { text })
}

/// A value that AWS returned as text, in the type of its attribute.
fn typed(origin: &Origin, text: String) -> Value {
    let attribute = object_type(origin.address.kind).attribute(&origin.attribute);
    let as_number = || text.parse::<i64>().ok().map(Value::integer);
    let as_bool = || text.parse().ok().map(Value::Bool);
    let typed = match attribute.map(|attribute| attribute.holds) {
        Some(Type::Integer { .. }) => as_number(),
        Some(Type::Bool) => as_bool(),
        _ => None,
    };
    typed.unwrap_or(Value::String(text))
}

/// Outputs, one per line: `nlb_dns = "..."`, without a line break at the end.
#[derive(Clone, Copy, Debug)]
pub struct Outputs<'o>(pub &'o BTreeMap<String, Value>);

impl fmt::Display for Outputs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (name, value)) in self.0.iter().enumerate() {
            let line_break = if position == 0 { "" } else { "\n" };
            write!(f, "{line_break}{name} = {value}")?;
        }
        Ok(())
    }
}

/// What went wrong in a run that is not complete: every failure, what was not done because of it,
/// and how to go on. Empty if nothing went wrong.
#[derive(Clone, Copy, Debug)]
pub struct Failures<'r> {
    report: &'r Report,
    palette: Palette,
    place: Place,
}

impl<'r> Failures<'r> {
    /// The failures of a run, as plain text.
    #[must_use]
    pub const fn new(report: &'r Report) -> Self {
        Self { report, palette: Palette::plain(), place: Place::Account }
    }

    /// The same with other colors.
    #[must_use]
    pub const fn style(self, palette: Palette) -> Self {
        Self { palette, ..self }
    }

    /// The same for a run that was a rehearsal, so that there is nothing to go on with.
    #[must_use]
    pub const fn rehearsed(self) -> Self {
        Self { place: Place::Rehearsal, ..self }
    }
}

impl fmt::Display for Failures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.report.is_complete() {
            return Ok(());
        }
        for change in &self.report.outcomes {
            if let Outcome::Failed(failure) = &change.outcome {
                self.write_failure(f, change, failure)?;
            }
        }
        for (failed, skipped) in skipped(self.report) {
            writeln!(f, "Not done because {failed} failed:")?;
            write_changes(f, skipped)?;
        }
        let stopped = self.report.outcomes.iter().filter(|c| c.outcome == Outcome::NotStarted);
        let stopped: Vec<&ChangeOutcome> = stopped.collect();
        if !stopped.is_empty() {
            writeln!(f, "Not done because the run was stopped:")?;
            write_changes(f, stopped)?;
        }
        let end = match self.place {
            Place::Account => {
                "Completed changes stay. Run the same command again to do the rest: it plans from the\n\
                 current state."
            }
            Place::Rehearsal => {
                "Nothing was done in an account. What does not depend on the failure is still rehearsed."
            }
        };
        writeln!(f, "{end}")
    }
}

/// Where a run took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Account,
    Rehearsal,
}

impl Failures<'_> {
    fn write_failure(
        &self,
        f: &mut fmt::Formatter<'_>,
        change: &ChangeOutcome,
        failure: &Failure,
    ) -> fmt::Result {
        let (bad, strong) = (self.palette.destroyed, self.palette.strong);
        let Failure { call, code, message, request_id, help } = failure;
        write!(f, "{bad}Error:{bad:#} {strong}{call} failed{strong:#}")?;
        if let Some(code) = code {
            write!(f, ": {strong}{code}{strong:#}")?;
        }
        write!(f, "\n\n  with {},", change.address)?;
        if let Some(id) = &change.made {
            write!(f, " which was created [id={id}],")?;
        }
        writeln!(f, "\n")?;
        message.lines().try_for_each(|line| writeln!(f, "  {line}"))?;
        if let Some(id) = request_id {
            writeln!(f, "  AWS request id: {id}")?;
        }
        if let Some(help) = help {
            writeln!(f, "\n  {help}")?;
        }
        writeln!(f)
    }
}

/// What was not done, by the failure that prevented it.
fn skipped(report: &Report) -> BTreeMap<&Address, Vec<&ChangeOutcome>> {
    let mut skipped: BTreeMap<&Address, Vec<&ChangeOutcome>> = BTreeMap::new();
    for change in &report.outcomes {
        if let Outcome::Skipped { because_of } = &change.outcome {
            skipped.entry(because_of).or_default().push(change);
        }
    }
    skipped
}

fn write_changes(f: &mut fmt::Formatter<'_>, changes: Vec<&ChangeOutcome>) -> fmt::Result {
    for ChangeOutcome { address, deposed, moved_from: _, action, made, outcome: _ } in changes {
        let verb = match action {
            Action::NoOp => "keep",
            Action::Move => "move",
            Action::Create if made.is_some() => "finish creating",
            Action::Create => "create",
            Action::Update => "update",
            Action::Replace(_) if made.is_some() => "finish replacing",
            Action::Replace(_) => "replace",
            Action::Delete => "destroy",
        };
        write!(f, "  {verb} {address}")?;
        if let Some(id) = made {
            write!(f, " [id={id}]")?;
        }
        if let Some(generation) = deposed {
            write!(f, " (deposed object {generation})")?;
        }
        writeln!(f)?;
    }
    writeln!(f)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::plan::{Mode, OutputChange};
    use crate::resource::ReplaceOrder;
    use crate::resource::subnet::SubnetId;
    use crate::scalar::AccountId;
    use crate::value::{Part, Unknown};

    fn plan(mode: Mode) -> Plan {
        let dns = Origin {
            address: "load_balancer.nlb".parse().unwrap(),
            attribute: "dns_name".to_owned(),
        };
        let url = Unknown {
            origins: [dns.clone()].into(),
            template: Some(Template(vec![
                Part::Text("http://".to_owned()),
                Part::Attribute(dns.clone()),
            ])),
        };
        let after = |value| OutputChange { before: None, after: Some(value) };
        Plan {
            format: Plan::FORMAT,
            stack: "lab".parse().unwrap(),
            account: "123456789012".parse::<AccountId>().unwrap(),
            region: "us-east-1".parse().unwrap(),
            coordination: None,
            mode,
            targeted: false,
            accounts: BTreeMap::new(),
            existing: BTreeMap::new(),
            uses: BTreeMap::new(),
            sources: BTreeMap::new(),
            fan_outs: BTreeMap::new(),
            foreign_targets: BTreeMap::new(),
            network_acls: BTreeMap::new(),
            saw: BTreeMap::new(),
            changes: Vec::new(),
            steps: Vec::new(),
            variables: BTreeMap::new(),
            outputs: [
                ("dns".to_owned(), after(Value::Unknown(Unknown::attribute(dns)))),
                ("port".to_owned(), after(Value::integer(4789))),
                ("vni".to_owned(), after(Value::Unknown(Unknown::attribute(vni())))),
                ("url".to_owned(), after(Value::Unknown(url))),
            ]
            .into(),
        }
    }

    fn vni() -> Origin {
        Origin { address: "mirror_session.web".parse().unwrap(), attribute: "vni".to_owned() }
    }

    fn outcome(address: &str, action: Action, outcome: Outcome) -> ChangeOutcome {
        let address = address.parse().unwrap();
        ChangeOutcome { address, deposed: None, moved_from: None, action, made: None, outcome }
    }

    fn applied() -> Outcome {
        Outcome::Applied { id: None }
    }

    #[test]
    fn a_complete_run_counts_and_shows_outputs() {
        let replace = Action::Replace(ReplaceOrder::CreateThenDelete);
        let report = Report {
            outcomes: vec![
                outcome("load_balancer.nlb", replace, applied()),
                outcome("vpc.lab", Action::Update, applied()),
                outcome("subnet.a", Action::Create, applied()),
            ],
            stopped: false,
            learned: [
                (
                    Origin {
                        address: "load_balancer.nlb".parse().unwrap(),
                        attribute: "dns_name".to_owned(),
                    },
                    Some("nlb.example".to_owned()),
                ),
                (vni(), Some("77".to_owned())),
            ]
            .into(),
            took: BTreeMap::new(),
        };
        let plan = plan(Mode::Apply);
        assert_snapshot!(Summary::new(&plan, &report), @r#"
        Apply complete! Resources: 2 added, 1 changed, 1 destroyed.

        Outputs:

        dns = "nlb.example"
        port = 4789
        url = "http://nlb.example"
        vni = 77
        "#);
        assert_eq!(Failures::new(&report).to_string(), "");
    }

    #[test]
    fn an_incomplete_run_says_how_each_change_ended() {
        let skipped = Outcome::Skipped { because_of: "vpc.lab".parse().unwrap() };
        let failure = Failure {
            call: "CreateVpc".to_owned(),
            code: Some("VpcLimitExceeded".to_owned()),
            message: "The maximum number of VPCs has been reached.".to_owned(),
            request_id: Some("0a1b".to_owned()),
            help: Some("ask AWS for a greater quota, or delete a VPC".to_owned()),
        };
        let report = Report {
            outcomes: vec![
                outcome("mirror_filter.web", Action::Create, applied()),
                outcome("vpc.lab", Action::Create, Outcome::Failed(failure)),
                outcome("subnet.a", Action::Create, skipped.clone()),
                ChangeOutcome {
                    made: Some("subnet-0a1b2c3d4e5f67890".parse::<SubnetId>().unwrap().erase()),
                    ..outcome("subnet.b", Action::Create, skipped)
                },
                ChangeOutcome {
                    deposed: Some(1),
                    ..outcome("mirror_target.nlb", Action::Delete, Outcome::NotStarted)
                },
            ],
            stopped: true,
            learned: BTreeMap::new(),
            took: BTreeMap::new(),
        };
        let plan = plan(Mode::Apply);
        let summary = Summary::new(&plan, &report);
        assert_snapshot!(format!("{}\n{summary}", Failures::new(&report)), @"
        Error: CreateVpc failed: VpcLimitExceeded

          with vpc.lab,

          The maximum number of VPCs has been reached.
          AWS request id: 0a1b

          ask AWS for a greater quota, or delete a VPC

        Not done because vpc.lab failed:
          create subnet.a
          finish creating subnet.b [id=subnet-0a1b2c3d4e5f67890]

        Not done because the run was stopped:
          destroy mirror_target.nlb (deposed object 1)

        Completed changes stay. Run the same command again to do the rest: it plans from the
        current state.

        Apply incomplete. Resources: 1 added, 0 changed, 0 destroyed.
        ");
    }
}
