//! The policies of small stacks, and of the largest.

mod elsewhere;

use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::address::Address;
use crate::attribute::Problems;
use crate::resource::Resource;
use crate::stack::{Declared, Moved, Placed};
use crate::value::Value;

/// A stack of the resources with these attributes; `"@vpc.lab"` refers to one of them.
fn stack(resources: &serde_json::Value) -> Stack {
    let mut builder = Stack::builder("lab".parse().unwrap());
    for (address, attributes) in resources.as_object().unwrap() {
        let address: Address = address.parse().unwrap();
        let mut problems = Problems::default();
        let value = with_references(Value::from(attributes.clone()));
        let resource = Resource::read(address.kind, &value, &mut problems);
        assert_eq!(problems.into_inner(), [], "{address}");
        builder.declare(address, Declared { resource: resource.unwrap(), place: None });
    }
    builder.build().unwrap().0
}

fn with_references(value: Value) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix('@') {
            Some(address) => Value::Resource(address.parse().unwrap()),
            None => Value::String(text),
        },
        Value::List(items) => Value::List(items.into_iter().map(with_references).collect()),
        Value::Object(members) => {
            let members = members.into_iter();
            Value::Object(members.map(|(name, value)| (name, with_references(value))).collect())
        }
        other => other,
    }
}

fn location(region: &str) -> Location {
    let account = "123456789012".parse().unwrap();
    Location { account, region: region.parse().unwrap() }
}

