"""VPCs, subnets, routes and internet gateways."""

from client import check, tags


def vpcs_and_subnets(cloud):
    ec2 = cloud.ec2
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16", TagSpecifications=tags("vpc", Name="a"))["Vpc"]
    vpc_id = vpc["VpcId"]
    vpc_state = lambda: ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"][0]["State"]
    cloud.until(lambda: vpc_state() == "available", f"{vpc_id} is to be available")
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc_id, **{attribute: {"Value": True}})
        name = attribute[0].lower() + attribute[1:]
        told = ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=name)
        check(told[attribute]["Value"], told)
    cloud.refused("DryRunOperation", ec2.create_vpc, CidrBlock="10.9.0.0/16", DryRun=True)
    cloud.refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=["vpc-0123456789abcdef0"])
    more = ec2.associate_vpc_cidr_block(VpcId=vpc_id, CidrBlock="10.2.0.0/16")
    ec2.disassociate_vpc_cidr_block(AssociationId=more["CidrBlockAssociation"]["AssociationId"])
    subnet = ec2.create_subnet(
        VpcId=vpc_id, CidrBlock="10.1.1.0/24", TagSpecifications=tags("subnet", Name="s")
    )["Subnet"]
    subnet_id = subnet["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=subnet_id, MapPublicIpOnLaunch={"Value": True})
    look = lambda: ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"][0]
    cloud.until(lambda: look()["State"] == "available", f"{subnet_id} is to be available")
    told = look()
    check(told["MapPublicIpOnLaunch"] and told["AvailableIpAddressCount"] == 251, told)
    cloud.refused(
        "InvalidSubnet.Conflict", ec2.create_subnet, VpcId=vpc_id, CidrBlock="10.1.1.128/25"
    )
    found(cloud, "describe_vpcs", "Vpcs", "VpcId", {
        "cidr": "10.1.0.0/16", "vpc-id": vpc_id, "tag:Name": "a", "state": "available",
    }, vpc_id)
    found(cloud, "describe_subnets", "Subnets", "SubnetId", {
        "cidr-block": "10.1.1.0/24", "subnet-id": subnet_id, "vpc-id": vpc_id, "tag:Name": "s",
        "availability-zone": subnet["AvailabilityZone"], "state": "available",
    }, subnet_id)
    ec2.create_tags(Resources=[vpc_id, subnet_id], Tags=[{"Key": "k", "Value": "v"}])
    keys = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [vpc_id]}])["Tags"]
    check({t["Key"] for t in keys} == {"Name", "k"}, keys)
    ec2.delete_tags(Resources=[vpc_id, subnet_id], Tags=[{"Key": "k"}])
    cloud.refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc_id)
    ec2.delete_subnet(SubnetId=subnet_id)
    ec2.delete_vpc(VpcId=vpc_id)
    cloud.refused("InvalidVpcID.NotFound", ec2.delete_vpc, VpcId=vpc_id)


def routes_and_gateways(cloud):
    ec2 = cloud.ec2
    vpc_id = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet_id = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    gateways = [ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]]
    ec2.attach_internet_gateway(InternetGatewayId=gateways[0], VpcId=vpc_id)
    found(cloud, "describe_internet_gateways", "InternetGateways", "InternetGatewayId", {
        "attachment.vpc-id": vpc_id, "internet-gateway-id": gateways[0],
    }, gateways[0])
    tables = [
        ec2.create_route_table(VpcId=vpc_id, TagSpecifications=tags("route-table", Name=name))
        ["RouteTable"]["RouteTableId"]
        for name in ("one", "two")
    ]
    route = {"RouteTableId": tables[0], "DestinationCidrBlock": "0.0.0.0/0"}
    ec2.create_route(GatewayId=gateways[0], **route)
    cloud.refused("RouteAlreadyExists", ec2.create_route, GatewayId=gateways[0], **route)
    interface = ec2.create_network_interface(SubnetId=subnet_id)["NetworkInterface"]
    ec2.replace_route(NetworkInterfaceId=interface["NetworkInterfaceId"], **route)
    ec2.replace_route(GatewayId=gateways[0], **route)
    ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    association = ec2.associate_route_table(RouteTableId=tables[0], SubnetId=subnet_id)
    found(cloud, "describe_route_tables", "RouteTables", "RouteTableId", {
        "association.subnet-id": subnet_id, "route.destination-cidr-block": "0.0.0.0/0",
        "route-table-id": tables[0], "tag:Name": "one",
    }, tables[0])
    moved = ec2.replace_route_table_association(
        AssociationId=association["AssociationId"], RouteTableId=tables[1]
    )
    cloud.refused("DependencyViolation", ec2.delete_route_table, RouteTableId=tables[1])
    ec2.disassociate_route_table(AssociationId=moved["NewAssociationId"])
    ec2.delete_route(**route)
    cloud.refused("InvalidRoute.NotFound", ec2.delete_route, **route)
    for table in tables:
        ec2.delete_route_table(RouteTableId=table)
    ec2.detach_internet_gateway(InternetGatewayId=gateways[0], VpcId=vpc_id)
    ec2.delete_internet_gateway(InternetGatewayId=gateways[0])
    ec2.delete_subnet(SubnetId=subnet_id)
    ec2.delete_vpc(VpcId=vpc_id)


