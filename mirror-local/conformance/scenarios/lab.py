"""The whole lab of the guide, made, described, changed and torn down as a user would."""

from client import check, tags
from .balancing import await_active, health, tear_down
from .instances import await_state, launch


def whole_lab(cloud):
    lab = network(cloud)
    lab.update(instances(cloud, lab))
    lab.update(balancer(cloud, lab))
    lab.update(mirror(cloud, lab))
    change(cloud, lab)
    destroy(cloud, lab)
    left = cloud.ec2.describe_tags(Filters=[{"Name": "key", "Values": ["lab"]}])["Tags"]
    kinds = {tag["ResourceType"] for tag in left}
    check(kinds <= {"instance"}, f"the lab left {left}")


def marked(kind):
    return tags(kind, lab="guide")


def network(cloud):
    ec2 = cloud.ec2
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=marked("vpc"))["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnet = lambda cidr: ec2.create_subnet(
        VpcId=vpc, CidrBlock=cidr, TagSpecifications=marked("subnet"))["Subnet"]["SubnetId"]
    source, target = subnet("10.0.1.0/24"), subnet("10.0.2.0/24")
    gateway = ec2.create_internet_gateway(TagSpecifications=marked("internet-gateway"))
    gateway = gateway["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc, TagSpecifications=marked("route-table"))
    table = table["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    associations = [
        ec2.associate_route_table(RouteTableId=table, SubnetId=s)["AssociationId"]
        for s in (source, target)
    ]
    return {"vpc": vpc, "source": source, "target": target, "gateway": gateway, "table": table,
            "associations": associations}


def instances(cloud, lab):
    ec2 = cloud.ec2
    guard = ec2.create_security_group(GroupName="lab", Description="lab", VpcId=lab["vpc"],
                                      TagSpecifications=marked("security-group"))["GroupId"]
    for protocol, port in (("tcp", 22), ("tcp", 80), ("udp", 4789)):
        ec2.authorize_security_group_ingress(
            GroupId=guard, IpProtocol=protocol, FromPort=port, ToPort=port, CidrIp="10.0.0.0/16"
        )
    nic = {"DeviceIndex": 0, "Groups": [guard]}
    watched = launch(cloud, TagSpecifications=marked("instance"), NetworkInterfaces=[
        {**nic, "SubnetId": lab["source"], "AssociatePublicIpAddress": True}])
    check(watched["PublicDnsName"], watched)
    receivers = [
        launch(cloud, TagSpecifications=marked("instance"), NetworkInterfaces=[
            {**nic, "SubnetId": lab["target"]}])["InstanceId"]
        for _ in range(2)
    ]
    return {"guard": guard, "watched": watched, "receivers": receivers}


def balancer(cloud, lab):
    elb = cloud.elb
    group = elb.create_target_group(
        Name="lab", Protocol="UDP", Port=4789, VpcId=lab["vpc"], HealthCheckProtocol="TCP",
        HealthCheckPort="80",
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": i} for i in lab["receivers"]])
    arn = elb.create_load_balancer(Name="lab", Type="network", Scheme="internal",
                                   Subnets=[lab["target"]])["LoadBalancers"][0]["LoadBalancerArn"]
    elb.create_listener(LoadBalancerArn=arn, Protocol="UDP", Port=4789,
                        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])
    await_active(cloud, arn)
    cloud.until(lambda: health(cloud, group)[0] == "healthy", "a target is to be healthy")
    return {"group": group, "balancer": arn}


def mirror(cloud, lab):
    ec2 = cloud.ec2
    target = ec2.create_traffic_mirror_target(
        NetworkLoadBalancerArn=lab["balancer"], TagSpecifications=marked("traffic-mirror-target")
    )["TrafficMirrorTarget"]["TrafficMirrorTargetId"]
    filter_id = ec2.create_traffic_mirror_filter(
        TagSpecifications=marked("traffic-mirror-filter")
    )["TrafficMirrorFilter"]["TrafficMirrorFilterId"]
    for direction in ("ingress", "egress"):
        for number, action, ports in ((10, "reject", (22, 22)), (100, "accept", (0, 65535))):
            ec2.create_traffic_mirror_filter_rule(
                TrafficMirrorFilterId=filter_id, TrafficDirection=direction, RuleNumber=number,
                RuleAction=action, Protocol=6, SourceCidrBlock="0.0.0.0/0",
                DestinationCidrBlock="0.0.0.0/0",
                DestinationPortRange={"FromPort": ports[0], "ToPort": ports[1]},
            )
    session = ec2.create_traffic_mirror_session(
        NetworkInterfaceId=lab["watched"]["NetworkInterfaces"][0]["NetworkInterfaceId"],
        TrafficMirrorTargetId=target, TrafficMirrorFilterId=filter_id, SessionNumber=1,
        TagSpecifications=marked("traffic-mirror-session"),
    )["TrafficMirrorSession"]["TrafficMirrorSessionId"]
    return {"mirror_target": target, "filter": filter_id, "session": session}


def change(cloud, lab):
    """Points the session at another target, as a plan does that replaces one."""
    ec2 = cloud.ec2
    sink = ec2.create_network_interface(SubnetId=lab["target"])["NetworkInterface"]
    sink = sink["NetworkInterfaceId"]
    other = ec2.create_traffic_mirror_target(NetworkInterfaceId=sink)["TrafficMirrorTarget"]
    for target in (other["TrafficMirrorTargetId"], lab["mirror_target"]):
        ec2.modify_traffic_mirror_session(TrafficMirrorSessionId=lab["session"],
                                          TrafficMirrorTargetId=target)
    ec2.delete_traffic_mirror_target(TrafficMirrorTargetId=other["TrafficMirrorTargetId"])
    ec2.delete_network_interface(NetworkInterfaceId=sink)
    filters = ec2.describe_traffic_mirror_filters(TrafficMirrorFilterIds=[lab["filter"]])
    rules = filters["TrafficMirrorFilters"][0]["IngressFilterRules"]
    check([rule["RuleNumber"] for rule in rules] == [10, 100], rules)


def destroy(cloud, lab):
    ec2, elb = cloud.ec2, cloud.elb
    ec2.delete_traffic_mirror_session(TrafficMirrorSessionId=lab["session"])
    ec2.delete_traffic_mirror_target(TrafficMirrorTargetId=lab["mirror_target"])
    ec2.delete_traffic_mirror_filter(TrafficMirrorFilterId=lab["filter"])
    elb.delete_load_balancer(LoadBalancerArn=lab["balancer"])
    elb.delete_target_group(TargetGroupArn=lab["group"])
    cloud.refused("DependencyViolation", ec2.delete_subnet, SubnetId=lab["target"])
    every = [lab["watched"]["InstanceId"], *lab["receivers"]]
    ec2.terminate_instances(InstanceIds=every)
    for instance in every:
        await_state(cloud, instance, "terminated")
    for association in lab["associations"]:
        ec2.disassociate_route_table(AssociationId=association)
    ec2.delete_route_table(RouteTableId=lab["table"])
    ec2.detach_internet_gateway(InternetGatewayId=lab["gateway"], VpcId=lab["vpc"])
    ec2.delete_internet_gateway(InternetGatewayId=lab["gateway"])
    tear_down(cloud, lab["vpc"], [lab["source"], lab["target"]], [lab["guard"]])