fn written(policies: &[Policy]) -> String {
    policies.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The statements about the bucket in the policies of a stack whose runs meet in one.
fn on_the_bucket(purpose: Purpose) -> String {
    let mut team = tap();
    team.coordination = Some("s3://team-journals/mirror".parse().unwrap());
    let policies = policies(&team, &location("eu-west-1"), [purpose]);
    let of_s3 = |statement: &&Statement| serde_json::to_string(statement).unwrap().contains("s3:");
    let statements = policies.iter().flat_map(|policy| policy.statement.iter().filter(of_s3));
    let lines = statements.map(|statement| serde_json::to_string(statement).unwrap() + "\n");
    lines.collect()
}

#[test]
fn a_team_may_write_its_own_journal_and_a_plan_only_reads_it() {
    assert_snapshot!(on_the_bucket(Purpose::Apply), @r#"
    {"Sid":"Journal","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::team-journals/mirror/lab.123456789012.eu-west-1.journal"}
    {"Sid":"JournalBucket","Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::team-journals"}
    "#);
    assert_eq!(on_the_bucket(Purpose::Destroy), on_the_bucket(Purpose::Apply));
    assert_snapshot!(on_the_bucket(Purpose::Plan), @r#"
    {"Sid":"Journal","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::team-journals/mirror/lab.123456789012.eu-west-1.journal"}
    {"Sid":"JournalBucket","Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::team-journals"}
    "#);
}

/// A session from an interface to a target, both of which belong to others.
fn tap() -> Stack {
    stack(&json!({
        "mirror_filter.all": { "rules": [{ "number": 1, "action": "accept" }] },
        "mirror_session.web": {
            "source": "eni-0a1b2c3d4e5f67890",
            "target": "tmt-0a1b2c3d4e5f67890",
            "filter": "@mirror_filter.all",
            "number": 1
        }
    }))
}

#[test]
#[expect(clippy::too_many_lines, reason = "one policy, as IAM accepts it")]
fn what_is_of_others_is_named_one_by_one() {
    let policies = policies(&tap(), &location("eu-west-1"), [Purpose::Apply]);
    assert_snapshot!(written(&policies), @r#"
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "Read",
          "Effect": "Allow",
          "Action": [
            "autoscaling:DescribeAutoScalingGroups",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeTags",
            "ec2:DescribeTrafficMirrorFilters",
            "ec2:DescribeTrafficMirrorSessions",
            "ec2:DescribeTrafficMirrorTargets",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeTags",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetHealth",
            "ram:GetResourceShares"
          ],
          "Resource": "*",
          "Condition": {
            "StringEquals": {
              "aws:RequestedRegion": "eu-west-1"
            }
          }
        },
        {
          "Sid": "Make",
          "Effect": "Allow",
          "Action": [
            "ec2:CreateTrafficMirrorFilter",
            "ec2:CreateTrafficMirrorSession"
          ],
          "Resource": [
            "arn:aws:ec2:eu-west-1:123456789012:traffic-mirror-filter/*",
            "arn:aws:ec2:eu-west-1:123456789012:traffic-mirror-session/*"
          ],
          "Condition": {
            "StringEquals": {
              "aws:RequestTag/mirror-plan:stack": "lab"
            }
          }
        },
        {
          "Sid": "Owned",
          "Effect": "Allow",
          "Action": [
            "ec2:CreateTags",
            "ec2:CreateTrafficMirrorFilterRule",
            "ec2:CreateTrafficMirrorSession",
            "ec2:DeleteTags",
            "ec2:DeleteTrafficMirrorFilter",
            "ec2:DeleteTrafficMirrorFilterRule",
            "ec2:DeleteTrafficMirrorSession",
            "ec2:ModifyTrafficMirrorFilterNetworkServices",
            "ec2:ModifyTrafficMirrorFilterRule",
            "ec2:ModifyTrafficMirrorSession"
          ],
          "Resource": "arn:aws:ec2:eu-west-1:123456789012:*/*",
          "Condition": {
            "StringEquals": {
              "aws:ResourceTag/mirror-plan:stack": "lab"
            }
          }
        },
        {
          "Sid": "Parts",
          "Effect": "Allow",
          "Action": [
            "ec2:CreateTrafficMirrorFilterRule",
            "ec2:DeleteTrafficMirrorFilterRule",
            "ec2:ModifyTrafficMirrorFilterRule"
          ],
          "Resource": "arn:aws:ec2:eu-west-1:123456789012:traffic-mirror-filter-rule/*"
        },
        {
          "Sid": "Use1",
          "Effect": "Allow",
          "Action": "ec2:CreateTrafficMirrorSession",
          "Resource": [
            "arn:aws:ec2:eu-west-1:123456789012:network-interface/eni-0a1b2c3d4e5f67890",
            "arn:aws:ec2:eu-west-1:123456789012:traffic-mirror-target/tmt-0a1b2c3d4e5f67890"
          ]
        },
        {
          "Sid": "Use2",
          "Effect": "Allow",
          "Action": "ec2:ModifyTrafficMirrorSession",
          "Resource": "arn:aws:ec2:eu-west-1:123456789012:traffic-mirror-target/tmt-0a1b2c3d4e5f67890"
        },
        {
          "Sid": "Tag",
          "Effect": "Allow",
          "Action": "ec2:CreateTags",
          "Resource": "arn:aws:ec2:eu-west-1:123456789012:*/*",
          "Condition": {
            "StringEquals": {
              "ec2:CreateAction": [
                "CreateTrafficMirrorFilter",
                "CreateTrafficMirrorSession"
              ]
            }
          }
        },
        {
          "Sid": "KeepOwnership",
          "Effect": "Deny",
          "Action": [
            "ec2:CreateTags",
            "elasticloadbalancing:AddTags",
            "autoscaling:CreateOrUpdateTags",
            "ec2:DeleteTags",
            "elasticloadbalancing:RemoveTags",
            "autoscaling:DeleteTags",
            "ram:UntagResource"
          ],
          "Resource": "*",
          "Condition": {
            "ForAnyValue:StringLike": {
              "aws:TagKeys": "mirror-plan:*"
            },
            "Null": {
              "ec2:CreateAction": "true",
              "elasticloadbalancing:CreateAction": "true"
            }
          }
        },
        {
          "Sid": "KeepTags",
          "Effect": "Deny",
          "Action": "ec2:DeleteTags",
          "Resource": "*",
          "Condition": {
            "Null": {
              "aws:TagKeys": "true"
            }
          }
        }
      ]
    }
    "#);
}

#[test]
fn a_plan_only_reads() {
    let policies = policies(&tap(), &location("eu-west-1"), [Purpose::Plan]);
    assert_snapshot!(written(&policies), @r#"
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "Read",
          "Effect": "Allow",
          "Action": [
            "autoscaling:DescribeAutoScalingGroups",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeTags",
            "ec2:DescribeTrafficMirrorFilters",
            "ec2:DescribeTrafficMirrorSessions",
            "ec2:DescribeTrafficMirrorTargets",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeTags",
            "elasticloadbalancing:DescribeTargetGroups",
            "ram:GetResourceShares"
          ],
          "Resource": "*",
          "Condition": {
            "StringEquals": {
              "aws:RequestedRegion": "eu-west-1"
            }
          }
        }
      ]
    }
    "#);
}

