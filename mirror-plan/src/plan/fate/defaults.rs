//! Defaults of AWS: what it puts into a replacement in place of nothing.
//!
//! It puts there what it put into the object that is replaced, so a plan shows no difference; the
//! call that makes the replacement leaves it out all the same. Where another default follows from
//! what is replaced too, it is known after apply.

use super::Fates;
use crate::address::Address;
use crate::attribute::AttributeType as _;
use crate::resource::{Instance, MirrorSession, Resource};
use crate::value::{Origin, Unknown, Value};

impl Fates<'_> {
    /// The attributes of a replacement of `observed`, with what AWS will put in place of nothing.
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

    /// Whether a session will go to a load balancer. Nobody knows what a target is that the stack
    /// does not declare, but as long as it is the same one, it is what it was.
    fn goes_to_load_balancer(&self, session: &MirrorSession, before: &MirrorSession) -> bool {
        let Some(origin) = session.target.origin() else { return session.target == before.target };
        matches!(
            self.declared(&origin.address),
            Some(Resource::MirrorTarget(target)) if target.load_balancer.is_some()
        )
    }

    /// Whether an instance will be in the VPC where it was, as far as its subnet tells.
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

/// An instance without a group of its own, in the default group of its VPC.
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
