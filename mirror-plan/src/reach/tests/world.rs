//! Worlds: small networks that are generated, and the stacks that declare them.
//!
//! A world is described by positions and whole numbers: the oracle reads these and never the stack.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value as Json, json};

use super::acl::{Acl, acl};
use crate::plan::tests::stack;
use crate::stack::Stack;

/// A network.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) vpcs: Vec<Vpc>,
    pub(super) subnets: Vec<Subnet>,
    pub(super) tables: Vec<Table>,
    pub(super) groups: Vec<Group>,
    pub(super) instances: Vec<Instance>,
    pub(super) balancer: Balancer,
}

/// A VPC, 10.N.0.0/24.
#[derive(Clone, Debug)]
pub(super) struct Vpc {
    pub(super) second: u8,
    pub(super) is_made: bool,
    /// Its default network ACL, if its network ACLs were seen.
    pub(super) acl: Option<Acl>,
}

/// A subnet of sixteen addresses.
#[derive(Clone, Debug)]
pub(super) struct Subnet {
    pub(super) vpc: usize,
    pub(super) zone: Option<u8>,
    /// Whether the stack declares it, or only an id names it.
    pub(super) is_known: bool,
    /// Whether it already exists.
    pub(super) is_there: bool,
    /// Its own network ACL, if it has one other than the default.
    pub(super) acl: Option<Acl>,
}

#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) subnets: Vec<usize>,
    pub(super) routes: Vec<(Range, Via)>,
}

/// A range of IPv4 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) first: u32,
    pub(super) length: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    InternetGateway,
    /// The connection between the two VPCs.
    Peering,
    /// Something about which nothing is known: a peering that belongs to others, a transit gateway, a NAT gateway.
    Unseen(&'static str),
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) vpc: usize,
    pub(super) is_known: bool,
    pub(super) ingress: Vec<Rule>,
    pub(super) egress: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) protocol: &'static str,
    pub(super) ports: Option<(u16, u16)>,
    pub(super) peer: Peer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    Range(Range),
    Group(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) subnet: usize,
    pub(super) groups: Vec<usize>,
    /// The place of its address in the subnet, if it is given.
    pub(super) address: Option<u32>,
    /// Whether the stack declares it, or only the id of its interface is known.
    pub(super) is_known: bool,
}

