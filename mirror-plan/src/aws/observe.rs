//! Observing: finding what in the cloud belongs to a stack, in a number of calls that grows with pages.
//!
//! One sweep over the tags finds the ids of everything that a stack owns. Each kind is then read in pages, all kinds
//! concurrently, and network ACLs last, since what was seen determines for which VPCs they are needed. Only what AWS
//! does not return for several objects together costs a call for each object: the attributes of VPCs, load balancers
//! and target groups, the user data of instances, and what is in resource shares.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::Answer;
use super::errors::{AnswerError, CallError, ErrorKind};
use super::image::{self, ImageError};
use super::page::Ids;
use super::tags::{self, Owner};
use super::together::together;
use super::{Aws, BoxFuture};
use crate::address::{Address, Kind, Name};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::id::{ImageId, ObjectId};
use crate::observed::{Found, Observed};
use crate::plan::Mode;
use crate::resource::mirror_target::MirrorTargetId;
use crate::resource::{Tags, tag};
use crate::scalar::AccountId;
use crate::stack::{Existing, Placed, Sources, Stack};

use self::autoscaling_group::Member;
use self::by_arn::ByArn;
use self::elsewhere::Elsewhere;

pub(super) mod autoscaling_group;
mod by_arn;
mod candidates;
pub(super) mod elb;
mod elsewhere;
pub(super) mod endpoint_service;
mod existing;
mod gateway_load_balancer;
pub(super) mod gateway_load_balancer_endpoint;
mod glimpse;
pub(super) mod health;
pub(super) mod instance;
mod internet_gateway;
mod launch_template;
mod load_balancer;
pub(super) mod mirror_filter;
mod mirror_session;
mod mirror_target;
mod network_acl;
pub mod occupants;
mod one;
mod permission;
pub(super) mod resource_share;
mod route_table;
mod security_group;
mod sources;
pub(super) mod strangers;
mod subnet;
mod sweep;
mod target_group;
pub(super) mod transit_gateway_attachment;
mod vpc;
pub(super) mod vpc_peering;

pub use candidates::{Candidates, candidates};
pub(super) use gateway_load_balancer_endpoint::EndpointState;
pub(crate) use glimpse::has_moved;
pub(crate) use one::{Look, look_at};
pub(super) use transit_gateway_attachment::{stands, switches};

/// What to look for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The name of the stack.
    pub stack: &'a str,
    /// The parameters of Systems Manager whose images are looked up.
    pub images: &'a BTreeSet<String>,
    /// The existing objects that the stack uses but did not create.
    pub existing: &'a BTreeMap<Address, Existing>,
    /// The interfaces that the stack mirrors as they come and go.
    pub sources: &'a BTreeMap<Name, Placed<Sources>>,
    /// The stack, if it is to be planned. Then the mirror targets that it names by id are also read, and the network
    /// ACLs that may block what it mirrors.
    pub planned: Option<&'a Stack>,
}

impl<'a> Wanted<'a> {
    /// Asks for what a stack owns, and nothing else.
    #[must_use]
    pub fn owned_by(stack: &'a Name) -> Self {
        static NO_IMAGES: BTreeSet<String> = BTreeSet::new();
        static NO_OBJECTS: BTreeMap<Address, Existing> = BTreeMap::new();
        static NO_SOURCES: BTreeMap<Name, Placed<Sources>> = BTreeMap::new();
        let stack = stack.as_str();
        let (images, existing, sources) = (&NO_IMAGES, &NO_OBJECTS, &NO_SOURCES);
        Self { stack, images, existing, sources, planned: None }
    }

    /// Asks for what planning needs. A stack that is to be destroyed needs nothing of the objects that stay.
    #[must_use]
    pub fn to_plan(stack: &'a Stack, images: &'a BTreeSet<String>, mode: Mode) -> Self {
        let owned = Self::owned_by(&stack.name);
        match mode {
            Mode::Apply => {
                let Stack { existing, sources, .. } = stack;
                Self { images, existing, sources, planned: Some(stack), ..owned }
            }
            Mode::Destroy => Self { images, ..owned },
        }
    }
}

