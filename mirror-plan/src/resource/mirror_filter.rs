//! The traffic mirror filter: which packets of a source are mirrored.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, On, calls};
use super::{
    Computed, Creation, Need, Readiness, ReplaceOrder, ResourceType, Tags, need, needs_of, part,
    refuse_duplicates, this,
};
use crate::attribute::{AttributeType, Input, ProblemSort, Problems, Ref, Type, object};
use crate::id::{Id, IdForm, Identified, ObjectId};
use crate::observed::Found;
use crate::scalar::{Direction, IpRange, PortRange, Protocol, RuleAction, RuleNumber};
use crate::value::{Path, Value};

object! {
    /// A rule as the stack file writes it. Without a `direction` it stands for two rules, one for each
    /// direction: `port` is then the mirrored interface's own port and `peer` the other side.
    pub struct RuleDeclaration("filter rule") by(direction, number) {
        /// The order among the rules of its direction, lowest first; the first match decides.
        number: RuleNumber => required, Update;
        /// Whether matching packets are mirrored.
        action: RuleAction => required, Update;
        /// The direction of the packets, seen from the mirrored interface; if left out, both.
        direction: Option<Direction> => optional, Update;
        /// The protocol.
        protocol: Protocol => default(Protocol::All), Update;
        /// The port on the mirrored interface's side.
        port: Option<PortRange> => optional, Update;
        /// The addresses on the other side.
        peer: Option<IpRange> => optional, Update;
        /// The port on the other side.
        peer_port: Option<PortRange> => optional, Update;
        /// The addresses that the packets come from; only with a `direction`.
        source: Option<IpRange> => optional, Update;
        /// The addresses that the packets go to; only with a `direction`.
        destination: Option<IpRange> => optional, Update;
        /// The port that the packets come from; only with a `direction`.
        source_port: Option<PortRange> => optional, Update;
        /// The port that the packets go to; only with a `direction`.
        destination_port: Option<PortRange> => optional, Update;
        /// A note.
        description: Option<String> => optional, Update;
    }
}

/// One rule, as AWS keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Which way the packets go.
    pub direction: Direction,
    /// The order among the rules of its direction.
    pub number: RuleNumber,
    /// Whether what it matches is mirrored.
    pub action: RuleAction,
    /// The protocol.
    pub protocol: Protocol,
    /// Where the packets come from.
    pub source: IpRange,
    /// Where they go to.
    pub destination: IpRange,
    /// The port they come from; `None` for any.
    pub source_port: Option<PortRange>,
    /// The port they go to; `None` for any.
    pub destination_port: Option<PortRange>,
    /// A note.
    pub description: Option<String>,
}

impl Rule {
    /// Returns what distinguishes it from the other rules of its filter: `ingress 100`.
    #[must_use]
    pub fn key(&self) -> RuleKey {
        RuleKey { direction: self.direction, number: self.number }
    }
}

/// What distinguishes a rule from the other rules of its filter. AWS requires it to be unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleKey {
    /// Which way the packets go.
    pub direction: Direction,
    /// The order in that direction.
    pub number: RuleNumber,
}

impl fmt::Display for RuleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { direction, number } = self;
        write!(f, "{direction} {number}")
    }
}

impl RuleDeclaration {
    /// The rules it stands for.
    fn expand(self, at: &Path, problems: &mut Problems) -> Vec<Rule> {
        let own_view = [self.port.is_some(), self.peer.is_some(), self.peer_port.is_some()];
        let packet_view = [
            self.source.is_some(),
            self.destination.is_some(),
            self.source_port.is_some(),
            self.destination_port.is_some(),
        ];
        if packet_view.contains(&true) && self.direction.is_none() {
            problems.add_with_help(
                ProblemSort::Missing,
                at,
                "a rule with `source` or `destination` needs a `direction`",
                "set `direction`, or use `port` and `peer` for both directions",
            );
            return Vec::new();
        }
        if packet_view.contains(&true) && own_view.contains(&true) {
            let title = "`port` and `peer` cannot be combined with `source` and `destination`";
            problems.add(ProblemSort::Value, at, title);
            return Vec::new();
        }
        let directions = match self.direction {
            Some(direction) => vec![direction],
            None => vec![Direction::Ingress, Direction::Egress],
        };
        let rules: Vec<Rule> = directions.into_iter().map(|way| self.towards(way)).collect();
        rules.iter().for_each(|rule| check_rule(rule, at, problems));
        rules
    }

