//! VPC peering connections: requested, accepted, ended.
//!
//! Both VPCs are in one Region, and belong to one account or to two. The requesting account has the connection; the
//! other account has only its answer and its tags, because a call changes nothing in another account. The state of a
//! connection follows from both. Source: VPC Peering guide, "VPC peering connection lifecycle" and "Quotas".

use crate::action::Action;
use crate::ec2::vpc::Vpc;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::{Listing, check_shape, not_found};
use crate::parameters::Parameters;
use crate::place::is_account;
use crate::schedule::{Event, later};
use crate::table::{Kind, Row as _, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, Region, View, by_id_mut, find};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) mod side;

use side::{Reply, Side};

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeVpcPeeringConnections", describe),
    Action::write("CreateVpcPeeringConnection", create),
    Action::write("AcceptVpcPeeringConnection", accept),
    Action::write("DeleteVpcPeeringConnection", delete),
];

/// How long a request waits for the accepter.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a deleted connection is described to the account that deleted it.
const DELETED_IS_SHOWN: Duration = Duration::from_secs(2 * 60 * 60);

/// How long a failed or expired connection is described.
const FAILED_IS_SHOWN: Duration = Duration::from_secs(2 * 60 * 60);

/// A VPC peering connection, as the account that requested it has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct VpcPeering {
    pub(crate) id: String,
    pub(crate) requester: String,
    pub(crate) accepter: String,
    /// The accounts of both sides, if they are two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) accounts: Option<Accounts>,
    /// When it was requested.
    asked: Timestamp,
    stage: Stage,
    pub(crate) tags: Tags,
}

/// The accounts of the two sides of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Accounts {
    pub(crate) requester: String,
    pub(crate) accepter: String,
}

/// How far it has progressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    Asked,
    Accepted(Timestamp),
    Failed,
    Expired,
    Deleted,
}

/// Whether two VPCs of an account are connected.
pub(crate) fn connects(region: &Region, one: &str, other: &str) -> bool {
    let mut all = region.vpc_peerings.values();
    all.any(|it| matches!(it.stage, Stage::Accepted(_)) && it.is_between(one, other))
}

tagged_row!(
    VpcPeering,
    Kind {
        prefix: "pcx-",
        noun: "vpcPeeringConnection ID",
        resource_type: "vpc-peering-connection",
        not_found: "InvalidVpcPeeringConnectionID.NotFound",
        malformed: "InvalidVpcPeeringConnectionId.Malformed",
        describe: "DescribeVpcPeeringConnections",
    }
);

impl VpcPeering {
    /// Whether packets pass.
    pub(crate) fn is_active(&self, view: View<'_>) -> bool {
        matches!(self.stage(view), Stage::Accepted(_))
    }

    /// Whether it is requested or active.
    fn stands(&self, view: View<'_>) -> bool {
        matches!(self.stage(view), Stage::Asked | Stage::Accepted(_))
    }

    /// Its stage, given what both accounts have done.
    fn stage(&self, view: View<'_>) -> Stage {
        if self.accounts.is_none() || self.stage != Stage::Asked {
            return self.stage;
        }
        match self.reply(view) {
            Some(Reply::Accepted(when)) => Stage::Accepted(when),
            Some(Reply::Deleted(_)) => Stage::Deleted,
            None if later(self.asked, PATIENCE) <= view.now => Stage::Expired,
            None => Stage::Asked,
        }
    }

    /// What another account has answered.
    fn reply(&self, view: View<'_>) -> Option<Reply> {
        let accepter = view.of_account(&self.accounts.as_ref()?.accepter)?;
        accepter.peering_sides.get(&self.id)?.reply
    }

    /// Whether it is no longer described, though it is kept.
    fn is_over(&self, view: View<'_>) -> bool {
        if self.accounts.is_none() || self.stage != Stage::Asked {
            return false;
        }
        let gone = match self.reply(view) {
            Some(Reply::Deleted(when)) => later(when, DELETED_IS_SHOWN),
            Some(Reply::Accepted(_)) => return false,
            None => later(later(self.asked, PATIENCE), FAILED_IS_SHOWN),
        };
        gone <= view.now
    }

