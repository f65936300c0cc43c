//! Mirror targets that accounts share: the owner states with whom, and the user states whose it is.

use aws_sdk_ec2::config::Credentials;
use mirror_local::{ACCOUNT, Cloud};
use mirror_plan::aws::{Aws, Pace, Wanted, observe};
use mirror_plan::iam::{Location, Purpose, policies};
use mirror_plan::plan::{Action, Mode, Request, plan};
use mirror_plan::stack::Stack;
use mirror_tests::{
    OTHER_ACCOUNT as OWNER, REGION, Rig, config, sharing, stack, unfinished, vpc_of_another,
};
use serde_json::{Value as Json, json};

const SENSOR: &str = r#"
stack "sensor" { region = "eu-west-1" }
vpc "own" { cidr = "10.9.0.0/16" }
subnet "own" {
  vpc  = vpc.own
  cidr = "10.9.1.0/24"
}
instance "sensor" {
  subnet        = subnet.own
  instance_type = "t3.micro"
}
mirror_target "sensor" { network_interface = instance.sensor }
"#;

/// Returns a stack that mirrors to `target`, which the block `existing` may declare.
fn tap(existing: &str, target: &str) -> String {
    format!(
        r#"
stack "tap" {{ region = "eu-west-1" }}
{existing}
vpc "own" {{ cidr = "10.0.0.0/16" }}
subnet "own" {{
  vpc  = vpc.own
  cidr = "10.0.1.0/24"
}}
instance "web" {{
  subnet        = subnet.own
  instance_type = "t3.micro"
}}
mirror_filter "all" {{ rules = [{{ number = 1, action = "accept", protocol = "tcp" }}] }}
mirror_session "web" {{
  source = instance.web
  target = {target}
  filter = mirror_filter.all
  number = 1
}}
"#
    )
}

/// Returns the stack that owns the target and shares it with these accounts.
fn sensor(principals: &[&str]) -> Stack {
    stack(&sensor_text(principals))
}

fn sensor_text(principals: &[&str]) -> String {
    let principals: Vec<String> = principals.iter().map(|it| format!("{it:?}")).collect();
    let share = format!(
        "resource_share \"sensors\" {{\n  mirror_targets = [mirror_target.sensor]\n  \
         principals = [{}]\n}}\n",
        principals.join(", ")
    );
    [SENSOR, &share].concat()
}

/// Returns the stack that mirrors to the target.
fn tapping(target: &str) -> Stack {
    let existing = format!(
        "existing \"mirror_target\" \"sensor\" {{\n  id = \"{target}\"\n  owner = \"{OWNER}\"\n}}"
    );
    stack(&tap(&existing, "mirror_target.sensor"))
}

/// Calls Resource Access Manager for an account.
fn ram(cloud: &Cloud, account: &str, call: &str, body: &Json) -> Json {
    let scope = format!("AWS4-HMAC-SHA256 Credential={account}/20260102/{REGION}/ram/aws4_request");
    let request = http::Request::post(call).header("authorization", scope).body(()).unwrap();
    let reply = cloud.call(&request.into_parts().0, body.to_string().as_bytes());
    let response = reply.response.unwrap();
    assert_eq!(response.error, None, "{}", response.body);
    serde_json::from_str(&response.body).unwrap()
}

/// Returns the same cloud as the target's owner sees it, with a journal of its own.
fn owner(rig: &Rig) -> Rig {
    let keys = Credentials::from_keys(OWNER, "local", None);
    let config = config(&rig.cloud).into_builder();
    let config =
        config.credentials_provider(aws_sdk_ec2::config::SharedCredentialsProvider::new(keys));
    let aws = Aws::new(&config.build(), Pace::Local).unwrap();
    Rig { aws, ..Rig::over(rig.cloud.clone()) }
}

/// Returns the id of an object of a stack.
async fn id(rig: &Rig, stack: &Stack, address: &str) -> String {
    let observed = rig.observe(stack).await;
    observed.current(&address.parse().unwrap()).unwrap().id.to_string()
}

