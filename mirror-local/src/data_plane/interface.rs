//! Interfaces that see frames: their network ACL and security groups, and their sessions in order.

use std::net::{IpAddr, Ipv4Addr};

use super::encapsulation::{Encapsulation, MirrorTarget};
use super::fate::{By, Direction, Unmirrored};
use super::guard::{Guard, Permits};
use super::headers::Headers;
use super::path::{Way, Ways, way};
use super::reserved::{Reserved, is_amazon_dns, resolver, resolvers};
use super::session::{Opinion, Session};
use super::subnet::{Place, Subnet};
use crate::ec2::network_interface::NetworkInterface;
use crate::ec2::traffic_mirror::session::{self, MirrorSession};
use crate::ec2::traffic_mirror::target::{self, Destination};
use crate::world::View;

/// A network interface.
#[derive(Debug, Clone)]
pub struct Interface {
    id: String,
    primary: Ipv4Addr,
    addresses: Vec<IpAddr>,
    /// Amazon's DNS server in its VPC.
    resolver: Option<Ipv4Addr>,
    resolvers: Vec<u128>,
    subnet: Subnet,
    guard: Guard,
    sessions: Vec<Session>,
}

impl Interface {
    /// Reads an interface; `known` is its previous state.
    pub(super) fn of(
        view: View<'_>,
        row: &NetworkInterface,
        known: Option<Self>,
        (mtu, ways): (u16, &mut Ways<'_, '_>),
    ) -> Self {
        let vpc = view.region.vpcs.get(&row.vpc_id);
        let block = vpc.and_then(|vpc| vpc.cidrs.first()).map(|block| block.cidr);
        let sessions = session::from(view.region, &row.id).into_iter().map(|session| {
            let Way { destination, path } = way(view, (session, row), ways);
            let target = target(view, session, mtu);
            let encapsulation = Encapsulation {
                source: row.private_ip,
                destination,
                vni: session.virtual_network_id,
                packet_length: session.packet_length_asked.and_then(|it| u16::try_from(it).ok()),
                target,
            };
            Session::of(view.region, session, (encapsulation, path))
        });
        let sessions = sessions.collect();
        let (addresses, tracked) = match known {
            Some(known) => (known.addresses, known.guard.tracked),
            None => (row.addresses().map(IpAddr::V4).collect(), Default::default()),
        };
        Self {
            id: row.id.clone(),
            primary: row.private_ip,
            addresses,
            resolver: block.map(resolver),
            resolvers: resolvers(block),
            subnet: ways.subnets.around(row),
            guard: Guard::new(Permits::of(view.region, &row.groups), tracked),
            sessions,
        }
    }

    /// Returns its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns its primary address, from which its copies are sent.
    pub const fn primary(&self) -> Ipv4Addr {
        self.primary
    }

    /// Returns the addresses that it has in the offered frames.
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// Returns the address of Amazon's DNS server in its VPC.
    pub const fn resolver(&self) -> Option<Ipv4Addr> {
        self.resolver
    }

    /// Returns its sessions in the order of their numbers.
    pub fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    pub(super) fn set_addresses(&mut self, addresses: Vec<IpAddr>) {
        self.addresses = addresses;
    }

    /// The place of its subnet among those of its Region.
    pub(super) const fn place(&self) -> Place {
        self.subnet.place()
    }

    /// Decides what becomes of a packet: the session that takes it and why, or why none does. `peer` is the subnet of
    /// the other end, if that is an interface.
    ///
    /// Security groups and network ACLs do not apply to traffic with the services at link-local addresses and with
    /// Amazon's DNS server: Amazon VPC user guide, "Control traffic using security groups" and "Network ACL basics".
    #[inline]
    pub(super) fn decide(
        &mut self,
        direction: Direction,
        (headers, peer): (&Headers, Option<Place>),
        time: u64,
    ) -> Result<(usize, By), Unmirrored> {
        let reserved = Reserved::of(headers);
        let is_dns = reserved.is_none() && is_amazon_dns(headers, &self.resolvers);
        let is_looked_at = reserved.is_none() && !is_dns;
        if is_looked_at {
            self.admit(direction, (headers, peer), time)?;
        }
        if self.sessions.is_empty() {
            return Err(Unmirrored::NoSession);
        }
        match (reserved, is_dns) {
            (Some(class), _) => Err(Unmirrored::Reserved(class)),
            (None, true) => self.take_dns().ok_or(Unmirrored::AmazonDnsUnasked),
            (None, false) => self.ask(direction, headers),
        }
    }

    /// Lets a packet through the subnet's network ACL, which remembers nothing, and the security groups.
    ///
    /// What the ACL keeps in is not mirrored either, just as what the groups keep in is not. For arriving packets the
    /// ACL comes first; for leaving ones the order does not matter: a connection opens if both let its first packet
    /// pass.
    #[inline]
    fn admit(
        &mut self,
        direction: Direction,
        (headers, peer): (&Headers, Option<Place>),
        time: u64,
    ) -> Result<(), Unmirrored> {
        if !self.subnet.lets_over(direction, headers, peer) {
            self.guard.shut_out(direction, headers, time);
            return Err(Unmirrored::RefusedByNetworkAcl);
        }
        if self.guard.lets_through(direction, headers, time) {
            Ok(())
        } else {
            Err(Unmirrored::Refused)
        }
    }

    /// The first session that asked for traffic with Amazon's DNS server.
    fn take_dns(&self) -> Option<(usize, By)> {
        let session = self.sessions.iter().position(|session| session.amazon_dns)?;
        Some((session, By::AmazonDns))
    }

    /// Asks the sessions one after another.
    #[inline]
    fn ask(&self, direction: Direction, headers: &Headers) -> Result<(usize, By), Unmirrored> {
        let mut refused = Unmirrored::NoRule;
        for (session, asked) in self.sessions.iter().enumerate() {
            match asked.opinion(direction, headers) {
                Opinion::Takes(by) => return Ok((session, by)),
                Opinion::Rejects(rule) if refused == Unmirrored::NoRule => {
                    refused = Unmirrored::Rejected { session, rule };
                }
                Opinion::Rejects(_) | Opinion::Passes => {}
            }
        }
        Err(refused)
    }
}

/// The target of a session, as far as it decides what is cut.
fn target(view: View<'_>, session: &MirrorSession, mtu: u16) -> MirrorTarget {
    match target::of_anyone(view, &session.target_id).map(|(_, target)| &target.destination) {
        Some(Destination::LoadBalancer(_)) => MirrorTarget::LoadBalancer,
        Some(Destination::Endpoint(_)) => MirrorTarget::GatewayLoadBalancerEndpoint,
        Some(Destination::Interface(_)) | None => MirrorTarget::NetworkInterface { mtu },
    }
}
