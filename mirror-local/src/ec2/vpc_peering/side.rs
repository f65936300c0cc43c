//! The side of an account from which another one has requested a peering connection: its answer, and its tags.
//!
//! Source: VPC Peering guide, "Create a VPC peering connection": tags are visible to the account that has given them.

use super::{VpcPeering, seen};
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, Region};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an account has of a connection that another one has requested.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Side {
    pub(super) reply: Option<Reply>,
    pub(crate) tags: Tags,
}

/// The last answer of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Reply {
    Accepted(Timestamp),
    /// It was accepted, and deleted by the account that had accepted it.
    Deleted(Timestamp),
}

tagged_row!(Side, Kind { ..VpcPeering::KIND });

impl Side {
    /// The side of an account, which has it from now on.
    pub(super) fn of<'r>(region: &'r mut Region, id: &str) -> &'r mut Self {
        if !region.peering_sides.contains(id) {
            region.peering_sides.insert(id, Self::default());
        }
        region.peering_sides.get_mut(id).expect("it is added above if it was not there")
    }
}

/// Gives the caller a side of a connection that is requested from it, so that it can tag that.
pub(crate) fn claim(call: &mut Call<'_>, id: &str) {
    let is_own = call.region.vpc_peerings.contains(id);
    if !is_own && seen(call.view(), id).is_some() {
        Side::of(call.region, id);
    }
}
