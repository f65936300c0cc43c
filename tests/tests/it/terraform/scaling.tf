# Receivers that scale, for Terraform: a launch template, an Auto Scaling group of it in two zones, and the target
# group that its instances are registered in.

variable "instance_type" {
  type    = string
  default = "c6i.large"
}

variable "receivers" {
  type    = number
  default = 2
}

data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

data "aws_availability_zones" "all" {}

resource "aws_vpc" "sensors" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "sensors" {
  count             = 2
  vpc_id            = aws_vpc.sensors.id
  cidr_block        = cidrsubnet(aws_vpc.sensors.cidr_block, 8, count.index)
  availability_zone = data.aws_availability_zones.all.names[count.index]
}

resource "aws_security_group" "sensors" {
  name   = "sensors"
  vpc_id = aws_vpc.sensors.id
}

resource "aws_launch_template" "sensor" {
  name                   = "sensor"
  image_id               = data.aws_ssm_parameter.image.value
  instance_type          = var.instance_type
  vpc_security_group_ids = [aws_security_group.sensors.id]
  user_data              = base64encode("#!/bin/sh\n")
  update_default_version = true

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      encrypted   = true
      volume_size = 30
    }
  }

  tag_specifications {
    resource_type = "volume"
    tags          = { of = "sensor" }
  }
}

resource "aws_lb_target_group" "sensors" {
  name     = "sensors"
  vpc_id   = aws_vpc.sensors.id
  protocol = "UDP"
  port     = 4789

  health_check {
    protocol = "TCP"
    port     = 80
  }
}

resource "aws_autoscaling_group" "sensors" {
  name                      = "sensors"
  min_size                  = 1
  max_size                  = 4
  desired_capacity          = var.receivers
  vpc_zone_identifier       = aws_subnet.sensors[*].id
  target_group_arns         = [aws_lb_target_group.sensors.arn]
  health_check_type         = "ELB"
  health_check_grace_period = 300

  launch_template {
    id      = aws_launch_template.sensor.id
    version = "$Default"
  }

  tag {
    key                 = "Name"
    value               = "sensor"
    propagate_at_launch = true
  }
}
