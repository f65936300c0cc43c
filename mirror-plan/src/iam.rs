//! IAM: the policies that a command needs for one stack, and nothing more.
//!
//! A policy follows from the tables of calls beside the operations of each kind ([`crate::resource::access`]) and from
//! what the stack declares. Objects that the stack creates are fenced by the tag `mirror-plan:stack`: in the request
//! that creates them, and on the object from then on. Objects of others that it uses are named one by one.
//!
//! Other accounts that a stack reaches have policies of their own ([`policies_as`]).
//!
//! Sources: IAM user guide, "Controlling access to AWS resources using tags"; EC2 user guide, "Grant
//! permission to tag Amazon EC2 resources during creation"; Elastic Load Balancing user guide, "API
//! permissions"; Amazon EC2 Auto Scaling user guide, "Amazon EC2 Auto Scaling API permissions"; AWS RAM user guide,
//! "How AWS RAM works with IAM".

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::address::Kind;
use crate::observed::{Sort, looked_for};
use crate::resource::access::{
    ArnType, NETWORK_ACLS, Occasion, On, SOURCES, SWEEP, Service, Which, occupancy, reading,
    retagging,
};
use crate::resource::{Access, Named, calls};
use crate::scalar::{AccountId, Coordination, Region};
use crate::stack::Stack;

mod arn;
mod elsewhere;
mod statement;

#[cfg(test)]
mod tests;

pub(crate) use arn::arn;
use arn::{Arns, ServiceRole};
pub use elsewhere::policies_as;
use statement::{Statement, conditions};

/// What a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// `mirror plan`, and whatever else only reads.
    Plan,
    /// `mirror verify --metrics`: what a plan reads, and the counters of CloudWatch.
    Metrics,
    /// `mirror apply`: what a plan reads, and every change of the kinds that the stack declares, including their
    /// replacement and removal.
    Apply,
    /// `mirror destroy`: what a plan reads, and the removal of every kind that a stack may own,
    /// declared or not.
    Destroy,
}

impl Purpose {
    /// Returns whether the command can change something.
    const fn changes_something(self) -> bool {
        match self {
            Self::Plan | Self::Metrics => false,
            Self::Apply | Self::Destroy => true,
        }
    }
}

/// Where a stack is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The account.
    pub account: AccountId,
    /// The Region.
    pub region: Region,
}

/// A policy in the form that IAM accepts.
///
/// Its [`Display`](fmt::Display) is the JSON document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

impl Policy {
    /// The longest that a managed policy may be, in characters without white space.
    ///
    /// Source: IAM user guide, "IAM and AWS STS quotas".
    pub const LONGEST: usize = 6_144;

    const fn of(statement: Vec<Statement>) -> Self {
        // The version of the policy language; this is the newest one.
        Self { version: "2012-10-17", statement }
    }

    /// Returns the length as IAM counts it: in characters without white space.
    ///
    /// # Panics
    /// Never: every part of a policy can be written as JSON.
    #[must_use]
    pub fn length(&self) -> usize {
        let text = serde_json::to_string(self).expect("a policy has texts for keys");
        text.chars().filter(|c| !c.is_whitespace()).count()
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string_pretty(self).map_err(|_| fmt::Error)?)
    }
}

