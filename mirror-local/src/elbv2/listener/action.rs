//! What a listener does: it forwards to one target group.

use crate::elbv2::target_group::GENEVE;
use crate::elbv2::{arn, invalid, unconfigurable};
use crate::failure::{Failure, Outcome};
use crate::parameters::Parameters;
use crate::xml::Xml;

/// Protocols of listeners, each with those of the target groups that can serve it.
const PROTOCOLS: [(&str, &[&str]); 3] =
    [("TCP", &["TCP", "TCP_UDP"]), ("UDP", &["UDP", "TCP_UDP"]), ("TCP_UDP", &["TCP_UDP"])];

/// Reads the protocol of a listener.
pub(super) fn protocol(parameters: &Parameters) -> Outcome<Option<String>> {
    let Some(text) = parameters.text("Protocol") else { return Ok(None) };
    match text {
        text if PROTOCOLS.iter().any(|(protocol, _)| *protocol == text) => Ok(Some(text.into())),
        "TLS" => certificate(parameters),
        "HTTP" | "HTTPS" | "GENEVE" | "QUIC" | "TCP_QUIC" => {
            let message = format!("The protocol {text} is not supported for this load balancer");
            Err(Failure::new("UnsupportedProtocol", message))
        }
        _ => Err(invalid(format!("'{text}' is not a valid protocol"))),
    }
}

/// The failure of a listener that needs a certificate: a local AWS has none.
fn certificate(parameters: &Parameters) -> Outcome<Option<String>> {
    match parameters.list("Certificates").first() {
        None => Err(invalid("A certificate must be specified for TLS listeners")),
        Some(certificate) => {
            let arn = certificate.text("CertificateArn").unwrap_or_default();
            Err(Failure::new("CertificateNotFound", format_args!("Certificate '{arn}' not found")))
        }
    }
}

/// Refuses a target group whose protocol cannot serve the listener's, which is `None` for a listener of a Gateway Load
/// Balancer.
pub(super) fn check_protocols(listener: Option<&str>, group: &str) -> Outcome {
    let serves = match listener {
        None => group == GENEVE,
        Some(listener) => {
            let mut all = PROTOCOLS.iter();
            all.any(|(protocol, by)| *protocol == listener && by.contains(&group))
        }
    };
    if serves {
        return Ok(());
    }
    let listener = listener.unwrap_or("gateway load balancer");
    let message =
        format!("A target group of the protocol {group} cannot serve a {listener} listener");
    Err(Failure::new("IncompatibleProtocols", message))
}

/// Reads the target group of the default action.
pub(super) fn target_group(parameters: &Parameters) -> Outcome<Option<String>> {
    let actions = parameters.list("DefaultActions");
    let action = match actions.as_slice() {
        [] => return Ok(None),
        [action] => action,
        _ => return Err(Failure::new("TooManyActions", "A listener has one default action")),
    };
    if action.required("Type")? != "forward" {
        let message = "A listener of this type of load balancer can only forward";
        return Err(Failure::new("InvalidLoadBalancerAction", message));
    }
    let named = action.text("TargetGroupArn");
    let weighed = action.structure("ForwardConfig").map(|config| config.list("TargetGroups"));
    let weighed = weighed.unwrap_or_default();
    let arn = match (named, weighed.as_slice()) {
        (Some(arn), []) => arn,
        (None, [group]) => group.required("TargetGroupArn")?,
        (Some(arn), [group]) if group.text("TargetGroupArn") == Some(arn) => arn,
        (None, []) => return Err(invalid("The action must name a target group")),
        (Some(_), [_]) => return Err(invalid("The action names two target groups")),
        (_, [_, _, ..]) => {
            let message = "mirror-local implements only actions that forward to one target group";
            return Err(unconfigurable(message));
        }
    };
    arn::check(arn, arn::TARGET_GROUP)?;
    Ok(Some(arn.to_owned()))
}

/// Writes the default action.
pub(super) fn write(xml: &mut Xml, target_group: &str) {
    xml.members("DefaultActions", [target_group], |xml, arn| {
        xml.text("Type", "forward");
        xml.text("TargetGroupArn", arn);
        xml.element("ForwardConfig", |xml| {
            xml.members("TargetGroups", [arn], |xml, arn| xml.text("TargetGroupArn", arn));
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_serves_what_it_speaks() {
        let fits = |listener, group| check_protocols(Some(listener), group).is_ok();
        assert!(fits("UDP", "UDP") && fits("UDP", "TCP_UDP") && fits("TCP_UDP", "TCP_UDP"));
        assert!(!fits("UDP", "TCP") && !fits("TCP_UDP", "UDP") && !fits("TCP", "UDP"));
        assert!(!fits("UDP", GENEVE));
        assert_eq!(
            [GENEVE, "UDP"].map(|group| check_protocols(None, group).is_ok()),
            [true, false]
        );
    }
}
