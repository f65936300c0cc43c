//! Drift of stacks that were really applied: none right after the apply, then everything that others change.

use mirror_plan::address::Address;
use mirror_plan::aws::strangers;
use mirror_plan::drift::{Applied, Drift};
use mirror_plan::plan::Plan;
use mirror_plan::render::graph::Diagram;
use mirror_plan::stack::Stack;
use mirror_tests::{Rig, config, lab, wide};

/// Applies a stack, and returns what the apply left and a new plan for the stack.
async fn applied(rig: &Rig, stack: &Stack) -> (Applied, Plan) {
    let plan = rig.plan(stack).await;
    let report = rig.apply(&plan).await;
    assert!(report.is_complete());
    let at = "2026-11-26T22:00:00Z".parse().unwrap();
    (Applied::after(None, &plan, &report, at), rig.plan(stack).await)
}

#[tokio::test]
async fn right_after_an_apply_nothing_has_drifted_and_nothing_is_noise() {
    for stack in [lab(), wide()] {
        let (left, plan) = applied(&Rig::instant(), &stack).await;
        let drift = Drift::of(&plan, Some(&left), Vec::new());
        assert_eq!(drift, Drift { since: Some(left.at), ..Drift::default() });
    }
}

#[tokio::test]
async fn a_stack_that_is_applied_is_drawn_as_it_is_declared() {
    for stack in [lab(), wide()] {
        let (_, plan) = applied(&Rig::instant(), &stack).await;
        let (declared, mut planned) =
            (Diagram::packet_path(&stack), Diagram::planned_packet_path(&plan));
        // By now a number that AWS picked is known, and so are addresses, where the declaration has only a subnet.
        let picked =
            |line: &String| !line.starts_with("VNI ") && !line.starts_with("udp 4789 from ");
        planned.nodes.iter_mut().for_each(|node| node.lines.retain(picked));
        let mut declared = declared;
        declared.nodes.iter_mut().for_each(|node| node.lines.retain(picked));
        assert_eq!(planned, declared);
    }
}

#[tokio::test]
async fn what_somebody_else_changes_is_found_and_what_he_adds_is_told() {
    let rig = Rig::instant();
    let stack = lab();
    let (left, _) = applied(&rig, &stack).await;
    let ec2 = aws_sdk_ec2::Client::new(&config(&rig.cloud));
    let observed = rig.observe(&stack).await;
    assert_eq!(strangers(&rig.aws, &observed).await.unwrap(), []);

    let sessions = ec2.describe_traffic_mirror_sessions().send().await.unwrap();
    let own = &sessions.traffic_mirror_sessions()[0];
    let (id, source) =
        (own.traffic_mirror_session_id().unwrap(), own.network_interface_id().unwrap());
    ec2.modify_traffic_mirror_session()
        .traffic_mirror_session_id(id)
        .packet_length(128)
        .send()
        .await
        .unwrap();
    ec2.create_traffic_mirror_session()
        .network_interface_id(source)
        .traffic_mirror_target_id(own.traffic_mirror_target_id().unwrap())
        .traffic_mirror_filter_id(own.traffic_mirror_filter_id().unwrap())
        .session_number(7)
        .send()
        .await
        .unwrap();

    let drift = Drift::of(&rig.plan(&stack).await, Some(&left), Vec::new());
    let undone: Vec<&Address> = drift.undone.iter().map(|one| one.address()).collect();
    assert_eq!(undone, [&"mirror_session.my-traffic-mirror-session".parse().unwrap()]);
    assert_eq!(drift.edited, []);
    let found = strangers(&rig.aws, &observed).await.unwrap();
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    let [other] = &found[..] else { panic!("{found:?}") };
    assert_eq!(told, [format!("session {} mirrors {source} too, with number 7", other.id)]);
}
