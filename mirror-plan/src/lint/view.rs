//! A stack as the lints look at it: what is behind a reference, and what uses what.

use std::collections::{BTreeMap, BTreeSet};

use super::Around;
use crate::address::{Address, Key, Kind, Name};
use crate::attribute::{Ref, Referable};
use crate::diagnostic::{Patch, Span};
use crate::id::{NetworkInterface, NetworkInterfaceId};
use crate::observed::{Observed, Stranger};
use crate::packet::{Mirrored, RULES_MAX};
use crate::plan::sources::sessions_of_sources;
use crate::reach::{self, Balanced, Delivery, Mention, Network, Reach, Receiver, Whose};
use crate::resource::{
    AutoscalingGroup, EndpointService, GatewayLoadBalancer, Instance, InternetGateway,
    LaunchTemplate, LoadBalancer, MirrorFilter, MirrorSession, MirrorTarget, Resource, RouteTable,
    SecurityGroup, Subnet, TargetGroup, Vpc,
};
use crate::scalar::AvailabilityZone;
use crate::stack::{FanOut, Place, Stack};
use crate::value::Path;

/// The port on which mirrored packets arrive.
pub(super) const VXLAN: u16 = crate::resource::target_group::VXLAN.get();

/// A resource with its address.
pub(super) type Of<'s, T> = (&'s Address, &'s T);

/// A stack, with what the lints look up in it repeatedly.
pub(super) struct View<'s> {
    stack: &'s Stack,
    /// What was seen of the cloud, if it was looked at.
    pub(super) around: Option<Around<'s>>,
    /// What becomes of the packets of each session.
    pub(super) reach: Reach<'s>,
    /// The sessions of others, by interface.
    strangers: BTreeMap<&'s str, Vec<&'s Stranger>>,
    pub(super) sessions: Vec<Of<'s, MirrorSession>>,
    pub(super) targets: Vec<Of<'s, MirrorTarget>>,
    pub(super) load_balancers: Vec<Of<'s, LoadBalancer>>,
    pub(super) instances: Vec<Of<'s, Instance>>,
    pub(super) subnets: Vec<Of<'s, Subnet>>,
    pub(super) route_tables: Vec<Of<'s, RouteTable>>,
    /// The sessions of each interface, by number.
    pub(super) by_source: BTreeMap<&'s Ref<NetworkInterface>, Vec<Of<'s, MirrorSession>>>,
    /// The instances of the stack that are mirrored to each target.
    pub(super) sources: BTreeMap<&'s Address, Vec<Of<'s, Instance>>>,
    /// What each filter mirrors. Filters with more rules than are worked out are left out.
    pub(super) mirrored: BTreeMap<&'s Address, Mirrored>,
}

/// What determines the security groups of a receiver.
#[derive(Clone, Copy)]
pub(super) struct Machine<'s> {
    /// The instance, or the launch template that it is started from.
    pub(super) address: &'s Address,
    pub(super) security_groups: &'s [Ref<SecurityGroup>],
}

/// Makes the methods that look behind a reference.
macro_rules! behind {
    ($($name:ident: $kind:ident;)+) => {$(
        /// What is behind a reference, if it is known.
        pub(super) fn $name(&self, to: &Ref<impl Referable>) -> Option<Of<'s, $kind>> {
            match self.behind(to)? {
                (address, Resource::$kind(resource)) => Some((address, resource)),
                _ => None,
            }
        }
    )+};
}

