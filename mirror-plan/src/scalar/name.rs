//! Names that AWS gives meaning to: Regions, zones, images, instance types, load balancers.

use std::fmt;
use std::str::FromStr;

use super::number::Port;
use super::text::{ScalarError, serde_as_attribute, shown_as_inner, text_attributes};
use crate::address::serde_as_text;
use crate::hash::hash_bytes;

text_attributes! {
    AccountId: "twelve digits";
    Ami: "an AMI id, or the SSM parameter that holds one";
    AutoscalingGroupName: "a name of visible ASCII characters without :, at most 255";
    AvailabilityZone: "an Availability Zone, such as eu-west-1a";
    ElbName: "a name of letters, digits and -, at most 32";
    HealthPort: "traffic-port or a port" or HealthPort::number;
    InstanceType: "an instance type, such as t3.micro";
    LaunchTemplateName: "a name of letters, digits and ().-/_, 3 to 128";
    Principal: "the ARN of an account, user or role, or *";
    Region: "a Region, such as eu-west-1";
    RouteTarget: "the id of a gateway, connection, endpoint or interface";
    SharePrincipal: "an account, or the ARN of an organization or of a unit of one";
    TransitGatewayId: "the id of a transit gateway, such as tgw-0a1b2c3d4e5f67890";
}
shown_as_inner!(
    AccountId,
    AutoscalingGroupName,
    AvailabilityZone,
    ElbName,
    InstanceType,
    LaunchTemplateName,
    Principal,
    Region,
    RouteTarget,
    SharePrincipal,
    TransitGatewayId
);
serde_as_text!(
    AccountId,
    Ami,
    AutoscalingGroupName,
    AvailabilityZone,
    ElbName,
    InstanceType,
    LaunchTemplateName,
    Principal,
    Region,
    RouteTarget,
    SharePrincipal,
    TransitGatewayId
);
serde_as_attribute!(HealthPort);

/// The name of a load balancer or target group, unique in account and Region.
///
/// Source: ELBv2 API reference, `CreateLoadBalancer`: up to 32 letters, digits and hyphens, no
/// hyphen at either end, not beginning with `internal-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ElbName(String);

impl ElbName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The longest.
    pub const LONGEST: usize = 32;

    /// The nearest allowed name, followed by `suffix`.
    ///
    /// Other characters become `-`. A long name is cut and ends with a hash of all of it, so that two that
    /// begin alike differ. `suffix` is kept whole, as it distinguishes generations.
    #[must_use]
    pub fn fitted(text: &str, suffix: &str) -> Self {
        let safe = spelled(text, |c| c.is_ascii_alphanumeric());
        let safe = safe.trim_matches('-');
        let safe = safe.strip_prefix("internal-").unwrap_or(safe);
        let safe = if safe.is_empty() { "mirror" } else { safe };
        Self(shortened(safe, suffix, Self::LONGEST))
    }
}

impl FromStr for ElbName {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let allowed = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let ends = text.starts_with('-') || text.ends_with('-') || text.starts_with("internal-");
        if allowed && !ends && (1..=Self::LONGEST).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ScalarError(format!(
                "`{text}` is not a valid name: at most 32 letters, digits and -, no - at either end, \
                 not beginning with internal-"
            )))
        }
    }
}

/// The name of a launch template, unique in account and Region.
///
/// Source: EC2 API reference, `CreateLaunchTemplate`: 3 to 128 letters, digits and `().-/_`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaunchTemplateName(String);

impl LaunchTemplateName {
    /// The longest.
    pub const LONGEST: usize = 128;

    /// The nearest allowed name, by the rules of [`ElbName::fitted`].
    #[must_use]
    pub fn fitted(text: &str, suffix: &str) -> Self {
        Self(shortened(&spelled(text, is_of_template), suffix, Self::LONGEST))
    }
}

/// The name of an Auto Scaling group, unique in account and Region.
///
/// Source: Amazon EC2 Auto Scaling API reference, `CreateAutoScalingGroup`: up to 255 visible ASCII
/// characters, no colon.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AutoscalingGroupName(String);

impl AutoscalingGroupName {
    /// The longest.
    pub const LONGEST: usize = 255;

    /// The nearest allowed name, by the rules of [`ElbName::fitted`].
    #[must_use]
    pub fn fitted(text: &str, suffix: &str) -> Self {
        Self(shortened(&spelled(text, is_of_group), suffix, Self::LONGEST))
    }
}

const fn is_of_template(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '(' | ')' | '.' | '-' | '/' | '_')
}

