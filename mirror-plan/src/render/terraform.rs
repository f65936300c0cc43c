//! Terraform's JSON: a plan, or what an account holds, as `terraform show -json` prints it.
//!
//! It is for programs that read Terraform's JSON: policy engines, scanners, cost estimators, reports. Types and
//! attributes have the names of HashiCorp's AWS provider. A part that the provider has as a resource of its own,
//! such as a rule of a filter, is a resource here too. What Terraform has no word for is in one member,
//! `mirror_plan`, which readers of Terraform's JSON ignore.
//!
//! A sensitive value is replaced by its hash, and marked as Terraform marks it. The same plan gives the same bytes:
//! it contains no time unless one is given.
//!
//! ```
//! # use mirror_plan::observed::Observed;
//! # use mirror_plan::plan::{Request, plan};
//! # use mirror_plan::resource::Vpc;
//! # use mirror_plan::stack::Stack;
//! use mirror_plan::render::terraform::PlanJson;
//!
//! # let mut stack = Stack::builder("lab".parse()?);
//! # stack.add("lab".parse()?, Vpc {
//! #     cidr: "10.0.0.0/16".parse()?, dns_support: true, dns_hostnames: false, tags: Default::default(),
//! # });
//! # let (stack, findings) = stack.build()?;
//! # let nothing = Observed::nothing("123456789012".parse()?, "eu-west-1".parse()?);
//! let plan = plan(&stack, &nothing, &Request::default())?;
//! let text = PlanJson::new(&plan).findings(&findings).to_string();
//! let json: serde_json::Value = serde_json::from_str(&text)?;
//! assert_eq!(json["resource_changes"][0]["address"], "aws_vpc.lab");
//! assert_eq!(json["resource_changes"][0]["change"]["actions"][0], "create");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Source: Terraform documentation, "JSON Output Format", and what Terraform 1.11.4 prints.

use std::collections::BTreeSet;
use std::fmt;

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Value as Json, json};

use crate::address::{Address, Kind};
use crate::diagnostic::Diagnostics;
use crate::observed::Observed;
use crate::plan::{Action, Call, Change, Phase, Plan, Step, with_computed};
use crate::resource::access::retagging;
use crate::value::Value;

mod change;
mod check;
mod configuration;
mod entry;
mod export;
mod node;
mod object;
mod reference;
mod state;
mod table;

#[cfg(test)]
#[expect(clippy::too_many_lines, reason = "the tests contain whole documents")]
mod tests;

use change::{OutputBody, ResourceChange, actions};
use configuration::Configuration;
use entry::{Entries, Entry};
pub use export::Export;
use node::Known;
use object::Location;
use reference::{Reference, resource};
use state::{State, StateResource, Values};

/// The version of the format of plans.
pub const PLAN_FORMAT: &str = "1.2";

/// The version of the format of states.
pub const STATE_FORMAT: &str = "1.0";

/// The version of Terraform whose JSON this is: readers expect one that they know.
pub const TERRAFORM_VERSION: &str = "1.11.4";

/// The member that holds what Terraform has no word for.
pub const EXTENSION: &str = "mirror_plan";

/// The version of the format of the member [`EXTENSION`].
const EXTENSION_FORMAT: u32 = 1;

const PROVIDER: &str = "aws";
const PROVIDER_NAME: &str = "registry.terraform.io/hashicorp/aws";
const MANAGED: &str = "managed";

/// A plan as Terraform's JSON, on one line.
#[derive(Clone, Copy, Debug)]
pub struct PlanJson<'p> {
    plan: &'p Plan,
    findings: Option<&'p Diagnostics>,
    timestamp: Option<&'p str>,
}

impl<'p> PlanJson<'p> {
    /// The plan, without findings and without a time.
    #[must_use]
    pub const fn new(plan: &'p Plan) -> Self {
        Self { plan, findings: None, timestamp: None }
    }

    /// Adds what was found about the stack, as `checks`: errors and warnings are checks that failed, in Terraform's
    /// terms.
    #[must_use]
    pub fn findings(self, findings: &'p Diagnostics) -> Self {
        Self { findings: Some(findings), ..self }
    }

    /// Adds the time of the plan, in the form of RFC 3339, if there is one. The output is then no longer the same
    /// bytes for the same plan.
    #[must_use]
    pub fn timestamp(self, timestamp: impl Into<Option<&'p str>>) -> Self {
        Self { timestamp: timestamp.into(), ..self }
    }
}

