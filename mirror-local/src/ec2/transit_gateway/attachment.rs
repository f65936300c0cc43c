//! Attachments of VPCs to transit gateways.
//!
//! Gateway and VPC belong to this account, so nobody has to accept an attachment. Source: Transit
//! Gateway guide, "Transit gateway VPC attachments".

use super::{DELETED_IS_SHOWN, Setting, Support, standing};
use crate::ec2::network_interface::{NewInterface, create_for_service};
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::parameters::Parameters;
use crate::schedule::{Event, later};
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, Region, View, by_id, by_id_mut, find};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A VPC that is attached to a transit gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Attachment {
    pub(crate) id: String,
    pub(crate) gateway_id: String,
    pub(crate) vpc_id: String,
    /// The subnets, one for each zone, with the gateway's interface in them.
    interfaces: BTreeMap<String, String>,
    options: Options,
    created: Timestamp,
    stage: Stage,
    /// Whether its packets follow the gateway's route table.
    pub(super) is_associated: bool,
    /// Whether the gateway's route table leads to its VPC.
    pub(super) propagates: bool,
    pub(crate) tags: Tags,
}

/// How far it has progressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    Made(Timestamp),
    Modified(Timestamp),
    Deleted(Timestamp),
}

/// What can be enabled for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Options(BTreeMap<String, Support>);

/// The options by their parameters, and whether an attachment has them unless set otherwise.
///
/// Source: EC2 API reference, `CreateTransitGatewayVpcAttachmentRequestOptions`.
const OPTIONS: [(&str, &str, Support); 4] = [
    ("ApplianceModeSupport", "applianceModeSupport", Support::Disabled),
    ("DnsSupport", "dnsSupport", Support::Enabled),
    ("Ipv6Support", "ipv6Support", Support::Disabled),
    ("SecurityGroupReferencingSupport", "securityGroupReferencingSupport", Support::Enabled),
];

tagged_row!(
    Attachment,
    Kind {
        prefix: "tgw-attach-",
        noun: "transitGatewayAttachment ID",
        resource_type: "transit-gateway-attachment",
        not_found: "InvalidTransitGatewayAttachmentID.NotFound",
        malformed: "InvalidTransitGatewayAttachmentID.Malformed",
        describe: "DescribeTransitGatewayVpcAttachments",
    }
);

impl Options {
    /// What a call asks for; the rest is as it was.
    fn read(parameters: &Parameters, before: Option<&Self>) -> Outcome<Self> {
        let nothing = Parameters::default();
        let options = parameters.structure("Options").unwrap_or(&nothing);
        let mut all = BTreeMap::new();
        for (parameter, _, default) in OPTIONS {
            let before = before.and_then(|options| options.0.get(parameter).copied());
            let value = before.unwrap_or(default).unless_given(options, parameter)?;
            all.insert(parameter.to_owned(), value);
        }
        Ok(Self(all))
    }

    fn write(&self, xml: &mut Xml) {
        for (parameter, element, default) in OPTIONS {
            xml.text(element, self.0.get(parameter).copied().unwrap_or(default).word());
        }
    }
}

impl Attachment {
    /// Whether it has not been deleted.
    pub(crate) fn stands(&self) -> bool {
        !matches!(self.stage, Stage::Deleted(_))
    }

    /// Whether AWS is done with its deletion.
    pub(super) fn is_gone(&self, view: View<'_>) -> bool {
        self.state(view) == "deleted"
    }

    /// Whether a route can lead over it.
    pub(crate) fn is_available(&self, view: View<'_>) -> bool {
        matches!(self.state(view), "available" | "modifying")
    }

    /// Whether it has an interface in a zone.
    pub(super) fn is_in(&self, region: &Region, zone: &str) -> bool {
        let mut subnets = self.interfaces.keys().filter_map(|subnet| region.subnets.get(subnet));
        subnets.any(|subnet| subnet.zone == zone)
    }

    fn state(&self, view: View<'_>) -> &'static str {
        let changes = view.settings.durations.transit_gateway_changing;
        let is_under_way = |since| view.now < later(since, changes);
        match self.stage {
            Stage::Made(when) if is_under_way(when) => "pending",
            Stage::Modified(when) if is_under_way(when) => "modifying",
            Stage::Made(_) | Stage::Modified(_) => "available",
            Stage::Deleted(when) if is_under_way(when) => "deleting",
            Stage::Deleted(_) => "deleted",
        }
    }
}

const LISTING: Listing<Attachment> = Listing {
    table: |region| &region.transit_gateway_attachments,
    ids: "TransitGatewayAttachmentIds",
    filters: &[
        ("state", |view, attachment| texts([attachment.state(view)])),
        ("transit-gateway-attachment-id", |_, attachment| texts([&attachment.id])),
        ("transit-gateway-id", |_, attachment| texts([&attachment.gateway_id])),
        ("vpc-id", |_, attachment| texts([&attachment.vpc_id])),
    ],
    set: "transitGatewayVpcAttachments",
    write,
    page: 5..=1000,
};

/// Handles `DescribeTransitGatewayVpcAttachments`.
pub(super) fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    LISTING.answer(view, parameters, xml)
}

