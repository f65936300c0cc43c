//! Attaching, detaching and deleting network interfaces.

use super::{Attachment, NetworkInterface};
use crate::ec2::{address, traffic_mirror};
use crate::failure::{Failure, Outcome};
use crate::world::{Call, Region, find};
use crate::xml::Xml;
use jiff::Timestamp;

/// Where an interface is to be attached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Socket<'a> {
    pub(crate) instance: &'a str,
    pub(crate) device_index: u32,
    pub(crate) delete_on_termination: bool,
}

/// Attaches an interface to an instance; returns the id of the attachment.
pub(crate) fn attach(
    region: &mut Region,
    interface: &str,
    socket: Socket<'_>,
    now: Timestamp,
) -> String {
    let id = region.draw_id("eni-attach-");
    if let Some(interface) = region.network_interfaces.get_mut(interface) {
        interface.attachment = Some(Attachment {
            id: id.clone(),
            instance_id: Some(socket.instance.to_owned()),
            owner: region.account.clone(),
            device_index: socket.device_index,
            delete_on_termination: socket.delete_on_termination,
            since: now,
        });
    }
    if let Some(instance) = region.instances.get_mut(socket.instance) {
        instance.interface_ids.push(interface.to_owned());
    }
    id
}

/// Detaches an interface from whatever it is attached to.
pub(crate) fn detach(region: &mut Region, interface: &str) {
    let Some(row) = region.network_interfaces.get_mut(interface) else { return };
    let instance = row.attachment.take().and_then(|attachment| attachment.instance_id);
    if let Some(instance) = instance.and_then(|id| region.instances.get_mut(&id)) {
        instance.interface_ids.retain(|id| id != interface);
    }
}

/// Removes an interface, and what depends on it.
pub(crate) fn remove(region: &mut Region, id: &str) {
    detach(region, id);
    if let Some(interface) = region.network_interfaces.remove(id) {
        for address in interface.addresses() {
            address::give_back(region, &interface.subnet_id, address);
        }
        traffic_mirror::interface_removed(region, id);
    }
}

/// Handles `DeleteNetworkInterface`.
pub(super) fn delete(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let table = &call.region.network_interfaces;
    let interface = find(table, call.parameters, "NetworkInterfaceId")?;
    refuse_managed(interface)?;
    if interface.attachment.is_some() {
        let message = format!("Network interface '{}' is currently in use.", interface.id);
        return Err(Failure::new("InvalidParameterValue", message));
    }
    let id = interface.id.clone();
    remove(call.region, &id);
    xml.text("return", true);
    Ok(())
}

/// Handles `AttachNetworkInterface`.
pub(super) fn attach_requested(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let parameters = call.parameters;
    let interface = find(&call.region.network_interfaces, parameters, "NetworkInterfaceId")?;
    let instance = find(&call.region.instances, parameters, "InstanceId")?;
    let device_index = parameters.required_parsed("DeviceIndex")?;
    if interface.attachment.is_some() {
        let message = format!("Interface '{}' is already attached to an instance", interface.id);
        return Err(Failure::new("InvalidNetworkInterface.InUse", message));
    }
    if interface.zone != instance.zone {
        let message = "The interface and the instance are not in the same Availability Zone";
        return Err(Failure::new("InvalidParameterCombination", message));
    }
    let taken = instance
        .interface_ids
        .iter()
        .filter_map(|id| call.region.network_interfaces.get(id)?.attachment.as_ref())
        .any(|attachment| attachment.device_index == device_index);
    if taken {
        let message = format!(
            "Instance '{}' already has an interface attached at device index '{device_index}'.",
            instance.id
        );
        return Err(Failure::new("InvalidParameterValue", message));
    }
    let (interface, instance) = (interface.id.clone(), instance.id.clone());
    let socket = Socket { instance: &instance, device_index, delete_on_termination: false };
    let attachment = attach(call.region, &interface, socket, call.now);
    xml.text("attachmentId", attachment);
    xml.text("networkCardIndex", 0);
    Ok(())
}

/// Handles `DetachNetworkInterface`.
pub(super) fn detach_requested(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let id = call.parameters.required("AttachmentId")?;
    let attached = |interface: &&NetworkInterface| {
        interface.attachment.as_ref().is_some_and(|attachment| attachment.id == id)
    };
    let Some(interface) = call.region.network_interfaces.values().find(attached) else {
        let message = format!("The attachment '{id}' does not exist");
        return Err(Failure::new("InvalidAttachmentID.NotFound", message));
    };
    if is_managed(interface) {
        let message = "You are not allowed to manage 'ela-attach' attachments.";
        return Err(Failure::new("OperationNotPermitted", message));
    }
    if interface.attachment.as_ref().is_some_and(|attachment| attachment.device_index == 0) {
        let message = "The network interface at device index 0 cannot be detached.";
        return Err(Failure::new("OperationNotPermitted", message));
    }
    let interface = interface.id.clone();
    detach(call.region, &interface);
    xml.text("return", true);
    Ok(())
}

/// Whether a service manages it itself.
fn is_managed(interface: &NetworkInterface) -> bool {
    let owner = interface.attachment.as_ref().map(|attachment| attachment.owner.as_str());
    owner == Some("amazon-aws")
}

/// Refuses to change what a service manages itself.
fn refuse_managed(interface: &NetworkInterface) -> Outcome {
    if is_managed(interface) {
        let message = "You do not have permission to access the specified resource.";
        return Err(Failure::new("AuthFailure", message));
    }
    Ok(())
}