const fn is_of_group(c: char) -> bool {
    c.is_ascii_graphic() && c != ':'
}

/// The text with `-` in place of each character that is not allowed.
fn spelled(text: &str, allowed: impl Fn(char) -> bool) -> String {
    text.chars().map(|c| if allowed(c) { c } else { '-' }).collect()
}

/// How many digits of the hash end a name that was cut: two long names that begin alike differ.
const HASH: usize = 6;

/// An ASCII text, shortened to at most `longest` bytes including its suffix.
fn shortened(text: &str, suffix: &str, longest: usize) -> String {
    let room = longest - suffix.len();
    if text.len() <= room {
        return format!("{text}{suffix}");
    }
    let hash = hash_bytes(text.as_bytes());
    let digits = &hash[hash.len() - HASH..];
    let kept = text[..room - HASH - 1].trim_end_matches('-');
    format!("{kept}-{digits}{suffix}")
}

/// Where the image of an instance comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ami {
    /// This image.
    Id(crate::id::ImageId),
    /// The image that this public parameter of Systems Manager names when the instance is planned.
    Parameter(String),
}

impl Ami {
    /// The parameter of the current Amazon Linux 2023 for x86-64.
    ///
    /// Source: Amazon Linux 2023 guide, "Launching with SSM".
    pub const AMAZON_LINUX: &str =
        "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
}

impl FromStr for Ami {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        if text.starts_with("/aws/service/") && text.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(Self::Parameter(text.to_owned()));
        }
        text.parse().map(Self::Id).map_err(|error: crate::id::IdError| {
            ScalarError(format!("{error}, or a public parameter such as {}", Self::AMAZON_LINUX))
        })
    }
}

impl fmt::Display for Ami {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => f.pad(id.as_str()),
            Self::Parameter(name) => f.pad(name),
        }
    }
}

/// An instance type: `t3.micro`. Whether AWS offers it, and mirrors from it, is not checked here.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceType(String);

impl FromStr for InstanceType {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let part = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        match text.split_once('.') {
            Some((family, size)) if part(family) && part(size) => Ok(Self(text.to_owned())),
            _ => Err(ScalarError(format!("`{text}` is not an instance type such as t3.micro"))),
        }
    }
}

/// An Availability Zone by name: `eu-west-1a`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AvailabilityZone(String);

/// A Region by name: `eu-west-1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(String);

/// An AWS account: twelve digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(String);

/// Who may do something, as IAM names it: `arn:aws:iam::123456789012:root`, or `*` for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Principal(String);

/// Whom something is shared with: an account, all of an organization, or all of a unit of one.
///
/// Source: AWS RAM API reference, `CreateResourceShare`, `principals`. Traffic mirror targets are not shared
/// with roles or users.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SharePrincipal(String);

impl SharePrincipal {
    /// Whether it is a single account. An account outside the owner's organization is invited, and has to
    /// accept.
    #[must_use]
    pub fn is_account(&self) -> bool {
        is_account(&self.0)
    }
}

/// What a route leads to, if no other attribute of the route names it: `nat-`, `vgw-`, ...
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteTarget(String);

/// A transit gateway by its id. A stack attaches VPCs to it and leaves the gateway itself alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransitGatewayId(String);

/// Text newtypes with a rule for the characters.
macro_rules! texts {
    ($($name:ident: $rule:expr, $error:literal;)+) => {$(
        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ScalarError;

            fn from_str(text: &str) -> Result<Self, ScalarError> {
                let rule: fn(&str) -> bool = $rule;
                if rule(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(ScalarError(format!(concat!("`{}` ", $error), text)))
                }
            }
        }
    )+};
}

