//! Terraform's JSON of plans and of what an account holds.

use std::collections::{BTreeMap, BTreeSet};

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::{PlanJson, StateJson, table};
use crate::address::Kind;
use crate::observed::Observed;
use crate::plan::tests::{applied, lab, nothing, stack};
use crate::plan::{OutputChange, Plan, Request, plan};
use crate::value::Value;

mod changes;
mod documents;
mod keys;
mod references;

/// The plan from `observed` to a stack.
fn planned(resources: Json, observed: &Observed) -> Plan {
    plan(&stack(resources), observed, &Request::default()).unwrap()
}

fn json_of(plan: &Plan) -> Json {
    serde_json::from_str(&PlanJson::new(plan).to_string()).unwrap()
}

/// The members of a list by their addresses.
fn by_address(list: &Json) -> BTreeMap<&str, &Json> {
    let members = list.as_array().into_iter().flatten();
    members.map(|member| (member["address"].as_str().unwrap(), member)).collect()
}

fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).unwrap()
}

/// A line for each change: what happens, why, and because of which attributes.
fn changes(plan: &Json) -> String {
    let line = |change: &Json| {
        let body = &change["change"];
        let actions = body["actions"].as_array().unwrap();
        let actions: Vec<&str> = actions.iter().map(|action| action.as_str().unwrap()).collect();
        let deposed = change.get("deposed").map_or(String::new(), |key| format!(" deposed {key}"));
        let reason = change.get("action_reason").and_then(Json::as_str).unwrap_or_default();
        let paths = body.get("replace_paths").map_or(String::new(), Json::to_string);
        let address = change["address"].as_str().unwrap();
        format!("{} {address}{deposed} {reason} {paths}", actions.join("+")).trim_end().to_owned()
    };
    plan["resource_changes"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What checkov, trivy and infracost rely on; without it, each reports nothing or aborts.
#[test]
fn readers_find_what_they_rely_on() {
    let observed = applied(&stack(lab()));
    let mut edited = lab();
    edited["subnet.target"]["cidr"] = json!("10.0.3.0/24");
    let plans = [planned(lab(), &nothing()), planned(lab(), &observed), planned(edited, &observed)];
    for plan in plans {
        let json = json_of(&plan);
        let changes = by_address(&json["resource_changes"]);
        assert_eq!(changes.len(), json["resource_changes"].as_array().unwrap().len());
        let planned = by_address(&json["planned_values"]["root_module"]["resources"]);
        for (address, resource) in &planned {
            assert_eq!(changes[address]["change"]["after"], resource["values"], "{address}");
        }
        for change in changes.values() {
            let body = change["change"].as_object().unwrap();
            assert!(body.contains_key("before") && body.contains_key("after"), "{change}");
        }
        let blocks = by_address(&json["configuration"]["root_module"]["resources"]);
        for address in planned.keys() {
            let block = address.split('[').next().unwrap();
            assert!(blocks.contains_key(block), "{address}");
        }
        assert!(json["terraform_version"].as_str().is_some_and(|version| !version.is_empty()));
        let region = json.pointer("/configuration/provider_config/aws/expressions/region");
        assert_eq!(region, Some(&json!({ "constant_value": "eu-west-1" })));
    }
}

#[test]
fn a_secret_is_its_hash_and_is_marked() {
    let mut resources = lab();
    resources["instance.one"]["user_data"] = json!("canary");
    let observed = applied(&stack(resources.clone()));
    resources["instance.one"]["user_data"] = json!("canary two");
    let mut plan = planned(resources, &observed);
    let secret = || Value::from("canary three").sensitive();
    plan.variables.insert("key".to_owned(), secret());
    plan.variables.insert("size".to_owned(), Value::integer(3));
    let output = OutputChange { before: Some(secret()), after: Some(secret()) };
    plan.outputs.insert("key".to_owned(), output);
    let text = PlanJson::new(&plan).to_string() + &StateJson::new(&observed).to_string();
    assert!(!text.contains("canary"), "{text}");
    let json = json_of(&plan);
    let changes = by_address(&json["resource_changes"]);
    let change = &changes["aws_instance.one"]["change"];
    assert_eq!(change["actions"], json!(["update"]));
    assert_eq!(change["before_sensitive"]["user_data"], true);
    assert_eq!(change["after_sensitive"]["user_data"], true);
    assert_ne!(change["before"]["user_data"], change["after"]["user_data"]);
    let blocks = by_address(&json["configuration"]["root_module"]["resources"]);
    assert_eq!(blocks["aws_instance.one"]["expressions"]["user_data"], json!({}));
    assert_eq!(json["variables"]["size"], json!({ "value": 3 }));
    assert_eq!(
        json["configuration"]["root_module"]["variables"],
        json!({ "key": { "sensitive": true }, "size": {} })
    );
    assert_snapshot!(pretty(&json["output_changes"]), @r#"
    {
      "key": {
        "actions": [
          "no-op"
        ],
        "after": "sha256:66993d09828384b48c5ebcdc7611ff2990eb5cda842fd9ce96a47e23c0db8751",
        "after_sensitive": true,
        "after_unknown": false,
        "before": "sha256:66993d09828384b48c5ebcdc7611ff2990eb5cda842fd9ce96a47e23c0db8751",
        "before_sensitive": true
      }
    }
    "#);
}

#[test]
fn a_plan_is_the_same_bytes_unless_the_time_is_asked_for() {
    let plan = planned(lab(), &nothing());
    let text = PlanJson::new(&plan).to_string();
    assert_eq!(text, PlanJson::new(&plan).to_string());
    assert!(!text.contains("timestamp"));
    // A saved plan says the same.
    let saved = serde_json::to_string(&plan).unwrap();
    let read: Plan = serde_json::from_str(&saved).unwrap();
    assert_eq!(text, PlanJson::new(&read).to_string());
    let timed = PlanJson::new(&plan).timestamp("2026-01-02T03:04:05Z").to_string();
    let json: Json = serde_json::from_str(&timed).unwrap();
    assert_eq!(json["timestamp"], "2026-01-02T03:04:05Z");
}

#[test]
fn the_book_names_the_types_of_every_kind() {
    let page = include_str!("../../../../docs/src/terraform-json.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let rows: Vec<(&str, &str)> = rows.collect();
    for kind in Kind::all() {
        let word = format!("`{}`", kind.word());
        let row = rows.iter().find(|(kinds, _)| kinds.split(", ").any(|other| other == word));
        let types = row.map_or("", |(_, types)| *types);
        let table = table::of(kind);
        let parts = table.parts.iter().map(|part| format!("`{}.NAME[\"", part.table.name));
        for wanted in [format!("`{}`", table.whole.name)].into_iter().chain(parts) {
            assert!(types.contains(&wanted), "{kind:?}: no {wanted} in {types:?}");
        }
    }
}
