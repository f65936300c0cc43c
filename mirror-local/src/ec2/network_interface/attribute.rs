//! Attributes of network interfaces, one at a time.

use super::create::groups_in;
use super::write_attachment;
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::world::{Call, View, by_id_mut, find};
use crate::xml::Xml;

/// Handles `DescribeNetworkInterfaceAttribute`.
pub(super) fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    let interface = find(&view.region.network_interfaces, parameters, "NetworkInterfaceId")?;
    let names =
        ["attachment", "description", "groupSet", "sourceDestCheck", "associatePublicIpAddress"];
    let attribute = parameters.one_of("Attribute", &names)?;
    xml.text("networkInterfaceId", &interface.id);
    match attribute.ok_or_else(|| Failure::missing("attribute"))? {
        "attachment" => {
            if let Some(attachment) = &interface.attachment {
                xml.element("attachment", |xml| write_attachment(attachment, xml));
            }
        }
        "description" => {
            xml.element("description", |xml| xml.text("value", &interface.description));
        }
        "groupSet" => interface.write_groups(view.region, xml),
        "sourceDestCheck" => {
            xml.element("sourceDestCheck", |xml| xml.text("value", interface.source_dest_check));
        }
        _ => xml.text("associatePublicIpAddress", interface.public_ip.is_some()),
    }
    Ok(())
}

/// Handles `ModifyNetworkInterfaceAttribute`.
pub(super) fn modify(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    let interface = find(&call.region.network_interfaces, parameters, "NetworkInterfaceId")?;
    let (id, vpc) = (interface.id.clone(), interface.vpc_id.clone());
    let asked = parameters.texts("SecurityGroupId");
    let groups = if asked.is_empty() {
        None
    } else {
        Some(groups_in(call.region, &call.settings.quotas, (&vpc, &asked))?)
    };
    let interface = by_id_mut(&mut call.region.network_interfaces, &id, "NetworkInterfaceId")?;
    if let Some(groups) = groups {
        interface.groups = groups;
    }
    if let Some(description) = parameters.structure("Description") {
        interface.description = description.text("Value").unwrap_or_default().to_owned();
    }
    if let Some(check) = parameters.structure("SourceDestCheck") {
        interface.source_dest_check =
            check.boolean("Value")?.ok_or_else(|| Failure::missing("SourceDestCheck.Value"))?;
    }
    if let Some(change) = parameters.structure("Attachment") {
        let id = change.required("AttachmentId")?;
        let Some(attachment) = interface.attachment.as_mut().filter(|a| a.id == id) else {
            let message = format!("The attachment '{id}' does not exist");
            return Err(Failure::new("InvalidAttachmentID.NotFound", message));
        };
        if let Some(delete) = change.boolean("DeleteOnTermination")? {
            attachment.delete_on_termination = delete;
        }
    }
    xml.text("return", true);
    Ok(())
}

/// Handles `ResetNetworkInterfaceAttribute`, which supports one attribute.
pub(super) fn reset(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let id = call.parameters.required("NetworkInterfaceId")?;
    by_id_mut(&mut call.region.network_interfaces, id, "NetworkInterfaceId")?.source_dest_check =
        true;
    xml.text("return", true);
    Ok(())
}
