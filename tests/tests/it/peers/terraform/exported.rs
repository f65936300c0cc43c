//! Moving out: Terraform takes over what `mirror` has created and exported, without changing it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use mirror_local::Cloud;
use mirror_plan::aws::candidates;
use mirror_plan::import::terraform::TerraformState;
use mirror_plan::observed::Observed;
use mirror_plan::plan::plan_adopting;
use mirror_plan::render::stack_file::StackText;
use mirror_plan::render::terraform::Export;
use mirror_plan::resource::Resource;
use mirror_plan::stack::Stack;
use mirror_tests::{REGION, Rig, lab, sharing, stack, wide};
use serde_json::Value as Json;

use super::{Terraform, is_there, plugins, provider};
use crate::peers::{serve, skipped};

/// Groups that refer to each other, ranges of both address families, and resources with keys.
const OTHERS: &str = r#"
stack "others" { region = "eu-west-1" }

vpc "net" { cidr = "10.0.0.0/16" }

subnet "s" {
  count = 2
  vpc   = vpc.net
  cidr  = cidrsubnet(vpc.net.cidr, 8, count.index)
}

security_group "one" {
  vpc = vpc.net
  ingress = [
    { protocol = "tcp", port = 80, security_groups = [security_group.two] },
    { protocol = "tcp", port = 81, security_groups = [security_group.one] },
    { protocol = "udp", port = "1000-2000", cidrs = ["10.0.0.0/16", "2001:db8::/32"], description = "both" },
  ]
}

security_group "two" {
  vpc     = vpc.net
  ingress = [{ protocol = "tcp", port = 80, security_groups = [security_group.one] }]
  egress  = []
}

security_group "three" {
  vpc = vpc.net
  ingress = [
    { protocol = "tcp", port = 80, cidrs = ["10.0.0.0/16"], security_groups = [security_group.two] },
    { protocol = "tcp", port = 80, security_groups = [security_group.three] },
  ]
}

instance "web" {
  count           = 2
  instance_type   = "t3.micro"
  subnet          = subnet.s[0]
  security_groups = [security_group.three]
  tags            = { team = "network", note = "$${x} \"quoted\"" }
}

output "addresses" { value = "${instance.web[0].private_ip} and ${instance.web[1].private_ip}" }
output "one" {
  value       = security_group.one.id
  description = "A group"
}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn terraform_takes_over_what_was_exported_and_gives_it_back() {
    if !is_there() {
        return println!("skipped: there is no terraform on the path");
    }
    let plugins = match plugins() {
        Ok(plugins) => plugins,
        Err(why) => return println!("{}", skipped(&why)),
    };
    for stack in [wide(), stack(OTHERS), sharing()] {
        let rig = Rig::instant();
        rig.converge(&stack).await;
        let observed = rig.observe(&stack).await;
        let export = Export::of(&stack, &observed).unwrap();
        let taken_over = Moved { export, secrets: secrets(&stack), plugins: plugins.clone() };
        let state = serve(rig.cloud.clone(), move |endpoint| taken_over.live(endpoint)).await;
        if let Some(state) = state {
            given_back(&state, &observed, &rig.cloud).await;
        }
    }
}

/// Returns each user data of a stack once: what the export asks for in variables.
fn secrets(stack: &Stack) -> BTreeMap<String, String> {
    let resources = stack.resources.values().filter_map(|declared| match &declared.resource {
        Resource::Instance(instance) => instance.user_data.as_ref(),
        _ => None,
    });
    let known = resources.filter_map(|data| match data {
        mirror_plan::attribute::Input::Known(secret) => Some(secret),
        mirror_plan::attribute::Input::Later(_) => None,
    });
    known
        .filter_map(|secret| Some((secret.digest().to_owned(), secret.reveal_text()?.to_owned())))
        .collect()
}

/// A stack on its way to Terraform.
struct Moved {
    export: Export,
    secrets: BTreeMap<String, String>,
    plugins: PathBuf,
}

