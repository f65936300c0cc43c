//! Asking beforehand: what `plan --check-permissions` reports is what an apply with the same policies
//! runs into, and asking changes nothing.

mod deaf;

use std::collections::BTreeSet;

use insta::assert_snapshot;
use mirror_local::LoggedCall;
use mirror_plan::address::{Address, Kind};
use mirror_plan::apply::report::Outcome;
use mirror_plan::aws::{Aws, Pace, check_permissions};
use mirror_plan::permission::{
    Denial, Detail, Permissions, Unchecked, Verdict, calls_of, time_to_ask,
};
use mirror_tests::{config, config_of, lab};
use tokio::time::Instant;

use super::*;

/// What the account holds before the plan.
#[derive(Clone, Copy, Debug)]
enum Stands {
    Nothing,
    /// The laboratory, edited this many times.
    Edited(usize),
    /// What an apply of the laboratory leaves behind if its policies lack this action.
    Lacking(&'static str),
}

/// What the account holds, and what is planned over it.
#[derive(Clone, Debug)]
struct Scene {
    name: String,
    stands: Stands,
    stack: Stack,
    request: Request,
}

impl Scene {
    fn new(name: &str, stands: Stands, stack: Stack) -> Self {
        Self { name: name.to_owned(), stands, stack, request: Request::default() }
    }

    /// An account as it is before the plan.
    async fn rig(&self) -> Rig {
        let rig = account().await;
        match self.stands {
            Stands::Nothing => {}
            Stands::Edited(0) => run(&rig, &whole(), Mode::Apply).await.unwrap(),
            Stands::Edited(times) => {
                run(&rig, &whole(), Mode::Apply).await.unwrap();
                for version in versions(&receiver(&rig).await.unwrap()).iter().take(times) {
                    run(&rig, version, Mode::Apply).await.unwrap();
                }
            }
            Stands::Lacking(action) => {
                without(&all_that_it_takes(), action).attach(&rig.cloud);
                run(&rig, &whole(), Mode::Apply).await.unwrap_err();
                rig.cloud.set_policies(Vec::new());
            }
        }
        rig
    }

