//! What AWS puts into every Region of an account: the default VPC.

use super::dhcp_options::DhcpOptions;
use super::internet_gateway::InternetGateway;
use super::network_acl::{self, NetworkAcl};
use super::route_table::{Association, Route, RouteTable, Target};
use super::security_group::SecurityGroup;
use super::security_group_rule::{Direction, Peer, Permission, SecurityGroupRule};
use super::subnet::{Subnet, SubnetAttribute};
use super::vpc::{CidrAssociation, Vpc, VpcAttribute};
use crate::tags::Tags;
use crate::world::Region;
use ipnet::Ipv4Net;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// What a new VPC is to be.
#[derive(Debug)]
pub(crate) struct VpcPlan {
    pub(crate) cidr: Ipv4Net,
    pub(crate) tenancy: String,
    pub(crate) is_default: bool,
    pub(crate) tags: Tags,
}

/// Creates the default VPC with all that belongs to it.
pub(crate) fn create(region: &mut Region, now: Timestamp) {
    let options = region.draw_id("dopt-");
    region
        .dhcp_options
        .insert(&*options, DhcpOptions { id: options.clone(), tags: Tags::default() });
    let plan = VpcPlan {
        cidr: network(Ipv4Addr::new(172, 31, 0, 0), 16),
        tenancy: "default".to_owned(),
        is_default: true,
        tags: Tags::default(),
    };
    let vpc = create_vpc(region, plan, now);
    for (zone, third) in region.zones().into_iter().zip([0, 16, 32]) {
        let id = region.draw_id("subnet-");
        let subnet = Subnet {
            id: id.clone(),
            vpc_id: vpc.clone(),
            cidr: network(Ipv4Addr::new(172, 31, third, 0), 20),
            zone,
            is_default: true,
            enabled: [SubnetAttribute::MapPublicIp].into(),
            created: now,
            tags: Tags::default(),
        };
        region.subnets.insert(&*id, subnet);
        network_acl::subnet_added(region, (&vpc, &id));
    }
    let gateway = region.draw_id("igw-");
    region.internet_gateways.insert(
        &*gateway,
        InternetGateway { id: gateway.clone(), vpc_id: Some(vpc.clone()), tags: Tags::default() },
    );
    let main = region.route_tables.values().find(|t| t.vpc_id == vpc).map(|t| t.id.clone());
    if let Some(table) = main.and_then(|id| region.route_tables.get_mut(&id)) {
        let destination = Ipv4Net::default().into();
        table.routes.push(Route { destination, target: Target::Gateway(gateway) });
    }
}

/// Creates a VPC with what AWS makes along with it; returns its id.
pub(crate) fn create_vpc(region: &mut Region, plan: VpcPlan, now: Timestamp) -> String {
    let VpcPlan { cidr, tenancy, is_default, tags } = plan;
    let id = region.draw_id("vpc-");
    let association = region.draw_id("vpc-cidr-assoc-");
    let mut enabled = BTreeSet::from([VpcAttribute::DnsSupport]);
    if is_default {
        enabled.insert(VpcAttribute::DnsHostnames);
    }
    let dhcp_options_id = region.dhcp_options.first().map_or("default", |(id, _)| id).to_owned();
    let vpc = Vpc {
        id: id.clone(),
        cidrs: vec![CidrAssociation { id: association, cidr }],
        dhcp_options_id,
        is_default,
        tenancy,
        enabled,
        created: now,
        tags,
    };
    region.vpcs.insert(&*id, vpc);
    create_main_route_table(region, &id);
    create_default_group(region, &id);
    let acl = region.draw_id("acl-");
    let row = NetworkAcl::default_of(&id, &acl);
    region.network_acls.insert(acl, row);
    id
}

fn create_main_route_table(region: &mut Region, vpc: &str) {
    let id = region.draw_id("rtb-");
    let association = Association { id: region.draw_id("rtbassoc-"), subnet_id: None };
    let table = RouteTable {
        id: id.clone(),
        vpc_id: vpc.to_owned(),
        routes: Vec::new(),
        associations: vec![association],
        tags: Tags::default(),
    };
    region.route_tables.insert(id, table);
}

fn create_default_group(region: &mut Region, vpc: &str) {
    let id = region.draw_id("sg-");
    let group = SecurityGroup {
        id: id.clone(),
        name: "default".to_owned(),
        description: "default VPC security group".to_owned(),
        vpc_id: vpc.to_owned(),
        tags: Tags::default(),
    };
    region.security_groups.insert(&*id, group);
    allow_all(region, &id, (Direction::Ingress, Peer::Group(id.clone())));
    allow_all(region, &id, (Direction::Egress, Peer::Ipv4(Ipv4Net::default())));
}

/// Adds a rule that allows every protocol to or from a peer.
pub(crate) fn allow_all(region: &mut Region, group: &str, (direction, peer): (Direction, Peer)) {
    let id = region.draw_id("sgr-");
    let protocol = "-1".to_owned();
    let rule = SecurityGroupRule {
        id: id.clone(),
        group_id: group.to_owned(),
        permission: Permission { direction, protocol, ports: None, peer },
        description: None,
        tags: Tags::default(),
    };
    region.security_group_rules.insert(id, rule);
}

fn network(address: Ipv4Addr, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(address, length)
}