impl Moved {
    /// Imports all of the stack, and makes Terraform its only owner; returns the state, unless the provider
    /// is too old for the export.
    fn live(&self, endpoint: &str) -> Option<String> {
        let terraform = Terraform::new(&self.plugins);
        terraform.write("main.tf", &self.export.configuration);
        terraform.write("imports.tf", &self.export.imports);
        terraform.write("terraform.tfvars.json", &self.variables());
        terraform.ok(["fmt", "-check", "-diff"]);
        let (code, said) = terraform.run(["init"]);
        if said.contains("no available releases match the given constraints") {
            println!("skipped: it is for a later provider than there is");
            return None;
        }
        assert_eq!(code, Some(0), "{said}");
        let version = terraform.provider_version();
        terraform.write("provider_override.tf", &provider(&version, endpoint));
        terraform.ok(["validate"]);
        terraform.ok(["plan", "-out", "plan.bin"]);
        self.assert_nothing_is_touched(&terraform.ok(["show", "-json", "plan.bin"]), &version);
        terraform.ok(["apply", "plan.bin"]);
        terraform.finds_nothing_to_do();

        let (before, rest) = self.export.configuration.split_once("  # Keeps the tags").unwrap();
        let (_, after) = rest.split_once("  }\n").unwrap();
        terraform.write("main.tf", &format!("{before}{after}"));
        terraform.ok(["apply", "-auto-approve"]);
        terraform.finds_nothing_to_do();
        Some(terraform.read("terraform.tfstate"))
    }

    /// Returns the values of the variables, found by the hash in their descriptions.
    fn variables(&self) -> String {
        let blocks = self.export.configuration.split("\nvariable \"").skip(1);
        let values = blocks.map(|block| {
            let (name, rest) = block.split_once('"').unwrap();
            let at = rest.find("sha256:").unwrap();
            (name, self.secrets[&rest[at..at + "sha256:".len() + 64]].as_str())
        });
        serde_json::to_string(&values.collect::<BTreeMap<_, _>>()).unwrap()
    }

    /// Asserts that everything is imported except what the provider cannot import, and that updates change
    /// only what the provider keeps in its state alone.
    fn assert_nothing_is_touched(&self, plan: &str, version: &str) {
        let plan: Json = serde_json::from_str(plan).unwrap();
        let changes = plan["resource_changes"].as_array().unwrap();
        let mut imported = 0;
        for change in changes {
            let (address, kind) = (&change["address"], change["type"].as_str().unwrap());
            let body = &change["change"];
            let actions = body["actions"].as_array().unwrap();
            let actions: Vec<&str> = actions.iter().map(|it| it.as_str().unwrap()).collect();
            if kind == "aws_lb_target_group_attachment" {
                assert_eq!(actions, ["create"], "{address}");
                continue;
            }
            assert!(body.get("importing").is_some(), "{address}: {body:#}");
            imported += 1;
            if actions != ["no-op"] {
                assert_eq!(actions, ["update"], "{address} of {version}: {body:#}");
                let names = differing(&body["before"], &body["after"]);
                let of_the_state = STATE_ONLY.iter().filter(|(of, _)| *of == kind);
                let of_the_state: BTreeSet<&str> = of_the_state.map(|(_, name)| *name).collect();
                assert!(
                    names.is_subset(&of_the_state),
                    "{address} of {version}: {names:?} {body:#}"
                );
                if names.contains("root_block_device") {
                    assert!(version.starts_with("3."), "{address} of {version}: {body:#}");
                    let [before, after] =
                        ["before", "after"].map(|of| &body[of]["root_block_device"][0]);
                    assert_eq!(differing(before, after), BTreeSet::from(["tags"]), "{address}");
                }
            }
        }
        assert_eq!(imported, self.export.imports.matches("import {").count());
    }
}

/// What the provider does not read from AWS: an import leaves it empty, and the first apply sets it in the
/// state.
const STATE_ONLY: [(&str, &str); 9] = [
    ("aws_security_group", "revoke_rules_on_delete"),
    ("aws_security_group", "timeouts"),
    ("aws_vpc_peering_connection", "auto_accept"),
    ("aws_vpc_peering_connection", "timeouts"),
    ("aws_instance", "user_data_replace_on_change"),
    ("aws_instance", "timeouts"),
    // 3.39 sees the tags of the stack on volumes, which later versions ignore, and removes them.
    ("aws_instance", "root_block_device"),
    // Read twice: as the target group, and as a list that holds it.
    ("aws_lb_listener", "default_action"),
    ("aws_lb_target_group", "lambda_multi_value_headers_enabled"),
];

