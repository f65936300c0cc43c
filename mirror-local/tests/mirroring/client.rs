//! A client of few words: an action with its parameters in, the answer's text out.

use mirror_local::{Clock, Cloud, Reply, Settings, VirtualClock};
use std::fmt::Write as _;
use std::time::Duration;

/// A client with its own cloud, whose time stands still.
pub(crate) struct Client {
    pub(crate) cloud: Cloud,
    clock: VirtualClock,
}

const EC2: &str = "2016-11-15";
const ELB: &str = "2015-12-01";
const AUTO_SCALING: &str = "2011-01-01";

impl Client {
    pub(crate) fn new() -> Self {
        Self::with_settings(Settings::default())
    }

    pub(crate) fn with_settings(settings: Settings) -> Self {
        Self::of(Cloud::in_memory().with_settings(settings))
    }

    /// Returns a client of a cloud, and restarts the cloud's clock.
    pub(crate) fn of(cloud: Cloud) -> Self {
        let clock =
            VirtualClock::starting_at("2026-01-02T03:04:05Z".parse().expect("it is a time"));
        Self { cloud: cloud.with_clock(Clock::Virtual(clock.clone())), clock }
    }

    pub(crate) fn wait(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Calls EC2; the call must succeed.
    #[track_caller]
    pub(crate) fn ec2(&self, call: impl AsRef<str>) -> Answer {
        self.call(EC2, call.as_ref()).expect("it is to succeed")
    }

    /// Calls EC2; the call must be refused. Returns the error code.
    #[track_caller]
    pub(crate) fn ec2_refused(&self, call: impl AsRef<str>) -> String {
        self.call(EC2, call.as_ref()).expect_err("it is to be refused")
    }

    /// Calls Elastic Load Balancing; the call must succeed.
    #[track_caller]
    pub(crate) fn elb(&self, call: impl AsRef<str>) -> Answer {
        self.call(ELB, call.as_ref()).expect("it is to succeed")
    }

    /// Calls Elastic Load Balancing; the call must be refused. Returns the error code.
    #[track_caller]
    pub(crate) fn elb_refused(&self, call: impl AsRef<str>) -> String {
        self.call(ELB, call.as_ref()).expect_err("it is to be refused")
    }

    /// Calls EC2 Auto Scaling; the call must succeed.
    #[track_caller]
    pub(crate) fn scaling(&self, call: impl AsRef<str>) -> Answer {
        self.call(AUTO_SCALING, call.as_ref()).expect("it is to succeed")
    }

    /// Calls EC2 Auto Scaling; the call must be refused. Returns the error code.
    #[track_caller]
    pub(crate) fn scaling_refused(&self, call: impl AsRef<str>) -> String {
        self.call(AUTO_SCALING, call.as_ref()).expect_err("it is to be refused")
    }

    /// Makes a call such as `CreateVpc&CidrBlock=10.0.0.0/16`; returns the error code if it is refused.
    pub(crate) fn call(&self, version: &str, call: &str) -> Result<Answer, String> {
        let body = format!("Version={version}&Action={call}");
        let request = http::Request::post("/").body(());
        let (head, ()) = request.expect("it is a request").into_parts();
        let Reply { response, .. } = self.cloud.call(&head, body.as_bytes());
        let response = response.expect("nothing drops the connection");
        match response.error {
            None => Ok(Answer(response.body)),
            Some(code) => {
                assert_eq!(response.status, if code == "DryRunOperation" { 412 } else { 400 });
                Err(code)
            }
        }
    }

    /// Makes an interface in the default VPC; returns its id.
    pub(crate) fn interface(&self) -> String {
        let subnet = self.subnets().remove(0);
        let made = self.ec2(format!("CreateNetworkInterface&SubnetId={subnet}"));
        made.text("networkInterfaceId")
    }

    /// Returns the subnets of the default VPC.
    pub(crate) fn subnets(&self) -> Vec<String> {
        self.ec2("DescribeSubnets&Filter.1.Name=default-for-az&Filter.1.Value.1=true")
            .texts("subnetId")
    }

    pub(crate) fn vpc(&self) -> String {
        self.ec2("DescribeVpcs").text("vpcId")
    }

    pub(crate) fn filter(&self) -> String {
        self.ec2("CreateTrafficMirrorFilter").text("trafficMirrorFilterId")
    }

    /// Makes an internal load balancer in the default VPC; returns its ARN.
    pub(crate) fn load_balancer(&self, name: &str) -> String {
        let subnet = self.subnets().remove(0);
        let made = self.elb(format!(
            "CreateLoadBalancer&Name={name}&Type=network&Scheme=internal&Subnets.member.1={subnet}"
        ));
        made.text("LoadBalancerArn")
    }

    /// Makes a target group for UDP in the default VPC; returns its ARN.
    pub(crate) fn target_group(&self, name: &str) -> String {
        let vpc = self.vpc();
        let made = self.elb(format!(
            "CreateTargetGroup&Name={name}&Protocol=UDP&Port=4789&VpcId={vpc}&HealthCheckPort=80"
        ));
        made.text("TargetGroupArn")
    }

    pub(crate) fn target_on(&self, interface: &str) -> String {
        let made = self.ec2(format!("CreateTrafficMirrorTarget&NetworkInterfaceId={interface}"));
        made.text("trafficMirrorTargetId")
    }

    /// Makes a session; returns its id.
    pub(crate) fn session(&self, source: &str, target: &str, rest: &str) -> String {
        let made = self.ec2(new_session(source, target, rest));
        made.text("trafficMirrorSessionId")
    }
}

/// The call that makes a session; `rest` names the filter and the number.
pub(crate) fn new_session(source: &str, target: &str, rest: &str) -> String {
    format!(
        "CreateTrafficMirrorSession&NetworkInterfaceId={source}&TrafficMirrorTargetId={target}&{rest}"
    )
}

/// The text of an answer.
#[derive(Debug)]
pub(crate) struct Answer(pub(crate) String);

impl Answer {
    /// Returns the text of the first element called `name`.
    #[track_caller]
    pub(crate) fn text(&self, name: &str) -> String {
        let found = self.texts(name).into_iter().next();
        found.unwrap_or_else(|| panic!("no <{name}> in {}", self.0))
    }

    /// Returns the texts of all elements called `name`.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let after = self.0.split(&open).skip(1);
        after.filter_map(|rest| Some(rest.split_once(&close)?.0.to_owned())).collect()
    }

    /// Returns what is inside the first element called `name`, each element on a line of its own.
    #[track_caller]
    pub(crate) fn inside(&self, name: &str) -> String {
        self.text(name).replace("><", ">\n<")
    }

    /// Returns the answer with each element on a line of its own.
    pub(crate) fn lines(&self) -> String {
        self.0.replace("><", ">\n<")
    }

    /// Returns what is inside the first element called `name`, without end tags: one line for each element that holds
    /// others, and one for each value.
    #[track_caller]
    pub(crate) fn outline(&self, name: &str) -> String {
        let (inside, mut depth, mut outline) = (self.text(name), 0_usize, String::new());
        for part in inside.split('<').filter(|part| !part.is_empty()) {
            let (tag, value) = part.split_once('>').expect("a tag ends");
            if tag.starts_with('/') {
                depth -= 1;
                continue;
            }
            let line = format!("{tag} {value}");
            let _ = writeln!(outline, "{:1$}{2}", "", depth * 2, line.trim_end());
            depth += 1;
        }
        outline
    }
}
