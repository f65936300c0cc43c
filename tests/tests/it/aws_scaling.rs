//! Receivers that scale, through the real SDK: templates and groups made, changed, scaled by others, and removed.

use std::time::Duration;

use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::{LaunchTemplateSpecification, LifecycleState};
use mirror_plan::address::Kind;
use mirror_plan::aws::discover::discover;
use mirror_plan::aws::{Wanted, observe, target_health};
use mirror_plan::plan::{Action, Call, Mode, Plan, Request, plan};
use mirror_plan::stack::Stack;
use mirror_plan::verify::State;
use mirror_tests::{Rig, config, scaling, stack};

/// The name that the tool picks for the group of the example.
const GROUP: &str = "scaling-sensors";

fn rig() -> (Rig, Client) {
    let rig = Rig::in_time_of_runtime();
    let client = Client::new(&config(&rig.cloud));
    (rig, client)
}

/// What a plan does, one line for each resource that it acts on.
fn actions(plan: &Plan) -> String {
    let changes = plan.changes.iter().filter(|change| change.action != Action::NoOp);
    let lines = changes.map(|change| format!("{:?} {}", change.action, change.address));
    lines.collect::<Vec<_>>().join("\n")
}

/// The calls of a plan, in order.
fn calls(plan: &Plan) -> String {
    let calls = plan.steps.iter().map(|step| match &step.call {
        Call::Operation(operation) => operation.call(),
        Call::Retag { .. } => "retag",
    });
    calls.collect::<Vec<_>>().join("\n")
}

fn edited(edits: &[(&str, &str)]) -> Stack {
    let mut text = include_str!("../../../examples/receivers-that-scale.mirror.hcl").to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    stack(&text)
}

