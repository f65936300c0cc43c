//! The health check of a target group, with AWS's defaults and limits.

use super::GENEVE;
use crate::elbv2::{invalid, unconfigurable};
use crate::failure::Outcome;
use crate::parameters::Parameters;
use crate::xml::Xml;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// How targets are probed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HealthCheck {
    pub(crate) protocol: String,
    /// A port, or `None` for the one on which a target receives traffic.
    pub(crate) port: Option<u16>,
    pub(crate) interval_s: u32,
    pub(crate) timeout_s: u32,
    pub(crate) healthy_threshold: u32,
    pub(crate) unhealthy_threshold: u32,
    /// For HTTP and HTTPS.
    pub(crate) path: Option<String>,
    /// For HTTP and HTTPS: the codes of a healthy answer.
    pub(crate) matcher: Option<String>,
}

/// The protocols of health checks, each with its default timeout in seconds.
const PROTOCOLS: [(&str, u32); 3] = [("TCP", 10), ("HTTP", 6), ("HTTPS", 10)];

const TRAFFIC_PORT: &str = "traffic-port";
const PATH_LENGTH_MAX: usize = 1024;
const CODES: RangeInclusive<u32> = 200..=599;

impl HealthCheck {
    /// Reads the health check of a new target group of a protocol.
    ///
    /// The defaults behind a Gateway Load Balancer differ: Elastic Load Balancing API reference, `CreateTargetGroup`.
    pub(super) fn read(parameters: &Parameters, of: &str) -> Outcome<Self> {
        let protocol = protocol(parameters)?.unwrap_or("TCP");
        let timeout = PROTOCOLS.iter().find(|(known, _)| *known == protocol);
        let timeout = timeout.map_or(10, |(_, seconds)| *seconds);
        let (port, interval_s, timeout_s) =
            if of == GENEVE { (Some(80), 10, 5) } else { (None, 30, timeout) };
        let default = Self {
            protocol: protocol.to_owned(),
            port,
            interval_s,
            timeout_s,
            healthy_threshold: 5,
            unhealthy_threshold: 2,
            path: None,
            matcher: None,
        };
        default.changed(parameters)
    }

    /// Reads what a call changes in a health check.
    pub(super) fn changed(self, parameters: &Parameters) -> Outcome<Self> {
        if parameters.boolean("HealthCheckEnabled")? == Some(false) {
            let message = "Health checks must be enabled for target groups of this type";
            return Err(unconfigurable(message));
        }
        let number = |name, range| number(parameters, name, range);
        let protocol = protocol(parameters)?.map_or(self.protocol, str::to_owned);
        let changed = Self {
            port: port(parameters)?.unwrap_or(self.port),
            interval_s: number("HealthCheckIntervalSeconds", 5..=300)?.unwrap_or(self.interval_s),
            timeout_s: number("HealthCheckTimeoutSeconds", 2..=120)?.unwrap_or(self.timeout_s),
            healthy_threshold: number("HealthyThresholdCount", 2..=10)?
                .unwrap_or(self.healthy_threshold),
            unhealthy_threshold: number("UnhealthyThresholdCount", 2..=10)?
                .unwrap_or(self.unhealthy_threshold),
            path: for_http(&protocol, path(parameters)?, (self.path, "/"))?,
            matcher: for_http(&protocol, matcher(parameters)?, (self.matcher, "200-399"))?,
            protocol,
        };
        if changed.timeout_s > changed.interval_s {
            return Err(invalid(format!(
                "Health check timeout '{}' must be smaller than the interval '{}'",
                changed.timeout_s, changed.interval_s
            )));
        }
        Ok(changed)
    }

    /// Writes the health check as part of a target group.
    pub(super) fn write(&self, xml: &mut Xml) {
        xml.text("HealthCheckProtocol", &self.protocol);
        match self.port {
            Some(port) => xml.text("HealthCheckPort", port),
            None => xml.text("HealthCheckPort", TRAFFIC_PORT),
        }
        xml.text("HealthCheckEnabled", true);
        xml.text("HealthCheckIntervalSeconds", self.interval_s);
        xml.text("HealthCheckTimeoutSeconds", self.timeout_s);
        xml.text("HealthyThresholdCount", self.healthy_threshold);
        xml.text("UnhealthyThresholdCount", self.unhealthy_threshold);
        xml.optional("HealthCheckPath", self.path.as_ref());
        if let Some(codes) = &self.matcher {
            xml.element("Matcher", |xml| xml.text("HttpCode", codes));
        }
    }
}

