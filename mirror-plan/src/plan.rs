//! The plan: what will change, why, and the calls that do it, in their final order.
//!
//! [`plan`] is a pure function: it reads no clock, no file and no cloud, and equal input gives, byte
//! for byte, the same plan. The plan leaves no choice to the code that carries it out.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::address::{Address, Kind, Name};
use crate::diagnostic::Diagnostics;
use crate::id::{NetworkAclId, ObjectId};
use crate::observed::{NetworkAcl, Observed};
use crate::resource::instance::InstanceId;
use crate::resource::mirror_target::MirrorTargetId;
use crate::resource::{Operation, ReplaceOrder, Retag};
use crate::scalar::{AccountId, AccountName, Coordination, Region};
use crate::stack::{Account, Stack};
use crate::value::Value;

use self::sources::Expanded;

mod adopt;
mod cost;
mod decide;
mod diff;
mod digest;
pub(crate) mod existing;
mod fate;
mod foreign;
mod gap;
mod held;
mod moves;
mod part;
mod place;
mod prefer;
mod resolve;
mod saved;
mod secrets;
pub(crate) mod sources;
mod steps;
mod time;
mod uses;
mod wait;

#[cfg(test)]
pub(crate) mod tests;

#[cfg(feature = "aws")]
pub(crate) use adopt::not_free;
pub use adopt::{Adoption, plan_adopting};
pub use cost::MonthlyCost;
pub(crate) use decide::with_computed;
pub use diff::{Difference, PartChange, part_changes};
pub(crate) use digest::fingerprints;
pub use digest::{Digest, DigestError, Fingerprint};
#[cfg(feature = "aws")]
pub(crate) use digest::{expectation, going};
pub use existing::Use;
pub use gap::CaptureGap;
pub use saved::SavedPlanError;
pub use secrets::Secrets;
pub use sources::{EachOf, LeftOut, Mirrored};
pub use time::{ApplyTime, Bound, Stage, TimeSource};
pub use wait::{Experience, Wait};

/// What to plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Whether the stack is to be applied or destroyed.
    pub mode: Mode,
    /// Plan only these and what they depend on; everything if empty.
    pub targets: BTreeSet<Address>,
    /// These are replaced even if they need not be.
    pub replace: BTreeSet<Address>,
    /// How much of the stack is planned.
    pub part: Part,
}

/// How much of a stack is planned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    #[default]
    Whole,
    /// Only the sessions over sources that are to be created or removed. Other differences are left as
    /// they are, so that nothing is done that nobody has looked at.
    Sources {
        /// Create sessions only on interfaces of these instances; on all interfaces if empty.
        instances: BTreeSet<InstanceId>,
    },
}

/// Whether the stack is to be applied or destroyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The cloud is changed to match the stack.
    #[default]
    Apply,
    /// Everything that the stack owns is removed.
    Destroy,
}

/// Plans the calls that make `observed` match `stack`.
///
/// # Errors
/// Everything that can be known to be wrong before the first call: an account or Region other than the
/// stack's, several objects that claim one address, replacements that a fixed name prevents, unknown
/// addresses in `request`, circles of references, two resources that claim what only one can have, and an
/// object that is to be removed while something that stays still holds it.
pub fn plan(stack: &Stack, observed: &Observed, request: &Request) -> Result<Plan, Diagnostics> {
    let (seen, used) = (observed, existing::used(stack, observed));
    let uses = match request.mode {
        Mode::Apply => existing::uses(stack, observed),
        Mode::Destroy => BTreeMap::new(),
    };
    let reached = match request.mode {
        Mode::Apply => existing::reached(stack, observed),
        // What the stack owns is removed from within its own account.
        Mode::Destroy => BTreeMap::new(),
    };
    let moves = request.mode.moves(stack, seen);
    let observed = &*moves.seen(seen);
    let Expanded { stack, sources, fan_outs } = match request.mode {
        Mode::Apply => Expanded::of(stack.using(observed)?, observed)?,
        // What is removed needs nothing from what stays.
        Mode::Destroy => Expanded::not(Cow::Borrowed(stack)),
    };
    let stack = &*stack;
    let moves = moves.only_to_declared(stack);
    let observed = &*moves.seen(seen);
    place::check(stack, observed, request)?;
    let foreign_targets = match request.mode {
        Mode::Apply => foreign::allowed(stack, observed)?,
        Mode::Destroy => BTreeMap::new(),
    };
    let decisions = decide::decide(stack, (observed, &moves), request)?;
    let steps = steps::steps(stack, &decisions)?;
    held::refuse(stack, &decisions)?;
    let outputs = decisions.outputs(stack, observed, request);
    Ok(Plan {
        format: Plan::FORMAT,
        stack: stack.name.clone(),
        account: observed.account.clone(),
        region: observed.region.clone(),
        coordination: stack.coordination.clone(),
        mode: request.mode,
        targeted: request.part != Part::Whole || !request.targets.is_empty(),
        accounts: reached,
        existing: used,
        uses,
        sources,
        fan_outs,
        foreign_targets,
        network_acls: match request.mode {
            Mode::Apply => seen.closed_network_acls(),
            // No packets are mirrored any more.
            Mode::Destroy => BTreeMap::new(),
        },
        saw: fingerprints(seen),
        changes: decisions.into_changes(),
        steps,
        outputs,
        variables: stack.variables.clone(),
    })
}

