//! Scalars: numbers, ranges and words of AWS networking, with their limits built into the type.
//!
//! Each is parsed once, where it enters. A `SessionNumber` is between 1 and 32766 because no other
//! can be constructed.

mod account;
mod allotment;
mod allowance;
mod bit_rate;
mod choice;
mod coordination;
mod name;
mod number;
mod range;
mod text;

pub use account::{AccountName, RoleArn};
pub use allotment::{Allotment, CountRange};
pub use allowance::Allowance;
pub use bit_rate::{BitRate, BitRateError};
pub use choice::{
    Direction, ElbProtocol, HealthProtocol, HealthSource, Interfaces, Reviewed, RuleAction, Scheme,
};
pub use coordination::Coordination;
pub use name::{
    AccountId, Ami, AutoscalingGroupName, AvailabilityZone, ElbName, HealthPort, InstanceType,
    LaunchTemplateName, Principal, Region, RouteTarget, SharePrincipal, TransitGatewayId,
};
pub use number::{
    DeregistrationDelay, GracePeriod, GroupSize, HealthInterval, HealthThreshold, HealthTimeout,
    HopLimit, PacketLength, Port, RangeError, RuleNumber, SessionNumber, Vni,
};
pub use range::{Cidr, IpAddress, IpRange, PortRange, Protocol};
pub use text::ScalarError;
