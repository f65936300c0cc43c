//! Stack files that are written from what is there.

use std::collections::BTreeMap;

use mirror_plan::address::Address;
use mirror_plan::observed::{Found, Observed};
use mirror_plan::render::stack_file::StackText;
use mirror_plan::stack::Stack;
use mirror_tests::{REGION, Rig, lab, stack, wide};

use crate::generate::stack_file;

/// Generated stacks.
const STACKS: u64 = 96;

/// The stack file for what a stack owns.
fn written(stack: &Stack, observed: &Observed) -> String {
    let current = observed.owned.iter().map(|(address, all)| (address.clone(), all[0].clone()));
    let resources: BTreeMap<Address, Found> = current.collect();
    let region = REGION.parse().unwrap();
    StackText { stack: &stack.name, region: &region, resources: &resources }.to_string()
}

#[tokio::test]
async fn a_stack_file_written_from_an_account_leaves_nothing_to_do() {
    let generated = (0..STACKS).map(|seed| stack(&stack_file(seed, 0)));
    for first in [lab(), wide()].into_iter().chain(generated) {
        let rig = Rig::instant();
        rig.converge(&first).await;
        let observed = rig.observe(&first).await;
        let text = written(&first, &observed);
        let plan = rig.plan(&stack(&text)).await;
        assert!(plan.is_empty(), "{text}\n{plan}");
    }
}
