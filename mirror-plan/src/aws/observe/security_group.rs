//! Reading security groups.

use std::collections::BTreeMap;

use super::super::Aws;
use super::super::answer::Answer;
use super::super::page::{self, Ids, pages};
use super::super::tags;
use super::permission::rules;
use super::{ObserveError, Seen, Sought, Whose, with_id};
use crate::address::Kind;
use crate::observed::Found;
use crate::resource::SecurityGroup;
use crate::resource::security_group::SecurityGroupId;

const ANSWER: Answer = Answer("DescribeSecurityGroups");

pub(super) async fn observe(aws: &Aws, whose: Whose<'_>, ids: Ids) -> Result<Seen, ObserveError> {
    let mut seen = Seen::default();
    if ids.is_empty() {
        return Ok(seen);
    }
    let request = aws
        .ec2()
        .describe_security_groups()
        .set_filters(page::only("group-id", &ids))
        .max_results(page::PAGE);
    let sought = Sought { whose, kind: Kind::SecurityGroup };
    for group in pages!(aws, "DescribeSecurityGroups", request, security_groups) {
        let id: SecurityGroupId = ANSWER.id("groupId", group.group_id())?;
        let id = id.erase();
        let Some(owner) = seen.owner(sought, &id, &tags::from_ec2(group.tags())) else {
            continue;
        };
        let (ingress, untold_in) = rules(group.ip_permissions())?;
        let (egress, untold_out) = rules(group.ip_permissions_egress())?;
        for what in untold_in.into_iter().chain(untold_out) {
            seen.untold(&owner, &id, what);
        }
        let resource = SecurityGroup {
            vpc: ANSWER.reference("vpcId", group.vpc_id())?,
            name: Some(ANSWER.present("groupName", group.group_name())?.to_owned()),
            description: Some(ANSWER.present("groupDescription", group.description())?.to_owned()),
            open_to_world: ingress.open_to_world(),
            ingress,
            egress,
            tags: tags::own(tags::from_ec2(group.tags())),
        };
        let (generation, resource) = (owner.generation, resource.into());
        let (computed, parts) = (with_id(&id), BTreeMap::new());
        seen.add(owner, Found { id, generation, resource, computed, parts });
    }
    Ok(seen)
}
