//! An instance as an answer shows it.

use super::describe::is_nitro;
use super::lifecycle::write_state;
use super::{Asked, Instance, InstanceAttribute, MetadataOptions, State};
use crate::ec2::network_interface::NetworkInterface;
use crate::ec2::subnet::SubnetAttribute;
use crate::ec2::{availability_zone, instance_type};
use crate::world::View;
use crate::xml::Xml;

/// Writes an instance.
pub(super) fn write(view: View<'_>, instance: &Instance, xml: &mut Xml) {
    let state = instance.state(view);
    xml.text("amiLaunchIndex", instance.launch_index);
    xml.optional("architecture", instance.image(view.region).map(|image| image.architecture));
    write_volumes(view, instance, xml);
    xml.optional("clientToken", instance.client_token.as_ref());
    xml.text("ebsOptimized", instance.has(InstanceAttribute::EbsOptimized));
    xml.text("enaSupport", true);
    xml.text("hypervisor", "xen");
    if let Some(arn) = &instance.profile_arn {
        xml.element("iamInstanceProfile", |xml| xml.text("arn", arn));
    }
    xml.text("imageId", &instance.image_id);
    xml.text("instanceId", &instance.id);
    xml.element("instanceState", |xml| write_state(state, xml));
    xml.text("instanceType", &instance.instance_type);
    xml.optional("keyName", instance.key_name.as_ref());
    xml.text("launchTime", instance.launched);
    xml.element("metadataOptions", |xml| write_metadata(&instance.metadata, xml));
    xml.element("monitoring", |xml| {
        let on = instance.has(InstanceAttribute::Monitoring);
        xml.text("state", if on { "enabled" } else { "disabled" });
    });
    write_network(view, instance, xml);
    write_hardware(instance, xml);
    xml.items("productCodes", [(); 0], |_, ()| {});
    xml.optional("rootDeviceName", instance.image(view.region).map(|image| image.root_device()));
    xml.text("rootDeviceType", "ebs");
    write_reason(view, instance, xml);
    instance.tags.write(xml);
    xml.text("virtualizationType", "hvm");
}

fn write_hardware(instance: &Instance, xml: &mut Xml) {
    xml.element("capacityReservationSpecification", |xml| {
        xml.text("capacityReservationPreference", "open");
    });
    if let Some(t) = instance_type::by_name(&instance.instance_type) {
        xml.element("cpuOptions", |xml| {
            xml.text("coreCount", t.vcpus.div_ceil(t.family.threads));
            xml.text("threadsPerCore", t.family.threads);
        });
    }
    if is_nitro(instance) {
        xml.text("currentInstanceBootMode", "uefi");
    }
    xml.element("enclaveOptions", |xml| xml.text("enabled", false));
    xml.element("hibernationOptions", |xml| xml.text("configured", false));
    xml.element("maintenanceOptions", |xml| xml.text("autoRecovery", "default"));
    xml.element("operator", |xml| xml.text("managed", false));
    xml.element("placement", |xml| {
        xml.text("availabilityZone", &instance.zone);
        xml.text("availabilityZoneId", availability_zone::id(&instance.zone));
        xml.text("groupName", "");
        xml.text("tenancy", "default");
    });
    xml.text("platformDetails", "Linux/UNIX");
    xml.text("usageOperation", "RunInstances");
    xml.text("usageOperationUpdateTime", instance.launched);
}

/// Writes which volumes are attached, and as which devices.
pub(super) fn write_volumes(view: View<'_>, instance: &Instance, xml: &mut Xml) {
    let volumes = instance.volume_ids.iter().filter_map(|id| view.region.volumes.get(id));
    let attached = volumes.filter_map(|volume| Some((volume, volume.attachment.as_ref()?)));
    xml.items("blockDeviceMapping", attached, |xml, (volume, attachment)| {
        xml.text("deviceName", &attachment.device);
        xml.element("ebs", |xml| {
            xml.text("attachTime", volume.created);
            xml.text("deleteOnTermination", attachment.delete_on_termination);
            xml.text("status", "attached");
            xml.text("volumeId", &volume.id);
        });
    });
}

