//! Checks: what one call needs, each with the facts that are known of it.
//!
//! What a call names but does not exist is not checked: the action itself reports it.

use super::condition::Facts;
use super::subject::{Find, PEERING, Subject, done_in_the_callers_name, subjects};
use super::{Check, launch, sharing, storage};
use crate::ec2::subnet::Subnet;
use crate::ec2::traffic_mirror::target;
use crate::ec2::vpc_peering::{self, Accounts};
use crate::parameters::Parameters;
use crate::place::partition;
use crate::request::{Request, Service};
use crate::tags::{SPECIFICATIONS, Tags};
use crate::world::{Region, View};
use std::collections::{BTreeMap, BTreeSet};

/// The calls that make a service's role in a Region, if they are the first: the service and the action, the sequence
/// that is drawn from then on, the service's name and the role's name.
const ROLES: [(Service, &str, &str, &str, &str); 2] = [
    (
        Service::AutoScaling,
        "CreateAutoScalingGroup",
        "auto scaling group",
        "autoscaling.amazonaws.com",
        "AWSServiceRoleForAutoScaling",
    ),
    (
        Service::LoadBalancing,
        "CreateLoadBalancer",
        "load balancer",
        "elasticloadbalancing.amazonaws.com",
        "AWSServiceRoleForElasticLoadBalancing",
    ),
];

/// What a call needs, in the order in which it is checked.
pub(super) fn of(request: &Request, view: View<'_>) -> Vec<Check> {
    if request.service == Service::Storage {
        return storage::of(request, view.region);
    }
    if request.service == Service::Sharing {
        return sharing::of(request, view);
    }
    let filled = launch::filled(request, view.region);
    let request = filled.as_ref().unwrap_or(request);
    let call = Checked { request, view, region: view.region, given: given(request) };
    let named = call.action_name(&request.action);
    let subjects = subjects(request.service, &request.action);
    let mut checks: Vec<Check> = subjects
        .iter()
        .flat_map(|subject| call.things(*subject))
        .map(|thing| Check { action: named.clone(), ..thing.into_check() })
        .collect();
    if subjects.is_empty() {
        checks.push(call.about_everything(named));
    }
    checks.extend(call.taggings());
    let reads = done_in_the_callers_name(request.service, &request.action).iter();
    checks.extend(reads.map(|read| call.about_everything((*read).to_owned())));
    checks.extend(call.role());
    if let Some(launch) = launch::of_group(request, view.region) {
        checks.extend(of(&launch, view));
    }
    checks
}

/// The tags that a call gives, by the type of what it makes.
fn given(request: &Request) -> BTreeMap<String, BTreeMap<String, String>> {
    let pair = |tag: &Parameters| {
        Some((tag.text("Key")?.to_owned(), tag.text("Value").unwrap_or_default().to_owned()))
    };
    let tags = |parameters: &Parameters, list: &str| -> BTreeMap<String, String> {
        parameters.list(list).into_iter().filter_map(pair).collect()
    };
    let parameters = &request.parameters;
    match request.service {
        Service::AutoScaling if request.action == "CreateAutoScalingGroup" => {
            BTreeMap::from([("autoScalingGroup".to_owned(), tags(parameters, "Tags"))])
        }
        Service::LoadBalancing => {
            let made = match &*request.action {
                "CreateLoadBalancer" => made_balancer(parameters),
                "CreateTargetGroup" => "targetgroup",
                "CreateListener" => made_listener(parameters),
                _ => return BTreeMap::new(),
            };
            BTreeMap::from([(made.to_owned(), tags(parameters, "Tags"))])
        }
        Service::AutoScaling
        | Service::Ec2
        | Service::Metrics
        | Service::Parameters
        | Service::Sharing
        | Service::Storage
        | Service::Tokens => {
            let specifications = SPECIFICATIONS.into_iter().flat_map(|list| parameters.list(list));
            let of = |specification: &Parameters| {
                let of = specification.text("ResourceType")?.to_owned();
                Some((of, tags(specification, "Tag")))
            };
            specifications.filter_map(of).collect()
        }
    }
}

/// How the resource begins in the ARN of the load balancer that a call makes.
fn made_balancer(parameters: &Parameters) -> &'static str {
    match parameters.text("Type") {
        Some("gateway") => "loadbalancer/gwy",
        _ => "loadbalancer/net",
    }
}

