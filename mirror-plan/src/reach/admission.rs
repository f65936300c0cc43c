//! Security groups: whether they let packets through, by which rule, or why that is not known.
//!
//! Groups only admit: a packet gets through if any rule of any of its groups lets it through. So a single known
//! rule is enough to know that packets are admitted, but all rules must be known to know that they are not.

use std::fmt;

use super::end::{End, Groups, Rest, Share, v4};
use super::hop::{Hop, Sort, Stretch};
use super::network::{Mention, Network, Whose};
use crate::resource::security_group::{Peer, Rule, Rules};
use crate::scalar::{Direction, Protocol};

/// How many groups are named in a text.
const NAMED_MAX: usize = 3;

/// Packets as a security group sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Flow {
    pub(crate) direction: Direction,
    pub(crate) protocol: Protocol,
    pub(crate) port: u16,
}

/// The security groups that packets have to get through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gate<'g, 's> {
    pub(super) groups: &'g Groups<'s>,
    /// The load balancer, if the groups are those of one.
    pub(super) balancer: Option<Mention<'s>>,
    /// The VPC that they are in, if that is known.
    pub(super) vpc: Option<Mention<'s>>,
    /// Which hop it is.
    pub(super) sort: Sort,
    pub(super) stretch: Stretch,
}

/// What a rule means for packets.
enum Said {
    Admitted,
    /// It admits some of the addresses, or the members of a group when it is not known who they are.
    Maybe(String),
    Nothing,
}

impl<'s> Gate<'_, 's> {
    /// Whether a flow gets through, from or to the other side.
    pub(super) fn hop(&self, network: &Network<'s>, flow: Flow, peer: &End<'s>) -> Hop {
        let groups = &self.groups.named;
        match (groups.as_slice(), self.groups.rest) {
            ([], Rest::Nothing) => match self.balancer {
                Some(name) => self
                    .passes(format!("{name} has no security groups and lets everything through")),
                None => self.passes("no security groups are in the way"),
            },
            ([], Rest::Unknown) => self.unknown("its security groups are not known"),
            ([], Rest::Default) => self.default_group(network, flow, peer),
            (_, Rest::Nothing | Rest::Default | Rest::Unknown) => {
                self.named_groups(network, flow, peer)
            }
        }
    }

    /// Whether the default group lets a flow through. As AWS creates it, it admits only its own members and lets
    /// everything out.
    ///
    /// Source: VPC user guide, "Default security groups".
    fn default_group(&self, network: &Network<'s>, flow: Flow, peer: &End<'s>) -> Hop {
        let own = self.vpc.filter(|vpc| network.whose(*vpc) == Whose::Own);
        let Some(vpc) = own else {
            return self
                .unknown("the rules of the default security group of its VPC are not known");
        };
        if flow.direction == Direction::Egress {
            return self.passes(format!("the default security group of {vpc} lets everything out"));
        }
        let home = peer.place.map(|place| place.vpc);
        let of_others = |group: &Mention<'_>| network.whose(*group) == Whose::Others;
        match peer.groups.rest {
            Rest::Default if home == Some(vpc) => {
                self.passes(format!("both are in the default security group of {vpc}"))
            }
            Rest::Default if home.is_none() => self.unknown(format!(
                "the default security group of {vpc} admits its members only, and which VPC {peer} is in is not known"
            )),
            Rest::Unknown => self.unknown(format!(
                "the default security group of {vpc} admits its members only, and whether {peer} is one is not known"
            )),
            Rest::Nothing | Rest::Default if peer.groups.named.iter().any(of_others) => {
                self.unknown(format!(
                    "whether {peer} is in the default security group of {vpc} is not known"
                ))
            }
            Rest::Nothing | Rest::Default => self.stops(format!(
                "without a security group it is in the default one of {vpc}, which admits its members only: no {flow} from {peer}"
            )),
        }
    }

    fn named_groups(&self, network: &Network<'s>, flow: Flow, peer: &End<'s>) -> Hop {
        let (mut doubts, mut ranges, mut whole) = (Vec::new(), Vec::new(), true);
        for group in &self.groups.named {
            let Some(known) = network.security_group(*group) else {
                doubts.push(format!("the rules of {group} are not known"));
                continue;
            };
            whole &= known.whose == Whose::Own;
            for rule in rules(known.it, flow).0.iter().filter(|rule| flow.is_of(rule)) {
                match self.says(network, rule, peer) {
                    Said::Admitted => return self.passes(by(*group, flow, peer)),
                    Said::Maybe(why) => doubts.push(format!("{group}: {why}")),
                    Said::Nothing => {}
                }
                if let Peer::Range(range) = &rule.peer {
                    ranges.extend(v4(range.net()).map(|range| (*group, range)));
                }
            }
        }
        // Several ranges together may cover all addresses.
        let nets: Vec<_> = ranges.iter().map(|(_, range)| *range).collect();
        if peer.within(&nets) == Share::All {
            return self.passes(by(ranges[0].0, flow, peer));
        }
        if let Some(doubt) = doubts.into_iter().next() {
            return self.unknown(doubt);
        }
        if !whole {
            let groups = words(&self.groups.named);
            return self
                .unknown(format!("no known rule of {groups} {} {flow}", flow.verb_of_rule()));
        }
        let preposition = flow.preposition();
        let groups = words(&self.groups.named);
        self.stops(format!(
            "no rule of {groups} {} {flow} {preposition} {peer}",
            flow.verb_of_rule()
        ))
    }

    fn says(&self, network: &Network<'s>, rule: &'s Rule, peer: &End<'s>) -> Said {
        match &rule.peer {
            Peer::Range(range) => {
                let range: Vec<_> = v4(range.net()).into_iter().collect();
                match peer.within(&range) {
                    Share::All => Said::Admitted,
                    Share::None => Said::Nothing,
                    Share::Some => {
                        Said::Maybe(format!("whether {peer} is in {} is not known", range[0]))
                    }
                }
            }
            Peer::Group(group) => self.admits_members(network, network.mention(group), peer),
        }
    }

    /// Whether the other side is a member of a group. Members of a group of another VPC count only over a peering
    /// or a transit gateway that is set up for it.
    ///
    /// Source: VPC user guide, "Security group rules".
    fn admits_members(&self, network: &Network<'s>, group: Mention<'s>, peer: &End<'s>) -> Said {
        match (peer.groups.named.contains(&group), peer.groups.rest) {
            (true, _) if self.is_of_this_vpc(network, group, peer) => Said::Admitted,
            (true, _) => Said::Maybe(format!(
                "whether it admits members of {group} from another VPC is not known"
            )),
            (false, Rest::Unknown) => {
                Said::Maybe(format!("whether {peer} is in {group} is not known"))
            }
            (false, Rest::Default) if network.whose(group) == Whose::Others => {
                Said::Maybe(format!("whether {group} is the default group is not known"))
            }
            (false, Rest::Default | Rest::Nothing) => Said::Nothing,
        }
    }

    /// Whether a group belongs to the VPC that the gate is in. A group and its members are in one VPC.
    fn is_of_this_vpc(&self, network: &Network<'s>, group: Mention<'s>, peer: &End<'s>) -> bool {
        if self.groups.named.contains(&group) {
            return true;
        }
        let known = network.security_group(group).map(|known| network.mention(&known.it.vpc));
        let vpc = known.or_else(|| peer.place.map(|place| place.vpc));
        vpc.is_some() && vpc == self.vpc
    }

    fn passes(&self, words: impl Into<String>) -> Hop {
        Hop::passes(self.sort, self.stretch, words)
    }

    fn unknown(&self, words: impl Into<String>) -> Hop {
        Hop::unknown(self.sort, self.stretch, words)
    }

    fn stops(&self, words: impl Into<String>) -> Hop {
        Hop::stops(self.sort, self.stretch, words)
    }
}