/// What was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// What the stack owns.
    pub observed: Observed,
    /// What was seen and cannot be expressed by [`Observed`].
    pub findings: Vec<Diagnostic>,
}

/// Why nothing was seen.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// AWS refused a call, or did not answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// An answer cannot be read.
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

/// Observes a stack.
///
/// # Errors
/// If a call fails or an answer cannot be read; there is no partial view of a stack.
pub fn observe<'a>(aws: &'a Aws, wanted: Wanted<'a>) -> BoxFuture<'a, Result<Sight, ObserveError>> {
    Box::pin(async move {
        // The SDK's futures are large, and a caller's thread may have a small stack, so this one is on the heap.
        let own = elsewhere::without(wanted.existing);
        let here = Wanted { existing: &own, ..wanted };
        let (account, images, seen, elsewhere) = tokio::try_join!(
            Box::pin(aws.account()),
            Box::pin(images(aws, wanted.images)),
            Box::pin(everything(aws, here)),
            Box::pin(async { Ok::<_, ObserveError>(elsewhere::observe(aws, wanted).await) }),
        )?;
        let (seen, mut used) = seen;
        let Elsewhere { accounts, looked_for, objects, findings: unreached } = elsewhere;
        used.extend(objects);
        let looked_for = own.into_iter().chain(looked_for).collect();
        let mut owned: BTreeMap<Address, Vec<Found>> = BTreeMap::new();
        for (address, found) in seen.owned {
            owned.entry(address).or_default().push(found);
        }
        for all in owned.values_mut() {
            all.sort_by(|a, b| (a.generation, &a.id).cmp(&(b.generation, &b.id)));
        }
        let (existing, wrong) = existing::choose(&looked_for, used);
        let sources = Box::pin(sources::observe(aws, wanted.sources, &existing)).await?;
        let region = aws.region().clone();
        let seen_so_far = Observed {
            account,
            region,
            owned,
            existing,
            sources,
            foreign_targets: seen.foreign_targets,
            network_acls: BTreeMap::new(),
            accounts,
            images,
        };
        let network_acls =
            Box::pin(network_acl::observe(aws, wanted.planned, &seen_so_far)).await?;
        let observed = Observed { network_acls, ..seen_so_far };
        let known = observed.owned.values().flatten().chain(observed.existing.values());
        let strange = autoscaling_group::of_strangers(seen.members, known);
        Ok(Sight {
            observed,
            findings: [seen.findings, strange, wrong.into_iter().collect(), unreached].concat(),
        })
    })
}

impl Aws {
    /// Returns the account that the credentials are for. AWS is asked only once.
    ///
    /// # Errors
    /// If AWS refuses or does not answer.
    pub fn account<'a>(&'a self) -> BoxFuture<'a, Result<AccountId, ObserveError>> {
        Box::pin(async move {
            let ask = || async {
                let request = self.shared.sts.get_caller_identity();
                let answer = self.send("GetCallerIdentity", request.send()).await?;
                Ok(Answer("GetCallerIdentity").parsed("Account", answer.account())?)
            };
            self.shared.account.get_or_try_init(ask).await.cloned()
        })
    }
}

async fn images(
    aws: &Aws,
    parameters: &BTreeSet<String>,
) -> Result<BTreeMap<String, ImageId>, ObserveError> {
    let resolve = |parameter: String| async move {
        match image::image(aws, &parameter).await {
            Ok(image) => Ok((parameter, image)),
            Err(ImageError::Call(error)) => Err(ObserveError::Call(error)),
            Err(ImageError::Answer(error)) => Err(ObserveError::Answer(error)),
        }
    };
    let resolved = together(parameters.iter().cloned().map(resolve).collect());
    Ok(resolved.await?.into_iter().collect())
}

