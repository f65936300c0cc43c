# Everything of which a change can take something out of a list or out of a set.
stack "lab" { region = "eu-west-1" }

vpc "lab" { cidr = "10.0.0.0/16" }

subnet "a" {
  vpc               = vpc.lab
  cidr              = "10.0.1.0/24"
  availability_zone = "eu-west-1a"
}

subnet "b" {
  vpc               = vpc.lab
  cidr              = "10.0.2.0/24"
  availability_zone = "eu-west-1b"
}

security_group "one" { vpc = vpc.lab }

security_group "two" { vpc = vpc.lab }

security_group "three" {
  vpc     = vpc.lab
  ingress = [{ protocol = "udp", port = 4789, security_groups = [security_group.one] }]
}

instance "sensor" {
  instance_type   = "t3.micro"
  subnet          = subnet.a
  security_groups = [security_group.one, security_group.two]
}

launch_template "sensor" { instance_type = "c6i.large" }

autoscaling_group "sensors" {
  launch_template = launch_template.sensor
  subnets         = [subnet.a, subnet.b]
  min             = 2
  max             = 2
  target_groups   = [target_group.first, target_group.second]
}

target_group "first" {
  vpc          = vpc.lab
  health_check = { protocol = "tcp", port = 80 }
}

target_group "second" {
  vpc          = vpc.lab
  health_check = { protocol = "tcp", port = 80 }
}

load_balancer "sensors" {
  subnets         = [subnet.a, subnet.b]
  security_groups = [security_group.one, security_group.two]
  listeners       = [{ port = 4789, target_group = target_group.first }, { port = 4790, target_group = target_group.second }]
}

gateway_load_balancer "first" { subnets = [subnet.a, subnet.b] }

gateway_load_balancer "second" { subnets = [subnet.a] }

endpoint_service "sensors" {
  gateway_load_balancers = [gateway_load_balancer.first, gateway_load_balancer.second]
  allowed_principals     = ["arn:aws:iam::222233334444:root", "arn:aws:iam::333344445555:root"]
}

transit_gateway_attachment "lab" {
  vpc             = vpc.lab
  transit_gateway = "tgw-0a1b2c3d4e5f67890"
  subnets         = [subnet.a, subnet.b]
}

mirror_filter "names" { amazon_dns = true }

mirror_filter "web" {
  rules = [
    { number = 10, action = "accept", direction = "ingress", protocol = "tcp", port = 443 },
    { number = 20, action = "accept", direction = "ingress", protocol = "tcp", port = 80 },
  ]
  tags = { team = "security" }
}

mirror_target "sensor" { network_interface = instance.sensor }

resource_share "sensors" {
  mirror_targets = [mirror_target.sensor]
  principals     = ["222233334444", "333344445555"]
}
