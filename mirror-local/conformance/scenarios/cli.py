"""A few commands of awscli, each in a process of its own."""

import json
import os
import subprocess
import sys

from client import check


def commands(cloud):
    aws = lambda *words: command(cloud, words)
    vpc = aws("ec2", "create-vpc", "--cidr-block", "10.3.0.0/16")["Vpc"]["VpcId"]
    subnet = aws("ec2", "create-subnet", "--vpc-id", vpc, "--cidr-block", "10.3.0.0/24")
    subnet = subnet["Subnet"]["SubnetId"]
    interface = aws("ec2", "create-network-interface", "--subnet-id", subnet)
    interface = interface["NetworkInterface"]["NetworkInterfaceId"]
    target = aws("ec2", "create-traffic-mirror-target", "--network-interface-id", interface)
    target = target["TrafficMirrorTarget"]["TrafficMirrorTargetId"]
    listed = aws("ec2", "describe-traffic-mirror-targets", "--filters",
                 f"Name=network-interface-id,Values={interface}")["TrafficMirrorTargets"]
    check([t["TrafficMirrorTargetId"] for t in listed] == [target], listed)
    balancer = aws("elbv2", "create-load-balancer", "--name", "cli", "--type", "network",
                   "--scheme", "internal", "--subnets", subnet)
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    aws("elbv2", "delete-load-balancer", "--load-balancer-arn", arn)
    aws("ec2", "delete-traffic-mirror-target", "--traffic-mirror-target-id", target)
    aws("ec2", "delete-network-interface", "--network-interface-id", interface)
    identity = aws("sts", "get-caller-identity")
    check(identity["Account"] == "123456789012", identity)
    inside = [{"Name": "subnet-id", "Values": [subnet]}]
    gone = lambda: not cloud.ec2.describe_network_interfaces(Filters=inside)["NetworkInterfaces"]
    cloud.until(gone, "the interfaces of the load balancer are to go")
    aws("ec2", "delete-subnet", "--subnet-id", subnet)
    aws("ec2", "delete-vpc", "--vpc-id", vpc)


def command(cloud, words):
    """Runs one command; returns what it prints as JSON."""
    environment = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": cloud.region,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PATH": os.environ.get("PATH", ""),
    }
    program = [sys.executable, "-m", "awscli", "--endpoint-url", cloud.endpoint]
    done = subprocess.run(
        [*program, *words, "--output", "json"], env=environment, capture_output=True, text=True,
        timeout=120, check=False,
    )
    check(done.returncode == 0, f"aws {' '.join(words)}: {done.stderr.strip()}")
    return json.loads(done.stdout) if done.stdout.strip() else None
