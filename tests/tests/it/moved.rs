//! Moves: a renamed resource gets new tags, and nothing else happens to it.

use std::collections::BTreeSet;

use aws_sdk_ec2::Client as Ec2;
use mirror_local::{Cloud, Policy};
use mirror_plan::address::{Address, Kind, Name};
use mirror_plan::iam::{Location, Purpose, policies};
use mirror_plan::plan::{Action, Call, Mode, Plan, Request, plan};
use mirror_plan::stack::Stack;
use mirror_tests::{REGION, Rig, config, stack, touched, unfinished};

use crate::converge::census;
use crate::crash::a_few_seeds;
use crate::crash::sweep::Sweep;
use crate::generate::stack_file;

const LAB: &str = include_str!("../../../examples/lab.mirror.hcl");

/// Stacks with every kind that has something which AWS allows for only one object at a time.
pub(crate) const STACK_FILES: [&str; 5] = [
    LAB,
    include_str!("../../src/wide.mirror.hcl"),
    include_str!("../../../examples/gateway-load-balancer.mirror.hcl"),
    include_str!("../../../examples/receivers-that-scale.mirror.hcl"),
    include_str!("../../../examples/peering.mirror.hcl"),
];

/// The number of generated stacks.
const STACKS: u64 = 64;

/// Returns the resource blocks of a stack file.
fn blocks(text: &str) -> BTreeSet<(Kind, Name)> {
    let resources = stack(text).resources;
    resources.into_keys().map(|Address { kind, name, key: _ }| (kind, name)).collect()
}

/// Returns the text with every resource renamed, and with the moves that declare this.
fn renamed(text: &str) -> String {
    let blocks = blocks(text);
    let renamed =
        blocks.iter().fold(text.to_owned(), |text, block| with_another_name(&text, block));
    let moves = blocks.iter().map(|(kind, name)| {
        let (from, to) = (format!("{kind}.{name}"), format!("{kind}.{name}_new"));
        format!("moved {{\n  from = {from}\n  to   = {to}\n}}\n")
    });
    renamed + &moves.collect::<String>()
}

/// Returns the text with one resource renamed.
fn with_another_name(text: &str, (kind, name): &(Kind, Name)) -> String {
    crate::edits::renamed(text, (kind.word(), name.as_str()), &format!("{name}_new"))
}

/// Returns what a plan does: its distinct actions, and how many objects move.
fn actions(plan: &Plan) -> (BTreeSet<String>, usize) {
    let actions = plan.changes.iter().map(|change| format!("{:?}", change.action)).collect();
    (actions, plan.counts().moved)
}

/// Returns the ids of all network interfaces and sessions in AWS.
async fn ids(cloud: &Cloud) -> BTreeSet<String> {
    let ec2 = Ec2::new(&config(cloud));
    let interfaces = ec2.describe_network_interfaces().send().await.unwrap();
    let sessions = ec2.describe_traffic_mirror_sessions().send().await.unwrap();
    let interfaces =
        interfaces.network_interfaces().iter().filter_map(|i| i.network_interface_id());
    let sessions = sessions.traffic_mirror_sessions().iter();
    let sessions = sessions.filter_map(|s| s.traffic_mirror_session_id());
    interfaces.chain(sessions).map(str::to_owned).collect()
}

#[tokio::test]
async fn another_name_for_everything_changes_tags_and_nothing_else() {
    let rig = Rig::instant();
    let empty = census(&rig.cloud).await;
    rig.converge(&stack(LAB)).await;
    let (before, which) = (census(&rig.cloud).await, ids(&rig.cloud).await);
    let renamed = stack(&renamed(LAB));
    let plan = rig.plan(&renamed).await;
    // Each resource has its name as a tag, and the name has changed.
    assert_eq!(actions(&plan), (BTreeSet::from(["Update".to_owned()]), plan.changes.len()));
    let retags = plan.steps.iter().filter(|step| matches!(step.call, Call::Retag { .. }));
    assert_eq!((retags.count(), plan.steps.len()), (plan.changes.len(), plan.changes.len()));
    rig.converge(&renamed).await;
    assert_eq!((census(&rig.cloud).await, ids(&rig.cloud).await), (before, which));
    rig.destroy(&renamed).await;
    assert_eq!(census(&rig.cloud).await, empty);
}

