# A stack in which nothing is to be found: the tests of the lints edit it.
stack "lab" {}

vpc "lab" { cidr = "10.0.0.0/16" }
vpc "far" { cidr = "10.1.0.0/16" }

subnet "source" {
  vpc               = vpc.lab
  cidr              = "10.0.1.0/24"
  availability_zone = "eu-west-1a"
}

subnet "target" {
  vpc               = vpc.lab
  cidr              = "10.0.2.0/24"
  availability_zone = "eu-west-1a"
}

subnet "zone" {
  vpc               = vpc.lab
  cidr              = "10.0.3.0/24"
  availability_zone = "eu-west-1b"
}

subnet "far" {
  vpc  = vpc.far
  cidr = "10.1.1.0/24"
}

internet_gateway "out" { vpc = vpc.lab }

route_table "public" {
  vpc     = vpc.lab
  routes  = [{ destination = "0.0.0.0/0", internet_gateway = internet_gateway.out }]
  subnets = [subnet.source]
}

route_table "far" {
  vpc     = vpc.far
  routes  = [{ destination = "10.0.0.0/16", vpc_peering = "pcx-0a1b2c3d" }]
  subnets = [subnet.far]
}

security_group "source" { vpc = vpc.lab }

security_group "far" { vpc = vpc.far }

security_group "receiver" {
  vpc = vpc.lab
  ingress = [
    { protocol = "tcp", port = 80, cidrs = ["10.0.2.0/24"] },
    { protocol = "udp", port = 4789, cidrs = ["10.0.1.0/24", "10.1.0.0/16"] },
  ]
}

security_group "sensor" {
  vpc = vpc.lab

  ingress = [{ protocol = "udp", port = 4789, cidrs = [subnet.source.cidr] }]
}

security_group "balancer" {
  vpc     = vpc.lab
  ingress = [{ protocol = "udp", port = 4789, cidrs = ["10.0.0.0/8"] }]
  egress  = [{ protocol = "all", cidrs = ["10.0.2.0/24"] }]
}

instance "source" {
  instance_type   = "t3.micro"
  subnet          = subnet.source
  security_groups = [security_group.source]
  public          = true
}

instance "far" {
  instance_type   = "m5.large"
  subnet          = subnet.far
  security_groups = [security_group.far]
}

instance "receiver" {
  instance_type   = "t2.micro"
  subnet          = subnet.target
  security_groups = [security_group.receiver]
}

instance "sensor" {
  instance_type = "m5.large"
  subnet        = subnet.target

  security_groups = [security_group.sensor]
}

instance "bystander" {
  count         = 2
  instance_type = "t2.micro"
  subnet        = subnet.target
}

target_group "receivers" {
  vpc          = vpc.lab
  protocol     = "udp"
  targets      = [instance.receiver]
  health_check = { port = 80 }
}

load_balancer "sensors" {
  subnets         = [subnet.target]
  security_groups = [security_group.balancer]
  listeners       = [{ protocol = "udp", port = 4789, target_group = target_group.receivers }]
}

mirror_target "balanced" { load_balancer = load_balancer.sensors }
mirror_target "direct" { network_interface = instance.sensor }

mirror_filter "tcp" {
  rules = [
    { number = 10, action = "reject", protocol = "tcp", port = 22 },
    { number = 20, action = "accept", protocol = "tcp" },
  ]
}

mirror_filter "udp" { rules = [{ number = 10, action = "accept", protocol = "udp", port = 80 }] }

mirror_filter "everything" { rules = [{ number = 10, action = "accept" }] }

mirror_session "first" {
  source = instance.source
  target = mirror_target.balanced
  filter = mirror_filter.tcp
  number = 1
}

mirror_session "second" {
  source        = instance.source
  target        = mirror_target.direct
  filter        = mirror_filter.udp
  number        = 2
  packet_length = 128
  vni           = 7
}

mirror_session "far" {
  source = instance.far
  target = mirror_target.balanced
  filter = mirror_filter.tcp
  number = 1
  vni    = 8

  packet_length = 8500
}