/// Network ACLs matter to mirrored traffic, where a subnet of the stack is involved.
#[test]
fn network_acls_are_read_for_sessions_in_subnets_that_are_known() {
    let reads = |resources: serde_json::Value, purpose: Purpose| {
        let policies = policies(&stack(&resources), &location("eu-west-1"), [purpose]);
        written(&policies).contains("ec2:DescribeNetworkAcls")
    };
    let subnet = json!({ "vpc": "vpc-0a1b2c3d4e5f67890", "cidr": "10.0.1.0/24" });
    let session = json!({
        "source": "eni-0a1b2c3d4e5f67890", "target": "tmt-0a1b2c3d4e5f67890",
        "filter": "tmf-0a1b2c3d4e5f67890", "number": 1,
    });
    let both = json!({ "subnet.a": subnet, "mirror_session.web": session });
    assert!(reads(both.clone(), Purpose::Plan) && reads(both.clone(), Purpose::Apply));
    assert!(reads(both.clone(), Purpose::Metrics) && !reads(both, Purpose::Destroy));
    assert!(!reads(json!({ "subnet.a": subnet }), Purpose::Plan));
    assert!(!reads(json!({ "mirror_session.web": session }), Purpose::Plan));
}

/// One resource of every kind, with the longest possible names.
fn everything() -> Stack {
    stack(&json!({
        "vpc.v": { "cidr": "10.0.0.0/16" },
        "subnet.s": { "vpc": "@vpc.v", "cidr": "10.0.1.0/24" },
        "internet_gateway.g": { "vpc": "@vpc.v" },
        "vpc.w": { "cidr": "10.1.0.0/16" },
        "vpc_peering.p": { "requester": "@vpc.v", "accepter": "@vpc.w" },
        "transit_gateway_attachment.t": {
            "vpc": "@vpc.v", "transit_gateway": "tgw-0a1b2c3d4e5f67890", "subnets": ["@subnet.s"],
        },
        "route_table.r": { "vpc": "@vpc.v", "subnets": ["@subnet.s"] },
        "security_group.g": { "vpc": "@vpc.v" },
        "instance.i": { "instance_type": "t3.micro", "subnet": "@subnet.s", "key_name": "me" },
        "target_group.t": { "vpc": "@vpc.v", "targets": ["@instance.i"] },
        "launch_template.l": { "instance_type": "t3.micro", "key_name": "me" },
        "autoscaling_group.a": {
            "launch_template": "@launch_template.l", "subnets": ["@subnet.s"], "min": 1, "max": 2,
            "target_groups": ["@target_group.t"],
        },
        "load_balancer.l": { "subnets": ["@subnet.s"] },
        "target_group.g": {
            "vpc": "@vpc.v", "protocol": "geneve", "port": 6081, "health_check": { "port": 80 }
        },
        "gateway_load_balancer.g": {
            "subnets": ["@subnet.s"], "target_group": "@target_group.g"
        },
        "endpoint_service.e": { "gateway_load_balancers": ["@gateway_load_balancer.g"] },
        "gateway_load_balancer_endpoint.e": {
            "vpc": "@vpc.v", "subnet": "@subnet.s", "service": "@endpoint_service.e"
        },
        "mirror_target.m": { "load_balancer": "@load_balancer.l" },
        "mirror_filter.f": {},
        "mirror_session.s": {
            "source": "@instance.i",
            "target": "@mirror_target.m",
            "filter": "@mirror_filter.f",
            "number": 1
        },
        "resource_share.r": { "mirror_targets": ["@mirror_target.m"], "principals": ["222233334444"] }
    }))
}

