"""Traffic mirroring: filters and their rules, targets, sessions."""

from client import check, tags
from .instances import await_state, launch, network
from .network import found
from .balancing import tear_down

ANY = {"SourceCidrBlock": "0.0.0.0/0", "DestinationCidrBlock": "0.0.0.0/0"}


def filters_and_rules(cloud):
    ec2 = cloud.ec2
    asked = {
        "Description": "web", "ClientToken": "tmf-1",
        "TagSpecifications": tags("traffic-mirror-filter", Name="web"),
    }
    made = ec2.create_traffic_mirror_filter(**asked)
    filter_id = made["TrafficMirrorFilter"]["TrafficMirrorFilterId"]
    check(made["ClientToken"] == "tmf-1", made)
    again = ec2.create_traffic_mirror_filter(**asked)
    check(again["TrafficMirrorFilter"]["TrafficMirrorFilterId"] == filter_id, again)
    cloud.refused("IdempotentParameterMismatch", ec2.create_traffic_mirror_filter,
                  Description="other", ClientToken="tmf-1")
    cloud.refused("DryRunOperation", ec2.create_traffic_mirror_filter, DryRun=True)
    of = {"TrafficMirrorFilterId": filter_id}
    served = ec2.modify_traffic_mirror_filter_network_services(
        AddNetworkServices=["amazon-dns"], **of
    )["TrafficMirrorFilter"]
    check(served["NetworkServices"] == ["amazon-dns"], served)
    rule = {"RuleNumber": 100, "RuleAction": "accept", "TrafficDirection": "ingress", **of, **ANY}
    ports = {"Protocol": 6, "DestinationPortRange": {"FromPort": 80, "ToPort": 443}}
    made = ec2.create_traffic_mirror_filter_rule(
        Description="http", SourcePortRange={"FromPort": 1, "ToPort": 65535},
        TagSpecifications=tags("traffic-mirror-filter-rule", Name="http"), **rule, **ports,
    )["TrafficMirrorFilterRule"]
    rule_id = made["TrafficMirrorFilterRuleId"]
    cloud.refused("TrafficMirrorFilterRuleAlreadyExists", ec2.create_traffic_mirror_filter_rule,
                  **rule)
    ec2.create_traffic_mirror_filter_rule(**{**rule, "TrafficDirection": "egress"})
    found(cloud, "describe_traffic_mirror_filters", "TrafficMirrorFilters",
          "TrafficMirrorFilterId", {"description": "web", "traffic-mirror-filter-id": filter_id},
          filter_id)
    found(cloud, "describe_traffic_mirror_filter_rules", "TrafficMirrorFilterRules",
          "TrafficMirrorFilterRuleId", {
              "description": "http", "protocol": 6, "rule-number": 100, "rule-action": "accept",
              "traffic-direction": "ingress", "source-cidr-block": "0.0.0.0/0",
              "destination-cidr-block": "0.0.0.0/0", "traffic-mirror-filter-id": filter_id,
              "traffic-mirror-filter-rule-id": rule_id,
          }, rule_id)
    modify, named = ec2.modify_traffic_mirror_filter_rule, {"TrafficMirrorFilterRuleId": rule_id}
    changed = modify(RuleNumber=7, RuleAction="reject", RemoveFields=["description"], **named)
    check("Tags" not in changed["TrafficMirrorFilterRule"], changed)
    cloud.refused("InvalidParameterCombination", modify,
                  DestinationPortRange={"FromPort": 1, "ToPort": 2}, **named)
    modify(RemoveFields=["protocol", "source-port-range", "destination-port-range"], **named)
    told = ec2.describe_traffic_mirror_filter_rules(
        TrafficMirrorFilterRuleIds=[rule_id], **of
    )["TrafficMirrorFilterRules"][0]
    check("Protocol" not in told and told["Tags"], told)
    ec2.delete_traffic_mirror_filter_rule(**named)
    ec2.modify_traffic_mirror_filter_network_services(RemoveNetworkServices=["amazon-dns"], **of)
    ec2.delete_traffic_mirror_filter(**of)
    cloud.refused("InvalidTrafficMirrorFilterId.NotFound", ec2.delete_traffic_mirror_filter, **of)


