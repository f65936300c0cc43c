//! Export: a stack as a configuration of Terraform, and how Terraform takes over what exists.
//!
//! Each resource is a block of its own, with references where the stack has them, in the words of the tables that
//! the JSON is also written from. Each resource that exists in the account gets an `import` block. Secrets become
//! variables without a value. What Terraform cannot express is listed in a comment and in [`Export::left`].
//!
//! ```
//! # use mirror_plan::observed::Observed;
//! # use mirror_plan::resource::Vpc;
//! # use mirror_plan::stack::Stack;
//! use mirror_plan::render::terraform::Export;
//!
//! # let mut stack = Stack::builder("lab".parse()?);
//! # stack.add("lab".parse()?, Vpc {
//! #     cidr: "10.0.0.0/16".parse()?, dns_support: true, dns_hostnames: false, tags: Default::default(),
//! # });
//! # let (stack, _) = stack.build()?;
//! # let observed = Observed::nothing("123456789012".parse()?, "eu-west-1".parse()?);
//! let export = Export::of(&stack, &observed)?;
//! assert!(export.configuration.contains("resource \"aws_vpc\" \"lab\" {"));
//! assert_eq!(export.imports, "");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Source: Terraform documentation, "Import" and "Configuration Language"; documentation of `hashicorp/aws`,
//! the section "Import" of each resource.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::address::{Address, Kind, Name};
use crate::diagnostic::Diagnostics;
use crate::id::ObjectId;
use crate::import::free;
use crate::observed::Observed;
use crate::plan::{Change, Request, plan, with_computed};
use crate::render::stack_file::quoted;
use crate::resource::autoscaling_group;
use crate::stack::{Existing, Output, Stack};
use crate::value::{Secret, Value};

use super::entry::{Entries, Entry};
use super::node::Node;
use super::reference::Ids;
use super::table::{self, PartImport};
use document::{Block, Item, in_one_line};
use names::{Names, label_of_part};

mod attributes;
mod data_source;
mod document;
mod elsewhere;
mod left;
mod names;
mod rules;

#[cfg(test)]
mod tests;

/// A version, major and minor.
type Version = (u8, u8);

/// The first version of Terraform that has `import` blocks.
const TERRAFORM: Version = (1, 5);

/// A version of the provider that accepts everything that is written, except what [`provider_version`] has a later
/// one for.
const PROVIDER: Version = (3, 39);

const PROVIDER_SOURCE: &str = "hashicorp/aws";

/// The prefix of the tags by which a stack recognizes its objects.
const OWNERSHIP: &str = "mirror-plan:";

/// A stack in Terraform's language.
#[derive(Clone, Debug)]
pub struct Export {
    /// The configuration: settings, provider, variables, data sources, resources and outputs.
    pub configuration: String,
    /// An `import` block for each resource that exists; empty if none does.
    pub imports: String,
    /// What Terraform cannot express or is not given, one item per line. The configuration has it in comments.
    pub left: Vec<String>,
}

impl Export {
    /// Exports a stack, of which the objects in `observed` exist.
    ///
    /// # Errors
    /// If the stack cannot be planned; see [`plan`](crate::plan::plan).
    pub fn of(stack: &Stack, observed: &Observed) -> Result<Self, Diagnostics> {
        let plan = plan(stack, observed, &Request::default())?;
        let used = observed.existing.iter().map(|(address, found)| {
            (address, with_computed(address, found.resource.to_value(), Some(found)))
        });
        let used: Vec<(&Address, Value)> = used.collect();
        let current = plan.changes.iter().filter(|change| change.deposed.is_none());
        let there =
            current.clone().filter_map(|change| Some((&change.address, change.before.as_ref()?)));
        let ids = Ids::of(there.chain(used.iter().map(|(address, value)| (*address, value))));
        let entries = Entries::of(&plan).staying(&plan);
        let made: BTreeSet<&Address> = entries.iter().map(|entry| entry.of).collect();
        let names = Names::new((&ids, observed), made, stack.existing.keys(), &stack.variables);
        let writer = Writer {
            stack,
            declared: stack.using(observed)?,
            observed,
            changes: current.clone().map(|change| (&change.address, change)).collect(),
            names,
            taken: BTreeSet::new(),
            left: left::of_stack(stack, &plan),
            imports: Vec::new(),
        };
        Ok(writer.written(&entries))
    }
}

