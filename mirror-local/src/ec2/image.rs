//! Machine images: a few of those that everybody launches.
//!
//! Ids differ from Region to Region, as they do at AWS, and never change.

use crate::action::Action;
use crate::catalogue::Catalogue;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::id::fixed_id;
use crate::parameters::Parameters;
use crate::world::View;
use crate::xml::Xml;

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeImages", describe),
    Action::read("DescribeImageAttribute", describe_attribute),
];

/// An image that AWS or Canonical offers in every Region.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) architecture: &'static str,
    pub(crate) publisher: Publisher,
    /// `v2.0` if its instances require session tokens by default.
    pub(crate) imds: Option<&'static str>,
    pub(crate) boot_mode: Option<&'static str>,
    pub(crate) size_gib: u32,
    pub(crate) volume_type: &'static str,
    pub(crate) created: &'static str,
    /// The public parameters of Systems Manager that name it.
    pub(crate) parameters: &'static [&'static str],
}

/// Who publishes an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Publisher {
    Amazon,
    Canonical,
}

impl Publisher {
    fn account(self) -> &'static str {
        match self {
            Self::Amazon => "137112412989",
            Self::Canonical => "099720109477",
        }
    }

    fn root_device(self) -> &'static str {
        match self {
            Self::Amazon => "/dev/xvda",
            Self::Canonical => "/dev/sda1",
        }
    }
}

/// Every image.
pub(crate) const IMAGES: &[Image] = &[
    Image {
        name: "al2023-ami-2023.9.20251110.1-kernel-6.1-x86_64",
        description: "Amazon Linux 2023 AMI 2023.9.20251110.1 x86_64 HVM kernel-6.1",
        architecture: "x86_64",
        publisher: Publisher::Amazon,
        imds: Some("v2.0"),
        boot_mode: Some("uefi-preferred"),
        size_gib: 8,
        volume_type: "gp3",
        created: "2025-11-10T18:52:04.000Z",
        parameters: &[
            "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
            "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-x86_64",
        ],
    },
    Image {
        name: "al2023-ami-2023.9.20251110.1-kernel-6.1-arm64",
        description: "Amazon Linux 2023 AMI 2023.9.20251110.1 arm64 HVM kernel-6.1",
        architecture: "arm64",
        publisher: Publisher::Amazon,
        imds: Some("v2.0"),
        boot_mode: Some("uefi"),
        size_gib: 8,
        volume_type: "gp3",
        created: "2025-11-10T18:52:05.000Z",
        parameters: &[
            "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
            "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-arm64",
        ],
    },
    Image {
        name: "al2023-ami-minimal-2023.9.20251110.1-kernel-6.1-x86_64",
        description: "Amazon Linux 2023 AMI 2023.9.20251110.1 x86_64 Minimal HVM kernel-6.1",
        architecture: "x86_64",
        publisher: Publisher::Amazon,
        imds: Some("v2.0"),
        boot_mode: Some("uefi-preferred"),
        size_gib: 2,
        volume_type: "gp3",
        created: "2025-11-10T18:52:06.000Z",
        parameters: &[
            "/aws/service/ami-amazon-linux-latest/al2023-ami-minimal-kernel-default-x86_64",
            "/aws/service/ami-amazon-linux-latest/al2023-ami-minimal-kernel-6.1-x86_64",
        ],
    },
    Image {
        name: "amzn2-ami-kernel-5.10-hvm-2.0.20251110.1-x86_64-gp2",
        description: "Amazon Linux 2 Kernel 5.10 AMI 2.0.20251110.1 x86_64 HVM gp2",
        architecture: "x86_64",
        publisher: Publisher::Amazon,
        imds: None,
        boot_mode: None,
        size_gib: 8,
        volume_type: "gp2",
        created: "2025-11-10T20:07:11.000Z",
        parameters: &[
            "/aws/service/ami-amazon-linux-latest/amzn2-ami-kernel-5.10-hvm-x86_64-gp2",
            "/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2",
        ],
    },
    Image {
        name: "amzn2-ami-kernel-5.10-hvm-2.0.20251110.1-arm64-gp2",
        description: "Amazon Linux 2 LTS Arm64 Kernel 5.10 AMI 2.0.20251110.1 arm64 HVM gp2",
        architecture: "arm64",
        publisher: Publisher::Amazon,
        imds: None,
        boot_mode: None,
        size_gib: 8,
        volume_type: "gp2",
        created: "2025-11-10T20:07:12.000Z",
        parameters: &[
            "/aws/service/ami-amazon-linux-latest/amzn2-ami-kernel-5.10-hvm-arm64-gp2",
            "/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-arm64-gp2",
        ],
    },
    Image {
        name: "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20251101",
        description: "Canonical, Ubuntu, 22.04 LTS, amd64 jammy image build on 2025-11-01",
        architecture: "x86_64",
        publisher: Publisher::Canonical,
        imds: None,
        boot_mode: Some("uefi-preferred"),
        size_gib: 8,
        volume_type: "gp2",
        created: "2025-11-01T04:12:31.000Z",
        parameters: &[
            "/aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id",
        ],
    },
    Image {
        name: "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20251101",
        description: "Canonical, Ubuntu, 24.04, amd64 noble image",
        architecture: "x86_64",
        publisher: Publisher::Canonical,
        imds: Some("v2.0"),
        boot_mode: Some("uefi-preferred"),
        size_gib: 8,
        volume_type: "gp3",
        created: "2025-11-01T04:20:02.000Z",
        parameters: &[
            "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
        ],
    },
    Image {
        name: "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20251101",
        description: "Canonical, Ubuntu, 24.04, arm64 noble image",
        architecture: "arm64",
        publisher: Publisher::Canonical,
        imds: Some("v2.0"),
        boot_mode: Some("uefi"),
        size_gib: 8,
        volume_type: "gp3",
        created: "2025-11-01T04:20:03.000Z",
        parameters: &[
            "/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id",
        ],
    },
];

