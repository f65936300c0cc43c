//! Stack files that are written from existing objects.

use std::collections::{BTreeMap, BTreeSet};

use mirror_plan::address::{Address, Kind};
use mirror_plan::aws::candidates;
use mirror_plan::aws::discover::discover;
use mirror_plan::import::{named, unnamed};
use mirror_plan::observed::{Found, Observed};
use mirror_plan::plan::plan_adopting;
use mirror_plan::render::stack_file::StackText;
use mirror_plan::resource::vpc::VpcId;
use mirror_plan::stack::Stack;
use mirror_tests::{REGION, Rig, lab, sharing, stack, wide};

use crate::adopt::disown;
use crate::generate::stack_file;

/// The number of generated stacks.
const STACKS: u64 = 96;

/// Returns the stack file for what a stack owns.
fn written(stack: &Stack, observed: &Observed) -> String {
    let current = observed.owned.iter().map(|(address, all)| (address.clone(), all[0].clone()));
    let resources: BTreeMap<Address, Found> = current.collect();
    let region = REGION.parse().unwrap();
    StackText { stack: &stack.name, region: &region, resources: &resources }.to_string()
}

#[tokio::test]
async fn a_stack_file_written_from_an_account_leaves_nothing_to_do() {
    let generated = (0..STACKS).map(|seed| stack(&stack_file(seed, 0)));
    for first in [lab(), wide(), sharing()].into_iter().chain(generated) {
        let rig = Rig::instant();
        rig.converge(&first).await;
        let observed = rig.observe(&first).await;
        let text = written(&first, &observed);
        let plan = rig.plan(&stack(&text)).await;
        assert!(plan.is_empty(), "{text}\n{plan}");
    }
}

/// Everything that a stack owns is found through its VPCs, written to a stack file and adopted.
#[tokio::test]
async fn what_is_discovered_is_adopted_and_leaves_nothing_to_do() {
    let generated = (0..STACKS / 2).map(|seed| stack(&stack_file(seed, 0)));
    for first in [lab(), wide(), sharing()].into_iter().chain(generated) {
        let rig = Rig::instant();
        rig.converge(&first).await;
        let observed = rig.observe(&first).await;
        disown(&rig.cloud).await;
        let vpcs = observed.owned.iter().filter(|(address, _)| address.kind == Kind::Vpc);
        let mut objects = BTreeSet::new();
        for (_, all) in vpcs {
            let vpc: VpcId = all[0].id.as_str().parse().unwrap();
            objects.extend(discover(&rig.aws, &vpc).await.unwrap().objects);
        }
        let owned = observed.owned.iter();
        let owned = owned.map(|(address, all)| (address.kind, all[0].id.clone()));
        // A filter that no session uses does not belong to any VPC.
        let owned: BTreeSet<_> = owned.filter(|(kind, _)| *kind != Kind::MirrorFilter).collect();
        let found = objects.iter().filter(|(kind, _)| *kind != Kind::MirrorFilter);
        assert_eq!(found.cloned().collect::<BTreeSet<_>>(), owned, "{}", first.name);
        let (adoptions, told) = candidates(&rig.aws, "mine", &unnamed(&objects)).await.unwrap();
        assert!(told.is_empty(), "{told:?}");
        let adoptions = named(adoptions);
        let found = adoptions.iter().map(|it| (it.address.clone(), vec![it.found.clone()]));
        let found = Observed { owned: found.collect(), ..observed.clone() };
        let mine = Stack::builder("mine".parse().unwrap()).build().unwrap().0;
        let mine = stack(&written(&mine, &found));
        let there = rig.observe(&mine).await;
        let plan = plan_adopting(&mine, &there, &adoptions).unwrap();
        // Blocks are called by the names of what they adopt, so not even a `Name` tag would change.
        assert!(plan.is_empty(), "{plan}");
    }
}
