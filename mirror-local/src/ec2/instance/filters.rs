//! The filters of `DescribeInstances`.
//!
//! No instance has a value for what a local AWS does not have, such as IPv6 addresses.

use super::describe::is_nitro;
use super::write::{reason, state_reason};
use super::{Instance, InstanceAttribute, State};
use crate::ec2::availability_zone;
use crate::ec2::network_interface::{Attachment, NetworkInterface};
use crate::ec2::subnet::SubnetAttribute;
use crate::ec2::volume::{Volume, VolumeAttachment};
use crate::filter::{FilterTable, texts};
use crate::world::View;

/// Every filter, in the order of the names.
pub(super) const FILTERS: FilterTable<Instance> = &[
    ("affinity", |_, _| Vec::new()),
    ("architecture", |view, i| texts(i.image(view.region).map(|image| image.architecture))),
    ("availability-zone", |_, i| texts([&i.zone])),
    ("availability-zone-id", |_, i| texts([availability_zone::id(&i.zone)])),
    ("block-device-mapping.attach-time", |view, i| volumes(view, i, |v, _| texts([v.created]))),
    ("block-device-mapping.delete-on-termination", |view, i| {
        volumes(view, i, |_, attachment| texts([attachment.delete_on_termination]))
    }),
    ("block-device-mapping.device-name", |view, i| devices(view, i)),
    ("block-device-mapping.status", |view, i| volumes(view, i, |_, _| texts(["attached"]))),
    ("block-device-mapping.volume-id", |_, i| i.volume_ids.clone()),
    ("boot-mode", |view, i| texts(i.image(view.region).and_then(|image| image.boot_mode))),
    ("capacity-reservation-id", |_, _| Vec::new()),
    ("capacity-reservation-specification.capacity-reservation-preference", |_, _| texts(["open"])),
    (
        "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id",
        |_, _| Vec::new(),
    ),
    (
        "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-resource-group-arn",
        |_, _| Vec::new(),
    ),
    ("client-token", |_, i| texts(&i.client_token)),
    ("current-instance-boot-mode", |_, i| texts(is_nitro(i).then_some("uefi"))),
    ("dns-name", |view, i| primary(view, i, |view, eni| texts(eni.names(view.region).0))),
    ("ebs-optimized", |_, i| texts([i.has(InstanceAttribute::EbsOptimized)])),
    ("ena-support", |_, _| texts([true])),
    ("enclave-options.enabled", |_, _| texts([false])),
    ("hibernation-options.configured", |_, _| texts([false])),
    ("host-id", |_, _| Vec::new()),
    ("hypervisor", |_, _| texts(["xen"])),
    ("iam-instance-profile.arn", |_, i| texts(&i.profile_arn)),
    ("iam-instance-profile.id", |_, _| Vec::new()),
    ("image-id", |_, i| texts([&i.image_id])),
    ("instance-id", |_, i| texts([&i.id])),
    ("instance-lifecycle", |_, _| Vec::new()),
    ("instance-state-code", |view, i| texts([i.state(view).on_wire().0])),
    ("instance-state-name", |view, i| texts([i.state(view).on_wire().1])),
    ("instance-type", |_, i| texts([&i.instance_type])),
    ("instance.group-id", |view, i| primary(view, i, |_, eni| eni.groups.clone())),
    ("instance.group-name", |view, i| primary(view, i, group_names)),
    ("ip-address", |view, i| primary(view, i, |_, eni| texts(eni.public_ip))),
    ("ipv6-address", |_, _| Vec::new()),
    ("kernel-id", |_, _| Vec::new()),
    ("key-name", |_, i| texts(&i.key_name)),
    ("launch-index", |_, i| texts([i.launch_index])),
    ("launch-time", |_, i| texts([i.launched])),
    ("maintenance-options.auto-recovery", |_, _| texts(["default"])),
    ("metadata-options.http-endpoint", |_, i| texts([&i.metadata.http_endpoint])),
    ("metadata-options.http-protocol-ipv4", |_, _| texts(["enabled"])),
    ("metadata-options.http-protocol-ipv6", |_, i| texts([&i.metadata.http_protocol_ipv6])),
    ("metadata-options.http-put-response-hop-limit", |_, i| {
        texts([i.metadata.http_put_response_hop_limit])
    }),
    ("metadata-options.http-tokens", |_, i| texts([&i.metadata.http_tokens])),
    ("metadata-options.instance-metadata-tags", |_, i| texts([&i.metadata.instance_metadata_tags])),
    ("metadata-options.state", |_, _| texts(["applied"])),
    ("monitoring-state", |_, i| {
        texts([if i.has(InstanceAttribute::Monitoring) { "enabled" } else { "disabled" }])
    }),
    ("network-interface.addresses.association.allocation-id", |_, _| Vec::new()),
    ("network-interface.addresses.association.association-id", |_, _| Vec::new()),
    ("network-interface.addresses.association.carrier-ip", |_, _| Vec::new()),
    ("network-interface.addresses.association.customer-owned-ip", |_, _| Vec::new()),
    ("network-interface.addresses.association.ip-owner-id", |view, i| {
        each(view, i, |_, eni| texts(eni.public_ip.map(|_| "amazon")))
    }),
    ("network-interface.addresses.association.public-dns-name", |view, i| {
        each(view, i, |view, eni| texts(eni.names(view.region).0))
    }),
    ("network-interface.addresses.association.public-ip", |view, i| {
        each(view, i, |_, eni| texts(eni.public_ip))
    }),
    ("network-interface.addresses.primary", |view, i| {
        each(view, i, |_, eni| texts(eni.addresses().map(|a| a == eni.private_ip)))
    }),
    ("network-interface.addresses.private-dns-name", |view, i| {
        each(view, i, |view, eni| texts(eni.names(view.region).1))
    }),
    ("network-interface.addresses.private-ip-address", |view, i| {
        texts(i.interfaces(view.region).flat_map(NetworkInterface::addresses))
    }),
    ("network-interface.association.allocation-id", |_, _| Vec::new()),
    ("network-interface.association.association-id", |_, _| Vec::new()),
    ("network-interface.association.carrier-ip", |_, _| Vec::new()),
    ("network-interface.association.customer-owned-ip", |_, _| Vec::new()),
    ("network-interface.association.ip-owner-id", |view, i| {
        each(view, i, |_, eni| texts(eni.public_ip.map(|_| "amazon")))
    }),
    ("network-interface.association.public-dns-name", |view, i| {
        each(view, i, |view, eni| texts(eni.names(view.region).0))
    }),
    ("network-interface.association.public-ip", |view, i| {
        texts(i.interfaces(view.region).filter_map(|eni| eni.public_ip))
    }),
    ("network-interface.attachment.attach-time", |view, i| {
        each(view, i, |_, eni| texts(attachment(eni).map(|a| a.since)))
    }),
    ("network-interface.attachment.attachment-id", |view, i| {
        each(view, i, |_, eni| texts(attachment(eni).map(|a| &a.id)))
    }),
    ("network-interface.attachment.delete-on-termination", |view, i| {
        each(view, i, |_, eni| texts(attachment(eni).map(|a| a.delete_on_termination)))
    }),
    ("network-interface.attachment.device-index", |view, i| {
        each(view, i, |_, eni| texts(attachment(eni).map(|a| a.device_index)))
    }),
    ("network-interface.attachment.instance-id", |_, i| texts([&i.id])),
    ("network-interface.attachment.instance-owner-id", |view, _| texts([&view.region.account])),
    ("network-interface.attachment.network-card-index", |_, _| texts([0])),
    ("network-interface.attachment.status", |_, _| texts(["attached"])),
    ("network-interface.availability-zone", |view, i| each(view, i, |_, eni| texts([&eni.zone]))),
    ("network-interface.deny-all-igw-traffic", |_, _| Vec::new()),
    ("network-interface.description", |view, i| each(view, i, |_, eni| texts([&eni.description]))),
    ("network-interface.group-id", |view, i| {
        texts(i.interfaces(view.region).flat_map(|eni| &eni.groups))
    }),
    ("network-interface.group-name", |view, i| each(view, i, group_names)),
    ("network-interface.ipv4-prefixes.ipv4-prefix", |_, _| Vec::new()),
    ("network-interface.ipv6-address", |_, _| Vec::new()),
    ("network-interface.ipv6-addresses.ipv6-address", |_, _| Vec::new()),
    ("network-interface.ipv6-addresses.is-primary-ipv6", |_, _| Vec::new()),
    ("network-interface.ipv6-native", |view, i| each(view, i, |_, _| texts([false]))),
    ("network-interface.ipv6-prefixes.ipv6-prefix", |_, _| Vec::new()),
    ("network-interface.mac-address", |view, i| each(view, i, |_, eni| texts([&eni.mac]))),
    ("network-interface.network-interface-id", |_, i| i.interface_ids.clone()),
    ("network-interface.operator.managed", |view, i| each(view, i, |_, _| texts([false]))),
    ("network-interface.operator.principal", |_, _| Vec::new()),
    ("network-interface.outpost-arn", |_, _| Vec::new()),
    ("network-interface.owner-id", |view, _| texts([&view.region.account])),
    ("network-interface.private-dns-name", |view, i| {
        each(view, i, |view, eni| texts(eni.names(view.region).1))
    }),
    ("network-interface.private-ip-address", |view, i| {
        each(view, i, |_, eni| texts([eni.private_ip]))
    }),
    ("network-interface.public-dns-name", |view, i| {
        each(view, i, |view, eni| texts(eni.names(view.region).0))
    }),
    ("network-interface.requester-id", |view, i| each(view, i, |_, eni| texts(&eni.requester_id))),
    ("network-interface.requester-managed", |view, i| {
        each(view, i, |_, eni| texts([eni.requester_id.is_some()]))
    }),
    ("network-interface.source-dest-check", |view, i| {
        each(view, i, |_, eni| texts([eni.source_dest_check]))
    }),
    ("network-interface.status", |view, i| each(view, i, |_, eni| texts([eni.status()]))),
    ("network-interface.subnet-id", |view, i| {
        texts(i.interfaces(view.region).map(|eni| &eni.subnet_id))
    }),
    ("network-interface.tag-key", |view, i| {
        each(view, i, |_, eni| texts(eni.tags.iter().map(|(key, _)| key)))
    }),
    ("network-interface.tag-value", |view, i| {
        each(view, i, |_, eni| texts(eni.tags.iter().map(|(_, value)| value)))
    }),
    ("network-interface.vpc-id", |view, i| texts(i.interfaces(view.region).map(|eni| &eni.vpc_id))),
    ("network-performance-options.bandwidth-weighting", |_, _| Vec::new()),
    ("operator.managed", |_, _| texts([false])),
    ("operator.principal", |_, _| Vec::new()),
    ("outpost-arn", |_, _| Vec::new()),
    ("owner-id", |view, _| texts([&view.region.account])),
    ("placement-group-name", |_, _| Vec::new()),
    ("placement-partition-number", |_, _| Vec::new()),
    ("platform", |_, _| Vec::new()),
    ("platform-details", |_, _| texts(["Linux/UNIX"])),
    ("private-dns-name", |view, i| primary(view, i, |view, eni| texts(eni.names(view.region).1))),
    ("private-dns-name-options.enable-resource-name-dns-a-record", |view, i| {
        subnet_has(view, i, SubnetAttribute::ResourceNameDnsA)
    }),
    ("private-dns-name-options.enable-resource-name-dns-aaaa-record", |view, i| {
        subnet_has(view, i, SubnetAttribute::ResourceNameDnsAaaa)
    }),
    ("private-dns-name-options.hostname-type", |view, i| {
        let named = subnet_has(view, i, SubnetAttribute::ResourceNames);
        texts(named.iter().map(|n| if n == "true" { "resource-name" } else { "ip-name" }))
    }),
    ("private-ip-address", |view, i| primary(view, i, |_, eni| texts([eni.private_ip]))),
    ("product-code", |_, _| Vec::new()),
    ("product-code.type", |_, _| Vec::new()),
    ("ramdisk-id", |_, _| Vec::new()),
    ("reason", |_, i| texts([reason(i)])),
    ("requester-id", |_, _| Vec::new()),
    ("reservation-id", |_, i| texts([&i.reservation_id])),
    ("root-device-name", |view, i| texts(i.image(view.region).map(|im| im.root_device()))),
    ("root-device-type", |_, _| texts(["ebs"])),
    ("source-dest-check", |view, i| primary(view, i, |_, eni| texts([eni.source_dest_check]))),
    ("spot-instance-request-id", |_, _| Vec::new()),
    ("state-reason-code", |view, i| texts(state_reason(view, i).map(|(code, _)| code))),
    ("state-reason-message", |view, i| texts(state_reason(view, i).map(|(_, text)| text))),
    ("subnet-id", |view, i| here(view, i, &i.subnet_id)),
    ("tenancy", |_, _| texts(["default"])),
    ("tpm-support", |_, _| Vec::new()),
    ("usage-operation", |_, _| texts(["RunInstances"])),
    ("usage-operation-update-time", |_, i| texts([i.launched])),
    ("virtualization-type", |_, _| texts(["hvm"])),
    ("vpc-id", |view, i| here(view, i, &i.vpc_id)),
];

