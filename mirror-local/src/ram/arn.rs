//! The ARNs of Resource Access Manager, and of what is shared by it.

use super::{invalid, not_permitted, unknown};
use crate::failure::{Failure, Outcome};
use crate::world::Region;

/// What precedes the id in the resource part of a share's ARN.
pub(super) const SHARE: &str = "resource-share/";
/// What precedes the id in the resource part of an invitation's ARN.
pub(super) const INVITATION: &str = "resource-share-invitation/";
/// What precedes the id in the resource part of a mirror target's ARN.
pub(super) const TARGET: &str = "traffic-mirror-target/";

/// The type of the resources that can be shared here: AWS RAM user guide, "Shareable AWS resources".
pub(crate) const TARGET_TYPE: &str = "ec2:TrafficMirrorTarget";

/// Checks that an ARN is one of Resource Access Manager, of a kind.
pub(super) fn check(arn: &str, kind: &str) -> Outcome {
    match split(arn) {
        Some(["ram", _, _, resource]) if resource.starts_with(kind) => Ok(()),
        Some(_) | None => Err(malformed(arn)),
    }
}

/// Reads the ARN of a mirror target of a Region, in order to share it.
pub(super) fn own_target(region: &Region, arn: &str) -> Outcome<String> {
    let [service, at, account, resource] = split(arn).ok_or_else(|| malformed(arn))?;
    let id = resource.strip_prefix(TARGET).filter(|_| service == "ec2").ok_or_else(|| {
        invalid(format_args!("mirror-local shares {TARGET_TYPE} and nothing else: {arn}"))
    })?;
    if account != region.account {
        return Err(not_permitted("You can share only resources that your account owns."));
    }
    if at != region.name || !region.mirror_targets.contains(id) {
        return Err(unknown("Resource", arn));
    }
    Ok(target(region, id))
}

/// Returns the ARN of a mirror target of a Region.
pub(super) fn target(region: &Region, id: &str) -> String {
    region.arn("ec2", format_args!("{TARGET}{id}"))
}

/// Service, Region, account and resource of an ARN.
fn split(arn: &str) -> Option<[&str; 4]> {
    let mut parts = arn.splitn(6, ':');
    let ("arn", _partition) = (parts.next()?, parts.next()?) else { return None };
    Some([parts.next()?, parts.next()?, parts.next()?, parts.next()?])
}

fn malformed(arn: &str) -> Failure {
    let message = format!("The specified ARN is not valid: {arn}");
    Failure::new("MalformedArnException", message)
}
