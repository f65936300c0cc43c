"""A mirror target that one account shares with another."""

from client import check

CONSUMER = "222233334444"
STRANGER = "555566667777"


def interface(ec2):
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    made = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    return made["NetworkInterfaceId"]


def mirror_target(cloud):
    consumer = cloud.of_account(CONSUMER)
    owner_interface = interface(cloud.ec2)
    target = cloud.ec2.create_traffic_mirror_target(NetworkInterfaceId=owner_interface)
    target = target["TrafficMirrorTarget"]["TrafficMirrorTargetId"]
    share = offer(cloud, target)
    join(cloud, consumer, share)
    use(cloud, consumer, target)
    withdraw(cloud, consumer, share, target)
    cloud.ec2.delete_traffic_mirror_target(TrafficMirrorTargetId=target)
    cloud.ec2.delete_network_interface(NetworkInterfaceId=owner_interface)


def offer(cloud, target):
    """Makes a share of a target with the consumer."""
    ram = cloud.ram
    arn = f"arn:aws:ec2:{cloud.region}:123456789012:traffic-mirror-target/{target}"
    asked = {"name": "lab", "tags": [{"key": "team", "value": "net"}], "clientToken": "share-1"}
    made = ram.create_resource_share(**asked)
    share = made["resourceShare"]["resourceShareArn"]
    check(ram.create_resource_share(**asked)["resourceShare"]["resourceShareArn"] == share, made)
    cloud.refused("IdempotentParameterMismatchException", ram.create_resource_share,
                  name="other", clientToken="share-1")
    cloud.refused("MalformedArnException", ram.associate_resource_share,
                  resourceShareArn=share, resourceArns=[target])
    both = ram.associate_resource_share(
        resourceShareArn=share, resourceArns=[arn], principals=[CONSUMER]
    )["resourceShareAssociations"]
    check({it["status"] for it in both} == {"ASSOCIATING"}, both)
    changed = ram.update_resource_share(resourceShareArn=share, name="lab 2")["resourceShare"]
    check(changed["name"] == "lab 2", changed)
    ram.tag_resource(resourceShareArn=share, tags=[{"key": "stage", "value": "test"}])
    ram.untag_resource(resourceShareArn=share, tagKeys=["team"])
    found = ram.get_resource_shares(
        resourceOwner="SELF", tagFilters=[{"tagKey": "stage", "tagValues": ["test"]}]
    )["resourceShares"]
    check([it["resourceShareArn"] for it in found] == [share], found)
    check(found[0]["tags"] == [{"key": "stage", "value": "test"}], found)
    return share


def join(cloud, consumer, share):
    """Has the consumer reject an invitation and accept the next one."""
    ram = consumer.ram
    invitations = lambda: ram.get_resource_share_invitations(resourceShareArns=[share])
    pending = invitations()["resourceShareInvitations"]
    check([it["status"] for it in pending] == ["PENDING"], pending)
    named = {"resourceShareInvitationArn": pending[0]["resourceShareInvitationArn"]}
    ram.reject_resource_share_invitation(**named)
    cloud.refused("ResourceShareInvitationAlreadyRejectedException",
                  ram.accept_resource_share_invitation, **named)
    cloud.ram.associate_resource_share(resourceShareArn=share, principals=[CONSUMER])
    again = invitations()["resourceShareInvitations"]
    named = {"resourceShareInvitationArn": again[0]["resourceShareInvitationArn"]}
    cloud.refused("ResourceShareInvitationArnNotFoundException",
                  cloud.of_account(STRANGER).ram.accept_resource_share_invitation, **named)
    ram.accept_resource_share_invitation(**named)
    cloud.until(lambda: states(cloud, share) == ["ASSOCIATED"], "the consumer is a principal")
    for owner, account, principal in (
        ("SELF", cloud, CONSUMER), ("OTHER-ACCOUNTS", consumer, "123456789012"),
    ):
        found = account.ram.list_principals(resourceOwner=owner)["principals"]
        check([it["id"] for it in found] == [principal], found)
        found = account.ram.list_resources(resourceOwner=owner)["resources"]
        check([it["type"] for it in found] == ["ec2:TrafficMirrorTarget"], found)
        found = account.ram.get_resource_shares(resourceOwner=owner)["resourceShares"]
        check([it["owningAccountId"] for it in found] == ["123456789012"], found)


def states(cloud, share):
    found = cloud.ram.get_resource_share_associations(
        associationType="PRINCIPAL", resourceShareArns=[share]
    )
    return [it["status"] for it in found["resourceShareAssociations"]]


def use(cloud, consumer, target):
    """Has the consumer mirror to the target, which it cannot change."""
    ec2, named = consumer.ec2, {"TrafficMirrorTargetId": target}
    found = ec2.describe_traffic_mirror_targets(TrafficMirrorTargetIds=[target])
    check(found["TrafficMirrorTargets"][0]["OwnerId"] == "123456789012", found)
    cloud.refused("UnauthorizedOperation", ec2.delete_traffic_mirror_target, **named)
    source = interface(ec2)
    filter_id = ec2.create_traffic_mirror_filter()["TrafficMirrorFilter"]["TrafficMirrorFilterId"]
    made = ec2.create_traffic_mirror_session(
        NetworkInterfaceId=source, TrafficMirrorFilterId=filter_id, SessionNumber=1, **named
    )["TrafficMirrorSession"]
    session = {"TrafficMirrorSessionId": made["TrafficMirrorSessionId"]}
    check(made["OwnerId"] == CONSUMER, made)
    found = cloud.ec2.describe_traffic_mirror_sessions()["TrafficMirrorSessions"]
    check([it["TrafficMirrorSessionId"] for it in found] == list(session.values()), found)
    cloud.refused("TrafficMirrorTargetInUse", cloud.ec2.delete_traffic_mirror_target, **named)
    ec2.delete_traffic_mirror_session(**session)
    ec2.delete_traffic_mirror_filter(TrafficMirrorFilterId=filter_id)
    ec2.delete_network_interface(NetworkInterfaceId=source)


def withdraw(cloud, consumer, share, target):
    """Takes the target out of the share, which the consumer leaves and the owner deletes."""
    arn = f"arn:aws:ec2:{cloud.region}:123456789012:traffic-mirror-target/{target}"
    leave = {"resourceShareArn": share, "principals": [CONSUMER]}
    cloud.refused("OperationNotPermittedException", consumer.ram.disassociate_resource_share, **leave)
    cloud.ram.disassociate_resource_share(resourceShareArn=share, resourceArns=[arn])
    cloud.refused("InvalidTrafficMirrorTargetId.NotFound", consumer.ec2.describe_traffic_mirror_targets,
                  TrafficMirrorTargetIds=[target])
    left = consumer.ram.disassociate_resource_share(**leave)["resourceShareAssociations"]
    check([it["status"] for it in left] == ["DISASSOCIATING"], left)
    cloud.until(lambda: states(cloud, share) == ["DISASSOCIATED"], "the consumer has left")
    check(cloud.ram.delete_resource_share(resourceShareArn=share)["returnValue"], "it is deleted")
    shares = lambda: cloud.ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]
    cloud.until(lambda: [it["status"] for it in shares()] == ["DELETED"], "the share is deleted")
