//! The central property: after an apply a plan is empty, and a destroy leaves the account as it was.

use aws_sdk_autoscaling::Client as Autoscaling;
use aws_sdk_ec2::Client as Ec2;
use aws_sdk_ec2::types::HttpTokensState;
use aws_sdk_elasticloadbalancingv2::Client as Elb;
use mirror_local::Cloud;
use mirror_plan::plan::{Action, Capture};
use mirror_tests::{Rig, config, lab, resource_shares, stack};

use crate::generate::stack_file;

/// How many stacks are generated; they are split into shares so that the test runner can use more than one core.
const STACKS: u64 = 512;
const SHARES: u64 = 8;

/// How many objects of each sort a cloud holds.
pub(crate) async fn census(cloud: &Cloud) -> Vec<(&'static str, usize)> {
    let config = config(cloud);
    let (ec2, elb) = (Ec2::new(&config), Elb::new(&config));
    let autoscaling = Autoscaling::new(&config);
    macro_rules! count {
        ($($client:ident.$call:ident().$items:ident),+ $(,)?) => {
            vec![$((
                stringify!($items),
                $client.$call().send().await.expect("the cloud answers").$items().len(),
            )),+]
        };
    }
    let mut counts = count!(
        ec2.describe_vpcs().vpcs,
        ec2.describe_subnets().subnets,
        ec2.describe_internet_gateways().internet_gateways,
        ec2.describe_route_tables().route_tables,
        ec2.describe_security_groups().security_groups,
        ec2.describe_network_interfaces().network_interfaces,
        ec2.describe_volumes().volumes,
        elb.describe_load_balancers().load_balancers,
        elb.describe_target_groups().target_groups,
        ec2.describe_launch_templates().launch_templates,
        autoscaling.describe_auto_scaling_groups().auto_scaling_groups,
        ec2.describe_vpc_endpoint_service_configurations().service_configurations,
        ec2.describe_vpc_endpoints().vpc_endpoints,
        ec2.describe_traffic_mirror_targets().traffic_mirror_targets,
        ec2.describe_traffic_mirror_filters().traffic_mirror_filters,
        ec2.describe_traffic_mirror_filter_rules().traffic_mirror_filter_rules,
        ec2.describe_traffic_mirror_sessions().traffic_mirror_sessions,
    );
    let instances = ec2.describe_instances().send().await.expect("the cloud answers");
    let alive = instances.reservations().iter().flat_map(|r| r.instances()).filter(|instance| {
        let state = instance.state().and_then(|state| state.name());
        state.is_some_and(|name| name.as_str() != "terminated")
    });
    counts.push(("instances", alive.count()));
    counts.push(("resource_shares", resource_shares(cloud).await.len()));
    counts
}

/// How the instances of a stack file were made: tokens, hops, and whether each volume is encrypted.
async fn made(text: &str) -> (Vec<(HttpTokensState, i32)>, Vec<bool>) {
    let rig = Rig::instant();
    rig.converge(&stack(text)).await;
    let ec2 = Ec2::new(&config(&rig.cloud));
    let instances = ec2.describe_instances().send().await.unwrap();
    let instances = instances.reservations().iter().flat_map(|of| of.instances());
    let metadata = instances.filter_map(|instance| {
        let options = instance.metadata_options()?;
        Some((options.http_tokens()?.clone(), options.http_put_response_hop_limit()?))
    });
    let volumes = ec2.describe_volumes().send().await.unwrap();
    let encrypted = volumes.volumes().iter().map(|volume| volume.encrypted() == Some(true));
    (metadata.collect(), encrypted.collect())
}

#[tokio::test]
async fn instances_are_made_safe_unless_the_stack_says_otherwise() {
    const LAB: &str = include_str!("../../../examples/lab.mirror.hcl");
    let safe = (HttpTokensState::Required, 1);
    assert_eq!(made(LAB).await, (vec![safe; 3], vec![true; 3]));
    let words = "  imdsv2_required = false\n  imds_hop_limit  = 2\n  root_encrypted  = false\n";
    let careless = LAB.replace("  instance_type ", &format!("{words}  instance_type "));
    assert_eq!(made(&careless).await, (vec![(HttpTokensState::Optional, 2); 3], vec![false; 3]));
}

#[tokio::test]
async fn the_lab_converges_and_goes_without_a_trace() {
    let rig = Rig::instant();
    let before = census(&rig.cloud).await;
    let lab = lab();
    rig.converge(&lab).await;
    rig.destroy(&lab).await;
    assert_eq!(census(&rig.cloud).await, before);
}

#[tokio::test]
async fn an_edited_filter_rule_is_one_change_in_place() {
    let text = include_str!("../../../examples/lab.mirror.hcl");
    let rig = Rig::instant();
    rig.converge(&stack(text)).await;
    let edited = stack(&text.replace("number = 10, action", "number = 20, action"));
    let plan = rig.plan(&edited).await;
    let changed: Vec<_> = plan.changes.iter().filter(|c| c.action != Action::NoOp).collect();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].action, Action::Update);
    assert_eq!(changed[0].address.to_string(), "mirror_filter.traffic-mirror-filter");
    rig.converge(&edited).await;
}

#[tokio::test]
async fn another_load_balancer_behind_the_target_never_stops_the_capture() {
    let text = include_str!("../../../examples/lab.mirror.hcl");
    let rig = Rig::instant();
    rig.converge(&stack(text)).await;
    let edited = stack(&text.replace("\"internal\"", "\"internet-facing\""));
    let plan = rig.plan(&edited).await;
    let session = plan.changes.iter().find(|c| c.capture.is_some()).expect("the session changes");
    assert_eq!(session.capture, Some(Capture::Continues));
    rig.converge(&edited).await;
    let calls = rig.cloud.log().expect("the log is in memory");
    let position = |action: &str| calls.iter().rposition(|call| call.action == action);
    let order = [
        "CreateTrafficMirrorTarget",
        "ModifyTrafficMirrorSession",
        "DeleteTrafficMirrorTarget",
        "DeleteLoadBalancer",
    ]
    .map(position);
    assert!(order.is_sorted() && order[0].is_some(), "{order:?}");
    assert_eq!(position("DeleteTrafficMirrorSession"), None);
}

/// Applies two versions of each generated stack over each other, then destroys them.
async fn converges(share: u64) {
    for seed in (share..STACKS).step_by(usize::try_from(SHARES).expect("eight")) {
        let (first, second) = (stack_file(seed, 0), stack_file(seed, 1));
        let shown = OnPanic(format!("seed {seed}\n{first}\n--- edited:\n{second}"));
        let rig = Rig::instant();
        let before = census(&rig.cloud).await;
        rig.converge(&stack(&first)).await;
        rig.converge(&stack(&second)).await;
        rig.destroy(&stack(&second)).await;
        assert_eq!(census(&rig.cloud).await, before);
        drop(shown);
    }
}

/// What a person needs to reproduce a failure.
pub(crate) struct OnPanic(pub(crate) String);

impl Drop for OnPanic {
    #[expect(clippy::print_stderr, reason = "a failed test prints its input")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}

macro_rules! shares {
    ($($name:ident: $share:literal),+ $(,)?) => {$(
        #[tokio::test]
        async fn $name() {
            converges($share).await;
        }
    )+};
}

shares! {
    generated_stacks_converge_0: 0,
    generated_stacks_converge_1: 1,
    generated_stacks_converge_2: 2,
    generated_stacks_converge_3: 3,
    generated_stacks_converge_4: 4,
    generated_stacks_converge_5: 5,
    generated_stacks_converge_6: 6,
    generated_stacks_converge_7: 7,
}