    /// When a request that nobody accepts expires.
    fn expires(&self, view: View<'_>) -> Option<Timestamp> {
        (self.stage(view) == Stage::Asked).then(|| later(self.asked, PATIENCE))
    }

    fn is_of(&self, vpc: &str) -> bool {
        self.requester == vpc || self.accepter == vpc
    }

    /// Whether it connects these two VPCs.
    pub(crate) fn is_between(&self, one: &str, other: &str) -> bool {
        let pair = (self.requester.as_str(), self.accepter.as_str());
        pair == (one, other) || pair == (other, one)
    }

    /// The requesting account, with what it has in the Region.
    fn asking<'a>(&'a self, view: View<'a>) -> (&'a str, Option<&'a Region>) {
        of(view, self.accounts.as_ref().map(|accounts| &*accounts.requester))
    }

    /// The accepting account, with what it has in the Region.
    fn asked_of<'a>(&'a self, view: View<'a>) -> (&'a str, Option<&'a Region>) {
        of(view, self.accounts.as_ref().map(|accounts| &*accounts.accepter))
    }

    /// The VPC of the requester.
    fn requester_vpc<'a>(&'a self, view: View<'a>) -> Option<&'a Vpc> {
        self.asking(view).1?.vpcs.get(&self.requester)
    }

    /// The VPC of the accepter. Its ranges are shown once it has accepted.
    fn accepter_vpc<'a>(&'a self, view: View<'a>) -> Option<&'a Vpc> {
        let vpc = self.asked_of(view).1?.vpcs.get(&self.accepter);
        vpc.filter(|_| self.is_active(view))
    }

    fn code(&self, view: View<'_>) -> &'static str {
        let is_pending = |since| view.now < later(since, view.settings.durations.network_pending);
        match self.stage(view) {
            Stage::Asked if is_pending(self.asked) => "initiating-request",
            Stage::Asked => "pending-acceptance",
            Stage::Accepted(when) if is_pending(when) => "provisioning",
            Stage::Accepted(_) => "active",
            Stage::Failed => "failed",
            Stage::Expired => "expired",
            Stage::Deleted => "deleted",
        }
    }

    fn message(&self, view: View<'_>) -> String {
        let accepter = self.asked_of(view).0;
        match self.code(view) {
            "initiating-request" => format!("Initiating Request to {accepter}"),
            "pending-acceptance" => format!("Pending Acceptance by {accepter}"),
            "provisioning" => "Provisioning".to_owned(),
            "active" => "Active".to_owned(),
            "failed" => {
                "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range".to_owned()
            }
            "expired" => "Expired".to_owned(),
            _ => format!("Deleted by {}", self.deleted_by(view)),
        }
    }

    fn deleted_by<'a>(&'a self, view: View<'a>) -> &'a str {
        match self.reply(view) {
            Some(Reply::Deleted(_)) => self.asked_of(view).0,
            Some(Reply::Accepted(_)) | None => self.asking(view).0,
        }
    }
}

/// An account, or the caller's, with what it has in the Region.
fn of<'a>(view: View<'a>, account: Option<&'a str>) -> (&'a str, Option<&'a Region>) {
    match account {
        Some(account) => (account, view.of_account(account)),
        None => (&view.region.account, Some(view.region)),
    }
}

/// A connection that an account sees: one that it has requested, or one that another account has requested from it.
pub(crate) fn seen<'a>(view: View<'a>, id: &str) -> Option<&'a VpcPeering> {
    let all = view.everyones().filter_map(|owner| Some((owner, owner.vpc_peerings.get(id)?)));
    let mut seen =
        all.filter(|(owner, it)| owner.account == view.region.account || is_asked(view, it));
    seen.next().map(|(_, peering)| peering)
}

/// Whether another account has requested a connection from the caller.
fn is_asked(view: View<'_>, peering: &VpcPeering) -> bool {
    let accounts = peering.accounts.as_ref();
    accounts.is_some_and(|accounts| accounts.accepter == view.region.account)
}