/// Whether a text is an id with this prefix.
fn is_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// `arn:aws:organizations::123456789012:organization/o-a1b2c3d4e5`, `...:ou/o-a1b2c3d4e5/ou-ab12-c3d4e5f6`.
///
/// Source: AWS Organizations API reference, `Organization` and `OrganizationalUnit`, the patterns of `Arn`.
fn is_organization(text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    let [arn, partition, service, region, account, resource] = [(); 6].map(|()| parts.next());
    let is_id = |text: &str, prefix: &str| {
        text.strip_prefix(prefix).is_some_and(|id| {
            !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
    };
    (arn, service, region) == (Some("arn"), Some("organizations"), Some(""))
        && partition.is_some_and(|partition| !partition.is_empty())
        && account.is_some_and(is_account)
        && match resource.map(|it| it.split('/').collect::<Vec<_>>()).as_deref() {
            Some(["organization", organization]) => is_id(organization, "o-"),
            Some(["ou", organization, unit]) => is_id(organization, "o-") && is_id(unit, "ou-"),
            _ => false,
        }
}

/// `arn:aws:iam::123456789012:root`, `...:user/NAME`, `...:role/NAME`.
fn is_principal(text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    let [arn, partition, service, region, account, resource] = [(); 6].map(|()| parts.next());
    (arn, service, region) == (Some("arn"), Some("iam"), Some(""))
        && partition.is_some_and(|partition| !partition.is_empty())
        && account.is_some_and(is_account)
        && resource.is_some_and(|it| {
            let named = ["user/", "role/"].map(|kind| it.strip_prefix(kind).unwrap_or_default());
            it == "root" || named.iter().any(|name| !name.is_empty())
        })
}

/// `eu-west-1`, `us-gov-east-1`.
fn is_region(text: &str) -> bool {
    text.split('-').count() >= 3
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && text.ends_with(|c: char| c.is_ascii_digit())
}

texts! {
    LaunchTemplateName: |text| {
        (3..=LaunchTemplateName::LONGEST).contains(&text.len()) && text.chars().all(is_of_template)
    }, "is not the name of a launch template: letters, digits and ().-/_, 3 to 128";
    AutoscalingGroupName: |text| {
        (1..=AutoscalingGroupName::LONGEST).contains(&text.len()) && text.chars().all(is_of_group)
    }, "is not the name of an Auto Scaling group: visible ASCII characters without :, at most 255";
    AvailabilityZone: |text| {
        text.strip_suffix(|c: char| c.is_ascii_lowercase()).is_some_and(is_region)
            || text.split('-').count() > 4 // a Local or Wavelength Zone: us-east-1-bos-1a
    }, "is not an Availability Zone such as eu-west-1a";
    Region: is_region, "is not a Region such as eu-west-1";
    AccountId: is_account, "is not an account: twelve digits";
    RouteTarget: |text| {
        ["nat-", "vgw-", "eni-", "vpce-", "lgw-"].iter().any(|prefix| is_id(text, prefix))
    }, "is not the id of a route target, such as nat-, vgw-, eni- or vpce-...";
    Principal: |text| text == "*" || is_principal(text),
        "is not a principal, such as arn:aws:iam::123456789012:root";
    SharePrincipal: |text| is_account(text) || is_organization(text),
        "is neither an account nor the ARN of an organization or of a unit of one, such as \
         arn:aws:organizations::123456789012:organization/o-a1b2c3d4e5";
    TransitGatewayId: |text| is_id(text, "tgw-"),
        "is not the id of a transit gateway, such as tgw-0a1b2c3d4e5f67890";
}

/// The port that health checks use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HealthPort {
    /// The port that the traffic goes to.
    Traffic,
    /// This one.
    Port(Port),
}

impl HealthPort {
    /// Its number, unless it is the traffic's.
    #[must_use]
    pub const fn number(self) -> Option<u16> {
        match self {
            Self::Traffic => None,
            Self::Port(port) => Some(port.get()),
        }
    }
}

impl fmt::Display for HealthPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Traffic => f.pad("traffic-port"),
            Self::Port(port) => write!(f, "{port}"),
        }
    }
}

impl FromStr for HealthPort {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        if text == "traffic-port" {
            return Ok(Self::Traffic);
        }
        text.parse()
            .ok()
            .and_then(Port::new)
            .map(Self::Port)
            .ok_or_else(|| ScalarError(format!("`{text}` is neither traffic-port nor a port")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_fitted_so_that_two_stay_two() {
        let fitted = |text, suffix| ElbName::fitted(text, suffix).to_string();
        assert_eq!(fitted("lab-my_sensors", ""), "lab-my-sensors");
        assert_eq!(fitted("internal-sensors-of-the-lab-of-al", ""), "sensors-of-the-lab-of-al");
        assert_eq!(fitted("___", "-2"), "mirror-2");
        let long = "production-traffic-mirroring-sensors";
        let (a, b) = (format!("{long}-0"), format!("{long}-1"));
        assert_eq!(fitted(&a, ""), "production-traffic-mirror-4ccbab");
        assert_eq!(fitted(&b, ""), "production-traffic-mirror-5ba097");
        assert_eq!(fitted(&b, "-2"), "production-traffic-mirr-5ba097-2");
        for name in [fitted(&a, ""), fitted(&b, "-12")] {
            assert_eq!(name.parse::<ElbName>().map(|name| name.to_string()), Ok(name));
        }
    }
}
