//! The plan: what will change, why, and the finished order of calls that does it.
//!
//! [`plan`] is a pure function. It reads no clock, no file and no cloud, equal input gives an equal
//! plan to the byte, and it leaves no choice to whoever carries the plan out.

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
pub use gap::CaptureGap;
pub use saved::SavedPlanError;
pub use secrets::Secrets;
pub use sources::{EachOf, LeftOut, Mirrored};
pub use time::{ApplyTime, Bound, Stage, TimeSource};
pub use wait::{Experience, Wait};

/// What to plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Whether the stack is to be there or to go.
    pub mode: Mode,
    /// Only these and what they depend on; everything where it is empty.
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
    /// The sessions over sources that are to be made or removed, and nothing else. What else differs
    /// is left as it is, so that nothing is done that nobody has looked at.
    Sources {
        /// Make sessions only on interfaces of these instances; on all where it is empty.
        instances: BTreeSet<InstanceId>,
    },
}

/// Whether the stack is to be there or to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The cloud is made as the stack says.
    #[default]
    Apply,
    /// Everything that the stack owns is removed.
    Destroy,
}

/// Plans how `observed` becomes what `stack` says.
///
/// # Errors
/// Everything that can be known to be wrong before the first call: another account or Region than
/// the stack's, objects that claim one address, replacements that a fixed name prevents, unknown
/// addresses in `request`, circles of references, two that claim what one can have, and what goes
/// while something that stays has it.
pub fn plan(stack: &Stack, observed: &Observed, request: &Request) -> Result<Plan, Diagnostics> {
    let (seen, used) = (observed, existing::used(stack, observed));
    let reached = match request.mode {
        Mode::Apply => existing::reached(stack, observed),
        // The stack's own account takes away what is its own.
        Mode::Destroy => BTreeMap::new(),
    };
    let moves = request.mode.moves(stack, seen);
    let observed = &*moves.seen(seen);
    let Expanded { stack, sources, fan_outs } = match request.mode {
        Mode::Apply => Expanded::of(stack.using(observed)?, observed)?,
        // What goes needs nothing of what stays.
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
        sources,
        fan_outs,
        foreign_targets,
        network_acls: match request.mode {
            Mode::Apply => seen.closed_network_acls(),
            // Nothing goes anywhere any more.
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
    /// Where the runs of a team meet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordination: Option<Coordination>,
    /// Whether the stack is to be there or to go.
    pub mode: Mode,
    /// Whether only a part of the stack was planned.
    pub targeted: bool,
    /// The other accounts that it looks into or accepts in, and how it reaches them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<AccountName, Account>,
    /// The objects that it uses and leaves as they are, by address.
    #[serde(
        default,
        with = "crate::observed::by_address",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub existing: BTreeMap<Address, ObjectId>,
    /// What it mirrors of the interfaces that come and go.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<Name, Mirrored>,
    /// What it does for each of them, by the address of the block.
    #[serde(
        default,
        with = "crate::observed::by_address",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub fan_outs: BTreeMap<Address, EachOf>,
    /// Who owns the mirror targets that it sends to and that are other accounts'.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub foreign_targets: BTreeMap<MirrorTargetId, AccountId>,
    /// The network ACLs that are in the way of what it mirrors, or may be.
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
    /// The block over sources that a session comes from, if it comes from one.
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

    /// The hash of everything the plan says: equal plans, and only they, have equal digests.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self)
    }
}

/// How many resources a plan touches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Made anew, replacements among them.
    pub add: usize,
    /// Changed in place.
    pub change: usize,
    /// Removed, replacements among them.
    pub destroy: usize,
    /// Known under another address from now on, those among them that are changed as well.
    #[serde(default)]
    pub moved: usize,
}

/// What is to be done: `1 to move, 2 to add, 0 to change, 0 to destroy`; of moves nothing where there are none.
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
    /// The id of the object that is there.
    pub id: Option<ObjectId>,
    /// Its attributes as they are; `None` if there is none.
    pub before: Option<Value>,
    /// Its attributes as they will be; `None` if there will be none.
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
    /// It is as it should be, but for its address: its object is tagged anew.
    Move,
    /// It is made.
    Create,
    /// It is changed in place.
    Update,
    /// It is made anew.
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
    /// The whole stack is to go.
    Destroy,
    /// It is left over from a replacement that was not finished.
    LeftOver,
    /// It should have moved, and another object has that address already.
    Occupied {
        /// Where it should have moved to.
        address: Address,
    },
    /// An attribute differs that can be changed in place.
    Changed {
        /// Its name.
        attribute: String,
    },
    /// An attribute differs that AWS never changes on an object that exists.
    Forced {
        /// Its name.
        attribute: String,
    },
    /// The user asked for its replacement.
    Requested,
    /// Its load balancer is replaced, and AWS lets a target group serve one load balancer only.
    ServesReplaced {
        /// The load balancer.
        load_balancer: Address,
    },
    /// Its instances are in a security group that goes, and instances that run stay as they are.
    HoldsGroup {
        /// The security group.
        security_group: Address,
    },
    /// Something it cannot exist without must go before its replacement is made.
    GoesWith {
        /// What must go.
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
    /// Mirroring goes on without a gap: one call changes the session as it runs.
    Continues,
    /// Mirroring stops when the session goes and begins again with its replacement:
    /// [`Plan::capture_gap`] says for how long.
    Gap,
    /// Mirroring ends.
    Ends,
}

/// An output as it is and as it will be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputChange {
    /// What it is now; `None` if it cannot be told.
    pub before: Option<Value>,
    /// What it will be; `None` once the stack is gone.
    pub after: Option<Value>,
}

/// One call, and what must be done before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The resource that it is for.
    pub address: Address,
    /// Which part of its change.
    pub phase: Phase,
    /// The generation of the object: tells the old from the new in a replacement.
    pub generation: u32,
    /// What is sent.
    pub call: Call,
    /// With the first step of a removal: how the object must still look then, or it stays. `None` where a
    /// stack goes and the object does not look as the stack has it: then AWS may have shown only a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expects: Option<Fingerprint>,
    /// The positions of the steps that must be done first, ascending.
    pub needs: Vec<usize>,
}

/// Which part of a change a step belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Making the object.
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

/// A clause in the present tense: `it must be made anew because "cidr" differs`.
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
