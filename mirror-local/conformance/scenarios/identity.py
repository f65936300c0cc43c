"""Who is calling, which images and types there are, and what an account has around them."""

import json

from client import check

ALIAS = "/aws/service/ami-amazon-linux-latest/"

# What a local AWS said of a call that a policy did not allow: any other reads it as well.
REFUSAL = (
    "S32UIxVu-6IE-EjWQROEVzWgUeda22LIA7cEn5UIEUyv4C69dqkfN7MByldkFNkaWbJJa05AaSEOIrC4HAaHiYDB"
    "_14uPNLCMuNhrgn7Nb-sdQoe2g-UAm4LmzUeEI7NXukx1nZQ3qIaUfxMZLOBKTIA0i67NvJPlCK38zUmtl7nhOrJ"
    "rhxo_jiFJbzS_EFuaaMv_esFLiICDDCiO3iQJusPZv9kJM66bCGfLS_QjPVKOJb9ZgXD7cphkwFe6uJfWfI7ODsh"
    "F7ZzFYzL1tUIAf1DPTam4jtFImgPRLuty6f8WEUnXDl2Vb1ifOiXcIzJibeCNt-lGQpVWI5SZCE926YDc7hGUrGw"
    "17QcTDCmiP3aisbEc4EQobply5gWN_zpTuLtWr3x9MulZeZMdbFjoZhmc7BJ45LwM0C9nNrSzZKs1ca7dax3h91V"
    "POcecpLbiCy3QV7Ie559FgbvrprTjPgri1N1ju3cuThyI3UFYno8mLAtzbOiAq2bo4bGwztzMY846tFHZJWC-BZz"
    "pOM"
)


def caller_and_images(cloud):
    identity = cloud.sts.get_caller_identity()
    check(identity["Account"] == "123456789012", identity)
    latest = cloud.ssm.get_parameter(Name=ALIAS + "al2023-ami-kernel-default-x86_64")
    image = latest["Parameter"]["Value"]
    found = cloud.ec2.describe_images(ImageIds=[image])["Images"]
    check(found[0]["ImageId"] == image, found)
    several = cloud.ssm.get_parameters(Names=[ALIAS + "amzn2-ami-hvm-x86_64-gp2", "/none"])
    check(several["InvalidParameters"] == ["/none"], several)
    cloud.refused("ParameterNotFound", cloud.ssm.get_parameter, Name="/none")
    by_name = cloud.ec2.describe_images(
        Owners=["amazon"], Filters=[{"Name": "name", "Values": ["al2023-ami-2023*-x86_64"]}]
    )
    check(image in [i["ImageId"] for i in by_name["Images"]], by_name)
    cloud.ec2.describe_image_attribute(ImageId=image, Attribute="description")


def refusals(cloud):
    """Reads the details of a refusal, and refuses what is none."""
    decode = cloud.sts.decode_authorization_message
    decoded = json.loads(decode(EncodedMessage=REFUSAL)["DecodedMessage"])
    check(decoded["allowed"] is False and decoded["explicitDeny"] is False, decoded)
    check(decoded["context"]["action"] == "ec2:CreateInternetGateway", decoded)
    cloud.refused("InvalidAuthorizationMessageException", decode, EncodedMessage="nonsense")


def surroundings(cloud):
    """Calls what ordinary clients call around our actions; most of it is empty."""
    ec2 = cloud.ec2
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    check(len(zones) >= 2, zones)
    check(cloud.region in [r["RegionName"] for r in ec2.describe_regions()["Regions"]], "Region")
    ec2.describe_account_attributes()
    types = ec2.describe_instance_types(InstanceTypes=["t3.micro"])["InstanceTypes"]
    check(types[0]["InstanceType"] == "t3.micro", types)
    ec2.describe_instance_type_offerings(
        Filters=[{"Name": "instance-type", "Values": ["t3.micro"]}]
    )
    for call in (
        ec2.describe_addresses,
        ec2.describe_addresses_attribute,
        ec2.describe_dhcp_options,
        ec2.describe_egress_only_internet_gateways,
        ec2.describe_flow_logs,
        ec2.describe_iam_instance_profile_associations,
        ec2.describe_instance_topology,
        ec2.describe_nat_gateways,
        ec2.describe_network_acls,
        ec2.describe_placement_groups,
        ec2.describe_security_group_vpc_associations,
        ec2.describe_transit_gateway_vpc_attachments,
        ec2.describe_transit_gateways,
        ec2.describe_vpc_classic_link,
        ec2.describe_vpc_classic_link_dns_support,
        ec2.describe_vpc_endpoints,
        ec2.describe_vpc_peering_connections,
        ec2.describe_vpn_gateways,
        ec2.get_ebs_encryption_by_default,
        ec2.get_instance_metadata_defaults,
    ):
        call()
    cloud.elb.describe_account_limits()
