//! Makes a large account to measure on: a local AWS with 10,000 interfaces, and a stack file with
//! as many sessions as asked for. With `sources` in place of their number there are 10,000 tagged instances
//! in 40 VPCs, and the stack file mirrors what carries the tag.
//!
//! `cargo run --release -p mirror-tests --example estate -- FOLDER SESSIONS`

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use aws_sdk_ec2::Client as Ec2;
use aws_sdk_ec2::types::{InstanceType, ResourceType, Tag, TagSpecification};
use mirror_local::{Cloud, Durations, Settings};
use mirror_tests::{Rig, config};

/// How many interfaces there are, whatever the number of sessions.
const INTERFACES: usize = 10_000;

/// In how many VPCs the tagged instances are.
const VPCS: usize = 40;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(sessions)) = (arguments.next(), arguments.next()) else {
        return Err("give a folder and a number of sessions".into());
    };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let mut settings = Settings::default();
    (settings.quotas.vpcs, settings.quotas.instances) = (VPCS + 5, INTERFACES + 5);
    settings.durations = Durations::instant();
    let cloud = Cloud::open(&folder.join(".mirror/local"))?.with_settings(settings);
    let rig = Rig::over(cloud);
    let text = match sessions.as_str() {
        "sources" => over_sources(&instances(&rig).await?),
        number => stack_file(&interfaces(&rig).await?, number.parse()?),
    };
    std::fs::write(folder.join("estate.mirror.hcl"), text)?;
    Ok(())
}

/// Starts the tagged instances, and returns one of their subnets.
async fn instances(rig: &Rig) -> Result<String, Box<dyn Error>> {
    let ec2 = Ec2::new(&config(&rig.cloud));
    let images = ec2.describe_images().owners("amazon").send().await?;
    let fits = images.images().iter().find(|image| {
        image.architecture().is_some_and(|architecture| architecture.as_str() == "x86_64")
    });
    let image = fits.and_then(|image| image.image_id()).ok_or("no image")?;
    let tag = Tag::builder().key("mirror").value("true").build();
    let tags = TagSpecification::builder().resource_type(ResourceType::Instance).tags(tag).build();
    let in_each = i32::try_from(INTERFACES / VPCS)?;
    let mut last = String::new();
    for _ in 0..VPCS {
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

/// Receivers in a subnet that is there, a filter, and sessions on whatever carries the tag.
fn over_sources(subnet: &str) -> String {
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

/// Makes the interfaces, or finds those that an earlier run has made.
async fn interfaces(rig: &Rig) -> Result<Vec<String>, Box<dyn Error>> {
    let ec2 = Ec2::new(&config(&rig.cloud));
    let answer = ec2.describe_vpcs().send().await?;
    let vpc = answer.vpcs().first().and_then(|vpc| vpc.vpc_id()).ok_or("no default VPC")?;
    let range = "172.31.128.0/18";
    let made = ec2.create_subnet().vpc_id(vpc).cidr_block(range).send().await;
    let subnet = made.ok().and_then(|answer| answer.subnet()?.subnet_id().map(str::to_owned));
    if let Some(subnet) = subnet {
        for _ in 0..INTERFACES {
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

/// Receivers behind an interface, a filter, and sessions on the first of `interfaces`.
fn stack_file(interfaces: &[String], sessions: usize) -> String {
    let mut text = String::from(
        "stack \"estate\" {\n  region = \"eu-west-1\"\n  \
         allow  = [\"MP1001: plans are measured, and nothing receives\"]\n}\n\nlocals {\n  sources = [\n",
    );
    for interface in interfaces.iter().skip(1).take(sessions) {
        writeln!(text, "    \"{interface}\",").expect("a string takes text");
    }
    write!(
        text,
        r#"  ]
}}

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
    .expect("a string takes text");
    text
}