impl<'s> View<'s> {
    pub(super) fn of(stack: &'s Stack, around: Option<Around<'s>>) -> Self {
        let network = Network::of_stack(stack);
        let network = match around {
            Some(around) => network.using(around.observed),
            None => network,
        };
        let mut view = Self {
            stack,
            around,
            reach: Reach::over(network),
            strangers: BTreeMap::new(),
            sessions: Vec::new(),
            targets: Vec::new(),
            load_balancers: Vec::new(),
            instances: Vec::new(),
            subnets: Vec::new(),
            route_tables: Vec::new(),
            by_source: BTreeMap::new(),
            sources: BTreeMap::new(),
            mirrored: BTreeMap::new(),
        };
        for stranger in around.into_iter().flat_map(|around| &around.strangers.sessions) {
            view.strangers.entry(stranger.source.as_str()).or_default().push(stranger);
        }
        view.sort_resources();
        for (address, found) in around.iter().flat_map(|around| &around.observed.existing) {
            if let Resource::MirrorFilter(filter) = &found.resource {
                view.mirrored.insert(address, Mirrored::by(filter));
            }
        }
        view.connect();
        view
    }

    fn sort_resources(&mut self) {
        for (address, declared) in &self.stack.resources {
            match &declared.resource {
                Resource::MirrorSession(session) => self.sessions.push((address, session)),
                Resource::MirrorTarget(target) => self.targets.push((address, target)),
                Resource::LoadBalancer(balancer) => self.load_balancers.push((address, balancer)),
                Resource::Instance(instance) => self.instances.push((address, instance)),
                Resource::RouteTable(table) => self.route_tables.push((address, table)),
                Resource::MirrorFilter(filter) if filter.rules.0.len() <= RULES_MAX => {
                    self.mirrored.insert(address, Mirrored::by(filter));
                }
                Resource::Subnet(subnet) => self.subnets.push((address, subnet)),
                Resource::Vpc(_)
                | Resource::InternetGateway(_)
                | Resource::VpcPeering(_)
                | Resource::TransitGatewayAttachment(_)
                | Resource::SecurityGroup(_)
                | Resource::LaunchTemplate(_)
                | Resource::TargetGroup(_)
                | Resource::AutoscalingGroup(_)
                | Resource::GatewayLoadBalancer(_)
                | Resource::EndpointService(_)
                | Resource::GatewayLoadBalancerEndpoint(_)
                | Resource::MirrorFilter(_)
                | Resource::ResourceShare(_) => {}
            }
        }
    }

    fn connect(&mut self) {
        for (address, session) in self.sessions.clone() {
            self.by_source.entry(&session.source).or_default().push((address, session));
            if let (Some(source), Some((target, _))) =
                (self.instance(&session.source), self.target(&session.target))
            {
                self.sources.entry(target).or_default().push(source);
            }
        }
        for sessions in self.by_source.values_mut() {
            sessions.sort_by_key(|(address, session)| (session.number, *address));
        }
    }

