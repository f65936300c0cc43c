//! Lints: what AWS would refuse halfway through an apply, and what it accepts without an error although no packet
//! will ever arrive.
//!
//! Each lint is a value in [`ALL`]; the entry for its code in [`crate::code`] has the severity and the AWS fact,
//! with its source and date. A lint only reports what is known: the contents of a security group, a subnet or an
//! interface that is named by its id are not known, so no finding is based on them.
//!
//! ```
//! use mirror_plan::lint;
//! use mirror_plan::resource::{MirrorFilter, MirrorSession};
//! use mirror_plan::stack::Stack;
//!
//! let mut stack = Stack::builder("lab".parse()?);
//! let filter = stack.add(
//!     "nothing".parse()?,
//!     MirrorFilter {
//!         description: None,
//!         amazon_dns: false,
//!         rules: Default::default(),
//!         tags: Default::default(),
//!     },
//! );
//! stack.add(
//!     "detect".parse()?,
//!     MirrorSession {
//!         source: mirror_plan::attribute::Ref::Id("eni-0a1b2c3d".parse()?),
//!         target: mirror_plan::attribute::Ref::Id("tmt-0a1b2c3d".parse()?),
//!         filter,
//!         number: 1_i64.try_into()?,
//!         packet_length: None,
//!         vni: None,
//!         description: None,
//!         tags: Default::default(),
//!     },
//! );
//! let (stack, _warnings) = stack.build()?;
//! let found = lint::check(&stack);
//! assert_eq!(found.iter().next().map(|finding| finding.code.0), Some("MP1008"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::borrow::Cow;

use crate::code;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::observed::{Observed, Strangers};
use crate::plan::{Mode, Request};
use crate::stack::Stack;

mod absent;
mod apart;
mod catalogue;
mod filter;
mod instance_type;
mod load_balancer;
mod mend;
mod network;
mod network_acl;
mod occupied;
mod quota;
mod route;
mod security;
mod session;
mod sole;
#[cfg(all(test, feature = "hcl"))]
mod tests;
mod view;
mod zone;

pub use catalogue::{Row, catalogue};
pub use mend::{Mended, mended};
pub use occupied::check_removal;
use view::View;

/// One check that is made on every stack.
#[derive(Clone, Copy, Debug)]
pub struct Lint {
    /// Its code, which [`code::explain`] explains.
    pub code: Code,
    check: fn(&View<'_>) -> Vec<Diagnostic>,
}

/// Declares [`ALL`].
macro_rules! lints {
    ($($code:ident by $module:ident::$check:ident;)+) => {
        /// Every lint, by code.
        pub const ALL: &[Lint] = &[
            $(Lint { code: code::$code, check: $module::$check },)+
        ];
    };
}

lints! {
    NO_VXLAN_LISTENER by load_balancer::no_vxlan_listener;
    LISTENER_PROTOCOL by load_balancer::listener_protocol;
    HEALTH_CHECK_ON_VXLAN_PORT by load_balancer::health_check_on_vxlan_port;
    HEALTH_CHECK_SHUT_OUT by security::health_check_shut_out;
    RECEIVER_SHUT_OUT by security::receiver_shut_out;
    LOAD_BALANCER_SHUT by security::load_balancer_shut;
    FILTER_MIRRORS_NOTHING by filter::mirrors_nothing;
    RULE_WITHOUT_EFFECT by filter::rule_without_effect;
    QUOTA by quota::quota;
    SESSION_NUMBER by session::number_taken;
    PACKET_LENGTH by session::packet_length_too_short;
    VNI by session::vni_shared;
    SOURCE_TYPE by instance_type::source_type;
    ALREADY_IN_USE by session::already_in_use;
    NO_INTERNET_ROUTE by route::no_internet_route;
    ZONE_LEFT_OUT by zone::zone_left_out;
    IN_OTHER_VPC by apart::in_several_vpcs;
    NO_ROUTE_TO_TARGET by route::no_route_to_target;
    PATH_TOO_NARROW by network::path_too_narrow;
    SESSION_GETS_NOTHING by session::gets_nothing;
    DNS_NOT_MIRRORED by filter::dns_not_mirrored;
    NETWORK_ACL_SHUT by network_acl::shut;
    LOAD_BALANCER_REFUSED by load_balancer::refused;
    MIRRORS_THE_MIRROR by session::mirrors_the_mirror;
    RANGES_CLASH by network::ranges_clash;
    NAME_TAKEN by network::name_taken;
    DEFAULT_QUOTA by quota::default_quota;
    NO_RECEIVER by load_balancer::no_receiver;
    ENDPOINT_ZONE by zone::endpoint_zone;
    TARGET_IN_OTHER_ZONE by zone::target_elsewhere;
    ZONE_TWICE by zone::zone_twice;
    NOT_THERE by absent::named;
    SECOND by sole::second;
}

/// Returns what the lints find in a stack, in the order of its text, without what the stack allows.
#[must_use]
pub fn check(stack: &Stack) -> Diagnostics {
    found(stack, None)
}

/// What was seen around a stack.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// What the stack owns, and what it uses.
    pub observed: &'a Observed,
    /// The objects of others that may be in its way.
    pub strangers: &'a Strangers,
}

