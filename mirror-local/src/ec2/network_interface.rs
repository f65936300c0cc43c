//! Network interfaces: what they are, and how they are described.

mod attribute;
mod change;
mod create;

pub(crate) use change::{Socket, attach, detach, remove};
pub(crate) use create::{NewInterface, create, create_for_service, groups_in};

use super::address::{private_name, public_name};
use super::availability_zone;
use super::vpc::VpcAttribute;
use crate::action::Action;
use crate::filter::texts;
use crate::listing::Listing;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::{Region, View};
use crate::xml::Xml;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// Every action.
pub(crate) const ACTIONS: &[Action] = &[
    Action::read("DescribeNetworkInterfaces", |view, parameters, xml| {
        LISTING.answer(view, parameters, xml)
    }),
    Action::create("CreateNetworkInterface", create::requested, answer_created),
    Action::write("DeleteNetworkInterface", change::delete),
    Action::write("AttachNetworkInterface", change::attach_requested),
    Action::write("DetachNetworkInterface", change::detach_requested),
    Action::read("DescribeNetworkInterfaceAttribute", attribute::describe),
    Action::write("ModifyNetworkInterfaceAttribute", attribute::modify),
    Action::write("ResetNetworkInterfaceAttribute", attribute::reset),
];

/// A network interface.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NetworkInterface {
    pub(crate) id: String,
    pub(crate) vpc_id: String,
    pub(crate) subnet_id: String,
    pub(crate) zone: String,
    pub(crate) description: String,
    /// `interface`, or what AWS made it for: `network_load_balancer`.
    pub(crate) interface_type: String,
    pub(crate) mac: String,
    pub(crate) private_ip: Ipv4Addr,
    pub(crate) secondary_ips: Vec<Ipv4Addr>,
    /// The public address that belongs to the primary private one.
    pub(crate) public_ip: Option<Ipv4Addr>,
    pub(crate) groups: Vec<String>,
    pub(crate) source_dest_check: bool,
    /// The service that made the interface, if the account did not.
    pub(crate) requester_id: Option<String>,
    pub(crate) attachment: Option<Attachment>,
    pub(crate) tags: Tags,
}

/// What an interface is attached to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Attachment {
    pub(crate) id: String,
    /// The instance; `None` if AWS attached the interface to something of its own.
    pub(crate) instance_id: Option<String>,
    /// The account of the instance, or `amazon-aws`.
    pub(crate) owner: String,
    pub(crate) device_index: u32,
    pub(crate) delete_on_termination: bool,
    pub(crate) since: Timestamp,
}

tagged_row!(
    NetworkInterface,
    Kind {
        prefix: "eni-",
        noun: "networkInterface ID",
        resource_type: "network-interface",
        not_found: "InvalidNetworkInterfaceID.NotFound",
        malformed: "InvalidNetworkInterfaceId.Malformed",
        describe: "DescribeNetworkInterfaces",
    }
);

impl NetworkInterface {
    /// Returns whether something uses the interface, in AWS's words.
    pub(crate) fn status(&self) -> &'static str {
        if self.attachment.is_some() { "in-use" } else { "available" }
    }

    /// Iterates over the private addresses, the primary one first.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> {
        std::iter::once(self.private_ip).chain(self.secondary_ips.iter().copied())
    }

    /// Returns the names of the public address and of the primary private one.
    pub(crate) fn names(&self, region: &Region) -> (Option<String>, Option<String>) {
        let enabled = region.vpcs.get(&self.vpc_id).map(|vpc| &vpc.enabled);
        let support = enabled.is_some_and(|e| e.contains(&VpcAttribute::DnsSupport));
        let hostnames = enabled.is_some_and(|e| e.contains(&VpcAttribute::DnsHostnames));
        let public = self.public_ip.filter(|_| support && hostnames);
        let private = Some(self.private_ip).filter(|_| support);
        (
            public.map(|address| public_name(&region.name, address)),
            private.map(|address| private_name(&region.name, address)),
        )
    }

    /// Writes the public address and its owner, if there is one.
    pub(crate) fn write_association(&self, region: &Region, xml: &mut Xml) {
        if let Some(address) = self.public_ip {
            let (public_name, _) = self.names(region);
            xml.element("association", |xml| {
                xml.text("ipOwnerId", "amazon");
                xml.text("publicDnsName", public_name.unwrap_or_default());
                xml.text("publicIp", address);
            });
        }
    }

    /// Writes the private addresses.
    pub(crate) fn write_addresses(&self, region: &Region, xml: &mut Xml) {
        let (_, name) = self.names(region);
        xml.items("privateIpAddressesSet", self.addresses(), |xml, address| {
            let primary = address == self.private_ip;
            if primary {
                self.write_association(region, xml);
            }
            xml.text("primary", primary);
            xml.optional(
                "privateDnsName",
                name.as_ref().map(|_| private_name(&region.name, address)),
            );
            xml.text("privateIpAddress", address);
        });
    }

    /// Writes the security groups.
    pub(crate) fn write_groups(&self, region: &Region, xml: &mut Xml) {
        xml.items("groupSet", &self.groups, |xml, id| {
            xml.text("groupId", id);
            xml.optional("groupName", region.security_groups.get(id).map(|group| &group.name));
        });
    }
}