    async fn plan(&self, rig: &Rig) -> Plan {
        let sight = rig.observe(&self.stack).await;
        plan(&self.stack, &sight, &self.request).unwrap()
    }
}

const SERVE: &str = "ec2:CreateVpcEndpointServiceConfiguration";

/// The life of the laboratory, plan by plan, and the replacement of each of its resources.
async fn scenes() -> Vec<Scene> {
    let standing = account().await;
    run(&standing, &whole(), Mode::Apply).await.unwrap();
    let [edited, again, empty] = versions(&receiver(&standing).await.unwrap());
    let renumbered =
        include_str!("../../../../examples/lab.mirror.hcl").replace("number = 1 ", "number = 2 ");
    let renumbered = [renumbered.as_str(), PEERING].concat();
    let mut scenes = vec![
        Scene::new("create", Stands::Nothing, whole()),
        Scene::new("edit", Stands::Edited(0), edited),
        Scene::new("edit again", Stands::Edited(1), again),
        Scene::new("back", Stands::Edited(1), whole()),
        Scene::new("renumber", Stands::Edited(0), stack(&renumbered)),
        Scene::new("attach", Stands::Lacking("ec2:AttachInternetGateway"), whole()),
        Scene::new("mirror", Stands::Lacking("ec2:CreateTrafficMirrorSession"), whole()),
        Scene::new("accept", Stands::Lacking("ec2:AcceptVpcPeeringConnection"), whole()),
        Scene::new("serve", Stands::Lacking(SERVE), whole()),
        Scene::new("remove", Stands::Edited(2), empty),
        Scene {
            request: Request { mode: Mode::Destroy, ..Request::default() },
            ..Scene::new("destroy", Stands::Edited(0), whole())
        },
    ];
    let whole_stack = whole();
    // The gateway cannot be replaced: the public addresses behind it hold it.
    let replaceable = whole_stack.resources.keys().filter(|it| it.kind != Kind::InternetGateway);
    for address in replaceable {
        let replace = BTreeSet::from([address.clone()]);
        scenes.push(Scene {
            request: Request { replace, ..Request::default() },
            ..Scene::new(&format!("replace {address}"), Stands::Edited(0), whole())
        });
    }
    scenes
}

/// All that the life of the laboratory needs, and permission to decode denials.
fn all_that_it_takes() -> Attached {
    let mut printed = Attached::printed(&whole(), [Purpose::Apply]);
    let decode = r#"{ "Sid": "Decode", "Effect": "Allow", "Action": "sts:DecodeAuthorizationMessage",
                      "Resource": "*" }"#;
    let policy = format!(r#"{{ "Version": "2012-10-17", "Statement": [{decode}] }}"#);
    printed.0.push(serde_json::from_str(&policy).unwrap());
    printed
}

/// The same policies without an action, whichever statement has it.
fn without(printed: &Attached, action: &str) -> Attached {
    let sids = printed.actions("Allow").into_iter().filter(|(_, named)| named == action);
    sids.fold(printed.clone(), |changed, (sid, action)| changed.without(&sid, Some(&action)))
}

/// What is denied: for which resource, by which call, for lack of which action.
fn denied(permissions: &Permissions) -> BTreeSet<(Address, String, String)> {
    let denied = permissions.denied().map(|(checked, denial)| {
        let lacking = denial.lacking().expect("AWS names the action").to_owned();
        (checked.address.clone(), checked.access.action.to_owned(), lacking)
    });
    denied.collect()
}

/// The calls for which AWS reports whether they are allowed.
fn checked(permissions: &Permissions) -> BTreeSet<(Address, String)> {
    let known = permissions.calls.iter().filter(|c| !matches!(c.verdict, Verdict::NotChecked(_)));
    known.map(|c| (c.address.clone(), c.access.action.to_owned())).collect()
}

#[tokio::test]
async fn nobody_who_has_the_policy_is_denied_and_why_a_call_is_not_checked_is_known() {
    let mut others = BTreeSet::new();
    for scene in scenes().await {
        let rig = scene.rig().await;
        all_that_it_takes().attach(&rig.cloud);
        let permissions = check_permissions(&rig.aws, &scene.plan(&rig).await).await;
        assert_eq!(denied(&permissions), BTreeSet::new(), "{}", scene.name);
        for call in &permissions.calls {
            match &call.verdict {
                Verdict::NotChecked(Unchecked::OtherAnswer { code, .. }) => {
                    others.insert(format!("{}: {code}", call.access.action));
                }
                Verdict::NotChecked(Unchecked::NoDryRun | Unchecked::AfterApply(_))
                | Verdict::Allowed => {}
                other => panic!("{}: {}: {other:?}", scene.name, call.access.action),
            }
        }
    }
    // What these calls name is made ready by an earlier call of the same plan: a number, a gateway, a load
    // balancer that the previous service still has.
    let others = others.into_iter().collect::<Vec<_>>().join("\n");
    assert_snapshot!(others, @"
    CreateRoute: InvalidParameterValue
    CreateTrafficMirrorSession: InvalidParameterValue
    CreateTrafficMirrorTarget: InvalidParameterValue
    CreateVpcEndpointServiceConfiguration: InvalidParameter
    ");
}

/// For every EC2 action that some plan of the laboratory can ask about: when only that action is missing,
/// the check names it and nothing else, and an apply is refused for lack of it.
#[tokio::test]
async fn the_check_names_exactly_the_action_that_an_apply_would_lack() {
    let found = found_one_by_one().await;
    println!("{} applies were refused for lack of one action each", found.len());
    let printed = all_that_it_takes().actions("Allow").into_iter().map(|(_, action)| action);
    let never = printed.filter(|a| a.starts_with("ec2:") && !a.contains(":Describe"));
    let never: BTreeSet<String> = never.filter(|action| !found.contains(action)).collect();
    // Actions that have no dry run.
    assert_snapshot!(never.into_iter().collect::<Vec<_>>().join("\n"), @"
    ec2:ModifyLaunchTemplate
    ec2:ModifySubnetAttribute
    ec2:ModifyVpcAttribute
    ");
    assert_snapshot!(found.into_iter().collect::<Vec<_>>().join("\n"), @r#"
    ec2:AcceptVpcPeeringConnection
    ec2:AssociateRouteTable
    ec2:AttachInternetGateway
    ec2:AuthorizeSecurityGroupEgress
    ec2:AuthorizeSecurityGroupIngress
    ec2:CreateInternetGateway
    ec2:CreateLaunchTemplate
    ec2:CreateLaunchTemplateVersion
    ec2:CreateRoute
    ec2:CreateRouteTable
    ec2:CreateSecurityGroup
    ec2:CreateSubnet
    ec2:CreateTags
    ec2:CreateTrafficMirrorFilter
    ec2:CreateTrafficMirrorFilterRule
    ec2:CreateTrafficMirrorSession
    ec2:CreateTrafficMirrorTarget
    ec2:CreateTransitGatewayVpcAttachment
    ec2:CreateVpc
    ec2:CreateVpcEndpoint
    ec2:CreateVpcEndpointServiceConfiguration
    ec2:CreateVpcPeeringConnection
    ec2:DeleteInternetGateway
    ec2:DeleteLaunchTemplate
    ec2:DeleteRoute
    ec2:DeleteRouteTable
    ec2:DeleteSecurityGroup
    ec2:DeleteSubnet
    ec2:DeleteTags
    ec2:DeleteTrafficMirrorFilter
    ec2:DeleteTrafficMirrorFilterRule
    ec2:DeleteTrafficMirrorSession
    ec2:DeleteTrafficMirrorTarget
    ec2:DeleteTransitGatewayVpcAttachment
    ec2:DeleteVpc
    ec2:DeleteVpcEndpointServiceConfigurations
    ec2:DeleteVpcEndpoints
    ec2:DeleteVpcPeeringConnection
    ec2:DescribeImages
    ec2:DetachInternetGateway
    ec2:DisassociateRouteTable
    ec2:ModifyInstanceAttribute
    ec2:ModifyInstanceMetadataOptions
    ec2:ModifyTrafficMirrorFilterNetworkServices
    ec2:ModifyTrafficMirrorFilterRule
    ec2:ModifyTrafficMirrorSession
    ec2:ModifyTransitGatewayVpcAttachment
    ec2:ModifyVpcEndpointServiceConfiguration
    ec2:ModifyVpcEndpointServicePermissions
    ec2:ReplaceRoute
    ec2:RevokeSecurityGroupEgress
    ec2:RevokeSecurityGroupIngress
    ec2:RunInstances
    ec2:StartInstances
    ec2:StopInstances
    ec2:TerminateInstances
    ec2:UpdateSecurityGroupRuleDescriptionsEgress
    ec2:UpdateSecurityGroupRuleDescriptionsIngress
    "#);
}

/// Takes each action away in every scene in which AWS can be asked about it; returns the actions that the check named.
async fn found_one_by_one() -> BTreeSet<String> {
    let printed = all_that_it_takes();
    let mut found = BTreeSet::new();
    for scene in scenes().await {
        let rig = scene.rig().await;
        let plan = scene.plan(&rig).await;
        let asked = checked(&check_permissions(&rig.aws, &plan).await);
        let asked = asked.into_iter().map(|(_, call)| format!("ec2:{call}"));
        // Actions that making something needs besides: for its tags, and for what is read before.
        let with_it = ["ec2:CreateTags", "ec2:DescribeImages"].map(str::to_owned);
        for action in &asked.chain(with_it).collect::<BTreeSet<String>>() {
            without(&printed, action).attach(&rig.cloud);
            let permissions = check_permissions(&rig.aws, &plan).await;
            let denied = denied(&permissions);
            let lacking: BTreeSet<&String> = denied.iter().map(|(_, _, lacking)| lacking).collect();
            assert!(lacking.iter().all(|named| *named == action), "{}: {lacking:?}", scene.name);
            if !lacking.is_empty() && found.insert(action.clone()) {
                an_apply_runs_into_it(&scene, &without(&printed, action), &permissions).await;
            }
        }
    }
    found
}

/// Applies a scene under a policy. What the check denies is refused, unless something before it was; and
/// of the calls that the check knows, it denies each one that is refused.
async fn an_apply_runs_into_it(scene: &Scene, policy: &Attached, permissions: &Permissions) {
    let rig = scene.rig().await;
    let plan = scene.plan(&rig).await;
    policy.attach(&rig.cloud);
    let report = rig.apply(&plan).await;
    let (denied, checked) = (denied(permissions), checked(permissions));
    let mut stopped = BTreeSet::new();
    for change in &report.outcomes {
        match &change.outcome {
            // Auto Scaling does not name what a launch in the caller's name lacks, and has no dry runs.
            Outcome::Failed(failure)
                if matches!(
                    &*failure.call,
                    "CreateAutoScalingGroup" | "UpdateAutoScalingGroup"
                ) =>
            {
                assert_eq!(failure.code.as_deref(), Some("AccessDenied"), "{failure}");
                stopped.insert(change.address.clone());
            }
            Outcome::Failed(failure) => {
                assert_eq!(failure.code.as_deref(), Some("UnauthorizedOperation"), "{failure}");
                let lacking = Denial::read(&failure.message).lacking().unwrap().to_owned();
                let call = (change.address.clone(), failure.call.clone());
                let refused = (call.0.clone(), call.1.clone(), lacking);
                assert!(
                    !checked.contains(&call) || denied.contains(&refused),
                    "{}: {refused:?}",
                    scene.name
                );
                stopped.insert(change.address.clone());
            }
            Outcome::Skipped { .. } => drop(stopped.insert(change.address.clone())),
            Outcome::Applied { .. } | Outcome::NotStarted => {}
        }
    }
    for (address, call, lacking) in denied {
        assert!(stopped.contains(&address), "{}: {address} {call} {lacking}", scene.name);
    }
}

/// The calls that could have changed something.
fn in_earnest(rig: &Rig) -> Vec<LoggedCall> {
    let reads = |call: &LoggedCall| {
        ["Describe", "Get", "Decode"].iter().any(|verb| call.action.starts_with(verb))
    };
    let dry = |call: &LoggedCall| {
        let is_dry = call.parameters.ends_with("&DryRun=true");
        is_dry && call.status.is_some_and(|status| status >= 400)
    };
    let log = rig.cloud.log().unwrap();
    log.into_iter().filter(|call| !reads(call) && !dry(call)).collect()
}

#[tokio::test]
async fn asking_changes_nothing_and_every_call_is_asked_about_once() {
    for scene in scenes().await {
        let rig = scene.rig().await;
        let plan = scene.plan(&rig).await;
        let (before, counts) = (rig.observe(&scene.stack).await, census(&rig.cloud).await);
        let (earnest, asked) = (in_earnest(&rig).len(), rig.cloud.log().unwrap().len());
        let permissions = check_permissions(&rig.aws, &plan).await;
        let log = rig.cloud.log().unwrap().split_off(asked);
        assert_eq!(in_earnest(&rig).len(), earnest, "{}", scene.name);
        assert_eq!(rig.observe(&scene.stack).await, before, "{}", scene.name);
        assert_eq!(census(&rig.cloud).await, counts, "{}", scene.name);
        assert_eq!(scene.plan(&rig).await.digest(), plan.digest(), "{}", scene.name);
        // One call to check that dry runs are dry, then the calls that can be asked about, and what they read.
        let dry = log.iter().filter(|call| call.parameters.contains("DryRun=true"));
        let dry: Vec<&str> = dry.map(|call| &*call.action).collect();
        let answered = asked_about(&permissions);
        assert_eq!(dry.len(), answered + usize::from(answered > 0), "{}: {dry:?}", scene.name);
        let calls: usize = plan.steps.iter().map(|step| calls_of(step).len()).sum();
        assert_eq!(permissions.calls.len(), calls, "{}", scene.name);
    }
}

/// How many calls AWS was asked about.
fn asked_about(permissions: &Permissions) -> usize {
    let asked = permissions.calls.iter().filter(|call| match &call.verdict {
        Verdict::Allowed | Verdict::Denied(_) => true,
        Verdict::NotChecked(why) => matches!(why, Unchecked::OtherAnswer { .. }),
    });
    asked.count()
}

#[tokio::test]
async fn what_may_not_be_decoded_is_asked_for_once() {
    let scene = Scene::new("create", Stands::Nothing, lab());
    let rig = scene.rig().await;
    let plan = scene.plan(&rig).await;
    // A policy that allows only reads.
    Attached::printed(&lab(), [Purpose::Plan]).attach(&rig.cloud);
    let permissions = check_permissions(&rig.aws, &plan).await;
    let details: Vec<&Detail> = permissions.denied().map(|(_, denial)| &denial.detail).collect();
    assert_eq!(details.len(), 3);
    for detail in details {
        let Detail::Undecoded(why) = detail else { panic!("{detail:?}") };
        assert!(why.contains("AccessDenied"), "{why}");
    }
    let log = rig.cloud.log().unwrap();
    let decoding = log.iter().filter(|call| call.action == "DecodeAuthorizationMessage").count();
    // The first few decoding calls are under way at the same time.
    assert!((1..=3).contains(&decoding), "{decoding}");
}

#[tokio::test]
async fn whoever_does_not_know_dry_runs_is_asked_nothing() {
    let rig = Rig::instant();
    let plan = Scene::new("create", Stands::Nothing, lab()).plan(&rig).await;
    let before = census(&rig.cloud).await;
    let aws = Aws::new(&config_of(deaf::client(&rig.cloud)), Pace::Local).unwrap();
    let permissions = check_permissions(&aws, &plan).await;
    let ignored = permissions
        .calls
        .iter()
        .filter(|call| matches!(call.verdict, Verdict::NotChecked(Unchecked::DryRunIgnored)));
    assert_eq!(ignored.count(), 3);
    assert_eq!((permissions.counts().allowed, permissions.counts().denied), (0, 0));
    assert_eq!(in_earnest(&rig), Vec::new());
    assert_eq!(census(&rig.cloud).await, before);
}

#[tokio::test(start_paused = true)]
async fn asking_keeps_to_the_rates_of_calls() {
    let filters: String =
        (0..230).map(|n| format!("mirror_filter \"f{n}\" {{ rules = [] }}\n")).collect();
    let stack = stack(&format!("stack \"many\" {{ region = \"{REGION}\" }}\n{filters}"));
    let rig = Rig::instant();
    let plan = rig.plan(&stack).await;
    assert_eq!(plan.steps.len(), 230);
    let aws = Aws::new(&config(&rig.cloud), Pace::Aws).unwrap();
    let begun = Instant::now();
    let permissions = check_permissions(&aws, &plan).await;
    assert_eq!(permissions.counts().allowed, 230);
    // This is the time of the test's own clock, which only waiting advances.
    let expected = time_to_ask(&plan);
    assert_eq!(expected.as_secs(), 6);
    assert!(begun.elapsed() >= expected, "{:?}", begun.elapsed());
}
