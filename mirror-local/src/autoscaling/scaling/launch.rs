//! Launching an instance of a group.

use super::{Step, balance};
use crate::autoscaling::activity::{self, Cause};
use crate::autoscaling::group::AutoScalingGroup;
use crate::autoscaling::member::{self, Health, Member, Stage};
use crate::ec2::instance;
use crate::ec2::launch_template::{self, Source};
use crate::failure::Outcome;
use crate::parameters::Parameters;
use crate::tags::Tags;
use crate::world::Call;
use std::collections::BTreeSet;

/// Launches one instance where the group has the fewest; if that is refused, in the next best subnet.
pub(super) fn launch(call: &mut Call<'_>, group: &AutoScalingGroup, cause: Cause) -> Step {
    let members: Vec<Member> = member::of(call.region, &group.name).cloned().collect();
    let counting: Vec<&Member> = members.iter().filter(|member| member.counts()).collect();
    if group.target_group_arns().any(|arn| !call.region.target_groups.contains(arn)) {
        let why =
            "One or more target groups not found. Validating load balancer configuration failed.";
        activity::failed(call, group, (cause, why.to_owned()));
        return Step::Still;
    }
    let mut refusal = None;
    for subnet in balance::places(call.region, group, &counting) {
        call.region.seal();
        match attempt(call, group, &subnet) {
            Ok((id, source)) => {
                join(call, group, ((&id, source), cause));
                return Step::Moved;
            }
            Err(failure) => {
                call.region.rollback();
                refusal = Some(failure);
            }
        }
    }
    let why = refusal.map(|failure| failure.message).unwrap_or_default();
    let why = format!("{}. Launching EC2 instance failed.", why.trim_end_matches('.'));
    activity::failed(call, group, (cause, why));
    Step::Still
}

/// Checks whether the group could launch, as AWS does before it accepts a launch template. What is full today may have
/// room later.
pub(in crate::autoscaling) fn rehearse(call: &Call<'_>, group: &AutoScalingGroup) -> Outcome {
    let Some(subnet) = group.subnets.first() else { return Ok(()) };
    let mut region = call.region.clone();
    let Call { neighbours, parameters, settings, now, .. } = *call;
    let mut trial = Call { region: &mut region, neighbours, parameters, settings, now };
    match attempt(&mut trial, group, subnet) {
        Err(failure) if !failure.is_of_state() => Err(failure),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Launches an instance into a subnet; returns its id and what it was launched from.
fn attempt(
    call: &mut Call<'_>,
    group: &AutoScalingGroup,
    subnet: &str,
) -> Outcome<(String, Source)> {
    let one = Parameters::from_pairs([("MinCount", "1"), ("MaxCount", "1")]);
    let specification = group.template.specification();
    let (source, parameters) = launch_template::filled(call.region, &specification, &one)?;
    let parameters = placed(&parameters, subnet);
    let Call { ref mut region, neighbours, settings, now, .. } = *call;
    let launch = &mut Call { region, neighbours, parameters: &parameters, settings, now };
    let made = instance::launch(launch)?;
    let (_, id) = made.split_once(' ').unwrap_or_default();
    if let Some(instance) = region.instances.get_mut(id) {
        mark(&mut instance.tags, group)?;
        source.mark(&mut instance.tags);
    }
    Ok((id.to_owned(), source))
}

/// The parameters of a launch, into a subnet: that of its interfaces where it names those.
fn placed(parameters: &Parameters, subnet: &str) -> Parameters {
    let interfaces = parameters.list("NetworkInterface");
    let mut pairs = parameters.pairs();
    if interfaces.is_empty() {
        pairs.push(("SubnetId".to_owned(), subnet.to_owned()));
    }
    for interface in interfaces {
        pairs.push((interface.full_name("SubnetId"), subnet.to_owned()));
    }
    Parameters::from_pairs(pairs)
}

/// Gives an instance the tags that it has as a member of the group. They replace the template's.
fn mark(tags: &mut Tags, group: &AutoScalingGroup) -> Outcome {
    let mut given = Tags::default();
    let propagated = group.tags.iter().filter(|(key, _)| group.propagated.contains(*key));
    propagated.for_each(|(key, value)| given.set(key, value));
    tags.add(&given)?;
    tags.set("aws:autoscaling:groupName", &*group.name);
    Ok(())
}

/// Makes a launched instance a member of the group.
fn join(
    call: &mut Call<'_>,
    group: &AutoScalingGroup,
    ((id, source), cause): ((&str, Source), Cause),
) {
    let activity = activity::launched(call, (group, id), cause);
    let Some(instance) = call.region.instances.get(id) else { return };
    let member = Member {
        instance_id: id.to_owned(),
        group: group.name.clone(),
        instance_type: instance.instance_type.clone(),
        image_id: instance.image_id.clone(),
        subnet_id: instance.subnet_id.clone(),
        zone: instance.zone.clone(),
        source,
        launched: call.now,
        stage: Stage::Pending,
        health: Health::Healthy,
        registered: BTreeSet::new(),
        activity,
    };
    call.region.auto_scaling_members.insert(id, member);
}