fn protocol(parameters: &Parameters) -> Outcome<Option<&str>> {
    match parameters.text("HealthCheckProtocol") {
        None => Ok(None),
        Some(text) if PROTOCOLS.iter().any(|(known, _)| *known == text) => Ok(Some(text)),
        Some(text @ ("UDP" | "TCP_UDP" | "TLS" | "GENEVE" | "QUIC" | "TCP_QUIC")) => {
            Err(unconfigurable(format!(
                "Health check protocol '{text}' is not supported; use TCP, HTTP or HTTPS"
            )))
        }
        Some(text) => Err(invalid(format!("'{text}' is not a valid health check protocol"))),
    }
}

/// Reads the port; `Some(None)` is the traffic port.
fn port(parameters: &Parameters) -> Outcome<Option<Option<u16>>> {
    match parameters.text("HealthCheckPort") {
        None => Ok(None),
        Some(TRAFFIC_PORT) => Ok(Some(None)),
        Some(text) => match text.parse() {
            Ok(port @ 1..) => Ok(Some(Some(port))),
            _ => Err(invalid(format!("Health check port '{text}' is not valid"))),
        },
    }
}

fn number(parameters: &Parameters, name: &str, range: RangeInclusive<u32>) -> Outcome<Option<u32>> {
    let Some(text) = parameters.text(name) else { return Ok(None) };
    let number = text.parse().ok().filter(|number| range.contains(number));
    let (low, high) = (range.start(), range.end());
    number
        .map(Some)
        .ok_or_else(|| invalid(format!("{name} '{text}' must be between {low} and {high}")))
}

fn path(parameters: &Parameters) -> Outcome<Option<&str>> {
    let path = parameters.text("HealthCheckPath");
    if path.is_some_and(|path| !path.starts_with('/') || path.len() > PATH_LENGTH_MAX) {
        return Err(invalid(
            "The health check path must begin with '/' and have at most 1024 characters",
        ));
    }
    Ok(path)
}

/// Reads the codes of a healthy answer: `200`, `200-299`, or several of these.
fn matcher(parameters: &Parameters) -> Outcome<Option<&str>> {
    let Some(matcher) = parameters.structure("Matcher") else { return Ok(None) };
    let codes = matcher.required("HttpCode")?;
    let code = |text: &str| text.parse().ok().filter(|code| CODES.contains(code));
    let range = |text: &str| match text.split_once('-') {
        Some((low, high)) => matches!((code(low), code(high)), (Some(l), Some(h)) if l <= h),
        None => code(text).is_some(),
    };
    if codes.split(',').all(range) {
        return Ok(Some(codes));
    }
    Err(invalid(format!("Health check matcher HTTP code '{codes}' must be within 200-599")))
}

/// Returns a setting that only health checks by HTTP have.
fn for_http(
    protocol: &str,
    asked: Option<&str>,
    (before, default): (Option<String>, &str),
) -> Outcome<Option<String>> {
    match (protocol.starts_with("HTTP"), asked) {
        (false, None) => Ok(None),
        (false, Some(_)) => {
            let message = "A path or matcher can only be set for health checks by HTTP or HTTPS";
            Err(unconfigurable(message))
        }
        (true, Some(asked)) => Ok(Some(asked.to_owned())),
        (true, None) => Ok(before.or_else(|| Some(default.to_owned()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_single_ranges_or_lists_within_limits() {
        let accepted =
            |codes: &str| matcher(&Parameters::from_pairs([("Matcher.HttpCode", codes)])).is_ok();
        assert_eq!(["200", "200-299", "200,302,400-599"].map(accepted), [true; 3]);
        assert_eq!(["199", "600", "299-200", "200,", "a", "-", "200-"].map(accepted), [false; 7]);
    }

    #[test]
    fn the_defaults_are_those_of_the_protocol() {
        let of = |protocol: &str, pairs: &[(&str, &str)]| {
            HealthCheck::read(&Parameters::from_pairs(pairs.iter().copied()), protocol).unwrap()
        };
        let geneve = of(GENEVE, &[]);
        assert_eq!((geneve.port, geneve.interval_s, geneve.timeout_s), (Some(80), 10, 5));
        let (tcp, http) = (of("UDP", &[]), of("UDP", &[("HealthCheckProtocol", "HTTP")]));
        assert_eq!((tcp.timeout_s, http.timeout_s), (10, 6));
        assert_eq!((tcp.path, http.path.as_deref()), (None, Some("/")));
        assert_eq!(http.matcher.as_deref(), Some("200-399"));
    }
}
