//! Shares, in the provider's words.

use super::*;

fn sharing() -> crate::stack::Stack {
    stack(json!({
        "mirror_target.sensor": { "network_interface": "eni-0a1b2c3d4e5f67890" },
        "resource_share.sensors": {
            "mirror_targets": ["@mirror_target.sensor", "tmt-0a1b2c3d4e5f67890"],
            "principals": [
                "222233334444",
                "arn:aws:organizations::123456789012:organization/o-a1b2c3d4e5",
            ],
            "tags": { "Team": "a" },
        },
    }))
}

#[test]
fn a_share_is_a_resource_and_one_for_each_thing_in_it() {
    let stack = sharing();
    let export = Export::of(&stack, &applied(&stack)).unwrap();
    let (_, resources) = export.configuration.split_once("resource").unwrap();
    assert_snapshot!(format!("resource{resources}"), @r#"
    resource "aws_ec2_traffic_mirror_target" "sensor" {
      network_interface_id = "eni-0a1b2c3d4e5f67890"
      tags                 = { Name = "sensor" }
    }

    resource "aws_ram_resource_share" "sensors" {
      allow_external_principals = true
      name                      = "picked"
      tags = {
        Name = "sensors"
        Team = "a"
      }
    }

    resource "aws_ram_resource_association" "sensors_sensor" {
      resource_arn       = aws_ec2_traffic_mirror_target.sensor.arn
      resource_share_arn = aws_ram_resource_share.sensors.id
    }

    resource "aws_ram_resource_association" "sensors_tmt-0a1b2c3d4e5f67890" {
      resource_arn       = "arn:aws:ec2:eu-west-1:123456789012:traffic-mirror-target/tmt-0a1b2c3d4e5f67890"
      resource_share_arn = aws_ram_resource_share.sensors.id
    }

    resource "aws_ram_principal_association" "sensors_222233334444" {
      principal          = "222233334444"
      resource_share_arn = aws_ram_resource_share.sensors.id
    }

    resource "aws_ram_principal_association" "sensors_arn_aws_organizations__123456789012_organization" {
      principal          = "arn:aws:organizations::123456789012:organization/o-a1b2c3d4e5"
      resource_share_arn = aws_ram_resource_share.sensors.id
    }
    "#);
    assert_snapshot!(export.imports, @r#"
    import {
      to = aws_ec2_traffic_mirror_target.sensor
      id = "tmt-50e783c4d56ec2ffc"
    }

    import {
      to = aws_ram_resource_share.sensors
      id = "arn:aws:ram:eu-west-1:123456789012:resource-share/f074ff49b80cdb98d"
    }

    import {
      to = aws_ram_resource_association.sensors_sensor
      id = "arn:aws:ram:eu-west-1:123456789012:resource-share/f074ff49b80cdb98d,arn:aws:ec2:eu-west-1:123456789012:traffic-mirror-target/tmt-50e783c4d56ec2ffc"
    }

    import {
      to = aws_ram_resource_association.sensors_tmt-0a1b2c3d4e5f67890
      id = "arn:aws:ram:eu-west-1:123456789012:resource-share/f074ff49b80cdb98d,arn:aws:ec2:eu-west-1:123456789012:traffic-mirror-target/tmt-0a1b2c3d4e5f67890"
    }

    import {
      to = aws_ram_principal_association.sensors_222233334444
      id = "arn:aws:ram:eu-west-1:123456789012:resource-share/f074ff49b80cdb98d,222233334444"
    }

    import {
      to = aws_ram_principal_association.sensors_arn_aws_organizations__123456789012_organization
      id = "arn:aws:ram:eu-west-1:123456789012:resource-share/f074ff49b80cdb98d,arn:aws:organizations::123456789012:organization/o-a1b2c3d4e5"
    }
    "#);
}

#[test]
fn a_share_that_is_not_there_yet_is_no_other() {
    let stack = sharing();
    let [there, none] = [applied(&stack), nothing()].map(|it| Export::of(&stack, &it).unwrap());
    let resources = |export: &Export| {
        let (_, resources) = export.configuration.split_once("resource \"aws_ram").unwrap();
        resources.replace("picked", "lab-sensors")
    };
    assert_eq!(resources(&there), resources(&none));
    assert_eq!(none.imports, "");
}
