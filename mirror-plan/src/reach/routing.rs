//! Routing: whether packets of a subnet can reach an address, and over what.
//!
//! The most specific route decides. Every table has the route inside the VPC; the main table of a VPC that the
//! stack makes has no other.
//!
//! Source: VPC user guide, "Route priority" and "Main route table".

use ipnet::Ipv4Net;

use super::end::{End, Place, Share, share, v4};
use super::hop::{Hop, Outcome, Sort, Stretch};
use super::network::{Mention, Network, Whose};
use super::network_acl::{Packets, Post};
use super::transit;
use crate::resource::RouteTable;
use crate::resource::route_table::Route;
use crate::resource::target_group::VXLAN;
use crate::scalar::{Protocol, RouteTarget, TransitGatewayId};

/// The prefix length of the largest range that a VPC can have.
///
/// Source: VPC user guide, "VPC CIDR blocks".
const WIDEST: u8 = 16;

/// Where packets go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goal<'s> {
    pub(super) place: Place<'s>,
    /// Its possible addresses.
    pub(super) range: Ipv4Net,
}

impl<'s> Goal<'s> {
    fn end(self) -> End<'s> {
        let Self { place, range } = self;
        let is_one = range.prefix_len() == range.max_prefix_len();
        End { place: Some(place), address: is_one.then(|| range.addr()), ..End::UNKNOWN }
    }
}

/// What a route leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Via<'s> {
    Local,
    InternetGateway(Mention<'s>),
    Peering(Mention<'s>),
    TransitGateway(&'s TransitGatewayId),
    Target(&'s RouteTarget),
}

/// A route of a known table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known<'s> {
    range: Ipv4Net,
    via: Via<'s>,
    /// The table; `None` for the route inside the VPC.
    table: Option<Mention<'s>>,
}

/// The hops from a source to the destination of its packets: a route, and what it leads to.
fn route<'s>(network: &Network<'s>, from: &End<'s>, to: Option<Goal<'s>>) -> Vec<Hop> {
    let Some(from) = from.place else {
        return vec![unknown("the subnet of the source is not known, and so neither is the route")];
    };
    let Some(goal) = to else {
        return vec![unknown(
            "where the packets are to go is not known, and so neither is the route",
        )];
    };
    let table = Table::of(network, from, goal.place);
    let chosen = table.chosen(goal.range);
    let hops: Vec<Vec<Hop>> =
        chosen.iter().map(|route| follow(network, (from, goal), *route, &table)).collect();
    let outcome = |hops: &Vec<Hop>| Outcome::worst(hops.iter().map(|hop| hop.outcome));
    let mut outcomes = hops.iter().map(outcome);
    let first = outcomes.next();
    if outcomes.all(|other| Some(other) == first) {
        return hops.into_iter().next().unwrap_or_default();
    }
    vec![unknown(format!(
        "{} has several routes for {}, and their outcomes differ",
        table.words(from),
        goal.range
    ))]
}

fn unknown(words: impl Into<String>) -> Hop {
    Hop::unknown(Sort::Route, Stretch::Target, words)
}

/// The routes of a subnet, as far as they are known.
struct Table<'s> {
    inside: Inside,
    routes: Vec<Known<'s>>,
    names: Vec<Mention<'s>>,
    /// Whether these are all routes.
    is_whole: bool,
}

