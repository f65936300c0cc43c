//! The policies of stacks that are connected with VPCs of other accounts.

use super::*;
use crate::resource::{Vpc, VpcPeering};
use crate::stack::{Account, Selector};

const THERE: &str = "444455556666";

/// A stack that requests peering with another account's VPC, which `selector` looks up.
fn asking(by: Account, selector: Selector) -> Stack {
    let mut builder = Stack::builder("lab".parse().unwrap());
    let account = Some(builder.other_account("sensors".parse().unwrap(), by));
    let selector = Selector { account, ..selector };
    let accepter = builder.existing::<Vpc>("sensors".parse().unwrap(), selector);
    let requester = crate::attribute::Ref::Id("vpc-0b1b2c3d4e5f67890".parse().unwrap());
    let (accepter_owner, auto_accept, accept_as) = (None, true, None);
    let tags = BTreeMap::new();
    let peering = VpcPeering { requester, accepter, accepter_owner, auto_accept, accept_as, tags };
    builder.add("out".parse().unwrap(), peering);
    builder.build().unwrap().0
}

fn role() -> Account {
    let role = format!("arn:aws:iam::{THERE}:role/mirror-accepter").parse().unwrap();
    Account::Role { role, external_id: None }
}

fn profile() -> Account {
    Account::Profile { profile: "sensors".to_owned(), account: None }
}

fn by_id() -> Selector {
    let id = Some(serde_json::from_value(json!("vpc-0a1b2c3d4e5f67890")).unwrap());
    Selector { id, ..Selector::default() }
}

fn by_name() -> Selector {
    Selector { name: Some("sensors".to_owned()), ..Selector::default() }
}

fn own(stack: &Stack, purpose: Purpose) -> Vec<Policy> {
    policies(stack, &location("eu-west-1"), [purpose])
}

fn theirs(stack: &Stack, purpose: Purpose) -> String {
    let name = "aws.sensors".parse().unwrap();
    let account = THERE.parse().unwrap();
    written(&policies_as(stack, &location("eu-west-1"), (&name, &account), [purpose]))
}

/// The statements about other accounts, one per line.
fn of_others(stack: &Stack, purpose: Purpose) -> String {
    let policies = own(stack, purpose);
    let statements = policies.iter().flat_map(|policy| &policy.statement);
    let lines = statements.map(|it| serde_json::to_string(it).unwrap() + "\n");
    lines
        .filter(|line| ["Peer", "Assume"].iter().any(|sid| line.contains(&format!("\"{sid}\""))))
        .collect()
}

#[test]
fn the_own_account_asks_that_vpc_and_assumes_that_role() {
    assert_snapshot!(of_others(&asking(role(), by_id()), Purpose::Apply), @r#"
    {"Sid":"Peer","Effect":"Allow","Action":"ec2:CreateVpcPeeringConnection","Resource":"arn:aws:ec2:eu-west-1:123456789012:vpc-peering-connection/*","Condition":{"ArnLike":{"ec2:AccepterVpc":"arn:aws:ec2:eu-west-1:444455556666:vpc/vpc-0a1b2c3d4e5f67890"},"StringEquals":{"aws:RequestTag/mirror-plan:stack":"lab"}}}
    {"Sid":"Assume","Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444455556666:role/mirror-accepter"}
    "#);
    // It is not known which account the profile is for, nor which VPC will be found.
    assert_snapshot!(of_others(&asking(profile(), by_name()), Purpose::Apply), @r#"{"Sid":"Peer","Effect":"Allow","Action":"ec2:CreateVpcPeeringConnection","Resource":"arn:aws:ec2:eu-west-1:123456789012:vpc-peering-connection/*","Condition":{"ArnLike":{"ec2:AccepterVpc":"arn:aws:ec2:eu-west-1:*:vpc/*"},"StringEquals":{"aws:RequestTag/mirror-plan:stack":"lab"}}}"#);
    assert_snapshot!(of_others(&asking(role(), by_id()), Purpose::Plan), @r#"{"Sid":"Assume","Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444455556666:role/mirror-accepter"}"#);
    assert_eq!(of_others(&asking(role(), by_id()), Purpose::Destroy), "");
    let accepts = |stack: &Stack| written(&own(stack, Purpose::Apply)).contains("AcceptVpcPeering");
    assert!(!accepts(&asking(role(), by_id())), "it accepts nothing itself");
    let vpc = "vpc-0b1b2c3d4e5f67890";
    let within = stack(
        &json!({ "vpc_peering.p": { "requester": vpc, "accepter": "vpc-0c1b2c3d4e5f67890" } }),
    );
    assert!(accepts(&within));
}

#[test]
fn the_other_account_lets_itself_be_looked_at_and_accepts_for_that_vpc() {
    assert_snapshot!(theirs(&asking(role(), by_id()), Purpose::Apply), @r#"
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "Read",
          "Effect": "Allow",
          "Action": "ec2:DescribeVpcs",
          "Resource": "*",
          "Condition": {
            "StringEquals": {
              "aws:RequestedRegion": "eu-west-1"
            }
          }
        },
        {
          "Sid": "Look",
          "Effect": "Allow",
          "Action": "ec2:DescribeVpcAttribute",
          "Resource": "arn:aws:ec2:eu-west-1:444455556666:vpc/vpc-0a1b2c3d4e5f67890"
        },
        {
          "Sid": "Accept",
          "Effect": "Allow",
          "Action": "ec2:AcceptVpcPeeringConnection",
          "Resource": "arn:aws:ec2:eu-west-1:444455556666:vpc-peering-connection/*",
          "Condition": {
            "ArnLike": {
              "ec2:RequesterVpc": "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0b1b2c3d4e5f67890"
            }
          }
        },
        {
          "Sid": "AcceptFor",
          "Effect": "Allow",
          "Action": "ec2:AcceptVpcPeeringConnection",
          "Resource": "arn:aws:ec2:eu-west-1:444455556666:vpc/vpc-0a1b2c3d4e5f67890"
        }
      ]
    }
    "#);
    assert_snapshot!(theirs(&asking(role(), by_name()), Purpose::Plan), @r#"
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "Read",
          "Effect": "Allow",
          "Action": [
            "ec2:DescribeTags",
            "ec2:DescribeVpcs"
          ],
          "Resource": "*",
          "Condition": {
            "StringEquals": {
              "aws:RequestedRegion": "eu-west-1"
            }
          }
        },
        {
          "Sid": "Look",
          "Effect": "Allow",
          "Action": "ec2:DescribeVpcAttribute",
          "Resource": "arn:aws:ec2:eu-west-1:444455556666:vpc/*"
        }
      ]
    }
    "#);
    assert_eq!(theirs(&asking(role(), by_id()), Purpose::Destroy), "");
}
