//! Transit gateways: VPCs are attached to them to reach each other.
//!
//! A gateway has the one route table that AWS makes with it: attachments are associated with that and propagate to it,
//! unless the gateway was made otherwise. Gateways of other accounts, static routes and further route tables do not
//! exist here. Source: Transit Gateway guide, "How transit gateways work" and "Quotas".

pub(crate) mod attachment;
mod route_table;

pub(crate) use attachment::Attachment;
pub(crate) use route_table::{TransitRouteTable, leads};

use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::parameters::Parameters;
use crate::schedule::{Event, later};
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, Region, View, by_id_mut, find};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeTransitGateways", |view, parameters, xml| {
        LISTING.answer(view, parameters, xml)
    }),
    Action::write("CreateTransitGateway", create),
    Action::write("DeleteTransitGateway", delete),
    Action::read("DescribeTransitGatewayVpcAttachments", attachment::describe),
    Action::write("CreateTransitGatewayVpcAttachment", attachment::create),
    Action::write("ModifyTransitGatewayVpcAttachment", attachment::modify),
    Action::write("DeleteTransitGatewayVpcAttachment", attachment::delete),
    Action::read("DescribeTransitGatewayRouteTables", route_table::describe),
    Action::read("SearchTransitGatewayRoutes", route_table::search),
];

/// How long a deleted object is described. AWS names no time.
const DELETED_IS_SHOWN: Duration = Duration::from_secs(60 * 60);

/// The private AS number that a gateway gets unless another is asked for.
///
/// Source: EC2 API reference, `TransitGatewayRequestOptions`.
const NUMBER: u32 = 64512;

/// A transit gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TransitGateway {
    pub(crate) id: String,
    description: String,
    number: u32,
    created: Timestamp,
    deleted: Option<Timestamp>,
    enabled: BTreeSet<Setting>,
    /// The route table that was made with it, if it uses one.
    route_table_id: Option<String>,
    pub(crate) tags: Tags,
}

/// What can be enabled for a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Setting {
    AutoAccept,
    Association,
    Dns,
    EqualCost,
    Multicast,
    Propagation,
    SecurityGroups,
}

/// The settings by their parameters, and whether a gateway has them unless told otherwise.
///
/// Source: EC2 API reference, `TransitGatewayRequestOptions`.
const SETTINGS: [(Setting, &str, &str, Support); 7] = [
    (
        Setting::AutoAccept,
        "AutoAcceptSharedAttachments",
        "autoAcceptSharedAttachments",
        Support::Disabled,
    ),
    (
        Setting::Association,
        "DefaultRouteTableAssociation",
        "defaultRouteTableAssociation",
        Support::Enabled,
    ),
    (
        Setting::Propagation,
        "DefaultRouteTablePropagation",
        "defaultRouteTablePropagation",
        Support::Enabled,
    ),
    (Setting::Dns, "DnsSupport", "dnsSupport", Support::Enabled),
    (Setting::Multicast, "MulticastSupport", "multicastSupport", Support::Disabled),
    (
        Setting::SecurityGroups,
        "SecurityGroupReferencingSupport",
        "securityGroupReferencingSupport",
        Support::Disabled,
    ),
    (Setting::EqualCost, "VpnEcmpSupport", "vpnEcmpSupport", Support::Enabled),
];

tagged_row!(
    TransitGateway,
    Kind {
        prefix: "tgw-",
        noun: "transitGateway ID",
        resource_type: "transit-gateway",
        not_found: "InvalidTransitGatewayID.NotFound",
        malformed: "InvalidTransitGatewayID.Malformed",
        describe: "DescribeTransitGateways",
    }
);

/// What these calls use in place of booleans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Support {
    Enabled,
    Disabled,
}

impl Support {
    /// Its word in calls and answers.
    const fn word(self) -> &'static str {
        match self {
            Self::Enabled => "enable",
            Self::Disabled => "disable",
        }
    }

    /// What a call asks for, or this if it asks for nothing.
    fn unless_given(self, parameters: &Parameters, name: &str) -> Outcome<Self> {
        let words = [Self::Enabled.word(), Self::Disabled.word()];
        Ok(match parameters.one_of(name, &words)? {
            None => self,
            Some(word) if word == Self::Enabled.word() => Self::Enabled,
            Some(_) => Self::Disabled,
        })
    }
}

impl TransitGateway {
    /// Whether it has not been deleted.
    pub(crate) fn stands(&self) -> bool {
        self.deleted.is_none()
    }

    pub(crate) fn has(&self, setting: Setting) -> bool {
        self.enabled.contains(&setting)
    }

    fn support(&self, setting: Setting) -> Support {
        if self.has(setting) { Support::Enabled } else { Support::Disabled }
    }

    /// The table that attachments are associated with, or propagate to.
    fn table_of(&self, setting: Setting) -> Option<&String> {
        self.route_table_id.as_ref().filter(|_| self.has(setting))
    }

