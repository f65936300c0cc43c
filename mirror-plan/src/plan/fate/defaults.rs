//! Defaults of AWS: what it fills into a replacement where the stack sets nothing.
//!
//! AWS fills in what it filled in for the replaced object, so a plan shows no difference; the call
//! that creates the replacement leaves it out all the same. If something else is replaced too and
//! the default changes with it, the value is known only after apply.

use super::Fates;
use crate::address::Address;
use crate::attribute::AttributeType as _;
use crate::resource::{Instance, MirrorSession, Resource};
use crate::value::{Origin, Unknown, Value};

impl Fates<'_> {
    /// The attributes of a replacement of `observed`, with the defaults that AWS will fill in.
    pub(in crate::plan) fn filled_in(
        &self,
        address: &Address,
        replacement: &Resource,
        observed: &Resource,
    ) -> Value {
        match (replacement, observed, self.declared(address)) {
            (
                Resource::MirrorSession(_),
                Resource::MirrorSession(before),
                Some(Resource::MirrorSession(session)),
            ) if self.goes_to_load_balancer(session, before) => {
                replacement.clone().settled(observed).to_value()
            }
            (
                Resource::Instance(after),
                Resource::Instance(before),
                Some(Resource::Instance(instance)),
            ) if after.security_groups.is_empty() => {
                let stays = self.stays_in_its_vpc(instance, before);
                with_default_group(address, after, stays.then_some(before))
            }
            _ => replacement.to_value(),
        }
    }

    fn declared(&self, address: &Address) -> Option<&Resource> {
        self.stack.resources.get(address).map(|declared| &declared.resource)
    }

    /// Whether a session will send to a load balancer. What a target is that the stack does not
    /// declare is not known, but as long as the target is the same one, it is what it was.
    fn goes_to_load_balancer(&self, session: &MirrorSession, before: &MirrorSession) -> bool {
        let Some(origin) = session.target.origin() else { return session.target == before.target };
        matches!(
            self.declared(&origin.address),
            Some(Resource::MirrorTarget(target)) if target.load_balancer.is_some()
        )
    }

    /// Whether an instance will stay in its VPC, as far as its subnet shows.
    fn stays_in_its_vpc(&self, instance: &Instance, before: &Instance) -> bool {
        let Some(origin) = instance.subnet.origin() else {
            return instance.subnet == before.subnet;
        };
        let same_subnet = self.observed.attribute(&origin) == Some(before.subnet.to_value());
        let moves = |comparison: &super::Comparison| {
            comparison.differences.iter().any(|difference| difference.attribute == "vpc")
        };
        same_subnet && !self.comparison(&origin.address).is_some_and(moves)
    }
}

/// The attributes of an instance without a group of its own: it is in the default group of its VPC.
fn with_default_group(address: &Address, after: &Instance, before: Option<&Instance>) -> Value {
    const NAME: &str = "security_groups";
    let groups = before.map_or_else(
        || {
            let origin = Origin { address: address.clone(), attribute: NAME.to_owned() };
            Value::Unknown(Unknown::attribute(origin))
        },
        |before| before.security_groups.to_value(),
    );
    let Value::Object(mut members) = after.to_value() else {
        unreachable!("a resource is an object");
    };
    members.insert(NAME.to_owned(), groups);
    Value::Object(members)
}