fn write(view: View<'_>, attachment: &Attachment, xml: &mut Xml) {
    let Attachment { id, gateway_id, vpc_id, interfaces, options, created, tags, .. } = attachment;
    xml.text("creationTime", created);
    xml.element("options", |xml| options.write(xml));
    xml.text("state", attachment.state(view));
    xml.element("subnetIds", |xml| {
        interfaces.keys().for_each(|subnet| xml.text("item", subnet));
    });
    tags.write(xml);
    xml.text("transitGatewayAttachmentId", id);
    xml.text("transitGatewayId", gateway_id);
    xml.text("vpcId", vpc_id);
    xml.text("vpcOwnerId", &view.region.account);
}

fn answer(view: View<'_>, id: &str, xml: &mut Xml) {
    if let Some(attachment) = view.region.transit_gateway_attachments.get(id) {
        xml.element("transitGatewayVpcAttachment", |xml| write(view, attachment, xml));
    }
}

/// Handles `CreateTransitGatewayVpcAttachment`.
pub(super) fn create(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    let vpc = find(&call.region.vpcs, parameters, "VpcId")?.id.clone();
    let subnets: BTreeSet<String> =
        texts(parameters.required_texts("SubnetIds")?).into_iter().collect();
    let options = Options::read(parameters, None)?;
    let tags = Tags::specified(parameters, "transit-gateway-attachment")?;
    let gateway = standing(call.region, parameters)?;
    let gateway_id = gateway.id.clone();
    let is_associated = gateway.has(Setting::Association);
    let propagates = gateway.has(Setting::Propagation) && !overlaps(call.region, &gateway_id, &vpc);
    check_free(call.view(), (&gateway_id, &vpc))?;
    check_zones(call.region, &vpc, &subnets)?;
    let id = call.region.draw_id("tgw-attach-");
    let mut attachment = Attachment {
        id: id.clone(),
        gateway_id,
        vpc_id: vpc,
        interfaces: BTreeMap::new(),
        options,
        created: call.now,
        stage: Stage::Made(call.now),
        is_associated,
        propagates,
        tags,
    };
    enter(call, &mut attachment, subnets)?;
    call.region.transit_gateway_attachments.insert(id.clone(), attachment);
    answer(call.view(), &id, xml);
    Ok(())
}

/// Whether a VPC's range overlaps that of one that already propagates: if so, it does not
/// propagate.
///
/// Source: EC2 API reference, `CreateTransitGatewayVpcAttachment`.
fn overlaps(region: &Region, gateway: &str, vpc: &str) -> bool {
    let blocks = |id: &str| region.vpcs.get(id).map(|vpc| vpc.cidrs.as_slice()).unwrap_or_default();
    let overlap = |a: ipnet::Ipv4Net, b: ipnet::Ipv4Net| a.contains(&b) || b.contains(&a);
    let others = region.transit_gateway_attachments.values();
    let mut others = others.filter(|it| it.gateway_id == gateway && it.stands() && it.propagates);
    others.any(|other| {
        let theirs = blocks(&other.vpc_id);
        blocks(vpc).iter().any(|a| theirs.iter().any(|b| overlap(a.cidr, b.cidr)))
    })
}

/// Refuses a second attachment of a VPC to a gateway, and one more than a VPC may have.
///
/// Source: hashicorp/terraform-provider-aws #10852.
fn check_free(view: View<'_>, (gateway, vpc): (&str, &str)) -> Outcome {
    let all = view.region.transit_gateway_attachments.values();
    let of_vpc: Vec<_> = all.filter(|it| it.vpc_id == vpc && !it.is_gone(view)).collect();
    if of_vpc.iter().any(|attachment| attachment.gateway_id == gateway) {
        let message =
            format!("{gateway} has non-deleted Transit Gateway Attachments with same VPC ID.");
        return Err(Failure::new("DuplicateTransitGatewayAttachment", message));
    }
    if of_vpc.len() >= view.settings.quotas.transit_gateways_per_vpc {
        let message =
            "The maximum number of transit gateway attachments of a VPC has been reached.";
        return Err(Failure::new("TransitGatewayAttachmentLimitExceeded", message));
    }
    let gateway = by_id(&view.region.transit_gateways, gateway, "transitGatewayId")?;
    if gateway.state(view) != "available" {
        let message = format!("{} is in invalid state", gateway.id);
        return Err(Failure::new("IncorrectState", message));
    }
    Ok(())
}

/// Refuses subnets of another VPC, and two in one zone.
fn check_zones(region: &Region, vpc: &str, subnets: &BTreeSet<String>) -> Outcome {
    let mut zones = BTreeSet::new();
    for id in subnets {
        let subnet = by_id(&region.subnets, id, "subnetId")?;
        if subnet.vpc_id != vpc {
            let message = format!("The subnet '{id}' is not one of the vpc '{vpc}'");
            return Err(Failure::new("InvalidParameterValue", message));
        }
        if !zones.insert(&subnet.zone) {
            let message = format!("Duplicate Subnets for same AZ {}", subnet.zone);
            return Err(Failure::new("DuplicateSubnetsInSameZone", message));
        }
    }
    Ok(())
}

