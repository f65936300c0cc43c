//! Interfaces in networks that are removed, and whose interfaces they are.
//!
//! Of the interfaces that AWS manages for a service, only those of load balancers are looked into; they state which
//! load balancer they belong to. The others are removed with the object that they belong to, some of them a while
//! later.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{Instance, InstanceStateName, NetworkInterface};

use super::{Ground, name_of};
use crate::aws::answer::text;
use crate::aws::observe::{ObserveError, elb};
use crate::aws::tags::{from_ec2, is_of};
use crate::aws::{Aws, listing};
use crate::id::ObjectId;
use crate::observed::{Occupant, Occupation};
use crate::resource::tag;

/// The beginning of the description of a load balancer's interface, before the end of the ARN.
///
/// AWS documents no other way from the interface to the load balancer; the Terraform AWS provider uses this one too.
const OF_LOAD_BALANCER: &str = "ELB ";

/// By owner (the id of an instance or the end of a load balancer's ARN): the removed objects that its interfaces are
/// in.
type Under<'g> = BTreeMap<String, BTreeSet<&'g ObjectId>>;

/// Finds the objects that have an interface in a network that is removed.
pub(super) async fn find(aws: &Aws, ground: &Ground<'_>) -> Result<Vec<Occupant>, ObserveError> {
    let vpcs: Vec<&str> = ground.vpcs.keys().chain(ground.gateways.keys()).copied().collect();
    let subnets: Vec<&str> = ground.going_alone(&ground.subnets).collect();
    let groups: Vec<&str> = ground.going_alone(&ground.groups).collect();
    let (in_vpcs, in_subnets, in_groups) = tokio::try_join!(
        Box::pin(listing::network_interfaces(aws, "vpc-id", &vpcs)),
        Box::pin(listing::network_interfaces(aws, "subnet-id", &subnets)),
        Box::pin(listing::network_interfaces(aws, "group-id", &groups)),
    )?;
    let (mut alone, mut instances, mut balancers) = (Vec::new(), Under::new(), Under::new());
    for interface in in_vpcs.iter().chain(&in_subnets).chain(&in_groups) {
        let Some(under) = under(ground, interface) else { continue };
        match whose(interface, ground.account) {
            Whose::Instance(id) => {
                instances.entry(id.to_owned()).or_default().insert(under);
            }
            Whose::LoadBalancer(path) => {
                balancers.entry(path.to_owned()).or_default().insert(under);
            }
            Whose::Alone(id) if !ground.is_own(id, interface.tag_set()) => {
                alone.push(Occupant {
                    of: under.clone(),
                    sort: Occupation::NetworkInterface,
                    id: id.to_owned(),
                    name: name_of(interface.tag_set()).or_else(|| text(interface.description())),
                });
            }
            Whose::Alone(_) | Whose::Service => {}
        }
    }
    let (instances, balancers) = tokio::try_join!(
        Box::pin(of_instances(aws, ground, instances)),
        Box::pin(of_load_balancers(aws, ground, balancers)),
    )?;
    Ok(alone.into_iter().chain(instances).chain(balancers).collect())
}

/// Returns the removed object that an interface is in.
fn under<'g>(ground: &Ground<'g>, interface: &NetworkInterface) -> Option<&'g ObjectId> {
    let subnet = interface.subnet_id().and_then(|id| ground.subnets.get(id));
    let mut groups = interface.groups().iter().filter_map(|group| group.group_id());
    let group = || groups.find_map(|id| ground.groups.get(id));
    let vpc = || ground.vpcs.get(interface.vpc_id()?);
    let gateway = || {
        interface.association()?;
        ground.gateways.get(interface.vpc_id()?)
    };
    subnet.or_else(group).or_else(vpc).or_else(gateway).copied()
}

/// Whose interface it is.
#[derive(Debug, PartialEq, Eq)]
enum Whose<'i> {
    Instance(&'i str),
    /// A load balancer's, by the end of its ARN.
    LoadBalancer(&'i str),
    /// Nobody's, or that of another account with which the subnet is shared: by its own id.
    Alone(&'i str),
    /// That of something that AWS manages, or that is about to be removed.
    Service,
}

fn whose<'i>(interface: &'i NetworkInterface, account: &str) -> Whose<'i> {
    let alone = || interface.network_interface_id().map_or(Whose::Service, Whose::Alone);
    if interface.owner_id().is_some_and(|owner| owner != account) {
        return alone();
    }
    if interface.requester_managed() == Some(true) {
        let path = interface.description().and_then(|it| it.strip_prefix(OF_LOAD_BALANCER));
        return path.map_or(Whose::Service, Whose::LoadBalancer);
    }
    match interface.attachment() {
        Some(attachment) => attachment.instance_id().map_or(Whose::Service, Whose::Instance),
        None => alone(),
    }
}