def network_acls(cloud):
    ec2 = cloud.ec2
    vpc_id = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet_id = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    of_subnet = [{"Name": "association.subnet-id", "Values": [subnet_id]}]

    def serving():
        """Returns the ACL of the subnet and its association."""
        [acl] = ec2.describe_network_acls(Filters=of_subnet)["NetworkAcls"]
        [own] = [it for it in acl["Associations"] if it["SubnetId"] == subnet_id]
        return acl, own["NetworkAclAssociationId"]

    default, association = serving()
    check(default["IsDefault"] and default["VpcId"] == vpc_id, default)
    numbers = [(it["Egress"], it["RuleNumber"], it["RuleAction"]) for it in default["Entries"]]
    wanted = [(way, *rule) for way in (True, False) for rule in ((100, "allow"), (32767, "deny"))]
    check(numbers == wanted, numbers)
    asked = {"VpcId": vpc_id, "TagSpecifications": tags("network-acl", Name="shut")}
    cloud.refused("DryRunOperation", ec2.create_network_acl, DryRun=True, **asked)
    made = ec2.create_network_acl(ClientToken="once", **asked)["NetworkAcl"]
    again = ec2.create_network_acl(ClientToken="once", **asked)["NetworkAcl"]
    check(again["NetworkAclId"] == made["NetworkAclId"] and not made["IsDefault"], again)
    which = {"NetworkAclId": made["NetworkAclId"]}
    entry = {**which, "RuleNumber": 10, "Egress": False}
    vxlan = {"Protocol": "17", "RuleAction": "allow", "PortRange": {"From": 4789, "To": 4789}}
    ec2.create_network_acl_entry(**entry, **vxlan, CidrBlock="10.1.0.7/16")
    cloud.refused(
        "NetworkAclEntryAlreadyExists",
        ec2.create_network_acl_entry, **entry, **vxlan, CidrBlock="0.0.0.0/0",
    )
    ec2.create_network_acl_entry(
        **which, RuleNumber=20, Egress=True, Protocol="58", RuleAction="deny",
        Ipv6CidrBlock="2001:db8::/32", IcmpTypeCode={"Type": 128, "Code": -1},
    )
    found(cloud, "describe_network_acls", "NetworkAcls", "NetworkAclId", {
        "entry.cidr": "10.1.0.0/16", "entry.icmp.type": 128, "entry.icmp.code": -1,
        "entry.ipv6-cidr": "2001:db8::/32", "entry.port-range.from": 4789, "entry.protocol": "17",
        "entry.rule-number": 10, "network-acl-id": made["NetworkAclId"], "tag:Name": "shut",
        "vpc-id": vpc_id,
    }, made["NetworkAclId"])
    ping = {"Protocol": "1", "RuleAction": "allow", "IcmpTypeCode": {"Type": 8, "Code": -1}}
    ec2.replace_network_acl_entry(**entry, **ping, CidrBlock="10.0.0.0/8")
    [told] = ec2.describe_network_acls(NetworkAclIds=[made["NetworkAclId"]])["NetworkAcls"]
    [replaced] = [it for it in told["Entries"] if it["RuleNumber"] == 10]
    check(replaced["IcmpTypeCode"] == {"Type": 8, "Code": -1}, replaced)
    check("PortRange" not in replaced and replaced["CidrBlock"] == "10.0.0.0/8", replaced)
    cloud.refused(
        "InvalidParameterValue",
        ec2.create_network_acl_entry,
        **which, RuleNumber=32767, Egress=False, Protocol="-1", RuleAction="allow",
        CidrBlock="0.0.0.0/0",
    )
    moved = ec2.replace_network_acl_association(AssociationId=association, **which)
    check(serving()[1] == moved["NewAssociationId"] != association, moved)
    cloud.refused(
        "InvalidAssociationID.NotFound",
        ec2.replace_network_acl_association, AssociationId=association, **which,
    )
    cloud.refused("DependencyViolation", ec2.delete_network_acl, **which)
    cloud.refused(
        "InvalidParameterValue", ec2.delete_network_acl, NetworkAclId=default["NetworkAclId"]
    )
    ec2.delete_network_acl_entry(**entry)
    cloud.refused("InvalidNetworkAclEntry.NotFound", ec2.delete_network_acl_entry, **entry)
    cloud.refused(
        "InvalidNetworkAclEntry.NotFound",
        ec2.replace_network_acl_entry, **entry, **vxlan, CidrBlock="0.0.0.0/0",
    )
    ec2.delete_subnet(SubnetId=subnet_id)
    cloud.refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc_id)
    ec2.delete_network_acl(**which)
    cloud.refused("InvalidNetworkAclID.NotFound", ec2.delete_network_acl, **which)
    ec2.delete_vpc(VpcId=vpc_id)