fn primary(
    view: View<'_>,
    instance: &Instance,
    values: fn(View<'_>, &NetworkInterface) -> Vec<String>,
) -> Vec<String> {
    instance.primary(view.region).map(|interface| values(view, interface)).unwrap_or_default()
}

fn group_names(view: View<'_>, interface: &NetworkInterface) -> Vec<String> {
    let groups = &view.region.security_groups;
    texts(interface.groups.iter().filter_map(|id| groups.get(id)).map(|group| &group.name))
}

fn devices(view: View<'_>, instance: &Instance) -> Vec<String> {
    let volumes = instance.volume_ids.iter().filter_map(|id| view.region.volumes.get(id));
    texts(volumes.filter_map(|volume| Some(&volume.attachment.as_ref()?.device)))
}

/// A terminated instance is no longer in any network.
fn here(view: View<'_>, instance: &Instance, id: &str) -> Vec<String> {
    if instance.state(view) == State::Terminated { Vec::new() } else { texts([id]) }
}

/// Reads values from each interface of an instance.
fn each(
    view: View<'_>,
    instance: &Instance,
    values: fn(View<'_>, &NetworkInterface) -> Vec<String>,
) -> Vec<String> {
    instance.interfaces(view.region).flat_map(|interface| values(view, interface)).collect()
}

fn attachment(interface: &NetworkInterface) -> Option<&Attachment> {
    interface.attachment.as_ref()
}

/// Reads values from each volume of an instance.
fn volumes(
    view: View<'_>,
    instance: &Instance,
    values: fn(&Volume, &VolumeAttachment) -> Vec<String>,
) -> Vec<String> {
    let volumes = instance.volume_ids.iter().filter_map(|id| view.region.volumes.get(id));
    let attached = volumes.filter_map(|volume| Some((volume, volume.attachment.as_ref()?)));
    attached.flat_map(|(volume, attachment)| values(volume, attachment)).collect()
}

fn subnet_has(view: View<'_>, instance: &Instance, attribute: SubnetAttribute) -> Vec<String> {
    texts(view.region.subnets.get(&instance.subnet_id).map(|subnet| subnet.has(attribute)))
}
