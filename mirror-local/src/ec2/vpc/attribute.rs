//! Attributes of VPCs, one at a time.

use super::VpcAttribute;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::world::{Call, View, by_id_mut, find};
use crate::xml::Xml;

/// Name in a request for its value, in a change, and in an answer.
const NAMES: [(VpcAttribute, &str, &str); 3] = [
    (VpcAttribute::DnsHostnames, "EnableDnsHostnames", "enableDnsHostnames"),
    (VpcAttribute::DnsSupport, "EnableDnsSupport", "enableDnsSupport"),
    (
        VpcAttribute::NetworkAddressUsageMetrics,
        "EnableNetworkAddressUsageMetrics",
        "enableNetworkAddressUsageMetrics",
    ),
];

/// Handles `DescribeVpcAttribute`.
pub(super) fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let wanted = parameters.one_of("Attribute", &NAMES.map(|(.., name)| name))?;
    let wanted = wanted.ok_or_else(|| Failure::missing("attribute"))?;
    let vpc = find(&view.region.vpcs, parameters, "VpcId")?;
    for (attribute, _, name) in NAMES.iter().filter(|(.., name)| *name == wanted) {
        xml.element(name, |xml| xml.text("value", vpc.enabled.contains(attribute)));
    }
    xml.text("vpcId", &vpc.id);
    Ok(())
}

/// Handles `ModifyVpcAttribute`, which changes one attribute per call.
pub(super) fn modify(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let id = call.parameters.required("VpcId")?;
    let vpc = by_id_mut(&mut call.region.vpcs, id, "vpcId")?;
    let mut changes =
        NAMES.iter().filter_map(|(a, name, _)| Some((*a, call.parameters.structure(name)?)));
    let Some((attribute, change)) = changes.next() else {
        let message = "No attributes specified to modify";
        return Err(Failure::combination(message));
    };
    if changes.next().is_some() {
        return Err(Failure::combination("Only one attribute can be modified in a call."));
    }
    let value = change.boolean("Value")?.ok_or_else(|| Failure::missing("Value"))?;
    if attribute == VpcAttribute::DnsHostnames
        && value
        && !vpc.enabled.contains(&VpcAttribute::DnsSupport)
    {
        let message = "DNS hostnames cannot be enabled while DNS support is disabled.";
        return Err(Failure::combination(message));
    }
    if value {
        vpc.enabled.insert(attribute);
    } else {
        vpc.enabled.remove(&attribute);
    }
    xml.text("return", true);
    Ok(())
}
