"""Load balancers, target groups, targets and listeners."""

from client import check, tags
from .instances import await_state, launch, network


def load_balancers(cloud):
    elb, ec2 = cloud.elb, cloud.ec2
    vpc_id, subnet_id = network(cloud)
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    taken = ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"][0]["AvailabilityZone"]
    other_zone = next(z["ZoneName"] for z in zones if z["ZoneName"] != taken)
    other = ec2.create_subnet(
        VpcId=vpc_id, CidrBlock="10.1.2.0/24", AvailabilityZone=other_zone
    )["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc_id)["GroupId"]
    asked = {
        "Name": "sensors", "Type": "network", "Scheme": "internal", "Subnets": [subnet_id],
        "SecurityGroups": [group], "Tags": [{"Key": "Name", "Value": "sensors"}],
    }
    arn = elb.create_load_balancer(**asked)["LoadBalancers"][0]["LoadBalancerArn"]
    again = elb.create_load_balancer(**asked)["LoadBalancers"][0]["LoadBalancerArn"]
    check(arn == again, "the repeated create made another load balancer")
    await_active(cloud, arn)
    check(elb.describe_load_balancers(Names=["sensors"])["LoadBalancers"], "by name")
    attribute = {"Key": "load_balancing.cross_zone.enabled", "Value": "true"}
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[attribute])
    told = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    check(attribute in told, told)
    moved = elb.set_subnets(LoadBalancerArn=arn, Subnets=[subnet_id, other])
    check(len(moved["AvailabilityZones"]) == 2, moved)
    elb.set_subnets(
        LoadBalancerArn=arn,
        SubnetMappings=[{"SubnetId": subnet_id, "PrivateIPv4Address": "10.1.1.50"}],
    )
    elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[group])
    elb.set_ip_address_type(LoadBalancerArn=arn, IpAddressType="ipv4")
    elb.describe_capacity_reservation(LoadBalancerArn=arn)
    elb.add_tags(ResourceArns=[arn], Tags=[{"Key": "k", "Value": "v"}])
    elb.remove_tags(ResourceArns=[arn], TagKeys=["k"])
    described = elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
    check(described == asked["Tags"], described)
    elb.delete_load_balancer(LoadBalancerArn=arn)
    elb.delete_load_balancer(LoadBalancerArn=arn)
    tear_down(cloud, vpc_id, [subnet_id, other], [group])


def await_active(cloud, arn):
    def active():
        told = cloud.elb.describe_load_balancers(LoadBalancerArns=[arn])
        return told["LoadBalancers"][0]["State"]["Code"] == "active"

    cloud.until(active, f"{arn} is to be active")


def tear_down(cloud, vpc_id, subnets, groups=()):
    """Deletes a VPC once the interfaces of a load balancer are gone."""
    ec2 = cloud.ec2
    inside = [{"Name": "vpc-id", "Values": [vpc_id]}]
    gone = lambda: not ec2.describe_network_interfaces(Filters=inside)["NetworkInterfaces"]
    cloud.until(gone, f"the interfaces in {vpc_id} are to go")
    for group in groups:
        ec2.delete_security_group(GroupId=group)
    for subnet in subnets:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc_id)