    /// The rule for packets that go `direction`.
    fn towards(&self, direction: Direction) -> Rule {
        let any = match [self.peer, self.source, self.destination].into_iter().flatten().next() {
            Some(range) if range.net().addr().is_ipv6() => {
                "::/0".parse().expect("the range of all IPv6 addresses")
            }
            _ => IpRange::any_v4(),
        };
        let (source, destination, source_port, destination_port) = match direction {
            Direction::Ingress => (self.peer, None, self.peer_port, self.port),
            Direction::Egress => (None, self.peer, self.port, self.peer_port),
        };
        Rule {
            direction,
            number: self.number,
            action: self.action,
            protocol: self.protocol,
            source: source.or(self.source).unwrap_or(any),
            destination: destination.or(self.destination).unwrap_or(any),
            source_port: source_port.or(self.source_port),
            destination_port: destination_port.or(self.destination_port),
            description: self.description.clone(),
        }
    }
}

/// What AWS refuses in one rule.
///
/// Source: AWS Traffic Mirroring guide, "Traffic mirror filter rules".
fn check_rule(rule: &Rule, at: &Path, problems: &mut Problems) {
    let Rule { protocol, source, destination, source_port, destination_port, .. } = rule;
    if source.net().addr().is_ipv4() != destination.net().addr().is_ipv4() {
        let title = format!("{source} and {destination} are not of the same address family");
        problems.add(ProblemSort::FilterRule, at, title);
    }
    if (source_port.is_some() || destination_port.is_some()) && !protocol.has_ports() {
        let title = format!("ports are for tcp and udp, not for {protocol}");
        problems.add(ProblemSort::FilterRule, at, title);
    }
}

/// The rules of a filter, of both directions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rules(pub Vec<Rule>);

impl Rules {
    /// The rule with this key.
    #[must_use]
    pub fn get(&self, key: RuleKey) -> Option<&Rule> {
        self.0.iter().find(|rule| rule.key() == key)
    }
}

impl AttributeType for Rules {
    const TYPE: Type = <Vec<RuleDeclaration> as AttributeType>::TYPE;

    fn read(value: &Value, at: &Path, problems: &mut Problems) -> Option<Self> {
        let declared = Vec::<RuleDeclaration>::read(value, at, problems)?.into_iter().enumerate();
        let expanded = declared.flat_map(|(index, rule)| rule.expand(&at.index(index), problems));
        Some(Self(expanded.collect()))
    }

    fn to_value(&self) -> Value {
        let declarations = self.0.iter().map(|rule| {
            let Rule {
                direction,
                number,
                action,
                protocol,
                source,
                destination,
                source_port,
                destination_port,
                description,
            } = rule.clone();
            let members = RuleDeclaration {
                number,
                action,
                direction: Some(direction),
                protocol,
                port: None,
                peer: None,
                peer_port: None,
                source: Some(source),
                destination: Some(destination),
                source_port,
                destination_port,
                description,
            }
            .to_value();
            // AWS's own view of the rule: what is only another notation is left out.
            match members {
                Value::Object(mut members) => {
                    members
                        .retain(|name, _| !matches!(name.as_str(), "port" | "peer" | "peer_port"));
                    Value::Object(members)
                }
                other => other,
            }
        });
        Value::List(declarations.collect())
    }
}

