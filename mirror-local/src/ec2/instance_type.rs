//! Instance types and where they are offered.

mod table;

pub(crate) use table::{InstanceType, by_name};

use crate::action::Action;
use crate::catalogue::Catalogue;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::parameters::Parameters;
use crate::world::View;
use crate::xml::Xml;

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeInstanceTypes", describe),
    Action::read("DescribeInstanceTypeOfferings", describe_offerings),
];

const CATALOGUE: Catalogue<InstanceType> = Catalogue {
    key: |_, t| t.name.clone(),
    filters: &[
        ("auto-recovery-supported", |_, t| texts([!t.bare_metal])),
        ("bare-metal", |_, t| texts([t.bare_metal])),
        ("burstable-performance-supported", |_, t| texts([t.family.burstable])),
        ("current-generation", |_, t| texts([t.is_current()])),
        ("dedicated-hosts-supported", |_, t| texts([!t.family.burstable])),
        ("ebs-info.attachment-limit-type", |_, _| Vec::new()),
        ("ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps", |_, _| Vec::new()),
        ("ebs-info.ebs-optimized-info.baseline-iops", |_, _| Vec::new()),
        ("ebs-info.ebs-optimized-info.baseline-throughput-in-mbps", |_, _| Vec::new()),
        ("ebs-info.ebs-optimized-info.maximum-bandwidth-in-mbps", |_, _| Vec::new()),
        ("ebs-info.ebs-optimized-info.maximum-iops", |_, _| Vec::new()),
        ("ebs-info.ebs-optimized-info.maximum-throughput-in-mbps", |_, _| Vec::new()),
        ("ebs-info.ebs-optimized-support", |_, t| {
            texts([if t.is_nitro() { "default" } else { "unsupported" }])
        }),
        ("ebs-info.encryption-support", |_, _| texts(["supported"])),
        ("ebs-info.maximum-ebs-attachments", |_, _| Vec::new()),
        ("ebs-info.nvme-support", |_, t| {
            texts([if t.is_nitro() { "required" } else { "unsupported" }])
        }),
        ("free-tier-eligible", |_, t| texts([t.free_tier()])),
        ("hibernation-supported", |_, _| texts([false])),
        ("hypervisor", |_, t| texts(t.hypervisor())),
        ("instance-storage-info.disk.count", |_, _| Vec::new()),
        ("instance-storage-info.disk.size-in-gb", |_, _| Vec::new()),
        ("instance-storage-info.disk.type", |_, _| Vec::new()),
        ("instance-storage-info.encryption-support", |_, _| Vec::new()),
        ("instance-storage-info.nvme-support", |_, _| Vec::new()),
        ("instance-storage-info.total-size-in-gb", |_, _| Vec::new()),
        ("instance-storage-supported", |_, _| texts([false])),
        ("instance-type", |_, t| texts([&t.name])),
        ("memory-info.size-in-mib", |_, t| texts([t.memory_mib])),
        ("network-info.bandwidth-weightings", |_, _| Vec::new()),
        ("network-info.efa-info.maximum-efa-interfaces", |_, _| Vec::new()),
        ("network-info.efa-supported", |_, _| texts([false])),
        ("network-info.ena-support", |_, t| texts([t.ena()])),
        ("network-info.encryption-in-transit-supported", |_, t| texts([t.family.encrypts])),
        ("network-info.flexible-ena-queues-support", |_, _| Vec::new()),
        ("network-info.ipv4-addresses-per-interface", |_, t| texts([t.addresses])),
        ("network-info.ipv6-addresses-per-interface", |_, t| texts([t.addresses])),
        ("network-info.ipv6-supported", |_, _| texts([true])),
        ("network-info.maximum-network-cards", |_, _| texts([1])),
        ("network-info.maximum-network-interfaces", |_, t| texts([t.interfaces])),
        ("network-info.network-performance", |_, t| texts([t.network_performance()])),
        ("nitro-enclaves-support", |_, _| Vec::new()),
        ("nitro-tpm-info.supported-versions", |_, _| Vec::new()),
        ("nitro-tpm-support", |_, _| Vec::new()),
        ("processor-info.supported-architecture", |_, t| texts([t.family.architecture])),
        ("processor-info.supported-features", |_, _| Vec::new()),
        ("processor-info.sustained-clock-speed-in-ghz", |_, _| texts(["2.5"])),
        ("reboot-migration-support", |_, _| Vec::new()),
        ("supported-boot-mode", |_, t| texts(t.boot_modes())),
        ("supported-root-device-type", |_, _| texts(["ebs"])),
        ("supported-usage-class", |_, _| texts(["on-demand", "spot"])),
        ("supported-virtualization-type", |_, _| texts(["hvm"])),
        ("vcpu-info.default-cores", |_, t| texts([t.cores()])),
        ("vcpu-info.default-threads-per-core", |_, t| texts([t.family.threads])),
        ("vcpu-info.default-vcpus", |_, t| texts([t.vcpus])),
        ("vcpu-info.valid-cores", |_, _| Vec::new()),
        ("vcpu-info.valid-threads-per-core", |_, _| Vec::new()),
    ],
    tags: None,
    set: "instanceTypeSet",
    write: |_, t, xml| write(t, xml),
    page: 5..=100,
};

fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let names = parameters.texts("InstanceType");
    let unknown: Vec<&str> = names.iter().copied().filter(|name| by_name(name).is_none()).collect();
    if !unknown.is_empty() {
        let list = unknown.join(", ");
        let message = format!("The following supplied instance types do not exist: [{list}]");
        return Err(Failure::new("InvalidInstanceType", message));
    }
    if names.len() > 100 {
        let message = "At most 100 instance types can be named in a request.";
        return Err(Failure::new("InvalidParameterValue", message));
    }
    let wanted = table::all().iter().filter(|t| names.is_empty() || names.contains(&&*t.name));
    CATALOGUE.answer(view, parameters, wanted, xml)
}

fn write(t: &InstanceType, xml: &mut Xml) {
    xml.text("autoRecoverySupported", !t.bare_metal);
    xml.text("bareMetal", t.bare_metal);
    xml.text("burstablePerformanceSupported", t.family.burstable);
    xml.text("currentGeneration", t.is_current());
    xml.text("dedicatedHostsSupported", !t.family.burstable);
    xml.element("ebsInfo", |xml| {
        xml.text("ebsOptimizedSupport", if t.is_nitro() { "default" } else { "unsupported" });
        xml.text("encryptionSupport", "supported");
        xml.text("nvmeSupport", if t.is_nitro() { "required" } else { "unsupported" });
    });
    xml.text("freeTierEligible", t.free_tier());
    xml.text("hibernationSupported", false);
    xml.optional("hypervisor", t.hypervisor());
    xml.text("instanceStorageSupported", false);
    xml.text("instanceType", &t.name);
    xml.element("memoryInfo", |xml| xml.text("sizeInMiB", t.memory_mib));
    write_network(t, xml);
    xml.element("placementGroupInfo", |xml| {
        xml.items("supportedStrategies", ["partition", "spread"], |xml, s| xml.raw(s));
    });
    xml.element("processorInfo", |xml| {
        xml.text("manufacturer", t.family.manufacturer);
        xml.items("supportedArchitectures", [t.family.architecture], |xml, a| xml.raw(a));
        xml.text("sustainedClockSpeedInGhz", "2.5");
    });
    xml.items("supportedBootModes", t.boot_modes(), |xml, mode| xml.raw(mode));
    xml.items("supportedRootDeviceTypes", ["ebs"], |xml, device| xml.raw(device));
    xml.items("supportedUsageClasses", ["on-demand", "spot"], |xml, class| xml.raw(class));
    xml.items("supportedVirtualizationTypes", ["hvm"], |xml, v| xml.raw(v));
    xml.element("vCpuInfo", |xml| {
        xml.text("defaultCores", t.cores());
        xml.text("defaultThreadsPerCore", t.family.threads);
        xml.text("defaultVCpus", t.vcpus);
    });
}

fn write_network(t: &InstanceType, xml: &mut Xml) {
    xml.element("networkInfo", |xml| {
        xml.text("defaultNetworkCardIndex", 0);
        xml.text("efaSupported", false);
        xml.text("enaSupport", t.ena());
        xml.text("encryptionInTransitSupported", t.family.encrypts);
        xml.text("ipv4AddressesPerInterface", t.addresses);
        xml.text("ipv6AddressesPerInterface", t.addresses);
        xml.text("ipv6Supported", true);
        xml.text("maximumNetworkCards", 1);
        xml.text("maximumNetworkInterfaces", t.interfaces);
        xml.items("networkCards", [t], |xml, t| {
            xml.text("maximumNetworkInterfaces", t.interfaces);
            xml.text("networkCardIndex", 0);
            xml.text("networkPerformance", t.network_performance());
        });
        xml.text("networkPerformance", t.network_performance());
    });
}

/// A type offered in a place.
struct Offering {
    name: &'static str,
    location: String,
    location_type: &'static str,
}

const OFFERINGS: Catalogue<Offering> = Catalogue {
    key: |_, offering| format!("{} {}", offering.name, offering.location),
    filters: &[
        ("instance-type", |_, offering| texts([offering.name])),
        ("location", |_, offering| texts([&offering.location])),
    ],
    tags: None,
    set: "instanceTypeOfferingSet",
    write: |_, offering, xml| {
        xml.text("instanceType", offering.name);
        xml.text("location", &offering.location);
        xml.text("locationType", offering.location_type);
    },
    page: 5..=1000,
};

fn describe_offerings(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let types = ["availability-zone", "availability-zone-id", "outpost", "region"];
    let location_type = parameters.one_of("LocationType", &types)?.unwrap_or("region");
    let locations = match location_type {
        "availability-zone" => view.region.zones(),
        "availability-zone-id" => {
            view.region.zones().iter().map(|zone| super::availability_zone::id(zone)).collect()
        }
        "region" => vec![view.region.name.clone()],
        _ => Vec::new(),
    };
    let offerings: Vec<Offering> = table::all()
        .iter()
        .flat_map(|t| {
            locations.iter().map(|location| Offering {
                name: &t.name,
                location: location.clone(),
                location_type,
            })
        })
        .collect();
    OFFERINGS.answer(view, parameters, &offerings, xml)
}
