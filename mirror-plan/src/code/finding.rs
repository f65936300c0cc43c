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
    "AWS accepts a load balancer without such a listener as a target, and every mirrored packet is lost without an error."
    ("Traffic Mirroring guide, \"Traffic mirror targets\"", "2026");
    /// A listener forwards to a target group whose protocol does not match its own: UDP goes to `udp` or
    /// `tcp_udp`, TCP to `tcp` or `tcp_udp`, TLS to `tls` or `tcp`, `tcp_udp` to `tcp_udp` only.
    Error LISTENER_PROTOCOL = "MP1002", "listener and target group do not match" by Lint
    "AWS refuses the listener (`IncompatibleProtocols`), half-way through an apply."
    ("Network Load Balancer guide, \"Target groups\"", "2026");
    /// A health check uses UDP or TLS. Use a protocol that gets an answer: `tcp`, `http` or `https`.
    Error HEALTH_CHECK_PROTOCOL = "MP1003", "health check over UDP or TLS" by Reading
    "A Network Load Balancer checks health over TCP, HTTP or HTTPS only."
    ("Network Load Balancer guide, \"Health checks for your target groups\"", "2026");
    /// The health check asks the receivers over TCP on the port on which they receive VXLAN. Unless something
    /// answers TCP there, every receiver counts as unhealthy. Name a port that answers:
    /// `health_check = { port = 80 }`.
    Warning HEALTH_CHECK_ON_VXLAN_PORT = "MP1004", "health check on the VXLAN port" by Lint
    "By default a health check uses TCP on `traffic-port`, and VXLAN is UDP."
    ("ELBv2 API reference, `CreateTargetGroup`", "2026");
    /// No rule of the receiver's security groups admits the health check of the load balancer, so the receiver
    /// counts as unhealthy.
    Error HEALTH_CHECK_SHUT_OUT = "MP1005", "health check is blocked" by Lint
    "Health checks come from the private addresses of the load balancer, in its subnets, or from its security groups if it has any."
    ("Network Load Balancer guide, \"Target security groups\"", "2026");
    /// No rule of the receiver's security groups admits mirrored packets (UDP, on the port on which it receives
    /// them) from the source. Blocked packets are lost without an error.
    Error RECEIVER_SHUT_OUT = "MP1006", "mirrored packets are blocked" by Lint
    "The security groups of a target must admit UDP 4789. A load balancer keeps the source address, so a rule for the addresses of the load balancer is not enough."
    ("Traffic Mirroring guide, \"Security groups\"; Network Load Balancer guide, \"Client IP preservation\"", "2026");
    /// The load balancer has security groups that do not let UDP 4789 in from the source, or do not let it or
    /// the health checks out to the receivers.
    Error LOAD_BALANCER_SHUT = "MP1007", "load balancer blocks mirrored packets" by Lint
    "A load balancer with security groups lets in and out only what they admit, health checks included; one without any lets everything through."
    ("Network Load Balancer guide, \"Security groups\"", "2026");
    /// A session uses a filter that mirrors nothing at all, or (a warning) nothing in one direction. A rule is
    /// for one direction unless its `direction` is left out.
    Error FILTER_MIRRORS_NOTHING = "MP1008", "filter mirrors nothing" by Lint
    "A filter mirrors what its rules accept, in each direction; a new filter has no rules and mirrors nothing."
    ("Traffic Mirroring guide, \"Traffic mirror filters\"", "2026");
    /// Earlier rules of the filter match every packet that this rule matches, so it never decides anything.
    /// This is worked out exactly.
    Warning RULE_WITHOUT_EFFECT = "MP1009", "filter rule without effect" by Lint
    "The rule with the lowest number is tried first, and the first that matches decides."
    ("Traffic Mirroring guide, \"Traffic mirror filter rules\"", "2026");
    /// A filter rule that AWS does not accept: addresses of two families, ports without TCP or UDP, a range of
    /// ports that ends before it begins, or the number of another rule of its direction.
    Error FILTER_RULE = "MP1010", "filter rule that AWS refuses" by Reading
    "Both ranges of a rule must be of the same address family, ports are for TCP and UDP only, from 0 to 65535, and a number is unique in its direction."
    ("Traffic Mirroring guide, \"Traffic mirror filter rules\"; EC2 API reference, \"Error codes\"", "2026");
    /// The stack has more of something than AWS allows, and none of these quotas can be raised. AWS does not
    /// say whether the 10 rules of a filter are for both directions together; here they are counted together. A
    /// plan also counts what others have. It always counts their sessions on an interface and to a target. It
    /// counts all sessions and targets of the account in the Region if it asks for them in any case, which it
    /// does for objects that already exist, or if the stack creates a hundred or more. It counts all filters if
    /// the stack creates a hundred or more.
    Error QUOTA = "MP1011", "more than AWS allows" by Lint
    "AWS allows 10 rules in a filter, 3 sessions on an interface, 10 sources for a target that is an interface (100 if its instance is of one of the largest sizes), and 10,000 sessions, 10,000 targets and 10,000 filters in an account and Region."
    ("Traffic Mirroring guide, \"Quotas\"", "2026");
    /// Two sessions of one interface have the same number, or a number is out of range. The number decides
    /// which session is tried first.
    Error SESSION_NUMBER = "MP1012", "session number taken or out of range" by Lint
    "A session number is between 1 and 32766, and the sessions of an interface are tried in that order. That AWS refuses equal numbers is an inference."
    ("Traffic Mirroring guide, \"Traffic mirror sessions\"", "2026");
    /// The packet length is more than AWS mirrors, or (a warning) so small that only headers are mirrored. Leave
    /// it out to mirror whole packets.
    Error PACKET_LENGTH = "MP1013", "packet length out of range" by Lint
    "A packet length is between 1 and 8500 bytes and includes the Ethernet header: with it, IPv4 headers take 34 bytes, IPv6 headers 54. If it is left out, whole packets are mirrored, behind a load balancer 8500 bytes."
    ("EC2 API reference, `CreateTrafficMirrorSession`; Traffic Mirroring guide, \"Traffic mirror sessions\"", "2026");
    /// The VNI is out of range, or (a warning) two sessions have the same VNI, so that a receiver cannot tell
    /// them apart by it. Leave `vni` out, and AWS gives each session its own.
    Error VNI = "MP1014", "VNI shared or out of range" by Lint
    "A VNI has 24 bits. That AWS accepts the same VNI twice is an inference."
    ("EC2 API reference, `CreateTrafficMirrorSession`", "2026");
    /// AWS mirrors only instances of certain types, but any type can be a target. `mirror instance-types`
    /// prints the table. AWS adds types and has no call that lists them, so a type that the table does not know
    /// is a warning.
    Error SOURCE_TYPE = "MP1015", "instance type cannot be mirrored" by Lint
    "T2 and older families, and families newer than the list, are not among the supported types; bare metal is supported for some families only."
    ("Traffic Mirroring guide, \"Supported instance types\"", "28 August 2025");
    /// An interface is both mirrored and the target of mirroring, or two mirror targets have the same load
    /// balancer or interface.
    Error ALREADY_IN_USE = "MP1016", "interface or load balancer in use" by Lint
    "AWS refuses both (`InterfaceInUseByTrafficMirrorTarget`, `InterfaceInUseByTrafficMirrorSession`, `NlbInUseByTrafficMirrorTargetException`)."
    ("EC2 API reference, \"Error codes\"", "2026");
    /// An instance gets a public address, but its subnet has no route to an internet gateway that is attached
    /// to its VPC, so the address is useless.
    Error NO_INTERNET_ROUTE = "MP1017", "public address without a route to the internet" by Lint
    "A new VPC has no internet gateway, and its route tables lead nowhere outside it."
    ("VPC user guide, \"Internet gateways\"", "2023");
    /// Without `cross_zone`, a load balancer has a subnet in a zone without a receiver, so that its node there
    /// can send to nobody, or a receiver is in a zone where the load balancer has no subnet, and gets nothing.
    /// Or the load balancer is in one zone only and sources are in others: they are no longer mirrored when
    /// that zone fails, and everything that they send crosses zones, which is charged. Only known zones count:
    /// where the stack file leaves `availability_zone` out, AWS chooses one.
    Warning ZONE_LEFT_OUT = "MP1018", "zone left out" by Lint
    "Without cross-zone load balancing, a node sends only to the targets in its own zone, and a target in a zone that is not enabled for the load balancer is not used (`Target.NotInUse`). AWS advises two zones, targets in each, and cross-zone on."
    ("Traffic Mirroring guide, \"Network Load Balancer\"; Network Load Balancer guide, \"Cross-zone load balancing\"; ELBv2 API reference, `TargetHealth`", "2026");
    /// Two things are in different VPCs, and AWS accepts them only in the same one: an instance and its
    /// security groups, a route table and its subnets, a target group and its targets, a load balancer and its
    /// subnets and target groups. A rule can name a security group of a VPC that is connected to the VPC of its
    /// own group.
    Error IN_OTHER_VPC = "MP1019", "in different VPCs" by Lint
    "AWS refuses the call that would bring them together (`InvalidParameter`, `InvalidTarget`, `InvalidConfigurationRequest`). Behind a UDP listener the source address is always kept, and targets must then be in the VPC of the load balancer."
    ("EC2 API reference, \"Error codes\"; ELBv2 API reference, `RegisterTargets` and `CreateListener`; Network Load Balancer guide, \"Client IP preservation\"", "2026");
    /// The source is in another VPC than the target, and the subnet of the source has no route to it.
    Error NO_ROUTE_TO_TARGET = "MP1020", "no route from source to target" by Lint
    "Mirrored packets follow the routes of the source's subnet; to another VPC they need a peering connection or a transit gateway."
    ("Traffic Mirroring guide, \"Traffic mirror target concepts\"", "2026");
    /// The packet length is more than the path to the target carries, so the longest packets are truncated.
    /// Where no packet length is given, a stack file does not say how long the packets of a source are: with an
    /// MTU of up to 8446 none is truncated on any path, up to 8486 none behind a load balancer, up to 8947 none
    /// at an interface.
    Warning PATH_TOO_NARROW = "MP1021", "packet length beyond the MTU of the path" by Lint
    "A Gateway Load Balancer endpoint and a transit gateway carry 8500 bytes, of which the encapsulation takes 54 (AWS's figure for IPv4): the packet may have 8446 bytes, or 8460 with its Ethernet header. Behind a load balancer, 8500 bytes of a frame are mirrored, and an interface accepts packets of 8947 bytes."
    ("Traffic Mirroring guide, \"Quotas\" and \"Considerations\"; VPC user guide, \"Network MTU\"", "2026");
    /// Sessions with lower numbers on the same interface take every packet that this session would take. This
    /// is worked out exactly; that a rejected packet falls through to the next session is our reading of the
    /// guide.
    Warning SESSION_GETS_NOTHING = "MP1023", "session gets no packets" by Lint
    "Each packet is mirrored once, by the first session whose filter accepts it, in the order of the session numbers."
    ("Traffic Mirroring guide, \"Traffic mirror sessions\"", "2026");
    /// A rule accepts port 53, but no rule mirrors traffic with Amazon's DNS server. Set `amazon_dns = true` if
    /// you want that traffic.
    Warning DNS_NOT_MIRRORED = "MP1024", "Amazon's DNS is not mirrored" by Lint
    "Traffic with the DNS server of the VPC is mirrored only where the filter has the network service `amazon-dns`."
    ("Traffic Mirroring guide, \"Traffic mirror filters\"", "2026");
    /// A network ACL refuses mirrored packets: as they leave the source's subnet, as they enter the target's
    /// subnet, or on the way from a load balancer to a receiver. Or it refuses a health check of the load
    /// balancer, or the answer to it, so that the receiver counts as unhealthy. A stack file has no network
    /// ACLs, so `mirror validate` does not find this. A plan does, for subnets that exist or that are created
    /// in a VPC that is not of the stack. It is reported where all packets of a kind are refused. Allow them by
    /// a rule with a lower number than the rule that is named, or give the subnet another network ACL.
    Warning NETWORK_ACL_SHUT = "MP1026", "network ACL blocks mirrored packets" by Lint
    "In a network ACL, the matching rule with the lowest number decides, and what no rule allows is refused. It keeps no state: answers need a rule as well. Health checks are answered to ports 1024 to 65535. AWS does not say whether the network ACL of the source's subnet sees mirrored packets on their way out."
    ("VPC user guide, \"Network ACL rules\" and \"Ephemeral ports\"; Traffic Mirroring guide, \"Traffic mirror target concepts\"", "2026");
    /// AWS refuses to create the load balancer: a subnet has too few free addresses, the load balancer faces
    /// the internet in a VPC without an internet gateway, or its name is longer than 32 characters, begins with
    /// `internal-`, or is not made of letters, digits and, between them, `-`.
    Error LOAD_BALANCER_REFUSED = "MP1028", "load balancer that AWS refuses" by Lint
    "A load balancer needs 8 free addresses in each subnet, and AWS keeps five of every subnet for itself. One that faces the internet needs an internet gateway in its VPC (`InvalidSubnet`). Its name has up to 32 letters, digits and hyphens, no hyphen at either end, and does not begin with `internal-`."
    ("Network Load Balancer guide, \"Availability Zones\"; VPC user guide, \"Subnet CIDR blocks\"; ELBv2 API reference, `CreateLoadBalancer`", "2026");
    /// A receiver is mirrored itself, and the filter accepts the mirrored packets that arrive at it, so they
    /// are mirrored again. Reject UDP 4789 first.
    Warning MIRRORS_THE_MIRROR = "MP1029", "the mirror is mirrored" by Lint
    "Mirrored packets arrive at a receiver as UDP like any other, and a filter sees them."
    ("an inference from the wire format", "2026");
    /// A mirror target is given as an instance. Write `network_interface = instance.NAME`, which stands for the
    /// primary interface of the instance.
    Error TARGET_IS_AN_INSTANCE = "MP1031", "an instance as mirror target" by Reading
    "A target is a network interface, a Network Load Balancer or a Gateway Load Balancer endpoint."
    ("EC2 API reference, `CreateTrafficMirrorTarget`", "2026");
    /// A subnet is not in the range of its VPC, or two subnets of a VPC, or two VPCs that are to be peered,
    /// have addresses in common. Or a route leads addresses out of the VPC that they are in.
    Error RANGES_CLASH = "MP1032", "ranges that clash" by Lint
    "AWS refuses the second subnet (`InvalidSubnet.Range`, `InvalidSubnet.Conflict`) and such a route (`RouteAlreadyExists`, `InvalidParameterValue`), and a peering connection between VPCs with addresses in common fails, half-way through an apply."
    ("EC2 API reference, \"Error codes\", `CreateRoute` and `CreateVpcPeeringConnection`", "2026");
    /// Two load balancers of any type, target groups, launch templates or Auto Scaling groups have the same
    /// name, or the name of a load balancer or target group is already taken by somebody else. If no `name` is given, it is made of the names of the stack and the block.
    Error NAME_TAKEN = "MP1033", "name taken" by Lint
    "The name of a load balancer, and that of a target group, is unique in an account and Region (`DuplicateLoadBalancerName`, `DuplicateTargetGroupName`)."
    ("ELBv2 API reference, `CreateLoadBalancer` and `CreateTargetGroup`", "2026");
    /// The stack has more of something than AWS allows an account by default. Such a quota can be raised; if
    /// yours was, accept this with `allow`.
    Warning DEFAULT_QUOTA = "MP1034", "more than AWS allows by default" by Lint
    "By default AWS allows 60 rules in each direction of a security group, 5 security groups on an interface, 50 routes in a table, 200 subnets in a VPC, 5 VPCs and 5 internet gateways in a Region, 50 listeners on a load balancer, and 500 targets in a target group with a load balancer."
    ("VPC user guide, \"Quotas\"; Network Load Balancer guide, \"Quotas\"", "2023");
    /// The target group behind the load balancer of a mirror target has no targets, so no receiver gets the
    /// packets.
    Warning NO_RECEIVER = "MP1035", "no target behind the load balancer" by Lint
    "A load balancer sends to the targets that are registered with the target group of the listener; if there are none, packets are dropped."
    ("Network Load Balancer guide, \"Target groups\"", "2026");
    /// A Gateway Load Balancer endpoint is in a zone in which no load balancer of its service has a subnet.
    Error ENDPOINT_ZONE = "MP1036", "endpoint in a zone without its load balancer" by Lint
    "An endpoint sends to the node of a load balancer in its own zone, and AWS refuses an endpoint in a zone that the service does not have (`InvalidParameter`)."
    ("AWS PrivateLink guide, \"Access virtual appliances\"; Gateway Load Balancer guide, \"Gateway Load Balancer overview\"", "2026");
    /// A mirror target is a network interface, and something in another Availability Zone is mirrored to it.
    /// Only known zones count. Sessions over sources can have a target for each zone.
    Warning TARGET_IN_OTHER_ZONE = "MP1037", "target in another zone" by Lint
    "Traffic from one Availability Zone to another is charged in both directions, and an interface is in one zone: when that zone fails, nothing is mirrored."
    ("Amazon EC2 on-demand pricing, \"Data transfer\"", "2026");
    /// A load balancer, or the attachment of a VPC to a transit gateway, has two subnets in one Availability
    /// Zone. Zones that the stack file gives count, and so do those of existing subnets.
    Error ZONE_TWICE = "MP1038", "two subnets in one zone" by Lint
    "A load balancer or an attachment has one subnet in each of its Availability Zones; AWS refuses a second (`InvalidConfigurationRequest`, `DuplicateSubnetsInSameZone`)."
    ("ELBv2 API reference, `CreateLoadBalancer`; EC2 API reference, \"Error codes\"", "2026");
    /// A block names, by its id or its name, something outside the stack that does not exist: an image, a key
    /// pair, a VPC, a subnet, an internet gateway, a VPC peering connection, a transit gateway, an endpoint of
    /// a Gateway Load Balancer, a security group, a mirror filter, or a network interface if no more than 200
    /// are named. It is in another Region or account, or was deleted. It is looked up if the resource does not
    /// exist yet or is to name another one than before. NAT gateways, VPN gateways and local gateways, to which
    /// a route may lead, are not looked up.
    Error NOT_THERE = "MP1039", "named object does not exist" by Lint
    "AWS refuses the call that names it (`InvalidAMIID.NotFound`, `InvalidKeyPair.NotFound`, `InvalidVpcID.NotFound` and the like) when the rest has already been created, and the instances of a group do not start. A replacement fails when the instance that it replaces has already been deleted."
    ("EC2 API reference, \"Error codes\"", "2026");
    /// A second object has what AWS lets only one have: the internet gateway of a VPC, its attachment to a
    /// transit gateway, the name of one of its security groups, the route table of a subnet, the load balancer
    /// in front of a target group, the service of a Gateway Load Balancer, the connection of two VPCs, an
    /// address of a subnet. AWS refuses such a call when the rest has already been created.
    Error SECOND = "MP1040", "one too many" by Lint
    "A VPC has one internet gateway, a subnet one route table, a target group one load balancer, a Gateway Load Balancer one endpoint service, and between two VPCs there is one connection at a time (`Resource.AlreadyAssociated`, `TargetGroupAssociationLimit`, `InvalidIPAddress.InUse`)."
    ("VPC user guide, \"Internet gateways\" and \"Route tables\"; Network Load Balancer guide, \"Target groups\"; VPC peering guide, \"VPC peering limitations\"; EC2 API reference, \"Error codes\"", "2026");
    /// A plan removes something of the stack, and others have something in it or use it: an instance, an
    /// interface or a load balancer in a subnet or a security group, something in a VPC, a rule that names a
    /// security group, a mirror session with a filter or a target, a public address behind an internet gateway.
    /// The same is reported for an instance of the
    /// stack's own Auto Scaling group in a security group that the launch template no longer names. The check
    /// runs before the first call, also for a destroy. What AWS itself manages, such as the interface of a NAT
    /// gateway, is not checked: an apply waits until it is gone, and names it if it stays.
    Error OCCUPIED = "MP1041", "others use what is to be removed" by Removal
    "AWS does not delete a VPC, subnet, security group or internet gateway while something needs it (`DependencyViolation`), or a mirror filter or target that a session uses (`TrafficMirrorFilterInUse`, `TrafficMirrorTargetInUse`). It says so only when the rest has been deleted."
    ("EC2 API reference, `DeleteVpc`, `DeleteSubnet`, `DeleteSecurityGroup`, `DetachInternetGateway`, and \"Error codes\"", "2026");
}
