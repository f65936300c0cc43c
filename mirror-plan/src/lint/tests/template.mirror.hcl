# The stacks of the corpus: `<name>` is a part that differs from one to the next, or that a mistake changes.
stack "corpus" {}

vpc "main" { cidr = "10.0.0.0/16" }

subnet "source" {
  vpc               = vpc.main
  cidr              = "10.0.1.0/24"
  availability_zone = <source_zone>
}

subnet "receiver" {
  vpc               = vpc.main
  cidr              = "<receiver_cidr>"
  availability_zone = "eu-west-1a"
}

subnet "spare" {
  vpc               = vpc.main
  cidr              = "<spare_cidr>"
  availability_zone = "eu-west-1b"
}

internet_gateway "out" { vpc = vpc.main }

route_table "public" {
  vpc     = vpc.main
  routes  = [<routes>]
  subnets = [<public_subnets>]
}

security_group "web" {
  vpc     = vpc.main
  ingress = [{ protocol = "tcp", port = 443, cidrs = ["10.0.0.0/16"] }]
}

security_group "receiver" {
  vpc     = vpc.main
  ingress = [<receiver_udp><receiver_health>]
}

security_group "balancer" {
  vpc     = vpc.main
  ingress = [<balancer_in>]
  egress  = [<balancer_out>]
}

security_group "probe" {
  vpc     = vpc.main
  ingress = [{ protocol = "udp", port = 4789, cidrs = ["10.0.0.0/8"] }]
}

instance "web" {
  count           = <sources>
  instance_type   = "<source_type>"
  subnet          = subnet.source
  security_groups = [<source_groups>]
  public          = <public>
}

instance "receiver" {
  count           = <receivers>
  instance_type   = "<receiver_type>"
  subnet          = subnet.receiver
  security_groups = [security_group.receiver]
}

instance "probe" {
  instance_type   = "m5.large"
  subnet          = subnet.receiver
  security_groups = [security_group.probe]
}

target_group "receivers" {
  vpc          = vpc.main
  protocol     = "<group_protocol>"
  health_check = <health_check>
  targets      = [<targets>]
}

load_balancer "sensors" {
  <balancer_name>
  subnets         = [<balancer_subnets>]
  security_groups = [<balancer_groups>]
  cross_zone      = <cross_zone>
  listeners       = [{ protocol = "<listener_protocol>", port = <listener_port>, target_group = target_group.receivers }]
}

mirror_target "sensors" { load_balancer = load_balancer.sensors }

mirror_target "probe" { <probe> }

mirror_filter "first" {
  amazon_dns = <dns>
  rules      = [<first_rules>]
}

mirror_filter "second" { rules = [<second_rules>] }

mirror_session "first" {
  count         = <sources>
  source        = instance.web[count.index]
  target        = mirror_target.sensors
  filter        = mirror_filter.first
  number        = <first_number>
  packet_length = <packet_length>
}

mirror_session "second" {
  source = instance.web[0]
  target = mirror_target.probe
  filter = mirror_filter.second
  number = <second_number>
  vni    = <vni>
}