impl fmt::Display for PlanJson<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_line(self, f)
    }
}

impl Serialize for PlanJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { plan, findings, timestamp } = *self;
        let makes = Entries::of(plan);
        let entries = makes.changes(plan);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("format_version", PLAN_FORMAT)?;
        map.serialize_entry("terraform_version", TERRAFORM_VERSION)?;
        if !plan.variables.is_empty() {
            map.serialize_entry("variables", &Variables(plan))?;
        }
        map.serialize_entry("planned_values", &planned_values(plan, &entries))?;
        if !entries.is_empty() {
            let changes: Vec<_> = entries.iter().map(ResourceChange).collect();
            map.serialize_entry("resource_changes", &changes)?;
        }
        if !plan.outputs.is_empty() {
            map.serialize_entry("output_changes", &OutputChanges(plan))?;
        }
        let prior = prior_state(plan, &entries, &makes);
        if !prior.is_empty() {
            map.serialize_entry("prior_state", &State(&prior))?;
        }
        let configuration = Configuration { plan, entries: &entries, ids: &makes.ids };
        map.serialize_entry("configuration", &configuration)?;
        let relevant = relevant_attributes(&entries, &makes);
        if !relevant.is_empty() {
            map.serialize_entry("relevant_attributes", &relevant)?;
        }
        if let Some(findings) = findings.filter(|findings| !findings.is_empty()) {
            map.serialize_entry("checks", &check::checks(findings))?;
        }
        if let Some(timestamp) = timestamp {
            map.serialize_entry("timestamp", timestamp)?;
        }
        map.serialize_entry("applyable", &!plan.is_empty())?;
        map.serialize_entry("complete", &!plan.targeted)?;
        map.serialize_entry("errored", &false)?;
        map.serialize_entry(EXTENSION, &extension(plan))?;
        map.end()
    }
}

struct Variables<'p>(&'p Plan);

impl Serialize for Variables<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = |value| std::collections::BTreeMap::from([("value", Known(value))]);
        serializer.collect_map(self.0.variables.iter().map(|(name, v)| (name, value(v))))
    }
}

struct OutputChanges<'p>(&'p Plan);

impl Serialize for OutputChanges<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let outputs = self.0.outputs.iter();
        serializer.collect_map(outputs.map(|(name, change)| (name, OutputBody(change))))
    }
}

/// The resources and outputs that will exist.
fn planned_values<'n>(plan: &'n Plan, entries: &'n [Entry<'n>]) -> Values<'n> {
    let outputs = plan.outputs.iter();
    let outputs =
        outputs.filter_map(|(name, output)| Some((name.as_str(), output.after.as_ref()?)));
    let resources = entries
        .iter()
        .filter_map(|entry| Some(StateResource { entry, node: entry.after.as_ref()?, ids: None }));
    Values { outputs: outputs.collect(), resources: resources.collect() }
}

/// The resources and outputs that exist.
fn prior_state<'n>(plan: &'n Plan, entries: &'n [Entry<'n>], makes: &'n Entries<'n>) -> Values<'n> {
    let outputs = plan.outputs.iter();
    let outputs =
        outputs.filter_map(|(name, output)| Some((name.as_str(), output.before.as_ref()?)));
    let resources = entries.iter().filter_map(|entry| {
        Some(StateResource { entry, node: entry.before.as_ref()?, ids: Some(&makes.ids) })
    });
    Values { outputs: outputs.collect(), resources: resources.collect() }
}