/// Returns an account with which another one shares a mirror target, outside of any stack, and the target's id.
async fn shared() -> (Rig, String) {
    let rig = Rig::instant();
    let (owner, sensor) = (owner(&rig), stack(SENSOR));
    owner.converge(&sensor).await;
    let target = id(&owner, &sensor, "mirror_target.sensor").await;
    let arn = format!("arn:aws:ec2:{REGION}:{OWNER}:traffic-mirror-target/{target}");
    let share = json!({ "name": "sensor", "resourceArns": [arn], "principals": [ACCOUNT] });
    ram(&rig.cloud, OWNER, "/createresourceshare", &share);
    reply(&rig, "accept");
    (rig, target)
}

/// Accepts or rejects the pending invitation; returns whether there is one.
fn reply(rig: &Rig, answer: &str) -> bool {
    let invited = ram(&rig.cloud, ACCOUNT, "/getresourceshareinvitations", &json!({}));
    let mut invited = invited["resourceShareInvitations"].as_array().unwrap().iter();
    let Some(pending) = invited.find(|it| it["status"] == "PENDING") else { return false };
    let invitation = &pending["resourceShareInvitationArn"];
    let invitation = json!({ "resourceShareInvitationArn": invitation });
    ram(&rig.cloud, ACCOUNT, &format!("/{answer}resourceshareinvitation"), &invitation);
    true
}

/// Returns the codes of the findings when an account looks up what a stack uses.
async fn looked(rig: &Rig, stack: &Stack) -> Vec<String> {
    let images = stack.images();
    let sight = observe(&rig.aws, Wanted::to_plan(stack, &images, Mode::Apply)).await.unwrap();
    sight.findings.iter().map(|found| found.code.to_string()).collect()
}

/// Returns the active shares of the target's owner, with everything that AWS reports about each.
fn shares(rig: &Rig) -> Vec<Json> {
    let all = ram(&rig.cloud, OWNER, "/getresourceshares", &json!({ "resourceOwner": "SELF" }));
    let all = all["resourceShares"].as_array().unwrap().iter();
    all.filter(|share| share["status"] == "ACTIVE").cloned().collect()
}

/// Allows callers only what `mirror iam` prints for the stack of the target's owner.
fn only_printed(rig: &Rig, stack: &Stack, purpose: Purpose) {
    let location = Location { account: OWNER.parse().unwrap(), region: REGION.parse().unwrap() };
    let printed = policies(stack, &location, [purpose]);
    rig.cloud.set_policies(printed.iter().map(|it| it.to_string().parse().unwrap()).collect());
}

#[tokio::test]
async fn a_shared_target_is_used_by_who_says_whose_it_is() {
    let (rig, target) = shared().await;
    let block = |more: &str| {
        format!("existing \"mirror_target\" \"sensor\" {{\n  id = \"{target}\"\n{more}\n}}")
    };
    let silent = tap(&block(""), "mirror_target.sensor");
    let by_id = tap("", &format!("\"{target}\""));
    for text in [silent, by_id] {
        let stack = stack(&text);
        let observed = rig.observe(&stack).await;
        let refused = plan(&stack, &observed, &Request::default()).unwrap_err();
        let codes: Vec<String> = refused.iter().map(|found| found.code.to_string()).collect();
        assert_eq!(codes, ["MP0414"], "{refused}");
    }
    let stack = stack(&tap(&block(&format!("  owner = \"{OWNER}\"")), "mirror_target.sensor"));
    let planned = rig.plan(&stack).await.to_string();
    assert!(planned.contains(&format!("packets leave for account {OWNER}")), "{planned}");
    let location = Location { account: ACCOUNT.parse().unwrap(), region: REGION.parse().unwrap() };
    let observed = rig.observe(&stack).await;
    let with_ids = stack.using(&observed).unwrap();
    let printed = policies(&with_ids, &location, [Purpose::Apply, Purpose::Destroy]);
    rig.cloud.set_policies(printed.iter().map(|it| it.to_string().parse().unwrap()).collect());
    rig.converge(&stack).await;
    rig.destroy(&stack).await;
}

