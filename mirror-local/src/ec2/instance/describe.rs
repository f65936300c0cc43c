//! `DescribeInstances`: instances by reservation.

use super::write::write;
use super::{Instance, InstanceAttribute, State};
use crate::ec2::instance_type;
use crate::ec2::network_interface::NetworkInterface;
use crate::failure::{Failure, Outcome};
use crate::filter::texts;
use crate::listing::Listing;
use crate::parameters::Parameters;
use crate::world::{ACCOUNT, View};
use crate::xml::Xml;
use std::collections::BTreeMap;

const LISTING: Listing<Instance> = Listing {
    table: |region| &region.instances,
    ids: "InstanceId",
    filters: &[
        ("architecture", |view, i| texts(i.image(view.region).map(|image| image.architecture))),
        ("availability-zone", |_, i| texts([&i.zone])),
        ("block-device-mapping.device-name", |view, i| devices(view, i)),
        ("block-device-mapping.volume-id", |_, i| i.volume_ids.clone()),
        ("client-token", |_, i| texts(&i.client_token)),
        ("dns-name", |view, i| primary(view, i, |view, eni| texts(eni.names(view.region).0))),
        ("hypervisor", |_, _| texts(["xen"])),
        ("iam-instance-profile.arn", |_, i| texts(&i.profile_arn)),
        ("image-id", |_, i| texts([&i.image_id])),
        ("instance-id", |_, i| texts([&i.id])),
        ("instance-lifecycle", |_, _| Vec::new()),
        ("instance-state-code", |view, i| texts([i.state(view).on_wire().0])),
        ("instance-state-name", |view, i| texts([i.state(view).on_wire().1])),
        ("instance-type", |_, i| texts([&i.instance_type])),
        ("instance.group-id", |view, i| primary(view, i, |_, eni| eni.groups.clone())),
        ("instance.group-name", |view, i| primary(view, i, group_names)),
        ("ip-address", |view, i| primary(view, i, |_, eni| texts(eni.public_ip))),
        ("key-name", |_, i| texts(&i.key_name)),
        ("launch-index", |_, i| texts([i.launch_index])),
        ("launch-time", |_, i| texts([i.launched])),
        ("metadata-options.http-endpoint", |_, i| texts([&i.metadata.http_endpoint])),
        ("metadata-options.http-tokens", |_, i| texts([&i.metadata.http_tokens])),
        ("monitoring-state", |_, i| {
            texts([if i.has(InstanceAttribute::Monitoring) { "enabled" } else { "disabled" }])
        }),
        ("network-interface.addresses.private-ip-address", |view, i| {
            texts(i.interfaces(view.region).flat_map(NetworkInterface::addresses))
        }),
        ("network-interface.association.public-ip", |view, i| {
            texts(i.interfaces(view.region).filter_map(|eni| eni.public_ip))
        }),
        ("network-interface.group-id", |view, i| {
            texts(i.interfaces(view.region).flat_map(|eni| &eni.groups))
        }),
        ("network-interface.network-interface-id", |_, i| i.interface_ids.clone()),
        ("network-interface.subnet-id", |view, i| {
            texts(i.interfaces(view.region).map(|eni| &eni.subnet_id))
        }),
        ("network-interface.vpc-id", |view, i| {
            texts(i.interfaces(view.region).map(|eni| &eni.vpc_id))
        }),
        ("owner-id", |_, _| texts([ACCOUNT])),
        ("platform", |_, _| Vec::new()),
        ("private-dns-name", |view, i| {
            primary(view, i, |view, eni| texts(eni.names(view.region).1))
        }),
        ("private-ip-address", |view, i| primary(view, i, |_, eni| texts([eni.private_ip]))),
        ("reservation-id", |_, i| texts([&i.reservation_id])),
        ("root-device-name", |view, i| texts(i.image(view.region).map(|im| im.root_device()))),
        ("root-device-type", |_, _| texts(["ebs"])),
        ("source-dest-check", |view, i| primary(view, i, |_, eni| texts([eni.source_dest_check]))),
        ("subnet-id", |view, i| here(view, i, &i.subnet_id)),
        ("tenancy", |_, _| texts(["default"])),
        ("virtualization-type", |_, _| texts(["hvm"])),
        ("vpc-id", |view, i| here(view, i, &i.vpc_id)),
    ],
    set: "reservationSet",
    write,
    page: 5..=1000,
};

/// Handles `DescribeInstances`.
pub(super) fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    if parameters.text("MaxResults").is_some() && !parameters.texts("InstanceId").is_empty() {
        let message = "The parameter instancesSet cannot be used with the parameter maxResults";
        return Err(Failure::combination(message));
    }
    let (instances, next) = LISTING.select(view, parameters, |_| true)?;
    let mut reservations: BTreeMap<&str, Vec<&Instance>> = BTreeMap::new();
    for instance in instances {
        reservations.entry(&instance.reservation_id).or_default().push(instance);
    }
    xml.items("reservationSet", reservations, |xml, (id, mut instances)| {
        instances.sort_by_key(|instance| instance.launch_index);
        write_reservation(view, xml, (id, &instances));
    });
    xml.optional("nextToken", next);
    Ok(())
}

/// Writes the instances that one launch made.
pub(super) fn write_reservation(
    view: View<'_>,
    xml: &mut Xml,
    (id, instances): (&str, &[&Instance]),
) {
    xml.items("groupSet", [(); 0], |_, ()| {});
    xml.items("instancesSet", instances, |xml, instance| write(view, instance, xml));
    xml.text("ownerId", ACCOUNT);
    xml.text("reservationId", id);
    debug_assert!(instances.iter().all(|i| i.reservation_id == id), "of one reservation");
}

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

/// A terminated instance is in no network any more.
fn here(view: View<'_>, instance: &Instance, id: &str) -> Vec<String> {
    if instance.state(view) == State::Terminated { Vec::new() } else { texts([id]) }
}

/// Returns whether instances of a type run on the Nitro system.
pub(super) fn is_nitro(instance: &Instance) -> bool {
    instance_type::by_name(&instance.instance_type).is_some_and(|t| t.is_nitro())
}