impl Image {
    /// Returns the image's id in a Region.
    pub(crate) fn id(&self, region: &str) -> String {
        fixed_id("ami-", (region, self.name))
    }

    /// Returns the id of the snapshot that the image's disk is made of.
    pub(crate) fn snapshot_id(&self, region: &str) -> String {
        fixed_id("snap-", (region, self.name))
    }

    /// Returns where the image is kept, as AWS shows it.
    fn location(&self) -> String {
        let owner = alias(self).unwrap_or_else(|| self.publisher.account());
        format!("{owner}/{}", self.name)
    }

    /// Returns the device name of the disk.
    pub(crate) fn root_device(&self) -> &'static str {
        self.publisher.root_device()
    }
}

/// Returns the image of an id.
pub(crate) fn by_id(region: &str, id: &str) -> Outcome<&'static Image> {
    let rest = id.strip_prefix("ami-").unwrap_or_default();
    if !matches!(rest.len(), 8 | 17) || !rest.bytes().all(|b| b.is_ascii_hexdigit()) {
        let message = format!("Invalid id: \"{id}\" (expecting \"ami-...\")");
        return Err(Failure::new("InvalidAMIID.Malformed", message));
    }
    IMAGES.iter().find(|image| image.id(region) == id).ok_or_else(|| {
        let message = format!("The image id '[{id}]' does not exist");
        Failure::new("InvalidAMIID.NotFound", message)
    })
}

const CATALOGUE: Catalogue<Image> = Catalogue {
    key: |view, image| image.id(&view.region.name),
    filters: &[
        ("architecture", |_, i| texts([i.architecture])),
        ("block-device-mapping.delete-on-termination", |_, _| texts([true])),
        ("block-device-mapping.device-name", |_, i| texts([i.root_device()])),
        ("block-device-mapping.encrypted", |_, _| texts([false])),
        ("block-device-mapping.snapshot-id", |view, i| texts([i.snapshot_id(&view.region.name)])),
        ("block-device-mapping.volume-size", |_, i| texts([i.size_gib])),
        ("block-device-mapping.volume-type", |_, i| texts([i.volume_type])),
        ("boot-mode", |_, i| texts(i.boot_mode)),
        ("creation-date", |_, i| texts([i.created])),
        ("description", |_, i| texts([i.description])),
        ("ena-support", |_, _| texts([true])),
        ("free-tier-eligible", |_, _| Vec::new()),
        ("hypervisor", |_, _| texts(["xen"])),
        ("image-allowed", |_, _| Vec::new()),
        ("image-id", |view, i| texts([i.id(&view.region.name)])),
        ("image-type", |_, _| texts(["machine"])),
        ("image-watermark.source-image-creation-time", |_, _| Vec::new()),
        ("image-watermark.source-image-id", |_, _| Vec::new()),
        ("image-watermark.source-image-region", |_, _| Vec::new()),
        ("image-watermark.watermark-creation-time", |_, _| Vec::new()),
        ("image-watermark.watermark-key", |_, _| Vec::new()),
        ("instance-type-specification.supported-instance-type", |_, _| Vec::new()),
        ("instance-type-specification.unsupported-instance-type", |_, _| Vec::new()),
        ("is-public", |_, _| texts([true])),
        ("kernel-id", |_, _| Vec::new()),
        ("manifest-location", |_, i| texts([i.location()])),
        ("name", |_, i| texts([i.name])),
        ("owner-alias", |_, i| texts(alias(i))),
        ("owner-id", |_, i| texts([i.publisher.account()])),
        ("platform", |_, _| Vec::new()),
        ("product-code", |_, _| Vec::new()),
        ("product-code.type", |_, _| Vec::new()),
        ("public-ssm-parameter-name", |_, i| texts(i.parameters)),
        ("ramdisk-id", |_, _| Vec::new()),
        ("root-device-name", |_, i| texts([i.root_device()])),
        ("root-device-type", |_, _| texts(["ebs"])),
        ("scan-result.critical-fix-available-since", |_, _| Vec::new()),
        ("scan-result.finding-scan-date", |_, _| Vec::new()),
        ("scan-result.high-fix-available-since", |_, _| Vec::new()),
        ("scan-result.highest-finding-severity-label", |_, _| Vec::new()),
        ("scan-result.informational-fix-available-since", |_, _| Vec::new()),
        ("scan-result.low-fix-available-since", |_, _| Vec::new()),
        ("scan-result.medium-fix-available-since", |_, _| Vec::new()),
        ("source-image-id", |_, _| Vec::new()),
        ("source-image-region", |_, _| Vec::new()),
        ("source-instance-id", |_, _| Vec::new()),
        ("sriov-net-support", |_, _| texts(["simple"])),
        ("state", |_, _| texts(["available"])),
        ("state-reason-code", |_, _| Vec::new()),
        ("state-reason-message", |_, _| Vec::new()),
        ("virtualization-type", |_, _| texts(["hvm"])),
    ],
    tags: Some(|_| None),
    set: "imagesSet",
    write,
    page: 1..=1000,
};