    fn state(&self, view: View<'_>) -> &'static str {
        let changes = view.settings.durations.transit_gateway_changing;
        let is_under_way = |since| view.now < later(since, changes);
        match self.deleted {
            Some(when) if is_under_way(when) => "deleting",
            Some(_) => "deleted",
            None if is_under_way(self.created) => "pending",
            None => "available",
        }
    }
}

const LISTING: Listing<TransitGateway> = Listing {
    table: |region| &region.transit_gateways,
    ids: "TransitGatewayIds",
    filters: &[
        ("options.amazon-side-asn", |_, gateway| texts([gateway.number])),
        ("options.association-default-route-table-id", |_, gateway| {
            texts(gateway.table_of(Setting::Association))
        }),
        ("options.auto-accept-shared-attachments", |_, gateway| {
            texts([gateway.support(Setting::AutoAccept).word()])
        }),
        ("options.default-route-table-association", |_, gateway| {
            texts([gateway.support(Setting::Association).word()])
        }),
        ("options.default-route-table-propagation", |_, gateway| {
            texts([gateway.support(Setting::Propagation).word()])
        }),
        ("options.dns-support", |_, gateway| texts([gateway.support(Setting::Dns).word()])),
        ("options.propagation-default-route-table-id", |_, gateway| {
            texts(gateway.table_of(Setting::Propagation))
        }),
        ("options.vpn-ecmp-support", |_, gateway| {
            texts([gateway.support(Setting::EqualCost).word()])
        }),
        ("owner-id", |view, _| texts([&view.region.account])),
        ("state", |view, gateway| texts([gateway.state(view)])),
        ("transit-gateway-id", |_, gateway| texts([&gateway.id])),
    ],
    set: "transitGatewaySet",
    write,
    page: 5..=1000,
};

fn write(view: View<'_>, gateway: &TransitGateway, xml: &mut Xml) {
    let TransitGateway { id, description, number, created, tags, .. } = gateway;
    xml.text("creationTime", created);
    xml.text("description", description);
    xml.element("options", |xml| {
        xml.text("amazonSideAsn", number);
        xml.optional("associationDefaultRouteTableId", gateway.table_of(Setting::Association));
        for (setting, _, element, _) in SETTINGS {
            xml.text(element, gateway.support(setting).word());
        }
        xml.optional("propagationDefaultRouteTableId", gateway.table_of(Setting::Propagation));
    });
    xml.text("ownerId", &view.region.account);
    xml.text("state", gateway.state(view));
    tags.write(xml);
    let arn = view.region.arn("ec2", format_args!("transit-gateway/{id}"));
    xml.text("transitGatewayArn", arn);
    xml.text("transitGatewayId", id);
}

fn create(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let nothing = Parameters::default();
    let options = call.parameters.structure("Options").unwrap_or(&nothing);
    options.refuse(&["TransitGatewayCidrBlocks"])?;
    let number = options.parsed("AmazonSideAsn")?.unwrap_or(NUMBER);
    let mut enabled = BTreeSet::new();
    for (setting, parameter, _, default) in SETTINGS {
        if default.unless_given(options, parameter)? == Support::Enabled {
            enabled.insert(setting);
        }
    }
    let standing = call.region.transit_gateways.values().filter(|gateway| gateway.stands());
    if standing.count() >= call.settings.quotas.transit_gateways {
        let message = "The maximum number of transit gateways has been reached.";
        return Err(Failure::new("TransitGatewayLimitExceeded", message));
    }
    let tags = Tags::specified(call.parameters, "transit-gateway")?;
    let id = call.region.draw_id("tgw-");
    let is_used =
        enabled.contains(&Setting::Association) || enabled.contains(&Setting::Propagation);
    let route_table_id = is_used.then(|| route_table::create(call.region, &id, call.now));
    let gateway = TransitGateway {
        id: id.clone(),
        description: call.parameters.text("Description").unwrap_or_default().to_owned(),
        number,
        created: call.now,
        deleted: None,
        enabled,
        route_table_id,
        tags,
    };
    xml.element("transitGateway", |xml| write(call.view(), &gateway, xml));
    call.region.transit_gateways.insert(id, gateway);
    Ok(())
}

/// Deletes a gateway to which nothing is attached.
fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let id = standing(call.region, call.parameters)?.id.clone();
    let view = call.view();
    let attached = view.region.transit_gateway_attachments.values();
    if let Some(attached) = attached.filter(|it| it.gateway_id == id).find(|it| !it.is_gone(view)) {
        let message = format!("{id} has non-deleted VPC Attachments: {}.", attached.id);
        return Err(Failure::new("IncorrectState", message));
    }
    let gateway = by_id_mut(&mut call.region.transit_gateways, &id, "transitGatewayId")?;
    gateway.deleted = Some(call.now);
    let gone = later(call.now, call.settings.durations.transit_gateway_changing);
    call.region.arrange(later(gone, DELETED_IS_SHOWN), Event::ForgetTransitGateway, &id);
    let view = call.view();
    if let Some(gateway) = view.region.transit_gateways.get(&id) {
        xml.element("transitGateway", |xml| write(view, gateway, xml));
    }
    Ok(())
}

/// The gateway that a call names, unless it was deleted.
fn standing<'r>(region: &'r Region, parameters: &Parameters) -> Outcome<&'r TransitGateway> {
    let gateway = find(&region.transit_gateways, parameters, "TransitGatewayId")?;
    if gateway.stands() {
        return Ok(gateway);
    }
    let message = format!("Transit Gateway {} was deleted or does not exist.", gateway.id);
    Err(Failure::new("InvalidTransitGatewayID.NotFound", message))
}

/// Stops describing a deleted gateway.
pub(crate) fn forget(region: &mut Region, id: &str) {
    if let Some(table) = region.transit_gateways.remove(id).and_then(|it| it.route_table_id) {
        region.transit_gateway_route_tables.remove(&table);
    }
}