/// The difference between a stack and the cloud, and the calls that remove it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version of this format, [`Plan::FORMAT`].
    pub format: u32,
    /// The name of the stack.
    pub stack: Name,
    /// The account that it was made for.
    pub account: AccountId,
    /// The Region that it was made for.
    pub region: Region,
    /// The place where the runs of a team coordinate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordination: Option<Coordination>,
    /// Whether the stack is to be applied or destroyed.
    pub mode: Mode,
    /// Whether only a part of the stack was planned.
    pub targeted: bool,
    /// The other accounts in which it looks up or accepts something, and how it reaches them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<AccountName, Account>,
    /// The objects that it uses and leaves as they are, by address.
    #[serde(
        default,
        with = "crate::observed::by_address",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub existing: BTreeMap<Address, ObjectId>,
    /// What it uses of them, by address.
    #[serde(
        default,
        with = "crate::observed::by_address",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub uses: BTreeMap<Address, Use>,
    /// What it mirrors of each `sources` block, whose interfaces come and go.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<Name, Mirrored>,
    /// What it does for each interface of those sources, by the address of the block.
    #[serde(
        default,
        with = "crate::observed::by_address",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub fan_outs: BTreeMap<Address, EachOf>,
    /// The owners of the mirror targets that it sends to and that belong to other accounts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub foreign_targets: BTreeMap<MirrorTargetId, AccountId>,
    /// The network ACLs that block what it mirrors, or may block it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub network_acls: BTreeMap<NetworkAclId, NetworkAcl>,
    /// What each owned object looked like: if one has changed since, the plan is stale.
    pub saw: BTreeMap<String, Fingerprint>,
    /// What happens to each resource, by address; no-ops included.
    pub changes: Vec<Change>,
    /// The calls, each after those it needs.
    pub steps: Vec<Step>,
    /// The outputs, by name.
    pub outputs: BTreeMap<String, OutputChange>,
    /// The values of the variables that it was made with, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Value>,
}

impl Plan {
    /// The block over sources that the session at `address` comes from, if any.
    #[must_use]
    pub fn fan_out_of(&self, address: &Address) -> Option<&EachOf> {
        let block = Address::new(address.kind, address.name.clone());
        self.fan_outs.get(&block).filter(|_| address.key.is_some())
    }

    /// The version of the format that this library writes and reads.
    pub const FORMAT: u32 = 1;

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// How many resources are added, changed and destroyed; a replacement adds and destroys one.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for change in &self.changes {
            counts.moved += usize::from(change.moved_from.is_some());
            match change.action {
                Action::NoOp | Action::Move => {}
                Action::Create => counts.add += 1,
                Action::Update => counts.change += 1,
                Action::Delete => counts.destroy += 1,
                Action::Replace(_) => {
                    counts.add += 1;
                    counts.destroy += 1;
                }
            }
        }
        counts
    }

    /// The hash of the whole plan: equal plans, and only those, have equal digests.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self)
    }
}

/// How many resources a plan touches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Created, including replacements.
    pub add: usize,
    /// Changed in place.
    pub change: usize,
    /// Removed, including replacements.
    pub destroy: usize,
    /// Moved to another address, including those that are also changed.
    #[serde(default)]
    pub moved: usize,
}

/// What is to be done: `1 to move, 2 to add, 0 to change, 0 to destroy`; moves are left out if there are
/// none.
impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { add, change, destroy, moved } = self;
        if *moved > 0 {
            write!(f, "{moved} to move, ")?;
        }
        write!(f, "{add} to add, {change} to change, {destroy} to destroy")
    }
}

/// What happens to one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Which.
    pub address: Address,
    /// For an object that an unfinished replacement left behind: its generation.
    pub deposed: Option<u32>,
    /// The address that its object had, if it has moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<Address>,
    /// What happens.
    pub action: Action,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The id of the existing object.
    pub id: Option<ObjectId>,
    /// Its attributes as they are; `None` if there is no object.
    pub before: Option<Value>,
    /// Its attributes as they will be; `None` if there will be no object.
    pub after: Option<Value>,
    /// The attributes that differ, by name.
    pub differences: Vec<Difference>,
    /// What it means for the packets that are being mirrored; for sessions only.
    pub capture: Option<Capture>,
}