def peering(cloud):
    ec2 = cloud.ec2
    vpcs = [ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"] for block in ("10.1.0.0/16", "10.2.0.0/16")]
    asked = ec2.create_vpc_peering_connection(
        VpcId=vpcs[0], PeerVpcId=vpcs[1],
        TagSpecifications=tags("vpc-peering-connection", Name="over"),
    )["VpcPeeringConnection"]
    peering_id = asked["VpcPeeringConnectionId"]
    which = {"VpcPeeringConnectionId": peering_id}

    def code():
        told = ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[peering_id])
        return told["VpcPeeringConnections"][0]["Status"]["Code"]

    cloud.until(lambda: code() == "pending-acceptance", f"{peering_id} is to be asked for")
    again = ec2.create_vpc_peering_connection(VpcId=vpcs[0], PeerVpcId=vpcs[1])
    check(again["VpcPeeringConnection"]["VpcPeeringConnectionId"] == peering_id, again)
    ec2.accept_vpc_peering_connection(**which)
    cloud.until(lambda: code() == "active", f"{peering_id} is to be active")
    found(cloud, "describe_vpc_peering_connections", "VpcPeeringConnections", "VpcPeeringConnectionId", {
        "accepter-vpc-info.vpc-id": vpcs[1], "requester-vpc-info.vpc-id": vpcs[0],
        "status-code": "active", "tag:Name": "over", "vpc-peering-connection-id": peering_id,
    }, peering_id)
    table = ec2.create_route_table(VpcId=vpcs[0])["RouteTable"]["RouteTableId"]
    route = {"RouteTableId": table, "DestinationCidrBlock": "10.2.0.0/16"}
    ec2.create_route(**route, **which)
    told = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    check(any(r.get("VpcPeeringConnectionId") == peering_id for r in told), told)
    ec2.delete_route_table(RouteTableId=table)
    ec2.delete_vpc_peering_connection(**which)
    cloud.refused("InvalidStateTransition", ec2.delete_vpc_peering_connection, **which)
    for vpc in vpcs:
        ec2.delete_vpc(VpcId=vpc)


def peering_between_accounts(cloud):
    """Asks another account for a connection, which accepts it with the credentials of a role."""
    number = "222233334444"
    assumed = cloud.sts.assume_role(
        RoleArn=f"arn:aws:iam::{number}:role/mirror", RoleSessionName="mirror-lab", ExternalId="lab"
    )
    check(assumed["AssumedRoleUser"]["Arn"].endswith("assumed-role/mirror/mirror-lab"), assumed)
    cloud.refused("ValidationError", cloud.sts.assume_role, RoleArn="mirror", RoleSessionName="lab")
    ours, theirs = cloud.ec2, cloud.of_account(assumed["Credentials"]["AccessKeyId"]).ec2
    own = ours.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    other = theirs.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    asked = ours.create_vpc_peering_connection(
        VpcId=own, PeerVpcId=other, PeerOwnerId=number,
        TagSpecifications=tags("vpc-peering-connection", Name="over"),
    )["VpcPeeringConnection"]
    peering_id = asked["VpcPeeringConnectionId"]
    which = {"VpcPeeringConnectionId": peering_id}

    def told(ec2):
        seen = ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[peering_id])
        return seen["VpcPeeringConnections"][0]

    for status in ("pending-acceptance", "active"):
        reached = lambda: all(told(ec2)["Status"]["Code"] == status for ec2 in (ours, theirs))
        cloud.until(reached, f"{peering_id} is to be {status}")
        if status != "active":
            cloud.refused("OperationNotPermitted", ours.accept_vpc_peering_connection, **which)
            theirs.accept_vpc_peering_connection(**which)
    for ec2, own_tags in ((ours, ["over"]), (theirs, [])):
        seen = told(ec2)
        check(seen["AccepterVpcInfo"]["OwnerId"] == number, seen)
        check(seen["RequesterVpcInfo"]["OwnerId"] == "123456789012", seen)
        check([tag["Value"] for tag in seen["Tags"]] == own_tags, seen)
    theirs.create_tags(Resources=[peering_id], Tags=[{"Key": "Name", "Value": "back"}])
    check(told(theirs)["Tags"] == [{"Key": "Name", "Value": "back"}], told(theirs))
    check(told(ours)["Tags"] == [{"Key": "Name", "Value": "over"}], told(ours))
    cloud.refused("DependencyViolation", theirs.delete_vpc, VpcId=other)
    theirs.delete_vpc_peering_connection(**which)
    cloud.refused("InvalidStateTransition", ours.delete_vpc_peering_connection, **which)
    ours.delete_vpc(VpcId=own)
    theirs.delete_vpc(VpcId=other)


