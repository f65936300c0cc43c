//! Lists of objects that stay: nothing is taken out of one that is no longer what the plan saw.

use mirror_plan::id::ObjectId;
use mirror_plan::plan::Plan;
use mirror_plan::stack::Stack;
use mirror_tests::{Rig, config, stack, transit_gateway};

use super::{Edit, ec2, id, itself, tag};

const INSTANCE_GROUPS: Edit = Edit {
    address: "instance.sensor",
    from: "subnet          = subnet.a\n  security_groups = [security_group.one, security_group.two]",
    to: "subnet          = subnet.a\n  security_groups = [security_group.one]",
};

const BALANCER_GROUPS: Edit = Edit {
    address: "load_balancer.sensors",
    from: "security_groups = [security_group.one, security_group.two]\n  listeners",
    to: "security_groups = [security_group.one]\n  listeners",
};

const BALANCER_SUBNETS: Edit = Edit {
    address: "load_balancer.sensors",
    from: "subnets         = [subnet.a, subnet.b]\n  security_groups",
    to: "subnets         = [subnet.a]\n  security_groups",
};

const GATEWAY_SUBNETS: Edit = Edit {
    address: "gateway_load_balancer.first",
    from: "{ subnets = [subnet.a, subnet.b] }",
    to: "{ subnets = [subnet.a] }",
};

const SCALING_SUBNETS: Edit = Edit {
    address: "autoscaling_group.sensors",
    from: "subnets         = [subnet.a, subnet.b]\n  min",
    to: "subnets         = [subnet.a]\n  min",
};

const ALL: [Edit; 12] = [
    INSTANCE_GROUPS,
    BALANCER_GROUPS,
    BALANCER_SUBNETS,
    GATEWAY_SUBNETS,
    SCALING_SUBNETS,
    Edit {
        address: "autoscaling_group.sensors",
        from: "[target_group.first, target_group.second]",
        to: "[target_group.first]",
    },
    Edit {
        address: "endpoint_service.sensors",
        from: "[gateway_load_balancer.first, gateway_load_balancer.second]",
        to: "[gateway_load_balancer.first]",
    },
    Edit {
        address: "endpoint_service.sensors",
        from: ", \"arn:aws:iam::333344445555:root\"",
        to: "",
    },
    Edit {
        address: "transit_gateway_attachment.lab",
        from: "subnets         = [subnet.a, subnet.b]\n}\n\nmirror_filter",
        to: "subnets         = [subnet.a]\n}\n\nmirror_filter",
    },
    Edit { address: "mirror_filter.names", from: "amazon_dns = true", to: "amazon_dns = false" },
    Edit { address: "mirror_filter.web", from: "  tags = { team = \"security\" }\n", to: "" },
    Edit { address: "resource_share.sensors", from: ", \"333344445555\"", to: "" },
];

/// The stack of all lists, applied.
struct Applied {
    rig: Rig,
    text: String,
}

impl Applied {
    async fn new() -> Self {
        let rig = Rig::instant();
        let gateway = transit_gateway(&rig.cloud).await;
        let text = include_str!("lists.mirror.hcl").replace("tgw-0a1b2c3d4e5f67890", &gateway);
        rig.converge(&stack(&text)).await;
        Self { rig, text }
    }

    fn edited(&self, edit: &Edit) -> Stack {
        edit.of(&self.text)
    }

    /// Returns the plan of an edit, and the id of the object that it changes.
    async fn planned(&self, edit: &Edit) -> (Plan, ObjectId) {
        let plan = self.rig.plan(&self.edited(edit)).await;
        let id = id(&plan, &edit.address());
        (plan, id)
    }

    /// Checks that a list to which somebody has added something is left as it is, and shortened once a plan has seen it.
    async fn left_as_it_is(&self, edit: &Edit, plan: &Plan) -> String {
        let why = edit.refused(&self.rig, plan).await;
        self.rig.converge(&self.edited(edit)).await;
        why
    }
}