def target_groups(cloud):
    elb, ec2 = cloud.elb, cloud.ec2
    vpc_id, subnet_id = network(cloud)
    guard = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc_id)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=guard, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="10.1.0.0/16"
    )
    instance = launch(cloud, SubnetId=subnet_id, SecurityGroupIds=[guard])["InstanceId"]
    asked = {
        "Name": "receivers", "Protocol": "UDP", "Port": 4789, "VpcId": vpc_id,
        "HealthCheckProtocol": "HTTP", "HealthCheckPort": "80",
        "Tags": [{"Key": "Name", "Value": "receivers"}],
    }
    group = elb.create_target_group(**asked)["TargetGroups"][0]["TargetGroupArn"]
    check(elb.create_target_group(**asked)["TargetGroups"][0]["TargetGroupArn"] == group, "again")
    elb.modify_target_group(TargetGroupArn=group, HealthCheckPath="/up", HealthyThresholdCount=2)
    told = elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]
    check((told["HealthCheckPath"], told["Matcher"]["HttpCode"]) == ("/up", "200-399"), told)
    attribute = {"Key": "deregistration_delay.timeout_seconds", "Value": "0"}
    elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[attribute])
    check(attribute in elb.describe_target_group_attributes(TargetGroupArn=group)["Attributes"],
          "attributes")
    targets = [{"Id": instance}]
    elb.register_targets(TargetGroupArn=group, Targets=targets)
    check(health(cloud, group) == ("unused", "Target.NotInUse"), "before there is a listener")
    arn = elb.create_load_balancer(
        Name="sensors", Type="network", Scheme="internal", Subnets=[subnet_id]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    wanted = {"LoadBalancerArn": arn, "Protocol": "UDP", "Port": 4789, "DefaultActions": forward}
    listener = elb.create_listener(**wanted)["Listeners"][0]["ListenerArn"]
    check(elb.describe_listeners(LoadBalancerArn=arn)["Listeners"], "listeners")
    elb.modify_listener(ListenerArn=listener, Port=4790)
    elb.modify_listener(ListenerArn=listener, Port=4789)
    elb.describe_listener_attributes(ListenerArn=listener)
    tcp_listener(cloud, arn, vpc_id)
    cloud.until(lambda: health(cloud, group) == ("healthy", None), "the target is to be healthy")
    elb.describe_target_health(TargetGroupArn=group, Targets=[{"Id": instance, "Port": 1}])
    cloud.refused("ResourceInUse", elb.delete_target_group, TargetGroupArn=group)
    elb.deregister_targets(TargetGroupArn=group, Targets=targets)
    elb.delete_listener(ListenerArn=listener)
    elb.delete_target_group(TargetGroupArn=group)
    elb.delete_load_balancer(LoadBalancerArn=arn)
    ec2.terminate_instances(InstanceIds=[instance])
    await_state(cloud, instance, "terminated")
    tear_down(cloud, vpc_id, [subnet_id], [guard])


def tcp_listener(cloud, arn, vpc_id):
    """A listener of TCP, which alone has an attribute."""
    elb = cloud.elb
    group = elb.create_target_group(Name="tcp", Protocol="TCP", Port=80, VpcId=vpc_id)
    group = group["TargetGroups"][0]["TargetGroupArn"]
    listener = elb.create_listener(
        LoadBalancerArn=arn, Protocol="TCP", Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]["ListenerArn"]
    attribute = {"Key": "tcp.idle_timeout.seconds", "Value": "60"}
    told = elb.modify_listener_attributes(ListenerArn=listener, Attributes=[attribute])
    check(told["Attributes"] == [attribute], told)
    elb.delete_listener(ListenerArn=listener)
    elb.delete_target_group(TargetGroupArn=group)


def health(cloud, group):
    """Returns state and reason of the one target of a group."""
    told = cloud.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return told[0]["TargetHealth"]["State"], told[0]["TargetHealth"].get("Reason")


def refusals(cloud):
    elb = cloud.elb
    vpc_id, subnet_id = network(cloud)
    asked = {"Name": "x", "Type": "network", "Scheme": "internal", "Subnets": [subnet_id]}
    arn = elb.create_load_balancer(**asked)["LoadBalancers"][0]["LoadBalancerArn"]
    group = elb.create_target_group(Name="y", Protocol="UDP", Port=4789, VpcId=vpc_id)
    group = group["TargetGroups"][0]["TargetGroupArn"]
    create, absent = elb.create_load_balancer, arn[:-4] + "beef"
    refused = cloud.refused
    refused("DuplicateLoadBalancerName", create, **{**asked, "Scheme": "internal",
            "SubnetMappings": [{"SubnetId": subnet_id, "PrivateIPv4Address": "10.1.1.9"}],
            "Subnets": []})
    refused("InvalidConfigurationRequest", create, Name="z", Subnets=[subnet_id])
    refused("InvalidSubnet", create, Name="z", Type="network", Subnets=[subnet_id])
    refused("SubnetNotFound", create, **{**asked, "Name": "z", "Subnets": ["subnet-1"]})
    refused("ValidationError", create, **{**asked, "Name": "-z"})
    refused("LoadBalancerNotFound", elb.describe_load_balancers, LoadBalancerArns=[absent])
    refused("TargetGroupNotFound", elb.describe_target_groups, Names=["none"])
    refused("DuplicateTargetGroupName", elb.create_target_group, Name="y", Protocol="TCP",
            Port=4789, VpcId=vpc_id)
    refused("InvalidConfigurationRequest", elb.create_target_group, Name="z", Protocol="UDP",
            Port=4789, VpcId=vpc_id, HealthCheckProtocol="UDP")
    refused("InvalidTarget", elb.register_targets, TargetGroupArn=group,
            Targets=[{"Id": "i-0123456789abcdef0"}])
    refused("IncompatibleProtocols", elb.create_listener, LoadBalancerArn=arn, Protocol="TCP",
            Port=80, DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])
    refused("ListenerNotFound", elb.delete_listener,
            ListenerArn=absent.replace(":loadbalancer/", ":listener/") + "/0123456789abcdef")
    refused("InvalidConfigurationRequest", elb.set_security_groups, LoadBalancerArn=arn,
            SecurityGroups=["sg-0123456789abcdef0"])
    elb.delete_target_group(TargetGroupArn=group)
    elb.delete_load_balancer(LoadBalancerArn=arn)
    tear_down(cloud, vpc_id, [subnet_id])


