//! Two objects where AWS allows only one.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::view::{View, attribute};
use crate::address::{Address, Kind};
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::resource::claim::{Claim, Namespace};
use crate::value::Path;

/// MP1040.
pub(super) fn second(view: &View<'_>) -> Vec<Diagnostic> {
    let mut firsts: BTreeMap<Claim<'_>, &Address> = BTreeMap::new();
    let mut found = Vec::new();
    for (address, resource) in view.resources() {
        for claim in resource.claims() {
            let Some((path, help)) = told_here(claim, address.kind) else { continue };
            match firsts.entry(claim) {
                Entry::Vacant(free) => {
                    free.insert(address);
                }
                Entry::Occupied(first) => {
                    let (claim, first) = (first.key(), *first.get());
                    let title = format!("`{address}` conflicts with `{first}`: AWS allows {claim}");
                    found.push(
                        Diagnostic::error(code::SECOND, title)
                            .of(address)
                            .at(view.at(address, &path), "")
                            .at(view.at(first, &path), "the first one")
                            .help(help),
                    );
                }
            }
        }
    }
    found
}

/// Where a block makes a claim, and what to do about a second one; `None` if another code reports it.
fn told_here(claim: Claim<'_>, kind: Kind) -> Option<(Path, &'static str)> {
    let (path, help) = match claim {
        Claim::PrivateAddress { .. } => {
            ("private_ip", "leave it out, and AWS picks one that is free")
        }
        Claim::Gateway { .. } => ("vpc", "routes of all subnets of a VPC can use one gateway"),
        Claim::Peering(_) => {
            return Some((Path::default(), "routes in both directions can use one connection"));
        }
        Claim::Association { .. } => ("subnets", "put all routes of the subnet into one table"),
        Claim::Attachment { .. } => {
            ("vpc", "use one attachment with a subnet in each zone, and route everything to it")
        }
        Claim::Forwarding { .. } => {
            let path = if kind == Kind::LoadBalancer { "listeners" } else { "target_group" };
            (path, "give each a target group of its own: an instance can be a target of several")
        }
        Claim::Service { .. } => {
            ("gateway_load_balancers", "one service can have endpoints in any number of VPCs")
        }
        Claim::Name { of: Namespace::SecurityGroup { .. }, name: _ } => {
            ("name", "leave `name` out, and one is chosen")
        }
        // Reported as MP1032, MP1016, MP1012 and MP1033.
        Claim::Subnet { .. }
        | Claim::Destination { .. }
        | Claim::Interface { .. }
        | Claim::Number { .. } => return None,
        Claim::Name { of, name: _ } => match of {
            Namespace::LoadBalancer
            | Namespace::TargetGroup
            | Namespace::LaunchTemplate
            | Namespace::AutoscalingGroup
            | Namespace::SecurityGroup { .. } => return None,
        },
    };
    Some((attribute(path), help))
}
