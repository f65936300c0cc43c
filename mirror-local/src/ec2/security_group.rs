//! Security groups. Their rules are a kind of their own.

use super::default_network::allow_all;
use super::security_group_rule::{Direction, Peer, SecurityGroupRule, write_permissions};
use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::parameters::Parameters;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, Region, View, by_id, find};
use crate::xml::Xml;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeSecurityGroups", describe),
    Action::write("CreateSecurityGroup", create),
    Action::write("DeleteSecurityGroup", delete),
    Action::read("DescribeSecurityGroupReferences", |view, parameters, xml| {
        for id in parameters.required_texts("GroupId")? {
            by_id(&view.region.security_groups, id, "groupId")?;
        }
        xml.items("securityGroupReferenceSet", [(); 0], |_, ()| {});
        Ok(())
    }),
    Action::read("DescribeStaleSecurityGroups", |view, parameters, xml| {
        find(&view.region.vpcs, parameters, "VpcId")?;
        xml.items("staleSecurityGroupSet", [(); 0], |_, ()| {});
        Ok(())
    }),
];

/// A security group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SecurityGroup {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) vpc_id: String,
    pub(crate) tags: Tags,
}

tagged_row!(
    SecurityGroup,
    Kind {
        prefix: "sg-",
        noun: "security group",
        resource_type: "security-group",
        not_found: "InvalidGroup.NotFound",
        malformed: "InvalidGroupId.Malformed",
        describe: "DescribeSecurityGroups",
    }
);

/// Returns the default group of a VPC.
pub(crate) fn default_of<'a>(region: &'a Region, vpc: &str) -> Option<&'a SecurityGroup> {
    named(region, vpc, "default")
}

fn named<'a>(region: &'a Region, vpc: &str, name: &str) -> Option<&'a SecurityGroup> {
    region.security_groups.values().find(|group| group.vpc_id == vpc && group.name == name)
}

/// Returns the rules of a group.
pub(crate) fn rules<'a>(
    region: &'a Region,
    group: &'a str,
) -> impl Iterator<Item = &'a SecurityGroupRule> {
    region.security_group_rules.values().filter(move |rule| rule.group_id == group)
}

/// Removes a group and its rules.
pub(crate) fn remove(region: &mut Region, id: &str) {
    let rules: Vec<String> = rules(region, id).map(|rule| rule.id.clone()).collect();
    for rule in rules {
        region.security_group_rules.remove(&rule);
    }
    region.security_groups.remove(id);
}

/// Returns the ARN of a group.
pub(crate) fn arn(region: &Region, id: &str) -> String {
    region.arn("ec2", format_args!("security-group/{id}"))
}

const LISTING: Listing<SecurityGroup> = Listing {
    table: |region| &region.security_groups,
    ids: "GroupId",
    filters: &[
        ("description", |_, g| texts([&g.description])),
        ("egress.ip-permission.cidr", |view, g| cidrs(view, g, Direction::Egress)),
        ("egress.ip-permission.from-port", |view, g| ports(view, g, (Direction::Egress, |p| p.0))),
        ("egress.ip-permission.group-id", |view, g| peers(view, g, Direction::Egress)),
        ("egress.ip-permission.group-name", |view, g| peer_names(view, g, Direction::Egress)),
        ("egress.ip-permission.ipv6-cidr", |view, g| ipv6_cidrs(view, g, Direction::Egress)),
        ("egress.ip-permission.prefix-list-id", |_, _| Vec::new()),
        ("egress.ip-permission.protocol", |view, g| protocols(view, g, Direction::Egress)),
        ("egress.ip-permission.to-port", |view, g| ports(view, g, (Direction::Egress, |p| p.1))),
        ("egress.ip-permission.user-id", |view, g| peer_owners(view, g, Direction::Egress)),
        ("group-id", |_, g| texts([&g.id])),
        ("group-name", |_, g| texts([&g.name])),
        ("ip-permission.cidr", |view, g| cidrs(view, g, Direction::Ingress)),
        ("ip-permission.from-port", |view, g| ports(view, g, (Direction::Ingress, |p| p.0))),
        ("ip-permission.group-id", |view, g| peers(view, g, Direction::Ingress)),
        ("ip-permission.group-name", |view, g| peer_names(view, g, Direction::Ingress)),
        ("ip-permission.ipv6-cidr", |view, g| ipv6_cidrs(view, g, Direction::Ingress)),
        ("ip-permission.prefix-list-id", |_, _| Vec::new()),
        ("ip-permission.protocol", |view, g| protocols(view, g, Direction::Ingress)),
        ("ip-permission.to-port", |view, g| ports(view, g, (Direction::Ingress, |p| p.1))),
        ("ip-permission.user-id", |view, g| peer_owners(view, g, Direction::Ingress)),
        ("owner-id", |view, _| texts([&view.region.account])),
        ("vpc-id", |_, g| texts([&g.vpc_id])),
    ],
    set: "securityGroupInfo",
    write,
    page: 5..=1000,
};