def found(cloud, method, key, name, filters, wanted):
    """Checks that each filter alone, and all together, find the one object."""
    call = getattr(cloud.ec2, method)
    ways = [[(name, value)] for name, value in filters.items()] + [list(filters.items())]
    for way in ways:
        asked = [{"Name": n, "Values": [str(v)]} for n, v in way]
        ids = [item[name] for item in call(Filters=asked)[key]]
        check(wanted in ids, f"{method} {asked}: {ids}")
        none = [{"Name": n, "Values": ["no-such-value"]} for n, _ in way]
        check(call(Filters=none)[key] == [], f"{method} {none}")
    check(ids == [wanted], f"{method} {asked}: {ids}")


def transit(cloud):
    ec2 = cloud.ec2
    gateway = ec2.create_transit_gateway(Description="shared")["TransitGateway"]["TransitGatewayId"]

    def gateway_state():
        told = ec2.describe_transit_gateways(TransitGatewayIds=[gateway])
        return told["TransitGateways"][0]["State"]

    cloud.until(lambda: gateway_state() == "available", f"{gateway} is to be available")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    route = {"RouteTableId": table, "DestinationCidrBlock": "10.2.0.0/16", "TransitGatewayId": gateway}
    cloud.refused("InvalidTransitGatewayID.NotFound", ec2.create_route, **route)
    wanted = {"TransitGatewayId": gateway, "VpcId": vpc, "SubnetIds": [subnet]}
    made = ec2.create_transit_gateway_vpc_attachment(
        **wanted, TagSpecifications=tags("transit-gateway-attachment", Name="on"),
    )["TransitGatewayVpcAttachment"]
    which = {"TransitGatewayAttachmentId": made["TransitGatewayAttachmentId"]}

    def state():
        told = ec2.describe_transit_gateway_vpc_attachments(
            TransitGatewayAttachmentIds=[which["TransitGatewayAttachmentId"]]
        )
        return told["TransitGatewayVpcAttachments"][0]["State"]

    cloud.until(lambda: state() == "available", "the attachment is to be available")
    cloud.refused(
        "DuplicateTransitGatewayAttachment", ec2.create_transit_gateway_vpc_attachment, **wanted
    )
    ec2.create_route(**route)
    told = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    check(any(r.get("TransitGatewayId") == gateway for r in told), told)
    of_gateway = [{"Name": "transit-gateway-id", "Values": [gateway]}]
    told = ec2.describe_transit_gateway_route_tables(Filters=of_gateway)
    [shared] = [it["TransitGatewayRouteTableId"] for it in told["TransitGatewayRouteTables"]]
    propagated = [{"Name": "type", "Values": ["propagated"]}]
    told = ec2.search_transit_gateway_routes(TransitGatewayRouteTableId=shared, Filters=propagated)
    check([it["DestinationCidrBlock"] for it in told["Routes"]] == ["10.1.0.0/16"], told)
    ec2.modify_transit_gateway_vpc_attachment(**which, Options={"ApplianceModeSupport": "enable"})
    cloud.until(lambda: state() == "available", "the attachment is to be available again")
    ec2.delete_route_table(RouteTableId=table)
    cloud.refused("IncorrectState", ec2.delete_transit_gateway, TransitGatewayId=gateway)
    ec2.delete_transit_gateway_vpc_attachment(**which)
    cloud.until(lambda: state() == "deleted", "the attachment is to be gone")
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)
    ec2.delete_transit_gateway(TransitGatewayId=gateway)
