//! A stack whose sources come and go: its policies allow it to mirror whatever is added, and nothing else.

use mirror_plan::iam::Purpose;
use mirror_plan::plan::Mode;
use mirror_tests::{Rig, stack};

use super::{Attached, run};

/// The examples of the book.
const ESTATE: &str = include_str!("../../../../examples/sources/estate.mirror.hcl");
const SENSORS: &str = include_str!("../../../../examples/sources/sensors.mirror.hcl");

#[tokio::test]
async fn what_comes_after_the_policies_were_printed_can_be_mirrored() {
    let rig = Rig::instant();
    run(&rig, &stack(ESTATE), Mode::Apply).await.unwrap();
    let sensors = stack(SENSORS);
    let observed = rig.observe(&sensors).await;
    let printed = sensors.using(&observed).unwrap();
    let attached = Attached::printed(&printed, [Purpose::Apply]);
    attached.attach(&rig.cloud);
    run(&rig, &sensors, Mode::Apply).await.unwrap();
    rig.cloud.set_policies(Vec::new());
    let more = ESTATE.replace("\"web\" { default = 2 }", "\"web\" { default = 4 }");
    run(&rig, &stack(&more), Mode::Apply).await.unwrap();
    attached.attach(&rig.cloud);
    run(&rig, &sensors, Mode::Apply).await.unwrap();
    run(&rig, &sensors, Mode::Destroy).await.unwrap();
}
