//! The world: accounts, their Regions, and everything in them.
//!
//! The world has no clock and no threads. The caller passes the time; what is due by then is done first, and states
//! such as `pending` are computed from the times in the rows.

use crate::autoscaling::{Activity, AutoScalingGroup, Member};
use crate::cloudwatch::Datapoint;
use crate::ec2::address::Address;
use crate::ec2::availability_zone;
use crate::ec2::default_network;
use crate::ec2::dhcp_options::DhcpOptions;
use crate::ec2::instance::Instance;
use crate::ec2::internet_gateway::InternetGateway;
use crate::ec2::key_pair::KeyPair;
use crate::ec2::launch_template::{LaunchTemplate, LaunchTemplateVersion};
use crate::ec2::network_acl::NetworkAcl;
use crate::ec2::network_interface::NetworkInterface;
use crate::ec2::route_table::RouteTable;
use crate::ec2::security_group::SecurityGroup;
use crate::ec2::security_group_rule::SecurityGroupRule;
use crate::ec2::subnet::Subnet;
use crate::ec2::traffic_mirror::filter::MirrorFilter;
use crate::ec2::traffic_mirror::filter_rule::MirrorFilterRule;
use crate::ec2::traffic_mirror::link::Link;
use crate::ec2::traffic_mirror::session::MirrorSession;
use crate::ec2::traffic_mirror::target::MirrorTarget;
use crate::ec2::transit_gateway::{Attachment, TransitGateway, TransitRouteTable};
use crate::ec2::volume::Volume;
use crate::ec2::vpc::Vpc;
use crate::ec2::vpc_endpoint::Endpoint;
use crate::ec2::vpc_endpoint_service::EndpointService;
use crate::ec2::vpc_peering::VpcPeering;
use crate::ec2::vpc_peering::side::Side;
use crate::elbv2::{Listener, LoadBalancer, TargetGroup};
use crate::failure::{Failure, Outcome};
use crate::listing::{check_shape, not_found};
use crate::parameters::Parameters;
use crate::place::{Place, partition};
use crate::ram::{Reply, ResourceShare};
use crate::s3::bucket::Bucket;
use crate::s3::object::Object;
use crate::schedule::Due;
use crate::settings::Settings;
use crate::table::{Row, Rows, Table};
use crate::token::Token;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt::Display;

/// Everything that exists.
#[derive(Debug, Clone)]
pub struct World {
    /// What ids are drawn from: equal seeds and equal calls give equal ids.
    pub(crate) seed: u64,
    /// Durations and quotas.
    pub settings: Settings,
    regions: BTreeMap<Place, Region>,
    /// Calls handled so far, from which request ids are made.
    pub(crate) calls: u64,
}

impl World {
    /// Creates a world that holds nothing but what AWS puts into every account.
    pub fn new(seed: u64) -> Self {
        Self { seed, settings: Settings::default(), regions: BTreeMap::new(), calls: 0 }
    }

    /// Returns an empty world with the same settings and seed.
    pub(crate) fn afresh(&self) -> Self {
        Self { settings: self.settings.clone(), ..Self::new(self.seed) }
    }

    /// Draws from another seed from now on.
    pub(crate) fn reseed(&mut self, seed: u64) {
        self.seed = seed;
        for region in self.regions.values_mut() {
            region.seed = seed;
        }
    }

    /// Returns a Region, which is created with its default VPC on first use.
    pub(crate) fn region(&mut self, place: &Place, now: Timestamp) -> &mut Region {
        if !self.regions.contains_key(place) {
            let mut region = Region::empty(place, self.seed);
            default_network::create(&mut region, now);
            self.regions.insert(place.clone(), region);
        }
        self.regions.get_mut(place).expect("it was inserted above")
    }

    /// Returns a Region as it is by now, and the Regions of the same name in all other accounts.
    pub(crate) fn around(
        &mut self,
        place: &Place,
        (settings, now): (&Settings, Timestamp),
    ) -> (&mut Region, Vec<&Region>) {
        self.region(place, now);
        let (mut own, mut neighbours) = (None, Vec::new());
        let same = self.regions.iter_mut().filter(|(at, _)| at.region() == place.region());
        for (at, region) in same {
            region.settle(settings, now);
            if at == place {
                own = Some(region);
            } else {
                neighbours.push(&*region);
            }
        }
        (own.expect("it is made above if it was not there"), neighbours)
    }

