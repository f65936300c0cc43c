//! Reading the health of the targets of target groups.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::TargetHealthDescription;

use super::super::answer::{Answer, text};
use super::super::errors::AnswerError;
use super::super::{Aws, BoxFuture};
use super::{ObserveError, autoscaling_group, each};
use crate::address::{Address, Kind};
use crate::observed::{Found, Observed};
use crate::resource::instance::InstanceId;
use crate::verify::{State, TargetGroups, TargetHealth};

const ANSWER: Answer = Answer("DescribeTargetHealth");

/// Reads the health of the targets of each target group that the stack creates or uses, in one call for each group.
///
/// # Errors
/// If a call fails or an answer cannot be read.
pub fn target_health<'a>(
    aws: &'a Aws,
    observed: &'a Observed,
) -> BoxFuture<'a, Result<TargetGroups, ObserveError>> {
    Box::pin(async move {
        let current = observed.owned.keys().filter_map(|at| Some((at, observed.current(at)?)));
        let all: Vec<(&Address, &Found)> = current.chain(&observed.existing).collect();
        let of = |kind: Kind| all.iter().copied().filter(move |(address, _)| address.kind == kind);
        let instances: BTreeMap<&str, &Address> =
            of(Kind::Instance).map(|(address, found)| (found.id.as_str(), address)).collect();
        let groups: Vec<(&Address, &Found)> = of(Kind::TargetGroup).collect();
        let asked = each(groups.iter().map(|(_, group)| of_group(aws, group)).collect()).await?;
        let registered = asked.iter().flatten().flatten().filter_map(|it| it.target()?.id());
        let strange = registered.filter(|id| !instances.contains_key(id)).map(str::to_owned);
        let members = autoscaling_group::members(aws, &strange.collect()).await?;
        let scaling: BTreeMap<String, &Address> = of(Kind::AutoscalingGroup)
            .filter_map(|(address, found)| {
                Some((autoscaling_group::name_of(found)?.to_owned(), address))
            })
            .collect();
        let (mut there, mut targets) = (Vec::new(), Vec::new());
        for ((address, _), answer) in groups.into_iter().zip(asked) {
            let Some(answer) = answer else { continue };
            there.push(address.clone());
            for target in answer {
                let mut read = read(address, &target)?;
                let started = || scaling.get(members.get(read.id.as_str())?).copied();
                let address = instances.get(read.id.as_str()).copied().or_else(started);
                read.instance = address.cloned();
                targets.push(read);
            }
        }
        targets.sort();
        Ok(TargetGroups { there, targets })
    })
}

async fn of_group(aws: &Aws, group: &Found) -> Result<Vec<TargetHealthDescription>, ObserveError> {
    let request = aws.elb().describe_target_health().target_group_arn(group.id.as_str());
    let answer = aws.send("DescribeTargetHealth", request.send()).await?;
    Ok(answer.target_health_descriptions.unwrap_or_default())
}

fn read(group: &Address, seen: &TargetHealthDescription) -> Result<TargetHealth, AnswerError> {
    let target = ANSWER.present("Target", seen.target())?;
    let health = ANSWER.present("TargetHealth", seen.target_health())?;
    let state = ANSWER.present("State", health.state())?;
    let id: InstanceId = ANSWER.id("Id", target.id())?;
    let words = [health.reason().map(|reason| reason.as_str()), health.description()];
    let words: Vec<String> = words.into_iter().filter_map(text).collect();
    Ok(TargetHealth {
        group: group.clone(),
        id,
        instance: None,
        port: target.port().and_then(|port| u16::try_from(port).ok()),
        state: State::of(state.as_str()),
        reason: (!words.is_empty()).then(|| words.join(": ")),
    })
}
