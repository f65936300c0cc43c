//! The policy of a stack whose runs are coordinated in a bucket, and what it allows on that bucket.

use std::sync::Arc;

use mirror_plan::apply::Journal;
use mirror_plan::apply::journal::{Clock, Holder, JournalError, Scope};
use mirror_plan::aws::CallError;
use mirror_plan::iam::Purpose;
use mirror_plan::plan::Mode;
use mirror_plan::stack::Stack;
use mirror_tests::{Rig, stack};

use super::{Attached, planned, run};

const TEAM: &str = r#"
stack "lab" {
  region       = "eu-west-1"
  coordination = "s3://team-journals/mirror"
}

vpc "lab" { cidr = "10.0.0.0/16" }
"#;

/// An account with the bucket, and the policies of the stack.
async fn account(attached: &Attached) -> Rig {
    let rig = Rig::instant();
    rig.aws.make_bucket(place(&stack(TEAM))).await.unwrap();
    attached.attach(&rig.cloud);
    rig
}

fn place(stack: &Stack) -> &mirror_plan::scalar::Coordination {
    stack.coordination.as_ref().unwrap()
}

fn clock() -> Clock {
    Arc::new(jiff::Timestamp::now)
}

fn scope(stack: &Stack) -> Scope {
    let account = mirror_local::ACCOUNT.parse().unwrap();
    Scope { stack: stack.name.clone(), account, region: "eu-west-1".parse().unwrap() }
}

/// Takes the journal of the stack, as a command does.
async fn take(rig: Rig, stack: &Stack) -> Result<Rig, String> {
    let holder = Holder {
        command: "mirror apply".to_owned(),
        user: None,
        host: None,
        process: 1,
        since: clock()(),
    };
    let at = (&rig.aws, place(stack));
    let journal = Journal::open_shared(at, &scope(stack), &holder, clock(), &mut |_| {}).await;
    Ok(Rig { journal: journal.map_err(|error| why(&error))?, ..rig })
}

/// Looks at the journal as a plan does.
async fn look(rig: &Rig, stack: &Stack) -> Result<(), String> {
    let looked = Journal::look_shared((&rig.aws, place(stack)), &scope(stack), &clock()).await;
    looked.map(drop).map_err(|error| why(&error))
}

fn why(error: &JournalError) -> String {
    let JournalError::Object { error, .. } = error else { return error.to_string() };
    let call: &CallError = error;
    call.to_string()
}

/// Two runs, one after the other, from an empty bucket.
async fn live(rig: Rig, stack: &Stack) -> Result<(), String> {
    look(&rig, stack).await?;
    let rig = take(rig, stack).await?;
    run(&rig, stack, Mode::Apply).await?;
    rig.journal.release().await;
    look(&rig, stack).await?;
    let rig = take(rig, stack).await?;
    run(&rig, stack, Mode::Destroy).await?;
    rig.journal.release().await;
    Ok(())
}

#[tokio::test]
async fn the_policy_of_a_team_is_enough_for_its_lease_and_journal() {
    let stack = stack(TEAM);
    let printed = Attached::printed(&stack, [Purpose::Apply, Purpose::Destroy]);
    live(account(&printed).await, &stack).await.unwrap();
}

#[tokio::test]
async fn without_any_one_action_on_the_bucket_a_run_of_a_team_fails() {
    let stack = stack(TEAM);
    let printed = Attached::printed(&stack, [Purpose::Apply, Purpose::Destroy]);
    let on_the_bucket: Vec<_> = printed
        .actions("Allow")
        .into_iter()
        .filter(|(_, action)| action.starts_with("s3:"))
        .collect();
    assert_eq!(on_the_bucket.len(), 3, "{on_the_bucket:?}");
    for (sid, action) in on_the_bucket {
        let rig = account(&printed.without(&sid, Some(&action))).await;
        let error = live(rig, &stack).await.expect_err(&action);
        assert!(error.contains("AccessDenied"), "{action}: {error}");
    }
}

#[tokio::test]
async fn the_policy_for_plan_reads_the_journal_of_a_team_and_cannot_take_it() {
    let stack = stack(TEAM);
    let rig = account(&Attached::printed(&stack, [Purpose::Plan])).await;
    look(&rig, &stack).await.unwrap();
    planned(&rig, &stack, Mode::Apply).await.unwrap();
    let error = take(rig, &stack).await.unwrap_err();
    assert!(error.contains("s3:PutObject"), "{error}");
}

#[tokio::test]
async fn the_policy_of_one_stack_does_not_reach_the_journal_of_another() {
    let other = stack(&TEAM.replace("\"lab\" {\n", "\"other\" {\n"));
    let rig = account(&Attached::printed(&stack(TEAM), [Purpose::Apply])).await;
    let error = look(&rig, &other).await.unwrap_err();
    assert!(error.contains("mirror/other."), "{error}");
    assert!(take(rig, &other).await.is_err());
}
