# Sources in one VPC, receivers in another, and no route between: an endpoint in the sources' VPC takes mirrored
# packets to a Gateway Load Balancer, which sends them to the sensors, wrapped in GENEVE.
stack "gateway" { region = "eu-west-1" }

vpc "application" { cidr = "10.1.0.0/16" }
vpc "security" { cidr = "10.2.0.0/16" }

subnet "application" {
  vpc               = vpc.application
  cidr              = cidrsubnet(vpc.application.cidr, 8, 1)
  availability_zone = "eu-west-1a"
}

subnet "sensors" {
  vpc               = vpc.security
  cidr              = cidrsubnet(vpc.security.cidr, 8, 1)
  availability_zone = "eu-west-1a"
}

security_group "application" { vpc = vpc.application }

security_group "sensor" {
  vpc = vpc.security
  ingress = [
    # All comes from the load balancer, whose nodes have addresses of their subnets.
    { protocol = "udp", port = 6081, cidrs = [subnet.sensors.cidr] },
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
  protocol     = "geneve"
  port         = 6081
  health_check = { protocol = "tcp", port = 80 } # nothing answers on 6081
  targets      = [instance.sensor]
}

gateway_load_balancer "sensors" {
  subnets      = [subnet.sensors]
  target_group = target_group.sensors
}

# Endpoints of it can stand in every VPC of this account; `allowed_principals` lets others in.
endpoint_service "sensors" { gateway_load_balancers = [gateway_load_balancer.sensors] }

gateway_load_balancer_endpoint "application" {
  vpc     = vpc.application
  subnet  = subnet.application # in a zone of the load balancer
  service = endpoint_service.sensors
}

mirror_target "sensors" {
  gateway_load_balancer_endpoint = gateway_load_balancer_endpoint.application
}

mirror_filter "tcp" { rules = [{ number = 100, action = "accept", protocol = "tcp" }] }

mirror_session "application" {
  source = instance.application
  target = mirror_target.sensors
  filter = mirror_filter.tcp
  number = 1
}

output "service_name" { value = endpoint_service.sensors.service_name }
