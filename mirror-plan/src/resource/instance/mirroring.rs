//! Which instance types can be mirrored, and which accept packets from a hundred sources.
//!
//! No AWS call reports this, so these are dated tables: `DescribeInstanceTypes` contains nothing about mirroring.

use crate::scalar::InstanceType;

/// The day on which AWS last changed the list that the tables were made from.
pub const DATE: &str = "28 August 2025";

/// Where the list is published.
pub const SOURCE: &str = "Traffic Mirroring guide, \"Supported instance types\"";

/// Families whose virtual machines can be mirrored.
///
/// Source: AWS Traffic Mirroring guide, "Supported instance types".
const MIRRORED: &str = "\
a1 m4 m5 m5a m5ad m5d m5dn m5n m5zn m6a m6g m6gd m6i m6id m6idn m6in m7a m7g m7gd m7i m7i-flex mac1 \
mac2 mac2-m1ultra mac2-m2 mac2-m2pro t3 t3a t4g \
c4 c5 c5a c5ad c5d c5n c6a c6g c6gd c6gn c6i c6id c6in c7a c7g c7gd c7i c7i-flex \
r4 r5 r5a r5ad r5b r5d r5dn r5n r6a r6g r6gd r6i r6id r6idn r6in r7a r7g r7gd r7i r7iz \
u-3tb1 u-6tb1 u-9tb1 u-12tb1 u-18tb1 u-24tb1 u7i-6tb u7i-8tb u7i-12tb u7in-16tb u7in-24tb \
u7in-32tb u7inh-32tb x1 x1e x2gd x2idn x2iedn x2iezn z1d \
d2 d3 d3en h1 i3 i3en i4g i4i i7i im4gn is4gen \
dl1 dl2q f1 f2 g3 g4ad g4dn g5 g5g g6 g6e g6f gr6 gr6f inf1 inf2 p3 p3dn p4d p4de p5 p5e trn1 trn1n \
vt1 hpc6a hpc6id hpc7a";

/// Families whose bare metal can be mirrored.
///
/// Source: AWS Traffic Mirroring guide, "Supported instance types".
const MIRRORED_METAL: &str = "\
m5 m5d m6g m6gd mac1 mac2 mac2-m1ultra mac2-m2 mac2-m2pro a1 c5 c5d c6g c6gd r5 r5b r5d r6g r6gd x2gd \
z1d i3 g5g";

/// Families that are not on that list, though they existed on its date: AWS does not mirror them.
///
/// Source: AWS Traffic Mirroring guide, "Supported instance types", by their absence.
const REFUSED: &str = "\
t1 t2 m1 m2 m3 c1 c3 cc2 cg1 cr1 r3 i2 g2 g3s p2 hs1 c7gn hpc7g hpc8a i7ie i8g i8ge p5en p6-b200 p6-b300 \
p6e-gb200 trn2 trn2u g7e m8a m8azn m8g m8gb m8gd m8gn m8i m8id c8a c8g c8gb c8gd c8gn c8i c8id r8a r8g r8gb r8gd \
r8gn r8i r8id x8g x8aedz x8i";

/// The types that accept mirrored packets from 100 sources, where the others accept 10: a family, then its sizes.
///
/// Source: AWS Traffic Mirroring guide, "Quotas".
const LARGEST: &str = "\
m5 24, m5d 24, m5dn 24, m5n 24, m5zn 12, m6a 48, m6g 16, m6gd 16, m6i 32, m6id 32, m6idn 32, m6in 32, m7a 48, \
m7i 48, m8a 48, m8azn 24, m8g 48, m8gb 24 48, m8gd 48, m8gn 24 48, m8i 96, m8id 96, \
c5 18 24, c5d 18 24, c5n 18, c6a 48, c6g 16, c6gd 16, c6gn 16, c6i 32, c6id 32, c6in 32, c7a 48, c7gn 16, c7i 48, \
c8a 48, c8g 48, c8gb 24 48, c8gd 48, c8gn 24 48, c8i 96, c8id 96, \
r5 24, r5b 24, r5d 24, r5dn 24, r5n 24, r6a 48, r6g 16, r6gd 16, r6i 32, r6id 32, r6idn 32, r6in 32, r7a 48, \
r7i 48, r7iz 32, r8a 48, r8g 48, r8gb 24 48, r8gd 48, r8gn 24 48, r8i 96, r8id 96, \
u-6tb1 56 112, u-9tb1 112, u-12tb1 112, u-18tb1 112, u-24tb1 112, u7i-6tb 112, u7i-8tb 112, u7i-12tb 224, \
u7in-16tb 224, u7in-24tb 224, u7in-32tb 224, u7inh-32tb 480, x2gd 16, x2idn 32, x2iedn 32, x2iezn 12, x8g 48, \
x8aedz 24, x8i 96, z1d 12, \
i3en 24, i4g 16, i4i 32, i7i 48, i7ie 48, i8g 48, i8ge 48, im4gn 16, \
dl1 24, dl2q 24, f2 48, g5 48, g5g 16, g6 48, g6e 12 24 48, g7e 12 24 48, inf1 24, inf2 48, p3dn 24, p4d 24, \
p4de 24, p5 4 48, p5e 48, p5en 48, p6-b200 48, p6-b300 48, p6e-gb200 36, trn1 32, trn1n 32, trn2 3 48, trn2u 48, \
vt1 24, hpc6a 48, hpc6id 32, hpc7a 12 24 48 96, hpc7g 4 8 16, hpc8a 96";