/// Returns the same as `check`, but also considers what was seen of the objects that the stack uses, and of objects
/// that belong to others.
///
/// A stack that is to be destroyed has no findings. If only a part of a stack is planned, only the findings about
/// that part count.
#[must_use]
pub fn check_planned(stack: &Stack, around: Around<'_>, request: &Request) -> Diagnostics {
    if request.mode == Mode::Destroy {
        return Diagnostics::new();
    }
    let moved = around.observed.as_moved_in(stack);
    let around = Around { observed: &moved, ..around };
    // The plan itself refuses objects that do not fit.
    let filled = stack.using(around.observed).unwrap_or(Cow::Borrowed(stack));
    let found = found(&filled, Some(around));
    if request.targets.is_empty() {
        return found;
    }
    let scope = crate::graph::ResourceGraph::of(stack).with_dependencies(&request.targets);
    let is_planned =
        |found: &Diagnostic| found.address.as_ref().is_none_or(|it| scope.contains(it));
    found.into_iter().filter(is_planned).collect()
}

fn found(stack: &Stack, around: Option<Around<'_>>) -> Diagnostics {
    let view = View::of(stack, around);
    let allowed = |lint: &&Lint| stack.allow.iter().any(|allowance| allowance.code() == lint.code);
    let lints = ALL.iter().filter(|lint| !allowed(lint));
    let mut found: Diagnostics = lints.flat_map(|lint| (lint.check)(&view)).collect();
    found.sort();
    by_block(found)
}

/// Merges the findings of a block into one: a mistake in a block applies to every resource that its `count` makes.
fn by_block(found: Diagnostics) -> Diagnostics {
    let block = |found: &Diagnostic| {
        let address = found.address.as_ref().filter(|address| address.key.is_some())?;
        Some((found.code, address.kind, address.name.clone(), found.labels.first().cloned()?.span))
    };
    let mut kept: Vec<(Diagnostic, usize)> = Vec::new();
    for found in found {
        match kept.last_mut() {
            Some((last, more)) if block(&found).is_some() && block(last) == block(&found) => {
                *more += 1;
            }
            _ => kept.push((found, 0)),
        }
    }
    let noted = kept.into_iter().map(|(found, more)| match more {
        0 => found,
        more => found.note(format!("the same applies to {more} more of this block")),
    });
    noted.collect()
}

/// Returns an error if there is a finding as severe as `least`, or more severe.
///
/// # Errors
/// A diagnostic that states how many such findings there are.
pub fn refuse(found: &Diagnostics, least: Severity) -> Result<(), Diagnostics> {
    // Severities are ordered from the worst down.
    let bad = found.iter().filter(|found| found.severity <= least);
    let title = match bad.count() {
        0 => return Ok(()),
        1 => "blocked by a finding".to_owned(),
        count => format!("blocked by {count} findings"),
    };
    Err(Diagnostic::error(code::FINDINGS, title)
        .note("AWS would refuse the apply half-way, or accept it and carry no packets")
        .help("fix what was found: `mirror validate --fix` makes the edits shown")
        .help("or accept it in the `stack` block, with a reason: `allow = [\"CODE: REASON\"]`")
        .into())
}