fn looking<'a>(
    view: View<'a>,
    group: &'a SecurityGroup,
    direction: Direction,
) -> impl Iterator<Item = &'a SecurityGroupRule> {
    rules(view.region, &group.id).filter(move |rule| rule.permission.direction == direction)
}

fn cidrs(view: View<'_>, group: &SecurityGroup, direction: Direction) -> Vec<String> {
    texts(looking(view, group, direction).filter_map(|rule| match rule.permission.peer {
        Peer::Ipv4(cidr) => Some(cidr.to_string()),
        _ => None,
    }))
}

fn peers(view: View<'_>, group: &SecurityGroup, direction: Direction) -> Vec<String> {
    texts(looking(view, group, direction).filter_map(|rule| match &rule.permission.peer {
        Peer::Group(id) => Some(id),
        _ => None,
    }))
}

fn ipv6_cidrs(view: View<'_>, group: &SecurityGroup, direction: Direction) -> Vec<String> {
    texts(looking(view, group, direction).filter_map(|rule| match rule.permission.peer {
        Peer::Ipv6(cidr) => Some(cidr),
        _ => None,
    }))
}

/// The names of the groups that rules refer to.
fn peer_names(view: View<'_>, group: &SecurityGroup, direction: Direction) -> Vec<String> {
    let ids = peers(view, group, direction);
    let groups = ids.iter().filter_map(|id| view.region.security_groups.get(id));
    texts(groups.map(|group| &group.name))
}

/// The accounts of the groups that rules refer to: there is only one.
fn peer_owners(view: View<'_>, group: &SecurityGroup, direction: Direction) -> Vec<String> {
    texts(peers(view, group, direction).iter().map(|_| &view.region.account))
}

fn protocols(view: View<'_>, group: &SecurityGroup, direction: Direction) -> Vec<String> {
    texts(looking(view, group, direction).map(|rule| &rule.permission.protocol))
}

type End = fn((i32, i32)) -> i32;

fn ports(view: View<'_>, group: &SecurityGroup, (direction, end): (Direction, End)) -> Vec<String> {
    texts(looking(view, group, direction).filter_map(|rule| rule.permission.ports.map(end)))
}

fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let names = parameters.texts("GroupName");
    let default = view.region.vpcs.values().find(|vpc| vpc.is_default).map(|vpc| &*vpc.id);
    for name in &names {
        let known = default.and_then(|vpc| named(view.region, vpc, name));
        known.ok_or_else(|| {
            let message = format!("The security group '{name}' does not exist in default VPC");
            Failure::new("InvalidGroup.NotFound", message)
        })?;
    }
    LISTING.answer_where(view, parameters, xml, |group| {
        names.is_empty() || (names.contains(&&*group.name) && Some(&*group.vpc_id) == default)
    })
}