fn alias(image: &Image) -> Option<&'static str> {
    (image.publisher == Publisher::Amazon).then_some("amazon")
}

fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let (ids, owners) = (parameters.texts("ImageId"), parameters.texts("Owner"));
    for id in &ids {
        by_id(&view.region.name, id)?;
    }
    let executable = parameters.texts("ExecutableBy");
    let owned = |image: &Image| {
        let account = image.publisher.account();
        let by = |owner: &&str| *owner == account || alias(image) == Some(owner);
        owners.is_empty() || owners.iter().any(by)
    };
    let wanted = IMAGES.iter().filter(|image| {
        let named = ids.is_empty() || ids.contains(&image.id(&view.region.name).as_str());
        // Nobody has shared an image with this account in particular.
        named && owned(image) && !executable.contains(&"self")
    });
    CATALOGUE.answer(view, parameters, wanted, xml)
}

fn write(view: View<'_>, image: &Image, xml: &mut Xml) {
    let region = &view.region.name;
    xml.text("architecture", image.architecture);
    xml.items("blockDeviceMapping", [image], |xml, image| {
        xml.text("deviceName", image.root_device());
        xml.element("ebs", |xml| {
            xml.text("deleteOnTermination", true);
            xml.text("encrypted", false);
            if image.volume_type == "gp3" {
                xml.text("iops", 3000);
                xml.text("throughput", 125);
            }
            xml.text("snapshotId", image.snapshot_id(region));
            xml.text("volumeSize", image.size_gib);
            xml.text("volumeType", image.volume_type);
        });
    });
    xml.optional("bootMode", image.boot_mode);
    xml.text("creationDate", image.created);
    xml.text("description", image.description);
    xml.text("enaSupport", true);
    xml.text("hypervisor", "xen");
    xml.text("imageId", image.id(region));
    xml.text("imageLocation", image.location());
    xml.optional("imageOwnerAlias", alias(image));
    xml.text("imageOwnerId", image.publisher.account());
    xml.text("imageState", "available");
    xml.text("imageType", "machine");
    xml.optional("imdsSupport", image.imds);
    xml.text("isPublic", true);
    xml.text("name", image.name);
    xml.text("platformDetails", "Linux/UNIX");
    xml.text("rootDeviceName", image.root_device());
    xml.text("rootDeviceType", "ebs");
    xml.text("sriovNetSupport", "simple");
    xml.text("usageOperation", "RunInstances");
    xml.text("virtualizationType", "hvm");
}

fn describe_attribute(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let id = parameters.required("ImageId")?;
    let image = by_id(&view.region.name, id)?;
    let attribute = parameters.required("Attribute")?;
    xml.text("imageId", id);
    match attribute {
        "description" => {
            xml.element("description", |xml| xml.text("value", image.description));
        }
        "launchPermission" => {
            xml.items("launchPermission", ["all"], |xml, group| xml.text("group", group));
        }
        other => {
            let why = "mirror-local knows the attributes description and launchPermission.";
            return Err(Failure::invalid(other, "attribute", why));
        }
    }
    Ok(())
}
