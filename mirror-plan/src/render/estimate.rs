//! What a plan costs and how long it takes, as text and as JSON, stated to be estimates.

use std::fmt;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::plan::{ApplyTime, Bound, MonthlyCost, Stage, TimeSource};
use crate::price::{self, Estimate};

/// How many resources of a critical path are named at most.
const STAGES_MAX: usize = 4;

/// A shorter time is not worth a line to those who wait for it.
const WORTH_TELLING: Duration = Duration::from_secs(10);

/// The estimates of a plan that were asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimates {
    /// What a month costs.
    pub cost: Option<MonthlyCost>,
    /// How long the apply takes.
    pub time: Option<ApplyTime>,
}

impl Estimates {
    /// Returns whether no estimate was asked for.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.cost.is_none() && self.time.is_none()
    }

    /// Returns the same as JSON, for programs; `null` for what was not asked for.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let Self { cost, time } = self;
        json!({
            "monthly_cost": cost.as_ref().map(cost_json),
            "apply_time": time.as_ref().map(time_json),
        })
    }
}

/// A line or two for each kind of estimate, with what it is based on; no line if nothing costs anything or takes
/// any time.
impl fmt::Display for Estimates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cost, time } = self;
        if let Some(cost) = cost {
            write_cost(f, cost)?;
        }
        time.as_ref().map_or(Ok(()), |time| write_time(f, time))
    }
}

fn write_cost(f: &mut fmt::Formatter<'_>, cost: &MonthlyCost) -> fmt::Result {
    let MonthlyCost { before, after, load, zone_crossing } = cost;
    let Estimate { sessions, load_balancers, endpoints, .. } = after;
    if before.dollars() <= 0.0 && after.dollars() <= 0.0 {
        return Ok(());
    }
    let difference = match cost.difference() {
        more if more > 0.0 => format!("{more:.2} more than now"),
        less if less < 0.0 => format!("{:.2} less than now", -less),
        _ => "the same as now".to_owned(),
    };
    let mut paid = vec![counted(*sessions, "session"), counted(*load_balancers, "load balancer")];
    if *endpoints > 0 {
        paid.push(counted(*endpoints, "endpoint"));
    }
    let paid = paid.join(", ");
    let (dollars, region, as_of) = (after.dollars(), price::REGION, cost.as_of());
    write!(
        f,
        "Estimated cost: {dollars:.2} USD a month, {difference}: {paid},\n  \
         at list prices of {region}, {as_of}, without instances"
    )?;
    match load {
        None => writeln!(f, " and without copied packets (--load)."),
        Some(load) => writeln!(
            f,
            ".\n  {:.2} of it for {load} from each session; {zone_crossing:.2} more if all of it \
             crosses zones.",
            after.capacity_dollars + after.endpoint_data_dollars
        ),
    }
}

fn write_time(f: &mut fmt::Formatter<'_>, time: &ApplyTime) -> fmt::Result {
    let ApplyTime { estimate, critical_path, bound, source } = time;
    if *estimate < WORTH_TELLING {
        return Ok(());
    }
    let longest = match bound {
        Bound::Rates => ", limited by the call rates of AWS".to_owned(),
        Bound::Path => {
            let long = critical_path.iter().filter(|stage| stage.time >= WORTH_TELLING);
            let long = long.take(STAGES_MAX);
            let named = long.map(|Stage { address, time }| format!("{address} {}", about(*time)));
            let named: Vec<String> = named.collect();
            if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) }
        }
    };
    let source = match source {
        TimeSource::Measured => "from earlier runs",
        TimeSource::Usual => "typical, not measured yet",
    };
    writeln!(f, "Estimated time: about {}{longest} ({source}).", about(*estimate))
}

fn cost_json(cost: &MonthlyCost) -> Json {
    let MonthlyCost { before, after, load, zone_crossing } = cost;
    json!({
        "currency": "USD",
        "before": estimate_json(before),
        "after": estimate_json(after),
        "load": load.map(|load| load.to_string()),
        "zone_crossing": cents(*zone_crossing),
        "prices": { "region": price::REGION, "as_of": cost.as_of() },
    })
}

