//! Gateway Load Balancers through the real SDK: the whole chain made, changed, replaced and removed.

use mirror_plan::plan::{Action, Plan};
use mirror_tests::{Rig, gateway, stack};

/// What a plan does, one line for each resource that it acts on.
fn actions(plan: &Plan) -> String {
    let changes = plan.changes.iter().filter(|change| change.action != Action::NoOp);
    let lines = changes.map(|change| format!("{:?} {}", change.action, change.address));
    lines.collect::<Vec<_>>().join("\n")
}

fn edited(edits: &[(&str, &str)]) -> mirror_plan::stack::Stack {
    let mut text = include_str!("../../../examples/gateway-load-balancer.mirror.hcl").to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    stack(&text)
}

#[tokio::test(start_paused = true)]
async fn the_chain_converges_and_goes() {
    let rig = Rig::in_time_of_runtime();
    rig.converge(&gateway()).await;
    rig.destroy(&gateway()).await;
    assert!(rig.plan(&stack("stack \"gateway\" { region = \"eu-west-1\" }")).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_can_change_in_place_does() {
    let rig = Rig::in_time_of_runtime();
    rig.converge(&gateway()).await;
    let changed = edited(&[
        (
            "  target_group = target_group.sensors\n",
            "  target_group = target_group.sensors\n  cross_zone = true\n  deletion_protection = true\n",
        ),
        (
            "gateway_load_balancers = [gateway_load_balancer.sensors] }",
            "\n  gateway_load_balancers = [gateway_load_balancer.sensors]\n  acceptance_required = true\n  allowed_principals = [\"arn:aws:iam::210987654321:root\", \"*\"]\n}",
        ),
        (
            "  targets      = [instance.sensor]\n",
            "  targets = [instance.sensor]\n  stickiness = true\n",
        ),
    ]);
    insta::assert_snapshot!(actions(&rig.plan(&changed).await), @r#"
    Update target_group.sensors
    Update gateway_load_balancer.sensors
    Update endpoint_service.sensors
    "#);
    rig.converge(&changed).await;
    let fewer = edited(&[(
        "gateway_load_balancers = [gateway_load_balancer.sensors] }",
        "\n  gateway_load_balancers = [gateway_load_balancer.sensors]\n  allowed_principals = [\"*\"]\n}",
    )]);
    rig.converge(&fewer).await;
    rig.destroy(&fewer).await;
}

#[tokio::test(start_paused = true)]
async fn the_listener_comes_moves_and_goes() {
    let rig = Rig::in_time_of_runtime();
    let listener = "  target_group = target_group.sensors\n";
    rig.converge(&edited(&[(listener, "")])).await;
    rig.converge(&gateway()).await;
    let other = "target_group \"other\" {\n  vpc = vpc.security\n  protocol = \"geneve\"\n  port = 6081\n  health_check = { port = 80 }\n}\n\ngateway_load_balancer \"sensors\" {";
    let moved = edited(&[
        (listener, "  target_group = target_group.other\n"),
        ("gateway_load_balancer \"sensors\" {", other),
    ]);
    rig.converge(&moved).await;
    rig.converge(&edited(&[(listener, "")])).await;
    rig.destroy(&gateway()).await;
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_is_replaced_behind_the_service_that_stays() {
    let rig = Rig::in_time_of_runtime();
    rig.converge(&gateway()).await;
    let named = edited(&[(
        "  target_group = target_group.sensors\n",
        "  target_group = target_group.sensors\n  name = \"another\"\n",
    )]);
    insta::assert_snapshot!(actions(&rig.plan(&named).await), @r#"
    Replace(CreateThenDelete) target_group.sensors
    Replace(CreateThenDelete) gateway_load_balancer.sensors
    Update endpoint_service.sensors
    "#);
    rig.converge(&named).await;
    rig.destroy(&named).await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_is_replaced_and_sessions_follow() {
    let rig = Rig::in_time_of_runtime();
    let second = "subnet \"second\" {\n  vpc = vpc.application\n  cidr = cidrsubnet(vpc.application.cidr, 8, 2)\n  availability_zone = \"eu-west-1a\"\n}\n\nsecurity_group \"application\" {";
    let with_second = ("security_group \"application\" {", second);
    rig.converge(&edited(&[with_second])).await;
    let moved = edited(&[with_second, ("subnet.application #", "subnet.second #")]);
    insta::assert_snapshot!(actions(&rig.plan(&moved).await), @r#"
    Replace(CreateThenDelete) gateway_load_balancer_endpoint.application
    Replace(CreateThenDelete) mirror_target.sensors
    Update mirror_session.application
    "#);
    rig.converge(&moved).await;
    rig.destroy(&moved).await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_nobody_accepts_says_so_and_goes() {
    let rig = Rig::in_time_of_runtime();
    let asking = edited(&[(
        "gateway_load_balancers = [gateway_load_balancer.sensors] }",
        "\n  gateway_load_balancers = [gateway_load_balancer.sensors]\n  acceptance_required = true\n}",
    )]);
    let report = rig.apply(&rig.plan(&asking).await).await;
    let why = mirror_tests::unfinished(&report);
    let (first, _) = why.split_once('\n').unwrap();
    insta::assert_snapshot!(redacted(first), @"gateway_load_balancer_endpoint.application (Create): CreateVpcEndpoint: (id) is pendingAcceptance: the owner of (id) has to accept it; then apply again");
    rig.destroy(&asking).await;
}

/// Returns a text without the words that contain an endpoint's id: its digits depend on what else was created.
fn redacted(text: &str) -> String {
    text.split_inclusive(' ')
        .map(|word| match word.find("vpce-") {
            Some(_) => "(id) ".to_owned(),
            None => word.to_owned(),
        })
        .collect()
}
