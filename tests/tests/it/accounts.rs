//! Peering with a VPC of another account: requested here, accepted there with that account's credentials.

use aws_sdk_ec2::types::{Tag, VpcPeeringConnection};
use mirror_local::{ACCOUNT, Cloud};
use mirror_plan::aws::{Aws, Pace, Wanted, observe};
use mirror_plan::plan::{Action, Change, Mode, Request, plan};
use mirror_plan::stack::Stack;
use mirror_tests::{
    OTHER_ACCOUNT, Rig, as_account, config, peered, stack, unfinished, vpc_of_another,
};

mod policies;

const TEXT: &str = include_str!("../../src/accounts.mirror.hcl");

/// Returns an account next to one that has the VPC to connect to, and the id of that VPC.
async fn two_accounts() -> (Rig, String) {
    let rig = Rig::instant();
    let vpc = vpc_of_another(&rig.cloud).await;
    (rig, vpc)
}

fn ec2(cloud: &Cloud, account: &str) -> aws_sdk_ec2::Client {
    aws_sdk_ec2::Client::new(&as_account(&config(cloud), account))
}

/// The library's clients for an account.
fn clients(cloud: &Cloud, account: &str) -> Aws {
    Aws::new(&as_account(&config(cloud), account), Pace::Local).unwrap()
}

/// The connections that an account sees and that have not ended.
async fn seen(cloud: &Cloud, account: &str) -> Vec<VpcPeeringConnection> {
    let all = ec2(cloud, account).describe_vpc_peering_connections().send().await.unwrap();
    let all = all.vpc_peering_connections.unwrap_or_default().into_iter();
    all.filter(|it| status(it) != "deleted").collect()
}

fn status(peering: &VpcPeeringConnection) -> &str {
    peering.status().and_then(|status| status.code()).unwrap().as_str()
}

/// The names of an account's calls that changed something.
fn changes(cloud: &Cloud, account: &str) -> Vec<String> {
    let log = cloud.log().unwrap();
    let own = log.iter().filter(|call| call.account == account && call.error.is_none());
    let changes =
        own.filter(|call| !["Describe", "Get"].iter().any(|it| call.action.starts_with(it)));
    changes.map(|call| call.action.clone()).collect()
}