#[tokio::test(start_paused = true)]
async fn a_stack_shares_its_target_and_another_account_mirrors_to_it() {
    let rig = Rig::instant();
    let (owner, sensor) = (owner(&rig), sensor(&[ACCOUNT]));
    owner.converge(&sensor).await;
    let target = id(&owner, &sensor, "mirror_target.sensor").await;
    let tap = tapping(&target);
    // Before the account has accepted, it cannot find the target.
    assert_eq!(looked(&rig, &tap).await, ["MP0408"]);
    assert!(reply(&rig, "accept"));
    rig.converge(&tap).await;
    assert!(owner.plan(&sensor).await.is_empty(), "that it has accepted is no difference");
    // While other accounts have sessions to the target, AWS does not delete it.
    let request = Request { mode: Mode::Destroy, ..Request::default() };
    let blocked = owner.apply(&owner.plan_for(&sensor, &request).await).await;
    let why = unfinished(&blocked);
    assert!(why.contains("TrafficMirrorTargetInUse") && why.contains("tms-"), "{why}");
    assert_eq!(shares(&owner), Vec::<Json>::new());
    // The next apply shares the target again, and an account that had accepted is asked again.
    owner.converge(&sensor).await;
    assert!(reply(&rig, "accept"));
    assert!(rig.plan(&tap).await.is_empty());
    rig.destroy(&tap).await;
    owner.destroy(&sensor).await;
}

#[tokio::test]
async fn who_may_use_a_target_is_changed_in_place() {
    let rig = Rig::instant();
    let (owner, both) = (owner(&rig), sensor(&[ACCOUNT, "333344445555"]));
    owner.converge(&both).await;
    let target = id(&owner, &both, "mirror_target.sensor").await;
    let share = id(&owner, &both, "resource_share.sensors").await;
    assert!(reply(&rig, "accept"));
    rig.converge(&tapping(&target)).await;
    let other = sensor(&["333344445555"]);
    let plan = owner.plan(&other).await;
    let told = format!("packets from account {ACCOUNT} no longer arrive");
    assert!(plan.to_string().contains(&told), "{plan}");
    let changed = plan.changes.iter().filter(|change| change.action != Action::NoOp);
    let changed: Vec<_> = changed.map(|it| (it.address.to_string(), it.action)).collect();
    assert_eq!(changed, [("resource_share.sensors".to_owned(), Action::Update)]);
    owner.converge(&other).await;
    assert_eq!(id(&owner, &other, "resource_share.sensors").await, share);
    assert_eq!(looked(&rig, &tapping(&target)).await, ["MP0408"], "it is shared no more");
    owner.converge(&both).await;
    assert!(reply(&rig, "accept"));
    assert!(rig.plan(&tapping(&target)).await.is_empty());
}

#[tokio::test]
async fn who_has_declined_is_asked_anew_by_the_next_apply() {
    let rig = Rig::instant();
    let (owner, sensor) = (owner(&rig), sensor(&[ACCOUNT]));
    owner.converge(&sensor).await;
    assert!(reply(&rig, "reject"));
    assert!(!reply(&rig, "accept"));
    let plan = owner.plan(&sensor).await;
    assert!(plan.to_string().contains(&format!("packets may come from account {ACCOUNT}")));
    owner.converge(&sensor).await;
    assert!(reply(&rig, "accept"));
    assert!(owner.plan(&sensor).await.is_empty());
}

