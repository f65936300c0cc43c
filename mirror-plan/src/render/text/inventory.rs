//! The objects of a stack that exist in the cloud, as blocks like those of the stack file.

use std::fmt;

use super::entry::{Entry, Side};
use super::layout::write_entries;
use crate::address::Address;
use crate::id::NetworkInterfaceId;
use crate::observed::{Attached, Found, Interface, Observed, Sighting};
use crate::render::Palette;
use crate::resource::{computed, object_type};
use crate::stack::SourceNames;
use crate::value::Value;

/// The observed objects of a stack, to be printed.
#[derive(Clone, Copy, Debug)]
pub struct Inventory<'o> {
    observed: &'o Observed,
    palette: Palette,
}

impl<'o> Inventory<'o> {
    /// The inventory as plain text.
    #[must_use]
    pub const fn new(observed: &'o Observed) -> Self {
        Self { observed, palette: Palette::plain() }
    }

    /// The same with other colors.
    #[must_use]
    pub const fn style(self, palette: Palette) -> Self {
        Self { palette, ..self }
    }
}

impl fmt::Display for Inventory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Network ACLs do not belong to the stack: `mirror verify` shows what they let through.
        let Observed {
            account,
            region,
            owned,
            existing,
            sources,
            foreign_targets,
            network_acls: _,
            accounts,
            images: _,
        } = self.observed;
        let strong = self.palette.strong;
        if owned.is_empty() && existing.is_empty() && sources.is_empty() {
            return writeln!(f, "Nothing in account {account}, Region {region}.");
        }
        writeln!(f, "Account {account}, Region {region}.")?;
        for (name, account) in accounts {
            writeln!(f, "Account {account} is {name}.")?;
        }
        for (address, found) in owned.iter().flat_map(|(a, all)| all.iter().map(move |f| (a, f))) {
            write!(f, "\n{strong}# {address}{strong:#}")?;
            let current = self.observed.current(address).map(|current| current.generation);
            if current != Some(found.generation) {
                write!(f, " (deposed object {})", found.generation)?;
            }
            writeln!(f, "\n{} \"{}\" {{", address.kind, address.name)?;
            write_entries(f, &entries(address, found), 0, &self.palette)?;
            writeln!(f, "}}")?;
        }
        for (address, found) in existing {
            let owner = foreign_targets.iter().find(|(id, _)| id.as_str() == found.id.as_str());
            let owner = owner.map(|(_, owner)| format!(", of account {owner}")).unwrap_or_default();
            writeln!(f, "\n{strong}# {address}{strong:#}, which the stack did not create{owner}")?;
            writeln!(f, "existing \"{}\" \"{}\" {{", address.kind, address.name)?;
            write_entries(f, &entries(address, found), 0, &self.palette)?;
            writeln!(f, "}}")?;
        }
        for (name, Sighting { looked_for, interfaces }) in sources {
            let name = SourceNames::text_of(name);
            writeln!(f, "\n{strong}# {name}{strong:#}, which looks for {looked_for}")?;
            interfaces.iter().try_for_each(|(id, interface)| write_interface(f, id, interface))?;
        }
        Ok(())
    }
}

/// A line for an interface that may be selected as a source.
fn write_interface(
    f: &mut fmt::Formatter<'_>,
    id: &NetworkInterfaceId,
    interface: &Interface,
) -> fmt::Result {
    write!(f, "{id} in {}", interface.subnet)?;
    match &interface.instance {
        None => writeln!(f),
        Some(Attached { id, instance_type, device, tags: _ }) => {
            writeln!(f, ": device {device} of {id}, a {instance_type}")
        }
    }
}

/// What is known of an object: `id`, its attributes, and what else AWS reports.
fn entries(address: &Address, found: &Found) -> Vec<Entry> {
    let object = object_type(address.kind);
    let id = Value::String(found.id.to_string());
    let attributes = found.resource.to_value();
    let entry = |name: &str, value: Option<&Value>, holds| {
        let side = Side::of(value);
        Entry::between(side, side, holds).map(|entry| entry.named(name))
    };
    let configured = object.attributes.iter().filter_map(|attribute| {
        let Value::Object(members) = &attributes else { return None };
        entry(attribute.name, members.get(attribute.name), Some(&attribute.holds))
    });
    let told_by_aws = computed(address.kind)
        .iter()
        .filter(|computed| computed.name != "id" && object.attribute(computed.name).is_none())
        .filter_map(|computed| entry(computed.name, found.attribute(computed.name).as_ref(), None));
    entry("id", Some(&id), None).into_iter().chain(configured).chain(told_by_aws).collect()
}
