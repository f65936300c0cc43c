//! The instance types that a local AWS offers: complete families, those that matter to networking.

use std::sync::LazyLock;

/// What the types that share the name before the dot have in common.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Family {
    name: &'static str,
    pub(crate) architecture: &'static str,
    pub(crate) manufacturer: &'static str,
    hypervisor: &'static str,
    pub(crate) burstable: bool,
    pub(crate) generation: Generation,
    /// Whether traffic between instances is encrypted on the way.
    pub(crate) encrypts: bool,
    pub(crate) threads: u32,
    /// MiB per vCPU, if that is the same for all sizes.
    memory_mib_per_vcpu: u32,
    sizes: &'static [&'static str],
}

/// Whether AWS still recommends a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generation {
    Current,
    Previous,
}

/// An instance type.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InstanceType {
    pub(crate) name: String,
    pub(crate) family: &'static Family,
    pub(crate) vcpus: u32,
    pub(crate) memory_mib: u32,
    /// Network interfaces an instance may have.
    pub(crate) interfaces: u32,
    /// IPv4 addresses each of them may have.
    pub(crate) addresses: u32,
    pub(crate) bare_metal: bool,
}

const BURSTABLE: &[&str] = &["nano", "micro", "small", "medium", "large", "xlarge", "2xlarge"];
const TO_16: &[&str] =
    &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"];
const TO_24: &[&str] =
    &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"];
const TO_24_METAL: &[&str] = &[
    "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "metal",
];
const TO_48: &[&str] = &[
    "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge",
    "32xlarge", "48xlarge",
];
const C5N: &[&str] = &["large", "xlarge", "2xlarge", "4xlarge", "9xlarge", "18xlarge", "metal"];
const R4: &[&str] = &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge"];
const INTEL_7: &[&str] = &[
    "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge",
    "48xlarge",
];
const GRAVITON_VIRTUAL: &[&str] =
    &["medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"];
const GRAVITON: &[&str] = &[
    "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "metal",
];
const C5: &[&str] = &[
    "large", "xlarge", "2xlarge", "4xlarge", "9xlarge", "12xlarge", "18xlarge", "24xlarge", "metal",
];
const XEN: &[&str] = &["large", "xlarge", "2xlarge", "4xlarge", "10xlarge", "16xlarge"];

const GENERAL: u32 = 4096;
const COMPUTE: u32 = 2048;
const MEMORY: u32 = 8192;

const fn nitro(
    name: &'static str,
    memory_mib_per_vcpu: u32,
    sizes: &'static [&'static str],
) -> Family {
    Family {
        name,
        architecture: "x86_64",
        manufacturer: "Intel",
        hypervisor: "nitro",
        burstable: false,
        generation: Generation::Current,
        encrypts: true,
        threads: 2,
        memory_mib_per_vcpu,
        sizes,
    }
}