#[tokio::test]
async fn nothing_is_taken_out_of_a_list_of_what_is_not_the_stacks_any_more() {
    for edit in ALL {
        let applied = Applied::new().await;
        let (plan, id) = applied.planned(&edit).await;
        let (rig, address) = (&applied.rig, edit.address());
        let before = rig.observe(&stack(&applied.text)).await;
        tag(rig, address.kind, &id, None).await;
        let why = edit.refused(rig, &plan).await;
        let told = "no longer belongs to this stack, and was left as it is";
        assert!(why.contains(told), "{address}: {why}");
        tag(rig, address.kind, &id, Some("lab")).await;
        let after = rig.observe(&stack(&applied.text)).await;
        let [before, after] = [before, after].map(|of| of.current(&address).map(itself));
        assert!(after.is_some() && after == before, "{address}: {after:#?}");
        // It is the stack's again.
        rig.converge(&applied.edited(&edit)).await;
    }
}

async fn ids_of(rig: &Rig, addresses: &[&str]) -> Vec<String> {
    let observed = rig.observe(&stack(include_str!("lists.mirror.hcl"))).await;
    let id = |address: &&str| observed.current(&address.parse().unwrap()).unwrap().id.to_string();
    addresses.iter().map(id).collect()
}

#[tokio::test]
async fn security_groups_that_somebody_has_changed_are_left_as_they_are() {
    let applied = Applied::new().await;
    let rig = &applied.rig;
    let all = ["one", "two", "three"].map(|name| format!("security_group.{name}"));
    let groups = ids_of(rig, &all.each_ref().map(String::as_str)).await;

    let (plan, instance) = applied.planned(&INSTANCE_GROUPS).await;
    let request = ec2(rig).modify_instance_attribute().instance_id(instance.as_str());
    request.set_groups(Some(groups.clone())).send().await.unwrap();
    let why = applied.left_as_it_is(&INSTANCE_GROUPS, &plan).await;
    insta::assert_snapshot!(why, @"ModifyInstanceAttribute: the list of security groups of instance.sensor (...) has changed since the plan was made, and was left as it is");

    let (plan, balancer) = applied.planned(&BALANCER_GROUPS).await;
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(&config(&rig.cloud));
    let request = elb.set_security_groups().load_balancer_arn(balancer.as_str());
    request.set_security_groups(Some(groups)).send().await.unwrap();
    let why = applied.left_as_it_is(&BALANCER_GROUPS, &plan).await;
    insta::assert_snapshot!(why, @"SetSecurityGroups: the list of security groups of load_balancer.sensors (...) has changed since the plan was made, and was left as it is");
}

#[tokio::test]
async fn subnets_that_somebody_has_changed_are_left_as_they_are() {
    let applied = Applied::new().await;
    let rig = &applied.rig;
    let [vpc, a, b] = ids_of(rig, &["vpc.lab", "subnet.a", "subnet.b"]).await.try_into().unwrap();
    let request = ec2(rig).create_subnet().vpc_id(vpc).cidr_block("10.0.3.0/24");
    let made = request.availability_zone("eu-west-1c").send().await.unwrap();
    let theirs = made.subnet.unwrap().subnet_id.unwrap();
    let three = [a, b, theirs];

    let elb = aws_sdk_elasticloadbalancingv2::Client::new(&config(&rig.cloud));
    for edit in [BALANCER_SUBNETS, GATEWAY_SUBNETS] {
        let (plan, balancer) = applied.planned(&edit).await;
        let request = elb.set_subnets().load_balancer_arn(balancer.as_str());
        request.set_subnets(Some(three.to_vec())).send().await.unwrap();
        let why = applied.left_as_it_is(&edit, &plan).await;
        let told = format!(
            "SetSubnets: the list of subnets of {} (...) has changed since the plan was made, and was left as it is",
            edit.address
        );
        assert_eq!(why, told);
    }

    let (plan, group) = applied.planned(&SCALING_SUBNETS).await;
    let scaling = aws_sdk_autoscaling::Client::new(&config(&rig.cloud));
    let name = group.as_str().rsplit_once('/').unwrap().1;
    let request = scaling.update_auto_scaling_group().auto_scaling_group_name(name);
    request.vpc_zone_identifier(three.join(",")).send().await.unwrap();
    let why = applied.left_as_it_is(&SCALING_SUBNETS, &plan).await;
    insta::assert_snapshot!(why, @"UpdateAutoScalingGroup: the list of subnets of autoscaling_group.sensors (...) has changed since the plan was made, and was left as it is");
}
