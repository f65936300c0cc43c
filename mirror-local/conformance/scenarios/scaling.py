"""Launch templates, and Auto Scaling groups that launch from them."""

import base64

from client import check, tags
from .balancing import await_active, tear_down
from .instances import await_state, network


def launch_templates(cloud):
    ec2 = cloud.ec2
    vpc_id, subnet_id = network(cloud)
    asked = {
        "LaunchTemplateName": "sensor", "VersionDescription": "first",
        "LaunchTemplateData": data(cloud), "ClientToken": "once",
        "TagSpecifications": tags("launch-template", Name="sensor"),
    }
    made = ec2.create_launch_template(**asked)["LaunchTemplate"]
    check(ec2.create_launch_template(**asked)["LaunchTemplate"] == made, "the token made another")
    named = {"LaunchTemplateId": made["LaunchTemplateId"]}
    second = ec2.create_launch_template_version(
        **named, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"}
    )["LaunchTemplateVersion"]
    check((second["VersionNumber"], second["DefaultVersion"]) == (2, False), second)
    told = second["LaunchTemplateData"]
    check(told["UserData"] == asked["LaunchTemplateData"]["UserData"], told)
    check(told["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True, told)
    modified = ec2.modify_launch_template(**named, DefaultVersion="2")["LaunchTemplate"]
    check(modified["DefaultVersionNumber"] == 2, modified)
    by_tag = [{"Name": "tag:Name", "Values": ["sensor"]}]
    check(len(ec2.describe_launch_templates(Filters=by_tag)["LaunchTemplates"]) == 1, "by tag")
    versions = ec2.describe_launch_template_versions(**named)["LaunchTemplateVersions"]
    check([version["VersionNumber"] for version in versions] == [2, 1], versions)
    defaults = ec2.get_paginator("describe_launch_template_versions").paginate(
        Versions=["$Default"], PaginationConfig={"PageSize": 1})
    found = [v["VersionNumber"] for page in defaults for v in page["LaunchTemplateVersions"]]
    check(found == [2], found)
    run = ec2.run_instances(LaunchTemplate={**named, "Version": "1"}, SubnetId=subnet_id,
                            MinCount=1, MaxCount=1)["Instances"][0]
    check(run["InstanceType"] == "t3.micro", run)
    ec2.terminate_instances(InstanceIds=[run["InstanceId"]])
    deleted = ec2.delete_launch_template_versions(**named, Versions=["1", "2", "9"])
    check(len(deleted["SuccessfullyDeletedLaunchTemplateVersions"]) == 1, deleted)
    check(len(deleted["UnsuccessfullyDeletedLaunchTemplateVersions"]) == 2, deleted)
    refused = cloud.refused
    refused("InvalidLaunchTemplateName.AlreadyExistsException", ec2.create_launch_template,
            LaunchTemplateName="sensor", LaunchTemplateData={"ImageId": "ami-0"})
    refused("InvalidLaunchTemplateId.VersionNotFound", ec2.describe_launch_template_versions,
            **named, Versions=["1"])
    refused("DryRunOperation", ec2.delete_launch_template, **named, DryRun=True)
    ec2.delete_launch_template(LaunchTemplateName="sensor")
    refused("InvalidLaunchTemplateId.NotFound", ec2.describe_launch_templates,
            LaunchTemplateIds=[made["LaunchTemplateId"]])
    await_state(cloud, run["InstanceId"], "terminated")
    tear_down(cloud, vpc_id, [subnet_id])


def data(cloud):
    """What a launch template for instances of Amazon Linux says."""
    script = base64.b64encode(b"#!/bin/sh\n").decode()
    disk = {"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True, "VolumeSize": 30}}
    name = "al2023-ami-2*-x86_64"
    image = cloud.ec2.describe_images(Filters=[{"Name": "name", "Values": [name]}])["Images"][0]
    return {
        "ImageId": image["ImageId"], "InstanceType": "t3.micro", "UserData": script,
        "BlockDeviceMappings": [disk], "Monitoring": {"Enabled": True},
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        "IamInstanceProfile": {"Name": "sensor"},
        "TagSpecifications": [
            {"ResourceType": "volume", "Tags": [{"Key": "of", "Value": "sensor"}]}
        ],
    }


def groups(cloud):
    ec2, elb, scaling = cloud.ec2, cloud.elb, cloud.scaling
    vpc_id, subnet_id = network(cloud)
    template = ec2.create_launch_template(LaunchTemplateName="sensor", LaunchTemplateData=data(cloud))
    template = template["LaunchTemplate"]["LaunchTemplateId"]
    target_group = elb.create_target_group(
        Name="sensors", Protocol="UDP", Port=4789, VpcId=vpc_id, HealthCheckPort="80"
    )["TargetGroups"][0]["TargetGroupArn"]
    balancer = elb.create_load_balancer(
        Name="sensors", Type="network", Scheme="internal", Subnets=[subnet_id]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    elb.create_listener(LoadBalancerArn=balancer, Protocol="UDP", Port=4789,
                        DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}])
    await_active(cloud, balancer)
    asked = {
        "AutoScalingGroupName": "sensors", "MinSize": 1, "MaxSize": 3, "DesiredCapacity": 2,
        "LaunchTemplate": {"LaunchTemplateId": template, "Version": "$Default"},
        "VPCZoneIdentifier": subnet_id, "TargetGroupARNs": [target_group],
        "HealthCheckType": "ELB", "HealthCheckGracePeriod": 300,
        "Tags": [{"Key": "Name", "Value": "sensor", "PropagateAtLaunch": True}],
    }
    scaling.create_auto_scaling_group(**asked)
    cloud.refused("AlreadyExists", scaling.create_auto_scaling_group, **asked)
    cloud.until(lambda: in_service(cloud) == 2, "two instances are to be in service")
    change(cloud, target_group)
    cloud.refused("ResourceInUse", scaling.delete_auto_scaling_group,
                  AutoScalingGroupName="sensors")
    scaling.delete_auto_scaling_group(AutoScalingGroupName="sensors", ForceDelete=True)
    check(told(cloud)["Status"] == "Delete in progress", told(cloud))
    cloud.until(lambda: not told(cloud), "the group is to go")
    deleted = scaling.describe_scaling_activities(
        AutoScalingGroupName="sensors", IncludeDeletedGroups=True)["Activities"]
    check({activity["StatusCode"] for activity in deleted} == {"Successful"}, deleted)
    ec2.delete_launch_template(LaunchTemplateId=template)
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    elb.delete_target_group(TargetGroupArn=target_group)
    tear_down(cloud, vpc_id, [subnet_id])


def told(cloud):
    """Returns the group as it is described; none if it is gone."""
    asked = {"AutoScalingGroupNames": ["sensors"]}
    found = cloud.scaling.describe_auto_scaling_groups(**asked)["AutoScalingGroups"]
    return found[0] if found else None


def in_service(cloud):
    """Returns how many instances are in service, if none is on its way."""
    states = [instance["LifecycleState"] for instance in told(cloud)["Instances"]]
    return len(states) if set(states) <= {"InService"} else None


def change(cloud, target_group):
    """Lets the group grow, shrink, lose an instance and its target group, and changes its tags."""
    scaling, group = cloud.scaling, {"AutoScalingGroupName": "sensors"}
    scaling.set_desired_capacity(**group, DesiredCapacity=3)
    cloud.until(lambda: in_service(cloud) == 3, "three instances are to be in service")
    scaling.update_auto_scaling_group(**group, MaxSize=2, HealthCheckGracePeriod=60)
    cloud.until(lambda: in_service(cloud) == 2, "two instances are to be left")
    cloud.refused("ValidationError", scaling.set_desired_capacity, **group, DesiredCapacity=3)
    one = told(cloud)["Instances"][0]["InstanceId"]
    activity = scaling.terminate_instance_in_auto_scaling_group(
        InstanceId=one, ShouldDecrementDesiredCapacity=True)["Activity"]
    check(one in activity["Description"], activity)
    cloud.until(lambda: in_service(cloud) == 1, "one instance is to be left")
    members = scaling.describe_auto_scaling_instances()["AutoScalingInstances"]
    check([member["HealthStatus"] for member in members] == ["HEALTHY"], members)
    named = [{"Name": "tag:aws:autoscaling:groupName", "Values": ["sensors"]},
             {"Name": "instance-state-name", "Values": ["running"]}]
    found = cloud.ec2.describe_instances(Filters=named)["Reservations"]
    check([r["Instances"][0]["InstanceId"] for r in found] == [members[0]["InstanceId"]], found)
    attached = lambda: [it["State"] for it in scaling.describe_load_balancer_target_groups(
        **group)["LoadBalancerTargetGroups"]]
    check(attached() == ["InService"], attached())
    scaling.detach_load_balancer_target_groups(**group, TargetGroupARNs=[target_group])
    cloud.until(lambda: not attached(), "the target group is to be detached")
    scaling.attach_load_balancer_target_groups(**group, TargetGroupARNs=[target_group])
    tag = {"ResourceId": "sensors", "ResourceType": "auto-scaling-group", "Key": "team"}
    scaling.create_or_update_tags(Tags=[{**tag, "Value": "net", "PropagateAtLaunch": False}])
    by_key = [{"Name": "key", "Values": ["team"]}]
    check(scaling.describe_tags(Filters=by_key)["Tags"][0]["Value"] == "net", "tags")
    found = scaling.describe_auto_scaling_groups(Filters=[{"Name": "tag:team", "Values": ["net"]}])
    check(len(found["AutoScalingGroups"]) == 1, found)
    scaling.delete_tags(Tags=[tag])