/// A block that is renamed without a move is one resource to create and one to delete, and some things AWS allows
/// only once at a time. No plan may fail half-way because of that, and each refusal states what to do.
#[tokio::test]
async fn another_name_without_a_move_is_made_so_or_refused_with_the_move_that_is_missing() {
    let mut refused: BTreeSet<Kind> = BTreeSet::new();
    let empty = census(&Rig::instant().cloud).await;
    for text in STACK_FILES {
        let first = Rig::instant();
        first.converge(&stack(text)).await;
        let made = (census(&first.cloud).await, ids(&first.cloud).await);
        for block in blocks(text) {
            let rig = Rig::over(first.cloud.fork());
            let (kind, name) = &block;
            let mut last = with_another_name(text, &block);
            let observed = rig.observe(&stack(&last)).await;
            if let Err(found) = plan(&stack(&last), &observed, &Request::default()) {
                refused.insert(*kind);
                let help = &found.iter().next().unwrap().help[0];
                let patch = help.patch.as_ref().expect("the place of the block is known");
                last.replace_range(patch.span.bytes.clone(), &patch.text);
                rig.converge(&stack(&last)).await;
                let now = (census(&rig.cloud).await, ids(&rig.cloud).await);
                assert_eq!(now, made, "{kind}.{name}: {found}");
            } else {
                rig.converge(&stack(&last)).await;
            }
            rig.destroy(&stack(&last)).await;
            assert_eq!(census(&rig.cloud).await, empty, "{kind}.{name}");
        }
    }
    assert_eq!(
        refused.into_iter().map(Kind::word).collect::<Vec<_>>(),
        [
            "subnet",
            "internet_gateway",
            "vpc_peering",
            "load_balancer",
            "gateway_load_balancer",
            "endpoint_service",
            "mirror_target",
        ]
    );
}

#[tokio::test]
async fn what_keeps_its_tags_only_moves() {
    let named = |name: &str| {
        stack(&format!(
            "stack \"lab\" {{}}\nvpc \"{name}\" {{\n  cidr = \"10.0.0.0/16\"\n  tags = {{ Name = \"x\" }}\n}}\n\
             moved {{\n  from = vpc.first\n  to   = vpc.second\n}}\n"
        ))
    };
    let rig = Rig::instant();
    // Before there is anything to move, the move does nothing.
    rig.converge(&named("second")).await;
    rig.destroy(&named("second")).await;
    let first = stack(
        "stack \"lab\" {}\nvpc \"first\" {\n  cidr = \"10.0.0.0/16\"\n  tags = { Name = \"x\" }\n}\n",
    );
    rig.converge(&first).await;
    let plan = rig.plan(&named("second")).await;
    assert_eq!(actions(&plan), (BTreeSet::from(["Move".to_owned()]), 1));
    assert_eq!(touched(&plan), BTreeSet::from(["vpc.second".parse().unwrap()]));
    rig.converge(&named("second")).await;
    rig.destroy(&named("second")).await;
}

#[tokio::test]
async fn generated_stacks_are_renamed_and_edited_at_once() {
    for seed in 0..STACKS {
        let (first, second) = (stack_file(seed, 0), renamed(&stack_file(seed, 1)));
        let rig = Rig::instant();
        let before = census(&rig.cloud).await;
        rig.converge(&stack(&first)).await;
        let same = rig.plan(&stack(&renamed(&first))).await;
        let counts = same.counts();
        assert_eq!((counts.add, counts.destroy), (0, 0), "seed {seed}\n{first}");
        assert_eq!(counts.moved, same.changes.len(), "seed {seed}\n{first}");
        rig.converge(&stack(&second)).await;
        rig.destroy(&stack(&second)).await;
        assert_eq!(census(&rig.cloud).await, before, "seed {seed}\n{second}");
    }
}

/// Returns the laboratory with everything renamed, and with something to change, to create, to remove
/// and to replace in both orders.
fn edited() -> String {
    renamed(&edits()).replace("# A laboratory", "mirror_filter \"more\" {}\n# A laboratory")
}

