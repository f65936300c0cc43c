//! Whole numbers with a range.

use std::fmt;

use crate::attribute::{AttributeType, ProblemSort, Problems, Type};
use crate::value::{Number, Path, Value};

/// Declares whole numbers with a range.
macro_rules! numbers {
    ($($(#[doc = $doc:literal])+ $name:ident: $inner:ident in $min:literal ..= $max:literal;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name($inner);

        impl $name {
            /// The least.
            pub const MIN: Self = Self($min);
            /// The greatest.
            pub const MAX: Self = Self($max);

            /// The number, if it is in the range.
            #[must_use]
            pub const fn new(number: $inner) -> Option<Self> {
                if matches!(number, $min..=$max) { Some(Self(number)) } else { None }
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = RangeError;

            fn try_from(number: i64) -> Result<Self, RangeError> {
                $inner::try_from(number)
                    .ok()
                    .and_then(Self::new)
                    .ok_or(RangeError { number, min: $min, max: $max })
            }
        }

        impl From<$name> for i64 {
            fn from(number: $name) -> Self {
                Self::from(number.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl AttributeType for $name {
            const TYPE: Type = Type::Integer { min: $min, max: $max };

            fn read(value: &Value, at: &Path, problems: &mut Problems) -> Option<Self> {
                let number = whole(value, at, problems)?;
                Self::try_from(number)
                    .map_err(|error| problems.add(ProblemSort::Value, at, error.to_string()))
                    .ok()
            }

            fn to_value(&self) -> Value {
                Value::integer(*self)
            }
        }
    )+};
}

/// A number outside its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{number} is not between {min} and {max}")]
pub struct RangeError {
    number: i64,
    min: i64,
    max: i64,
}

/// The whole number in `value`: a number, or a text of digits, as variables set from outside are.
fn whole(value: &Value, at: &Path, problems: &mut Problems) -> Option<i64> {
    let whole = match value {
        Value::Number(number) => number.to_i64(),
        Value::String(text) => text.parse::<Number>().ok().and_then(|number| number.to_i64()),
        _ => None,
    };
    if whole.is_none() {
        problems.expected(at, "a whole number", value);
    }
    whole
}

numbers! {
    /// The order in which the sessions of one interface are tried, lowest first.
    ///
    /// Source: EC2 API reference, `CreateTrafficMirrorSession`: 1 to 32766.
    SessionNumber: u16 in 1..=32766;
    /// The order in which the rules of one direction are tried, lowest first.
    ///
    /// AWS documents no range; 1 to 32766 is what the console accepts.
    RuleNumber: u16 in 1..=32766;
    /// How many bytes of each packet are mirrored, counted from the inner Ethernet header.
    ///
    /// Source: EC2 API reference, `CreateTrafficMirrorSession`: 1 to 8500.
    PacketLength: u16 in 1..=8500;
    /// A VXLAN network identifier, 24 bits. AWS picks a random one where none is given.
    ///
    /// Source: RFC 7348, section 5. Zero is left out: AWS does not state that it accepts it.
    Vni: u32 in 1..=16_777_215;
    /// A TCP or UDP port.
    Port: u16 in 1..=65535;
    /// Seconds between health checks.
    ///
    /// Source: Network Load Balancer guide, "Health checks for your target groups".
    HealthInterval: u16 in 5..=300;
    /// Seconds after which a health check without a response has failed.
    HealthTimeout: u16 in 2..=120;
    /// Health checks in a row that change a target's state.
    HealthThreshold: u8 in 2..=10;
    /// How many hops a response of the instance metadata service may travel.
    ///
    /// Source: EC2 API reference, `InstanceMetadataOptionsRequest`: 1 to 64.
    HopLimit: u8 in 1..=64;
    /// Seconds for which a deregistered target still gets its flows.
    ///
    /// Source: ELBv2 API reference, `TargetGroupAttribute`.
    DeregistrationDelay: u16 in 0..=3600;
    /// How many instances an Auto Scaling group has.
    ///
    /// AWS documents no maximum; no VPC has this many addresses.
    GroupSize: u32 in 0..=100_000;
    /// Seconds for which a new instance of an Auto Scaling group is not counted as unhealthy.
    ///
    /// AWS documents no maximum; this is half a day.
    GracePeriod: u16 in 0..=43_200;
}