/// Returns the attributes that differ between the two sides.
fn differing<'j>(before: &'j Json, after: &'j Json) -> BTreeSet<&'j str> {
    let (before, after) = (before.as_object().unwrap(), after.as_object().unwrap());
    let names = before.keys().chain(after.keys());
    names.filter(|name| before.get(*name) != after.get(*name)).map(String::as_str).collect()
}

/// Imports the state: the stack file that is written declares what the exported stack declared.
async fn given_back(state: &str, observed: &Observed, cloud: &Cloud) {
    let rig = Rig::over(cloud.fork());
    let state = TerraformState::parse(state).unwrap();
    assert_eq!(state.left, Vec::<String>::new());
    let wanted: Vec<_> = state.taken().map(|(_, a, id)| (a.clone(), id.clone())).collect();
    let (adoptions, told) = candidates(&rig.aws, "imported", &wanted).await.unwrap();
    assert_eq!((adoptions.len(), told.len()), (observed.owned.len(), 0), "{told:?}");
    let ids: BTreeSet<_> = adoptions.iter().map(|it| it.found.id.clone()).collect();
    let made = observed.owned.values().map(|all| all[0].id.clone());
    assert_eq!(ids, made.collect());
    let found: BTreeMap<_, _> =
        adoptions.iter().map(|it| (it.address.clone(), it.found.clone())).collect();
    for (address, found) in &found {
        let all = observed.owned.values().flatten();
        let was = all.clone().find(|was| was.id == found.id).unwrap();
        assert_eq!(was.resource, found.resource, "{address}");
    }
    let (name, region) = ("imported".parse().unwrap(), REGION.parse().unwrap());
    let text = StackText { stack: &name, region: &region, resources: &found }.to_string();
    let stack = stack(&text);
    let plan = plan_adopting(&stack, &rig.observe(&stack).await, &adoptions).unwrap();
    assert!(plan.is_empty(), "{text}\n{plan}");
}

/// Stacks of every shape are written as Terraform itself lays them out.
#[test]
fn what_is_exported_is_laid_out_as_terraform_does_it() {
    if !is_there() {
        return println!("skipped: there is no terraform on the path");
    }
    let terraform = Terraform::new(Path::new("none"));
    for (number, stack) in generated().enumerate() {
        let export = Export::of(&stack, &nothing()).unwrap();
        terraform.write(&format!("{number}.tf"), &export.configuration);
    }
    let (code, said) = terraform.run(["fmt", "-check", "-diff"]);
    assert_eq!((code, said.as_str()), (Some(0), ""));
}

/// Exports of every shape are valid in the language, and a parser other than Terraform's finds every resource.
#[test]
fn what_is_exported_can_be_parsed_and_has_every_resource() {
    for stack in generated() {
        let Export { configuration, .. } = Export::of(&stack, &nothing()).unwrap();
        let body: hcl_edit::structure::Body = configuration.parse().unwrap();
        let heads = body.blocks().filter(|block| block.ident.as_str() == "resource");
        let labels = heads.map(|block| {
            block.labels.iter().map(|label| label.as_str()).collect::<Vec<_>>().join(".")
        });
        let labels: Vec<String> = labels.collect();
        let once: BTreeSet<&String> = labels.iter().collect();
        assert_eq!(once.len(), labels.len(), "{configuration}");
        assert!(labels.len() >= stack.resources.len(), "{configuration}");
    }
}

fn generated() -> impl Iterator<Item = Stack> {
    let seeds = (0..32).map(|seed| stack(&crate::generate::stack_file(seed, 0)));
    [lab(), wide(), stack(OTHERS), sharing()].into_iter().chain(seeds)
}

fn nothing() -> Observed {
    Observed::nothing("123456789012".parse().unwrap(), REGION.parse().unwrap())
}
