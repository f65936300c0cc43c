# Sources in one VPC, receivers in another: what the application sends and receives over TCP crosses a
# peering connection on its way to the sensors.
stack "peering" { region = "eu-west-1" }

vpc "application" { cidr = "10.1.0.0/16" }
vpc "security" { cidr = "10.2.0.0/16" } # ranges of peers must not overlap

subnet "application" {
  vpc  = vpc.application
  cidr = cidrsubnet(vpc.application.cidr, 8, 1)
}

subnet "sensors" {
  vpc  = vpc.security
  cidr = cidrsubnet(vpc.security.cidr, 8, 1)
}

vpc_peering "sensors" {
  requester = vpc.application
  accepter  = vpc.security
}

# The connection carries nothing by itself: mirrored packets follow the routes of the source's subnet.
route_table "application" {
  vpc     = vpc.application
  routes  = [{ destination = vpc.security.cidr, vpc_peering = vpc_peering.sensors }]
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
