//! The security group: which packets may reach an interface, and leave it.

use std::collections::BTreeSet;
use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, Named, On, calls};
use super::{
    Computed, Creation, Need, Readiness, ReplaceOrder, ResourceType, Tags, Vpc, need,
    refuse_duplicates, this,
};
use crate::attribute::{AttributeType, ProblemSort, Problems, Ref, Type, object};
use crate::id::{Id, IdForm, Identified};
use crate::observed::Found;
use crate::scalar::{Direction, IpRange, PortRange, Protocol};
use crate::value::{Path, Value};

object! {
    /// Rules as the stack file writes them: one rule for every range and group that it names.
    pub struct RuleDeclaration("security group rule") {
        /// The protocol.
        protocol: Protocol => default(Protocol::All), Update;
        /// The port or range of ports, `443` or `"1024-65535"`; if left out, all ports.
        port: Option<PortRange> => optional, Update;
        /// The ranges of addresses on the other side.
        cidrs: Vec<IpRange> => default(Vec::new()), Update;
        /// The security groups on the other side.
        security_groups: Vec<Ref<SecurityGroup>> => default(Vec::new()), Update;
        /// A note, kept with each rule.
        description: Option<String> => optional, Update;
    }
}

/// One rule, as AWS keeps it: one protocol, one range of ports, one peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The protocol.
    pub protocol: Protocol,
    /// The ports; `None` for all, and for protocols without ports.
    pub port: Option<PortRange>,
    /// The other side.
    pub peer: Peer,
    /// A note. AWS accepts up to 255 characters.
    pub description: Option<String>,
}

/// The other side of a [`Rule`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// Addresses.
    Range(IpRange),
    /// The members of a security group.
    Group(Ref<SecurityGroup>),
}

impl Rule {
    /// What AWS adds to every new group: all IPv4 traffic may leave.
    #[must_use]
    pub fn allow_all_egress() -> Self {
        Self {
            protocol: Protocol::All,
            port: None,
            peer: Peer::Range(IpRange::any_v4()),
            description: None,
        }
    }

    /// Whether it covers so many addresses that no private network is that large.
    ///
    /// The largest private networks are 10.0.0.0/8 (RFC 1918) and fc00::/7 (RFC 4193).
    #[must_use]
    pub fn is_open_to_world(&self) -> bool {
        match &self.peer {
            Peer::Range(range) => match range.net() {
                IpNet::V4(net) => net.prefix_len() < 8,
                IpNet::V6(net) => net.prefix_len() < 7,
            },
            Peer::Group(_) => false,
        }
    }

    /// Whether both admit the same packets; AWS accepts only one of two such rules.
    #[must_use]
    pub fn admits_as(&self, other: &Self) -> bool {
        let Self { protocol, port, peer, description: _ } = self;
        *protocol == other.protocol && *port == other.port && *peer == other.peer
    }
}

/// `tcp 22 from 10.0.0.0/8`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, port, peer, description: _ } = self;
        write!(f, "{protocol}")?;
        if let Some(port) = port {
            write!(f, " {port}")?;
        }
        match peer {
            Peer::Range(range) => write!(f, " {range}"),
            Peer::Group(group) => write!(f, " {}", group.to_value()),
        }
    }
}

/// The rules of one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rules(pub Vec<Rule>);

impl Rules {
    /// Whether one of them is [open to the world](Rule::is_open_to_world), as a value of `open_to_world`.
    #[must_use]
    pub fn open_to_world(&self) -> Option<bool> {
        self.0.iter().any(Rule::is_open_to_world).then_some(true)
    }
}

impl AttributeType for Rules {
    const TYPE: Type = <Vec<RuleDeclaration> as AttributeType>::TYPE;

    fn read(value: &Value, at: &Path, problems: &mut Problems) -> Option<Self> {
        let declared = Vec::<RuleDeclaration>::read(value, at, problems)?;
        let mut rules = Vec::new();
        for (index, declaration) in declared.into_iter().enumerate() {
            let RuleDeclaration { protocol, port, cidrs, security_groups, description } =
                declaration;
            let at = at.index(index);
            if cidrs.is_empty() && security_groups.is_empty() {
                let title = "the rule admits nobody: it has neither `cidrs` nor `security_groups`";
                problems.add(ProblemSort::Missing, &at, title);
            }
            if port.is_some() && !protocol.has_ports() {
                let title = format!("`port` is for tcp and udp, not for {protocol}");
                problems.add(ProblemSort::Value, &at.member("port"), title);
            }
            // AWS does not distinguish the range of all ports from no range.
            let port = port.filter(|port| (port.from(), port.to()) != (0, 65535));
            let peers = cidrs.into_iter().map(Peer::Range);
            let peers = peers.chain(security_groups.into_iter().map(Peer::Group));
            rules.extend(peers.map(|peer| Rule {
                protocol,
                port,
                peer,
                description: description.clone(),
            }));
        }
        Some(Self(rules))
    }