/// Returns the policies that together are needed for these purposes.
///
/// This is one policy, unless the stack names so many objects of others that IAM would not accept it: then the policies
/// are as few as possible, each of at most [`Policy::LONGEST`].
#[must_use]
pub fn policies(
    stack: &Stack,
    location: &Location,
    purposes: impl IntoIterator<Item = Purpose>,
) -> Vec<Policy> {
    let purposes: BTreeSet<Purpose> = purposes.into_iter().collect();
    let plans = purposes.iter().any(|purpose| *purpose != Purpose::Destroy);
    let mut grants = Grants::new(stack, location);
    SWEEP.iter().for_each(|access| grants.read(access));
    for kind in Kind::all() {
        let mut declared = stack.resources.keys().chain(stack.fan_outs.keys());
        let is_declared = declared.any(|address| address.kind == kind);
        if is_declared || purposes.contains(&Purpose::Destroy) {
            reading(kind).iter().for_each(|access| grants.add(kind, access));
            occupancy(kind).iter().for_each(|access| grants.read(access));
        }
        let mut used = stack.existing.keys().filter(|it| stack.account_of(it).is_none());
        if plans && used.any(|address| address.kind == kind) {
            reading(kind).iter().for_each(|access| grants.look_at_others(access));
        }
        if is_declared && purposes.contains(&Purpose::Apply) {
            let calls = calls(kind).iter().chain(retagging(kind));
            let own = calls.filter(|access| !elsewhere::is_sent_by_others_only(stack, access));
            own.for_each(|access| grants.add(kind, access));
        }
        if purposes.contains(&Purpose::Destroy) {
            let removing = calls(kind).iter().filter(|call| call.occasion == Occasion::Removing);
            removing.for_each(|access| grants.add(kind, access));
        }
    }
    if plans && !stack.sources.is_empty() {
        SOURCES.iter().for_each(|access| grants.read(access));
    }
    if plans && !stack.targets_by_id().is_empty() {
        reading(Kind::MirrorTarget).iter().for_each(|access| grants.look_at_others(access));
    }
    if plans && stack.has_sessions_and_subnets() {
        NETWORK_ACLS.iter().for_each(|access| grants.read(access));
    }
    if purposes.contains(&Purpose::Metrics) {
        grants.count();
    }
    if plans {
        grants.look_for_what_is_named();
        grants.assume_roles();
    }
    if let Some(place) = &stack.coordination {
        grants.coordinate(place, &purposes);
    }
    packed(grants.statements())
}

/// Returns the statements that allow one action in a call about a kind, as compact JSON: those that [`policies`]
/// contains for it for [`Purpose::Apply`].
///
/// # Panics
/// Never: every part of a statement can be written as JSON.
pub(crate) fn allowing(
    stack: &Stack,
    location: &Location,
    (kind, access): (Kind, &Access),
    action: &str,
) -> Vec<String> {
    let mut grants = Grants::new(stack, location);
    grants.add(kind, access);
    let statements = grants.statements().into_iter().filter(|statement| statement.allows(action));
    let text = |statement: Statement| {
        serde_json::to_string(&statement.only(action)).expect("a statement has texts for keys")
    };
    statements.map(text).collect()
}

/// What is allowed, by how it is fenced.
#[derive(Debug)]
struct Grants<'a> {
    stack: &'a Stack,
    arns: Arns<'a>,
    /// Actions that read; IAM can allow them only on all resources.
    reading: Grant,
    /// Actions that create objects of the stack.
    making: Grant,
    /// Actions that request peering connections, if another account is asked.
    peering: Grant,
    /// The roles of other accounts.
    roles: Grant,
    /// Actions that create resource shares; IAM can allow them only on all resources.
    sharing: Grant,
    /// Actions that launch instances from launch templates.
    launching: Grant,
    /// Actions that change or use what the stack owns.
    owned: Grant,
    /// Actions that create, change or remove parts without tags.
    parts: Grant,
    /// By action: the objects of others that it may use.
    others: BTreeMap<String, BTreeSet<String>>,
    /// By service: the calls that tag what they create, and what that can be.
    tagging: BTreeMap<Service, Grant>,
    /// The object in which a team keeps its journal.
    journal: Grant,
    /// The bucket of that object.
    journal_bucket: Grant,
}

/// Actions and the resources that they are allowed on.
#[derive(Debug, Default)]
struct Grant {
    actions: BTreeSet<String>,
    resources: BTreeSet<String>,
}

impl Grant {
    fn add(&mut self, action: &str, resource: String) {
        self.actions.insert(action.to_owned());
        self.resources.insert(resource);
    }
}