/// Returns those of these instances that belong to others and stay.
async fn of_instances(
    aws: &Aws,
    ground: &Ground<'_>,
    mut under: Under<'_>,
) -> Result<Vec<Occupant>, ObserveError> {
    under.retain(|id, _| !ground.own.contains(id.as_str()));
    let mut all = Vec::new();
    let ids: Vec<&str> = under.keys().map(String::as_str).collect();
    for instance in listing::instances(aws, "instance-id", &ids).await? {
        let Some((id, sort)) = instance.instance_id().zip(sort_of(&instance, ground)) else {
            continue;
        };
        let under = under.get(id).into_iter().flatten();
        // Auto Scaling starts instances in the subnets that a group has, and terminates those in other subnets.
        let under = under
            .filter(|of| sort == Occupation::Instance || ground.groups.contains_key(of.as_str()));
        all.extend(under.map(|of| Occupant {
            of: (*of).clone(),
            sort,
            id: id.to_owned(),
            name: name_of(instance.tags()),
        }));
    }
    Ok(all)
}

/// Returns the sort of occupant that an instance is; `None` if it is removed, or if it is the stack's own.
fn sort_of(instance: &Instance, ground: &Ground<'_>) -> Option<Occupation> {
    use InstanceStateName as State;
    let goes = [State::ShuttingDown, State::Terminated];
    let state = instance.state().and_then(|state| state.name());
    let tags = from_ec2(instance.tags());
    if state.is_some_and(|state| goes.contains(state)) || is_of(&tags, ground.stack) {
        return None;
    }
    match tags.get(tag::GROUP).map(String::as_str) {
        Some(group) if ground.scaling.contains(group) => Some(Occupation::Member),
        // Its instances are removed with it.
        Some(group) if ground.ending.contains(group) => None,
        _ => Some(Occupation::Instance),
    }
}

/// Returns those of these load balancers that belong to others and exist.
async fn of_load_balancers(
    aws: &Aws,
    ground: &Ground<'_>,
    mut under: Under<'_>,
) -> Result<Vec<Occupant>, ObserveError> {
    let path = |arn: &str| arn.split_once(":loadbalancer/").map(|(_, path)| path.to_owned());
    for own in ground.own.iter().filter_map(|id| path(id)) {
        under.remove(&own);
    }
    if under.is_empty() {
        return Ok(Vec::new());
    }
    let all = elb::load_balancer_names(aws).await?.into_iter();
    let there = all.filter(|(arn, _)| path(arn).is_some_and(|path| under.contains_key(&path)));
    let there: BTreeMap<String, String> = there.collect();
    let tagged = elb::tags_of(aws, there.keys().cloned().collect()).await?;
    let strange = tagged.iter().filter(|(_, tags)| !is_of(tags, ground.stack));
    let occupants = strange.flat_map(|(arn, _)| {
        let under = path(arn).and_then(|path| under.get(&path)).into_iter().flatten();
        under.filter_map(|of| {
            Some(Occupant {
                of: (*of).clone(),
                sort: Occupation::LoadBalancer,
                id: there.get(arn)?.clone(),
                name: None,
            })
        })
    });
    Ok(occupants.collect())
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::NetworkInterfaceAttachment;

    use super::*;

    #[test]
    fn an_interface_says_whose_it_is() {
        let account = "123456789012";
        let interface =
            || NetworkInterface::builder().network_interface_id("eni-1").owner_id(account);
        let attached = |to| NetworkInterfaceAttachment::builder().set_instance_id(to).build();
        let managed = |says| interface().requester_managed(true).description(says).build();
        let instance = interface().attachment(attached(Some("i-1".to_owned()))).build();
        let function = interface().attachment(attached(None)).build();
        for (interface, expected) in [
            (interface().build(), Whose::Alone("eni-1")),
            (instance.clone(), Whose::Instance("i-1")),
            (function, Whose::Service),
            (
                managed("ELB net/sensors/50dc6c495c0c9188"),
                Whose::LoadBalancer("net/sensors/50dc6c495c0c9188"),
            ),
            (managed("Interface for NAT Gateway nat-0a1b2c3d"), Whose::Service),
            // The VPC is shared with its account, which has the instance.
            (interface().owner_id("222233334444").build(), Whose::Alone("eni-1")),
            (NetworkInterface::builder().build(), Whose::Service),
        ] {
            assert_eq!(whose(&interface, account), expected, "{interface:?}");
        }
        assert_eq!(whose(&instance, "222233334444"), Whose::Alone("eni-1"));
    }
}
