//! Checks: what one call needs, each with the facts that are known of it.
//!
//! What a call names and what is not there is not checked: the action itself says so.

use super::condition::Facts;
use super::subject::{Find, Subject, done_in_the_callers_name, subjects};
use super::{Check, storage};
use crate::ec2::subnet::Subnet;
use crate::parameters::Parameters;
use crate::request::{Request, Service};
use crate::tags::{SPECIFICATIONS, Tags};
use crate::world::{ACCOUNT, Region, View};
use std::collections::{BTreeMap, BTreeSet};

/// The role of Elastic Load Balancing, which the first load balancer of a Region makes.
const BALANCING_ROLE: &str = "role/aws-service-role/elasticloadbalancing.amazonaws.com/\
                              AWSServiceRoleForElasticLoadBalancing";

/// What a call needs, in the order in which it is checked.
pub(super) fn of(request: &Request, view: View<'_>) -> Vec<Check> {
    if request.service == Service::Storage {
        return storage::of(request, view.region);
    }
    let call = Checked { request, region: view.region, given: given(request) };
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

/// What stands in the ARN of the load balancer that a call makes.
fn made_balancer(parameters: &Parameters) -> &'static str {
    match parameters.text("Type") {
        Some("gateway") => "loadbalancer/gwy",
        _ => "loadbalancer/net",
    }
}

/// What stands in the ARN of the listener that a call makes.
fn made_listener(parameters: &Parameters) -> &'static str {
    let of = parameters.text("LoadBalancerArn").unwrap_or_default();
    if of.contains(":loadbalancer/gwy/") { "listener/gwy" } else { "listener/net" }
}

/// A call that is being checked.
struct Checked<'a> {
    request: &'a Request,
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
            // The only action on a resource that is no object of the world.
            Service::Parameters => self.parameter_arn(),
            _ => "*".to_owned(),
        };
        Check { action, resource, facts: self.facts() }
    }

    fn parameter_arn(&self) -> String {
        let name = self.request.parameters.text("Name").unwrap_or("*");
        format!("arn:aws:ssm:{}::parameter{name}", self.region.name)
    }

    /// What is known of every check.
    fn facts(&self) -> Facts {
        let mut facts = Facts::default();
        facts.add("aws:RequestedRegion", &*self.request.region);
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
        let name = match self.request.service {
            Service::LoadBalancing => {
                format!("{}/*", self.request.parameters.text("Name").unwrap_or("*"))
            }
            _ => self
                .request
                .parameters
                .text("KeyName")
                .filter(|_| of == "key-pair")
                .unwrap_or("*")
                .to_owned(),
        };
        let mut facts = self.facts();
        add_request_tags(&mut facts, self.given.get(of));
        Thing { arn: self.arn(&format!("{of}/{name}")), facts }
    }

    /// What is there, with its tags; nothing if it is not.
    fn existing(&self, of: &str, id: &str) -> Option<Thing> {
        let tags = match of {
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

    fn key_pair(&self, name: &str) -> Option<Thing> {
        let key_pair = self.region.key_pairs.values().find(|key_pair| key_pair.name == name)?;
        let mut facts = self.facts();
        self.add_resource_tags(&mut facts, &key_pair.tags);
        Some(Thing { arn: self.arn(&format!("key-pair/{name}")), facts })
    }

    /// What the tags of a call are changed on, with those it has and those that are named.
    fn tagged(&self, parameter: &str) -> Vec<Thing> {
        let parameters = &self.request.parameters;
        let named = match self.request.service {
            Service::LoadBalancing => parameters.list("Tags"),
            _ => parameters.list("Tag"),
        };
        let of = |id: &str| match self.request.service {
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
        let mut things: Vec<Thing> = self.ids(parameter).into_iter().filter_map(of).collect();
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

    /// What only the world can tell.
    fn found(&self, find: Find) -> Vec<Thing> {
        let parameters = &self.request.parameters;
        let region = self.region;
        let given = |name: &str| parameters.given(name).unwrap_or_default();
        let named: Vec<(&str, &str)> = match find {
            Find::AccepterOfPeering => {
                let peering = region.vpc_peerings.get(given("VpcPeeringConnectionId"));
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
            Find::Launch => self.launch(),
            Find::Template => {
                let (id, name) = (given("LaunchTemplateId"), given("LaunchTemplateName"));
                let mut templates = region.launch_templates.values();
                let named = templates.find(|template| template.id == id || template.name == name);
                named.map(|template| ("launch-template", &*template.id)).into_iter().collect()
            }
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

    /// What instances are launched into. Where no group is named, it is the default one of the VPC.
    fn launch(&self) -> Vec<(&str, &str)> {
        let parameters = &self.request.parameters;
        let asked = parameters.list("NetworkInterface");
        let places: Vec<&Parameters> = if asked.is_empty() { vec![parameters] } else { asked };
        let mut named = BTreeSet::new();
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

    /// The tagging of what the call makes.
    fn taggings(&self) -> Vec<Check> {
        let (tagging, creating) = match self.request.service {
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

    /// The listeners of the load balancer that is named.
    fn listener_arn(&self) -> String {
        let balancer = self.request.parameters.text("LoadBalancerArn").unwrap_or("*");
        format!("{}/*", balancer.replacen(":loadbalancer/", ":listener/", 1))
    }

    /// The making of the role of Elastic Load Balancing.
    fn role(&self) -> Option<Check> {
        let makes = self.request.service == Service::LoadBalancing
            && self.request.action == "CreateLoadBalancer"
            && !self.region.counters.contains("load balancer");
        makes.then(|| {
            let mut facts = self.facts();
            facts.add("iam:AWSServiceName", "elasticloadbalancing.amazonaws.com");
            Check {
                action: "iam:CreateServiceLinkedRole".to_owned(),
                resource: format!("arn:aws:iam::{ACCOUNT}:{BALANCING_ROLE}"),
                facts,
            }
        })
    }

    fn arn(&self, resource: &str) -> String {
        let service = self.request.service.policy_name();
        format!("arn:aws:{service}:{}:{ACCOUNT}:{resource}", self.region.name)
    }

    /// Images are of no account.
    fn image_arn(&self, id: &str) -> String {
        format!("arn:aws:ec2:{}::image/{id}", self.region.name)
    }

    fn add_resource_tags(&self, facts: &mut Facts, tags: &Tags) {
        let service = self.request.service.policy_name();
        for (key, value) in tags.iter() {
            facts.add(&format!("aws:ResourceTag/{key}"), value);
            facts.add(&format!("{service}:ResourceTag/{key}"), value);
        }
    }
}

/// The tags that a call gives to what it makes.
fn add_request_tags(facts: &mut Facts, tags: Option<&BTreeMap<String, String>>) {
    for (key, value) in tags.into_iter().flatten() {
        facts.add(&format!("aws:RequestTag/{key}"), &**value);
        facts.add("aws:TagKeys", &**key);
    }
}