impl<'a> Grants<'a> {
    fn new(stack: &'a Stack, location: &'a Location) -> Self {
        Self {
            stack,
            arns: Arns(location),
            reading: Grant::default(),
            making: Grant::default(),
            peering: Grant::default(),
            roles: Grant::default(),
            sharing: Grant::default(),
            launching: Grant::default(),
            owned: Grant::default(),
            parts: Grant::default(),
            others: BTreeMap::new(),
            tagging: BTreeMap::new(),
            journal: Grant::default(),
            journal_bucket: Grant::default(),
        }
    }

    /// Allows what the lease and the journal of a team need; a plan only reads them.
    ///
    /// Without `s3:ListBucket`, S3 does not report that the object does not exist yet.
    /// Source: Amazon S3 API reference, `GetObject`, permissions; `HeadBucket`, permissions.
    fn coordinate(&mut self, place: &Coordination, purposes: &BTreeSet<Purpose>) {
        let object = self.arns.journal(place, &self.stack.name);
        self.journal.add("s3:GetObject", object.clone());
        if purposes.iter().any(|purpose| purpose.changes_something()) {
            self.journal.add("s3:PutObject", object);
        }
        self.journal_bucket.add("s3:ListBucket", self.arns.bucket(place));
    }

    /// Allows reading the counters of CloudWatch, and which instances interfaces are attached to. Neither action is
    /// limited to a resource: Service Authorization Reference, "Actions, resources, and condition keys for Amazon
    /// CloudWatch".
    fn count(&mut self) {
        for action in ["cloudwatch:GetMetricData", "ec2:DescribeNetworkInterfaces"] {
            self.reading.add(action, "*".to_owned());
        }
    }

    /// Allows a call if it only reads, and for any call the reading that goes with it.
    fn read(&mut self, access: &Access) {
        let Access { service, action, on, reads, dependent: _, occasion: _ } = *access;
        if on.is_empty() {
            self.reading.add(&format!("{}:{action}", service.prefix()), "*".to_owned());
        }
        for read in reads {
            self.reading.add(&format!("{}:{read}", Service::Ec2.prefix()), "*".to_owned());
        }
    }

    /// Allows a call that reads objects that exist independently of the stack; the call itself finds out which ones.
    fn look_at_others(&mut self, access: &Access) {
        self.read(access);
        let Access { service, action, on, reads: _, dependent: _, occasion: _ } = *access;
        for on in on {
            // The attributes of an instance include its user data, which does not concern this stack.
            if let On::Owned(of) = *on
                && of != ArnType::Instance
            {
                let any = BTreeSet::from([Named::any(of)]);
                self.name_others(&format!("{}:{action}", service.prefix()), of, &any);
            }
        }
    }

    /// Allows looking up what the stack names as belonging to others.
    fn look_for_what_is_named(&mut self) {
        let resources = self.stack.resources.values();
        for named in resources.flat_map(|declared| looked_for(&declared.resource)) {
            let Some(sort) = Sort::of(named.of) else { continue };
            self.reading.add(&format!("ec2:{}", sort.call), "*".to_owned());
        }
    }

    /// Allows a call about a kind.
    fn add(&mut self, kind: Kind, access: &Access) {
        self.read(access);
        let Access { service, action, on, reads: _, dependent, occasion: _ } = *access;
        dependent.iter().for_each(|access| self.add(kind, access));
        let full = format!("{}:{action}", service.prefix());
        for on in on {
            match *on {
                On::New(of) => {
                    match of.service() {
                        Service::Sharing => self.sharing.add(&full, "*".to_owned()),
                        _ if of == ArnType::VpcPeeringConnection && elsewhere::asks(self.stack) => {
                            self.peering.add(&full, self.arns.all(of));
                        }
                        _ => self.making.add(&full, self.arns.all(of)),
                    }
                    self.tag(action, of);
                }
                On::Tagged(of) => self.tag(action, of),
                On::Launched(of) => self.launching.add(&full, self.arns.all(of)),
                On::Owned(of) => self.own(&full, of),
                On::Part(of) => self.parts.add(&full, self.arns.all(of)),
                On::Named(of) => {
                    let named = self.named(kind, of).filter(|named| named.which != Which::Any);
                    self.name(&full, of, named.chain(self.fanned_out(kind, of)).collect());
                }
                On::Chosen(of) => self.name(&full, of, self.named(kind, of).collect()),
            }
        }
    }

