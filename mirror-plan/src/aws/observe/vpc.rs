//! Reading VPCs.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Vpc as SeenVpc, VpcAttributeName};

use super::super::Aws;
use super::super::answer::Answer;
use super::super::page::{self, Ids, pages};
use super::super::tags;
use super::{ObserveError, Seen, Sought, Whose, each, with_id};
use crate::address::Kind;
use crate::observed::Found;
use crate::resource::Vpc;
use crate::resource::vpc::VpcId;

pub(super) async fn observe(aws: &Aws, whose: Whose<'_>, ids: Ids) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    if ids.is_empty() {
        return Ok(seen);
    }
    let request =
        aws.ec2().describe_vpcs().set_filters(page::only("vpc-id", &ids)).max_results(page::PAGE);
    let sought = Sought { whose, kind: Kind::Vpc };
    let mut ours = Vec::new();
    for vpc in pages!(aws, "DescribeVpcs", request, vpcs) {
        let id: VpcId = Answer("DescribeVpcs").id("vpcId", vpc.vpc_id())?;
        if let Some(owner) = seen.owner(sought, &id.erase(), &tags::from_ec2(vpc.tags())) {
            ours.push((owner, id, vpc));
        }
    }
    // AWS returns two attributes of a VPC only one at a time.
    let dns = each(ours.iter().map(|(_, id, _)| dns(aws, id)).collect()).await?;
    for ((owner, id, vpc), dns) in ours.into_iter().zip(dns) {
        let Some(dns) = dns else { continue };
        let resource = read(&vpc, dns)?.into();
        let (id, generation) = (id.erase(), owner.generation);
        let (computed, parts) = (with_id(&id), BTreeMap::new());
        seen.add(owner, Found { id, generation, resource, computed, parts });
    }
    Ok(seen)
}

/// The DNS settings of a VPC.
struct Dns {
    support: bool,
    hostnames: bool,
}

async fn dns(aws: &Aws, id: &VpcId) -> Result<Dns, ObserveError> {
    let request = aws.ec2().describe_vpc_attribute().vpc_id(id.as_str());
    let support = request.clone().attribute(VpcAttributeName::EnableDnsSupport);
    let hostnames = request.attribute(VpcAttributeName::EnableDnsHostnames);
    let (support, hostnames) = tokio::try_join!(
        aws.send("DescribeVpcAttribute", support.send()),
        aws.send("DescribeVpcAttribute", hostnames.send()),
    )?;
    let answer = Answer("DescribeVpcAttribute");
    let support = support.enable_dns_support().and_then(|value| value.value());
    let hostnames = hostnames.enable_dns_hostnames().and_then(|value| value.value());
    Ok(Dns {
        support: answer.present("enableDnsSupport", support)?,
        hostnames: answer.present("enableDnsHostnames", hostnames)?,
    })
}

fn read(vpc: &SeenVpc, dns: Dns) -> Result<Vpc, ObserveError> {
    let Dns { support, hostnames } = dns;
    Ok(Vpc {
        cidr: Answer("DescribeVpcs").parsed("cidrBlock", vpc.cidr_block())?,
        dns_support: support,
        dns_hostnames: hostnames,
        tags: tags::own(tags::from_ec2(vpc.tags())),
    })
}
