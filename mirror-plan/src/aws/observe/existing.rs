//! Finding the existing objects that a stack uses.
//!
//! EC2 finds objects of any kind by tags in one list, so a selector costs one call for each of its tags and none for
//! each object. Elastic Load Balancing lists everything anyway.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancingv2::types::LoadBalancer as SeenBalancer;

use super::super::Aws;
use super::super::answer::Answer;
use super::super::page::{self, Ids, pages};
use super::super::tags::Owner;
use super::super::together::together;
use super::by_arn::ByArn;
use super::{ObserveError, Seen};
use crate::address::{Address, Kind};
use crate::code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::observed::Found;
use crate::resource::{Tags, tag};
use crate::stack::Existing;
use crate::value::Value;

/// How many candidates a message lists.
const LISTED: usize = 10;

/// Returns the ids of the candidates for each address, in EC2.
pub(super) async fn ids(
    aws: &Aws,
    existing: &BTreeMap<Address, Existing>,
) -> Result<BTreeMap<Address, Ids>, ObserveError> {
    let in_ec2 = || existing.iter().filter(|(address, _)| !is_listed(address.kind));
    let pairs: BTreeSet<(String, String)> =
        in_ec2().flat_map(|(_, existing)| existing.selector.all_tags()).collect();
    let lists = pairs.iter().map(|(key, value)| tagged(aws, key, value)).collect();
    let tagged: BTreeMap<&(String, String), Tagged> =
        pairs.iter().zip(together(lists).await?).collect();
    let meant = in_ec2().map(|(address, existing)| {
        let id = existing.selector.id.iter().map(|id| Ids::from([id.to_string()]));
        let pairs = existing.selector.all_tags();
        let by_tags = pairs.into_iter().map(|pair| {
            tagged.get(&pair).and_then(|of| of.get(&address.kind)).cloned().unwrap_or_default()
        });
        let all = id.chain(by_tags).reduce(|a, b| a.intersection(&b).cloned().collect());
        (address.clone(), all.unwrap_or_default())
    });
    Ok(meant.collect())
}

type Tagged = BTreeMap<Kind, Ids>;

/// Returns the ids of everything that carries a tag with exactly this value.
async fn tagged(aws: &Aws, key: &str, value: &str) -> Result<Tagged, ObserveError> {
    let request = aws
        .ec2()
        .describe_tags()
        .filters(page::filter("key", [literal(key)]))
        .filters(page::filter("value", [literal(value)]))
        .max_results(page::PAGE);
    let mut found = Tagged::new();
    for tag in pages!(aws, "DescribeTags", request, tags) {
        let of = tag.resource_type().map(|of| of.as_str());
        let exact = tag.key() == Some(key) && tag.value().unwrap_or_default() == value;
        if let Some(kind) = Kind::all().find(|kind| exact && Some(kind.tag_type()) == of) {
            let id = Answer("DescribeTags").present("resourceId", tag.resource_id())?;
            found.entry(kind).or_default().insert(id.to_owned());
        }
    }
    Ok(found)
}

/// Escapes a text for a filter, in which `*` and `?` are wildcards.
///
/// Source: EC2 user guide, "Filtering": wildcards are escaped with a backslash.
pub(super) fn literal(text: &str) -> String {
    text.chars()
        .flat_map(|c| matches!(c, '*' | '?' | '\\').then_some('\\').into_iter().chain([c]))
        .collect()
}

/// Returns whether objects of a kind are listed with their tags by a service other than EC2, which does not return
/// those tags.
pub(super) fn is_listed(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::TargetGroup
            | Kind::LoadBalancer
            | Kind::GatewayLoadBalancer
            | Kind::AutoscalingGroup
            | Kind::ResourceShare
    )
}

/// Returns the owner of an object that nobody owns; its address is not used.
pub(super) fn nobody(kind: Kind) -> Owner {
    let name = "existing".parse().expect("a word is a name");
    Owner { address: Address::new(kind, name), generation: 0 }
}

/// The ids of the candidates for each address.
pub(super) struct Meant(BTreeMap<Address, Ids>);

impl Meant {
    /// Adds the objects that are known by ARN.
    pub(super) fn of(
        existing: &BTreeMap<Address, Existing>,
        mut meant: BTreeMap<Address, Ids>,
        by_arn: &ByArn,
    ) -> Self {
        for (address, Existing { selector, place: _ }) in existing {
            let admits = |arn: Option<&str>, name: Option<&str>, tags: &Tags| {
                let arn = arn?;
                selector.admits(arn, name.unwrap_or_default(), tags).then(|| arn.to_owned())
            };
            let balancers = |all: &[(SeenBalancer, Tags)]| -> Ids {
                let admitted = all.iter().filter_map(|(of, tags)| {
                    admits(of.load_balancer_arn(), of.load_balancer_name(), tags)
                });
                admitted.collect()
            };
            let ids = match address.kind {
                Kind::LoadBalancer => balancers(&by_arn.load_balancers),
                Kind::GatewayLoadBalancer => balancers(&by_arn.gateway_load_balancers),
                Kind::TargetGroup => by_arn
                    .target_groups
                    .iter()
                    .filter_map(|(of, tags)| {
                        admits(of.target_group_arn(), of.target_group_name(), tags)
                    })
                    .collect(),
                Kind::AutoscalingGroup => by_arn
                    .autoscaling_groups
                    .iter()
                    .filter_map(|(of, tags)| {
                        admits(of.auto_scaling_group_arn(), of.auto_scaling_group_name(), tags)
                    })
                    .collect(),
                Kind::ResourceShare => by_arn
                    .resource_shares
                    .iter()
                    .filter_map(|(of, tags)| admits(of.resource_share_arn(), of.name(), tags))
                    .collect(),
                _ => continue,
            };
            meant.insert(address.clone(), ids);
        }
        Self(meant)
    }

