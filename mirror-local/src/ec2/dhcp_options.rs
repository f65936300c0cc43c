//! DHCP options: the set that AWS puts into every Region.

use crate::action::Action;
use crate::filter::texts;
use crate::listing::Listing;
use crate::request::DEFAULT_REGION;
use crate::table::{Kind, tagged_row};
use crate::tags::Tags;
use crate::world::View;
use crate::xml::Xml;
use serde::{Deserialize, Serialize};

/// Every action.
pub(crate) const ACTIONS: &[Action] =
    &[Action::read("DescribeDhcpOptions", |view, p, xml| LISTING.answer(view, p, xml))];

/// A set of DHCP options.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DhcpOptions {
    pub(crate) id: String,
    pub(crate) tags: Tags,
}

tagged_row!(
    DhcpOptions,
    Kind {
        prefix: "dopt-",
        noun: "dhcpOption ID",
        resource_type: "dhcp-options",
        not_found: "InvalidDhcpOptionID.NotFound",
        malformed: "InvalidDhcpOptionsId.Malformed",
        describe: "DescribeDhcpOptions",
    }
);

const LISTING: Listing<DhcpOptions> = Listing {
    table: |region| &region.dhcp_options,
    ids: "DhcpOptionsId",
    filters: &[
        ("dhcp-options-id", |_, options| texts([&options.id])),
        ("key", |view, _| texts(values(view).iter().map(|(key, _)| key))),
        ("owner-id", |view, _| texts([&view.region.account])),
        ("value", |view, _| texts(values(view).iter().map(|(_, value)| value))),
    ],
    set: "dhcpOptionsSet",
    write,
    page: 5..=1000,
};

fn values(view: View<'_>) -> [(&'static str, String); 2] {
    let region = &view.region.name;
    let domain = if region == DEFAULT_REGION {
        "ec2.internal".to_owned()
    } else {
        format!("{region}.compute.internal")
    };
    [("domain-name", domain), ("domain-name-servers", "AmazonProvidedDNS".to_owned())]
}

fn write(view: View<'_>, options: &DhcpOptions, xml: &mut Xml) {
    xml.items("dhcpConfigurationSet", values(view), |xml, (key, value)| {
        xml.text("key", key);
        xml.items("valueSet", [value], |xml, value| xml.text("value", value));
    });
    xml.text("dhcpOptionsId", &options.id);
    xml.text("ownerId", &view.region.account);
    options.tags.write(xml);
}