#[tokio::test]
async fn the_printed_policies_are_enough_for_the_life_of_a_share() {
    let rig = Rig::instant();
    let owner = owner(&rig);
    let versions = [&[ACCOUNT][..], &["333344445555"], &[ACCOUNT, "333344445555"]].map(sensor);
    for version in &versions {
        only_printed(&rig, version, Purpose::Apply);
        owner.converge(version).await;
        only_printed(&rig, version, Purpose::Plan);
        assert!(owner.plan(version).await.is_empty());
    }
    only_printed(&rig, &versions[0], Purpose::Destroy);
    owner.destroy(&versions[0]).await;
    rig.cloud.set_policies(Vec::new());
    assert_eq!(shares(&owner), Vec::<Json>::new());
}

#[tokio::test]
async fn a_share_of_somebody_else_with_the_same_name_is_left_alone() {
    let rig = Rig::instant();
    let (owner, sensor) = (owner(&rig), sensor(&[ACCOUNT]));
    let theirs = json!({ "name": "sensor-sensors", "principals": ["333344445555"] });
    ram(&rig.cloud, OWNER, "/createresourceshare", &theirs);
    let before = shares(&owner);
    owner.converge(&sensor).await;
    let after = shares(&owner);
    let names: Vec<&Json> = after.iter().map(|share| &share["name"]).collect();
    assert_eq!(names, ["sensor-sensors", "sensor-sensors"]);
    owner.destroy(&sensor).await;
    assert_eq!(shares(&owner), before);
}

#[tokio::test(start_paused = true)]
async fn what_is_shared_and_unshared_is_waited_for() {
    let rig = Rig::in_time_of_runtime();
    rig.converge(&sharing()).await;
    let text = include_str!("../../src/sharing.mirror.hcl");
    let fewer = text.replace("mirror_target.one, mirror_target.two", "mirror_target.one");
    let fewer = stack(&fewer.replace("\"222233334444\", ", ""));
    rig.converge(&fewer).await;
    rig.converge(&sharing()).await;
    rig.destroy(&sharing()).await;
}

/// Two targets cannot have the same destination: the old one leaves its share and is deleted, then the new is created.
#[tokio::test]
async fn a_target_that_is_replaced_changes_places_in_its_share() {
    let rig = Rig::instant();
    let owner = owner(&rig);
    let text = sensor_text(&["333344445555"]);
    owner.converge(&stack(&text)).await;
    let described = stack(&text.replace(
        "{ network_interface = instance.sensor }",
        "{\n  network_interface = instance.sensor\n  description = \"new\"\n}",
    ));
    let plan = owner.plan(&described).await;
    assert!(plan.to_string().contains("sessions of other accounts keep it from being deleted"));
    owner.converge(&described).await;
    owner.destroy(&described).await;
}

/// The example of two accounts, with what the other account has. It is applied, applied again, and destroyed.
#[tokio::test(start_paused = true)]
async fn the_example_of_two_accounts_is_there_and_changes_nothing_again() {
    let (rig, target) = shared().await;
    let vpc = vpc_of_another(&rig.cloud).await;
    let text = include_str!("../../../examples/two-accounts.mirror.hcl");
    let [of_vpc, of_target] = ["vpc-", "tmt-"].map(|kind| format!("{kind}0a1b2c3d4e5f67890"));
    assert!(text.contains(OWNER) && text.contains(&of_vpc) && text.contains(&of_target));
    let stack = stack(&text.replace(&of_vpc, &vpc).replace(&of_target, &target));
    let rig = rig.reaching(&stack);
    rig.converge(&stack).await;
    let before = rig.cloud.log().unwrap().len();
    let again = rig.plan(&stack).await;
    let report = rig.apply(&again).await;
    assert!(report.is_complete(), "{}", unfinished(&report));
    let log = rig.cloud.log().unwrap();
    let reads = |action: &str| ["Describe", "Get"].iter().any(|it| action.starts_with(it));
    let changes: Vec<&str> = log[before..].iter().map(|call| call.action.as_str()).collect();
    assert!(!changes.is_empty());
    assert_eq!(changes.into_iter().find(|action| !reads(action)), None);
    rig.destroy(&stack).await;
}
