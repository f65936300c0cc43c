//! Receivers: the interfaces that copies are delivered to.

use std::net::Ipv4Addr;

use super::fate::{Carried, Direction, Loss};
use super::guard::{Guard, Permits};
use super::headers::Headers;
use super::node::Outer;
use super::subnet::{Subnet, Subnets};
use crate::ec2::instance::State;
use crate::ec2::network_interface::NetworkInterface;
use crate::world::View;

/// What a copy can be delivered to: a port of an interface.
#[derive(Debug, Clone)]
pub struct Receiver {
    interface: String,
    instance: Option<String>,
    address: Ipv4Addr,
    port: Port,
    subnet: Subnet,
    guard: Guard,
    is_running: bool,
}

/// A UDP port, and how copies reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Port {
    pub(super) number: u16,
    pub(super) wrapping: Wrapping,
}

/// How copies reach a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wrapping {
    /// In VXLAN, as they were sent.
    Vxlan,
    /// The whole packet in GENEVE, from a Gateway Load Balancer.
    Geneve,
}

/// All receivers. One that existed before keeps its index, for flows that still go to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Receivers(Vec<Receiver>);

impl Receiver {
    /// Returns the id of its interface.
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// Returns the id of its instance, if it is an instance's.
    pub fn instance(&self) -> Option<&str> {
        self.instance.as_deref()
    }

    /// Returns the address of its interface.
    pub const fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Returns the UDP port that copies are sent to.
    pub const fn port(&self) -> u16 {
        self.port.number
    }

    pub(super) const fn subnet(&self) -> &Subnet {
        &self.subnet
    }

    /// Returns how copies reach it.
    pub const fn wrapping(&self) -> Wrapping {
        self.port.wrapping
    }
}

impl Receivers {
    pub(super) fn all(&self) -> &[Receiver] {
        &self.0
    }

    /// Reads all of them again.
    pub(super) fn renew(&mut self, view: View<'_>, subnets: &Subnets<'_>) {
        for receiver in &mut self.0 {
            match view.region.network_interfaces.get(&receiver.interface) {
                Some(interface) => receiver.look(view, interface, subnets),
                None => receiver.is_running = false,
            }
        }
    }

    /// The index of a port of an interface, which is given one if it has none.
    pub(super) fn of_interface(
        &mut self,
        view: View<'_>,
        (interface, port): (&NetworkInterface, Port),
        subnets: &Subnets<'_>,
    ) -> usize {
        let known = self.0.iter().position(|it| it.interface == interface.id && it.port == port);
        known.unwrap_or_else(|| {
            let mut receiver = Receiver {
                interface: interface.id.clone(),
                instance: None,
                address: interface.private_ip,
                port,
                subnet: Subnet::default(),
                guard: Guard::default(),
                is_running: false,
            };
            receiver.look(view, interface, subnets);
            self.0.push(receiver);
            self.0.len() - 1
        })
    }

    /// What becomes of a copy that is sent to a receiver without a load balancer in between.
    #[inline]
    pub(super) fn reach(&self, place: usize, sent: Outer) -> Carried {
        let receiver = &self.0[place];
        self.take(place, &sent.headers((receiver.address, receiver.port.number)), Referred::No)
    }

    /// What becomes of a copy that reaches a receiver with these outer headers. `referred` states whether its groups
    /// let in what comes through the load balancer.
    #[inline]
    pub(super) fn take(&self, place: usize, outer: &Headers, referred: Referred) -> Carried {
        let receiver = &self.0[place];
        if !receiver.is_running {
            Carried::Lost(Loss::TargetDown)
        } else if referred == Referred::Yes || receiver.guard.permits(Direction::Ingress, outer) {
            Carried::To(place)
        } else {
            Carried::Lost(Loss::RefusedByTarget)
        }
    }
}

/// Whether a receiver's groups refer to those of the load balancer in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Referred {
    Yes,
    No,
}

impl Receiver {
    fn look(&mut self, view: View<'_>, interface: &NetworkInterface, subnets: &Subnets<'_>) {
        let attachment = interface.attachment.as_ref();
        self.instance = attachment.and_then(|attachment| attachment.instance_id.clone());
        let instance = self.instance.as_ref().and_then(|id| view.region.instances.get(id));
        self.is_running = instance.is_some_and(|it| it.state(view) == State::Running);
        self.address = interface.private_ip;
        self.subnet = subnets.around(interface);
        let permits = Permits::of(view.region, &interface.groups);
        self.guard = Guard::new(permits, std::mem::take(&mut self.guard.tracked));
    }
}