#[tokio::test(start_paused = true)]
async fn the_example_converges_and_goes() {
    let (rig, _) = rig();
    rig.converge(&scaling()).await;
    rig.destroy(&scaling()).await;
    assert!(rig.plan(&stack("stack \"scaling\" { region = \"eu-west-1\" }")).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_can_change_in_place_does() {
    let (rig, _) = rig();
    rig.converge(&scaling()).await;
    let changed = edited(&[
        ("\"c6i.large\"", "\"c6i.xlarge\"\n  imdsv2_required = false\n  tags = { Team = \"a\" }"),
        ("min             = 2", "min             = 1\n  desired = 3\n  health_check = \"ec2\""),
        ("deregistration_delay = 60", "deregistration_delay = 90"),
    ]);
    let plan = rig.plan(&changed).await;
    insta::assert_snapshot!(actions(&plan), @"
    Update launch_template.sensor
    Update target_group.sensors
    Update autoscaling_group.sensors
    ");
    insta::assert_snapshot!(calls(&plan), @"
    CreateLaunchTemplateVersion
    ModifyLaunchTemplate
    retag
    ModifyTargetGroupAttributes
    UpdateAutoScalingGroup
    ");
    rig.converge(&changed).await;
    let back = edited(&[("min             = 2", "min             = 2\n  tags = { Team = \"b\" }")]);
    rig.converge(&back).await;
    rig.destroy(&back).await;
}

/// The instances of the group, once there are `count` of them, all in service.
async fn members(client: &Client, count: usize) -> Vec<String> {
    loop {
        let told = client.describe_auto_scaling_groups().send().await.unwrap();
        let all = told.auto_scaling_groups().iter().flat_map(|group| group.instances());
        let serving =
            all.clone().filter(|it| it.lifecycle_state() == Some(&LifecycleState::InService));
        if (serving.count(), all.clone().count()) == (count, count) {
            return all.map(|member| member.instance_id().unwrap().to_owned()).collect();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_group_has_registered_is_no_difference_of_its_target_group() {
    let (rig, client) = rig();
    let stack = scaling();
    rig.converge(&stack).await;
    assert_eq!(members(&client, 2).await.len(), 2);
    // Scaled by somebody else, and back again.
    for desired in [5, 2] {
        let scale = client.set_desired_capacity().auto_scaling_group_name(GROUP);
        scale.desired_capacity(desired).send().await.unwrap();
        members(&client, usize::try_from(desired).unwrap()).await;
        assert_eq!(actions(&rig.plan(&stack).await), "");
    }
    // A receiver that the stack itself lists as a target stays beside them, and is removed without them.
    let with_one = edited(&[
        (
            "mirror_target \"sensors\"",
            "instance \"own\" {\n  instance_type = \"t3.micro\"\n  subnet = subnet.a\n  security_groups = [security_group.sensors]\n}\n\nmirror_target \"sensors\"",
        ),
        ("  deregistration_delay = 60", "  targets = [instance.own]\n  deregistration_delay = 60"),
    ]);
    rig.converge(&with_one).await;
    rig.converge(&stack).await;
    let observed = rig.observe(&stack).await;
    let health = target_health(&rig.aws, &observed).await.unwrap();
    let taking = health.targets.iter().filter(|target| target.state != State::Draining);
    let named: Vec<String> = taking
        .map(|it| it.instance.as_ref().map(ToString::to_string).unwrap_or_default())
        .collect();
    assert_eq!(named, ["autoscaling_group.sensors", "autoscaling_group.sensors"]);
    rig.destroy(&stack).await;
}

#[tokio::test(start_paused = true)]
async fn receivers_have_the_tags_of_their_group_and_are_none_of_the_stacks_instances() {
    let (rig, client) = rig();
    let stack =
        edited(&[("  min             = 2", "  tags = { Team = \"a\" }\n  min             = 2")]);
    rig.converge(&stack).await;
    let ids = members(&client, 2).await;
    let ec2 = aws_sdk_ec2::Client::new(&config(&rig.cloud));
    let told = ec2.describe_instances().set_instance_ids(Some(ids)).send().await.unwrap();
    let instances = told.reservations().iter().flat_map(|of| of.instances());
    let tags: Vec<Vec<String>> = instances
        .map(|instance| {
            let mut tags: Vec<String> = instance
                .tags()
                .iter()
                .map(|tag| format!("{} = {}", tag.key().unwrap(), tag.value().unwrap()))
                .filter(|tag| !tag.starts_with("aws:ec2launchtemplate:"))
                .collect();
            tags.sort();
            tags
        })
        .collect();
    let expected = ["Name = sensors", "Team = a", "aws:autoscaling:groupName = scaling-sensors"];
    assert_eq!(tags, [expected, expected]);
    let observed = rig.observe(&stack).await;
    assert_eq!(observed.owned.keys().filter(|it| it.kind == Kind::Instance).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_receivers_of_somebody_elses_group_are_told_and_left_alone() {
    let (rig, client) = rig();
    let stack = edited(&[("  target_groups   = [target_group.sensors]\n", "")]);
    rig.converge(&stack).await;
    let observed = rig.observe(&stack).await;
    let of = |address: &str| observed.current(&address.parse().unwrap()).unwrap().id.to_string();
    let template = LaunchTemplateSpecification::builder()
        .launch_template_id(of("launch_template.sensor"))
        .version("$Default")
        .build();
    client
        .create_auto_scaling_group()
        .auto_scaling_group_name("theirs")
        .launch_template(template)
        .vpc_zone_identifier(of("subnet.a"))
        .min_size(1)
        .max_size(1)
        .target_group_arns(of("target_group.sensors"))
        .send()
        .await
        .unwrap();
    members(&client, 3).await;
    let images = stack.images();
    let wanted = Wanted::to_plan(&stack, &images, Mode::Apply);
    let sight = observe(&rig.aws, wanted).await.unwrap();
    let titles: Vec<&str> = sight.findings.iter().map(|found| found.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "`target_group.sensors` has 1 of the instances of the Auto Scaling group theirs, which does not belong to the stack"
        ]
    );
    assert!(plan(&stack, &sight.observed, &Request::default()).unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn receivers_move_to_a_replaced_target_group() {
    let (rig, client) = rig();
    rig.converge(&scaling()).await;
    let moved = edited(&[
        ("  deregistration_delay = 60", "  port = 4790\n  deregistration_delay = 60"),
        (
            "protocol = \"udp\", port = 4789, cidrs = [vpc.lab.cidr]",
            "protocol = \"udp\", port = \"4789-4790\", cidrs = [vpc.lab.cidr]",
        ),
    ]);
    let plan = rig.plan(&moved).await;
    insta::assert_snapshot!(actions(&plan), @"
    Update security_group.sensors
    Replace(CreateThenDelete) target_group.sensors
    Update autoscaling_group.sensors
    Update load_balancer.sensors
    ");
    rig.converge(&moved).await;
    assert_eq!(members(&client, 2).await.len(), 2);
    rig.destroy(&moved).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_and_a_template_with_other_names_are_other_objects() {
    let (rig, _) = rig();
    rig.converge(&scaling()).await;
    let named = edited(&[
        ("launch_template \"sensor\" {", "launch_template \"sensor\" {\n  name = \"sensor\""),
        (
            "autoscaling_group \"sensors\" {",
            "autoscaling_group \"sensors\" {\n  name = \"sensors\"",
        ),
    ]);
    let plan = rig.plan(&named).await;
    insta::assert_snapshot!(actions(&plan), @"
    Replace(CreateThenDelete) launch_template.sensor
    Replace(CreateThenDelete) autoscaling_group.sensors
    ");
    insta::assert_snapshot!(calls(&plan), @"
    CreateLaunchTemplate
    CreateAutoScalingGroup
    DeleteAutoScalingGroup
    DeleteLaunchTemplate
    ");
    rig.converge(&named).await;
    rig.destroy(&named).await;
}

/// AWS keeps the name in use until the last instance is terminated.
#[tokio::test(start_paused = true)]
async fn a_group_that_goes_is_waited_for_before_another_has_its_name() {
    let (rig, client) = rig();
    let stack = scaling();
    rig.converge(&stack).await;
    client
        .delete_auto_scaling_group()
        .auto_scaling_group_name(GROUP)
        .force_delete(true)
        .send()
        .await
        .unwrap();
    insta::assert_snapshot!(actions(&rig.plan(&stack).await), @"Create autoscaling_group.sensors");
    rig.converge(&stack).await;
    rig.destroy(&stack).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_of_somebody_else_with_the_name_stays_theirs() {
    let (rig, client) = rig();
    let others = edited(&[
        ("stack \"scaling\"", "stack \"others\""),
        ("autoscaling_group \"sensors\" {", "autoscaling_group \"sensors\" {\n  name = \"one\""),
    ]);
    rig.converge(&others).await;
    let stack = edited(&[(
        "autoscaling_group \"sensors\" {",
        "autoscaling_group \"sensors\" {\n  name = \"one\"",
    )]);
    let report = rig.apply(&rig.plan(&stack).await).await;
    let why = mirror_tests::unfinished(&report);
    let (first, _) = why.split_once(" (request").unwrap();
    insta::assert_snapshot!(first, @"autoscaling_group.sensors (Create): CreateAutoScalingGroup: AlreadyExists: AutoScalingGroup by this name already exists - A group with the name one already exists");
    rig.destroy(&stack).await;
    assert_eq!(members(&client, 2).await.len(), 2);
    assert!(rig.plan(&others).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_the_stack_uses_of_a_group_is_found_by_its_name() {
    let (rig, _) = rig();
    rig.converge(&scaling()).await;
    let using = stack(
        "stack \"using\" { region = \"eu-west-1\" }\n\
         existing \"autoscaling_group\" \"sensors\" { name = \"scaling-sensors\" }\n\
         existing \"launch_template\" \"sensor\" { tags = { Name = \"sensor\" } }\n\
         output \"group\" { value = autoscaling_group.sensors.id }\n\
         output \"template\" { value = launch_template.sensor.id }\n",
    );
    let observed = rig.observe(&using).await;
    let found = observed.existing.values().map(|found| found.resource.kind().word());
    assert_eq!(found.collect::<Vec<_>>(), ["launch_template", "autoscaling_group"]);
    let shown = serde_json::to_string(&observed).unwrap();
    // What instances that belong to others run at their first start may contain secrets.
    assert!(shown.contains("\"user_data\":null"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_vpc_is_discovered_with_its_groups_and_without_their_instances() {
    let (rig, client) = rig();
    rig.converge(&scaling()).await;
    let ids = members(&client, 2).await;
    let observed = rig.observe(&scaling()).await;
    let vpc = observed.current(&"vpc.lab".parse().unwrap()).unwrap().id.of().unwrap();
    let found = discover(&rig.aws, &vpc).await.unwrap();
    let kinds = [Kind::LaunchTemplate, Kind::AutoscalingGroup, Kind::Instance]
        .map(|kind| found.objects.iter().filter(|(of, _)| *of == kind).count());
    assert_eq!(kinds, [1, 1, 1]);
    for id in ids {
        let line = format!("{id}: its Auto Scaling group creates and deletes it");
        assert!(found.left.contains(&line), "{:?}", found.left);
    }
}
