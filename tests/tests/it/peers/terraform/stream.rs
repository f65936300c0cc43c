//! The event stream of `--json`, compared with that of the terraform on the path.
//!
//! Terraform runs with a resource that is built into it, so that no provider is needed. What it emits in
//! plans, applies, a failed apply and a destroy is compared type by type with what the library emits.

use std::collections::{BTreeMap, BTreeSet};

use mirror_local::{Calls, Fault, Faults};
use mirror_plan::event::Event;
use mirror_plan::plan::{Mode, Plan, Request};
use mirror_plan::render::json;
use mirror_tests::{Rig, lab, stack};
use serde_json::Value;

use super::Terraform;

/// One resource that is created, replaced and removed, and one that cannot be created.
const MODULE: &str = r#"
variable "value" { default = "one" }
resource "terraform_data" "steady" { triggers_replace = var.value }
resource "terraform_data" "broken" {
  count = var.value == "three" ? 1 : 0
  provisioner "local-exec" { command = "false" }
}
output "id" { value = terraform_data.steady.id }
"#;

/// The type that terraform emits only after ten seconds; the test does not wait that long.
const SAID_LATE: &str = "apply_progress";

/// What a summary has in version 1.3, which we emit, but not in version 1.2 of terraform 1.11.
const ADDED: &str = "/changes/action_invocation";

/// The name that each program gives itself.
const OWN: [&str; 2] = ["terraform", "mirror"];

/// The messages of a stream, by type.
#[derive(Debug, Default)]
struct Stream(BTreeMap<String, Vec<Value>>);

impl Stream {
    fn add(&mut self, message: Value) {
        let sort = message["type"].as_str().expect("every message has a type").to_owned();
        self.0.entry(sort).or_default().push(message);
    }

    /// Returns the paths that every message of a type has, and those that at least one has.
    fn paths(&self, sort: &str) -> [BTreeSet<String>; 2] {
        let each = self.0[sort].iter().map(|message| {
            let mut paths = BTreeSet::new();
            walk(message, String::new(), &mut paths);
            paths
        });
        let every = each.clone().reduce(|all, next| &all & &next).expect("there is a message");
        [every, each.flatten().collect()]
    }
}

/// Collects the paths of all members; the names of outputs and the contents of their values are arbitrary.
fn walk(value: &Value, path: String, paths: &mut BTreeSet<String>) {
    if let Value::Object(members) = value {
        for (name, member) in members {
            let name = if path == "/outputs" { "*" } else { name };
            if !matches!(name, "type" | "value" if path == "/outputs/*") {
                walk(member, format!("{path}/{name}"), paths);
            }
        }
    }
    paths.insert(path);
}

fn terraforms() -> Stream {
    let nowhere = tempfile::tempdir().unwrap();
    let terraform = Terraform::new(nowhere.path());
    terraform.write("main.tf", MODULE);
    terraform.ok(["init"]);
    let mut stream = Stream::default();
    let mut said = |arguments: [&str; 4], expected| {
        let (code, said) = terraform.run(arguments);
        assert_eq!(code, Some(expected), "{said}");
        let lines = said.lines().filter_map(|line| serde_json::from_str(line).ok());
        lines.for_each(|message| stream.add(message));
    };
    for value in ["-var=value=one", "-var=value=two"] {
        // A target causes a warning, which belongs to no line of the file.
        said(["plan", "-json", "-target=terraform_data.steady", value], 0);
        said(["apply", "-json", "-auto-approve", value], 0);
    }
    said(["apply", "-json", "-auto-approve", "-var=value=three"], 1);
    said(["destroy", "-json", "-auto-approve", "-var=value=three"], 0);
    stream
}

async fn ours() -> Stream {
    let rig = Rig::instant();
    let mut stream = Stream::default();
    stream.add(json::version("0.1.0").at("2026-11-22T16:43:18.530609Z"));
    let nothing = stack("stack \"traffic-mirroring\" { region = \"eu-west-1\" }");
    let wanted = lab();
    for (stack, mode) in [
        (&wanted, Mode::Apply),
        (&nothing, Mode::Apply),
        (&wanted, Mode::Apply),
        (&wanted, Mode::Destroy),
    ] {
        let plan = rig.plan_for(stack, &Request { mode, ..Request::default() }).await;
        say(&rig, &plan, &mut stream).await;
    }
    rig.cloud.set_faults(Faults::none().fail(
        Calls::Mutating,
        1,
        Fault::refused("VpcLimitExceeded", 400),
    ));
    let plan = rig.plan(&wanted).await;
    say(&rig, &plan, &mut stream).await;
    stream
}

/// Applies a plan, and adds the messages about it.
async fn say(rig: &Rig, plan: &Plan, stream: &mut Stream) {
    let mut events: Vec<Event> = Vec::new();
    rig.apply_with(plan, &mut events).await;
    let said = events.iter().flat_map(|event| json::event(plan, event));
    let lines = json::plan(plan).into_iter().chain(said);
    lines.for_each(|line| stream.add(line.at("2026-11-22T16:43:18.530609Z")));
}

#[tokio::test]
async fn the_event_stream_has_the_types_and_members_of_terraforms() {
    if std::process::Command::new("terraform").arg("version").output().is_err() {
        return println!("skipped: there is no terraform on the path");
    }
    let (terraform, mirror) = (terraforms(), ours().await);
    // Minor versions only add.
    let theirs = &terraform.0["version"][0]["ui"];
    let is_older = theirs == "1.2";
    assert!(is_older || theirs == "1.3", "{theirs}");
    let mut compared = BTreeSet::new();
    for sort in mirror.0.keys().filter(|sort| !sort.starts_with("mirror_") && *sort != SAID_LATE) {
        assert!(terraform.0.contains_key(sort), "terraform does not say {sort}");
        let [every, any] = terraform.paths(sort);
        let [ours_every, ours_any] = mirror.paths(sort);
        let is_foreign = |path: &&String| {
            path.split('/').any(|name| name.starts_with("mirror_") || OWN.contains(&name))
        };
        let missing: Vec<&String> =
            every.difference(&ours_every).filter(|it| !is_foreign(it)).collect();
        let is_newer = |path: &&String| is_older && *path == ADDED;
        let unknown: Vec<&String> =
            ours_any.difference(&any).filter(|it| !is_foreign(it) && !is_newer(it)).collect();
        assert_eq!((missing, unknown), (vec![], vec![]), "missing and unknown in {sort}");
        compared.insert(sort.as_str());
    }
    assert_eq!(
        compared,
        [
            "apply_complete",
            "apply_errored",
            "apply_start",
            "change_summary",
            "diagnostic",
            "outputs",
            "planned_change",
            "version"
        ]
        .into()
    );
    assert_eq!(mirror.0["version"][0]["ui"], "1.3");
    let words = |stream: &Stream| -> BTreeSet<String> {
        let actions =
            stream.0["planned_change"].iter().map(|it| it["change"]["action"].to_string());
        actions.collect()
    };
    assert_eq!(&words(&mirror) - &words(&terraform), BTreeSet::new());
}
