//! The route table: where packets of its subnets go.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::access::{Access, ArnType as A, Named, On, calls};
use super::internet_gateway::InternetGatewayId;
use super::{
    Computed, Creation, InternetGateway, Need, Readiness, ReplaceOrder, ResourceType, Subnet, Tags,
    Vpc, VpcPeering, need, part, refuse_duplicates, this,
};
use crate::attribute::{ProblemSort, Problems, Ref, object};
use crate::id::{Id, IdForm, Identified, ObjectId};
use crate::observed::Found;
use crate::scalar::{IpRange, RouteTarget, TransitGatewayId};
use crate::value::Path;

object! {
    /// A route: packets to `destination` go to a gateway or another VPC. The route inside the VPC is
    /// AWS's own and is not written here.
    pub struct Route("route") by(destination) {
        /// The addresses that the route is for; `0.0.0.0/0` for all addresses without another route.
        destination: IpRange => required, Update;
        /// An internet gateway to send the packets to.
        internet_gateway: Option<Ref<InternetGateway>> => optional, Update;
        /// A VPC peering connection to send the packets over.
        vpc_peering: Option<Ref<VpcPeering>> => optional, Update;
        /// The id of a transit gateway to send the packets to. The VPC must be attached to it, or AWS
        /// refuses the route.
        transit_gateway: Option<TransitGatewayId> => optional, Update;
        /// The id of anything else to send the packets to: `nat-`, `vgw-`, `eni-`, `vpce-`, `lgw-`.
        target: Option<RouteTarget> => optional, Update;
    }
}

impl Route {
    /// Returns what it leads to that belongs to others, as far as the id shows what that is and who can see it.
    fn leads_to(&self) -> Option<Named> {
        let Self { destination: _, internet_gateway, vpc_peering, transit_gateway, target } = self;
        let gateway = || Named::by(internet_gateway.as_ref()?, A::InternetGateway);
        let peering = || Named::by(vpc_peering.as_ref()?, A::VpcPeeringConnection);
        let transit = || Some(Named::one(transit_gateway.as_ref()?, A::TransitGateway));
        let other = || {
            let target = target.as_ref()?;
            let (prefix, _) = target.as_str().split_once('-')?;
            let of = match prefix {
                "eni" => A::NetworkInterface,
                "vpce" => A::VpcEndpoint,
                _ => return None,
            };
            Some(Named::one(target, of))
        };
        gateway().or_else(peering).or_else(transit).or_else(other)
    }
}

object! {
    /// A route table with its routes and the subnets that use it.
    pub struct RouteTable("route table") {
        /// The VPC.
        vpc: Ref<Vpc> => required, Replace;
        /// Its routes, besides the one inside the VPC.
        routes: Vec<Route> => default(Vec::new()), Update;
        /// The subnets that use it; other subnets use the VPC's main route table.
        subnets: Vec<Ref<Subnet>> => default(Vec::new()), Update;
        /// Tags. `Name` is the block's name unless given.
        tags: Tags => default(Tags::new()), Update;
    }
}

/// The id of a route table.
pub type RouteTableId = Id<RouteTable>;

impl Identified for RouteTable {
    const TITLE: &'static str = "route table";
    const FORM: IdForm = IdForm::Prefixed("rtb-");
}

/// A call about a route table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `CreateRouteTable`.
    Create {
        /// Where.
        vpc: Ref<Vpc>,
        /// All tags.
        tags: Tags,
    },
    /// `CreateRoute`.
    CreateRoute {
        /// Where.
        route_table: Ref<RouteTable>,
        /// What.
        route: Route,
    },
    /// `ReplaceRoute`: the same destination by another path, with no gap.
    ReplaceRoute {
        /// Where.
        route_table: Ref<RouteTable>,
        /// What.
        route: Route,
    },
    /// `DeleteRoute`.
    DeleteRoute {
        /// Where.
        route_table: Ref<RouteTable>,
        /// Which.
        destination: IpRange,
    },
    /// `AssociateRouteTable`. AWS refuses it for a subnet that already has another table; such a
    /// subnet is moved over only by hand, with `ReplaceRouteTableAssociation`.
    Associate {
        /// What.
        route_table: Ref<RouteTable>,
        /// With what.
        subnet: Ref<Subnet>,
    },
    /// `DisassociateRouteTable`.
    Disassociate {
        /// The id of the association, `rtbassoc-...`.
        association: ObjectId,
    },
    /// `DeleteRouteTable`.
    Delete {
        /// Which.
        route_table: Ref<RouteTable>,
    },
}