impl<'s> Table<'s> {
    fn of(network: &Network<'s>, from: Place<'s>, goal: Place<'s>) -> Self {
        let tables = network.tables(from.subnet);
        // The main route table of a VPC that the stack does not make is not known.
        let subject = |(table, _): &(Mention<'s>, &RouteTable)| network.whose(*table);
        let is_whole = match tables {
            [] => network.whose(from.vpc) == Whose::Own,
            tables => tables.iter().all(|table| subject(table) == Whose::Own),
        };
        let told = tables.iter().flat_map(|(table, it)| {
            it.routes.iter().filter_map(|route| known(network, *table, route))
        });
        Self {
            inside: Inside::of(network, from, goal),
            routes: told.collect(),
            names: tables.iter().map(|(table, _)| *table).collect(),
            is_whole,
        }
    }

    /// The routes that decide about the addresses of a range; `None` among them if some addresses have no route.
    fn chosen(&self, goal: Ipv4Net) -> Vec<Option<Known<'s>>> {
        let narrower: Vec<Known<'s>> = self
            .routes
            .iter()
            .copied()
            .filter(|route| goal.contains(&route.range) && route.range != goal)
            .collect();
        let inside = |of: Ipv4Net| -> Vec<Ipv4Net> {
            let ranges = narrower.iter().map(|route| route.range);
            ranges.filter(|range| of.contains(range) && *range != of).collect()
        };
        let is_used = |of: Ipv4Net| share(of, &inside(of)) != Share::All;
        let mut chosen = if is_used(goal) { self.covering(goal) } else { Vec::new() };
        let used = narrower.iter().filter(|route| is_used(route.range));
        chosen.extend(used.map(|route| Some(*route)));
        chosen
    }

    /// The routes that may decide about a range as a whole: the narrowest; of two with equal length, the one inside
    /// the VPC.
    fn covering(&self, goal: Ipv4Net) -> Vec<Option<Known<'s>>> {
        let local = Known { range: self.inside.range, via: Via::Local, table: None };
        let wider = self.routes.iter().filter(|route| route.range.contains(&goal));
        let told = wider.copied().max_by_key(|route| route.range.prefix_len());
        if !local.range.contains(&goal) {
            return vec![told];
        }
        let beaten_by = |least: u8| told.filter(|told| told.range.prefix_len() >= least);
        if let Some(told) = beaten_by(local.range.prefix_len() + 1) {
            return vec![Some(told)];
        }
        let may_beat = match self.inside.size {
            Size::Told => None,
            Size::AtLeast => beaten_by(WIDEST + 1),
        };
        [Some(local)].into_iter().chain(may_beat.map(Some)).collect()
    }

    fn words(&self, from: Place<'_>) -> String {
        match self.names.first() {
            Some(table) => table.to_string(),
            None => format!("the main route table of {}", from.vpc),
        }
    }
}

/// The route inside a VPC.
#[derive(Clone, Copy, Debug)]
struct Inside {
    range: Ipv4Net,
    size: Size,
}

/// Whether a range is known, or only a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Told,
    AtLeast,
}

impl Inside {
    /// The route is for every subnet of the VPC, including those in ranges that the VPC got later and that are not
    /// seen.
    fn of<'s>(network: &Network<'s>, from: Place<'s>, goal: Place<'s>) -> Self {
        let here = if goal.vpc == from.vpc { goal.range } else { from.range };
        let told = network.vpc(from.vpc).map(|vpc| vpc.it.cidr.net());
        match told.filter(|range| range.contains(&here)) {
            Some(range) => Self { range, size: Size::Told },
            None => Self { range: here, size: Size::AtLeast },
        }
    }
}

fn known<'s>(network: &Network<'s>, table: Mention<'s>, route: &'s Route) -> Option<Known<'s>> {
    let Route { destination, internet_gateway, vpc_peering, transit_gateway, target } = route;
    let via = match (internet_gateway, vpc_peering, transit_gateway, target) {
        (Some(gateway), _, _, _) => Via::InternetGateway(network.mention(gateway)),
        (None, Some(peering), _, _) => Via::Peering(network.mention(peering)),
        (None, None, Some(gateway), _) => Via::TransitGateway(gateway),
        (None, None, None, Some(target)) => Via::Target(target),
        (None, None, None, None) => return None, // The stack refuses it.
    };
    Some(Known { range: v4(destination.net())?, via, table: Some(table) })
}

