//! Data sources: how the provider finds what a stack uses and did not make.
//!
//! Source: documentation of `hashicorp/aws`, the page of each data source.

use super::super::table;
use super::document::Item;
use crate::address::Kind;
use crate::id::ObjectId;
use crate::render::stack_file::{key_text, quoted};
use crate::stack::Selector;

/// The data source that finds objects of a kind.
struct DataSource {
    /// The argument for the id, or for the ARN.
    id: &'static str,
    /// How an object is recognized without it.
    else_by: Recognized,
}

/// How an object is recognized if its id is not given.
enum Recognized {
    /// By tags, in the argument of this name; a name is one of them.
    Tags(&'static str),
    /// By its id alone.
    Id,
    /// By its name alone. Arguments for tags came with later versions of the provider.
    Name,
}

/// The data source for objects of a kind; `None` for kinds that the provider can only create.
const fn of(kind: Kind) -> Option<DataSource> {
    let (id, else_by) = match kind {
        Kind::Vpc | Kind::Subnet | Kind::SecurityGroup | Kind::VpcPeering => {
            ("id", Recognized::Tags("tags"))
        }
        Kind::TransitGatewayAttachment => ("id", Recognized::Id),
        Kind::InternetGateway => ("internet_gateway_id", Recognized::Tags("tags")),
        Kind::RouteTable => ("route_table_id", Recognized::Tags("tags")),
        Kind::Instance => ("instance_id", Recognized::Tags("instance_tags")),
        Kind::LaunchTemplate => ("id", Recognized::Tags("tags")),
        Kind::TargetGroup | Kind::LoadBalancer | Kind::GatewayLoadBalancer => {
            ("arn", Recognized::Name)
        }
        Kind::GatewayLoadBalancerEndpoint => ("id", Recognized::Tags("tags")),
        // Its data source finds groups by name, which an ARN holds.
        Kind::AutoscalingGroup
        // Its data source finds services by the name that those who create endpoints use.
        | Kind::EndpointService
        | Kind::MirrorTarget
        | Kind::MirrorFilter
        | Kind::MirrorSession
        // Its data source finds shares by name, which need not be unique.
        | Kind::ResourceShare => return None,
    };
    Some(DataSource { id, else_by })
}

/// Whether the provider can find objects of a kind.
pub(super) const fn finds(kind: Kind) -> bool {
    of(kind).is_some()
}

/// The arguments that find the object of a selector, whose id is `found` if it has been seen.
pub(super) fn arguments(kind: Kind, selector: &Selector, found: Option<&ObjectId>) -> Vec<Item> {
    let Some(DataSource { id, else_by }) = of(kind) else { return Vec::new() };
    let by_id = |of: &ObjectId| Item::attribute(id, quoted(of.as_str()));
    let tags = |name, tags: crate::resource::Tags| {
        let members = tags.iter().map(|(key, value)| (key_text(key), quoted(value)));
        (!tags.is_empty()).then(|| Item::map(name, members.collect()))
    };
    let own = selector.id.as_ref().map(by_id);
    match (else_by, &selector.name) {
        (Recognized::Tags(name), _) => {
            own.into_iter().chain(tags(name, selector.all_tags())).collect()
        }
        (Recognized::Id, _) => own.or_else(|| found.map(by_id)).into_iter().collect(),
        (Recognized::Name, Some(name)) => {
            own.into_iter().chain([Item::attribute("name", quoted(name))]).collect()
        }
        (Recognized::Name, None) => match own.or_else(|| found.map(by_id)) {
            Some(by_id) => vec![by_id],
            None => tags("tags", selector.tags.clone()).into_iter().collect(),
        },
    }
}

/// What a data source calls an attribute of an object of its kind.
pub(super) fn attribute(kind: Kind, attribute: &str) -> Option<&'static str> {
    match (kind, attribute) {
        (Kind::Instance, "network_interface") => Some("network_interface_id"),
        _ => table::of(kind).whole.name_of(attribute),
    }
}
