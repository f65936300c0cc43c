//! `DescribeInstances`: instances by reservation.

use super::Instance;
use super::filters::FILTERS;
use super::write::write;
use crate::ec2::instance_type;
use crate::failure::{Failure, Outcome};
use crate::listing::Listing;
use crate::parameters::Parameters;
use crate::world::View;
use crate::xml::Xml;
use std::collections::BTreeMap;

const LISTING: Listing<Instance> = Listing {
    table: |region| &region.instances,
    ids: "InstanceId",
    filters: FILTERS,
    set: "reservationSet",
    write,
    page: 5..=1000,
};

/// Handles `DescribeInstances`.
pub(super) fn describe(view: View<'_>, parameters: &Parameters, xml: &mut Xml) -> Outcome {
    if parameters.text("MaxResults").is_some() && !parameters.texts("InstanceId").is_empty() {
        let message = "The parameter instancesSet cannot be used with the parameter maxResults";
        return Err(Failure::combination(message));
    }
    let (instances, next) = LISTING.select(view, parameters, |_| true)?;
    let mut reservations: BTreeMap<&str, Vec<&Instance>> = BTreeMap::new();
    for instance in instances {
        reservations.entry(&instance.reservation_id).or_default().push(instance);
    }
    xml.items("reservationSet", reservations, |xml, (id, mut instances)| {
        instances.sort_by_key(|instance| instance.launch_index);
        write_reservation(view, xml, (id, &instances));
    });
    xml.optional("nextToken", next);
    Ok(())
}

/// Writes the instances that one launch made.
pub(super) fn write_reservation(
    view: View<'_>,
    xml: &mut Xml,
    (id, instances): (&str, &[&Instance]),
) {
    xml.items("groupSet", [(); 0], |_, ()| {});
    xml.items("instancesSet", instances, |xml, instance| write(view, instance, xml));
    xml.text("ownerId", &view.region.account);
    xml.text("reservationId", id);
    debug_assert!(instances.iter().all(|i| i.reservation_id == id), "of one reservation");
}

/// Returns whether instances of a type run on the Nitro system.
pub(super) fn is_nitro(instance: &Instance) -> bool {
    instance_type::by_name(&instance.instance_type).is_some_and(|t| t.is_nitro())
}