object! {
    /// A traffic mirror filter with its rules. Without rules it mirrors nothing.
    pub struct MirrorFilter("traffic mirror filter") {
        /// A note.
        description: Option<Input<String>> => optional, Replace;
        /// Whether traffic with Amazon's DNS server is mirrored, which no rule can do.
        amazon_dns: bool => default(false), Update;
        /// Its rules: at most 10.
        rules: Rules => default(Rules::default()), Update;
        /// Tags. `Name` is the block's name unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The id of a traffic mirror filter.
pub type MirrorFilterId = Id<MirrorFilter>;

impl Identified for MirrorFilter {
    const TITLE: &'static str = "traffic mirror filter";
    const FORM: IdForm = IdForm::Prefixed("tmf-");
}

/// A call about a traffic mirror filter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateTrafficMirrorFilter`.
    Create {
        /// A note.
        description: Option<Input<String>>,
        /// All tags.
        tags: Tags,
    },
    /// `ModifyTrafficMirrorFilterNetworkServices` with `amazon-dns`.
    SetAmazonDns {
        /// Which.
        mirror_filter: Ref<MirrorFilter>,
        /// The new value.
        enabled: bool,
    },
    /// `CreateTrafficMirrorFilterRule`.
    CreateRule {
        /// Where.
        mirror_filter: Ref<MirrorFilter>,
        /// What.
        rule: Rule,
    },
    /// `ModifyTrafficMirrorFilterRule`.
    ModifyRule {
        /// Which, `tmfr-...`.
        id: ObjectId,
        /// What it was.
        before: Rule,
        /// What it is from now on.
        rule: Rule,
    },
    /// `DeleteTrafficMirrorFilterRule`.
    DeleteRule {
        /// Which, `tmfr-...`.
        id: ObjectId,
    },
    /// `DeleteTrafficMirrorFilter`; AWS refuses while a session uses it.
    Delete {
        /// Which.
        mirror_filter: Ref<MirrorFilter>,
    },
}

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        match self {
            Self::Create { description, tags: _ } => needs_of(description).collect(),
            Self::SetAmazonDns { mirror_filter, enabled: _ }
            | Self::CreateRule { mirror_filter, rule: _ }
            | Self::Delete { mirror_filter } => {
                need(mirror_filter, Readiness::Made).into_iter().collect()
            }
            Self::ModifyRule { id: _, before: _, rule: _ } | Self::DeleteRule { id: _ } => {
                BTreeSet::new()
            }
        }
    }

    calls! {
        Self::Create { .. } => {
            Access::ec2("CreateTrafficMirrorFilter").on(&[On::New(A::TrafficMirrorFilter)])
        };
        Self::SetAmazonDns { .. } => {
            Access::ec2("ModifyTrafficMirrorFilterNetworkServices")
                .on(&[On::Owned(A::TrafficMirrorFilter)])
        };
        Self::CreateRule { .. } => {
            Access::ec2("CreateTrafficMirrorFilterRule")
                .on(&[On::Owned(A::TrafficMirrorFilter), On::Part(A::TrafficMirrorFilterRule)])
        };
        Self::ModifyRule { .. } => {
            Access::ec2("ModifyTrafficMirrorFilterRule")
                .on(&[On::Owned(A::TrafficMirrorFilter), On::Part(A::TrafficMirrorFilterRule)])
        };
        Self::DeleteRule { .. } => {
            Access::ec2("DeleteTrafficMirrorFilterRule")
                .on(&[On::Owned(A::TrafficMirrorFilter), On::Part(A::TrafficMirrorFilterRule)])
                .at_removal()
        };
        Self::Delete { .. } => {
            Access::ec2("DeleteTrafficMirrorFilter")
                .on(&[On::Owned(A::TrafficMirrorFilter)])
                .at_removal()
        };
    }
}

/// Which rule each rule was before.
#[derive(Debug, Default, PartialEq, Eq)]
struct Successions<'r> {
    /// The rules that differ, before and after.
    changed: Vec<(&'r Rule, &'r Rule)>,
    added: Vec<&'r Rule>,
    gone: Vec<&'r Rule>,
}

impl<'r> Successions<'r> {
    /// A rule with the same number and direction is the same rule. So is one that only has another number, or only
    /// another number and direction: AWS changes both in place, and what is created anew would not be mirrored meanwhile.
    fn of(before: &'r Rules, after: &'r Rules) -> Self {
        let (kept, mut added): (Vec<&Rule>, Vec<&Rule>) =
            after.0.iter().partition(|rule| before.get(rule.key()).is_some());
        let kept = kept.into_iter().filter_map(|rule| Some((before.get(rule.key())?, rule)));
        let mut changed: Vec<(&Rule, &Rule)> = kept.filter(|(old, new)| old != new).collect();
        let mut gone: Vec<&Rule> =
            before.0.iter().filter(|rule| after.get(rule.key()).is_none()).collect();
        let renumbered = |old: &Rule, new: &Rule| Rule { number: new.number, ..old.clone() };
        let turned =
            |old: &Rule, new: &Rule| Rule { direction: new.direction, ..renumbered(old, new) };
        for as_if in [&renumbered as &dyn Fn(&Rule, &Rule) -> Rule, &turned] {
            added.retain(|new| {
                let Some(at) = gone.iter().position(|old| as_if(old, new) == **new) else {
                    return true;
                };
                changed.push((gone.remove(at), new));
                false
            });
        }
        Self { changed, added, gone }
    }
}

