"""Network interfaces, instances and their volumes."""

from client import check, tags
from .network import found


def network(cloud):
    """Makes a VPC with one subnet."""
    vpc_id = cloud.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = cloud.ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.1.1.0/24")["Subnet"]
    return vpc_id, subnet["SubnetId"]


def image(cloud):
    return cloud.ec2.describe_images(
        Filters=[{"Name": "name", "Values": ["al2023-ami-2023*-x86_64"]}]
    )["Images"][0]["ImageId"]


def launch(cloud, **parameters):
    """Launches one instance and waits until it runs."""
    made = cloud.ec2.run_instances(
        ImageId=image(cloud), MinCount=1, MaxCount=1,
        **{"InstanceType": "t3.micro", **parameters},
    )["Instances"][0]
    await_state(cloud, made["InstanceId"], "running")
    return cloud.ec2.describe_instances(InstanceIds=[made["InstanceId"]])[
        "Reservations"][0]["Instances"][0]


def await_state(cloud, instance_id, wanted):
    def state():
        told = cloud.ec2.describe_instances(InstanceIds=[instance_id])
        return told["Reservations"][0]["Instances"][0]["State"]["Name"] == wanted

    cloud.until(state, f"{instance_id} is to be {wanted}")


def interfaces(cloud):
    ec2 = cloud.ec2
    vpc_id, subnet_id = network(cloud)
    made = ec2.create_network_interface(
        SubnetId=subnet_id, Description="tap", PrivateIpAddress="10.1.1.77", ClientToken="eni-1",
        TagSpecifications=tags("network-interface", Name="tap"),
    )["NetworkInterface"]
    interface_id = made["NetworkInterfaceId"]
    found(cloud, "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId", {
        "description": "tap", "network-interface-id": interface_id, "vpc-id": vpc_id,
        "subnet-id": subnet_id, "private-ip-address": "10.1.1.77", "status": "available",
        "mac-address": made["MacAddress"], "tag:Name": "tap",
    }, interface_id)
    named = {"NetworkInterfaceId": interface_id}
    for attribute in ("description", "groupSet", "sourceDestCheck", "attachment"):
        ec2.describe_network_interface_attribute(Attribute=attribute, **named)
    ec2.modify_network_interface_attribute(SourceDestCheck={"Value": False}, **named)
    ec2.reset_network_interface_attribute(SourceDestCheck="true", **named)
    instance = launch(cloud, SubnetId=subnet_id)
    attachment = ec2.attach_network_interface(
        InstanceId=instance["InstanceId"], DeviceIndex=1, **named
    )["AttachmentId"]
    ec2.describe_network_interfaces(NetworkInterfaceIds=[interface_id])
    ec2.describe_network_interface_attribute(Attribute="attachment", **named)
    ec2.detach_network_interface(AttachmentId=attachment)
    ec2.delete_network_interface(**named)
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    await_state(cloud, instance["InstanceId"], "terminated")
    ec2.delete_subnet(SubnetId=subnet_id)
    ec2.delete_vpc(VpcId=vpc_id)


def instances_and_volumes(cloud):
    ec2 = cloud.ec2
    vpc_id, subnet_id = network(cloud)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    asked = {
        "ClientToken": "run-1", "UserData": "#!/bin/sh\n",
        "NetworkInterfaces": [
            {"DeviceIndex": 0, "SubnetId": subnet_id, "AssociatePublicIpAddress": True}
        ],
        "TagSpecifications": tags("instance", Name="i") + tags("volume", Name="v"),
    }
    instance = launch(cloud, **asked)
    instance_id = instance["InstanceId"]
    check(launch(cloud, **asked)["InstanceId"] == instance_id, "the client token made another one")
    check("PublicIpAddress" in instance, instance)
    filters = {
        "instance-id": instance_id, "instance-state-name": "running", "subnet-id": subnet_id,
        "vpc-id": vpc_id, "instance-type": "t3.micro", "tag:Name": "i",
        "private-ip-address": instance["PrivateIpAddress"], "client-token": "run-1",
    }
    for name, value in filters.items():
        told = ec2.describe_instances(Filters=[{"Name": name, "Values": [value]}])
        check(told["Reservations"], f"describe_instances {name}={value}")
    ec2.describe_instance_status(InstanceIds=[instance_id], IncludeAllInstances=True)
    ec2.describe_instance_credit_specifications(InstanceIds=[instance_id])
    for attribute in (
        "instanceType", "userData", "disableApiTermination", "disableApiStop", "sourceDestCheck",
        "instanceInitiatedShutdownBehavior", "ebsOptimized", "groupSet", "rootDeviceName",
        "blockDeviceMapping",
    ):
        ec2.describe_instance_attribute(InstanceId=instance_id, Attribute=attribute)
    ec2.modify_instance_attribute(InstanceId=instance_id, SourceDestCheck={"Value": False})
    ec2.modify_instance_metadata_options(InstanceId=instance_id, HttpTokens="required")
    ec2.monitor_instances(InstanceIds=[instance_id])
    ec2.unmonitor_instances(InstanceIds=[instance_id])
    ec2.reboot_instances(InstanceIds=[instance_id])
    cloud.refused(
        "DependencyViolation", ec2.detach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc_id
    )
    cloud.refused("DependencyViolation", ec2.delete_subnet, SubnetId=subnet_id)
    ec2.stop_instances(InstanceIds=[instance_id])
    await_state(cloud, instance_id, "stopped")
    ec2.modify_instance_attribute(InstanceId=instance_id, InstanceType={"Value": "t3.small"})
    ec2.start_instances(InstanceIds=[instance_id])
    await_state(cloud, instance_id, "running")
    volumes(cloud, instance_id)
    ec2.terminate_instances(InstanceIds=[instance_id])
    await_state(cloud, instance_id, "terminated")
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    ec2.delete_subnet(SubnetId=subnet_id)
    ec2.delete_vpc(VpcId=vpc_id)


def volumes(cloud, instance_id):
    """Looks at an instance's volume, and deletes one that was left behind."""
    ec2 = cloud.ec2
    attached = [{"Name": "attachment.instance-id", "Values": [instance_id]}]
    volume_id = ec2.describe_volumes(Filters=attached)["Volumes"][0]["VolumeId"]
    ec2.describe_volume_attribute(VolumeId=volume_id, Attribute="autoEnableIO")
    cloud.refused("VolumeInUse", ec2.delete_volume, VolumeId=volume_id)
    kept = launch(cloud, BlockDeviceMappings=[
        {"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": False}}
    ])
    left = kept["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    ec2.terminate_instances(InstanceIds=[kept["InstanceId"]])
    await_state(cloud, kept["InstanceId"], "terminated")
    ec2.delete_volume(VolumeId=left)
