//! Parts of objects that stay: a rule, a route or a listener is not removed if it is no longer what the plan saw.

use aws_sdk_ec2::types::TrafficMirrorRuleAction;
use mirror_plan::address::Address;
use mirror_plan::id::ObjectId;
use mirror_plan::observed::Found;
use mirror_plan::plan::Plan;
use mirror_plan::stack::Stack;
use mirror_tests::{Rig, config, lab, unfinished};

use super::{Edit, ec2, id, itself, tag};

const LAB: &str = include_str!("../../../../examples/lab.mirror.hcl");

const ROUTE: Edit = Edit {
    address: "route_table.public",
    from: "[{ destination = \"0.0.0.0/0\", internet_gateway = internet_gateway.internet }]",
    to: "[]",
};

const LISTENER: Edit = Edit {
    address: "load_balancer.my-traffic-mirroring-nlb",
    from: "[{ protocol = \"udp\", port = 4789, target_group = target_group.targets }]",
    to: "[]",
};

const RULE: Edit = Edit {
    address: "mirror_filter.traffic-mirror-filter",
    from: "{ number = 10, action = \"reject\", protocol = \"tcp\", port = 22 },",
    to: "",
};

const ALL: [Edit; 6] = [
    ROUTE,
    LISTENER,
    RULE,
    Edit {
        address: "route_table.public",
        from: "[subnet.source-subnet, subnet.target-subnet]",
        to: "[subnet.source-subnet]",
    },
    Edit {
        address: "security_group.target",
        from: "{ protocol = \"tcp\", port = 80, cidrs = [subnet.target-subnet.cidr] },",
        to: "",
    },
    Edit {
        address: "target_group.targets",
        from: "[instance.target-instance-1, instance.target-instance-2]",
        to: "[instance.target-instance-1]",
    },
];

impl Edit {
    /// Returns the edited reference stack.
    fn stack(&self) -> Stack {
        self.of(LAB)
    }

    /// Returns the reference stack, applied, and the plan to remove the part.
    async fn planned(&self) -> (Rig, Plan) {
        let rig = Rig::instant();
        rig.converge(&lab()).await;
        let plan = rig.plan(&self.stack()).await;
        (rig, plan)
    }
}

async fn found(rig: &Rig, address: &Address) -> Found {
    rig.observe(&lab()).await.current(address).cloned().expect("it is there")
}

#[tokio::test]
async fn no_part_is_removed_from_what_is_not_the_stacks_any_more() {
    for edit in ALL {
        let (rig, plan) = edit.planned().await;
        let address = edit.address();
        let id = id(&plan, &address);
        let before = found(&rig, &address).await;
        tag(&rig, address.kind, &id, None).await;
        let why = edit.refused(&rig, &plan).await;
        let told = "no longer belongs to this stack, and was left as it is";
        assert!(why.contains(told), "{address}: {why}");
        tag(&rig, address.kind, &id, Some("lab")).await;
        let after = found(&rig, &address).await;
        assert_eq!((itself(&after), after.parts), (itself(&before), before.parts), "{address}");
        // It is the stack's again.
        rig.converge(&edit.stack()).await;
    }
}

#[tokio::test]
async fn a_route_that_leads_elsewhere_by_now_is_not_removed() {
    let (rig, plan) = ROUTE.planned().await;
    let table = id(&plan, &ROUTE.address());
    let source = found(&rig, &"instance.source-instance".parse().unwrap()).await;
    let interface = source.computed["network_interface"].clone().expect("it has one");
    let request = ec2(&rig).replace_route().route_table_id(table.as_str());
    let request = request.destination_cidr_block("0.0.0.0/0").network_interface_id(interface);
    request.send().await.unwrap();
    let why = ROUTE.refused(&rig, &plan).await;
    insta::assert_snapshot!(why, @"DeleteRoute: the route for 0.0.0.0/0 of route_table.public (...) has changed since the plan was made, and was left as it is");
    // The next plan has seen where it leads.
    rig.converge(&ROUTE.stack()).await;
}

#[tokio::test]
async fn a_listener_that_somebody_has_moved_is_not_removed() {
    let (rig, plan) = LISTENER.planned().await;
    let listener = found(&rig, &LISTENER.address()).await.parts["4789"].clone();
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(&config(&rig.cloud));
    elb.modify_listener().listener_arn(listener.as_str()).port(4790).send().await.unwrap();
    let why = LISTENER.refused(&rig, &plan).await;
    insta::assert_snapshot!(why, @"DeleteListener: the listener on port 4790 of load_balancer.my-traffic-mirroring-nlb (...) has changed since the plan was made, and was left as it is");
    rig.converge(&LISTENER.stack()).await;
}

#[tokio::test]
async fn a_rule_that_accepts_by_now_is_not_removed() {
    let (rig, plan) = RULE.planned().await;
    let rule: ObjectId = found(&rig, &RULE.address()).await.parts["ingress 10"].clone();
    let request = ec2(&rig).modify_traffic_mirror_filter_rule();
    let request = request.traffic_mirror_filter_rule_id(rule.as_str());
    request.rule_action(TrafficMirrorRuleAction::Accept).send().await.unwrap();
    let why = RULE.refused(&rig, &plan).await;
    insta::assert_snapshot!(why, @"DeleteTrafficMirrorFilterRule: the rule ingress 10 of mirror_filter.traffic-mirror-filter (...) has changed since the plan was made, and was left as it is");
    rig.converge(&RULE.stack()).await;
}

#[tokio::test]
async fn a_part_that_is_gone_already_is_no_failure() {
    let (rig, plan) = RULE.planned().await;
    let rule: ObjectId = found(&rig, &RULE.address()).await.parts["ingress 10"].clone();
    let request = ec2(&rig).delete_traffic_mirror_filter_rule();
    request.traffic_mirror_filter_rule_id(rule.as_str()).send().await.unwrap();
    let report = rig.apply(&plan).await;
    assert!(report.is_complete(), "{}", unfinished(&report));
    rig.converge(&RULE.stack()).await;
}
