//! What clients ask about the account, and old calls that they make along the way.

use crate::action::Action;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::world::View;
use crate::xml::Xml;

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeAccountAttributes", describe_attributes),
    Action::read("DescribeAddresses", describe_addresses),
    Action::read("DescribeAddressesAttribute", |_, _, xml| empty(xml, "addressSet")),
    Action::read("DescribeVpcClassicLink", |_, _, xml| empty(xml, "vpcSet")),
    Action::read("DescribeVpcClassicLinkDnsSupport", |_, _, xml| empty(xml, "vpcs")),
    Action::read("DescribeNatGateways", |_, _, xml| empty(xml, "natGatewaySet")),
    Action::read("DescribeVpnGateways", |_, _, xml| empty(xml, "vpnGatewaySet")),
    Action::read("DescribeEgressOnlyInternetGateways", |_, _, xml| {
        empty(xml, "egressOnlyInternetGatewaySet")
    }),
    Action::read("DescribePlacementGroups", |_, _, xml| empty(xml, "placementGroupSet")),
    Action::read("DescribeFlowLogs", |_, _, xml| empty(xml, "flowLogSet")),
    Action::read("GetEbsEncryptionByDefault", |_, _, xml| {
        xml.text("ebsEncryptionByDefault", false);
        Ok(())
    }),
    Action::read("GetInstanceMetadataDefaults", |_, _, xml| {
        xml.element("accountLevel", |_| {});
        Ok(())
    }),
    Action::read("DescribeInstanceTopology", |_, _, xml| empty(xml, "instanceSet")),
    Action::read("DescribeIamInstanceProfileAssociations", |_, _, xml| {
        empty(xml, "iamInstanceProfileAssociationSet")
    }),
    Action::read("DescribeSecurityGroupVpcAssociations", describe_group_associations),
];

/// Answers with an empty list for a kind that a local AWS does not have.
fn empty(xml: &mut Xml, set: &str) -> Outcome {
    xml.items(set, [(); 0], |_, ()| {});
    Ok(())
}

/// Elastic addresses cannot be allocated, so none is found.
fn describe_addresses(_: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let allocation = parameters.texts("AllocationId").first().map(|id| (*id).to_owned());
    let address = parameters.texts("PublicIp").first().map(|id| (*id).to_owned());
    let missing = |code: &str, what: &str, id: &str| {
        let message = format!("The {what} '{id}' does not exist");
        Err(Failure::new(code, message))
    };
    match (allocation, address) {
        (Some(id), _) => missing("InvalidAllocationID.NotFound", "allocation ID", &id),
        (None, Some(id)) => missing("InvalidAddress.NotFound", "address", &id),
        (None, None) => empty(xml, "addressesSet"),
    }
}

fn describe_group_associations(_: View<'_>, _: &Parameters, xml: &mut Xml) -> Outcome {
    empty(xml, "securityGroupVpcAssociationSet")
}

fn describe_attributes(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let default = view.region.default_vpc().unwrap_or_else(|_| "none".to_owned());
    let groups = view.settings.quotas.security_groups_per_interface.to_string();
    let instances = view.settings.quotas.instances.to_string();
    let all = [
        ("supported-platforms", "VPC"),
        ("vpc-max-security-groups-per-interface", groups.as_str()),
        ("max-elastic-ips", "5"),
        ("max-instances", instances.as_str()),
        ("vpc-max-elastic-ips", "5"),
        ("default-vpc", default.as_str()),
    ];
    let mut wanted = parameters.texts("AttributeName");
    for name in &wanted {
        if !all.iter().any(|(known, _)| known == name) {
            let why = "This is not an attribute of an account.";
            return Err(Failure::invalid(name, "attributeName", why));
        }
    }
    wanted.dedup();
    let chosen = all.iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name));
    xml.items("accountAttributeSet", chosen, |xml, (name, value)| {
        xml.text("attributeName", name);
        xml.items("attributeValueSet", [value], |xml, value| xml.text("attributeValue", value));
    });
    Ok(())
}
