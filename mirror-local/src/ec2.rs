//! EC2: one file per kind of resource.

pub(crate) mod account;
pub(crate) mod address;
pub(crate) mod availability_zone;
pub(crate) mod base64;
pub(crate) mod default_network;
pub(crate) mod dhcp_options;
pub(crate) mod image;
pub(crate) mod instance;
pub(crate) mod instance_type;
pub(crate) mod internet_gateway;
pub(crate) mod key_pair;
pub(crate) mod launch_template;
pub(crate) mod network_acl;
pub(crate) mod network_interface;
pub(crate) mod route_table;
pub(crate) mod security_group;
pub(crate) mod security_group_rule;
pub(crate) mod subnet;
pub(crate) mod tag;
pub(crate) mod traffic_mirror;
pub(crate) mod transit_gateway;
pub(crate) mod volume;
pub(crate) mod vpc;
pub(crate) mod vpc_endpoint;
pub(crate) mod vpc_endpoint_service;
pub(crate) mod vpc_peering;

use crate::action::Action;

/// Every action, by kind.
pub(crate) const ACTIONS: &[&[Action]] = &[
    account::ACTIONS,
    availability_zone::ACTIONS,
    dhcp_options::ACTIONS,
    image::ACTIONS,
    instance::ACTIONS,
    instance_type::ACTIONS,
    internet_gateway::ACTIONS,
    key_pair::ACTIONS,
    launch_template::ACTIONS,
    network_acl::ACTIONS,
    network_interface::ACTIONS,
    route_table::ACTIONS,
    security_group::ACTIONS,
    security_group_rule::ACTIONS,
    subnet::ACTIONS,
    tag::ACTIONS,
    traffic_mirror::ACTIONS,
    transit_gateway::ACTIONS,
    volume::ACTIONS,
    vpc::ACTIONS,
    vpc_endpoint::ACTIONS,
    vpc_endpoint_service::ACTIONS,
    vpc_peering::ACTIONS,
];