    /// Returns a Region as the store knows it, or an empty one if it does not.
    pub(crate) fn stored_region(&mut self, place: Place) -> &mut Region {
        let empty = Region::empty(&place, self.seed);
        self.regions.entry(place).or_insert(empty)
    }

    pub(crate) fn regions(&self) -> impl Iterator<Item = &Region> {
        self.regions.values()
    }

    pub(crate) fn regions_mut(&mut self) -> impl Iterator<Item = &mut Region> {
        self.regions.values_mut()
    }

    /// Accepts everything that has changed.
    pub(crate) fn commit(&mut self) {
        for table in self.regions.values_mut().flat_map(Region::tables_mut) {
            table.1.commit();
        }
    }
}

/// Declares the tables of a Region once, for the fields and for whatever goes over all of them.
macro_rules! tables {
    ($($(#[$doc:meta])* $field:ident: $row:ty,)*) => {
        /// Everything in one Region.
        #[derive(Debug, Clone, Default)]
        pub(crate) struct Region {
            /// The account that owns it.
            pub(crate) account: String,
            /// The Region's name.
            pub(crate) name: String,
            pub(crate) seed: u64,
            $($(#[$doc])* pub(crate) $field: Table<$row>,)*
        }

        impl Region {
            /// Returns the tables with their names in the store.
            pub(crate) fn tables(&self) -> Vec<(&'static str, &dyn Rows)> {
                vec![$((stringify!($field), &self.$field as &dyn Rows),)*]
            }

            /// Returns the tables with their names in the store, to change them.
            pub(crate) fn tables_mut(&mut self) -> Vec<(&'static str, &mut dyn Rows)> {
                vec![$((stringify!($field), &mut self.$field as &mut dyn Rows),)*]
            }

            /// Returns the table of a name in the store, to change it.
            pub(crate) fn table_mut(&mut self, name: &str) -> Option<&mut dyn Rows> {
                match name {
                    $(stringify!($field) => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }
    };
}

tables! {
    addresses: Address,
    auto_scaling_activities: Activity,
    auto_scaling_groups: AutoScalingGroup,
    /// The instances of Auto Scaling groups, by instance.
    auto_scaling_members: Member,
    buckets: Bucket,
    /// How often each kind of id has been drawn.
    counters: crate::id::Counter,
    /// What meters have counted.
    datapoints: Datapoint,
    dhcp_options: DhcpOptions,
    instances: Instance,
    internet_gateways: InternetGateway,
    key_pairs: KeyPair,
    launch_template_versions: LaunchTemplateVersion,
    launch_templates: LaunchTemplate,
    listeners: Listener,
    load_balancers: LoadBalancer,
    mirror_filter_rules: MirrorFilterRule,
    mirror_filters: MirrorFilter,
    /// Which mirror objects refer to which others.
    mirror_links: Link,
    mirror_sessions: MirrorSession,
    mirror_targets: MirrorTarget,
    network_acls: NetworkAcl,
    network_interfaces: NetworkInterface,
    objects: Object,
    /// The account's side of peering connections that other accounts requested, by connection.
    peering_sides: Side,
    /// What the account shares with others.
    resource_shares: ResourceShare,
    route_tables: RouteTable,
    /// What will happen by itself, and when.
    schedule: Due,
    security_group_rules: SecurityGroupRule,
    security_groups: SecurityGroup,
    /// The account's replies to invitations from others, by invitation.
    share_replies: Reply,
    subnets: Subnet,
    target_groups: TargetGroup,
    /// The client tokens of past creates.
    tokens: Token,
    transit_gateway_attachments: Attachment,
    transit_gateway_route_tables: TransitRouteTable,
    transit_gateways: TransitGateway,
    volumes: Volume,
    vpc_endpoint_services: EndpointService,
    vpc_endpoints: Endpoint,
    vpc_peerings: VpcPeering,
    vpcs: Vpc,
}

impl Region {
    /// Creates a Region without even the objects that AWS puts there.
    fn empty(place: &Place, seed: u64) -> Self {
        let (account, name) = (place.account().to_owned(), place.region().to_owned());
        Self { account, name, seed, ..Self::default() }
    }

    /// Returns its account and Region.
    pub(crate) fn place(&self) -> Place {
        Place::new(&*self.account, &*self.name)
    }

    /// Returns the ARN of a service's resource in this Region and account.
    pub(crate) fn arn(&self, service: &str, resource: impl Display) -> String {
        let Self { account, name, .. } = self;
        format!("arn:{}:{service}:{name}:{account}:{resource}", partition(name))
    }

    /// Returns the ARN of one of the account's identities, which belong to no Region.
    pub(crate) fn iam_arn(&self, resource: impl Display) -> String {
        format!("arn:{}:iam::{}:{resource}", partition(&self.name), self.account)
    }

    /// Accepts all changes so far, so that [`Region::rollback`] undoes only those that follow.
    pub(crate) fn seal(&mut self) {
        self.tables_mut().into_iter().for_each(|(_, table)| table.seal());
    }

    /// Undoes everything since [`Region::seal`].
    pub(crate) fn rollback(&mut self) {
        self.tables_mut().into_iter().for_each(|(_, table)| table.rollback());
    }

    /// Returns the names of the Region's zones.
    pub(crate) fn zones(&self) -> Vec<String> {
        availability_zone::names(&self.name)
    }

    /// Returns the id of the default VPC, if it has not been deleted.
    pub(crate) fn default_vpc(&self) -> Outcome<String> {
        let vpc = self.vpcs.values().find(|vpc| vpc.is_default);
        vpc.map(|vpc| vpc.id.clone())
            .ok_or_else(|| Failure::new("VPCIdNotSpecified", "No default VPC for this user"))
    }
}

/// What a reading action sees.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    /// The Region.
    pub region: &'a Region,
    /// What other accounts have in the Region of this name.
    pub neighbours: &'a [&'a Region],
    /// Durations and quotas.
    pub settings: &'a Settings,
    /// The time of the call.
    pub now: Timestamp,
}

impl<'a> View<'a> {
    /// Iterates over this Region in every account, the viewed one first.
    pub(crate) fn everyones(self) -> impl Iterator<Item = &'a Region> {
        std::iter::once(self.region).chain(self.neighbours.iter().copied())
    }

    /// Returns this Region in another account, if that account has ever used it.
    pub(crate) fn of_account(self, account: &str) -> Option<&'a Region> {
        self.everyones().find(|region| region.account == account)
    }
}

/// What a changing action works on.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// The Region.
    pub region: &'a mut Region,
    /// What other accounts have in the Region of this name. A call changes nothing there.
    pub neighbours: &'a [&'a Region],
    /// The parameters of the call.
    pub parameters: &'a Parameters,
    /// Durations and quotas.
    pub settings: &'a Settings,
    /// The time of the call.
    pub now: Timestamp,
}

impl Call<'_> {
    /// Returns what a reading action would see now.
    pub(crate) fn view(&self) -> View<'_> {
        let Self { region, neighbours, parameters: _, settings, now } = self;
        View { region, neighbours, settings, now: *now }
    }
}

/// Returns the row that a required parameter names.
pub(crate) fn find<'a, T: Row>(
    table: &'a Table<T>,
    parameters: &Parameters,
    name: &str,
) -> Outcome<&'a T> {
    by_id(table, parameters.required(name)?, name)
}

/// Returns the row of an id that came as the parameter `name`.
pub(crate) fn by_id<'a, T: Row>(table: &'a Table<T>, id: &str, name: &str) -> Outcome<&'a T> {
    check_shape(&T::KIND, id, name)?;
    table.get(id).ok_or_else(|| not_found(&T::KIND, &[id]))
}

/// Returns the row of an id that came as the parameter `name`, to change it.
pub(crate) fn by_id_mut<'a, T: Row>(
    table: &'a mut Table<T>,
    id: &str,
    name: &str,
) -> Outcome<&'a mut T> {
    check_shape(&T::KIND, id, name)?;
    table.get_mut(id).ok_or_else(|| not_found(&T::KIND, &[id]))
}
