//! Internet gateways and their attachment to a VPC.

use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Call, View, by_id_mut, find};
use crate::xml::Xml;
use serde::{Deserialize, Serialize};

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeInternetGateways", |view, parameters, xml| {
        LISTING.answer(view, parameters, xml)
    }),
    Action::write("CreateInternetGateway", create),
    Action::write("DeleteInternetGateway", delete),
    Action::write("AttachInternetGateway", attach),
    Action::write("DetachInternetGateway", detach),
];

/// An internet gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InternetGateway {
    pub(crate) id: String,
    pub(crate) vpc_id: Option<String>,
    pub(crate) tags: Tags,
}

tagged_row!(
    InternetGateway,
    Kind {
        prefix: "igw-",
        noun: "internetGateway ID",
        resource_type: "internet-gateway",
        not_found: "InvalidInternetGatewayID.NotFound",
        malformed: "InvalidInternetGatewayId.Malformed",
        describe: "DescribeInternetGateways",
    }
);

const LISTING: Listing<InternetGateway> = Listing {
    table: |region| &region.internet_gateways,
    ids: "InternetGatewayId",
    filters: &[
        ("attachment.state", |_, gateway| texts(gateway.vpc_id.as_ref().map(|_| "available"))),
        ("attachment.vpc-id", |_, gateway| texts(&gateway.vpc_id)),
        ("internet-gateway-id", |_, gateway| texts([&gateway.id])),
        ("owner-id", |view, _| texts([&view.region.account])),
    ],
    set: "internetGatewaySet",
    write,
    page: 5..=1000,
};

fn write(view: View<'_>, gateway: &InternetGateway, xml: &mut Xml) {
    xml.items("attachmentSet", &gateway.vpc_id, |xml, vpc| {
        // The model's words are `attached` and so on, but this is what AWS sends.
        xml.text("state", "available");
        xml.text("vpcId", vpc);
    });
    xml.text("internetGatewayId", &gateway.id);
    xml.text("ownerId", &view.region.account);
    gateway.tags.write(xml);
}

fn create(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    if call.region.internet_gateways.len() >= call.settings.quotas.internet_gateways {
        let message = "The maximum number of internet gateways has been reached.";
        return Err(Failure::new("InternetGatewayLimitExceeded", message));
    }
    let tags = Tags::specified(call.parameters, "internet-gateway")?;
    let id = call.region.draw_id("igw-");
    let gateway = InternetGateway { id: id.clone(), vpc_id: None, tags };
    xml.element("internetGateway", |xml| write(call.view(), &gateway, xml));
    call.region.internet_gateways.insert(id, gateway);
    Ok(())
}

fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let gateway = find(&call.region.internet_gateways, call.parameters, "InternetGatewayId")?;
    let id = gateway.id.clone();
    if gateway.vpc_id.is_some() {
        let message = format!("The internetGateway '{id}' has dependencies and cannot be deleted.");
        return Err(Failure::dependency(message));
    }
    call.region.internet_gateways.remove(&id);
    xml.text("return", true);
    Ok(())
}

fn attach(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let region = &mut *call.region;
    let gateway = find(&region.internet_gateways, call.parameters, "InternetGatewayId")?;
    let vpc = find(&region.vpcs, call.parameters, "VpcId")?.id.clone();
    let already = |resource: &str, network: &str| {
        let message = format!("resource {resource} is already attached to network {network}");
        Err(Failure::new("Resource.AlreadyAssociated", message))
    };
    let id = gateway.id.clone();
    if let Some(other) = &gateway.vpc_id {
        return already(&id, other);
    }
    if region.internet_gateways.values().any(|gateway| gateway.vpc_id.as_ref() == Some(&vpc)) {
        let message = format!("Network {vpc} already has an internet gateway attached");
        return Err(Failure::new("InvalidParameterValue", message));
    }
    by_id_mut(&mut region.internet_gateways, &id, "internetGatewayId")?.vpc_id = Some(vpc);
    xml.text("return", true);
    Ok(())
}

fn detach(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let gateway = find(&call.region.internet_gateways, call.parameters, "InternetGatewayId")?;
    let vpc = find(&call.region.vpcs, call.parameters, "VpcId")?.id.clone();
    let id = gateway.id.clone();
    if gateway.vpc_id.as_ref() != Some(&vpc) {
        let message = format!("resource {id} is not attached to network {vpc}");
        return Err(Failure::new("Gateway.NotAttached", message));
    }
    if has_public_addresses(call.view(), &vpc) {
        let message = format!(
            "Network {vpc} has some mapped public address(es). Please unmap those public \
             address(es) before detaching the gateway."
        );
        return Err(Failure::dependency(message));
    }
    by_id_mut(&mut call.region.internet_gateways, &id, "internetGatewayId")?.vpc_id = None;
    xml.text("return", true);
    Ok(())
}

fn has_public_addresses(view: View<'_>, vpc: &str) -> bool {
    let mut interfaces = view.region.network_interfaces.values();
    interfaces.any(|interface| interface.vpc_id == vpc && interface.public_ip.is_some())
}
