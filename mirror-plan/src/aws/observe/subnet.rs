//! Reading subnets.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Subnet as SeenSubnet;

use super::super::Aws;
use super::super::answer::Answer;
use super::super::errors::AnswerError;
use super::super::page::{self, Ids, pages};
use super::super::tags;
use super::{ObserveError, Seen, Sought, Whose, with_id};
use crate::address::Kind;
use crate::observed::Found;
use crate::resource::Subnet;
use crate::resource::subnet::SubnetId;

const ANSWER: Answer = Answer("DescribeSubnets");

pub(super) async fn observe(aws: &Aws, whose: Whose<'_>, ids: Ids) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    if ids.is_empty() {
        return Ok(seen);
    }
    let request = aws
        .ec2()
        .describe_subnets()
        .set_filters(page::only("subnet-id", &ids))
        .max_results(page::PAGE);
    let sought = Sought { whose, kind: Kind::Subnet };
    for subnet in pages!(aws, "DescribeSubnets", request, subnets) {
        let id: SubnetId = ANSWER.id("subnetId", subnet.subnet_id())?;
        let id = id.erase();
        let Some(owner) = seen.owner(sought, &id, &tags::from_ec2(subnet.tags())) else {
            continue;
        };
        let (generation, resource) = (owner.generation, read(&subnet)?.into());
        let (computed, parts) = (with_id(&id), BTreeMap::new());
        seen.add(owner, Found { id, generation, resource, computed, parts });
    }
    Ok(seen)
}

fn read(subnet: &SeenSubnet) -> Result<Subnet, AnswerError> {
    let zone = subnet.availability_zone();
    Ok(Subnet {
        vpc: ANSWER.reference("vpcId", subnet.vpc_id())?,
        cidr: ANSWER.parsed("cidrBlock", subnet.cidr_block())?,
        availability_zone: Some(ANSWER.parsed("availabilityZone", zone)?),
        public_ip_on_launch: ANSWER
            .present("mapPublicIpOnLaunch", subnet.map_public_ip_on_launch())?,
        tags: tags::own(tags::from_ec2(subnet.tags())),
    })
}
