//! Volumes: the disks of instances.

use super::availability_zone;
use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::parameters::Parameters;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, View, find};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeVolumes", |view, parameters, xml| LISTING.answer(view, parameters, xml)),
    Action::read("DescribeVolumeAttribute", describe_attribute),
    Action::write("DeleteVolume", delete),
];

/// A volume.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) id: String,
    pub(crate) zone: String,
    pub(crate) disk: Disk,
    pub(crate) attachment: Option<VolumeAttachment>,
    pub(crate) created: Timestamp,
    pub(crate) tags: Tags,
}

/// The properties of a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Disk {
    pub(crate) size_gib: u32,
    pub(crate) volume_type: String,
    pub(crate) iops: Option<u32>,
    pub(crate) throughput_mibps: Option<u32>,
    pub(crate) encrypted: bool,
    pub(crate) snapshot_id: String,
}

/// The instance that a volume is a disk of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct VolumeAttachment {
    pub(crate) instance_id: String,
    pub(crate) device: String,
    pub(crate) delete_on_termination: bool,
}

tagged_row!(
    Volume,
    Kind {
        prefix: "vol-",
        noun: "volume",
        resource_type: "volume",
        not_found: "InvalidVolume.NotFound",
        malformed: "InvalidVolumeID.Malformed",
        describe: "DescribeVolumes",
    }
);

impl Volume {
    fn status(&self) -> &'static str {
        if self.attachment.is_some() { "in-use" } else { "available" }
    }
}

const LISTING: Listing<Volume> = Listing {
    table: |region| &region.volumes,
    ids: "VolumeId",
    filters: &[
        ("attachment.attach-time", |_, v| texts(v.attachment.as_ref().map(|_| v.created))),
        ("attachment.delete-on-termination", |_, v| {
            texts(v.attachment.as_ref().map(|a| a.delete_on_termination))
        }),
        ("attachment.device", |_, v| texts(v.attachment.as_ref().map(|a| &a.device))),
        ("attachment.instance-id", |_, v| texts(v.attachment.as_ref().map(|a| &a.instance_id))),
        ("attachment.status", |_, v| texts(v.attachment.as_ref().map(|_| "attached"))),
        ("availability-zone", |_, v| texts([&v.zone])),
        ("availability-zone-id", |_, v| texts([availability_zone::id(&v.zone)])),
        ("create-time", |_, v| texts([v.created])),
        ("encrypted", |_, v| texts([v.disk.encrypted])),
        ("fast-restored", |_, _| texts([false])),
        ("multi-attach-enabled", |_, _| texts([false])),
        ("operator.managed", |_, _| texts([false])),
        ("operator.principal", |_, _| Vec::new()),
        ("size", |_, v| texts([v.disk.size_gib])),
        ("snapshot-id", |_, v| texts([&v.disk.snapshot_id])),
        ("status", |_, v| texts([v.status()])),
        ("volume-id", |_, v| texts([&v.id])),
        ("volume-type", |_, v| texts([&v.disk.volume_type])),
    ],
    set: "volumeSet",
    write: |_, volume, xml| write(volume, xml),
    page: 5..=1000,
};

fn write(volume: &Volume, xml: &mut Xml) {
    let Volume { id, zone, disk, attachment, created, tags } = volume;
    xml.items("attachmentSet", attachment, |xml, attachment| {
        xml.text("attachTime", created);
        xml.text("deleteOnTermination", attachment.delete_on_termination);
        xml.text("device", &attachment.device);
        xml.text("instanceId", &attachment.instance_id);
        xml.text("status", "attached");
        xml.text("volumeId", id);
    });
    xml.text("availabilityZone", zone);
    xml.text("availabilityZoneId", availability_zone::id(zone));
    xml.text("createTime", created);
    xml.text("encrypted", disk.encrypted);
    xml.optional("iops", disk.iops);
    xml.text("multiAttachEnabled", false);
    xml.text("size", disk.size_gib);
    xml.text("snapshotId", &disk.snapshot_id);
    xml.text("status", volume.status());
    tags.write(xml);
    xml.optional("throughput", disk.throughput_mibps);
    xml.text("volumeId", id);
    xml.text("volumeType", &disk.volume_type);
}

fn describe_attribute(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let volume = find(&view.region.volumes, parameters, "VolumeId")?;
    match parameters.one_of("Attribute", &["autoEnableIO", "productCodes"])? {
        None => return Err(Failure::missing("attribute")),
        Some("autoEnableIO") => xml.element("autoEnableIO", |xml| xml.text("value", false)),
        Some(_) => xml.items("productCodes", [(); 0], |_, ()| {}),
    }
    xml.text("volumeId", &volume.id);
    Ok(())
}

fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let volume = find(&call.region.volumes, call.parameters, "VolumeId")?;
    let id = volume.id.clone();
    if let Some(attachment) = &volume.attachment {
        let message = format!("Volume {id} is currently attached to {}", attachment.instance_id);
        return Err(Failure::new("VolumeInUse", message));
    }
    call.region.volumes.remove(&id);
    xml.text("return", true);
    Ok(())
}
