//! The names of sessions: what people call a VNI, or the VNI of one source address.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use crate::frame::Session;
use crate::sink::SessionNames;
use crate::vni::Vni;

/// The names that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameTable {
    by_session: BTreeMap<(Vni, IpAddr), String>,
    by_vni: BTreeMap<Vni, String>,
}

/// Why a text contains no valid names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamesError {
    /// It is neither JSON nor TOML.
    #[error("it is neither JSON nor TOML: {message}")]
    Syntax {
        /// What is wrong, and where.
        message: String,
    },
    /// A name stands for something that is not a session.
    #[error("`{name}` is `{value}`, not a session such as 5569041 or \"5569041@10.0.1.35\"")]
    Session {
        /// The name.
        name: String,
        /// What it stands for.
        value: String,
    },
    /// The text contains no names.
    #[error("it contains no mirror session")]
    Nothing,
}

impl NameTable {
    /// Reads the names in the text of a file.
    ///
    /// The text is the output of `mirror show --json`, `terraform show -json` or `mirror output
    /// --json`, a file that `mirror observe` wrote, or TOML with a line for each name: `web = 5569041`,
    /// or `web = "5569041@10.0.1.35"` if several accounts use a VNI.
    ///
    /// # Errors
    ///
    /// The text is none of these, or contains no session.
    pub fn parse(text: &str) -> Result<Self, NamesError> {
        let names = if text.trim_start().starts_with('{') {
            let syntax =
                |error: serde_json::Error| NamesError::Syntax { message: error.to_string() };
            let json: Value = serde_json::from_str(text).map_err(syntax)?;
            // A plan contains the names that there will be.
            let values = json.get("values").or_else(|| json.get("planned_values"));
            match (values, json.get("owned")) {
                (Some(values), _) if json.get("format_version").is_some() => terraform(values),
                (_, Some(owned)) => observed(owned),
                (_, None) => outputs(&json),
            }
        } else {
            table(text)?
        };
        let is_empty = names.by_session.is_empty() && names.by_vni.is_empty();
        if is_empty { Err(NamesError::Nothing) } else { Ok(names) }
    }

    /// Returns the name of a session: its own, or else that of its VNI.
    pub fn get(&self, session: Session) -> Option<&str> {
        let Session { vni, source } = session;
        let own = self.by_session.get(&(vni, source));
        own.or_else(|| self.by_vni.get(&vni)).map(String::as_str)
    }

    fn add(&mut self, vni: Vni, source: Option<IpAddr>, name: &str) {
        match source {
            None => self.by_vni.insert(vni, name.to_owned()),
            Some(source) => self.by_session.insert((vni, source), name.to_owned()),
        };
    }
}

/// The sessions of `mirror show --json` or `terraform show -json`, each with the address of the
/// instance that it mirrors if that is in the same state. Each nested module has its own state.
fn terraform(values: &Value) -> NameTable {
    let mut resources = Vec::new();
    let mut modules = vec![&values["root_module"]];
    while let Some(module) = modules.pop() {
        let members = |name: &str| module[name].as_array().into_iter().flatten();
        resources.extend(members("resources"));
        modules.extend(members("child_modules"));
    }
    let interfaces: BTreeMap<&str, IpAddr> = resources
        .iter()
        .filter_map(|resource| {
            let values = &resource["values"];
            let address = values["private_ip"].as_str()?.parse().ok()?;
            Some((values["primary_network_interface_id"].as_str()?, address))
        })
        .collect();
    let mut names = NameTable::default();
    for resource in resources {
        if resource["type"] != "aws_ec2_traffic_mirror_session" {
            continue;
        }
        let values = &resource["values"];
        if let (Some(vni), Some(name)) =
            (vni(&values["virtual_network_id"]), resource["name"].as_str())
        {
            let source = values["network_interface_id"].as_str();
            let source = source.and_then(|id| interfaces.get(id)).copied();
            names.add(vni, source, &with_index(name, &resource["index"]));
        }
    }
    names
}

/// The name of a block, with the index of the session if the block has several.
fn with_index(name: &str, index: &Value) -> String {
    match index {
        Value::Number(number) => format!("{name}[{number}]"),
        Value::String(key) => format!("{name}[\"{key}\"]"),
        _ => name.to_owned(),
    }
}

/// The sessions in what `mirror observe` writes, in the same way.
fn observed(owned: &Value) -> NameTable {
    let blocks = || owned.as_object().into_iter().flatten();
    let objects = || {
        blocks().flat_map(|(address, objects)| {
            objects.as_array().into_iter().flatten().map(move |object| (address, object))
        })
    };
    let interfaces: BTreeMap<&str, IpAddr> = objects()
        .filter_map(|(_, object)| {
            let computed = &object["computed"];
            let address = computed["private_ip"].as_str()?.parse().ok()?;
            Some((computed["network_interface"].as_str()?, address))
        })
        .collect();
    let mut names = NameTable::default();
    for (address, object) in objects() {
        let session = &object["resource"]["mirror_session"];
        if let (Some(vni), Some(name)) = (vni(&session["vni"]), address.split('.').nth(1)) {
            let source = session["source"]["id"].as_str().and_then(|id| interfaces.get(id));
            names.add(vni, source.copied(), name);
        }
    }
    names
}

/// The outputs of `mirror output --json` that are numbers, as VNIs are.
fn outputs(json: &Value) -> NameTable {
    let mut names = NameTable::default();
    for (name, output) in json.as_object().into_iter().flatten() {
        if let Some(vni) = vni(output.get("value").unwrap_or(output)) {
            names.add(vni, None, name);
        }
    }
    names
}

fn table(text: &str) -> Result<NameTable, NamesError> {
    let syntax = |error: toml::de::Error| NamesError::Syntax { message: error.to_string() };
    let mut names = NameTable::default();
    for (name, value) in DeTable::parse(text).map_err(syntax)?.get_ref() {
        let value = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.to_string(),
            other => other.type_str().to_owned(),
        };
        let (vni, source) = match value.split_once('@') {
            None => (value.parse().ok(), Some(None)),
            Some((vni, source)) => (vni.parse().ok(), source.parse().ok().map(Some)),
        };
        let name = name.get_ref();
        match (vni, source) {
            (Some(vni), Some(source)) => names.add(vni, source, name),
            _ => return Err(NamesError::Session { name: name.to_string(), value }),
        }
    }
    Ok(names)
}

fn vni(value: &Value) -> Option<Vni> {
    Vni::try_from(u32::try_from(value.as_u64()?).ok()?).ok()
}

/// Names that can be replaced while others look them up.
#[derive(Clone, Debug, Default)]
pub struct CurrentNames(Arc<RwLock<NameTable>>);

impl CurrentNames {
    /// Replaces the names.
    pub fn replace(&self, names: NameTable) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = names;
    }
}

impl SessionNames for CurrentNames {
    fn name(&self, session: Session) -> Option<String> {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        names.get(session).map(str::to_owned)
    }
}
