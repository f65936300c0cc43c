//! Makes a large account to measure on: a local AWS with 10,000 interfaces, and a stack file with
//! as many sessions as asked for.
//!
//! `cargo run --release -p mirror-tests --example estate -- FOLDER SESSIONS`

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use aws_sdk_ec2::Client as Ec2;
use mirror_local::Cloud;
use mirror_tests::{Rig, config};

/// How many interfaces there are, whatever the number of sessions.
const INTERFACES: usize = 10_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(sessions)) = (arguments.next(), arguments.next()) else {
        return Err("give a folder and a number of sessions".into());
    };
    let (folder, sessions) = (Path::new(&folder), sessions.parse::<usize>()?);
    std::fs::create_dir_all(folder)?;
    let cloud = Cloud::open(&folder.join(".mirror/local"))?;
    let rig = Rig::over(cloud);
    let interfaces = interfaces(&rig).await?;
    std::fs::write(folder.join("estate.mirror.hcl"), stack_file(&interfaces, sessions))?;
    Ok(())
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
    let mut text =
        String::from("stack \"estate\" { region = \"eu-west-1\" }\n\nlocals {\n  sources = [\n");
    for interface in &interfaces[1..=sessions.min(interfaces.len() - 1)] {
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
