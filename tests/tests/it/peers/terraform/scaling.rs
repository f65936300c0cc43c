//! Terraform's own launch templates and Auto Scaling groups, created, changed and destroyed on the local AWS.

use mirror_local::{Cloud, LoggedCall};
use mirror_tests::{REGION, Rig};

use super::{Terraform, is_answered, is_there, plugins, provider};
use crate::converge::census;
use crate::peers::{serve, skipped};

const STACK: &str = include_str!("../../terraform/scaling.tf");

#[tokio::test(flavor = "multi_thread")]
async fn terraform_scales_receivers_and_takes_them_away() {
    if !is_there() {
        return println!("skipped: there is no terraform on the path");
    }
    let plugins = match plugins() {
        Ok(plugins) => plugins,
        Err(why) => return println!("{}", skipped(&why)),
    };
    let rig = Rig::over(Cloud::in_memory());
    let before = census(&rig.cloud).await;
    serve(rig.cloud.clone(), move |endpoint| {
        let terraform = Terraform::new(&plugins);
        terraform.write("scaling.tf", STACK);
        terraform.ok(["init"]);
        terraform.write("provider.tf", &provider(&terraform.provider_version(), endpoint));
        terraform.ok(["apply", "-auto-approve"]);
        terraform.finds_nothing_to_do();
        let changes = "receivers = 3\ninstance_type = \"c6i.xlarge\"\n";
        terraform.write("edit.auto.tfvars", changes);
        terraform.ok(["apply", "-auto-approve"]);
        terraform.finds_nothing_to_do();
        terraform.ok(["destroy", "-auto-approve"]);
    })
    .await;
    assert_eq!(census(&rig.cloud).await, before);
    let left = rig.cloud.inventory(REGION).expect("a cloud in memory has no files");
    let is_of_scaling =
        |table: &str| ["auto_scaling", "launch_template"].iter().any(|it| table.starts_with(it));
    assert!(left.keys().all(|(table, _)| !is_of_scaling(table)), "{left:#?}");
    let calls = rig.cloud.log().expect("a log in memory can be read");
    let is_refused = |call: &&LoggedCall| !is_answered(call) && !is_busy(call);
    let refused: Vec<&LoggedCall> = calls.iter().filter(is_refused).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    assert!(calls.iter().any(|call| call.action == "CreateLaunchTemplateVersion"), "a version");
}

/// Returns whether a group still had instances when it was to be deleted; the provider waits until it has none.
fn is_busy(call: &LoggedCall) -> bool {
    let codes = ["ResourceInUse", "ScalingActivityInProgress"];
    call.action == "DeleteAutoScalingGroup"
        && call.error.as_deref().is_some_and(|code| codes.contains(&code))
}
