//! The data plane: what AWS does with packets, given the world as it is.
//!
//! [`DataPlane`] takes frames at the interfaces of a Region and reports what becomes of each: whether network ACLs and
//! security groups let it through, which session sends a copy, how much of it, and which receiver gets that copy. It
//! holds no socket and no clock: the caller passes the time with each frame. [`Encapsulation`] wraps a mirrored frame
//! the way a session sends it.
//!
//! ```
//! use mirror_local::Cloud;
//! use mirror_local::data_plane::{DataPlane, Seen};
//!
//! let cloud = Cloud::in_memory();
//! let mut plane = DataPlane::of(&cloud, "eu-west-1", 9001)?;
//! let arp = [&[0xff; 6][..], &[2, 0, 0, 0, 0, 1], &[0x08, 0x06], &[0; 28]].concat();
//! assert_eq!(plane.offer(0, &arp, |_| {}), Seen::Arp);
//! # Ok::<(), mirror_local::StoreError>(())
//! ```
//!
//! Sources: AWS Traffic Mirroring guide, "Filters", "Sessions", "Considerations" and "Packet format". Where the guide
//! is silent, this is how we read it: a packet that a session rejects is left to the next one; what security groups
//! and network ACLs keep from leaving is not mirrored; a source sends to the load balancer's node in its own zone; the
//! network ACL of the source's subnet applies to copies on their way out. The ACLs of the subnets in which a transit
//! gateway is attached do not apply.

mod encapsulation;
mod fate;
mod guard;
mod headers;
mod interface;
mod node;
mod path;
mod receiver;
mod reserved;
mod session;
mod subnet;

use std::net::IpAddr;

pub use encapsulation::{Encapsulation, MirrorTarget, SOURCE_PORTS, Wrapped};
pub use fate::{By, Carried, Direction, Fate, Loss, Mirrored, Seen, Sighting, Unmirrored};
pub use interface::Interface;
pub use receiver::{Receiver, Wrapping};
pub use reserved::Reserved;
pub use session::{Rule, Session};

use crate::cloud::Cloud;
use crate::place::Place;
use crate::store::StoreError;
use crate::world::View;
use headers::{Content, number};
use node::{Nodes, Outer};
use path::{Path, Ways};
use receiver::Receivers;
use subnet::Subnets;

/// The port of VXLAN. Source: RFC 7348, section 5.
pub(crate) const VXLAN_PORT: u16 = 4789;

/// The data plane of a Region.
#[derive(Debug, Clone)]
pub struct DataPlane {
    place: Place,
    mtu: u16,
    /// The interface of each address, in the order of the addresses.
    addresses: Vec<(u128, usize)>,
    interfaces: Vec<Interface>,
    receivers: Receivers,
    nodes: Nodes,
    /// The copy that is being built.
    packet: Vec<u8>,
}

impl DataPlane {
    /// Creates the data plane of a Region as it is now. `mtu` is the MTU, in bytes, of the interfaces that are mirror
    /// targets.
    ///
    /// # Errors
    ///
    /// Fails if the cloud's directory cannot be used.
    pub fn of(cloud: &Cloud, place: impl Into<Place>, mtu: u16) -> Result<Self, StoreError> {
        let mut plane = Self {
            place: place.into(),
            mtu,
            addresses: Vec::new(),
            interfaces: Vec::new(),
            receivers: Receivers::default(),
            nodes: Nodes::default(),
            packet: Vec::new(),
        };
        plane.refresh(cloud)?;
        Ok(plane)
    }

    /// Reads the cloud again. The connections that security groups remember, and the receiver of each flow, are kept.
    ///
    /// # Errors
    ///
    /// Fails if the cloud's directory cannot be used.
    pub fn refresh(&mut self, cloud: &Cloud) -> Result<(), StoreError> {
        cloud.look(&self.place.clone(), |view| self.look(view))
    }

    fn look(&mut self, view: View<'_>) {
        let subnets = Subnets::of(view.region);
        self.receivers.renew(view, &subnets);
        self.nodes.renew();
        let mut ways =
            Ways { receivers: &mut self.receivers, nodes: &mut self.nodes, subnets: &subnets };
        let mut before = std::mem::take(&mut self.interfaces);
        let rows = view.region.network_interfaces.values();
        for row in rows.filter(|row| row.interface_type == "interface") {
            let known = before.iter().position(|it| it.id() == row.id);
            let known = known.map(|at| before.swap_remove(at));
            self.interfaces.push(Interface::of(view, row, known, (self.mtu, &mut ways)));
        }
        self.index();
    }

    fn index(&mut self) {
        let each = self.interfaces.iter().enumerate();
        self.addresses = each
            .flat_map(|(place, it)| it.addresses().iter().map(move |a| (number(*a), place)))
            .collect();
        self.addresses.sort_unstable();
    }

    /// Returns its account and Region.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Returns the interfaces, in the order of their ids.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// Returns the receivers: every interface that a copy can reach, or could reach before.
    pub fn receivers(&self) -> &[Receiver] {
        self.receivers.all()
    }

    /// Sets the addresses that an interface has in the offered frames, if those were not captured there. The copies
    /// that it sends keep its own.
    pub fn set_addresses(&mut self, interface: usize, addresses: Vec<IpAddr>) {
        self.interfaces[interface].set_addresses(addresses);
        self.index();
    }

    /// Takes a frame, at a time in nanoseconds since any fixed moment, and passes each interface's view of it to
    /// `each`: first the sender's, then the recipient's.
    pub fn offer(&mut self, time: u64, frame: &[u8], mut each: impl FnMut(Sighting<'_>)) -> Seen {
        let headers = match Content::of(frame) {
            Content::Internet(headers) => headers,
            Content::Arp => return Seen::Arp,
            Content::Other => return Seen::Other,
        };
        let ends = headers.addresses.map(|address| self.interface(address));
        let [from, to] = ends.map(|end| end.map(|interface| self.interfaces[interface].place()));
        let sides = [(Direction::Egress, to), (Direction::Ingress, from)];
        for (end, (direction, peer)) in ends.into_iter().zip(sides) {
            if let Some(interface) = end {
                let at = &mut self.interfaces[interface];
                let fate = match at.decide(direction, (&headers, peer), time) {
                    Err(unmirrored) => Fate::Unmirrored(unmirrored),
                    Ok((session, by)) => {
                        let Session { encapsulation, path, .. } = &at.sessions()[session];
                        let wrapped =
                            encapsulation.wrap_read(frame, Some(&headers), &mut self.packet);
                        let sent =
                            Outer { source: encapsulation.source, port: wrapped.source_port };
                        let carried = match *path {
                            Path::Lost(loss) => Carried::Lost(loss),
                            Path::Receiver(place) => self.receivers.reach(place, sent),
                            Path::Node(node) => self.nodes.carry(node, sent, time, &self.receivers),
                        };
                        let packet = &*self.packet;
                        Fate::Mirrored(Mirrored { session, by, packet, wrapped, carried })
                    }
                };
                each(Sighting { interface, direction, fate });
            }
        }
        match ends {
            [None, None] => Seen::Nobody,
            [Some(_), Some(_)] => Seen::Twice,
            [Some(_), None] | [None, Some(_)] => Seen::Once,
        }
    }

    #[inline]
    fn interface(&self, address: u128) -> Option<usize> {
        let at = self.addresses.binary_search_by_key(&address, |(address, _)| *address).ok()?;
        Some(self.addresses[at].1)
    }
}
