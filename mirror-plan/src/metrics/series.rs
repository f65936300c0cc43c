//! Series of data points: their names in CloudWatch, and how their values are combined.

use crate::resource::instance::InstanceId;

/// The length of a period with basic monitoring, in seconds. Instances with detailed monitoring have shorter periods,
/// from which CloudWatch forms these on request.
///
/// Source: EC2 user guide, "Manage detailed monitoring for your EC2 instances".
pub(super) const BASIC: u32 = 300;

/// The length of a period of load balancers, in seconds.
///
/// Source: Network Load Balancer guide, "CloudWatch metrics": measured and sent in 60-second intervals.
const BALANCING: u32 = 60;

/// Data points of one metric of one object, one for each period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// Such as `AWS/EC2`.
    pub namespace: &'static str,
    /// The name of the metric.
    pub name: &'static str,
    /// What the metric is about.
    pub dimensions: Vec<Dimension>,
    /// The length of a period, in seconds.
    pub period: u32,
    /// How a data point is formed.
    pub statistic: Statistic,
}

/// A part of what a metric is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Such as `InstanceId`.
    pub name: &'static str,
    /// Which one.
    pub value: String,
}

/// How a data point is formed, and how all data points are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// The sum.
    Sum,
    /// The least.
    Minimum,
    /// The greatest.
    Maximum,
}

impl Statistic {
    /// Returns CloudWatch's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sum => "Sum",
            Self::Minimum => "Minimum",
            Self::Maximum => "Maximum",
        }
    }
}

impl Series {
    pub(super) fn of_instance(name: &'static str, instance: &InstanceId) -> Self {
        let instance = Dimension { name: "InstanceId", value: instance.to_string() };
        let (namespace, statistic) = ("AWS/EC2", Statistic::Sum);
        Self { namespace, name, dimensions: vec![instance], period: BASIC, statistic }
    }

    /// Returns a series of a load balancer, by its ARN.
    pub(super) fn of_balancer(name: &'static str, statistic: Statistic, arn: &str) -> Self {
        let dimensions = vec![Dimension { name: "LoadBalancer", value: balancer(arn) }];
        Self { namespace: "AWS/NetworkELB", name, dimensions, period: BALANCING, statistic }
    }

    /// Returns a series of a target group behind a load balancer, by their ARNs.
    pub(super) fn of_group(
        name: &'static str,
        statistic: Statistic,
        (balancer_arn, group_arn): (&str, &str),
    ) -> Self {
        let group = group_arn.rsplit(':').next().unwrap_or(group_arn).to_owned();
        let mut series = Self::of_balancer(name, statistic, balancer_arn);
        series.dimensions.push(Dimension { name: "TargetGroup", value: group });
        series
    }

    /// Returns the combined value of the data points; `None` if there are none.
    #[must_use]
    pub fn total(&self, values: &[f64]) -> Option<u64> {
        let values = values.iter().copied();
        let total = match self.statistic {
            Statistic::Sum => values.reduce(|one, other| one + other),
            Statistic::Minimum => values.reduce(f64::min),
            Statistic::Maximum => values.reduce(f64::max),
        };
        total.map(whole)
    }
}

/// Returns `net/NAME/ID`, from the ARN of a load balancer.
fn balancer(arn: &str) -> String {
    arn.split_once(":loadbalancer/").map_or(arn, |(_, path)| path).to_owned()
}

/// Converts a count, which CloudWatch writes as a floating-point number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float saturates, and a count is an integer that is not negative"
)]
fn whole(count: f64) -> u64 {
    count.round() as u64
}
