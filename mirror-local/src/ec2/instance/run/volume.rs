//! The disks of instances being launched.

use super::Launch;
use crate::ec2::image::Image;
use crate::ec2::volume::{Disk, Volume, VolumeAttachment};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::world::Call;

/// Throughput of a gp3 volume that asks for none.
const GP3_THROUGHPUT_MIBPS: u32 = 125;
const GP3_IOPS: u32 = 3000;

/// One disk of each instance of a launch.
#[derive(Debug)]
pub(super) struct VolumePlan {
    device: String,
    delete_on_termination: bool,
    disk: Disk,
}

/// Reads the disks that a call asks for: the image's own, changed or not, and others.
pub(super) fn plan_volumes(call: &Call<'_>, image: &Image) -> Outcome<Vec<VolumePlan>> {
    let root = image.root_device();
    let mappings = call.parameters.list("BlockDeviceMapping");
    let mut plans = Vec::new();
    let is_root = |mapping: &&&Parameters| mapping.text("DeviceName") == Some(root);
    let root_mapping = mappings.iter().find(is_root).and_then(|mapping| mapping.structure("Ebs"));
    let snapshot = image.snapshot_id(&call.region.name);
    let usual = Disk {
        size_gib: image.size_gib,
        volume_type: image.volume_type.to_owned(),
        iops: None,
        throughput_mibps: None,
        encrypted: false,
        snapshot_id: snapshot,
    };
    plans.push(plan_one(root, root_mapping, (usual, image.size_gib))?);
    for mapping in &mappings {
        let device = mapping.required("DeviceName")?;
        if device == root || mapping.text("NoDevice").is_some() {
            continue;
        }
        let Some(ebs) = mapping.structure("Ebs") else { continue };
        let blank = Disk {
            size_gib: 0,
            volume_type: "gp2".to_owned(),
            iops: None,
            throughput_mibps: None,
            encrypted: false,
            snapshot_id: ebs.text("SnapshotId").unwrap_or_default().to_owned(),
        };
        let mut plan = plan_one(device, Some(ebs), (blank, 1))?;
        plan.delete_on_termination = ebs.boolean("DeleteOnTermination")?.unwrap_or(false);
        plans.push(plan);
    }
    Ok(plans)
}

fn plan_one(
    device: &str,
    ebs: Option<&Parameters>,
    (mut disk, size_min): (Disk, u32),
) -> Outcome<VolumePlan> {
    let mut delete_on_termination = true;
    if let Some(ebs) = ebs {
        let types = ["gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"];
        if let Some(volume_type) = ebs.one_of("VolumeType", &types)? {
            volume_type.clone_into(&mut disk.volume_type);
        }
        disk.size_gib = ebs.parsed("VolumeSize")?.unwrap_or(disk.size_gib);
        disk.iops = ebs.parsed("Iops")?;
        disk.throughput_mibps = ebs.parsed("Throughput")?;
        disk.encrypted = ebs.boolean("Encrypted")?.unwrap_or(false);
        delete_on_termination = ebs.boolean("DeleteOnTermination")?.unwrap_or(true);
    }
    if disk.size_gib < size_min {
        let message = format!(
            "Volume of size {}GB is smaller than snapshot '{}', expect size >= {size_min}GB",
            disk.size_gib, disk.snapshot_id
        );
        return Err(Failure::new("InvalidBlockDeviceMapping", message));
    }
    complete(&mut disk)?;
    Ok(VolumePlan { device: device.to_owned(), delete_on_termination, disk })
}

/// Fills in what follows from the type of a disk.
fn complete(disk: &mut Disk) -> Outcome {
    match disk.volume_type.as_str() {
        "gp2" => disk.iops = Some(disk.size_gib.saturating_mul(3).clamp(100, 16_000)),
        "gp3" => {
            disk.iops = disk.iops.or(Some(GP3_IOPS));
            disk.throughput_mibps = disk.throughput_mibps.or(Some(GP3_THROUGHPUT_MIBPS));
        }
        "io1" | "io2" if disk.iops.is_none() => return Err(Failure::missing("iops")),
        "io1" | "io2" => {}
        _ if disk.iops.is_some() => {
            let message = "The parameter iops is not supported for this volume type";
            return Err(Failure::combination(message));
        }
        _ => {}
    }
    Ok(())
}

/// Gives an instance its disks.
pub(super) fn attach_all(call: &mut Call<'_>, launch: &Launch, instance: &str) {
    for plan in &launch.volumes {
        let id = call.region.draw_id("vol-");
        let volume = Volume {
            id: id.clone(),
            zone: launch.subnet.zone.clone(),
            disk: plan.disk.clone(),
            attachment: Some(VolumeAttachment {
                instance_id: instance.to_owned(),
                device: plan.device.clone(),
                delete_on_termination: plan.delete_on_termination,
            }),
            created: call.now,
            tags: launch.tags.get("volume").cloned().unwrap_or_default(),
        };
        call.region.volumes.insert(&*id, volume);
        if let Some(instance) = call.region.instances.get_mut(instance) {
            instance.volume_ids.push(id);
        }
    }
}