/// How the resource begins in the ARN of the listener that a call makes.
fn made_listener(parameters: &Parameters) -> &'static str {
    let of = parameters.text("LoadBalancerArn").unwrap_or_default();
    if of.contains(":loadbalancer/gwy/") { "listener/gwy" } else { "listener/net" }
}

/// A call that is being checked.
struct Checked<'a> {
    request: &'a Request,
    view: View<'a>,
    region: &'a Region,
    given: BTreeMap<String, BTreeMap<String, String>>,
}

/// A resource that a call is checked on.
struct Thing {
    arn: String,
    facts: Facts,
}

impl Thing {
    fn into_check(self) -> Check {
        Check { action: String::new(), resource: self.arn, facts: self.facts }
    }
}

impl Checked<'_> {
    fn action_name(&self, action: &str) -> String {
        format!("{}:{action}", self.request.service.policy_name())
    }

    fn about_everything(&self, action: String) -> Check {
        let resource = match self.request.service {
            // The only actions on a resource that is not an object of the world.
            Service::Parameters => self.parameter_arn(),
            Service::Tokens if self.request.action == "AssumeRole" => {
                self.request.parameters.given("RoleArn").unwrap_or("*").to_owned()
            }
            _ => "*".to_owned(),
        };
        Check { action, resource, facts: self.facts() }
    }

    fn parameter_arn(&self) -> String {
        let name = self.request.parameters.text("Name").unwrap_or("*");
        format!("arn:aws:ssm:{}::parameter{name}", self.region.name)
    }

    /// What is known for every check.
    fn facts(&self) -> Facts {
        let mut facts = Facts::default();
        facts.add("aws:RequestedRegion", &*self.request.region);
        let template = self.request.parameters.structure("LaunchTemplate");
        let launches = self.request.action == "RunInstances";
        let template = template.filter(|_| launches).and_then(|named| self.template(named));
        if let Some((of, id)) = template {
            facts.add("ec2:LaunchTemplate", self.arn(&format!("{of}/{id}")));
        }
        facts
    }

    /// The resources that a subject stands for.
    fn things(&self, subject: Subject) -> Vec<Thing> {
        match subject {
            Subject::Made(of) => vec![self.made(of)],
            Subject::MadeBalancer => vec![self.made(made_balancer(&self.request.parameters))],
            Subject::MadeIfTagged(of) if self.given.contains_key(of) => vec![self.made(of)],
            Subject::MadeIfTagged(_) => Vec::new(),
            Subject::Id(of, parameter) => {
                let ids = self.ids(parameter);
                ids.into_iter().filter_map(|id| self.existing(of, id)).collect()
            }
            Subject::Name(parameter) => {
                let name = self.request.parameters.given(parameter);
                name.and_then(|name| self.key_pair(name)).into_iter().collect()
            }
            Subject::Tagged(parameter) => self.tagged(parameter),
            Subject::Found(find) => self.found(find),
        }
    }

    /// The values of a parameter, or of a list.
    fn ids(&self, parameter: &str) -> Vec<&str> {
        let parameters = &self.request.parameters;
        parameters.given(parameter).into_iter().chain(parameters.texts(parameter)).collect()
    }

    /// What the call makes.
    fn made(&self, of: &str) -> Thing {
        let text = |name: &str| self.request.parameters.text(name);
        let resource = match self.request.service {
            Service::AutoScaling => {
                let name = text("AutoScalingGroupName").unwrap_or("*");
                format!("{of}:*:autoScalingGroupName/{name}")
            }
            Service::LoadBalancing => format!("{of}/{}/*", text("Name").unwrap_or("*")),
            _ => {
                format!("{of}/{}", text("KeyName").filter(|_| of == "key-pair").unwrap_or("*"))
            }
        };
        let mut facts = self.facts();
        add_request_tags(&mut facts, self.given.get(of));
        if of == PEERING {
            let account = &*self.region.account;
            let sides = [text("VpcId"), text("PeerVpcId")].map(Option::unwrap_or_default);
            let owner = self.request.parameters.given("PeerOwnerId").unwrap_or(account);
            self.add_sides(&mut facts, (account, sides[0]), (owner, sides[1]));
        }
        // A group that is being made counts as having the tags of the call where its own tags are asked for: EC2 Auto
        // Scaling user guide, "Identity-based policy examples".
        if self.request.service == Service::AutoScaling {
            let given = self.given.get(of).into_iter().flatten();
            given.for_each(|(key, value)| self.add_resource_tag(&mut facts, (key, value)));
        }
        Thing { arn: self.arn(&resource), facts }
    }

    /// The existing object, with its tags; `None` if it does not exist.
    fn existing(&self, of: &str, id: &str) -> Option<Thing> {
        if let Some((owner, _)) = target::shared(self.view, id) {
            // The caller does not learn which tags it has for its owner.
            let arn = owner.arn("ec2", format_args!("{of}/{id}"));
            return Some(Thing { arn, facts: self.facts() });
        }
        if of == PEERING {
            return self.peering(id);
        }
        let tags = match of {
            "autoScalingGroup" => &self.region.auto_scaling_groups.get(id)?.tags,
            "loadbalancer" => &self.region.load_balancers.get(id)?.tags,
            "listener" => &self.region.listeners.get(id)?.tags,
            "targetgroup" => &self.region.target_groups.get(id)?.tags,
            "image" => return Some(Thing { arn: self.image_arn(id), facts: self.facts() }),
            _ => {
                let tables = self.region.tables().into_iter();
                let mut of_type = tables.filter(|(_, table)| table.kind().resource_type == of);
                of_type.find_map(|(_, table)| table.tags(id))?
            }
        };
        let arn = match self.request.service {
            Service::AutoScaling => self.region.auto_scaling_groups.get(id)?.arn.clone(),
            Service::LoadBalancing => id.to_owned(),
            _ => self.arn(&format!("{of}/{id}")),
        };
        let mut facts = self.facts();
        self.add_resource_tags(&mut facts, tags);
        // Elastic Load Balancing gives the tags of a listener with its load balancer.
        if of == "loadbalancer" {
            let listener = made_listener(&self.request.parameters);
            add_request_tags(&mut facts, self.given.get(listener));
        }
        Some(Thing { arn, facts })
    }

    /// A peering connection as the caller sees it, with its own tags and the VPCs of both sides.
    ///
    /// Source: VPC Peering guide, "Identity and access management for VPC peering".
    fn peering(&self, id: &str) -> Option<Thing> {
        let peering = vpc_peering::seen(self.view, id)?;
        let mut facts = self.facts();
        let own = self.region.vpc_peerings.get(id).map(|peering| &peering.tags);
        let side = || self.region.peering_sides.get(id).map(|side| &side.tags);
        if let Some(tags) = own.or_else(side) {
            self.add_resource_tags(&mut facts, tags);
        }
        let account = |of: fn(&Accounts) -> &String| {
            peering.accounts.as_ref().map_or(&*self.region.account, |accounts| of(accounts))
        };
        let requester = (account(|accounts| &accounts.requester), &*peering.requester);
        let accepter = (account(|accounts| &accounts.accepter), &*peering.accepter);
        self.add_sides(&mut facts, requester, accepter);
        Some(Thing { arn: self.arn(&format!("{PEERING}/{id}")), facts })
    }

    /// Adds the VPCs of both sides of a connection, each with its account.
    fn add_sides(&self, facts: &mut Facts, requester: (&str, &str), accepter: (&str, &str)) {
        let region = &self.region.name;
        let arn =
            |(account, id)| format!("arn:{}:ec2:{region}:{account}:vpc/{id}", partition(region));
        facts.add("ec2:RequesterVpc", arn(requester));
        facts.add("ec2:AccepterVpc", arn(accepter));
    }

    fn key_pair(&self, name: &str) -> Option<Thing> {
        let key_pair = self.region.key_pairs.values().find(|key_pair| key_pair.name == name)?;
        let mut facts = self.facts();
        self.add_resource_tags(&mut facts, &key_pair.tags);
        Some(Thing { arn: self.arn(&format!("key-pair/{name}")), facts })
    }

    /// The objects whose tags a call changes, with the tags that they have and those that the call names.
    fn tagged(&self, parameter: &str) -> Vec<Thing> {
        let parameters = &self.request.parameters;
        let named = match self.request.service {
            Service::AutoScaling | Service::LoadBalancing => parameters.list("Tags"),
            _ => parameters.list("Tag"),
        };
        let of = |id: &str| match self.request.service {
            Service::AutoScaling => self.existing("autoScalingGroup", id),
            Service::LoadBalancing => {
                let path = id.splitn(6, ':').nth(5)?.split('/').next()?;
                self.existing(path, id)
            }
            _ => {
                let tables = self.region.tables();
                let found = tables.iter().find(|(_, table)| table.tags(id).is_some())?;
                self.existing(found.1.kind().resource_type, id)
            }
        };
        let ids = match self.request.service {
            Service::AutoScaling => {
                let ids = named.iter().filter_map(|tag| tag.given("ResourceId"));
                ids.collect::<BTreeSet<_>>().into_iter().collect()
            }
            _ => self.ids(parameter),
        };
        let mut things: Vec<Thing> = ids.into_iter().filter_map(of).collect();
        for thing in &mut things {
            for tag in &named {
                let Some(key) = tag.text("Key") else { continue };
                thing.facts.add("aws:TagKeys", key);
                if let Some(value) = tag.text("Value") {
                    thing.facts.add(&format!("aws:RequestTag/{key}"), value);
                }
            }
            for key in parameters.texts("TagKeys") {
                thing.facts.add("aws:TagKeys", key);
            }
        }
        things
    }

    /// The resources that only the world knows.
    fn found(&self, find: Find) -> Vec<Thing> {
        let parameters = &self.request.parameters;
        let region = self.region;
        let given = |name: &str| parameters.given(name).unwrap_or_default();
        let named: Vec<(&str, &str)> = match find {
            Find::AccepterOfPeering => {
                let peering = vpc_peering::seen(self.view, given("VpcPeeringConnectionId"));
                peering.iter().map(|peering| ("vpc", &*peering.accepter)).collect()
            }
            Find::Association => {
                let id = given("AssociationId");
                let tables = region.route_tables.values();
                let all = tables.flat_map(|t| t.associations.iter().map(move |a| (t, a)));
                let of = all.filter(|(_, association)| association.id == id);
                of.flat_map(|(table, association)| {
                    let subnet = association.subnet_id.as_deref().map(|id| ("subnet", id));
                    [Some(("route-table", &*table.id)), subnet].into_iter().flatten()
                })
                .collect()
            }
            Find::AclAssociation => {
                let id = given("AssociationId");
                let acls = region.network_acls.values();
                let all = acls.flat_map(|acl| acl.associations.iter().map(move |a| (acl, a)));
                let of = all.filter(|(_, association)| association.id == id);
                of.flat_map(|(acl, association)| {
                    [("network-acl", &*acl.id), ("subnet", &*association.subnet_id)]
                })
                .collect()
            }
            Find::Attachment => {
                let id = given("AttachmentId");
                let attached = region.network_interfaces.values().filter_map(|interface| {
                    let attachment = interface.attachment.as_ref().filter(|a| a.id == id)?;
                    Some((interface, attachment))
                });
                attached
                    .flat_map(|(interface, attachment)| {
                        let instance = attachment.instance_id.as_deref();
                        let instance = instance.map(|id| ("instance", id));
                        let interface = Some(("network-interface", &*interface.id));
                        [instance, interface].into_iter().flatten()
                    })
                    .collect()
            }
            Find::RangeAssociation => {
                let id = given("AssociationId");
                let of = region.vpcs.values().filter(|v| v.cidrs.iter().any(|c| c.id == id));
                of.map(|vpc| ("vpc", &*vpc.id)).collect()
            }
            Find::FilterOfRule => {
                let rule = region.mirror_filter_rules.get(given("TrafficMirrorFilterRuleId"));
                rule.iter().map(|rule| ("traffic-mirror-filter", &*rule.filter_id)).collect()
            }
            Find::Group => self.group(given("GroupId"), given("GroupName")),
            Find::Network => {
                let asked = parameters.given("VpcId");
                let default = || region.vpcs.values().find(|vpc| vpc.is_default);
                let vpc = asked.or_else(|| default().map(|vpc| &*vpc.id));
                vpc.map(|id| ("vpc", id)).into_iter().collect()
            }
            Find::GroupOfInstance => {
                let member = region.auto_scaling_members.get(given("InstanceId"));
                member.iter().map(|member| ("autoScalingGroup", member.group())).collect()
            }
            Find::Launch => self.launch(),
            Find::Template => self.template(parameters).into_iter().collect(),
        };
        named.into_iter().filter_map(|(of, id)| self.existing(of, id)).collect()
    }

    fn group<'a>(&'a self, id: &'a str, name: &str) -> Vec<(&'a str, &'a str)> {
        if !id.is_empty() {
            return vec![("security-group", id)];
        }
        let groups = self.region.security_groups.values();
        let named = groups.filter(|group| group.name == name);
        named.map(|group| ("security-group", &*group.id)).collect()
    }

    /// The launch template that is named by id or by name.
    fn template(&self, named: &Parameters) -> Option<(&str, &str)> {
        let (id, name) = (named.given("LaunchTemplateId"), named.given("LaunchTemplateName"));
        let mut templates = self.region.launch_templates.values();
        let found = templates.find(|it| id == Some(&*it.id) || name == Some(&*it.name))?;
        Some(("launch-template", &found.id))
    }

    /// What instances are launched from and into. If no group is named, it is the default one of the VPC.
    fn launch(&self) -> Vec<(&str, &str)> {
        let parameters = &self.request.parameters;
        let asked = parameters.list("NetworkInterface");
        let places: Vec<&Parameters> = if asked.is_empty() { vec![parameters] } else { asked };
        let template = parameters.structure("LaunchTemplate");
        let mut named: BTreeSet<(&str, &str)> =
            template.and_then(|template| self.template(template)).into_iter().collect();
        for place in places {
            if let Some(interface) = place.given("NetworkInterfaceId") {
                named.insert(("network-interface", interface));
                continue;
            }
            let subnet = match place.given("SubnetId") {
                Some(id) => self.region.subnets.get(id),
                None => self.region.subnets.values().find(|subnet| subnet.is_default),
            };
            let groups = place.texts("SecurityGroupId");
            match subnet {
                Some(subnet) if groups.is_empty() => named.extend(self.default_group(subnet)),
                _ => named.extend(groups.into_iter().map(|id| ("security-group", id))),
            }
            named.extend(subnet.map(|subnet| ("subnet", &*subnet.id)));
        }
        named.into_iter().collect()
    }

    fn default_group(&self, subnet: &Subnet) -> Option<(&str, &str)> {
        let mut groups = self.region.security_groups.values();
        let group = groups.find(|g| g.vpc_id == subnet.vpc_id && g.name == "default")?;
        Some(("security-group", &group.id))
    }

    /// The checks for tagging what the call makes.
    fn taggings(&self) -> Vec<Check> {
        let (tagging, creating) = match self.request.service {
            // An action that makes a group may tag it.
            Service::AutoScaling => return Vec::new(),
            Service::LoadBalancing => {
                ("elasticloadbalancing:AddTags", "elasticloadbalancing:CreateAction")
            }
            _ => ("ec2:CreateTags", "ec2:CreateAction"),
        };
        let tagged = self.given.iter().filter(|(_, tags)| !tags.is_empty());
        tagged
            .map(|(of, _)| {
                let mut thing = self.made(of);
                thing.facts.add(creating, &*self.request.action);
                if of.starts_with("listener/") {
                    thing.arn = self.listener_arn();
                }
                Check { action: tagging.to_owned(), ..thing.into_check() }
            })
            .collect()
    }

    /// The ARN of the listeners of the load balancer that is named.
    fn listener_arn(&self) -> String {
        let balancer = self.request.parameters.text("LoadBalancerArn").unwrap_or("*");
        format!("{}/*", balancer.replacen(":loadbalancer/", ":listener/", 1))
    }

    /// The check for making the role of the service.
    fn role(&self) -> Option<Check> {
        let Request { service, action, .. } = self.request;
        let (.., sequence, principal, role) =
            ROLES.iter().find(|(of, first, ..)| of == service && first == action)?;
        let makes = !self.region.counters.contains(sequence);
        makes.then(|| {
            let mut facts = self.facts();
            facts.add("iam:AWSServiceName", *principal);
            Check {
                action: "iam:CreateServiceLinkedRole".to_owned(),
                resource: self
                    .region
                    .iam_arn(format_args!("role/aws-service-role/{principal}/{role}")),
                facts,
            }
        })
    }

    fn arn(&self, resource: &str) -> String {
        let service = self.request.service.policy_name();
        self.region.arn(service, resource)
    }

    /// Images belong to no account.
    fn image_arn(&self, id: &str) -> String {
        format!("arn:aws:ec2:{}::image/{id}", self.region.name)
    }

    fn add_resource_tags(&self, facts: &mut Facts, tags: &Tags) {
        tags.iter().for_each(|tag| self.add_resource_tag(facts, tag));
    }

    fn add_resource_tag(&self, facts: &mut Facts, (key, value): (&str, &str)) {
        let service = self.request.service.policy_name();
        facts.add(&format!("aws:ResourceTag/{key}"), value);
        facts.add(&format!("{service}:ResourceTag/{key}"), value);
    }
}

/// The tags that a call gives to what it makes.
fn add_request_tags(facts: &mut Facts, tags: Option<&BTreeMap<String, String>>) {
    for (key, value) in tags.into_iter().flatten() {
        facts.add(&format!("aws:RequestTag/{key}"), &**value);
        facts.add("aws:TagKeys", &**key);
    }
}