impl Change {
    /// The kind of resource.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.address.kind
    }
}

/// What happens to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is as it should be.
    NoOp,
    /// It is as it should be except for its address: its object is retagged.
    Move,
    /// It is created.
    Create,
    /// It is changed in place.
    Update,
    /// It is recreated.
    Replace(ReplaceOrder),
    /// It is removed.
    Delete,
}

/// Why something happens to a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// There is no such object yet.
    Absent,
    /// The stack no longer declares it.
    NotInStack,
    /// The whole stack is to be destroyed.
    Destroy,
    /// It is left over from a replacement that was not finished.
    LeftOver,
    /// It should have moved, but another object already has that address.
    Occupied {
        /// Where it should have moved to.
        address: Address,
    },
    /// An attribute that can be changed in place differs.
    Changed {
        /// Its name.
        attribute: String,
    },
    /// An attribute that AWS never changes on an existing object differs.
    Forced {
        /// Its name.
        attribute: String,
    },
    /// The user asked for its replacement.
    Requested,
    /// Its load balancer is replaced, and AWS lets a target group serve only one load balancer.
    ServesReplaced {
        /// The load balancer.
        load_balancer: Address,
    },
    /// Its instances are in a security group that is deleted, and running instances stay as they are.
    HoldsGroup {
        /// The security group.
        security_group: Address,
    },
    /// Something that it cannot exist without is deleted before being recreated.
    GoesWith {
        /// What must be deleted.
        address: Address,
    },
    /// AWS allows one mirror target for each load balancer or interface, so the old one is deleted first.
    DestinationTaken,
}

/// What a change means for the packets that a session mirrors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// Mirroring begins.
    Begins,
    /// Mirroring continues without a gap: one call changes the session while it runs, or the session is deleted only
    /// after its replacement mirrors.
    Continues,
    /// Mirroring stops when the session is deleted and begins again with its replacement:
    /// [`Plan::capture_gap`] estimates for how long.
    Gap,
    /// Mirroring ends.
    Ends,
}

/// An output as it is and as it will be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputChange {
    /// What it is now; `None` if that is not known.
    pub before: Option<Value>,
    /// What it will be; `None` if the plan destroys the stack, or something that the output names does not exist then.
    pub after: Option<Value>,
}

/// One call, and what must be done before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The resource that it is for.
    pub address: Address,
    /// The part of the change that it belongs to.
    pub phase: Phase,
    /// The generation of the object: distinguishes the old object from the new one in a replacement.
    pub generation: u32,
    /// What is sent.
    pub call: Call,
    /// For the first step of a removal: how the object must still look at that time; otherwise it is not
    /// removed. `None` if a stack is destroyed and the object does not look as the stack declares it: AWS
    /// may have shown only a part of it. For a step that removes a rule, a listener or a route of an object that
    /// stays: how that must still look, if it is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expects: Option<Fingerprint>,
    /// The positions of the steps that must be done first, ascending.
    pub needs: Vec<usize>,
}

/// Which part of a change a step belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Creating the object.
    Create,
    /// Changing it.
    Update,
    /// Removing it.
    Delete,
}

/// What a step sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// A call of the resource's own kind.
    Operation(Operation),
    /// A change of its tags.
    Retag {
        /// The object.
        id: ObjectId,
        /// What changes.
        retag: Retag,
    },
}

/// A clause in the present tense: `it must be recreated because "cidr" differs`.
impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => f.write_str("there is no such object yet"),
            Self::NotInStack => f.write_str("it is not in the stack"),
            Self::Destroy => f.write_str("the stack is being destroyed"),
            Self::Occupied { address } => {
                write!(
                    f,
                    "it should move to {address}, but another object already has that address"
                )
            }
            Self::LeftOver => f.write_str("it is left over from an unfinished replacement"),
            Self::Changed { attribute } => write!(f, "`{attribute}` differs"),
            Self::Forced { attribute } => {
                write!(f, "`{attribute}` differs, which AWS cannot change on an existing object")
            }
            Self::Requested => f.write_str("its replacement was requested"),
            Self::ServesReplaced { load_balancer } => {
                write!(
                    f,
                    "{load_balancer} is replaced, and a target group serves only one load balancer"
                )
            }
            Self::HoldsGroup { security_group } => {
                write!(f, "its instances are in {security_group}, which is deleted")
            }
            Self::GoesWith { address } => {
                write!(
                    f,
                    "it cannot exist without {address}, which is deleted before its replacement is created"
                )
            }
            Self::DestinationTaken => f.write_str(
                "AWS allows one mirror target for each load balancer or interface, so the old one \
                 is deleted first",
            ),
        }
    }
}
