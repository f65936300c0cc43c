//! Which interfaces can be mirrored, and for how many sources an interface can be the target.
//!
//! AWS reports neither in any call: these are the tables of its guide (list of August 2025).

use crate::ec2::network_interface::NetworkInterface;
use crate::failure::{Failure, Outcome};
use crate::settings::Quotas;
use crate::world::Region;

/// Families whose virtualised sizes can be sources.
const FAMILIES: &[&str] = &[
    "a1 c4 c5 c5a c5ad c5d c5n c6a c6g c6gd c6gn c6i c6id c6in c7a c7g c7gd c7i c7i-flex",
    "d2 d3 d3en dl1 dl2q f1 f2 g3 g4ad g4dn g5 g5g g6 g6e g6f gr6 gr6f h1 hpc6a hpc6id hpc7a",
    "i3 i3en i4g i4i i7i im4gn inf1 inf2 is4gen",
    "m4 m5 m5a m5ad m5d m5dn m5n m5zn m6a m6g m6gd m6i m6id m6idn m6in m7a m7g m7gd m7i m7i-flex",
    "mac1 mac2 mac2-m1ultra mac2-m2 mac2-m2pro p3 p3dn p4d p4de p5 p5e",
    "r4 r5 r5a r5ad r5b r5d r5dn r5n r6a r6g r6gd r6i r6id r6idn r6in r7a r7g r7gd r7i r7iz",
    "t3 t3a t4g trn1 trn1n u-3tb1 u-6tb1 u-9tb1 u-12tb1 u-18tb1 u-24tb1 u7i-6tb u7i-8tb u7i-12tb",
    "u7in-16tb u7in-24tb u7in-32tb u7inh-32tb vt1 x1 x1e x2gd x2idn x2iedn x2iezn z1d",
];

/// Families whose bare-metal sizes can be sources.
const METAL_FAMILIES: &[&str] = &[
    "a1 c5 c5d c6g c6gd g5g i3 m5 m5d m6g m6gd mac1 mac2 mac2-m1ultra mac2-m2 mac2-m2pro",
    "r5 r5b r5d r6g r6gd x2gd z1d",
];

/// Instance types, by size, that can be the target of the larger number of sources.
const LARGE_TARGETS: &[(&str, &str)] = &[
    ("3xlarge", "trn2"),
    ("4xlarge", "p5 hpc7g"),
    ("8xlarge", "hpc7g"),
    ("12xlarge", "m5zn x2iezn z1d g6e g7e hpc7a"),
    ("16xlarge", "m6g m6gd c6g c6gd c6gn c7gn r6g r6gd x2gd i4g im4gn g5g hpc7g"),
    ("18xlarge", "c5 c5d c5n"),
    (
        "24xlarge",
        "m5 m5d m5dn m5n m8azn m8gb m8gn c5 c5d c8gb c8gn r5 r5b r5d r5dn r5n r8gb r8gn x8aedz \
         i3en dl1 dl2q g6e g7e hpc7a inf1 p3dn p4d p4de vt1",
    ),
    (
        "32xlarge",
        "m6i m6id m6idn m6in c6i c6id c6in r6i r6id r6idn r6in r7iz x2idn x2iedn i4i hpc6id trn1 \
         trn1n",
    ),
    ("36xlarge", "p6e-gb200"),
    (
        "48xlarge",
        "m6a m7a m7i m8a m8g m8gb m8gd m8gn c6a c7a c7i c8a c8g c8gb c8gd c8gn r6a r7a r7i r8a \
         r8g r8gb r8gd r8gn x8g i7i i7ie i8g i8ge f2 g5 g6 g6e g7e inf2 p5 p5e p5en p6-b200 \
         p6-b300 trn2 trn2u hpc6a hpc7a",
    ),
    ("56xlarge", "u-6tb1"),
    ("96xlarge", "m8i m8id c8i c8id r8i r8id x8i hpc7a hpc8a"),
    ("112xlarge", "u-6tb1 u-9tb1 u-12tb1 u-18tb1 u-24tb1 u7i-6tb u7i-8tb"),
    ("224xlarge", "u7i-12tb u7in-16tb u7in-24tb u7in-32tb"),
    ("480xlarge", "u7inh-32tb"),
];

/// Refuses an interface that AWS does not mirror.
pub(super) fn check_source(region: &Region, interface: &NetworkInterface) -> Outcome {
    let unsupported = |why: &str| {
        let id = &interface.id;
        let message = format!("The network interface {id} is not supported for mirroring: {why}");
        Err(Failure::new("NetworkInterfaceNotSupported", message))
    };
    if interface.interface_type != "interface" {
        return unsupported(&format!("its type is {}", interface.interface_type));
    }
    if interface.requester_id.is_some() {
        return unsupported("a service of AWS manages it");
    }
    match instance_type(region, interface) {
        Some(name) if !is_source(name) => unsupported(&format!("it is attached to a {name}")),
        _ => Ok(()),
    }
}

/// Returns how many sources a target on this interface may have.
pub(super) fn sources_max(region: &Region, interface: &str, quotas: &Quotas) -> usize {
    let interface = region.network_interfaces.get(interface);
    match interface.and_then(|interface| instance_type(region, interface)) {
        Some(name) if is_large_target(name) => quotas.mirror_sources_per_large_target,
        _ => quotas.mirror_sources_per_target,
    }
}

fn instance_type<'a>(region: &'a Region, interface: &NetworkInterface) -> Option<&'a str> {
    let instance = interface.attachment.as_ref()?.instance_id.as_deref()?;
    region.instances.get(instance).map(|instance| &*instance.instance_type)
}

fn is_source(instance_type: &str) -> bool {
    let Some((family, size)) = instance_type.split_once('.') else { return false };
    let families = if size.starts_with("metal") { METAL_FAMILIES } else { FAMILIES };
    families.iter().any(|line| lists(line, family))
}

fn is_large_target(instance_type: &str) -> bool {
    let Some((family, size)) = instance_type.split_once('.') else { return false };
    LARGE_TARGETS.iter().any(|(large, families)| *large == size && lists(families, family))
}

fn lists(line: &str, word: &str) -> bool {
    line.split(' ').any(|listed| listed == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_by_family_and_metal_apart() {
        let source = ["t3.micro", "m7i-flex.large", "m5.metal", "u7i-12tb.224xlarge", "c4.large"];
        let none = ["t2.micro", "m8g.large", "m6i.metal", "c7gn.large", "t3", "", "t3.", "x"];
        assert_eq!(source.map(is_source), [true; 5]);
        assert_eq!(none.map(is_source), [false, false, false, false, false, false, true, false]);
    }

    #[test]
    fn large_targets_are_by_type() {
        assert!(is_large_target("m5.24xlarge"));
        assert!(!is_large_target("m5.12xlarge"));
        assert!(!is_large_target(".2xlarge"));
    }
}
