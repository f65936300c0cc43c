//! The ARNs of load balancers, target groups and listeners.

use super::invalid;
use crate::failure::Outcome;
use crate::parameters::Parameters;
use crate::world::Region;

/// Draws the part of an ARN that AWS chooses: sixteen hexadecimal digits.
pub(super) fn draw_suffix(region: &mut Region, sequence: &str) -> String {
    format!("{:016x}", region.draw(sequence))
}

/// Reads a parameter that must be an ARN of a kind (`loadbalancer/`, `targetgroup/`, `listener/`).
pub(super) fn required<'a>(
    parameters: &'a Parameters,
    name: &str,
    (kind, noun): (&str, &str),
) -> Outcome<&'a str> {
    let arn = parameters.required(name)?;
    check(arn, (kind, noun))?;
    Ok(arn)
}

/// Refuses what is not an ARN of a kind.
pub(super) fn check(arn: &str, (kind, noun): (&str, &str)) -> Outcome {
    let resource = arn
        .strip_prefix("arn:")
        .and_then(|rest| rest.splitn(5, ':').nth(4))
        .filter(|_| arn.contains(":elasticloadbalancing:"));
    if resource.is_some_and(|resource| resource.starts_with(kind)) {
        return Ok(());
    }
    Err(invalid(format!("'{arn}' is not a valid {noun} ARN")))
}

pub(super) const LOAD_BALANCER: (&str, &str) = ("loadbalancer/", "load balancer");
pub(super) const LISTENER: (&str, &str) = ("listener/", "listener");
pub(super) const TARGET_GROUP: (&str, &str) = ("targetgroup/", "target group");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_arns_of_the_kind_pass() {
        let made = "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/a/0123456789abcdef";
        assert!(check(made, LOAD_BALANCER).is_ok());
        assert!(check(made, TARGET_GROUP).is_err());
        for text in ["", "arn:", "arn:aws:ec2:us-east-1:1:loadbalancer/a", "::::::", "x"] {
            assert!(check(text, LOAD_BALANCER).is_err(), "{text}");
        }
    }
}
