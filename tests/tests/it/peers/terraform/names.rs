//! The names in Terraform's JSON of a plan, compared with the schema that HashiCorp's provider reports.

use std::collections::BTreeSet;

use mirror_plan::observed::Observed;
use mirror_plan::plan::{Request, plan};
use mirror_plan::render::terraform::PlanJson;
use mirror_tests::{REGION, wide};
use serde_json::Value as Json;

use super::{Command, Terraform, plugins, skipped};

/// A configuration that asks for the provider and nothing else.
const PROVIDER: &str =
    "terraform {\n  required_providers {\n    aws = { source = \"hashicorp/aws\" }\n  }\n}\n";

/// Attributes that versions after 3.39.0 have removed.
const GONE: [&str; 4] = [
    "cpu_core_count",
    "cpu_threads_per_core",
    "enable_classiclink",
    "enable_classiclink_dns_support",
];

/// Attributes that later versions have added: a mirror target can be a Gateway Load Balancer endpoint.
const SINCE: [&str; 1] = ["gateway_load_balancer_endpoint_id"];

#[test]
fn every_name_in_a_plan_is_one_of_the_providers() {
    if Command::new("terraform").arg("version").output().is_err() {
        return println!("skipped: there is no terraform on the path");
    }
    let plugins = match plugins() {
        Ok(plugins) => plugins,
        Err(why) => return println!("{}", skipped(&why)),
    };
    let terraform = Terraform::new(&plugins);
    terraform.write("main.tf", PROVIDER);
    terraform.ok(["init"]);
    // A plan has every name of the oldest version; later versions have more.
    let is_oldest = terraform.provider_version() == "3.39.0";
    let schemas: Json =
        serde_json::from_str(&terraform.ok(["providers", "schema", "-json"])).unwrap();
    let schemas =
        &schemas["provider_schemas"]["registry.terraform.io/hashicorp/aws"]["resource_schemas"];

    let account = mirror_local::ACCOUNT.parse().unwrap();
    let nothing = Observed::nothing(account, REGION.parse().unwrap());
    let plan = plan(&wide(), &nothing, &Request::default()).unwrap();
    let plan = serde_json::to_value(PlanJson::new(&plan)).unwrap();
    let resources = &plan["planned_values"]["root_module"]["resources"];
    let mut types = BTreeSet::new();
    for (resource, change) in each(resources).zip(each(&plan["resource_changes"])) {
        let kind = resource["type"].as_str().unwrap();
        types.insert(kind);
        let schema = &schemas[kind];
        let (known, unknown) = (&change["change"]["after"], &change["change"]["after_unknown"]);
        let names: BTreeSet<&str> = members(known).chain(members(unknown)).collect();
        let wanted: BTreeSet<&str> = named(&schema["block"]).collect();
        if is_oldest {
            assert_eq!(resource["schema_version"], schema["version"], "{kind}");
            let differ: BTreeSet<&str> = names.symmetric_difference(&wanted).copied().collect();
            assert!(
                differ.iter().all(|name| GONE.contains(name) || SINCE.contains(name)),
                "{differ:?}"
            );
        } else {
            assert!(names.is_subset(&wanted), "{kind} has {:?}", names.difference(&wanted));
        }
        blocks_are_named(kind, known, &schema["block"]);
    }
    assert_eq!(types.len(), 16, "{types:?}");
}

/// Checks the names in the blocks of a resource, which have every attribute except those known to be unset.
fn blocks_are_named(at: &str, value: &Json, schema: &Json) {
    for (name, member) in value.as_object().into_iter().flatten() {
        let block = &schema["block_types"][name]["block"];
        // An attribute that is written like a block has a type that lists all names.
        let object = &schema["attributes"][name]["type"][1][1];
        let known: BTreeSet<&str> =
            if block.is_null() { members(object).collect() } else { named(block).collect() };
        for item in each(member).filter(|item| item.is_object()) {
            let strange: Vec<&str> = members(item).filter(|name| !known.contains(name)).collect();
            assert!(strange.is_empty(), "{at}.{name} has {strange:?}");
        }
    }
}

/// The attributes and blocks of a block.
fn named(block: &Json) -> impl Iterator<Item = &str> {
    members(&block["attributes"]).chain(members(&block["block_types"]))
}

fn members(object: &Json) -> impl Iterator<Item = &str> {
    object.as_object().into_iter().flatten().map(|(name, _)| name.as_str())
}

fn each(list: &Json) -> impl Iterator<Item = &Json> {
    list.as_array().into_iter().flatten()
}
