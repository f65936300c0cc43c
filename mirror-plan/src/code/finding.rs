//! The catalogue of findings: mistakes in a stack that AWS refuses half-way, or takes without an error
//! though no packet will arrive. Each has the fact behind it, where AWS says it, and when that was read.

use std::fmt;

use super::Entry;
use crate::diagnostic::{Code, Severity};

/// What is known of a finding besides its text.
#[derive(Clone, Copy, Debug)]
pub struct Finding {
    /// How bad it is at its worst.
    pub severity: Severity,
    /// What AWS does, or what follows from what it does.
    pub fact: &'static str,
    /// Where AWS says so, or that it is an inference.
    pub source: &'static str,
    /// Of when that page, table or release is.
    pub date: &'static str,
    /// What looks for it.
    pub found_by: FoundBy,
}

/// What AWS does, and where and when it says so.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { severity: _, fact, source, date, found_by: _ } = self;
        write!(f, "AWS: {fact}\nSource: {source}, {date}.")
    }
}

/// What looks for a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// A lint: its findings can be accepted with `allow`.
    Lint,
    /// A look at what a plan removes: its findings can be accepted, too.
    Removal,
    /// Whatever reads the stack file: there is no stack with it, so it cannot be accepted.
    Reading,
}

impl FoundBy {
    /// Whether such findings can be accepted with `allow`.
    #[must_use]
    pub const fn is_allowable(self) -> bool {
        match self {
            Self::Lint | Self::Removal => true,
            Self::Reading => false,
        }
    }
}