    fn to_value(&self) -> Value {
        let declarations = self.0.iter().map(|rule| {
            let Rule { protocol, port, peer, description } = rule;
            let (cidrs, security_groups) = match peer {
                Peer::Range(range) => (vec![*range], Vec::new()),
                Peer::Group(group) => (Vec::new(), vec![group.clone()]),
            };
            let (protocol, port, description) = (*protocol, *port, description.clone());
            RuleDeclaration { protocol, port, cidrs, security_groups, description }.to_value()
        });
        Value::List(declarations.collect())
    }
}

object! {
    /// A security group with its rules. AWS silently drops what no rule admits.
    pub struct SecurityGroup("security group") {
        /// The VPC.
        vpc: Ref<Vpc> => required, Replace;
        /// The name, unique in the VPC. Best left out: the tool then picks one and can replace the
        /// group while it is in use.
        name: Option<String> => chosen, Replace;
        /// What it is for. AWS requires a description and never lets it change.
        description: Option<String> => chosen, Replace;
        /// Says explicitly that a rule of `ingress` may admit the whole world. Without it, such a rule
        /// is an error.
        open_to_world: Option<bool> => optional, Update;
        /// What may come in.
        ingress: Rules => default(Rules::default()), Update;
        /// What may go out; if left out, everything over IPv4, as AWS has it.
        egress: Rules => default(Rules(vec![Rule::allow_all_egress()])), Update;
        /// Tags. `Name` is the block's name unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The id of a security group.
pub type SecurityGroupId = Id<SecurityGroup>;

impl Identified for SecurityGroup {
    const TITLE: &'static str = "security group";
    const FORM: IdForm = IdForm::Prefixed("sg-");
}

/// A call about a security group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateSecurityGroup`.
    Create {
        /// Where.
        vpc: Ref<Vpc>,
        /// Its name.
        name: String,
        /// What it is for.
        description: String,
        /// All tags.
        tags: Tags,
    },
    /// `AuthorizeSecurityGroupIngress` or `...Egress`, one rule per call so that a repeat is safe.
    Authorize {
        /// Where.
        security_group: Ref<SecurityGroup>,
        /// Which way.
        direction: Direction,
        /// What.
        rule: Rule,
    },
    /// `UpdateSecurityGroupRuleDescriptionsIngress` or `...Egress`.
    Describe {
        /// Where.
        security_group: Ref<SecurityGroup>,
        /// Which way.
        direction: Direction,
        /// What, with its new description.
        rule: Rule,
    },
    /// `RevokeSecurityGroupIngress` or `...Egress`.
    Revoke {
        /// Where.
        security_group: Ref<SecurityGroup>,
        /// Which way.
        direction: Direction,
        /// What.
        rule: Rule,
    },
    /// `DeleteSecurityGroup`.
    Delete {
        /// Which.
        security_group: Ref<SecurityGroup>,
    },
}

impl Operation {
    pub(super) fn needs(&self) -> BTreeSet<Need> {
        let needs = match self {
            Self::Create { vpc, name: _, description: _, tags: _ } => {
                [need(vpc, Readiness::Made), None]
            }
            Self::Authorize { security_group, direction: _, rule }
            | Self::Describe { security_group, direction: _, rule }
            | Self::Revoke { security_group, direction: _, rule } => {
                let peer = match &rule.peer {
                    Peer::Range(_) => None,
                    // It only has to exist: two groups may name each other in their rules.
                    Peer::Group(group) => need(group, Readiness::Made),
                };
                [need(security_group, Readiness::Made), peer]
            }
            Self::Delete { security_group } => [need(security_group, Readiness::Made), None],
        };
        needs.into_iter().flatten().collect()
    }

    calls! {
        Self::Create { .. } => {
            Access::ec2("CreateSecurityGroup").on(&[On::New(A::SecurityGroup), On::Named(A::Vpc)])
        };
        Self::Authorize { direction: Direction::Ingress, .. } => {
            Access::ec2("AuthorizeSecurityGroupIngress").on(&[On::Owned(A::SecurityGroup)])
        };
        Self::Authorize { direction: Direction::Egress, .. } => {
            Access::ec2("AuthorizeSecurityGroupEgress").on(&[On::Owned(A::SecurityGroup)])
        };
        Self::Describe { direction: Direction::Ingress, .. } => {
            Access::ec2("UpdateSecurityGroupRuleDescriptionsIngress")
                .on(&[On::Owned(A::SecurityGroup)])
        };
        Self::Describe { direction: Direction::Egress, .. } => {
            Access::ec2("UpdateSecurityGroupRuleDescriptionsEgress")
                .on(&[On::Owned(A::SecurityGroup)])
        };
        Self::Revoke { direction: Direction::Ingress, .. } => {
            Access::ec2("RevokeSecurityGroupIngress").on(&[On::Owned(A::SecurityGroup)]).at_removal()
        };
        Self::Revoke { direction: Direction::Egress, .. } => {
            Access::ec2("RevokeSecurityGroupEgress").on(&[On::Owned(A::SecurityGroup)]).at_removal()
        };
        Self::Delete { .. } => {
            Access::ec2("DeleteSecurityGroup")
                .on(&[On::Owned(A::SecurityGroup)])
                .with_reads(&["DescribeNetworkInterfaces"])
                .at_removal()
        };
    }
}

impl ResourceType for SecurityGroup {
    const COMPUTED: &'static [Computed] = &[Computed { name: "id", doc: "The id, `sg-...`." }];
    // It cannot be deleted while an interface or another group's rule uses it.
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::CreateThenDelete;

