//! Least privilege: what `mirror iam` prints is enough for each command, and for nothing else.
//!
//! The local AWS evaluates the policies; it shares no code with what generates them. Changes run from
//! an empty account under the policies alone.

mod attacks;
mod borrowing;
mod coordination;
mod permissions;
mod sources;

use std::collections::BTreeSet;

use mirror_local::{Cloud, Policy};
use mirror_plan::aws::{Wanted, in_the_way, observe, occupants};
use mirror_plan::iam::{Location, Purpose, policies};
use mirror_plan::plan::{Mode, Plan, Request, plan};
use mirror_plan::stack::Stack;
use mirror_tests::{REGION, Rig, stack, transit_gateway, unfinished};
use serde_json::Value as Json;

use crate::converge::census;

/// Printed policies, which tests can change.
#[derive(Clone, Debug)]
struct Attached(Vec<Json>);

impl Attached {
    /// What `mirror iam` prints for a stack in the account of the local AWS.
    fn printed(stack: &Stack, purposes: impl IntoIterator<Item = Purpose>) -> Self {
        let account = mirror_local::ACCOUNT.parse().unwrap();
        let location = Location { account, region: REGION.parse().unwrap() };
        let printed = policies(stack, &location, purposes);
        Self(printed.iter().map(|p| serde_json::from_str(&p.to_string()).unwrap()).collect())
    }

    /// Lets callers of a cloud do what the policies allow.
    fn attach(&self, cloud: &Cloud) {
        let parse = |policy: &Json| policy.to_string().parse::<Policy>().unwrap();
        cloud.set_policies(self.0.iter().map(parse).collect());
    }

    fn statements(&self) -> impl Iterator<Item = &Json> {
        self.0.iter().flat_map(|policy| policy["Statement"].as_array().unwrap())
    }

    /// The actions that statements of an effect name, each with the statement's Sid.
    fn actions(&self, effect: &str) -> Vec<(String, String)> {
        let of_effect = self.statements().filter(|statement| statement["Effect"] == effect);
        of_effect
            .flat_map(|statement| {
                let sid = text(&statement["Sid"]);
                texts(&statement["Action"]).into_iter().map(move |action| (sid.clone(), action))
            })
            .collect()
    }

    /// The same policies without the conditions of a statement.
    fn unfenced(&self, sid: &str) -> Self {
        let mut changed = self.clone();
        for policy in &mut changed.0 {
            let statements = policy["Statement"].as_array_mut().unwrap();
            for statement in statements.iter_mut().filter(|s| s["Sid"] == sid) {
                statement.as_object_mut().unwrap().remove("Condition");
            }
        }
        changed
    }

    /// The same policies without an action of a statement, or without the whole statement.
    fn without(&self, sid: &str, action: Option<&str>) -> Self {
        let mut changed = self.clone();
        for policy in &mut changed.0 {
            let statements = policy["Statement"].as_array_mut().unwrap();
            for statement in statements.iter_mut().filter(|s| s["Sid"] == sid) {
                let mut left = texts(&statement["Action"]);
                left.retain(|left| action.is_some_and(|action| left != action));
                statement["Action"] = left.into();
            }
            statements.retain(|statement| !texts(&statement["Action"]).is_empty());
        }
        changed.0.retain(|policy| !policy["Statement"].as_array().unwrap().is_empty());
        // Without any policy a caller may do everything.
        if changed.0.is_empty() {
            let nothing = r#"{ "Version": "2012-10-17", "Statement":
                [{ "Sid": "Nothing", "Effect": "Deny", "Action": "*", "Resource": "*" }] }"#;
            changed.0.push(serde_json::from_str(nothing).unwrap());
        }
        changed
    }
}

fn text(value: &Json) -> String {
    value.as_str().unwrap().to_owned()
}

/// One text or several.
fn texts(value: &Json) -> Vec<String> {
    match value {
        Json::String(one) => vec![one.clone()],
        several => several.as_array().unwrap().iter().map(text).collect(),
    }
}

/// Plans as the command line does.
async fn planned(rig: &Rig, stack: &Stack, mode: Mode) -> Result<Plan, String> {
    let images = stack.images();
    let wanted = Wanted::to_plan(stack, &images, mode);
    let sight = observe(&rig.aws, wanted).await.map_err(|error| error.to_string())?;
    if mode == Mode::Apply {
        let strangers = in_the_way(&rig.aws, stack, &sight.observed).await;
        let absent = strangers.map_err(|error| error.to_string())?.absent;
        assert_eq!(absent, BTreeSet::new());
    }
    let request = Request { mode, ..Request::default() };
    let plan = plan(stack, &sight.observed, &request).map_err(|found| found.to_string())?;
    let occupants = occupants(&rig.aws, &plan).await.map_err(|error| error.to_string())?;
    if occupants.is_empty() { Ok(plan) } else { Err(format!("{occupants:?}")) }
}