    /// Returns all ids, by kind.
    pub(super) fn ids(&self) -> BTreeMap<Kind, Ids> {
        let mut all: BTreeMap<Kind, Ids> = BTreeMap::new();
        for (address, ids) in &self.0 {
            all.entry(address.kind).or_default().extend(ids.iter().cloned());
        }
        all
    }

    /// Returns the candidates among the objects that are known by ARN.
    pub(super) fn by_arn(&self, by_arn: &ByArn) -> ByArn {
        let ids = self.ids();
        let is_meant = |kind: Kind, arn: Option<&str>| {
            arn.is_some_and(|arn| ids.get(&kind).is_some_and(|ids| ids.contains(arn)))
        };
        let ByArn {
            mut target_groups,
            mut load_balancers,
            mut gateway_load_balancers,
            mut autoscaling_groups,
            mut resource_shares,
        } = by_arn.clone();
        target_groups.retain(|(of, _)| is_meant(Kind::TargetGroup, of.target_group_arn()));
        load_balancers.retain(|(of, _)| is_meant(Kind::LoadBalancer, of.load_balancer_arn()));
        gateway_load_balancers
            .retain(|(of, _)| is_meant(Kind::GatewayLoadBalancer, of.load_balancer_arn()));
        autoscaling_groups
            .retain(|(of, _)| is_meant(Kind::AutoscalingGroup, of.auto_scaling_group_arn()));
        resource_shares.retain(|(of, _)| is_meant(Kind::ResourceShare, of.resource_share_arn()));
        ByArn {
            target_groups,
            load_balancers,
            gateway_load_balancers,
            autoscaling_groups,
            resource_shares,
        }
    }

    /// Returns what was seen of the candidates, by address.
    pub(super) fn candidates(self, seen: Seen) -> BTreeMap<Address, Vec<Found>> {
        // What a stack file cannot express about them does not matter: they are not changed.
        let Seen { owned, members: _, foreign_targets: _, findings: _ } = seen;
        let candidates = self.0.into_iter().map(|(address, ids)| {
            let found = owned
                .iter()
                .filter(|(of, found)| of.kind == address.kind && ids.contains(found.id.as_str()));
            let found = found.map(|(_, found)| found.clone()).collect();
            (address, found)
        });
        candidates.collect()
    }
}

/// Returns the object that each selector means, by address, and what is wrong with the other selectors.
///
/// `candidates` are the objects that each selector recognizes.
pub(super) fn choose(
    existing: &BTreeMap<Address, Existing>,
    mut candidates: BTreeMap<Address, Vec<Found>>,
) -> (BTreeMap<Address, Found>, Diagnostics) {
    let (mut chosen, mut diagnostics) = (BTreeMap::new(), Diagnostics::new());
    for (address, declared) in existing {
        let mut found = candidates.remove(address).unwrap_or_default();
        found
            .sort_by_key(|found| (found.resource.tags().get(tag::NAME).cloned(), found.id.clone()));
        match found.as_slice() {
            [_] => chosen.extend(found.pop().map(|found| (address.clone(), found))),
            others => diagnostics.push(not_one(address, declared, others)),
        }
    }
    (chosen, diagnostics)
}

/// Reports that a selector recognizes no object or several.
fn not_one(address: &Address, declared: &Existing, found: &[Found]) -> Diagnostic {
    let Existing { selector, place } = declared;
    let title = match found.len() {
        0 => format!("no {} matches `{address}`", address.kind.title()),
        count => format!("{count} objects match `{address}`, and it must be exactly one"),
    };
    let head = place.as_ref().map(|place| place.head.clone());
    let diagnostic = Diagnostic::error(code::NOT_ONE, title)
        .of(address)
        .at(head, "declared here")
        .note(format!("looked for: {selector}"));
    if found.is_empty() {
        return diagnostic.help(match &selector.account {
            None => "check the account and the Region: objects of this stack do not count",
            Some(_) => "check that account, in the Region of the stack",
        });
    }
    let shown: Vec<String> = found.iter().take(LISTED).map(in_words).collect();
    let more = found.len().saturating_sub(LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    diagnostic
        .note(format!("found: {}{more}", shown.join(", ")))
        .help("set its `id`, or tags that only one of them has")
}

/// Returns the id of an object, and what helps to distinguish it from others.
fn in_words(found: &Found) -> String {
    let Found { id, generation: _, resource, computed: _, parts: _ } = found;
    match (resource.tags().get(tag::NAME), resource.to_value()) {
        (Some(name), _) => format!("{id} \"{name}\""),
        (None, Value::Object(members)) => match members.get("cidr") {
            Some(Value::String(cidr)) => format!("{id} {cidr}"),
            _ => id.to_string(),
        },
        (None, _) => id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_takes_a_text_as_it_is() {
        assert_eq!(literal("web"), "web");
        assert_eq!(literal(r"50% *?\"), r"50% \*\?\\");
    }
}