    fn check(&self, problems: &mut Problems) {
        for (attribute, rules) in [("ingress", &self.ingress), ("egress", &self.egress)] {
            refuse_duplicates(problems, attribute, rules.0.iter().map(ToString::to_string));
        }
        if self.open_to_world == Some(true) {
            return;
        }
        for rule in self.ingress.0.iter().filter(|rule| rule.is_open_to_world()) {
            problems.add_with_help(
                ProblemSort::OpenToWorld,
                &Path::default().member("ingress"),
                format!("the rule `{rule}` lets the whole world in"),
                "name the ranges or groups that need it, or confirm that it is intended: \
                 open_to_world = true",
            );
        }
    }

    fn settled(self, _observed: &Self) -> Self {
        // The rules decide whether this is so; the attribute only states that it is intended.
        Self { open_to_world: self.ingress.open_to_world(), ..self }
    }

    fn chosen(self, creation: &Creation<'_>) -> Self {
        let name = self.name.unwrap_or_else(|| {
            let (name, suffix) = creation.unique_name();
            name + &suffix
        });
        let Creation { address, stack, generation: _ } = creation;
        let description = self.description.unwrap_or_else(|| format!("{address} of stack {stack}"));
        Self { name: Some(name), description: Some(description), ..self }
    }

    /// Names are unique in a VPC.
    fn name_in_the_way<'o>(&self, observed: &'o Self) -> Option<&'o str> {
        let same = self.name == observed.name && self.vpc == observed.vpc;
        observed.name.as_deref().filter(|_| same)
    }

    fn named(&self) -> Vec<Named> {
        Named::by(&self.vpc, A::Vpc).into_iter().collect()
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let Self { vpc, name, description, open_to_world: _, ingress, egress, tags } =
            self.clone().chosen(creation);
        let create = Operation::Create {
            vpc,
            name: name.expect("one was chosen"),
            description: description.expect("one was chosen"),
            tags: creation.owned(&tags),
        };
        let group = creation.this();
        let nothing = Rules::default();
        let aws_adds = Rules(vec![Rule::allow_all_egress()]);
        let rules = change_rules(&group, Direction::Ingress, &nothing, &ingress)
            .chain(change_rules(&group, Direction::Egress, &aws_adds, &egress));
        [create].into_iter().chain(rules).map(Into::into).collect()
    }

    fn update(
        &self,
        observed: &Self,
        found: &Found,
        _creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let Self { vpc: _, name: _, description: _, open_to_world: _, ingress, egress, tags: _ } =
            self;
        let group = this(found);
        change_rules(&group, Direction::Ingress, &observed.ingress, ingress)
            .chain(change_rules(&group, Direction::Egress, &observed.egress, egress))
            .map(Into::into)
            .collect()
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        // Rules that name another group keep that group from being deleted, so they are deleted
        // first.
        let security_group = || this(found);
        let names_group = |rule: &&Rule| matches!(rule.peer, Peer::Group(_));
        let revoked = [(Direction::Ingress, &self.ingress), (Direction::Egress, &self.egress)]
            .into_iter()
            .flat_map(|(direction, rules)| {
                rules.0.iter().filter(names_group).map(move |rule| Operation::Revoke {
                    security_group: security_group(),
                    direction,
                    rule: rule.clone(),
                })
            });
        let delete = Operation::Delete { security_group: this(found) };
        revoked.chain([delete]).map(Into::into).collect()
    }
}

/// Returns the calls from `before` to `after`: new rules are added before old ones are removed, so
/// that a change never interrupts what both allow.
fn change_rules(
    group: &Ref<SecurityGroup>,
    direction: Direction,
    before: &Rules,
    after: &Rules,
) -> impl Iterator<Item = Operation> {
    let same = |rules: &Rules, rule: &Rule| rules.0.iter().find(|r| r.admits_as(rule)).cloned();
    let mut operations = Vec::new();
    for rule in &after.0 {
        let (security_group, rule) = (group.clone(), rule.clone());
        match same(before, &rule) {
            None => operations.push(Operation::Authorize { security_group, direction, rule }),
            Some(old) if old.description != rule.description => {
                operations.push(Operation::Describe { security_group, direction, rule });
            }
            Some(_) => {}
        }
    }
    for rule in before.0.iter().filter(|rule| same(after, rule).is_none()) {
        let (security_group, rule) = (group.clone(), rule.clone());
        operations.push(Operation::Revoke { security_group, direction, rule });
    }
    operations.into_iter()
}