/// Plans and applies, and checks that nothing is left to do after that.
async fn run(rig: &Rig, stack: &Stack, mode: Mode) -> Result<(), String> {
    let plan = planned(rig, stack, mode).await?;
    let report = rig.apply(&plan).await;
    if !report.is_complete() {
        return Err(unfinished(&report));
    }
    let again = planned(rig, stack, mode).await?;
    if again.is_empty() { Ok(()) } else { Err("there is still to do".to_owned()) }
}

/// Resources of the kinds that the laboratory lacks.
const PEERING: &str = r#"
vpc "peer" { cidr = "10.77.0.0/16" }
vpc_peering "peer" {
  requester = vpc.my-traffic-mirroring-vpc
  accepter  = vpc.peer
}
subnet "peer" {
  vpc  = vpc.peer
  cidr = "10.77.1.0/24"
}
transit_gateway_attachment "peer" {
  vpc             = vpc.peer
  transit_gateway = "tgw-04b327348f5833b9e"
  subnets         = [subnet.peer]
  appliance_mode  = false
}
target_group "gateway" {
  vpc          = vpc.peer
  protocol     = "geneve"
  port         = 6081
  health_check = { port = 80 }
}
launch_template "scaling" { instance_type = "c6i.large" }
target_group "one" { vpc = vpc.peer }
target_group "other" { vpc = vpc.peer }
autoscaling_group "scaling" {
  launch_template = launch_template.scaling
  subnets         = [subnet.peer]
  target_groups   = [target_group.one]
  min             = 1
  max             = 2
  tags            = { one = "1" }
}
gateway_load_balancer "peer" {
  subnets      = [subnet.peer]
  target_group = target_group.gateway
}
endpoint_service "peer" {
  gateway_load_balancers = [gateway_load_balancer.peer]
  acceptance_required    = false
  allowed_principals     = []
}
gateway_load_balancer_endpoint "peer" {
  vpc     = vpc.peer
  subnet  = subnet.peer
  service = endpoint_service.peer
}
mirror_target "peer" { gateway_load_balancer_endpoint = gateway_load_balancer_endpoint.peer }
resource_share "peer" {
  name           = "peer"
  mirror_targets = [mirror_target.peer]
  principals     = ["222233334444"]
  tags           = { one = "1" }
}
"#;

/// The id of the first transit gateway that is made in an account.
const GATEWAY: &str = "tgw-04b327348f5833b9e";

/// An account with a transit gateway.
async fn account() -> Rig {
    let rig = Rig::instant();
    assert_eq!(transit_gateway(&rig.cloud).await, GATEWAY);
    rig
}

/// The laboratory with one of every kind.
fn whole() -> Stack {
    stack(&[include_str!("../../../examples/lab.mirror.hcl"), PEERING].concat())
}

/// The whole laboratory edited, edited again, and removed; a route leads to `interface`.
fn versions(interface: &str) -> [Stack; 3] {
    let peering = PEERING
        .replace("c6i.large", "c6i.xlarge")
        .replace("[target_group.one]", "[target_group.other]")
        .replace("{ one = \"1\" }", "{ other = \"2\" }")
        .replace("max             = 2", "max             = 3")
        .replace("appliance_mode  = false", "appliance_mode  = true")
        .replace("acceptance_required    = false", "acceptance_required    = true")
        .replace("allowed_principals     = []", "allowed_principals     = [\"*\"]")
        .replace("name           = \"peer\"", "name           = \"another\"")
        .replace("[\"222233334444\"]", "[\"333344445555\"]");
    let edited = |text: &str| stack(&[&text.replace("INTERFACE", interface), &*peering].concat());
    [
        edited(include_str!("iam/edited.mirror.hcl")),
        edited(include_str!("iam/edited-again.mirror.hcl")),
        stack("stack \"lab\" { region = \"eu-west-1\" }"),
    ]
}