const fn amd(name: &'static str, memory: u32, sizes: &'static [&'static str]) -> Family {
    Family { manufacturer: "AMD", ..nitro(name, memory, sizes) }
}

const fn graviton(name: &'static str, memory: u32) -> Family {
    Family {
        architecture: "arm64",
        manufacturer: "AWS",
        threads: 1,
        ..nitro(name, memory, GRAVITON)
    }
}

const fn xen(name: &'static str, memory: u32, sizes: &'static [&'static str]) -> Family {
    Family {
        hypervisor: "xen",
        encrypts: false,
        generation: Generation::Previous,
        ..nitro(name, memory, sizes)
    }
}

const fn burstable(family: Family) -> Family {
    Family { burstable: true, encrypts: false, generation: Generation::Current, ..family }
}

const FAMILIES: &[Family] = &[
    burstable(xen("t2", GENERAL, BURSTABLE)),
    burstable(nitro("t3", GENERAL, BURSTABLE)),
    burstable(amd("t3a", GENERAL, BURSTABLE)),
    burstable(Family { sizes: BURSTABLE, ..graviton("t4g", GENERAL) }),
    xen("m1", 1740, &["small", "medium", "large", "xlarge"]),
    xen("m4", GENERAL, XEN),
    Family { encrypts: false, ..nitro("m5", GENERAL, TO_24_METAL) },
    Family { encrypts: false, ..amd("m5a", GENERAL, TO_24) },
    nitro("m5n", GENERAL, TO_24_METAL),
    amd("m6a", GENERAL, TO_48),
    graviton("m6g", GENERAL),
    nitro("m6i", GENERAL, TO_24_METAL),
    nitro("m6in", GENERAL, TO_24_METAL),
    amd("m7a", GENERAL, TO_48),
    graviton("m7g", GENERAL),
    nitro("m7i", GENERAL, INTEL_7),
    nitro("m7i-flex", GENERAL, TO_16),
    Family { sizes: GRAVITON_VIRTUAL, ..graviton("m8g", GENERAL) },
    xen("c4", 1920, &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge"]),
    Family { encrypts: false, ..nitro("c5", COMPUTE, C5) },
    Family { encrypts: false, ..amd("c5a", COMPUTE, TO_24) },
    nitro("c5n", 2688, C5N),
    amd("c6a", COMPUTE, TO_48),
    graviton("c6g", COMPUTE),
    Family { sizes: GRAVITON_VIRTUAL, ..graviton("c6gn", COMPUTE) },
    nitro("c6i", COMPUTE, TO_24_METAL),
    nitro("c6in", COMPUTE, TO_24_METAL),
    amd("c7a", COMPUTE, TO_48),
    graviton("c7g", COMPUTE),
    Family { sizes: GRAVITON_VIRTUAL, ..graviton("c7gn", COMPUTE) },
    nitro("c7i", COMPUTE, INTEL_7),
    Family { sizes: GRAVITON_VIRTUAL, ..graviton("c8g", COMPUTE) },
    xen("r4", 7808, R4),
    Family { encrypts: false, ..nitro("r5", MEMORY, TO_24_METAL) },
    nitro("r5n", MEMORY, TO_24_METAL),
    amd("r6a", MEMORY, TO_48),
    graviton("r6g", MEMORY),
    nitro("r6i", MEMORY, TO_24_METAL),
    amd("r7a", MEMORY, TO_48),
    graviton("r7g", MEMORY),
    nitro("r7i", MEMORY, INTEL_7),
    Family { sizes: GRAVITON_VIRTUAL, ..graviton("r8g", MEMORY) },
];

static TYPES: LazyLock<Vec<InstanceType>> = LazyLock::new(|| {
    let mut types: Vec<InstanceType> = FAMILIES
        .iter()
        .flat_map(|family| family.sizes.iter().map(move |size| family.sized(size)))
        .collect();
    types.sort_by(|one, other| one.name.cmp(&other.name));
    types
});

/// Returns every type in the order of their names.
pub(crate) fn all() -> &'static [InstanceType] {
    &TYPES
}

/// Returns the type of a name.
pub(crate) fn by_name(name: &str) -> Option<&'static InstanceType> {
    let at = TYPES.binary_search_by(|t| t.name.as_str().cmp(name)).ok()?;
    TYPES.get(at)
}

impl Family {
    fn sized(&'static self, size: &str) -> InstanceType {
        let vcpus = self.vcpus(size);
        let (interfaces, addresses) = self.interfaces(size);
        InstanceType {
            name: format!("{}.{size}", self.name),
            family: self,
            vcpus,
            memory_mib: self.memory_mib(size, vcpus),
            interfaces,
            addresses,
            bare_metal: size == "metal",
        }
    }

    fn vcpus(&self, size: &str) -> u32 {
        match size {
            "nano" | "micro" | "small" if self.name == "t2" => 1,
            "small" | "medium" if self.name == "m1" => 1,
            "nano" | "micro" | "small" => 2,
            "medium" if self.threads == 1 && !self.burstable => 1,
            "medium" | "large" => 2,
            "xlarge" => 4,
            "metal" if self.threads == 1 => 64,
            "metal" if self.name == "c5n" => 72,
            "metal" => 96,
            size => 4 * size.trim_end_matches("xlarge").parse().unwrap_or(1),
        }
    }

    fn memory_mib(&self, size: &str, vcpus: u32) -> u32 {
        match size {
            "nano" => 512,
            "micro" => 1024,
            "small" if self.burstable => 2048,
            "medium" if self.burstable => 4096,
            _ => vcpus * self.memory_mib_per_vcpu,
        }
    }

    /// Interfaces, and addresses on each.
    fn interfaces(&self, size: &str) -> (u32, u32) {
        match (self.burstable, size) {
            (true, "nano" | "micro") => (2, 2),
            (true, "small") => (3, 4),
            (true, "medium") => (3, 6),
            (true, "large") => (3, 12),
            (true, _) => (if self.name == "t2" { 3 } else { 4 }, 15),
            (false, "small" | "medium") => (2, 4),
            (false, "large") => (3, 10),
            (false, "xlarge" | "2xlarge") => (4, 15),
            (false, "4xlarge" | "8xlarge" | "9xlarge" | "10xlarge" | "12xlarge") => (8, 30),
            (false, _) => (15, 50),
        }
    }
}

impl InstanceType {
    /// Returns whether AWS still recommends the type.
    pub(super) fn is_current(&self) -> bool {
        self.family.generation == Generation::Current
    }

    /// Returns whether the type runs on the Nitro system.
    pub(crate) fn is_nitro(&self) -> bool {
        self.family.hypervisor == "nitro"
    }

    pub(super) fn hypervisor(&self) -> Option<&'static str> {
        (!self.bare_metal).then_some(self.family.hypervisor)
    }

    pub(super) fn ena(&self) -> &'static str {
        if self.is_nitro() { "required" } else { "unsupported" }
    }

    pub(super) fn cores(&self) -> u32 {
        self.vcpus.div_ceil(self.family.threads)
    }

    pub(super) fn free_tier(&self) -> bool {
        matches!(self.name.as_str(), "t2.micro" | "t3.micro")
    }

    pub(super) fn boot_modes(&self) -> &'static [&'static str] {
        match (self.family.architecture, self.is_nitro()) {
            ("arm64", _) => &["uefi"],
            (_, true) => &["legacy-bios", "uefi"],
            (_, false) => &["legacy-bios"],
        }
    }

    pub(super) fn network_performance(&self) -> &'static str {
        match (self.family.burstable, self.vcpus) {
            (true, _) if self.family.name == "t2" => "Low to Moderate",
            (true, _) => "Up to 5 Gigabit",
            (false, ..=16) => "Up to 10 Gigabit",
            (false, 17..=48) => "12 Gigabit",
            (false, _) => "25 Gigabit",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_types_have_their_well_known_figures() {
        let figures = |name| {
            let t = by_name(name).unwrap();
            (t.vcpus, t.memory_mib, t.interfaces, t.addresses)
        };
        assert_eq!(figures("t3.micro"), (2, 1024, 2, 2));
        assert_eq!(figures("t2.micro"), (1, 1024, 2, 2));
        assert_eq!(figures("m5.24xlarge"), (96, 393_216, 15, 50));
        assert_eq!(figures("c5.large"), (2, 4096, 3, 10));
        assert_eq!(figures("m7g.medium"), (1, 4096, 2, 4));
    }
}