/// Makes the gateway's interfaces in these subnets.
fn enter(
    call: &mut Call<'_>,
    attachment: &mut Attachment,
    subnets: impl IntoIterator<Item = String>,
) -> Outcome {
    for subnet in subnets {
        let new = NewInterface {
            description: format!(
                "Network Interface for Transit Gateway Attachment {}",
                attachment.id
            ),
            interface_type: "transit_gateway",
            requester_id: Some("amazon-aws".to_owned()),
            ..NewInterface::in_subnet(&subnet, Vec::new())
        };
        let interface = create_for_service(call.region, new, call.now)?;
        attachment.interfaces.insert(subnet, interface);
    }
    Ok(())
}

/// Deletes interfaces once the change is done.
fn leave(call: &mut Call<'_>, interfaces: impl IntoIterator<Item = String>) {
    let at = later(call.now, call.settings.durations.transit_gateway_changing);
    for interface in interfaces {
        call.region.arrange(at, Event::RemoveInterface, &interface);
    }
}

/// The attachment that a call names, if it is available.
fn available(call: &Call<'_>) -> Outcome<Attachment> {
    let parameter = "TransitGatewayAttachmentId";
    let attachment = find(&call.region.transit_gateway_attachments, call.parameters, parameter)?;
    let id = &attachment.id;
    match attachment.state(call.view()) {
        "available" => Ok(attachment.clone()),
        "deleted" => {
            let message =
                format!("Transit Gateway VPC Attachment {id} was deleted or does not exist.");
            Err(Failure::new("InvalidTransitGatewayAttachmentID.NotFound", message))
        }
        state => {
            let message = format!("{id} is in invalid state {state}");
            Err(Failure::new("IncorrectState", message))
        }
    }
}

/// Handles `ModifyTransitGatewayVpcAttachment`.
pub(super) fn modify(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let mut attachment = available(call)?;
    let texts_of = |list: &str| -> BTreeSet<String> {
        call.parameters.texts(list).into_iter().map(str::to_owned).collect()
    };
    let (added, removed) = (texts_of("AddSubnetIds"), texts_of("RemoveSubnetIds"));
    attachment.options = Options::read(call.parameters, Some(&attachment.options))?;
    let known: BTreeSet<String> = attachment.interfaces.keys().cloned().collect();
    if let Some(unknown) = removed.iter().find(|subnet| !known.contains(*subnet)) {
        let message = format!("The subnet ID '{unknown}' is not one of {}", attachment.id);
        return Err(Failure::new("InvalidParameterValue", message));
    }
    if let Some(twice) = added.iter().find(|subnet| known.contains(*subnet)) {
        let message = format!("Duplicate Subnets for same AZ: {twice} is one of {}", attachment.id);
        return Err(Failure::new("DuplicateSubnetsInSameZone", message));
    }
    let all = known.difference(&removed).chain(&added).cloned().collect::<BTreeSet<_>>();
    if all.is_empty() {
        let message = "An attachment must have at least one subnet.";
        return Err(Failure::new("InvalidParameterValue", message));
    }
    check_zones(call.region, &attachment.vpc_id, &all)?;
    let gone: Vec<String> =
        removed.iter().filter_map(|subnet| attachment.interfaces.remove(subnet)).collect();
    leave(call, gone);
    enter(call, &mut attachment, added)?;
    attachment.stage = Stage::Modified(call.now);
    let id = attachment.id.clone();
    call.region.transit_gateway_attachments.insert(id.clone(), attachment);
    answer(call.view(), &id, xml);
    Ok(())
}

/// Handles `DeleteTransitGatewayVpcAttachment`. Routes over it stay, and lead nowhere.
pub(super) fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let Attachment { id, interfaces, .. } = available(call)?;
    leave(call, interfaces.into_values());
    let all = &mut call.region.transit_gateway_attachments;
    by_id_mut(all, &id, "transitGatewayAttachmentId")?.stage = Stage::Deleted(call.now);
    let gone = later(call.now, call.settings.durations.transit_gateway_changing);
    let forgotten = later(gone, DELETED_IS_SHOWN);
    call.region.arrange(forgotten, Event::ForgetTransitGatewayAttachment, &id);
    answer(call.view(), &id, xml);
    Ok(())
}

/// Stops describing a deleted attachment.
pub(crate) fn forget(region: &mut Region, id: &str) {
    region.transit_gateway_attachments.remove(id);
}

/// An attachment that keeps a VPC from being deleted.
pub(crate) fn of_vpc<'a>(region: &'a Region, vpc: &str) -> Option<&'a String> {
    let mut all = region.transit_gateway_attachments.values();
    all.find(|attachment| attachment.stands() && attachment.vpc_id == vpc).map(|it| &it.id)
}

/// The attachment of a VPC to a gateway.
pub(crate) fn between<'a>(region: &'a Region, gateway: &str, vpc: &str) -> Option<&'a Attachment> {
    let mut all = region.transit_gateway_attachments.values();
    all.find(|it| it.gateway_id == gateway && it.vpc_id == vpc && it.stands())
}