/// Applies the laboratory and every edit of it until nothing is left.
async fn live(rig: &Rig) -> Result<(), String> {
    run(rig, &whole(), Mode::Apply).await?;
    for version in &versions(&receiver(rig).await?) {
        run(rig, version, Mode::Apply).await?;
    }
    Ok(())
}

/// The interface of a receiver of the laboratory.
async fn receiver(rig: &Rig) -> Result<String, String> {
    let whole = whole();
    let images = whole.images();
    let wanted = Wanted::to_plan(&whole, &images, Mode::Apply);
    let sight = observe(&rig.aws, wanted).await.map_err(|error| error.to_string())?;
    let address = "instance.target-instance-1".parse().unwrap();
    let found = sight.observed.current(&address).ok_or("the receiver is not there")?;
    found.computed["network_interface"].clone().ok_or_else(|| "it has no interface".to_owned())
}

/// An account in which the last edit of the laboratory has been applied.
async fn standing() -> Rig {
    let rig = account().await;
    run(&rig, &whole(), Mode::Apply).await.unwrap();
    let [edited, again, _] = versions(&receiver(&rig).await.unwrap());
    run(&rig, &edited, Mode::Apply).await.unwrap();
    run(&rig, &again, Mode::Apply).await.unwrap();
    rig
}

#[tokio::test]
async fn the_policy_for_apply_is_enough_for_the_life_of_the_lab() {
    let rig = account().await;
    let before = census(&rig.cloud).await;
    Attached::printed(&whole(), [Purpose::Apply]).attach(&rig.cloud);
    live(&rig).await.unwrap();
    rig.cloud.set_policies(Vec::new());
    assert_eq!(census(&rig.cloud).await, before);
}

#[tokio::test]
async fn a_policy_attaches_to_the_gateway_that_is_named_and_to_no_other() {
    let rig = account().await;
    let text = include_str!("../../../examples/transit-gateway.mirror.hcl");
    let on = |gateway: &str| stack(&text.replace("tgw-0a1b2c3d4e5f67890", gateway));
    let other = transit_gateway(&rig.cloud).await;
    Attached::printed(&on(GATEWAY), [Purpose::Apply]).attach(&rig.cloud);
    let refused = run(&rig, &on(&other), Mode::Apply).await;
    assert!(refused.is_err_and(|why| why.contains("UnauthorizedOperation")));
    run(&rig, &on(GATEWAY), Mode::Apply).await.unwrap();
}

#[tokio::test]
async fn the_policy_for_plan_is_enough_to_plan_and_changes_nothing() {
    let rig = standing().await;
    Attached::printed(&whole(), [Purpose::Plan]).attach(&rig.cloud);
    let plan = planned(&rig, &whole(), Mode::Apply).await.unwrap();
    assert!(!plan.is_empty());
    let report = rig.apply(&plan).await;
    assert!(unfinished(&report).contains("UnauthorizedOperation"), "{}", unfinished(&report));
    rig.cloud.set_policies(Vec::new());
    assert_eq!(planned(&rig, &whole(), Mode::Apply).await.unwrap(), plan);
}

#[tokio::test]
async fn the_policy_for_destroy_is_enough_to_destroy_what_the_file_no_longer_declares() {
    let rig = standing().await;
    let before = census(&account().await.cloud).await;
    let empty = &versions("eni-0a1b2c3d4e5f67890")[2];
    Attached::printed(empty, [Purpose::Destroy]).attach(&rig.cloud);
    run(&rig, empty, Mode::Destroy).await.unwrap();
    rig.cloud.set_policies(Vec::new());
    assert_eq!(census(&rig.cloud).await, before);
}

/// The action that is called only while instances are on their way; in an account where everything is done at once,
/// they never are.
const WHILE_WAITING: &str = "autoscaling:DescribeScalingActivities";

#[tokio::test(start_paused = true)]
async fn while_instances_are_on_their_way_it_is_asked_why_they_do_not_come() {
    let stack = stack(
        "stack \"lab\" { region = \"eu-west-1\" }\n\
         vpc \"lab\" { cidr = \"10.0.0.0/16\" }\n\
         subnet \"lab\" {\n  vpc = vpc.lab\n  cidr = \"10.0.1.0/24\"\n}\n\
         launch_template \"lab\" { instance_type = \"t3.micro\" }\n\
         autoscaling_group \"lab\" {\n  launch_template = launch_template.lab\n  subnets = [subnet.lab]\n  min = 1\n  max = 1\n}\n",
    );
    let printed = Attached::printed(&stack, [Purpose::Apply]);
    for (policies, is_enough) in
        [(printed.clone(), true), (printed.without("Read", Some(WHILE_WAITING)), false)]
    {
        let rig = Rig::in_time_of_runtime();
        policies.attach(&rig.cloud);
        let run = run(&rig, &stack, Mode::Apply).await;
        assert_eq!(run.is_ok(), is_enough, "{run:?}");
    }
}