    /// Allows an action on what the stack owns. The tag determines what that is, whatever its type.
    fn own(&mut self, action: &str, of: ArnType) {
        self.owned.add(action, self.arns.everything(of.service()));
    }

    /// Allows a call to tag what it creates. The call determines what that is, whatever its type.
    fn tag(&mut self, action: &str, of: ArnType) {
        let service = of.service();
        // The action that creates a group also tags it: IAM requires no other.
        if service == Service::Autoscaling {
            return;
        }
        self.tagging.entry(service).or_default().add(action, self.arns.everything(service));
    }

    /// Returns the objects of others, of one type, that resources of a kind name.
    fn named(&self, kind: Kind, of: ArnType) -> impl Iterator<Item = Named> + use<'a> {
        let declared = self.stack.resources.iter().filter(move |(address, _)| address.kind == kind);
        let named = declared.flat_map(|(_, declared)| declared.resource.named());
        named.filter(move |named| named.of == of)
    }

    /// Returns what sessions over sources name: any interface, since it is not known which ones will appear.
    fn fanned_out(&self, kind: Kind, of: ArnType) -> impl Iterator<Item = Named> + use<'a> {
        let declared = self.stack.fan_outs.iter().filter(move |(address, _)| address.kind == kind);
        let named = declared.flat_map(|(_, fan_out)| fan_out.of.named());
        named.filter(move |named| named.of == of)
    }

    /// Allows an action on the objects of a type that the stack owns, and on each named object of others.
    fn name(&mut self, action: &str, of: ArnType, named: BTreeSet<Named>) {
        if of.is_owned() {
            self.own(action, of);
        }
        self.name_others(action, of, &named);
    }

    fn name_others(&mut self, action: &str, of: ArnType, named: &BTreeSet<Named>) {
        let any = named.iter().any(|named| named.which == Which::Any);
        let arns = named.iter().map(|named| match &named.which {
            Which::One(name) if !any => match self.stack.owner_of(name) {
                Some(owner) => self.arns.one_of_account(of, name, owner),
                None => self.arns.one(of, name),
            },
            Which::One(_) | Which::Any => self.arns.all(of),
        });
        let arns: BTreeSet<String> = arns.collect();
        if !arns.is_empty() {
            self.others.entry(action.to_owned()).or_default().extend(arns);
        }
    }

    /// Returns the statements that allow all of this.
    fn statements(self) -> Vec<Statement> {
        let Self {
            stack,
            arns,
            reading,
            making,
            peering,
            roles,
            sharing,
            launching,
            owned,
            parts,
            others,
            tagging,
            journal,
            journal_bucket,
        } = self;
        let accepters = elsewhere::accepters(stack, arns);
        let (region, name) = (arns.region(), stack.name.as_str());
        let makes_groups = makes(&making, Service::Autoscaling);
        let template = arns.all(ArnType::LaunchTemplate);
        let mut statements = vec![
            Statement::allow("Read", reading).only_if(conditions::in_region(region)),
            Statement::allow("Images", images(stack, &arns)),
            Statement::allow("Make", making).only_if(conditions::requested_for(name)),
            Statement::allow("Peer", peering).only_if(conditions::asking_of(name, accepters)),
            Statement::allow("Assume", roles),
            Statement::allow("Share", sharing).only_if(conditions::requested_for(name)),
            Statement::allow("Launch", launching).only_if(conditions::from_template(&template)),
            Statement::allow("Owned", owned).only_if(conditions::owned_by(name)),
            Statement::allow("Parts", parts),
        ];
        statements.extend(each_use(others));
        let keeps_ownership = !tagging.is_empty();
        let makes_balancers = tagging.contains_key(&Service::LoadBalancing);
        let shares = tagging.contains_key(&Service::Sharing);
        for (service, Grant { actions, resources }) in tagging {
            let (sid, action, condition) = match service {
                Service::Ec2 => {
                    ("Tag", conditions::CREATE_TAGS, conditions::created_by(service, actions))
                }
                Service::LoadBalancing => {
                    ("TagBalancing", conditions::ADD_TAGS, conditions::created_by(service, actions))
                }
                // Only the tags distinguish this from a change of tags: see `keeping_shares`.
                Service::Sharing => {
                    ("TagShare", conditions::TAG_SHARE, conditions::requested_for(name))
                }
                Service::Autoscaling => continue,
            };
            let grant = Grant { actions: BTreeSet::from([action.to_owned()]), resources };
            statements.push(Statement::allow(sid, grant).only_if(condition));
        }
        let service_roles = [
            ("BalancingRole", makes_balancers, ServiceRole::LoadBalancing),
            ("AutoscalingRole", makes_groups, ServiceRole::Autoscaling),
        ];
        let needed = service_roles.into_iter().filter(|(_, is_needed, _)| *is_needed);
        statements.extend(needed.map(|(sid, _, role)| making_role(sid, role, &arns)));
        statements.push(Statement::allow("Journal", journal));
        statements.push(Statement::allow("JournalBucket", journal_bucket));
        if keeps_ownership {
            statements.extend(Statement::keeping_ownership(&stack.moved));
        }
        if shares {
            statements.extend(Statement::keeping_shares(name, &stack.moved));
        }
        statements.retain(|statement| !statement.is_empty());
        statements
    }
}

