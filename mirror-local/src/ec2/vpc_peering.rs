//! VPC peering connections: asked for, accepted, ended.
//!
//! Both VPCs are of this account and Region. Source: VPC Peering guide, "VPC peering connection
//! lifecycle" and "Quotas".

use crate::action::Action;
use crate::ec2::vpc::Vpc;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::schedule::{Event, later};
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, Region, View, by_id_mut, find};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeVpcPeeringConnections", |view, parameters, xml| {
        LISTING.answer(view, parameters, xml)
    }),
    Action::write("CreateVpcPeeringConnection", create),
    Action::write("AcceptVpcPeeringConnection", accept),
    Action::write("DeleteVpcPeeringConnection", delete),
];

/// How long a request waits for the accepter.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long one that was deleted is described to the account that deleted it.
const DELETED_IS_SHOWN: Duration = Duration::from_secs(2 * 60 * 60);

/// How long one that has failed or expired is described.
const FAILED_IS_SHOWN: Duration = Duration::from_secs(2 * 60 * 60);

/// A VPC peering connection.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct VpcPeering {
    pub(crate) id: String,
    pub(crate) requester: String,
    pub(crate) accepter: String,
    /// When it was asked for.
    asked: Timestamp,
    stage: Stage,
    pub(crate) tags: Tags,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    Asked,
    Accepted(Timestamp),
    Failed,
    Expired,
    Deleted,
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
    pub(crate) fn is_active(&self) -> bool {
        matches!(self.stage, Stage::Accepted(_))
    }

    /// Whether it is asked for or active.
    fn stands(&self) -> bool {
        matches!(self.stage, Stage::Asked | Stage::Accepted(_))
    }

    /// When a request ends that nobody accepts.
    fn expires(&self) -> Option<Timestamp> {
        (self.stage == Stage::Asked).then(|| later(self.asked, PATIENCE))
    }

    fn is_of(&self, vpc: &str) -> bool {
        self.requester == vpc || self.accepter == vpc
    }

    /// Whether it is of these two VPCs.
    pub(crate) fn is_between(&self, one: &str, other: &str) -> bool {
        let pair = (self.requester.as_str(), self.accepter.as_str());
        pair == (one, other) || pair == (other, one)
    }

    fn code(&self, view: View<'_>) -> &'static str {
        let is_pending = |since| view.now < later(since, view.settings.durations.network_pending);
        match self.stage {
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
        let account = &view.region.account;
        match self.code(view) {
            "initiating-request" => format!("Initiating Request to {account}"),
            "pending-acceptance" => format!("Pending Acceptance by {account}"),
            "provisioning" => "Provisioning".to_owned(),
            "active" => "Active".to_owned(),
            "failed" => {
                "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range".to_owned()
            }
            "expired" => "Expired".to_owned(),
            _ => format!("Deleted by {account}"),
        }
    }
}

const LISTING: Listing<VpcPeering> = Listing {
    table: |region| &region.vpc_peerings,
    ids: "VpcPeeringConnectionId",
    filters: &[
        ("accepter-vpc-info.cidr-block", |view, peering| {
            let accepter = view.region.vpcs.get(&peering.accepter);
            texts(accepter.filter(|_| peering.is_active()).map(Vpc::cidr))
        }),
        ("accepter-vpc-info.owner-id", |view, _| texts([&view.region.account])),
        ("accepter-vpc-info.vpc-id", |_, peering| texts([&peering.accepter])),
        ("expiration-time", |_, peering| texts(peering.expires())),
        ("requester-vpc-info.cidr-block", |view, peering| {
            texts(view.region.vpcs.get(&peering.requester).map(Vpc::cidr))
        }),
        ("requester-vpc-info.owner-id", |view, _| texts([&view.region.account])),
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
    // Of the other side its ranges are told once it has accepted.
    let accepter = view.region.vpcs.get(&peering.accepter).filter(|_| peering.is_active());
    xml.element("accepterVpcInfo", |xml| write_side(view, (&peering.accepter, accepter), xml));
    xml.optional("expirationTime", peering.expires());
    let requester = view.region.vpcs.get(&peering.requester);
    xml.element("requesterVpcInfo", |xml| write_side(view, (&peering.requester, requester), xml));
    xml.element("status", |xml| {
        xml.text("code", peering.code(view));
        xml.text("message", peering.message(view));
    });
    peering.tags.write(xml);
    xml.text("vpcPeeringConnectionId", &peering.id);
}

fn write_side(view: View<'_>, (id, vpc): (&str, Option<&Vpc>), xml: &mut Xml) {
    if let Some(vpc) = vpc {
        xml.text("cidrBlock", vpc.cidr());
        xml.items("cidrBlockSet", &vpc.cidrs, |xml, block| xml.text("cidrBlock", block.cidr));
        xml.element("peeringOptions", |xml| {
            xml.text("allowDnsResolutionFromRemoteVpc", false);
            xml.text("allowEgressFromLocalClassicLinkToRemoteVpc", false);
            xml.text("allowEgressFromLocalVpcToRemoteClassicLink", false);
        });
    }
    xml.text("ownerId", &view.region.account);
    xml.text("region", &view.region.name);
    xml.text("vpcId", id);
}

/// Asks for a connection. A pair of VPCs that has one, in this direction, is answered with that.
///
/// Source: hashicorp/terraform-provider-aws #27750.
fn create(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    call.parameters.refuse(&["PeerRegion"])?;
    let requester = find(&call.region.vpcs, call.parameters, "VpcId")?.id.clone();
    let accepter = call.parameters.required("PeerVpcId")?.to_owned();
    if call.parameters.text("PeerOwnerId").is_some_and(|owner| owner != call.region.account) {
        return Err(Failure::invalid(
            call.parameters.text("PeerOwnerId").unwrap_or_default(),
            "peerOwnerId",
            "mirror-local has one account.",
        ));
    }
    let tags = Tags::specified(call.parameters, "vpc-peering-connection")?;
    let standing = standing(call.region, &requester, &accepter);
    let id = match standing {
        Some(id) => id,
        None => ask(
            call,
            VpcPeering {
                id: String::new(),
                requester,
                accepter,
                asked: call.now,
                stage: Stage::Asked,
                tags,
            },
        ),
    };
    let view = call.view();
    if let Some(peering) = view.region.vpc_peerings.get(&id) {
        xml.element("vpcPeeringConnection", |xml| write(view, peering, xml));
    }
    Ok(())
}

/// The connection that a pair of VPCs has in this direction, asked for or active.
fn standing(region: &Region, requester: &str, accepter: &str) -> Option<String> {
    let mut all = region.vpc_peerings.values();
    all.find(|peering| {
        peering.stands() && peering.requester == requester && peering.accepter == accepter
    })
    .map(|peering| peering.id.clone())
}

/// Adds a request; one for a VPC that is not there, or whose ranges overlap, has failed at once.
fn ask(call: &mut Call<'_>, mut peering: VpcPeering) -> String {
    let id = call.region.draw_id("pcx-");
    peering.id.clone_from(&id);
    if can_connect(call.region, &peering) {
        let expired = later(call.now, PATIENCE);
        call.region.arrange(expired, Event::ExpirePeering, &id);
        call.region.arrange(later(expired, FAILED_IS_SHOWN), Event::ForgetPeering, &id);
    } else {
        peering.stage = Stage::Failed;
        call.region.arrange(later(call.now, FAILED_IS_SHOWN), Event::ForgetPeering, &id);
    }
    call.region.vpc_peerings.insert(id.clone(), peering);
    id
}

fn can_connect(region: &Region, peering: &VpcPeering) -> bool {
    let blocks = |id: &str| region.vpcs.get(id).map(|vpc| vpc.cidrs.as_slice());
    let (Some(one), Some(other)) = (blocks(&peering.requester), blocks(&peering.accepter)) else {
        return false;
    };
    let overlap = |a: ipnet::Ipv4Net, b: ipnet::Ipv4Net| a.contains(&b) || b.contains(&a);
    !one.iter().any(|a| other.iter().any(|b| overlap(a.cidr, b.cidr)))
}

fn accept(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let peering = find(&call.region.vpc_peerings, call.parameters, "VpcPeeringConnectionId")?;
    let id = peering.id.clone();
    let code = peering.code(call.view());
    if code != "pending-acceptance" {
        return Err(wrong_state(&id, code, "active"));
    }
    check_acceptable(call.view(), peering)?;
    let accepted = Stage::Accepted(call.now);
    by_id_mut(&mut call.region.vpc_peerings, &id, "vpcPeeringConnectionId")?.stage = accepted;
    let view = call.view();
    if let Some(peering) = view.region.vpc_peerings.get(&id) {
        xml.element("vpcPeeringConnection", |xml| write(view, peering, xml));
    }
    Ok(())
}

/// Refuses a second connection of two VPCs, and one more than a VPC may have.
fn check_acceptable(view: View<'_>, peering: &VpcPeering) -> Outcome {
    let VpcPeering { id, requester, accepter, .. } = peering;
    let active = || view.region.vpc_peerings.values().filter(|other| other.is_active());
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

fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let peering = find(&call.region.vpc_peerings, call.parameters, "VpcPeeringConnectionId")?;
    let id = peering.id.clone();
    if !peering.stands() {
        return Err(wrong_state(&id, peering.code(call.view()), "deleting"));
    }
    by_id_mut(&mut call.region.vpc_peerings, &id, "vpcPeeringConnectionId")?.stage = Stage::Deleted;
    call.region.arrange(later(call.now, DELETED_IS_SHOWN), Event::ForgetPeering, &id);
    xml.text("return", true);
    Ok(())
}

fn wrong_state(id: &str, from: &str, to: &str) -> Failure {
    let message =
        format!("Invalid state transition for {id}, attempted to transition from {from} to {to}");
    Failure::new("InvalidStateTransition", message)
}

/// Ends a request that nobody has accepted.
pub(crate) fn expire(region: &mut Region, id: &str) {
    let is_asked = |peering: &&VpcPeering| peering.stage == Stage::Asked;
    if region.vpc_peerings.get(id).filter(is_asked).is_some()
        && let Some(peering) = region.vpc_peerings.get_mut(id)
    {
        peering.stage = Stage::Expired;
    }
}

/// Describes one that has ended no longer.
pub(crate) fn forget(region: &mut Region, id: &str) {
    if region.vpc_peerings.get(id).is_some_and(|peering| !peering.stands()) {
        region.vpc_peerings.remove(id);
    }
}

/// A connection that keeps a VPC from being deleted.
pub(crate) fn of_vpc<'a>(region: &'a Region, vpc: &str) -> Option<&'a String> {
    let mut all = region.vpc_peerings.values();
    all.find(|peering| peering.stands() && peering.is_of(vpc)).map(|peering| &peering.id)
}
