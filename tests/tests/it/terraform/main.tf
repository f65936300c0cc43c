# The stack of examples/lab.mirror.hcl, for Terraform. The provider block is not here: the test takes
# it from docs/src/local.md, so that the one which is shown there is the one that works.

variable "rejected_port_last" {
  type    = number
  default = 22
}

locals {
  name     = "my-traffic-mirroring"
  receiver = "#!/bin/sh\nsystemd-run python3 -m http.server 80 --directory $(mktemp -d)\n"
}

data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

resource "aws_vpc" "mirroring" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = "${local.name}-vpc" }
}

resource "aws_subnet" "source" {
  vpc_id     = aws_vpc.mirroring.id
  cidr_block = cidrsubnet(aws_vpc.mirroring.cidr_block, 8, 1)
  tags       = { Name = "source-subnet" }
}

resource "aws_subnet" "target" {
  vpc_id     = aws_vpc.mirroring.id
  cidr_block = cidrsubnet(aws_vpc.mirroring.cidr_block, 8, 2)
  tags       = { Name = "target-subnet" }
}

resource "aws_internet_gateway" "internet" {
  vpc_id = aws_vpc.mirroring.id
  tags   = { Name = "internet" }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.mirroring.id
  tags   = { Name = "public" }

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.internet.id
  }
}

resource "aws_route_table_association" "source" {
  subnet_id      = aws_subnet.source.id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table_association" "target" {
  subnet_id      = aws_subnet.target.id
  route_table_id = aws_route_table.public.id
}

resource "aws_security_group" "source" {
  name        = "source"
  description = "What is mirrored"
  vpc_id      = aws_vpc.mirroring.id

  ingress {
    protocol    = "tcp"
    from_port   = 22
    to_port     = 22
    cidr_blocks = [aws_vpc.mirroring.cidr_block]
  }

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "target" {
  name        = "target"
  description = "What receives"
  vpc_id      = aws_vpc.mirroring.id

  ingress {
    protocol    = "tcp"
    from_port   = 22
    to_port     = 22
    cidr_blocks = [aws_vpc.mirroring.cidr_block]
  }

  ingress {
    description = "Health checks of the load balancer"
    protocol    = "tcp"
    from_port   = 80
    to_port     = 80
    cidr_blocks = [aws_subnet.target.cidr_block]
  }

  ingress {
    description = "Mirrored packets"
    protocol    = "udp"
    from_port   = 4789
    to_port     = 4789
    cidr_blocks = [aws_subnet.source.cidr_block]
  }

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_instance" "source" {
  ami                         = data.aws_ssm_parameter.image.value
  instance_type               = "t3.micro"
  subnet_id                   = aws_subnet.source.id
  vpc_security_group_ids      = [aws_security_group.source.id]
  associate_public_ip_address = true
  tags                        = { Name = "source-instance" }
}

resource "aws_instance" "target" {
  count                  = 2
  ami                    = data.aws_ssm_parameter.image.value
  instance_type          = "t3.micro"
  subnet_id              = aws_subnet.target.id
  vpc_security_group_ids = [aws_security_group.target.id]
  user_data              = local.receiver
  tags                   = { Name = "target-instance-${count.index + 1}" }
}

resource "aws_lb" "mirroring" {
  name               = "${local.name}-nlb"
  internal           = true
  load_balancer_type = "network"
  subnets            = [aws_subnet.target.id]
}

resource "aws_lb_target_group" "targets" {
  name     = "targets"
  vpc_id   = aws_vpc.mirroring.id
  protocol = "UDP"
  port     = 4789

  health_check {
    protocol = "TCP"
    port     = 80
  }
}

resource "aws_lb_target_group_attachment" "targets" {
  count            = 2
  target_group_arn = aws_lb_target_group.targets.arn
  target_id        = aws_instance.target[count.index].id
}

resource "aws_lb_listener" "vxlan" {
  load_balancer_arn = aws_lb.mirroring.arn
  protocol          = "UDP"
  port              = 4789

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.targets.arn
  }
}

resource "aws_ec2_traffic_mirror_target" "nlb" {
  network_load_balancer_arn = aws_lb.mirroring.arn
  tags                      = { Name = "nlb-mirror-target" }
}

resource "aws_ec2_traffic_mirror_filter" "tcp" {
  network_services = ["amazon-dns"]
  tags             = { Name = "traffic-mirror-filter" }
}

resource "aws_ec2_traffic_mirror_filter_rule" "rejected_ingress" {
  traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.tcp.id
  traffic_direction        = "ingress"
  rule_number              = 10
  rule_action              = "reject"
  protocol                 = 6
  source_cidr_block        = "0.0.0.0/0"
  destination_cidr_block   = "0.0.0.0/0"

  destination_port_range {
    from_port = 22
    to_port   = var.rejected_port_last
  }
}

resource "aws_ec2_traffic_mirror_filter_rule" "rejected_egress" {
  traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.tcp.id
  traffic_direction        = "egress"
  rule_number              = 10
  rule_action              = "reject"
  protocol                 = 6
  source_cidr_block        = "0.0.0.0/0"
  destination_cidr_block   = "0.0.0.0/0"

  source_port_range {
    from_port = 22
    to_port   = 22
  }
}

resource "aws_ec2_traffic_mirror_filter_rule" "accepted" {
  for_each = toset(["ingress", "egress"])

  traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.tcp.id
  traffic_direction        = each.key
  rule_number              = 100
  rule_action              = "accept"
  protocol                 = 6
  source_cidr_block        = "0.0.0.0/0"
  destination_cidr_block   = "0.0.0.0/0"
}

resource "aws_ec2_traffic_mirror_session" "mirroring" {
  network_interface_id     = aws_instance.source.primary_network_interface_id
  traffic_mirror_target_id = aws_ec2_traffic_mirror_target.nlb.id
  traffic_mirror_filter_id = aws_ec2_traffic_mirror_filter.tcp.id
  session_number           = 1
  packet_length            = 8500 # what AWS sets behind a load balancer; provider 3 would reset it for ever
  tags                     = { Name = "${local.name}-session" }
}

output "session" { value = aws_ec2_traffic_mirror_session.mirroring.id }