def gateway(cloud):
    """A Gateway Load Balancer with its endpoint service and an endpoint, as a mirror target."""
    elb, ec2 = cloud.elb, cloud.ec2
    vpc_id, subnet_id = network(cloud)
    arn = elb.create_load_balancer(Name="gateway", Type="gateway", Subnets=[subnet_id])[
        "LoadBalancers"
    ][0]["LoadBalancerArn"]
    await_active(cloud, arn)
    group = elb.create_target_group(Name="gateway", Protocol="GENEVE", Port=6081, VpcId=vpc_id)[
        "TargetGroups"
    ][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    cloud.refused("ValidationError", elb.create_listener, LoadBalancerArn=arn, Port=6081,
                  DefaultActions=forward)
    elb.create_listener(LoadBalancerArn=arn, DefaultActions=forward)
    service = ec2.create_vpc_endpoint_service_configuration(
        GatewayLoadBalancerArns=[arn], AcceptanceRequired=True, ClientToken="service-1",
        TagSpecifications=tags("vpc-endpoint-service", Name="service"),
    )["ServiceConfiguration"]
    which = {"ServiceId": service["ServiceId"]}

    def service_state():
        told = ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[which["ServiceId"]])
        return told["ServiceConfigurations"][0]["ServiceState"]

    cloud.until(lambda: service_state() == "Available", "the service is to be available")
    ec2.modify_vpc_endpoint_service_permissions(AddAllowedPrincipals=["*"], **which)
    allowed = ec2.describe_vpc_endpoint_service_permissions(**which)["AllowedPrincipals"]
    check([each["Principal"] for each in allowed] == ["*"], allowed)
    endpoint = ec2.create_vpc_endpoint(
        VpcEndpointType="GatewayLoadBalancer", VpcId=vpc_id, SubnetIds=[subnet_id],
        ServiceName=service["ServiceName"], ClientToken="endpoint-1",
        TagSpecifications=tags("vpc-endpoint", Name="endpoint"),
    )["VpcEndpoint"]["VpcEndpointId"]

    def state():
        told = ec2.describe_vpc_endpoints(
            Filters=[{"Name": "vpc-endpoint-id", "Values": [endpoint]}]
        )["VpcEndpoints"]
        return told[0]["State"].lower() if told else "gone"

    check(state() == "pendingacceptance", state())
    ec2.accept_vpc_endpoint_connections(VpcEndpointIds=[endpoint], **which)
    cloud.until(lambda: state() == "available", "the endpoint is to be available")
    target = ec2.create_traffic_mirror_target(GatewayLoadBalancerEndpointId=endpoint)
    target = target["TrafficMirrorTarget"]["TrafficMirrorTargetId"]
    cloud.refused("ResourceInUse", elb.delete_load_balancer, LoadBalancerArn=arn)
    of_all = {"ServiceIds": [which["ServiceId"]]}
    left = ec2.delete_vpc_endpoint_service_configurations(**of_all)["Unsuccessful"]
    check(left[0]["Error"]["Code"] == "ExistingVpcEndpointConnections", left)
    left = ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])["Unsuccessful"]
    check(left[0]["ResourceId"] == endpoint, left)
    ec2.delete_traffic_mirror_target(TrafficMirrorTargetId=target)
    ec2.reject_vpc_endpoint_connections(VpcEndpointIds=[endpoint], **which)
    ec2.modify_vpc_endpoint_service_configuration(AcceptanceRequired=False, **which)
    check(not ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])["Unsuccessful"], endpoint)
    cloud.until(lambda: state() == "gone", "the endpoint is to be gone")
    check(not ec2.delete_vpc_endpoint_service_configurations(**of_all)["Unsuccessful"], which)

    def is_gone():
        told = ec2.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"]
        return not told

    cloud.until(is_gone, "the service is to be gone")
    elb.delete_load_balancer(LoadBalancerArn=arn)
    elb.delete_target_group(TargetGroupArn=group)
    tear_down(cloud, vpc_id, [subnet_id])
