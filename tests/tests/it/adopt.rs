//! Adopting: objects without an owner become objects of a stack, and nothing else happens to them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_autoscaling::Client as Autoscaling;
use aws_sdk_autoscaling::types::Tag as GroupTag;
use aws_sdk_ec2::Client as Ec2;
use aws_sdk_elasticloadbalancingv2::Client as Elb;
use mirror_local::{Cloud, Faults};
use mirror_plan::address::Address;
use mirror_plan::apply::adopt::adopt;
use mirror_plan::aws::candidates;
use mirror_plan::id::ObjectId;
use mirror_plan::observed::Observed;
use mirror_plan::plan::{Adoption, plan_adopting};
use mirror_plan::stack::Stack;
use mirror_tests::{Rig, config, lab, resource_shares, sharing, stack, wide};

use crate::converge::census;
use crate::generate::stack_file;

/// The number of generated stacks.
const STACKS: u64 = 48;

/// The tags by which a stack recognizes its objects.
const OWNERSHIP: [&str; 3] = ["mirror-plan:stack", "mirror-plan:address", "mirror-plan:gen"];

/// The objects of a stack, by address.
fn objects(observed: &Observed) -> Vec<(Address, ObjectId)> {
    let owned = observed.owned.iter();
    owned.map(|(address, all)| (address.clone(), all[0].id.clone())).collect()
}

/// Removes the ownership tags from everything that has them, as if no stack had created it.
pub(crate) async fn disown(cloud: &Cloud) {
    let (ec2, elb) = (Ec2::new(&config(cloud)), Elb::new(&config(cloud)));
    let tagged = ec2.describe_tags().send().await.unwrap();
    let ids: BTreeSet<&str> = tagged.tags().iter().filter_map(|tag| tag.resource_id()).collect();
    for id in ids {
        let tag = |key: &str| aws_sdk_ec2::types::Tag::builder().key(key).build();
        let tags = OWNERSHIP.iter().map(|key| tag(key)).collect();
        ec2.delete_tags().resources(id).set_tags(Some(tags)).send().await.unwrap();
    }
    let balancers = elb.describe_load_balancers().send().await.unwrap();
    let groups = elb.describe_target_groups().send().await.unwrap();
    let balancers: Vec<&str> =
        balancers.load_balancers().iter().filter_map(|it| it.load_balancer_arn()).collect();
    let groups = groups.target_groups().iter().filter_map(|it| it.target_group_arn());
    let mut arns: Vec<String> =
        balancers.iter().copied().chain(groups).map(str::to_owned).collect();
    for balancer in balancers {
        let listeners = elb.describe_listeners().load_balancer_arn(balancer).send().await.unwrap();
        arns.extend(listeners.listeners().iter().filter_map(|it| it.listener_arn.clone()));
    }
    for arn in arns {
        let keys = OWNERSHIP.iter().map(|key| (*key).to_owned()).collect();
        elb.remove_tags().resource_arns(arn).set_tag_keys(Some(keys)).send().await.unwrap();
    }
    let scaling = Autoscaling::new(&config(cloud));
    let groups = scaling.describe_auto_scaling_groups().send().await.unwrap();
    for name in groups.auto_scaling_groups().iter().filter_map(|it| it.auto_scaling_group_name()) {
        let tag = |key: &str| {
            let of = GroupTag::builder().resource_type("auto-scaling-group").resource_id(name);
            of.key(key).build()
        };
        let tags = OWNERSHIP.iter().map(|key| tag(key)).collect();
        scaling.delete_tags().set_tags(Some(tags)).send().await.unwrap();
    }
    let ram = aws_sdk_ram::Client::new(&config(cloud));
    for share in resource_shares(cloud).await {
        let keys = OWNERSHIP.iter().map(|key| (*key).to_owned()).collect();
        let untag = ram.untag_resource().set_resource_share_arn(share.resource_share_arn);
        untag.set_tag_keys(Some(keys)).send().await.unwrap();
    }
}

