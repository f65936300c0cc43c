//! Making a target group. A repeated call with the same settings returns the existing one.

use super::{GENEVE, GENEVE_PORT, HealthCheck, TargetGroup, TargetType, write};
use crate::elbv2::attribute::Attributes;
use crate::elbv2::{arn, check_name, invalid, tag, unconfigurable};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::world::{Call, Region};
use crate::xml::Xml;

/// The protocols of target groups behind Network and Gateway Load Balancers.
const PROTOCOLS: [&str; 5] = [GENEVE, "TCP", "TCP_UDP", "TLS", "UDP"];

/// Handles `CreateTargetGroup`.
pub(super) fn create(call: &mut Call<'_>, xml: &mut Xml) -> Outcome {
    let wanted = read(call.region, call.parameters)?;
    let existing = call.region.target_groups.values().find(|group| group.name == wanted.name);
    let arn = match existing {
        Some(existing) if has_settings(existing, &wanted) => existing.arn.clone(),
        Some(existing) => {
            let name = &existing.name;
            let message = format!(
                "A target group with the same name '{name}' exists, but with different settings"
            );
            return Err(Failure::new("DuplicateTargetGroupName", message));
        }
        None => make(call, wanted)?,
    };
    let region = &*call.region;
    xml.members("TargetGroups", region.target_groups.get(&arn), |xml, group| {
        write(region, group, xml);
    });
    Ok(())
}

/// Reads a target group that has no ARN yet.
fn read(region: &Region, parameters: &Parameters) -> Outcome<TargetGroup> {
    let name = parameters.required("Name")?;
    check_name("target group", name)?;
    let target_type = target_type(parameters)?;
    let protocol = protocol(parameters)?;
    let port: u16 = parameters.required_parsed("Port")?;
    if port == 0 {
        return Err(invalid("The port must be between 1 and 65535"));
    }
    if protocol == GENEVE && port != GENEVE_PORT {
        let message = format!("Port must be {GENEVE_PORT} for target groups of GENEVE");
        return Err(unconfigurable(message));
    }
    let vpc_id = parameters.required("VpcId")?;
    if !region.vpcs.contains(vpc_id) {
        return Err(invalid(format!("The VPC ID '{vpc_id}' is not found")));
    }
    if parameters.text("IpAddressType").is_some_and(|word| word != "ipv4") {
        return Err(unconfigurable("mirror-local implements only target groups of IPv4"));
    }
    Ok(TargetGroup {
        arn: String::new(),
        name: name.to_owned(),
        protocol: protocol.to_owned(),
        port,
        vpc_id: vpc_id.to_owned(),
        target_type,
        health_check: HealthCheck::read(parameters, protocol)?,
        targets: Vec::new(),
        attributes: Attributes::default(),
        tags: tag::listed(parameters)?,
    })
}

fn protocol(parameters: &Parameters) -> Outcome<&str> {
    match parameters.required("Protocol")? {
        text if PROTOCOLS.contains(&text) => Ok(text),
        text @ ("HTTP" | "HTTPS" | "QUIC" | "TCP_QUIC") => Err(unconfigurable(format!(
            "mirror-local does not implement target groups of the protocol {text}"
        ))),
        text => Err(invalid(format!("'{text}' is not a valid protocol"))),
    }
}

fn target_type(parameters: &Parameters) -> Outcome<TargetType> {
    match parameters.text("TargetType").unwrap_or("instance") {
        "instance" => Ok(TargetType::Instance),
        "ip" => Ok(TargetType::Ip),
        text @ ("alb" | "lambda") => Err(unconfigurable(format!(
            "mirror-local does not implement target groups of the type {text}"
        ))),
        text => Err(invalid(format!("'{text}' is not a valid target type"))),
    }
}

/// Compares all but the tags and what a create call does not set.
fn has_settings(group: &TargetGroup, wanted: &TargetGroup) -> bool {
    let TargetGroup { protocol, port, vpc_id, target_type, health_check, .. } = wanted;
    (&group.protocol, group.port, &group.vpc_id) == (protocol, *port, vpc_id)
        && (group.target_type, &group.health_check) == (*target_type, health_check)
}

fn make(call: &mut Call<'_>, group: TargetGroup) -> Outcome<String> {
    let max = call.settings.quotas.target_groups;
    if call.region.target_groups.len() >= max {
        let message = format!("The maximum number of target groups has been reached ({max})");
        return Err(Failure::new("TooManyTargetGroups", message));
    }
    let suffix = arn::draw_suffix(call.region, "target group");
    let arn = call
        .region
        .arn("elasticloadbalancing", format_args!("targetgroup/{}/{suffix}", group.name));
    call.region.target_groups.insert(&*arn, TargetGroup { arn: arn.clone(), ..group });
    Ok(arn)
}
