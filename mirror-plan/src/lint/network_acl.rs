//! Network ACLs that refuse mirrored packets, or the health checks of their receivers.

use std::collections::BTreeSet;

use super::view::{View, attribute};
use crate::address::Address;
use crate::code;
use crate::diagnostic::Diagnostic;
use crate::reach::{Hop, Outcome, Sort};

/// MP1026: one finding for each thing that a network ACL refuses, at the first session that is affected, or at the
/// mirror target if all its sessions are.
pub(super) fn shut(view: &View<'_>) -> Vec<Diagnostic> {
    let (mut told, mut ways) = (BTreeSet::new(), BTreeSet::new());
    let mut found = Vec::new();
    for journey in view.reach.journeys() {
        if ways.insert((journey.class, journey.target)) {
            let approach = view.reach.approach(journey);
            let to_nodes = approach.to_nodes().filter(|hop| hop.sort == Sort::NetworkAcl);
            let hops = to_nodes.chain(approach.entries()).filter(stops);
            let new = hops.filter(|hop| told.insert(hop.words.as_str()));
            found.extend(new.map(|hop| refused(view, (journey.session, "target"), hop)));
        }
    }
    for (target, balanced) in view.deliveries() {
        let checks = balanced.receivers.iter().filter_map(|it| it.health.as_ref()?.acls.as_ref());
        let hops = balanced.exits.iter().chain(checks).filter(stops);
        let new = hops.filter(|hop| told.insert(hop.words.as_str()));
        let at = if balanced.entrance.is_some() {
            "gateway_load_balancer_endpoint"
        } else {
            "load_balancer"
        };
        found.extend(new.map(|hop| refused(view, (target, at), hop)));
    }
    found
}

fn stops(hop: &&Hop) -> bool {
    hop.outcome == Outcome::Stops
}

fn refused(view: &View<'_>, (address, at): (&Address, &str), hop: &Hop) -> Diagnostic {
    Diagnostic::warning(code::NETWORK_ACL_SHUT, hop.words.clone())
        .of(address)
        .at(view.at(address, &attribute(at)), "")
        .note("packets that a network ACL refuses are lost without an error")
        .help("allow it in a rule with a lower number, or give the subnet another network ACL")
}