/// Writes where the instance is; a terminated one is nowhere.
fn write_network(view: View<'_>, instance: &Instance, xml: &mut Xml) {
    let region = view.region;
    let primary = instance.primary(region);
    let (public_name, private_name) =
        primary.map(|interface| interface.names(region)).unwrap_or_default();
    xml.text("dnsName", public_name.unwrap_or_default());
    xml.text("privateDnsName", private_name.unwrap_or_default());
    if instance.state(view) == State::Terminated {
        xml.items("groupSet", [(); 0], |_, ()| {});
        xml.items("networkInterfaceSet", [(); 0], |_, ()| {});
        return;
    }
    if let Some(primary) = primary {
        primary.write_groups(region, xml);
        xml.optional("ipAddress", primary.public_ip);
        xml.text("privateIpAddress", primary.private_ip);
        xml.text("sourceDestCheck", primary.source_dest_check);
    }
    xml.items("networkInterfaceSet", instance.interfaces(region), |xml, interface| {
        write_interface(view, interface, xml);
    });
    if let Some(subnet) = region.subnets.get(&instance.subnet_id) {
        xml.element("privateDnsNameOptions", |xml| {
            let named = subnet.has(SubnetAttribute::ResourceNames);
            let aaaa = subnet.has(SubnetAttribute::ResourceNameDnsAaaa);
            xml.text("enableResourceNameDnsARecord", subnet.has(SubnetAttribute::ResourceNameDnsA));
            xml.text("enableResourceNameDnsAAAARecord", aaaa);
            xml.text("hostnameType", if named { "resource-name" } else { "ip-name" });
        });
    }
    xml.text("subnetId", &instance.subnet_id);
    xml.text("vpcId", &instance.vpc_id);
}

fn write_interface(view: View<'_>, interface: &NetworkInterface, xml: &mut Xml) {
    let region = view.region;
    interface.write_association(region, xml);
    if let Some(attachment) = &interface.attachment {
        xml.element("attachment", |xml| {
            xml.text("attachTime", attachment.since);
            xml.text("attachmentId", &attachment.id);
            xml.text("deleteOnTermination", attachment.delete_on_termination);
            xml.text("deviceIndex", attachment.device_index);
            xml.text("networkCardIndex", 0);
            xml.text("status", "attached");
        });
    }
    xml.text("description", &interface.description);
    interface.write_groups(region, xml);
    xml.text("interfaceType", &interface.interface_type);
    xml.items("ipv6AddressesSet", [(); 0], |_, ()| {});
    xml.text("macAddress", &interface.mac);
    xml.text("networkInterfaceId", &interface.id);
    xml.element("operator", |xml| xml.text("managed", false));
    xml.text("ownerId", &view.region.account);
    xml.optional("privateDnsName", interface.names(region).1);
    xml.text("privateIpAddress", interface.private_ip);
    interface.write_addresses(region, xml);
    xml.text("sourceDestCheck", interface.source_dest_check);
    xml.text("status", interface.status());
    xml.text("subnetId", &interface.subnet_id);
    xml.text("vpcId", &interface.vpc_id);
}

/// Writes why an instance is in its state.
fn write_reason(view: View<'_>, instance: &Instance, xml: &mut Xml) {
    xml.text("reason", reason(instance));
    if let Some((code, message)) = state_reason(view, instance) {
        xml.element("stateReason", |xml| {
            xml.text("code", code);
            xml.text("message", message);
        });
    }
}

/// Returns why an instance is stopped or terminated, in a sentence.
pub(super) fn reason(instance: &Instance) -> String {
    if instance.asked == Asked::Run {
        return String::new();
    }
    let at = instance.asked_at.strftime("%Y-%m-%d %H:%M:%S");
    format!("User initiated ({at} GMT)")
}

/// Returns why an instance is in its state, as a code and a text.
pub(super) fn state_reason(
    view: View<'_>,
    instance: &Instance,
) -> Option<(&'static str, &'static str)> {
    const CODE: &str = "Client.UserInitiatedShutdown";
    const TEXT: &str = "Client.UserInitiatedShutdown: User initiated shutdown";
    match instance.asked {
        Asked::Run => (instance.state(view) == State::Pending).then_some(("pending", "pending")),
        Asked::Stop | Asked::Terminate => Some((CODE, TEXT)),
    }
}

/// Writes the options of the instance metadata service.
pub(super) fn write_metadata(options: &MetadataOptions, xml: &mut Xml) {
    xml.text("httpEndpoint", &options.http_endpoint);
    xml.text("httpProtocolIpv6", &options.http_protocol_ipv6);
    xml.text("httpPutResponseHopLimit", options.http_put_response_hop_limit);
    xml.text("httpTokens", &options.http_tokens);
    xml.text("instanceMetadataTags", &options.instance_metadata_tags);
    xml.text("state", "applied");
}