fn estimate_json(estimate: &Estimate) -> Json {
    let Estimate {
        sessions,
        session_dollars,
        load_balancers,
        load_balancer_dollars,
        capacity_dollars,
        endpoints,
        endpoint_dollars,
        endpoint_data_dollars,
        as_of: _,
    } = estimate;
    json!({
        "total": cents(estimate.dollars()),
        "sessions": { "count": sessions, "total": cents(*session_dollars) },
        "load_balancers": { "count": load_balancers, "total": cents(*load_balancer_dollars) },
        "capacity_units": { "total": cents(*capacity_dollars) },
        "endpoints": { "count": endpoints, "total": cents(*endpoint_dollars) },
        "endpoint_data": { "total": cents(*endpoint_data_dollars) },
    })
}

fn time_json(time: &ApplyTime) -> Json {
    let ApplyTime { estimate, critical_path, bound, source } = time;
    let path = critical_path.iter().map(|Stage { address, time }| {
        json!({ "resource": address.to_string(), "seconds": time.as_secs() })
    });
    json!({
        "seconds": estimate.as_secs(),
        "critical_path": path.collect::<Vec<_>>(),
        "bound": match bound {
            Bound::Path => "critical_path",
            Bound::Rates => "call_rates",
        },
        "source": match source {
            TimeSource::Measured => "earlier_runs",
            TimeSource::Usual => "usual",
        },
    })
}

/// Dollars, to the cent.
fn cents(dollars: f64) -> f64 {
    (dollars * 100.0).round() / 100.0
}

fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// An estimate of a time, written no more exactly than it is known.
pub(super) fn about(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..90 => format!("{seconds} s"),
        seconds @ 90..5400 => format!("{} min", (seconds + 30) / 60),
        seconds => format!("{} h", (seconds + 1800) / 3600),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;
    use crate::observed::Observed;
    use crate::plan::tests::{applied, lab, stack};
    use crate::plan::{Experience, Mode, Request, plan};
    use crate::stack::Stack;

    fn told(stack: &Stack, before: &Observed, request: &Request, load: Option<&str>) -> Estimates {
        let plan = plan(stack, before, request).unwrap();
        Estimates {
            cost: Some(plan.monthly_cost(load.map(|load| load.parse().unwrap()))),
            time: Some(plan.apply_time(&Experience::default())),
        }
    }

    fn nothing() -> Observed {
        Observed::nothing("123456789012".parse().unwrap(), "us-east-1".parse().unwrap())
    }

    #[test]
    fn a_new_stack_costs_what_it_has_and_takes_what_its_balancer_takes() {
        assert_snapshot!(told(&stack(lab()), &nothing(), &Request::default(), None), @"
        Estimated cost: 27.38 USD a month, 27.38 more than now: 1 session, 1 load balancer,
          at list prices of us-east-2, 2026-05-31, without instances and without copied packets (--load).
        Estimated time: about 3 min: load_balancer.sensors 3 min (typical, not measured yet).
        ");
    }

    #[test]
    fn a_load_costs_capacity_and_crossings() {
        let all = Request::default();
        assert_snapshot!(told(&stack(lab()), &nothing(), &all, Some("100mbit")), @"
        Estimated cost: 224.47 USD a month, 224.47 more than now: 1 session, 1 load balancer,
          at list prices of us-east-2, 2026-05-31, without instances.
          197.10 of it for 100mbit from each session; 657.00 more if all of it crosses zones.
        Estimated time: about 3 min: load_balancer.sensors 3 min (typical, not measured yet).
        ");
        // To an interface there is no load balancer that could need more.
        let mut direct = lab();
        direct["mirror_target.nlb"] = json!({ "network_interface": "@instance.one" });
        assert_snapshot!(told(&stack(direct), &nothing(), &all, Some("100mbit")), @"
        Estimated cost: 27.38 USD a month, 27.38 more than now: 1 session, 1 load balancer,
          at list prices of us-east-2, 2026-05-31, without instances.
          0.00 of it for 100mbit from each session; 657.00 more if all of it crosses zones.
        Estimated time: about 3 min: load_balancer.sensors 3 min (typical, not measured yet).
        ");
    }

    #[test]
    fn an_endpoint_costs_itself_its_balancer_and_what_goes_through() {
        let gateway = stack(json!({
            "vpc.lab": { "cidr": "10.0.0.0/16" },
            "subnet.a": { "vpc": "@vpc.lab", "cidr": "10.0.1.0/24", "availability_zone": "us-east-1a" },
            "subnet.b": { "vpc": "@vpc.lab", "cidr": "10.0.2.0/24", "availability_zone": "us-east-1b" },
            "gateway_load_balancer.sensors": { "subnets": ["@subnet.a", "@subnet.b"] },
            "endpoint_service.sensors": { "gateway_load_balancers": ["@gateway_load_balancer.sensors"] },
            "gateway_load_balancer_endpoint.a": {
                "vpc": "@vpc.lab", "service": "@endpoint_service.sensors", "subnet": "@subnet.a",
            },
            "mirror_target.sensors": {
                "gateway_load_balancer_endpoint": "@gateway_load_balancer_endpoint.a",
            },
            "mirror_filter.all": {},
            "mirror_session.one": {
                "source": "eni-0a1b2c3d4e5f67890", "target": "@mirror_target.sensors",
                "filter": "@mirror_filter.all", "number": 1,
            },
        }));
        assert_snapshot!(told(&gateway, &nothing(), &Request::default(), Some("100mbit")), @"
        Estimated cost: 282.88 USD a month, 282.88 more than now: 1 session, 1 load balancer, 1 endpoint,
          at list prices of us-east-2, 2026-09-20, without instances.
          246.38 of it for 100mbit from each session; 657.00 more if all of it crosses zones.
        Estimated time: about 5 min: gateway_load_balancer.sensors 3 min, gateway_load_balancer_endpoint.a 2 min (typical, not measured yet).
        ");
    }

    #[test]
    fn what_goes_costs_less() {
        let gone = Request { mode: Mode::Destroy, ..Request::default() };
        let lab = stack(lab());
        assert_snapshot!(told(&lab, &applied(&lab), &gone, None), @"
        Estimated cost: 0.00 USD a month, 27.38 less than now: 0 sessions, 0 load balancers,
          at list prices of us-east-2, 2026-05-31, without instances and without copied packets (--load).
        Estimated time: about 5 min: load_balancer.sensors 5 min (typical, not measured yet).
        ");
    }

    #[test]
    fn many_calls_take_as_long_as_aws_lets_them() {
        let mut resources = lab();
        for number in 1..=1_000 {
            let name = format!("mirror_session.more[\"eni-{number:017x}\"]");
            resources[name] = json!({
                "source": format!("eni-{number:017x}"), "target": "@mirror_target.nlb",
                "filter": "@mirror_filter.tcp", "number": 1,
            });
        }
        let estimates = told(&stack(resources), &nothing(), &Request::default(), None);
        let time = Estimates { cost: None, ..estimates };
        assert_snapshot!(time, @"Estimated time: about 3 min, limited by the call rates of AWS (typical, not measured yet).");
        assert_snapshot!(time.to_json(), @r#"{"apply_time":{"bound":"call_rates","critical_path":[{"resource":"vpc.lab","seconds":1},{"resource":"subnet.target","seconds":1},{"resource":"load_balancer.sensors","seconds":151},{"resource":"mirror_target.nlb","seconds":1},{"resource":"mirror_session.source","seconds":1}],"seconds":163,"source":"usual"},"monthly_cost":null}"#);
    }
}