/// The connections that other accounts have requested from an account.
fn asked_for(view: View<'_>) -> impl Iterator<Item = &VpcPeering> {
    let all = view.neighbours.iter().flat_map(|owner| owner.vpc_peerings.values());
    all.filter(move |peering| is_asked(view, peering))
}

/// The connection that a parameter names, among those that the caller sees.
pub(crate) fn named<'a>(view: View<'a>, parameters: &Parameters) -> Outcome<&'a VpcPeering> {
    let id = parameters.required(ID)?;
    check_shape(&VpcPeering::KIND, id, ID)?;
    let seen = seen(view, id).filter(|peering| !peering.is_over(view));
    seen.ok_or_else(|| not_found(&VpcPeering::KIND, &[id]))
}

/// The parameter that names a connection.
const ID: &str = "VpcPeeringConnectionId";

/// Describes the connections of the caller, and those requested from it, with its own tags.
fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let foreign: BTreeMap<&str, VpcPeering> = asked_for(view)
        .map(|peering| {
            let side = view.region.peering_sides.get(&peering.id);
            let tags = side.map(|side| side.tags.clone()).unwrap_or_default();
            (&*peering.id, VpcPeering { tags, ..peering.clone() })
        })
        .collect();
    let foreign = foreign.iter().map(|(id, peering)| (*id, (view, peering))).collect();
    let is_described = |peering: &VpcPeering| !peering.is_over(view);
    LISTING.answer_with(view, parameters, (foreign, is_described), xml)
}

const LISTING: Listing<VpcPeering> = Listing {
    table: |region| &region.vpc_peerings,
    ids: "VpcPeeringConnectionId",
    filters: &[
        ("accepter-vpc-info.cidr-block", |view, peering| {
            texts(peering.accepter_vpc(view).map(Vpc::cidr))
        }),
        ("accepter-vpc-info.owner-id", |view, peering| texts([peering.asked_of(view).0])),
        ("accepter-vpc-info.vpc-id", |_, peering| texts([&peering.accepter])),
        ("expiration-time", |view, peering| texts(peering.expires(view))),
        ("requester-vpc-info.cidr-block", |view, peering| {
            texts(peering.requester_vpc(view).map(Vpc::cidr))
        }),
        ("requester-vpc-info.owner-id", |view, peering| texts([peering.asking(view).0])),
        ("requester-vpc-info.vpc-id", |_, peering| texts([&peering.requester])),
        ("status-code", |view, peering| texts([peering.code(view)])),
        ("status-message", |view, peering| texts([peering.message(view)])),
        ("vpc-peering-connection-id", |_, peering| texts([&peering.id])),
    ],
    set: "vpcPeeringConnectionSet",
    write,
    page: 5..=1000,
};

fn write(view: View<'_>, peering: &VpcPeering, xml: &mut Xml) {
    let accepter = (&*peering.accepter, peering.accepter_vpc(view));
    let owner = peering.asked_of(view).0;
    xml.element("accepterVpcInfo", |xml| write_side(view, owner, accepter, xml));
    xml.optional("expirationTime", peering.expires(view));
    let requester = (&*peering.requester, peering.requester_vpc(view));
    let owner = peering.asking(view).0;
    xml.element("requesterVpcInfo", |xml| write_side(view, owner, requester, xml));
    xml.element("status", |xml| {
        xml.text("code", peering.code(view));
        xml.text("message", peering.message(view));
    });
    peering.tags.write(xml);
    xml.text("vpcPeeringConnectionId", &peering.id);
}

fn write_side(view: View<'_>, owner: &str, (id, vpc): (&str, Option<&Vpc>), xml: &mut Xml) {
    if let Some(vpc) = vpc {
        xml.text("cidrBlock", vpc.cidr());
        xml.items("cidrBlockSet", &vpc.cidrs, |xml, block| xml.text("cidrBlock", block.cidr));
        xml.element("peeringOptions", |xml| {
            xml.text("allowDnsResolutionFromRemoteVpc", false);
            xml.text("allowEgressFromLocalClassicLinkToRemoteVpc", false);
            xml.text("allowEgressFromLocalVpcToRemoteClassicLink", false);
        });
    }
    xml.text("ownerId", owner);
    xml.text("region", &view.region.name);
    xml.text("vpcId", id);
}

