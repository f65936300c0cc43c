//! Receivers that scale, in the provider's words.

use super::*;

#[test]
fn a_group_and_its_template_are_two_resources_that_are_imported() {
    let stack = stack(json!({
        "launch_template.sensor": {
            "instance_type": "c6i.large", "user_data": "#!/bin/sh\n",
            "security_groups": ["sg-0a1b2c3d4e5f67890"],
        },
        "autoscaling_group.sensors": {
            "launch_template": "@launch_template.sensor", "subnets": ["subnet-0a1b2c3d4e5f67890"],
            "min": 2, "max": 6, "tags": { "Team": "a" },
        },
    }));
    let export = Export::of(&stack, &applied(&stack)).unwrap();
    let (_, resources) = export.configuration.split_once("resource").unwrap();
    assert_snapshot!(format!("resource{resources}"), @r#"
    resource "aws_launch_template" "sensor" {
      image_id               = "ami-00000000000000001"
      instance_type          = "c6i.large"
      name                   = "picked"
      tags                   = { Name = "sensor" }
      update_default_version = true
      user_data              = base64encode(var.sensor_user_data)
      vpc_security_group_ids = ["sg-0a1b2c3d4e5f67890"]

      block_device_mappings {
        device_name = "/dev/xvda"

        ebs {
          encrypted = "true"
        }
      }

      metadata_options {
        http_endpoint               = "enabled"
        http_put_response_hop_limit = 1
        http_tokens                 = "required"
      }
    }

    resource "aws_autoscaling_group" "sensors" {
      health_check_grace_period = 300
      health_check_type         = "EC2"
      max_size                  = 6
      metrics_granularity       = "1Minute"
      min_size                  = 2
      name                      = "picked"
      vpc_zone_identifier       = ["subnet-0a1b2c3d4e5f67890"]
      wait_for_capacity_timeout = "10m"

      launch_template {
        id      = aws_launch_template.sensor.id
        version = "$Default"
      }

      tag {
        key                 = "Name"
        propagate_at_launch = true
        value               = "sensors"
      }

      tag {
        key                 = "Team"
        propagate_at_launch = true
        value               = "a"
      }
    }
    "#);
    assert_snapshot!(export.imports, @r#"
    import {
      to = aws_launch_template.sensor
      id = "lt-f56c0d02edb902a44"
    }

    import {
      to = aws_autoscaling_group.sensors
      id = "picked"
    }
    "#);
}