/// The hops of packets that take a route.
fn follow<'s>(
    network: &Network<'s>,
    (from, goal): (Place<'s>, Goal<'s>),
    route: Option<Known<'s>>,
    table: &Table<'s>,
) -> Vec<Hop> {
    let here = from.vpc == goal.place.vpc;
    let passes = |words| Hop::passes(Sort::Route, Stretch::Target, words);
    // If routes may be missing, one of those may decide; but none replaces the one inside the VPC.
    let stops = |words: String| {
        if table.is_whole || here {
            Hop::stops(Sort::Route, Stretch::Target, words)
        } else {
            unknown(format!("not all routes of {} are known", from.subnet))
        }
    };
    let local = || format!("the local route of {}", from.vpc);
    let Some(Known { range, via, table: by }) = route else {
        // Every table has the one inside the VPC, so only the range of the VPC is not known.
        return vec![if here {
            passes(local())
        } else {
            let to = goal.place.subnet;
            stops(format!("{} has no route to {to}, which is in another VPC", table.words(from)))
        }];
    };
    let by = by.map_or_else(|| table.words(from), |table| table.to_string());
    match via {
        Via::Local if here => vec![passes(local())],
        Via::Local => vec![stops(format!(
            "{} is in the range of {} itself, so the packets stay there",
            goal.range, from.vpc
        ))],
        Via::InternetGateway(gateway) => vec![stops(format!(
            "{by} sends {range} to {gateway}, which carries nothing between private addresses"
        ))],
        Via::Peering(peering) => vec![
            passes(format!("{by} sends {range} to {peering}")),
            across(network, (from.vpc, goal.place.vpc), peering),
        ],
        Via::TransitGateway(gateway) => {
            let mut hops = vec![passes(format!("{by} sends {range} to {gateway}"))];
            hops.extend(transit::over(network, (from, goal), gateway));
            hops
        }
        Via::Target(target) => {
            vec![passes(format!("{by} sends {range} to {target}")), carrier(target)]
        }
    }
}

/// The hop from one VPC to another over a peering connection. Packets get to the VPC on its other side and no
/// further.
///
/// Source: VPC Peering guide, "VPC peering limitations".
fn across<'s>(
    network: &Network<'s>,
    (from, goal): (Mention<'s>, Mention<'s>),
    peering: Mention<'s>,
) -> Hop {
    let hop = |outcome: fn(Sort, Stretch, String) -> Hop, words: String| {
        outcome(Sort::Peering, Stretch::Target, words)
    };
    let Some(known) = network.vpc_peering(peering) else {
        return hop(Hop::unknown, format!("which VPC is behind {peering} is not known"));
    };
    let it = known.it;
    let sides = [network.mention(&it.requester), network.mention(&it.accepter)];
    let Some(here) = sides.iter().position(|side| *side == from) else {
        return hop(Hop::stops, format!("{peering} does not connect {from}"));
    };
    let other = sides[1 - here];
    if other != goal {
        hop(Hop::stops, format!("{peering} leads to {other}, and not to {goal}"))
    } else if it.auto_accept {
        hop(Hop::passes, format!("{peering} connects {from} and {goal}"))
    } else {
        hop(Hop::unknown, format!("whether {peering} has been accepted is not known"))
    }
}

/// The hop for a target of a route that is not a kind of resource, so that what is behind it is not known.
fn carrier(target: &RouteTarget) -> Hop {
    let words = format!("whether {target} carries mirrored packets is not known");
    Hop::unknown(Sort::Gateway, Stretch::Target, words)
}

/// The hops from a source to the subnet that its packets, which are VXLAN, should reach.
///
/// AWS does not document whether the ACL of the source's subnet sees mirrored packets on their way out. It is
/// checked all the same, so that nothing passes that might not.
pub(super) fn arrival<'s>(network: &Network<'s>, from: &End<'s>, to: Option<Goal<'s>>) -> Vec<Hop> {
    let mut hops = route(network, from, to);
    if let (Some(here), Some(goal)) = (from.place, to)
        && here.subnet != goal.place.subnet
    {
        let (vxlan, udp) = (VXLAN.get(), Protocol::UDP);
        let (leaving, entering) = (Packets::leaving(udp, vxlan), Packets::entering(udp, vxlan));
        hops.push(Post::of(here, Stretch::Target).hop(network, leaving, &goal.end()));
        hops.push(Post::of(goal.place, Stretch::Target).hop(network, entering, from));
    }
    hops
}
