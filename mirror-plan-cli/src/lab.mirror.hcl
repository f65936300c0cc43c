# A laboratory for VPC Traffic Mirroring: what source-instance sends and receives over TCP arrives
# as VXLAN at two receivers behind a Network Load Balancer.
stack "lab" { region = "eu-west-1" }

variable "ssh_cidr" {
  type    = string
  default = "10.0.0.0/16" # inside the VPC only; for your own machine: -var ssh_cidr=203.0.113.7/32
}

vpc "my-traffic-mirroring-vpc" {
  cidr          = "10.0.0.0/16"
  dns_support   = true
  dns_hostnames = true
}

subnet "source-subnet" {
  vpc  = vpc.my-traffic-mirroring-vpc
  cidr = cidrsubnet(vpc.my-traffic-mirroring-vpc.cidr, 8, 1) # 10.0.1.0/24
}

subnet "target-subnet" {
  vpc  = vpc.my-traffic-mirroring-vpc
  cidr = cidrsubnet(vpc.my-traffic-mirroring-vpc.cidr, 8, 2) # 10.0.2.0/24
}

# Often forgotten: a public address is of no use without a gateway and a route to it.
internet_gateway "internet" { vpc = vpc.my-traffic-mirroring-vpc }

route_table "public" {
  vpc     = vpc.my-traffic-mirroring-vpc
  routes  = [{ destination = "0.0.0.0/0", internet_gateway = internet_gateway.internet }]
  subnets = [subnet.source-subnet, subnet.target-subnet]
}

security_group "source" {
  vpc     = vpc.my-traffic-mirroring-vpc
  ingress = [{ protocol = "tcp", port = 22, cidrs = [var.ssh_cidr] }]
}

security_group "target" {
  vpc = vpc.my-traffic-mirroring-vpc
  ingress = [
    { protocol = "tcp", port = 22, cidrs = [var.ssh_cidr] },
    # The load balancer's health checks, which come from its own subnet.
    { protocol = "tcp", port = 80, cidrs = [subnet.target-subnet.cidr] },
    # Mirrored packets come from the source's address: the load balancer keeps it.
    { protocol = "udp", port = 4789, cidrs = [subnet.source-subnet.cidr] },
  ]
}

locals {
  # Something must answer the health checks; a real receiver does that itself.
  receiver = "#!/bin/sh\nsystemd-run python3 -m http.server 80 --directory $(mktemp -d)\n"
}

instance "source-instance" {
  instance_type   = "t3.micro" # mirroring needs a Nitro instance at its source
  subnet          = subnet.source-subnet
  security_groups = [security_group.source]
  public          = true
}

instance "target-instance-1" {
  instance_type   = "t3.micro"
  subnet          = subnet.target-subnet
  security_groups = [security_group.target]
  user_data       = local.receiver
}

instance "target-instance-2" {
  instance_type   = "t3.micro"
  subnet          = subnet.target-subnet
  security_groups = [security_group.target]
  user_data       = local.receiver
}

target_group "targets" {
  vpc          = vpc.my-traffic-mirroring-vpc
  protocol     = "udp" # not TCP: VXLAN is UDP, and a TCP listener would drop all of it silently
  port         = 4789
  health_check = { protocol = "tcp", port = 80 } # UDP gives no answer that could tell health
  targets      = [instance.target-instance-1, instance.target-instance-2]
}

load_balancer "my-traffic-mirroring-nlb" {
  scheme    = "internal"
  subnets   = [subnet.target-subnet]
  listeners = [{ protocol = "udp", port = 4789, target_group = target_group.targets }]
}

mirror_target "nlb-mirror-target" { load_balancer = load_balancer.my-traffic-mirroring-nlb }

mirror_filter "traffic-mirror-filter" {
  rules = [
    # The lowest number decides, so what is rejected comes first. No direction means both.
    { number = 10, action = "reject", protocol = "tcp", port = 22 },
    { number = 100, action = "accept", protocol = "tcp" },
  ]
}

mirror_session "my-traffic-mirror-session" {
  source = instance.source-instance
  target = mirror_target.nlb-mirror-target
  filter = mirror_filter.traffic-mirror-filter
  number = 1 # no packet_length: whole packets, behind a load balancer up to 8500 bytes
}

output "ssh" { value = "ssh ec2-user@${instance.source-instance.public_ip}" }
output "load_balancer" { value = load_balancer.my-traffic-mirroring-nlb.dns_name }
output "vni" { value = mirror_session.my-traffic-mirror-session.vni }