/// A load balancer with its only listener and target group.
#[derive(Clone, Debug)]
pub(super) struct Balancer {
    pub(super) nodes: Vec<usize>,
    pub(super) groups: Vec<usize>,
    pub(super) cross_zone: bool,
    pub(super) listener: (&'static str, u16),
    pub(super) group: (&'static str, u16),
    pub(super) health: Option<u16>,
    pub(super) targets: Vec<usize>,
}

impl Rule {
    fn open() -> Self {
        let all = Range { first: 10 << 24, length: 8 };
        Self { protocol: "all", ports: None, peer: Peer::Range(all) }
    }
}

impl Range {
    pub(super) const fn contains(self, address: u32) -> bool {
        self.length == 0 || (address ^ self.first) >> (32 - self.length) == 0
    }

    pub(super) fn text(self) -> String {
        format!("{}/{}", std::net::Ipv4Addr::from(self.first), self.length)
    }
}

impl World {
    /// The same without most of what may be in the way, so that what is left can be told apart.
    fn eased(mut self) -> Self {
        self.tables.clear();
        self.subnets.iter_mut().for_each(|subnet| subnet.vpc = 0);
        let of_vpcs = self.vpcs.iter_mut().filter_map(|vpc| vpc.acl.as_mut());
        let of_subnets = self.subnets.iter_mut().filter_map(|subnet| subnet.acl.as_mut());
        of_vpcs.chain(of_subnets).for_each(Acl::eased);
        self.groups.iter_mut().for_each(|group| group.vpc = 0);
        for group in self.groups.iter_mut().skip(1) {
            group.ingress.push(Rule::open());
            group.egress.push(Rule::open());
        }
        let last = self.groups.len() - 1;
        for instance in self.instances.iter_mut().filter(|it| it.groups.is_empty()) {
            instance.groups.push(last);
        }
        let group = ("udp", self.balancer.group.1);
        self.balancer = Balancer { listener: ("udp", 4789), group, ..self.balancer };
        self
    }

    /// The same as far as AWS allows it: a subnet has one table, the groups of an interface belong to its VPC, and the
    /// nodes of a load balancer are in one VPC and in different zones.
    fn settled(self) -> Self {
        let Self { vpcs, subnets, tables, groups, instances, balancer } = self;
        let subnets = subnets.into_iter().map(|it| {
            let acl = it.acl.filter(|_| vpcs[it.vpc].acl.is_some());
            Subnet { is_there: it.is_there || acl.is_some(), acl, ..it }
        });
        let subnets: Vec<Subnet> = subnets.collect();
        let of_vpc = |all: Vec<usize>, subnet: usize| -> Vec<usize> {
            let vpc = subnets[subnet].vpc;
            unique(all.into_iter().filter(|group| groups[*group].vpc == vpc))
        };
        let instances: Vec<Instance> = instances
            .into_iter()
            .map(|it| Instance { groups: of_vpc(it.groups, it.subnet), ..it })
            .collect();
        let first = balancer.nodes[0];
        let fits = |at: &usize| {
            let (a, b) = (&subnets[first], &subnets[*at]);
            *at == first || (a.vpc == b.vpc && (a.zone.is_none() || a.zone != b.zone))
        };
        let balancer = Balancer {
            nodes: unique(balancer.nodes.into_iter().filter(fits)),
            targets: unique(balancer.targets.into_iter().filter(|at| *at < instances.len())),
            groups: of_vpc(balancer.groups, first),
            ..balancer
        };
        let tables = settled(tables, &subnets);
        Self { vpcs, subnets, tables, groups, instances, balancer }
    }

    pub(super) fn vpc_range(&self, vpc: usize) -> Range {
        Range { first: 10 << 24 | u32::from(self.vpcs[vpc].second) << 16, length: 24 }
    }

    pub(super) fn subnet_range(&self, subnet: usize) -> Range {
        let slot = u32::try_from(subnet).unwrap();
        Range { first: self.vpc_range(self.subnets[subnet].vpc).first + 16 * slot, length: 28 }
    }

    /// The stack that declares it. Every instance is mirrored to the load balancer, and to the first instance.
    pub(super) fn stack(&self) -> Stack {
        let mut all = serde_json::Map::new();
        for (at, _) in self.vpcs.iter().enumerate().filter(|(_, vpc)| vpc.is_made) {
            all.insert(format!("vpc.v{at}"), json!({ "cidr": self.vpc_range(at).text() }));
            all.insert(format!("internet_gateway.g{at}"), json!({ "vpc": self.vpc(at) }));
        }
        for (at, subnet) in self.subnets.iter().enumerate().filter(|(_, subnet)| subnet.is_known) {
            let zone = subnet.zone.map(|zone| format!("eu-west-1{}", char::from(b'a' + zone)));
            let range = self.subnet_range(at).text();
            let subnet =
                json!({ "vpc": self.vpc(subnet.vpc), "cidr": range, "availability_zone": zone });
            all.insert(format!("subnet.s{at}"), subnet);
        }
        for (at, table) in self.tables.iter().enumerate() {
            all.insert(format!("route_table.t{at}"), self.table(table));
        }
        for (at, group) in self.groups.iter().enumerate().filter(|(_, group)| group.is_known) {
            all.insert(format!("security_group.g{at}"), self.security_group(group));
        }
        for (at, instance) in self.instances.iter().enumerate().filter(|(_, it)| it.is_known) {
            let first = self.subnet_range(instance.subnet).first;
            let address = instance.address.map(|at| std::net::Ipv4Addr::from(first + at));
            let instance = json!({
                "instance_type": "m5.large", "subnet": self.subnet(instance.subnet),
                "security_groups": self.group_names(&instance.groups),
                "private_ip": address.map(|address| address.to_string()),
            });
            all.insert(format!("instance.i{at}"), instance);
        }
        let peering = json!({ "requester": self.vpc(0), "accepter": self.vpc(1) });
        all.insert("vpc_peering.p".to_owned(), peering);
        self.add_balancer(&mut all);
        self.add_sessions(&mut all);
        stack(Json::Object(all))
    }

    fn add_balancer(&self, all: &mut serde_json::Map<String, Json>) {
        let Balancer { nodes, groups, cross_zone, listener, group, health, targets } =
            &self.balancer;
        let health = health.map_or(json!("traffic-port"), |port| json!(port));
        let targets: Vec<Json> = targets
            .iter()
            .map(|at| {
                if self.instances[*at].is_known {
                    self.instance(*at)
                } else {
                    json!(format!("i-{at:017x}"))
                }
            })
            .collect();
        all.insert(
            "target_group.t".to_owned(),
            json!({
                "vpc": self.vpc(self.subnets[nodes[0]].vpc), "protocol": group.0, "port": group.1,
                "health_check": { "port": health }, "targets": targets,
            }),
        );
        let nodes: Vec<Json> = nodes.iter().map(|at| self.subnet(*at)).collect();
        let listener = json!({
            "protocol": listener.0, "port": listener.1, "target_group": "@target_group.t",
        });
        all.insert(
            "load_balancer.b".to_owned(),
            json!({
                "subnets": nodes, "security_groups": self.group_names(groups),
                "cross_zone": cross_zone, "listeners": [listener],
            }),
        );
    }

    fn add_sessions(&self, all: &mut serde_json::Map<String, Json>) {
        let rules = json!([{ "number": 1, "action": "accept" }]);
        all.insert("mirror_filter.all".to_owned(), json!({ "rules": rules }));
        let balancer = json!({ "load_balancer": "@load_balancer.b" });
        all.insert("mirror_target.balancer".to_owned(), balancer);
        let interface = json!({ "network_interface": self.instance(0) });
        all.insert("mirror_target.interface".to_owned(), interface);
        for at in 0..self.instances.len() {
            for (number, target) in [(1, "balancer"), (2, "interface")] {
                let session = json!({
                    "source": self.instance(at), "target": format!("@mirror_target.{target}"),
                    "filter": "@mirror_filter.all", "number": number,
                });
                all.insert(format!("mirror_session.{target}[{at}]"), session);
            }
        }
    }

    fn table(&self, table: &Table) -> Json {
        let vpc = self.subnets[table.subnets[0]].vpc;
        let routes = table.routes.iter().map(|(range, via)| match via {
            Via::InternetGateway if self.vpcs[vpc].is_made => {
                json!({ "destination": range.text(), "internet_gateway": format!("@internet_gateway.g{vpc}") })
            }
            Via::InternetGateway => {
                json!({ "destination": range.text(), "internet_gateway": "igw-0a1b2c3d4e5f67890" })
            }
            Via::Peering => {
                json!({ "destination": range.text(), "vpc_peering": "@vpc_peering.p" })
            }
            Via::Unseen(id) if id.starts_with("pcx-") => {
                json!({ "destination": range.text(), "vpc_peering": id })
            }
            Via::Unseen(id) if id.starts_with("tgw-") => {
                json!({ "destination": range.text(), "transit_gateway": id })
            }
            Via::Unseen(id) => json!({ "destination": range.text(), "target": id }),
        });
        let routes: Vec<Json> = routes.collect();
        let subnets: Vec<Json> = table.subnets.iter().map(|at| self.subnet(*at)).collect();
        json!({ "vpc": self.vpc(vpc), "routes": routes, "subnets": subnets })
    }

    fn security_group(&self, group: &Group) -> Json {
        let rules = |rules: &[Rule]| -> Vec<Json> {
            let mut written: Vec<Json> = Vec::new();
            for rule in rules {
                let port = rule.ports.map(|(from, to)| format!("{from}-{to}"));
                let mut one = json!({ "protocol": rule.protocol, "port": port });
                match &rule.peer {
                    Peer::Range(range) => one["cidrs"] = json!([range.text()]),
                    Peer::Group(at) => one["security_groups"] = json!([self.group(*at)]),
                }
                if !written.contains(&one) {
                    written.push(one);
                }
            }
            written
        };
        json!({
            "vpc": self.vpc(group.vpc), "ingress": rules(&group.ingress), "egress": rules(&group.egress),
        })
    }

    fn vpc(&self, at: usize) -> Json {
        if self.vpcs[at].is_made {
            json!(format!("@vpc.v{at}"))
        } else {
            json!(format!("vpc-{at:017x}"))
        }
    }

    fn subnet(&self, at: usize) -> Json {
        let known = self.subnets[at].is_known;
        if known { json!(format!("@subnet.s{at}")) } else { json!(format!("subnet-{at:017x}")) }
    }

    fn group(&self, at: usize) -> Json {
        let known = self.groups[at].is_known;
        if known { json!(format!("@security_group.g{at}")) } else { json!(format!("sg-{at:017x}")) }
    }

    fn group_names(&self, groups: &[usize]) -> Vec<Json> {
        groups.iter().map(|at| self.group(*at)).collect()
    }

    fn instance(&self, at: usize) -> Json {
        let known = self.instances[at].is_known;
        if known { json!(format!("@instance.i{at}")) } else { json!(format!("eni-{at:017x}")) }
    }
}

/// Reduces the tables to one for each subnet, and their routes to one for each range.
fn settled(tables: Vec<Table>, subnets: &[Subnet]) -> Vec<Table> {
    let mut has_table: Vec<usize> = Vec::new();
    let settled = tables.into_iter().filter_map(|table| {
        let vpc = subnets[table.subnets[0]].vpc;
        let free = table.subnets.into_iter().filter(|at| subnets[*at].vpc == vpc);
        let of = unique(free.filter(|at| !has_table.contains(at)));
        has_table.extend(&of);
        let mut seen = Vec::new();
        let routes = table.routes.into_iter().filter(|(range, _)| {
            let is_new = !seen.contains(range);
            seen.push(*range);
            is_new
        });
        let routes = routes.collect();
        (!of.is_empty()).then_some(Table { subnets: of, routes })
    });
    settled.collect()
}

fn unique(all: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut seen = Vec::new();
    for one in all {
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
    seen
}

/// How much of a world is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known {
    /// Everything, addresses included.
    All,
    /// Some things are only named by their ids, and some addresses are picked by AWS.
    Some,
}

fn range() -> impl Strategy<Value = Range> {
    let vpc = 0..2_u32;
    let narrow = (vpc.clone(), 0..5_u32, select(vec![28_u8, 28, 28, 29, 30]), 0..4_u32);
    let narrow = narrow.prop_map(|(vpc, subnet, length, part)| {
        let first = 10 << 24 | vpc << 16 | subnet << 4 | part << 2;
        Range { first: first & (u32::MAX << (32 - length)), length }
    });
    let whole = vpc.prop_map(|vpc| Range { first: 10 << 24 | vpc << 16, length: 24 });
    prop_oneof![3 => Just(Range { first: 10 << 24, length: 8 }), 2 => whole, 4 => narrow]
}

fn rule(groups: usize) -> impl Strategy<Value = Rule> {
    let what = prop_oneof![
        6 => Just(("udp", Some((4789, 4789)))),
        2 => Just(("udp", None)),
        1 => Just(("udp", Some((4790, 4790)))),
        4 => Just(("tcp", Some((80, 80)))),
        1 => Just(("tcp", Some((4000, 5000)))),
        3 => Just(("all", None)),
    ];
    let peer =
        prop_oneof![4 => range().prop_map(Peer::Range), 1 => (0..groups).prop_map(Peer::Group)];
    (what, peer).prop_map(|((protocol, ports), peer)| Rule { protocol, ports, peer })
}

/// Whether a thing is known, if not everything is.
fn known(known: Known) -> BoxedStrategy<bool> {
    match known {
        Known::All => Just(true).boxed(),
        Known::Some => prop::bool::weighted(0.85).boxed(),
    }
}

fn via() -> impl Strategy<Value = Via> {
    let unseen = ["pcx-0a1b2c3d4e5f67890", "tgw-0a1b2c3d4e5f67890", "nat-0a1b2c3d4e5f67890"];
    prop_oneof![
        2 => Just(Via::InternetGateway),
        1 => Just(Via::Peering),
        3 => select(unseen.to_vec()).prop_map(Via::Unseen),
    ]
}

/// Worlds of two VPCs, which may have the same range, and a few of everything else.
pub(super) fn world(how: Known) -> impl Strategy<Value = World> {
    let vpc = || (known(how), option::weighted(0.4, acl()));
    let vpcs = (prop::bool::weighted(0.1), vpc(), vpc()).prop_map(|(same, a, b)| {
        let vpc = |second, (is_made, acl)| Vpc { second, is_made, acl };
        vec![vpc(0, a), vpc(u8::from(!same), b)]
    });
    let zone = match how {
        Known::All => (0..3_u8).prop_map(Some).boxed(),
        Known::Some => option::weighted(0.8, 0..3_u8).boxed(),
    };
    let acls = (any::<bool>(), option::weighted(0.4, acl()));
    let subnet = (prop_oneof![4 => Just(0_usize), 1 => Just(1)], zone, known(how), acls).prop_map(
        |(vpc, zone, is_known, (is_there, acl))| Subnet { vpc, zone, is_known, is_there, acl },
    );
    (vpcs, vec(subnet, 2..=5), 1..=4_usize).prop_flat_map(move |(vpcs, subnets, groups)| {
        let count = subnets.len();
        let (vpcs, subnets) = (Just(vpcs), Just(subnets));
        let tables = vec(table(count), 0..=2);
        let instances = vec(instance(how, count, groups), 2..=5);
        let parts = (vpcs, subnets, tables, vec(group(how, groups), groups), instances);
        (parts, balancer(count, groups), any::<bool>()).prop_map(
            |((vpcs, subnets, tables, groups, instances), balancer, is_easy)| {
                let world = World { vpcs, subnets, tables, groups, instances, balancer };
                if is_easy { world.eased().settled() } else { world.settled() }
            },
        )
    })
}

fn table(subnets: usize) -> impl Strategy<Value = Table> {
    (vec(0..subnets, 1..=3), vec((range(), via()), 0..=3))
        .prop_map(|(subnets, routes)| Table { subnets, routes })
}

fn group(how: Known, groups: usize) -> impl Strategy<Value = Group> {
    let rules = (vec(rule(groups), 0..=4), vec(rule(groups), 0..=3));
    (0..2_usize, known(how), rules).prop_map(|(vpc, is_known, (ingress, egress))| Group {
        vpc,
        is_known,
        ingress,
        egress,
    })
}

fn instance(how: Known, subnets: usize, groups: usize) -> impl Strategy<Value = Instance> {
    let address = (0..4_u32).prop_map(|part| 4 * part + 1);
    let address = match how {
        Known::All => address.prop_map(Some).boxed(),
        Known::Some => option::of(address).boxed(),
    };
    (0..subnets, vec(0..groups, 0..=2), address, known(how)).prop_map(
        |(subnet, groups, address, is_known)| Instance { subnet, groups, address, is_known },
    )
}

fn balancer(subnets: usize, groups: usize) -> impl Strategy<Value = Balancer> {
    let listener = prop_oneof![
        16 => Just(("udp", 4789)), 1 => Just(("tcp_udp", 4789)), 1 => Just(("tcp", 4789)),
        1 => Just(("udp", 4790)),
    ];
    let group = prop_oneof![
        8 => Just(("udp", 4789)), 1 => Just(("tcp_udp", 4789)), 1 => Just(("tcp", 4789)),
        1 => Just(("udp", 4790)),
    ];
    let health = option::weighted(0.8, Just(80));
    let parts = (vec(0..subnets, 1..=2), vec(0..groups, 0..=2), any::<bool>());
    (parts, listener, group, health, vec(0..5_usize, 0..=4)).prop_map(
        |((nodes, groups, cross_zone), listener, group, health, targets)| Balancer {
            nodes,
            groups,
            cross_zone,
            listener,
            group,
            health,
            targets,
        },
    )
}
