//! Terraform's state, version 4: which resources it contains, and what of them a stack file cannot
//! express.
//!
//! Source: states written by Terraform 1.11 with hashicorp/aws, and the schema of that provider.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::free;
use crate::address::{Address, Kind};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::id::ObjectId;
use crate::observed::Observed;
use crate::render::terraform::{StateJson, is_part, kind_of};
use crate::resource::id_of;

/// Types that are parts of a resource here and come with it, in addition to those that the exporter writes.
const PARTS: [&str; 5] = [
    "aws_route",
    "aws_internet_gateway_attachment",
    "aws_security_group_rule",
    "aws_vpc_security_group_ingress_rule",
    "aws_vpc_security_group_egress_rule",
];

/// Attributes that describe the state and not the object, or repeat what others state.
const OF_THE_STATE: [&str; 7] =
    ["id", "arn", "tags", "tags_all", "timeouts", "name_prefix", "revoke_rules_on_delete"];

/// Attributes that only AWS reports, and that follow from others.
const TOLD_BY_AWS: [&str; 33] = [
    "accept_status",
    "arn_suffix",
    "association_id",
    "availability_zone_id",
    "availability_zones",
    "capacity_reservation_specification",
    "cpu_core_count",
    "cpu_options",
    "cpu_threads_per_core",
    "default_network_acl_id",
    "default_route_table_id",
    "default_security_group_id",
    "default_version",
    "dhcp_options_id",
    "dns_name",
    "instance_lifecycle",
    "instance_state",
    "latest_version",
    "load_balancer_arns",
    "main_route_table_id",
    "owner_id",
    "peer_owner_id",
    "peer_region",
    "permission_arns",
    "predicted_capacity",
    "primary_network_interface_id",
    "private_dns",
    "service_linked_role_arn",
    "subnet_mapping",
    "traffic_source",
    "vpc_id",
    "warm_pool_size",
    "zone_id",
];

/// Attributes with the values that they have if nobody sets them.
const BY_DEFAULT: [(&str, &str); 11] = [
    ("instance_initiated_shutdown_behavior", "stop"),
    ("instance_tenancy", "default"),
    ("ip_address_type", "ipv4"),
    ("load_balancing_algorithm_type", "round_robin"),
    ("metrics_granularity", "1Minute"),
    ("preserve_client_ip", "true"),
    ("private_dns_hostname_type_on_launch", "ip-name"),
    ("protocol_version", "HTTP1"),
    ("region", ""),
    ("tenancy", "default"),
    ("wait_for_capacity_timeout", "10m"),
];

/// A state that has been read.
#[derive(Clone, Debug)]
pub struct TerraformState {
    taken: Vec<Taken>,
    /// What is not taken over, each with the reason, a line each.
    pub left: Vec<String>,
}

/// A resource that a stack can take over.
#[derive(Clone, Debug)]
struct Taken {
    /// What Terraform calls it.
    from: String,
    address: Address,
    id: ObjectId,
    attributes: Map<String, Json>,
}

#[derive(Deserialize)]
struct Document {
    version: u64,
    #[serde(default)]
    resources: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    mode: String,
    r#type: String,
    name: String,
    module: Option<String>,
    #[serde(default)]
    instances: Vec<Instance>,
}

#[derive(Deserialize)]
struct Instance {
    index_key: Option<Json>,
    deposed: Option<String>,
    #[serde(default)]
    attributes: Map<String, Json>,
}

/// The resource that accepts a connection, within the account or in another one: in the provider it is separate.
const ACCEPTER: &str = "aws_vpc_peering_connection_accepter";