impl Operation {
    /// Returns the gateway of the route that it creates, if the gateway exists already.
    pub(crate) fn gateway(&self) -> Option<&InternetGatewayId> {
        match self {
            Self::CreateRoute { route, .. } | Self::ReplaceRoute { route, .. } => {
                match route.internet_gateway.as_ref()? {
                    Ref::Id(id) => Some(id),
                    Ref::To(_) => None,
                }
            }
            Self::Create { .. }
            | Self::Associate { .. }
            | Self::Disassociate { .. }
            | Self::DeleteRoute { .. }
            | Self::Delete { .. } => None,
        }
    }

    /// Returns the transit gateway of the route that it creates.
    pub(crate) fn transit_gateway(&self) -> Option<&TransitGatewayId> {
        match self {
            Self::CreateRoute { route, .. } | Self::ReplaceRoute { route, .. } => {
                route.transit_gateway.as_ref()
            }
            Self::Create { .. }
            | Self::Associate { .. }
            | Self::Disassociate { .. }
            | Self::DeleteRoute { .. }
            | Self::Delete { .. } => None,
        }
    }

    /// Returns the destination of the route that it deletes or redirects.
    pub(crate) fn leaves(&self) -> Option<IpRange> {
        match self {
            Self::ReplaceRoute { route, .. } => Some(route.destination),
            Self::DeleteRoute { destination, .. } => Some(*destination),
            Self::Create { .. }
            | Self::CreateRoute { .. }
            | Self::Associate { .. }
            | Self::Disassociate { .. }
            | Self::Delete { .. } => None,
        }
    }

    pub(super) fn needs(&self) -> BTreeSet<Need> {
        let needs = match self {
            Self::Create { vpc, tags: _ } => vec![need(vpc, Readiness::Made)],
            Self::CreateRoute { route_table, route }
            | Self::ReplaceRoute { route_table, route } => {
                let Route {
                    destination: _,
                    internet_gateway,
                    vpc_peering,
                    transit_gateway: _,
                    target: _,
                } = route;
                vec![
                    need(route_table, Readiness::Made),
                    // AWS refuses a route to a gateway that is not attached yet.
                    internet_gateway.as_ref().and_then(|to| need(to, Readiness::Finished)),
                    // A route through a connection that nobody has accepted yet leads nowhere.
                    vpc_peering.as_ref().and_then(|to| need(to, Readiness::Finished)),
                ]
            }
            Self::Associate { route_table, subnet } => {
                vec![need(route_table, Readiness::Made), need(subnet, Readiness::Made)]
            }
            Self::Disassociate { association: _ } => Vec::new(),
            Self::DeleteRoute { route_table, destination: _ } | Self::Delete { route_table } => {
                vec![need(route_table, Readiness::Made)]
            }
        };
        needs.into_iter().flatten().collect()
    }

    calls! {
        Self::Create { .. } => {
            Access::ec2("CreateRouteTable").on(&[On::New(A::RouteTable), On::Named(A::Vpc)])
        };
        Self::CreateRoute { .. } => Access::ec2("CreateRoute").on(&[On::Owned(A::RouteTable)]);
        Self::ReplaceRoute { .. } => Access::ec2("ReplaceRoute").on(&[On::Owned(A::RouteTable)]);
        Self::DeleteRoute { .. } => Access::ec2("DeleteRoute").on(&[On::Owned(A::RouteTable)]);
        Self::Associate { .. } => {
            Access::ec2("AssociateRouteTable").on(&[On::Owned(A::RouteTable), On::Named(A::Subnet)])
        };
        Self::Disassociate { .. } => {
            Access::ec2("DisassociateRouteTable")
                .on(&[On::Owned(A::RouteTable), On::Named(A::Subnet)])
                .at_removal()
        };
        Self::Delete { .. } => {
            Access::ec2("DeleteRouteTable").on(&[On::Owned(A::RouteTable)]).at_removal()
        };
    }
}

