//! Objects whose parts are removed one by one: what somebody does to one in the meantime keeps it from being removed.

use aws_sdk_ec2::types::{TrafficDirection, TrafficMirrorRuleAction};
use mirror_plan::address::{Address, Kind};
use mirror_plan::aws::{Aws, Pace};
use mirror_plan::id::ObjectId;
use mirror_plan::plan::{Plan, Request};
use mirror_plan::stack::Stack;
use mirror_tests::gate::{Gate, Side};
use mirror_tests::{Rig, config, stack, transit_gateway, unfinished};

use super::{FILTERS, destroy, ec2, id, tag};

/// A stack of which one object is being removed.
struct UnderWay {
    rig: Rig,
    stack: Stack,
    address: Address,
    id: ObjectId,
    plan: Plan,
}

impl UnderWay {
    async fn new(text: &str, address: &str) -> Self {
        let rig = Rig::instant();
        let gateway = transit_gateway(&rig.cloud).await;
        let stack = stack(&text.replace("tgw-0a1b2c3d4e5f67890", &gateway));
        rig.converge(&stack).await;
        let address: Address = address.parse().expect("it is an address");
        let only_it = Request { targets: [address.clone()].into(), ..destroy() };
        let plan = rig.plan_for(&stack, &only_it).await;
        let id = id(&plan, &address);
        Self { rig, stack, address, id, plan }
    }

    async fn part(&self, key: &str) -> String {
        let observed = self.rig.observe(&self.stack).await;
        observed.current(&self.address).expect("it is there").parts[key].to_string()
    }

    async fn other(&self, address: &str) -> String {
        let observed = self.rig.observe(&self.stack).await;
        observed.current(&address.parse().unwrap()).expect("it is there").id.to_string()
    }

    /// Returns what is left undone if `somebody` does something after this call of the removal.
    async fn left(&self, after: u64, somebody: impl Future<Output = ()>) -> String {
        let gate = Gate::new(&self.rig.cloud, after, Side::After);
        let gated = config(&self.rig.cloud).into_builder().http_client(gate.clone()).build();
        let rig = Rig { aws: Aws::new(&gated, Pace::Local).unwrap(), ..self.rig.clone() };
        let meanwhile = async {
            gate.reached().await;
            somebody.await;
            gate.open();
        };
        let (report, ()) = tokio::join!(rig.apply(&self.plan), meanwhile);
        let unfinished = unfinished(&report);
        let it_is = |line: &&str| line.starts_with(&self.address.to_string());
        let why = unfinished.lines().find(it_is).expect("it is not removed");
        why.replace(self.id.as_str(), "...")
    }

    /// Checks that it is still there, and goes once a plan has seen what has become of it.
    async fn goes_in_the_end(&self) {
        assert!(self.rig.observe(&self.stack).await.current(&self.address).is_some());
        self.rig.destroy(&self.stack).await;
    }
}

const TWO_RULES: &str = r#"
stack "lab" { region = "eu-west-1" }

mirror_filter "web" {
  rules = [{ number = 100, action = "accept", protocol = "tcp", port = 443 }]
}
"#;

/// Somebody takes a filter over when the first of its rules is gone.
#[tokio::test]
async fn what_is_not_the_stacks_any_more_when_only_its_parts_are_removed_stays() {
    insta::assert_snapshot!(taken_over(FILTERS).await, @"mirror_filter.web (Delete): DeleteTrafficMirrorFilter: ..., which was mirror_filter.web, no longer belongs to this stack, and was left as it is");
    insta::assert_snapshot!(taken_over(TWO_RULES).await, @"mirror_filter.web (Delete): DeleteTrafficMirrorFilterRule: ..., which was mirror_filter.web, no longer belongs to this stack, and was left as it is");
}

async fn taken_over(text: &str) -> String {
    let all = UnderWay::new(text, "mirror_filter.web").await;
    let why = all.left(1, tag(&all.rig, Kind::MirrorFilter, &all.id, None)).await;
    tag(&all.rig, Kind::MirrorFilter, &all.id, Some("lab")).await;
    all.goes_in_the_end().await;
    why
}