fn write(view: View<'_>, group: &SecurityGroup, xml: &mut Xml) {
    xml.text("groupDescription", &group.description);
    xml.text("groupId", &group.id);
    xml.text("groupName", &group.name);
    let owner = &view.region.account;
    write_permissions((xml, "ipPermissions"), owner, looking(view, group, Direction::Ingress));
    write_permissions((xml, "ipPermissionsEgress"), owner, looking(view, group, Direction::Egress));
    xml.text("ownerId", &view.region.account);
    xml.text("securityGroupArn", arn(view.region, &group.id));
    group.tags.write(xml);
    xml.text("vpcId", &group.vpc_id);
}

fn create(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    let name = checked_text(parameters, "GroupName")?;
    let description = checked_text(parameters, "GroupDescription")?;
    if name.starts_with("sg-") {
        let message = format!(
            "Invalid value '{name}' for groupName. Group names may not be in the format sg-*."
        );
        return Err(Failure::new("InvalidParameterValue", message));
    }
    if name == "default" {
        let message = "Cannot use reserved security group name: default";
        return Err(Failure::new("InvalidParameterValue", message));
    }
    let vpc = match parameters.text("VpcId") {
        Some(id) => by_id(&call.region.vpcs, id, "vpcId")?.id.clone(),
        None => call.region.default_vpc()?,
    };
    if named(call.region, &vpc, name).is_some() {
        let message = format!("The security group '{name}' already exists for VPC '{vpc}'");
        return Err(Failure::new("InvalidGroup.Duplicate", message));
    }
    if call.region.security_groups.len() >= call.settings.quotas.security_groups {
        let message = "The maximum number of security groups has been reached.";
        return Err(Failure::new("SecurityGroupLimitExceeded", message));
    }
    let tags = Tags::specified(parameters, "security-group")?;
    let id = call.region.draw_id("sg-");
    let (name, description) = (name.to_owned(), description.to_owned());
    xml.text("groupId", &id);
    xml.text("return", true);
    tags.write(xml);
    xml.text("securityGroupArn", arn(call.region, &id));
    let group = SecurityGroup { id: id.clone(), name, description, vpc_id: vpc, tags };
    call.region.security_groups.insert(&*id, group);
    allow_all(call.region, &id, (Direction::Egress, Peer::Ipv4(Ipv4Net::default())));
    Ok(())
}

/// Reads a name or description, which may hold only what EC2 allows there.
fn checked_text<'a>(parameters: &'a Parameters, name: &str) -> Outcome<&'a str> {
    let text = parameters.required(name)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    if text.chars().count() > 255 || !text.chars().all(allowed) {
        let why = "Character sets beyond ASCII are not supported, and at most 255 characters.";
        return Err(Failure::invalid(text, name, why));
    }
    Ok(text)
}

fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let region = &*call.region;
    let group = match (call.parameters.text("GroupId"), call.parameters.text("GroupName")) {
        (Some(id), _) => by_id(&region.security_groups, id, "groupId")?,
        (None, Some(name)) => named(region, &region.default_vpc()?, name).ok_or_else(|| {
            let message = format!("The security group '{name}' does not exist in default VPC");
            Failure::new("InvalidGroup.NotFound", message)
        })?,
        (None, None) => return Err(Failure::missing("groupId")),
    };
    let id = group.id.clone();
    if group.name == "default" {
        let message =
            format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user");
        return Err(Failure::new("CannotDelete", message));
    }
    let referenced = region
        .security_group_rules
        .values()
        .any(|rule| rule.group_id != id && rule.permission.peer == Peer::Group(id.clone()));
    let used = region.network_interfaces.values().any(|interface| interface.groups.contains(&id));
    if referenced || used {
        return Err(Failure::dependency(format_args!("resource {id} has a dependent object")));
    }
    remove(call.region, &id);
    xml.text("return", true);
    xml.text("groupId", id);
    Ok(())
}