impl ResourceType for RouteTable {
    const COMPUTED: &'static [Computed] = &[Computed { name: "id", doc: "The id, `rtb-...`." }];
    const REPLACE_ORDER: ReplaceOrder = ReplaceOrder::DeleteThenCreate;

    fn check(&self, problems: &mut Problems) {
        refuse_duplicates(problems, "routes", self.routes.iter().map(|route| route.destination));
        for (index, route) in self.routes.iter().enumerate() {
            let Route { destination: _, internet_gateway, vpc_peering, transit_gateway, target } =
                route;
            let ways = [
                internet_gateway.is_some(),
                vpc_peering.is_some(),
                transit_gateway.is_some(),
                target.is_some(),
            ];
            if ways.iter().filter(|is_given| **is_given).count() != 1 {
                problems.add(
                    ProblemSort::Value,
                    &Path::default().member("routes").index(index),
                    "a route needs exactly one of `internet_gateway`, `vpc_peering`, `transit_gateway` and `target`",
                );
            }
        }
    }

    fn named(&self) -> Vec<Named> {
        let subnets = self.subnets.iter().filter_map(|subnet| Named::by(subnet, A::Subnet));
        Named::by(&self.vpc, A::Vpc).into_iter().chain(subnets).collect()
    }

    fn leads_to(&self) -> Vec<Named> {
        self.routes.iter().filter_map(Route::leads_to).collect()
    }

    fn create(&self, creation: &Creation<'_>) -> Vec<super::Operation> {
        let Self { vpc, routes, subnets, tags } = self;
        let create = Operation::Create { vpc: vpc.clone(), tags: creation.owned(tags) };
        let routes = routes.iter().map(|route| Operation::CreateRoute {
            route_table: creation.this(),
            route: route.clone(),
        });
        let subnets = subnets.iter().map(|subnet| Operation::Associate {
            route_table: creation.this(),
            subnet: subnet.clone(),
        });
        [create].into_iter().chain(routes).chain(subnets).map(Into::into).collect()
    }

    fn update(
        &self,
        observed: &Self,
        found: &Found,
        _creation: &Creation<'_>,
    ) -> Vec<super::Operation> {
        let Self { vpc: _, routes, subnets, tags: _ } = self;
        let mut operations = Vec::new();
        for route in routes {
            let before = observed.routes.iter().find(|o| o.destination == route.destination);
            let (route_table, route) = (this(found), route.clone());
            match before {
                None => operations.push(Operation::CreateRoute { route_table, route }),
                Some(before) if *before != route => {
                    operations.push(Operation::ReplaceRoute { route_table, route });
                }
                Some(_) => {}
            }
        }
        for gone in &observed.routes {
            if !routes.iter().any(|route| route.destination == gone.destination) {
                let destination = gone.destination;
                operations.push(Operation::DeleteRoute { route_table: this(found), destination });
            }
        }
        for gone in observed.subnets.iter().filter(|subnet| !subnets.contains(subnet)) {
            operations.push(disassociate(found, gone));
        }
        for subnet in subnets.iter().filter(|subnet| !observed.subnets.contains(subnet)) {
            let (route_table, subnet) = (this(found), subnet.clone());
            operations.push(Operation::Associate { route_table, subnet });
        }
        operations.into_iter().map(Into::into).collect()
    }

    fn delete(&self, found: &Found) -> Vec<super::Operation> {
        let gone = self.subnets.iter().map(|subnet| disassociate(found, subnet));
        let delete = Operation::Delete { route_table: this(found) };
        gone.chain([delete]).map(Into::into).collect()
    }
}

/// The parts of a route table are its associations, by subnet id.
fn disassociate(found: &Found, subnet: &Ref<Subnet>) -> Operation {
    let key = match subnet {
        Ref::Id(id) => id.as_str(),
        Ref::To(_) => unreachable!("what was observed refers by id"),
    };
    Operation::Disassociate { association: part(found, key).clone() }
}
