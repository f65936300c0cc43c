# 28 objects: every kind there is, two VPCs and a peering, two subnets, two load balancers, three instances, five sessions.
stack "wide" { region = "eu-west-1" }

vpc "net" { cidr = "10.0.0.0/16" }

vpc "other" { cidr = "10.1.0.0/16" }

vpc_peering "over" {
  requester = vpc.net
  accepter  = vpc.other
}

internet_gateway "way" { vpc = vpc.net }

subnet "a" {
  vpc               = vpc.net
  cidr              = "10.0.1.0/24"
  availability_zone = "eu-west-1a"
}

subnet "b" {
  vpc               = vpc.net
  cidr              = "10.0.2.0/24"
  availability_zone = "eu-west-1b"
}

route_table "out" {
  vpc     = vpc.net
  routes  = [{ destination = "0.0.0.0/0", internet_gateway = internet_gateway.way }]
  subnets = [subnet.a]
}

route_table "closed" {
  vpc     = vpc.net
  routes  = [{ destination = vpc.other.cidr, vpc_peering = vpc_peering.over }]
  subnets = [subnet.b]
}

security_group "source" {
  vpc     = vpc.net
  ingress = [{ protocol = "tcp", port = 443, cidrs = ["10.0.0.0/16"] }]
}

security_group "receiver" {
  vpc = vpc.net
  ingress = [
    { protocol = "udp", port = 4789, security_groups = [security_group.source] },
    { protocol = "tcp", port = 80, cidrs = [subnet.b.cidr] },
  ]
}

security_group "balancer" { vpc = vpc.net }

instance "one" {
  instance_type   = "t3.micro"
  subnet          = subnet.a
  security_groups = [security_group.source]
  public          = true
}

instance "two" {
  instance_type   = "t3.micro"
  subnet          = subnet.b
  security_groups = [security_group.source]
}

instance "receiver" {
  instance_type   = "t3.micro"
  subnet          = subnet.b
  security_groups = [security_group.receiver]
  user_data       = "#!/bin/sh\necho ready\n"
}

target_group "first" {
  vpc          = vpc.net
  health_check = { protocol = "tcp", port = 80 }
  targets      = [instance.receiver]
}

target_group "second" {
  vpc          = vpc.net
  health_check = { protocol = "http", port = 80, path = "/health" }
  targets      = [instance.receiver]
}

load_balancer "first" {
  subnets   = [subnet.b]
  listeners = [{ port = 4789, target_group = target_group.first }]
}

load_balancer "second" {
  subnets         = [subnet.a, subnet.b]
  security_groups = [security_group.balancer]
  listeners       = [{ port = 4789, target_group = target_group.second }]
}

mirror_target "first" { load_balancer = load_balancer.first }

mirror_target "second" { load_balancer = load_balancer.second }

mirror_target "interface" { network_interface = instance.receiver }

mirror_filter "web" {
  rules = [
    { number = 10, action = "reject", protocol = "tcp", port = 22 },
    { number = 100, action = "accept", protocol = "tcp" },
  ]
}

mirror_filter "names" {
  amazon_dns = true
  rules      = [{ number = 100, action = "accept", direction = "egress", protocol = "udp", port = 53 }]
}

mirror_session "one-first" {
  source = instance.one
  target = mirror_target.first
  filter = mirror_filter.web
  number = 1
}

mirror_session "one-second" {
  source        = instance.one
  target        = mirror_target.second
  filter        = mirror_filter.names
  number        = 2
  packet_length = 128
}

mirror_session "one-interface" {
  source = instance.one
  target = mirror_target.interface
  filter = mirror_filter.names
  number = 3
}

mirror_session "two-first" {
  source = instance.two
  target = mirror_target.first
  filter = mirror_filter.web
  number = 1
}

mirror_session "two-second" {
  source = instance.two
  target = mirror_target.second
  filter = mirror_filter.web
  number = 2
  vni    = 4711
}
