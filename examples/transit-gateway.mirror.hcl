# Sources in one VPC, receivers in another, both attached to a transit gateway: what the application sends and
# receives over TCP crosses it on its way to the sensors.
stack "transit" { region = "eu-west-1" }

variable "transit_gateway" {
  description = "The gateway of the network team."
  default     = "tgw-0a1b2c3d4e5f67890"
}

vpc "application" { cidr = "10.1.0.0/16" }
vpc "security" { cidr = "10.2.0.0/16" } # ranges on one gateway must not overlap

subnet "application" {
  vpc  = vpc.application
  cidr = cidrsubnet(vpc.application.cidr, 8, 1)
}

subnet "sensors" {
  vpc  = vpc.security
  cidr = cidrsubnet(vpc.security.cidr, 8, 1)
}

# The gateway takes packets only from zones where the attachment has a subnet.
transit_gateway_attachment "application" {
  vpc             = vpc.application
  transit_gateway = var.transit_gateway
  subnets         = [subnet.application]
}

transit_gateway_attachment "security" {
  vpc             = vpc.security
  transit_gateway = var.transit_gateway
  subnets         = [subnet.sensors]
}

# Mirrored packets follow the routes of the source's subnet; the gateway's own route table leads on.
route_table "application" {
  vpc     = vpc.application
  routes  = [{ destination = vpc.security.cidr, transit_gateway = var.transit_gateway }]
  subnets = [subnet.application]
}

security_group "application" { vpc = vpc.application }

security_group "sensor" {
  vpc = vpc.security
  ingress = [
    # Ranges, not groups: the load balancer keeps the address of the source.
    { protocol = "udp", port = 4789, cidrs = [vpc.application.cidr] },
    { protocol = "tcp", port = 80, cidrs = [subnet.sensors.cidr] },
  ]
}

instance "application" {
  instance_type   = "t3.micro"
  subnet          = subnet.application
  security_groups = [security_group.application]
}

instance "sensor" {
  instance_type   = "t3.micro"
  subnet          = subnet.sensors
  security_groups = [security_group.sensor]
  user_data       = "#!/bin/sh\nsystemd-run python3 -m http.server 80 --directory $(mktemp -d)\n"
}

target_group "sensors" {
  vpc          = vpc.security
  protocol     = "udp"
  port         = 4789
  health_check = { protocol = "tcp", port = 80 }
  targets      = [instance.sensor]
}

load_balancer "sensors" {
  scheme    = "internal"
  subnets   = [subnet.sensors]
  listeners = [{ protocol = "udp", port = 4789, target_group = target_group.sensors }]
}

mirror_target "sensors" { load_balancer = load_balancer.sensors }

mirror_filter "tcp" { rules = [{ number = 100, action = "accept", protocol = "tcp" }] }

mirror_session "application" {
  source = instance.application
  target = mirror_target.sensors
  filter = mirror_filter.tcp
  number = 1
}