/// Returns whether anything of a service is created.
fn makes(making: &Grant, service: Service) -> bool {
    let prefix = format!("{}:", service.prefix());
    making.actions.iter().any(|action| action.starts_with(&prefix))
}

/// Returns the grant for the parameters of Systems Manager that name the images of instances.
fn images(stack: &Stack, arns: &Arns<'_>) -> Grant {
    let mut grant = Grant::default();
    for parameter in stack.images() {
        grant.add("ssm:GetParameter", arns.parameter(&parameter));
    }
    grant
}

/// Returns the statement for creating the role with which a service works in the account.
fn making_role(sid: &str, role: ServiceRole, arns: &Arns<'_>) -> Statement {
    let mut grant = Grant::default();
    grant.add("iam:CreateServiceLinkedRole", arns.service_role(role));
    Statement::allow(sid, grant).only_if(conditions::for_service(role))
}

/// Returns one statement for all actions that may use the same objects of others.
fn each_use(others: BTreeMap<String, BTreeSet<String>>) -> Vec<Statement> {
    let mut by_resources: BTreeMap<BTreeSet<String>, BTreeSet<String>> = BTreeMap::new();
    for (action, resources) in others {
        by_resources.entry(resources).or_default().insert(action);
    }
    let grants = by_resources.into_iter().map(|(resources, actions)| Grant { actions, resources });
    grants.enumerate().map(|(i, grant)| Statement::allow(format!("Use{}", i + 1), grant)).collect()
}

/// Distributes statements over as few policies as possible, in their order.
fn packed(statements: Vec<Statement>) -> Vec<Policy> {
    let fits = |statements: &[Statement]| Policy::of(statements.to_vec()).length();
    let mut policies: Vec<Vec<Statement>> = Vec::new();
    let pieces = statements.into_iter().flat_map(|statement| {
        statement.pieces(&|piece| fits(std::slice::from_ref(piece)) <= Policy::LONGEST)
    });
    for piece in pieces {
        let fitting = policies.iter_mut().find(|policy| {
            let all: Vec<Statement> = policy.iter().chain([&piece]).cloned().collect();
            fits(&all) <= Policy::LONGEST
        });
        match fitting {
            Some(policy) => policy.push(piece),
            None => policies.push(vec![piece]),
        }
    }
    policies.into_iter().map(Policy::of).collect()
}
