//! Which interfaces see a packet, and from which side.

use super::{Headers, Interface, Mirroring};
use crate::scalar::Direction;

/// A packet at an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sighting {
    /// The position of the interface among those of the [`Mirroring`].
    pub interface: usize,
    /// Which way the packet goes, as seen from the interface.
    pub direction: Direction,
    /// How certain the sighting is.
    pub certainty: Certainty,
}

/// How certain it is that an interface sees a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// The address belongs to the interface.
    Known,
    /// The interface's address is not known yet, and the address is in the range that it will come from.
    Possible,
}

impl Mirroring {
    /// Returns the interfaces that see a packet: those whose address it comes from or goes to. For an address that
    /// belongs to no interface, these are the interfaces that may get it when they are created.
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
