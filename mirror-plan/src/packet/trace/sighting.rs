//! Which interfaces see a packet, and from which side.

use super::{Headers, Interface, Mirroring};
use crate::scalar::Direction;

/// A packet at an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sighting {
    /// The place of the interface among those of the [`Mirroring`].
    pub interface: usize,
    /// Which way the packet goes, seen from there.
    pub direction: Direction,
    /// How sure it is.
    pub certainty: Certainty,
}

/// How sure it is that an interface sees a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// The address is the interface's.
    Known,
    /// The interface's address is not known yet, and this one is of the range it comes from.
    Possible,
}

impl Mirroring {
    /// The interfaces that see a packet: those whose address it comes from or goes to; where that is
    /// no interface's, those that may get the address when they are made.
    #[must_use]
    pub fn sightings(&self, headers: &Headers) -> Vec<Sighting> {
        let sides = [Direction::Egress, Direction::Ingress].into_iter();
        sides.flat_map(|direction| self.on_side(headers, direction)).collect()
    }

    fn on_side(&self, headers: &Headers, direction: Direction) -> Vec<Sighting> {
        let own = headers.own(direction);
        let seen_by = |certainty, sees: &dyn Fn(&Interface) -> bool| -> Vec<Sighting> {
            let interfaces = self.interfaces.iter().enumerate();
            let seeing = interfaces.filter(|(_, interface)| sees(interface));
            seeing.map(|(interface, _)| Sighting { interface, direction, certainty }).collect()
        };
        let known = seen_by(Certainty::Known, &|interface| interface.addresses.contains(&own));
        if known.is_empty() {
            seen_by(Certainty::Possible, &|interface| {
                let range = interface.subnet.map(ipnet::IpNet::V4);
                interface.addresses.is_empty() && range.is_some_and(|range| range.contains(&own))
            })
        } else {
            known
        }
    }
}
