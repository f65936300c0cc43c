//! Large accounts to measure on, and stacks that mirror what is in them.
//!
//! A load balancer without targets receives nothing. The stacks declare this, so that their plans are not refused: the
//! measurements concern the number of sessions, not receivers.

use std::error::Error;

use aws_sdk_ec2::Client as Ec2;
use aws_sdk_ec2::types::{InstanceType, ResourceType, Tag, TagSpecification};

use crate::{Rig, config};

/// Starts instances that carry the tag, the same number in each of some VPCs, and returns one of their subnets.
///
/// # Errors
/// If the account does not accept them.
pub async fn instances(
    rig: &Rig,
    (vpcs, in_each): (usize, usize),
) -> Result<String, Box<dyn Error>> {
    let ec2 = Ec2::new(&config(&rig.cloud));
    let images = ec2.describe_images().owners("amazon").send().await?;
    let fits = images.images().iter().find(|image| {
        image.architecture().is_some_and(|architecture| architecture.as_str() == "x86_64")
    });
    let image = fits.and_then(|image| image.image_id()).ok_or("no image")?;
    let tag = Tag::builder().key("mirror").value("true").build();
    let tags = TagSpecification::builder().resource_type(ResourceType::Instance).tags(tag).build();
    let in_each = i32::try_from(in_each)?;
    let mut last = String::new();
    for _ in 0..vpcs {
        let vpc = ec2.create_vpc().cidr_block("10.0.0.0/16").send().await?;
        let vpc = vpc.vpc().and_then(|vpc| vpc.vpc_id()).ok_or("no VPC")?;
        let subnet = ec2.create_subnet().vpc_id(vpc).cidr_block("10.0.0.0/20").send().await?;
        let subnet = subnet.subnet().and_then(|subnet| subnet.subnet_id()).ok_or("no subnet")?;
        ec2.run_instances()
            .image_id(image)
            .subnet_id(subnet)
            .instance_type(InstanceType::T3Micro)
            .min_count(in_each)
            .max_count(in_each)
            .tag_specifications(tags.clone())
            .send()
            .await?;
        last = subnet.to_owned();
    }
    Ok(last)
}

/// The text of a stack file: a load balancer in an existing subnet, a filter, and a session on everything that carries
/// the tag.
#[must_use]
pub fn sessions_on_tagged(subnet: &str) -> String {
    format!(
        r#"stack "estate" {{
  region = "eu-west-1"
  allow  = ["MP1001: plans are measured, and nothing receives"]
}}

existing "subnet" "receivers" {{ id = "{subnet}" }}

sources "tagged" {{
  tags   = {{ mirror = "true" }}
  expect = "1.."
}}

load_balancer "receivers" {{ subnets = [subnet.receivers] }}

mirror_target "receivers" {{ load_balancer = load_balancer.receivers }}

mirror_filter "everything" {{ rules = [{{ number = 100, action = "accept" }}] }}

mirror_session "detect" {{
  source = sources.tagged
  target = mirror_target.receivers
  filter = mirror_filter.everything
  number = 1
  vni    = "1000..20000"
}}
"#
    )
}

/// Makes this many interfaces, or finds those that an earlier run made, and returns their ids.
///
/// # Errors
/// If the account does not accept them.
pub async fn interfaces(rig: &Rig, count: usize) -> Result<Vec<String>, Box<dyn Error>> {
    let ec2 = Ec2::new(&config(&rig.cloud));
    let answer = ec2.describe_vpcs().send().await?;
    let vpc = answer.vpcs().first().and_then(|vpc| vpc.vpc_id()).ok_or("no default VPC")?;
    let range = "172.31.128.0/18";
    let made = ec2.create_subnet().vpc_id(vpc).cidr_block(range).send().await;
    let subnet = made.ok().and_then(|answer| answer.subnet()?.subnet_id().map(str::to_owned));
    if let Some(subnet) = subnet {
        for _ in 0..count {
            ec2.create_network_interface().subnet_id(&subnet).send().await?;
        }
    }
    let mut ids = Vec::new();
    let mut pages = ec2.describe_network_interfaces().into_paginator().send();
    while let Some(page) = pages.next().await {
        ids.extend(
            page?
                .network_interfaces()
                .iter()
                .filter_map(|i| i.network_interface_id().map(str::to_owned)),
        );
    }
    ids.sort();
    Ok(ids)
}

/// The text of a stack file: a load balancer, a filter, and a session on each of these interfaces.
#[must_use]
pub fn sessions_on(interfaces: &[String]) -> String {
    // A list of ids is written in HCL as it is in Rust.
    format!(
        r#"stack "estate" {{
  region = "eu-west-1"
  allow  = ["MP1001: plans are measured, and nothing receives"]
}}

locals {{ sources = {interfaces:#?} }}

vpc "estate" {{ cidr = "10.0.0.0/16" }}

subnet "receivers" {{
  vpc  = vpc.estate
  cidr = "10.0.2.0/24"
}}

load_balancer "receivers" {{ subnets = [subnet.receivers] }}

mirror_target "receivers" {{ load_balancer = load_balancer.receivers }}

mirror_filter "everything" {{ rules = [{{ number = 100, action = "accept" }}] }}

mirror_session "detect" {{
  count  = length(local.sources)
  source = local.sources[count.index]
  target = mirror_target.receivers
  filter = mirror_filter.everything
  number = 1
}}
"#
    )
}
