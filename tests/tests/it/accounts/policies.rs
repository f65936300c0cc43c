//! The two policies of a connection: the stack's own account requests it, the other one reads and accepts.

use mirror_plan::iam::{Location, Policy, Purpose, policies, policies_as};
use mirror_tests::REGION;
use serde_json::Value as Json;

use super::*;

fn here() -> Location {
    Location { account: ACCOUNT.parse().unwrap(), region: REGION.parse().unwrap() }
}

/// What the stack's own account needs.
fn own(stack: &Stack, purpose: Purpose) -> Vec<Policy> {
    policies(stack, &here(), [purpose])
}

/// What the other account has to allow.
fn theirs(stack: &Stack, purpose: Purpose) -> Vec<Policy> {
    let name = stack.accounts.keys().next().unwrap();
    policies_as(stack, &here(), (name, &OTHER_ACCOUNT.parse().unwrap()), [purpose])
}

/// A policy that allows nothing. It is needed because a caller without any policy may do everything.
const NOTHING: &str = r#"{ "Version": "2012-10-17", "Statement":
    [{ "Effect": "Deny", "Action": "ec2:CreateVpc", "Resource": "*" }] }"#;

/// Lets each account do what is printed for it, and nothing else.
fn attach(rig: &Rig, own: &[Policy], theirs: &[Json]) {
    let own = own.iter().map(|policy| policy.to_string().parse().unwrap());
    rig.cloud.set_policies_of(ACCOUNT, own.collect());
    let theirs = theirs.iter().map(Json::to_string).chain([NOTHING.to_owned()]);
    rig.cloud.set_policies_of(OTHER_ACCOUNT, theirs.map(|it| it.parse().unwrap()).collect());
}

fn documents(policies: &[Policy]) -> Vec<Json> {
    policies.iter().map(|it| serde_json::to_value(it).unwrap()).collect()
}

/// Observes, plans and applies once; returns why that failed, if it did.
async fn run(rig: &Rig, stack: &Stack) -> Result<(), String> {
    let images = stack.images();
    let sight = observe(&rig.aws, Wanted::to_plan(stack, &images, Mode::Apply)).await;
    let sight = sight.map_err(|error| error.to_string())?;
    if let Some(found) = sight.findings.first() {
        return Err(format!("{found}: {}", found.notes.join(", ")));
    }
    let plan = plan(stack, &sight.observed, &Request::default()).map_err(|it| it.to_string())?;
    let report = rig.apply(&plan).await;
    if report.is_complete() { Ok(()) } else { Err(unfinished(&report)) }
}

#[tokio::test]
async fn both_policies_are_enough_for_the_life_of_a_connection() {
    let (rig, vpc) = two_accounts().await;
    let by_name = peered();
    let by_id = stack(&TEXT.replace("name = \"sensors\"\n", &format!("id   = \"{vpc}\"\n")));
    for stack in [by_name, by_id] {
        let rig = rig.clone().reaching(&stack);
        attach(&rig, &own(&stack, Purpose::Apply), &documents(&theirs(&stack, Purpose::Apply)));
        rig.converge(&stack).await;
        attach(&rig, &own(&stack, Purpose::Plan), &documents(&theirs(&stack, Purpose::Plan)));
        assert!(rig.plan(&stack).await.is_empty());
        assert!(theirs(&stack, Purpose::Destroy).is_empty());
        attach(&rig, &own(&stack, Purpose::Destroy), &[]);
        let images = stack.images();
        let wanted = Wanted::to_plan(&stack, &images, Mode::Destroy);
        let observed = observe(&rig.aws, wanted).await.unwrap().observed;
        let request = Request { mode: Mode::Destroy, ..Request::default() };
        let report = rig.apply(&plan(&stack, &observed, &request).unwrap()).await;
        assert!(report.is_complete(), "{}", unfinished(&report));
    }
}