#[test]
fn a_stack_of_every_kind_fits_into_two_policies() {
    let stack = everything();
    let lengths = |region: &str, purpose| -> Vec<usize> {
        let policies = policies(&stack, &location(region), [purpose]);
        policies.iter().map(Policy::length).collect()
    };
    let all = [Purpose::Plan, Purpose::Apply, Purpose::Destroy];
    let everywhere = all.map(|purpose| {
        ["eu-west-1", "ap-southeast-2", "us-gov-west-1"].map(|region| lengths(region, purpose))
    });
    assert_snapshot!(format!("{everywhere:?}"), @"[[[1655], [1670], [1681]], [[6125, 3917], [6017, 4215], [6101, 4366]], [[2679], [2714], [2749]]]");
}

/// A group starts instances in the caller's name: only from templates of the stack, and with the objects that
/// those templates and the group refer to.
#[test]
fn a_group_starts_instances_from_the_templates_of_its_stack() {
    let stack = stack(&json!({
        "launch_template.l": {
            "instance_type": "t3.micro", "ami": "ami-0a1b2c3d4e5f67890", "key_name": "me",
            "security_groups": ["sg-0a1b2c3d4e5f67890"],
        },
        "autoscaling_group.a": {
            "launch_template": "@launch_template.l", "subnets": ["subnet-0a1b2c3d4e5f67890"],
            "min": 1, "max": 2,
        },
    }));
    let policies = policies(&stack, &location("eu-west-1"), [Purpose::Apply]);
    let about = |statement: &&Statement| {
        statement.allows("ec2:RunInstances")
            || statement.allows("iam:CreateServiceLinkedRole")
            || statement.allows("autoscaling:CreateAutoScalingGroup")
    };
    let statements = policies.iter().flat_map(|policy| policy.statement.iter().filter(about));
    let lines = statements.map(|statement| serde_json::to_string(statement).unwrap() + "\n");
    assert_snapshot!(lines.collect::<String>(), @r#"
    {"Sid":"Make","Effect":"Allow","Action":["autoscaling:CreateAutoScalingGroup","ec2:CreateLaunchTemplate"],"Resource":["arn:aws:autoscaling:eu-west-1:123456789012:autoScalingGroup:*:autoScalingGroupName/*","arn:aws:ec2:eu-west-1:123456789012:launch-template/*"],"Condition":{"StringEquals":{"aws:RequestTag/mirror-plan:stack":"lab"}}}
    {"Sid":"Launch","Effect":"Allow","Action":"ec2:RunInstances","Resource":["arn:aws:ec2:eu-west-1:123456789012:instance/*","arn:aws:ec2:eu-west-1:123456789012:network-interface/*","arn:aws:ec2:eu-west-1:123456789012:volume/*"],"Condition":{"ArnLike":{"ec2:LaunchTemplate":"arn:aws:ec2:eu-west-1:123456789012:launch-template/*"}}}
    {"Sid":"Owned","Effect":"Allow","Action":["autoscaling:AttachLoadBalancerTargetGroups","autoscaling:CreateOrUpdateTags","autoscaling:DeleteAutoScalingGroup","autoscaling:DeleteTags","autoscaling:DetachLoadBalancerTargetGroups","autoscaling:UpdateAutoScalingGroup","ec2:CreateLaunchTemplateVersion","ec2:CreateTags","ec2:DeleteLaunchTemplate","ec2:DeleteTags","ec2:ModifyLaunchTemplate","ec2:RunInstances"],"Resource":["arn:aws:autoscaling:eu-west-1:123456789012:*/*","arn:aws:ec2:eu-west-1:123456789012:*/*"],"Condition":{"StringEquals":{"aws:ResourceTag/mirror-plan:stack":"lab"}}}
    {"Sid":"Use1","Effect":"Allow","Action":"ec2:RunInstances","Resource":["arn:aws:ec2:eu-west-1:123456789012:key-pair/me","arn:aws:ec2:eu-west-1:123456789012:security-group/sg-0a1b2c3d4e5f67890","arn:aws:ec2:eu-west-1:123456789012:subnet/subnet-0a1b2c3d4e5f67890","arn:aws:ec2:eu-west-1::image/ami-0a1b2c3d4e5f67890"]}
    {"Sid":"AutoscalingRole","Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resource":"arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling","Condition":{"StringEquals":{"iam:AWSServiceName":"autoscaling.amazonaws.com"}}}
    "#);
}

/// IAM does not distinguish a share that is being created from one that exists.
#[test]
fn a_share_is_made_with_the_tag_of_the_stack_and_belongs_to_no_other() {
    let shared =
        json!({ "mirror_targets": ["tmt-0a1b2c3d4e5f67890"], "principals": ["222233334444"] });
    let mut stack = stack(&json!({ "resource_share.r": shared }));
    let written = |stack: &Stack| -> String {
        let policies = policies(stack, &location("eu-west-1"), [Purpose::Apply]);
        let statements = policies.iter().flat_map(|policy| policy.statement.iter());
        statements.map(|statement| serde_json::to_string(statement).unwrap() + "\n").collect()
    };
    assert_snapshot!(written(&stack), @r#"
    {"Sid":"Read","Effect":"Allow","Action":["autoscaling:DescribeAutoScalingGroups","ec2:DescribeTags","ec2:DescribeTrafficMirrorTargets","elasticloadbalancing:DescribeLoadBalancers","elasticloadbalancing:DescribeTags","elasticloadbalancing:DescribeTargetGroups","ram:GetResourceShareAssociations","ram:GetResourceShares"],"Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}
    {"Sid":"Share","Effect":"Allow","Action":"ram:CreateResourceShare","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/mirror-plan:stack":"lab"}}}
    {"Sid":"Owned","Effect":"Allow","Action":["ram:AssociateResourceShare","ram:DeleteResourceShare","ram:DisassociateResourceShare","ram:TagResource","ram:UntagResource","ram:UpdateResourceShare"],"Resource":"arn:aws:ram:eu-west-1:123456789012:*/*","Condition":{"StringEquals":{"aws:ResourceTag/mirror-plan:stack":"lab"}}}
    {"Sid":"TagShare","Effect":"Allow","Action":"ram:TagResource","Resource":"arn:aws:ram:eu-west-1:123456789012:*/*","Condition":{"StringEquals":{"aws:RequestTag/mirror-plan:stack":"lab"}}}
    {"Sid":"KeepOwnership","Effect":"Deny","Action":["ec2:CreateTags","elasticloadbalancing:AddTags","autoscaling:CreateOrUpdateTags","ec2:DeleteTags","elasticloadbalancing:RemoveTags","autoscaling:DeleteTags","ram:UntagResource"],"Resource":"*","Condition":{"ForAnyValue:StringLike":{"aws:TagKeys":"mirror-plan:*"},"Null":{"ec2:CreateAction":"true","elasticloadbalancing:CreateAction":"true"}}}
    {"Sid":"KeepTags","Effect":"Deny","Action":"ec2:DeleteTags","Resource":"*","Condition":{"Null":{"aws:TagKeys":"true"}}}
    {"Sid":"KeepShares","Effect":"Deny","Action":"ram:TagResource","Resource":"*","Condition":{"ForAnyValue:StringLike":{"aws:TagKeys":"mirror-plan:*"},"StringNotEquals":{"aws:RequestTag/mirror-plan:stack":"lab"}}}
    {"Sid":"LeaveShares","Effect":"Deny","Action":"ram:TagResource","Resource":"*","Condition":{"ForAnyValue:StringLike":{"aws:TagKeys":"mirror-plan:*"},"Null":{"aws:ResourceTag/mirror-plan:stack":"false"},"StringNotEquals":{"aws:ResourceTag/mirror-plan:stack":"lab"}}}
    "#);
    let [from, to] = ["resource_share.q", "resource_share.r"].map(|it| it.parse().unwrap());
    stack.moved.push(Placed { of: Moved { from, to }, place: None });
    let kept = written(&stack);
    let kept = kept.lines().filter(|line| line.contains("\"Deny\""));
    assert_snapshot!(kept.collect::<Vec<_>>().join("\n"), @r#"
    {"Sid":"KeepOwnership","Effect":"Deny","Action":["ec2:CreateTags","elasticloadbalancing:AddTags","autoscaling:CreateOrUpdateTags"],"Resource":"*","Condition":{"ForAnyValue:StringLike":{"aws:TagKeys":["mirror-plan:gen","mirror-plan:stack"]},"Null":{"ec2:CreateAction":"true","elasticloadbalancing:CreateAction":"true"}}}
    {"Sid":"KeepAddress","Effect":"Deny","Action":["ec2:DeleteTags","elasticloadbalancing:RemoveTags","autoscaling:DeleteTags","ram:UntagResource"],"Resource":"*","Condition":{"ForAnyValue:StringLike":{"aws:TagKeys":"mirror-plan:*"},"Null":{"ec2:CreateAction":"true","elasticloadbalancing:CreateAction":"true"}}}
    {"Sid":"KeepTags","Effect":"Deny","Action":"ec2:DeleteTags","Resource":"*","Condition":{"Null":{"aws:TagKeys":"true"}}}
    {"Sid":"KeepShares","Effect":"Deny","Action":"ram:TagResource","Resource":"*","Condition":{"ForAnyValue:StringLike":{"aws:TagKeys":["mirror-plan:gen","mirror-plan:stack"]},"StringNotEquals":{"aws:RequestTag/mirror-plan:stack":"lab"}}}
    {"Sid":"LeaveShares","Effect":"Deny","Action":"ram:TagResource","Resource":"*","Condition":{"ForAnyValue:StringLike":{"aws:TagKeys":"mirror-plan:*"},"Null":{"aws:ResourceTag/mirror-plan:stack":"false"},"StringNotEquals":{"aws:ResourceTag/mirror-plan:stack":"lab"}}}
    "#);
}

#[test]
fn what_is_too_long_for_one_policy_is_several_that_say_the_same() {
    let sessions = (0..200).map(|i| {
        let session = json!({
            "source": format!("eni-{i:017x}"),
            "target": "tmt-0a1b2c3d4e5f67890",
            "filter": "tmf-0a1b2c3d4e5f67890",
            "number": 1
        });
        (format!("mirror_session.s{i}"), session)
    });
    let stack = stack(&serde_json::Value::Object(sessions.collect()));
    let policies = policies(&stack, &location("eu-west-1"), [Purpose::Apply]);
    assert!(policies.len() > 1);
    assert!(policies.iter().all(|policy| policy.length() <= Policy::LONGEST));
    let written = written(&policies);
    for i in 0..200 {
        let arn = format!(":network-interface/eni-{i:017x}\"");
        assert_eq!(written.matches(&arn).count(), 1, "{arn}");
    }
    let mut sids: Vec<&str> = written.lines().filter(|line| line.contains("\"Sid\"")).collect();
    let count = sids.len();
    sids.sort_unstable();
    sids.dedup();
    assert_eq!(sids.len(), count, "{sids:?}");
}

#[test]
fn purposes_together_are_all_of_each() {
    let actions = |purposes: &[Purpose]| -> BTreeSet<String> {
        let policies = policies(&everything(), &location("eu-west-1"), purposes.iter().copied());
        let statements = policies.into_iter().flat_map(|policy| policy.statement);
        statements.flat_map(|statement| statement.actions().to_vec()).collect()
    };
    let apart: BTreeSet<String> =
        actions(&[Purpose::Apply]).union(&actions(&[Purpose::Destroy])).cloned().collect();
    assert_eq!(actions(&[Purpose::Apply, Purpose::Destroy]), apart);
    let (planning, destroying) = (actions(&[Purpose::Plan]), actions(&[Purpose::Destroy]));
    // What stands in the way of a resource that is being deleted does not matter.
    let more: Vec<&String> = planning.difference(&destroying).collect();
    assert_eq!(
        more,
        ["ec2:DescribeKeyPairs", "ec2:DescribeNetworkAcls", "ec2:DescribeTransitGateways"]
    );
    let counting = actions(&[Purpose::Metrics]);
    let more: Vec<&String> = counting.difference(&planning).collect();
    assert_eq!(more, ["cloudwatch:GetMetricData"]);
    assert!(planning.is_subset(&counting));
    assert!(!actions(&[Purpose::Apply]).contains("cloudwatch:GetMetricData"));
    assert!(actions(&[Purpose::Destroy]).is_subset(&actions(&[Purpose::Apply])));
}
