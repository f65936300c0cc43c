//! Launches from launch templates: they are checked with the contents of the template.
//!
//! Whoever makes an Auto Scaling group from a template, or gives it another one, must be allowed to launch from it.
//! Source: EC2 Auto Scaling user guide, "Control Amazon EC2 launch template usage in Auto Scaling groups".

use crate::ec2::launch_template;
use crate::parameters::Parameters;
use crate::request::{Request, Service};
use crate::world::Region;

const TEMPLATE: &str = "LaunchTemplate";

/// A call of `RunInstances` with the parameters of its launch template added, if it names an existing one.
pub(super) fn filled(request: &Request, region: &Region) -> Option<Request> {
    if request.service != Service::Ec2 || request.action != "RunInstances" {
        return None;
    }
    let specification = request.parameters.structure(TEMPLATE)?;
    let filled = launch_template::filled(region, specification, &request.parameters);
    let (_, parameters) = filled.ok()?;
    Some(Request { parameters, ..request.clone() })
}

/// The launch that a call on an Auto Scaling group stands for, if it names a template.
pub(super) fn of_group(request: &Request, region: &Region) -> Option<Request> {
    let parameters = &request.parameters;
    if request.service != Service::AutoScaling {
        return None;
    }
    parameters.structure(TEMPLATE)?;
    let mut pairs: Vec<(String, String)> = parameters.pairs();
    pairs.retain(|(name, _)| name.starts_with(TEMPLATE));
    let group = parameters.given("AutoScalingGroupName").unwrap_or_default();
    let subnets = match parameters.given("VPCZoneIdentifier") {
        Some(subnets) => subnets.split(',').next(),
        None => region.auto_scaling_groups.get(group).and_then(|group| group.subnet()),
    };
    pairs.extend(subnets.map(|subnet| ("SubnetId".to_owned(), subnet.trim().to_owned())));
    Some(Request {
        service: Service::Ec2,
        action: "RunInstances".to_owned(),
        parameters: Parameters::from_pairs(pairs),
        ..request.clone()
    })
}