/// The findings when a stack is observed, each with its code.
async fn findings(rig: &Rig, stack: &Stack) -> Vec<String> {
    let images = stack.images();
    let sight = observe(&rig.aws, Wanted::to_plan(stack, &images, Mode::Apply)).await.unwrap();
    sight.findings.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_connection_is_asked_for_here_and_accepted_there() {
    let (rig, vpc) = two_accounts().await;
    let (stack, alone) = (peered(), rig.clone());
    let rig = rig.reaching(&stack);
    let before = changes(&rig.cloud, OTHER_ACCOUNT);
    rig.converge(&stack).await;
    let there = changes(&rig.cloud, OTHER_ACCOUNT);
    assert_eq!(there[before.len()..], ["AcceptVpcPeeringConnection"]);
    assert!(!changes(&rig.cloud, ACCOUNT).contains(&"AcceptVpcPeeringConnection".to_owned()));
    for account in [ACCOUNT, OTHER_ACCOUNT] {
        let all = seen(&rig.cloud, account).await;
        let [peering] = &all[..] else { panic!("{all:?}") };
        let accepter = peering.accepter_vpc_info().unwrap();
        assert_eq!((status(peering), accepter.vpc_id()), ("active", Some(&*vpc)));
        assert_eq!(accepter.owner_id(), Some(OTHER_ACCOUNT));
        assert_eq!(peering.requester_vpc_info().unwrap().owner_id(), Some(ACCOUNT));
        // Only the account that set the tags sees them.
        assert_eq!(peering.tags().is_empty(), account == OTHER_ACCOUNT);
    }
    // A destroy needs no credentials for the other account.
    let request = Request { mode: Mode::Destroy, ..Request::default() };
    let images = stack.images();
    let sight = observe(&alone.aws, Wanted::to_plan(&stack, &images, Mode::Destroy)).await.unwrap();
    assert!(sight.findings.is_empty(), "{:?}", sight.findings);
    let gone = plan(&stack, &sight.observed, &request).unwrap();
    let report = alone.apply(&gone).await;
    assert!(report.is_complete(), "{}", unfinished(&report));
    for account in [ACCOUNT, OTHER_ACCOUNT] {
        assert!(seen(&rig.cloud, account).await.is_empty());
    }
    assert_eq!(changes(&rig.cloud, OTHER_ACCOUNT).len(), there.len());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_takes_its_time_is_waited_for() {
    let rig = Rig::in_time_of_runtime();
    vpc_of_another(&rig.cloud).await;
    let stack = peered();
    let rig = rig.reaching(&stack);
    rig.converge(&stack).await;
    rig.destroy(&stack).await;
}

#[tokio::test]
async fn what_waits_is_accepted_by_a_later_apply_or_by_hand() {
    let by_hand = TEXT.replace("  accepter  =", "  auto_accept = false\n  accepter  =");
    let (by_hand, accepted) = (stack(&by_hand), peered());
    let (rig, _) = two_accounts().await;
    let rig = rig.reaching(&accepted);
    rig.converge(&by_hand).await;
    assert_eq!(status(&seen(&rig.cloud, ACCOUNT).await[0]), "pending-acceptance");
    let left = rig.plan(&accepted).await;
    let changed: Vec<_> = left.changes.iter().filter(|it| it.action != Action::NoOp).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    rig.converge(&accepted).await;
    assert!(rig.plan(&by_hand).await.is_empty(), "that somebody has accepted is no difference");
    rig.destroy(&accepted).await;
    // By hand, only the account that is asked can accept it.
    rig.converge(&by_hand).await;
    let id = seen(&rig.cloud, OTHER_ACCOUNT).await.remove(0).vpc_peering_connection_id.unwrap();
    let accept = |account| {
        let ec2 = ec2(&rig.cloud, account);
        ec2.accept_vpc_peering_connection().vpc_peering_connection_id(&id).send()
    };
    let refused = accept(ACCOUNT).await.unwrap_err().into_service_error();
    assert_eq!(refused.meta().code(), Some("OperationNotPermitted"));
    accept(OTHER_ACCOUNT).await.unwrap();
    assert!(rig.plan(&accepted).await.is_empty());
}

/// The answer to the call that accepts is lost, or somebody else accepts after the plan was made.
#[tokio::test]
async fn what_was_accepted_meanwhile_is_as_good() {
    let (rig, _) = two_accounts().await;
    let accepted = peered();
    let rig = rig.reaching(&accepted);
    let by_hand = TEXT.replace("  accepter  =", "  auto_accept = false\n  accepter  =");
    rig.converge(&stack(&by_hand)).await;
    let plan = rig.plan(&accepted).await;
    let id = seen(&rig.cloud, OTHER_ACCOUNT).await.remove(0).vpc_peering_connection_id.unwrap();
    let accept = ec2(&rig.cloud, OTHER_ACCOUNT).accept_vpc_peering_connection();
    accept.vpc_peering_connection_id(id).send().await.unwrap();
    let report = rig.apply(&plan).await;
    assert!(report.is_complete(), "{}", unfinished(&report));
    assert!(rig.plan(&accepted).await.is_empty());
}

/// Either side can end a connection, and the next apply requests it again.
#[tokio::test]
async fn what_the_other_account_ends_is_asked_for_anew() {
    let (rig, _) = two_accounts().await;
    let stack = peered();
    let rig = rig.reaching(&stack);
    rig.converge(&stack).await;
    let there = ec2(&rig.cloud, OTHER_ACCOUNT);
    let id = seen(&rig.cloud, OTHER_ACCOUNT).await.remove(0).vpc_peering_connection_id.unwrap();
    let name = Tag::builder().key("Name").value("theirs").build();
    there.create_tags().resources(&id).tags(name).send().await.unwrap();
    assert!(rig.plan(&stack).await.is_empty(), "what they tag is no difference here");
    there.delete_vpc_peering_connection().vpc_peering_connection_id(&id).send().await.unwrap();
    let plan = rig.plan(&stack).await;
    let asks = |change: &Change| {
        change.action == Action::Create && change.address.to_string() == "vpc_peering.sensors"
    };
    assert!(plan.changes.iter().any(asks), "{plan}");
    rig.converge(&stack).await;
    rig.destroy(&stack).await;
}

/// A stack of the same name created the VPC there: it is a different stack, because it is in a different account.
#[tokio::test]
async fn a_stack_of_the_same_name_in_the_other_account_is_another_one() {
    let rig = Rig::instant();
    let there = stack("stack \"sources\" {}\nvpc \"sensors\" { cidr = \"10.99.0.0/16\" }");
    let theirs = clients(&rig.cloud, OTHER_ACCOUNT);
    let theirs = Rig { aws: theirs, ..Rig::over(rig.cloud.clone()) };
    theirs.converge(&there).await;
    let stack = peered();
    let rig = rig.reaching(&stack);
    rig.converge(&stack).await;
    assert!(theirs.plan(&there).await.is_empty());
    rig.destroy(&stack).await;
    theirs.destroy(&there).await;
}

#[tokio::test]
async fn an_account_that_cannot_be_asked_is_named_and_nothing_is_planned() {
    let (rig, _) = two_accounts().await;
    let nobody = findings(&rig, &peered()).await;
    insta::assert_snapshot!(nobody.join("\n"), @"test.mirror.hcl:7:1: error MP0416: `aws.sensors` cannot be reached with the role arn:aws:iam::444455556666:role/mirror-accepter");
    // Credentials for a different account than the block names.
    let other = stack(&TEXT.replace(OTHER_ACCOUNT, "222233334444"));
    let name = peered().accounts.into_keys().next().unwrap();
    let theirs = clients(&rig.cloud, OTHER_ACCOUNT);
    let wrong = Rig { aws: rig.aws.clone().with_account(name, theirs), ..rig.clone() };
    insta::assert_snapshot!(findings(&wrong, &other).await.join("\n"), @"test.mirror.hcl:7:1: error MP0404: `aws.sensors` is for account 222233334444, but the role arn:aws:iam::222233334444:role/mirror-accepter belongs to account 444455556666");
    // The stack's own account, through a role in it.
    let own = stack(&TEXT.replace(OTHER_ACCOUNT, ACCOUNT));
    let rig = rig.reaching(&own);
    insta::assert_snapshot!(findings(&rig, &own).await.join("\n"), @"test.mirror.hcl:9:1: error MP0408: no VPC matches `vpc.sensors`");
}

/// A plan is applied with the credentials of the account that it was made for, or no connection is accepted.
#[tokio::test]
async fn credentials_of_another_account_than_planned_accept_nothing() {
    let (rig, _) = two_accounts().await;
    let stack = peered();
    let plan = rig.clone().reaching(&stack).plan(&stack).await;
    let name = stack.accounts.keys().next().unwrap().clone();
    let third = clients(&rig.cloud, "222233334444");
    let third = Rig { aws: rig.aws.clone().with_account(name, third), ..rig.clone() };
    let report = third.apply(&plan).await;
    let why = unfinished(&report);
    assert!(
        why.contains(
            "`aws.sensors` is account 222233334444, but the request is for account 444455556666"
        ),
        "{why}"
    );
    assert_eq!(status(&seen(&rig.cloud, ACCOUNT).await[0]), "pending-acceptance");
    let nobody = rig.apply(&rig.clone().reaching(&stack).plan(&stack).await).await;
    assert!(unfinished(&nobody).contains("there are no credentials for `aws.sensors`"));
    // The next apply that has the credentials completes the stack.
    rig.reaching(&stack).converge(&stack).await;
}

#[tokio::test]
async fn a_vpc_that_is_not_there_is_looked_for_in_the_account_that_is_meant() {
    let rig = Rig::instant();
    // The stack's own account has a VPC of that name.
    let own = stack("stack \"own\" {}\nvpc \"sensors\" { cidr = \"10.99.0.0/16\" }");
    rig.converge(&own).await;
    let stack = peered();
    let rig = rig.reaching(&stack);
    insta::assert_snapshot!(findings(&rig, &stack).await.join("\n"), @"test.mirror.hcl:9:1: error MP0408: no VPC matches `vpc.sensors`");
}