def targets_and_sessions(cloud):
    ec2, elb = cloud.ec2, cloud.elb
    vpc_id, subnet_id = network(cloud)
    make = lambda: ec2.create_network_interface(SubnetId=subnet_id)["NetworkInterface"][
        "NetworkInterfaceId"]
    sink = make()
    instance = launch(cloud, SubnetId=subnet_id)
    source = instance["NetworkInterfaces"][0]["NetworkInterfaceId"]
    arn = elb.create_load_balancer(
        Name="sensors", Type="network", Scheme="internal", Subnets=[subnet_id]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    target = lambda **asked: ec2.create_traffic_mirror_target(**asked)["TrafficMirrorTarget"][
        "TrafficMirrorTargetId"]
    behind = target(NetworkLoadBalancerArn=arn, Description="nlb",
                    TagSpecifications=tags("traffic-mirror-target", Name="nlb"))
    direct = target(NetworkInterfaceId=sink)
    create = ec2.create_traffic_mirror_target
    cloud.refused("NlbInUseByTrafficMirrorTargetException", create, NetworkLoadBalancerArn=arn)
    cloud.refused("InterfaceInUseByTrafficMirrorTarget", create, NetworkInterfaceId=sink)
    cloud.refused("MissingParameter", create)
    found(cloud, "describe_traffic_mirror_targets", "TrafficMirrorTargets",
          "TrafficMirrorTargetId", {
              "description": "nlb", "network-load-balancer-arn": arn, "owner-id": "123456789012",
              "traffic-mirror-target-id": behind,
          }, behind)
    filter_id = ec2.create_traffic_mirror_filter()["TrafficMirrorFilter"]["TrafficMirrorFilterId"]
    wanted = {
        "NetworkInterfaceId": source, "TrafficMirrorTargetId": behind,
        "TrafficMirrorFilterId": filter_id, "SessionNumber": 1,
    }
    session = ec2.create_traffic_mirror_session(
        Description="detect", ClientToken="tms-1",
        TagSpecifications=tags("traffic-mirror-session", Name="detect"), **wanted,
    )["TrafficMirrorSession"]
    check(session["PacketLength"] == 8500, session)
    session_id = session["TrafficMirrorSessionId"]
    found(cloud, "describe_traffic_mirror_sessions", "TrafficMirrorSessions",
          "TrafficMirrorSessionId", {
              "description": "detect", "network-interface-id": source, "packet-length": 8500,
              "owner-id": "123456789012", "session-number": 1,
              "traffic-mirror-filter-id": filter_id, "traffic-mirror-session-id": session_id,
              "traffic-mirror-target-id": behind,
              "virtual-network-id": session["VirtualNetworkId"],
          }, session_id)
    modify = ec2.modify_traffic_mirror_session
    named = {"TrafficMirrorSessionId": session_id}
    moved = modify(TrafficMirrorTargetId=direct, SessionNumber=2, **named)["TrafficMirrorSession"]
    check("PacketLength" not in moved and moved["SessionNumber"] == 2, moved)
    modify(PacketLength=100, VirtualNetworkId=5, **named)
    modify(RemoveFields=["packet-length", "virtual-network-id", "description"], **named)
    cloud.refused("TrafficMirrorTargetInUse", ec2.delete_traffic_mirror_target,
                  TrafficMirrorTargetId=direct)
    cloud.refused("TrafficMirrorFilterInUse", ec2.delete_traffic_mirror_filter,
                  TrafficMirrorFilterId=filter_id)
    create = ec2.create_traffic_mirror_session
    cloud.refused("InvalidParameterValue", create, **{**wanted, "SessionNumber": 2})
    cloud.refused("InvalidParameterValue", create, PacketLength=8501, **wanted)
    cloud.refused("InterfaceInUseByTrafficMirrorTarget", create,
                  **{**wanted, "NetworkInterfaceId": sink})
    unsupported(cloud, subnet_id, wanted)
    sweep = ec2.describe_tags(Filters=[{"Name": "tag:Name", "Values": ["detect", "nlb"]}])["Tags"]
    check({t["ResourceType"] for t in sweep}
          == {"traffic-mirror-session", "traffic-mirror-target"}, sweep)
    ec2.delete_traffic_mirror_session(**named)
    # The sessions of an interface go with it.
    create(**wanted)
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    gone = lambda: not ec2.describe_traffic_mirror_sessions()["TrafficMirrorSessions"]
    cloud.until(gone, "the session is to go with its interface")
    for target_id in (behind, direct):
        ec2.delete_traffic_mirror_target(TrafficMirrorTargetId=target_id)
    ec2.delete_traffic_mirror_filter(TrafficMirrorFilterId=filter_id)
    ec2.delete_network_interface(NetworkInterfaceId=sink)
    elb.delete_load_balancer(LoadBalancerArn=arn)
    await_state(cloud, instance["InstanceId"], "terminated")
    tear_down(cloud, vpc_id, [subnet_id])


def unsupported(cloud, subnet_id, wanted):
    """An instance of a family that AWS does not mirror."""
    instance = launch(cloud, SubnetId=subnet_id, InstanceType="t2.micro")
    source = instance["NetworkInterfaces"][0]["NetworkInterfaceId"]
    cloud.refused("NetworkInterfaceNotSupported", cloud.ec2.create_traffic_mirror_session,
                  **{**wanted, "NetworkInterfaceId": source})
    cloud.ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    await_state(cloud, instance["InstanceId"], "terminated")


def pages(cloud):
    ec2 = cloud.ec2
    make = lambda: ec2.create_traffic_mirror_filter()["TrafficMirrorFilter"]
    made = {make()["TrafficMirrorFilterId"] for _ in range(12)}
    paginator = ec2.get_paginator("describe_traffic_mirror_filters")
    seen = [page["TrafficMirrorFilters"] for page in paginator.paginate(
        PaginationConfig={"PageSize": 5})]
    check([len(page) for page in seen] == [5, 5, 2], seen)
    check({f["TrafficMirrorFilterId"] for page in seen for f in page} == made, seen)
    cloud.refused("InvalidParameterValue", ec2.describe_traffic_mirror_filters, MaxResults=4)
    for filter_id in made:
        ec2.delete_traffic_mirror_filter(TrafficMirrorFilterId=filter_id)