/// Requests a connection. If the two VPCs have one in this direction, that is the answer.
///
/// Source: hashicorp/terraform-provider-aws #27750.
fn create(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    call.parameters.refuse(&["PeerRegion"])?;
    let requester = find(&call.region.vpcs, call.parameters, "VpcId")?.id.clone();
    let accepter = call.parameters.required("PeerVpcId")?.to_owned();
    let accounts = accounts(call)?;
    let tags = Tags::specified(call.parameters, "vpc-peering-connection")?;
    let wanted = VpcPeering {
        id: String::new(),
        requester,
        accepter,
        accounts,
        asked: call.now,
        stage: Stage::Asked,
        tags,
    };
    let id = match standing(call.view(), &wanted) {
        Some(id) => id,
        None => ask(call, wanted),
    };
    let view = call.view();
    if let Some(peering) = view.region.vpc_peerings.get(&id) {
        xml.element("vpcPeeringConnection", |xml| write(view, peering, xml));
    }
    Ok(())
}

/// The accounts of both sides, if the accepter is another account.
fn accounts(call: &Call<'_>) -> Outcome<Option<Accounts>> {
    let requester = &call.region.account;
    let Some(accepter) = call.parameters.given("PeerOwnerId").filter(|it| it != requester) else {
        return Ok(None);
    };
    if !is_account(accepter) {
        return Err(Failure::invalid(accepter, "peerOwnerId", "This is not an account ID."));
    }
    Ok(Some(Accounts { requester: requester.clone(), accepter: accepter.to_owned() }))
}

/// The connection that a pair of VPCs has in this direction, requested or active.
fn standing(view: View<'_>, wanted: &VpcPeering) -> Option<String> {
    let mut all = view.region.vpc_peerings.values();
    all.find(|peering| {
        peering.stands(view)
            && peering.requester == wanted.requester
            && peering.accepter == wanted.accepter
    })
    .map(|peering| peering.id.clone())
}

/// Adds a request; one for a VPC that does not exist, or whose ranges overlap, fails at once. What becomes of a
/// request to another account follows from what that account has answered, and when.
fn ask(call: &mut Call<'_>, mut peering: VpcPeering) -> String {
    let id = call.region.draw_id("pcx-");
    peering.id.clone_from(&id);
    if !can_connect(call.view(), &peering) {
        peering.stage = Stage::Failed;
        call.region.arrange(later(call.now, FAILED_IS_SHOWN), Event::ForgetPeering, &id);
    } else if peering.accounts.is_none() {
        let expired = later(call.now, PATIENCE);
        call.region.arrange(expired, Event::ExpirePeering, &id);
        call.region.arrange(later(expired, FAILED_IS_SHOWN), Event::ForgetPeering, &id);
    }
    call.region.vpc_peerings.insert(id.clone(), peering);
    id
}

fn can_connect(view: View<'_>, peering: &VpcPeering) -> bool {
    let accepter = peering.asked_of(view).1.and_then(|region| region.vpcs.get(&peering.accepter));
    let (Some(one), Some(other)) = (peering.requester_vpc(view), accepter) else { return false };
    let overlap = |a: ipnet::Ipv4Net, b: ipnet::Ipv4Net| a.contains(&b) || b.contains(&a);
    !one.cidrs.iter().any(|a| other.cidrs.iter().any(|b| overlap(a.cidr, b.cidr)))
}

