//! Which types of instances AWS mirrors.
//!
//! There is no call that tells it, so this is a table with a date: the list of 28 August 2025.

use crate::scalar::InstanceType;

/// Families that AWS does not mirror, of those that there were on the day of the list.
///
/// Source: AWS Traffic Mirroring guide, "Supported instance types", by their absence.
const REFUSED: &str = "\
t1 t2 m1 m2 m3 c1 c3 r3 i2 g2 g3s p2 c7gn hpc7g hpc8a i7ie i8g i8ge p5en p6-b200 p6-b300 p6e-gb200 \
trn2 trn2u g7e m8a m8g m8gd m8gn m8gb m8i m8id m8azn c8a c8g c8gd c8gn c8gb c8i c8id r8a r8g r8gd r8gn \
r8gb r8i r8id x8g x8i x8aedz";

/// Families whose bare metal it mirrors; of all others it does not.
///
/// Source: AWS Traffic Mirroring guide, "Supported instance types".
const METAL: &str = "\
a1 c5 c5d c6g c6gd g5g i3 m5 m5d m6g m6gd mac1 mac2 mac2-m1ultra mac2-m2 mac2-m2pro r5 r5b r5d r6g r6gd \
x2gd z1d";

/// Whether AWS is known not to mirror instances of a type. A family that is newer than the list is tried.
pub(crate) fn is_refused(instance_type: &InstanceType) -> bool {
    let text = instance_type.to_string();
    let (family, size) = text.split_once('.').unwrap_or((&text, ""));
    let listed = |list: &str| list.split(' ').any(|listed| listed == family);
    listed(REFUSED) || size.starts_with("metal") && !listed(METAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_refused_by_family_and_metal_apart() {
        let is_refused = |text: &str| is_refused(&text.parse().unwrap());
        let refused = ["t2.micro", "m8g.large", "m6i.metal", "m7i.metal-24xl", "c7gn.large"];
        let mirrored = ["t3.micro", "m7i-flex.large", "m5.metal", "c4.large", "m99z.large"];
        assert_eq!(refused.map(is_refused), [true; 5]);
        assert_eq!(mirrored.map(is_refused), [false; 5]);
    }
}
