# Two accounts: this one has the sources, another one the sensors, and shares its mirror target. The VPCs are connected:
# asked for from here, accepted there with that account's credentials.
stack "sources" { region = "eu-west-1" }

# A role of the sensors' account, which the credentials of this one assume. What it has to allow:
# mirror iam --apply --as sensors
aws "sensors" { role = "arn:aws:iam::444455556666:role/mirror-accepter" }

existing "vpc" "sensors" {
  id  = "vpc-0a1b2c3d4e5f67890"
  aws = aws.sensors
}

existing "mirror_target" "sensors" {
  id    = "tmt-0a1b2c3d4e5f67890"
  owner = "444455556666"
}

vpc "sources" { cidr = "10.1.0.0/16" }

subnet "sources" {
  vpc  = vpc.sources
  cidr = cidrsubnet(vpc.sources.cidr, 8, 1)
}

vpc_peering "sensors" {
  requester = vpc.sources
  accepter  = vpc.sensors
}

# The range of the sensors' VPC is said, since a route needs it before anything is looked for. A mirrored packet has no
# answer, so that nothing of the other account need lead back.
route_table "sources" {
  vpc     = vpc.sources
  routes  = [{ destination = "10.2.0.0/16", vpc_peering = vpc_peering.sensors }]
  subnets = [subnet.sources]
}

security_group "source" { vpc = vpc.sources }

instance "source" {
  instance_type   = "t3.micro"
  subnet          = subnet.sources
  security_groups = [security_group.source]
}

mirror_filter "tcp" { rules = [{ number = 100, action = "accept", protocol = "tcp" }] }

mirror_session "source" {
  source = instance.source
  target = mirror_target.sensors
  filter = mirror_filter.tcp
  number = 1
}