#[tokio::test]
async fn without_any_one_statement_of_the_other_account_something_fails() {
    let stack = peered();
    let printed = documents(&theirs(&stack, Purpose::Apply));
    let [policy] = &printed[..] else { panic!("{printed:?}") };
    let statements = policy["Statement"].as_array().unwrap();
    let actions =
        statements.iter().enumerate().flat_map(|(at, statement)| match &statement["Action"] {
            Json::Array(several) => several.iter().map(move |it| (at, it.clone())).collect(),
            one => vec![(at, one.clone())],
        });
    let mut needed = 0;
    for (at, action) in actions {
        let (rig, _) = two_accounts().await;
        let rig = rig.reaching(&stack);
        let mut less = policy.clone();
        let left = match &less["Statement"][at]["Action"] {
            Json::Array(several) => several.iter().filter(|it| **it != action).cloned().collect(),
            _ => Vec::new(),
        };
        if left.is_empty() {
            less["Statement"].as_array_mut().unwrap().remove(at);
        } else {
            less["Statement"][at]["Action"] = left.into();
        }
        attach(&rig, &own(&stack, Purpose::Apply), &[less]);
        let failed = run(&rig, &stack).await;
        assert!(failed.is_err(), "{action} of statement {at} is not needed");
        needed += 1;
    }
    assert_eq!(needed, 5);
}

#[tokio::test]
async fn what_is_allowed_for_one_vpc_is_for_no_other() {
    let (rig, vpc) = two_accounts().await;
    let meant = stack(&TEXT.replace("name = \"sensors\"\n", &format!("id   = \"{vpc}\"\n")));
    let rig = rig.reaching(&meant);
    let make = ec2(&rig.cloud, OTHER_ACCOUNT).create_vpc().cidr_block("10.98.0.0/16");
    let other = make.send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let to_another = stack(&TEXT.replace("name = \"sensors\"\n", &format!("id   = \"{other}\"\n")));
    let mine = own(&meant, Purpose::Apply);
    let (printed, any) =
        (documents(&theirs(&meant, Purpose::Apply)), documents(&theirs(&peered(), Purpose::Apply)));
    // Here: no connection to another VPC is requested.
    attach(&rig, &mine, &any);
    let refused = run(&rig, &to_another).await.unwrap_err();
    assert!(refused.contains("ec2:CreateVpcPeeringConnection"), "{refused}");
    // There: no connection to another VPC is accepted.
    attach(&rig, &own(&to_another, Purpose::Apply), &any);
    let by_hand =
        |text: &str| text.replace("  accepter  =", "  auto_accept = false\n  accepter  =");
    run(
        &rig,
        &stack(&by_hand(&TEXT.replace("name = \"sensors\"\n", &format!("id   = \"{other}\"\n")))),
    )
    .await
    .unwrap();
    attach(&rig, &own(&to_another, Purpose::Apply), &printed);
    let ec2 = ec2(&rig.cloud, OTHER_ACCOUNT);
    rig.cloud.set_policies_of(ACCOUNT, Vec::new());
    let id = seen(&rig.cloud, ACCOUNT).await.remove(0).vpc_peering_connection_id.unwrap();
    let accepted = ec2.accept_vpc_peering_connection().vpc_peering_connection_id(id).send().await;
    let code = accepted.unwrap_err().into_service_error();
    assert_eq!(code.meta().code(), Some("UnauthorizedOperation"));
    // There: no connection that a third account requests is accepted.
    let third = "222233334444";
    let theirs = super::ec2(&rig.cloud, third);
    let own = theirs.create_vpc().cidr_block("10.97.0.0/16").send().await.unwrap();
    let ask = theirs.create_vpc_peering_connection().peer_owner_id(OTHER_ACCOUNT).peer_vpc_id(&vpc);
    let asked = ask.vpc_id(own.vpc.unwrap().vpc_id.unwrap()).send().await.unwrap();
    let id = asked.vpc_peering_connection.unwrap().vpc_peering_connection_id.unwrap();
    let accepted = ec2.accept_vpc_peering_connection().vpc_peering_connection_id(id).send().await;
    let code = accepted.unwrap_err().into_service_error();
    assert_eq!(code.meta().code(), Some("UnauthorizedOperation"));
}