impl ResourceType for MirrorFilter {
    const COMPUTED: &'static [Computed] = &[Computed { name: "id", doc: "The id, `tmf-...`." }];
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::CreateThenDelete;

    fn check(&self, problems: &mut Problems) {
        refuse_duplicates(problems, "rules", self.rules.0.iter().map(Rule::key));
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let Self { description, amazon_dns, rules, tags } = self;
        let create =
            Operation::Create { description: description.clone(), tags: creation.owned(tags) };
        let dns = amazon_dns
            .then(|| Operation::SetAmazonDns { mirror_filter: creation.this(), enabled: true });
        let rules = rules.0.iter().map(|rule| Operation::CreateRule {
            mirror_filter: creation.this(),
            rule: rule.clone(),
        });
        [create].into_iter().chain(dns).chain(rules).map(Into::into).collect()
    }

    /// The parts of a filter are its rules, by [`RuleKey`].
    fn update(
        &self,
        observed: &Self,
        found: &Found,
        _creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let Self { description: _, amazon_dns, rules, tags: _ } = self;
        let mut operations = Vec::new();
        if *amazon_dns != observed.amazon_dns {
            let enabled = *amazon_dns;
            operations.push(Operation::SetAmazonDns { mirror_filter: this(found), enabled });
        }
        let Successions { changed, added, gone } = Successions::of(&observed.rules, rules);
        // Deleting first leaves room within the quota of rules.
        operations.extend(gone.into_iter().map(|gone| Operation::DeleteRule {
            id: part(found, &gone.key().to_string()).clone(),
        }));
        operations.extend(changed.into_iter().map(|(before, rule)| Operation::ModifyRule {
            id: part(found, &before.key().to_string()).clone(),
            before: before.clone(),
            rule: rule.clone(),
        }));
        operations.extend(
            added.into_iter().map(|rule| Operation::CreateRule {
                mirror_filter: this(found),
                rule: rule.clone(),
            }),
        );
        operations.into_iter().map(Into::into).collect()
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        let rules =
            self.rules.0.iter().map(|rule| Operation::DeleteRule {
                id: part(found, &rule.key().to_string()).clone(),
            });
        rules.chain([Operation::Delete { mirror_filter: this(found) }]).map(Into::into).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(rules: &[(Direction, i64, RuleAction)]) -> Rules {
        let rule = |&(direction, number, action): &(Direction, i64, RuleAction)| Rule {
            direction,
            number: number.try_into().unwrap(),
            action,
            protocol: Protocol::All,
            source: "10.0.0.0/16".parse().unwrap(),
            destination: "0.0.0.0/0".parse().unwrap(),
            source_port: None,
            destination_port: None,
            description: None,
        };
        Rules(rules.iter().map(rule).collect())
    }

    #[test]
    fn a_rule_that_is_renumbered_or_turned_is_the_same_rule() {
        use Direction::{Egress, Ingress};
        use RuleAction::{Accept, Reject};
        let before = rules(&[
            (Ingress, 100, Accept),
            (Egress, 100, Accept),
            (Ingress, 50, Reject),
            (Ingress, 60, Reject),
        ]);
        let after = rules(&[
            (Ingress, 110, Accept),
            (Egress, 110, Accept),
            (Egress, 50, Reject),
            (Ingress, 60, Accept),
            (Egress, 7, Accept),
        ]);
        let Successions { changed, added, gone } = Successions::of(&before, &after);
        let keys = changed.iter().map(|(old, new)| format!("{} to {}", old.key(), new.key()));
        insta::assert_snapshot!(keys.collect::<Vec<_>>().join(", "), @"ingress 60 to ingress 60, ingress 100 to ingress 110, egress 100 to egress 110, ingress 50 to egress 50");
        assert_eq!(
            added.iter().map(|rule| rule.key().to_string()).collect::<Vec<_>>(),
            ["egress 7"]
        );
        assert_eq!(gone, Vec::<&Rule>::new());
    }
}