impl TerraformState {
    /// Reads a state.
    ///
    /// # Errors
    /// If the text is not a state, or its version is not 4.
    pub fn parse(text: &str) -> Result<Self, Diagnostics> {
        let document: Document = serde_json::from_str(text).map_err(|error| {
            Diagnostic::error(code::IMPORT, "this is not a Terraform state")
                .note(error.to_string())
                .help("give the file `terraform.tfstate`, or what `terraform state pull` prints")
        })?;
        if document.version != 4 {
            let title = format!(
                "the state has version {}, but only version 4 can be read",
                document.version
            );
            return Err(Diagnostic::error(code::IMPORT, title)
                .help("Terraform 0.12 and later write version 4: run `terraform apply` with such a version")
                .into());
        }
        let mut state = Self { taken: Vec::new(), left: Vec::new() };
        let mut addresses = BTreeSet::new();
        for group in document.resources.iter().filter(|group| group.mode == "managed") {
            let is_part = PARTS.contains(&group.r#type.as_str()) || is_part(&group.r#type);
            for instance in group.instances.iter().filter(|_| !is_part) {
                let from = group.address(instance);
                match group.taken(instance) {
                    Err(why) => state.left.push(format!("{from}: {why}")),
                    Ok((kind, id)) => {
                        let address = free(kind, &group.name_of(instance), &addresses);
                        addresses.insert(address.clone());
                        let attributes = instance.attributes.clone();
                        state.taken.push(Taken { from, address, id, attributes });
                    }
                }
            }
        }
        Ok(state)
    }

    /// Returns what is taken over: what Terraform calls it, what the stack calls it, and the
    /// object.
    pub fn taken(&self) -> impl Iterator<Item = (&str, &Address, &ObjectId)> {
        self.taken.iter().map(|it| (it.from.as_str(), &it.address, &it.id))
    }

    /// Returns what the state records about the resources taken over but the stack file does not contain, a line
    /// each. `observed` is what was read of them.
    #[must_use]
    pub fn untold(&self, observed: &Observed) -> Vec<String> {
        let (said, nothing) = (said(observed), Map::new());
        let taken = self.taken.iter().filter(|it| observed.owned.contains_key(&it.address));
        let untold = taken.flat_map(|Taken { from, address, id: _, attributes }| {
            let said = said.get(address).unwrap_or(&nothing);
            let own = attributes.iter().filter(|(name, value)| {
                !OF_THE_STATE.contains(&name.as_str())
                    && !is_by_itself(name, value)
                    && said.get(*name).is_none_or(is_nothing)
            });
            own.map(move |(name, _)| {
                format!("{from}: `{name}`, which a stack file does not contain")
            })
        });
        untold.collect()
    }
}

impl Group {
    /// Returns what an instance is in a stack, or why it is not taken over.
    fn taken(&self, instance: &Instance) -> Result<(Kind, ObjectId), String> {
        if self.r#type == ACCEPTER {
            return Err("in a stack file the connection itself says who accepts it: `auto_accept` for its own \
                        account, `accept_as` for another one, or an `existing \"vpc\"` with `aws` as its `accepter`"
                .to_owned());
        }
        let Some(kind) = kind_of(&self.r#type) else {
            return Err("a stack file has no such resource".to_owned());
        };
        if let Some(deposed) = &instance.deposed {
            return Err(format!("the deposed object {deposed} is not imported"));
        }
        let text = |name: &str| instance.attributes.get(name).and_then(Json::as_str);
        let kind = match (kind, text("load_balancer_type")) {
            (Kind::LoadBalancer, Some("network") | None) => Kind::LoadBalancer,
            (Kind::LoadBalancer, Some("gateway")) => Kind::GatewayLoadBalancer,
            (Kind::LoadBalancer, Some(sort)) => {
                return Err(format!(
                    "it is of type {sort}, but a stack file has only Network and Gateway Load Balancers"
                ));
            }
            (Kind::GatewayLoadBalancerEndpoint, _) => {
                let sort = text("vpc_endpoint_type").unwrap_or("Gateway");
                if sort != "GatewayLoadBalancer" {
                    return Err(format!(
                        "it is of type {sort}, but a stack file has only endpoints of Gateway Load Balancers"
                    ));
                }
                kind
            }
            (kind, _) => kind,
        };
        if kind == Kind::AutoscalingGroup && !Self::has_launch_template(instance) {
            return Err("it does not start instances from a launch template of its own".to_owned());
        }
        // In the provider, the id of a group is its name.
        let id = if kind == Kind::AutoscalingGroup { text("arn") } else { text("id") };
        let id = id_of(kind, id.unwrap_or_default());
        id.map(|id| (kind, id)).map_err(|error| error.to_string())
    }

    fn has_launch_template(instance: &Instance) -> bool {
        let template = instance.attributes.get("launch_template").and_then(Json::as_array);
        template.is_some_and(|blocks| !blocks.is_empty())
    }

    /// What Terraform calls an instance: `module.net.aws_subnet.a[0]`.
    fn address(&self, instance: &Instance) -> String {
        let module = self.module.iter().map(|module| format!("{module}.")).collect::<String>();
        let index = match &instance.index_key {
            None | Some(Json::Null) => String::new(),
            Some(key) => format!("[{key}]"),
        };
        format!("{module}{}.{}{index}", self.r#type, self.name)
    }

    /// Returns the name of the block; each instance gets its own block.
    fn name_of(&self, instance: &Instance) -> String {
        let modules = self.module.iter().flat_map(|module| module.split('.'));
        let modules = modules.filter(|part| *part != "module").map(str::to_owned);
        let index = match &instance.index_key {
            None | Some(Json::Null) => None,
            Some(Json::String(key)) => Some(key.clone()),
            Some(key) => Some(key.to_string()),
        };
        let parts: Vec<String> = modules.chain([self.name.clone()]).chain(index).collect();
        parts.join("_")
    }
}

/// Returns what the provider would record about what was observed, by resource.
fn said(observed: &Observed) -> BTreeMap<Address, Map<String, Json>> {
    let document = serde_json::to_value(StateJson::new(observed)).unwrap_or_default();
    let resources = document["values"]["root_module"]["resources"].as_array();
    let resources = resources.into_iter().flatten().filter_map(|resource| {
        let kind = kind_of(resource["type"].as_str()?)?;
        let name = resource["name"].as_str()?.parse().ok()?;
        Some((Address::new(kind, name), resource["values"].as_object()?.clone()))
    });
    resources.collect()
}

/// Whether an attribute contains nothing that a person has chosen.
fn is_by_itself(name: &str, value: &Json) -> bool {
    let by_default = BY_DEFAULT
        .iter()
        .any(|(other, text)| *other == name && (text.is_empty() || value.as_str() == Some(*text)));
    is_nothing(value) || by_default || TOLD_BY_AWS.contains(&name)
}

/// Whether a value says nothing.
fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => true,
        Json::Bool(true) => false,
        Json::Number(number) => number.as_f64() == Some(0.0),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.iter().all(is_nothing),
        Json::Object(members) => members.values().all(is_nothing),
    }
}