fn edits() -> String {
    let edits = [
        ("number = 10, action", "number = 20, action"),
        ("\"internal\"", "\"internet-facing\""),
        ("cidrsubnet(vpc.my-traffic-mirroring-vpc.cidr, 8, 1)", "\"10.0.3.0/24\""),
    ];
    edits.iter().fold(LAB.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

#[tokio::test]
async fn what_moves_is_replaced_under_its_new_address() {
    let rig = Rig::instant();
    rig.converge(&stack(LAB)).await;
    let edited = stack(&edited());
    let plan = rig.plan(&edited).await;
    let replaced = plan.changes.iter().filter(|c| matches!(c.action, Action::Replace(_))).count();
    assert!(replaced > 2 && plan.counts().moved == plan.changes.len() - 1, "{plan}");
    rig.converge(&edited).await;
    rig.destroy(&edited).await;
}

/// The same edits without renaming anything.
#[test]
fn a_killed_run_of_replacements_is_taken_up_by_the_next() {
    let first = stack(LAB);
    for then in [Mode::Apply, Mode::Destroy] {
        let (before, edited) = (Some((&first, Mode::Apply)), stack(&edits()));
        let sweep =
            Sweep { stack: &edited, before, killed: Mode::Apply, then, missing: None, one_in: 1 };
        sweep.over(a_few_seeds()).expect_none_bad(&format!("lab edited, killed, then {then:?}"));
    }
}

/// With and without renaming everything.
#[test]
fn an_answer_that_is_lost_in_a_run_of_replacements_makes_nothing_twice() {
    let first = stack(LAB);
    for (name, text) in [("edited", edits()), ("moved and edited", edited())] {
        let (before, edited) = (Some((&first, Mode::Apply)), stack(&text));
        let (killed, then) = (Mode::Apply, Mode::Apply);
        let sweep = Sweep { stack: &edited, before, killed, then, missing: None, one_in: 1 };
        let of = format!("lab {name}: answers lost after the call took effect");
        sweep.lose_every_answer(a_few_seeds()).expect_none_bad(&of);
    }
}

/// A run that moves everything is killed at every point; the next run finishes it or removes everything.
#[test]
fn a_killed_run_of_moves_is_taken_up_by_the_next() {
    let (first, moved) = (stack(LAB), stack(&renamed(LAB)));
    for (name, to) in [("moved", &moved), ("moved and edited", &stack(&edited()))] {
        for then in [Mode::Apply, Mode::Destroy] {
            let before = Some((&first, Mode::Apply));
            let sweep =
                Sweep { stack: to, before, killed: Mode::Apply, then, missing: None, one_in: 1 };
            sweep
                .over(a_few_seeds())
                .expect_none_bad(&format!("lab {name}, killed, then {then:?}"));
        }
    }
}

/// What `mirror iam` prints allows moves while the stack has some, but not setting any other ownership tag.
#[tokio::test]
async fn the_policy_for_apply_is_enough_for_moves() {
    let rig = Rig::instant();
    rig.converge(&stack(LAB)).await;
    let renamed = stack(&renamed(LAB));
    let plan = rig.plan(&renamed).await;
    let allow = |stack: &Stack| {
        let account = mirror_local::ACCOUNT.parse().unwrap();
        let location = Location { account, region: REGION.parse().unwrap() };
        let printed = policies(stack, &location, [Purpose::Apply]);
        let parsed = printed.iter().map(|policy| policy.to_string().parse::<Policy>().unwrap());
        rig.cloud.set_policies(parsed.collect());
    };
    let lab = stack(LAB);
    allow(&lab);
    let refused = rig.apply(&plan).await;
    assert!(unfinished(&refused).lines().count() == plan.changes.len(), "without moves");
    allow(&renamed);
    let id = plan.changes[0].id.as_ref().unwrap();
    let ec2 = Ec2::new(&config(&rig.cloud));
    for key in ["mirror-plan:stack", "mirror-plan:gen"] {
        let tag = aws_sdk_ec2::types::Tag::builder().key(key).value("2").build();
        let set = ec2.create_tags().resources(id.as_str()).tags(tag);
        assert!(set.send().await.is_err(), "{key}");
    }
    let tag = aws_sdk_ec2::types::Tag::builder().key("mirror-plan:address").build();
    assert!(ec2.delete_tags().resources(id.as_str()).tags(tag).send().await.is_err());
    rig.converge(&renamed).await;
}