#[tokio::test]
async fn a_filter_whose_next_rule_somebody_changes_stays() {
    let all = UnderWay::new(TWO_RULES, "mirror_filter.web").await;
    let rule = all.part("ingress 100").await;
    let changed = async {
        let request = ec2(&all.rig).modify_traffic_mirror_filter_rule();
        let request = request.traffic_mirror_filter_rule_id(rule);
        request.rule_action(TrafficMirrorRuleAction::Reject).send().await.unwrap();
    };
    insta::assert_snapshot!(all.left(1, changed).await, @"mirror_filter.web (Delete): DeleteTrafficMirrorFilterRule: mirror_filter.web (...) has changed since the plan was made, and was not removed");
    all.goes_in_the_end().await;
}

#[tokio::test]
async fn a_filter_that_gets_a_new_rule_before_its_last_call_stays() {
    let all = UnderWay::new(TWO_RULES, "mirror_filter.web").await;
    let added = async {
        let request = ec2(&all.rig).create_traffic_mirror_filter_rule().rule_number(7);
        let request = request.traffic_mirror_filter_id(all.id.as_str());
        let request = request.traffic_direction(TrafficDirection::Egress);
        let request = request.rule_action(TrafficMirrorRuleAction::Accept);
        let request = request.source_cidr_block("10.0.0.0/16");
        request.destination_cidr_block("10.0.0.0/16").send().await.unwrap();
    };
    insta::assert_snapshot!(all.left(2, added).await, @"mirror_filter.web (Delete): DeleteTrafficMirrorFilter: mirror_filter.web (...) has changed since the plan was made, and was not removed");
    all.goes_in_the_end().await;
}

const LISTS: &str = include_str!("lists.mirror.hcl");

#[tokio::test]
async fn a_load_balancer_that_gets_a_new_listener_stays() {
    let all = UnderWay::new(LISTS, "load_balancer.sensors").await;
    let group = all.other("target_group.first").await;
    let added = async {
        use aws_sdk_elasticloadbalancingv2::types::{Action, ActionTypeEnum, ProtocolEnum};
        let elb = aws_sdk_elasticloadbalancingv2::Client::new(&config(&all.rig.cloud));
        let forward = Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(group);
        let request = elb.create_listener().load_balancer_arn(all.id.as_str());
        let request = request.protocol(ProtocolEnum::Udp).port(5000);
        request.default_actions(forward.build()).send().await.unwrap();
    };
    insta::assert_snapshot!(all.left(2, added).await, @"load_balancer.sensors (Delete): DeleteLoadBalancer: load_balancer.sensors (...) has changed since the plan was made, and was not removed");
    all.goes_in_the_end().await;
}

#[tokio::test]
async fn a_security_group_that_gets_a_new_rule_stays() {
    let all = UnderWay::new(LISTS, "security_group.three").await;
    let added = async {
        let request = ec2(&all.rig).authorize_security_group_ingress().group_id(all.id.as_str());
        let request = request.ip_protocol("tcp").from_port(22).to_port(22).cidr_ip("10.0.0.0/16");
        request.send().await.unwrap();
    };
    insta::assert_snapshot!(all.left(1, added).await, @"security_group.three (Delete): DeleteSecurityGroup: security_group.three (...) has changed since the plan was made, and was not removed");
    all.goes_in_the_end().await;
}

#[tokio::test]
async fn a_route_table_that_somebody_puts_to_use_stays() {
    let lab = include_str!("../../../../examples/lab.mirror.hcl");
    let all = UnderWay::new(lab, "route_table.public").await;
    let request =
        ec2(&all.rig).create_subnet().vpc_id(all.other("vpc.my-traffic-mirroring-vpc").await);
    let made = request.cidr_block("10.0.9.0/24").send().await.unwrap();
    let subnet = made.subnet.unwrap().subnet_id.unwrap();
    // After both of its own subnets have left it.
    let used = async {
        let request = ec2(&all.rig).associate_route_table().route_table_id(all.id.as_str());
        request.subnet_id(&subnet).send().await.unwrap();
    };
    insta::assert_snapshot!(all.left(2, used).await, @"route_table.public (Delete): DeleteRouteTable: route_table.public (...) has changed since the plan was made, and was not removed");
    assert!(all.rig.observe(&all.stack).await.current(&all.address).is_some());
}
