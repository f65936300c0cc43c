# Receivers that come and go by themselves: an Auto Scaling group keeps two to six of them running in two zones, and
# registers them behind a load balancer that sends to both zones. Each installs and starts `mirror-vxlan` at its first
# start; one that does not answer on its own port 8080 is replaced.
stack "scaling" { region = "eu-west-1" }

variable "archive" {
  type        = string
  default     = "https://packages.example.com/mirror-vxlan.tar.gz"
  description = "Where instances fetch the archive of mirror-vxlan."
}

variable "archive_sha256" {
  type        = string
  default     = "0000000000000000000000000000000000000000000000000000000000000000"
  description = "Its SHA-256, as sha256sum prints it."
}

vpc "lab" { cidr = "10.0.0.0/16" }

internet_gateway "internet" { vpc = vpc.lab }

# Receivers fetch the archive over the internet; nothing gets in from there.
route_table "public" {
  vpc     = vpc.lab
  routes  = [{ destination = "0.0.0.0/0", internet_gateway = internet_gateway.internet }]
  subnets = [subnet.a, subnet.b]
}

subnet "a" {
  vpc                 = vpc.lab
  cidr                = cidrsubnet(vpc.lab.cidr, 8, 1)
  availability_zone   = "eu-west-1a"
  public_ip_on_launch = true
}

subnet "b" {
  vpc                 = vpc.lab
  cidr                = cidrsubnet(vpc.lab.cidr, 8, 2)
  availability_zone   = "eu-west-1b"
  public_ip_on_launch = true
}

security_group "application" { vpc = vpc.lab }

security_group "sensors" {
  vpc = vpc.lab
  ingress = [
    { protocol = "udp", port = 4789, cidrs = [vpc.lab.cidr] },
    { protocol = "tcp", port = 8080, cidrs = [subnet.a.cidr, subnet.b.cidr] }, # health checks
  ]
}

launch_template "sensor" {
  instance_type   = "c6i.large"
  security_groups = [security_group.sensors]
  user_data       = <<-EOT
    #!/bin/sh
    set -e
    cat > /etc/mirror-vxlan.toml <<'OPTIONS'
    pcapng = "/var/lib/mirror-vxlan"
    rotate-time = "5m"
    disk-budget = "4GiB"
    health = "[::]:8080"
    drain = "70s"
    OPTIONS
    cd /run
    curl --fail --silent --show-error --location --output mirror-vxlan.tar.gz '${var.archive}'
    echo '${var.archive_sha256}  mirror-vxlan.tar.gz' | sha256sum --check
    tar --extract --gzip --file mirror-vxlan.tar.gz --directory / --skip-old-files
    systemctl daemon-reload
    systemctl enable --now mirror-vxlan
  EOT
}

target_group "sensors" {
  vpc                  = vpc.lab
  health_check         = { protocol = "http", port = 8080, path = "/healthz", interval = 10 }
  deregistration_delay = 60 # seconds for which one that goes still gets its flows; it drains for longer
}

autoscaling_group "sensors" {
  launch_template = launch_template.sensor
  subnets         = [subnet.a, subnet.b]
  min             = 2
  max             = 6 # how many there are in between is left to whatever scales the group
  target_groups   = [target_group.sensors]
}

load_balancer "sensors" {
  scheme     = "internal"
  subnets    = [subnet.a, subnet.b]
  cross_zone = true
  listeners  = [{ protocol = "udp", port = 4789, target_group = target_group.sensors }]
}

instance "application" {
  instance_type   = "t3.micro"
  subnet          = subnet.a
  security_groups = [security_group.application]
}

mirror_target "sensors" { load_balancer = load_balancer.sensors }

mirror_filter "tcp" { rules = [{ number = 100, action = "accept", protocol = "tcp" }] }

mirror_session "application" {
  source = instance.application
  target = mirror_target.sensors
  filter = mirror_filter.tcp
  number = 1
}