/// Adopts every listed object that does not belong to the stack yet, as the command line does.
async fn adopt_all(rig: &Rig, stack: &Stack, all: &[(Address, ObjectId)]) -> Result<(), String> {
    let observed = rig.observe(stack).await;
    let left = all.iter().filter(|(address, _)| observed.current(address).is_none());
    let left: Vec<_> = left.cloned().collect();
    let seen = candidates(&rig.aws, stack.name.as_str(), &left).await;
    let (adoptions, told) = seen.map_err(|error| error.to_string())?;
    assert!(told.is_empty(), "{told:?}");
    let plan = plan_adopting(stack, &observed, &adoptions).map_err(|found| found.to_string())?;
    // The plan shown before the adoption is the plan made after it.
    assert!(plan.is_empty(), "{plan}");
    for adoption in &adoptions {
        let adopted = adopt(&rig.aws, &rig.journal, &stack.name, adoption).await;
        adopted.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Returns all tags that EC2 reports except the ownership tags, by object and key.
async fn other_tags(cloud: &Cloud) -> BTreeMap<(String, String), String> {
    let ec2 = Ec2::new(&config(cloud));
    let tags = ec2.describe_tags().send().await.unwrap();
    let others = tags.tags().iter().filter(|tag| !OWNERSHIP.contains(&tag.key().unwrap()));
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    others.map(|t| ((text(t.resource_id()), text(t.key())), text(t.value()))).collect()
}

#[tokio::test]
async fn everything_is_adopted_and_nothing_is_left_to_do() {
    let generated = (0..STACKS).map(|seed| stack(&stack_file(seed, 0)));
    for stack in [lab(), wide(), sharing()].into_iter().chain(generated) {
        let rig = Rig::instant();
        let empty = census(&rig.cloud).await;
        rig.converge(&stack).await;
        let all = objects(&rig.observe(&stack).await);
        disown(&rig.cloud).await;
        assert_eq!(objects(&rig.observe(&stack).await), [], "{}", stack.name);
        let before = (census(&rig.cloud).await, other_tags(&rig.cloud).await);
        adopt_all(&rig, &stack, &all).await.unwrap();
        assert!(rig.plan(&stack).await.is_empty(), "{}", stack.name);
        assert_eq!((census(&rig.cloud).await, other_tags(&rig.cloud).await), before);
        rig.destroy(&stack).await;
        assert_eq!(census(&rig.cloud).await, empty, "{}", stack.name);
    }
}

/// The adoption is killed at each call, when it arrives and when it is done, and the journal is lost, too.
#[tokio::test]
async fn an_adoption_that_is_killed_anywhere_is_finished_by_the_next() {
    let lab = lab();
    let rig = Rig::instant();
    rig.converge(&lab).await;
    let all = objects(&rig.observe(&lab).await);
    let before = census(&rig.cloud).await;
    disown(&rig.cloud).await;
    let (give, killed) = std::sync::mpsc::channel();
    rig.cloud.witness(move |moment| {
        if moment.mutates() {
            give.send(moment.fork()).expect("somebody waits for it");
        }
    });
    adopt_all(&rig, &lab, &all).await.unwrap();
    rig.cloud.dismiss_witness();
    let mut tried = 0;
    for cloud in killed.try_iter() {
        let rig = Rig::over(cloud);
        adopt_all(&rig, &lab, &all).await.unwrap();
        assert!(rig.plan(&lab).await.is_empty(), "moment {tried}");
        assert_eq!(census(&rig.cloud).await, before, "moment {tried}");
        tried += 1;
    }
    println!("adoption killed: {tried} trials, 0 bad");
    assert!(tried >= 2 * all.len());
}

/// An adopted object is not created a second time, although AWS shows tags late and nobody waited.
#[tokio::test(start_paused = true)]
async fn a_plan_after_an_adoption_waits_until_it_is_seen() {
    let small = stack("stack \"one\" {}\nmirror_filter \"all\" {}\n");
    let rig = Rig::instant();
    rig.converge(&small).await;
    let all = objects(&rig.observe(&small).await);
    disown(&rig.cloud).await;
    rig.cloud.set_faults(Faults::none().unseen_during([Duration::from_secs(5)]));
    adopt_all(&rig, &small, &all).await.unwrap();
    assert!(rig.plan(&small).await.is_empty());
}

/// The tags of an adoption are those of a create call.
#[tokio::test]
async fn an_adopted_object_is_tagged_as_one_that_was_made() {
    let rig = Rig::instant();
    let small = stack("stack \"one\" {}\nmirror_filter \"all\" {}\n");
    rig.converge(&small).await;
    let (address, id) = objects(&rig.observe(&small).await).remove(0);
    let (_, found) = rig.observe(&small).await.owned.pop_first().unwrap();
    let adoption = Adoption { address, found: found[0].clone() };
    let ec2 = Ec2::new(&config(&rig.cloud));
    let tags = ec2.describe_tags().send().await.unwrap();
    let own = tags.tags().iter().filter(|tag| tag.resource_id() == Some(id.as_str()));
    let own = own.map(|tag| (tag.key.clone().unwrap(), tag.value.clone().unwrap()));
    let made: BTreeMap<String, String> = own.filter(|(key, _)| key != "Name").collect();
    assert_eq!(adoption.tags("one"), made);
}