/// The configuration with its `import` blocks.
impl fmt::Display for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { configuration, imports, left: _ } = self;
        f.write_str(configuration)?;
        if !imports.is_empty() {
            writeln!(f)?;
        }
        f.write_str(imports)
    }
}

struct Writer<'e> {
    stack: &'e Stack,
    /// The same stack with the ids and the accounts of what it uses.
    declared: Cow<'e, Stack>,
    observed: &'e Observed,
    changes: BTreeMap<&'e Address, &'e Change>,
    names: Names<'e>,
    /// The labels of parts.
    taken: BTreeSet<Address>,
    left: Vec<String>,
    imports: Vec<Block>,
}

impl<'e> Writer<'e> {
    fn written(mut self, entries: &[Entry<'e>]) -> Export {
        let circles = rules::in_circles(entries, &self.names);
        let (mut resources, mut version) = (Vec::new(), PROVIDER);
        for entry in entries {
            version = version.max(entry.after.as_ref().map_or(PROVIDER, provider_version));
            if circles.contains(entry.of) {
                resources.extend(self.group_in_circle(entry));
            } else {
                resources.push(self.resource(entry));
            }
        }
        resources.extend(self.accepters());
        let outputs = self.outputs();
        let mut blocks = self.settings(version);
        blocks.extend(self.variables());
        blocks.extend(self.data_sources());
        blocks.extend(resources);
        blocks.extend(outputs);
        let left = self.left.iter().map(|line| format!("# Not exported: {}\n", in_one_line(line)));
        let left: String = left.collect();
        let gap = if left.is_empty() { "" } else { "\n" };
        Export {
            configuration: format!("{left}{gap}{}", in_paragraphs(&blocks)),
            imports: in_paragraphs(&self.imports),
            left: self.left,
        }
    }

    /// The blocks that specify Terraform, provider, account and Region.
    fn settings(&self, (major, minor): Version) -> Vec<Block> {
        let provider = [
            ("source".to_owned(), quoted(PROVIDER_SOURCE)),
            ("version".to_owned(), quoted(&format!(">= {major}.{minor}"))),
        ];
        let providers = Block::new("required_providers").with([Item::map("aws", provider.into())]);
        let terraform = [
            Item::attribute(
                "required_version",
                quoted(&format!(">= {}.{}", TERRAFORM.0, TERRAFORM.1)),
            ),
            Item::Block(providers),
        ];
        let region = self.stack.region.as_ref().unwrap_or(&self.observed.region);
        // The ids belong to the account that was seen.
        let is_there = !self.imports.is_empty() || !self.observed.existing.is_empty();
        let seen = is_there.then_some(&self.observed.account);
        let account = self.stack.account.as_ref().or(seen);
        let account = account.map(|account| {
            Item::attribute("allowed_account_ids", format!("[{}]", quoted(account.as_str())))
        });
        let ownership = Block::new("ignore_tags")
            .comment("Keeps the tags by which mirror knows what belongs to the stack. Without this block, the next apply")
            .comment("removes them, and Terraform alone owns it.")
            .with([Item::attribute("key_prefixes", format!("[{}]", quoted(OWNERSHIP)))]);
        let provider = [Item::attribute("region", quoted(region.as_str()))];
        let provider = provider.into_iter().chain(account).chain([Item::Block(ownership)]);
        let own = Block::new("provider \"aws\"").with(provider);
        let own = [Block::new("terraform").with(terraform), own];
        own.into_iter().chain(self.other_providers()).collect()
    }

    /// A variable without a value for each secret.
    fn variables(&self) -> Vec<Block> {
        let block = |(name, secret): &(String, Secret)| {
            let digest = secret.digest();
            let mut items = vec![
                Item::attribute("description", quoted(&format!("Sensitive, {digest}"))),
                Item::attribute("type", "string".to_owned()),
                Item::attribute("sensitive", "true".to_owned()),
            ];
            if let (Some(_), Some(digits)) = (secret.reveal_text(), digest.strip_prefix("sha256:"))
            {
                let hash = format!("sha256(var.{name}) == {}", quoted(digits));
                let check = Block::new("validation")
                    .comment("The value that the stack has. Remove the check to change it.")
                    .with([
                        Item::attribute("condition", hash),
                        Item::attribute(
                            "error_message",
                            quoted(
                                "This is not the value that the stack has: its SHA-256 differs.",
                            ),
                        ),
                    ]);
                items.push(Item::Block(check));
            } else {
                items[1] = Item::attribute("type", "any".to_owned());
            }
            Block::new(format!("variable {}", quoted(name))).with(items)
        };
        self.names.secrets.iter().map(block).collect()
    }

    /// The data sources that find what the stack uses and did not make.
    fn data_sources(&self) -> Vec<Block> {
        let found = self.stack.existing.iter();
        let found = found.filter(|(address, _)| data_source::finds(address.kind));
        let block = |(address, existing): (&Address, &Existing)| {
            let name = table::of(address.kind).whole.name;
            let id = self.observed.existing.get(address).map(|found| &found.id);
            let arguments = data_source::arguments(address.kind, &existing.selector, id);
            let there = existing.selector.account.as_ref().map(elsewhere::provider);
            let arguments = there.into_iter().chain(arguments);
            Block::new(format!("data \"{name}\" \"{}\"", address.name)).with(arguments)
        };
        let images = self.names.images().map(|(label, parameter)| {
            Block::new(format!("data \"aws_ssm_parameter\" \"{label}\""))
                .with([Item::attribute("name", quoted(parameter))])
        });
        found.map(block).chain(images).collect()
    }

    /// The block of a resource of the provider, which is imported if it exists.
    fn resource(&mut self, entry: &Entry<'e>) -> Block {
        let label = self.label(entry);
        let block = format!("{}.{label}", entry.table.name);
        let (mut items, untold) = self.items(entry, &block);
        items.extend(self.peer_owner(entry.of).filter(|_| entry.part.is_none()));
        let mut resource =
            Block::new(format!("resource \"{}\" \"{label}\"", entry.table.name)).with(items);
        match self.import_id(entry) {
            Import::By(id) => self.import(&block, &id),
            Import::Absent => {}
            Import::Never => {
                resource = resource
                    .comment("Terraform cannot import it: the first apply registers it again,")
                    .comment("which AWS treats as the existing registration.");
            }
        }
        for line in untold {
            resource = resource.comment(format!("Not exported: {line}"));
            self.left.push(format!("{block}: {line}"));
        }
        resource
    }

    /// The label of a resource of the provider.
    fn label(&mut self, entry: &Entry<'e>) -> Name {
        let whole = self.names.label(entry.of).expect("all that is exported has a label").clone();
        match &entry.part {
            None => whole,
            Some(part) => label_of_part((entry.of.kind, &whole), part, &mut self.taken),
        }
    }

    fn import(&mut self, to: &str, id: &str) {
        self.imports.push(
            Block::new("import")
                .with([Item::attribute("to", to.to_owned()), Item::attribute("id", quoted(id))]),
        );
    }

    /// The id by which Terraform imports a resource.
    fn import_id(&self, entry: &Entry<'_>) -> Import {
        let change = self.changes.get(entry.of);
        let whole = change.and_then(|change| change.id.as_ref()).filter(|_| entry.before.is_some());
        let Some(whole) = whole else { return Import::Absent };
        let Some(part) = &entry.part else { return Import::By(imported_by(entry.of, whole)) };
        let form = table::of(entry.of.kind).part_of(entry.table).map(|part| part.import);
        let was = change.and_then(|change| change.moved_from.as_ref()).unwrap_or(entry.of);
        let own = self.observed.current(was).and_then(|found| found.parts.get(part));
        let text = |name| entry.before.as_ref().and_then(|node| text(node, name));
        let id = match form {
            Some(PartImport::Id) => own.map(ObjectId::to_string),
            Some(PartImport::WholeThenId(between)) => {
                own.map(|own| format!("{whole}{between}{own}"))
            }
            Some(PartImport::ReferredThenWhole(between)) => {
                text("subnet_id").map(|referred| format!("{referred}{between}{whole}"))
            }
            Some(PartImport::WholeThenAttribute(between, name)) => {
                text(name).map(|text| format!("{whole}{between}{text}"))
            }
            Some(PartImport::Never) | None => None,
        };
        id.map_or(Import::Never, Import::By)
    }

    fn outputs(&mut self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let (mut taken, stack) = (BTreeSet::new(), self.stack);
        for (name, Output { value, description }) in &stack.outputs {
            let label = output_label(name, &mut taken);
            let mut block = Block::new(format!("output {}", quoted(&label)));
            let mut items = Vec::new();
            match self.names.expression(value, &label) {
                Ok(text) => items.push(Item::attribute("value", text)),
                Err(why) => {
                    self.left.push(format!("output.{name}: {why}"));
                    continue;
                }
            }
            if let Some(description) = description {
                items.insert(0, Item::attribute("description", quoted(description)));
            }
            if value.is_sensitive() {
                items.push(Item::attribute("sensitive", "true".to_owned()));
            }
            block = block.with(items);
            blocks.push(block);
        }
        blocks
    }
}

/// The id by which Terraform imports a whole resource: its own id, but for Auto Scaling groups the name in it.
fn imported_by(address: &Address, id: &ObjectId) -> String {
    match address.kind {
        Kind::AutoscalingGroup => autoscaling_group::name_in(id.as_str()).to_owned(),
        _ => id.to_string(),
    }
}

/// How Terraform takes over a resource.
enum Import {
    /// By this id.
    By(String),
    /// It does not exist.
    Absent,
    /// It exists, but the provider cannot import this sort.
    Never,
}

/// The label of an output: a name that Terraform allows and that no other output has.
fn output_label(name: &str, taken: &mut BTreeSet<Address>) -> String {
    // Any kind will do: only names count.
    let label = match name.parse() {
        Ok(name) => Address::new(Kind::Vpc, name),
        Err(_) => free(Kind::Vpc, name, taken),
    };
    taken.insert(label.clone());
    label.name.to_string()
}

/// An attribute of a part that is a text.
fn text<'n>(node: &'n Node<'_>, name: &str) -> Option<&'n str> {
    match node.get(name)? {
        Node::Of(value) => match &**value {
            Value::String(id) => Some(id),
            _ => None,
        },
        Node::Later(_) | Node::Block(_) | Node::List(_) => None,
    }
}

/// The first version of the provider that accepts these attributes.
///
/// Source: the changelog of `hashicorp/aws`.
fn provider_version(node: &Node<'_>) -> Version {
    let says = |name: &str| node.get(name).is_some_and(|node| !attributes::is_nothing(node));
    if says("load_balancer_type") && says("security_groups") {
        (5, 13)
    } else if says("health_check") {
        // The numbers of healthy and of unhealthy answers may differ.
        (4, 46)
    } else if says("gateway_load_balancer_endpoint_id") {
        (4, 33)
    } else {
        PROVIDER
    }
}

/// Blocks with an empty line between them.
fn in_paragraphs(blocks: &[Block]) -> String {
    blocks.iter().map(Block::to_string).collect::<Vec<_>>().join("\n")
}