/// Returns what the stack owns, and the candidates for each existing object that it declares.
async fn everything(
    aws: &Aws,
    wanted: Wanted<'_>,
) -> Result<(Seen, BTreeMap<Address, Vec<Found>>), ObserveError> {
    let Wanted { stack, images: _, existing, sources: _, planned } = wanted;
    let is_wanted = |arn: &str, name: &str, tags: &Tags| {
        tags::is_of(tags, stack)
            || existing.values().any(|existing| existing.selector.admits(arn, name, tags))
    };
    let uses = |kind: Kind| existing.keys().any(|address| address.kind == kind);
    let (swept, by_arn, groups, shares, meant) = tokio::try_join!(
        Box::pin(sweep::sweep(aws, stack)),
        Box::pin(elb::sweep(aws, &is_wanted)),
        Box::pin(async {
            if uses(Kind::AutoscalingGroup) {
                autoscaling_group::all(aws).await.map_err(ObserveError::from)
            } else {
                Ok(autoscaling_group::tagged(aws, tag::STACK, stack).await?)
            }
        }),
        Box::pin(async {
            if uses(Kind::ResourceShare) {
                Ok(resource_share::all(aws).await?)
            } else {
                Ok(resource_share::tagged(aws, tag::STACK, stack).await?)
            }
        }),
        Box::pin(existing::ids(aws, existing)),
    )?;
    let by_arn = by_arn.with_groups(groups, &is_wanted).with_shares(shares, &is_wanted);
    let used = existing::Meant::of(existing, meant, &by_arn);
    let (mut ids, others) = (used.ids(), used.by_arn(&by_arn));
    let by_id = planned.map(Stack::targets_by_id).unwrap_or_default();
    ids.entry(Kind::MirrorTarget).or_default().extend(by_id.iter().map(ToString::to_string));
    let (mut seen, mut others) = tokio::try_join!(
        Box::pin(kinds(aws, Whose::Stack(stack), &swept, by_arn)),
        Box::pin(kinds(aws, Whose::Others(stack), &ids, others)),
    )?;
    seen.foreign_targets.append(&mut others.foreign_targets);
    Ok((seen, used.candidates(others)))
}

/// Returns the objects of all kinds that exist.
async fn kinds(
    aws: &Aws,
    whose: Whose<'_>,
    ids: &BTreeMap<Kind, Ids>,
    by_arn: ByArn,
) -> Result<Seen, ObserveError> {
    let ids = |kind: Kind| ids.get(&kind).cloned().unwrap_or_default();
    let (network, machines, mirror) = tokio::try_join!(
        async {
            tokio::try_join!(
                Box::pin(vpc::observe(aws, whose, ids(Kind::Vpc))),
                Box::pin(subnet::observe(aws, whose, ids(Kind::Subnet))),
                Box::pin(internet_gateway::observe(aws, whose, ids(Kind::InternetGateway))),
                Box::pin(route_table::observe(aws, whose, ids(Kind::RouteTable))),
                Box::pin(vpc_peering::observe(aws, whose, ids(Kind::VpcPeering))),
                Box::pin(transit_gateway_attachment::observe(
                    aws,
                    whose,
                    ids(Kind::TransitGatewayAttachment)
                )),
                Box::pin(security_group::observe(aws, whose, ids(Kind::SecurityGroup))),
            )
        },
        async {
            tokio::try_join!(
                Box::pin(instance::observe(aws, whose, ids(Kind::Instance))),
                Box::pin(launch_template::observe(aws, whose, ids(Kind::LaunchTemplate))),
                Box::pin(target_group::observe(aws, whose, by_arn.target_groups)),
                Box::pin(autoscaling_group::observe(whose, by_arn.autoscaling_groups)),
                Box::pin(load_balancer::observe(aws, whose, by_arn.load_balancers)),
                Box::pin(gateway_load_balancer::observe(aws, whose, by_arn.gateway_load_balancers)),
                Box::pin(endpoint_service::observe(aws, whose, ids(Kind::EndpointService))),
                Box::pin(gateway_load_balancer_endpoint::observe(
                    aws,
                    whose,
                    ids(Kind::GatewayLoadBalancerEndpoint)
                )),
            )
        },
        async {
            tokio::try_join!(
                Box::pin(mirror_target::observe(aws, whose, ids(Kind::MirrorTarget))),
                Box::pin(mirror_filter::observe(aws, whose, ids(Kind::MirrorFilter))),
                Box::pin(mirror_session::observe(aws, whose, ids(Kind::MirrorSession))),
                Box::pin(resource_share::observe(aws, whose, by_arn.resource_shares)),
            )
        },
    )?;
    let (a, b, c, d, e, f, g) = network;
    let ((h, i, j, k, l, m, n, o), (p, q, r, s)) = (machines, mirror);
    let all = [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s];
    Ok(all.into_iter().fold(Seen::default(), Seen::and))
}