const LISTING: Listing<NetworkInterface> = Listing {
    table: |region| &region.network_interfaces,
    ids: "NetworkInterfaceId",
    filters: &[
        ("addresses.association.owner-id", |_, i| texts(i.public_ip.map(|_| "amazon"))),
        ("addresses.association.public-ip", |_, i| texts(i.public_ip)),
        ("addresses.primary", |_, i| {
            i.addresses().map(|a| (a == i.private_ip).to_string()).collect()
        }),
        ("addresses.private-ip-address", |_, i| texts(i.addresses())),
        ("association.allocation-id", |_, _| Vec::new()),
        ("association.association-id", |_, _| Vec::new()),
        ("association.ip-owner-id", |_, i| texts(i.public_ip.map(|_| "amazon"))),
        ("association.public-dns-name", |view, i| texts(i.names(view.region).0)),
        ("association.public-ip", |_, i| texts(i.public_ip)),
        ("attachment.attach-time", |_, i| texts(attached(i).map(|a| a.since))),
        ("attachment.attachment-id", |_, i| texts(attached(i).map(|a| &a.id))),
        ("attachment.delete-on-termination", |_, i| {
            texts(attached(i).map(|a| a.delete_on_termination))
        }),
        ("attachment.device-index", |_, i| texts(attached(i).map(|a| a.device_index))),
        ("attachment.instance-id", |_, i| texts(attached(i).and_then(|a| a.instance_id.as_ref()))),
        ("attachment.instance-owner-id", |_, i| texts(attached(i).map(|a| &a.owner))),
        ("attachment.status", |_, i| texts(attached(i).map(|_| "attached"))),
        ("availability-zone", |_, i| texts([&i.zone])),
        ("availability-zone-id", |_, i| texts([availability_zone::id(&i.zone)])),
        ("description", |_, i| texts([&i.description])),
        ("group-id", |_, i| i.groups.clone()),
        ("group-name", |view, i| {
            let groups = &view.region.security_groups;
            texts(i.groups.iter().filter_map(|id| groups.get(id)).map(|group| &group.name))
        }),
        ("interface-type", |_, i| texts([&i.interface_type])),
        ("ipv6-addresses.ipv6-address", |_, _| Vec::new()),
        ("mac-address", |_, i| texts([&i.mac])),
        ("network-interface-id", |_, i| texts([&i.id])),
        ("operator.managed", |_, _| texts([false])),
        ("operator.principal", |_, _| Vec::new()),
        ("owner-id", |view, _| texts([&view.region.account])),
        ("private-dns-name", |view, i| texts(i.names(view.region).1)),
        ("private-ip-address", |_, i| texts([i.private_ip])),
        ("requester-id", |_, i| texts(&i.requester_id)),
        ("requester-managed", |_, i| texts([i.requester_id.is_some()])),
        ("source-dest-check", |_, i| texts([i.source_dest_check])),
        ("status", |_, i| texts([i.status()])),
        ("subnet-id", |_, i| texts([&i.subnet_id])),
        ("vpc-id", |_, i| texts([&i.vpc_id])),
    ],
    set: "networkInterfaceSet",
    write,
    page: 5..=1000,
};

fn attached(interface: &NetworkInterface) -> Option<&Attachment> {
    interface.attachment.as_ref()
}

fn answer_created(view: View<'_>, id: &str, xml: &mut Xml) -> Option<()> {
    let interface = view.region.network_interfaces.get(id)?;
    xml.element("networkInterface", |xml| write(view, interface, xml));
    Some(())
}

fn write(view: View<'_>, interface: &NetworkInterface, xml: &mut Xml) {
    let region = view.region;
    interface.write_association(region, xml);
    if let Some(attachment) = &interface.attachment {
        xml.element("attachment", |xml| write_attachment(attachment, xml));
    }
    xml.text("availabilityZone", &interface.zone);
    xml.text("availabilityZoneId", availability_zone::id(&interface.zone));
    xml.text("description", &interface.description);
    interface.write_groups(region, xml);
    xml.text("interfaceType", &interface.interface_type);
    xml.items("ipv6AddressesSet", [(); 0], |_, ()| {});
    xml.text("macAddress", &interface.mac);
    xml.text("networkInterfaceId", &interface.id);
    xml.text("ownerId", &view.region.account);
    xml.optional("privateDnsName", interface.names(region).1);
    xml.text("privateIpAddress", interface.private_ip);
    interface.write_addresses(region, xml);
    xml.optional("requesterId", interface.requester_id.as_ref());
    xml.text("requesterManaged", interface.requester_id.is_some());
    xml.text("sourceDestCheck", interface.source_dest_check);
    xml.text("status", interface.status());
    xml.text("subnetId", &interface.subnet_id);
    interface.tags.write(xml);
    xml.text("vpcId", &interface.vpc_id);
    xml.element("operator", |xml| xml.text("managed", false));
}

fn write_attachment(attachment: &Attachment, xml: &mut Xml) {
    xml.text("attachTime", attachment.since);
    xml.text("attachmentId", &attachment.id);
    xml.text("deleteOnTermination", attachment.delete_on_termination);
    xml.text("deviceIndex", attachment.device_index);
    xml.optional("instanceId", attachment.instance_id.as_ref());
    xml.text("instanceOwnerId", &attachment.owner);
    xml.text("networkCardIndex", 0);
    xml.text("status", "attached");
}