/// The attributes of other resources that the changed values are made from.
fn relevant_attributes(entries: &[Entry<'_>], makes: &Entries<'_>) -> Vec<Json> {
    let mut found: BTreeSet<Reference<'_>> = BTreeSet::new();
    for entry in entries.iter().filter(|entry| entry.action != Action::NoOp) {
        let mut own = BTreeSet::new();
        if let Some(node) = &entry.after {
            makes.ids.collect_in(node, &mut own);
        }
        found.extend(own.into_iter().filter(|to| entry.is_part() || to.address != entry.of));
    }
    let attributes = found.iter().filter(|reference| !reference.attribute.is_empty());
    attributes
        .map(|reference| {
            json!({ "resource": reference.resource(), "attribute": [reference.attribute] })
        })
        .collect()
}

/// What Terraform has no word for.
fn extension(plan: &Plan) -> Json {
    let changes: Json = plan
        .changes
        .iter()
        .map(|change| {
            let Change { address, deposed, moved_from, action, reasons, capture, .. } = change;
            json!({
                "address": address,
                "terraform_address": resource(address),
                "deposed": deposed,
                "moved_from": moved_from,
                "actions": actions(*action),
                "reasons": reasons.iter().map(ToString::to_string).collect::<Json>(),
                "capture": capture,
            })
        })
        .collect();
    let steps: Json = plan
        .steps
        .iter()
        .map(|step| {
            let phase = match step.phase {
                Phase::Create => "create",
                Phase::Update => "update",
                Phase::Delete => "delete",
            };
            let call = call(step);
            json!({ "address": step.address, "phase": phase, "call": call, "needs": step.needs })
        })
        .collect();
    json!({
        "format": EXTENSION_FORMAT,
        "version": env!("CARGO_PKG_VERSION"),
        "digest": plan.digest(),
        "stack": plan.stack,
        "account": plan.account,
        "region": plan.region,
        "mode": plan.mode,
        "targeted": plan.targeted,
        "counts": plan.counts(),
        "changes": changes,
        "steps": steps,
    })
}

/// The name of a call in AWS's API.
fn call(step: &Step) -> &'static str {
    match &step.call {
        Call::Operation(operation) => operation.call(),
        Call::Retag { id: _, retag: _ } => retagging(step.address.kind)[0].action,
    }
}

/// What an account holds as Terraform's JSON, on one line.
#[derive(Clone, Copy, Debug)]
pub struct StateJson<'o>(&'o Observed);

impl<'o> StateJson<'o> {
    /// What was observed.
    #[must_use]
    pub const fn new(observed: &'o Observed) -> Self {
        Self(observed)
    }
}

impl fmt::Display for StateJson<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_line(self, f)
    }
}

impl Serialize for StateJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A state holds what the stack made; what it only uses is in no state.
        let Observed {
            account,
            region,
            owned,
            existing: _,
            sources: _,
            foreign_targets: _,
            network_acls: _,
            accounts: _,
            images: _,
        } = self.0;
        let current = owned.keys().filter_map(|address| Some((address, self.0.current(address)?)));
        let current: Vec<(&Address, _, Value)> = current
            .map(|(address, found)| {
                let attributes = with_computed(address, found.resource.to_value(), Some(found));
                (address, found, attributes)
            })
            .collect();
        let resources = current.iter().map(|(address, _, attributes)| (*address, attributes));
        let makes = Entries::there(Location { account, region }, resources);
        let existing = current.iter().flat_map(|(address, found, attributes)| {
            makes.existing(address, attributes, &found.parts)
        });
        let entries = entry::in_order(existing.collect());
        let resources = entries.iter().filter_map(|entry| {
            Some(StateResource { entry, node: entry.before.as_ref()?, ids: Some(&makes.ids) })
        });
        let values = Values { outputs: Vec::new(), resources: resources.collect() };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("format_version", STATE_FORMAT)?;
        map.serialize_entry("terraform_version", TERRAFORM_VERSION)?;
        map.serialize_entry("values", &values)?;
        let place = json!({ "format": EXTENSION_FORMAT, "account": account, "region": region });
        map.serialize_entry(EXTENSION, &place)?;
        map.end()
    }
}

/// The kind of resource for a type of the provider, where a load balancer has two names.
pub(crate) fn kind_of(name: &str) -> Option<Kind> {
    Kind::all().find(|kind| table::of(*kind).whole.name == plain(name))
}

/// Whether a type of the provider is only a part of a resource here.
pub(crate) fn is_part(name: &str) -> bool {
    let mut parts = Kind::all().flat_map(|kind| table::of(kind).parts);
    parts.any(|part| part.table.name == plain(name))
}

/// The name of a type, with `aws_lb` for the older `aws_alb`.
fn plain(name: &str) -> String {
    match name.strip_prefix("aws_alb") {
        Some(rest) => format!("aws_lb{rest}"),
        None => name.to_owned(),
    }
}

fn write_line(document: &impl Serialize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let text = serde_json::to_string(document).map_err(|_| fmt::Error)?;
    writeln!(f, "{text}")
}