/// A part of the life of the laboratory.
struct Part {
    /// The account before it.
    before: Cloud,
    version: Stack,
    /// The actions that are called in it.
    calls: BTreeSet<String>,
}

impl Part {
    async fn of(rig: &Rig, version: Stack) -> Self {
        let before = rig.cloud.fork();
        let there = rig.cloud.log().unwrap().len();
        run(rig, &version, Mode::Apply).await.unwrap();
        let calls = rig.cloud.log().unwrap().split_off(there);
        Self { before, version, calls: calls.into_iter().map(|call| call.action).collect() }
    }

    async fn fails_with(&self, policies: &Attached) -> bool {
        let rig = Rig::over(self.before.fork());
        policies.attach(&rig.cloud);
        run(&rig, &self.version, Mode::Apply).await.is_err()
    }
}

/// The parts of [`live`], each of which can be tried alone.
async fn parts() -> Vec<Part> {
    let rig = account().await;
    let mut parts = vec![Part::of(&rig, whole()).await];
    for version in versions(&receiver(&rig).await.unwrap()) {
        parts.push(Part::of(&rig, version).await);
    }
    parts
}

#[tokio::test]
async fn without_any_one_action_of_the_policy_for_apply_something_fails() {
    let printed = Attached::printed(&whole(), [Purpose::Apply]);
    let mut spared = Vec::new();
    let needed = printed.actions("Allow").into_iter().filter(|(_, action)| action != WHILE_WAITING);
    let parts = parts().await;
    for (sid, action) in needed {
        let without = printed.without(&sid, Some(&action));
        let (_, name) = action.split_once(':').expect("a service and an action");
        let (likely, others) = parts.iter().partition::<Vec<_>, _>(|it| it.calls.contains(name));
        let mut fails = false;
        for part in likely.into_iter().chain(others) {
            fails = fails || part.fails_with(&without).await;
        }
        if !fails {
            spared.push(format!("{sid}: {action}"));
        }
    }
    println!("{} actions, each of them needed", printed.actions("Allow").len());
    assert_eq!(spared, Vec::<String>::new());
}

#[tokio::test]
async fn without_any_one_action_of_the_policy_for_destroy_something_fails() {
    let printed = Attached::printed(&whole(), [Purpose::Destroy]);
    let standing = standing().await;
    let mut spared = Vec::new();
    for (sid, action) in printed.actions("Allow") {
        let rig = Rig::over(standing.cloud.fork());
        printed.without(&sid, Some(&action)).attach(&rig.cloud);
        if run(&rig, &whole(), Mode::Destroy).await.is_ok() {
            spared.push(format!("{sid}: {action}"));
        }
    }
    println!("{} actions, each of them needed", printed.actions("Allow").len());
    assert_eq!(spared, Vec::<String>::new());
}

#[tokio::test]
async fn without_any_one_action_of_the_policy_for_plan_a_plan_fails() {
    // What exists has been looked up once and is not looked up again, so one account is without the laboratory.
    let accounts = [standing().await, account().await];
    let printed = Attached::printed(&whole(), [Purpose::Plan]);
    let mut spared = Vec::new();
    for (sid, action) in printed.actions("Allow") {
        let mut fails = false;
        for rig in &accounts {
            printed.without(&sid, Some(&action)).attach(&rig.cloud);
            fails = fails || planned(rig, &whole(), Mode::Apply).await.is_err();
        }
        if !fails {
            spared.push(format!("{sid}: {action}"));
        }
    }
    println!("{} actions, each of them needed", printed.actions("Allow").len());
    assert_eq!(spared, Vec::<String>::new());
}

/// A statement is no more than its actions, so the tests above also show that each statement is needed.
#[test]
fn every_statement_has_a_name_of_its_own() {
    let printed = Attached::printed(&whole(), [Purpose::Apply, Purpose::Destroy]);
    let sids: Vec<String> = printed.statements().map(|statement| text(&statement["Sid"])).collect();
    let distinct: BTreeSet<&String> = sids.iter().collect();
    assert_eq!(distinct.len(), sids.len(), "{sids:?}");
}
