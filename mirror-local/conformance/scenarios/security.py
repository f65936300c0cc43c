"""Security groups, their rules, and key pairs."""

from client import check, tags
from .network import found


def groups_and_rules(cloud):
    ec2 = cloud.ec2
    vpc_id = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    named = {"GroupName": "web", "Description": "d", "VpcId": vpc_id}
    group = ec2.create_security_group(
        TagSpecifications=tags("security-group", Name="web"), **named
    )["GroupId"]
    cloud.refused("InvalidGroup.Duplicate", ec2.create_security_group, **named)
    told = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    check(told["IpPermissionsEgress"][0]["IpProtocol"] == "-1", told)
    permission = {
        "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
        "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "inside"}],
    }
    made = ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[permission],
        TagSpecifications=tags("security-group-rule", Name="ssh"),
    )["SecurityGroupRules"]
    cloud.refused(
        "InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=group,
        IpPermissions=[permission],
    )
    rule = made[0]["SecurityGroupRuleId"]
    found(cloud, "describe_security_groups", "SecurityGroups", "GroupId", {
        "group-id": group, "group-name": "web", "vpc-id": vpc_id, "tag:Name": "web",
        "ip-permission.cidr": "10.0.0.0/8", "ip-permission.from-port": 22,
    }, group)
    found(cloud, "describe_security_group_rules", "SecurityGroupRules", "SecurityGroupRuleId", {
        "group-id": group, "security-group-rule-id": rule, "tag:Name": "ssh",
    }, rule)
    ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[{
        "SecurityGroupRuleId": rule,
        "SecurityGroupRule": {
            "IpProtocol": "udp", "FromPort": 4789, "ToPort": 4789, "CidrIpv4": "10.0.0.0/16",
            "Description": "vxlan",
        },
    }])
    changed = {
        "IpProtocol": "udp", "FromPort": 4789, "ToPort": 4789,
        "IpRanges": [{"CidrIp": "10.0.0.0/16", "Description": "mirrored"}],
    }
    ec2.update_security_group_rule_descriptions_ingress(GroupId=group, IpPermissions=[changed])
    outward = {
        "IpProtocol": "udp", "FromPort": 53, "ToPort": 53,
        "UserIdGroupPairs": [{"GroupId": group, "Description": "own"}],
    }
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[outward])
    ec2.update_security_group_rule_descriptions_egress(GroupId=group, IpPermissions=[outward])
    ec2.describe_security_group_references(GroupId=[group])
    ec2.describe_stale_security_groups(VpcId=vpc_id)
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[outward])
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule])
    cloud.refused(
        "InvalidPermission.NotFound", ec2.revoke_security_group_ingress, GroupId=group,
        IpPermissions=[changed],
    )
    ec2.delete_security_group(GroupId=group)
    ec2.delete_vpc(VpcId=vpc_id)
    key_pairs(cloud)


def key_pairs(cloud):
    ec2 = cloud.ec2
    made = ec2.create_key_pair(KeyName="made", TagSpecifications=tags("key-pair", Name="k"))
    check("PRIVATE KEY" in made["KeyMaterial"], made)
    cloud.refused("InvalidKeyPair.Duplicate", ec2.create_key_pair, KeyName="made")
    material = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPdYk3Z0gXb0yZ6gq0b0bZ7VZyZ0QmF0b0sK0b0b0b0b me"
    ec2.import_key_pair(KeyName="brought", PublicKeyMaterial=material)
    check(len(ec2.describe_key_pairs()["KeyPairs"]) == 2, "key pairs")
    for name in ("made", "brought"):
        ec2.delete_key_pair(KeyName=name)
