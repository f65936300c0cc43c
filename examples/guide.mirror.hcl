# What a how-to page tells one to click, to the letter. AWS takes every step of it, and mirrors nothing:
# `mirror validate examples/guide.mirror.hcl` says why, and `--fix` mends it.
stack "guide" { region = "eu-west-1" }

vpc "my-traffic-mirroring-vpc" {
  cidr          = "10.0.0.0/16"
  dns_support   = true
  dns_hostnames = true
}

subnet "source-subnet" {
  vpc  = vpc.my-traffic-mirroring-vpc
  cidr = "10.0.1.0/24"
}

subnet "target-subnet" {
  vpc  = vpc.my-traffic-mirroring-vpc
  cidr = "10.0.2.0/24"
}

security_group "source" {
  vpc     = vpc.my-traffic-mirroring-vpc
  ingress = [{ protocol = "tcp", port = 22, cidrs = ["10.0.0.0/16"] }]
}

security_group "target" {
  vpc = vpc.my-traffic-mirroring-vpc
  ingress = [
    { protocol = "tcp", port = 22, cidrs = ["10.0.0.0/16"] },
    { protocol = "tcp", port = 80, cidrs = ["10.0.0.0/16"] },
    { protocol = "udp", port = 4789, cidrs = ["10.0.0.0/16"] },
  ]
}

# "Enable Auto-Assign Public IP to allow remote access."
instance "source-instance" {
  instance_type   = "t3.micro"
  subnet          = subnet.source-subnet
  security_groups = [security_group.source]
  public          = true
}

instance "target-instance" {
  count           = 2
  instance_type   = "t3.micro"
  subnet          = subnet.target-subnet
  security_groups = [security_group.target]
}

# "Target type: instance. Protocol: TCP." The health check is left at its default.
target_group "targets" {
  vpc      = vpc.my-traffic-mirroring-vpc
  protocol = "tcp"
  port     = 80
  targets  = [instance.target-instance[0], instance.target-instance[1]]
}

# "Add a listener for TCP traffic."
load_balancer "my-traffic-mirroring-nlb" {
  scheme    = "internal"
  subnets   = [subnet.target-subnet]
  listeners = [{ protocol = "tcp", port = 80, target_group = target_group.targets }]
}

mirror_target "nlb-mirror-target" { load_balancer = load_balancer.my-traffic-mirroring-nlb }

# "This can be a load balancer, an interface, or an EC2 instance."
mirror_target "instance-mirror-target" { instance = instance.target-instance[0] }

# "Optional: add a reject rule for SSH."
mirror_filter "traffic-mirror-filter" {
  rules = [
    { number = 100, action = "accept", protocol = "tcp" },
    { number = 200, action = "reject", protocol = "tcp", port = 22 },
  ]
}

# "Packet length: leave default (65536 to capture full packets)."
mirror_session "my-traffic-mirror-session" {
  source        = instance.source-instance
  target        = mirror_target.nlb-mirror-target
  filter        = mirror_filter.traffic-mirror-filter
  number        = 1
  packet_length = 65536
}
