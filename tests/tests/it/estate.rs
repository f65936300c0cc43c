//! What `tests/benches/plan.sh` measures, on a small scale: its plans can be applied, and are empty after that.

use mirror_plan::address::Kind;
use mirror_plan::stack::Stack;
use mirror_tests::{Rig, estate, stack};

/// Applies the stack and removes everything again; returns how many sessions its plan makes.
async fn sessions_made(rig: &Rig, stack: &Stack) -> usize {
    let planned = rig.plan(stack).await;
    rig.converge(stack).await;
    rig.destroy(stack).await;
    planned.changes.iter().filter(|change| change.address.kind == Kind::MirrorSession).count()
}

#[tokio::test]
async fn sessions_on_interfaces_are_made_and_removed() {
    let rig = Rig::instant();
    let interfaces = estate::interfaces(&rig, 6).await.unwrap();
    let again = estate::interfaces(&rig, 6).await.unwrap();
    assert_eq!(interfaces, again, "a second size of the stack is measured on the same ones");
    let stack = stack(&estate::sessions_on(&interfaces[..4]));
    assert_eq!(sessions_made(&rig, &stack).await, 4);
}

#[tokio::test]
async fn sessions_on_what_is_tagged_are_made_and_removed() {
    let rig = Rig::instant();
    let subnet = estate::instances(&rig, (2, 3)).await.unwrap();
    let stack = stack(&estate::sessions_on_tagged(&subnet));
    assert_eq!(sessions_made(&rig, &stack).await, 6);
}
