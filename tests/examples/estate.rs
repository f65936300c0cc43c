//! Makes a large account to measure on: a local AWS with 10,000 interfaces, and a stack file with
//! as many sessions as asked for. Given `sources` in place of their number, it makes 10,000 tagged instances
//! in 40 VPCs, and the stack file mirrors everything that carries the tag.
//!
//! `cargo run --release -p mirror-tests --example estate -- FOLDER SESSIONS`

use std::error::Error;
use std::path::Path;

use mirror_local::{Cloud, Durations, Settings};
use mirror_tests::{Rig, estate};

/// The number of interfaces, whatever the number of sessions.
const INTERFACES: usize = 10_000;

/// The number of VPCs that the tagged instances are in.
const VPCS: usize = 40;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(sessions)) = (arguments.next(), arguments.next()) else {
        return Err("give a folder and a number of sessions".into());
    };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let mut settings = Settings::default();
    (settings.quotas.vpcs, settings.quotas.instances) = (VPCS + 5, INTERFACES + 5);
    settings.durations = Durations::instant();
    let cloud = Cloud::open(&folder.join(".mirror/local"))?.with_settings(settings);
    let rig = Rig::over(cloud);
    let text = if sessions == "sources" {
        estate::sessions_on_tagged(&estate::instances(&rig, (VPCS, INTERFACES / VPCS)).await?)
    } else {
        let interfaces = estate::interfaces(&rig, INTERFACES).await?;
        let wanted =
            interfaces.get(..sessions.parse()?).ok_or("there are not so many interfaces")?;
        estate::sessions_on(wanted)
    };
    std::fs::write(folder.join("estate.mirror.hcl"), text)?;
    Ok(())
}
