# The laboratory with something of every kind changed: in place, or by a replacement. Both the load
# balancer and, with it, its target group and the mirror target are made anew, behind a running
# session.
stack "lab" { region = "eu-west-1" }

vpc "my-traffic-mirroring-vpc" {
  cidr          = "10.0.0.0/16"
  dns_hostnames = false
}

subnet "source-subnet" {
  vpc                 = vpc.my-traffic-mirroring-vpc
  cidr                = "10.0.1.0/24"
  public_ip_on_launch = true
}

subnet "target-subnet" {
  vpc  = vpc.my-traffic-mirroring-vpc
  cidr = "10.0.2.0/24"
}

subnet "more" {
  vpc               = vpc.my-traffic-mirroring-vpc
  cidr              = "10.0.3.0/24"
  availability_zone = "eu-west-1c"
}

internet_gateway "internet" { vpc = vpc.my-traffic-mirroring-vpc }

route_table "public" {
  vpc = vpc.my-traffic-mirroring-vpc
  routes = [
    { destination = "0.0.0.0/0", target = "INTERFACE" },
    { destination = "198.51.100.0/24", internet_gateway = internet_gateway.internet },
  ]
  subnets = [subnet.source-subnet]
}

security_group "source" {
  vpc     = vpc.my-traffic-mirroring-vpc
  ingress = [{ protocol = "tcp", port = 22, cidrs = ["10.0.0.0/16"], description = "ssh" }]
  egress  = [{ protocol = "udp", port = 4789, security_groups = [security_group.target] }]
}

security_group "target" {
  vpc     = vpc.my-traffic-mirroring-vpc
  ingress = [{ protocol = "udp", port = 4789, security_groups = [security_group.source] }]
}

instance "source-instance" {
  instance_type     = "t3.small"
  subnet            = subnet.source-subnet
  security_groups   = [security_group.source, security_group.target]
  public            = true
  source_dest_check = false
  imds_hop_limit    = 2
  tags              = { team = "net" }
}

instance "target-instance-1" {
  instance_type   = "t3.micro"
  subnet          = subnet.target-subnet
  security_groups = [security_group.target]
  user_data       = "#!/bin/sh\nsystemd-run python3 -m http.server 80 --directory $(mktemp -d)\n"
}

target_group "targets" {
  vpc                  = vpc.my-traffic-mirroring-vpc
  health_check         = { protocol = "tcp", port = 81 }
  targets              = [instance.target-instance-1, instance.source-instance]
  deregistration_delay = 60
  tags                 = { team = "net" }
}

load_balancer "my-traffic-mirroring-nlb" {
  subnets         = [subnet.target-subnet]
  security_groups = [security_group.target]
  listeners       = [{ port = 4789, target_group = target_group.targets }]
  tags            = { team = "net" }
}

mirror_target "nlb-mirror-target" { load_balancer = load_balancer.my-traffic-mirroring-nlb }

mirror_target "one-receiver" { network_interface = instance.target-instance-1 }

mirror_filter "traffic-mirror-filter" {
  amazon_dns = true
  rules = [
    { number = 10, action = "accept", protocol = "tcp", port = 22 },
    { number = 200, action = "accept", protocol = "udp" },
  ]
}

mirror_session "my-traffic-mirror-session" {
  source        = instance.source-instance
  target        = mirror_target.nlb-mirror-target
  filter        = mirror_filter.traffic-mirror-filter
  number        = 2
  packet_length = 128
}