/// What was seen of one kind.
#[derive(Debug, Default)]
struct Seen {
    owned: Vec<(Address, Found)>,
    /// Registered instances that come and go with their Auto Scaling groups.
    members: Vec<Member>,
    /// The owners of the mirror targets that are shared with the account.
    foreign_targets: BTreeMap<MirrorTargetId, AccountId>,
    findings: Vec<Diagnostic>,
}

impl Seen {
    fn and(mut self, mut other: Self) -> Self {
        self.owned.append(&mut other.owned);
        self.members.append(&mut other.members);
        self.foreign_targets.append(&mut other.foreign_targets);
        self.findings.append(&mut other.findings);
        self
    }

    /// Returns who owns an object; `None` if it is not sought, or if its tags do not state which object it is.
    fn owner(&mut self, sought: Sought<'_>, id: &ObjectId, tags: &Tags) -> Option<Owner> {
        let Sought { whose, kind } = sought;
        let name = match whose {
            Whose::Stack(name) => name,
            // In another account, tags with this stack's name belong to a different stack.
            Whose::Elsewhere => return Some(existing::nobody(kind)),
            Whose::Others(name) | Whose::Wanted(name) => {
                return tags::owner(tags, name, kind).is_none().then(|| existing::nobody(kind));
            }
        };
        match tags::owner(tags, name, kind)? {
            Ok(owner) => Some(owner),
            Err(error) => {
                let title =
                    format!("{} {id} claims to belong to stack {name}, but {error}", kind.title());
                let help = format!("remove its tag `{}`, or restore the others", tag::STACK);
                self.findings.push(Diagnostic::error(code::FOREIGN_TAGS, title).help(help));
                None
            }
        }
    }

    /// Adds an object.
    fn add(&mut self, owner: Owner, found: Found) {
        self.owned.push((owner.address, found));
    }

    /// Reports that a part of an object cannot be expressed in a stack file, and is left as it is.
    fn untold(&mut self, owner: &Owner, id: &ObjectId, what: impl Into<String>) {
        let title = format!("{id} has {}, which a stack file cannot express", what.into());
        let finding = Diagnostic::warning(code::UNTOLD, title).of(&owner.address);
        self.findings.push(finding.note("it is left as it is"));
    }
}

/// Whose objects are read.
#[derive(Clone, Copy)]
enum Whose<'a> {
    /// Those of the stack with this name.
    Stack(&'a str),
    /// Objects that do not belong to the stack with this name.
    Others(&'a str),
    /// Objects that are not the stack's yet but are to be: all of their properties count.
    Wanted(&'a str),
    /// Objects of another account.
    Elsewhere,
}

/// The kind of object that is read, and whose objects count.
#[derive(Clone, Copy)]
struct Sought<'a> {
    whose: Whose<'a>,
    kind: Kind,
}

/// Returns what a call of its own returns for each object; `None` for objects that were deleted since they were listed.
async fn each<T, F>(calls: Vec<F>) -> Result<Vec<Option<T>>, ObserveError>
where
    F: Future<Output = Result<T, ObserveError>>,
{
    let calls = calls.into_iter().map(|call| async move {
        match call.await {
            Err(ObserveError::Call(error)) if error.kind == ErrorKind::NotFound => Ok(None),
            told => told.map(Some),
        }
    });
    together(calls.collect()).await
}

/// Returns a map of computed attributes that begins with the id.
fn with_id(id: &ObjectId) -> BTreeMap<String, Option<String>> {
    BTreeMap::from([("id".to_owned(), Some(id.to_string()))])
}
