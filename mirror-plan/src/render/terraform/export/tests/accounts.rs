//! A connection with another account, in the provider's words.

use std::collections::BTreeMap;

use super::*;
use crate::observed::Observed;
use crate::resource::{Resource, Vpc, VpcPeering};
use crate::stack::{Account, Selector, Stack};

const THERE: &str = "444455556666";

fn peering(by: Account) -> Stack {
    let mut builder = Stack::builder("lab".parse().unwrap());
    let account = Some(builder.other_account("sensors".parse().unwrap(), by));
    let name = Some("sensors".to_owned());
    let selector = Selector { name, account, ..Selector::default() };
    let accepter = builder.existing::<Vpc>("sensors".parse().unwrap(), selector);
    let requester = crate::attribute::Ref::Id("vpc-0b1b2c3d4e5f67890".parse().unwrap());
    let (accepter_owner, auto_accept, accept_as) = (None, true, None);
    let tags = BTreeMap::new();
    let peering = VpcPeering { requester, accepter, accepter_owner, auto_accept, accept_as, tags };
    builder.add("sensors".parse().unwrap(), peering);
    builder.build().unwrap().0
}

/// Adds the other account to what was observed: nothing of the stack, or what it has created.
fn seeing(mut observed: Observed) -> Observed {
    let vpc = stack(json!({ "vpc.sensors": { "cidr": "10.9.0.0/16" } }));
    let (address, found) = applied(&vpc).owned.pop_first().unwrap();
    observed.existing.insert(address, found.into_iter().next().unwrap());
    observed.accounts.insert("aws.sensors".parse().unwrap(), THERE.parse().unwrap());
    observed
}

fn after_provider(export: &Export) -> String {
    let (_, rest) = export
        .to_string()
        .split_once("    key_prefixes")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    rest.split_once("\n\n").unwrap().1.to_owned()
}

#[test]
fn the_other_account_is_a_provider_and_its_side_a_resource_of_its_own() {
    let role = format!("arn:aws:iam::{THERE}:role/mirror").parse().unwrap();
    let stack = peering(Account::Role { role, external_id: Some("for mirror".to_owned()) });
    let export = Export::of(&stack, &seeing(nothing())).unwrap();
    assert_snapshot!(after_provider(&export), @r#"
    provider "aws" {
      alias               = "sensors"
      region              = "eu-west-1"
      allowed_account_ids = ["444455556666"]

      assume_role {
        role_arn    = "arn:aws:iam::444455556666:role/mirror"
        external_id = "for mirror"
      }
    }

    data "aws_vpc" "sensors" {
      provider = aws.sensors
      tags     = { Name = "sensors" }
    }

    resource "aws_vpc_peering_connection" "sensors" {
      auto_accept   = false
      peer_vpc_id   = data.aws_vpc.sensors.id
      tags          = { Name = "sensors" }
      vpc_id        = "vpc-0b1b2c3d4e5f67890"
      peer_owner_id = "444455556666"
    }

    resource "aws_vpc_peering_connection_accepter" "sensors" {
      provider                  = aws.sensors
      vpc_peering_connection_id = aws_vpc_peering_connection.sensors.id
      auto_accept               = true
    }
    "#);
    assert_eq!(export.left, Vec::<String>::new());
}

#[test]
fn both_sides_of_what_is_there_are_imported() {
    let stack = peering(Account::Profile { profile: "sensors".to_owned(), account: None });
    let filled = stack.using(&seeing(nothing())).unwrap().into_owned();
    let mut observed = seeing(applied(&filled));
    for found in observed.owned.values_mut().flatten() {
        if let Resource::VpcPeering(peering) = &mut found.resource {
            peering.accept_as = None;
        }
    }
    assert_snapshot!(after_provider(&Export::of(&stack, &observed).unwrap()), @r#"
    provider "aws" {
      alias               = "sensors"
      region              = "eu-west-1"
      allowed_account_ids = ["444455556666"]
      profile             = "sensors"
    }

    data "aws_vpc" "sensors" {
      provider = aws.sensors
      tags     = { Name = "sensors" }
    }

    resource "aws_vpc_peering_connection" "sensors" {
      auto_accept   = false
      peer_vpc_id   = data.aws_vpc.sensors.id
      tags          = { Name = "sensors" }
      vpc_id        = "vpc-0b1b2c3d4e5f67890"
      peer_owner_id = "444455556666"
    }

    resource "aws_vpc_peering_connection_accepter" "sensors" {
      provider                  = aws.sensors
      vpc_peering_connection_id = aws_vpc_peering_connection.sensors.id
      auto_accept               = true
    }

    import {
      to = aws_vpc_peering_connection.sensors
      id = "pcx-2ec2be8d8430ffb3a"
    }

    import {
      to = aws_vpc_peering_connection_accepter.sensors
      id = "pcx-2ec2be8d8430ffb3a"
    }
    "#);
}