/// Declares constants and the table at once.
macro_rules! findings {
    ($(
        $(#[doc = $doc:literal])+
        $severity:ident $name:ident = $code:literal, $title:literal by $found:ident
        $fact:literal ($source:literal, $date:literal);
    )+) => {
        $(
            #[doc = $title]
            #[doc = ""]
            $(#[doc = $doc])+
            pub const $name: Code = Code($code);
        )+

        /// Every finding, in order.
        pub(super) const CATALOGUE: &[Entry] = &[
            $(Entry {
                code: $name,
                title: $title,
                text: concat!($($doc, "\n"),+),
                finding: Some(Finding {
                    severity: Severity::$severity,
                    fact: $fact,
                    source: $source,
                    date: $date,
                    found_by: FoundBy::$found,
                }),
            },)+
        ];
    };
}

findings! {
    /// The mirror target is a Network Load Balancer without a UDP listener on port 4789.
    Error NO_VXLAN_LISTENER = "MP1001", "no UDP listener on port 4789" by Lint
    "AWS makes a target of a load balancer without such a listener, and every mirrored packet is lost without an error."
    ("Traffic Mirroring guide, \"Traffic mirror targets\"", "2026");
    /// A listener forwards to a target group of a protocol that does not go with its own: UDP goes to `udp` or
    /// `tcp_udp`, TCP to `tcp` or `tcp_udp`, TLS to `tls` or `tcp`, `tcp_udp` to `tcp_udp` only.
    Error LISTENER_PROTOCOL = "MP1002", "listener and target group do not go together" by Lint
    "AWS refuses the listener (`IncompatibleProtocols`), half-way through an apply."
    ("Network Load Balancer guide, \"Target groups\"", "2026");
    /// A health check over UDP or TLS. Name a protocol that gives an answer: `tcp`, `http` or `https`.
    Error HEALTH_CHECK_PROTOCOL = "MP1003", "health check over UDP or TLS" by Reading
    "A Network Load Balancer checks health over TCP, HTTP or HTTPS only."
    ("Network Load Balancer guide, \"Health checks for your target groups\"", "2026");
    /// The health check asks the receivers over TCP on the port on which they take VXLAN. Unless something
    /// answers TCP there, every receiver counts as ill. Name a port that answers: `health_check = { port = 80 }`.
    Warning HEALTH_CHECK_ON_VXLAN_PORT = "MP1004", "health check on the port of VXLAN" by Lint
    "The default of a health check is TCP on `traffic-port`, and VXLAN is UDP."
    ("ELBv2 API reference, `CreateTargetGroup`", "2026");
    /// No rule of the receiver's security groups admits the health check of the load balancer, so the receiver
    /// counts as ill.
    Error HEALTH_CHECK_SHUT_OUT = "MP1005", "health check is shut out" by Lint
    "Health checks come from the private addresses of the load balancer, in its subnets, or from its security groups if it has any."
    ("Network Load Balancer guide, \"Target security groups\"", "2026");
    /// No rule of the receiver's security groups admits mirrored packets (UDP, on the port that it takes them
    /// on) from the source. What is shut out is lost without an error.
    Error RECEIVER_SHUT_OUT = "MP1006", "mirrored packets are shut out" by Lint
    "The security groups of a target must admit UDP 4789. A load balancer keeps the address of the source, so a rule for the addresses of the load balancer is not enough."
    ("Traffic Mirroring guide, \"Security groups\"; Network Load Balancer guide, \"Client IP preservation\"", "2026");
    /// The load balancer has security groups, and they do not let UDP 4789 in from the source, or do not
    /// let it or the health checks out to the receivers.
    Error LOAD_BALANCER_SHUT = "MP1007", "load balancer shuts mirrored packets out" by Lint
    "A load balancer with security groups lets in and out what they say, health checks included; one without any lets all through."
    ("Network Load Balancer guide, \"Security groups\"", "2026");
    /// A session uses a filter that mirrors nothing at all, or (a warning) nothing in one direction. Rules are
    /// for one direction each unless `direction` is left out.
    Error FILTER_MIRRORS_NOTHING = "MP1008", "filter mirrors nothing" by Lint
    "A filter mirrors what its rules accept, in each direction; a new one has no rules and mirrors nothing."
    ("Traffic Mirroring guide, \"Traffic mirror filters\"", "2026");
    /// Earlier rules of the filter match every packet that this rule matches, so it never decides anything.
    /// This is worked out exactly.
    Warning RULE_WITHOUT_EFFECT = "MP1009", "filter rule without effect" by Lint
    "The rule with the lowest number is tried first, and the first that matches decides."
    ("Traffic Mirroring guide, \"Traffic mirror filter rules\"", "2026");
    /// A filter rule that AWS does not take: addresses of two families, ports without TCP or UDP, a range of ports
    /// that ends before it begins, or a number that another rule of its direction has.
    Error FILTER_RULE = "MP1010", "filter rule that AWS refuses" by Reading
    "Both ranges of a rule are of one address family, ports are for TCP and UDP only, from 0 to 65535, and a number is unique in its direction."
    ("Traffic Mirroring guide, \"Traffic mirror filter rules\"; EC2 API reference, \"Error codes\"", "2026");
    /// More than AWS takes of something, and none of these quotas can be raised. Whether the 10 rules of a filter
    /// are for both directions together AWS does not say; they are counted together. A plan counts what others have
    /// as well: on an interface, and to a target, always; of all sessions and targets of the account in the Region
    /// where it asks for them in any case, which is for objects that are there already, or where the stack makes a
    /// hundred or more; of all filters where the stack makes a hundred or more.
    Error QUOTA = "MP1011", "more than AWS takes" by Lint
    "AWS takes 10 rules in a filter, 3 sessions on an interface, 10 sources for a target that is an interface (100 where its instance is of one of the largest sizes), and 10,000 sessions, 10,000 targets and 10,000 filters in an account and Region."
    ("Traffic Mirroring guide, \"Quotas\"", "2026");
    /// Two sessions of one interface have the same number, or a number is out of range. The number says whose
    /// turn is first.
    Error SESSION_NUMBER = "MP1012", "session number taken or out of range" by Lint
    "A session number is between 1 and 32766, and the sessions of an interface are tried in that order. That AWS refuses equal ones is an inference."
    ("Traffic Mirroring guide, \"Traffic mirror sessions\"", "2026");
    /// The packet length is more than AWS mirrors, or (a warning) so small that only headers are mirrored. Leave
    /// it out to mirror whole packets.
    Error PACKET_LENGTH = "MP1013", "packet length out of range" by Lint
    "A packet length is between 1 and 8500 bytes and includes the Ethernet header: with it, IPv4 headers take 34 bytes, IPv6 headers 54. Left out, whole packets are mirrored, behind a load balancer 8500 bytes."
    ("EC2 API reference, `CreateTrafficMirrorSession`; Traffic Mirroring guide, \"Traffic mirror sessions\"", "2026");
    /// The VNI is out of range, or (a warning) two sessions have the same one, so that a receiver cannot tell
    /// them apart by it. Leave `vni` out and AWS gives each its own.
    Error VNI = "MP1014", "VNI shared or out of range" by Lint
    "A VNI has 24 bits. That AWS takes one twice is an inference."
    ("EC2 API reference, `CreateTrafficMirrorSession`", "2026");
    /// AWS mirrors only instances of certain types, and any type can be a target. `mirror instance-types` prints
    /// the table. AWS adds types and has no call that tells them, so of a type that the table does not know this is
    /// a warning.
    Error SOURCE_TYPE = "MP1015", "instance type cannot be mirrored" by Lint
    "T2 and older families, and families newer than the list, are not among the supported types; bare metal is only of some families."
    ("Traffic Mirroring guide, \"Supported instance types\"", "28 August 2025");
    /// An interface is both mirrored and the target of mirroring, or one load balancer or interface is in
    /// two mirror targets.
    Error ALREADY_IN_USE = "MP1016", "interface or load balancer in use" by Lint
    "AWS refuses either (`InterfaceInUseByTrafficMirrorTarget`, `InterfaceInUseByTrafficMirrorSession`, `NlbInUseByTrafficMirrorTargetException`)."
    ("EC2 API reference, \"Error codes\"", "2026");
    /// An instance gets a public address, but its subnet has no route to an internet gateway that is attached
    /// to its VPC, so the address is of no use.
    Error NO_INTERNET_ROUTE = "MP1017", "public address without a way to the internet" by Lint
    "A VPC that is made has no internet gateway, and its route tables lead nowhere else."
    ("VPC user guide, \"Internet gateways\"", "2023");
    /// Without `cross_zone` a load balancer has a subnet in a zone without a receiver, whose node can send to
    /// nobody, or a receiver stands in a zone in which it has no subnet, and gets nothing. Or it is in one zone only
    /// and sources are in others: they are mirrored no more when that zone fails, and all that they send crosses
    /// zones, which is paid for. Only zones that are known count: where the stack file leaves `availability_zone`
    /// out, AWS chooses one.
    Warning ZONE_LEFT_OUT = "MP1018", "zone left out" by Lint
    "Without cross-zone load balancing a node sends to the targets of its own zone only, and a target in a zone that is not enabled for the load balancer is not used (`Target.NotInUse`). AWS advises two zones, targets in each, and cross-zone on."
    ("Traffic Mirroring guide, \"Network Load Balancer\"; Network Load Balancer guide, \"Cross-zone load balancing\"; ELBv2 API reference, `TargetHealth`", "2026");
    /// Things stand in two VPCs that AWS takes only in one: an instance and its security groups, a route table and its
    /// subnets, a target group and its targets, a load balancer and its subnets and target groups. A rule can name a
    /// security group of a VPC with which its own is connected.
    Error IN_OTHER_VPC = "MP1019", "in different VPCs" by Lint
    "AWS refuses the call that would bring them together (`InvalidParameter`, `InvalidTarget`, `InvalidConfigurationRequest`). Behind a UDP listener the address of the source is always kept, and targets must then be in the VPC of the load balancer."
    ("EC2 API reference, \"Error codes\"; ELBv2 API reference, `RegisterTargets` and `CreateListener`; Network Load Balancer guide, \"Client IP preservation\"", "2026");
    /// The source is in another VPC than the target, and its subnet has no route there.
    Error NO_ROUTE_TO_TARGET = "MP1020", "no route from source to target" by Lint
    "Mirrored packets follow the routes of the source's subnet; to another VPC they need a peering or a transit gateway."
    ("Traffic Mirroring guide, \"Traffic mirror target concepts\"", "2026");
    /// The packet length is more than the way to the target carries, so the longest packets are cut short. Where no
    /// packet length is given, a stack file does not say how long the packets of a source are: with an MTU of up to
    /// 8446 none is cut on any way, up to 8486 none behind a load balancer, up to 8947 none at an interface.
    Warning PATH_TOO_NARROW = "MP1021", "packet length beyond the MTU of the path" by Lint
    "A Gateway Load Balancer endpoint and a transit gateway carry 8500 bytes, of which the encapsulation takes 54 (AWS's figure for IPv4): the packet may have 8446, with its Ethernet header 8460. Behind a load balancer 8500 bytes of a frame are mirrored, and an interface takes packets of 8947 bytes."
    ("Traffic Mirroring guide, \"Quotas\" and \"Considerations\"; VPC user guide, \"Network MTU\"", "2026");
    /// Sessions with lower numbers on the same interface take every packet that this one would. This is worked
    /// out exactly; that a rejected packet falls through to the next session is our reading of the guide.
    Warning SESSION_GETS_NOTHING = "MP1023", "session gets no packet" by Lint
    "Each packet is mirrored once, by the first session whose filter takes it, in the order of their numbers."
    ("Traffic Mirroring guide, \"Traffic mirror sessions\"", "2026");
    /// A rule accepts port 53, but traffic with Amazon's DNS server is mirrored by no rule. Say
    /// `amazon_dns = true` if that is what is meant.
    Warning DNS_NOT_MIRRORED = "MP1024", "Amazon's DNS is not mirrored" by Lint
    "Traffic with the DNS server of the VPC is mirrored only where the filter has the network service `amazon-dns`."
    ("Traffic Mirroring guide, \"Traffic mirror filters\"", "2026");
    /// A network ACL refuses mirrored packets: as they leave the subnet of the source, as they come to that of the target, or
    /// on the way from a load balancer to a receiver. Or it refuses a health check of the load balancer, or the answer to
    /// it, so that the receiver counts as ill. A stack file has no network ACLs: a plan finds it, of subnets that are there
    /// or that are made in a VPC of others, and `mirror validate` does not. It is told where all packets of a kind are refused.
    /// Allow them by a rule with a lower number than the one that is named, or give the subnet another network ACL.
    Warning NETWORK_ACL_SHUT = "MP1026", "network ACL shuts mirrored packets out" by Lint
    "The rule of a network ACL with the lowest number that matches decides, what no rule allows is refused, and nothing is remembered: answers need a rule as well. Health checks are answered to ports 1024 to 65535. Whether the network ACL of the source's subnet sees mirrored packets on their way out AWS does not say."
    ("VPC user guide, \"Network ACL rules\" and \"Ephemeral ports\"; Traffic Mirroring guide, \"Traffic mirror target concepts\"", "2026");
    /// A load balancer that AWS does not make: a subnet has too few free addresses, it faces the internet in a VPC without
    /// an internet gateway, or its name is longer than 32 characters, begins with `internal-`, or has others in it than
    /// letters, digits and `-` in between.
    Error LOAD_BALANCER_REFUSED = "MP1028", "load balancer that AWS refuses" by Lint
    "A load balancer wants 8 free addresses in each subnet, and AWS keeps five of every subnet for itself. One that faces the internet wants an internet gateway in its VPC (`InvalidSubnet`). Its name has up to 32 letters, digits and hyphens, none at either end, and does not begin with `internal-`."
    ("Network Load Balancer guide, \"Availability Zones\"; VPC user guide, \"Subnet CIDR blocks\"; ELBv2 API reference, `CreateLoadBalancer`", "2026");
    /// A receiver is mirrored itself, and the filter takes the mirrored packets that come to it, so they
    /// are mirrored again. Reject UDP 4789 first.
    Warning MIRRORS_THE_MIRROR = "MP1029", "the mirror is mirrored" by Lint
    "Mirrored packets arrive at a receiver as UDP like any other, and a filter sees them."
    ("an inference from the wire format", "2026");
    /// A mirror target that is said to be an instance. Write `network_interface = instance.NAME`, which stands for
    /// the primary interface of the instance.
    Error TARGET_IS_AN_INSTANCE = "MP1031", "an instance as mirror target" by Reading
    "A target is a network interface, a Network Load Balancer or a Gateway Load Balancer endpoint."
    ("EC2 API reference, `CreateTrafficMirrorTarget`", "2026");
    /// A subnet is not in the range of its VPC, two subnets of a VPC have addresses in common, or two VPCs that are
    /// to be peered. Or a route leads out of a VPC what is in it.
    Error RANGES_CLASH = "MP1032", "ranges that clash" by Lint
    "AWS refuses the second subnet (`InvalidSubnet.Range`, `InvalidSubnet.Conflict`) and such a route (`RouteAlreadyExists`, `InvalidParameterValue`), and a peering connection of VPCs with addresses in common fails, half-way through an apply."
    ("EC2 API reference, \"Error codes\", `CreateRoute` and `CreateVpcPeeringConnection`", "2026");
    /// Two load balancers of whatever type, or two target groups, have the same name, or somebody else has it already.
    /// Where no `name` is given, it is made of the names of the stack and the block.
    Error NAME_TAKEN = "MP1033", "name taken" by Lint
    "The name of a load balancer, and that of a target group, is unique in an account and Region (`DuplicateLoadBalancerName`, `DuplicateTargetGroupName`)."
    ("ELBv2 API reference, `CreateLoadBalancer` and `CreateTargetGroup`", "2026");
    /// More of something than an account has by default. Such a quota can be raised; if it was, accept this with
    /// `allow`.
    Warning DEFAULT_QUOTA = "MP1034", "more than AWS takes by default" by Lint
    "By default AWS takes 60 rules in each direction of a security group, 5 security groups on an interface, 50 routes in a table, 200 subnets in a VPC, 5 VPCs and 5 internet gateways in a Region, 50 listeners on a load balancer, and 500 targets in a target group with a load balancer."
    ("VPC user guide, \"Quotas\"; Network Load Balancer guide, \"Quotas\"", "2023");
    /// The target group behind the load balancer of a mirror target has no targets, so nobody gets the packets.
    Warning NO_RECEIVER = "MP1035", "nobody behind the load balancer" by Lint
    "A load balancer sends to the targets that are registered with the target group of the listener; where there is none, packets are dropped."
    ("Network Load Balancer guide, \"Target groups\"", "2026");
    /// A Gateway Load Balancer endpoint stands in a zone in which no load balancer of its service has a subnet.
    Error ENDPOINT_ZONE = "MP1036", "endpoint in a zone without its load balancer" by Lint
    "An endpoint sends to the node of a load balancer in its own zone, and AWS refuses one in a zone that the service does not have (`InvalidParameter`)."
    ("AWS PrivateLink guide, \"Access virtual appliances\"; Gateway Load Balancer guide, \"Gateway Load Balancer overview\"", "2026");
    /// A mirror target is a network interface, and something is mirrored to it from another Availability Zone. Only
    /// zones that are known count. Sessions over sources can have a target for each zone.
    Warning TARGET_IN_OTHER_ZONE = "MP1037", "target in another zone" by Lint
    "What crosses from one Availability Zone to another is paid for in both directions, and an interface stands in one zone: when that fails, nothing is mirrored."
    ("Amazon EC2 on-demand pricing, \"Data transfer\"", "2026");
    /// A load balancer, or the attachment of a VPC to a transit gateway, has two subnets in one Availability Zone. Zones that
    /// the stack file gives count, and those of subnets that are there.
    Error ZONE_TWICE = "MP1038", "two subnets in one zone" by Lint
    "A load balancer has one subnet in each of its Availability Zones, and so has an attachment; AWS refuses a second (`InvalidConfigurationRequest`, `DuplicateSubnetsInSameZone`)."
    ("ELBv2 API reference, `CreateLoadBalancer`; EC2 API reference, \"Error codes\"", "2026");
    /// Something of others that a block names by its id or its name is not there: an image, a key pair, a VPC, a subnet, an
    /// internet gateway, a VPC peering connection, a transit gateway, an endpoint of a Gateway Load Balancer, a security group,
    /// a mirror filter, or a network interface where no more than 200 are named. It is of another Region or account, or was
    /// removed. It is looked for where the resource is yet to be made or gets another one. NAT gateways, gateways of VPNs and
    /// local gateways, to which a route may lead, are not looked for.
    Error NOT_THERE = "MP1039", "named, and not there" by Lint
    "The call that names it is refused (`InvalidAMIID.NotFound`, `InvalidKeyPair.NotFound`, `InvalidVpcID.NotFound` and their like) when the rest is made already, and the instances of a group do not start. A replacement fails when the instance that it replaces has gone."
    ("EC2 API reference, \"Error codes\"", "2026");
    /// A second object has what AWS lets one have: the internet gateway of a VPC, the route table of a subnet, the load
    /// balancer in front of a target group, the connection of two VPCs, an address of a subnet. Such a call is refused when
    /// the rest is made already.
    Error SECOND = "MP1040", "one too many" by Lint
    "A VPC has one internet gateway, a subnet one route table, a target group one load balancer, a Gateway Load Balancer one endpoint service, and between two VPCs there is one connection at a time (`Resource.AlreadyAssociated`, `TargetGroupAssociationLimit`, `InvalidIPAddress.InUse`)."
    ("VPC user guide, \"Internet gateways\" and \"Route tables\"; Network Load Balancer guide, \"Target groups\"; VPC peering guide, \"VPC peering limitations\"; EC2 API reference, \"Error codes\"", "2026");
    /// A plan removes something of the stack, and others have something in it or use it: an instance, an interface or a load
    /// balancer in a subnet or a security group, something in a VPC, a rule that names a security group, a mirror session with
    /// a filter or a target. So it is of an instance of the stack's own Auto Scaling group in a security group that the launch
    /// template does not name any more. It is looked for before the first call, also of a destroy. What AWS itself manages, such
    /// as the interface of a NAT gateway, is not looked for: an apply waits until it has gone, and names it if it does not.
    Error OCCUPIED = "MP1041", "others are in what goes" by Removal
    "AWS removes no VPC, subnet, security group or internet gateway while something needs it (`DependencyViolation`), and no mirror filter or target of a session (`TrafficMirrorFilterInUse`, `TrafficMirrorTargetInUse`); it says so when the rest has gone."
    ("EC2 API reference, `DeleteVpc`, `DeleteSubnet`, `DeleteSecurityGroup`, `DetachInternetGateway`, and \"Error codes\"", "2026");
}
