# Sources here, receivers in a VPC of another account: the connection is asked for here and accepted there.
stack "sources" {
  region = "eu-west-1"
  tags   = { team = "network" }
}

aws "sensors" { role = "arn:aws:iam::444455556666:role/mirror-accepter" }

existing "vpc" "sensors" {
  name = "sensors"
  aws  = aws.sensors
}

vpc "sources" { cidr = "10.1.0.0/16" }

subnet "sources" {
  vpc  = vpc.sources
  cidr = "10.1.1.0/24"
}

vpc_peering "sensors" {
  requester = vpc.sources
  accepter  = vpc.sensors
}

route_table "sources" {
  vpc     = vpc.sources
  routes  = [{ destination = "10.99.0.0/16", vpc_peering = vpc_peering.sensors }]
  subnets = [subnet.sources]
}