const fn rules(group: &crate::resource::SecurityGroup, flow: Flow) -> &Rules {
    match flow.direction {
        Direction::Ingress => &group.ingress,
        Direction::Egress => &group.egress,
    }
}

fn by(group: Mention<'_>, flow: Flow, peer: &End<'_>) -> String {
    match flow.direction {
        Direction::Ingress => format!("{group} admits {flow} from {peer}"),
        Direction::Egress => format!("{group} lets {flow} out to {peer}"),
    }
}

/// The names of groups, a few at most.
fn words(groups: &[Mention<'_>]) -> String {
    let shown: Vec<String> = groups.iter().take(NAMED_MAX).map(Mention::to_string).collect();
    let more = groups.len() - shown.len();
    let shown = shown.join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

impl Flow {
    pub(crate) const fn ingress(protocol: Protocol, port: u16) -> Self {
        Self { direction: Direction::Ingress, protocol, port }
    }

    pub(crate) const fn egress(protocol: Protocol, port: u16) -> Self {
        Self { direction: Direction::Egress, protocol, port }
    }

    /// Whether a rule is for its protocol and port.
    fn is_of(self, rule: &Rule) -> bool {
        let protocol = rule.protocol == Protocol::All || rule.protocol == self.protocol;
        let port = rule.port.is_none_or(|port| (port.from()..=port.to()).contains(&self.port));
        protocol && port
    }

    const fn verb_of_rule(self) -> &'static str {
        match self.direction {
            Direction::Ingress => "admits",
            Direction::Egress => "lets out",
        }
    }

    const fn preposition(self) -> &'static str {
        match self.direction {
            Direction::Ingress => "from",
            Direction::Egress => "to",
        }
    }
}

/// `udp 4789`.
impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.protocol, self.port)
    }
}