/// Accepts a request: only the accepter can.
///
/// Source: EC2 API reference, `AcceptVpcPeeringConnection`; the error of another account, hashicorp/terraform #20473.
fn accept(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let view = call.view();
    let peering = named(view, call.parameters)?;
    let (id, caller) = (peering.id.clone(), &view.region.account);
    if peering.asked_of(view).0 != caller {
        let message = format!("User {caller} cannot accept peering {id}");
        return Err(Failure::new("OperationNotPermitted", message));
    }
    let code = peering.code(view);
    if code != "pending-acceptance" {
        return Err(wrong_state(&id, code, "active"));
    }
    check_acceptable(view, peering)?;
    if peering.accounts.is_some() {
        Side::of(call.region, &id).reply = Some(Reply::Accepted(call.now));
    } else {
        let accepted = Stage::Accepted(call.now);
        by_id_mut(&mut call.region.vpc_peerings, &id, "vpcPeeringConnectionId")?.stage = accepted;
    }
    let view = call.view();
    if let Some(peering) = seen(view, &id) {
        let side = view.region.peering_sides.get(&id);
        let tags = side.map_or_else(|| peering.tags.clone(), |side| side.tags.clone());
        let peering = VpcPeering { tags, ..peering.clone() };
        xml.element("vpcPeeringConnection", |xml| write(view, &peering, xml));
    }
    Ok(())
}

/// Refuses a second connection between two VPCs, and one more than a VPC may have.
fn check_acceptable(view: View<'_>, peering: &VpcPeering) -> Outcome {
    let VpcPeering { id, requester, accepter, .. } = peering;
    let all = || view.everyones().flat_map(|region| region.vpc_peerings.values());
    let active = || all().filter(|other| other.is_active(view));
    if active().any(|other| other.is_between(requester, accepter)) {
        let message = format!("The vpc peering connection identified by {id} already exists.");
        return Err(Failure::new("VpcPeeringConnectionAlreadyExists", message));
    }
    let most = view.settings.quotas.peerings_per_vpc;
    if [requester, accepter].iter().any(|vpc| active().filter(|it| it.is_of(vpc)).count() >= most) {
        let message = "The maximum number of VPC peering connections has been reached.";
        return Err(Failure::new("VpcPeeringConnectionsPerVpcLimitExceeded", message));
    }
    Ok(())
}

/// Deletes a connection: either side can delete an active one, and the requester can delete a request.
///
/// Source: EC2 API reference, `DeleteVpcPeeringConnection`.
fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let view = call.view();
    let peering = named(view, call.parameters)?;
    let (id, asks) = (peering.id.clone(), peering.asking(view).0 == view.region.account);
    if !(peering.is_active(view) || asks && peering.stands(view)) {
        return Err(wrong_state(&id, peering.code(view), "deleting"));
    }
    if asks {
        by_id_mut(&mut call.region.vpc_peerings, &id, "vpcPeeringConnectionId")?.stage =
            Stage::Deleted;
        call.region.arrange(later(call.now, DELETED_IS_SHOWN), Event::ForgetPeering, &id);
    } else {
        Side::of(call.region, &id).reply = Some(Reply::Deleted(call.now));
    }
    xml.text("return", true);
    Ok(())
}

fn wrong_state(id: &str, from: &str, to: &str) -> Failure {
    let message =
        format!("Invalid state transition for {id}, attempted to transition from {from} to {to}");
    Failure::new("InvalidStateTransition", message)
}

/// Ends a request within one account that nobody has accepted.
pub(crate) fn expire(region: &mut Region, id: &str) {
    let is_asked = |peering: &&VpcPeering| peering.stage == Stage::Asked;
    if region.vpc_peerings.get(id).filter(is_asked).is_some()
        && let Some(peering) = region.vpc_peerings.get_mut(id)
    {
        peering.stage = Stage::Expired;
    }
}

/// Stops describing a connection that has ended.
pub(crate) fn forget(region: &mut Region, id: &str) {
    let has_ended = |it: &VpcPeering| !matches!(it.stage, Stage::Asked | Stage::Accepted(_));
    if region.vpc_peerings.get(id).is_some_and(has_ended) {
        region.vpc_peerings.remove(id);
    }
}

/// A connection that keeps a VPC of an account from being deleted.
pub(crate) fn of_vpc<'a>(view: View<'a>, vpc: &str) -> Option<&'a String> {
    let mut all = view.region.vpc_peerings.values().chain(asked_for(view));
    all.find(|peering| peering.stands(view) && peering.is_of(vpc)).map(|peering| &peering.id)
}