    /// What is behind a reference, if all of it is known: a stack file cannot state all rules of security groups,
    /// and all routes of route tables, that belong to others.
    fn behind(&self, to: &Ref<impl Referable>) -> Option<Of<'s, Resource>> {
        let (address, known) = self.reach.network().behind(to)?;
        let is_whole = match known.it {
            Resource::SecurityGroup(_) | Resource::RouteTable(_) | Resource::InternetGateway(_) => {
                known.whose == Whose::Own
            }
            Resource::Vpc(_)
            | Resource::Subnet(_)
            | Resource::Instance(_)
            | Resource::LaunchTemplate(_)
            | Resource::TargetGroup(_)
            | Resource::AutoscalingGroup(_)
            | Resource::VpcPeering(_)
            | Resource::TransitGatewayAttachment(_)
            | Resource::LoadBalancer(_)
            | Resource::GatewayLoadBalancer(_)
            | Resource::EndpointService(_)
            | Resource::GatewayLoadBalancerEndpoint(_)
            | Resource::MirrorTarget(_)
            | Resource::MirrorFilter(_)
            | Resource::MirrorSession(_)
            | Resource::ResourceShare(_) => true,
        };
        is_whole.then_some((address, known.it))
    }

    behind! {
        vpc: Vpc;
        subnet: Subnet;
        instance: Instance;
        security_group: SecurityGroup;
        launch_template: LaunchTemplate;
        target_group: TargetGroup;
        load_balancer: LoadBalancer;
        gateway_load_balancer: GatewayLoadBalancer;
        endpoint_service: EndpointService;
        filter: MirrorFilter;
        target: MirrorTarget;
        internet_gateway: InternetGateway;
    }

    /// The VPC behind a reference, if the stack makes it. What else is in any other VPC is not known.
    pub(super) fn own_vpc(&self, to: &Ref<Vpc>) -> Option<Of<'s, Vpc>> {
        match (to, self.behind(to)?) {
            (Ref::To(_), (address, Resource::Vpc(vpc))) => Some((address, vpc)),
            _ => None,
        }
    }

    /// The sessions of others on an interface.
    pub(super) fn strangers_on(&self, to: &Ref<NetworkInterface>) -> &[&'s Stranger] {
        // Most have none, and then nothing needs to be looked up.
        let around = self.around.filter(|_| !self.strangers.is_empty());
        let id = around.and_then(|around| around.observed.interface(to));
        id.and_then(|id| self.strangers.get(id.as_str())).map_or(&[], Vec::as_slice)
    }

    /// The mirror target at an address, of the stack or used by it.
    pub(super) fn target_at(&self, address: &Address) -> Option<&'s MirrorTarget> {
        let declared = self.stack.resources.get(address).map(|declared| &declared.resource);
        let used = || {
            let around = self.around?;
            around.observed.existing.get(address).map(|found| &found.resource)
        };
        match declared.or_else(used)? {
            Resource::MirrorTarget(target) => Some(target),
            _ => None,
        }
    }

    /// How many interfaces others mirror to a target, besides these.
    pub(super) fn others_mirror_to(
        &self,
        target: &Address,
        sources: &BTreeSet<&Ref<NetworkInterface>>,
    ) -> usize {
        // Most have none, and then nothing needs to be looked up.
        let around = self.around.filter(|around| !around.strangers.sources.is_empty());
        let Some(Around { observed, strangers }) = around else { return 0 };
        let found = observed.current(target).or_else(|| observed.existing.get(target));
        let theirs = found.and_then(|found| strangers.sources.get(&found.id.of().ok()?));
        let ours: BTreeSet<_> = sources.iter().filter_map(|to| observed.interface(to)).collect();
        theirs.map_or(0, |theirs| theirs.difference(&ours).count())
    }

    /// The name of the stack.
    pub(super) fn stack_name(&self) -> &'s str {
        self.stack.name.as_str()
    }

    /// Every resource.
    pub(super) fn resources(&self) -> impl Iterator<Item = Of<'s, Resource>> {
        self.stack.resources.iter().map(|(address, declared)| (address, &declared.resource))
    }

    /// How many resources of a kind there will be, including the sessions over sources that were seen.
    pub(super) fn count(&self, kind: Kind) -> usize {
        let declared = self.resources().filter(|(address, _)| address.kind == kind).count();
        let over_sources = self.around.filter(|_| kind == Kind::MirrorSession);
        let over_sources =
            over_sources.map_or(0, |it| sessions_of_sources(self.stack, it.observed).len());
        declared + over_sources
    }

    /// The sessions over sources.
    pub(super) fn fan_outs(&self) -> impl Iterator<Item = Of<'s, FanOut>> {
        self.stack.fan_outs.iter().map(|(address, fan_out)| (address, &fan_out.of))
    }

    /// The zones of the sources that were seen, by the block of sessions over them.
    pub(super) fn zones_of_sources(&self) -> BTreeMap<Name, BTreeSet<&'s AvailabilityZone>> {
        let mut zones: BTreeMap<Name, BTreeSet<&AvailabilityZone>> = BTreeMap::new();
        let Some(Around { observed, .. }) = self.around else { return zones };
        for session in sessions_of_sources(self.stack, observed) {
            let Some(Key::Name(interface)) = &session.key else { continue };
            let zone = interface.parse().ok().and_then(|id| zone_of_interface(observed, &id));
            zones.entry(session.name).or_default().extend(zone);
        }
        zones
    }

    /// The zone of a subnet, if it is known; for a subnet that exists, also if AWS chose it.
    pub(super) fn zone_of_subnet(&self, to: &Ref<Subnet>) -> Option<&'s AvailabilityZone> {
        let (address, subnet) = self.subnet(to)?;
        let seen = || match &self.around?.observed.current(address)?.resource {
            // With another range, it will be another subnet.
            Resource::Subnet(there) if there.cidr == subnet.cidr => {
                there.availability_zone.as_ref()
            }
            _ => None,
        };
        subnet.availability_zone.as_ref().or_else(seen)
    }

    /// The zone of an instance, if it is known.
    pub(super) fn zone_of_instance(&self, instance: &Instance) -> Option<&'s AvailabilityZone> {
        self.zone_of_subnet(&instance.subnet)
    }

    /// The zone of what is mirrored, if it is known.
    pub(super) fn zone_of_source(
        &self,
        source: &Ref<NetworkInterface>,
    ) -> Option<&'s AvailabilityZone> {
        match (self.instance(source), source) {
            (Some((_, instance)), _) => self.zone_of_instance(instance),
            (None, Ref::Id(id)) => zone_of_interface(self.around?.observed, id),
            (None, Ref::To(_)) => None,
        }
    }

    /// Where the file declares a resource, or an object that the stack uses.
    fn place(&self, address: &Address) -> Option<&'s Place> {
        let declared = self.stack.resources.get(address).map(|declared| &declared.place);
        let used = || self.stack.existing.get(address).map(|existing| &existing.place);
        let over_sources = || self.stack.fan_outs.get(address).map(|fan_out| &fan_out.place);
        declared.or_else(used).or_else(over_sources)?.as_ref()
    }

    /// The edit that adds an attribute to a block; `None` if the end of the block cannot be determined.
    pub(super) fn with_attribute(&self, address: &Address, attribute: &str) -> Option<Patch> {
        let place = self.place(address)?;
        let own = place.values.iter().filter(|(path, _)| path.0.len() == 1);
        let last = own.map(|(_, span)| span).max_by_key(|span| span.bytes.end)?;
        let text = &last.source.text;
        let rest = text[last.bytes.end..].lines().next().unwrap_or_default();
        let span = |bytes| Span { source: last.source.clone(), bytes };
        let code = rest.trim_start();
        if code.is_empty() || code.starts_with('#') || code.starts_with("//") {
            let end = last.bytes.end + rest.len();
            return Some(Patch { span: span(end..end), text: format!("\n  {attribute}") });
        }
        // A block on one line can hold only one attribute, so it must be split into lines.
        let begin = place.head.bytes.end + text[place.head.bytes.end..].find('{')? + 1;
        let end = last.bytes.end + rest.find('}')?;
        let only = text.get(begin..end)?.trim();
        let lines = format!("\n  {only}\n  {attribute}\n");
        (!only.contains('\n') && code.starts_with('}'))
            .then(|| Patch { span: span(begin..end), text: lines })
    }

    /// The blank end of the file that declares a resource, where more blocks can be added.
    pub(super) fn end_of_file(&self, address: &Address) -> Option<Span> {
        self.place(address).map(Place::end_of_file)
    }

    /// Where an attribute is written, or what encloses it.
    pub(super) fn at(&self, address: &Address, path: &Path) -> Option<Span> {
        Some(self.place(address)?.of(path).clone())
    }

    /// Where an attribute is written, if the stack file gives it.
    pub(super) fn written(&self, address: &Address, path: &Path) -> Option<Span> {
        self.place(address)?.values.get(path).cloned()
    }

    /// The mirror targets that are known load balancers.
    pub(super) fn balanced(&self) -> impl Iterator<Item = (&'s Address, Of<'s, LoadBalancer>)> {
        self.targets.iter().filter_map(|(address, target)| {
            let balancer = self.load_balancer(target.load_balancer.as_ref()?)?;
            Some((*address, balancer))
        })
    }

    /// The same with what is behind them.
    pub(super) fn deliveries(&self) -> impl Iterator<Item = (&'s Address, &Balanced<'s>)> {
        self.targets.iter().filter_map(|(target, _)| {
            match self.reach.delivery(Mention::Of(target))? {
                Delivery::Balanced(balanced) => Some((*target, balanced)),
                Delivery::Interface(_) | Delivery::Unseen(_) => None,
            }
        })
    }

    /// The load balancer that is mentioned, if it is known.
    pub(super) fn balancer_of(&self, mention: Mention<'s>) -> Option<Of<'s, LoadBalancer>> {
        let (Mention::Of(address), Some(known)) =
            (mention, self.reach.network().load_balancer(mention))
        else {
            return None;
        };
        Some((address, known.it))
    }

    /// The subnets of the load balancer, of either type, that is mentioned.
    pub(super) fn subnets_of(&self, mention: Mention<'s>) -> &'s [Ref<Subnet>] {
        let network = self.reach.network();
        let balancer = network.load_balancer(mention).map(|known| &known.it.subnets);
        let gateway = || network.gateway_load_balancer(mention).map(|known| &known.it.subnets);
        balancer.or_else(gateway).map_or(&[], Vec::as_slice)
    }

    /// The instance that is mentioned, if it is known.
    pub(super) fn instance_of(&self, mention: Mention<'s>) -> Option<Of<'s, Instance>> {
        let (Mention::Of(address), Some(known)) = (mention, self.reach.network().instance(mention))
        else {
            return None;
        };
        Some((address, known.it))
    }

    /// The Auto Scaling groups that register their instances in a target group.
    pub(super) fn members(&self, group: &'s Address) -> impl Iterator<Item = &'s AutoscalingGroup> {
        self.reach.network().members(Mention::Of(group)).iter().map(|(_, group)| *group)
    }

    /// The zone of a receiver, if it is known.
    pub(super) fn zone_of(&self, receiver: &Receiver<'s>) -> Option<&'s AvailabilityZone> {
        let subnet = self.reach.network().subnet(receiver.subnet?)?;
        subnet.it.availability_zone.as_ref()
    }

    /// What determines the security groups of a receiver, if it is known: the instance, or the launch template of
    /// an Auto Scaling group.
    pub(super) fn machine_of(&self, mention: Mention<'s>) -> Option<Machine<'s>> {
        let Mention::Of(address) = mention else { return None };
        let network = self.reach.network();
        if let Some(instance) = network.instance(mention) {
            return Some(Machine { address, security_groups: &instance.it.security_groups });
        }
        let group = network.autoscaling_group(mention)?.it;
        let (address, template) = self.launch_template(&group.launch_template)?;
        Some(Machine { address, security_groups: &template.security_groups })
    }

    /// The target groups that get mirrored packets from a load balancer.
    pub(super) fn groups(&self, balancer: &'s LoadBalancer) -> Vec<Of<'s, TargetGroup>> {
        let listeners = reach::behind(balancer);
        listeners.filter_map(|listener| self.target_group(&listener.target_group)).collect()
    }

    /// The instances that a target leads to, as far as they are known.
    pub(super) fn receivers_of(&self, target: &'s Address) -> Vec<Of<'s, Instance>> {
        let receivers = match self.reach.delivery(Mention::Of(target)) {
            Some(Delivery::Balanced(balanced)) => balanced.receivers.as_slice(),
            Some(Delivery::Interface(receiver)) => std::slice::from_ref(receiver),
            Some(Delivery::Unseen(_)) | None => &[],
        };
        receivers.iter().filter_map(|receiver| self.instance_of(receiver.name)).collect()
    }
}

/// The path of an attribute.
pub(super) fn attribute(name: &str) -> Path {
    Path::default().member(name)
}

/// The zone of an interface that may be selected as a source.
fn zone_of_interface<'o>(
    observed: &'o Observed,
    id: &NetworkInterfaceId,
) -> Option<&'o AvailabilityZone> {
    let mut sightings = observed.sources.values();
    sightings.find_map(|sighting| sighting.interfaces.get(id))?.zone.as_ref()
}