/// Whether instances of a type can be mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mirroring {
    /// They can.
    Supported,
    /// They cannot.
    Refused,
    /// The tables do not know them: their family is newer than the list.
    Unknown,
}

impl Mirroring {
    /// Returns what the tables state about a type.
    #[must_use]
    pub fn of(instance_type: &InstanceType) -> Self {
        let text = instance_type.to_string();
        let (family, size) = text.split_once('.').unwrap_or((&text, ""));
        if size.starts_with("metal") { of_metal(family) } else { of_family(family) }
    }
}

/// What the tables state about a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// Its name: `m5`.
    pub name: &'static str,
    /// Whether its virtual machines can be mirrored.
    pub mirroring: Mirroring,
    /// Whether its bare metal can be.
    pub metal: Mirroring,
    /// Its sizes that, as a target, accept mirrored packets from 100 sources; the others accept 10.
    pub largest: Vec<&'static str>,
}

/// Every family that the tables know, by name.
#[must_use]
pub fn families() -> Vec<Family> {
    let listed_for = |name| LARGEST.split(", ").find_map(|entry| sizes(entry, name));
    let mut names: Vec<&str> = MIRRORED.split(' ').chain(REFUSED.split(' ')).collect();
    names.extend(LARGEST.split(", ").filter_map(|entry| entry.split(' ').next()));
    names.sort_unstable();
    names.dedup();
    let family = |name| Family {
        name,
        mirroring: of_family(name),
        metal: of_metal(name),
        largest: listed_for(name).unwrap_or_default(),
    };
    names.into_iter().map(family).collect()
}

/// The sizes in an entry of the table, if it is that of the family.
fn sizes(entry: &'static str, family: &str) -> Option<Vec<&'static str>> {
    let (name, sizes) = entry.split_once(' ')?;
    (name == family).then(|| sizes.split(' ').collect())
}

fn is_in(list: &str, family: &str) -> bool {
    list.split(' ').any(|listed| listed == family)
}

fn of_family(family: &str) -> Mirroring {
    if is_in(MIRRORED, family) {
        Mirroring::Supported
    } else if is_in(REFUSED, family) {
        Mirroring::Refused
    } else {
        Mirroring::Unknown
    }
}

/// Bare metal that is not listed itself is refused if the virtual machines of its family are listed.
fn of_metal(family: &str) -> Mirroring {
    match of_family(family) {
        _ if is_in(MIRRORED_METAL, family) => Mirroring::Supported,
        Mirroring::Supported | Mirroring::Refused => Mirroring::Refused,
        Mirroring::Unknown => Mirroring::Unknown,
    }
}

/// Whether an instance of this type accepts mirrored packets from 100 sources; `None` for a family that no table
/// knows.
pub(crate) fn takes_100_sources(instance_type: &InstanceType) -> Option<bool> {
    let text = instance_type.to_string();
    let (family, size) = text.split_once('.').unwrap_or((&text, ""));
    let sizes = LARGEST.split(", ").find_map(|entry| sizes(entry, family));
    match sizes {
        Some(sizes) => Some(size.strip_suffix("xlarge").is_some_and(|size| sizes.contains(&size))),
        None => (of_family(family) != Mirroring::Unknown).then_some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Mirroring {
        Mirroring::of(&text.parse().unwrap())
    }

    #[test]
    fn what_the_guide_lists_and_what_it_does_not() {
        for text in ["t3.micro", "c4.large", "m7i-flex.large", "u7in-32tb.224xlarge", "m5.metal"] {
            assert_eq!(of(text), Mirroring::Supported, "{text}");
        }
        for text in ["t2.micro", "m8g.large", "m6i.metal", "m7i.metal-24xl", "p6e-gb200.36xlarge"] {
            assert_eq!(of(text), Mirroring::Refused, "{text}");
        }
        for text in ["m99z.large", "m99z.metal"] {
            assert_eq!(of(text), Mirroring::Unknown, "{text}");
        }
    }

    #[test]
    fn the_largest_sizes_take_more_sources() {
        let takes = |text: &str| takes_100_sources(&text.parse().unwrap());
        assert_eq!(takes("m5.24xlarge"), Some(true));
        assert_eq!(takes("c5.18xlarge"), Some(true));
        assert_eq!(takes("m8gn.24xlarge"), Some(true));
        assert_eq!(takes("m5.12xlarge"), Some(false));
        assert_eq!(takes("t3.micro"), Some(false));
        assert_eq!(takes("z9.large"), None);
    }

    #[test]
    fn no_family_is_in_two_lists_and_every_other_list_is_of_known_families() {
        for family in MIRRORED.split(' ') {
            assert!(!is_in(REFUSED, family), "{family}");
        }
        for family in MIRRORED_METAL.split(' ') {
            assert!(is_in(MIRRORED, family), "{family}");
        }
        for family in LARGEST.split(", ").filter_map(|entry| entry.split(' ').next()) {
            assert!(is_in(MIRRORED, family) || is_in(REFUSED, family), "{family}");
        }
        let families = families();
        assert!(families.is_sorted_by(|a, b| a.name < b.name));
        assert!(families.iter().any(|family| family.name == "m5" && family.largest == ["24"]));
    }
}
