//! Inventories: what was observed, read back from a file that may have been edited since.
//!
//! An observation of AWS holds only what AWS can hold. A file may contain anything, so everything
//! that planning relies on is checked here, once.

use super::{Found, Observed};
use crate::address::Address;
use crate::attribute::Problems;
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::resource::{Resource, is_id_of};
use crate::value::Value;

impl Observed {
    /// Reads an inventory: what `mirror observe` writes, the JSON of an [`Observed`].
    ///
    /// # Errors
    /// If the text is not such JSON, or contains what no account can hold; all problems are
    /// reported at once.
    pub fn from_inventory(text: &str) -> Result<Self, Diagnostics> {
        let observed: Self = serde_json::from_str(text).map_err(|error| {
            Diagnostic::error(code::FILE, "this is not an inventory")
                .note(error.to_string())
                .help("write one with `mirror observe --out FILE`")
        })?;
        let owned =
            observed.owned.iter().flat_map(|(address, all)| all.iter().map(move |f| (address, f)));
        let found = owned.chain(&observed.existing);
        let problems: Diagnostics = found
            .flat_map(|(address, found)| {
                problems(address, found).into_iter().map(move |problem| {
                    Diagnostic::error(code::FILE, format!("the inventory is wrong: {problem}"))
                        .of(address)
                        .help("write it again with `mirror observe --out FILE`")
                })
            })
            .collect();
        problems.unless_errors(observed).map(|(observed, _)| observed)
    }
}

/// What is wrong with an object.
fn problems(address: &Address, found: &Found) -> Vec<String> {
    let Found { id, generation: _, resource, computed: _, parts } = found;
    let kind = address.kind;
    if resource.kind() != kind {
        return vec![format!("the object's kind is {}", resource.kind().title())];
    }
    let mut wrong: Vec<String> = Vec::new();
    wrong.extend(is_id_of(kind, id).err().map(|error| error.to_string()));
    let value = resource.to_value();
    if !is_by_id(&value) {
        wrong.push("it refers to something that has no id".to_owned());
        return wrong;
    }
    let mut read = Problems::default();
    Resource::read(kind, &value, &mut read);
    wrong.extend(read.into_inner().into_iter().map(|problem| match problem.path.0.as_slice() {
        [] => problem.title,
        _ => format!("{}: {}", problem.path, problem.title),
    }));
    let missing = resource.part_keys().into_iter().filter(|key| !parts.contains_key(key));
    wrong.extend(missing.map(|key| format!("its part {key} has no id")));
    wrong
}

/// Whether everything in it is known and it names nothing that only a stack could resolve.
fn is_by_id(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Secret(_) => {
            true
        }
        Value::List(items) => items.iter().all(is_by_id),
        Value::Object(members) => members.values().all(is_by_id),
        Value::Resource(_) | Value::Unknown(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    /// An inventory with one mirror filter, after an edit.
    fn inventory(edit: impl FnOnce(&mut Json)) -> Result<Observed, String> {
        let mut json = json!({
            "account": "123456789012", "region": "eu-west-1", "images": {},
            "owned": { "mirror_filter.web": [{
                "id": "tmf-0a1b2c3d4e5f67890", "generation": 1, "computed": {},
                "parts": { "ingress 100": "tmfr-0a1b2c3d4e5f67890" },
                "resource": { "mirror_filter": {
                    "description": null, "amazon_dns": false, "tags": {},
                    "rules": [{
                        "direction": "ingress", "number": 100, "action": "accept",
                        "protocol": "tcp", "source": "0.0.0.0/0", "destination": "0.0.0.0/0",
                        "source_port": null, "destination_port": 443, "description": null,
                    }],
                }},
            }]},
        });
        edit(&mut json);
        Observed::from_inventory(&json.to_string()).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn an_inventory_reads_back() {
        let observed = inventory(|_| {}).unwrap();
        let text = serde_json::to_string(&observed).unwrap();
        assert_eq!(Observed::from_inventory(&text).unwrap(), observed);
    }

    #[test]
    fn what_no_account_holds_is_said() {
        let said = |edit: fn(&mut Json)| {
            let text = inventory(edit).unwrap_err();
            text.lines()
                .map(|line| line.split("wrong: ").last().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            said(
                |json| *json.pointer_mut("/owned/mirror_filter.web/0/id").unwrap() = "tmf-0".into()
            ),
            [
                "`tmf-0` is not a valid traffic mirror filter id: expected tmf- and 17 hexadecimal digits"
            ],
        );
        assert_eq!(
            said(|json| *json.pointer_mut("/owned/mirror_filter.web/0/parts").unwrap() = json!({})),
            ["its part ingress 100 has no id"],
        );
        assert_eq!(
            said(|json| {
                let all = json.pointer_mut("/owned").unwrap().as_object_mut().unwrap();
                let filter = all.remove("mirror_filter.web").unwrap();
                all.insert("vpc.web".to_owned(), filter);
            }),
            ["the object's kind is traffic mirror filter"],
        );
        let twice = said(|json| {
            let rules = "/owned/mirror_filter.web/0/resource/mirror_filter/rules";
            let rules = json.pointer_mut(rules).unwrap().as_array_mut().unwrap();
            rules.push(rules[0].clone());
        });
        assert_eq!(twice.len(), 1, "{twice:?}");
        assert!(inventory(|json| *json = json!({})).unwrap_err().contains("not an inventory"));
    }
}
