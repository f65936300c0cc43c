//! The ends of a packet's way: what is known of where packets come from and go to.

use std::fmt;
use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};

use super::network::{Mention, Network};
use crate::attribute::Ref;
use crate::id::NetworkInterface;
use crate::resource::{Instance, SecurityGroup};

/// What packets come from, or go to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct End<'s> {
    /// The subnet that it is in, if that is known.
    pub(super) place: Option<Place<'s>>,
    /// Its own address, if that is known.
    pub(super) address: Option<Ipv4Addr>,
    pub(super) groups: Groups<'s>,
}

/// A subnet that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place<'s> {
    pub(super) subnet: Mention<'s>,
    pub(super) vpc: Mention<'s>,
    pub(super) range: Ipv4Net,
}

/// The security groups of an object. A load balancer that was created without any has none at all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Groups<'s> {
    pub(super) named: Vec<Mention<'s>>,
    pub(super) rest: Rest,
}

/// The security groups besides those that are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rest {
    Nothing,
    /// The default group of its VPC.
    Default,
    /// It is not known which ones.
    Unknown,
}

/// How many of some addresses are in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    All,
    Some,
    None,
}

impl<'s> End<'s> {
    /// An end of which nothing is known.
    pub(super) const UNKNOWN: Self = Self { place: None, address: None, groups: Groups::UNKNOWN };

    /// What a reference to an interface leads to.
    pub(super) fn interface(network: &Network<'s>, to: &'s Ref<NetworkInterface>) -> Self {
        let mention = network.mention(to);
        if let Some(instance) = network.instance(mention) {
            return Self::instance(network, instance.it);
        }
        let Some(seen) = network.interface(mention) else { return Self::UNKNOWN };
        let groups = seen.security_groups.iter();
        let named = groups.map(|group| network.mention_of_id(group.as_str())).collect();
        let place = Place::of(network, network.mention_of_id(seen.subnet.as_str()));
        Self { place, address: None, groups: Groups { named, rest: Rest::Nothing } }
    }

    pub(super) fn instance(network: &Network<'s>, instance: &'s Instance) -> Self {
        let place = Place::of(network, network.mention(&instance.subnet));
        let address = instance.private_ip.map(|address| address.0);
        Self { place, address, groups: Groups::of(network, &instance.security_groups) }
    }

    /// What a launch template starts in a subnet.
    pub(super) fn launched(
        network: &Network<'s>,
        template: Mention<'s>,
        subnet: Mention<'s>,
    ) -> Self {
        let groups = network
            .launch_template(template)
            .map_or(Groups::UNKNOWN, |template| Groups::of(network, &template.it.security_groups));
        Self { place: Place::of(network, subnet), address: None, groups }
    }

    /// Its possible addresses.
    pub(super) fn range(&self) -> Ipv4Net {
        let own = self.address.map(Ipv4Net::from).or_else(|| self.place.map(|place| place.range));
        own.unwrap_or_default()
    }

    /// How many of its possible addresses are in some ranges.
    pub(super) fn within(&self, ranges: &[Ipv4Net]) -> Share {
        let own = self.address.map(Ipv4Net::from).or_else(|| self.place.map(|place| place.range));
        match own {
            Some(own) => share(own, ranges),
            None if ranges.iter().any(|range| range.prefix_len() == 0) => Share::All,
            None if ranges.is_empty() => Share::None,
            None => Share::Some,
        }
    }
}

/// How much of a range is in others.
pub(super) fn share(of: Ipv4Net, ranges: &[Ipv4Net]) -> Share {
    let near: Vec<Ipv4Net> =
        ranges.iter().copied().filter(|range| range.contains(&of) || of.contains(range)).collect();
    match near.as_slice() {
        [] => Share::None,
        [one] if one.contains(&of) => Share::All,
        _ if Ipv4Net::aggregate(&near).iter().any(|whole| whole.contains(&of)) => Share::All,
        _ => Share::Some,
    }
}

/// An IPv4 range; `None` for one of IPv6.
pub(super) const fn v4(range: IpNet) -> Option<Ipv4Net> {
    match range {
        IpNet::V4(range) => Some(range),
        IpNet::V6(_) => None,
    }
}

impl<'s> Place<'s> {
    pub(super) fn of(network: &Network<'s>, subnet: Mention<'s>) -> Option<Self> {
        let known = network.subnet(subnet)?;
        let (vpc, range) = (network.mention(&known.it.vpc), known.it.cidr.net());
        Some(Self { subnet, vpc, range })
    }
}

impl<'s> Groups<'s> {
    const UNKNOWN: Self = Self { named: Vec::new(), rest: Rest::Unknown };

    /// The groups of an instance: the default group if none is named.
    pub(super) fn of(network: &Network<'s>, groups: &'s [Ref<SecurityGroup>]) -> Self {
        let rest = if groups.is_empty() { Rest::Default } else { Rest::Nothing };
        Self { rest, ..Self::of_balancer(network, groups) }
    }

    /// The groups of a load balancer.
    pub(super) fn of_balancer(network: &Network<'s>, groups: &'s [Ref<SecurityGroup>]) -> Self {
        let named = groups.iter().map(|group| network.mention(group)).collect();
        Self { named, rest: Rest::Nothing }
    }

    /// Both groups together, as a receiver sees packets of a source that come through a load
    /// balancer.
    pub(super) fn and(&self, other: &Self) -> Self {
        let named = [&self.named[..], &other.named].concat();
        Self { named, rest: self.rest.max(other.rest) }
    }
}

/// Where it is, without its name: the text is about all ends that are alike.
impl fmt::Display for End<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.address, self.place) {
            (Some(address), _) => write!(f, "{address}"),
            (None, Some(place)) => write!(f, "{}", place.subnet),
            (None, None) => f.write_str("an interface in an unknown subnet"),
        }
    }
}
