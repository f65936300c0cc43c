//! Series of data points: what one is called in CloudWatch, and what its values come to.

use crate::resource::instance::InstanceId;

/// The length of a period with basic monitoring, in seconds. Instances with detailed monitoring have shorter ones,
/// of which CloudWatch makes these when it is asked to.
///
/// Source: EC2 user guide, "Manage detailed monitoring for your EC2 instances".
pub(super) const BASIC: u32 = 300;

/// The same of load balancers.
///
/// Source: Network Load Balancer guide, "CloudWatch metrics": measured and sent in 60-second intervals.
const BALANCING: u32 = 60;

/// Data points of one metric of one thing, one for each period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// Such as `AWS/EC2`.
    pub namespace: &'static str,
    /// The name of the metric.
    pub name: &'static str,
    /// What it is a metric of.
    pub dimensions: Vec<Dimension>,
    /// The length of a period, in seconds.
    pub period: u32,
    /// What a data point is made of.
    pub statistic: Statistic,
}

/// A part of what a metric is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Such as `InstanceId`.
    pub name: &'static str,
    /// Which.
    pub value: String,
}

/// What a data point is made of, and all of them together.
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
    /// What CloudWatch calls it.
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

    /// Of a load balancer, by its ARN.
    pub(super) fn of_balancer(name: &'static str, statistic: Statistic, arn: &str) -> Self {
        let dimensions = vec![Dimension { name: "LoadBalancer", value: balancer(arn) }];
        Self { namespace: "AWS/NetworkELB", name, dimensions, period: BALANCING, statistic }
    }

    /// Of a target group behind a load balancer, by their ARNs.
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

    /// What the values of its data points come to; `None` without any.
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

/// `net/NAME/ID`, of the ARN of a load balancer.
fn balancer(arn: &str) -> String {
    arn.split_once(":loadbalancer/").map_or(arn, |(_, path)| path).to_owned()
}

/// A count, which CloudWatch writes as a floating-point number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float saturates, and counts are whole and not negative"
)]
fn whole(count: f64) -> u64 {
    count.round() as u64
}
